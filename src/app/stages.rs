//! What a run has before it begins: the stream, found and described, and the stages that depend on its facts.

use super::StartError;
use super::embedded::Embedded;
use super::guard;
use super::trace::is_recorded;
use crate::batch::Envelope;
use crate::config::{Config, Target};
use crate::generate::{Event, Maker};
use crate::key::{KeyStrategy, Keyer};
use crate::kinesis::limits::MAX_PARTITION_KEY_CHARS;
use crate::kinesis::{
    Access, Client, HashRange, Lane, Limits, Shard, ShardId, ShardMap, StreamFacts, StreamRef,
};
use crate::replay::Trace;

/// The stream, found and described.
pub(super) struct Reached {
    pub(super) client: Client,
    pub(super) lane: Lane,
    pub(super) stream: StreamRef,
    pub(super) facts: StreamFacts,
    pub(super) shards: ShardMap,
    pub(super) embedded: Option<Embedded>,
}

/// The stages that depend on the stream's facts.
pub(super) struct Stages {
    pub(super) limits: Limits,
    pub(super) maker: Maker,
    pub(super) keyer: Keyer,
    pub(super) envelope: Envelope,
}

/// Finds the stream; none when the settings name none, as a dry run may.
pub(super) async fn reach(config: &Config, peak: u64) -> Result<Option<Reached>, StartError> {
    let (access, stream, embedded) = match &config.target {
        Target::Nowhere => return Ok(None),
        Target::Stream(stream) => {
            guard::before(config, stream)?;
            let region = stream.arn().map(|arn| arn.region().to_owned());
            (Access::Default { region }, stream.clone(), None)
        }
        Target::Local { shards, name } => {
            let embedded = Embedded::open(*shards, name).await.map_err(StartError::Local)?;
            let access = Access::Local { endpoint: embedded.endpoint.clone() };
            (access, StreamRef::Name(name.clone()), Some(embedded))
        }
    };
    let client = Client::connect(&access, config.send.request_timeout).await;
    if client.region_is_fallback() {
        tracing::warn!("no region is set: using {} (set AWS_REGION to choose another)", client.region());
    }
    let (facts, shards) = client.ready(&stream, config.active_timeout).await?;
    let lane = client.lane(&stream, config.client, config.wire).await?;
    if embedded.is_none() {
        guard::after(config, &stream, &facts.arn, lane.is_on_this_machine(), peak)?;
    }
    Ok(Some(Reached { client, lane, stream, facts, shards, embedded }))
}

impl Stages {
    pub(super) fn build(
        config: &Config,
        event: &Event,
        trace: Option<&Trace>,
        reached: Option<&Reached>,
    ) -> Result<Self, StartError> {
        let told = reached.and_then(|reached| reached.facts.record_bytes);
        let own = Limits { record_bytes: told.unwrap_or(Limits::AWS.record_bytes), ..Limits::AWS };
        let (seed, producer) = (config.seed.value, config.producer.as_str());
        let shards = &shards(config, reached);
        let envelope = match reached.map(|reached| &reached.stream) {
            Some(stream) => Envelope::new(stream.name().as_str(), stream.arn().map(|arn| arn.as_str())),
            None => Envelope::new("none", None),
        };
        let limits = config.limits.over(own);
        let most = limits.record_bytes.min(limits.request_bytes).saturating_sub(most_key_bytes(&config.key));
        config.shaping.check(most as u64)?;
        // Else an answer sheet would name faults that no record has.
        if is_recorded(trace) && (config.shaping.size.is_some() || config.shaping.inject.is_some()) {
            return Err(StartError::Recorded);
        }
        let maker = Maker::new(event, &config.shaping, seed, producer)?;
        let keyer = match trace.filter(|_| is_recorded(trace)) {
            None => {
                // The same for all; each kind of event has to give it.
                let tried = |generator| Keyer::of_events(&config.key, generator, seed, producer, shards);
                let mut all = maker.generators().iter().map(tried).collect::<Result<Vec<_>, _>>()?;
                all.pop().expect("a maker makes one event at least")
            }
            Some(trace) => {
                // What has a key of its own asks for no other.
                let keyless = trace.first_records().filter(|record| record.key.is_none());
                Keyer::of_records(&config.key, keyless.map(|record| &*record.data), seed, producer, shards)?
            }
        };
        Ok(Self { limits, maker, keyer, envelope })
    }
}

/// The open shards; those that a dry run assumes where there is no stream.
pub(super) fn shards(config: &Config, reached: Option<&Reached>) -> ShardMap {
    reached.map_or_else(|| assumed_shards(&config.key), |reached| reached.shards.clone())
}

/// The most bytes of a partition key.
fn most_key_bytes(key: &KeyStrategy) -> usize {
    match key {
        KeyStrategy::Constant(key) => key.as_str().len(),
        KeyStrategy::Job
        | KeyStrategy::Random
        | KeyStrategy::RoundRobin
        | KeyStrategy::Popular(_)
        | KeyStrategy::Explicit
        | KeyStrategy::Hot(_) => 20,
        // Entities are ASCII; of a field, as much as is usual.
        KeyStrategy::User | KeyStrategy::Field(_) => MAX_PARTITION_KEY_CHARS,
    }
}

/// A dry run without a stream plans for one of a single shard, or of as many as its key names.
fn assumed_shards(key: &KeyStrategy) -> ShardMap {
    const MOST: u64 = 1_000;
    let last = match key {
        KeyStrategy::Hot(hot) => hot.spots().iter().map(|spot| spot.shard().0).max().unwrap_or(0),
        _ => 0,
    };
    let ranges = HashRange::ALL.divided(last.min(MOST - 1) as u32 + 1);
    ShardMap::new((0..).zip(ranges).map(|(id, range)| Shard { id: ShardId(id), range }).collect())
}
