//! Self-indictment: whether this client, and not the stream, was the limit of a run.
//!
//! Decides second by second from what was measured, then on the run as a whole. Whoever took the CPU away (a quota, the
//! process itself, neighbours, the host), a client that did not get it can't vouch for the stream: all of these count,
//! but only where they did harm.

use std::time::Duration;

use crate::ledger::timeline::{Pressure, Span};
use crate::ledger::{Dropped, Snapshot, Strain};

/// A second is strained by CPU from this share of what the process may use.
const CPU_SHARE: f64 = 0.9;
/// By its quota, when its control group was held back for this share of the time.
const QUOTA_SHARE: f64 = 0.1;
/// By standing still, when its own clock was late for this share of the time.
const STALLED_SHARE: f64 = 0.2;
/// By lateness, from this 99th percentile of departures on, where CPU was wanting.
const LATE: Duration = Duration::from_millis(100);
/// What counts as wanting then: half of the CPU used, or half of the time waited for it.
const WANTING_SHARE: f64 = 0.5;
/// By its window, when due records waited for this share of the time,
const WINDOW_SHARE: f64 = 0.5;
/// and no more than this share of the records was throttled.
const UNTHROTTLED: f64 = 0.001;
/// By connecting, when this share of the requests opened a connection,
const CONNECTING_REQUESTS: f64 = 0.1;
/// and this share of the requests' time went into it.
const CONNECTING_SHARE: f64 = 0.5;

/// The run is limited by what strains it for more than this share of its time,
const RUN_SHARE: f64 = 0.1;
/// and for so long at least: the first second, which opens every connection, proves nothing.
const RUN_LEAST: Duration = Duration::from_millis(1_500);
/// Records dropped because this process was late, of all that were due.
const DROPPED_SHARE: f64 = 0.001;

/// What one second (or a longer span) is judged by.
#[derive(Debug, Clone, Copy)]
pub struct Second<'a> {
    /// What was counted and measured in it.
    pub span: &'a Span,
    /// CPUs' worth of time that the process may use: its quota or its cores, whichever is less.
    pub cores: f64,
}

/// By what the process was the limit in this second.
#[must_use]
pub fn strains(second: Second<'_>) -> Vec<Strain> {
    let Second { span, cores } = second;
    let (bin, pressure) = (&span.bin, &span.pressure);
    let seconds = bin.seconds();
    if seconds <= 0.0 {
        return Vec::new();
    }
    let part = |time: Duration| time.as_secs_f64() / seconds;
    let perhaps = |time: Option<Duration>| time.map_or(0.0, part);
    let cpu = if cores > 0.0 { part(bin.cpu) / cores } else { 0.0 };
    let stalled = part(pressure.stalled);
    let wanting =
        cpu >= WANTING_SHARE || perhaps(pressure.queued) >= WANTING_SHARE || stalled >= STALLED_SHARE / 2.0;
    let late = span.lateness.quantile(0.99).is_some_and(|late| late >= LATE);
    let tried = (bin.flow.sent + bin.flow.throttled) as f64;
    let unthrottled = bin.flow.throttled as f64 <= tried * UNTHROTTLED;
    let holds = |cause: Strain| match cause {
        Strain::Cpu => cpu >= CPU_SHARE,
        Strain::Quota => perhaps(pressure.quota_held) >= QUOTA_SHARE,
        Strain::Stalled => stalled >= STALLED_SHARE,
        Strain::Late => late && wanting,
        Strain::Window => part(pressure.window_wait) >= WINDOW_SHARE && unthrottled,
        Strain::Connecting => connecting(span, pressure),
    };
    Strain::ALL.iter().copied().filter(|&cause| holds(cause)).collect()
}

fn connecting(span: &Span, pressure: &Pressure) -> bool {
    let requests = span.bin.flow.requests as f64;
    let micros: f64 =
        span.request_duration.as_slice().iter().map(|&(micros, n)| f64::from(micros) * n as f64).sum();
    requests > 0.0
        && pressure.connections as f64 >= requests * CONNECTING_REQUESTS
        && pressure.connecting.as_secs_f64() * 1e6 >= micros * CONNECTING_SHARE
}

