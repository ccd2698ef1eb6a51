//! What a run is about to do: the facts of the start text, and what a dry run prints.

use std::fmt::Write as _;
use std::time::Duration;

use super::Reached;
use super::barrier::written;
use crate::batch::{BatchBuilder, Envelope, Pushed, Spent};
use crate::config::{Config, Target};
use crate::expose::{Capacity, PlanFacts, SharePlan, StreamPlan};
use crate::generate::{Generator, Timestamp};
use crate::key::{KeyStrategy, Keyer};
use crate::kinesis::{Limits, Mode};
use crate::schedule::{Arrivals, Quota, Share};
use crate::send::Retry;

/// Requests that a dry run lists one by one.
const LISTED: usize = 20;

/// The facts of the start text.
pub(super) fn facts(
    config: &Config,
    reached: Option<&Reached>,
    generator: &Generator,
    keyer: &Keyer,
    start_at: Option<Duration>,
) -> PlanFacts {
    let embedded = matches!(config.target, Target::Local { .. });
    let stream = reached.map(|reached| StreamPlan {
        name: reached.stream.name().to_string(),
        arn: (!embedded).then(|| reached.facts.arn.clone()),
        region: (!embedded).then(|| reached.client.region().to_owned()),
        endpoint: reached.embedded.as_ref().map(|embedded| embedded.endpoint.clone()),
        capacity: match reached.facts.mode {
            _ if embedded => Capacity::Embedded,
            Mode::Provisioned => Capacity::Provisioned,
            Mode::OnDemand => Capacity::OnDemand,
            Mode::Untold => Capacity::Untold,
        },
        shards: reached.shards.shards().len() as u64,
    });
    let load = &config.load;
    let second = |at| load.cron.next_after(at);
    PlanFacts {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        stream,
        dry_run: config.dry_run,
        jobs: load.jobs.into(),
        messages: load.messages.into(),
        share: config.share.map(|share| SharePlan {
            index: share.index().into(),
            count: share.count().into(),
            records: Quota { jobs: load.jobs, messages: load.messages }.records_of(share),
        }),
        start_at: start_at.map(written),
        cron: load.cron.to_string(),
        // A minute, an hour and a day in which every second is due.
        every_second: (0..60).chain(3_599..3_601).chain(86_399..86_401).all(|at| second(at) == at + 1),
        pacing: load.pacing.to_string(),
        duration: load.duration,
        max_records: config.own_records(),
        event: config.event.to_string(),
        event_bytes: generator.typical_event() as f64,
        key: config.key.to_string(),
        key_bytes: key_bytes(generator, keyer),
        most_keys: match &config.key {
            KeyStrategy::Constant(_) => Some(1),
            KeyStrategy::Job => Some(load.jobs.into()),
            _ => None,
        },
        seed: config.seed.value,
        seed_given: config.seed.given,
        instance: config.producer.clone(),
        retry: config.send.retry.to_string(),
        max_attempts: match config.send.retry {
            Retry::Backoff => config.send.max_attempts.into(),
            Retry::None => 1,
        },
        max_in_flight: config.send.max_in_flight as u64,
        request_timeout: config.send.request_timeout,
        drain_timeout: config.send.drain_timeout,
        listen: config.listen.map(|address| address.to_string()),
        journal: config.journal.as_ref().map(|path| path.display().to_string()),
    }
}

/// The mean size of the keys of some events, in bytes.
fn key_bytes(generator: &Generator, keyer: &Keyer) -> f64 {
    const SAMPLE: u64 = 100;
    let (mut event, mut key, mut bytes) = (Vec::new(), String::new(), 0);
    let time = Timestamp::from_unix_millis(0);
    for sequence in 0..SAMPLE {
        event.clear();
        let written = generator.write(0, sequence, &time, &mut event);
        if keyer.write(0, sequence, &event, &written, &mut key).is_ok() {
            bytes += key.len();
        }
    }
    bytes as f64 / SAMPLE as f64
}

/// The requests of the first due second, as they would be sent.
pub(super) fn first_second(
    config: &Config,
    envelope: &Envelope,
    limits: Limits,
    generator: &Generator,
    keyer: &Keyer,
    wall: Duration,
) -> String {
    let load = &config.load;
    let second = load.cron.next_after(wall.as_secs());
    let quota = Quota { jobs: load.jobs, messages: load.messages };
    let (seed, share) = (config.seed.value, config.share.unwrap_or(Share::WHOLE));
    let mut sequences = vec![0_u64; load.jobs as usize];
    let (mut rows, mut requests, mut records, mut body_bytes) = (String::new(), 0_usize, 0, 0);
    let (mut event, mut key, mut spent) = (Vec::new(), String::new(), Spent::default());
    for slice in Arrivals::shared(quota, load.pacing, limits.request_records, seed, share) {
        let time = Timestamp::from_unix_millis(second * 1_000 + slice.offset.as_millis() as u64);
        let (mut left, next) = (slice.records, &mut sequences[slice.job as usize]);
        while left > 0 {
            let mut builder = BatchBuilder::new(limits, std::mem::take(&mut spent));
            while left > 0 {
                event.clear();
                let written = generator.write(slice.job, *next, &time, &mut event);
                let explicit = keyer.write(slice.job, *next, &event, &written, &mut key);
                if explicit.is_ok_and(|explicit| builder.push(&event, &key, explicit) == Pushed::Full) {
                    break;
                }
                *next += 1;
                left -= 1;
            }
            spent = match builder.seal(envelope) {
                Err(unused) => unused,
                Ok(batch) => {
                    requests += 1;
                    records += batch.len();
                    body_bytes += batch.body().len();
                    if requests <= LISTED {
                        let (job, millis) = (slice.job, slice.offset.as_secs_f64() * 1e3);
                        let (entries, size, body) = (batch.len(), batch.size(), batch.body().len());
                        let _ = writeln!(rows, "{millis:>10.1} ms{job:>8}{entries:>9}{size:>12}{body:>14}");
                    }
                    batch.spent()
                }
            };
        }
    }
    let mut text = format!(
        "\nThe first due second would send {records} records in {requests} requests, {body_bytes} bytes on the wire:\n\n\
         {:>13}{:>8}{:>9}{:>12}{:>14}\n{rows}",
        "at", "job", "records", "bytes", "body bytes"
    );
    if requests > LISTED {
        let _ = writeln!(text, "… and {} more", requests - LISTED);
    }
    text
}
