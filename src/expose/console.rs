//! Standard error, shared by the log and the progress line.
//!
//! A thread of its own writes, behind a bounded queue: a pager that stands still or a terminal that is
//! paused (Ctrl-S) must never hold up the run. Lines that find no room are left out, and their number is
//! told as soon as there is room again.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

use super::held::Pane;
use super::screen::{Screen, Terminal};

/// Most pieces of text that wait to be written.
const QUEUE: usize = 4_096;

#[derive(Debug)]
enum Piece {
    Text(Vec<u8>),
    Live(String),
    /// The whole screen is given away, by these bytes.
    Give(&'static [u8], Pane),
    /// Bytes of who has it; what is set is cleared when they are written.
    Paint(Vec<u8>, Arc<AtomicBool>),
    /// It is taken back, by these bytes.
    TakeBack(&'static [u8]),
    /// Everything before is written when this is received.
    Flush(SyncSender<()>),
}

/// A question for the columns and lines of a terminal.
type Size = fn() -> Option<(u16, u16)>;

/// Writes lines, and one live line, to one output. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Console {
    queue: SyncSender<Piece>,
    left_out: Arc<AtomicU64>,
    terminal: Terminal,
    /// Asks the columns and lines of the terminal, which change when its window does.
    size: Option<Size>,
    /// Whether a frame waits to be written.
    painting: Arc<AtomicBool>,
    /// The bytes that give the whole screen back, while it is given away.
    given: Arc<Mutex<Option<&'static [u8]>>>,
}

impl Console {
    /// Starts the thread that writes to `out`. It ends with the last clone.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(out: impl Write + Send + 'static, terminal: Terminal) -> io::Result<Self> {
        Self::with_queue(out, terminal, QUEUE)
    }

    fn with_queue(out: impl Write + Send + 'static, terminal: Terminal, room: usize) -> io::Result<Self> {
        let (queue, pieces) = sync_channel(room);
        let left_out = Arc::new(AtomicU64::new(0));
        let told = Arc::clone(&left_out);
        thread::Builder::new().name("console".to_owned()).spawn(move || write_all(out, &pieces, &told))?;
        let (painting, given) = (Arc::default(), Arc::default());
        Ok(Self { queue, left_out, terminal, size: None, painting, given })
    }

    /// With a question for the columns and lines of a live terminal, asked for every line: the line follows a resize.
    #[must_use]
    pub fn with_size(self, probe: fn() -> Option<(u16, u16)>) -> Self {
        Self { size: Some(probe), ..self }
    }

    /// The columns and lines of a live terminal, where they can be told.
    pub fn size(&self) -> Option<(u16, u16)> {
        self.size.filter(|_| self.terminal.live).and_then(|probe| probe())
    }

    /// What the output can show now.
    pub fn terminal(&self) -> Terminal {
        let asked = self.size().map(|(width, _)| usize::from(width));
        Terminal { width: asked.or(self.terminal.width), ..self.terminal }
    }

    /// Writes a text as lines of its own.
    pub fn print(&self, text: &str) {
        let mut line = text.as_bytes().to_vec();
        if !text.ends_with('\n') {
            line.push(b'\n');
        }
        self.send(Piece::Text(line));
    }

    /// Shows how the run goes: in place of the line before where the output is live, else as a line of its own.
    pub fn progress(&self, line: String) {
        if self.terminal.live {
            self.send(Piece::Live(line));
        } else {
            self.print(&line);
        }
    }

    /// Takes the live line away.
    pub fn end_progress(&self) {
        if self.terminal.live {
            self.send(Piece::Live(String::new()));
        }
    }

    /// Gives the whole screen away, by `enter`, until [`Console::take_back`], by `leave`: what is printed waits until
    /// then, and its last lines are in the pane.
    pub fn give(&self, enter: &'static [u8], leave: &'static [u8]) -> Pane {
        let pane = Pane::default();
        *self.given() = Some(leave);
        self.send(Piece::Give(enter, pane.clone()));
        pane
    }

