//! Records in, records out: limits, trimming, time, resharding, as clients see them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

#[tokio::test]
async fn what_is_put_over_http_is_read_back_and_held() {
    let server = Running::start(Options { clock: Clock::system(), ..options(1) }).await;
    let mut client = server.client().await;
    let (status, put) = client.call("PutRecords", &put_records(500)).await;
    assert_eq!((status, &put["FailedRecordCount"]), (200, &json!(0)));
    let start =
        json!({ "StreamName": "s", "ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON" });
    let (_, iterator) = client.call("GetShardIterator", &start).await;
    let (status, got) = client.call("GetRecords", &iterator).await;
    assert_eq!((status, &got["MillisBehindLatest"]), (200, &json!(0)));
    let numbers = |answer: &Value| -> Vec<String> {
        list(&answer["Records"]).iter().map(|record| text(&record["SequenceNumber"])).collect()
    };
    assert_eq!(numbers(&got), numbers(&put));
    assert_eq!(got["Records"][7]["PartitionKey"], "007");
    assert_eq!(got["Records"][7]["Data"], "AAAA");

    let stream = server.store.stream("s").expect("there");
    let held = stream.held();
    let held: Vec<_> = held.iter().collect();
    assert_eq!(held.iter().map(|record| record.sequence.to_string()).collect::<Vec<_>>(), numbers(&put));
    assert_eq!((held[7].partition_key, held[7].data, held[7].sequence.index()), ("007", &[0, 0, 0][..], 8));
    assert_eq!(stream.totals().accepted_bytes, 500 * 6);
    server.end().await;
}

#[tokio::test]
async fn errors_carry_aws_names_and_the_connection_goes_on() {
    let server = Running::start(options(1)).await;
    let mut client = server.client().await;
    let missing = json!({ "StreamName": "nope" });
    let (status, error) = client.call("DescribeStream", &missing).await;
    assert_eq!(status, 400);
    assert_eq!(error["__type"], "ResourceNotFoundException");
    assert_eq!(error["message"], "Stream nope under account 000000000000 not found.");
    let (status, limits) = client.call("DescribeLimits", &json!({})).await;
    assert_eq!((status, &limits["OpenShardCount"]), (200, &json!(1)));
    server.end().await;
}

#[test]
fn a_shard_refuses_entry_by_entry_and_counts_what_it_refused() {
    let local = Local::new(options(1));
    for _ in 0..2 {
        assert_eq!(local.put(500)["FailedRecordCount"], 0);
    }
    local.clock.advance(Duration::from_millis(100));
    let answer = local.put(500);
    // 100 ms give 100 records back: the first hundred entries.
    assert_eq!(answer["FailedRecordCount"], 400);
    for (at, entry) in list(&answer["Records"]).iter().enumerate() {
        assert_eq!(entry.get("SequenceNumber").is_some(), at < 100, "{at}");
    }
    assert_eq!(
        answer["Records"][100],
        json!({
            "ErrorCode": "ProvisionedThroughputExceededException",
            "ErrorMessage": "Rate exceeded for shard shardId-000000000000 in stream s under account 000000000000.",
        })
    );
    let counts = local.store.stream("s").expect("there").shards()[0].counts;
    assert_eq!(
        (counts.accepted_records, counts.refused_records, counts.refused_by_records),
        (1_100, 400, 400)
    );
    assert_eq!((counts.accepted_bytes, counts.refused_bytes), (6_600, 2_400));
    let one = json!({ "StreamName": "s", "Data": "AAAA", "PartitionKey": "k" });
    assert_eq!(local.bad("PutRecord", &one), "ProvisionedThroughputExceededException");
}

#[test]
fn an_unlimited_stream_refuses_nothing() {
    let local = Local::new(Options { limited: false, ..options(1) });
    for _ in 0..10 {
        assert_eq!(local.put(500)["FailedRecordCount"], 0);
    }
    let iterator = local.iterator(0, "TRIM_HORIZON");
    assert!((0..6).all(|_| list(&local.read(&iterator)["Records"]).len() == 5_000));
}

#[test]
fn the_ring_stays_within_its_bytes_and_the_counts_survive() {
    let local = Local::new(Options { limited: false, max_bytes: 100_000, ..options(2) });
    for _ in 0..100 {
        local.put(500);
    }
    let stream = local.store.stream("s").expect("there");
    assert!(stream.held_bytes() <= 100_000);
    let totals = stream.totals();
    assert_eq!(totals.accepted_records, 50_000);
    let held = stream.held().iter().count() as u64;
    assert!(held > 0 && held + totals.trimmed_records == 50_000);
}

/// Counts warnings; only what `tracing` asks for.
struct Warnings(Arc<AtomicUsize>);

