//! Claims about hot shards: which share each shard gets, as the spots move on and the stream is resharded.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::generate::{EventKind, Generator, Written};
use crate::key::{KeyStrategy, Keyer, KeyerError, Keys};
use crate::kinesis::ShardId;

fn map_of(ids: impl IntoIterator<Item = u64>, ranges: Vec<HashRange>) -> ShardMap {
    ShardMap::new(ids.into_iter().zip(ranges).map(|(id, range)| Shard { id: ShardId(id), range }).collect())
}

fn even(count: u32) -> ShardMap {
    map_of(0.., HashRange::ALL.divided(count))
}

fn keyer(strategy: &str, map: &ShardMap) -> Result<Keyer, KeyerError> {
    let strategy: KeyStrategy = strategy.parse().expect("a strategy");
    Keyer::of_events(&strategy, &Generator::new(EventKind::Message, 1, "p"), 1, "p", map)
}

/// Which share of 20,000 records each shard of `map` gets.
fn shares(keys: &Keys<'_>, map: &ShardMap) -> BTreeMap<u64, f64> {
    const RECORDS: u64 = 20_000;
    let (mut shares, mut key) = (BTreeMap::new(), String::new());
    for sequence in 0..RECORDS {
        let explicit =
            keys.write(3, sequence, b"", &Written { length: 0, entity: None }, &mut key).expect("a key");
        let hash = explicit.unwrap_or_else(|| HashKey::of(&key));
        let shard = map.locate(hash).expect("the map has no gap");
        *shares.entry(shard.0).or_default() += 1.0 / RECORDS as f64;
    }
    shares
}

#[track_caller]
fn assert_shares(shares: &BTreeMap<u64, f64>, expected: &[(u64, f64)]) {
    assert_eq!(shares.keys().copied().collect::<Vec<_>>(), expected.iter().map(|e| e.0).collect::<Vec<_>>());
    for (id, expected) in expected {
        // Five standard deviations of 20,000 draws at most.
        assert!((shares[id] - expected).abs() < 0.018, "shard {id}: {} instead of {expected}", shares[id]);
    }
}

#[test]
fn a_hot_shard_gets_its_share_and_the_others_the_rest_by_their_size() {
    let map = even(4);
    let hot = keyer("hot:60%@3", &map).expect("it is open");
    assert_shares(&shares(&hot.at(0), &map), &[(0, 0.1333), (1, 0.1333), (2, 0.1333), (3, 0.6)]);
    // Shards of a half, a quarter and two eighths.
    let parts = HashRange::ALL.divided(8);
    let range = |from: usize, to: usize| HashRange { start: parts[from].start, end: parts[to].end };
    let map = map_of([5, 6, 7, 9], vec![range(0, 3), range(4, 5), parts[6], parts[7]]);
    let hot = keyer("hot:30%@7+20%@6", &map).expect("both are open");
    assert_shares(&shares(&hot.at(0), &map), &[(5, 0.4), (6, 0.2), (7, 0.3), (9, 0.1)]);
}

#[test]
fn all_of_the_load_can_be_hot_and_all_shards_too() {
    let map = even(2);
    assert_shares(&shares(&keyer("hot:100%@1", &map).expect("open").at(0), &map), &[(1, 1.0)]);
    assert_shares(&shares(&keyer("hot:50%@0+10%@1", &map).expect("open").at(0), &map), &[(0, 0.7), (1, 0.3)]);
    let one = even(1);
    assert_shares(&shares(&keyer("hot:5%@0", &one).expect("open").at(0), &one), &[(0, 1.0)]);
}

#[test]
fn the_hot_spots_move_on_to_the_next_shards_by_the_time_since_the_load_began() {
    let map = even(4);
    let hot = keyer("hot:60%@3,rotate=30s", &map).expect("open");
    let hottest =
        |millis| shares(&hot.at(millis), &map).into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).map(|s| s.0);
    assert_eq!(hottest(40_000_000), Some(3), "before the load begins nothing moves");
    hot.begin(1_000_000);
    for (after, shard) in
        [(0, 3), (29_999, 3), (30_000, 0), (60_000, 1), (119_999, 2), (120_000, 3), (30_001, 0)]
    {
        assert_eq!(hottest(1_000_000 + after), Some(shard), "after {after} ms");
    }
}

