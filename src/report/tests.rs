//! The report's claims: what is written is read, what contradicts itself is refused, and merged reports add up.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::kinesis::ShardId;
use crate::ledger::{
    Dropped, Durations, Failed, Ledger, OtherWriters, Others, Outcome, Settled, ShardCounts, ShardThrottles,
    Timeline,
};

/// An instance that began so many milliseconds after the epoch.
fn instance(producer: &str, began_unix_ms: u64, load_seconds: f64) -> Instance {
    Instance {
        producer: producer.to_owned(),
        seed: u64::MAX,
        program_version: "0.1.0".to_owned(),
        target: "x86_64-linux".to_owned(),
        profile: "debug".to_owned(),
        began_unix_ms,
        load_seconds: Some(load_seconds),
        drain_seconds: 0.25,
        ended: "its duration".to_owned(),
        exit_code: 1,
        exit_meaning: "the run ended, but records failed or are unknown".to_owned(),
        verdict: "All is well.".to_owned(),
        held: None,
        cpus: 2,
        cpu_quota: Some(0.5),
        memory_limit_bytes: None,
        cpu_seconds: 1.0,
        settings: [("STREAMER_SEED".to_owned(), "7".to_owned())].into_iter().collect(),
        thresholds: Vec::new(),
        findings: Vec::new(),
        other_writers: None,
        journal: None,
        verified: None,
    }
}

/// A report of a run of seconds, each with so many records of a shard that took so many microseconds.
pub(super) fn of_run(producer: &str, began_unix_ms: u64, seconds: &[(u64, u64, u64)]) -> Document {
    let (ledger, mut timeline) = (Ledger::new(), Timeline::default());
    let (mut at, mut charged) = (Duration::ZERO, vec![0_u64; 1_000]);
    for &(records, shard, micros) in seconds {
        ledger.generated(2 * records);
        ledger.dropped(Dropped::WindowFull, records / 2);
        let counts = ShardCounts { sent: records, sent_bytes: 9 * records, ..ShardCounts::default() };
        let one =
            ShardCounts { throttled: records, entries_sent: records, entries_throttled: records, ..counts };
        let settled = Settled {
            sent: records,
            sent_bytes: 9 * records,
            throttled: records,
            failed: vec![(Failed::Throttled, records)],
            shards: vec![(Some(ShardId(shard)), one)],
            ..Settled::default()
        };
        let took = Duration::from_micros(micros);
        ledger.attempted(Outcome::Partial, took, 3 * took, &settled);
        ledger.departed(took / 2);
        charged[shard as usize % 1_000] += records;
        let told =
            ShardThrottles { by_records: charged[shard as usize % 1_000], ..ShardThrottles::default() };
        ledger.judged(&[(ShardId(shard), told)]);
        at += Duration::from_millis(1_003);
        timeline.span(at, at / 2, &ledger.snapshot());
    }
    timeline.mark(at, "the end");
    let counts = ledger.snapshot();
    let parts = Parts { stream: "orders", counts: &counts, timeline: &timeline };
    build(parts, instance(producer, began_unix_ms, at.as_secs_f64()))
}

/// A report of some seconds.
pub(super) fn document() -> Document {
    of_run("p-1", 1_000_000, &[(90, 0, 5_000), (100, 1, 6_000), (80, 0, 90_000), (70, 3, 4_000)])
}

#[test]
fn what_is_written_is_read() {
    let document = document();
    let read = Document::read(&document.json()).expect("a report");
    assert_eq!(read, document);
    assert_eq!(read.instances[0].seed, u64::MAX, "to the last digit");
    assert_eq!(read.counts.failed(), 340);
    assert_eq!((read.counts.fates.entries_sent, read.counts.fates.entries_throttled), (340, 340));
    assert_eq!(read.counts.fates.throttled_by, [("records".to_owned(), 340)].into_iter().collect());
    let (on_shards, others) = (
        read.shards.iter().flat_map(|shard| shard.fates.throttled_by.values()).sum::<u64>(),
        read.instances[0].other_writers,
    );
    assert_eq!((on_shards, others), (340, None));
}

#[test]
fn who_else_wrote_is_told_as_the_model_has_it() {
    let ledger = Ledger::new();
    let others = Others { records: 4_100.0, bytes: 1_024_000.0, seconds: 10.0, doubt_records: 115.0 };
    ledger.judged(&[(ShardId(1), ShardThrottles { others, ..ShardThrottles::default() })]);
    let (counts, timeline) = (ledger.snapshot(), Timeline::default());
    let parts = Parts { stream: "orders", counts: &counts, timeline: &timeline };
    let document = build(parts, instance("p-1", 1_000_000, 1.0));
    let told = OtherWriters {
        records_per_second: 410.0,
        bytes_per_second: 102_400.0,
        doubt_per_second: 11.5,
        shards: 1,
    };
    assert_eq!(document.instances[0].other_writers, Some(told));
    let sentence =
        "Others wrote about 410 records/s (± 12), 100 KiB/s, to one shard at the limit, by the model.";
    assert!(page(&document).contains(sentence));
    // A report of before it was told is read as well.
    let older = document.json().replacen("other_writers", "another_field", 1);
    assert_eq!(Document::read(&older).expect("a report").instances[0].other_writers, None);
}

