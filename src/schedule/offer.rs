//! How many records each due second has: a fixed number for each job, a rate, or a profile.
//!
//! Pure: what is due is a function of the time since the start. Which job makes a record is dealt out by `Quota`.

use std::sync::Arc;

use super::curve::Curve;
use super::profile::{Line, Profile, Start};
use super::quantity::{MICRO, MOST_RECORDS, Quantity, Rate, Unit};

/// Milliseconds of a second.
const SECOND: u64 = 1_000;

/// What a run offers over time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offer {
    /// As many records for each job in each due second.
    Tick {
        /// Records of one job; at least 1.
        messages: u32,
    },
    /// A load for all jobs together that changes with time.
    Shaped(Shaped),
}

/// What counts in a load: records, or their bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Records.
    Records,
    /// Data and partition keys, in bytes.
    Bytes,
}

/// A profile, and what its numbers are times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shaped {
    profile: Arc<Profile>,
    measure: Measure,
    /// Millionths of records or bytes for each one of the profile, in `per_seconds`.
    scale: u64,
    per_seconds: u64,
}

/// What is due in one second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Second {
    /// How many records, or bytes.
    pub amount: u64,
    /// How they are spread inside it.
    pub curve: Curve,
}

impl Shaped {
    /// A rate that never changes.
    #[must_use]
    pub fn steady(rate: Rate) -> Self {
        let line = Line::steady(MICRO);
        let profile = Profile::of(&rate.to_string(), Unit::Factor, line);
        Self::times(Arc::new(profile), rate)
    }

    /// A profile whose numbers are records or bytes in a second; one of factors is times `base`.
    #[must_use]
    pub fn new(profile: Arc<Profile>, base: Rate) -> Self {
        let unit = profile.unit();
        match unit {
            Unit::Factor => Self::times(profile, base),
            _ => Self::times(profile, Rate { quantity: Quantity { micro: MICRO, unit }, per_seconds: 1 }),
        }
    }

    fn times(profile: Arc<Profile>, base: Rate) -> Self {
        let measure = if base.quantity.unit == Unit::Bytes { Measure::Bytes } else { Measure::Records };
        Self { profile, measure, scale: base.quantity.micro, per_seconds: base.per_seconds }
    }

    /// The profile.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// What its amounts count.
    #[must_use]
    pub fn measure(&self) -> Measure {
        self.measure
    }

    /// Records or bytes of an area that is twice millionths × milliseconds, rounded down.
    fn amount(&self, doubled: u128) -> u64 {
        let one = 2 * u128::from(MICRO) * u128::from(MICRO) * 1_000 * u128::from(self.per_seconds);
        // Bounds: of a year the area is below 7e26, and the product of rate and scale at most 1.05e22 a second.
        let (whole, rest) = (doubled / one, doubled % one);
        let scale = u128::from(self.scale);
        let amount = whole.saturating_mul(scale).saturating_add(rest * scale / one);
        u64::try_from(amount).unwrap_or(u64::MAX)
    }

    /// How much is due until `at` milliseconds after the start, without noise: never less than before.
    #[must_use]
    pub fn due_until(&self, start: &Start, at: u64) -> u64 {
        self.amount(self.profile.doubled(&self.profile.local(start, at), at))
    }

    /// What is due in the second that begins `at` milliseconds after the start. Seconds that follow one another add up
    /// to what is due until the last one's end.
    #[must_use]
    pub fn second(&self, start: &Start, at: u64) -> Second {
        let local = self.profile.local(start, at);
        let curve = Curve::of(|millis| self.profile.doubled(&local, at + millis));
        Second { amount: self.plain(start, at), curve }
    }

    /// How much is due in the seconds of `length` milliseconds from the start on, noise included.
    #[must_use]
    pub fn total(&self, start: &Start, length: u64) -> u64 {
        if !self.profile.is_noisy() {
            return self.due_until(start, length);
        }
        let seconds = (0..length / SECOND).map(|second| self.plain(start, second * SECOND));
        seconds.fold(0, u64::saturating_add)
    }

    /// The amount of a second, without its curve.
    fn plain(&self, start: &Start, at: u64) -> u64 {
        let local = self.profile.local(start, at);
        let amount = |millis| self.amount(self.profile.doubled(&local, at + millis));
        let noise = i128::from(self.profile.noise(start, at)) * i128::from(self.scale);
        let noise = noise / (i128::from(MICRO) * i128::from(MICRO) * i128::from(self.per_seconds));
        (amount(SECOND) - amount(0)).saturating_add_signed(i64::try_from(noise).unwrap_or(0))
    }

    /// The mean rate between two moments, in milliseconds after the start, without noise: amounts a second.
    #[must_use]
    pub fn rate_between(&self, start: &Start, from: u64, to: u64) -> f64 {
        let local = self.profile.local(start, from);
        let doubled = self.profile.doubled(&local, to) - self.profile.doubled(&local, from);
        doubled as f64 / (2 * to.saturating_sub(from).max(1)) as f64 / MICRO as f64 * self.one()
    }

