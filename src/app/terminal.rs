//! The whole terminal for a run: frames out, keys in, until it is over.
//!
//! Two threads of its own, so that neither a slow terminal nor a slow drawing is in the way of the run: one draws, one
//! waits for keys. What is drawn is decided in `expose::tui`, the bytes are written by the console.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, mpsc as std_mpsc};
use std::thread;
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{self, Event, KeyEvent};
use ratatui::crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use tokio::sync::mpsc;

use super::sampling::{SEAM, span_at, to_the_next};
use crate::expose::tui::{Delay, ENTER, Helm, LEAVE, Painter, Press, Scene, ShardNow, Theme, columns, press};
use crate::expose::{
    Around, Console, Follow, Goal, Pane, Phase, Progress, Recent, View, limiting, processors,
};
use crate::ledger::{Ledger, Snapshot};
use crate::schedule::wall;

/// How often a frame is drawn when no key asks for one.
const FRAME: Duration = Duration::from_millis(250);

/// So long after the seam of two spans is the first frame of the second: the sampler has been there then.
const AFTER: Duration = Duration::from_millis(20);

/// A second that a step of the wall clock made is not shorter than this.
const LEAST: Duration = Duration::from_millis(500);

/// How long the thread that reads keys takes to see that the run is over.
const LISTEN: Duration = Duration::from_millis(100);

/// How long the end of a run waits for its last frame, and for the terminal to be given back.
const PATIENCE: Duration = Duration::from_secs(2);

/// Keys that wait for the drawing thread: more than anybody types in a frame.
const MOST_KEYS: usize = 64;

/// Most columns that a chart can have.
const MOST_COLUMNS: usize = 300;

/// The size of a terminal that tells none.
const USUAL: (u16, u16) = (80, 24);

/// What a key that stops the run is told to, by its name.
pub type Stops = mpsc::Sender<&'static str>;

/// What the screen says of a run besides its numbers.
pub(super) struct Facts {
    /// The stream and its shards, in words.
    pub stream: String,
    pub goal: Goal,
    pub max_in_flight: u64,
    pub stops: Option<Stops>,
    /// Who steers the run; none: it can't be steered.
    pub helm: Option<Arc<dyn Helm>>,
}

/// The terminal while a run has it; given back at its end, or when it is dropped.
pub(super) struct FullScreen {
    tell: SyncSender<Told>,
    console: Console,
    over: Arc<AtomicBool>,
}

/// What the drawing thread is told.
enum Told {
    Key(KeyEvent),
    Resized,
    /// No key will come.
    Keyless,
    /// The last frame, then the sender is dropped.
    End(std_mpsc::Sender<()>),
}

impl FullScreen {
    /// Takes the terminal of `console`, which must be live.
    ///
    /// # Errors
    /// When the system gives no thread; the terminal is as it was then.
    pub(super) fn begin(
        facts: Facts,
        view: View,
        ledger: Arc<Ledger>,
        console: Console,
    ) -> std::io::Result<Self> {
        let (tell, told) = sync_channel(MOST_KEYS);
        let full = Self { tell: tell.clone(), console: console.clone(), over: Arc::default() };
        let keys = match enable_raw_mode() {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!("keys can't be read, because there is no terminal to read them from: {error}");
                false
            }
        };
        let pane = console.give(ENTER, LEAVE);
        let theme = Theme::new(console.terminal().colour);
        let drawing = Drawing {
            facts,
            keys,
            pane,
            view,
            ledger,
            console,
            painter: Painter::new(theme),
            began: Instant::now(),
            past: Past::default(),
            tenths: false,
            help: false,
        };
        thread::Builder::new().name("screen".to_owned()).spawn(move || drawing.live(&told))?;
        if keys {
            let over = Arc::clone(&full.over);
            thread::Builder::new().name("keys".to_owned()).spawn(move || listen(&tell, &over))?;
        }
        Ok(full)
    }

    /// Draws the last moment of the run, and gives the terminal back.
    pub(super) async fn end(self) {
        let (done, last) = std_mpsc::channel();
        let asked = self.tell.try_send(Told::End(done)).is_ok();
        // Bounded: a drawing takes milliseconds.
        if asked && tokio::task::spawn_blocking(move || last.recv_timeout(PATIENCE)).await.is_err() {
            tracing::debug!("the last frame was not drawn");
        }
    }
}

impl Drop for FullScreen {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        give_terminal_back(&self.console);
    }
}

