//! The pacer's thread, and the bounded queue from it to the pipeline.

use std::io;
use std::sync::{Arc, Mutex, PoisonError, mpsc as std_mpsc};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};

use crate::ledger::{Dropped, Ledger};
use crate::pipeline::LATEST;
use crate::replay::{Due, Player, Rules, Spool, Step, TraceError};
use crate::schedule::{Control, MOST_RECORDS, NoChange, Pacer, Pacing, Plan, drive, wall};

/// Releases that may wait for room: twice what a second can have, since each waits for a second at most; of a load that
/// may be multiplied by `most_factor` while it goes on.
pub(super) fn backlog(plan: &Plan, most_factor: u64) -> usize {
    let peak = plan
        .offer
        .peak_records(plan.jobs, plan.weighing.mean())
        .saturating_mul(most_factor)
        .min(MOST_RECORDS);
    let by_size = peak / plan.slice_records as u64;
    let by_time = if plan.pacing == Pacing::Burst { 0 } else { 100 };
    2 * (u64::from(plan.jobs) + by_size + by_time) as usize * LATEST.as_secs() as usize
}

/// From when to when records were released.
#[derive(Debug, Clone, Copy)]
struct Offered {
    /// The intended times of the first and of the latest release.
    first: Instant,
    latest: Instant,
    /// Due seconds that had been paused until each of them.
    paused: (u64, u64),
}

/// The pacer's thread.
pub(super) struct Pace {
    ended: watch::Receiver<bool>,
    span: Arc<Mutex<Option<Offered>>>,
    pacing: Pacing,
    /// What ended a trace before its end.
    broken: Arc<Mutex<Option<TraceError>>>,
}

/// Releases of a trace that may wait for room: two hundred of ten milliseconds each, as many as two seconds have.
pub(super) const BACKLOG_OF_A_TRACE: usize = 400;

/// Bytes of recorded data that may wait for room.
const HELD_BYTES: usize = 64 * 1024 * 1024;

/// How long the player waits when the disk could not follow.
const HUNGRY: Duration = Duration::from_millis(2);

/// Waits for the first lines, ten seconds together.
const MOST_HUNGRY: u32 = 5_000;

impl Pace {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives none.
    pub(super) fn start(
        plan: Plan,
        told: std_mpsc::Receiver<Control>,
        give: mpsc::Sender<Due>,
        ledger: Arc<Ledger>,
    ) -> io::Result<Self> {
        let (end, ended) = watch::channel(false);
        let (span, pacing) = (Arc::default(), plan.pacing);
        let due: Arc<Mutex<Option<Offered>>> = Arc::clone(&span);
        std::thread::Builder::new().name("pacer".to_owned()).spawn(move || {
            let pacer = Pacer::new(plan, wall(), Instant::now());
            drive(pacer, &told, &ledger, |release| {
                let paused = ledger.with(|counts| counts.seconds_paused);
                note(&due, release.due, paused);
                if let Err(refused) = give.try_send(release.into()) {
                    let records = u64::from(refused.into_inner().release.records);
                    ledger.dropped(Dropped::WindowFull, records);
                }
            });
            // Closes the channel of releases, then tells.
            drop(give);
            end.send_replace(true);
        })?;
        Ok(Self { ended, span, pacing, broken: Arc::default() })
    }

    /// Starts to play a trace: the thread that releases it.
    ///
    /// # Errors
    /// When the system gives none.
    pub(super) fn replay(
        spool: Spool,
        rules: Rules,
        told: std_mpsc::Receiver<Control>,
        give: mpsc::Sender<Due>,
        ledger: Arc<Ledger>,
    ) -> io::Result<Self> {
        let (end, ended) = watch::channel(false);
        let (span, broken) = (Arc::default(), Arc::default());
        let pace =
            Self { ended, span: Arc::clone(&span), pacing: Pacing::Smooth, broken: Arc::clone(&broken) };
        std::thread::Builder::new().name("player".to_owned()).spawn(move || {
            let held = Arc::default();
            let error = play(&spool, Player::new(rules), &told, |mut due| {
                note(&span, due.release.due, 0);
                let records = u64::from(due.release.records);
                let has_room = due.hold(&held, HELD_BYTES);
                if !has_room || give.try_send(due).is_err() {
                    ledger.dropped(Dropped::WindowFull, records);
                }
            });
            *broken.lock().unwrap_or_else(PoisonError::into_inner) = error;
            drop(give);
            end.send_replace(true);
        })?;
        Ok(pace)
    }

    /// What ended a trace before its end; none while it is played.
    pub(super) fn broken(&self) -> Option<TraceError> {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) async fn ended(&mut self) {
        // An error means that the thread is gone, which is an end too.
        let _ = self.ended.wait_for(|&ended| ended).await;
    }

    /// How long the load was offered until `until`, when `paused` due seconds had been paused; none when nothing was due.
    /// A burst stands for its whole second, so the last one counts in full.
    pub(super) fn load_time(&self, until: Instant, paused: u64) -> Option<Duration> {
        let Offered { first, latest, paused: (before, then) } =
            (*self.span.lock().unwrap_or_else(PoisonError::into_inner))?;
        let (time, paused) = match self.pacing {
            Pacing::Burst => {
                (Duration::from_secs((latest - first).as_secs_f64().round() as u64 + 1), then - before)
            }
            Pacing::Smooth | Pacing::Poisson | Pacing::Stagger => {
                (until.saturating_duration_since(first), paused.saturating_sub(before))
            }
        };
        Some(time.saturating_sub(Duration::from_secs(paused)))
    }
}

/// Notes a release in the span of all.
fn note(span: &Mutex<Option<Offered>>, due: Instant, paused: u64) {
    let mut span = span.lock().unwrap_or_else(PoisonError::into_inner);
    let (first, before) = span.map_or((due, paused), |span| (span.first, span.paused.0));
    *span = Some(Offered { first, latest: due, paused: (before, paused) });
}

/// Releases what is due of a trace until it is over or stopped; what ended it before its end.
fn play(
    spool: &Spool,
    mut player: Player,
    control: &std_mpsc::Receiver<Control>,
    mut release: impl FnMut(Due),
) -> Option<TraceError> {
    let mut error = None;
    let wait = |player: &mut Player, time: Duration| match control.recv_timeout(time) {
        Ok(Control::Announce) | Err(std_mpsc::RecvTimeoutError::Timeout) => {}
        Ok(Control::Change(_, answer)) => drop(answer.send(Err(NoChange::Trace))),
        Ok(Control::Stop) | Err(std_mpsc::RecvTimeoutError::Disconnected) => player.stop(Instant::now()),
    };
    // Time does not run before the first lines are here; they were read before the run.
    for _ in 0..MOST_HUNGRY {
        match spool.take() {
            None => wait(&mut player, HUNGRY),
            Some(Ok(block)) => {
                player.feed(block);
                break;
            }
            Some(Err(found)) => return Some(found),
        }
    }
    loop {
        match player.step(wall(), Instant::now()) {
            Step::Release(due) => release(due),
            Step::Wait(until) => wait(&mut player, until.saturating_duration_since(Instant::now())),
            Step::Finished => return error,
            Step::Hungry => match spool.take() {
                None => wait(&mut player, HUNGRY),
                Some(Ok(block)) => player.feed(block),
                Some(Err(found)) => {
                    error = Some(found);
                    player.feed(None);
                }
            },
        }
    }
}
