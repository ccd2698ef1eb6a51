//! Burstiness as an experiment: the same mean load on one shard, in bursts and evenly, alone and beside another writer.
//! Pure: the pacer's arrivals against the embedded stream's limiter.

use std::time::Duration;

use crate::local::ShardLimiter;
use crate::schedule::{Arrivals, Curve, Pacing, Quota};

/// What is due in each of `seconds` (counted from 0), made by ten jobs: when each record is.
fn due(records: u64, seconds: &[u64], pacing: Pacing) -> Vec<Duration> {
    let mut due = Vec::new();
    for (turn, &second) in seconds.iter().enumerate() {
        let quota = Quota::dealt(10, records, turn as u64 * records);
        for slice in Arrivals::new(quota, Curve::Even, pacing, 500, second) {
            let moment = Duration::from_secs(second) + slice.offset;
            due.extend(std::iter::repeat_n(moment, slice.records as usize));
        }
    }
    due
}

/// Of `records` in each of `seconds`, how many one shard takes that takes `others` as well, and how many of these.
fn taken_beside(others: &[Duration], records: u64, seconds: &[u64], pacing: Pacing) -> (usize, usize) {
    let ours = due(records, seconds, pacing).into_iter().map(|moment| (moment, true));
    let mut all: Vec<_> = ours.chain(others.iter().map(|&moment| (moment, false))).collect();
    all.sort();
    let mut shard = ShardLimiter::new(Duration::ZERO);
    let mut taken = (0, 0);
    for (moment, is_ours) in all {
        if shard.take(moment, 300).is_ok() {
            *(if is_ours { &mut taken.0 } else { &mut taken.1 }) += 1;
        }
    }
    taken
}

/// Of `records` in each of `seconds`, how many one shard takes.
fn taken(records: u64, seconds: &[u64], pacing: Pacing) -> usize {
    taken_beside(&[], records, seconds, pacing).0
}

#[test]
fn at_900_records_a_second_a_burst_every_other_second_loses_what_an_even_load_does_not() {
    let every: Vec<u64> = (0..20).collect();
    let other: Vec<u64> = (0..20).step_by(2).collect();
    // 900 in each second: a shard's bucket holds a second's 1,000, so even a burst of 900 fits into it.
    for pacing in Pacing::ALL {
        assert_eq!(taken(900, &every, pacing), 18_000, "{pacing}");
    }
    // 1,800 in every other second, the same 900 on average: the burst finds 1,000 tokens, the even load finds those and
    // the 1,000 that come in while it lasts.
    assert_eq!(taken(1_800, &other, Pacing::Burst), 10_000);
    assert_eq!(taken(1_800, &other, Pacing::Smooth), 18_000);
    // Ten jobs of 180 at equal distances are as good as even; what comes at random is nearly so.
    assert_eq!(taken(1_800, &other, Pacing::Stagger), 18_000);
    assert!(taken(1_800, &other, Pacing::Poisson) > 17_900);
}

// A burst of 900 leaves the shard no room for anybody else. Another writer's 500 in every tenth second, half a second after
// a tick, would fit: 950 records a second in all. Beside an even load they do. A burst finds too little behind them.
#[test]
fn at_900_records_a_second_a_burst_and_a_neighbour_refuse_each_other_what_an_even_load_leaves_room_for() {
    let every: Vec<u64> = (0..20).collect();
    let others: Vec<Duration> =
        [3_500, 13_500].into_iter().flat_map(|millis| [Duration::from_millis(millis); 500]).collect();
    for pacing in [Pacing::Smooth, Pacing::Stagger, Pacing::Poisson] {
        assert_eq!(taken_beside(&others, 900, &every, pacing), (18_000, 1_000), "{pacing}");
    }
    // At the tick there are 100 + 500 − 500 + 500 tokens for 900 records: 300 are refused, each time.
    assert_eq!(taken_beside(&others, 900, &every, Pacing::Burst), (17_400, 1_000));
    // When both come at the same moment, there are 1,000 tokens for 1,400.
    let others: Vec<Duration> =
        [3, 13].into_iter().flat_map(|second| [Duration::from_secs(second); 500]).collect();
    assert_eq!(taken_beside(&others, 900, &every, Pacing::Smooth), (18_000, 1_000));
    let (ours, theirs) = taken_beside(&others, 900, &every, Pacing::Burst);
    assert_eq!(ours + theirs, 19_000 - 800);
}
