//! The numbers of a run, their closed sets of causes, and the law that ties them together.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::{Durations, Settled};
use crate::generate::Injected;
use crate::kinesis::ShardId;
use crate::model::{ShardThrottles, ThrottleCause};

/// Declares a closed set of label values.
macro_rules! labels {
    ($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident = $label:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$value_doc])* $value,)+ }

        impl $name {
            /// Every value, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$value,)+];

            /// The value as the metrics' label.
            #[must_use]
            pub fn label(self) -> &'static str {
                match self { $(Self::$value => $label,)+ }
            }
        }

        impl Label for $name {
            fn index(self) -> usize {
                self as usize
            }
            fn all() -> &'static [Self] {
                Self::ALL
            }
            fn label(self) -> &'static str {
                $name::label(self)
            }
        }
    };
}

/// A closed set of label values.
pub trait Label: Copy + 'static {
    /// The value's place in the set.
    fn index(self) -> usize;
    /// The whole set.
    fn all() -> &'static [Self];
    /// The value as text.
    fn label(self) -> &'static str;
}

labels! {
    /// Why records were due and never generated.
    Dropped {
        /// The window was full from the moment they were due until they were a second late.
        WindowFull = "window_full",
        /// This process came to them more than a second after they were due, although the window had room.
        Late = "late",
        /// Their whole second passed before it could be released: the process or the machine stood still.
        MissedTick = "missed_tick",
        /// The run ended before they could be generated.
        Drain = "drain",
        /// The retry policy `aimd` found no moment for them within a second of their intended time.
        HeldBack = "held_back",
    }
}

labels! {
    /// Why records were given up that are certainly not stored.
    Failed {
        /// A limit refused them in their last attempt.
        Throttled = "throttled",
        /// Kinesis said InternalFailure of the entry.
        InternalFailure = "internal_failure",
        /// Kinesis refused the entry with another error code.
        Rejected = "rejected",
        /// The endpoint says that the request breaks a rule.
        Invalid = "invalid",
        /// The stream does not exist (any more).
        NotFound = "not_found",
        /// The identity may not put records.
        Denied = "denied",
        /// Credentials missing, expired or not accepted.
        Credentials = "credentials",
        /// The stream's KMS key can't be used.
        Kms = "kms",
        /// No connection to the endpoint came about.
        Unreachable = "unreachable",
        /// The record is larger than the stream takes.
        TooLarge = "too_large",
        /// The event has no value where the partition key should come from.
        NoKey = "no_key",
        /// The template could not make the event, or not of the size that was asked for.
        NoEvent = "no_event",
        /// The run ended while they waited for another attempt; the ones before were refused.
        Drain = "drain",
        /// The retry policy `limiter` found no moment for them within a second of their intended time: never sent.
        HeldBack = "held_back",
    }
}

labels! {
    /// Why it can't be told whether records are stored.
    Unknown {
        /// No answer in time.
        Timeout = "timeout",
        /// The connection broke.
        Connection = "connection",
        /// An answer of the 5xx class.
        ServerError = "server_error",
        /// An answer that can't be read, or with a wrong number of entries.
        BadAnswer = "bad_answer",
        /// The last attempt was refused, but an earlier one had no answer.
        EarlierAttempt = "earlier_attempt",
        /// The end of the run came before the answer.
        Drain = "drain",
    }
}

labels! {
    /// How a PutRecords request ended.
    Outcome {
        /// Every entry stored.
        Ok = "ok",
        /// A 200 in which at least one entry failed.
        Partial = "partial",
        /// The whole request was throttled.
        Throttled = "throttled",
        /// The whole request was refused for another reason.
        Refused = "refused",
        /// No connection came about.
        Unreachable = "unreachable",
        /// No answer in time, or cut off by the end of the run.
        Timeout = "timeout",
        /// The connection broke before the answer.
        Connection = "connection",
        /// An answer of the 5xx class.
        ServerError = "server_error",
        /// An answer that can't be read, or with a wrong number of entries.
        BadAnswer = "bad_answer",
    }
}

labels! {
    /// What made this process, and not the stream, the limit for a while.
    Strain {
        /// It used nine tenths or more of the CPU that it may use.
        Cpu = "cpu",
        /// Its control group was held back for its CPU quota.
        Quota = "quota",
        /// Its own clock woke up late: it stood still, or the machine gave it no CPU.
        Stalled = "stalled",
        /// Batches left a tenth of a second late or more, and want of CPU was the reason.
        Late = "late",
        /// Due records waited for room in the window of requests although the stream did not throttle.
        Window = "window",
        /// It opened connections in place of using them again.
        Connecting = "connecting",
    }
}

impl Label for ThrottleCause {
    fn index(self) -> usize {
        self as usize
    }
    fn all() -> &'static [Self] {
        &Self::ALL
    }
    fn label(self) -> &'static str {
        ThrottleCause::label(self)
    }
}

