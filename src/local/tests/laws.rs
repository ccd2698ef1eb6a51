//! Laws that hold for every history of a stream.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::kinesis::HashRange;
use crate::local::{SequenceNumber, ShardView};

/// One thing that happens to a stream.
#[derive(Debug, Clone)]
enum Event {
    Put(usize),
    Split(prop::sample::Index, u128),
    Merge(prop::sample::Index),
    Scale(u32),
    Wait(u64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (1..60_usize).prop_map(Event::Put),
        1 => (any::<prop::sample::Index>(), any::<u128>()).prop_map(|(shard, at)| Event::Split(shard, at)),
        1 => any::<prop::sample::Index>().prop_map(Event::Merge),
        1 => (1..9_u32).prop_map(Event::Scale),
        1 => (0..1_500_u64).prop_map(Event::Wait),
    ]
}

fn open(shards: &[ShardView]) -> Vec<&ShardView> {
    let mut open: Vec<&ShardView> = shards.iter().filter(|shard| shard.closed.is_none()).collect();
    open.sort_by_key(|shard| shard.range.start);
    open
}

/// Does it; an event that the stream refuses by its rules changes nothing.
fn happen(local: &Local, event: &Event) -> Option<Value> {
    let stream = local.store.stream("s").expect("there");
    let shards = stream.shards();
    let open = open(&shards);
    match event {
        Event::Put(count) => return Some(local.put(*count)),
        Event::Split(shard, at) => {
            let range = open[shard.index(open.len())].range;
            let at = range.start.0 + at % (range.end.0 - range.start.0).max(1);
            let shard = open[shard.index(open.len())].id.to_string();
            let input =
                json!({ "StreamName": "s", "ShardToSplit": shard, "NewStartingHashKey": at.to_string() });
            let _ = local.call("SplitShard", &input);
        }
        Event::Merge(shard) => {
            let pair: Vec<String> =
                open.iter().skip(shard.index(open.len())).take(2).map(|shard| shard.id.to_string()).collect();
            if let [lower, upper] = &pair[..] {
                let input =
                    json!({ "StreamName": "s", "ShardToMerge": lower, "AdjacentShardToMerge": upper });
                local.good("MergeShards", &input);
            }
        }
        Event::Scale(target) => {
            let input =
                json!({ "StreamName": "s", "TargetShardCount": target, "ScalingType": "UNIFORM_SCALING" });
            if local.call("UpdateShardCount", &input).is_ok() {
                let after = stream.shards();
                let ranges: Vec<HashRange> = self::open(&after).iter().map(|shard| shard.range).collect();
                assert_eq!(ranges, HashRange::ALL.divided(*target));
            }
        }
        Event::Wait(millis) => local.clock.advance(Duration::from_millis(*millis)),
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    // Law: through any mixture of puts, splits, merges and scalings, what was answered as stored is what is
    // held, each record once, in its hash key's open shard, in growing order; a child's numbers are greater
    // than its parents'; and the open shards cover the hash keys without gap or overlap.
    #[test]
    fn what_was_answered_is_what_is_held(events in prop::collection::vec(event(), 1..30)) {
        let local = Local::new(options(2));
        let mut answered = Vec::new();
        for event in &events {
            let Some(answer) = happen(&local, event) else { continue };
            for entry in list(&answer["Records"]) {
                if let Some(number) = entry["SequenceNumber"].as_str() {
                    answered.push((number.to_owned(), text(&entry["ShardId"])));
                }
            }
        }
        let stream = local.store.stream("s").expect("there");
        let held = stream.held();
        let mut numbers: BTreeMap<_, Vec<SequenceNumber>> = BTreeMap::new();
        held.iter().for_each(|record| numbers.entry(record.shard).or_default().push(record.sequence));
        let mut kept: Vec<_> =
            held.iter().map(|record| (record.sequence.to_string(), record.shard.to_string())).collect();
        kept.sort();
        answered.sort();
        prop_assert_eq!(&kept, &answered);
        kept.dedup_by(|one, other| one.0 == other.0);
        prop_assert_eq!(kept.len(), answered.len());

        let totals = stream.totals();
        prop_assert_eq!(totals.accepted_records, answered.len() as u64);
        let offered: u64 = events.iter().map(|event| if let Event::Put(n) = event { *n as u64 } else { 0 }).sum();
        prop_assert_eq!(totals.accepted_records + totals.refused_records, offered);

        let shards = stream.shards();
        for shard in &shards {
            let own = numbers.get(&shard.id).map_or(&[][..], Vec::as_slice);
            prop_assert!(own.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(own.first().is_none_or(|first| shard.first < *first));
            if let (Some(end), Some(last)) = (shard.last, own.last()) {
                prop_assert!(*last < end);
            }
            for parent in [shard.parent, shard.adjacent_parent].into_iter().flatten() {
                let parent = shards.iter().find(|other| other.id == parent).expect("listed");
                prop_assert!(parent.last.expect("closed") < shard.first);
            }
        }
        let open = open(&shards);
        prop_assert_eq!(open[0].range.start, HashRange::ALL.start);
        prop_assert_eq!(open[open.len() - 1].range.end, HashRange::ALL.end);
        prop_assert!(open.windows(2).all(|pair| pair[0].range.end.0 + 1 == pair[1].range.start.0));
        let limits = local.good("DescribeLimits", &json!({}));
        prop_assert_eq!(&limits["OpenShardCount"], &json!(open.len()));
    }
}

/// Law: a reader that tails while many write sees every record once and in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reader_that_tails_many_writers_sees_every_record_once_and_in_order() {
    const WRITERS: usize = 8;
    const ROUNDS: usize = 40;
    let server = Running::start(Options { limited: false, clock: Clock::system(), ..options(1) }).await;
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..WRITERS {
        let mut client = server.client().await;
        writers.spawn(async move {
            let mut stored = Vec::new();
            for _ in 0..ROUNDS {
                let (_, answer) = client.call("PutRecords", &put_records(25)).await;
                stored.extend(list(&answer["Records"]).iter().map(|entry| text(&entry["SequenceNumber"])));
            }
            stored
        });
    }
    let mut client = server.client().await;
    let start =
        json!({ "StreamName": "s", "ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON" });
    let (_, mut at) = client.call("GetShardIterator", &start).await;
    let mut seen: Vec<String> = Vec::new();
    while seen.len() < WRITERS * ROUNDS * 25 {
        let (status, got) = client.call("GetRecords", &at).await;
        assert_eq!(status, 200, "{got}");
        seen.extend(list(&got["Records"]).iter().map(|record| text(&record["SequenceNumber"])));
        at = json!({ "ShardIterator": got["NextShardIterator"] });
    }
    assert!(seen.windows(2).all(|pair| pair[0] < pair[1]), "out of order or twice");
    let mut stored: Vec<String> = Vec::new();
    while let Some(more) = writers.join_next().await {
        stored.extend(more.expect("no panic"));
    }
    stored.sort();
    assert_eq!(seen, stored);
    server.end().await;
}
