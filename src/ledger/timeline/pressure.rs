//! What held this process up: totals since the run began, or what was added between two moments.
//!
//! Only kept here; which of it means that the client was the limit is judged elsewhere.

use std::time::Duration;

/// What held this process up. What could not be told (another system than Linux, no control group) is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pressure {
    /// How late the process's own clock woke up, where it was late enough to matter.
    pub stalled: Duration,
    /// How long due records waited because the window of requests was full.
    pub window_wait: Duration,
    /// How long its threads were ready and had no CPU, all threads together (`/proc/self/task/*/schedstat`).
    pub queued: Option<Duration>,
    /// How long its control group was held back for its quota (`cpu.stat`).
    pub quota_held: Option<Duration>,
    /// CPU time of the machine that its host gave to others, mean of the CPUs (`steal` of `/proc/stat`).
    pub stolen: Option<Duration>,
    /// Connections opened; 0 where another client makes them.
    pub connections: u64,
    /// How long that took, all together.
    pub connecting: Duration,
}

impl Pressure {
    /// What was added since `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        self.with(earlier, Duration::saturating_sub, u64::saturating_sub)
    }

    /// Adds what came later.
    pub fn add(&mut self, later: &Self) {
        *self = self.with(later, Duration::saturating_add, u64::saturating_add);
    }

    fn with(
        &self,
        other: &Self,
        time: impl Fn(Duration, Duration) -> Duration,
        count: impl Fn(u64, u64) -> u64,
    ) -> Self {
        let perhaps = |one: Option<Duration>, other: Option<Duration>| Some(time(one?, other?));
        Self {
            stalled: time(self.stalled, other.stalled),
            window_wait: time(self.window_wait, other.window_wait),
            queued: perhaps(self.queued, other.queued),
            quota_held: perhaps(self.quota_held, other.quota_held),
            stolen: perhaps(self.stolen, other.stolen),
            connections: count(self.connections, other.connections),
            connecting: time(self.connecting, other.connecting),
        }
    }
}
