//! The statistics of a run that thresholds are about: their names, units and definitions, in one table.
//!
//! `docs/metrics.md` takes its table from here. A statistic that has no value (a ratio of nothing, a percentile of
//! no records) is none, never 0.

use std::time::Duration;

use super::client_findings;
use crate::ledger::{Durations, Outcome, Snapshot};

/// What a statistic is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A number of things.
    Count,
    /// From 0 to 1; a value may be given in percent.
    Ratio,
    /// Seconds; a value has a unit, such as `250ms`.
    Duration,
    /// Things a second.
    Rate,
    /// Bytes a second.
    ByteRate,
    /// True or false; it stands alone.
    Flag,
}

impl Unit {
    /// How a value of it is written, in words that fit after "such as".
    #[must_use]
    pub fn example(self) -> &'static str {
        match self {
            Self::Count => "1000",
            Self::Ratio => "0.01 or 1%",
            Self::Duration => "250ms or 1.5s",
            Self::Rate => "900 or 900/s",
            Self::ByteRate => "1MiB/s or 500KB/s",
            Self::Flag => "nothing: it stands alone",
        }
    }
}

/// What the statistics are computed from.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The final counts.
    pub counts: &'a Snapshot,
    /// How long the load was offered; none where that is not known.
    pub load_time: Option<Duration>,
}

/// A statistic of a run.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name in an expression.
    pub name: &'static str,
    /// What it is counted in.
    pub unit: Unit,
    /// Its definition, as a formula.
    pub formula: &'static str,
    value: fn(&Facts<'_>) -> Option<f64>,
}

impl Metric {
    /// Its value; none where it has none.
    #[must_use]
    pub fn value(&self, facts: &Facts<'_>) -> Option<f64> {
        (self.value)(facts)
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn per_second(facts: &Facts<'_>, count: u64) -> Option<f64> {
    let seconds = facts.load_time?.as_secs_f64();
    (seconds > 0.0).then(|| count as f64 / seconds)
}

fn quantile(durations: &Durations, quantile: f64) -> Option<f64> {
    durations.quantile(quantile).map(|duration| duration.as_secs_f64())
}

macro_rules! metrics {
    ($($name:literal, $unit:ident, $formula:literal, $value:expr;)+) => {
        /// Every statistic, in the order of the documentation.
        pub const METRICS: &[Metric] = &[
            $(Metric { name: $name, unit: Unit::$unit, formula: $formula, value: $value },)+
        ];
    };
}

metrics! {
    "due", Count, "records that the schedule asked for", |f| Some(f.counts.due as f64);
    "generated", Count, "records made", |f| Some(f.counts.generated as f64);
    "dropped", Count, "records due and never made", |f| Some(f.counts.dropped.total() as f64);
    "sent", Count, "records that Kinesis answered with a sequence number", |f| Some(f.counts.sent as f64);
    "failed", Count, "records given up, certainly not stored", |f| Some(f.counts.failed.total() as f64);
    "unknown", Count, "records given up, perhaps stored", |f| Some(f.counts.unknown.total() as f64);
    "perhaps_twice", Count, "sent records that an earlier attempt may have stored as well",
        |f| Some(f.counts.perhaps_twice as f64);
    "throttled", Count, "records refused for a limit, counted in every attempt", |f| Some(f.counts.throttled as f64);
    "requests", Count, "PutRecords requests that ended", |f| Some(f.counts.requests.total() as f64);
    "throttled_ratio", Ratio, "throttled / (throttled + sent)",
        |f| ratio(f.counts.throttled, f.counts.throttled + f.counts.sent);
    "sent_ratio", Ratio, "sent / due", |f| ratio(f.counts.sent, f.counts.due);
    "dropped_ratio", Ratio, "dropped / due", |f| ratio(f.counts.dropped.total(), f.counts.due);
    "failed_ratio", Ratio, "failed / generated", |f| ratio(f.counts.failed.total(), f.counts.generated);
    "unknown_ratio", Ratio, "unknown / generated", |f| ratio(f.counts.unknown.total(), f.counts.generated);
    "lost_ratio", Ratio, "(dropped + failed + unknown) / due", |f| ratio(
        f.counts.dropped.total() + f.counts.failed.total() + f.counts.unknown.total(), f.counts.due);
    "request_error_ratio", Ratio, "requests that did not end in ok or partial / requests", |f| {
        let all = f.counts.requests.total();
        ratio(all - f.counts.requests.get(Outcome::Ok) - f.counts.requests.get(Outcome::Partial), all)
    };
    "due_rate", Rate, "due / load time", |f| per_second(f, f.counts.due);
    "sent_rate", Rate, "sent / load time", |f| per_second(f, f.counts.sent);
    "sent_bytes_rate", ByteRate, "bytes of data and keys of the records sent / load time",
        |f| per_second(f, f.counts.sent_bytes);
    "p50", Duration, "median of the delivery delay, per record sent", |f| quantile(&f.counts.delivery_delay, 0.5);
    "p90", Duration, "90th percentile of the delivery delay", |f| quantile(&f.counts.delivery_delay, 0.9);
    "p95", Duration, "95th percentile of the delivery delay", |f| quantile(&f.counts.delivery_delay, 0.95);
    "p99", Duration, "99th percentile of the delivery delay", |f| quantile(&f.counts.delivery_delay, 0.99);
    "p999", Duration, "99.9th percentile of the delivery delay", |f| quantile(&f.counts.delivery_delay, 0.999);
    "max", Duration, "longest delivery delay", |f| quantile(&f.counts.delivery_delay, 1.0);
    "request_p50", Duration, "median of the request duration", |f| quantile(&f.counts.request_duration, 0.5);
    "request_p90", Duration, "90th percentile of the request duration",
        |f| quantile(&f.counts.request_duration, 0.9);
    "request_p99", Duration, "99th percentile of the request duration",
        |f| quantile(&f.counts.request_duration, 0.99);
    "request_max", Duration, "longest request duration", |f| quantile(&f.counts.request_duration, 1.0);
    "lateness_p99", Duration, "99th percentile of the tick lateness, per batch",
        |f| quantile(&f.counts.lateness, 0.99);
    "lateness_max", Duration, "longest tick lateness", |f| quantile(&f.counts.lateness, 1.0);
    "client_limited", Flag, "whether this client was the limit of the run (see below)",
        |f| Some(if client_findings(f.counts).is_empty() { 0.0 } else { 1.0 });
}

/// The table of `docs/metrics.md`.
#[must_use]
pub fn markdown_table() -> String {
    let mut table = String::from("| name | unit | value such as | definition |\n|---|---|---|---|\n");
    for metric in METRICS {
        let unit = match metric.unit {
            Unit::Count => "count",
            Unit::Ratio => "share, 0 to 1",
            Unit::Duration => "time",
            Unit::Rate => "records/s",
            Unit::ByteRate => "bytes/s",
            Unit::Flag => "yes or no",
        };
        table.push_str(&format!(
            "| `{}` | {unit} | {} | {} |\n",
            metric.name,
            metric.unit.example(),
            metric.formula
        ));
    }
    table
}
