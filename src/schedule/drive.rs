//! The schedule's two shells: tokio-cron-scheduler, which announces, and the thread that releases on time.
//!
//! The pacer has a thread of its own because a runtime that is busy with sending would wake it late.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::oneshot;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

use super::{Change, Cron, NoChange, Pacer, Release, Step};
use crate::ledger::Ledger;

/// What the pacer's thread is told.
#[derive(Debug)]
pub enum Control {
    /// The cron scheduler fired.
    Announce,
    /// No new ticks.
    Stop,
    /// A change by hand; the answer is the first second (since the Unix epoch) that it holds for.
    Change(Change, oneshot::Sender<Result<u64, NoChange>>),
}

/// The cron scheduler with the run's one entry.
///
/// All jobs share the expression, so one entry announces for all: ten thousand entries would announce the same
/// second ten thousand times (and, measured, lose some of them).
pub struct Announcer {
    scheduler: JobScheduler,
}

impl Announcer {
    /// Starts the scheduler on the current runtime.
    ///
    /// # Errors
    /// What the scheduler says.
    pub async fn start(cron: &Cron, pacer: Sender<Control>) -> Result<Self, JobSchedulerError> {
        let scheduler = JobScheduler::new().await?;
        let announce = move |_, _: JobScheduler| {
            // The pacer is gone when the run is over; nothing is left to announce then.
            let _ = pacer.send(Control::Announce);
        };
        scheduler.add(Job::new(cron.as_str(), announce)?).await?;
        scheduler.start().await?;
        Ok(Self { scheduler })
    }

    /// Ends the scheduler.
    ///
    /// # Errors
    /// What the scheduler says.
    pub async fn stop(mut self) -> Result<(), JobSchedulerError> {
        self.scheduler.shutdown().await
    }
}

/// Time since the Unix epoch by the wall clock.
#[must_use]
pub fn wall() -> Duration {
    // A clock before 1970 is told as 1970; it will step when it is set.
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Releases what is due until the run is over or stopped. Runs on a thread of its own.
pub fn drive(
    mut pacer: Pacer,
    control: &Receiver<Control>,
    ledger: &Ledger,
    mut release: impl FnMut(Release),
) {
    let (mut fired, mut missed) = (0, 0_u64);
    let mut intended = None;
    loop {
        match pacer.step(wall(), Instant::now()) {
            Step::Release(slice) => {
                fired += u64::from(slice.first);
                release(slice);
            }
            Step::Missed { jobs, records } => {
                missed += 1;
                ledger.ticks_missed(u64::from(jobs), records);
            }
            Step::Unannounced => ledger.second_unannounced(),
            Step::Paused => ledger.second_paused(),
            Step::ClockStepped => {
                tracing::warn!("the wall clock was set: the schedule goes on from what it says now");
                ledger.clock_stepped();
            }
            Step::Wait(until) => {
                ledger.ticks_fired(std::mem::take(&mut fired));
                if intended.replace(pacer.intended()) != Some(pacer.intended()) {
                    ledger.intended(pacer.intended());
                }
                let (records, bytes) = ledger.with(|counts| (counts.weighed_records, counts.weighed_bytes));
                pacer.learn(records, bytes);
                tell_missed(std::mem::take(&mut missed));
                match control.recv_timeout(until.saturating_duration_since(Instant::now())) {
                    Ok(Control::Announce) => pacer.announce(wall()),
                    Ok(Control::Change(change, answer)) => {
                        // Who asked may be gone; the change holds all the same.
                        let _ = answer.send(pacer.change(change, wall()));
                    }
                    Err(RecvTimeoutError::Timeout) => {}
                    Ok(Control::Stop) | Err(RecvTimeoutError::Disconnected) => pacer.stop(Instant::now()),
                }
            }
            Step::Finished => {
                ledger.ticks_fired(fired);
                ledger.intended(0);
                tell_missed(missed);
                return;
            }
        }
    }
}

fn tell_missed(seconds: u64) {
    if seconds > 0 {
        tracing::warn!(
            seconds,
            "due seconds passed before they could be released, because this process or machine stood still: their \
             records are dropped"
        );
    }
}
