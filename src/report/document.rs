//! The report as it is written and read: its schema, with a version, and what a reader checks.
//!
//! Times are seconds unless a name says otherwise; moments are milliseconds since the Unix epoch. What a later version
//! adds is passed over by a reader of this one; what it takes away or changes raises the version.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Distribution;
use crate::judge::{Finding, Verdict};
use crate::ledger::OtherWriters;

/// What a report calls itself.
pub const NAME: &str = "kinesis-streamer report";

/// The version of the schema.
pub const VERSION: u32 = 1;

/// Above this a count is no count: sums of thousands of reports stay exact.
pub(super) const MOST: u64 = 1 << 50;

/// A report: of one run, or of several that were merged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// Always [`NAME`].
    pub schema: String,
    /// Of the schema.
    pub version: u32,
    /// The stream's name; of several, each once.
    pub streams: Vec<String>,
    /// The moment from which the timeline counts.
    pub began_unix_ms: u64,
    /// How long the load was offered; of several runs, from the first begin to the last end.
    pub load_seconds: Option<f64>,
    /// Who made the load: one for a run, in the order of their begin for several.
    pub instances: Vec<Instance>,
    /// What became of the records.
    pub counts: Counts,
    /// How long things took.
    pub times: Times,
    /// What each shard took and refused, over the whole run.
    pub shards: Vec<ShardRow>,
    /// Whether the client was the limit.
    pub client: Client,
    /// The run over time.
    pub spans: Vec<SpanRow>,
    /// What each shard did over time.
    pub heat: Vec<HeatColumn>,
    /// What happened.
    pub marks: Vec<MarkRow>,
    /// Marks that found no room.
    #[serde(default)]
    pub more_marks: u64,
}

/// One run of one process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    /// The name of the producer.
    pub producer: String,
    /// The seed of everything random.
    pub seed: u64,
    /// The release.
    pub program_version: String,
    /// Architecture and system.
    pub target: String,
    /// `release` or `debug`.
    pub profile: String,
    /// When it began.
    pub began_unix_ms: u64,
    /// How long it offered its load.
    pub load_seconds: Option<f64>,
    /// From the end of the load to the last settled record.
    pub drain_seconds: f64,
    /// What ended it.
    pub ended: String,
    /// How its process ended.
    pub exit_code: u8,
    /// What that means.
    pub exit_meaning: String,
    /// What became of its records, in a sentence.
    pub verdict: String,
    /// Records that the embedded stream took by its own count.
    pub held: Option<u64>,
    /// CPUs that the process could run on.
    pub cpus: usize,
    /// CPUs' worth of time that its control group could use.
    pub cpu_quota: Option<f64>,
    /// Bytes of memory that its control group could use.
    pub memory_limit_bytes: Option<u64>,
    /// CPU time that it used, all threads together.
    pub cpu_seconds: f64,
    /// Every setting in force, by variable: what repeats the run.
    pub settings: BTreeMap<String, String>,
    /// What came of its thresholds.
    pub thresholds: Vec<Verdict>,
    /// Why it was the limit; empty when it was not.
    pub findings: Vec<Finding>,
    /// Who else wrote to the stream, by the model; none where that is nobody, or nothing is known.
    #[serde(default)]
    pub other_writers: Option<OtherWriters>,
    /// Its journal, and whether it is whole.
    pub journal: Option<String>,
    /// What came of reading the stream back, as `verify --json` has it.
    pub verified: Option<serde_json::Value>,
}

/// What became of the records; each cause by the label that the metrics have for it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Records that the schedule asked for.
    pub due: u64,
    /// Records made.
    pub generated: u64,
    /// Records due and never made, by cause.
    pub dropped: BTreeMap<String, u64>,
    /// Records that Kinesis answered with a sequence number.
    pub sent: u64,
    /// Their data and partition keys, in bytes.
    pub sent_bytes: u64,
    /// Sent records that an earlier attempt may have stored as well.
    pub perhaps_twice: u64,
    /// Records given up, certainly not stored, by cause.
    pub failed: BTreeMap<String, u64>,
    /// Records given up, perhaps stored, by cause.
    pub unknown: BTreeMap<String, u64>,
    /// Records that were not settled at the end.
    pub in_flight: u64,
    /// Records refused for a limit, counted in every attempt.
    pub throttled: u64,
    /// Entries (Kinesis records) of all requests, counted in every attempt.
    #[serde(default)]
    pub entries: u64,
    /// What became of them.
    #[serde(flatten)]
    pub fates: Entries,
    /// Records sent in aggregates that another shard took than the one they were made for.
    #[serde(default)]
    pub sent_elsewhere: u64,
    /// PUT payload units of what was sent, which is what a provisioned stream bills.
    #[serde(default)]
    pub payload_units: u64,
    /// Bytes of what was sent, each entry rounded up to whole kilobytes, which is what an on-demand stream bills.
    #[serde(default)]
    pub rounded_bytes: u64,
    /// Requests by outcome.
    pub requests: BTreeMap<String, u64>,
    /// Records with a fault on purpose, by fault.
    pub injected: BTreeMap<String, u64>,
    /// Data of the generated records before compression, in bytes.
    pub raw_bytes: u64,
    /// Ticks of jobs released.
    pub ticks_fired: u64,
    /// Ticks of jobs that could not be released.
    pub ticks_missed: u64,
    /// Due seconds that the cron scheduler did not announce in time.
    pub seconds_unannounced: u64,
    /// Steps of the wall clock by more than a second.
    pub clock_steps: u64,
    /// Times that the open shards were others than before.
    pub reshards: u64,
    /// Records whose fate the journal does not hold.
    pub journal_lost: u64,
}