/// Why a run is limited by its client: what was found, in words, with its evidence and what can be done.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Finding {
    /// The cause in a word, as in the metric `client_limited_seconds_total`, or `dropped`.
    pub cause: String,
    /// For which share of the time it held (of the records, for `dropped`), from 0 to 1.
    pub share: f64,
    /// What was found, as a sentence.
    pub evidence: String,
    /// What can be done, as a sentence.
    pub remedy: String,
}

/// Why the run that these counts are of was limited by its client; empty when it was not, as far as can be told.
#[must_use]
pub fn client_findings(counts: &Snapshot) -> Vec<Finding> {
    let strained = &counts.strained;
    let judged = strained.judged_millis as f64;
    let mut findings = Vec::new();
    for (cause, millis) in strained.millis.iter() {
        let share = if judged > 0.0 { millis as f64 / judged } else { 0.0 };
        if share > RUN_SHARE && millis >= RUN_LEAST.as_millis() as u64 {
            findings.push(finding(cause, share, millis, counts));
        }
    }
    let dropped = counts.dropped.get(Dropped::Late) + counts.dropped.get(Dropped::MissedTick);
    if dropped as f64 > counts.due as f64 * DROPPED_SHARE {
        let share = dropped as f64 / counts.due as f64;
        findings.push(Finding {
            cause: "dropped".to_owned(),
            share,
            evidence: format!(
                "{dropped} records ({:.2} % of those due) were dropped because this process came to them a second late or later.",
                share * 100.0
            ),
            remedy: FASTER.to_owned(),
        });
    }
    findings
}

const FASTER: &str =
    "Give it more CPU, less load, fewer jobs with larger requests, or share the load among instances.";

