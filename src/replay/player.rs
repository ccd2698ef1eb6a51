//! When the records of a trace are due: a state machine without a clock, as the pacer is for a schedule.
//!
//! Decides what is released now and until when to wait; reads no file and sends nothing.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::SECOND;
use super::line::{Load, Recorded};
use super::source::Span;
use super::spool::Block;
use crate::schedule::Release;

/// Records closer together than this may share a request, as in a schedule's second.
const CELL: u64 = 10_000_000;

/// Records are due at multiples of this after the start.
const STEP: u64 = 2_000_000;

/// Bytes of recorded data that are released together.
const SLICE_BYTES: usize = 1024 * 1024;

/// What to play, and until when.
#[derive(Debug, Clone)]
pub struct Rules {
    /// How many times as fast as it was recorded, in ten-thousandths; at least 1.
    pub speed: u32,
    /// The jobs that make the records of counts, in turn; at least 1.
    pub jobs: u32,
    /// Most records in a slice: what a request may hold.
    pub slice_records: usize,
    /// How long records are due, from the start.
    pub duration: Option<Duration>,
    /// How many records are due in all.
    pub max_records: Option<u64>,
}

/// Records that are due, and what is in them where that was recorded.
#[derive(Debug)]
pub struct Due {
    /// How many, of which job, and when.
    pub release: Release,
    /// The records; none when they are to be made up.
    pub recorded: Vec<Recorded>,
    held: Option<Held>,
}

/// Bytes that count as held until this is dropped.
#[derive(Debug)]
struct Held(Arc<AtomicUsize>, usize);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.fetch_sub(self.1, Ordering::Relaxed);
    }
}

impl Due {
    /// Counts its recorded bytes in `all` for as long as it lives. False when they would be more than `most` with it.
    pub fn hold(&mut self, all: &Arc<AtomicUsize>, most: usize) -> bool {
        let bytes: usize = self.recorded.iter().map(|record| record.data.len()).sum();
        let before = all.fetch_add(bytes, Ordering::Relaxed);
        self.held = Some(Held(Arc::clone(all), bytes));
        // The largest record of all has room when nothing else is there.
        before == 0 || before + bytes <= most
    }
}

impl From<Release> for Due {
    fn from(release: Release) -> Self {
        Self { release, recorded: Vec::new(), held: None }
    }
}

/// What there is to do at a given moment.
#[derive(Debug)]
pub enum Step {
    /// Send these.
    Release(Due),
    /// Nothing before this moment.
    Wait(Instant),
    /// More of the trace is needed.
    Hungry,
    /// The trace, the run's duration or its records are used up.
    Finished,
}

/// The state of a trace that is being played.
#[derive(Debug)]
pub struct Player {
    rules: Rules,
    /// When it began, by both clocks.
    start: Option<(Duration, Instant)>,
    spans: VecDeque<Span>,
    /// Whether no more spans will come.
    complete: bool,
    /// Records of the first span that were released already.
    done: u64,
    to_come: u64,
    /// Slices so far.
    slices: u64,
    /// Nothing is due from here on, in nanoseconds from the start.
    end: u64,
}

impl Player {
    /// A player that begins with its first step.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        let end = rules
            .duration
            .map_or(u64::MAX, |duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
        let to_come = rules.max_records.unwrap_or(u64::MAX);
        let spans = VecDeque::new();
        Self { rules, start: None, spans, complete: false, done: 0, to_come, slices: 0, end }
    }

    /// The next part of the trace; none: there is no more.
    pub fn feed(&mut self, block: Option<Block>) {
        match block {
            Some(block) => self.spans.extend(block),
            None => self.complete = true,
        }
    }

    /// Nothing is due any more from `mono` on.
    pub fn stop(&mut self, mono: Instant) {
        let now = self.start.map_or(0, |(_, start)| nanos(mono.saturating_duration_since(start)));
        self.end = self.end.min(now);
    }

