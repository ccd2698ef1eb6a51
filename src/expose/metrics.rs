//! The metrics in Prometheus's text format: one collector that takes one snapshot for a whole scrape, so
//! that the law of the ledger holds in every scrape.
//!
//! Values are 64-bit floats, as the format has it: counts are exact up to 2^53.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus::core::{Collector, Desc};
use prometheus::proto::{Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType};
use prometheus::{Registry, TextEncoder};

use super::catalogue::{self as table, Kind, METRICS, MetricInfo};
use super::reading_metrics::ReadingCollector;
use crate::judge::client_findings;
use crate::kinesis::ShardId;
use crate::ledger::{Durations, Ledger, ShardCounts, Snapshot};
use crate::verify::Board;

/// Most shards that have a label of their own.
pub const MOST_SHARD_LABELS: usize = 256;

/// The metrics could not be rendered.
#[derive(Debug, thiserror::Error)]
#[error("the metrics can't be rendered")]
pub struct MetricsError(#[from] prometheus::Error);

/// The metrics of a run.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    labels: Arc<Mutex<ShardLabels>>,
}

impl Metrics {
    /// The metrics of `ledger`, of a run that began at `started`.
    #[must_use]
    pub fn new(ledger: Arc<Ledger>, started: SystemTime) -> Self {
        let labels = Arc::new(Mutex::new(ShardLabels::default()));
        let descs = METRICS.iter().map(describe).collect();
        let started = started.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        let registry = Registry::new();
        registry
            .register(Box::new(LedgerCollector { ledger, labels: Arc::clone(&labels), started, descs }))
            .expect(
                "the registry is new, and the names of the table are legal and different: a test says so",
            );
        Self { registry, labels }
    }

    /// The metrics of a process that only reads, by what `board` tells.
    #[must_use]
    pub fn of_reading(board: Arc<Board>, started: SystemTime) -> Self {
        let metrics = Self { registry: Registry::new(), labels: Arc::default() };
        let started = started.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        metrics.register(Process { started, descs: PROCESS.iter().map(describe).collect() });
        metrics.watch_reading(board);
        metrics
    }

    /// Adds what `board` tells of reading back. To be called once.
    pub fn watch_reading(&self, board: Arc<Board>) {
        self.register(ReadingCollector::new(board));
    }

    fn register(&self, collector: impl Collector + 'static) {
        let registered = self.registry.register(Box::new(collector));
        registered.expect("the names of the tables are legal and different: a test says so");
    }

    /// Gives labels to shards before anything went to them, so that their rates work from the start.
    pub fn know_shards(&self, shards: impl IntoIterator<Item = ShardId>) {
        let mut shards: Vec<ShardId> = shards.into_iter().collect();
        shards.sort_unstable();
        lock(&self.labels).give(shards);
    }

    /// The families of one scrape, of one snapshot.
    #[cfg(feature = "otlp")]
    pub(super) fn families(&self) -> Vec<MetricFamily> {
        self.registry.gather()
    }

    /// The text of one scrape.
    ///
    /// # Errors
    /// When the encoder refuses a family, which would be a defect of this program.
    pub fn text(&self) -> Result<String, MetricsError> {
        Ok(TextEncoder::new().encode_to_string(&self.registry.gather())?)
    }
}

/// Which shards have a label of their own.
///
/// A label is given for good, and a shard is never moved out of `other`: a place that is free was free for
/// every shard before. So every series is monotonic, and the sum over all labels is exact.
#[derive(Debug, Default)]
struct ShardLabels {
    given: BTreeSet<ShardId>,
}

impl ShardLabels {
    /// Gives the free places to these shards, in their order.
    fn give(&mut self, shards: impl IntoIterator<Item = ShardId>) {
        for shard in shards {
            if self.given.len() == MOST_SHARD_LABELS {
                return;
            }
            self.given.insert(shard);
        }
    }

