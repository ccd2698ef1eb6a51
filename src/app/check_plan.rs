//! What a load will meet on a stream, as far as that can be told before it: for each shard, for the wire, for the bill.
//!
//! A model: events are made and keyed as the run will make them, and dealt out to the shards' limits second by second.
//! Sends nothing.

use super::aggregation;
use super::forecast::EVENTS;
use super::offered::{self, Offered};
use super::plan::weighing;
use super::requests::{Means, Requests};
use super::stages::{Reached, Stages};
use crate::batch::Packer;
use crate::config::Config;
use crate::expose::{LoadPlan, Packed};
use crate::generate::Due;
use crate::kinesis::HashKey;
use crate::kinesis::limits::billing;
use crate::lab::{Sampled, Used, predict};
use crate::schedule::{Arrivals, Curve, Measure, Offer, Pacing, Quota, Share, wall};

/// Records that are put into requests to see how large those get.
const BATCHED: u64 = 2_000;

/// Seconds whose records are put into requests for that, at most.
const MOST_PACKED_SECONDS: u64 = 1_000;

/// Seconds that are looked at: a day.
const MOST_SECONDS: u64 = 86_400;

/// What is looked at of a load that does not change and has no end.
const USUAL_SECONDS: u64 = 60;

/// The plan of a run by `config`.
pub(super) fn load_plan(config: &Config, offered: &Offered, reached: &Reached, stages: &Stages) -> LoadPlan {
    let sampled = sample(config, reached, stages);
    let mut seconds = seconds(config, offered, stages);
    let (mean, peak) = (
        seconds.iter().sum::<u64>() as f64 / seconds.len().max(1) as f64,
        seconds.iter().copied().max().unwrap_or_default(),
    );
    let usual = mean.ceil() as u64;
    let wired = wire(config, offered, reached, stages, usual);
    let peak_requests =
        if peak == usual { wired.requests } else { wire(config, offered, reached, stages, peak).requests };
    let shards = reached.shards.shards();
    let at_once = config.load.pacing == Pacing::Burst;
    let records_bytes = average(&sampled.records, |bytes| bytes);
    // What shards count and what is billed are Kinesis records.
    let (entries, each) = match config.aggregation {
        None => (sampled.records, 1.0),
        Some(_) => {
            let each = wired.each.max(1.0);
            seconds.iter_mut().for_each(|records| *records = (*records as f64 / each).round() as u64);
            (wired.entries, each)
        }
    };
    let forecast = predict(&entries, shards.len(), &seconds, at_once);
    let (mean, peak) = (forecast.mean_records * each, (forecast.peak_records as f64 * each).round());
    let units = average(&entries, billing::units) / each;
    let rounded = average(&entries, billing::rounded) / each;
    let used = |seconds: f64, records: f64| Used {
        seconds,
        shards: shards.len() as f64,
        units: units * records * seconds,
        rounded_bytes: rounded * records * seconds,
    };
    let tariff = super::cost::tariff(reached.facts.mode);
    let prices = config.costs.prices;
    LoadPlan {
        shards: shards
            .iter()
            .map(|shard| shard.id.to_string())
            .zip(forecast.shards.iter().copied())
            .collect(),
        is_by_key: reached.facts.by_key != Some(false),
        record_bytes: records_bytes,
        aggregated: config.aggregation.map(|_| Packed { each, bytes: average(&entries, |bytes| bytes) }),
        mean_records: mean,
        peak_records: peak as u64,
        events: EVENTS,
        without_key: sampled.without_key,
        too_large: sampled.too_large,
        mean_requests: wired.requests * mean,
        peak_requests: peak_requests * peak,
        body_bytes_per_record: wired.body_bytes,
        units_per_record: units,
        rounded_per_record: rounded,
        tariff,
        cost_of_an_hour: prices.bill(tariff, &used(3_600.0, mean)),
        cost_of_the_peak_hour: prices.bill(tariff, &used(3_600.0, peak)),
        cost_of_the_run: offered
            .duration
            .and_then(|time| prices.bill(tariff, &used(time.as_secs_f64(), mean))),
        most: config.costs.most,
        duration: offered.duration,
        retries: config.send.retry != crate::send::Retry::None,
        forecast,
    }
}

/// What some events are.
struct Sample {
    records: Vec<Sampled>,
    without_key: u64,
    too_large: u64,
}

fn sample(config: &Config, reached: &Reached, stages: &Stages) -> Sample {
    let Stages { maker, keyer, limits, .. } = stages;
    let (mut event, mut key, mut packer) = (Vec::new(), String::new(), Packer::default());
    let (mut sample, mut due) = (
        Sample { records: Vec::new(), without_key: 0, too_large: 0 },
        Due::new(wall().as_millis() as u64, 0),
    );
    let keys = keyer.at(0);
    let jobs = u64::from(config.load.jobs.max(1));
    for number in 0..EVENTS {
        let (job, sequence) = ((number % jobs) as u32, number / jobs);
        let made = maker.compose(job, sequence, &mut due, &mut event);
        let Ok(explicit) = keys.write(job, made.event, &event, &made.written, &mut key) else {
            sample.without_key += 1;
            continue;
        };
        maker.finish(job, &made, 0, &mut event);
        let bytes = packer.pack(config.packing, &mut event).len() + key.len();
        if bytes > limits.record_bytes {
            sample.too_large += 1;
            continue;
        }
        let hash = || Some(explicit.unwrap_or_else(|| HashKey::of(&key)));
        if let Some(shard) = shard_of(reached, number as usize, hash) {
            sample.records.push(Sampled { shard, bytes: bytes as u64 });
        }
    }
    sample
}