    /// Bytes for the whole screen. False when they will not be written, because the frame before is not written yet
    /// or there is no room: who drew them has to begin anew.
    pub fn paint(&self, bytes: Vec<u8>) -> bool {
        if self.painting.swap(true, Ordering::AcqRel) {
            return false;
        }
        let sent = self.queue.try_send(Piece::Paint(bytes, Arc::clone(&self.painting))).is_ok();
        if !sent {
            self.painting.store(false, Ordering::Release);
        }
        sent
    }

    /// Whether a frame would be written now.
    pub fn can_paint(&self) -> bool {
        !self.painting.load(Ordering::Acquire)
    }

    /// Takes the whole screen back, waiting for room at most `patience`; false when it was not given away.
    pub fn take_back(&self, patience: Duration) -> bool {
        let Some(leave) = self.given().take() else { return false };
        self.queue_up(Piece::TakeBack(leave), patience);
        true
    }

    fn given(&self) -> MutexGuard<'_, Option<&'static [u8]>> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until everything up to now is written, at most for `patience`; tells whether it is. Blocks the
    /// thread: for the end of the process, after the last of the run.
    pub fn flush(&self, patience: Duration) -> bool {
        let (done, wait) = sync_channel(1);
        let left = self.queue_up(Piece::Flush(done), patience);
        left.is_some_and(|left| wait.recv_timeout(left).is_ok())
    }

    /// Waits for room at most `patience`; what is left of that, and none when there was no room.
    fn queue_up(&self, mut piece: Piece, patience: Duration) -> Option<Duration> {
        // A full queue means that the output stands still; it gets no more room than `patience` either.
        let step = Duration::from_millis(1);
        let mut left = patience;
        while let Err(full) = self.queue.try_send(piece) {
            let std::sync::mpsc::TrySendError::Full(back) = full else { return None };
            if left.is_zero() {
                return None;
            }
            thread::sleep(step.min(left));
            left = left.saturating_sub(step);
            piece = back;
        }
        Some(left)
    }

    fn send(&self, piece: Piece) {
        if self.queue.try_send(piece).is_err() {
            self.left_out.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The thread: writes piece by piece until the last sender is gone. Errors of the output are dropped: there
/// is no other place to tell them.
fn write_all(out: impl Write, pieces: &Receiver<Piece>, left_out: &AtomicU64) {
    let mut screen = Screen::new(out);
    for piece in pieces {
        let missing = left_out.swap(0, Ordering::Relaxed);
        if missing > 0 {
            let lines = if missing == 1 { "line was" } else { "lines were" };
            let note = format!("({missing} {lines} left out: standard error was not read fast enough)\n");
            let _ = screen.write(note.as_bytes());
        }
        match piece {
            Piece::Text(text) => drop(screen.write(&text)),
            Piece::Live(line) => drop(screen.live(line)),
            Piece::Give(enter, pane) => drop(screen.give(enter, pane)),
            Piece::Paint(bytes, painting) => {
                drop(screen.paint(&bytes));
                painting.store(false, Ordering::Release);
            }
            Piece::TakeBack(leave) => drop(screen.take_back(leave)),
            Piece::Flush(done) => drop(done.send(())),
        }
    }
    let _ = screen.live(String::new());
}

impl<'a> MakeWriter<'a> for Console {
    type Writer = ConsoleWriter<'a>;

    fn make_writer(&'a self) -> ConsoleWriter<'a> {
        ConsoleWriter { console: self, text: Vec::new() }
    }
}

/// Collects the text of one log event and hands it over whole.
#[derive(Debug)]
pub struct ConsoleWriter<'a> {
    console: &'a Console,
    text: Vec<u8>,
}

impl Write for ConsoleWriter<'_> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.text.is_empty() {
            self.console.send(Piece::Text(std::mem::take(&mut self.text)));
        }
        Ok(())
    }
}

