//! Clients that others wrote, run by `tests/peers.sh` against the same sink.

use std::io;
use std::process::{Command, Stdio};

use super::child;
use super::rounds::CLIENT;
use super::sink::Sink;

/// One of them.
#[derive(Debug)]
pub struct Peer {
    /// Its name and version.
    pub name: String,
    /// CPU nanoseconds per record, from inside.
    pub nanos: f64,
}

/// Runs all that can be installed; the script says aloud what can't.
pub fn run(sink: &Sink) -> io::Result<Vec<Peer>> {
    let mut script = Command::new("bash");
    script
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers.sh"))
        .args(["--port", &sink.port.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let output = child::spawn(script, CLIENT)?.wait_with_output()?;
    drop(sink.tape.cut());
    if !output.status.success() {
        return Err(io::Error::other("tests/peers.sh failed"));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().filter_map(peer).collect())
}

/// A line of the script's table: `peer`, CPU microseconds per record, name.
fn peer(line: &str) -> Option<Peer> {
    let mut fields = line.split('\t');
    let (mark, micros, name) = (fields.next()?, fields.next()?, fields.next()?);
    (mark == "peer").then_some(())?;
    Some(Peer { name: name.to_owned(), nanos: micros.parse::<f64>().ok()? * 1e3 })
}
