//! GetShardIterator and GetRecords.
//!
//! Decides which combinations of members are legal and writes records out; what is read is the stream's
//! decision. Encoding happens after the stream's lock is released.

use std::io::Write;
use std::time::Duration;

use super::super::error::ApiError;
use super::super::read::{Answer, Start};
use super::super::sequence::SequenceNumber;
use super::checks::Checks;
use super::describe::hash_range;
use super::input::Input;
use super::token::{ShardIterator, millis};
use super::{Api, body};
use crate::kinesis::ShardId;
use crate::kinesis::limits::GET_RECORDS_MAX_RECORDS;

const TYPES: [&str; 5] =
    ["AFTER_SEQUENCE_NUMBER", "LATEST", "AT_TIMESTAMP", "AT_SEQUENCE_NUMBER", "TRIM_HORIZON"];

/// About what one record of an answer takes beside its data and key.
const RECORD_BYTES: usize = 170;

impl Api {
    pub(super) fn get_shard_iterator(&self, input: &Input) -> Result<Vec<u8>, ApiError> {
        let (shard, kind) = (input.shard_id.as_deref(), input.shard_iterator_type.as_deref());
        let mut checks = Checks::default();
        checks.required("shardId", shard.as_ref());
        checks.shard_id("shardId", shard);
        checks.required("shardIteratorType", kind.as_ref());
        checks.one_of("shardIteratorType", kind, &TYPES);
        checks.sequence("startingSequenceNumber", input.starting_sequence_number.as_deref());
        checks.finish()?;
        let (shard, kind) = (shard.unwrap_or_default(), kind.unwrap_or_default());
        let stream = self.named(input)?;
        let id: ShardId = shard.parse().map_err(|_| stream.no_shard(shard))?;
        let number = u32::try_from(id.0).map_err(|_| stream.no_shard(id))?;
        let now = self.store.options().clock.now();
        let start = start(kind, input.starting_sequence_number.as_deref(), input.timestamp, now, || {
            format!(
                "used in GetShardIterator on shard {id} in stream {} under account {}",
                stream.name(),
                self.store.options().account
            )
        })?;
        let position = stream.position(number, start)?;
        if input.dry_run == Some(true) {
            return Err(ApiError::dry_run());
        }
        let iterator = ShardIterator {
            stream: stream.name().as_str().to_owned(),
            generation: stream.generation,
            position,
            issued: now,
        };
        Ok(body(&serde_json::json!({ "ShardIterator": iterator.encode() })))
    }

    pub(super) fn get_records(&self, input: &Input) -> Result<Vec<u8>, ApiError> {
        let most = GET_RECORDS_MAX_RECORDS;
        let mut checks = Checks::default();
        checks.required("shardIterator", input.shard_iterator.as_ref());
        checks.length("shardIterator", input.shard_iterator.as_deref(), 1..=512);
        checks.range("limit", input.limit, 1..=most as i64);
        checks.stream_arn(input.stream_arn.as_deref());
        checks.finish()?;
        let now = self.store.options().clock.now();
        let iterator = ShardIterator::decode(input.shard_iterator.as_deref().unwrap_or_default(), now)?;
        let stream = self.store.find(&iterator.stream)?;
        if stream.generation != iterator.generation {
            return Err(stream.no_shard(ShardId(u64::from(iterator.position.shard))));
        }
        if input.stream_arn.as_deref().is_some_and(|arn| arn != stream.arn()) {
            return Err(ApiError::invalid(
                "The ShardIterator does not belong to the stream of the StreamARN.",
            ));
        }
        if input.dry_run == Some(true) {
            return Err(ApiError::dry_run());
        }
        let limit = input.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(most);
        let answer = stream.read(iterator.position, limit)?;
        let next = answer.next.map(|position| ShardIterator { position, issued: now, ..iterator }.encode());
        Ok(write(&answer, next.as_deref()))
    }
}

