//! What limits a run right now, in words: the schedule, the stream's shards, the window, or this machine.
//!
//! A pure function of what was counted in the last seconds; it acts on nothing.

use std::sync::LazyLock;
use std::time::Duration;

use super::{Phase, human};
use crate::ledger::timeline::{BIN, Flow, Timeline};

/// How far back it is looked for what limits a run: long enough to hold several bursts.
pub const LATELY: Duration = Duration::from_secs(5);

/// A share of a machine's processors above which they are called busy.
const BUSY: f64 = 0.9;

/// Processors that this process may use; asked of the system once, which reads files for the answer.
pub fn processors() -> usize {
    static PROCESSORS: LazyLock<usize> =
        LazyLock::new(|| std::thread::available_parallelism().map_or(1, usize::from));
    *PROCESSORS
}

/// What is known of a run besides its timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Around {
    /// Where the run stands.
    pub phase: Phase,
    /// Whether it is paused by hand.
    pub paused: bool,
    /// Records dropped lately, because the window was full and because they were late.
    pub dropped: (u64, u64),
    /// Processors that it may use.
    pub processors: usize,
    /// Shards that are known.
    pub shards: usize,
    /// Most requests under way.
    pub max_in_flight: u64,
}

/// What was seen of a run in the last seconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Recent {
    /// Where the run stands.
    pub phase: Phase,
    /// Whether it is paused by hand.
    pub paused: bool,
    /// How long the last seconds are.
    pub length: Duration,
    /// What was counted in them.
    pub flow: Flow,
    /// Records of these that were dropped because the window had no room.
    pub window_full: u64,
    /// Records of these that were dropped because this process came too late to them.
    pub late: u64,
    /// CPU time that the process used, all threads together.
    pub cpu: Duration,
    /// Processors that it may use.
    pub processors: usize,
    /// Shards that refused something, and all that were met.
    pub throttling: (usize, usize),
    /// Most requests under way.
    pub max_in_flight: u64,
    /// The 99th percentile of what requests took lately.
    pub request: Option<Duration>,
}

impl Recent {
    /// The last five seconds of `timeline`.
    #[must_use]
    pub fn of(timeline: &Timeline, around: Around) -> Self {
        let (mut flow, mut cpu) = (Flow::default(), Duration::ZERO);
        let since = timeline.at().saturating_sub(LATELY);
        let bins = (LATELY.as_millis() / BIN.as_millis()) as u64;
        let mut length = Duration::ZERO;
        for bin in timeline.bins(timeline.made().saturating_sub(bins)).filter(|bin| bin.from >= since) {
            flow.add(&bin.flow);
            cpu += bin.cpu;
            length += bin.to - bin.from;
        }
        let heat = timeline.heat();
        let late_columns = heat.columns().iter().rev().take_while(|column| column.to > since);
        let mut throttling: Vec<u32> = late_columns
            .flat_map(|column| &column.cells)
            .filter(|cell| cell.throttled > 0)
            .map(|cell| cell.shard)
            .collect();
        throttling.sort_unstable();
        throttling.dedup();
        // Causes are remembered over other seconds than these: they only say how those dropped here are divided.
        let (full, late) = around.dropped;
        let window_full =
            (u128::from(flow.dropped) * u128::from(full)).checked_div(u128::from(full) + u128::from(late));
        let window_full = window_full.unwrap_or_default() as u64;
        let late = if late > 0 { flow.dropped - window_full } else { 0 };
        Self {
            phase: around.phase,
            paused: around.paused,
            length,
            flow,
            window_full,
            late,
            cpu,
            processors: around.processors,
            throttling: (throttling.len(), around.shards.max(heat.shards().len())),
            max_in_flight: around.max_in_flight,
            request: timeline.spans().last().and_then(|span| span.request_duration.quantile(0.99)),
        }
    }
}

/// What sets the pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Nothing is offered.
    Nothing,
    /// Nothing else does: all that is due is sent.
    Schedule,
    /// What the shards take.
    Shards,
    /// The requests that may be under way.
    Window,
    /// This machine.
    Machine,
    /// The endpoint, or the way to it.
    Endpoint,
}

impl Limit {
    /// The limit in a word, for programs.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Schedule => "schedule",
            Self::Shards => "shards",
            Self::Window => "window",
            Self::Machine => "machine",
            Self::Endpoint => "endpoint",
        }
    }
}

