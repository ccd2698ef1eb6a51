//! Laws of the audit: whatever happens to records of a run, it names exactly what happened, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::inflate::tests::{gzip, zstd};
use super::super::verdict::Latency;
use super::super::{Made, Others, Producer};
use super::*;
use crate::aggregate::tests::pack;
use crate::generate::{EventKind, Generator, Shaping, Timestamp};
use crate::key::Keyer;
use crate::kinesis::{HashKey, HashRange, Shard, ShardMap};
use crate::ledger::{Failed, Unknown};

const SENT: Fate = Fate::Sent { perhaps_twice: false };
const TWICE: Fate = Fate::Sent { perhaps_twice: true };
const FAILED: Fate = Fate::Failed(Failed::Throttled);
const UNKNOWN: Fate = Fate::Unknown(Unknown::Timeout);

/// When the first records are due, how far apart requests are, and how long an answer takes, in milliseconds.
const START: u64 = 1_795_227_274_000;
const APART: u64 = 1_000;
const ANSWER: u64 = 40;
/// Records of a request.
const REQUEST: u64 = 4;

/// What happens to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fortune {
    Fine,
    /// Claimed as sent, and not stored.
    Lost,
    /// Stored as often, and claimed like this.
    Stored(u64, Fate),
    /// A bit of it is changed: at a place that is found by this number.
    Flipped(usize, u32),
    /// Stored under another key.
    Rekeyed,
    /// Stored behind all others of its shard.
    Late,
    /// Stored, and not claimed.
    Unclaimed,
    /// Neither stored nor claimed.
    Skipped,
}

fn fortune() -> impl Strategy<Value = Fortune> {
    prop_oneof![
        12 => Just(Fortune::Fine),
        1 => Just(Fortune::Lost),
        3 => (0..4_u64, prop_oneof![Just(SENT), Just(TWICE), Just(FAILED), Just(UNKNOWN)])
            .prop_map(|(times, fate)| Fortune::Stored(times, fate)),
        3 => (any::<usize>(), 0..8_u32).prop_map(|(at, bit)| Fortune::Flipped(at, bit)),
        1 => Just(Fortune::Rekeyed),
        2 => Just(Fortune::Late),
        1 => Just(Fortune::Unclaimed),
        1 => Just(Fortune::Skipped),
    ]
}

/// A record of the stream, before its sequence number.
#[derive(Debug, Clone)]
struct Stored {
    key: String,
    data: Vec<u8>,
    /// What it is, if it may be expected in order.
    good: Option<(u32, u64)>,
}

fn shards() -> ShardMap {
    ShardMap::new(
        (0..).zip(HashRange::ALL.divided(3)).map(|(id, range)| Shard { id: ShardId(id), range }).collect(),
    )
}

fn due(sequence: u64) -> u64 {
    START + sequence / REQUEST * APART
}

fn claim(job: u32, sequences: std::ops::Range<u64>, fate: Fate) -> (Claim, u64) {
    let due = due(sequences.start);
    (Claim { job, sequences, fate, at_millis: due + ANSWER }, due)
}

/// How the events of the producer `p` with two jobs are made.
fn made(kind: EventKind, key: &str) -> Made {
    let key = Some(key.parse().expect("a strategy"));
    Made { seed: 7, event: kind.into(), shaping: Shaping::default(), jobs: 2, key }
}

fn expect(made: Made) -> Expect {
    Expect {
        producers: vec![Producer::new("p", Some(made))],
        others: Others::Foreign,
        examples: usize::MAX,
        ..Expect::default()
    }
}

/// Everything that a verdict must say, found out without an audit.
#[derive(Debug, Default, PartialEq, Eq)]
struct Truth {
    missing: BTreeSet<(u32, u64)>,
    duplicate: BTreeSet<(u32, u64)>,
    contradicted: BTreeSet<(u32, u64)>,
    gap: BTreeSet<(u32, u64)>,
    corrupt: BTreeSet<(u32, u64)>,
    disordered: BTreeSet<(u32, u64)>,
    overtaken: u64,
    duplicate_expected: u64,
    extra_copies: u64,
    unknown: (u64, u64),
    unclaimed: u64,
    found: u64,
    foreign: u64,
    measured: u64,
}

