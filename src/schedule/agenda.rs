//! Which seconds are announced and not yet released: none lost, none twice.
//!
//! The cron scheduler wakes late and loses firings under load, so a firing only says "look ahead". What is due
//! comes from the expression itself; announcing the same second again does nothing.

use std::collections::VecDeque;

use super::Cron;

/// How far ahead a firing announces, in seconds; a firing may come up to a second late.
const AHEAD: u64 = 3;

/// Seconds that are due, in order. All seconds count from the Unix epoch.
#[derive(Debug)]
pub struct Agenda {
    cron: Cron,
    /// Announced, not yet taken.
    announced: VecDeque<u64>,
    /// The last second that was ever announced, or the one before the first that may be.
    last: u64,
}

impl Agenda {
    /// An agenda whose first second is the first due one after `now`.
    #[must_use]
    pub fn new(cron: Cron, now: u64) -> Self {
        Self { cron, announced: VecDeque::new(), last: now }
    }

    /// A firing at about `now`: announces every due second up to a little ahead, and at least the next two.
    pub fn announce(&mut self, now: u64) {
        loop {
            let next = self.cron.next_after(self.last);
            let ahead = self.announced.iter().filter(|&&second| second > now).count();
            if next == u64::MAX || (next > now + AHEAD && ahead >= 2) {
                return;
            }
            self.announced.push_back(next);
            self.last = next;
        }
    }

    /// The next due second, and whether it had been announced before it was asked for.
    pub fn take(&mut self) -> Option<(u64, bool)> {
        if let Some(second) = self.announced.pop_front() {
            return Some((second, true));
        }
        let next = self.cron.next_after(self.last);
        if next == u64::MAX {
            return None;
        }
        self.last = next;
        Some((next, false))
    }

    /// The wall clock was set: what was announced is void, the next second is the first due one after `now`.
    pub fn restart(&mut self, now: u64) {
        self.announced.clear();
        self.last = now;
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn cron(text: &str) -> Cron {
        text.parse().expect("legal")
    }

    proptest! {
        // However late, often or seldom the scheduler fires, the seconds taken are the due ones, each once, in order.
        #[test]
        fn no_second_is_lost_or_taken_twice(
            steps in vec((any::<bool>(), 0_u64..10), 1..100),
            text in prop_oneof![Just("* * * * * *"), Just("*/7 * * * * *"), Just("1,2,30 */2 * * * *")],
        ) {
            let start = 1_000;
            let mut agenda = Agenda::new(cron(text), start);
            let (mut now, mut last) = (start, start);
            for (fires, passed) in steps {
                now += passed;
                if fires {
                    agenda.announce(now);
                } else {
                    let (second, _) = agenda.take().expect("due again and again");
                    prop_assert_eq!(second, cron(text).next_after(last));
                    last = second;
                }
            }
        }
    }

    #[test]
    fn one_lost_firing_leaves_no_second_unannounced() {
        let mut agenda = Agenda::new(cron("* * * * * *"), 10);
        agenda.announce(10);
        for second in 11..=13 {
            assert_eq!(agenda.take(), Some((second, true)));
        }
        assert_eq!(agenda.take(), Some((14, false)), "after three seconds of silence it tells");
    }

    #[test]
    fn a_rare_second_is_announced_by_the_one_before_it() {
        let mut agenda = Agenda::new(cron("0 0 0 * * *"), 0);
        agenda.announce(0);
        assert_eq!(agenda.take(), Some((86_400, true)));
        assert_eq!(agenda.take(), Some((2 * 86_400, true)));
    }

    #[test]
    fn after_a_step_of_the_clock_the_agenda_begins_anew() {
        let mut agenda = Agenda::new(cron("* * * * * *"), 1_000);
        agenda.announce(1_000);
        agenda.restart(500);
        assert_eq!(agenda.take(), Some((501, false)));
    }
}
