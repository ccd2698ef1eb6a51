//! The answer sheet: which records of a run have which fault on purpose, a JSON object a line.
//!
//! A fault is a function of a record's place, so nothing is told on the way of a record: a thread of its own follows
//! how far the jobs have come, and the sheet is whole whatever the load is. Its last line says how many there are.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde::Serialize;

use crate::generate::{Inject, Injected, Maker};

/// How often the thread looks how far the jobs are.
const GLANCE: Duration = Duration::from_secs(1);

/// How a sheet ended.
#[derive(Debug)]
pub struct SheetEnd {
    /// The file.
    pub path: PathBuf,
    /// How many records have a fault, or why the sheet is not whole.
    pub written: io::Result<u64>,
}

/// A sheet that is being written.
#[derive(Debug)]
pub(super) struct Sheet {
    path: PathBuf,
    /// Dropped at the end.
    going_on: mpsc::Sender<()>,
    thread: JoinHandle<io::Result<u64>>,
}

/// A file that is there and empty, before the run begins.
#[derive(Debug)]
pub(super) struct Blank {
    path: PathBuf,
    file: File,
}

/// One record with a fault.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    producer: &'a str,
    job: u32,
    /// The record's sequence number in its job: that of claims and journals.
    sequence: u64,
    /// The sequence number that its event carries.
    event: u64,
    fault: &'a str,
    /// How many records it lies behind its first copy or its own place.
    #[serde(skip_serializing_if = "Option::is_none")]
    records_behind: Option<u64>,
    /// How long before it was due its event says it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    late_seconds: Option<f64>,
    /// The size of its event before compression.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
}

/// The last line.
#[derive(Debug, Serialize)]
struct Total<'a> {
    producer: &'a str,
    records: u64,
    injected: BTreeMap<&'a str, u64>,
}

/// Makes the file; one that is there is not overwritten.
pub(super) fn open(path: &Path) -> io::Result<Blank> {
    let file = OpenOptions::new().write(true).create_new(true).open(path)?;
    Ok(Blank { path: path.to_owned(), file })
}

/// Where a sheet is written to, and what it says of a producer.
struct Writer<W: Write> {
    out: W,
    producer: String,
    inject: Inject,
    /// The next sequence number of each job that was not looked at.
    next: Vec<u64>,
    counts: BTreeMap<&'static str, u64>,
}

impl<W: Write> Writer<W> {
    fn new(out: W, producer: &str, inject: &Inject) -> Self {
        let counts = Injected::ALL.iter().map(|fault| (fault.name(), 0)).collect();
        Self { out, producer: producer.to_owned(), inject: inject.clone(), next: Vec::new(), counts }
    }

    /// Writes the answers of all records before those that are `reached`.
    fn follow(&mut self, maker: &Maker, reached: &[u64]) -> io::Result<()> {
        self.next.resize(reached.len(), 0);
        for (job, (next, &end)) in (0..).zip(self.next.iter_mut().zip(reached)) {
            for sequence in *next..end {
                let Some((fault, event, records_behind)) = maker.fault_at(job, sequence) else { continue };
                let answer = Answer {
                    producer: &self.producer,
                    job,
                    sequence,
                    event,
                    fault: fault.name(),
                    records_behind,
                    late_seconds: (fault == Injected::Late).then(|| self.inject.late_by().as_secs_f64()),
                    bytes: self.inject.largest().filter(|_| fault == Injected::Oversize),
                };
                serde_json::to_writer(&mut self.out, &answer)?;
                self.out.write_all(b"\n")?;
                *self.counts.entry(fault.name()).or_default() += 1;
            }
            *next = end;
        }
        self.out.flush()
    }

    /// Writes the last line; returns how many records have a fault.
    fn end(mut self) -> io::Result<u64> {
        let (records, all) = (self.next.iter().sum(), self.counts.values().sum());
        let total = Total { producer: &self.producer, records, injected: self.counts };
        serde_json::to_writer(&mut self.out, &total)?;
        self.out.write_all(b"\n")?;
        self.out.flush()?;
        Ok(all)
    }
}

