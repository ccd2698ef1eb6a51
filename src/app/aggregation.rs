//! What aggregation makes of a run: how many user records are released together, and what is told of it beforehand.

use crate::batch::Aggregation;
use crate::config::Config;
use crate::expose::{AggregationPlan, PlanFacts};
use crate::generate::Maker;
use crate::key::KeyStrategy;
use crate::kinesis::Limits;
use crate::schedule::Pacing;

/// Most records of one release: as many as a request has entries, or many more where several are one entry. Where there are
/// more shards than entries, a request is full as soon as it has one for each.
pub(super) fn together(config: &Config, limits: Limits, maker: &Maker, shards: usize) -> usize {
    match config.aggregation {
        Some(_) if shards <= limits.request_records => {
            Aggregation::together(limits.request_records, limits.request_bytes, maker.typical_event())
        }
        _ => limits.request_records,
    }
}

/// The facts of a run with those of its aggregates.
pub(super) fn told(config: &Config, limits: Limits, maker: &Maker, plan: PlanFacts) -> PlanFacts {
    let Some(aggregation) = config.aggregation else { return plan };
    let own = plan.share.map_or(plan.records(), |share| share.records) as f64;
    let of_job = own / f64::from(config.load.jobs.max(1));
    // Smooth and random moments: neighbours of ten milliseconds are released together.
    let of_release = match config.load.pacing {
        Pacing::Burst | Pacing::Stagger => of_job,
        Pacing::Smooth | Pacing::Poisson => of_job.min(own / 100.0),
    };
    let shards = plan.stream.as_ref().map_or(1, |stream| stream.shards).max(1);
    let of_release = of_release.min(together(config, limits, maker, shards as usize) as f64);
    let shards = match (&config.key, plan.most_keys) {
        // A release is of one job.
        (KeyStrategy::Job, _) => 1,
        (_, keys) => keys.map_or(shards, |keys| keys.min(shards)),
    };
    let holds = aggregation.holds(limits.record_bytes, plan.event_bytes, plan.key_bytes) as f64;
    let for_shard = of_release / shards as f64;
    let each = (for_shard / (for_shard / holds).ceil().max(1.0)).max(1.0);
    let told = AggregationPlan {
        bytes: aggregation.bytes.min(limits.record_bytes) as u64,
        holds: holds as u64,
        each,
        entries: own / each,
    };
    PlanFacts { aggregation: Some(told), ..plan }
}