impl Label for Injected {
    fn index(self) -> usize {
        self as usize
    }
    fn all() -> &'static [Self] {
        &Self::ALL
    }
    fn label(self) -> &'static str {
        self.name()
    }
}

/// A count per value of a closed set.
#[derive(Clone, PartialEq, Eq)]
pub struct Tally<L: Label> {
    counts: Vec<u64>,
    labels: std::marker::PhantomData<L>,
}

impl<L: Label> Default for Tally<L> {
    fn default() -> Self {
        Self { counts: vec![0; L::all().len()], labels: std::marker::PhantomData }
    }
}

impl<L: Label> Tally<L> {
    /// Adds to the count of `label`.
    pub fn add(&mut self, label: L, n: u64) {
        self.counts[label.index()] += n;
    }

    /// The count of `label`.
    #[must_use]
    pub fn get(&self, label: L) -> u64 {
        self.counts[label.index()]
    }

    /// The sum over all labels.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Every label and its count.
    pub fn iter(&self) -> impl Iterator<Item = (L, u64)> + '_ {
        L::all().iter().copied().zip(self.counts.iter().copied())
    }
}

impl<L: Label> fmt::Debug for Tally<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.iter().filter(|(_, n)| *n > 0).map(|(label, n)| (label.label(), n)))
            .finish()
    }
}

/// What one shard took and refused.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct ShardCounts {
    /// Records stored.
    pub sent: u64,
    /// Their bytes.
    pub sent_bytes: u64,
    /// Records refused for a limit, per attempt.
    pub throttled: u64,
    /// Entries stored: as many as records, unless these are aggregated. What the shard's limit is about.
    pub entries_sent: u64,
    /// Entries refused for a limit, per attempt.
    pub entries_throttled: u64,
    /// Their bytes.
    pub throttled_bytes: u64,
    /// Records stored in aggregates that were made for another shard.
    pub sent_elsewhere: u64,
}

/// For how long the process was the limit, by what.
#[derive(Debug, Default, Clone)]
pub struct Strained {
    /// How long was judged at all, in milliseconds.
    pub judged_millis: u64,
    /// How long each held, in milliseconds; several may hold at a time.
    pub millis: Tally<Strain>,
    /// CPUs' worth of time that the process may use; 0 where that was not looked at.
    pub cores: f64,
}

/// Every number of a run at one moment.
#[derive(Debug, Default, Clone)]
pub struct Snapshot {
    /// Records that the schedule asked for.
    pub due: u64,
    /// Records made.
    pub generated: u64,
    /// The data of their events before compression, in bytes.
    pub raw_bytes: u64,
    /// Records of these that have a fault on purpose, by fault.
    pub injected: Tally<Injected>,
    /// Records due and never made, by cause.
    pub dropped: Tally<Dropped>,
    /// Records that Kinesis answered with a sequence number.
    pub sent: u64,
    /// Their data and partition keys, in bytes.
    pub sent_bytes: u64,
    /// Their PUT payload units, as `kinesis::limits::billing` counts them.
    pub units: u64,
    /// Their bytes, each record rounded up to whole kilobytes.
    pub rounded_bytes: u64,
    /// Sent records that an earlier attempt without answer may have stored as well.
    pub perhaps_twice: u64,
    /// Records given up, certainly not stored, by cause.
    pub failed: Tally<Failed>,
    /// Records given up, perhaps stored, by cause.
    pub unknown: Tally<Unknown>,
    /// Records made and not settled yet.
    pub in_flight: u64,
    /// Entries (Kinesis records) that were stored: as many as `sent`, unless records are aggregated.
    pub entries_sent: u64,
    /// Entries refused for a limit, counted in every attempt.
    pub entries_throttled: u64,
    /// Sent records in aggregates that another shard took than the one they were made for: a reader of the library
    /// drops those in which a record belongs to a third.
    pub sent_elsewhere: u64,
    /// Entries of all requests, counted in every attempt: a record that goes out three times counts three times.
    pub entries: u64,
    /// Records refused for a limit, counted in every attempt.
    pub throttled: u64,
    /// The same by what they are charged to; `entries_throttled` is the sum of these and `throttled_unjudged`.
    pub throttled_by: Tally<ThrottleCause>,
    /// Throttled entries that the model has not judged yet: those of the last seconds of a run that goes on.
    pub throttled_unjudged: u64,
    /// Requests by outcome.
    pub requests: Tally<Outcome>,
    /// Ticks of jobs released.
    pub ticks_fired: u64,
    /// Ticks of jobs that could not be released.
    pub ticks_missed: u64,
    /// Due seconds that the cron scheduler did not announce in time.
    pub seconds_unannounced: u64,
    /// Steps of the wall clock by more than a second.
    pub clock_steps: u64,
    /// Due seconds that asked for nothing, because the run was paused by hand.
    pub seconds_paused: u64,
    /// Times that the open shards were found to be others than before.
    pub reshards: u64,
    /// Records of the due second that was begun last.
    pub intended: u64,
    /// Records that went into requests, and their bytes, keys included.
    pub weighed_records: u64,
    /// See `weighed_records`.
    pub weighed_bytes: u64,
    /// Records whose fate the journal does not hold, because its disk could not follow.
    pub journal_lost: u64,
    /// From the intended time of a batch to the moment its first request is handed to the HTTP client.
    pub lateness: Durations,
    /// From the call to the answer (or its absence), per request.
    pub request_duration: Durations,
    /// From the intended time to the acknowledgement, per record sent.
    pub delivery_delay: Durations,
    /// For how long due records waited for room in the window of requests.
    pub window_wait: Duration,
    /// For how long this process was the limit.
    pub strained: Strained,
    /// By shard; `None` is what no shard could be told for.
    pub shards: BTreeMap<Option<ShardId>, ShardCounts>,
    /// What the throttled entries of each shard are charged to, by the model; shards that throttled alone.
    pub shard_throttles: BTreeMap<ShardId, ShardThrottles>,
}