    /// The most of any second, noise included: amounts a second, rounded up.
    #[must_use]
    pub fn peak(&self) -> u64 {
        let one = u128::from(MICRO) * u128::from(MICRO) * u128::from(self.per_seconds);
        let peak = (u128::from(self.profile.peak()) * u128::from(self.scale)).div_ceil(one);
        u64::try_from(peak).unwrap_or(u64::MAX)
    }

    /// Amounts a second for a one in the profile.
    fn one(&self) -> f64 {
        self.scale as f64 / MICRO as f64 / self.per_seconds as f64
    }
}

impl Offer {
    /// The most records of any second, for `jobs` jobs and events of `event_bytes` bytes, keys included.
    #[must_use]
    pub fn peak_records(&self, jobs: u32, event_bytes: f64) -> u64 {
        match self {
            Self::Tick { messages } => u64::from(jobs) * u64::from(*messages),
            Self::Shaped(shaped) => match shaped.measure {
                Measure::Records => shaped.peak(),
                Measure::Bytes => (shaped.peak() as f64 / event_bytes.max(1.0)).ceil() as u64,
            },
        }
    }

    /// How long it goes on by itself, in milliseconds; none if it has no end.
    #[must_use]
    pub fn end(&self) -> Option<u64> {
        match self {
            Self::Tick { .. } => None,
            Self::Shaped(shaped) => shaped.profile.end(),
        }
    }
}

/// The bytes that are due, as records: what has been made so far says how large a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weighing {
    /// Bytes that were due so far.
    bytes: u128,
    /// Records that were due for them.
    records: u64,
    /// What is known of records: how many were looked at, and their bytes.
    seen: (u64, u64),
}

impl Weighing {
    /// Begins with the records of a sample: how many, and their bytes. Neither is 0.
    #[must_use]
    pub fn new(records: u64, bytes: u64) -> Self {
        Self { bytes: 0, records: 0, seen: (records.max(1), bytes.max(1)) }
    }

    /// What a record weighs, in bytes, as far as is known.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.seen.1 as f64 / self.seen.0 as f64
    }

    /// All the records that were made so far, and their bytes.
    pub fn learn(&mut self, records: u64, bytes: u64) {
        if records > 0 && bytes > 0 {
            self.seen = (records, bytes);
        }
    }

    /// The records for `bytes` more bytes, so that all records together weigh what is due. What the earlier ones
    /// weighed less or more than was thought is made up for here.
    pub fn records(&mut self, bytes: u64) -> u64 {
        self.bytes += u128::from(bytes);
        let (records, weight) = self.seen;
        let due = self.bytes.saturating_mul(u128::from(records)) / u128::from(weight);
        let due = u64::try_from(due).unwrap_or(u64::MAX).saturating_sub(self.records).min(MOST_RECORDS);
        self.records += due;
        due
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: Start = Start { wall_millis: 1_000_000_000, seed: 1 };

    proptest! {
        // A steady rate: after t seconds exactly floor(rate × t) records were due.
        #[test]
        fn a_rate_is_due_to_the_record(micro in 1..=MOST_RECORDS * MICRO, per_seconds in prop_oneof![Just(1_u64), Just(60), Just(3_600)], seconds in 0_u64..100_000_000) {
            let rate = Rate { quantity: Quantity { micro, unit: Unit::Records }, per_seconds };
            let due = u128::from(micro) * u128::from(seconds) / (u128::from(MICRO) * u128::from(per_seconds));
            prop_assert_eq!(u128::from(Shaped::steady(rate).due_until(&START, seconds * SECOND)), due);
        }

        // However records vary, their bytes stay within a record's of what is due as soon as their size is known.
        #[test]
        fn bytes_are_met_whatever_a_record_weighs(
            sizes in proptest::collection::vec(1_u64..2_000, 50..200), wrong in 1_u64..2_000, bytes in 200_000_u64..1_000_000,
        ) {
            let mut weighing = Weighing::new(10, 10 * wrong);
            let (mut made, mut weight, mut sizes) = (0, 0, sizes.into_iter().cycle());
            for second in 1..=100_u64 {
                for _ in 0..weighing.records(bytes) {
                    (made, weight) = (made + 1, weight + sizes.next().expect("endless"));
                }
                weighing.learn(made, weight);
                if second > 20 && wrong > 500 {
                    let share = weight as f64 / (bytes * second) as f64;
                    prop_assert!((share - 1.0).abs() < 0.01, "{} in second {}", share, second);
                }
            }
        }
    }

    #[test]
    fn a_rate_below_one_a_second_is_due_now_and_then() {
        let shaped = Shaped::steady("100/min".parse().expect("legal"));
        let due: Vec<u64> = (0..6).map(|second| shaped.second(&START, second * SECOND).amount).collect();
        assert_eq!(due, [1, 2, 2, 1, 2, 2]);
        assert_eq!(shaped.peak(), 2);
    }
}