impl Truth {
    fn told(verdict: &Verdict) -> Self {
        let named = |finding| {
            let all = verdict.examples.iter().filter(move |example| example.finding == finding);
            let each = all.flat_map(|example| {
                let job = example.job.expect("known");
                let range = example.first_sequence.expect("known")..=example.last_sequence.expect("known");
                range.map(move |sequence| (job, sequence))
            });
            let named: Vec<_> = each.collect();
            assert_eq!(named.len() as u64, verdict.count(finding), "every case is named once: {finding:?}");
            named.into_iter().collect()
        };
        let total = verdict.total;
        Self {
            missing: named(Finding::Missing),
            duplicate: named(Finding::Duplicate),
            contradicted: named(Finding::Contradicted),
            gap: named(Finding::Gap),
            corrupt: named(Finding::Corrupt),
            disordered: named(Finding::Disordered),
            overtaken: total.overtaken,
            duplicate_expected: total.duplicate_expected,
            extra_copies: total.extra_copies,
            unknown: (total.unknown_stored, total.unknown_not_stored),
            unclaimed: total.unclaimed,
            found: total.found,
            foreign: verdict.foreign,
            measured: verdict.latency.due_to_read.records,
        }
    }
}

/// A run: its stream by shard, its claims, and the truth about both.
struct World {
    shards: Vec<Vec<Stored>>,
    claims: Vec<(Claim, u64)>,
    truth: Truth,
}

fn world(made: &Made, fortunes: &[[Fortune; 2]], foreign: &[Vec<u8>]) -> World {
    let kind = made.event.kinds().next().expect("a kind");
    let generator = Generator::new(kind, made.seed, "p");
    let strategy = made.key.as_ref().expect("a strategy");
    let map = shards();
    let keyer = Keyer::new(strategy, kind, made.seed, "p", &map).expect("a keyer");
    let mut world = World { shards: vec![Vec::new(); 3], claims: Vec::new(), truth: Truth::default() };
    let mut late = vec![Vec::new(); 3];
    let last: Vec<Option<u64>> = [0, 1]
        .map(|job| {
            let here = |fortune: &[Fortune; 2]| fortune[job] != Fortune::Skipped;
            fortunes.iter().rposition(here).map(|last| last as u64)
        })
        .into();
    for (sequence, fortunes) in (0..).zip(fortunes) {
        for (job, &fortune) in (0..).zip(fortunes) {
            let mut data = Vec::new();
            let mut key = String::new();
            let written =
                generator.write(job, sequence, &Timestamp::from_unix_millis(due(sequence)), &mut data);
            let explicit = keyer.write(job, sequence, &data, &written, &mut key).expect("a key");
            let shard = map.locate(explicit.unwrap_or_else(|| HashKey::of(&key))).expect("a shard");
            let shard = shard.0 as usize;
            let id = (job, sequence);
            let truth = &mut world.truth;
            let (times, fate) = match fortune {
                Fortune::Lost => (0, Some(SENT)),
                Fortune::Stored(times, fate) => (times, Some(fate)),
                Fortune::Unclaimed => (1, None),
                Fortune::Skipped => (0, None),
                _ => (1, Some(SENT)),
            };
            truth.found += u64::from(times > 0);
            truth.extra_copies += times.saturating_sub(1);
            match (fate, times) {
                (Some(Fate::Sent { .. }), 0) => drop(truth.missing.insert(id)),
                (Some(Fate::Failed(_)), 1..) => drop(truth.contradicted.insert(id)),
                (Some(Fate::Unknown(_)), 0) => truth.unknown.1 += 1,
                (Some(Fate::Unknown(_)), _) => truth.unknown.0 += 1,
                (None, 0) if last[job as usize].is_some_and(|last| sequence < last) => {
                    truth.gap.insert(id);
                }
                (None, 1..) => truth.unclaimed += 1,
                _ => {}
            }
            match fate {
                Some(TWICE | UNKNOWN) => truth.duplicate_expected += u64::from(times > 1),
                _ if times > 1 => drop(truth.duplicate.insert(id)),
                _ => {}
            }
            let mut good = Some(id);
            if let Fortune::Flipped(at, bit) = fortune {
                let at = at % data.len();
                data[at] ^= 1 << bit;
                good = None;
            }
            if fortune == Fortune::Rekeyed {
                key.push('x');
                good = None;
            }
            if good.is_none() {
                truth.corrupt.insert(id);
            }
            truth.measured += u64::from(times > 0 && good.is_some());
            world.claims.extend(fate.map(|fate| claim(job, sequence..sequence + 1, fate)));
            let stored = Stored { key, data, good };
            for time in 0..times {
                let place = if time > 0 || fortune == Fortune::Late { &mut late } else { &mut world.shards };
                place[shard].push(stored.clone());
            }
        }
    }
    for (shard, late) in world.shards.iter_mut().zip(late) {
        shard.extend(late);
    }
    for data in foreign {
        let key = "somebody".to_owned();
        let at = data.len() % (world.shards[1].len() + 1);
        world.shards[1].insert(at, Stored { key, data: data.clone(), good: None });
    }
    world.truth.foreign = foreign.len() as u64;
    world.find_disorder(made.key != Some("random".parse().expect("a strategy")));
    world
}

