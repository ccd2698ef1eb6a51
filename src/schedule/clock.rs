//! The bridge between wall-clock seconds, in which ticks are due, and the monotonic clock, by which we wait.
//!
//! Pure: both clocks are read by the caller.

use std::time::{Duration, Instant};

/// A difference between the clocks' progress beyond this is a step (set by hand, suspend), not drift.
const STEP: Duration = Duration::from_secs(1);

/// One moment on both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    wall: Duration,
    mono: Instant,
}

/// Whether the wall clock went on as the monotonic one did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observed {
    /// It did, or drifted a little.
    Steady,
    /// It was set forward or back by more than a second.
    Stepped {
        /// What it would say, had it gone on.
        expected: Duration,
    },
}

impl Clock {
    /// A clock that knows that the wall clock says `wall` (since the Unix epoch) at `mono`.
    #[must_use]
    pub fn new(wall: Duration, mono: Instant) -> Self {
        Self { wall, mono }
    }

    /// Takes a new reading of both clocks.
    pub fn observe(&mut self, wall: Duration, mono: Instant) -> Observed {
        let expected = self.wall + mono.saturating_duration_since(self.mono);
        *self = Self { wall, mono };
        if wall.abs_diff(expected) > STEP { Observed::Stepped { expected } } else { Observed::Steady }
    }

    /// The moment at which the wall clock says `wall`, as far as can be told now.
    #[must_use]
    pub fn instant_of(&self, wall: Duration) -> Instant {
        if wall >= self.wall {
            self.mono + (wall - self.wall)
        } else {
            // Before the machine's boot there is no instant; nothing is due there.
            self.mono.checked_sub(self.wall - wall).unwrap_or(self.mono)
        }
    }

    /// What the wall clock says at `mono`, as far as can be told now.
    #[must_use]
    pub fn wall_at(&self, mono: Instant) -> Duration {
        if mono >= self.mono {
            self.wall + (mono - self.mono)
        } else {
            self.wall.saturating_sub(self.mono - mono)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drift_is_followed_and_a_step_is_told() {
        let start = Instant::now();
        let at = |seconds: f64| start + Duration::from_secs_f64(seconds);
        let mut clock = Clock::new(Duration::from_secs(1_000), start);
        assert_eq!(clock.observe(Duration::from_millis(1_010_200), at(10.0)), Observed::Steady);
        assert_eq!(clock.instant_of(Duration::from_secs(1_011)), at(10.8));
        assert_eq!(clock.wall_at(at(10.8)), Duration::from_secs(1_011));
        let expected = Duration::from_millis(1_011_200);
        assert_eq!(
            clock.observe(Duration::from_secs(1_015), at(11.0)),
            Observed::Stepped { expected },
            "forward"
        );
        let expected = Duration::from_secs(1_016);
        assert_eq!(clock.observe(Duration::from_secs(15), at(12.0)), Observed::Stepped { expected }, "back");
        assert_eq!(clock.instant_of(Duration::from_secs(16)), at(13.0));
        assert_eq!(clock.instant_of(Duration::from_secs(14)), at(11.0));
    }
}
