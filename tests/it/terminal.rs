//! Runs on a real pseudo-terminal: the whole screen, the live line with its bar, and what they leave behind.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::num::NonZeroU16;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use vt100::Parser;

use crate::support::Program;

/// Longer than anything here takes on a machine that is busy with other things; nothing waits for it in vain.
const LIMIT: Duration = Duration::from_secs(60);

/// Back from the screen of its own.
const LEAVE: &[u8] = b"\x1b[0m\x1b[?25h\x1b[?1049l";

/// A program on a terminal, of which we are the other end.
struct Session {
    child: Child,
    terminal: File,
    written: Receiver<Vec<u8>>,
    all: Vec<u8>,
    parser: Parser,
}

impl Session {
    /// Starts it on a terminal of `lines` and `columns`.
    fn start(program: Program, (lines, columns): (u16, u16)) -> Self {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
        grantpt(&terminal).expect("granted");
        unlockpt(&terminal).expect("unlocked");
        resize(&terminal, lines, columns);
        let name = ptsname(&terminal, Vec::new()).expect("a name").into_string().expect("a path");
        let slave =
            || Stdio::from(File::options().read(true).write(true).open(&name).expect("its other end"));
        let mut command = program.env("TERM", "xterm-256color").into_command();
        let child = command.stdin(slave()).stdout(slave()).stderr(slave()).spawn().expect("it starts");
        drop(command);
        let terminal = File::from(terminal);
        let (tell, written) = channel();
        let mut reader = terminal.try_clone().expect("another handle");
        thread::spawn(move || {
            let mut bytes = [0; 4_096];
            loop {
                match reader.read(&mut bytes) {
                    Ok(read) if read > 0 => drop(tell.send(bytes[..read].to_vec())),
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    // Nobody holds the other end any more.
                    _ => return,
                }
            }
        });
        Self { child, terminal, written, all: Vec::new(), parser: parser((lines, columns)) }
    }

    fn keys(&mut self, keys: &str) {
        self.terminal.write_all(keys.as_bytes()).expect("typed");
    }

