//! The start of a run as a text: what is asked of the stream, against what it can take.
//!
//! Compares by the write limits of a shard, which hold in both capacity modes; whether the account or the
//! endpoint has others, it can't know. Plain values in, text out.

use std::time::Duration;

use super::aggregated::AggregationPlan;
use super::forecast::Forecast;
use super::human::{self, percent};
use super::stream_plan::describe_stream;
pub use super::stream_plan::{Capacity, StreamPlan};
use crate::kinesis::limits::{SHARD_BYTES_PER_SECOND, SHARD_RECORDS_PER_SECOND};

/// A load that is not so many messages for each job.
#[derive(Debug, Clone, PartialEq)]
pub struct ShapeFacts {
    /// Rate or profile, as the user writes it.
    pub what: String,
    /// Whether it changes with time.
    pub changes: bool,
    /// Records of its highest second.
    pub peak: u64,
    /// Records of all its seconds together, where it has an end.
    pub total: Option<u64>,
}

/// Which part of the load is this instance's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharePlan {
    /// Which instance it is, from 0 on.
    pub index: u64,
    /// How many there are.
    pub count: u64,
    /// Records of a due second that are its own.
    pub records: u64,
}

/// About how many bytes an aggregate has around the data and key of each of its records.
const AGGREGATED: f64 = 10.0;

/// What a run is about to do.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanFacts {
    /// The version of this program.
    pub version: String,
    /// The stream; none in a dry run that asked no stream.
    pub stream: Option<StreamPlan>,
    /// Whether nothing will be sent.
    pub dry_run: bool,
    /// Cron jobs.
    pub jobs: u64,
    /// Records of one job in a due second.
    pub messages: u64,
    /// What is offered in place of that; none: nothing.
    pub shape: Option<ShapeFacts>,
    /// Which part of that is this instance's; none: all.
    pub share: Option<SharePlan>,
    /// The moment before which nothing is due, as people write it; none: as soon as it can.
    pub start_at: Option<String>,
    /// The cron expression: which seconds are due.
    pub cron: String,
    /// Whether every second is due.
    pub every_second: bool,
    /// The pacing's name.
    pub pacing: String,
    /// How long the run goes on; none: until it is stopped.
    pub duration: Option<Duration>,
    /// Records after which the run ends; none: no bound.
    pub max_records: Option<u64>,
    /// The event's name.
    pub event: String,
    /// Typical bytes of an event.
    pub event_bytes: f64,
    /// The key strategy, as the user writes it.
    pub key: String,
    /// Typical bytes of a partition key.
    pub key_bytes: f64,
    /// Most different keys, and so shards, that the strategy reaches: 1 for a constant key, the number of
    /// jobs for `job`; none: no bound worth a word.
    pub most_keys: Option<u64>,
    /// What is played in place of the schedule, in words; none: nothing.
    pub replay: Option<String>,
    /// How events are aggregated; none: each is a record of its own.
    pub aggregation: Option<AggregationPlan>,
    /// Which share of the load each shard gets; none where they are alike, or not known.
    pub forecast: Option<Forecast>,
    /// The seed.
    pub seed: u64,
    /// Whether the user gave the seed.
    pub seed_given: bool,
    /// The producer's name in its events.
    pub instance: String,
    /// The retry policy's name.
    pub retry: String,
    /// Most attempts for one record; 1 without retries.
    pub max_attempts: u64,
    /// Most requests under way at once.
    pub max_in_flight: u64,
    /// How long one request may take.
    pub request_timeout: Duration,
    /// How long the end waits.
    pub drain_timeout: Duration,
    /// Where metrics and health are served (address and port); none: nowhere.
    pub listen: Option<String>,
    /// The file that keeps what becomes of every record; none: nowhere.
    pub journal: Option<String>,
    /// Who makes the requests, by its name in settings, and who was asked to where that is another.
    pub client: String,
    /// How requests are written, by its name in settings.
    pub wire: String,
}

