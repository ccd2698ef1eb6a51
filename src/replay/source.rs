//! A trace on disk, read line by line: plain or gzip, once or again and again.
//!
//! Decides that lines are in order, and from when to when each of them lasts. Holds a line and the head; never the file.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use super::SECOND;
use super::error::TraceError;
use super::line::{Kind, Language, Line, Load};
use super::moment::From;

/// Lines that are looked at before a run begins.
const HEAD_LINES: u64 = 1_000;

/// Bytes of data after which no more lines are looked at before a run.
const HEAD_BYTES: usize = 1024 * 1024;

/// Longest line: the largest record in base64, and something around it.
const LONGEST: u64 = 16 * 1024 * 1024;

/// Bytes that are read at once.
const BUFFER: usize = 256 * 1024;

/// How far a line's time may lie before the latest one above it; it is due with that one then. Logs that many threads
/// write are out of order by so much.
const DISORDER: u64 = SECOND;

/// How long the last line lasts when the trace has no two times.
const ALONE: u64 = SECOND;

/// Longest trace: a hundred years. What is further off is a mistake in the time, and sums of times stay in range.
const LONGEST_TRACE: u64 = 100 * 365 * 86_400 * SECOND;

/// Most records that may be due in a second, as recorded: what a machine can't make is a mistake in the file.
const MOST_RATE: u64 = 10_000_000;

/// The shortest a round of a trace may be, so that going through it again and again leads on.
const SHORTEST: u64 = SECOND / 1_000;

/// What is due from a time on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// When it begins, in nanoseconds from the start of the trace.
    pub at: u64,
    /// How long it lasts, until the next line: at least 1.
    pub length: u64,
    pub(super) load: Load,
}

impl Span {
    /// Bytes of its data.
    pub(super) fn bytes(&self) -> usize {
        match &self.load {
            Load::Count(_) => 0,
            Load::Record(record) => record.data.len(),
        }
    }
}

/// What the first lines of a trace say of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Head {
    /// How many lines were looked at.
    pub lines: u64,
    /// Records in them.
    pub records: u64,
    /// Bytes of data in them; 0 for counts.
    pub bytes: u64,
    /// From the first time to the end of the last of them, in nanoseconds.
    pub length: u64,
    /// Most records in any second of the trace, as far as that is seen.
    pub peak: u64,
    /// Whether that is all of the trace.
    pub is_all: bool,
}

/// A trace that is being read.
pub struct Trace {
    path: PathBuf,
    lines: Lines,
    kind: Kind,
    /// Looked at before the run, and not given out yet.
    head: VecDeque<Span>,
    told: Head,
    again: bool,
    round: Round,
}

/// Where reading stands within one round through the file.
#[derive(Debug, Default)]
struct Round {
    /// What the times of the file are counted from.
    base: Option<(From, u64)>,
    /// When this round began, from the start of the trace.
    start: u64,
    /// The last line, which lasts until the next: its time from the round's start, and its number.
    open: Option<(u64, Load, u64)>,
    /// Between the last two times that differ.
    gap: Option<u64>,
}

