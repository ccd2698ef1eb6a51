//! What a run is about to do: the facts of the start text, and what a dry run prints.

use std::fmt::Write as _;
use std::time::Duration;

use super::aggregation;
use super::barrier::written;
use super::forecast;
use super::offered::Offered;
use super::requests::{Means, Requests};
use super::stages::Reached;
use crate::batch::{Compression, Envelope, Framing};
use crate::config::{Config, Replay, Target};
use crate::expose::{Capacity, PlanFacts, ShapeFacts, SharePlan, StreamPlan};
use crate::generate::{Due, Maker, Shaping};
use crate::key::{KeyStrategy, Keyer};
use crate::kinesis::{HttpClientKind, Limits, Mode, ShardMap};
use crate::replay::{Kind, Trace};
use crate::schedule::{Arrivals, Curve, Measure, Offer, Quota, Share, Weighing};

/// Requests that a dry run lists one by one.
const LISTED: usize = 20;

/// The facts of the start text.
pub(super) fn facts(
    config: &Config,
    offered: &Offered,
    reached: Option<&Reached>,
    maker: &Maker,
    keyer: &Keyer,
    trace: Option<&Trace>,
    start_at: Option<Duration>,
) -> PlanFacts {
    let recorded = trace.filter(|trace| trace.kind() == Kind::Payloads).map(Trace::head);
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
        by_key: reached.facts.by_key,
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
        shape: shape(config, offered),
        share: config.share.map(|share| SharePlan {
            index: share.index().into(),
            count: share.count().into(),
            records: Quota::each(1, u32::try_from(offered.peak).unwrap_or(u32::MAX)).records_of(share),
        }),
        start_at: start_at.map(written),
        cron: load.cron.to_string(),
        // A minute, an hour and a day in which every second is due.
        every_second: (0..60).chain(3_599..3_601).chain(86_399..86_401).all(|at| second(at) == at + 1),
        pacing: load.pacing.to_string(),
        duration: offered.duration,
        max_records: config.own_records(),
        event: if recorded.is_some() { "as recorded".to_owned() } else { event(config) },
        event_bytes: match recorded {
            Some(head) => head.bytes as f64 / head.records.max(1) as f64,
            None => maker.typical_event() as f64,
        },
        key: config.key.to_string(),
        key_bytes: key_bytes(maker, keyer),
        most_keys: match &config.key {
            KeyStrategy::Constant(_) => Some(1),
            KeyStrategy::Job => Some(load.jobs.into()),
            KeyStrategy::Popular(popularity) => Some(popularity.keys().into()),
            _ => None,
        },
        replay: trace.map(|trace| replay(config, trace)),
        aggregation: None,
        forecast: reached
            .filter(|reached| reached.facts.by_key != Some(false))
            .and_then(|reached| forecast::shares(&config.key, load.jobs, maker, keyer, &reached.shards)),
        seed: config.seed.value,
        seed_given: config.seed.given,
        instance: config.producer.clone(),
        retry: config.send.retry.to_string(),
        max_attempts: if config.send.retry.tries_again() { config.send.max_attempts.into() } else { 1 },
        max_in_flight: config.send.max_in_flight as u64,
        request_timeout: config.send.request_timeout,
        drain_timeout: config.send.drain_timeout,
        listen: config.listen.map(|address| address.to_string()),
        journal: config.journal.as_ref().map(|path| path.display().to_string()),
        client: client(config.client, reached.map(|reached| reached.lane.client())),
        wire: config.wire.to_string(),
    }
}

/// Who makes the requests.
fn client(asked: HttpClientKind, found: Option<HttpClientKind>) -> String {
    match found {
        Some(found) if found != asked => format!("{found} ({asked} was asked for, but a proxy is set)"),
        _ => asked.to_string(),
    }
}

/// A trace in words.
fn replay(config: &Config, trace: &Trace) -> String {
    let Some(Replay { path, speed, again }) = &config.load.replay else { return String::new() };
    let head = trace.head();
    let seconds = head.length as f64 / 1e9 / speed.value();
    let what = match trace.kind() {
        Kind::Counts => "counts of records",
        Kind::Payloads => "recorded payloads",
    };
    let all = if head.is_all { "all of it".to_owned() } else { format!("its first {} lines", head.lines) };
    format!(
        "{}, {what}, at speed {speed}{}: {all} are {} records in {seconds:.1} s",
        path.display(),
        if *again { ", again and again" } else { "" },
        head.records,
    )
}

/// What is told of a load that is not so many messages for each job.
fn shape(config: &Config, offered: &Offered) -> Option<ShapeFacts> {
    let Offer::Shaped(shaped) = &offered.offer else { return None };
    let load = &config.load;
    let (what, changes) = match (&load.profile, load.rate) {
        (Some(profile), _) => (profile.text.clone(), true),
        (None, Some(rate)) => (rate.to_string(), false),
        (None, None) => return None,
    };
    let counted = shaped.measure() == Measure::Records && load.cron.as_str() == "* * * * * *";
    // Noise would have to be gone through second by second.
    let known = offered.duration.filter(|_| counted && !shaped.profile().is_noisy());
    let start = super::offered::start(config, Duration::ZERO);
    let total = known.map(|duration| shaped.total(&start, duration.as_millis() as u64));
    let total = total.map(|total| total.min(load.max_records.unwrap_or(u64::MAX)));
    Some(ShapeFacts { what, changes, peak: offered.peak, total })
}

