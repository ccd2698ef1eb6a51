//! What a shard takes: two token buckets, decided by arithmetic alone.
//!
//! Decides whether one record passes and which limit refused it, and when the next one may. Does not know streams,
//! shards, clocks or HTTP: time is an argument, so that whoever predicts asks the same question as the embedded
//! stream, about a second that has not come yet.

use std::time::Duration;

use crate::kinesis::limits::{SHARD_BYTES_PER_SECOND, SHARD_RECORDS_PER_SECOND};

/// Parts of a token: one for each nanosecond of a second, so that a refill is an exact integer.
const PARTS: i128 = 1_000_000_000;

/// What one shard takes in a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Records in a second.
    pub records: u64,
    /// Bytes in a second, data and partition keys.
    pub bytes: u64,
}

impl Rates {
    /// 1,000 records and 1 MiB a second, in both capacity modes (AWS, "Quotas and limits").
    pub const AWS: Self = Self { records: SHARD_RECORDS_PER_SECOND, bytes: SHARD_BYTES_PER_SECOND };
}

/// Which limit of the shard refused a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The records of this second are used up.
    Records,
    /// The bytes of this second are used up.
    Bytes,
    /// Both are.
    Both,
}

/// Tokens that refill evenly up to one second's worth.
///
/// The level is kept in billionths of a token and only ever changes by whole billionths, so it
/// does not drift however long the run. It is signed because a record that is larger than a whole
/// second's worth leaves a debt.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    rate: i128,
    /// The most tokens that it holds.
    depth: i128,
    level: i128,
    at: Duration,
}

impl Bucket {
    /// A full bucket of one second at `rate` tokens a second.
    pub(crate) fn full(rate: u64, now: Duration) -> Self {
        Self::of_depth(rate, rate, now)
    }

    /// A full bucket of `depth` tokens that refills at `rate` tokens a second.
    pub(super) fn of_depth(rate: u64, depth: u64, now: Duration) -> Self {
        let (rate, depth) = (i128::from(rate), i128::from(depth));
        Self { rate, depth, level: depth * PARTS, at: now }
    }

    /// How long after the last refill `cost` tokens will be there, if nothing is spent until then.
    pub(super) fn wait(&self, cost: u64) -> Duration {
        let needed = i128::from(cost).min(self.depth) * PARTS - self.level;
        if needed <= 0 {
            return Duration::ZERO;
        }
        if self.rate == 0 {
            return Duration::MAX;
        }
        // A nanosecond brings `rate` parts.
        let nanos = (needed + self.rate - 1) / self.rate;
        u64::try_from(nanos).map_or(Duration::MAX, Duration::from_nanos)
    }

    /// Takes away what is there; a debt stays.
    pub(super) fn drain(&mut self) {
        self.level = self.level.min(0);
    }

    /// Brings the level up to `now`. A time before the last one changes nothing.
    pub(crate) fn refill(&mut self, now: Duration) {
        if let Some(elapsed) = now.checked_sub(self.at) {
            // A Duration's nanoseconds (below 2^94) and what the level lacks both fit i128; the product
            // is bounded first, so no rate can overflow it.
            let lacks = self.depth * PARTS - self.level;
            let elapsed = i128::try_from(elapsed.as_nanos()).unwrap_or(i128::MAX);
            self.level += elapsed.checked_mul(self.rate).map_or(lacks, |gain| gain.min(lacks));
            self.at = now;
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.level == self.depth * PARTS
    }

    pub(crate) fn is_in_debt(&self) -> bool {
        self.level < 0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.level <= 0
    }

    /// Whether `cost` tokens are there.
    ///
    /// A cost above the whole capacity passes when the bucket is full: it then owes the rest. This is how
    /// a stream whose record size was raised takes its large records: it bursts to 10 MiB and averages
    /// 1 MiB a second (AWS, "Handle large records").
    pub(crate) fn has(&self, cost: u64) -> bool {
        let cost = i128::from(cost) * PARTS;
        self.level >= cost || (cost > self.depth * PARTS && self.is_full())
    }

    pub(crate) fn spend(&mut self, cost: u64) {
        self.level -= i128::from(cost) * PARTS;
    }
}

/// The write limits of one shard: a token bucket for records and one for bytes, each of one second.
///
/// Both refill continuously. A record takes from both or from neither.
#[derive(Debug, Clone)]
pub struct ShardLimiter {
    records: Bucket,
    bytes: Bucket,
}

impl ShardLimiter {
    /// A shard at AWS's rates that has been idle for a second or more.
    #[must_use]
    pub fn new(now: Duration) -> Self {
        Self::with_rates(Rates::AWS, now)
    }

    /// The same at other rates.
    #[must_use]
    pub fn with_rates(rates: Rates, now: Duration) -> Self {
        Self { records: Bucket::full(rates.records, now), bytes: Bucket::full(rates.bytes, now) }
    }

