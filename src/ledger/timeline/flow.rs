//! The counts that a timeline follows: totals, or what was added between two moments.

use crate::ledger::Snapshot;

/// Counts that only grow, at one moment or between two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flow {
    /// Records that the schedule asked for.
    pub due: u64,
    /// Records made.
    pub generated: u64,
    /// Records due and never made.
    pub dropped: u64,
    /// Records that Kinesis answered with a sequence number.
    pub sent: u64,
    /// Their data and partition keys, in bytes.
    pub sent_bytes: u64,
    /// Records given up, certainly not stored.
    pub failed: u64,
    /// Records given up, perhaps stored.
    pub unknown: u64,
    /// Entries refused for a limit, counted in every attempt.
    pub throttled: u64,
    /// Requests that ended, however they did.
    pub requests: u64,
}

impl Flow {
    /// The totals of `counts`.
    #[must_use]
    pub fn of(counts: &Snapshot) -> Self {
        Self {
            due: counts.due,
            generated: counts.generated,
            dropped: counts.dropped.total(),
            sent: counts.sent,
            sent_bytes: counts.sent_bytes,
            failed: counts.failed.total(),
            unknown: counts.unknown.total(),
            throttled: counts.throttled,
            requests: counts.requests.total(),
        }
    }

    /// What was added since `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        self.with(earlier, u64::saturating_sub)
    }

    /// Adds what came later.
    pub fn add(&mut self, later: &Self) {
        *self = self.with(later, u64::saturating_add);
    }

    fn with(&self, other: &Self, by: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            due: by(self.due, other.due),
            generated: by(self.generated, other.generated),
            dropped: by(self.dropped, other.dropped),
            sent: by(self.sent, other.sent),
            sent_bytes: by(self.sent_bytes, other.sent_bytes),
            failed: by(self.failed, other.failed),
            unknown: by(self.unknown, other.unknown),
            throttled: by(self.throttled, other.throttled),
            requests: by(self.requests, other.requests),
        }
    }
}