/// What is known of a record's size before the first is made.
pub(super) fn weighing(maker: &Maker, keyer: &Keyer) -> Weighing {
    const SAMPLE: f64 = 1_000.0;
    let bytes = maker.typical_event() as f64 + key_bytes(maker, keyer);
    Weighing::new(SAMPLE as u64, (bytes * SAMPLE) as u64)
}

/// The event, with what is done to it.
fn event(config: &Config) -> String {
    let mut text = config.event.to_string();
    let Shaping { size, inject, .. } = &config.shaping;
    if let Some(size) = size {
        let _ = write!(text, ", {size}");
    }
    let (compression, framing) = (config.packing.compression, config.packing.framing);
    if framing != Framing::None {
        let _ = write!(text, ", framed by {framing}");
    }
    if compression != Compression::None {
        let _ = write!(text, ", before {compression}");
    }
    if let Some(inject) = inject {
        let _ = write!(text, ", with {inject}");
    }
    text
}

/// The mean size of the keys of some events, in bytes.
fn key_bytes(maker: &Maker, keyer: &Keyer) -> f64 {
    const SAMPLE: u64 = 100;
    let (mut event, mut key, mut bytes) = (Vec::new(), String::new(), 0);
    let mut due = Due::new(0, 0);
    for sequence in 0..SAMPLE {
        event.clear();
        let made = maker.compose(0, sequence, &mut due, &mut event);
        if keyer.write(0, made.event, &event, &made.written, &mut key).is_ok() {
            bytes += key.len();
        }
    }
    bytes as f64 / SAMPLE as f64
}

/// The requests of the first due second, as they would be sent.
pub(super) fn first_second(
    config: &Config,
    offered: &Offered,
    envelope: &Envelope,
    (limits, map): (Limits, &ShardMap),
    maker: &Maker,
    keyer: &Keyer,
    wall: Duration,
) -> String {
    let load = &config.load;
    let second = load.cron.next_after(wall.as_secs());
    let (quota, curve) = match &offered.offer {
        Offer::Tick { messages } => (Quota::each(load.jobs, *messages), Curve::Even),
        Offer::Shaped(shaped) => {
            let due = shaped.second(&super::offered::start(config, wall), 0);
            let records = match shaped.measure() {
                Measure::Records => due.amount,
                Measure::Bytes => weighing(maker, keyer).records(due.amount),
            };
            (Quota::dealt(load.jobs, records, 0), due.curve)
        }
    };
    let (seed, share) = (config.seed.value, config.share.unwrap_or(Share::WHOLE));
    let mut sequences = vec![(0_u64, 0_u64); load.jobs as usize];
    let (mut rows, mut requests, mut records, mut body_bytes) = (String::new(), 0_usize, 0, 0);
    let (mut all_entries, together) = (0, aggregation::together(config, limits, maker, map.shards().len()));
    let mut making = Requests::by(Means { config, limits, map, maker, keyer, envelope });
    for slice in Arrivals::shared(quota, curve, load.pacing, together, seed, share) {
        let (next, opened_millis) = &mut sequences[slice.job as usize];
        let mut due = Due::new(second * 1_000 + slice.offset.as_millis() as u64, *opened_millis);
        making.of(slice.job, next, (slice.records, u64::MAX), &mut due, |batch| {
            requests += 1;
            records += batch.records();
            all_entries += batch.len();
            body_bytes += batch.body().len();
            if requests <= LISTED {
                let (job, millis) = (slice.job, slice.offset.as_secs_f64() * 1e3);
                let (records, size, body) = (batch.records(), batch.size(), batch.body().len());
                let _ = write!(rows, "{millis:>10.1} ms{job:>8}{records:>9}{size:>12}{body:>14}");
                let entries = config.aggregation.map(|_| format!("{:>9}", batch.len()));
                let _ = writeln!(rows, "{}", entries.unwrap_or_default());
            }
        });
        *opened_millis = due.opened_millis;
    }
    let (packed, column) = match config.aggregation {
        None => (String::new(), ""),
        Some(_) => (format!(", as {all_entries} Kinesis records,"), "  Kinesis"),
    };
    let mut text = format!(
        "\nThe first due second would send {records} records{packed} in {requests} requests, {body_bytes} bytes on the \
         wire:\n\n{:>13}{:>8}{:>9}{:>12}{:>14}{column}\n{rows}",
        "at", "job", "records", "bytes", "body bytes"
    );
    if requests > LISTED {
        let _ = writeln!(text, "… and {} more", requests - LISTED);
    }
    text
}
