//! What a load will meet on a stream, as far as that can be told before it: for each shard, for the wire, for the bill.
//!
//! A model: events are made and keyed as the run will make them, and dealt out to the shards' limits second by second.
//! Sends nothing.

use super::forecast::EVENTS;
use super::offered::{self, Offered};
use super::plan::weighing;
use super::stages::{Reached, Stages};
use crate::batch::{BatchBuilder, Packer, Pushed, Spent};
use crate::config::Config;
use crate::expose::LoadPlan;
use crate::generate::Due;
use crate::kinesis::HashKey;
use crate::kinesis::limits::billing;
use crate::lab::{Sampled, Used, predict};
use crate::schedule::{Arrivals, Curve, Measure, Offer, Pacing, Quota, Share, wall};

/// Records that are put into requests to see how large those get.
const BATCHED: u64 = 2_000;

/// Seconds that are looked at: a day.
const MOST_SECONDS: u64 = 86_400;

/// What is looked at of a load that does not change and has no end.
const USUAL_SECONDS: u64 = 60;

/// The plan of a run by `config`.
pub(super) fn load_plan(config: &Config, offered: &Offered, reached: &Reached, stages: &Stages) -> LoadPlan {
    let sampled = sample(config, reached, stages);
    let seconds = seconds(config, offered, stages);
    let shards = reached.shards.shards();
    let at_once = config.load.pacing == Pacing::Burst;
    let forecast = predict(&sampled.records, shards.len(), &seconds, at_once);
    let usual = forecast.mean_records.ceil() as u64;
    let (requests, body_bytes) = wire(config, offered, stages, usual);
    let (peak_requests, _) = wire(config, offered, stages, forecast.peak_records);
    let count = sampled.records.len().max(1) as f64;
    let mean = |part: fn(u64) -> u64| {
        sampled.records.iter().map(|record| part(record.bytes)).sum::<u64>() as f64 / count
    };
    let (units, rounded, bytes) = (mean(billing::units), mean(billing::rounded), mean(|bytes| bytes));
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
        record_bytes: bytes,
        events: EVENTS,
        without_key: sampled.without_key,
        too_large: sampled.too_large,
        mean_requests: requests * forecast.mean_records,
        peak_requests: peak_requests * forecast.peak_records as f64,
        body_bytes_per_record: body_bytes,
        units_per_record: units,
        rounded_per_record: rounded,
        tariff,
        cost_of_an_hour: prices.bill(tariff, &used(3_600.0, forecast.mean_records)),
        cost_of_the_peak_hour: prices.bill(tariff, &used(3_600.0, forecast.peak_records as f64)),
        cost_of_the_run: offered
            .duration
            .and_then(|time| prices.bill(tariff, &used(time.as_secs_f64(), forecast.mean_records))),
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
    let shards = reached.shards.shards();
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
        let shard = match reached.facts.by_key {
            // Kinesis spreads them as it likes: evenly, as far as anybody knows.
            Some(false) => Some(number as usize % shards.len().max(1)).filter(|_| !shards.is_empty()),
            _ => reached.shards.place(explicit.unwrap_or_else(|| HashKey::of(&key))),
        };
        if let Some(shard) = shard {
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

/// Requests and bytes of their bodies for each record, in a second of `records` records.
fn wire(config: &Config, offered: &Offered, stages: &Stages, records: u64) -> (f64, f64) {
    let Stages { limits, maker, keyer, envelope } = stages;
    let quota = match &offered.offer {
        Offer::Tick { messages } => Quota::each(config.load.jobs, *messages),
        Offer::Shaped(_) => Quota::dealt(config.load.jobs, records.max(1), 0),
    };
    let share = config.share.unwrap_or(Share::WHOLE);
    let (mut event, mut key, mut packer, mut spent) =
        (Vec::new(), String::new(), Packer::default(), Spent::default());
    let (mut requests, mut batched, mut bytes) = (0_u64, 0_u64, 0_u64);
    let (mut next, mut due) =
        (vec![0_u64; config.load.jobs as usize], Due::new(wall().as_millis() as u64, 0));
    let arrivals = Arrivals::shared(
        quota,
        Curve::Even,
        config.load.pacing,
        limits.request_records,
        config.seed.value,
        share,
    );
    for slice in arrivals {
        let mut left = slice.records;
        while left > 0 && batched < BATCHED {
            let mut builder = BatchBuilder::of(config.wire, *limits, std::mem::take(&mut spent));
            while left > 0 {
                let sequence = &mut next[slice.job as usize];
                let made = maker.compose(slice.job, *sequence, &mut due, &mut event);
                let explicit = keyer.write(slice.job, made.event, &event, &made.written, &mut key);
                maker.finish(slice.job, &made, 0, &mut event);
                let data = packer.pack(config.packing, &mut event);
                if explicit.is_ok_and(|explicit| builder.push(data, &key, explicit) == Pushed::Full) {
                    break;
                }
                (*sequence, left) = (*sequence + 1, left - 1);
            }
            spent = match builder.seal(envelope) {
                Err(unused) => unused,
                Ok(batch) => {
                    requests += 1;
                    batched += batch.len() as u64;
                    bytes += batch.body().len() as u64;
                    batch.spent()
                }
            };
        }
        if batched >= BATCHED {
            break;
        }
    }
    let each = |all: u64| all as f64 / batched.max(1) as f64;
    (each(requests), each(bytes))
}
