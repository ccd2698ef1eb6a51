//! How much others write to a shard, from this run's own answers alone.
//!
//! Decides the estimate, not whom a throttled entry is charged to. A throttle says that the shard's bucket is empty.
//! From one throttle to the next it has filled at a known rate and is empty again, so all writers together took what
//! came in, and the others took what this run did not. Only the first and the last throttle of a stretch are uncertain:
//! whatever is wrong with one between is taken back at the next.

use std::time::Duration;

use super::Rates;

/// Longest time between two throttles of one stretch: beyond it the bucket was full for a while, and what came in then
/// was nobody's. A second fills it; half of one more allows for bursts that are not quite a second apart.
const LONGEST_GAP: Duration = Duration::from_millis(1_500);

/// What others took of a shard while it was at its limit.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub struct Others {
    /// Records that others had stored. May be a little below zero where there are no others.
    pub records: f64,
    /// Their bytes.
    pub bytes: f64,
    /// How long the shard was at its limit in all, in seconds: nothing is known of any other time.
    pub seconds: f64,
    /// How far `records` may be off because nobody tells when in its flight an entry was judged.
    pub doubt_records: f64,
}

impl Others {
    /// Records a second that others had stored, on average over the time at the limit; none without such a time.
    #[must_use]
    pub fn records_per_second(&self) -> Option<f64> {
        (self.seconds > 0.0).then(|| (self.records / self.seconds).max(0.0))
    }

    /// The same in bytes.
    #[must_use]
    pub fn bytes_per_second(&self) -> Option<f64> {
        (self.seconds > 0.0).then(|| (self.bytes / self.seconds).max(0.0))
    }

    /// How far the rate of records may be off.
    #[must_use]
    pub fn doubt_per_second(&self) -> Option<f64> {
        (self.seconds > 0.0).then(|| self.doubt_records / self.seconds)
    }

    /// Whether this is more than what the uncertain moments may feign, or a hundredth of a shard's records.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        let least = (0.01 * Rates::AWS.records as f64).max(self.doubt_per_second().unwrap_or(0.0));
        self.records_per_second().is_some_and(|rate| rate > least)
    }
}

/// The estimate in the making.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Meter {
    /// Where the bucket was last empty, in the shard's own time; none: never yet.
    empty_at: Option<Duration>,
    /// What would be there since, had nobody else written: records, bytes.
    room: (f64, f64),
    told: Others,
}

impl Meter {
    /// So much time went by, in which this run had so much stored.
    pub(super) fn pass(&mut self, time: Duration, rates: Rates, records: f64, bytes: f64) {
        if self.empty_at.is_some() {
            let fill = |room: f64, rate: u64, took: f64| {
                (room + rate as f64 * time.as_secs_f64()).min(rate as f64) - took
            };
            self.room = (fill(self.room.0, rates.records, records), fill(self.room.1, rates.bytes, bytes));
        }
    }

    /// At `now` an entry was throttled. `mean_bytes`: of this run's records, which stands for that of others.
    /// `doubt`: how uncertain `now` is.
    pub(super) fn empty(&mut self, now: Duration, rates: Rates, mean_bytes: f64, doubt: Duration) {
        match self.empty_at.map(|before| now.saturating_sub(before)) {
            Some(gap) if gap <= LONGEST_GAP => {
                let by_bytes = mean_bytes * rates.records as f64 > rates.bytes as f64;
                let (records, bytes) = if by_bytes {
                    (self.room.1 / mean_bytes, self.room.1)
                } else {
                    (self.room.0, self.room.0 * mean_bytes)
                };
                self.told.records += records;
                self.told.bytes += bytes;
                self.told.seconds += gap.as_secs_f64();
            }
            _ => self.told.doubt_records += 2.0 * doubt.as_secs_f64() * rates.records as f64,
        }
        self.empty_at = Some(now);
        self.room = (0.0, 0.0);
    }

    pub(super) fn told(&self) -> Others {
        self.told
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn what_this_run_did_not_take_between_two_throttles_is_of_others() {
        let mut meter = Meter::default();
        meter.empty(MS * 1_000, Rates::AWS, 100.0, Duration::ZERO);
        meter.pass(MS * 500, Rates::AWS, 200.0, 20_000.0);
        meter.empty(MS * 1_500, Rates::AWS, 100.0, Duration::ZERO);
        let told = meter.told();
        assert_eq!((told.records_per_second(), told.bytes_per_second()), (Some(600.0), Some(60_000.0)));
    }

    #[test]
    fn of_large_records_it_is_the_bytes_that_count() {
        let mut meter = Meter::default();
        meter.empty(Duration::ZERO, Rates::AWS, 10_240.0, Duration::ZERO);
        meter.pass(MS * 1_000, Rates::AWS, 50.0, 512_000.0);
        meter.empty(MS * 1_000, Rates::AWS, 10_240.0, Duration::ZERO);
        let told = meter.told();
        assert_eq!(told.bytes_per_second(), Some(536_576.0));
        assert_eq!(told.records_per_second(), Some(52.4));
    }

    #[test]
    fn nothing_is_said_of_a_time_in_which_the_bucket_may_have_been_full() {
        let mut meter = Meter::default();
        meter.empty(Duration::ZERO, Rates::AWS, 100.0, MS);
        assert_eq!(meter.told().records_per_second(), None);
        meter.pass(MS * 9_000, Rates::AWS, 0.0, 0.0);
        meter.empty(MS * 9_000, Rates::AWS, 100.0, MS);
        assert_eq!((meter.told().seconds, meter.told().doubt_records), (0.0, 4.0));
    }

    /// What is told of a stretch of bins of 20 ms in which this run took so much, with throttles at the ends of some.
    fn stretch(own: &[u32], throttled: impl Fn(usize) -> bool) -> Others {
        let mut meter = Meter::default();
        meter.empty(Duration::ZERO, Rates::AWS, 100.0, Duration::ZERO);
        let mut now = Duration::ZERO;
        for (at, &own) in own.iter().enumerate() {
            now += MS * 20;
            meter.pass(MS * 20, Rates::AWS, f64::from(own), 100.0 * f64::from(own));
            if throttled(at) {
                meter.empty(now, Rates::AWS, 100.0, Duration::ZERO);
            }
        }
        meter.empty(now, Rates::AWS, 100.0, Duration::ZERO);
        meter.told()
    }

    proptest! {
        // Law: where throttles are left out of a stretch, the sum over the stretch stays:
        // what one interval has too much the next has too little.
        #[test]
        fn only_the_ends_of_a_stretch_matter(own in vec(0_u32..60, 10..200), told in vec(any::<bool>(), 200)) {
            let all = stretch(&own, |_| true);
            let some = stretch(&own, |at| told[at] || at % 25 == 0);
            prop_assert!((all.records - some.records).abs() < 1e-6, "{all:?} {some:?}");
            prop_assert!((all.seconds - some.seconds).abs() < 1e-9);
        }
    }
}
