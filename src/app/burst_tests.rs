//! Burstiness as an experiment: the same mean load on one shard, in bursts and evenly. Pure: the pacer's arrivals against
//! the embedded stream's limiter.

use std::time::Duration;

use crate::local::ShardLimiter;
use crate::schedule::{Arrivals, Curve, Pacing, Quota};

/// Of `records` in each of `seconds` (counted from 0), made by ten jobs, how many one shard takes.
fn taken(records: u64, seconds: &[u64], pacing: Pacing) -> u64 {
    let mut shard = ShardLimiter::new(Duration::ZERO);
    let mut taken = 0;
    for (turn, &second) in seconds.iter().enumerate() {
        let quota = Quota::dealt(10, records, turn as u64 * records);
        for slice in Arrivals::new(quota, Curve::Even, pacing, 500, second) {
            for _ in 0..slice.records {
                let now = Duration::from_secs(second) + slice.offset;
                taken += u64::from(shard.take(now, 300).is_ok());
            }
        }
    }
    taken
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
