//! Laws of the track: it tells of every sequence what a plain map of all of them would.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::blocks::Standing;
use super::*;
use crate::ledger::{Failed, Unknown};

const FIRST: Result<Sight, NoRoom> = Ok(Sight { again: false, contradicts: false });

/// A step: sequences from (block, offset) on, so many, and their fate; none means that they are seen.
type Step = (u64, u64, u64, Option<Fate>);

fn step() -> impl Strategy<Value = Step> {
    let fate = prop_oneof![
        4 => Just(None),
        3 => Just(Some(Fate::Sent { perhaps_twice: false })),
        1 => Just(Some(Fate::Sent { perhaps_twice: true })),
        1 => Just(Some(Fate::Failed(Failed::Throttled))),
        1 => Just(Some(Fate::Unknown(Unknown::Timeout))),
    ];
    let offset = prop_oneof![Just(0), 0..BLOCK, Just(BLOCK - 1)];
    let length = prop_oneof![1..4_u64, Just(BLOCK), Just(2 * BLOCK), 0..4 * BLOCK];
    (0..8_u64, offset, length, fate)
}

/// What is known of a sequence, without any art.
#[derive(Debug, Clone, Copy, Default)]
struct Plain {
    seen: u32,
    sent: bool,
    twice: bool,
    failed: bool,
    unknown: bool,
}

impl Plain {
    fn claim(&mut self, fate: Fate) -> u64 {
        let before = self.sent || self.failed || self.unknown;
        match fate {
            Fate::Sent { perhaps_twice } => {
                let resolves = self.unknown && !self.sent && !self.failed;
                self.twice |= perhaps_twice || self.unknown;
                self.sent = true;
                return u64::from(before && !resolves);
            }
            Fate::Failed(_) => self.failed = true,
            Fate::Unknown(_) => self.unknown = true,
        }
        u64::from(before)
    }

