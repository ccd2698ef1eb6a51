//! How long things took: exact counts for the exposed buckets, and a fine histogram for percentiles.

use std::time::Duration;

use hdrhistogram::Histogram;

/// Upper bounds of the exposed buckets, in seconds; the last bucket is open.
pub const BOUNDS: [f64; 16] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0];

/// Longest duration told apart in the fine histogram; longer ones count as this.
const LONGEST: Duration = Duration::from_secs(3_600);

/// A distribution of durations.
#[derive(Debug, Clone)]
pub struct Durations {
    /// Microseconds, to two significant digits.
    fine: Histogram<u64>,
    buckets: [u64; BOUNDS.len() + 1],
    sum_micros: u128,
}

impl Default for Durations {
    fn default() -> Self {
        let fine = Histogram::new_with_bounds(1, LONGEST.as_micros() as u64, 2)
            .expect("1 < an hour, and two digits are in range");
        Self { fine, buckets: [0; BOUNDS.len() + 1], sum_micros: 0 }
    }
}

impl Durations {
    /// Counts `times` events that took `duration` each.
    pub fn record(&mut self, duration: Duration, times: u64) {
        let seconds = duration.as_secs_f64();
        let bucket = BOUNDS.iter().position(|&bound| seconds <= bound).unwrap_or(BOUNDS.len());
        self.buckets[bucket] += times;
        self.sum_micros += duration.as_micros() * u128::from(times);
        let micros = duration.min(LONGEST).as_micros() as u64;
        self.fine.saturating_record_n(micros, times);
    }

    /// Number of events.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// Sum of all durations, in seconds.
    #[must_use]
    pub fn sum_seconds(&self) -> f64 {
        self.sum_micros as f64 / 1e6
    }

    /// Events at or below each of [`BOUNDS`].
    pub fn cumulative(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        let mut below = 0;
        BOUNDS.iter().zip(&self.buckets).map(move |(&bound, &count)| {
            below += count;
            (bound, below)
        })
    }

    /// The duration that a share `quantile` (0 to 1) of the events did not exceed; none without events.
    #[must_use]
    pub fn quantile(&self, quantile: f64) -> Option<Duration> {
        (!self.fine.is_empty()).then(|| Duration::from_micros(self.fine.value_at_quantile(quantile)))
    }

    /// The longest duration; none without events.
    #[must_use]
    pub fn max(&self) -> Option<Duration> {
        (!self.fine.is_empty()).then(|| Duration::from_micros(self.fine.max()))
    }

    /// The values that occurred, in microseconds and ascending, with how often each did; to two significant digits.
    pub(super) fn recorded(&self) -> impl Iterator<Item = (u32, u64)> + '_ {
        recorded(&self.fine)
    }

    /// The events since `earlier`, a snapshot of the same distribution.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut later = self.clone();
        for (count, before) in later.buckets.iter_mut().zip(&earlier.buckets) {
            *count = count.saturating_sub(*before);
        }
        later.sum_micros = later.sum_micros.saturating_sub(earlier.sum_micros);
        if later.fine.subtract(&earlier.fine).is_err() {
            later.fine.reset(); // `earlier` is not earlier: no percentiles rather than wrong ones
        }
        later
    }
}

/// The values of a histogram of microseconds, ascending, with how often each occurred.
pub(super) fn recorded(histogram: &Histogram<u64>) -> impl Iterator<Item = (u32, u64)> + '_ {
    histogram.iter_recorded().map(|value| {
        // The longest that is told apart, an hour, has 3.6 × 10⁹ microseconds.
        (u32::try_from(value.value_iterated_to()).unwrap_or(u32::MAX), value.count_at_value())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_bucket() {
        let mut durations = Durations::default();
        durations.record(Duration::from_millis(1), 2);
        durations.record(Duration::from_micros(1_001), 3);
        durations.record(Duration::from_secs(121), 1);
        let cumulative: Vec<u64> = durations.cumulative().map(|(_, count)| count).collect();
        assert_eq!((cumulative[0], cumulative[1], cumulative[BOUNDS.len() - 1]), (2, 5, 5));
        assert_eq!(durations.count(), 6);
        assert!((durations.sum_seconds() - 121.005_003).abs() < 1e-9);
    }

    #[test]
    fn percentiles_are_right_to_a_hundredth() {
        let mut durations = Durations::default();
        assert_eq!(durations.quantile(0.5), None);
        for millis in 1..=100 {
            durations.record(Duration::from_millis(millis), 1);
        }
        let p50 = durations.quantile(0.5).expect("events").as_secs_f64();
        let p99 = durations.quantile(0.99).expect("events").as_secs_f64();
        assert!((p50 / 0.050 - 1.0).abs() < 0.01 && (p99 / 0.099 - 1.0).abs() < 0.01, "{p50} {p99}");
    }

    #[test]
    fn a_difference_holds_only_what_came_since() {
        let mut durations = Durations::default();
        durations.record(Duration::from_secs(1), 10);
        let earlier = durations.clone();
        durations.record(Duration::from_millis(5), 4);
        let since = durations.since(&earlier);
        assert_eq!(since.count(), 4);
        let max = since.quantile(1.0).expect("events");
        assert!(max < Duration::from_millis(6), "{max:?}");
    }
}
