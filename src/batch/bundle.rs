//! Which user records go together into one Kinesis record: those of one shard, by the map of the open shards.
//!
//! Readers of the Kinesis Producer Library (KCL) drop an aggregated record in which one user record's hash key lies
//! outside of the shard that it is read from. So user records are gathered by shard, and what has no shard in the map, is
//! larger than an aggregate may be, or is alone for its shard goes out as it is, as the library does it. Decides that and
//! what fits into the request; how an aggregate is written is in [`aggregate`](crate::aggregate).

use super::builder::{BatchBuilder, Pushed};
use crate::aggregate::Aggregate;
use crate::kinesis::{HashKey, ShardMap};

/// How events are aggregated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aggregation {
    /// Most bytes of an aggregated record, its partition key included; the stream's own limit counts as well.
    pub bytes: usize,
}

/// Most user records that are released together, and so in one request. They are made by one task without a pause: ten
/// thousand take some twenty milliseconds.
pub const MOST_TOGETHER: usize = 10_000;

/// The partition key of an aggregated record: it says nothing, for its explicit hash key counts. As the library has it.
const KEY: &str = "a";

/// No aggregate is open for this shard.
const NONE: u16 = u16::MAX;

impl Aggregation {
    /// How many user records of about so many bytes of data and key an aggregate holds; at least 1.
    #[must_use]
    pub fn holds(self, record_bytes: usize, data: f64, key: f64) -> u64 {
        // Each record with a key of its own: five heads of fields and lengths of one to three bytes.
        const AROUND: f64 = 10.0;
        let most = self.bytes.min(record_bytes).saturating_sub(Aggregate::EMPTY + KEY.len());
        ((most as f64 / (data + key + AROUND)) as u64).max(1)
    }

    /// How many user records of about so many bytes are released together: what half a request holds, so that larger
    /// ones than usual fit as well, but not so many that making them holds up others.
    #[must_use]
    pub fn together(request_records: usize, request_bytes: usize, data: usize) -> usize {
        const AROUND: usize = 40;
        (request_bytes / 2 / (data + AROUND)).clamp(request_records.min(MOST_TOGETHER), MOST_TOGETHER)
    }
}

/// The aggregates in the making of one request. Its buffers serve again.
#[derive(Debug, Default)]
pub struct Bundler {
    /// The first `open` of them are in the making.
    bundles: Vec<Bundle>,
    open: usize,
    /// Which of them is for which shard of the map.
    by_shard: Vec<u16>,
    /// Bytes of those in the making, with their keys. Those that will hold one record alone will have fewer.
    bytes: usize,
    written: Vec<u8>,
}

#[derive(Debug, Default)]
struct Bundle {
    aggregate: Aggregate,
    offsets: Vec<u32>,
    /// The shard's place in the map.
    place: usize,
}

impl Bundle {
    fn size(&self) -> usize {
        self.aggregate.size() + KEY.len()
    }
}

impl Bundler {
    /// Begins a request for a stream with these open shards.
    pub fn begin(&mut self, map: &ShardMap) {
        (self.open, self.bytes) = (0, 0);
        self.by_shard.clear();
        self.by_shard.resize(map.shards().len(), NONE);
    }