    fn standings(&self) -> Vec<Standing> {
        let mut all = Vec::new();
        all.push(match (self.sent, self.unknown, self.failed, self.seen > 0) {
            (true, _, _, true) => Standing::Delivered,
            (true, _, _, false) => Standing::Missing,
            (false, true, _, true) => Standing::UnknownStored,
            (false, true, _, false) => Standing::UnknownLost,
            (false, false, true, true) => Standing::Contradicted,
            (false, false, true, false) => Standing::Failed,
            (false, false, false, true) => Standing::Unclaimed,
            (false, false, false, false) => Standing::Gap,
        });
        if self.seen > 1 {
            let expected = self.twice || self.unknown && !self.sent;
            all.push(if expected { Standing::ExpectedDuplicate } else { Standing::UnexpectedDuplicate });
        }
        all
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    // Whatever is seen and claimed in whatever order, every sequence up to the last has exactly the standings that
    // a plain map says; ranges are the longest there are; and what room was taken is that of the pieces.
    #[test]
    fn a_track_knows_what_a_plain_map_knows(steps in vec(step(), 1..40), from_start: bool) {
        let (mut track, mut room) = (Track::default(), Room(10_000));
        let mut plain: BTreeMap<u64, Plain> = BTreeMap::new();
        let mut first_seen = None::<u64>;
        for (block, offset, length, fate) in steps {
            let range = block * BLOCK + offset..block * BLOCK + offset + length;
            match fate {
                Some(fate) => {
                    let again: u64 =
                        range.clone().map(|sequence| plain.entry(sequence).or_default().claim(fate)).sum();
                    prop_assert_eq!(track.claim(&range, fate, &mut room), (again, 0));
                }
                None => for sequence in range {
                    first_seen = Some(first_seen.map_or(sequence, |first| first.min(sequence)));
                    let one = plain.entry(sequence).or_default();
                    one.seen += 1;
                    let contradicts = one.failed && !one.sent && !one.unknown;
                    prop_assert_eq!(track.see(sequence, &mut room), Ok(Sight { again: one.seen > 1, contradicts }));
                },
            }
        }
        prop_assert_eq!(room.0 + track.pieces.len(), 10_000);
        let begin = if from_start { Some(0) } else { first_seen };
        let mut expected: Vec<(u64, Standing)> = Vec::new();
        if let Some((&end, _)) = plain.last_key_value() {
            for sequence in 0..=end {
                for standing in plain.get(&sequence).copied().unwrap_or_default().standings() {
                    prop_assert!(track.is(sequence, standing));
                    if standing != Standing::Gap || begin.is_some_and(|begin| sequence >= begin) {
                        expected.push((sequence, standing));
                    }
                }
            }
        }
        let mut told = Vec::new();
        let mut ends = BTreeMap::new();
        track.standings(from_start, |standing, first, last| {
            let before = ends.insert(standing, last);
            assert!(before.is_none_or(|before| before + 1 < first), "ranges ascend and don't touch");
            told.extend((first..=last).map(|sequence| (sequence, standing)));
        });
        told.sort_unstable();
        expected.sort_unstable();
        prop_assert_eq!(told, expected);
    }
}

#[test]
fn a_run_that_goes_well_is_one_piece_whichever_comes_first() {
    for claims_first in [false, true] {
        let (mut track, mut room) = (Track::default(), Room(1_000));
        let all = 0..100 * BLOCK;
        let claim = |track: &mut Track, room: &mut Room| {
            track.claim(&all, Fate::Sent { perhaps_twice: false }, room);
        };
        if claims_first {
            claim(&mut track, &mut room);
        }
        // From both ends to the middle.
        for at in 0..50 * BLOCK {
            track.see(at, &mut room).expect("room");
            track.see(100 * BLOCK - 1 - at, &mut room).expect("room");
        }
        if !claims_first {
            claim(&mut track, &mut room);
        }
        assert_eq!(track.pieces.len(), 1);
        assert!(track.is(77, Standing::Delivered));
    }
}

#[test]
fn the_ends_of_the_numbers_are_no_special_case() {
    let (mut track, mut room) = (Track::default(), Room(100));
    assert_eq!(track.see(u64::MAX, &mut room), FIRST);
    assert_eq!(track.claim(&(0..u64::MAX), Fate::Sent { perhaps_twice: false }, &mut room), (0, 0));
    let mut told = Vec::new();
    track.standings(true, |standing, first, last| told.push((standing, first, last)));
    told.sort_unstable();
    assert_eq!(told, [(Standing::Missing, 0, u64::MAX - 1), (Standing::Unclaimed, u64::MAX, u64::MAX)]);
    assert_eq!(track.claim(&(5..5), Fate::Failed(Failed::NoKey), &mut room), (0, 0));
}

#[test]
fn without_room_a_sequence_is_refused_and_never_lost_in_silence() {
    let (mut track, mut room) = (Track::default(), Room(10));
    let seen = (0..100).filter(|block| track.see(block * 2 * BLOCK, &mut room).is_ok()).count();
    assert_eq!((seen, track.pieces.len(), room.0), (8, 8, 2));
    let twice = Fate::Sent { perhaps_twice: true };
    assert_eq!(track.claim(&(0..10 * BLOCK), twice, &mut room), (0, 9 * BLOCK));
    assert_eq!(track.see(1, &mut room), FIRST, "what has its place already goes on");
}

/// Records of ten jobs, in requests of 100, each record in one of four shards at random.
const JOBS: u64 = 10;
const REQUEST: u64 = 100;

fn of_record(record: u64) -> (usize, u64) {
    let request = record / REQUEST;
    ((request % JOBS) as usize, request / JOBS * REQUEST + record % REQUEST)
}

fn shard_of(record: u64) -> u64 {
    record.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 62
}

/// Reads each shard in its order, `speeds` records of it at a turn; returns the most bytes of heap that it took.
fn heap(records: u64, claims_first: bool, speeds: [u64; 4]) -> u64 {
    let sent = Fate::Sent { perhaps_twice: false };
    let mut pieces = Vec::new();
    let used = allocation_counter::measure(|| {
        let mut tracks: Vec<Track> = (0..JOBS).map(|_| Track::default()).collect();
        let mut room = Room(1 << 19);
        let claim = |tracks: &mut Vec<Track>, room: &mut Room| {
            for request in 0..records / REQUEST {
                let (job, first) = of_record(request * REQUEST);
                assert_eq!(tracks[job].claim(&(first..first + REQUEST), sent, room), (0, 0));
            }
        };
        if claims_first {
            claim(&mut tracks, &mut room);
        }
        let mut at = [0; 4];
        while at.iter().any(|at| *at < records) {
            for ((shard, speed), at) in (0..).zip(speeds).zip(&mut at) {
                let mut left = speed;
                while left > 0 && *at < records {
                    if shard_of(*at) == shard {
                        let (job, sequence) = of_record(*at);
                        assert_eq!(tracks[job].see(sequence, &mut room), FIRST);
                        left -= 1;
                    }
                    *at += 1;
                }
            }
        }
        if !claims_first {
            claim(&mut tracks, &mut room);
        }
        pieces = tracks.iter().map(|track| track.pieces.len()).collect();
    });
    assert!(
        pieces.iter().all(|&pieces| pieces <= 2),
        "one run, and the last block if it is not full: {pieces:?}"
    );
    used.bytes_max
}

#[test]
fn ten_million_records_are_followed_in_bounded_memory() {
    // Answers of GetRecords in turn, from shards of unlike speed: in the end they are a seventh of the stream apart.
    let bytes = heap(10_000_000, true, [10_000, 9_500, 9_000, 8_500]);
    assert!(bytes < 2_000_000, "{bytes}"); // 1,442,240 when this was written
    // The worst: one shard to its end, and then the next. 7.5 bits a record.
    let bytes = heap(1_000_000, false, [u64::MAX; 4]);
    assert!(bytes < 1_000_000, "{bytes}"); // 941,920
}
