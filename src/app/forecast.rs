//! Which share of the load each shard will get: the keys of some events, made as in a run, and where they lead.

use std::collections::HashMap;

use crate::expose::Forecast;
use crate::generate::{Due, Maker};
use crate::key::{KeyStrategy, Keyer};
use crate::kinesis::{HashKey, ShardMap};

/// Events that are made and keyed for a forecast: a share of one half is met to a percent.
pub(super) const EVENTS: u64 = 10_000;

/// The shares of the shards; none where the strategy is even by itself, or where there is one shard.
pub(super) fn shares(
    strategy: &KeyStrategy,
    jobs: u32,
    maker: &Maker,
    keyer: &Keyer,
    map: &ShardMap,
) -> Option<Forecast> {
    if strategy.is_even() || map.shards().len() < 2 {
        return None;
    }
    let (mut event, mut key) = (Vec::new(), String::new());
    let (mut counts, mut keyed) = (HashMap::new(), 0_u64);
    let (keys, mut due) = (keyer.at(0), Due::new(0, 0));
    let jobs = u64::from(jobs.max(1));
    for number in 0..EVENTS {
        let (job, sequence) = ((number % jobs) as u32, number / jobs);
        let made = maker.compose(job, sequence, &mut due, &mut event);
        let Ok(explicit) = keys.write(job, made.event, &event, &made.written, &mut key) else { continue };
        if let Some(shard) = map.locate(explicit.unwrap_or_else(|| HashKey::of(&key))) {
            *counts.entry(shard).or_insert(0_u64) += 1;
            keyed += 1;
        }
    }
    let share = |count: u64| count as f64 / keyed.max(1) as f64;
    let mut shares: Vec<_> = map
        .shards()
        .iter()
        .map(|shard| (shard.id.to_string(), share(counts.get(&shard.id).copied().unwrap_or(0))))
        .collect();
    // The busiest first; shards that are alike stay in the order of their ranges.
    shares.sort_by(|one, other| other.1.total_cmp(&one.1));
    Some(Forecast { shares, events: EVENTS })
}
