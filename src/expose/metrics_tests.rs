//! The metrics' claims: the reference is complete, the text is legal, the law holds in it.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::expose::catalogue::Values;
use crate::ledger::{Dropped, Failed, Outcome, Settled, ShardCounts, Unknown};

/// A scrape as a reader takes it: the types, and every sample by its name with labels.
struct Scrape {
    kinds: BTreeMap<String, String>,
    samples: BTreeMap<String, f64>,
}

impl Scrape {
    /// Reads the text format by its rules (Prometheus, "Exposition formats", version 0.0.4); panics on a breach.
    fn read(text: &str) -> Self {
        assert!(text.ends_with('\n'), "the last line has no end");
        let mut scrape = Self { kinds: BTreeMap::new(), samples: BTreeMap::new() };
        let mut helped = None;
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, help) = help.split_once(' ').expect("a help text");
                assert!(!help.is_empty());
                helped = Some(name.to_owned());
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').expect("a type");
                assert_eq!(helped.as_deref(), Some(name), "help stands before the type");
                assert!(matches!(kind, "counter" | "gauge" | "histogram"), "{kind}");
                let again = scrape.kinds.insert(name.to_owned(), kind.to_owned());
                assert!(again.is_none(), "the family {name} stands twice");
            } else {
                let (series, value) = line.rsplit_once(' ').expect("a value");
                let name = series.split('{').next().expect("a name");
                let family = helped.as_deref().expect("a family before its samples");
                let suffix = name.strip_prefix(family).expect("a sample of the family above");
                match scrape.kinds[family].as_str() {
                    "histogram" => assert!(matches!(suffix, "_bucket" | "_sum" | "_count"), "{line}"),
                    _ => assert_eq!(suffix, "", "{line}"),
                }
                check_labels(&series[name.len()..]);
                let value: f64 = value.parse().expect("a number");
                assert!(value.is_finite(), "{line}");
                let again = scrape.samples.insert(series.to_owned(), value);
                assert!(again.is_none(), "{series} stands twice");
            }
        }
        scrape
    }

    /// The value of a series, its name without the prefix.
    fn get(&self, series: &str) -> f64 {
        let series = format!("kinesis_streamer_{series}");
        *self.samples.get(&series).unwrap_or_else(|| panic!("no series {series}"))
    }

    /// The sum over all label values of a family.
    fn sum(&self, family: &str) -> f64 {
        let start = format!("kinesis_streamer_{family}{{");
        self.samples.iter().filter(|(series, _)| series.starts_with(&start)).map(|(_, value)| value).sum()
    }

    fn law_holds(&self) -> bool {
        let (due, generated) = (self.get("records_due_total"), self.get("records_generated_total"));
        let settled = self.get("records_sent_total")
            + self.sum("records_failed_total")
            + self.sum("records_unknown_total");
        due == generated + self.sum("records_dropped_total")
            && generated == settled + self.get("records_in_flight")
    }
}

/// `{name="value",…}` or nothing.
fn check_labels(labels: &str) {
    if labels.is_empty() {
        return;
    }
    let inner = labels.strip_prefix('{').and_then(|labels| labels.strip_suffix('}')).expect("braces");
    for pair in inner.split(',') {
        let (name, value) = pair.split_once('=').expect("a label with a value");
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{pair}");
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).expect("quotes");
        assert!(!value.contains(['"', '\\', '\n']), "{pair}");
    }
}

fn metrics(ledger: &Arc<Ledger>) -> Metrics {
    Metrics::new(Arc::clone(ledger), UNIX_EPOCH + Duration::from_millis(1_700_000_000_500))
}

fn scrape(metrics: &Metrics) -> Scrape {
    Scrape::read(&metrics.text().expect("text"))
}

fn sent_to(shard: Option<u64>, records: u64) -> Settled {
    let (sent, sent_bytes) = (records, 10 * records);
    let counts = ShardCounts { sent, sent_bytes, throttled: 1, entries_sent: sent, entries_throttled: 1 };
    let shards = vec![(shard.map(ShardId), counts)];
    Settled { sent: records, sent_bytes: 10 * records, shards, ..Settled::default() }
}

#[test]
fn every_exported_family_is_in_the_table_and_the_reverse() {
    let scrape = scrape(&metrics(&Arc::default()));
    let listed: BTreeMap<String, String> =
        METRICS.iter().map(|metric| (metric.name.to_owned(), metric.kind.name().to_owned())).collect();
    assert_eq!(scrape.kinds, listed);
}

#[test]
fn every_value_of_a_closed_label_is_there_from_the_start() {
    let scrape = scrape(&metrics(&Arc::default()));
    for metric in METRICS {
        for label in metric.labels {
            if let Values::Closed(values) = label.values {
                for value in values() {
                    let series = format!("{}{{{}=\"{value}\"}}", metric.name, label.name);
                    assert_eq!(scrape.samples.get(&series), Some(&0.0), "{series}");
                }
            }
        }
    }
    assert_eq!(scrape.get("shard_records_sent_total{shard=\"other\"}"), 0.0);
    assert_eq!(scrape.get("shard_records_sent_total{shard=\"unknown\"}"), 0.0);
    assert_eq!(scrape.get("start_time_seconds"), 1_700_000_000.5);
    assert_eq!(scrape.sum("build_info"), 1.0);
}

