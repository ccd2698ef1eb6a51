//! Samples the ledger for the timeline: every tenth of a second while a run goes on, and once at its end.

use std::sync::Arc;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::expose::View;
use crate::ledger::timeline::{BIN, Flow};
use crate::ledger::{Ledger, Timeline};

/// Samples until it is ended or dropped.
pub(super) struct Sampling {
    sampler: Sampler,
    going: JoinHandle<()>,
}

#[derive(Clone)]
struct Sampler {
    view: View,
    ledger: Arc<Ledger>,
    /// The CPU time that the process had used before.
    cpu: Duration,
}

impl Drop for Sampling {
    fn drop(&mut self) {
        self.going.abort();
    }
}

impl Sampling {
    /// Begins to sample `ledger` for the timeline of `view`, which begins now.
    pub(super) fn begin(view: View, ledger: Arc<Ledger>) -> Self {
        view.begin_timeline();
        let sampler = Sampler { view, ledger, cpu: cpu() };
        let going = tokio::spawn(sampler.clone().sample());
        Self { sampler, going }
    }

    /// The last sample: from now on the timeline sums to the ledger's counts.
    pub(super) fn end(self) {
        self.going.abort();
        self.sampler.take(true);
    }
}

impl Sampler {
    async fn sample(self) {
        let mut ticks = interval(BIN);
        // A sample that comes late makes one longer bin; its rates are over its own length.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            ticks.tick().await;
            self.take(false);
        }
    }

    fn take(&self, last: bool) {
        let cpu = cpu().saturating_sub(self.cpu);
        self.view.sample(|at, timeline: &mut Timeline| {
            if last || timeline.is_span_due(at) {
                timeline.span(at, cpu, &self.ledger.snapshot());
            } else {
                let (flow, in_flight) = self.ledger.with(|counts| (Flow::of(counts), counts.in_flight));
                timeline.sample_flow(at, cpu, flow, in_flight);
            }
        });
    }
}

/// CPU time that this process has used, all threads together.
pub(super) fn cpu() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().unwrap_or_default()
}
