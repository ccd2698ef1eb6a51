//! Standard error, shared by the log and the progress line.
//!
//! A thread of its own writes, behind a bounded queue: a pager that stands still or a terminal that is
//! paused (Ctrl-S) must never hold up the run. Lines that find no room are left out, and their number is
//! told as soon as there is room again.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

use super::screen::{Screen, Terminal};

/// Most pieces of text that wait to be written.
const QUEUE: usize = 4_096;

#[derive(Debug)]
enum Piece {
    Text(Vec<u8>),
    Live(String),
    /// Everything before is written when this is received.
    Flush(SyncSender<()>),
}

/// Writes lines, and one live line, to one output. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Console {
    queue: SyncSender<Piece>,
    left_out: Arc<AtomicU64>,
    terminal: Terminal,
    /// Asks the width of the terminal, which changes when its window does.
    width: Option<fn() -> Option<usize>>,
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
        Ok(Self { queue, left_out, terminal, width: None })
    }

    /// With a question for the width of a live terminal, asked for every line: the line follows a resize.
    #[must_use]
    pub fn with_width(self, probe: fn() -> Option<usize>) -> Self {
        Self { width: Some(probe), ..self }
    }

    /// What the output can show now.
    pub fn terminal(&self) -> Terminal {
        let asked = self.width.filter(|_| self.terminal.live).and_then(|probe| probe());
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

    /// Waits until everything up to now is written, at most for `patience`; tells whether it is. Blocks the
    /// thread: for the end of the process, after the last of the run.
    pub fn flush(&self, patience: Duration) -> bool {
        let (done, wait) = sync_channel(1);
        // A full queue means that the output stands still; it gets no more room than `patience` either.
        let step = Duration::from_millis(1);
        let mut piece = Piece::Flush(done);
        let mut left = patience;
        while let Err(full) = self.queue.try_send(piece) {
            let std::sync::mpsc::TrySendError::Full(back) = full else { return false };
            if left.is_zero() {
                return false;
            }
            thread::sleep(step.min(left));
            left = left.saturating_sub(step);
            piece = back;
        }
        wait.recv_timeout(left).is_ok()
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
        let probe = || usize::try_from(WIDTH.load(Ordering::Relaxed)).ok().filter(|width| *width > 0);
        let console = |terminal| {
            Console::start(Output::default(), terminal)
                .map(|console| console.with_width(probe))
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