impl tracing::Subscriber for Warnings {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() == tracing::Level::WARN
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, _: &tracing::Event<'_>) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[test]
fn a_reader_that_falls_behind_goes_on_at_the_oldest_and_the_log_says_so_once() {
    let warnings = Arc::new(AtomicUsize::new(0));
    let subscriber = Warnings(Arc::clone(&warnings));
    tracing::subscriber::with_default(subscriber, || {
        let local = Local::new(Options { limited: false, max_bytes: 60_000, ..options(1) });
        let mut iterator = local.iterator(0, "TRIM_HORIZON");
        for _ in 0..3 {
            for _ in 0..20 {
                local.put(500);
            }
            let held: Vec<String> = local
                .store
                .stream("s")
                .expect("there")
                .held()
                .iter()
                .map(|record| record.sequence.to_string())
                .collect();
            let got = local.read(&iterator);
            let got_numbers: Vec<String> =
                list(&got["Records"]).iter().map(|record| text(&record["SequenceNumber"])).collect();
            assert_eq!(got_numbers, held);
            iterator = text(&got["NextShardIterator"]);
        }
        assert_eq!(warnings.load(Ordering::Acquire), 1);
        // Who starts at the trim horizon has missed nothing.
        local.read(&local.iterator(0, "TRIM_HORIZON"));
        assert_eq!(warnings.load(Ordering::Acquire), 1);
    });
}

#[test]
fn records_leave_after_their_retention() {
    let local = Local::new(Options { retention: Duration::from_secs(60), ..options(1) });
    local.put(3);
    local.clock.advance(Duration::from_secs(40));
    local.put(2);
    local.clock.advance(Duration::from_secs(21));
    assert_eq!(list(&local.read(&local.iterator(0, "TRIM_HORIZON"))["Records"]).len(), 2);
    local.clock.advance(Duration::from_secs(40));
    assert_eq!(list(&local.read(&local.iterator(0, "TRIM_HORIZON"))["Records"]).len(), 0);
    assert_eq!(local.store.stream("s").expect("there").held_bytes(), 0);
}

#[test]
fn an_iterator_expires_and_one_of_a_deleted_stream_is_not_found() {
    let local = Local::new(options(1));
    let iterator = local.iterator(0, "LATEST");
    local.clock.advance(Duration::from_secs(300));
    local.read(&iterator);
    local.clock.advance(Duration::from_millis(1));
    let input = json!({ "ShardIterator": iterator });
    assert_eq!(local.bad("GetRecords", &input), "ExpiredIteratorException");

    let iterator = json!({ "ShardIterator": local.iterator(0, "LATEST") });
    local.good("DeleteStream", &json!({ "StreamName": "s" }));
    assert_eq!(local.bad("GetRecords", &iterator), "ResourceNotFoundException");
    local.good("CreateStream", &json!({ "StreamName": "s", "ShardCount": 1 }));
    assert_eq!(local.bad("GetRecords", &iterator), "ResourceNotFoundException");
}

#[test]
fn a_reader_behind_is_told_how_far_and_zero_means_the_tip() {
    let local = Local::new(options(1));
    local.put(2);
    let first = json!({ "ShardIterator": local.iterator(0, "TRIM_HORIZON"), "Limit": 1 });
    // Even in the same instant a waiting record is not the tip.
    assert_eq!(local.good("GetRecords", &first)["MillisBehindLatest"], 1);
    local.clock.advance(Duration::from_millis(1_500));
    let behind = local.good("GetRecords", &first);
    assert_eq!(behind["MillisBehindLatest"], 1_500);
    assert_eq!(local.read(&text(&behind["NextShardIterator"]))["MillisBehindLatest"], 0);
}

#[test]
fn a_stream_in_transition_says_so_and_takes_records_while_it_updates() {
    let local = Local::new(Options { transition: Duration::from_secs(2), ..options(1) });
    let status = |name: &str| {
        let summary = local.good("DescribeStreamSummary", &json!({ "StreamName": name }));
        text(&summary["StreamDescriptionSummary"]["StreamStatus"])
    };
    assert_eq!(status("s"), "ACTIVE");
    local.good("CreateStream", &json!({ "StreamName": "t", "ShardCount": 1 }));
    assert_eq!(status("t"), "CREATING");
    let record = json!({ "StreamName": "t", "Data": "AAAA", "PartitionKey": "k" });
    assert_eq!(local.bad("PutRecord", &record), "ResourceNotFoundException");
    assert_eq!(local.bad("ListShards", &json!({ "StreamName": "t" })), "ResourceInUseException");
    local.clock.advance(Duration::from_secs(2));
    assert_eq!(status("t"), "ACTIVE");
    let double = json!({ "StreamName": "t", "TargetShardCount": 2, "ScalingType": "UNIFORM_SCALING" });
    local.good("UpdateShardCount", &double);
    assert_eq!(status("t"), "UPDATING");
    local.good("PutRecord", &record);
    assert_eq!(local.bad("UpdateShardCount", &double), "ResourceInUseException");
    local.clock.advance(Duration::from_secs(2));
    assert_eq!(status("t"), "ACTIVE");
}

#[test]
fn update_shard_count_is_allowed_ten_times_a_day() {
    let local = Local::new(options(1));
    let update = |target: u32| json!({ "StreamName": "s", "TargetShardCount": target, "ScalingType": "UNIFORM_SCALING" });
    for at in 0..10 {
        local.good("UpdateShardCount", &update(1 + (at + 1) % 2));
    }
    assert_eq!(local.bad("UpdateShardCount", &update(2)), "LimitExceededException");
    local.clock.advance(Duration::from_secs(24 * 3600));
    local.good("UpdateShardCount", &update(2));
}

#[test]
fn a_closed_shard_is_listed_until_its_last_record_is_gone() {
    let local = Local::new(Options { retention: Duration::from_secs(60), ..options(1) });
    let split = json!({
        "StreamName": "s", "ShardToSplit": "shardId-000000000000", "NewStartingHashKey": "99",
    });
    local.good("SplitShard", &split);
    let listed = || list(&local.good("ListShards", &json!({ "StreamName": "s" }))["Shards"]).len();
    assert_eq!(listed(), 3);
    local.clock.advance(Duration::from_secs(61));
    assert_eq!(listed(), 2);
    let start =
        json!({ "StreamName": "s", "ShardId": "shardId-000000000000", "ShardIteratorType": "LATEST" });
    assert_eq!(local.bad("GetShardIterator", &start), "ResourceNotFoundException");
}