#[test]
fn what_is_no_report_is_refused_with_a_word() {
    let right = document().json();
    let told = |text: &str| Document::read(text).expect_err("no report").to_string();
    assert!(told("{").starts_with("it is no report"), "{}", told("{"));
    assert!(told(&right.replace(NAME, "another thing")).contains("its schema is not"));
    assert!(told(&right.replace("\"version\":1,", "\"version\":2,")).contains("a report of version 2"));
    let broken = right.replacen("\"due\":850", "\"due\":851", 1);
    assert!(broken != right && told(&broken).contains("do not add up"), "{}", told(&broken));
    let mut shard = document();
    shard.heat[0].cells[0].0 = 99;
    assert!(told(&shard.json()).contains("a shard that is not in it"));
    let mut huge = document();
    huge.counts.throttled = u64::MAX;
    assert!(told(&huge.json()).contains("is more than anything was counted"));
}

#[test]
fn a_run_that_is_there_twice_is_refused() {
    let error = merge(vec![document(), document()]).expect_err("twice");
    assert!(error.to_string().contains("p-1 that began at 1000000"), "{error}");
    assert_eq!(merge(Vec::new()), Err(MergeError::None));
    let one = merge(vec![document()]).expect("one");
    assert_eq!(
        (&one.counts, &one.times, &one.shards),
        (&document().counts, &document().times, &document().shards)
    );
}

#[test]
fn merged_timelines_are_laid_over_each_other_by_the_wall_clock() {
    let quiet = [(0, 0, 1); 4];
    let early = of_run("a", 10_000, &[&[(60, 0, 5)], &quiet[..]].concat());
    let late = of_run("b", 13_000, &[(60, 1, 5)]);
    let merged = merge(vec![late, early]).expect("two runs");
    assert_eq!((merged.began_unix_ms, merged.instances[0].producer.as_str()), (10_000, "a"));
    let busy: Vec<usize> =
        merged.spans.iter().enumerate().filter(|(_, span)| span.sent >= 50).map(|(at, _)| at).collect();
    assert_eq!(busy, [0, 3], "{:?}", merged.spans.iter().map(|span| span.sent).collect::<Vec<_>>());
    assert!(merged.marks.iter().any(|mark| mark.what == "b: the end" && (mark.at - 4.003).abs() < 1e-6));
    assert!((merged.load_seconds.expect("known") - 5.015).abs() < 1e-6, "{:?}", merged.load_seconds);
}

#[test]
fn shards_of_two_streams_stay_apart() {
    let mut other = of_run("b", 1, &[(5, 0, 5)]);
    other.streams = vec!["clicks".to_owned()];
    let merged = merge(vec![document(), other]).expect("two runs");
    let names: Vec<&str> = merged.shards.iter().filter_map(|shard| shard.shard.as_deref()).collect();
    assert!(
        names.contains(&"orders/shardId-000000000000") && names.contains(&"clicks/shardId-000000000000"),
        "{names:?}"
    );
    assert_eq!(merged.streams, ["orders", "clicks"]);
}

fn seconds() -> impl Strategy<Value = Vec<(u64, u64, u64)>> {
    vec((0_u64..500, 0_u64..6, 1_u64..3_000_000), 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    // Whatever the runs: a merged percentile is that of all data; counts, shards, spans and heat all have the same sums;
    // the merged report is one that is read; and the order of the reports does not matter.
    #[test]
    fn a_merged_report_is_that_of_all_data(
        runs in vec((0_u64..20_000, seconds()), 1..5),
        quantile in 0.0_f64..=1.0,
    ) {
        let documents: Vec<Document> = runs
            .iter()
            .enumerate()
            .map(|(n, (began, seconds))| of_run(&format!("p-{n}"), *began, seconds))
            .collect();
        let merged = merge(documents.clone()).expect("different runs");
        let mut all = Durations::default();
        for (records, _, micros) in runs.iter().flat_map(|(_, seconds)| seconds) {
            if *records > 0 {
                all.record(3 * Duration::from_micros(*micros), *records);
            }
        }
        for quantile in [quantile, 0.5, 0.99, 1.0] {
            prop_assert_eq!(merged.times.delivery_delay.quantile(quantile), all.quantile(quantile));
        }
        let sent: u64 = documents.iter().map(|document| document.counts.sent).sum();
        prop_assert_eq!(merged.counts.sent, sent);
        prop_assert_eq!(merged.shards.iter().map(|shard| shard.sent).sum::<u64>(), sent);
        prop_assert_eq!(merged.spans.iter().map(|span| span.sent).sum::<u64>(), sent);
        prop_assert_eq!(merged.spans.iter().map(|span| span.due).sum::<u64>(), merged.counts.due);
        prop_assert_eq!(merged.spans.iter().map(|span| span.times.delivery_delay.sparse().count()).sum::<u64>(), sent);
        prop_assert_eq!(merged.heat.iter().flat_map(|column| &column.cells).map(|cell| cell.1).sum::<u64>(), sent);
        prop_assert!(Document::read(&merged.json()).is_ok_and(|read| read.counts == merged.counts));
        let turned = merge(documents.into_iter().rev().collect()).expect("different runs");
        prop_assert_eq!(turned.counts, merged.counts);
        prop_assert_eq!(turned.times, merged.times);
    }

    // No text makes the reader panic.
    #[test]
    fn any_change_of_a_report_is_read_or_refused(at in 0_usize..4_000, byte in "[0-9a-z\"{},:-]") {
        let mut text = document().json();
        let at = at % text.len();
        if text.is_char_boundary(at) && text.is_char_boundary(at + 1) {
            text.replace_range(at..=at, &byte);
        }
        if let Ok(read) = Document::read(&text) {
            let _ = page(&read);
            let _ = merge(vec![read]);
        }
    }
}