/// What limits the run, and the same in a sentence or two.
#[must_use]
pub fn limiting(recent: &Recent) -> (Limit, String) {
    let Recent { flow, length, .. } = recent;
    match recent.phase {
        Phase::Starting => return told(Limit::Nothing, "The run has not begun."),
        Phase::Waiting => return told(Limit::Nothing, "The run waits for the moment set for its start."),
        Phase::Draining => {
            return told(Limit::Nothing, "The load is over: what is in flight is waited for.");
        }
        Phase::Running if recent.paused => {
            return told(Limit::Nothing, "Paused by hand: nothing becomes due until it is resumed.");
        }
        Phase::Running => {}
    }
    let share = |part: u64, whole: u64| human::share(part, whole.max(part));
    let busy = recent.cpu.as_secs_f64() >= BUSY * length.as_secs_f64() * recent.processors.max(1) as f64
        && !length.is_zero();
    if recent.late > recent.window_full {
        let late = share(recent.late, flow.due);
        let why = if busy { "its processors are busy" } else { "it stood still, or others were busy on it" };
        return (
            Limit::Machine,
            format!("This machine: {late} of what was due came too late here, for {why}."),
        );
    }
    if flow.throttled > 0 {
        let refused = share(flow.throttled, flow.throttled + flow.sent);
        let (throttling, all) = recent.throttling;
        let which = match (throttling, all) {
            (0, _) => "the stream".to_owned(),
            (1, 1) => "the one shard".to_owned(),
            (1, _) => format!("one shard of {all}: look at the keys"),
            (some, all) if some < all => {
                format!("{} of {} shards", human::grouped(some as u64), human::grouped(all as u64))
            }
            (_, all) => format!("all {} shards", human::grouped(all as u64)),
        };
        let full = if flow.dropped > 0 {
            format!(
                " Retries fill the window, so {} of what is due is dropped.",
                share(flow.dropped, flow.due)
            )
        } else {
            String::new()
        };
        let words = format!("The shards' limits: {refused} of all attempts were refused, by {which}.{full}");
        return (Limit::Shards, words);
    }
    if recent.window_full > 0 {
        let took = recent.request.map_or(String::new(), |took| format!(" (p99 {})", human::brief(took)));
        let words = format!(
            "The window: {} requests at once are not enough for what they take{took}; {} of what is due is dropped.",
            human::grouped(recent.max_in_flight),
            share(recent.window_full, flow.due),
        );
        return (Limit::Window, words);
    }
    let lost = flow.failed + flow.unknown;
    if lost > 0 {
        let words = format!(
            "The endpoint: {} of what was settled was given up; the causes stand in the flow.",
            share(lost, lost + flow.sent)
        );
        return (Limit::Endpoint, words);
    }
    if busy {
        return told(Limit::Machine, "The schedule, still: but this machine's processors are busy.");
    }
    if flow.due == 0 {
        return told(Limit::Nothing, "Nothing is due at the moment.");
    }
    told(Limit::Schedule, "Nothing but the schedule: all that is due is sent.")
}

fn told(limit: Limit, words: &str) -> (Limit, String) {
    (limit, words.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recent() -> Recent {
        Recent {
            phase: Phase::Running,
            paused: false,
            length: Duration::from_secs(5),
            flow: Flow { due: 5_000, generated: 5_000, sent: 5_000, ..Flow::default() },
            window_full: 0,
            late: 0,
            cpu: Duration::from_millis(100),
            processors: 2,
            throttling: (0, 4),
            max_in_flight: 128,
            request: Some(Duration::from_millis(900)),
        }
    }

    #[test]
    fn each_limit_is_found_by_what_it_does() {
        let base = recent();
        let with = |flow: Flow| Recent { flow: Flow { due: 5_000, ..flow }, ..base.clone() };
        for (recent, limit, word) in [
            (base.clone(), Limit::Schedule, "schedule"),
            (Recent { phase: Phase::Starting, ..base.clone() }, Limit::Nothing, "not begun"),
            (Recent { phase: Phase::Waiting, ..base.clone() }, Limit::Nothing, "waits"),
            (Recent { phase: Phase::Draining, ..base.clone() }, Limit::Nothing, "over"),
            (Recent { paused: true, ..base.clone() }, Limit::Nothing, "Paused"),
            (Recent { flow: Flow::default(), ..base.clone() }, Limit::Nothing, "Nothing is due"),
            (with(Flow { throttled: 50, sent: 50, ..Flow::default() }), Limit::Shards, "50.00 %"),
            (
                Recent { throttling: (1, 4), ..with(Flow { throttled: 5, sent: 5, ..Flow::default() }) },
                Limit::Shards,
                "one shard of 4",
            ),
            (
                Recent { window_full: 500, ..with(Flow { dropped: 500, throttled: 9, ..Flow::default() }) },
                Limit::Shards,
                "Retries fill the window",
            ),
            (
                Recent { window_full: 500, ..with(Flow { dropped: 500, sent: 9, ..Flow::default() }) },
                Limit::Window,
                "128 requests",
            ),
            (
                Recent { late: 500, ..with(Flow { dropped: 500, ..Flow::default() }) },
                Limit::Machine,
                "too late",
            ),
            (with(Flow { failed: 5, sent: 5, ..Flow::default() }), Limit::Endpoint, "given up"),
            (Recent { cpu: Duration::from_secs(10), ..base.clone() }, Limit::Machine, "busy"),
        ] {
            let (found, words) = limiting(&recent);
            assert_eq!(found, limit, "{words}");
            assert!(words.contains(word), "{words}");
        }
    }
}
