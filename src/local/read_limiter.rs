//! What a shard gives to readers: five calls and 2 MiB a second.
//!
//! Pure like [`ShardLimiter`](crate::model::ShardLimiter). Does not decide what a call answers.

use std::time::Duration;

use crate::kinesis::limits::{SHARD_READ_BYTES_PER_SECOND, SHARD_READS_PER_SECOND};
use crate::model::Bucket;

/// The read limits of one shard.
///
/// A call is let in before its answer's size is known, so an answer may overdraw the bytes. The shard then
/// answers nobody until the whole second's worth is back: 5 seconds after an answer of 10 MiB, about
/// one after an answer that went just over (GetRecords page of the API reference says both).
#[derive(Debug, Clone)]
pub struct ReadLimiter {
    calls: Bucket,
    bytes: Bucket,
    overdrawn: bool,
}

impl ReadLimiter {
    /// A shard that nobody has read for a second or more.
    #[must_use]
    pub fn new(now: Duration) -> Self {
        Self {
            calls: Bucket::full(SHARD_READS_PER_SECOND, now),
            bytes: Bucket::full(SHARD_READ_BYTES_PER_SECOND, now),
            overdrawn: false,
        }
    }

    /// Whether one call may read now; a call that may is counted.
    pub fn admit(&mut self, now: Duration) -> bool {
        self.calls.refill(now);
        self.bytes.refill(now);
        if self.overdrawn && self.bytes.is_full() {
            self.overdrawn = false;
        }
        let admitted = !self.overdrawn && !self.bytes.is_empty() && self.calls.has(1);
        if admitted {
            self.calls.spend(1);
        }
        admitted
    }

    /// Counts the bytes (data and keys) of an admitted call's answer.
    pub fn answered(&mut self, bytes: u64) {
        self.bytes.spend(bytes);
        self.overdrawn |= self.bytes.is_in_debt();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    #[test]
    fn five_calls_a_second_then_one_every_200_ms() {
        let mut reader = ReadLimiter::new(Duration::ZERO);
        assert!((0..5).all(|_| reader.admit(Duration::ZERO)));
        assert!(!reader.admit(Duration::from_millis(199)));
        assert!(reader.admit(Duration::from_millis(200)));
        assert!(!reader.admit(Duration::from_millis(399)));
    }

    #[test]
    fn after_an_answer_of_10_mib_later_calls_are_refused_for_5_seconds() {
        let mut reader = ReadLimiter::new(Duration::ZERO);
        assert!(reader.admit(Duration::ZERO));
        reader.answered(10 * MIB);
        assert!(!reader.admit(Duration::from_nanos(4_999_999_999)));
        assert!(reader.admit(Duration::from_secs(5)));
    }

    #[test]
    fn answers_within_the_rate_block_nobody() {
        let mut reader = ReadLimiter::new(Duration::ZERO);
        for tick in 0..100 {
            assert!(reader.admit(Duration::from_millis(tick * 250)), "call {tick}");
            reader.answered(MIB / 2);
        }
    }

    #[test]
    fn an_answer_just_over_the_second_blocks_about_a_second() {
        let mut reader = ReadLimiter::new(Duration::ZERO);
        assert!(reader.admit(Duration::ZERO));
        reader.answered(2 * MIB + 1);
        assert!(!reader.admit(Duration::from_secs(1)));
        assert!(reader.admit(Duration::from_millis(1_001)));
    }
}