    /// What there is to do now. Call again at once after a release.
    pub fn step(&mut self, wall: Duration, mono: Instant) -> Step {
        let (begun, start) = *self.start.get_or_insert((wall, mono));
        if self.to_come == 0 {
            return Step::Finished;
        }
        let now = nanos(mono.saturating_duration_since(start));
        let until = |offset: u64| Step::Wait(start + Duration::from_nanos(offset));
        let Some(offset) = self.next_offset() else {
            return match self.complete {
                // The last records are due at the end of their span at the latest; the run is over with them.
                true => Step::Finished,
                false if now >= self.end => Step::Finished,
                false => Step::Hungry,
            };
        };
        let due = offset / STEP * STEP;
        if due >= self.end {
            return if now >= self.end { Step::Finished } else { until(self.end) };
        }
        if due > now {
            return until(due);
        }
        let (records, recorded) = self.slice(offset);
        let records = records.min(self.to_come);
        self.to_come -= records;
        let job = match recorded.is_empty() {
            true => (self.slices % u64::from(self.rules.jobs)) as u32,
            false => 0,
        };
        self.slices += 1;
        let mut recorded = recorded;
        recorded.truncate(records as usize);
        let release = Release {
            job,
            records: records as u32, // at most what a request may hold
            due: start + Duration::from_nanos(due),
            due_millis: (begun + Duration::from_nanos(due)).as_millis() as u64,
            first: false,
        };
        Step::Release(Due { release, recorded, held: None })
    }

    /// A time of the trace as it is played, in nanoseconds from the start.
    fn played(&self, at: u64) -> u64 {
        let played = u128::from(at) * 10_000 / u128::from(self.rules.speed.max(1));
        u64::try_from(played).unwrap_or(u64::MAX)
    }

    /// When the next record is due; none when the spans are used up. Leaves behind those that have none.
    fn next_offset(&mut self) -> Option<u64> {
        loop {
            let span = self.spans.front()?;
            let records = match span.load {
                Load::Count(count) => count,
                Load::Record(_) => 1,
            };
            if self.done < records {
                return Some(self.offset(span, self.done, records));
            }
            self.spans.pop_front();
            self.done = 0;
        }
    }

    /// When record `index` of `records` evenly spread ones is due.
    fn offset(&self, span: &Span, index: u64, records: u64) -> u64 {
        let (begin, end) = (self.played(span.at), self.played(span.at.saturating_add(span.length)));
        let inside = u128::from(end - begin) * u128::from(index) / u128::from(records.max(1));
        begin + inside as u64 // less than `end`
    }

    /// Takes the records from `offset` on that are due together with the first of them.
    fn slice(&mut self, offset: u64) -> (u64, Vec<Recorded>) {
        let cell_end = (offset / CELL + 1) * CELL;
        let most = self.rules.slice_records.max(1);
        if let Some(Span { load: Load::Count(count), .. }) = self.spans.front() {
            let count = *count;
            let first = self.done;
            // The first index whose offset reaches the next cell, by bisection: offsets ascend.
            let (mut low, mut high) = (first + 1, count.min(first + most as u64));
            while low < high {
                let middle = low + (high - low) / 2;
                let reaches =
                    self.spans.front().is_some_and(|span| self.offset(span, middle, count) >= cell_end);
                if reaches { high = middle } else { low = middle + 1 }
            }
            self.done = low;
            return (low - first, Vec::new());
        }
        let (mut recorded, mut bytes) = (Vec::new(), 0);
        while recorded.len() < most && bytes < SLICE_BYTES {
            let is_due = self.spans.front().is_some_and(|span| self.played(span.at) < cell_end);
            if !is_due {
                break;
            }
            let Some(Span { load: Load::Record(record), .. }) = self.spans.pop_front() else { break };
            bytes += record.data.len();
            recorded.push(record);
        }
        self.done = 0;
        (recorded.len() as u64, recorded)
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// A second in nanoseconds is a whole number of cells and of steps.
const _: () = assert!(SECOND.is_multiple_of(CELL) && CELL.is_multiple_of(STEP));

#[cfg(test)]
#[path = "player_tests.rs"]
mod tests;
