//! One run of the program in its faulty world, from the first record to the verdict.
//!
//! Decides the order of things and how long is waited for each; what happens in the middle is `action`'s.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use super::action;
use super::proxy::Proxy;
use super::scenarios::{Action, Scenario};
use super::stream::Stream;
use super::subject::{Ended, Launch, Subject};
use super::verdict::Row;

/// The producer of every run here.
pub const PRODUCER: &str = "witnessed-1";

/// How long anything may take that should come by itself; only a defect meets it.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// How often the world is looked at.
const GLANCE: Duration = Duration::from_millis(20);

/// How often the stream is read meanwhile.
const READING: Duration = Duration::from_secs(1);

/// How long faults last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Two seconds each: for tests.
    Short,
    /// Ten seconds each, and a minute where the issue asks for one: for the matrix.
    Whole,
}

impl Scale {
    /// How long a fault of this scenario lasts.
    pub fn hold(self, scenario: &Scenario) -> Duration {
        match self {
            Self::Short => scenario.short,
            Self::Whole => scenario.whole,
        }
    }
}

/// The world around one run.
pub struct Stage {
    pub stream: Stream,
    pub proxy: Proxy,
    pub subject: Subject,
    /// Files that the run looks at: names of hosts, credentials.
    pub folder: tempfile::TempDir,
    read_at: Instant,
    // Last, so that it ends after what runs on it.
    _runtime: Runtime,
}

impl Stage {
    /// Opens stream and proxy, and starts the program.
    pub fn open(binary: &Path, scenario: &Scenario) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let stream = Stream::open(runtime.handle(), scenario.shards, scenario.limited)?;
        let proxy = Proxy::open(runtime.handle().clone(), stream.address, PRODUCER)?;
        if let Some(weather) = &scenario.from_the_start {
            proxy.set(weather.clone());
        }
        let folder = tempfile::tempdir()?;
        let mut launch = Launch {
            binary,
            endpoint: format!("http://{}", proxy.address),
            arguments: scenario.arguments(),
            variables: Vec::new(),
            own_credentials: true,
            hosts: None,
        };
        action::prepare(scenario, &proxy, folder.path(), &mut launch)?;
        let subject = Subject::start(&launch)?;
        Ok(Self { stream, proxy, subject, folder, read_at: Instant::now(), _runtime: runtime })
    }

    /// A file that the run looks at.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Looks after the world until `done`.
    pub fn wait_until(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) -> io::Result<()> {
        let begun = Instant::now();
        while !done(self) {
            if !self.subject.glance()? {
                return Err(io::Error::other(format!("it ended before {what}: {}", self.subject.log())));
            }
            if begun.elapsed() > PATIENCE {
                return Err(io::Error::other(format!(
                    "no {what} within {PATIENCE:?}: {}",
                    self.subject.log()
                )));
            }
            self.look()?;
        }
        Ok(())
    }

    /// Looks after the world for so long.
    pub fn wait(&mut self, time: Duration) -> io::Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < time {
            self.subject.glance()?;
            self.look()?;
        }
        Ok(())
    }

    fn look(&mut self) -> io::Result<()> {
        if self.read_at.elapsed() > READING {
            self.read()?;
        }
        std::thread::sleep(GLANCE);
        Ok(())
    }

    /// Reads what the stream has got since.
    pub fn read(&mut self) -> io::Result<()> {
        self.read_at = Instant::now();
        let proxy = &self.proxy;
        self.stream.read(PRODUCER, |found| {
            let mut witness = proxy.witness();
            found.into_iter().for_each(|identity| witness.holds(identity));
        })
    }

    /// Waits until this many records more are told as stored.
    pub fn wait_for_records(&mut self, more: u64) -> io::Result<()> {
        let wanted = self.proxy.witness().stored + more;
        self.wait_until("records", |stage| stage.proxy.witness().stored >= wanted)
    }

    /// Waits for the program's end, and reads the stream to its end.
    pub fn end(self) -> io::Result<(Ended, u64, Proxy)> {
        let Self { mut stream, proxy, subject, _runtime, folder, .. } = self;
        let (ended, peak) = subject.end(PATIENCE)?;
        // Connections that it left open; what is still with the stream gets there first.
        proxy.cut();
        proxy.settle();
        stream.read(PRODUCER, |found| {
            let mut witness = proxy.witness();
            found.into_iter().for_each(|identity| witness.holds(identity));
        })?;
        drop((stream, folder));
        _runtime.shutdown_background();
        Ok((ended, peak, proxy))
    }
}

/// Plays a scenario.
pub fn play(binary: &Path, scenario: &Scenario, scale: Scale) -> io::Result<Row> {
    let mut stage = Stage::open(binary, scenario)?;
    if scenario.action == Action::Refused {
        stage.wait_until("requests", |stage| stage.proxy.witness().requests().0 >= 20)?;
    } else {
        stage.wait_for_records(scenario.records_before)?;
    }
    action::act(&mut stage, scenario, scale.hold(scenario))?;
    if scenario.recovers.is_some() {
        stage.wait_until("recovery", |stage| stage.proxy.witness().recovery().is_some())?;
        stage.wait_for_records(scenario.records_before)?;
    }
    // A world that is well again lets the drain end by itself.
    let asked = Instant::now();
    stage.subject.signal("TERM")?;
    let (ended, peak, proxy) = stage.end()?;
    let took = asked.elapsed();
    let witness = proxy.witness();
    Ok(Row::new(scenario, scale.hold(scenario), &ended, peak, &witness, took))
}