impl Drop for ConsoleWriter<'_> {
    fn drop(&mut self) {
        // Never fails: see above.
        let _ = self.flush();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use super::*;

    const NEVER: Duration = Duration::from_secs(60);
    const LIVE: Terminal = Terminal { live: true, colour: false, width: Some(80) };

    /// An output that can be looked at, and held up.
    #[derive(Clone, Default)]
    struct Output(Arc<Mutex<Vec<u8>>>);

    impl Output {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()).expect("text")
        }
    }

    impl Write for Output {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(text);
            Ok(text.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn log_events_and_the_live_line_do_not_mix() {
        let output = Output::default();
        let console = Console::start(output.clone(), LIVE).expect("a thread");
        let subscriber = tracing_subscriber::fmt()
            .with_writer(console.clone())
            .with_ansi(false)
            .without_time()
            .with_target(false)
            .finish();
        console.progress("live".to_owned());
        tracing::subscriber::with_default(subscriber, || tracing::info!(shard = 3, "throttled"));
        console.end_progress();
        console.print("summary");
        assert!(console.flush(NEVER));
        assert_eq!(output.text(), "live\r\x1b[2K INFO throttled shard=3\nlive\r\x1b[2Ksummary\n");
    }

    #[test]
    fn without_a_live_terminal_progress_is_a_line_of_its_own() {
        let output = Output::default();
        let console = Console::start(output.clone(), Terminal::PLAIN).expect("a thread");
        console.progress("one".to_owned());
        console.progress("two".to_owned());
        console.end_progress();
        assert!(console.flush(NEVER));
        assert_eq!(output.text(), "one\ntwo\n");
    }

    #[test]
    fn a_live_terminals_width_is_asked_each_time_and_the_first_one_holds_when_nobody_tells() {
        static WIDTH: AtomicU64 = AtomicU64::new(0);
        let probe =
            || u16::try_from(WIDTH.load(Ordering::Relaxed)).ok().filter(|width| *width > 0).zip(Some(24));
        let console = |terminal| {
            Console::start(Output::default(), terminal)
                .map(|console| console.with_size(probe))
                .expect("a thread")
        };
        let (live, plain) = (console(LIVE), console(Terminal::PLAIN));
        assert_eq!(live.terminal(), LIVE);
        for width in [120, 40] {
            WIDTH.store(width, Ordering::Relaxed);
            assert_eq!(live.terminal(), Terminal { width: usize::try_from(width).ok(), ..LIVE });
            assert_eq!(plain.terminal(), Terminal::PLAIN);
        }
    }

    #[test]
    fn a_frame_waits_for_nobody_and_the_screen_is_taken_back_once() {
        let output = Output::default();
        let console = Console::start(output.clone(), LIVE).expect("a thread");
        assert!(!console.take_back(NEVER));
        let pane = console.give(b"<", b">");
        let stuck = output.0.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(console.paint(b"frame".to_vec()));
        assert!(!console.can_paint() && !console.paint(b"lost".to_vec()));
        console.print("waits");
        drop(stuck);
        assert!(console.flush(NEVER) && console.can_paint());
        assert_eq!((output.text().as_str(), pane.lines()), ("<frame", vec!["waits".to_owned()]));
        assert!(console.take_back(NEVER) && !console.take_back(NEVER));
        assert!(console.paint(b"too late".to_vec()));
        assert!(console.flush(NEVER));
        assert_eq!(output.text(), "<frame>waits\n");
    }

    #[test]
    fn an_output_that_stands_still_holds_nobody_up_and_the_gap_is_told() {
        let output = Output::default();
        let console = Console::with_queue(output.clone(), Terminal::PLAIN, 2).expect("a thread");
        let stuck = output.0.lock().unwrap_or_else(PoisonError::into_inner);
        for line in 0..10 {
            console.print(&line.to_string()); // returns at once although nothing is written
        }
        assert!(!console.flush(Duration::ZERO));
        drop(stuck);
        assert!(console.flush(NEVER));
        // One line was perhaps in the thread's hands and two waited; the rest are counted as left out.
        let text = output.text();
        let lines = text.lines().filter(|line| line.parse::<u64>().is_ok()).count();
        let told =
            text.lines().find_map(|line| line.strip_prefix('(')?.split(' ').next()?.parse::<usize>().ok());
        assert_eq!(lines + told.expect("the gap is told"), 10, "{text}");
    }
}
