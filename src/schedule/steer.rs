//! Changes of a schedule by hand: paused, multiplied, moved on to another phase.
//!
//! Decides from which second on a change holds and what it makes of that second's load; pure, as the pacer is. A change
//! never touches a second that has begun, so what is due is a function of time and of the changes with their seconds.

use std::collections::VecDeque;
use std::time::Duration;

/// What a load is multiplied by, in thousandths, where nobody changed it.
pub const WHOLE: u64 = 1_000;

/// Most changes that wait for their second.
const MOST_PENDING: usize = 64;

/// A change by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing is due.
    Pause,
    /// The schedule goes on where it was paused.
    Resume,
    /// The load is so many thousandths of what was planned; at least 1.
    Rate(u64),
    /// The profile goes on with its next phase.
    NextPhase,
}

/// Why a change is refused: nothing is changed then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoChange {
    /// Paused twice.
    #[error("it is paused already")]
    IsPaused,
    /// Resumed twice.
    #[error("it is not paused")]
    IsNotPaused,
    /// The load is multiplied by that already.
    #[error("that is its rate already")]
    IsRate,
    /// No profile, or none that has phases, or its last phase.
    #[error("no phase of a profile follows")]
    NoPhase,
    /// The change before has not taken effect.
    #[error("the change before it takes effect with the next second: try again then")]
    Pending,
    /// The schedule is over.
    #[error("the load is over")]
    Over,
    /// What is played is no schedule.
    #[error("a trace is played with its own timing: only stop ends it")]
    Trace,
}

/// What was changed so far, and what is to change.
#[derive(Debug)]
pub(super) struct Steering {
    /// Each with the first second that it holds for.
    pending: VecDeque<(u64, Change)>,
    /// The second from which on nothing is due, if so.
    paused_since: Option<Duration>,
    factor: u64,
    /// Thousandths of a record (or byte) that are not due yet.
    carried: u64,
}

impl Default for Steering {
    fn default() -> Self {
        Self { pending: VecDeque::new(), paused_since: None, factor: WHOLE, carried: 0 }
    }
}

impl Steering {
    /// Takes a change that holds from `second` on, unless it makes no sense after those before it.
    pub(super) fn take(&mut self, change: Change, second: u64) -> Result<(), NoChange> {
        let last = |wanted: fn(&Change) -> bool| {
            self.pending.iter().rev().map(|(_, one)| one).find(|one| wanted(one))
        };
        let is_paused = match last(|one| matches!(one, Change::Pause | Change::Resume)) {
            Some(change) => *change == Change::Pause,
            None => self.paused_since.is_some(),
        };
        let factor = match last(|one| matches!(one, Change::Rate(_))) {
            Some(Change::Rate(factor)) => *factor,
            _ => self.factor,
        };
        match change {
            Change::Pause if is_paused => return Err(NoChange::IsPaused),
            Change::Resume if !is_paused => return Err(NoChange::IsNotPaused),
            Change::Rate(wanted) if wanted == factor => return Err(NoChange::IsRate),
            Change::NextPhase if last(|one| *one == Change::NextPhase).is_some() => {
                return Err(NoChange::Pending);
            }
            _ if self.pending.len() >= MOST_PENDING => return Err(NoChange::Pending),
            _ => {}
        }
        self.pending.push_back((second, change));
        Ok(())
    }

    /// The next change that holds for `second`, with the second that it holds from.
    pub(super) fn due(&mut self, second: u64) -> Option<(u64, Change)> {
        self.pending.pop_front_if(|(from, _)| *from <= second)
    }

    /// Nothing is due from `second` on.
    pub(super) fn pause(&mut self, second: u64) {
        self.paused_since = Some(Duration::from_secs(second));
    }

    /// The schedule goes on at `second`; how long it stood still.
    pub(super) fn resume(&mut self, second: u64) -> Duration {
        let since = self.paused_since.take();
        since.map_or(Duration::ZERO, |since| Duration::from_secs(second).saturating_sub(since))
    }

    /// Since which second nothing is due.
    pub(super) fn paused_since(&self) -> Option<Duration> {
        self.paused_since
    }

    pub(super) fn set_factor(&mut self, factor: u64) {
        self.factor = factor;
    }

    /// Whether the load is what was planned.
    pub(super) fn is_whole(&self) -> bool {
        self.factor == WHOLE && self.carried == 0
    }

    /// What is due in a second for which `planned` was planned: over any seconds the sum is the factor's share of the
    /// plan to the record, for what is cut off here is carried to the next.
    pub(super) fn times(&mut self, planned: u64, most: u64) -> u64 {
        let all = u128::from(planned) * u128::from(self.factor) + u128::from(self.carried);
        self.carried = (all % u128::from(WHOLE)) as u64;
        u64::try_from(all / u128::from(WHOLE)).unwrap_or(u64::MAX).min(most)
    }

    /// The wall clock was set: it said `expected` and says `wall`. What is pending holds from the
    /// next second on.
    pub(super) fn clock_stepped(&mut self, expected: Duration, wall: Duration) {
        self.pending.iter_mut().for_each(|(from, _)| *from = wall.as_secs() + 1);
        self.paused_since = self.paused_since.map(|since| (wall + since).saturating_sub(expected));
    }

    /// The schedule ends: what is changed does not matter any more.
    pub(super) fn end(&mut self) {
        self.pending.clear();
        self.paused_since = None;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        // Whatever is planned and multiplied: after any number of seconds, what was due is the sum of plan times factor,
        // rounded down once.
        #[test]
        fn a_multiplied_load_is_exact_to_the_record(seconds in proptest::collection::vec((0_u64..100_000, 1_u64..100_000), 1..200)) {
            let (mut steering, mut due, mut exact) = (Steering::default(), 0, 0_u128);
            for (planned, factor) in seconds {
                steering.set_factor(factor);
                due += u128::from(steering.times(planned, u64::MAX));
                exact += u128::from(planned) * u128::from(factor);
                prop_assert_eq!(due, exact / 1_000);
            }
        }
    }

    #[test]
    fn a_change_that_changes_nothing_is_refused() {
        let mut steering = Steering::default();
        assert_eq!(steering.take(Change::Resume, 1), Err(NoChange::IsNotPaused));
        assert_eq!(steering.take(Change::Rate(WHOLE), 1), Err(NoChange::IsRate));
        assert_eq!(steering.take(Change::Pause, 1), Ok(()));
        assert_eq!(steering.take(Change::Pause, 1), Err(NoChange::IsPaused), "before it takes effect");
        assert_eq!(steering.take(Change::Resume, 1), Ok(()));
        assert_eq!(steering.take(Change::Rate(2_000), 1), Ok(()));
        assert_eq!(steering.take(Change::Rate(2_000), 1), Err(NoChange::IsRate));
        assert_eq!(steering.take(Change::NextPhase, 1), Ok(()));
        assert_eq!(steering.take(Change::NextPhase, 1), Err(NoChange::Pending));
    }

    #[test]
    fn changes_that_wait_are_bounded() {
        let mut steering = Steering::default();
        let taken = (0..1_000).filter(|n| steering.take(Change::Rate(2_000 + n), 1).is_ok()).count();
        assert_eq!(taken, MOST_PENDING);
    }
}