/// The numbers do not add up: a defect of this program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the counts do not add up: due {due} = generated {generated} + dropped {dropped}; generated {generated} \
     = sent {sent} + failed {failed} + unknown {unknown} + in flight {in_flight}"
)]
pub struct BrokenLaw {
    due: u64,
    generated: u64,
    dropped: u64,
    sent: u64,
    failed: u64,
    unknown: u64,
    in_flight: u64,
}

impl Snapshot {
    /// Checks `due = generated + dropped` and `generated = sent + failed + unknown + in flight`.
    ///
    /// # Errors
    /// The numbers, when they do not add up.
    pub fn law(&self) -> Result<(), BrokenLaw> {
        let (dropped, failed, unknown) = (self.dropped.total(), self.failed.total(), self.unknown.total());
        let adds_up = self.due == self.generated + dropped
            && self.generated == self.sent + failed + unknown + self.in_flight;
        if adds_up {
            return Ok(());
        }
        Err(BrokenLaw {
            due: self.due,
            generated: self.generated,
            dropped,
            sent: self.sent,
            failed,
            unknown,
            in_flight: self.in_flight,
        })
    }

    pub(super) fn drop_records(&mut self, why: Dropped, records: u64) {
        self.due += records;
        self.dropped.add(why, records);
    }

    pub(super) fn settle(&mut self, settled: &Settled, delay: Duration) {
        self.sent += settled.sent;
        self.sent_bytes += settled.sent_bytes;
        self.units += settled.units;
        self.rounded_bytes += settled.rounded_bytes;
        self.perhaps_twice += settled.perhaps_twice;
        self.entries += settled.entries;
        self.throttled += settled.throttled;
        let mut done = settled.sent;
        for &(why, n) in &settled.failed {
            self.failed.add(why, n);
            done += n;
        }
        for &(why, n) in &settled.unknown {
            self.unknown.add(why, n);
            done += n;
        }
        // Never below zero in silence: `law` would tell.
        self.in_flight = self.in_flight.wrapping_sub(done);
        if settled.sent > 0 {
            self.delivery_delay.record(delay, settled.sent);
        }
        for (shard, counts) in &settled.shards {
            let all = self.shards.entry(*shard).or_default();
            all.sent += counts.sent;
            all.sent_bytes += counts.sent_bytes;
            all.throttled += counts.throttled;
            all.entries_sent += counts.entries_sent;
            all.entries_throttled += counts.entries_throttled;
            all.sent_elsewhere += counts.sent_elsewhere;
            self.sent_elsewhere += counts.sent_elsewhere;
            self.entries_sent += counts.entries_sent;
            self.entries_throttled += counts.entries_throttled;
            all.throttled_bytes += counts.throttled_bytes;
            // Judged are entries, as Kinesis counts them.
            self.throttled_unjudged += counts.entries_throttled;
        }
        for &(cause, n) in &settled.causes {
            self.charge(cause, n);
        }
    }

    fn charge(&mut self, cause: ThrottleCause, entries: u64) {
        self.throttled_by.add(cause, entries);
        self.throttled_unjudged = self.throttled_unjudged.saturating_sub(entries);
    }

    /// Takes what the model tells of a shard since the run's beginning.
    pub(super) fn judge(&mut self, shard: ShardId, told: ShardThrottles) {
        let before = self.shard_throttles.insert(shard, told).unwrap_or_default();
        for ((cause, now), (_, before)) in told.causes().into_iter().zip(before.causes()) {
            self.charge(cause, now.saturating_sub(before));
        }
    }
}