impl Blank {
    /// Begins to write of the records of `producer` that `look` tells of: what makes them, and how far each job is.
    pub(super) fn begin(
        self,
        producer: &str,
        inject: &Inject,
        look: impl Fn(&mut dyn FnMut(&Maker, &[u64]) -> io::Result<()>) -> io::Result<()> + Send + 'static,
    ) -> io::Result<Sheet> {
        let mut writer = Writer::new(BufWriter::new(self.file), producer, inject);
        let (going_on, ended) = mpsc::channel::<()>();
        let work = move || {
            loop {
                let over = ended.recv_timeout(GLANCE) == Err(RecvTimeoutError::Disconnected);
                look(&mut |maker, reached| writer.follow(maker, reached))?;
                if over {
                    return writer.end();
                }
            }
        };
        let thread = std::thread::Builder::new().name("answer-sheet".to_owned()).spawn(work)?;
        Ok(Sheet { path: self.path, going_on, thread })
    }
}

impl Sheet {
    /// Writes what is left. Nothing is generated any more.
    pub(super) async fn finish(self) -> SheetEnd {
        drop(self.going_on);
        let thread = self.thread;
        let joined = tokio::task::spawn_blocking(move || thread.join()).await;
        let written = match joined {
            Ok(Ok(written)) => written,
            // A panic has ended the process by now.
            _ => Err(io::Error::other("its thread ended before its time")),
        };
        SheetEnd { path: self.path, written }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::generate::{Due, Event, EventKind, Shaping};

    // The sheet names exactly the records that have a fault, each once, however often it looks; and says how many.
    #[test]
    fn the_sheet_tells_of_every_fault_once() {
        let inject: Inject =
            "late:5%/90s,duplicate:2%/2,reordered:2%,malformed:5%,oversize:1%/1KiB".parse().expect("faults");
        let shaping = Shaping { inject: Some(inject.clone()), ..Shaping::default() };
        let maker = Maker::new(&Event::Kind(EventKind::Click), &shaping, 1, "p").expect("a maker");
        let (mut out, mut wanted) = (Vec::new(), Vec::new());
        let mut writer = Writer::new(&mut out, "p", &inject);
        for reached in [[0, 0], [7, 0], [700, 20], [2_000, 1_000], [2_000, 1_000]] {
            writer.follow(&maker, &reached).expect("memory");
        }
        let all = writer.end().expect("memory");
        for (job, count) in [(0, 2_000), (1, 1_000)] {
            let mut due = Due::new(1_000_000, 0);
            for sequence in 0..count {
                let fault = maker.compose(job, sequence, &mut due, &mut Vec::new()).fault;
                wanted.extend(fault.map(|fault| (job, sequence, fault.name())));
            }
        }
        let lines: Vec<Value> = out
            .split(|&byte| byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).expect("JSON"))
            .collect();
        let (total, answers) = lines.split_last().expect("a last line");
        let mut told: Vec<(u64, u64, &str)> = answers
            .iter()
            .map(|one| {
                (
                    one["job"].as_u64().expect("a job"),
                    one["sequence"].as_u64().expect("a number"),
                    one["fault"].as_str().expect("a fault"),
                )
            })
            .collect();
        told.sort_unstable();
        let wanted: Vec<_> =
            wanted.into_iter().map(|(job, sequence, fault)| (u64::from(job), sequence, fault)).collect();
        assert_eq!(told, wanted);
        assert_eq!((total["records"].as_u64(), all), (Some(3_000), wanted.len() as u64));
        let late = answers.iter().find(|one| one["fault"] == "late").expect("one is late");
        assert_eq!(late["late_seconds"], 90.0);
        assert!(answers.iter().any(|one| one["fault"] == "duplicate" && one["records_behind"] == 2));
    }

    #[test]
    fn a_file_that_is_there_is_not_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("sheet");
        assert!(open(&path).is_ok());
        assert_eq!(open(&path).expect_err("there").kind(), io::ErrorKind::AlreadyExists);
    }
}
