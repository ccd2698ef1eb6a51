//! What the server shows: the phase of the run, the text of its metrics, its timeline, and how it is steered.
//!
//! Bounds how often the ledger is copied and rendered, however many ask; never answers with numbers older
//! than the question.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{self, Arc, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::sync::{Mutex, watch};
use tokio::time::Instant;

use super::control::Gate;
use super::feed::Feed;
use super::metrics::{Metrics, MetricsError};
use crate::ledger::{Ledger, Timeline};
use crate::verify::Board;

/// Shortest time between two renderings: a client that asks without a pause must not keep the ledger's lock
/// busy, for the senders wait for it.
const REST: Duration = Duration::from_millis(20);

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// No record was released yet.
    Starting = 0,
    /// Everything is ready, and the moment that was set for the start has not come.
    Waiting = 3,
    /// Records are released.
    Running = 1,
    /// No record is released any more; what is in flight is waited for.
    Draining = 2,
}

impl Phase {
    /// The phase in a word, as `/readyz` says it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Draining => "draining",
        }
    }
}

/// What a run is, for its page: nothing of it changes, and nothing of it is secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct About {
    /// The version of this program.
    pub version: String,
    /// The stream's name.
    pub stream: String,
    /// The producer's name.
    pub instance: String,
    /// Open shards at the start.
    pub shards: usize,
    /// Most requests under way at once.
    pub max_in_flight: u64,
    /// The load in words, as the start text has it.
    pub load: String,
    /// The names of its profile's phases; none where it has no phases to go on to.
    pub phases: Vec<String>,
    /// How long the load goes on, in milliseconds, where it has an end by time.
    pub duration: Option<u64>,
    /// Whether it can be steered.
    pub control: bool,
    /// Every setting in force, by its variable.
    pub settings: Vec<(String, String)>,
}

/// How a run is steered at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steered {
    /// Whether nothing becomes due.
    pub paused: bool,
    /// What the load is multiplied by, in thousandths.
    pub factor: u64,
}

impl Default for Steered {
    fn default() -> Self {
        Self { paused: false, factor: 1_000 }
    }
}

/// The shared state behind the server: cheap to clone.
#[derive(Debug, Clone)]
pub struct View {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    metrics: Metrics,
    phase: AtomicU8,
    last: Mutex<Option<Rendered>>,
    timeline: sync::Mutex<Kept>,
    /// How many samples were taken.
    sampled: watch::Sender<u64>,
    /// None in a process that only reads.
    ledger: Option<Arc<Ledger>>,
    about: OnceLock<About>,
    gate: OnceLock<Gate>,
    steered: sync::Mutex<Steered>,
    feed: Feed,
}

/// A timeline, and the moment from which it counts.
#[derive(Debug)]
struct Kept {
    began: std::time::Instant,
    began_at: SystemTime,
    timeline: Timeline,
}

impl Kept {
    fn new() -> Self {
        Self { began: std::time::Instant::now(), began_at: SystemTime::now(), timeline: Timeline::default() }
    }
}

/// A text, and the moment before its snapshot was taken.
#[derive(Debug)]
struct Rendered {
    at: Instant,
    text: Bytes,
}

impl View {
    /// A view of `ledger`, of a run that began at `started`, in the phase [`Phase::Starting`].
    #[must_use]
    pub fn new(ledger: Arc<Ledger>, started: SystemTime) -> Self {
        Self::of(Metrics::new(Arc::clone(&ledger), started), Some(ledger))
    }

    /// A view of a process that only reads, by what `board` tells; in the phase [`Phase::Starting`].
    #[must_use]
    pub fn of_reading(board: Arc<Board>, started: SystemTime) -> Self {
        Self::of(Metrics::of_reading(board, started), None)
    }

