//! What became of it: every record is counted once as due, and ends in exactly one place.
//!
//! The law: `due = generated + dropped` and `generated = sent + failed + unknown + in flight`. It holds in
//! every [`Snapshot`], because each step of a batch is one change under one lock (a lock per batch, not per
//! record). All views — metrics, log lines, summary — render a snapshot and nothing else.

mod claim;
mod counts;
mod digest;
mod durations;
mod other_writers;
pub mod timeline;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use claim::{Claim, Claims, Fate, Witness};
pub use counts::{Dropped, Failed, Label, Outcome, ShardCounts, Snapshot, Strain, Strained, Tally, Unknown};
pub use digest::{Digest, StoredIn};
pub use durations::{BOUNDS, Durations};
pub use other_writers::OtherWriters;
pub use timeline::Timeline;

pub use crate::generate::Injected;
use crate::kinesis::ShardId;
use crate::model::ThrottleCause;
pub use crate::model::{Others, ShardThrottles};

/// What one attempt settled for good, and what it found on the way.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Records that Kinesis answered with a sequence number.
    pub sent: u64,
    /// Their data and partition keys, in bytes.
    pub sent_bytes: u64,
    /// PUT payload units of them.
    pub units: u64,
    /// Their bytes, each record rounded up to whole kilobytes.
    pub rounded_bytes: u64,
    /// How many of them an earlier attempt without answer may have stored as well.
    pub perhaps_twice: u64,
    /// Records that were given up and are certainly not stored, by cause.
    pub failed: Vec<(Failed, u64)>,
    /// Records that were given up and are perhaps stored, by cause.
    pub unknown: Vec<(Unknown, u64)>,
    /// Entries of the attempt's request; none where there was no attempt.
    pub entries: u64,
    /// Records that a limit refused in this attempt.
    pub throttled: u64,
    /// Entries of them that the answer itself gives a cause; the others are for the model to judge.
    pub causes: Vec<(ThrottleCause, u64)>,
    /// Sent and throttled records and entries by shard; `None` where no shard could be told.
    pub shards: Vec<(Option<ShardId>, ShardCounts)>,
}

impl Settled {
    /// Counts records that were given up.
    pub fn give_up(&mut self, fate: Fate, records: u64) {
        match fate {
            Fate::Sent { .. } => {} // not given up; sent records are counted with their bytes
            Fate::Failed(why) => self.failed.push((why, records)),
            Fate::Unknown(why) => self.unknown.push((why, records)),
        }
    }
}

/// The one place where records are counted.
#[derive(Debug, Default)]
pub struct Ledger {
    counts: Mutex<Snapshot>,
}