#[test]
fn a_scrape_holds_the_numbers_of_the_ledger() {
    let ledger = Arc::new(Ledger::new());
    let metrics = metrics(&ledger);
    ledger.ticks_fired(2);
    ledger.generated(10);
    ledger.dropped(Dropped::WindowFull, 3);
    ledger.departed(Duration::from_millis(2));
    let settled = Settled {
        sent: 5,
        sent_bytes: 500,
        perhaps_twice: 1,
        failed: vec![(Failed::Throttled, 2)],
        unknown: vec![(Unknown::Timeout, 1)],
        throttled: 4,
        sent_elsewhere: 2,
        shards: Vec::new(),
    };
    ledger.attempted(Outcome::Partial, Duration::from_millis(20), Duration::from_millis(300), &settled);
    let scrape = scrape(&metrics);
    for (series, value) in [
        ("records_due_total", 13.0),
        ("records_generated_total", 10.0),
        ("records_sent_total", 5.0),
        ("records_failed_total{reason=\"throttled\"}", 2.0),
        ("records_unknown_total{reason=\"timeout\"}", 1.0),
        ("records_dropped_total{reason=\"window_full\"}", 3.0),
        ("records_in_flight", 2.0),
        ("records_throttled_total", 4.0),
        ("records_sent_elsewhere_total", 2.0),
        ("records_perhaps_duplicated_total", 1.0),
        ("sent_bytes_total", 500.0),
        ("put_records_requests_total{outcome=\"partial\"}", 1.0),
        ("put_records_duration_seconds_bucket{le=\"0.01\"}", 0.0),
        ("put_records_duration_seconds_bucket{le=\"0.025\"}", 1.0),
        ("put_records_duration_seconds_bucket{le=\"+Inf\"}", 1.0),
        ("put_records_duration_seconds_sum", 0.02),
        ("delivery_delay_seconds_count", 5.0),
        ("tick_lateness_seconds_count", 1.0),
        ("ticks_fired_total", 2.0),
    ] {
        assert_eq!(scrape.get(series), value, "{series}");
    }
    assert!(scrape.law_holds());
}

#[test]
fn known_shards_have_a_series_before_anything_went_to_them() {
    let metrics = metrics(&Arc::default());
    metrics.know_shards([ShardId(7)]);
    assert_eq!(scrape(&metrics).get("shard_records_sent_total{shard=\"shardId-000000000007\"}"), 0.0);
}

#[test]
fn a_shard_beyond_the_bound_stays_in_other_and_one_with_a_label_keeps_it() {
    let ledger = Arc::new(Ledger::new());
    let metrics = metrics(&ledger);
    let send = |shard: Option<u64>| {
        ledger.generated(1);
        ledger.attempted(Outcome::Ok, Duration::ZERO, Duration::ZERO, &sent_to(shard, 1));
    };
    (1_000..1_300).for_each(|shard| send(Some(shard)));
    send(None);
    let first = scrape(&metrics);
    assert_eq!(first.get("shard_records_sent_total{shard=\"shardId-000000001255\"}"), 1.0);
    assert_eq!(first.get("shard_records_sent_total{shard=\"other\"}"), 44.0);
    assert_eq!(first.get("shard_records_sent_total{shard=\"unknown\"}"), 1.0);

    send(Some(3)); // lower than all that have a label, but late
    send(Some(1_000));
    send(Some(1_299));
    let second = scrape(&metrics);
    assert_eq!(second.get("shard_records_sent_total{shard=\"shardId-000000001000\"}"), 2.0);
    assert_eq!(second.get("shard_records_sent_total{shard=\"other\"}"), 46.0);
    assert_eq!(second.sum("shard_records_sent_total"), second.get("records_sent_total"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))] // each case renders several scrapes

    // However shards come and go between scrapes: the number of series is bounded, no series ever falls or
    // vanishes, their sum is what was sent, and the law holds in the text.
    #[test]
    fn series_by_shard_are_bounded_monotonic_and_exact(
        rounds in vec(vec((proptest::option::weighted(0.95, 0_u64..600), 1_u64..100), 0..200), 1..6),
    ) {
        let ledger = Arc::new(Ledger::new());
        let metrics = metrics(&ledger);
        let mut before = scrape(&metrics);
        for round in rounds {
            for (shard, records) in round {
                ledger.generated(records + 1); // one stays in flight
                ledger.attempted(Outcome::Ok, Duration::ZERO, Duration::ZERO, &sent_to(shard, records));
            }
            let now = scrape(&metrics);
            prop_assert!(now.law_holds());
            for (family, total) in
                [("shard_records_sent_total", "records_sent_total"), ("shard_sent_bytes_total", "sent_bytes_total")]
            {
                prop_assert_eq!(now.sum(family), now.get(total));
                let start = format!("kinesis_streamer_{family}{{");
                let series = now.samples.keys().filter(|series| series.starts_with(&start)).count();
                prop_assert!(series <= MOST_SHARD_LABELS + 2);
            }
            for (series, value) in &before.samples {
                prop_assert!(now.samples.get(series).is_some_and(|now| now >= value), "{} fell", series);
            }
            before = now;
        }
    }
}
