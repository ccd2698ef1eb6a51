//! What the client was told about each record, and what the stream was found to hold: kept apart, compared later.
//!
//! Independent of the program's own counts. Two bytes per record, so that an hour of them fits.

use std::time::{Duration, Instant};

use super::identity::Identity;

/// What an answer told of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// Stored, with a sequence number.
    Stored,
    /// Refused: not stored.
    Refused,
    /// Nothing that can be relied on.
    Nothing,
}

const STORED: u8 = 1;
const SILENT: u8 = 2;
/// The attempts of a record are counted in the bits above the flags, up to 63.
const ATTEMPT: u8 = 4;

/// Width of a bin of [`Witness::requests`].
const BIN: Duration = Duration::from_millis(100);

/// Everything that was seen, by job and sequence.
#[derive(Debug)]
pub struct Witness {
    told: Vec<Vec<u8>>,
    held: Vec<Vec<u8>>,
    /// Records in the stream that are not this run's.
    pub foreign: u64,
    /// Records told as stored.
    pub stored: u64,
    begun: Instant,
    /// PutRecords requests in each tenth of a second.
    requests: Vec<u32>,
    /// When a request that came after `since` was answered well, for the first time.
    recovered: Option<Instant>,
    since: Option<Instant>,
}

/// The records by what was told and what is held.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Sums {
    /// Seen in at least one request.
    pub seen: u64,
    /// Told as stored.
    pub sent: u64,
    /// Told as stored after a silence.
    pub perhaps_twice: u64,
    /// Never told as stored, and at least one attempt without an answer.
    pub unknown: u64,
    /// Of those, what the stream holds.
    pub unknown_held: u64,
    /// What the stream holds, each record once.
    pub held: u64,
    /// Records that it holds more than once.
    pub twice: u64,
    /// Told as stored, and not held.
    pub lost: u64,
    /// Held, although every attempt was refused, or none was seen.
    pub unexpected: u64,
    /// Held more than once without any silence.
    pub twice_without_cause: u64,
    /// Most attempts of one record.
    pub attempts: u64,
}

fn at(rows: &mut Vec<Vec<u8>>, identity: Identity) -> &mut u8 {
    if rows.len() <= identity.job {
        rows.resize(identity.job + 1, Vec::new());
    }
    let row = &mut rows[identity.job];
    if row.len() <= identity.sequence {
        row.resize(identity.sequence + 1, 0);
    }
    &mut row[identity.sequence]
}

impl Default for Witness {
    fn default() -> Self {
        Self {
            told: Vec::new(),
            held: Vec::new(),
            foreign: 0,
            stored: 0,
            begun: Instant::now(),
            requests: Vec::new(),
            recovered: None,
            since: None,
        }
    }
}

impl Witness {
    /// A request came at `came`.
    pub fn request(&mut self, came: Instant) {
        let bin = (came.duration_since(self.begun).as_millis() / BIN.as_millis()) as usize;
        if self.requests.len() <= bin {
            self.requests.resize(bin + 1, 0);
        }
        self.requests[bin] += 1;
    }

    /// An attempt, whose request came at `came`, ended with this for each record.
    pub fn told(&mut self, came: Instant, records: impl Iterator<Item = (Option<Identity>, Told)>) {
        let mut good = true;
        for (identity, told) in records {
            good &= told == Told::Stored;
            let Some(identity) = identity else { continue };
            let flags = at(&mut self.told, identity);
            if *flags < 63 * ATTEMPT {
                *flags += ATTEMPT;
            }
            match told {
                Told::Stored => {
                    *flags |= STORED;
                    self.stored += 1;
                }
                Told::Nothing => *flags |= SILENT,
                Told::Refused => {}
            }
        }
        if good && self.recovered.is_none() && self.since.is_some_and(|since| came >= since) {
            self.recovered = Some(Instant::now());
        }
    }

    /// The stream holds this record (once more).
    pub fn holds(&mut self, identity: Option<Identity>) {
        match identity {
            Some(identity) => {
                let times = at(&mut self.held, identity);
                *times = times.saturating_add(1);
            }
            None => self.foreign += 1,
        }
    }

    /// The fault is over now: from here on a recovery is looked for.
    pub fn fault_is_over(&mut self) {
        (self.since, self.recovered) = (Some(Instant::now()), None);
    }

    /// From the end of the fault to the first good answer to a request that came after it.
    pub fn recovery(&self) -> Option<Duration> {
        Some(self.recovered?.duration_since(self.since?))
    }

    /// All requests, and the most in any second.
    pub fn requests(&self) -> (u64, u64) {
        let total = self.requests.iter().map(|&n| u64::from(n)).sum();
        let second = |window: &[u32]| window.iter().map(|&n| u64::from(n)).sum::<u64>();
        (total, self.requests.windows(10).map(second).max().unwrap_or(total))
    }

    /// The sums over all records.
    pub fn sums(&self) -> Sums {
        let mut sums = Sums::default();
        let none = Vec::new();
        for job in 0..self.told.len().max(self.held.len()) {
            let (told, held) = (self.told.get(job).unwrap_or(&none), self.held.get(job).unwrap_or(&none));
            for record in 0..told.len().max(held.len()) {
                let flags = told.get(record).copied().unwrap_or(0);
                let times = held.get(record).copied().unwrap_or(0);
                let (sent, silent) = (flags & STORED != 0, flags & SILENT != 0);
                let (one, unknown) = (u64::from(times > 0), !sent && silent);
                sums.seen += u64::from(flags > 0);
                sums.sent += u64::from(sent);
                sums.perhaps_twice += u64::from(sent && silent);
                sums.unknown += u64::from(unknown);
                sums.unknown_held += u64::from(unknown) & one;
                sums.held += one;
                sums.twice += u64::from(times > 1);
                sums.lost += u64::from(sent && times == 0);
                sums.unexpected += u64::from(times > 0 && !sent && !silent);
                sums.twice_without_cause += u64::from(times > 1 && !silent);
                sums.attempts = sums.attempts.max(u64::from(flags / ATTEMPT));
            }
        }
        sums
    }
}