    /// The counts of a snapshot by label; every label that was ever given is there.
    fn fold(&mut self, counts: &Snapshot) -> Vec<(String, ShardCounts)> {
        self.give(counts.shards.keys().copied().flatten());
        let mut rows: Vec<(String, ShardCounts)> = Vec::with_capacity(self.given.len() + 2);
        for shard in &self.given {
            rows.push((shard.to_string(), counts.shards.get(&Some(*shard)).copied().unwrap_or_default()));
        }
        let mut other = ShardCounts::default();
        for (shard, counts) in &counts.shards {
            if shard.is_some_and(|shard| !self.given.contains(&shard)) {
                other.sent += counts.sent;
                other.sent_bytes += counts.sent_bytes;
                other.throttled += counts.throttled;
                other.entries_sent += counts.entries_sent;
                other.entries_throttled += counts.entries_throttled;
                other.throttled_bytes += counts.throttled_bytes;
                other.sent_elsewhere += counts.sent_elsewhere;
            }
        }
        rows.push(("other".to_owned(), other));
        rows.push(("unknown".to_owned(), counts.shards.get(&None).copied().unwrap_or_default()));
        rows
    }
}

/// Renders the ledger; registered once.
#[derive(Debug)]
struct LedgerCollector {
    ledger: Arc<Ledger>,
    labels: Arc<Mutex<ShardLabels>>,
    started: f64,
    descs: Vec<Desc>,
}

impl Collector for LedgerCollector {
    fn desc(&self) -> Vec<&Desc> {
        self.descs.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let counts = self.ledger.snapshot();
        let shards = lock(&self.labels).fold(&counts);
        families(&counts, &shards, self.started)
    }
}

/// All families of one snapshot.
fn families(counts: &Snapshot, shards: &[(String, ShardCounts)], started: f64) -> Vec<MetricFamily> {
    let by_shard = |info: &MetricInfo, count: fn(&ShardCounts) -> u64| {
        labelled(info, shards.iter().map(|(label, counts)| (label.as_str(), count(counts))))
    };
    let others = counts.other_writers().unwrap_or_default();
    vec![
        plain(&table::RECORDS_DUE, counts.due as f64),
        plain(&table::RECORDS_GENERATED, counts.generated as f64),
        plain(&table::RAW_BYTES, counts.raw_bytes as f64),
        labelled(&table::RECORDS_INJECTED, counts.injected.iter().map(|(fault, n)| (fault.name(), n))),
        plain(&table::RECORDS_SENT, counts.sent as f64),
        labelled(&table::RECORDS_FAILED_BY, counts.failed.iter().map(|(why, n)| (why.label(), n))),
        labelled(&table::RECORDS_UNKNOWN_BY, counts.unknown.iter().map(|(why, n)| (why.label(), n))),
        labelled(&table::RECORDS_DROPPED_BY, counts.dropped.iter().map(|(why, n)| (why.label(), n))),
        plain(&table::RECORDS_IN_FLIGHT, counts.in_flight as f64),
        plain(&table::RECORDS_THROTTLED, counts.throttled as f64),
        plain(&table::ENTRIES_SENT, counts.entries_sent as f64),
        plain(&table::ENTRIES_THROTTLED, counts.entries_throttled as f64),
        plain(&table::RECORDS_ELSEWHERE, counts.sent_elsewhere as f64),
        labelled(&table::THROTTLED_BY, counts.throttled_by.iter().map(|(cause, n)| (cause.label(), n))),
        plain(&table::OTHERS_RECORDS, others.records_per_second),
        plain(&table::OTHERS_BYTES, others.bytes_per_second),
        plain(&table::ENTRIES_TRIED, counts.entries as f64),
        plain(&table::RECORDS_PERHAPS_DUPLICATED, counts.perhaps_twice as f64),
        plain(&table::SENT_BYTES, counts.sent_bytes as f64),
        labelled(&table::REQUESTS, counts.requests.iter().map(|(outcome, n)| (outcome.label(), n))),
        histogram(&table::REQUEST_DURATION, &counts.request_duration),
        histogram(&table::DELIVERY_DELAY, &counts.delivery_delay),
        histogram(&table::LATENESS, &counts.lateness),
        plain(&table::TICKS_FIRED, counts.ticks_fired as f64),
        plain(&table::TICKS_MISSED, counts.ticks_missed as f64),
        plain(&table::SECONDS_UNANNOUNCED, counts.seconds_unannounced as f64),
        plain(&table::RATE_INTENDED, counts.intended as f64),
        plain(&table::SECONDS_PAUSED, counts.seconds_paused as f64),
        plain(&table::CLOCK_STEPS, counts.clock_steps as f64),
        plain(&table::RESHARDS, counts.reshards as f64),
        plain(&table::JOURNAL_LOST, counts.journal_lost as f64),
        plain(&table::WINDOW_WAIT, counts.window_wait.as_secs_f64()),
        plain(&table::CLIENT_LIMITED, if client_findings(counts).is_empty() { 0.0 } else { 1.0 }),
        strained(counts),
        by_shard(&table::SHARD_SENT, |counts| counts.sent),
        by_shard(&table::SHARD_THROTTLED, |counts| counts.throttled),
        by_shard(&table::SHARD_ENTRIES, |counts| counts.entries_sent),
        by_shard(&table::SHARD_BYTES, |counts| counts.sent_bytes),
    ]
    .into_iter()
    .chain(process(started))
    .collect()
}