/// Gives the terminal back where a run has it, whatever happens: for panics and ends without a word. True when a run
/// had it.
pub fn give_terminal_back(console: &Console) -> bool {
    let had = console.take_back(PATIENCE);
    if had {
        // Nothing is left to be done about a terminal that does not take its old mode back.
        let _ = disable_raw_mode();
    }
    had
}

/// Waits for keys until the run is over.
fn listen(tell: &SyncSender<Told>, over: &AtomicBool) {
    while !over.load(Ordering::Acquire) {
        let told = match event::poll(LISTEN) {
            Ok(false) => continue,
            Ok(true) => match event::read() {
                Ok(Event::Key(key)) => Told::Key(key),
                Ok(Event::Resize(..)) => Told::Resized,
                Ok(_) => continue,
                Err(_) => Told::Keyless,
            },
            Err(_) => Told::Keyless,
        };
        let last = matches!(told, Told::Keyless);
        // A key that finds no room is one of many.
        if matches!(tell.try_send(told), Err(std_mpsc::TrySendError::Disconnected(_))) || last {
            return;
        }
    }
}

/// The numbers at both ends of the last whole second, which is one of the wall clock: what is due at a full second is
/// not cut in two, and counts as so much a second however late a frame is.
#[derive(Default)]
struct Past {
    older: Moment,
    newer: Moment,
}

#[derive(Default)]
struct Moment {
    at: Duration,
    /// Which span of the timeline it is in; none before the first frame.
    span: Option<u64>,
    counts: Snapshot,
}

impl Past {
    /// Remembers the first moment of each span; one that is too short becomes part of the next.
    fn pass(&mut self, at: Duration, wall: Duration, now: &Snapshot) {
        let span = Some(span_at(wall));
        if span == self.newer.span {
            return;
        }
        if self.newer.span.is_none() || at < self.newer.at + LEAST {
            self.newer.span = span;
            return;
        }
        let newer = Moment { at, span, counts: now.clone() };
        self.older = std::mem::replace(&mut self.newer, newer);
    }
}

/// How long it is to the next frame: four in a second of the wall clock, one of them where a span begins.
fn until_frame(wall: Duration) -> Duration {
    to_the_next(FRAME, SEAM + AFTER, wall)
}

struct Drawing {
    facts: Facts,
    keys: bool,
    pane: Pane,
    view: View,
    ledger: Arc<Ledger>,
    console: Console,
    painter: Painter,
    began: Instant,
    past: Past,
    tenths: bool,
    help: bool,
}