impl World {
    /// Compares each record with all before it in its shard.
    fn find_disorder(&mut self, keys_repeat: bool) {
        let acknowledged: BTreeMap<(u32, u64), u64> = self
            .claims
            .iter()
            .filter(|(claim, _)| matches!(claim.fate, Fate::Sent { .. }))
            .map(|(claim, _)| ((claim.job, claim.sequences.start), claim.at_millis))
            .collect();
        for shard in &self.shards {
            let mut before: Vec<(&str, (u32, u64))> = Vec::new();
            for one in shard {
                let Some(id) = one.good.filter(|_| keys_repeat) else { continue };
                if before.iter().any(|(_, other)| *other == id) {
                    continue; // a second copy
                }
                let higher =
                    before.iter().filter(|(key, other)| *key == one.key && other.0 == id.0 && other.1 > id.1);
                if let Some(highest) = higher.map(|(_, other)| other.1).max() {
                    match acknowledged.get(&id) {
                        Some(&at) if at < due(highest) => drop(self.truth.disordered.insert(id)),
                        _ => self.truth.overtaken += 1,
                    }
                }
                before.push((&one.key, id));
            }
        }
    }

    /// Reads it: shards in the mixture that `picks` says, `claimed` of the claims before the first record, the others
    /// between records or at the end.
    fn audit(&self, expect: Expect, packing: usize, picks: &[usize], claimed: usize) -> Verdict {
        let mut audit = Audit::new(expect).expect("strategies that work");
        let producer: Arc<str> = "p".into();
        let (first, rest) = self.claims.split_at(claimed.min(self.claims.len()));
        first.iter().for_each(|(claim, _)| audit.claim(&producer, claim));
        let mut rest = rest.iter();
        let mut at = [0; 3];
        let mut pick = picks.iter().cycle();
        let mut number = 0_u64;
        while at.iter().zip(&self.shards).any(|(at, shard)| *at < shard.len()) {
            let picked = pick.next().copied().unwrap_or(0) % 3;
            let left = |shard: usize| &self.shards[shard][at[shard]..];
            let shard = (picked..picked + 3).map(|shard| shard % 3).find(|&shard| !left(shard).is_empty());
            let shard = shard.expect("one has something left");
            let one = &left(shard)[0];
            let (taken, key, data) = match (packing, left(shard)) {
                (1, _) => (1, one.key.as_str(), gzip(&one.data)),
                (2, [_, other, ..]) => {
                    let inner = |one: &Stored| (one.key.clone(), None, one.data.clone());
                    (2, "a", pack(&[inner(one), inner(other)], false))
                }
                (3, _) => (1, one.key.as_str(), zstd(&one.data)),
                (4, _) => (1, one.key.as_str(), [&one.data[..], b"\n"].concat()),
                _ => (1, one.key.as_str(), one.data.clone()),
            };
            at[shard] += taken;
            number += 1;
            see(&mut audit, shard, number, key, &data);
            // Read once more: changes nothing.
            see(&mut audit, shard, number, key, &data);
            if number.is_multiple_of(3) {
                rest.next().into_iter().for_each(|(claim, _)| audit.claim(&producer, claim));
            }
        }
        rest.for_each(|(claim, _)| audit.claim(&producer, claim));
        audit.finish()
    }
}