impl PlanFacts {
    /// Records of a due second.
    #[must_use]
    pub fn records(&self) -> u64 {
        // What a trace asks of the stream is not known before it is read.
        if self.replay.is_some() {
            return 0;
        }
        self.shape.as_ref().map_or(self.jobs.saturating_mul(self.messages), |shape| shape.peak)
    }

    /// What is offered, in words.
    fn load(&self) -> String {
        let unit = if self.every_second { "records/s" } else { "records in each due second" };
        let (per, records) = (if self.every_second { "/s" } else { "" }, human::grouped(self.records()));
        let bytes = human::bytes(self.bytes());
        let jobs = human::counted(self.jobs, "job");
        let Some(shape) = &self.shape else {
            let messages = human::counted(self.messages, "message");
            return format!("{jobs} × {messages} = {records} {unit}, about {bytes}{per}");
        };
        let most = if shape.changes { "at most " } else { "" };
        let total = shape
            .total
            .map_or(String::new(), |total| format!(", {} in all", human::counted(total, "record")));
        format!("{}: {most}{records} {unit}, about {bytes}{per}{total}, shared by {jobs}", shape.what)
    }

    /// How to offer less.
    fn less(&self) -> &'static str {
        match &self.shape {
            None => "CRON_JOBS_TO_GENERATE or MESSAGES_PER_CRON_JOB",
            Some(shape) if shape.changes => "STREAMER_PROFILE",
            Some(_) => "STREAMER_RATE",
        }
    }

    /// About how many bytes a due second has, keys included.
    fn bytes(&self) -> f64 {
        let around = self.aggregation.map_or(0.0, |_| AGGREGATED);
        self.records() as f64 * (self.event_bytes + self.key_bytes + around)
    }

    /// How much of `shards` shards the load is: by records, by bytes (1 is all).
    fn load_on(&self, shards: u64) -> (f64, f64) {
        let shards = shards.max(1) as f64;
        // A shard counts Kinesis records. Of several instances, this one's are told.
        let each = self.aggregation.map_or(1.0, |aggregation| aggregation.each);
        (
            self.records() as f64 / each / (shards * SHARD_RECORDS_PER_SECOND as f64),
            self.bytes() / (shards * SHARD_BYTES_PER_SECOND as f64),
        )
    }
}

/// The plan for people; several lines, each with its end, and the warnings last.
#[must_use]
pub fn start_text(plan: &PlanFacts) -> String {
    let mut text = format!("kinesis-streamer {}\n\n", plan.version);
    let mut row = |name: &str, value: String| text.push_str(&format!("  {name:<10}{value}\n"));
    match &plan.stream {
        Some(stream) => describe_stream(stream, &mut row),
        None => row("stream", "none".to_owned()),
    }
    if plan.dry_run {
        row("dry run", "nothing is sent".to_owned());
    }
    if let Some(replay) = &plan.replay {
        row("replay", replay.clone());
    } else {
        row("load", plan.load());
        if let Some(SharePlan { index, count, records }) = plan.share {
            let records = human::grouped(records);
            row("share", format!("{records} of them: instance {index} of {count}, counted from 0"));
        }
        if let Some(stream) = &plan.stream {
            row("capacity", capacity(plan, stream.shards));
        }
        row("schedule", format!("cron \"{}\", pacing {}, {}", plan.cron, plan.pacing, until(plan)));
        if let Some(start) = &plan.start_at {
            row("start", format!("at {start}"));
        }
    }
    row("event", format!("{}, about {}", plan.event, human::bytes(plan.event_bytes)));
    row("key", format!("{}, about {}", plan.key, human::bytes(plan.key_bytes)));
    if let Some(aggregation) = &plan.aggregation {
        row("aggregate", aggregation.words(plan.every_second));
    }
    if let Some(forecast) = &plan.forecast {
        row("shards", forecast.words());
    }
    let repeat = if plan.seed_given {
        String::new()
    } else {
        format!(" (random; --seed {} --instance {} makes the same events again)", plan.seed, plan.instance)
    };
    row("seed", format!("{}{repeat}", plan.seed));
    row("instance", plan.instance.clone());
    row("retry", retry(plan));
    row("window", window(plan));
    row("requests", format!("client {}, wire {}", plan.client, plan.wire));
    let listen = plan.listen.as_ref();
    row("metrics", listen.map_or("off".to_owned(), |address| format!("http://{address}/metrics")));
    if let Some(path) = &plan.journal {
        row("journal", path.clone());
    }
    let warnings = warnings(plan);
    if !warnings.is_empty() {
        text.push('\n');
    }
    for warning in warnings {
        text.push_str(&format!("warning: {warning}\n"));
    }
    text
}

