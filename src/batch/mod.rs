//! How many together: a [`Batch`] is always a legal PutRecords request, held as the bytes that go over the wire.
//!
//! An event is written once, through base64 or as it is, into the request's body; each entry is known by its place in
//! it, so a retry copies the ranges that failed and nothing else. Decides what fits; does not know who sends it.

mod builder;
mod bundle;
mod cbor;
mod json;
mod members;
mod pack;

pub use builder::{BatchBuilder, Pushed};
pub use bundle::{Aggregation, Bundler, MOST_TOGETHER};
pub use pack::{Compression, CompressionError, Framing, FramingError, Packer, Packing};

use base64_simd::STANDARD;
use bytes::{Bytes, BytesMut};

use crate::aggregate;
use crate::kinesis::{HashKey, ShardId, Wire};
use members::Members;

/// The part of a body that differs between streams: what stands behind the entries, in either wire.
///
/// The whole reads `{"Records":[…],"StreamName":"…"}`, in JSON member by member as aws-sdk-kinesis writes it.
#[derive(Debug, Clone)]
pub struct Envelope {
    json: Vec<u8>,
    cbor: Vec<u8>,
}

impl Envelope {
    /// The envelope of requests to a stream named by `name` or, where it is known, by `arn` alone.
    #[must_use]
    pub fn new(name: &str, arn: Option<&str>) -> Self {
        let (member, value) = arn.map_or(("StreamName", name), |arn| ("StreamARN", arn));
        Self { json: json::tail(member, value), cbor: cbor::tail(member, value) }
    }

    fn tail(&self, wire: Wire) -> &[u8] {
        match wire {
            Wire::Json => &self.json,
            Wire::Cbor => &self.cbor,
        }
    }
}

/// Why what stands in a body can be read.
const WRITTEN: &str = "the builder wrote it";

/// What stands before the entries of a body.
fn head(wire: Wire) -> &'static [u8] {
    match wire {
        Wire::Json => json::HEAD,
        Wire::Cbor => cbor::HEAD,
    }
}

/// What stands between two entries.
fn separator(wire: Wire) -> &'static [u8] {
    match wire {
        Wire::Json => b",",
        Wire::Cbor => b"",
    }
}

/// Where an entry's object stands in the body, and what it counts against Kinesis's limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    start: u32,
    end: u32,
    /// Data before base64 plus partition key, in bytes.
    size: u32,
    /// Its sequence number less the batch's first; of several records the first one's.
    offset: u32,
}

impl Entry {
    /// Bytes of its object.
    fn length(&self) -> usize {
        (self.end - self.start) as usize
    }
}

/// One to `Limits::request_records` entries and the finished body of their request.
#[derive(Debug)]
pub struct Batch {
    wire: Wire,
    body: Bytes,
    entries: Vec<Entry>,
    size: usize,
    /// Empty where each entry holds one record.
    members: Members,
    /// The job whose records these are.
    job: u32,
    /// The sequence number of the first record that was offered.
    first: u64,
}

impl Batch {
    /// Says whose records these are: of `job`, the one that was offered first with sequence number `first`.
    #[must_use]
    pub fn of(self, job: u32, first: u64) -> Self {
        Self { job, first, ..self }
    }

    /// The job whose records these are.
    #[must_use]
    pub fn job(&self) -> u32 {
        self.job
    }

