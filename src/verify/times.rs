//! How long records took: from due to arrived, to read, and from acknowledged to read.
//!
//! Records come in bunches that share all their moments, so a bunch is counted at once.

use std::time::Duration;

use super::verdict::{Latencies, Latency};
use crate::ledger::Durations;

/// The moments of a record, in Unix milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moments {
    pub(super) due: u64,
    pub(super) arrived: Option<u64>,
    pub(super) acknowledged: Option<u64>,
    pub(super) read: u64,
}

/// The distributions.
#[derive(Debug, Default)]
pub(super) struct Times {
    due_to_arrived: Durations,
    due_to_read: Durations,
    acknowledged_to_read: Durations,
    /// Moments that so many records share that are not counted yet.
    bunch: Option<(Moments, u64)>,
}

impl Times {
    /// Counts a record.
    #[inline]
    pub(super) fn record(&mut self, moments: Moments) {
        match &mut self.bunch {
            Some((same, records)) if *same == moments => *records += 1,
            _ => {
                self.flush();
                self.bunch = Some((moments, 1));
            }
        }
    }

    fn flush(&mut self) {
        let Some((Moments { due, arrived, acknowledged, read }, records)) = self.bunch.take() else { return };
        // Clocks of several machines: what was somewhere before it was due took no time.
        let since = |from: u64, to: u64| Duration::from_millis(to.saturating_sub(from));
        self.due_to_read.record(since(due, read), records);
        if let Some(arrived) = arrived {
            self.due_to_arrived.record(since(due, arrived), records);
        }
        if let Some(acknowledged) = acknowledged {
            self.acknowledged_to_read.record(since(acknowledged, read), records);
        }
    }

    /// What a verdict tells of them.
    pub(super) fn latencies(mut self) -> Latencies {
        self.flush();
        Latencies {
            due_to_arrived: Latency::from(&self.due_to_arrived),
            due_to_read: Latency::from(&self.due_to_read),
            acknowledged_to_read: Latency::from(&self.acknowledged_to_read),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_record_counts_once_whether_its_moments_are_shared_or_not() {
        let mut times = Times::default();
        for (due, acknowledged) in [(1_000, Some(1_200)), (1_000, Some(1_200)), (0, None), (5_000, Some(0))] {
            times.record(Moments { due, arrived: Some(1_100), acknowledged, read: 2_000 });
        }
        let told = times.latencies();
        assert_eq!(
            [told.due_to_arrived.records, told.due_to_read.records, told.acknowledged_to_read.records],
            [4, 4, 3]
        );
        assert!((told.due_to_read.max_seconds - 2.0).abs() < 0.02, "{told:?}");
        assert!((told.acknowledged_to_read.p50_seconds - 0.8).abs() < 0.01, "{told:?}");
        assert!((told.due_to_arrived.p50_seconds - 0.1).abs() < 0.01, "{told:?}");
    }
}