/// What became of entries, which are Kinesis records: of all of a run, or of a shard. Reports of before they were counted
/// have none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Entries {
    /// Entries stored: as many as records sent, unless these were aggregated.
    #[serde(default)]
    pub entries_sent: u64,
    /// Entries refused for a limit, counted in every attempt.
    #[serde(default)]
    pub entries_throttled: u64,
    /// The same by what the model charges them to.
    #[serde(default)]
    pub throttled_by: BTreeMap<String, u64>,
}

/// How long things took.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Times {
    /// From the intended time to the acknowledgement, per record sent.
    pub delivery_delay: Distribution,
    /// From the call to the answer, per request.
    pub request_duration: Distribution,
    /// From the intended time of a batch to its departure.
    pub lateness: Distribution,
}

/// What a shard took and refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardRow {
    /// Its id; none is what no shard could be told for.
    pub shard: Option<String>,
    /// Records stored.
    pub sent: u64,
    /// Their bytes.
    pub sent_bytes: u64,
    /// Records refused for a limit, counted in every attempt.
    pub throttled: u64,
    /// What became of its entries; what can't be charged to a shard is in [`Counts`] alone.
    #[serde(flatten)]
    pub fates: Entries,
}

/// Whether the client was the limit.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Client {
    /// Whether it was.
    pub limited: bool,
    /// How long was judged.
    pub judged_seconds: f64,
    /// For how long each cause held.
    pub limited_seconds: BTreeMap<String, f64>,
    /// How long due records waited for room in the window of requests.
    pub window_wait_seconds: f64,
}

/// A part of the run, of a second or more.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SpanRow {
    /// When it begins, since the timeline began.
    pub from: f64,
    /// When it ends.
    pub to: f64,
    /// Records due in it, and so on as in [`Counts`].
    pub due: u64,
    /// Records made.
    pub generated: u64,
    /// Records dropped.
    pub dropped: u64,
    /// Records sent.
    pub sent: u64,
    /// Their bytes.
    pub sent_bytes: u64,
    /// Records failed.
    pub failed: u64,
    /// Records unknown.
    pub unknown: u64,
    /// Records throttled.
    pub throttled: u64,
    /// Requests ended.
    pub requests: u64,
    /// Records in flight at its end.
    pub in_flight: u64,
    /// CPU time used.
    pub cpu_seconds: f64,
    /// How late the process's own clock woke up.
    pub stalled_seconds: f64,
    /// How long due records waited for the window.
    pub window_wait_seconds: f64,
    /// How long threads were ready and had no CPU.
    pub queued_seconds: Option<f64>,
    /// How long the control group was held back for its quota.
    pub quota_held_seconds: Option<f64>,
    /// What the host gave to others.
    pub stolen_seconds: Option<f64>,
    /// Connections opened.
    pub connections: u64,
    /// How long that took.
    pub connecting_seconds: f64,
    /// The distributions of what ended in it.
    pub times: Times,
}

/// What the shards did in a part of the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeatColumn {
    /// When it begins, since the timeline began.
    pub from: f64,
    /// When it ends.
    pub to: f64,
    /// By place in [`Document::shards`]: records stored, and records refused for a limit.
    pub cells: Vec<(usize, u64, u64)>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MarkRow {
    /// When, since the timeline began.
    pub at: f64,
    /// What.
    pub what: String,
}

/// Why a text is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is no JSON of the form.
    #[error("it is no report: {0}")]
    Form(#[from] serde_json::Error),
    /// It is of something else.
    #[error("it is no report: its schema is not \"{NAME}\"")]
    Other,
    /// It is of another version.
    #[error("it is a report of version {0}, and this program reads version {VERSION}")]
    Version(u32),
    /// Its numbers contradict each other.
    #[error("its numbers do not add up: {0}")]
    Law(String),
}

