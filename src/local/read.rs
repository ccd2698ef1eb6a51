//! How records get out of a stream: places to start from, and reading on.
//!
//! Decides positions, the readers' limits and the end of a closed shard. Encoding is `wire`'s.

use std::time::Duration;

use super::error::ApiError;
use super::ring::Found;
use super::sequence::SequenceNumber;
use super::shard::{Shard, ShardView};
use super::stream::{State, Stream};
use crate::kinesis::limits::{GET_RECORDS_MAX_BYTES, GET_RECORDS_MAX_RECORDS};

/// Where a reader wants to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    At(SequenceNumber),
    After(SequenceNumber),
    TrimHorizon,
    Latest,
    Time(Duration),
}

/// A reader's place in a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) shard: u32,
    /// The index of the next record to read.
    pub(super) index: u64,
    /// Whether the log has already said that this reader fell behind what was trimmed.
    pub(super) told: bool,
}

/// What a call of GetRecords found.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) found: Found,
    pub(super) shard: u32,
    /// The second that the shard's sequence numbers begin with.
    pub(super) second: u64,
    /// How far the reader is from the tip; zero only there.
    pub(super) behind: Duration,
    /// Where to go on; none: the shard is closed and read to its end.
    pub(super) next: Option<Position>,
    /// The shards to read after a closed one.
    pub(super) children: Vec<ShardView>,
}

impl State {
    /// A shard that can still be read.
    pub(super) fn shard(&self, number: u32, now: Duration) -> Option<&Shard> {
        self.shards.get(number as usize).filter(|shard| !shard.expired(self.retention, now))
    }
}

impl Stream {
    pub(super) fn no_shard(&self, shard: impl std::fmt::Display) -> ApiError {
        let Self { name, options, .. } = self;
        let account = &options.account;
        ApiError::not_found(format!("Shard {shard} in stream {name} under account {account} does not exist"))
    }

    /// The place in a shard where a reader starts.
    pub(super) fn position(&self, shard: u32, start: Start) -> Result<Position, ApiError> {
        let mut state = self.lock();
        let now = self.options.clock.now();
        if state.deleted {
            return Err(self.not_found());
        }
        state.trim(now, self.options.max_bytes);
        let Some(shard) = state.shard(shard, now) else {
            return Err(self.no_shard(crate::kinesis::ShardId(u64::from(shard))));
        };
        let own = |sequence: SequenceNumber| {
            let (account, id) = (&self.options.account, shard.id());
            if sequence.shard() != id {
                return Err(ApiError::invalid(format!(
                    "Invalid StartingSequenceNumber. It encodes {}, while it was used in a call to a shard with {id}",
                    sequence.shard()
                )));
            }
            if sequence.created != shard.second {
                return Err(ApiError::invalid(format!(
                    "StartingSequenceNumber {sequence} used in GetShardIterator on shard {id} in stream {} \
                     under account {account} is invalid because it did not come from this stream.",
                    self.name
                )));
            }
            Ok(sequence.index)
        };
        let index = match start {
            Start::At(sequence) => own(sequence)?,
            Start::After(sequence) => own(sequence)? + 1,
            Start::TrimHorizon => shard.ring.oldest(),
            Start::Latest => shard.ring.next(),
            Start::Time(time) => shard.ring.since(time),
        };
        // The shard's own start and end are places, not records.
        let index = index.clamp(1, shard.ring.next());
        Ok(Position { shard: shard.number, index, told: false })
    }

    /// Reads on from a place.
    pub(super) fn read(&self, at: Position, limit: usize) -> Result<Answer, ApiError> {
        let mut state = self.lock();
        let now = self.options.clock.now();
        if state.deleted || state.shard(at.shard, now).is_none() {
            return Err(self.no_shard(crate::kinesis::ShardId(u64::from(at.shard))));
        }
        state.trim(now, self.options.max_bytes);
        let state = &mut *state;
        let shard = &mut state.shards[at.shard as usize];
        if self.options.limited && !shard.reader.admit(now) {
            return Err(ApiError::rate(shard.id(), self.name.as_str(), &self.options.account));
        }
        let found = shard.ring.read(at.index, limit.min(GET_RECORDS_MAX_RECORDS), GET_RECORDS_MAX_BYTES);
        shard.reader.answered(found.bytes);
        let missed = shard.ring.oldest().saturating_sub(at.index);
        if missed > 0 && !at.told {
            tracing::warn!(
                stream = self.name.as_str(), shard = %shard.id(), records = missed,
                "a reader fell behind: the records it wanted next were trimmed, it goes on at the oldest one held"
            );
        }
        let behind = found.waiting_since.map_or(Duration::ZERO, |since| {
            // Never zero while something waits: readers take zero for the tip.
            now.saturating_sub(since).max(Duration::from_millis(1))
        });
        let drained = shard.closed.is_some() && found.next >= shard.ring.next();
        let next = Position { index: found.next, told: at.told || missed > 0, ..at };
        let shard = &state.shards[at.shard as usize];
        let children = if drained { &shard.children[..] } else { &[] };
        Ok(Answer {
            shard: shard.number,
            second: shard.second,
            behind,
            next: (!drained).then_some(next),
            children: children.iter().map(|&number| state.shards[number as usize].view()).collect(),
            found,
        })
    }
}
