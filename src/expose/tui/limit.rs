//! What limits a run now, in words: by the counts of the last second.

use crate::expose::{Phase, Progress, human};

/// What else has to be known besides the numbers of the last second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Around {
    /// Where the run stands.
    pub phase: Phase,
    /// Whether it is paused.
    pub paused: bool,
    /// Shards that refused something in the last second, and all that were met.
    pub shards: (usize, usize),
    /// Most requests under way.
    pub max_in_flight: u64,
}

/// What sets the pace, in a sentence or two.
#[must_use]
pub fn limit_words(progress: &Progress, around: Around) -> String {
    match around.phase {
        Phase::Starting => return "Nothing was released yet.".to_owned(),
        Phase::Waiting => return "The moment that was set for the start has not come.".to_owned(),
        Phase::Draining => return "The load is over; what is in flight is waited for.".to_owned(),
        Phase::Running if around.paused => {
            return "Paused: nothing becomes due until it is resumed.".to_owned();
        }
        Phase::Running => {}
    }
    let (throttling, all) = around.shards;
    if progress.late > progress.window_full {
        return format!(
            "This machine: {} came too late to be made.",
            human::counted(progress.late, "record")
        );
    }
    if progress.throttled_per_second > 0.0 {
        let whose = match (throttling, all) {
            (some, all) if some == all => "Every shard is".to_owned(),
            (1, all) => format!("One shard of {} is", human::grouped(all as u64)),
            (some, all) => {
                format!("{} of {} shards are", human::grouped(some as u64), human::grouped(all as u64))
            }
        };
        let refused = human::rate(progress.throttled_per_second);
        let full = if progress.window_full > 0 {
            " What waits fills the window, so records are dropped."
        } else {
            ""
        };
        return format!("The stream: {refused} entries are throttled. {whose} at the limit.{full}");
    }
    if progress.window_full > 0 {
        let took =
            progress.delay_p99.map_or(String::new(), |delay| format!(" (p99 {})", human::brief(delay)));
        let most = human::grouped(around.max_in_flight);
        return format!(
            "The window: {most} requests at once are not enough for what they take{took}. Raise STREAMER_MAX_IN_FLIGHT, \
             or the way to the stream is the limit."
        );
    }
    if progress.due_per_second == 0.0 {
        return "Nothing is due at the moment.".to_owned();
    }
    "Nothing but the schedule: all that is due is sent.".to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ledger::{Dropped, Snapshot};

    const AROUND: Around =
        Around { phase: Phase::Running, paused: false, shards: (0, 4), max_in_flight: 128 };

    /// A second in which 100 records were due and whatever `change` says.
    fn second(change: impl FnOnce(&mut Snapshot)) -> Progress {
        let earlier = Snapshot::default();
        let mut now = Snapshot { due: 100, generated: 100, sent: 100, ..Snapshot::default() };
        change(&mut now);
        Progress::between(&earlier, &now, Duration::from_secs(1), Duration::from_secs(1))
    }

    #[test]
    fn each_limit_is_told_by_what_it_does() {
        let throttled = second(|now| now.throttled = 50);
        let dropped = |why| second(|now| now.dropped.add(why, 7));
        let both = second(|now| {
            now.throttled = 50;
            now.dropped.add(Dropped::WindowFull, 7);
        });
        for (progress, around, word) in [
            (second(|_| {}), AROUND, "Nothing but the schedule"),
            (
                Progress::between(&Snapshot::default(), &Snapshot::default(), Duration::ZERO, Duration::ZERO),
                AROUND,
                "Nothing is due",
            ),
            (throttled, Around { shards: (1, 4), ..AROUND }, "One shard of 4 is"),
            (throttled, Around { shards: (2, 4), ..AROUND }, "2 of 4 shards are"),
            (throttled, Around { shards: (4, 4), ..AROUND }, "Every shard is"),
            (both, Around { shards: (4, 4), ..AROUND }, "fills the window"),
            (dropped(Dropped::WindowFull), AROUND, "The window: 128 requests"),
            (dropped(Dropped::Late), AROUND, "This machine: 7 records"),
            (throttled, Around { paused: true, ..AROUND }, "Paused"),
            (throttled, Around { phase: Phase::Draining, ..AROUND }, "The load is over"),
            (throttled, Around { phase: Phase::Waiting, ..AROUND }, "has not come"),
            (throttled, Around { phase: Phase::Starting, ..AROUND }, "Nothing was released"),
        ] {
            let words = limit_words(&progress, around);
            assert!(words.contains(word), "{words}");
        }
    }
}