/// Records of each second of the run, this instance's alone; of the first day of a longer one.
fn seconds(config: &Config, offered: &Offered, stages: &Stages) -> Vec<u64> {
    let load = &config.load;
    let start = offered::start(config, config.start_at.map_or(wall(), |start| start.moment(wall())));
    let telling = match &offered.offer {
        Offer::Shaped(shaped) if load.profile.is_some() => shaped.profile().telling().div_ceil(1_000),
        _ => USUAL_SECONDS,
    };
    let length =
        offered.duration.map_or(telling, |time| time.as_secs_f64().ceil() as u64).clamp(1, MOST_SECONDS);
    let first = start.wall_millis / 1_000;
    let every_second = load.cron.as_str() == "* * * * * *";
    let weight = weighing(&stages.maker, &stages.keyer).mean().max(1.0);
    let share = config.share.unwrap_or(Share::WHOLE);
    let mut left = config.own_records().unwrap_or(u64::MAX);
    let second = |second: u64| {
        if !every_second && load.cron.next_after((first + second).saturating_sub(1)) != first + second {
            return 0;
        }
        let all = match &offered.offer {
            Offer::Tick { messages } => u64::from(load.jobs) * u64::from(*messages),
            Offer::Shaped(shaped) => {
                let at = second * 1_000;
                let due = shaped.due_until(&start, at + 1_000) - shaped.due_until(&start, at);
                match shaped.measure() {
                    Measure::Records => due,
                    Measure::Bytes => (due as f64 / weight).round() as u64,
                }
            }
        };
        Quota::each(1, u32::try_from(all).unwrap_or(u32::MAX)).records_of(share)
    };
    (0..length)
        .map(second)
        .map(|records| {
            let records = records.min(left);
            left -= records;
            records
        })
        .collect()
}

/// The mean of a figure of the records' bytes.
fn average(records: &[Sampled], figure: fn(u64) -> u64) -> f64 {
    records.iter().map(|record| figure(record.bytes)).sum::<u64>() as f64 / records.len().max(1) as f64
}

/// The place of the shard that gets the record with this number and hash key.
fn shard_of(reached: &Reached, number: usize, hash: impl FnOnce() -> Option<HashKey>) -> Option<usize> {
    let shards = reached.shards.shards().len();
    match reached.facts.by_key {
        // Kinesis spreads them as it likes: evenly, as far as anybody knows.
        Some(false) => (shards > 0).then(|| number % shards),
        _ => reached.shards.place(hash()?),
    }
}

/// What is made of records on their way.
struct Wired {
    /// Requests for each record.
    requests: f64,
    /// Bytes of request bodies for each record.
    body_bytes: f64,
    /// Records in each Kinesis record; 1 unless they are aggregated.
    each: f64,
    /// The Kinesis records, where they are no records of ours.
    entries: Vec<Sampled>,
}

/// Packs records as a run does in seconds of `records` records.
fn wire(config: &Config, offered: &Offered, reached: &Reached, stages: &Stages, records: u64) -> Wired {
    let Stages { limits, maker, keyer, envelope } = stages;
    let quota = match &offered.offer {
        Offer::Tick { messages } => Quota::each(config.load.jobs, *messages),
        Offer::Shaped(_) => Quota::dealt(config.load.jobs, records.max(1), 0),
    };
    let share = config.share.unwrap_or(Share::WHOLE);
    let (mut requests, mut batched, mut bytes, mut entries, mut all_entries) = (0_u64, 0, 0, Vec::new(), 0);
    let (mut next, mut due) =
        (vec![0_u64; config.load.jobs as usize], Due::new(wall().as_millis() as u64, 0));
    let (limits, map) = (*limits, &reached.shards);
    let together = aggregation::together(config, limits, maker, map.shards().len());
    // Of those that can't be put into a request nothing comes, however many are tried.
    let mut left = if config.aggregation.is_some() { EVENTS } else { BATCHED };
    let mut making = Requests::by(Means { config, limits, map, maker, keyer, envelope });
    let second =
        || Arrivals::shared(quota, Curve::Even, config.load.pacing, together, config.seed.value, share);
    // A second may have no records of this instance's.
    for slice in (0..MOST_PACKED_SECONDS).flat_map(|_| second()) {
        let next = &mut next[slice.job as usize];
        let looked_at = making.of(slice.job, next, (slice.records, left), &mut due, |batch| {
            requests += 1;
            batched += batch.records() as u64;
            bytes += batch.body().len() as u64;
            if config.aggregation.is_some() {
                entries.extend((0..batch.len()).filter_map(|index| {
                    let shard = shard_of(reached, all_entries + index, || batch.hash_key(index))?;
                    Some(Sampled { shard, bytes: batch.entry_size(index) as u64 })
                }));
            }
            all_entries += batch.len();
        });
        left = left.saturating_sub(looked_at);
        if left == 0 {
            break;
        }
    }
    let each = |all: u64| all as f64 / batched.max(1) as f64;
    Wired {
        requests: each(requests),
        body_bytes: each(bytes),
        each: batched as f64 / all_entries.max(1) as f64,
        entries,
    }
}
