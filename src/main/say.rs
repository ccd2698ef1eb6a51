//! What is said on the standard streams, and the exit code that follows from how that went.

use std::io::{self, Write};

use kinesis_streamer::exit::Exit;
use kinesis_streamer::expose::Console;

/// Writes data to standard output.
pub fn print(text: &str) -> Exit {
    let mut out = io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // A reader that has gone away has read enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => unwritable(&error),
        _ => Exit::Sent,
    }
}

/// Prints a report to standard output.
pub fn tell((report, exit): (String, Exit)) -> Exit {
    match print(&report) {
        Exit::Sent => exit,
        unwritable => unwritable,
    }
}

/// Says what is wrong with what was asked.
pub fn refuse(problem: &dyn std::fmt::Display) -> Exit {
    say(&format!("kinesis-streamer: {problem}"));
    Exit::Usage
}

/// Says that standard output takes no more.
pub fn unwritable(error: &io::Error) -> Exit {
    say(&format!("kinesis-streamer: standard output can't be written: {error}"));
    Exit::System
}

/// Says what is wrong where a log goes on.
pub fn complain(console: &Console, exit: Exit, what: &dyn std::fmt::Display) -> Exit {
    console.end_progress();
    console.print(&format!("kinesis-streamer: {what}"));
    exit
}

/// Writes a line to standard error; `eprintln!` would panic where that is full or gone, and the exit code be lost.
pub fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