fn see(audit: &mut Audit, shard: usize, number: u64, partition_key: &str, data: &[u8]) {
    audit.see(&Seen {
        shard: ShardId(shard as u64),
        sequence_number: number.into(),
        partition_key,
        data,
        arrived_millis: Some(START + 50),
        read_millis: START + 250,
    });
}

fn strategies() -> impl Strategy<Value = (EventKind, &'static str)> {
    prop_oneof![
        Just((EventKind::Click, "user")),
        Just((EventKind::Trade, "user")),
        Just((EventKind::Mouse, "random")),
        Just((EventKind::Message, "job")),
        Just((EventKind::Message, "random")),
        Just((EventKind::Click, "field:/item/category")),
        Just((EventKind::Trade, "job")),
        Just((EventKind::Mouse, "constant:k")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    // Whatever is lost, stored again, changed in a bit, stored under another key or late, not claimed or claimed
    // falsely, whoever else writes to the stream, however records are packed, in whatever mixture shards are read and
    // claims come: the audit names exactly those records for exactly that, and is clean only if nothing is wrong.
    #[test]
    fn the_audit_names_exactly_what_happened(
        (kind, key) in strategies(),
        fortunes in vec([fortune(), fortune()], 1..40),
        foreign in vec(vec(any::<u8>(), 0..300), 0..4),
        packing in 0..5_usize,
        picks in vec(0..3_usize, 1..20),
        claimed in 0..80_usize,
    ) {
        let made = made(kind, key);
        let world = world(&made, &fortunes, &foreign);
        let verdict = world.audit(expect(made), packing, &picks, claimed);
        let told = Truth::told(&verdict);
        prop_assert_eq!(&told, &world.truth);
        prop_assert_eq!(verdict.corrupt_unidentified, 0);
        prop_assert_eq!(verdict.total.delivered + verdict.total.missing, verdict.total.claimed_sent);
        let truth = &world.truth;
        // With a claim of the producer a gap is no fault; without any, it is.
        let gaps = !truth.gap.is_empty() && world.claims.is_empty();
        let wrong = !(truth.missing.is_empty() && truth.duplicate.is_empty() && truth.contradicted.is_empty());
        let bad = !(truth.corrupt.is_empty() && truth.disordered.is_empty()) || truth.foreign > 0;
        prop_assert_eq!(verdict.is_clean(), !(gaps || wrong || bad));
    }
}

#[test]
fn a_run_that_goes_well_is_clean() {
    let made = made(EventKind::Click, "user");
    let world = world(&made, &[[Fortune::Fine; 2]; 600], &[]);
    let verdict = world.audit(expect(made), 0, &[0, 1, 2, 2], 1_200);
    assert!(verdict.is_clean());
    assert_eq!((verdict.total.delivered, verdict.read.records, verdict.read.again), (1_200, 1_200, 1_200));
    assert!(verdict.examples.is_empty());
    let Latency { records, p50_seconds, .. } = verdict.latency.acknowledged_to_read;
    assert_eq!((records, p50_seconds), (1_200, 0.0));
}

/// What a record costs: `cargo test --release --lib -- --ignored --nocapture how_fast`. The target is more than a
/// million records a second and core, several times what 100 shards give out to a reader.
#[test]
#[ignore = "measures; run it in release on a quiet machine"]
fn how_fast_the_audit_is() {
    const RECORDS: u64 = 1_000_000;
    for (kind, key) in
        [(EventKind::Click, "random"), (EventKind::Click, "user"), (EventKind::Message, "random")]
    {
        let made = made(kind, key);
        let generator = Generator::new(kind, made.seed, "p");
        let strategy = made.key.clone().expect("a strategy");
        let keyer = Keyer::new(&strategy, kind, made.seed, "p", &shards()).expect("a keyer");
        let mut audit = Audit::new(expect(made)).expect("strategies that work");
        let mut spent = std::time::Duration::ZERO;
        for first in (0..RECORDS).step_by(500) {
            let mut records = Vec::new();
            for sequence in first..first + 500 {
                let (mut data, mut key) = (Vec::new(), String::new());
                let time = Timestamp::from_unix_millis(due(first));
                let written = generator.write(1, sequence, &time, &mut data);
                keyer.write(1, sequence, &data, &written, &mut key).expect("a key");
                records.push((key, data));
            }
            let start = std::time::Instant::now();
            audit.claim(&"p".into(), &claim(1, first..first + 500, SENT).0);
            for (number, (key, data)) in (first + 1..).zip(&records) {
                see(&mut audit, 0, number, key, data);
            }
            spent += start.elapsed();
        }
        assert!(audit.finish().is_clean());
        eprintln!("{kind} by {key}: {:.2} million records/s", RECORDS as f64 / 1e6 / spent.as_secs_f64());
    }
}

/// An event of a job, as a stream would hold it.
fn event(seed: u64, producer: &str, job: u32, sequence: u64) -> Vec<u8> {
    let mut data = Vec::new();
    let generator = Generator::new(EventKind::Click, seed, producer);
    generator.write(job, sequence, &Timestamp::from_unix_millis(due(sequence)), &mut data);
    data
}

#[test]
fn without_any_word_producers_are_discovered_and_gaps_are_faults() {
    let mut audit = Audit::new(Expect::default()).expect("nothing to go wrong");
    for (number, (producer, sequence)) in
        (1..).zip([("a", 0), ("a", 1), ("a", 3), ("b", 0), ("b", 1), ("b", 1)])
    {
        see(&mut audit, 0, number, "k", &event(1, producer, 5, sequence));
    }
    let verdict = audit.finish();
    assert!(!verdict.is_clean());
    let names: Vec<_> =
        verdict.producers.iter().map(|one| (&*one.name, one.counts.gap, one.counts.duplicate)).collect();
    assert_eq!(names, [("a", 1, 0), ("b", 0, 1)]);
    assert_eq!((verdict.total.not_compared, verdict.total.found), (6, 5));
    let gap = verdict.examples.iter().find(|example| example.finding == Finding::Gap).expect("one");
    assert_eq!((gap.first_sequence, gap.last_sequence), (Some(2), Some(2)));
}

#[test]
fn reading_from_the_middle_on_makes_no_gap_of_what_came_before() {
    for (from_start, gap) in [(true, 3), (false, 0)] {
        let mut audit = Audit::new(Expect { from_start, ..Expect::default() }).expect("nothing to go wrong");
        (3..6).for_each(|sequence| see(&mut audit, 0, sequence, "k", &event(1, "a", 0, sequence)));
        let verdict = audit.finish();
        assert_eq!((verdict.total.gap, verdict.is_clean()), (gap, gap == 0));
    }
}

#[test]
fn another_producer_or_another_seed_is_foreign_and_a_near_name_is_not_ours() {
    let mut audit = Audit::new(expect(made(EventKind::Click, "random"))).expect("random keys work");
    see(&mut audit, 0, 1, "k", &event(7, "q", 0, 0));
    see(&mut audit, 0, 2, "k", &event(8, "p", 0, 0));
    see(&mut audit, 0, 3, "k", b"");
    let verdict = audit.finish();
    assert_eq!((verdict.foreign, verdict.total.found, verdict.corrupt_unidentified), (3, 0, 0));
    assert!(!verdict.is_clean());
    assert!(!Verdict { foreign_allowed: true, ..verdict }.is_fault(Finding::Foreign));
}

#[test]
fn what_is_damaged_beyond_recognition_is_corrupt_without_a_name() {
    let mut audit = Audit::new(expect(made(EventKind::Click, "random"))).expect("random keys work");
    let mut spoilt = event(7, "p", 0, 5);
    spoilt[7..43].fill(b'#');
    let at = spoilt.windows(5).position(|part| part == b"\"job\"").expect("a job");
    spoilt[at + 6] = b'x';
    see(&mut audit, 0, 1, "k", &spoilt);
    let mut broken = gzip(&event(7, "p", 0, 6));
    broken.truncate(broken.len() - 9);
    see(&mut audit, 0, 2, "k", &broken);
    let verdict = audit.finish();
    assert_eq!((verdict.corrupt_unidentified, verdict.foreign), (2, 0));
    let kinds: Vec<_> = verdict.examples.iter().map(|one| one.corruption).collect();
    assert_eq!(kinds, [Some(Corruption::Identity), Some(Corruption::Packing)]);
    assert_eq!(verdict.count(Finding::Corrupt), 2);
}

#[test]
fn an_aggregate_with_a_record_of_another_shard_is_misplaced_as_a_whole() {
    let (map, made) = (shards(), made(EventKind::Click, "random"));
    let strategy = made.key.clone().expect("a strategy");
    let keyer = Keyer::new(&strategy, EventKind::Click, 7, "p", &map).expect("a keyer");
    let record = |sequence: u64| {
        let (data, mut key) = (event(7, "p", 0, sequence), String::new());
        let written = crate::generate::Written { length: data.len(), entity: None };
        keyer.write(0, sequence, &data, &written, &mut key).expect("a key");
        (key, None, data)
    };
    let of = |shard: u64| {
        let here = (0..).map(record).filter(move |(key, ..)| map_of(key) == ShardId(shard));
        here.take(3).collect::<Vec<_>>()
    };
    let whole: Vec<_> = of(0);
    let mixed = [&whole[..], &of(1)[..1]].concat();
    for (records, known, misplaced) in [(&whole, true, 0), (&mixed, true, 4), (&mixed, false, 0)] {
        let mut audit =
            Audit::new(Expect { from_start: false, ..expect(made.clone()) }).expect("random keys work");
        if known {
            audit.holds(ShardId(0), map.shards()[0].range);
        }
        see(&mut audit, 0, 1, "a", &pack(records, false));
        // What is no aggregate may be anywhere: its explicit hash key is not known.
        see(&mut audit, 1, 2, &whole[0].0, b"somebody else's");
        let progress = audit.progress();
        let verdict = audit.finish();
        assert_eq!((verdict.misplaced, verdict.count(Finding::Misplaced)), (misplaced, misplaced));
        assert_eq!((progress.misplaced, verdict.is_fault(Finding::Misplaced)), (misplaced, misplaced > 0));
        assert_eq!(
            (verdict.read.user_records, verdict.total.found),
            (records.len() as u64 + 1, records.len() as u64)
        );
        if misplaced > 0 {
            let example = verdict.examples.iter().find(|one| one.finding == Finding::Misplaced).expect("one");
            assert_eq!(
                example.partition_key.as_deref(),
                Some(&*records[3].0),
                "the one that does not belong"
            );
        }
    }
    // By its explicit hash key it belongs, whatever its partition key says.
    let mut audit = Audit::new(expect(made)).expect("random keys work");
    audit.holds(ShardId(0), map.shards()[0].range);
    see(&mut audit, 0, 1, "a", &pack(&[("any".to_owned(), Some(0), b"{}".to_vec())], false));
    assert_eq!(audit.finish().misplaced, 0);
}

/// The shard of a partition key.
fn map_of(key: &str) -> ShardId {
    shards().locate(HashKey::of(key)).expect("no gaps")
}

#[test]
fn of_aggregated_payloads_without_identity_each_is_held_against_the_digest() {
    let expect = || Expect { anonymous: true, ..Expect::default() };
    let mut claimed = Vec::new();
    for data in [b"one", b"two", b"two"] {
        StoredIn::add(&mut claimed, ShardId(2), SequenceNumber::from(1), data);
    }
    let record = |data: &[u8]| ("k".to_owned(), None, data.to_vec());
    for (records, clean) in [
        (vec![record(b"one"), record(b"two"), record(b"two")], true),
        (vec![record(b"one"), record(b"two"), record(b"tw0")], false),
        (vec![record(b"one"), record(b"two")], false),
    ] {
        let mut audit = Audit::new(expect()).expect("nothing to go wrong");
        claimed.iter().for_each(|one| audit.claim_digest(one));
        see(&mut audit, 2, 1, "a", &pack(&records, false));
        let verdict = audit.finish();
        assert_eq!((verdict.anonymous, verdict.is_clean()), (records.len() as u64, clean));
    }
}

#[test]
fn payloads_without_identity_are_held_against_the_producers_digest() {
    let shard = ShardId(2);
    let expect = || Expect { anonymous: true, ..Expect::default() };
    let records = [(1_u64, b"one"), (2, b"two")];
    let mut claimed = Digest::default();
    records.iter().for_each(|(number, data)| claimed.add((*number).into(), *data));
    for (second, clean) in [(b"two", true), (b"tw0", false)] {
        let mut audit = Audit::new(expect()).expect("nothing to go wrong");
        audit.claim_digest(&StoredIn { shard, digest: claimed });
        see(&mut audit, 2, 1, "k", b"one");
        see(&mut audit, 2, 2, "k", second);
        assert_eq!(audit.progress().anonymous, 2);
        let verdict = audit.finish();
        assert_eq!((verdict.is_clean(), verdict.wrong_digests().count()), (clean, usize::from(!clean)));
    }
    let mut audit = Audit::new(expect()).expect("nothing to go wrong");
    audit.claim_digest(&StoredIn { shard, digest: claimed });
    assert!(!audit.finish().is_clean(), "nothing was read of what was sent");
}

proptest! {
    // Of records without identity, whatever is missing or changed is found; what is there beyond them is a fault where
    // nothing explains it, and never hides that something is missing by number.
    #[test]
    fn what_was_done_to_records_without_identity_is_found(
        records in vec((0..3_usize, "[a-z]{0,9}"), 1..40),
        done in prop_oneof![Just(Done::Nothing), Just(Done::Lost), Just(Done::Changed), Just(Done::Added)],
        which: usize, doubtful: bool, all_told: bool, foreign_allowed: bool, claims_first: bool,
    ) {
        let expect = Expect { producers: vec![Producer::anonymous("p")], foreign_allowed, ..Expect::default() };
        let mut audit = Audit::new(expect).expect("no keys to go wrong");
        let mut stored = Vec::new();
        for (number, (shard, data)) in (1..).zip(&records) {
            StoredIn::add(&mut stored, ShardId(*shard as u64), SequenceNumber::from(number), data.as_bytes());
        }
        let claim_all = |audit: &mut Audit| {
            let fate = Fate::Sent { perhaps_twice: doubtful };
            audit.claim(&"p".into(), &Claim { job: 0, sequences: 0..records.len() as u64, fate, at_millis: START });
            stored.iter().for_each(|one| audit.claim_digest(one));
        };
        if claims_first {
            claim_all(&mut audit);
        }
        let which = which % records.len();
        for (at, (number, (shard, data))) in (1_u64..).zip(&records).enumerate() {
            match done {
                Done::Lost if at == which => continue,
                Done::Changed if at == which => see(&mut audit, *shard, number, "k", format!("{data}!").as_bytes()),
                _ => see(&mut audit, *shard, number, "k", data.as_bytes()),
            }
        }
        if done == Done::Added {
            see(&mut audit, records[which].0, 99, "k", b"one more");
        }
        if !claims_first {
            claim_all(&mut audit);
        }
        if all_told {
            audit.all_told();
        }
        prop_assert_eq!(audit.outstanding(), u64::from(done == Done::Lost));
        let verdict = audit.finish();
        let explained = doubtful || !all_told || foreign_allowed;
        let clean = match done {
            Done::Nothing => true,
            Done::Lost | Done::Changed => false,
            Done::Added => explained,
        };
        prop_assert_eq!(verdict.is_clean(), clean, "{:?}", verdict);
        prop_assert_eq!(verdict.total.missing, u64::from(done == Done::Lost));
        prop_assert_eq!(verdict.total.delivered, records.len() as u64 - verdict.total.missing);
        prop_assert_eq!(verdict.wrong_digests().count(), usize::from(matches!(done, Done::Lost | Done::Changed)));
        prop_assert_eq!(verdict.unexplained, u64::from(done == Done::Added && !explained));
        prop_assert_eq!((verdict.foreign, verdict.total.gap), (0, 0));
    }
}

/// What was done to one of the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
    Nothing,
    Lost,
    Changed,
    Added,
}

#[test]
fn claims_of_two_runs_that_look_alike_are_no_proof() {
    let mut audit = Audit::new(Expect::default()).expect("nothing to go wrong");
    let producer: Arc<str> = "p".into();
    audit.claim(&producer, &claim(0, 0..10, SENT).0);
    audit.claim(&producer, &claim(0, 9..10, SENT).0);
    (0..10).for_each(|sequence| see(&mut audit, 0, sequence + 1, "k", &event(1, "p", 0, sequence)));
    let verdict = audit.finish();
    assert_eq!((verdict.total.claimed_again, verdict.is_clean()), (1, false));
}

#[test]
fn a_verdict_in_json_has_names_that_stay() {
    let mut audit = Audit::new(expect(made(EventKind::Click, "random"))).expect("random keys work");
    audit.claim(&"p".into(), &claim(0, 0..2, SENT).0);
    see(&mut audit, 0, 1, "wrong", &event(7, "p", 0, 0));
    let json = serde_json::to_value(audit.finish()).expect("a verdict is plain data");
    for (pointer, value) in [
        ("/clean", serde_json::json!(false)),
        ("/total/missing", 1.into()),
        ("/total/corrupt", 1.into()),
        ("/producers/0/name", "p".into()),
        ("/producers/0/claims", true.into()),
        ("/producers/0/delivered", 1.into()),
        ("/examples/0/finding", "missing".into()),
        ("/examples/1/corruption", "partition_key".into()),
        ("/examples/1/shard", "shardId-000000000000".into()),
        ("/latency/due_to_read/records", 0.into()),
        ("/read/records", 1.into()),
    ] {
        assert_eq!(json.pointer(pointer), Some(&value), "{pointer}");
    }
}

#[test]
fn sound_events_of_an_earlier_run_of_the_same_name_are_left_out() {
    let generator = Generator::new(EventKind::Click, 7, "p");
    let expect = Expect { begun: [("p".into(), 5_000)].into(), ..expect(made(EventKind::Click, "random")) };
    let mut audit = Audit::new(expect).expect("no key that could be wrong");
    for (number, due) in [(1, 4_999), (2, 5_000)] {
        let (mut data, mut key) = (Vec::new(), String::new());
        let written = generator.write(0, 0, &Timestamp::from_unix_millis(due), &mut data);
        let keyer =
            Keyer::new(&crate::key::KeyStrategy::Random, EventKind::Click, 7, "p", &ShardMap::default());
        keyer.expect("a keyer").write(0, 0, &data, &written, &mut key).expect("a key");
        audit.see(&Seen {
            shard: ShardId(0),
            sequence_number: number.into(),
            partition_key: &key,
            data: &data,
            arrived_millis: None,
            read_millis: 6_000,
        });
    }
    let verdict = audit.finish();
    assert_eq!((verdict.read.earlier, verdict.total.found, verdict.total.duplicate), (1, 1, 0));
    assert_eq!(verdict.total.corrupt, 0);
}
