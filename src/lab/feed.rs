//! A load whose rate may change at any moment, without a gap: how many records are due until now.
//!
//! Decides amounts and moments. A run's own pacer begins each schedule at a whole second of the wall clock; between two
//! trials that would be a pause in which a shard's tokens come back.

use std::time::Duration;

/// How long one portion stands for. A hundredth of a second, as long as a run's smooth pacing takes.
pub const SLOT: Duration = Duration::from_millis(10);

/// Records that are due together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Portion {
    /// Since the feed began.
    pub due: Duration,
    /// At least 1.
    pub records: u32,
}

/// An even load.
#[derive(Debug, Clone)]
pub struct Feed {
    rate: f64,
    /// Records that are due and not given out; below 1 between two slots.
    owed: f64,
    /// When the next slot is due.
    next: Duration,
    /// Most records of a portion.
    most: u32,
}

impl Feed {
    /// Nothing is due yet. `most`: records of a portion, at least 1.
    #[must_use]
    pub fn new(most: u32) -> Self {
        Self { rate: 0.0, owed: 0.0, next: SLOT, most: most.max(1) }
    }

    /// So many records a second from here on.
    pub fn set(&mut self, rate: f64) {
        self.rate = rate.max(0.0);
    }

    /// When there is something to do again.
    #[must_use]
    pub fn next(&self) -> Duration {
        self.next
    }

    /// The portions of all slots that are due by `now`.
    pub fn due(&mut self, now: Duration, mut give: impl FnMut(Portion)) {
        while self.next <= now {
            self.owed += self.rate * SLOT.as_secs_f64();
            while self.owed >= 1.0 {
                let records = self.owed.min(f64::from(self.most)).floor() as u32;
                self.owed -= f64::from(records);
                give(Portion { due: self.next, records });
            }
            self.next += SLOT;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        // Law: whatever the rates are, and whenever the feed is asked, what was given is what was due, less what is
        // less than a record; no portion is empty or too large, and their times ascend.
        #[test]
        fn what_is_due_is_given_to_the_record(
            stretches in prop::collection::vec((0.0_f64..50_000.0, 1_u64..300), 1..20), most in 1_u32..600,
        ) {
            let (mut feed, mut given, mut due, mut now) = (Feed::new(most), 0_u64, 0.0, Duration::ZERO);
            let mut latest = Duration::ZERO;
            for (rate, slots) in stretches {
                feed.set(rate);
                now += SLOT * slots as u32;
                due += rate * slots as f64 * SLOT.as_secs_f64();
                feed.due(now, |portion| {
                    assert!((1..=most).contains(&portion.records) && portion.due >= latest && portion.due <= now);
                    latest = portion.due;
                    given += u64::from(portion.records);
                });
                prop_assert!((due - given as f64).abs() < 1.000_1, "{} of {}", given, due);
            }
        }
    }
}