/// The plan as events of the log, for machines: the facts, then each warning.
pub fn log_start(plan: &PlanFacts) {
    let stream = plan.stream.as_ref();
    tracing::info!(
        version = plan.version,
        stream = stream.map(|stream| stream.name.as_str()),
        arn = stream.and_then(|stream| stream.arn.as_deref()),
        region = stream.and_then(|stream| stream.region.as_deref()),
        endpoint = stream.and_then(|stream| stream.endpoint.as_deref()),
        capacity = stream.map(|stream| stream.capacity.words()),
        shards = stream.map(|stream| stream.shards),
        jobs = plan.jobs,
        messages = plan.shape.is_none().then_some(plan.messages),
        replay = plan.replay.as_deref(),
        shape = plan.shape.as_ref().map(|shape| shape.what.as_str()),
        records_per_second_most = plan.records(),
        records_in_all = plan.shape.as_ref().and_then(|shape| shape.total),
        bytes_per_tick = plan.bytes(),
        instance_index = plan.share.map(|share| share.index),
        instance_count = plan.share.map(|share| share.count),
        records_of_instance = plan.share.map(|share| share.records),
        start_at = plan.start_at.as_deref(),
        cron = plan.cron,
        pacing = plan.pacing,
        duration_seconds = plan.duration.map(|duration| duration.as_secs_f64()),
        max_records = plan.max_records,
        event = plan.event,
        key = plan.key,
        seed = plan.seed,
        instance = plan.instance,
        aggregate_bytes = plan.aggregation.map(|aggregation| aggregation.bytes),
        aggregate_records = plan.aggregation.map(|aggregation| aggregation.each),
        retry = plan.retry,
        max_attempts = plan.max_attempts,
        max_in_flight = plan.max_in_flight,
        listen = plan.listen.as_deref(),
        journal = plan.journal.as_deref(),
        client = plan.client,
        wire = plan.wire,
        "run begins"
    );
    for warning in warnings(plan) {
        tracing::warn!("{warning}");
    }
}

fn capacity(plan: &PlanFacts, shards: u64) -> String {
    let (by_records, by_bytes) = plan.load_on(shards);
    format!(
        "{} records/s and {}/s; the load is {} of the records, {} of the bytes",
        human::grouped(shards * SHARD_RECORDS_PER_SECOND),
        human::bytes((shards * SHARD_BYTES_PER_SECOND) as f64),
        percent(by_records),
        percent(by_bytes)
    )
}

