//! The pacer's thread, and the bounded queue from it to the pipeline.

use std::sync::{Arc, OnceLock, mpsc as std_mpsc};
use std::time::Instant;

use tokio::sync::{mpsc, watch};

use crate::ledger::{Dropped, Ledger};
use crate::pipeline::LATEST;
use crate::schedule::{Control, Pacer, Pacing, Plan, Release, drive, wall};

/// Releases that may wait for room: twice what a second can have, since each waits for a second at most.
pub(super) fn backlog(plan: &Plan) -> usize {
    let by_size = plan.quota.records() / plan.slice_records as u64;
    let by_time = if plan.pacing == Pacing::Burst { 0 } else { 100 };
    2 * (u64::from(plan.quota.jobs) + by_size + by_time) as usize * LATEST.as_secs() as usize
}

/// The pacer's thread.
pub(super) struct Pace {
    ended: watch::Receiver<bool>,
    first_due: Arc<OnceLock<Instant>>,
}

impl Pace {
    pub(super) fn start(
        plan: Plan,
        told: std_mpsc::Receiver<Control>,
        give: mpsc::Sender<Release>,
        ledger: Arc<Ledger>,
    ) -> Self {
        let (end, ended) = watch::channel(false);
        let first_due = Arc::new(OnceLock::new());
        let first = Arc::clone(&first_due);
        std::thread::spawn(move || {
            let pacer = Pacer::new(plan, wall(), Instant::now());
            drive(pacer, &told, &ledger, |release| {
                first.get_or_init(|| release.due);
                if let Err(refused) = give.try_send(release) {
                    let records = u64::from(refused.into_inner().records);
                    ledger.dropped(Dropped::WindowFull, records);
                }
            });
            // Closes the channel of releases, then tells.
            drop(give);
            end.send_replace(true);
        });
        Self { ended, first_due }
    }

    pub(super) async fn ended(&mut self) {
        // An error means that the thread is gone, which is an end too.
        let _ = self.ended.wait_for(|&ended| ended).await;
    }

    pub(super) fn first_due(&self) -> Option<Instant> {
        self.first_due.get().copied()
    }
}
