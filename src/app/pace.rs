//! The pacer's thread, and the bounded queue from it to the pipeline.

use std::io;
use std::sync::{Arc, Mutex, PoisonError, mpsc as std_mpsc};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};

use crate::ledger::{Dropped, Ledger};
use crate::pipeline::LATEST;
use crate::schedule::{Control, Pacer, Pacing, Plan, Release, drive, wall};

/// Releases that may wait for room: twice what a second can have, since each waits for a second at most.
pub(super) fn backlog(plan: &Plan) -> usize {
    let by_size = plan.offer.peak_records(plan.jobs, plan.weighing.mean()) / plan.slice_records as u64;
    let by_time = if plan.pacing == Pacing::Burst { 0 } else { 100 };
    2 * (u64::from(plan.jobs) + by_size + by_time) as usize * LATEST.as_secs() as usize
}

/// The pacer's thread.
pub(super) struct Pace {
    ended: watch::Receiver<bool>,
    /// The intended times of the first and of the latest release.
    span: Arc<Mutex<Option<(Instant, Instant)>>>,
    pacing: Pacing,
}

impl Pace {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives none.
    pub(super) fn start(
        plan: Plan,
        told: std_mpsc::Receiver<Control>,
        give: mpsc::Sender<Release>,
        ledger: Arc<Ledger>,
    ) -> io::Result<Self> {
        let (end, ended) = watch::channel(false);
        let (span, pacing) = (Arc::default(), plan.pacing);
        let due: Arc<Mutex<Option<(Instant, Instant)>>> = Arc::clone(&span);
        std::thread::Builder::new().name("pacer".to_owned()).spawn(move || {
            let pacer = Pacer::new(plan, wall(), Instant::now());
            drive(pacer, &told, &ledger, |release| {
                let mut due = due.lock().unwrap_or_else(PoisonError::into_inner);
                let first = due.map_or(release.due, |(first, _)| first);
                *due = Some((first, release.due));
                drop(due);
                if let Err(refused) = give.try_send(release) {
                    let records = u64::from(refused.into_inner().records);
                    ledger.dropped(Dropped::WindowFull, records);
                }
            });
            // Closes the channel of releases, then tells.
            drop(give);
            end.send_replace(true);
        })?;
        Ok(Self { ended, span, pacing })
    }

    pub(super) async fn ended(&mut self) {
        // An error means that the thread is gone, which is an end too.
        let _ = self.ended.wait_for(|&ended| ended).await;
    }

    /// How long the load was offered until `until`; none when nothing was due. A burst stands for its whole
    /// second, so the last one counts in full.
    pub(super) fn load_time(&self, until: Instant) -> Option<Duration> {
        let (first, latest) = (*self.span.lock().unwrap_or_else(PoisonError::into_inner))?;
        Some(match self.pacing {
            Pacing::Burst => Duration::from_secs((latest - first).as_secs_f64().round() as u64 + 1),
            Pacing::Smooth | Pacing::Poisson | Pacing::Stagger => until.saturating_duration_since(first),
        })
    }
}
