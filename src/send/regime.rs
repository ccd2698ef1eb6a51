//! What a retry policy keeps from one attempt to the next: a rate, or the shards' reserves.
//!
//! Decides which answers it learns from. Shared by all batches under way; each lock is held for one decision.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Retry;
use super::aimd::Aimd;
use super::hold::Hold;
use crate::kinesis::limits::SHARD_RECORDS_PER_SECOND;
use crate::ledger::Settled;

/// What holds attempts back.
#[derive(Debug)]
pub(super) enum Regime {
    /// Nothing.
    Free,
    /// One rate for all.
    Rate(Mutex<Aimd>),
    /// Each entry's shard.
    Shards(Mutex<Hold>),
}

impl Regime {
    /// For a stream of so many shards.
    pub(super) fn new(retry: Retry, shards: usize) -> Self {
        match retry {
            Retry::None | Retry::Immediate | Retry::Exponential | Retry::FullJitter => Self::Free,
            Retry::Aimd => Self::Rate(Mutex::new(Aimd::new(nominal(shards)))),
            Retry::Limiter => Self::Shards(Mutex::default()),
        }
    }

    /// Learns from an attempt that was answered at `now`.
    pub(super) fn learn(&self, now: Duration, settled: &Settled, shards: usize) {
        match self {
            Self::Free => {}
            Self::Rate(aimd) => {
                let mut aimd = lock(aimd);
                aimd.stored(now, settled.sent);
                if settled.throttled > 0 {
                    aimd.throttled(now, nominal(shards));
                }
            }
            Self::Shards(hold) => {
                let refused = settled.shards.iter().filter(|(_, counts)| counts.throttled > 0);
                for shard in refused.filter_map(|(shard, _)| *shard) {
                    lock(hold).refused(shard, now);
                }
            }
        }
    }
}

/// What so many shards take, in records a second. Where it is the bytes that count, throttles bring the rate down.
fn nominal(shards: usize) -> u64 {
    shards.max(1) as u64 * SHARD_RECORDS_PER_SECOND
}

pub(super) fn lock<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each decision leaves it whole, and none can panic half-way.
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}
