//! Which share of a load the shards will refuse, by the model of their limits that the embedded stream goes by.
//!
//! A model's figure, not a measurement: of first attempts, on shards that are idle when the load begins and have no other
//! writers. Real records are looked at for shard and size, and dealt out over the seconds of the load.

use std::time::Duration;

use crate::model::{Rates, Refusal, ShardLimiter};

/// Most records that are played through; a larger load is thinned out: each one stands for several, and each shard's
/// limits are as much lower.
pub const MOST_TAKES: u64 = 400_000;

/// Most records that one stands for: then a shard's second is still fifty.
const MOST_THINNING: u64 = 20;

/// A record of the load, as far as limits go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sampled {
    /// The place of its shard.
    pub shard: usize,
    /// Data and partition key.
    pub bytes: u64,
}

/// What one shard meets.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ShardForecast {
    /// Its share of the records; 1 is all.
    pub share: f64,
    /// Records a second, in the mean of the load.
    pub mean_records: f64,
    /// Bytes a second, in the mean.
    pub mean_bytes: f64,
    /// Records of the highest second.
    pub peak_records: f64,
    /// Bytes of the highest second.
    pub peak_bytes: f64,
    /// The share of its records that is refused because the second's records are used up (or both limits are).
    pub refused_by_records: f64,
    /// The share that is refused because the second's bytes are.
    pub refused_by_bytes: f64,
}

impl ShardForecast {
    /// The share of its records that is refused.
    #[must_use]
    pub fn refused(&self) -> f64 {
        self.refused_by_records + self.refused_by_bytes
    }
}

/// What a load meets.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Forecast {
    /// By place.
    pub shards: Vec<ShardForecast>,
    /// The share of all records that is refused.
    pub refused: f64,
    /// The same of the highest second alone.
    pub peak_refused: f64,
    /// Seconds that were gone through.
    pub seconds: u64,
    /// Of the load in those seconds, in the mean, for the whole stream.
    pub mean_records: f64,
    /// Records of the highest second.
    pub peak_records: u64,
    /// How many records each one stood for.
    pub thinning: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counted {
    records: u64,
    bytes: u64,
    by_records: u64,
    by_bytes: u64,
    second: (u64, u64),
    peak: (u64, u64),
}