impl std::fmt::Debug for Trace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trace").field("path", &self.path).field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Trace {
    /// Opens a trace and reads its head, all of whose lines must be sound; `again`: its end is followed by its start.
    ///
    /// # Errors
    /// When the file can't be read, or the first line that is wrong.
    pub fn open(path: &Path, again: bool) -> Result<Self, TraceError> {
        Self::begin(path, Lines::open(path)?, again)
    }

    /// The same of bytes that are not in a file, once through; `path` is what errors call them.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn of_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self, TraceError> {
        Self::begin(path, Lines::of(path, Box::new(io::Cursor::new(bytes)))?, false)
    }

    fn begin(path: &Path, mut lines: Lines, again: bool) -> Result<Self, TraceError> {
        let Some(first) = lines.next_line()? else {
            return Err(TraceError::new(path, None, "there is no line in it"));
        };
        let mut trace = Self {
            path: path.to_owned(),
            lines,
            kind: first.load.kind(),
            head: VecDeque::new(),
            told: Head { lines: 0, records: 0, bytes: 0, length: 0, peak: 0, is_all: false },
            again,
            round: Round::default(),
        };
        trace.take(first)?;
        trace.look()?;
        Ok(trace)
    }

    /// What its lines say.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What its first lines say of it.
    #[must_use]
    pub fn head(&self) -> Head {
        self.told
    }

    /// Its first records, where its lines are records.
    pub fn first_records(&self) -> impl Iterator<Item = &super::Recorded> {
        self.head.iter().filter_map(|span| match &span.load {
            Load::Record(record) => Some(record),
            Load::Count(_) => None,
        })
    }

    /// What is due next; none at the end.
    ///
    /// # Errors
    /// The first line that is wrong, or what kept the file from being read. Nothing comes after that.
    pub fn next_span(&mut self) -> Result<Option<Span>, TraceError> {
        match self.head.pop_front() {
            Some(span) => Ok(Some(span)),
            None => self.read(),
        }
    }

    /// Reads the head.
    fn look(&mut self) -> Result<(), TraceError> {
        let (mut bytes, mut second, mut in_second) = (0, 0, 0);
        let mut seen = VecDeque::new();
        while self.told.lines < HEAD_LINES && bytes < HEAD_BYTES {
            // The end of the file is the end of the head, also where the file is gone through again.
            let again = std::mem::replace(&mut self.again, false);
            let span = self.read();
            self.again = again;
            let Some(span) = span? else {
                self.told.is_all = true;
                break;
            };
            let records = match &span.load {
                Load::Count(count) => *count,
                Load::Record(_) => 1,
            };
            let told = &mut self.told;
            bytes += span.bytes();
            told.lines += 1;
            told.records += records;
            told.bytes += span.bytes() as u64;
            told.length = span.at + span.length;
            if span.at / SECOND != second {
                (second, in_second) = (span.at / SECOND, 0);
            }
            // A count that lasts longer than a second is spread over all of it.
            let share = u128::from(records) * u128::from(SECOND) / u128::from(span.length.max(SECOND));
            in_second += u64::try_from(share).unwrap_or(u64::MAX).max(records.min(1));
            told.peak = told.peak.max(in_second);
            seen.push_back(span);
        }
        self.head = seen;
        Ok(())
    }

    fn read(&mut self) -> Result<Option<Span>, TraceError> {
        loop {
            if let Some(line) = self.lines.next_line()? {
                if let Some(span) = self.take(line)? {
                    return Ok(Some(span));
                }
                continue;
            }
            let Some((at, load, number)) = self.round.open.take() else {
                // The last line has been given out.
                if !self.again {
                    return Ok(None);
                }
                self.lines = Lines::open(&self.path)?;
                let length = self.round.start;
                self.round = Round { start: length, ..Round::default() };
                let Some(first) = self.lines.next_line()? else {
                    return Err(TraceError::new(&self.path, None, "there is no line in it any more"));
                };
                self.take(first)?;
                continue;
            };
            // The last line lasts as long as the one before.
            let length = self.round.gap.unwrap_or(ALONE);
            let span = self.span(at, length, load, number)?;
            // From here on `start` is the end of this round, where the next begins.
            self.round.start = self.round.start.saturating_add((at + length).max(SHORTEST));
            return Ok(Some(span));
        }
    }

    /// Takes a line, which ends the one before: that one is due.
    fn take(&mut self, line: Line) -> Result<Option<Span>, TraceError> {
        let wrong = |what: String| TraceError::new(&self.path, Some(self.lines.number), what);
        if line.load.kind() != self.kind {
            let words = |kind| match kind {
                Kind::Counts => "a count",
                Kind::Payloads => "a payload",
            };
            let (expected, found) = (words(self.kind), words(line.load.kind()));
            return Err(wrong(format!("expected {expected}, as in the first line, and found {found}")));
        }
        let (from, base) = *self.round.base.get_or_insert(match line.at.from {
            From::Start => (From::Start, 0),
            From::Epoch => (From::Epoch, line.at.nanos),
        });
        if line.at.from != from {
            return Err(wrong(match from {
                From::Start => "expected seconds since the start of the trace, as in the first line, and found a date",
                From::Epoch => "expected a date, as in the first line, and found seconds since the start of the trace",
            }
            .to_owned()));
        }
        let at = match (line.at.nanos.checked_sub(base), &self.round.open) {
            (Some(at), None) => at,
            (Some(at), Some((open, ..))) if at >= *open => at,
            // A little late: it is due with the latest so far.
            (_, Some((open, ..))) if base + open - line.at.nanos <= DISORDER => *open,
            (_, open) => {
                let open = open.as_ref().map_or(0, |(open, ..)| *open);
                let back = (base + open).saturating_sub(line.at.nanos);
                return Err(wrong(format!(
                    "its time is {:.3} s before that of a line above it; times must ascend, within a second: sort the \
                     trace by time",
                    back as f64 / SECOND as f64
                )));
            }
        };
        if at > LONGEST_TRACE {
            return Err(wrong("its time is more than a hundred years after the first".to_owned()));
        }
        let before = self.round.open.replace((at, line.load, self.lines.number));
        let Some((open, load, number)) = before else { return Ok(None) };
        if at > open {
            self.round.gap = Some(at - open);
        }
        self.span(open, (at - open).max(1), load, number).map(Some)
    }

    /// A line of this round, and how long it lasts.
    fn span(&self, at: u64, length: u64, load: Load, number: u64) -> Result<Span, TraceError> {
        if let Load::Count(count) = load
            && count > MOST_RATE.saturating_mul(length.div_ceil(SECOND))
        {
            let seconds = length as f64 / SECOND as f64;
            let what =
                format!("it counts {count} records for {seconds} s; the most is {MOST_RATE} in a second");
            return Err(TraceError::new(&self.path, Some(number), what));
        }
        Ok(Span { at: self.round.start.saturating_add(at), length, load })
    }
}

