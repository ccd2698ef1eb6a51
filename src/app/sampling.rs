//! Samples the ledger for the timeline: every tenth of a second while a run goes on, and once at its end. Each second
//! is then judged: whether this process was the limit.
//!
//! Bins end between two tenths of the wall clock's second and spans between two of its seconds, because what a schedule
//! releases comes at the full ones: so a burst lies in one span, and each span has one burst.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::machine::{self, Machine};
use crate::expose::View;
use crate::judge::{Second, client_findings, strains};
use crate::kinesis::Lane;
use crate::ledger::timeline::{BIN, Flow, Pressure};
use crate::ledger::{Ledger, Snapshot, Timeline};
use crate::schedule::wall;

/// Where in a second of the wall clock the spans end: after the tenth that follows its middle.
pub(super) const SEAM: Duration = Duration::from_millis(550);

/// A tick that comes so much later than it should means that the process stood still; less is everyday noise.
const STILL: Duration = Duration::from_millis(50);

/// Samples until it is ended or dropped.
pub(super) struct Sampling {
    sampler: Sampler,
    going: JoinHandle<()>,
}

#[derive(Clone)]
struct Sampler {
    view: View,
    ledger: Arc<Ledger>,
    lane: Arc<Lane>,
    machine: Machine,
    clock: Arc<Mutex<Clock>>,
    /// The CPU time that the process had used before.
    cpu: Duration,
}

/// How late the process's own clock woke up.
struct Clock {
    ticked: Instant,
    /// Which span this is, by the wall clock.
    span: u64,
    stalled: Duration,
    /// Whether it was told that the client is the limit.
    told: bool,
}

impl Drop for Sampling {
    fn drop(&mut self) {
        self.going.abort();
    }
}

impl Sampling {
    /// Begins to sample `ledger` for the timeline of `view`, which begins now. `lane`: who connects.
    pub(super) fn begin(view: View, ledger: Arc<Ledger>, lane: Arc<Lane>) -> Self {
        view.begin_timeline();
        let clock =
            Clock { ticked: Instant::now(), span: span_at(wall()), stalled: Duration::ZERO, told: false };
        let clock = Arc::new(Mutex::new(clock));
        let sampler = Sampler { view, ledger, lane, machine: Machine::look(), clock, cpu: cpu() };
        let pressure = sampler.pressure(Duration::ZERO, &Snapshot::default());
        sampler.view.sample(|_, timeline| timeline.press(pressure));
        let going = tokio::spawn(sampler.clone().sample());
        Self { sampler, going }
    }

    /// What this process may use.
    pub(super) fn machine(&self) -> &Machine {
        &self.sampler.machine
    }

    /// The last sample: from now on the timeline sums to the ledger's counts.
    pub(super) fn end(&self) {
        self.going.abort();
        self.sampler.take(true);
    }
}

impl Sampler {
    async fn sample(self) {
        loop {
            // A sample that comes late makes one longer bin; its rates are over its own length.
            sleep(to_the_next(BIN, SEAM, wall())).await;
            self.take(false);
        }
    }

    fn take(&self, last: bool) {
        let cpu = cpu().saturating_sub(self.cpu);
        let mut clock = self.clock.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let late = now.saturating_duration_since(clock.ticked).saturating_sub(BIN);
        clock.ticked = now;
        if late >= STILL {
            clock.stalled += late;
        }
        let span = span_at(wall());
        let is_over = std::mem::replace(&mut clock.span, span) != span;
        self.view.sample(|at, timeline: &mut Timeline| {
            if last || is_over {
                let counts = self.ledger.snapshot();
                timeline.press(self.pressure(clock.stalled, &counts));
                timeline.span(at, cpu, &counts);
                self.judge(at, timeline, &mut clock.told);
            } else {
                let (flow, in_flight) = self.ledger.with(|counts| (Flow::of(counts), counts.in_flight));
                timeline.sample_flow(at, cpu, flow, in_flight);
            }
        });
    }

    fn pressure(&self, stalled: Duration, counts: &Snapshot) -> Pressure {
        let (connections, connecting) = self.lane.connecting();
        Pressure {
            stalled,
            window_wait: counts.window_wait,
            queued: machine::queued(),
            quota_held: self.machine.quota_held(),
            stolen: machine::stolen(),
            connections,
            connecting,
        }
    }

    /// Judges the second that has just ended, and tells it when the client becomes the limit of the run.
    fn judge(&self, at: Duration, timeline: &mut Timeline, told: &mut bool) {
        let cores = self.machine.cores();
        let Some(span) = timeline.latest() else { return };
        // Before the first record, and when nothing is due any more, there is nothing to be in the way of.
        let flow = &span.bin.flow;
        if flow.due + flow.requests + span.bin.in_flight == 0 {
            return;
        }
        let length = span.bin.to.saturating_sub(span.bin.from);
        self.ledger.strained(length, cores, &strains(Second { span, cores }));
        let findings = self.ledger.with(client_findings);
        if let (false, Some(finding)) = (*told, findings.first())
            // The first seconds are too few for a word that can't be taken back.
            && at >= EARLIEST_WORD
        {
            *told = true;
            timeline.mark(at, format!("this client is the limit: {}", finding.cause));
            tracing::warn!("this client is the limit, and not the stream: {}", finding.evidence);
        }
    }
}

/// Which span is under way at this time of the wall clock.
pub(super) fn span_at(wall: Duration) -> u64 {
    wall.saturating_sub(SEAM).as_secs()
}

/// How long it is, at this time of the wall clock, to the next moment of those that are `step` apart, one of which is
/// `seam` after a full second. `step` divides a second.
pub(super) fn to_the_next(step: Duration, seam: Duration, wall: Duration) -> Duration {
    let (step, seam) = (step.as_nanos(), seam.as_nanos());
    let into = (wall.as_nanos() + step - seam % step) % step;
    Duration::from_nanos((step - into) as u64)
}

/// When it is told at the earliest that the client is the limit.
const EARLIEST_WORD: Duration = Duration::from_secs(5);

/// CPU time that this process has used, all threads together.
pub(super) fn cpu() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        // From any moment, the next bin ends within a tenth of a second, halfway between two tenths of the wall clock;
        // and of the ten that follow one another just one ends a span, in the middle of the second.
        #[test]
        fn bins_end_between_tenths_and_spans_between_seconds(nanos in 0_u64..4_000_000_000_000_000_000) {
            let begin = Duration::from_nanos(nanos) + Duration::from_secs(1);
            let mut now = begin;
            let mut ended = Vec::new();
            for _ in 0..10 {
                let wait = to_the_next(BIN, SEAM, now);
                prop_assert!(wait > Duration::ZERO && wait <= BIN);
                let next = now + wait;
                prop_assert_eq!(next.as_nanos() % BIN.as_nanos(), BIN.as_nanos() / 2);
                if span_at(next) != span_at(now) {
                    ended.push(next.subsec_millis());
                }
                now = next;
            }
            prop_assert_eq!(ended, vec![550]);
        }
    }
}