    fn of(metrics: Metrics, ledger: Option<Arc<Ledger>>) -> Self {
        let shared = Shared {
            metrics,
            phase: AtomicU8::new(Phase::Starting as u8),
            last: Mutex::new(None),
            timeline: sync::Mutex::new(Kept::new()),
            sampled: watch::Sender::new(0),
            ledger,
            about: OnceLock::new(),
            gate: OnceLock::new(),
            steered: sync::Mutex::default(),
            feed: Feed::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// The metrics.
    pub fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }

    /// Says what the run is; once.
    pub fn describe(&self, about: About) {
        // What was said first holds.
        let _ = self.shared.about.set(about);
    }

    /// Opens the gate of control; once.
    pub fn open_gate(&self, gate: Gate) {
        let _ = self.shared.gate.set(gate);
    }

    /// Says how the run is steered from now on.
    pub fn set_steered(&self, steered: Steered) {
        *self.shared.steered.lock().unwrap_or_else(PoisonError::into_inner) = steered;
    }

    /// How the run is steered now.
    pub fn steered(&self) -> Steered {
        *self.shared.steered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn about(&self) -> Option<&About> {
        self.shared.about.get()
    }

    pub(super) fn gate(&self) -> Option<&Gate> {
        self.shared.gate.get()
    }

    pub(super) fn feed(&self) -> &Feed {
        &self.shared.feed
    }

    pub(super) fn ledger(&self) -> Option<&Ledger> {
        self.shared.ledger.as_deref()
    }

    /// Says where the run stands from now on.
    pub fn set_phase(&self, phase: Phase) {
        self.shared.phase.store(phase as u8, Ordering::Release);
    }

    /// The timeline begins now: what it had is forgotten.
    pub fn begin_timeline(&self) {
        *self.kept() = Kept::new();
    }

    /// Lets `take` sample for the timeline, given how long ago that began; then all who wait hear of it.
    pub fn sample(&self, take: impl FnOnce(Duration, &mut Timeline)) {
        let mut kept = self.kept();
        let at = kept.began.elapsed();
        take(at, &mut kept.timeline);
        drop(kept);
        self.shared.sampled.send_modify(|samples| *samples += 1);
    }

    /// Notes on the timeline that something happens now.
    pub fn mark(&self, what: impl Into<String>) {
        let mut kept = self.kept();
        let at = kept.began.elapsed();
        kept.timeline.mark(at, what);
    }

    /// Looks at the timeline, and at the moment when it began. Short: the sampling waits meanwhile.
    pub fn timeline<T>(&self, look: impl FnOnce(&Timeline, SystemTime) -> T) -> T {
        let kept = self.kept();
        look(&kept.timeline, kept.began_at)
    }

    /// Tells of every sample, by how many there were.
    pub fn samples(&self) -> watch::Receiver<u64> {
        self.shared.sampled.subscribe()
    }

    fn kept(&self) -> sync::MutexGuard<'_, Kept> {
        self.shared.timeline.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the run stands.
    pub fn phase(&self) -> Phase {
        match self.shared.phase.load(Ordering::Acquire) {
            0 => Phase::Starting,
            1 => Phase::Running,
            3 => Phase::Waiting,
            _ => Phase::Draining,
        }
    }

    /// The text of the metrics, of a snapshot that was taken after this call; who asks at the same time
    /// gets the same text.
    pub(super) async fn scrape(&self) -> Result<Bytes, MetricsError> {
        let asked = Instant::now();
        let mut last = self.shared.last.lock().await;
        if let Some(rendered) = last.as_ref() {
            // Rendered while this call waited for the lock.
            if rendered.at > asked {
                return Ok(rendered.text.clone());
            }
            tokio::time::sleep_until(rendered.at + REST).await;
        }
        let at = Instant::now();
        let text = Bytes::from(self.metrics().text()?);
        *last = Some(Rendered { at, text: text.clone() });
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &Bytes) -> u64 {
        let text = std::str::from_utf8(text).expect("text");
        let line =
            text.lines().find(|line| line.starts_with("kinesis_streamer_records_due_total ")).expect("due");
        line.rsplit(' ').next().expect("a value").parse().expect("a number")
    }

    #[tokio::test(start_paused = true)]
    async fn a_scrape_is_never_older_than_its_question_and_never_sooner_than_the_rest() {
        let ledger = Arc::new(Ledger::new());
        let view = View::new(Arc::clone(&ledger), SystemTime::UNIX_EPOCH);
        let began = Instant::now();
        for due in 1..=10 {
            ledger.generated(1);
            assert_eq!(value(&view.scrape().await.expect("text")), due);
        }
        assert!(began.elapsed() >= 9 * REST, "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn many_who_ask_at_once_share_one_rendering() {
        let view = View::new(Arc::default(), SystemTime::UNIX_EPOCH);
        view.scrape().await.expect("text");
        let began = Instant::now();
        let asking: Vec<_> = (0..100)
            .map(|_| {
                let view = view.clone();
                tokio::spawn(async move { view.scrape().await.expect("text") })
            })
            .collect();
        for asked in asking {
            asked.await.expect("no panic");
        }
        assert!(began.elapsed() < 3 * REST, "{:?}", began.elapsed());
    }

    #[test]
    fn a_phase_is_told_as_it_was_set() {
        let view = View::new(Arc::default(), SystemTime::UNIX_EPOCH);
        assert_eq!(view.phase(), Phase::Starting);
        for phase in [Phase::Waiting, Phase::Running, Phase::Draining, Phase::Starting] {
            view.set_phase(phase);
            assert_eq!(view.phase(), phase);
        }
    }
}