    /// Takes one record of `bytes` (data and partition key) at the time `now`.
    ///
    /// `now` counts from any fixed point. A time that lies before an earlier call's counts as that call's.
    ///
    /// # Errors
    /// The limit that refused it; nothing was taken then.
    pub fn take(&mut self, now: Duration, bytes: u64) -> Result<(), Refusal> {
        self.records.refill(now);
        self.bytes.refill(now);
        match (self.records.has(1), self.bytes.has(bytes)) {
            (true, true) => {
                self.records.spend(1);
                self.bytes.spend(bytes);
                Ok(())
            }
            (false, true) => Err(Refusal::Records),
            (true, false) => Err(Refusal::Bytes),
            (false, false) => Err(Refusal::Both),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MIB: u64 = 1024 * 1024;

    #[test]
    fn a_full_shard_takes_one_second_at_once_and_says_which_limit_refused() {
        let now = Duration::from_secs(7);
        let mut shard = ShardLimiter::new(now);
        assert!((0..1_000).all(|_| shard.take(now, 10).is_ok()));
        assert_eq!(shard.take(now, 10), Err(Refusal::Records));
        assert_eq!(shard.take(now, MIB), Err(Refusal::Both));

        let mut shard = ShardLimiter::new(now);
        assert_eq!(shard.take(now, MIB), Ok(()));
        assert_eq!(shard.take(now, 1), Err(Refusal::Bytes));
        assert_eq!(shard.take(now, 0), Ok(()));
    }

    #[test]
    fn a_record_comes_back_every_millisecond_exactly() {
        let mut shard = ShardLimiter::new(Duration::ZERO);
        assert!((0..1_000).all(|_| shard.take(Duration::ZERO, 0).is_ok()));
        assert_eq!(shard.take(Duration::from_nanos(999_999), 0), Err(Refusal::Records));
        assert_eq!(shard.take(Duration::from_nanos(1_000_000), 0), Ok(()));
        assert_eq!(shard.take(Duration::from_nanos(1_999_999), 0), Err(Refusal::Records));
        assert_eq!(shard.take(Duration::from_nanos(2_000_000), 0), Ok(()));
    }

    #[test]
    fn a_refused_record_takes_from_neither_bucket() {
        let now = Duration::ZERO;
        let mut shard = ShardLimiter::new(now);
        assert_eq!(shard.take(now, MIB - 10), Ok(()));
        assert!((0..5_000).all(|_| shard.take(now, 11) == Err(Refusal::Bytes)));
        assert!((0..999).all(|_| shard.take(now, 0).is_ok()));
        assert_eq!(shard.take(now, 0), Err(Refusal::Records));
    }

    #[test]
    fn time_that_runs_backwards_gives_nothing() {
        let mut shard = ShardLimiter::new(Duration::from_secs(9));
        assert!((0..1_000).all(|_| shard.take(Duration::from_secs(9), 0).is_ok()));
        assert_eq!(shard.take(Duration::from_secs(1), 0), Err(Refusal::Records));
        assert_eq!(shard.take(Duration::from_secs(9), 0), Err(Refusal::Records));
        assert_eq!(shard.take(Duration::from_secs(10), 0), Ok(()));
    }

    #[test]
    fn a_record_larger_than_a_second_passes_when_full_and_is_paid_off() {
        let mut shard = ShardLimiter::new(Duration::ZERO);
        assert_eq!(shard.take(Duration::ZERO, 10 * MIB), Ok(()));
        assert_eq!(shard.take(Duration::from_millis(9_000), 1), Err(Refusal::Bytes));
        assert_eq!(shard.take(Duration::from_millis(9_001), 1), Ok(()));
        // Full again a second after the debt is gone, less the byte that was taken.
        assert_eq!(shard.take(Duration::from_millis(10_000), 10 * MIB), Err(Refusal::Bytes));
        assert_eq!(shard.take(Duration::from_millis(10_001), 10 * MIB), Ok(()));
    }

    #[test]
    fn an_endless_pause_or_rate_does_not_overflow() {
        let rates = Rates { records: u64::MAX, bytes: u64::MAX };
        let mut shard = ShardLimiter::with_rates(rates, Duration::ZERO);
        assert_eq!(shard.take(Duration::ZERO, u64::MAX), Ok(()));
        assert_eq!(shard.take(Duration::MAX, u64::MAX), Ok(()));
        assert_eq!(shard.take(Duration::MAX, 1), Err(Refusal::Bytes));
    }

    proptest! {
        // Law: whatever is offered, in any window of W seconds a shard accepts at most 1,000 × (W + 1)
        // records and 1 MiB × (W + 1) bytes; and a refusal always names a limit that is in truth used up.
        #[test]
        fn no_window_holds_more_than_its_seconds_and_one(
            offers in prop::collection::vec((0_u64..40_000_000, 0_u64..200_000), 1..1_500)
        ) {
            let mut shard = ShardLimiter::new(Duration::ZERO);
            let mut now = Duration::ZERO;
            let mut taken: Vec<(Duration, u64)> = Vec::new();
            for (gap, bytes) in offers {
                // Bursts: most offers come at the same instant as the one before.
                now += Duration::from_nanos(if gap % 4 == 0 { gap } else { 0 });
                if shard.take(now, bytes).is_ok() {
                    taken.push((now, bytes));
                }
            }
            for (first, &(start, _)) in taken.iter().enumerate().step_by(7) {
                let mut bytes = 0_u128;
                for (count, &(end, size)) in taken[first..].iter().enumerate() {
                    bytes += u128::from(size);
                    let nanos = (end - start).as_nanos() + 1_000_000_000;
                    prop_assert!((count as u128 + 1) * 1_000_000_000 <= 1_000 * nanos);
                    prop_assert!(bytes * 1_000_000_000 <= u128::from(MIB) * nanos);
                }
            }
        }

        // Law: a load that never offers more than 1,000 records and 1 MiB in any one second (here: each
        // record waits for its own share of both rates) is never refused, after hours as at the start.
        #[test]
        fn a_load_under_the_rate_is_never_refused(
            sizes in prop::collection::vec(0_u64..MIB, 1..300), start in 0_u64..1_000_000_000_000_000
        ) {
            let mut now = Duration::from_nanos(start);
            let mut shard = ShardLimiter::new(now);
            for bytes in sizes {
                prop_assert_eq!(shard.take(now, bytes), Ok(()));
                let share = (u128::from(bytes) * 1_000_000_000).div_ceil(u128::from(MIB)).max(1_000_000);
                now += Duration::from_nanos(u64::try_from(share).expect("at most a second"));
            }
        }
    }
}
