//! A stream as `stream describe` shows it: a table for people, an object for machines.
//!
//! Plain values in, text out.

use std::fmt::Write as _;
use std::time::{Duration, UNIX_EPOCH};

use serde::Serialize;

use super::human;
use crate::kinesis::limits::{SHARD_BYTES_PER_SECOND, SHARD_RECORDS_PER_SECOND};
use crate::kinesis::{Shard, StreamDetails, Tags};

/// What is known of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamTable {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub region: String,
    /// As its endpoint describes it.
    pub details: StreamDetails,
    /// Its open shards, in the order of their hash keys.
    pub shards: Vec<Shard>,
    /// Its tags; none where the endpoint did not tell them.
    pub tags: Option<Tags>,
}

/// The stream for people, each line with its end.
#[must_use]
pub fn stream_text(stream: &StreamTable) -> String {
    let StreamDetails { facts, status, retention_hours, consumers, encryption, created_millis } =
        &stream.details;
    let mut text = String::new();
    let mut row = |name: &str, value: &str| {
        let _ = writeln!(text, "{name:<12}{value}");
    };
    row("stream", &stream.name);
    row("ARN", &facts.arn);
    row("region", &stream.region);
    row("status", status);
    row("mode", &facts.mode.to_string());
    let shards = u64::from(facts.open_shards);
    let capacity = format!(
        "{}: {} records/s and {}/s",
        human::counted(shards, "open shard"),
        human::grouped(shards * SHARD_RECORDS_PER_SECOND),
        human::bytes((shards * SHARD_BYTES_PER_SECOND) as f64)
    );
    row("capacity", &capacity);
    row("retention", &format!("{retention_hours} hours"));
    row(
        "record",
        &facts
            .record_bytes
            .map_or("not told".to_owned(), |most| format!("{} at most", human::bytes(most as f64))),
    );
    row("consumers", &consumers.map_or("not told".to_owned(), |count| count.to_string()));
    row("encryption", encryption.as_deref().unwrap_or("not told"));
    row("created", &created_millis.map_or("not told".to_owned(), written));
    match &stream.tags {
        None => row("tags", "not told"),
        Some(tags) if tags.is_empty() => row("tags", "none"),
        Some(tags) => tags.iter().for_each(|(key, value)| row("tag", &format!("{key}={value}"))),
    }
    if !stream.shards.is_empty() {
        let _ = writeln!(text, "\n{:<22}{:>40}{:>40}", "open shard", "first hash key", "last hash key");
    }
    for shard in &stream.shards {
        let (id, start, end) =
            (shard.id.to_string(), shard.range.start.to_string(), shard.range.end.to_string());
        let _ = writeln!(text, "{id:<22}{start:>40}{end:>40}");
    }
    text
}

fn written(millis: u64) -> String {
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_millis(millis)).to_string()
}

/// Field names don't change between releases without a word in the CHANGELOG. Hash keys are strings, for they have more
/// digits than JSON's numbers can be trusted with.
#[derive(Debug, Serialize)]
struct Told<'a> {
    name: &'a str,
    arn: &'a str,
    region: &'a str,
    status: &'a str,
    mode: String,
    open_shards: u32,
    retention_hours: u32,
    max_record_bytes: Option<usize>,
    consumers: Option<u32>,
    encryption: Option<&'a str>,
    created: Option<String>,
    tags: Option<&'a Tags>,
    shards: Vec<ToldShard>,
}

#[derive(Debug, Serialize)]
struct ToldShard {
    id: String,
    first_hash_key: String,
    last_hash_key: String,
}

/// The stream as a JSON object, in one line.
#[must_use]
pub fn stream_json(stream: &StreamTable) -> String {
    let StreamDetails { facts, status, retention_hours, consumers, encryption, created_millis } =
        &stream.details;
    let shard = |shard: &Shard| ToldShard {
        id: shard.id.to_string(),
        first_hash_key: shard.range.start.to_string(),
        last_hash_key: shard.range.end.to_string(),
    };
    let told = Told {
        name: &stream.name,
        arn: &facts.arn,
        region: &stream.region,
        status,
        mode: facts.mode.to_string(),
        open_shards: facts.open_shards,
        retention_hours: *retention_hours,
        max_record_bytes: facts.record_bytes,
        consumers: *consumers,
        encryption: encryption.as_deref(),
        created: created_millis.map(written),
        tags: stream.tags.as_ref(),
        shards: stream.shards.iter().map(shard).collect(),
    };
    serde_json::to_string(&told).expect("strings, numbers and maps with strings for keys")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinesis::{HashRange, Mode, ShardId, Status, StreamFacts};

    fn stream() -> StreamTable {
        StreamTable {
            name: "orders".to_owned(),
            region: "eu-west-1".to_owned(),
            details: StreamDetails {
                facts: StreamFacts {
                    arn: "arn:aws:kinesis:eu-west-1:123456789012:stream/orders".to_owned(),
                    status: Status::Ready,
                    mode: Mode::Provisioned,
                    open_shards: 1,
                    record_bytes: Some(1024 * 1024),
                },
                status: "ACTIVE".to_owned(),
                retention_hours: 24,
                consumers: None,
                encryption: Some("NONE".to_owned()),
                created_millis: Some(1_795_262_400_000),
            },
            shards: vec![Shard { id: ShardId(0), range: HashRange::ALL }],
            tags: Some([("created-by".to_owned(), "kinesis-streamer".to_owned())].into()),
        }
    }

    #[test]
    fn a_description_reads_like_this() {
        assert_eq!(
            stream_text(&stream()),
            "\
stream      orders
ARN         arn:aws:kinesis:eu-west-1:123456789012:stream/orders
region      eu-west-1
status      ACTIVE
mode        provisioned
capacity    1 open shard: 1,000 records/s and 1.00 MiB/s
retention   24 hours
record      1.00 MiB at most
consumers   not told
encryption  NONE
created     2026-11-21T12:00:00Z
tag         created-by=kinesis-streamer

open shard                                      first hash key                           last hash key
shardId-000000000000                                         0 340282366920938463463374607431768211455
"
        );
    }

    #[test]
    fn what_is_not_told_is_null_for_machines_and_hash_keys_are_strings() {
        let json: serde_json::Value =
            serde_json::from_str(&stream_json(&StreamTable { tags: None, ..stream() })).expect("JSON");
        assert_eq!((&json["tags"], &json["consumers"]), (&().into(), &().into()));
        assert_eq!(json["shards"][0]["last_hash_key"], "340282366920938463463374607431768211455");
        assert_eq!((&json["mode"], &json["open_shards"]), (&"provisioned".into(), &1.into()));
    }
}