/// Plays a load of `seconds` (records of each) through `shards` shards. `sample`: records in the order in which they
/// are made, which begins anew at its end. `at_once`: a second's records are due at its start, not spread over it.
#[must_use]
pub fn predict(sample: &[Sampled], shards: usize, seconds: &[u64], at_once: bool) -> Forecast {
    let total: u64 = seconds.iter().sum();
    if sample.is_empty() || shards == 0 || total == 0 {
        return Forecast {
            shards: vec![ShardForecast::default(); shards],
            thinning: 1,
            ..Forecast::default()
        };
    }
    let thinning = total.div_ceil(MOST_TAKES).clamp(1, MOST_THINNING);
    let rates = Rates { records: Rates::AWS.records / thinning, bytes: Rates::AWS.bytes / thinning };
    let mut limiters: Vec<ShardLimiter> =
        (0..shards).map(|_| ShardLimiter::with_rates(rates, Duration::ZERO)).collect();
    let mut counted = vec![Counted::default(); shards];
    let mut records = sample.iter().cycle();
    let (mut taken, mut offered, mut peak, mut peak_refused) = (0_u64, 0_u64, 0, 0.0);
    let mut gone_through = 0;
    for (second, &quota) in seconds.iter().enumerate() {
        // However long the load is, the work is bounded: what comes later is not looked at.
        if taken > 2 * MOST_TAKES {
            break;
        }
        gone_through += 1;
        offered += quota;
        // So that thinned seconds add up.
        let due = offered / thinning - taken;
        let mut refused = 0_u64;
        for number in 0..due {
            let record = records.next().expect("a cycle of something has no end");
            let inside = if at_once { 0.0 } else { number as f64 / due as f64 };
            let now = Duration::from_secs(second as u64) + Duration::from_secs_f64(inside);
            let all = &mut counted[record.shard];
            all.records += 1;
            all.bytes += record.bytes;
            all.second = (all.second.0 + 1, all.second.1 + record.bytes);
            match limiters[record.shard].take(now, record.bytes) {
                Ok(()) => continue,
                Err(Refusal::Records | Refusal::Both) => all.by_records += 1,
                Err(Refusal::Bytes) => all.by_bytes += 1,
            }
            refused += 1;
        }
        taken += due;
        for all in &mut counted {
            all.peak = (all.peak.0.max(all.second.0), all.peak.1.max(all.second.1));
            all.second = (0, 0);
        }
        // Of equal seconds the last: the first one finds the shards rested.
        if quota >= peak && quota > 0 {
            (peak, peak_refused) = (quota, refused as f64 / due.max(1) as f64);
        }
    }
    let (span, scale) = (gone_through as f64, thinning as f64);
    let share = |part: u64, whole: u64| part as f64 / whole.max(1) as f64;
    let shard = |all: &Counted| ShardForecast {
        share: share(all.records, taken),
        mean_records: all.records as f64 * scale / span,
        mean_bytes: all.bytes as f64 * scale / span,
        peak_records: all.peak.0 as f64 * scale,
        peak_bytes: all.peak.1 as f64 * scale,
        refused_by_records: share(all.by_records, all.records),
        refused_by_bytes: share(all.by_bytes, all.records),
    };
    let refused: u64 = counted.iter().map(|all| all.by_records + all.by_bytes).sum();
    Forecast {
        shards: counted.iter().map(shard).collect(),
        refused: share(refused, taken),
        peak_refused,
        seconds: gone_through,
        mean_records: offered as f64 / span,
        peak_records: peak,
        thinning,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn even(shards: usize, bytes: u64) -> Vec<Sampled> {
        (0..1_000).map(|number| Sampled { shard: number % shards, bytes }).collect()
    }

    #[test]
    fn a_load_below_the_limits_is_not_refused_at_all() {
        for at_once in [true, false] {
            let forecast = predict(&even(4, 200), 4, &[4_000; 30], at_once);
            assert_eq!((forecast.refused, forecast.peak_refused), (0.0, 0.0));
            assert_eq!(forecast.shards[2].peak_records, 1_000.0);
        }
    }

    #[test]
    fn what_is_above_the_records_of_a_second_is_refused_for_it() {
        let forecast = predict(&even(1, 200), 1, &[2_000; 60], true);
        assert!((forecast.refused - 0.5).abs() < 0.001, "{forecast:?}");
        assert_eq!((forecast.shards[0].refused_by_bytes, forecast.peak_refused), (0.0, 0.5));
        // Spread out, the rested second helps once.
        let spread = predict(&even(1, 200), 1, &[2_000; 60], false);
        assert!((spread.refused - 59.0 / 120.0).abs() < 0.001, "{spread:?}");
    }

    #[test]
    fn large_records_are_refused_for_their_bytes() {
        let forecast = predict(&even(2, 10_240), 2, &[409; 60], true);
        assert_eq!(forecast.shards[0].refused_by_records, 0.0);
        assert!((forecast.shards[0].refused_by_bytes - 0.5).abs() < 0.01, "{forecast:?}");
    }

    #[test]
    fn a_hot_shard_refuses_while_the_others_rest() {
        let hot: Vec<Sampled> =
            (0..1_000).map(|number| Sampled { shard: usize::from(number % 10 < 3), bytes: 100 }).collect();
        let forecast = predict(&hot, 2, &[2_000; 30], true);
        assert!((forecast.shards[0].share - 0.7).abs() < 1e-9);
        assert!((forecast.shards[0].refused() - 0.286).abs() < 0.01, "{forecast:?}");
        assert_eq!(forecast.shards[1].refused(), 0.0);
    }

    #[test]
    fn a_large_load_is_thinned_out_and_means_the_same() {
        let forecast = predict(&even(8, 300), 8, &[16_000; 600], true);
        assert_eq!(forecast.thinning, MOST_THINNING);
        assert!(forecast.seconds > 500 && (forecast.refused - 0.5).abs() < 0.01, "{forecast:?}");
        assert!((forecast.shards[3].mean_records - 2_000.0).abs() < 20.0);
    }

    #[test]
    fn nothing_offered_is_nothing_refused() {
        assert_eq!(predict(&[], 3, &[5], true).shards.len(), 3);
        assert_eq!(predict(&even(1, 1), 1, &[0, 0], true).refused, 0.0);
    }

    proptest! {
        // Law: shares of shards add up to 1, every refused share is one, and what is taken of a shard is at most what
        // its limits give in that time, a rested second included.
        #[test]
        fn no_shard_takes_more_than_its_limits(
            sample in prop::collection::vec((0_usize..4, 1_u64..50_000), 1..400), seconds in prop::collection::vec(0_u64..6_000, 1..20),
            at_once: bool,
        ) {
            let sample: Vec<Sampled> = sample.into_iter().map(|(shard, bytes)| Sampled { shard, bytes }).collect();
            let forecast = predict(&sample, 4, &seconds, at_once);
            prop_assert_eq!(forecast.thinning, 1);
            if seconds.iter().sum::<u64>() > 0 {
                prop_assert!((forecast.shards.iter().map(|shard| shard.share).sum::<f64>() - 1.0).abs() < 1e-9);
            }
            for shard in &forecast.shards {
                prop_assert!((0.0..=1.0).contains(&shard.refused()));
                let taken = shard.mean_records * seconds.len() as f64 * (1.0 - shard.refused());
                prop_assert!(taken <= 1_000.0 * (seconds.len() as f64 + 1.0) + 1e-6, "{} {:?}", taken, shard);
            }
        }
    }
}