fn until(plan: &PlanFacts) -> String {
    let duration = plan.duration.map(|duration| format!("for {}", human::setting(duration)));
    let records = plan.max_records.map(|records| format!("for {}", human::counted(records, "record")));
    match (duration, records) {
        (Some(duration), Some(records)) => format!("{duration} or {records}, whichever ends first"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => "until it is stopped".to_owned(),
    }
}

fn retry(plan: &PlanFacts) -> String {
    match plan.max_attempts {
        0 | 1 => "none: each record is tried once".to_owned(),
        attempts => format!("{}, at most {attempts} attempts a record", plan.retry),
    }
}

fn window(plan: &PlanFacts) -> String {
    format!(
        "at most {} at once, up to {} each; up to {} at the end for what is in flight",
        human::counted(plan.max_in_flight, "request"),
        human::setting(plan.request_timeout),
        human::setting(plan.drain_timeout)
    )
}

/// What the user should know before the first record: each says what will happen and what to do.
#[must_use]
pub fn warnings(plan: &PlanFacts) -> Vec<String> {
    let Some(stream) = &plan.stream else { return Vec::new() };
    let mut warnings = Vec::new();
    let reached = plan.most_keys.map_or(stream.shards, |keys| keys.min(stream.shards));
    if let Some(over) = over(plan, stream.shards) {
        warnings.push(match stream.capacity {
            Capacity::OnDemand => format!(
                "the load is {over} of what the stream takes with its {} of now. Kinesis adds shards as traffic \
                 grows; until then it refuses the rest",
                human::counted(stream.shards, "shard")
            ),
            capacity => {
                let verb = if stream.shards == 1 { "takes" } else { "take" };
                let needed = needed_shards(plan);
                let more = match capacity {
                    Capacity::Embedded => format!("Use --local={needed}"),
                    _ => format!("Give the stream {needed} shards"),
                };
                format!(
                    "the load is {over} of what {} {verb}; the rest will be throttled. {more}, or lower {}",
                    human::counted(stream.shards, "shard"),
                    plan.less(),
                )
            }
        });
    }
    if let Some((shard, share)) = plan.forecast.as_ref().and_then(Forecast::busiest)
        && warnings.is_empty()
        && reached == stream.shards
        && let (by_records, by_bytes) = plan.load_on(1)
        && by_records.max(by_bytes) * share > 1.0
    {
        warnings.push(format!(
            "the partition key {} sends {} of the load to {shard}, which is {} of what it takes; the rest will be \
             throttled",
            plan.key,
            percent(*share),
            percent(by_records.max(by_bytes) * share),
        ));
    }
    if reached < stream.shards
        && let Some(over) = over(plan, reached)
    {
        let (keys, these) =
            (human::counted(reached, "key"), if reached == 1 { "that one takes" } else { "these take" });
        warnings.push(format!(
            "the partition key {} gives {keys}, so all records go to {} of the {} shards at most, and the load is \
             {over} of what {these}. STREAMER_PARTITION_KEY=random spreads it",
            plan.key,
            human::grouped(reached),
            human::grouped(stream.shards)
        ));
    }
    let by_key = stream.by_key.or((stream.capacity != Capacity::OnDemand).then_some(true));
    match by_key {
        Some(true) => {}
        _ if plan.key == "random" => {}
        Some(false) => warnings.push(format!(
            "the stream's record distribution is AUTO: Kinesis ignores partition keys and explicit hash keys, so the \
             partition key {} decides no shard, and this run says nothing about hot shards. With `aws kinesis \
             update-stream-record-distribution-strategy` set to USER_PARTITION_KEY it does",
            plan.key
        )),
        None => warnings.push(
            "the stream is on-demand: if its record distribution is AUTO, Kinesis ignores partition keys, and \
             this run says nothing about hot shards"
                .to_owned(),
        ),
    }
    warnings.extend(plan.aggregation.iter().flat_map(|aggregation| aggregation.warnings(stream.by_key)));
    warnings
}

/// The larger share that the load is of `shards` shards, when it is more than they take.
fn over(plan: &PlanFacts, shards: u64) -> Option<String> {
    let (by_records, by_bytes) = plan.load_on(shards);
    let share = by_records.max(by_bytes);
    (share > 1.0)
        .then(|| format!("{} ({})", percent(share), if by_records >= by_bytes { "records" } else { "bytes" }))
}

/// Shards that take the load when it is spread evenly.
fn needed_shards(plan: &PlanFacts) -> u64 {
    let (by_records, by_bytes) = plan.load_on(1);
    by_records.max(by_bytes).ceil() as u64
}

#[cfg(test)]
#[path = "start_tests.rs"]
mod tests;