/// What is looked at first.
#[derive(Deserialize)]
struct Head {
    schema: String,
    version: u32,
}

impl Document {
    /// Reads a report.
    ///
    /// # Errors
    /// Why it is none.
    pub fn read(text: &str) -> Result<Self, ReadError> {
        let head: Head = serde_json::from_str(text)?;
        if head.schema != NAME {
            return Err(ReadError::Other);
        }
        if head.version != VERSION {
            return Err(ReadError::Version(head.version));
        }
        let document: Self = serde_json::from_str(text)?;
        document.check().map_err(ReadError::Law)?;
        Ok(document)
    }

    /// The report as JSON, with its end of line.
    #[must_use]
    pub fn json(&self) -> String {
        let text = serde_json::to_string(self);
        text.expect("strings, finite numbers and maps with strings for keys") + "\n"
    }

    /// Checks what a person could be misled by.
    fn check(&self) -> Result<(), String> {
        self.counts.law()?;
        if let Some(count) = self.all_counts().find(|&count| count > MOST) {
            return Err(format!("{count} is more than anything was counted"));
        }
        if self.instances.is_empty() {
            return Err("it is of no run".to_owned());
        }
        let times = self.spans.iter().map(|span| (span.from, span.to));
        let columns = self.heat.iter().map(|column| (column.from, column.to));
        let wrong = |&(from, to): &(f64, f64)| !(from >= 0.0 && to >= from && to.is_finite());
        if let Some((from, to)) = times.chain(columns).find(wrong) {
            return Err(format!("a part of the run lasts from {from} to {to}"));
        }
        let places = self.heat.iter().flat_map(|column| &column.cells);
        if places.into_iter().any(|&(place, ..)| place >= self.shards.len()) {
            return Err("a part of the run names a shard that is not in it".to_owned());
        }
        Ok(())
    }

    /// Every count that is added to others somewhere.
    fn all_counts(&self) -> impl Iterator<Item = u64> + '_ {
        let counts = &self.counts;
        let tallies =
            [&counts.dropped, &counts.failed, &counts.unknown, &counts.requests, &counts.injected].map(sum);
        let totals = [
            counts.due,
            counts.generated,
            counts.sent,
            counts.sent_bytes,
            counts.perhaps_twice,
            counts.in_flight,
            counts.throttled,
            counts.entries,
            counts.sent_elsewhere,
            counts.payload_units,
            counts.rounded_bytes,
            counts.raw_bytes,
            counts.ticks_fired,
            counts.ticks_missed,
            counts.seconds_unannounced,
            counts.clock_steps,
            counts.reshards,
            counts.journal_lost,
            self.more_marks,
        ];
        let spans = self.spans.iter().flat_map(|one| {
            let first = [one.due, one.generated, one.dropped, one.sent, one.sent_bytes, one.failed];
            let second = [one.unknown, one.throttled, one.requests, one.in_flight, one.connections];
            first.into_iter().chain(second)
        });
        let shards = self.shards.iter().flat_map(|shard| {
            let records = [shard.sent, shard.sent_bytes, shard.throttled];
            records.into_iter().chain(shard.fates.counts())
        });
        let cells = self.heat.iter().flat_map(|column| &column.cells).flat_map(|cell| [cell.1, cell.2]);
        tallies.into_iter().chain(counts.fates.counts()).chain(totals).chain(spans).chain(shards).chain(cells)
    }

    /// How long the run lasted by its timeline, in seconds.
    #[must_use]
    pub fn length(&self) -> f64 {
        self.spans.last().map_or(0.0, |span| span.to)
    }
}

impl Entries {
    fn counts(&self) -> [u64; 3] {
        [self.entries_sent, self.entries_throttled, sum(&self.throttled_by)]
    }
}

impl Counts {
    /// Records dropped.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        sum(&self.dropped)
    }

    /// Records failed.
    #[must_use]
    pub fn failed(&self) -> u64 {
        sum(&self.failed)
    }

    /// Records unknown.
    #[must_use]
    pub fn unknown(&self) -> u64 {
        sum(&self.unknown)
    }

    fn law(&self) -> Result<(), String> {
        let settled = self.sent.saturating_add(self.failed()).saturating_add(self.unknown());
        if self.due == self.generated.saturating_add(self.dropped())
            && self.generated == settled.saturating_add(self.in_flight)
        {
            return Ok(());
        }
        Err(format!(
            "due {} is not generated {} + dropped {}, or that is not sent {} + failed {} + unknown {} + in flight {}",
            self.due,
            self.generated,
            self.dropped(),
            self.sent,
            self.failed(),
            self.unknown(),
            self.in_flight
        ))
    }
}

pub(super) fn sum(counts: &BTreeMap<String, u64>) -> u64 {
    counts.values().fold(0, |sum, count| sum.saturating_add(*count))
}
