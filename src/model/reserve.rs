//! When a shard will take the next record, if the model is right: what a sender that wants no throttle waits for.
//!
//! Decides the moment, and that a record which would have to wait too long has none. Moments of one shard never go back,
//! so what is granted can be played against the limiter itself, which takes all of it (a law below).

use std::time::Duration;

use super::Rates;
use super::limiter::Bucket;

/// The part of a shard's second that is given out at once. A tenth stays, because requests overtake one another: what
/// was granted over 100 ms may arrive in one moment.
const DEPTH_TENTHS: u64 = 9;

/// Grants of one shard.
#[derive(Debug, Clone)]
pub struct Reserve {
    records: Bucket,
    bytes: Bucket,
    /// The last moment that was granted.
    last: Duration,
}

impl Reserve {
    /// Of a shard that was idle. Whether it was, nobody tells: the first throttle corrects it.
    #[must_use]
    pub fn new(rates: Rates, now: Duration) -> Self {
        let bucket = |rate: u64| Bucket::of_depth(rate, rate * DEPTH_TENTHS / 10, now);
        Self { records: bucket(rates.records), bytes: bucket(rates.bytes), last: now }
    }

    /// Grants one record of `bytes` (data and partition key) a moment from `now` to `latest`, behind all that was
    /// granted before. None when there is none; nothing is taken then.
    pub fn ask(&mut self, now: Duration, latest: Duration, bytes: u64) -> Option<Duration> {
        let from = self.last.max(now);
        self.refill(from);
        let at = from.checked_add(self.records.wait(1).max(self.bytes.wait(bytes)))?;
        if at > latest {
            return None;
        }
        self.refill(at);
        self.records.spend(1);
        self.bytes.spend(bytes);
        self.last = at;
        Some(at)
    }

    /// The shard refused a record at `now`: it has less than was thought. Moments that were granted stay.
    pub fn refused(&mut self, now: Duration) {
        self.last = self.last.max(now);
        self.refill(self.last);
        self.records.drain();
        self.bytes.drain();
    }

    fn refill(&mut self, at: Duration) {
        self.records.refill(at);
        self.bytes.refill(at);
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::model::ShardLimiter;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_tenth_of_the_second_is_kept_and_then_each_record_has_its_millisecond() {
        let mut reserve = Reserve::new(Rates::AWS, Duration::ZERO);
        let granted: Vec<_> = (0..902).map(|_| reserve.ask(MS, MS * 1_000, 10)).collect();
        assert!(granted[..900].iter().all(|at| *at == Some(MS)));
        assert_eq!(granted[900..], [Some(MS * 2), Some(MS * 3)]);
    }

    #[test]
    fn what_would_wait_too_long_has_no_moment_and_takes_nothing() {
        let mut reserve = Reserve::new(Rates::AWS, Duration::ZERO);
        assert!((0..900).all(|_| reserve.ask(Duration::ZERO, Duration::ZERO, 10).is_some()));
        assert!((0..900).all(|_| reserve.ask(Duration::ZERO, Duration::ZERO, 10).is_none()));
        assert_eq!(reserve.ask(Duration::ZERO, MS, 10), Some(MS));
    }

    #[test]
    fn a_throttle_empties_it() {
        let mut reserve = Reserve::new(Rates::AWS, Duration::ZERO);
        reserve.refused(MS * 10);
        assert_eq!(reserve.ask(MS * 10, MS * 1_000, 10), Some(MS * 11));
    }

    proptest! {
        // Law: whatever is asked for, and whenever a throttle comes, a shard at the published limits takes all that was
        // granted, at the moments at which it was granted; and no moment is outside of what was asked for.
        #[test]
        fn no_more_is_granted_than_the_limiter_takes(
            asks in vec((0_u64..30_000, 0_u64..2_000_000, 0_u64..3_000, 0_u8..50), 1..1_500),
            rarely_large in 1_u64..200,
        ) {
            let (mut reserve, mut shard) = (Reserve::new(Rates::AWS, Duration::ZERO), ShardLimiter::new(Duration::ZERO));
            let mut now = Duration::ZERO;
            for (micros, bytes, patience, throttle) in asks {
                now += Duration::from_micros(if micros % 3 == 0 { micros } else { 0 });
                let bytes = if micros % rarely_large == 0 { bytes } else { bytes % 500 };
                let latest = now + MS * patience as u32;
                if let Some(at) = reserve.ask(now, latest, bytes) {
                    prop_assert!(now <= at && at <= latest);
                    prop_assert_eq!(shard.take(at, bytes), Ok(()));
                }
                if throttle == 0 {
                    reserve.refused(now);
                }
            }
        }
    }
}