#[test]
fn the_share_follows_the_hot_shard_through_a_split_and_a_merge() {
    let (map, quarters) = (even(4), HashRange::ALL.divided(4));
    let hot = keyer("hot:60%@1", &map).expect("open");
    let before = hot.at(0);
    // Shard 1 is split into 4 and 5: both together are as hot as it was.
    let halves = quarters[1].divided(2);
    let split = map_of([0, 4, 5, 2, 3], vec![quarters[0], halves[0], halves[1], quarters[2], quarters[3]]);
    hot.follow(&split);
    assert_shares(&shares(&hot.at(0), &split), &[(0, 0.1333), (2, 0.1333), (3, 0.1333), (4, 0.3), (5, 0.3)]);
    // 4 is merged with 0 into 6: half of the old shard is there, and its middle is not.
    let left = HashRange { start: quarters[0].start, end: halves[0].end };
    let merged = map_of([6, 5, 2, 3], vec![left, halves[1], quarters[2], quarters[3]]);
    hot.follow(&merged);
    assert!((shares(&hot.at(0), &merged)[&5] - 0.6).abs() < 0.018);
    // All in one.
    let one = map_of([9], vec![HashRange::ALL]);
    hot.follow(&one);
    assert_shares(&shares(&hot.at(0), &one), &[(9, 1.0)]);
    // Nothing known is nothing new, and what was taken out before is as it was.
    hot.follow(&ShardMap::default());
    assert_shares(&shares(&hot.at(0), &one), &[(9, 1.0)]);
    assert!((shares(&before, &map)[&1] - 0.6).abs() < 0.018);
}

#[test]
fn round_robin_goes_round_the_shards_of_now() {
    let map = even(2);
    let keyer = keyer("round-robin", &map).expect("two shards");
    let three = map_of([2, 3, 4], HashRange::ALL.divided(3));
    keyer.clone().follow(&three);
    assert_shares(&shares(&keyer.at(0), &three), &[(2, 0.3333), (3, 0.3333), (4, 0.3333)]);
}

#[test]
fn a_hot_shard_that_is_not_open_is_refused_with_those_that_are() {
    let error = keyer("hot:60%@7", &even(2)).expect_err("there are 0 and 1");
    assert_eq!(
        error.to_string(),
        "hot: shardId-000000000007 is no open shard of the stream; it has shardId-000000000000, shardId-000000000001"
    );
    let many = keyer("hot:60%@700", &even(100)).expect_err("there are 100").to_string();
    assert!(many.ends_with("shardId-000000000015, 84 more"), "{many}");
}

#[test]
fn a_shard_that_no_key_was_found_for_is_refused_and_takes_nothing_from_the_others() {
    let start = HashKey(1 << 127);
    let tiny = HashRange { start, end: HashKey(start.0 + 5) };
    let below = HashRange { start: HashKey(0), end: HashKey(start.0 - 1) };
    let above = HashRange { start: HashKey(start.0 + 6), end: HashKey(u128::MAX) };
    let map = map_of([0, 1, 2], vec![below, tiny, above]);
    assert_eq!(keyer("hot:60%@1", &map).err(), Some(KeyerError::TooSmall { shard: ShardId(1) }));
    assert_shares(&shares(&keyer("hot:60%@2", &map).expect("large").at(0), &map), &[(0, 0.4), (2, 0.6)]);
}

#[test]
fn explicit_hash_keys_are_even_in_every_stretch_of_a_job() {
    let map = even(7);
    let keyer = keyer("explicit", &map).expect("it asks for no shards");
    let mut key = String::new();
    for (job, first) in [(0, 0), (1, 12_345), (u32::MAX, u64::MAX - 699)] {
        let mut counts = BTreeMap::new();
        for sequence in first..=first + 699 {
            let explicit = keyer.write(job, sequence, b"", &Written { length: 0, entity: None }, &mut key);
            let hash = explicit.expect("a key").expect("an explicit hash key");
            *counts.entry(map.locate(hash).expect("no gap")).or_insert(0) += 1;
        }
        assert!(counts.values().all(|count| (98..=102).contains(count)), "{counts:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    // However the space is cut: every key of a hot strategy leads to the shard that was drawn, the hot one gets its share
    // of the bits exactly, and the same shards and seed give the same keys.
    #[test]
    fn any_cut_of_the_space_keeps_the_shares(
        mut cuts in prop::collection::btree_set(1_u128..64, 0..6),
        percent in 1_u32..100,
        pick in any::<prop::sample::Index>(),
    ) {
        cuts.insert(0);
        let starts: Vec<u128> = cuts.into_iter().map(|cut| cut << 122).collect();
        let end = |at: usize| starts.get(at + 1).map_or(u128::MAX, |next| next - 1);
        let ranges = (0..starts.len()).map(|at| HashRange { start: HashKey(starts[at]), end: HashKey(end(at)) });
        let map = map_of(10.., ranges.collect());
        let hot = 10 + pick.index(map.shards().len()) as u64;
        let strategy = format!("hot:{percent}%@{hot}");
        let keyer = keyer(&strategy, &map).expect("open");
        let shares = shares(&keyer.at(0), &map);
        let alone = map.shards().len() == 1;
        prop_assert!((shares[&hot] - if alone { 1.0 } else { f64::from(percent) / 100.0 }).abs() < 0.02, "{shares:?}");
        let again = self::keyer(&strategy, &map).expect("open");
        let (mut one, mut other) = (String::new(), String::new());
        for sequence in 0..100 {
            let _ = keyer.write(0, sequence, b"", &Written { length: 0, entity: None }, &mut one);
            let _ = again.write(0, sequence, b"", &Written { length: 0, entity: None }, &mut other);
            prop_assert_eq!(&one, &other);
        }
    }
}