fn finding(cause: Strain, share: f64, millis: u64, counts: &Snapshot) -> Finding {
    let (percent, seconds) = (share * 100.0, millis as f64 / 1e3);
    let when = format!("In {percent:.0} % of the time ({seconds:.1} s)");
    let cores = counts.strained.cores;
    let (evidence, remedy) = match cause {
        Strain::Cpu => (
            format!("{when} the process used nine tenths or more of the {cores:.2} CPUs that it may use."),
            FASTER,
        ),
        Strain::Quota => (
            format!("{when} its control group was held back for its CPU quota ({cores:.2} CPUs)."),
            "Raise the quota (limits.cpu, --cpus, cpu.max), or give it less load.",
        ),
        Strain::Stalled => (
            format!("{when} the process stood still: its own clock woke up late for a fifth of it or more."),
            "Find out who else uses this machine, whether it is paused, or what its CPU quota is.",
        ),
        Strain::Late => (
            format!("{when} one batch of a hundred left {LATE:?} late or later, while CPU was wanting."),
            FASTER,
        ),
        Strain::Window => (
            format!(
                "{when} due records waited because the window of requests was full, although the stream throttled nothing."
            ),
            "Raise STREAMER_MAX_IN_FLIGHT (rate = window / request duration), or look for what makes the endpoint slow.",
        ),
        Strain::Connecting => (
            format!("{when} the requests spent half of their time in opening connections."),
            "Find out who closes the connections: a proxy, a balancer, or the endpoint itself.",
        ),
    };
    Finding { cause: cause.label().to_owned(), share, evidence, remedy: remedy.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Ledger;
    use crate::ledger::timeline::{Bin, Flow};

    const MS: Duration = Duration::from_millis(1);

    fn second() -> Span {
        let flow = Flow { due: 100, generated: 100, sent: 100, requests: 10, ..Flow::default() };
        let bin = Bin { from: Duration::ZERO, to: 1_000 * MS, flow, in_flight: 0, cpu: 100 * MS };
        Span {
            bin,
            request_duration: [(10_000, 10)].into_iter().collect(),
            delivery_delay: [(12_000, 100)].into_iter().collect(),
            lateness: [(1_000, 10)].into_iter().collect(),
            pressure: Pressure {
                queued: Some(20 * MS),
                quota_held: Some(Duration::ZERO),
                ..Pressure::default()
            },
        }
    }

    fn of(cores: f64, change: impl FnOnce(&mut Span)) -> Vec<Strain> {
        let mut span = second();
        change(&mut span);
        strains(Second { span: &span, cores })
    }

    #[test]
    fn a_quiet_second_is_not_strained_and_each_cause_alone_is_found() {
        assert_eq!(of(2.0, |_| {}), []);
        assert_eq!(of(0.0, |_| {}), [], "how much CPU it may use is not known");
        assert_eq!(of(0.11, |_| {}), [Strain::Cpu]);
        assert_eq!(of(2.0, |s| s.bin.cpu = 1_800 * MS), [Strain::Cpu]);
        assert_eq!(of(2.0, |s| s.pressure.quota_held = Some(100 * MS)), [Strain::Quota]);
        assert_eq!(of(2.0, |s| s.pressure.stalled = 200 * MS), [Strain::Stalled]);
        let late = |s: &mut Span| s.lateness = [(1_000, 90), (150_000, 10)].into_iter().collect();
        assert_eq!(of(2.0, late), [], "late, but not for want of CPU: a job's requests follow one another");
        assert_eq!(
            of(2.0, |s| {
                late(s);
                s.pressure.queued = Some(600 * MS);
            }),
            [Strain::Late]
        );
        assert_eq!(of(2.0, |s| s.pressure.window_wait = 500 * MS), [Strain::Window]);
        assert_eq!(
            of(2.0, |s| {
                s.pressure.window_wait = 500 * MS;
                s.bin.flow.throttled = 10;
            }),
            [],
            "the stream throttled: it is the limit"
        );
        let connecting = Pressure { connections: 10, connecting: 60 * MS, ..Pressure::default() };
        assert_eq!(of(2.0, |s| s.pressure = connecting), [Strain::Connecting]);
        assert_eq!(of(2.0, |s| s.bin.to = s.bin.from), [], "a second without length");
    }

    fn run(seconds: u64, strained: u64) -> Vec<Finding> {
        let ledger = Ledger::new();
        for second in 0..seconds {
            let causes: &[Strain] = if second < strained { &[Strain::Cpu] } else { &[] };
            ledger.strained(1_000 * MS, 0.2, causes);
        }
        client_findings(&ledger.snapshot())
    }

    #[test]
    fn a_run_is_limited_by_what_strained_more_than_a_tenth_of_it_and_not_by_its_first_second() {
        for (seconds, strained, limited) in [
            (0, 0, false),
            (60, 6, false),
            (60, 7, true),
            (5, 1, false),
            (5, 2, true),
            (1, 1, false),
            (2, 2, true),
        ] {
            let findings = run(seconds, strained);
            assert_eq!(!findings.is_empty(), limited, "{strained} of {seconds}: {findings:?}");
        }
        let [finding] = &run(60, 30)[..] else { panic!("one cause, one finding") };
        assert_eq!((finding.cause.as_str(), finding.share), ("cpu", 0.5));
        assert!(finding.evidence.starts_with("In 50 % of the time (30.0 s)"), "{}", finding.evidence);
        assert!(finding.evidence.contains("0.20 CPUs"), "{}", finding.evidence);
    }

    #[test]
    fn records_that_came_too_late_indict_the_client_and_those_of_a_full_window_do_not() {
        let of = |why, dropped| {
            let ledger = Ledger::new();
            ledger.generated(100_000);
            ledger.dropped(why, dropped);
            client_findings(&ledger.snapshot())
        };
        assert_eq!(of(Dropped::WindowFull, 5_000), []);
        assert_eq!(of(Dropped::Late, 100), []);
        assert_eq!(of(Dropped::Late, 200)[0].cause, "dropped");
        assert_eq!(of(Dropped::MissedTick, 200).len(), 1);
        assert_eq!(client_findings(&Snapshot::default()), []);
    }
}