/// For how long the process was the limit.
fn strained(counts: &Snapshot) -> MetricFamily {
    let info = &table::CLIENT_LIMITED_SECONDS;
    let causes = counts.strained.millis.iter();
    family(info, causes.map(|(cause, n)| metric(info, &[cause.label().to_owned()], n as f64 / 1e3)).collect())
}

/// What tells of the process itself.
const PROCESS: [MetricInfo; 2] = [table::BUILD_INFO, table::START_TIME];

fn process(started: f64) -> [MetricFamily; 2] {
    let build = vec![metric(&table::BUILD_INFO, &build(), 1.0)];
    [family(&table::BUILD_INFO, build), plain(&table::START_TIME, started)]
}

/// Renders what tells of the process, where there is no ledger.
#[derive(Debug)]
struct Process {
    started: f64,
    descs: Vec<Desc>,
}

impl Collector for Process {
    fn desc(&self) -> Vec<&Desc> {
        self.descs.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        process(self.started).into()
    }
}

/// The values of `build_info`'s labels.
fn build() -> [String; 3] {
    let target = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
    let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
    [env!("CARGO_PKG_VERSION").to_owned(), target, profile.to_owned()]
}

pub(super) fn describe(info: &MetricInfo) -> Desc {
    let labels = info.labels.iter().map(|label| label.name.to_owned()).collect();
    Desc::new(info.name.to_owned(), info.help.to_owned(), labels, Default::default())
        .expect("names, labels and help of the table are legal: a test says so")
}

fn family(info: &MetricInfo, metrics: Vec<Metric>) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(info.name.to_owned());
    family.set_help(info.help.to_owned());
    family.set_field_type(match info.kind {
        Kind::Counter => MetricType::COUNTER,
        Kind::Gauge => MetricType::GAUGE,
        Kind::Histogram => MetricType::HISTOGRAM,
    });
    family.set_metric(metrics);
    family
}

/// A counter or a gauge with these label values.
fn metric(info: &MetricInfo, values: &[String], value: f64) -> Metric {
    let labels = info
        .labels
        .iter()
        .zip(values)
        .map(|(label, value)| {
            let mut pair = LabelPair::default();
            pair.set_name(label.name.to_owned());
            pair.set_value(value.clone());
            pair
        })
        .collect();
    let mut metric = Metric::from_label(labels);
    if info.kind == Kind::Counter {
        let mut counter = Counter::default();
        counter.set_value(value);
        metric.set_counter(counter);
    } else {
        let mut gauge = Gauge::default();
        gauge.set_value(value);
        metric.set_gauge(gauge);
    }
    metric
}

pub(super) fn plain(info: &MetricInfo, value: f64) -> MetricFamily {
    family(info, vec![metric(info, &[], value)])
}

pub(super) fn labelled<'a>(info: &MetricInfo, rows: impl Iterator<Item = (&'a str, u64)>) -> MetricFamily {
    family(info, rows.map(|(label, count)| metric(info, &[label.to_owned()], count as f64)).collect())
}

fn histogram(info: &MetricInfo, durations: &Durations) -> MetricFamily {
    let buckets = durations
        .cumulative()
        .map(|(bound, count)| {
            let mut bucket = Bucket::default();
            bucket.set_upper_bound(bound);
            bucket.set_cumulative_count(count);
            bucket
        })
        .collect();
    let mut histogram = Histogram::default();
    histogram.set_bucket(buckets);
    histogram.set_sample_count(durations.count());
    histogram.set_sample_sum(durations.sum_seconds());
    let mut metric = Metric::default();
    metric.set_histogram(histogram);
    family(info, vec![metric])
}

fn lock(labels: &Mutex<ShardLabels>) -> std::sync::MutexGuard<'_, ShardLabels> {
    // The set is whole after every insertion, so a panic elsewhere can't leave it half-made.
    labels.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;
