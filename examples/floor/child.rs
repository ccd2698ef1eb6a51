//! Runs one client process to its end, and says what the operating system and the sink saw of it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::load::STREAM;
use super::memory;
use super::process::{self, Cores};
use super::sink::{Arrival, Sink};

/// What the watcher does while the process runs, apart from sleeping.
const GLANCE: Duration = Duration::from_millis(2);

/// A process that hangs is ended this long after its time.
const PATIENCE: Duration = Duration::from_secs(60);

/// One process, seen from outside.
#[derive(Debug, Default)]
pub struct Seen {
    /// CPU time, user and system, of its whole life.
    pub cpu: Duration,
    /// The part of it before the first record reached the sink.
    pub start_cpu: Duration,
    /// From its start to its end.
    pub lasted: Duration,
    /// Every request, in the order of coming.
    pub arrivals: Vec<Arrival>,
    /// CPU time of the sink meanwhile.
    pub sink_cpu: Duration,
    /// Resident memory after the first second of records, in bytes.
    pub early_memory: u64,
    /// Resident memory when it was last looked at, in bytes.
    pub late_memory: u64,
    /// The most resident memory, in bytes.
    pub peak_memory: u64,
    /// What it wrote to standard output.
    pub said: String,
    /// The program's own counts, where it is the program.
    pub counts: Value,
}

impl Seen {
    /// Records that the sink received.
    pub fn records(&self) -> u64 {
        self.arrivals.iter().map(|arrival| u64::from(arrival.records)).sum()
    }

    /// CPU time per record in nanoseconds, its start-up apart.
    pub fn nanos_per_record(&self) -> f64 {
        self.steady().as_nanos() as f64 / self.records() as f64
    }

    /// CPU time without the start-up.
    pub fn steady(&self) -> Duration {
        self.cpu.saturating_sub(self.start_cpu)
    }

    /// From the first request to the last.
    pub fn span(&self) -> Duration {
        match (self.arrivals.first(), self.arrivals.last()) {
            (Some(first), Some(last)) => last.at.saturating_sub(first.at),
            _ => Duration::ZERO,
        }
    }
}

/// This program again, as a client.
pub fn own(role: &str, sink: &Sink, seconds: f64, records: usize) -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["client", role, &sink.port.to_string(), &seconds.to_string(), &records.to_string()]);
    Ok(command)
}

/// The real program against the sink, with nothing of this environment but what it needs.
pub fn program(binary: &Path, sink: &Sink, arguments: &[&str]) -> Command {
    let mut command = bare(binary, arguments);
    command
        .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", sink.port))
        .env("AWS_KINESIS_STREAM_NAME", STREAM)
        .args(["--listen", "off"]);
    command
}

/// The real program without a stream.
pub fn bare(binary: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary);
    command
        .env_clear()
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "none")
        .env("AWS_SECRET_ACCESS_KEY", "none")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("STREAMER_LOG_FORMAT", "json")
        // No `.env` there.
        .current_dir("/proc")
        .args(["--event", "click", "--partition-key", "random"])
        .args(arguments);
    command
}

/// Runs `command` on `cores` for about `limit`, and waits for its end.
pub fn run(mut command: Command, cores: Cores, sink: &Sink, limit: Duration) -> io::Result<Seen> {
    drop(sink.tape.cut());
    let (ended_before, sink_before) = (process::ended_children_cpu()?, sink.cpu()?);
    let log = tempfile::NamedTempFile::new()?;
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log.reopen()?);
    let mut child = spawn(command, cores)?;
    let begun = Instant::now();
    let mut seen = Seen::default();
    while child.try_wait()?.is_none() {
        if begun.elapsed() > limit + PATIENCE {
            child.kill()?;
            child.wait()?;
            return Err(io::Error::other("a client did not end, and was killed"));
        }
        glance(&child, sink, &mut seen, begun);
        sleep(GLANCE);
    }
    let output = child.wait_with_output()?;
    seen.lasted = begun.elapsed();
    seen.cpu = process::ended_children_cpu()?.saturating_sub(ended_before);
    seen.sink_cpu = sink.cpu()?.saturating_sub(sink_before);
    seen.arrivals = sink.tape.cut();
    seen.said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let log = fs::read_to_string(log.path())?;
    seen.counts = counts(&log);
    // 1: records failed, which the counts tell.
    if !matches!(output.status.code(), Some(0 | 1)) || seen.records() == 0 {
        return Err(io::Error::other(format!("a client failed ({}):\n{log}", output.status)));
    }
    Ok(seen)
}

/// Starts a process on `cores`.
pub fn spawn(mut command: Command, cores: Cores) -> io::Result<Child> {
    process::pin(0, cores)?;
    let child = command.spawn();
    // The watcher itself keeps off the client's core.
    process::pin(0, Cores::One(0))?;
    child
}

fn glance(child: &Child, sink: &Sink, seen: &mut Seen, begun: Instant) {
    if seen.start_cpu.is_zero() && !sink.tape.is_empty() {
        seen.start_cpu = process::running_cpu(child.id()).unwrap_or_default();
    }
    if let Some((now, peak)) = memory::memory(child.id()) {
        (seen.late_memory, seen.peak_memory) = (now, peak);
        if begun.elapsed() < Duration::from_secs(3) {
            seen.early_memory = now;
        }
    }
}

/// The event of the log that ends a run.
fn counts(log: &str) -> Value {
    let events = log.lines().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut fields = events.map(|mut event| event["fields"].take());
    fields.find(|fields| fields["message"] == "run ended").unwrap_or_default()
}

/// The program, built anew if it has to be, beside this one.
pub fn build_program() -> io::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--release", "--bin", "kinesis-streamer", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .status()?;
    if !built.success() {
        return Err(io::Error::other("the program can't be built"));
    }
    let own = std::env::current_exe()?;
    let folder = own.parent().and_then(Path::parent).ok_or_else(|| io::Error::other("no target folder"))?;
    Ok(folder.join("kinesis-streamer"))
}