impl Drawing {
    /// Draws until it is told that the run is over.
    fn live(mut self, told: &Receiver<Told>) {
        let mut follow = Follow::new(self.facts.goal);
        let mut next = Instant::now();
        loop {
            match told.recv_timeout(next.saturating_duration_since(Instant::now())) {
                Ok(Told::End(done)) => {
                    self.last(&mut follow);
                    drop(done);
                    return;
                }
                Ok(Told::Key(key)) => self.obey(key),
                Ok(Told::Resized) => self.painter.forget(),
                Ok(Told::Keyless) => self.keys = false,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            // A terminal that is slow gets fewer frames.
            if self.console.can_paint() {
                self.paint(&mut follow);
            }
            next = Instant::now() + until_frame(wall());
        }
    }

    fn obey(&mut self, key: KeyEvent) {
        let steering = self.facts.helm.as_ref().map(|helm| helm.stands());
        match press(key, steering) {
            Some(Press::Stop(by)) => {
                if let Some(stops) = &self.facts.stops {
                    // Whoever is told already needs no third word.
                    let _ = stops.try_send(by);
                }
            }
            Some(Press::Steer(wish)) => {
                if let Some(helm) = &self.facts.helm {
                    helm.steer(wish);
                }
            }
            Some(Press::Tenths) => self.tenths = !self.tenths,
            Some(Press::Help) => self.help = !self.help,
            Some(Press::Redraw) => self.painter.forget(),
            None => {}
        }
    }

    /// The last frame has the last numbers, however slow the terminal is.
    fn last(&mut self, follow: &mut Follow) {
        let until = Instant::now() + PATIENCE;
        while !self.console.can_paint() && Instant::now() < until {
            thread::sleep(Duration::from_millis(1));
        }
        self.paint(follow);
    }

    fn paint(&mut self, follow: &mut Follow) {
        let scene = self.scene(follow);
        let size = self.console.size().unwrap_or(USUAL);
        let painted = self.painter.paint(&scene, size);
        if !painted.is_ok_and(|bytes| self.console.paint(bytes)) {
            self.painter.forget();
        }
    }

    fn scene(&mut self, follow: &mut Follow) -> Scene {
        let (at, counts) = (self.began.elapsed(), self.ledger.snapshot());
        self.past.pass(at, wall(), &counts);
        let (earlier, later) = (&self.past.older, &self.past.newer);
        let lately = later.at.saturating_sub(earlier.at);
        let progress = Progress::between(&earlier.counts, &later.counts, lately, at);
        let shards = ShardNow::between(&earlier.counts, &later.counts);
        let steering = self.facts.helm.as_ref().map(|helm| helm.stands());
        let phase = match self.view.phase() {
            // The phase is set where the wire is made warm, which may be later than the first record.
            Phase::Starting if counts.due > 0 => Phase::Running,
            phase => phase,
        };
        let around = Around {
            phase,
            paused: steering.is_some_and(|steering| steering.paused),
            dropped: (progress.window_full, progress.late),
            processors: processors(),
            shards: shards.len(),
            max_in_flight: self.facts.max_in_flight,
        };
        let (columns, delays, (_, limit)) = self.view.timeline(|timeline, _| {
            let limit = limiting(&Recent::of(timeline, around));
            let columns = columns(timeline, self.tenths, MOST_COLUMNS);
            (columns, Delay::last(timeline.spans(), MOST_COLUMNS), limit)
        });
        Scene {
            stream: self.facts.stream.clone(),
            phase,
            course: follow.at(at, counts.due, progress.due_per_second),
            limit,
            progress,
            counts,
            columns,
            delays,
            shards,
            lately,
            log: self.pane.lines(),
            steering,
            keys: self.keys,
            tenths: self.tenths,
            help: self.help,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::crash::on_panic;
    use crate::expose::Terminal;

    #[test]
    fn a_burst_counts_as_so_much_a_second_whenever_keys_ask_for_frames() {
        let (mut past, mut rates) = (Past::default(), Vec::new());
        let (began, mut wall) = (Duration::from_millis(50_700), Duration::from_millis(50_700));
        // 1,000 records at each full second; every third frame is one that a key asks for.
        for frame in 0..60_u64 {
            let at = wall - began;
            past.pass(at, wall, &Snapshot { due: 1_000 * (wall.as_secs() - 50), ..Snapshot::default() });
            if past.older.at > Duration::ZERO {
                let records = past.newer.counts.due - past.older.counts.due;
                rates.push(records as f64 / (past.newer.at - past.older.at).as_secs_f64());
            }
            let next = until_frame(wall) + Duration::from_millis(3);
            wall += if frame % 3 == 0 { next / 2 } else { next };
        }
        let is_right = |rate: &f64| (950.0..1_050.0).contains(rate);
        assert!(rates.len() > 30 && rates.iter().all(is_right), "{rates:?}");
    }

    #[test]
    fn a_frame_is_drawn_where_a_span_begins() {
        for millis in [0, 550, 569, 571, 819, 999] {
            let next = Duration::from_millis(millis) + until_frame(Duration::from_millis(millis));
            assert!(
                next > Duration::from_millis(millis) && (next.as_millis() + 250 - 70).is_multiple_of(250),
                "{next:?}"
            );
        }
    }

    #[test]
    #[ignore = "the other half of the test below, which runs it in a process of its own"]
    fn a_process_that_panics_while_it_has_the_screen() {
        let live = Terminal { live: true, colour: false, width: None };
        let console = Console::start(std::io::stderr(), live).expect("a thread");
        let given = console.clone();
        on_panic(move |words| {
            give_terminal_back(&given);
            given.print(&format!("last words: {words}"));
            given.flush(PATIENCE);
            std::process::exit(70);
        });
        console.give(ENTER, LEAVE);
        console.print("logged while the screen was given away");
        assert!(console.paint(b"a frame".to_vec()));
        panic!("on purpose");
    }

    #[test]
    fn a_panic_gives_the_terminal_back_before_its_last_words() {
        let mut child = Command::new(std::env::current_exe().expect("this binary"));
        let name = "app::terminal::tests::a_process_that_panics_while_it_has_the_screen";
        child.args(["--exact", name, "--ignored", "--nocapture"]);
        let output = child.output().expect("a process");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(70), "{told:?}");
        let [enter, leave] = [ENTER, LEAVE].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let (_, rest) = told.split_once(&enter).expect("a screen");
        let (frame, rest) = rest.split_once(&leave).expect("its end");
        assert_eq!(frame, "a frame");
        let (logged, words) = (rest.find("logged while"), rest.find("last words: "));
        assert!(logged.is_some() && logged < words && rest.contains("on purpose"), "{told:?}");
    }
}