impl Ledger {
    /// An empty ledger.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The counts at one moment.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.lock().clone()
    }

    /// Looks at the counts without copying them.
    pub fn with<T>(&self, look: impl FnOnce(&Snapshot) -> T) -> T {
        look(&self.lock())
    }

    /// `jobs` ticks were released.
    pub fn ticks_fired(&self, jobs: u64) {
        self.lock().ticks_fired += jobs;
    }

    /// `jobs` ticks of one second could not be released at all; their `records` were due and are dropped.
    pub fn ticks_missed(&self, jobs: u64, records: u64) {
        let mut counts = self.lock();
        counts.ticks_missed += jobs;
        counts.drop_records(Dropped::MissedTick, records);
    }

    /// A due second that the cron scheduler did not announce in time; the pacer took it from the expression.
    pub fn second_unannounced(&self) {
        self.lock().seconds_unannounced += 1;
    }

    /// The wall clock was set by more than a second.
    pub fn clock_stepped(&self) {
        self.lock().clock_steps += 1;
    }

    /// A due second asked for nothing, because the run is paused.
    pub fn second_paused(&self) {
        self.lock().seconds_paused += 1;
    }

    /// The open shards were listed anew, and are others.
    pub fn resharded(&self) {
        self.lock().reshards += 1;
    }

    /// `records` were due and will never be generated.
    pub fn dropped(&self, why: Dropped, records: u64) {
        self.lock().drop_records(why, records);
    }

    /// `records` were due and are now generated and in flight.
    pub fn generated(&self, records: u64) {
        self.made(records, 0, &[]);
    }

    /// The same, with the bytes of their events before compression and the faults that were put in.
    pub fn made(&self, records: u64, raw_bytes: u64, faults: &[Injected]) {
        let mut counts = self.lock();
        counts.due += records;
        counts.generated += records;
        counts.in_flight += records;
        counts.raw_bytes += raw_bytes;
        faults.iter().for_each(|&fault| counts.injected.add(fault, 1));
    }

    /// `records` of those that were generated have `bytes`, keys included: what a load in bytes goes by.
    pub fn weighed(&self, records: u64, bytes: u64) {
        let mut counts = self.lock();
        counts.weighed_records += records;
        counts.weighed_bytes += bytes;
    }

    /// The schedule began a second with so many records.
    pub fn intended(&self, records: u64) {
        self.lock().intended = records;
    }

    /// A batch's first request is handed to the HTTP client, this long after it was due.
    pub fn departed(&self, late: Duration) {
        self.lock().lateness.record(late, 1);
    }

    /// An attempt is over: its `outcome`, how long it took, and what it settled, `delay` after the records were due.
    pub fn attempted(&self, outcome: Outcome, took: Duration, delay: Duration, settled: &Settled) {
        let mut counts = self.lock();
        counts.requests.add(outcome, 1);
        counts.request_duration.record(took, 1);
        counts.settle(settled, delay);
    }

    /// Records were settled without an attempt: too large, no key, cut off by the end of the run.
    pub fn settled(&self, settled: &Settled) {
        self.lock().settle(settled, Duration::ZERO);
    }

    /// The model tells what it charges shards' throttled entries to: those that were counted before, all of the run.
    pub fn judged(&self, told: &[(ShardId, ShardThrottles)]) {
        if !told.is_empty() {
            let mut counts = self.lock();
            told.iter().for_each(|&(shard, told)| counts.judge(shard, told));
        }
    }

    /// Due records waited so long for room in the window of requests.
    pub fn window_waited(&self, waited: Duration) {
        self.lock().window_wait += waited;
    }

    /// A time of this `length` was judged: the process, which may use so many `cores`, was the limit for these.
    pub fn strained(&self, length: Duration, cores: f64, causes: &[Strain]) {
        let mut counts = self.lock();
        let millis = length.as_millis() as u64;
        counts.strained.judged_millis += millis;
        counts.strained.cores = cores;
        causes.iter().for_each(|&cause| counts.strained.millis.add(cause, millis));
    }

    /// The claims of `records` found no room in the journal.
    pub fn journal_lost(&self, records: u64) {
        self.lock().journal_lost += records;
    }

    fn lock(&self) -> MutexGuard<'_, Snapshot> {
        // A panic between two additions can't happen: nothing in between can panic.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        // Whatever becomes of the batches, in whatever order, the law holds after every step.
        #[test]
        fn the_law_holds_after_every_step(steps in vec((0_u8..7, 1_u64..1_000), 0..200)) {
            let ledger = Ledger::new();
            for (step, n) in steps {
                let flying = ledger.with(|counts| counts.in_flight).min(n);
                match step {
                    0 => ledger.dropped(Dropped::WindowFull, n),
                    1 => ledger.ticks_missed(1, n),
                    2 | 3 => ledger.generated(n),
                    4 => {
                        let settled = Settled { sent: flying, sent_bytes: 9 * flying, ..Settled::default() };
                        ledger.attempted(Outcome::Ok, Duration::from_millis(n), Duration::from_secs(1), &settled);
                    }
                    5 => ledger.settled(&Settled { failed: vec![(Failed::TooLarge, flying)], ..Settled::default() }),
                    _ => ledger.settled(&Settled { unknown: vec![(Unknown::Timeout, flying)], ..Settled::default() }),
                }
                prop_assert_eq!(ledger.snapshot().law(), Ok(()));
            }
        }
    }

    #[test]
    fn a_broken_law_is_told_with_its_numbers() {
        let broken = Snapshot { due: 3, generated: 2, in_flight: 2, ..Snapshot::default() };
        let told = broken.law().expect_err("3 is not 2 + 0").to_string();
        assert!(told.contains("due 3") && told.contains("generated 2"), "{told}");
        assert!(Snapshot { due: 2, generated: 2, ..Snapshot::default() }.law().is_err());
    }

    #[test]
    fn shards_are_counted_apart() {
        let one = ShardCounts { sent: 1, ..ShardCounts::default() };
        let shards =
            vec![(Some(ShardId(1)), one), (Some(ShardId(2)), one), (Some(ShardId(1)), one), (None, one)];
        let settled = Settled { sent: 4, shards, ..Settled::default() };
        let ledger = Ledger::new();
        ledger.generated(4);
        ledger.attempted(Outcome::Ok, Duration::ZERO, Duration::ZERO, &settled);
        let counts = ledger.snapshot();
        assert_eq!(counts.shards[&Some(ShardId(1))].sent, 2);
        assert_eq!(counts.shards[&None].sent, 1);
    }
}