    /// Waits until what the terminal shows satisfies `shows`.
    fn wait(&mut self, what: &str, shows: impl Fn(&str) -> bool) -> String {
        let until = Instant::now() + LIMIT;
        loop {
            let screen = self.parser.screen().contents();
            if shows(&screen) {
                return screen;
            }
            match self.written.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.take(&bytes),
                Err(RecvTimeoutError::Timeout) => panic!("no {what} on:\n{screen}"),
                Err(RecvTimeoutError::Disconnected) => panic!("it ended without {what}:\n{screen}"),
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.parser.process(bytes);
        self.all.extend_from_slice(bytes);
    }

    /// Waits for its end: the exit code, and everything that it wrote.
    fn finish(&mut self) -> (i32, Vec<u8>) {
        while let Ok(bytes) = self.written.recv_timeout(LIMIT) {
            self.take(&bytes);
        }
        let code = self.child.wait().expect("an end").code().expect("no signal killed it");
        (code, std::mem::take(&mut self.all))
    }

    fn resize(&mut self, (lines, columns): (u16, u16)) {
        resize(&self.terminal, lines, columns);
        self.parser.screen_mut().set_size(some(lines), some(columns));
    }

    fn is_raw(&self) -> bool {
        let modes = tcgetattr(&self.terminal).expect("modes").local_modes;
        !modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn some(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).expect("a terminal has lines and columns")
}

fn parser((lines, columns): (u16, u16)) -> Parser {
    Parser::new(some(lines), some(columns), 2_000)
}

fn resize(terminal: &impl std::os::fd::AsFd, lines: u16, columns: u16) {
    let size = Winsize { ws_row: lines, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(terminal, size).expect("a size");
}

/// A run on the whole terminal.
fn on_screen(arguments: &[&str]) -> Program {
    let usual = ["--tui", "--local=4", "--rate=500/s", "--pacing=smooth"];
    Program::new(&[&usual, arguments].concat()).env("STREAMER_LISTEN", "off")
}

/// The number behind a word, in a text of lines.
fn number(text: &str, word: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| {
        let line = line.trim_start_matches(|letter: char| !letter.is_alphabetic());
        line.strip_prefix(word).filter(|rest| rest.starts_with(' '))
    })?;
    line.split_whitespace().next()?.replace(',', "").parse().ok()
}

/// What stood on the screen last before it was given back, by all that was written; and what is there afterwards.
fn last_screen(written: &[u8], (lines, columns): (u16, u16)) -> (String, Parser) {
    let at =
        written.windows(LEAVE.len()).rposition(|bytes| bytes == LEAVE).expect("the screen is given back");
    let mut parser = parser((lines, columns));
    parser.process(&written[..at]);
    assert!(parser.screen().alternate_screen() && parser.screen().hide_cursor());
    let last = parser.screen().contents();
    parser.process(&written[at..]);
    (last, parser)
}

/// The right column of a wide screen: there stands the ledger.
fn ledger(screen: &str) -> String {
    let right = |line: &str| line.split('│').rfind(|part| !part.trim().is_empty()).map(str::to_owned);
    screen.lines().filter_map(right).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_whole_screen_shows_the_numbers_of_the_end_and_leaves_the_terminal_as_it_was() {
    let size = (40, 120);
    let mut session = Session::start(on_screen(&["--duration=1h"]), size);
    assert!(!session.is_raw());
    session.wait("ledger", |screen| screen.contains("The ledger") && screen.contains("running"));
    assert!(session.is_raw());
    session.wait("records", |screen| number(&ledger(screen), "sent").is_some_and(|sent| sent > 500));
    session.keys("?");
    session.wait("help", |screen| screen.contains("Kinesis answered with a sequence number"));
    session.keys("?t");
    session.wait("tenths", |screen| screen.contains("a column 0.1 s") && !screen.contains("answered with a"));
    // The window is drawn smaller, and larger again.
    session.resize((20, 60));
    session.keys("x");
    session.wait("narrow screen", |screen| {
        screen.lines().all(|line| line.chars().count() <= 60)
            && screen.contains("The ledger")
            && screen.contains("q stop")
    });
    session.resize(size);
    session.keys("q");
    let (code, written) = session.finish();
    assert_eq!(code, 0);
    assert!(!session.is_raw());
    let (last, after) = last_screen(&written, size);
    assert!(!after.screen().alternate_screen() && !after.screen().hide_cursor());
    let summary = String::from_utf8_lossy(&written[written.len() - 4_000.min(written.len())..]).into_owned();
    assert!(summary.contains("ended by the key q"), "{summary}");
    let shown = ledger(&last);
    for word in ["due", "generated", "sent", "failed", "unknown", "dropped"] {
        let told = number(&summary, word).unwrap_or_else(|| panic!("no {word} in {summary}"));
        assert_eq!(
            number(&shown, word),
            Some(told),
            "{word} on the last screen:\n{last}\nand in:\n{summary}"
        );
    }
    assert_eq!(number(&shown, "in flight"), Some(0), "{last}");
    assert!(last.contains("every record adds up"), "{last}");
    // What was logged meanwhile is there afterwards, and before the screen stood the start text.
    let text = String::from_utf8_lossy(&written).into_owned();
    let (begin, stop) =
        (text.find("capacity").expect("the start text"), text.rfind("stopping: no new ticks"));
    let (enter, leave) =
        (text.find("\x1b[?1049h").expect("a screen"), text.rfind("\x1b[?1049l").expect("its end"));
    assert!(begin < enter && leave < stop.expect("the log"), "{summary}");
}

#[test]
fn a_signal_gives_the_terminal_back_too() {
    let size = (24, 80);
    let mut session = Session::start(on_screen(&[]), size);
    session.wait("ledger", |screen| screen.contains("The ledger") && screen.contains("running"));
    let killed = std::process::Command::new("kill").arg("-TERM").arg(session.child.id().to_string()).status();
    assert!(killed.expect("kill").success());
    let (code, written) = session.finish();
    assert_eq!(code, 0);
    assert!(!session.is_raw());
    let (_, after) = last_screen(&written, size);
    assert!(!after.screen().alternate_screen() && !after.screen().hide_cursor());
    assert!(String::from_utf8_lossy(&written).contains("ended by SIGTERM"));
}

#[test]
fn without_colours_the_screen_has_none() {
    let mut session = Session::start(on_screen(&["--max-records=1000"]).env("NO_COLOR", "1"), (30, 100));
    let (code, written) = session.finish();
    assert_eq!(code, 0);
    let (last, _) = last_screen(&written, (30, 100));
    assert!(last.contains("100 %") && last.contains("1,000"), "{last}");
    let text = String::from_utf8_lossy(&written).into_owned();
    // Select graphic rendition with a colour: 30 to 49, or 38;5;n.
    let coloured = text.split("\x1b[").skip(1).any(|rest| {
        let end = rest.find(|letter: char| !(letter.is_ascii_digit() || letter == ';')).unwrap_or(0);
        let codes = rest[..end].split(';').filter_map(|code| code.parse::<u8>().ok());
        rest[end..].starts_with('m')
            && codes.clone().any(|code| (30..=38).contains(&code) || (40..=48).contains(&code))
    });
    assert!(!coloured);
}

#[test]
fn the_live_line_of_a_run_with_an_end_has_a_bar() {
    let arguments = ["--local=2", "--rate=200/s", "--pacing=smooth", "--duration=4s"];
    let program = || Program::new(&arguments).env("STREAMER_LISTEN", "off");
    let mut session = Session::start(program(), (24, 110));
    session.wait("bar", |screen| screen.lines().any(|line| line.contains("[██") && line.contains(" % ")));
    let (code, written) = session.finish();
    assert_eq!(code, 0);
    // What is left behind has no bar: the summary stands where the line was.
    let last = session.parser.screen().contents();
    assert!(!last.contains("[██") && last.contains("All 800 records were sent."), "{last}");
    assert!(String::from_utf8_lossy(&written).contains("0:00:0"));
    // Into a pipe goes no bar, and nothing that steers a terminal.
    let piped = program().finish();
    assert!(!piped.stderr.contains(['█', '\x1b', '\r']), "{}", piped.stderr);
}

#[test]
fn the_whole_screen_needs_a_terminal_and_no_log_for_machines() {
    let piped = on_screen(&["--max-records=1"]).finish();
    assert_eq!(piped.code, 64, "{}", piped.stderr);
    assert!(piped.stderr.contains("--tui") && piped.stderr.contains("needs a terminal"), "{}", piped.stderr);
    let both = on_screen(&["--log-format=json"]).finish();
    assert_eq!(both.code, 64, "{}", both.stderr);
    assert!(both.stderr.contains("--log-format") && both.stderr.contains("--tui"), "{}", both.stderr);
}