    /// Adds one user record to the request that `builder` makes, if it fits. To be told the same map from
    /// [`begin`](Self::begin) to [`finish`](Self::finish).
    pub fn push(
        &mut self,
        aggregation: Aggregation,
        builder: &mut BatchBuilder,
        map: &ShardMap,
        data: &[u8],
        partition_key: &str,
        explicit: Option<HashKey>,
    ) -> Pushed {
        let size = data.len() + partition_key.len();
        if size > builder.most_record() {
            builder.pass_over();
            return Pushed::TooLarge { size };
        }
        let hash_key = explicit.unwrap_or_else(|| HashKey::of(partition_key));
        let Some(place) = map.place(hash_key) else {
            return self.as_it_is(builder, data, partition_key, explicit);
        };
        let most = aggregation.bytes.min(builder.most_record());
        let mut digits = [0; 39];
        let digits = explicit.map(|hash_key| hash_key.decimal(&mut digits));
        if let Some(bundle) = self.bundles[..self.open].get_mut(usize::from(self.by_shard[place])) {
            let addition = bundle.aggregate.weigh(data, partition_key, digits);
            if bundle.size() + addition.bytes() <= most {
                if !builder.has_room(self.open, self.bytes + addition.bytes()) {
                    return Pushed::Full;
                }
                bundle.aggregate.add(addition, data, partition_key, digits, hash_key);
                bundle.offsets.push(builder.take_in());
                self.bytes += addition.bytes();
                return Pushed::Added;
            }
        }
        if self.open == self.bundles.len() {
            self.bundles.push(Bundle::default());
        }
        let bundle = &mut self.bundles[self.open];
        bundle.aggregate.clear();
        bundle.offsets.clear();
        let addition = bundle.aggregate.weigh(data, partition_key, digits);
        let whole = bundle.size() + addition.bytes();
        if whole > most {
            return self.as_it_is(builder, data, partition_key, explicit);
        }
        if !builder.has_room(self.open + 1, self.bytes + whole) {
            return Pushed::Full;
        }
        bundle.aggregate.add(addition, data, partition_key, digits, hash_key);
        bundle.offsets.push(builder.take_in());
        bundle.place = place;
        self.bytes += whole;
        let full = std::mem::replace(&mut self.by_shard[place], self.open as u16); // at most 500 entries
        self.open += 1;
        if full != NONE {
            self.close(usize::from(full), builder, map);
        }
        Pushed::Added
    }

    /// Writes what is still in the making; `builder` may be sealed then.
    pub fn finish(&mut self, builder: &mut BatchBuilder, map: &ShardMap) {
        for at in 0..self.open {
            self.write(at, builder, map);
        }
        (self.open, self.bytes) = (0, 0);
    }

    /// A record goes out as an entry of its own.
    fn as_it_is(
        &mut self,
        builder: &mut BatchBuilder,
        data: &[u8],
        partition_key: &str,
        explicit: Option<HashKey>,
    ) -> Pushed {
        if !builder.has_room(self.open + 1, self.bytes + data.len() + partition_key.len()) {
            return Pushed::Full;
        }
        let offset = builder.take_in();
        builder.write_members(data, partition_key, explicit, &[offset], None);
        Pushed::Added
    }

    /// Writes an aggregate that is full; the last one takes its place.
    fn close(&mut self, at: usize, builder: &mut BatchBuilder, map: &ShardMap) {
        self.bytes -= self.bundles[at].size();
        self.write(at, builder, map);
        self.open -= 1;
        self.bundles.swap(at, self.open);
        if at < self.open {
            self.by_shard[self.bundles[at].place] = at as u16;
        }
    }

    fn write(&mut self, at: usize, builder: &mut BatchBuilder, map: &ShardMap) {
        let Bundle { aggregate, offsets, place } = &self.bundles[at];
        let shard = Some(map.shards()[*place].id);
        match aggregate.alone() {
            Some((data, key, explicit)) => builder.write_members(data, key, explicit, offsets, shard),
            None => {
                aggregate.write(&mut self.written);
                builder.write_members(&self.written, KEY, Some(aggregate.hash_key()), offsets, shard);
            }
        }
    }

    /// Bytes of memory that the buffers hold.
    #[must_use]
    pub fn capacity(&self) -> usize {
        let bundle = |bundle: &Bundle| bundle.aggregate.capacity() + bundle.offsets.capacity() * 4;
        self.bundles.iter().map(bundle).sum::<usize>()
            + self.by_shard.capacity() * 2
            + self.written.capacity()
    }
}

#[cfg(test)]
#[path = "bundle_tests.rs"]
mod tests;
