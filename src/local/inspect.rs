//! What a test or a report can ask a stream, beside the wire.
//!
//! Counters survive trimming; records are those still held.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::ring::Chunk;
use super::sequence::SequenceNumber;
use super::shard::{Counts, Shard, ShardView};
use super::stream::{Distribution, Mode, Status, Stream};
use crate::kinesis::{ShardId, StreamName};

/// One record that a stream holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldRecord<'a> {
    /// Its shard.
    pub shard: ShardId,
    /// Its place in the stream.
    pub sequence: SequenceNumber,
    /// Its partition key; empty when a producer gave none under AUTO distribution.
    pub partition_key: &'a str,
    /// Its data.
    pub data: &'a [u8],
    /// When it came, since the Unix epoch.
    pub arrival: Duration,
}

/// The records that a stream held at one moment. Costs no copy of their bytes.
#[derive(Debug, Clone)]
pub struct Held(Vec<(u32, u64, Vec<Arc<Chunk>>)>);

impl Held {
    /// The records, shard by shard, each shard's in the order of their sequence numbers.
    pub fn iter(&self) -> impl Iterator<Item = HeldRecord<'_>> {
        self.0.iter().flat_map(|(shard, created, chunks)| {
            chunks.iter().flat_map(move |chunk| {
                (0..chunk.len()).map(move |at| {
                    let (index, partition_key, data) = chunk.record(at);
                    let arrival = chunk.arrival();
                    let (created, shard) = (*created, *shard);
                    let sequence = SequenceNumber { created, index, second: arrival.as_secs(), shard };
                    HeldRecord { shard: sequence.shard(), sequence, partition_key, data, arrival }
                })
            })
        })
    }
}

/// What a stream is at one moment.
#[derive(Debug)]
pub(super) struct Description {
    pub(super) status: Status,
    pub(super) mode: Mode,
    pub(super) distribution: Distribution,
    pub(super) retention: Duration,
    /// The retention as the API tells it: begun hours count.
    pub(super) retention_hours: u64,
    pub(super) record_bytes: usize,
    pub(super) open_shards: usize,
    /// The shards that can still be read.
    pub(super) shards: Vec<ShardView>,
}

impl Stream {
    pub(super) fn describe(&self) -> Description {
        let state = self.lock();
        let now = self.options.clock.now();
        let readable = state.shards.iter().filter(|shard| !shard.expired(state.retention, now));
        Description {
            status: state.status(now),
            mode: state.mode,
            distribution: state.distribution,
            retention: state.retention,
            retention_hours: state.retention.as_secs().div_ceil(3_600),
            record_bytes: state.record_bytes,
            open_shards: state.open.shards().len(),
            shards: readable.map(Shard::view).collect(),
        }
    }

    /// What a record must keep to: its most bytes, and who chooses its shard.
    pub(super) fn rules(&self) -> (usize, Distribution) {
        let state = self.lock();
        (state.record_bytes, state.distribution)
    }

    pub(super) fn tags(&self) -> BTreeMap<String, String> {
        self.lock().tags.clone()
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &StreamName {
        &self.name
    }

    /// Its ARN.
    #[must_use]
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// What became of all records that were ever offered to it, over all shards.
    #[must_use]
    pub fn totals(&self) -> Counts {
        let mut sum = Counts::default();
        self.lock().shards.iter().for_each(|shard| sum += shard.counts);
        sum
    }

    /// Every shard that the stream ever had, in the order of their ids.
    #[must_use]
    pub fn shards(&self) -> Vec<ShardView> {
        self.lock().shards.iter().map(Shard::view).collect()
    }

    /// The records that it holds now.
    #[must_use]
    pub fn held(&self) -> Held {
        let state = self.lock();
        let chunks = |shard: &Shard| shard.ring.chunks().cloned().collect();
        Held(state.shards.iter().map(|shard| (shard.number, shard.second, chunks(shard))).collect())
    }

    /// The memory that its records take, in bytes: at most `Options::max_bytes` and one chunk.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.lock().held
    }
}
