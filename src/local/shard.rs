//! One shard of the embedded stream: its range, its records, its limits, its counts.
//!
//! Holds; the stream decides, under its one lock.

use std::time::Duration;

use super::read_limiter::ReadLimiter;
use super::ring::{Builder, Ring};
use super::sequence::SequenceNumber;
use crate::kinesis::{HashRange, ShardId};
use crate::model::{Refusal, ShardLimiter};

/// What became of the records that were offered to a shard. Never goes down: trimming does not touch it,
/// except that it counts in `trimmed_records`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records stored.
    pub accepted_records: u64,
    /// Their bytes, data and keys.
    pub accepted_bytes: u64,
    /// Records that the write limits refused.
    pub refused_records: u64,
    /// Their bytes.
    pub refused_bytes: u64,
    /// Of the refused records, those that only the limit of records refused.
    pub refused_by_records: u64,
    /// Of the refused records, those that only the limit of bytes refused.
    pub refused_by_bytes: u64,
    /// Stored records that were dropped again because of age or space.
    pub trimmed_records: u64,
}

impl Counts {
    pub(super) fn refused(&mut self, refusal: Refusal, bytes: u64) {
        self.refused_records += 1;
        self.refused_bytes += bytes;
        match refusal {
            Refusal::Records => self.refused_by_records += 1,
            Refusal::Bytes => self.refused_by_bytes += 1,
            Refusal::Both => {}
        }
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.accepted_records += other.accepted_records;
        self.accepted_bytes += other.accepted_bytes;
        self.refused_records += other.refused_records;
        self.refused_bytes += other.refused_bytes;
        self.refused_by_records += other.refused_by_records;
        self.refused_by_bytes += other.refused_by_bytes;
        self.trimmed_records += other.trimmed_records;
    }
}

/// A shard, open or closed.
#[derive(Debug)]
pub(super) struct Shard {
    pub(super) number: u32,
    pub(super) range: HashRange,
    pub(super) parent: Option<u32>,
    pub(super) adjacent_parent: Option<u32>,
    pub(super) children: Vec<u32>,
    pub(super) created: Duration,
    /// The second that its sequence numbers begin with: later than its parents'.
    pub(super) second: u64,
    pub(super) closed: Option<Duration>,
    pub(super) ring: Ring,
    pub(super) limiter: ShardLimiter,
    pub(super) reader: ReadLimiter,
    pub(super) counts: Counts,
    /// What the request in hand puts here. Empty between requests.
    pub(super) pending: Pending,
}

/// What a request puts into one shard: counted first, so that the chunk is allocated once and exactly.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub(super) records: usize,
    pub(super) bytes: usize,
    chunk: Option<Builder>,
}

impl Pending {
    pub(super) fn push(&mut self, key: &str, data: &[u8]) {
        let Self { records, bytes, chunk } = self;
        chunk.get_or_insert_with(|| Builder::with_capacity(*records, *bytes)).push(key, data);
    }
}

impl Shard {
    /// A new open shard. Its limiters are full, as those of a shard that was idle.
    pub(super) fn open(number: u32, range: HashRange, second: u64, now: Duration) -> Self {
        Self {
            number,
            range,
            parent: None,
            adjacent_parent: None,
            children: Vec::new(),
            created: now,
            second,
            closed: None,
            ring: Ring::new(),
            limiter: ShardLimiter::new(now),
            reader: ReadLimiter::new(now),
            counts: Counts::default(),
            pending: Pending::default(),
        }
    }

    /// Makes what is pending one chunk of the ring and returns its cost in bytes of memory.
    pub(super) fn append_pending(&mut self, now: Duration) -> usize {
        std::mem::take(&mut self.pending).chunk.map_or(0, |chunk| self.ring.append(chunk, now))
    }

    pub(super) fn id(&self) -> ShardId {
        ShardId(u64::from(self.number))
    }

    /// The sequence number of its record `index` that arrived at `arrival`.
    pub(super) fn sequence(&self, index: u64, arrival: Duration) -> SequenceNumber {
        SequenceNumber { created: self.second, index, second: arrival.as_secs(), shard: self.number }
    }

    /// Whether it was closed so long ago that not even its last record is kept: AWS lists it no more.
    pub(super) fn expired(&self, retention: Duration, now: Duration) -> bool {
        self.closed.is_some_and(|closed| now.saturating_sub(closed) > retention)
    }

    pub(super) fn view(&self) -> ShardView {
        ShardView {
            id: self.id(),
            range: self.range,
            parent: self.parent.map(|number| ShardId(u64::from(number))),
            adjacent_parent: self.adjacent_parent.map(|number| ShardId(u64::from(number))),
            created: self.created,
            closed: self.closed,
            first: SequenceNumber { created: self.second, index: 0, second: self.second, shard: self.number },
            last: self.closed.map(|closed| self.sequence(SequenceNumber::END, closed)),
            counts: self.counts,
            held_records: self.ring.next() - self.ring.oldest(),
        }
    }
}

/// What can be seen of a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardView {
    /// Its id.
    pub id: ShardId,
    /// Its hash keys.
    pub range: HashRange,
    /// The shard it was split or merged from.
    pub parent: Option<ShardId>,
    /// The other shard it was merged from.
    pub adjacent_parent: Option<ShardId>,
    /// When it was opened, since the Unix epoch.
    pub created: Duration,
    /// When it was closed; none: it takes writes.
    pub closed: Option<Duration>,
    /// A sequence number below all of its records.
    pub first: SequenceNumber,
    /// A sequence number above all of its records, once it is closed.
    pub last: Option<SequenceNumber>,
    /// What became of the records offered to it.
    pub counts: Counts,
    /// Records that it holds now.
    pub held_records: u64,
}
