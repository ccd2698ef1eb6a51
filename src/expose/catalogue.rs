//! Every metric's name, type, labels and meaning: the one table from which the families take their help
//! and README its reference.
//!
//! A metric is a promise: its name and its labels don't change between releases without a word in the
//! CHANGELOG. All label sets are closed or bounded; none holds an error text or a key.

use crate::ledger::{Dropped, Failed, Injected, Outcome, Unknown};
use crate::verify::CallOutcome;

/// A metric's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down, or never moves.
    Gauge,
    /// Counts in buckets, with bounds [`BOUNDS`](crate::ledger::BOUNDS).
    Histogram,
}

impl Kind {
    /// The type's name in the exposition format.
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// What values a label has.
#[derive(Debug, Clone, Copy)]
pub enum Values {
    /// These, and each is exposed from the start.
    Closed(fn() -> Vec<&'static str>),
    /// A bounded number, as told.
    Bounded(&'static str),
}

/// A label of a metric.
#[derive(Debug, Clone, Copy)]
pub struct LabelInfo {
    /// Its name.
    pub name: &'static str,
    /// What values it has.
    pub values: Values,
}

/// A metric, before it has a value.
#[derive(Debug, Clone, Copy)]
pub struct MetricInfo {
    /// Its full name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Its labels, in order.
    pub labels: &'static [LabelInfo],
    /// What it counts, in which unit, and when it moves.
    pub help: &'static str,
}

const DROPPED: LabelInfo = LabelInfo {
    name: "reason",
    values: Values::Closed(|| Dropped::ALL.iter().map(|reason| reason.label()).collect()),
};

const FAILED: LabelInfo = LabelInfo {
    name: "reason",
    values: Values::Closed(|| Failed::ALL.iter().map(|reason| reason.label()).collect()),
};

const UNKNOWN: LabelInfo = LabelInfo {
    name: "reason",
    values: Values::Closed(|| Unknown::ALL.iter().map(|reason| reason.label()).collect()),
};

const FAULT: LabelInfo = LabelInfo {
    name: "fault",
    values: Values::Closed(|| Injected::ALL.iter().map(|fault| fault.name()).collect()),
};

const OUTCOME: LabelInfo = LabelInfo {
    name: "outcome",
    values: Values::Closed(|| Outcome::ALL.iter().map(|outcome| outcome.label()).collect()),
};

const CALL_OUTCOME: LabelInfo = LabelInfo {
    name: "outcome",
    values: Values::Closed(|| CallOutcome::ALL.map(CallOutcome::label).to_vec()),
};

const SHARD: LabelInfo = LabelInfo {
    name: "shard",
    values: Values::Bounded(
        "a shard's id for the first 256, `other` for the rest together, `unknown` where no shard could be told",
    ),
};

const fn bounded(name: &'static str, values: &'static str) -> LabelInfo {
    LabelInfo { name, values: Values::Bounded(values) }
}

macro_rules! metrics {
    ($(#[$doc:meta])* $all:ident: $($id:ident = $name:literal, $kind:ident, [$($label:expr),*], $help:literal;)+) => {
        $(pub(super) const $id: MetricInfo = MetricInfo {
            name: concat!("kinesis_streamer_", $name),
            kind: Kind::$kind,
            labels: &[$($label),*],
            help: $help,
        };)+

        $(#[$doc])*
        pub const $all: &[MetricInfo] = &[$($id),+];
    };
}

metrics! {
    /// Every metric of a run, in the order of the documentation.
    METRICS:
    RECORDS_DUE = "records_due_total", Counter, [],
        "Records that the schedule asked for; due = generated + dropped in every scrape";
    RECORDS_GENERATED = "records_generated_total", Counter, [],
        "Records made; generated = sent + failed + unknown + in flight in every scrape";
    RAW_BYTES = "generated_bytes_total", Counter, [],
        "Bytes of the generated records' data before compression, without partition keys";
    RECORDS_INJECTED = "records_injected_total", Counter, [FAULT],
        "Generated records that have a fault on purpose (STREAMER_INJECT), counted when they are made";
    RECORDS_SENT = "records_sent_total", Counter, [],
        "Records that Kinesis answered with a sequence number";
    RECORDS_FAILED_BY = "records_failed_total", Counter, [FAILED],
        "Records given up that are certainly not stored, by the reason of the last attempt, or drain: the run ended while they waited for another attempt";
    RECORDS_UNKNOWN_BY = "records_unknown_total", Counter, [UNKNOWN],
        "Records given up that are perhaps stored, because an attempt had no answer";
    RECORDS_DROPPED_BY = "records_dropped_total", Counter, [DROPPED],
        "Records that were due and never generated";
    RECORDS_IN_FLIGHT = "records_in_flight", Gauge, [],
        "Records made and not settled yet, those that wait for their next attempt included";
    RECORDS_THROTTLED = "records_throttled_total", Counter, [],
        "Records that a limit refused, counted in every attempt: a record refused three times counts three times";
    ENTRIES_SENT = "entries_sent_total", Counter, [],
        "Kinesis records (entries of PutRecords) that were stored: as many as records sent, unless STREAMER_AGGREGATION packs several into one";
    ENTRIES_THROTTLED = "entries_throttled_total", Counter, [],
        "Kinesis records that a limit refused, counted in every attempt";
    RECORDS_ELSEWHERE = "records_sent_elsewhere_total", Counter, [],
        "Sent records in aggregates that another shard took than the one they were made for, as after a reshard; KCL drops those in which a record belongs to a third";
    RECORDS_PERHAPS_DUPLICATED = "records_perhaps_duplicated_total", Counter, [],
        "Sent records that an earlier attempt without an answer may have stored as well";
    SENT_BYTES = "sent_bytes_total", Counter, [],
        "Bytes of the sent records: data before base64, and partition keys";
    REQUESTS = "put_records_requests_total", Counter, [OUTCOME],
        "PutRecords requests, counted when they end";
    REQUEST_DURATION = "put_records_duration_seconds", Histogram, [],
        "Seconds from the call of PutRecords to its answer or the lack of one, per request";
    DELIVERY_DELAY = "delivery_delay_seconds", Histogram, [],
        "Seconds from the intended time of a record to its acknowledgement, per sent record, retries included";
    LATENESS = "tick_lateness_seconds", Histogram, [],
        "Seconds from the intended time of a batch to the moment its first request is handed to the HTTP client";
    TICKS_FIRED = "ticks_fired_total", Counter, [],
        "Ticks of jobs that were released";
    TICKS_MISSED = "ticks_missed_total", Counter, [],
        "Ticks of jobs whose second passed before they could be released; their records are dropped";
    SECONDS_UNANNOUNCED = "seconds_unannounced_total", Counter, [],
        "Due seconds that the cron scheduler did not announce in time; they were taken from the expression instead";
    RATE_INTENDED = "rate_intended", Gauge, [],
        "Records of the due second that the schedule began last: what rate or profile ask for, in records a second; 0 when the schedule is over";
    CLOCK_STEPS = "clock_steps_total", Counter, [],
        "Steps of the wall clock by more than a second";
    RESHARDS = "reshards_total", Counter, [],
        "Times that an answer named an unknown shard and the open shards, listed anew, were others than before";
    JOURNAL_LOST = "journal_lost_records_total", Counter, [],
        "Records whose fate is not in the journal, because its disk could not follow; 0 without a journal";
    SHARD_SENT = "shard_records_sent_total", Counter, [SHARD],
        "Records sent, by shard";
    SHARD_THROTTLED = "shard_records_throttled_total", Counter, [SHARD],
        "Records that a limit refused, counted in every attempt, by shard";
    SHARD_ENTRIES = "shard_entries_sent_total", Counter, [SHARD],
        "Kinesis records (entries of PutRecords) that were stored, by shard: what its limit of 1,000 in a second is about";
    SHARD_BYTES = "shard_sent_bytes_total", Counter, [SHARD],
        "Bytes of the sent records: data before base64, and partition keys; by shard";
    BUILD_INFO = "build_info", Gauge,
        [bounded("version", "the release"), bounded("target", "architecture and system"), bounded("profile", "`release` or `debug`")],
        "Always 1; what is running";
    START_TIME = "start_time_seconds", Gauge, [],
        "When the run began, in seconds since 1970-01-01 UTC";
}

metrics! {
    /// Every metric of reading back, in the order of the documentation. They are there where a stream is read back.
    READING_METRICS:
    VERIFY_RECORDS = "verify_records_total", Counter, [],
        "Records read back, as they stand in the stream: an aggregated one counts once";
    VERIFY_BYTES = "verify_bytes_total", Counter, [],
        "Bytes of the records read back: data and partition keys";
    VERIFY_CALLS = "verify_get_records_total", Counter, [CALL_OUTCOME],
        "GetRecords calls, counted when they end";
    VERIFY_BEHIND = "verify_behind_seconds", Gauge, [],
        "How far the reader that is furthest behind is behind the newest record of its shard (MillisBehindLatest)";
    VERIFY_SHARDS = "verify_shards", Gauge, [],
        "Shards that are being read";
    VERIFY_CLAIMED = "verify_claimed_records_total", Counter, [],
        "Records of which a producer said what became of them. How many are missing is known at the end alone";
    VERIFY_COPIES = "verify_extra_copies_total", Counter, [],
        "Copies of a record beyond the first, those included that a producer said there might be";
    VERIFY_CORRUPT = "verify_corrupt_records_total", Counter, [],
        "Records that are ours and not as they were made";
    VERIFY_FOREIGN = "verify_foreign_records_total", Counter, [],
        "Records that are not ours, or of a producer that is not expected";
    VERIFY_DISORDERED = "verify_disordered_records_total", Counter, [],
        "Records behind one of their key that was due after they had been acknowledged, as far as that was known when they were read";
    VERIFY_MISPLACED = "verify_misplaced_records_total", Counter, [],
        "User records in aggregates that hold one of another shard than the one they were read from: KCL drops them";
}

/// README's reference of the metrics, as a Markdown table.
#[must_use]
pub fn markdown_table() -> String {
    let mut table = String::from("| Metric | Type | Labels | Meaning |\n|---|---|---|---|\n");
    for metric in METRICS.iter().chain(READING_METRICS) {
        let labels: Vec<String> = metric
            .labels
            .iter()
            .map(|label| match label.values {
                Values::Closed(values) => format!("`{}`: `{}`", label.name, values().join("`, `")),
                Values::Bounded(told) => format!("`{}`: {told}", label.name),
            })
            .collect();
        let (name, kind, labels, help) = (metric.name, metric.kind.name(), labels.join("; "), metric.help);
        table.push_str(&format!("| `{name}` | {kind} | {labels} | {help} |\n"));
    }
    table
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_follow_the_conventions_of_prometheus() {
        let all = || METRICS.iter().chain(READING_METRICS);
        let names: BTreeSet<&str> = all().map(|metric| metric.name).collect();
        assert_eq!(names.len(), all().count(), "a name stands twice");
        for metric in all() {
            assert!(metric.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{}", metric.name);
            assert_eq!(metric.name.ends_with("_total"), metric.kind == Kind::Counter, "{}", metric.name);
            if metric.kind == Kind::Histogram {
                assert!(metric.name.ends_with("_seconds"), "{}", metric.name);
            }
            assert!(!metric.help.is_empty() && !metric.help.ends_with('.'), "{}", metric.name);
        }
    }

    #[test]
    fn the_table_has_a_row_of_four_cells_for_every_metric() {
        let table = markdown_table();
        let rows: Vec<&str> = table.lines().collect();
        assert_eq!(rows.len(), METRICS.len() + READING_METRICS.len() + 2);
        for row in &rows {
            assert_eq!(row.matches('|').count(), 5, "{row}");
        }
        assert!(table.contains("`reason`: `window_full`, `late`, `missed_tick`, `drain` |"), "{table}");
    }
}