/// What a reader wants, from the three members that say it.
fn start(
    kind: &str,
    sequence: Option<&str>,
    timestamp: Option<f64>,
    now: Duration,
    place: impl Fn() -> String,
) -> Result<Start, ApiError> {
    let must = |also: &str| {
        ApiError::invalid(format!(
            "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or \
             (2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. Request specified {kind} and {also} \
             StartingSequenceNumber."
        ))
    };
    let known = |text: &str| {
        text.parse::<SequenceNumber>()
            .map_err(|_| ApiError::invalid(format!("StartingSequenceNumber {text} {} is invalid.", place())))
    };
    match (kind, sequence) {
        ("AT_SEQUENCE_NUMBER", Some(text)) => known(text).map(Start::At),
        ("AFTER_SEQUENCE_NUMBER", Some(text)) => known(text).map(Start::After),
        ("AT_SEQUENCE_NUMBER" | "AFTER_SEQUENCE_NUMBER", None) => Err(must("no")),
        (_, Some(_)) => Err(must("also a")),
        ("TRIM_HORIZON", None) => Ok(Start::TrimHorizon),
        ("LATEST", None) => Ok(Start::Latest),
        _ => {
            let Some(timestamp) = timestamp else {
                return Err(ApiError::invalid(
                    "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. Current request \
                     has no timestamp parameter.",
                ));
            };
            let time = time(timestamp)?;
            if time > now {
                return Err(ApiError::invalid(format!(
                    "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. \
                     timestampInMillis: {}, currentTimestampInMillis: {}",
                    time.as_millis(),
                    now.as_millis()
                )));
            }
            Ok(Start::Time(time))
        }
    }
}

/// A timestamp, in seconds, to the millisecond.
pub(super) fn time(seconds: f64) -> Result<Duration, ApiError> {
    let millis = (seconds * 1_000.0).round();
    if (0.0..=9_000_000_000_000_000.0).contains(&millis) {
        Ok(Duration::from_millis(millis as u64))
    } else {
        Err(ApiError::invalid(format!("Timestamp {seconds} is not a time.")))
    }
}

fn write(answer: &Answer, next: Option<&str>) -> Vec<u8> {
    let found = &answer.found;
    let records: usize = found.slices.iter().map(|slice| slice.to - slice.from).sum();
    let data = usize::try_from(found.bytes).unwrap_or_default();
    let mut out = Vec::with_capacity(1_024 + records * RECORD_BYTES + data / 3 * 4);
    let proof = "a Vec takes every write";
    out.extend_from_slice(b"{\"Records\":[");
    let mut first = true;
    for slice in &found.slices {
        let (shard, arrival) = (answer.shard, slice.chunk.arrival());
        for at in slice.from..slice.to {
            let (index, key, data) = slice.chunk.record(at);
            let sequence = SequenceNumber { created: answer.second, index, second: arrival.as_secs(), shard };
            let comma = if first { "" } else { "," };
            first = false;
            write!(
                out,
                "{comma}{{\"SequenceNumber\":\"{sequence}\",\"ApproximateArrivalTimestamp\":{}.{:03},\"Data\":\"",
                arrival.as_secs(),
                arrival.subsec_millis()
            )
            .expect(proof);
            base64_simd::STANDARD.encode_append(data, &mut out);
            out.push(b'"');
            // A record that came without a key, under AUTO, leaves without.
            if !key.is_empty() {
                out.extend_from_slice(b",\"PartitionKey\":");
                serde_json::to_writer(&mut out, key).expect(proof);
            }
            out.push(b'}');
        }
    }
    // Rounded up: zero means the tip and nothing else.
    let behind = millis(answer.behind + Duration::from_nanos(999_999));
    write!(out, "],\"MillisBehindLatest\":{behind}").expect(proof);
    if let Some(next) = next {
        write!(out, ",\"NextShardIterator\":\"{next}\"").expect(proof);
    } else {
        let children = answer.children.iter().map(|child| {
            let parents = [child.parent, child.adjacent_parent];
            let parents: Vec<String> = parents.iter().flatten().map(ToString::to_string).collect();
            serde_json::json!({
                "ShardId": child.id.to_string(), "ParentShards": parents, "HashKeyRange": hash_range(child),
            })
        });
        write!(out, ",\"ChildShards\":{}", serde_json::Value::from_iter(children)).expect(proof);
    }
    out.push(b'}');
    out
}