/// The lines of a file, decoded.
struct Lines {
    path: PathBuf,
    reader: Box<dyn BufRead + Send>,
    language: Option<Language>,
    buffer: Vec<u8>,
    /// The line that was read last, counted from 1.
    number: u64,
}

impl Lines {
    fn open(path: &Path) -> Result<Self, TraceError> {
        let failed = |error: io::Error| TraceError::new(path, None, format!("it can't be read: {error}"));
        Self::of(path, Box::new(BufReader::with_capacity(BUFFER, File::open(path).map_err(failed)?)))
    }

    fn of(path: &Path, mut file: Box<dyn BufRead + Send>) -> Result<Self, TraceError> {
        let failed = |error: io::Error| TraceError::new(path, None, format!("it can't be read: {error}"));
        let is_gzip = file.fill_buf().map_err(failed)?.starts_with(&[0x1f, 0x8b]);
        let reader: Box<dyn BufRead + Send> = if is_gzip {
            Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(file)))
        } else {
            file
        };
        Ok(Self { path: path.to_owned(), reader, language: None, buffer: Vec::new(), number: 0 })
    }

    /// The next line that says anything; none at the end of the file.
    fn next_line(&mut self) -> Result<Option<Line>, TraceError> {
        loop {
            self.buffer.clear();
            let read = (&mut self.reader).take(LONGEST).read_until(b'\n', &mut self.buffer);
            self.number += 1;
            let wrong = |what: String| TraceError::new(&self.path, Some(self.number), what);
            match read {
                Ok(0) => return Ok(None),
                Ok(read) if read as u64 == LONGEST && self.buffer.last() != Some(&b'\n') => {
                    return Err(wrong(format!("it is longer than {LONGEST} bytes")));
                }
                Ok(_) => {}
                Err(error) => return Err(wrong(format!("it can't be read: {error}"))),
            }
            let text = self.buffer.strip_suffix(b"\n").unwrap_or(&self.buffer);
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            if text.trim_ascii().is_empty() || text.starts_with(b"#") {
                continue;
            }
            let text = if self.number == 1 {
                text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text)
            } else {
                text
            };
            let language = match &self.language {
                Some(language) => language,
                None => {
                    let (language, is_heading) = Language::of(text).map_err(wrong)?;
                    let language = self.language.insert(language);
                    if is_heading {
                        continue;
                    }
                    language
                }
            };
            return language.line(text).map(Some).map_err(wrong);
        }
    }
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
