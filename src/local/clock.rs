//! The stream's time: since the Unix epoch, never backwards.
//!
//! Decides nothing. A test holds the hands itself; a run reads the machine's clock once and counts on
//! monotonically, so that a step of the wall clock neither opens a limit nor disorders arrivals.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A clock that tells the time since the Unix epoch.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System { epoch: Duration, since: Instant },
    Manual(Arc<AtomicU64>),
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        let epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(Source::System { epoch, since: Instant::now() })
    }

    /// A clock that stands at `start` until someone calls [`Clock::advance`]. Clones share the hands.
    ///
    /// Counts in nanoseconds: times after the year 2554 stand at its end.
    #[must_use]
    pub fn manual(start: Duration) -> Self {
        Self(Source::Manual(Arc::new(AtomicU64::new(nanos(start)))))
    }

    /// The time since the Unix epoch.
    #[must_use]
    pub fn now(&self) -> Duration {
        match &self.0 {
            Source::System { epoch, since } => *epoch + since.elapsed(),
            Source::Manual(at) => Duration::from_nanos(at.load(Ordering::Acquire)),
        }
    }

    /// Moves a manual clock's hands forward; the machine's clock stays as it is.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(at) = &self.0 {
            at.fetch_add(nanos(by), Ordering::AcqRel);
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