    /// The sequence numbers of the entries, of several records in an entry the first; in the order of the entries.
    /// Ascending where each entry holds one record.
    pub fn sequences(&self) -> impl ExactSizeIterator<Item = u64> + '_ {
        self.entries.iter().map(|entry| self.first + u64::from(entry.offset))
    }

    /// Whether entries may hold several records.
    #[inline]
    #[must_use]
    pub fn is_aggregated(&self) -> bool {
        !self.members.is_empty()
    }

    /// Number of user records: that of the entries, unless these are aggregated.
    #[must_use]
    pub fn records(&self) -> usize {
        if self.is_aggregated() { self.members.records() } else { self.entries.len() }
    }

    /// Number of user records in one entry.
    ///
    /// # Panics
    /// When there is no entry `index`.
    #[inline]
    #[must_use]
    pub fn entry_records(&self, index: usize) -> usize {
        if self.is_aggregated() { self.members.of(index).len() } else { 1 }
    }

    /// The sequence numbers of the user records in one entry, ascending.
    ///
    /// # Panics
    /// When there is no entry `index`.
    pub fn entry_sequences(&self, index: usize) -> impl Iterator<Item = u64> + '_ {
        let one = [self.entries[index].offset];
        let (one, several): (&[u32], &[u32]) =
            if self.is_aggregated() { (&[], self.members.of(index)) } else { (&one, &[]) };
        let alone = one.first().copied();
        alone.into_iter().chain(several.iter().copied()).map(|offset| self.first + u64::from(offset))
    }

    /// The sequence numbers of all user records, ascending.
    #[must_use]
    pub fn all_sequences(&self) -> Vec<u64> {
        let mut all: Vec<u64> = (0..self.len()).flat_map(|index| self.entry_sequences(index)).collect();
        all.sort_unstable();
        all
    }

    /// The shard that an entry of several user records was made for; none for any other entry.
    ///
    /// # Panics
    /// When there is no entry `index`.
    #[must_use]
    pub fn made_for(&self, index: usize) -> Option<ShardId> {
        if self.is_aggregated() && self.members.of(index).len() > 1 {
            self.members.shard(index)
        } else {
            None
        }
    }

    /// Number of entries; at least 1.
    #[allow(clippy::len_without_is_empty)] // a batch is never empty
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Bytes that count against Kinesis's limits: data before base64 plus partition keys.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// The same for one entry.
    ///
    /// # Panics
    /// When there is no entry `index`.
    #[must_use]
    pub fn entry_size(&self, index: usize) -> usize {
        self.entries[index].size as usize
    }

    /// The request's body; a clone shares the bytes.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The partition key (or explicit hash key) of an entry as the shard map needs it.
    ///
    /// Reads the body back: for refused entries only, whose answer names no shard.
    ///
    /// # Panics
    /// When there is no entry `index`.
    #[must_use]
    pub fn hash_key(&self, index: usize) -> Option<HashKey> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Keys<'a> {
            explicit_hash_key: Option<&'a str>,
            #[serde(borrow)]
            partition_key: std::borrow::Cow<'a, str>,
        }
        let Entry { start, end, .. } = self.entries[index];
        let entry = &self.body[start as usize..end as usize];
        let keys: Keys<'_> = match self.wire {
            Wire::Json => serde_json::from_slice(entry).ok()?,
            Wire::Cbor => crate::cbor::from_slice(entry).ok()?,
        };
        match keys.explicit_hash_key {
            Some(number) => number.parse().ok().map(HashKey),
            None => Some(HashKey::of(&keys.partition_key)),
        }
    }

    /// Calls `give` with the data of each user record in an entry, as it was added; `room` is for the entry's.
    ///
    /// # Panics
    /// When there is no entry `index`.
    pub fn each_data(&self, index: usize, room: &mut Vec<u8>, mut give: impl FnMut(&[u8])) {
        room.clear();
        self.data(index, room);
        if self.entry_records(index) == 1 {
            return give(room);
        }
        let message = aggregate::message(room).and_then(Result::ok).expect(WRITTEN);
        aggregate::each(message, |inner| give(inner.data)).expect(WRITTEN);
    }

    /// Appends the data of an entry, as it was added; that of several records as one.
    ///
    /// Reads the body back: for runs whose events carry no identity and that are verified.
    ///
    /// # Panics
    /// When there is no entry `index`.
    pub fn data(&self, index: usize, out: &mut Vec<u8>) {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Entry<T> {
            data: T,
        }
        let self::Entry { start, end, .. } = self.entries[index];
        let entry = &self.body[start as usize..end as usize];
        match self.wire {
            Wire::Json => {
                let Entry::<&str> { data } = serde_json::from_slice(entry).expect(WRITTEN);
                STANDARD.decode_append(data, out).expect(WRITTEN);
            }
            Wire::Cbor => {
                let Entry::<&[u8]> { data } = crate::cbor::from_slice(entry).expect(WRITTEN);
                out.extend_from_slice(data);
            }
        }
    }

    /// The batch of the entries at `keep` (ascending) alone; `self` gives back its buffers.
    ///
    /// They are copied into a buffer of their own size, so a retry costs what its entries cost, in time and memory.
    ///
    /// # Panics
    /// When `keep` is empty or names an entry that is not there.
    #[must_use]
    pub fn only(self, keep: &[u16], envelope: &Envelope) -> (Self, Spent) {
        assert!(!keep.is_empty(), "a batch has at least one entry");
        let (mut entries, mut members) = (self.entries, self.members);
        members.keep(keep);
        let (head, between, tail) = (head(self.wire), separator(self.wire), envelope.tail(self.wire));
        let kept: usize = keep.iter().map(|&at| entries[usize::from(at)].length() + between.len()).sum();
        let mut body = Vec::with_capacity(head.len() + kept + tail.len());
        body.extend_from_slice(head);
        let mut size = 0;
        for (to, &from) in keep.iter().enumerate() {
            let Entry { start, end, size: bytes, offset } = entries[usize::from(from)];
            if to > 0 {
                body.extend_from_slice(between);
            }
            let at = body.len() as u32;
            body.extend_from_slice(&self.body[start as usize..end as usize]);
            // `keep` ascends, so place `to` is never read again.
            entries[to] = Entry { start: at, end: body.len() as u32, size: bytes, offset };
            size += bytes as usize;
        }
        entries.truncate(keep.len());
        body.extend_from_slice(tail);
        let spent = Spent { body: reclaimed(self.body), ..Spent::default() };
        let (wire, job, first) = (self.wire, self.job, self.first);
        (Self { wire, body: body.into(), entries, size, members, job, first }, spent)
    }

    /// Takes the batch apart so that its buffers serve again.
    #[must_use]
    pub fn spent(self) -> Spent {
        Spent { body: reclaimed(self.body), entries: self.entries, members: self.members }
    }
}

/// The buffer behind `body`, unless the HTTP client still holds it (after a timeout it may). It keeps its length, so
/// that a builder finds room there that is already initialised.
fn reclaimed(body: Bytes) -> BytesMut {
    body.try_into_mut().unwrap_or_default()
}

/// The buffers of a batch that is done with.
#[derive(Debug, Default)]
pub struct Spent {
    body: BytesMut,
    entries: Vec<Entry>,
    members: Members,
}

impl Spent {
    /// Bytes of memory that the buffers hold.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.body.capacity() + self.entries.capacity() * size_of::<Entry>() + self.members.capacity()
    }
}
