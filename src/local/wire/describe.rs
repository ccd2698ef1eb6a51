//! The operations that look: DescribeStream, DescribeStreamSummary, DescribeLimits, ListStreams, ListShards,
//! ListTagsForStream.
//!
//! Decides paging and filters.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::error::ApiError;
use super::super::shard::ShardView;
use super::super::stream::{Distribution, Mode, Status};
use super::checks::Checks;
use super::input::{Input, ShardFilter};
use super::iterate::time;
use super::token::{PageToken, millis};
use super::{Api, body, seconds};
use crate::kinesis::ShardId;

/// Pages when the caller names no size (DescribeStream, ListStreams; ListShards).
const PAGE: usize = 100;
const SHARD_PAGE: usize = 1_000;

const FILTERS: [&str; 6] =
    ["AFTER_SHARD_ID", "AT_TRIM_HORIZON", "FROM_TRIM_HORIZON", "AT_LATEST", "AT_TIMESTAMP", "FROM_TIMESTAMP"];

pub(super) fn hash_range(shard: &ShardView) -> Value {
    json!({
        "StartingHashKey": shard.range.start.to_string(), "EndingHashKey": shard.range.end.to_string(),
    })
}

fn shard(view: &ShardView) -> Value {
    let mut numbers = json!({ "StartingSequenceNumber": view.first.to_string() });
    if let Some(last) = view.last {
        numbers["EndingSequenceNumber"] = json!(last.to_string());
    }
    let mut shard = json!({
        "ShardId": view.id.to_string(), "HashKeyRange": hash_range(view), "SequenceNumberRange": numbers,
    });
    if let Some(parent) = view.parent {
        shard["ParentShardId"] = json!(parent.to_string());
    }
    if let Some(parent) = view.adjacent_parent {
        shard["AdjacentParentShardId"] = json!(parent.to_string());
    }
    shard
}

fn page_size(limit: Option<i64>, default: usize) -> usize {
    limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(default)
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Active => "ACTIVE",
        Status::Creating => "CREATING",
        Status::Updating => "UPDATING",
    }
}

fn mode(mode: Mode) -> Value {
    let mode = match mode {
        Mode::Provisioned => "PROVISIONED",
        Mode::OnDemand => "ON_DEMAND",
    };
    json!({ "StreamMode": mode })
}

/// The time of a filter's `Timestamp`, which some types need.
fn filter_time(filter: &ShardFilter) -> Result<Duration, ApiError> {
    let missing = || ApiError::invalid("Timestamp must be provided for this ShardFilter type.");
    filter.timestamp.ok_or_else(missing).and_then(time)
}

/// The shards that a filter lets through; `horizon` is when the oldest record kept may have come.
fn filtered(
    mut shards: Vec<ShardView>,
    filter: &ShardFilter,
    horizon: Duration,
) -> Result<Vec<ShardView>, ApiError> {
    let open_at = |shard: &ShardView, at: Duration| {
        shard.created <= at && shard.closed.is_none_or(|closed| closed >= at)
    };
    match filter.kind.as_deref() {
        Some("AFTER_SHARD_ID") => {
            let Some(after) = filter.shard_id.as_deref() else {
                return Err(ApiError::invalid(
                    "ShardId must be provided for ShardFilter type AFTER_SHARD_ID.",
                ));
            };
            let after: ShardId = after
                .parse()
                .map_err(|_| ApiError::invalid(format!("ShardId {after} of the ShardFilter is invalid.")))?;
            shards.retain(|shard| shard.id > after);
        }
        Some("AT_LATEST") => shards.retain(|shard| shard.closed.is_none()),
        Some("AT_TRIM_HORIZON") => shards.retain(|shard| open_at(shard, horizon)),
        Some("AT_TIMESTAMP") => {
            let at = filter_time(filter)?;
            shards.retain(|shard| open_at(shard, at));
        }
        Some("FROM_TIMESTAMP") => {
            let from = filter_time(filter)?.max(horizon);
            shards.retain(|shard| shard.closed.is_none_or(|closed| closed >= from));
        }
        _ => {}
    }
    Ok(shards)
}

impl Api {
    pub(super) fn describe_stream(&self, input: &Input) -> Result<Vec<u8>, ApiError> {
        let mut checks = Checks::default();
        checks.range("limit", input.limit, 1..=10_000);
        checks.shard_id("exclusiveStartShardId", input.exclusive_start_shard_id.as_deref());
        checks.finish()?;
        let stream = self.named(input)?;
        let description = stream.describe();
        let mut shards = description.shards;
        if description.status == Status::Creating {
            shards.clear();
        }
        if let Some(after) = &input.exclusive_start_shard_id {
            shards.retain(|shard| shard.id.to_string() > *after);
        }
        let page = page_size(input.limit, PAGE);
        let page: Vec<Value> = shards.iter().take(page).map(shard).collect();
        Ok(body(&json!({ "StreamDescription": {
            "StreamName": stream.name().as_str(),
            "StreamARN": stream.arn(),
            "StreamStatus": status(description.status),
            "StreamModeDetails": mode(description.mode),
            "HasMoreShards": shards.len() > page.len(),
            "Shards": page,
            "RetentionPeriodHours": description.retention_hours,
            "StreamCreationTimestamp": seconds(stream.created),
            "EnhancedMonitoring": [{ "ShardLevelMetrics": [] }],
            "EncryptionType": "NONE",
        }})))
    }

    pub(super) fn describe_summary(&self, input: &Input) -> Result<Vec<u8>, ApiError> {
        let stream = self.named(input)?;
        let description = stream.describe();
        let mut summary = json!({
            "StreamName": stream.name().as_str(),
            "StreamARN": stream.arn(),
            "StreamStatus": status(description.status),
            "StreamModeDetails": mode(description.mode),
            "RetentionPeriodHours": description.retention_hours,
            "StreamCreationTimestamp": seconds(stream.created),
            "EnhancedMonitoring": [{ "ShardLevelMetrics": [] }],
            "EncryptionType": "NONE",
            "OpenShardCount": description.open_shards,
            "ConsumerCount": 0,
            "MaxRecordSizeInKiB": description.record_bytes / 1_024,
        });
        if description.mode == Mode::OnDemand {
            let strategy = match description.distribution {
                Distribution::Auto => "AUTO",
                Distribution::UserPartitionKey => "USER_PARTITION_KEY",
            };
            summary["RecordDistributionStrategy"] = json!(strategy);
        }
        Ok(body(&json!({ "StreamDescriptionSummary": summary })))
    }

    pub(super) fn describe_limits(&self, _input: &Input) -> Result<Vec<u8>, ApiError> {
        let (streams, _) = self.store.list(None, usize::MAX);
        let on_demand = streams.iter().filter(|stream| stream.describe().mode == Mode::OnDemand).count();
        Ok(body(&json!({
            "ShardLimit": self.store.options().shard_limit,
            "OpenShardCount": self.store.open_shards(),
            "OnDemandStreamCount": on_demand,
            "OnDemandStreamCountLimit": self.store.options().shard_limit / 4,
        })))
    }

    pub(super) fn list_streams(&self, input: &Input) -> Result<Vec<u8>, ApiError> {
        let mut checks = Checks::default();
        checks.range("limit", input.limit, 1..=10_000);
        checks.stream_name("exclusiveStartStreamName", input.exclusive_start_stream_name.as_deref());
        // Our tokens are stream names.
        checks.stream_name("nextToken", input.next_token.as_deref());
        checks.finish()?;
        let after = input.next_token.as_deref().or(input.exclusive_start_stream_name.as_deref());
        let (page, more) = self.store.list(after, page_size(input.limit, PAGE));
        let names: Vec<&str> = page.iter().map(|stream| stream.name().as_str()).collect();
        let summaries = page.iter().map(|stream| {
            let description = stream.describe();
            json!({
                "StreamName": stream.name().as_str(),
                "StreamARN": stream.arn(),
                "StreamStatus": status(description.status),
                "StreamModeDetails": mode(description.mode),
                "StreamCreationTimestamp": seconds(stream.created),
            })
        });
        let summaries = Value::from_iter(summaries);
        let mut answer =
            json!({ "StreamNames": names, "HasMoreStreams": more, "StreamSummaries": summaries });
        if let (true, Some(last)) = (more, names.last()) {
            answer["NextToken"] = json!(last);
        }
        Ok(body(&answer))
    }

    pub(super) fn list_shards(&self, input: &Input) -> Result<Vec<u8>, ApiError> {
        let filter = input.shard_filter.as_ref();
        let mut checks = Checks::default();
        checks.range("maxResults", input.max_results, 1..=10_000);
        checks.length("nextToken", input.next_token.as_deref(), 1..=1_048_576);
        checks.shard_id("exclusiveStartShardId", input.exclusive_start_shard_id.as_deref());
        if let Some(filter) = filter {
            checks.required("shardFilter.type", filter.kind.as_ref());
            checks.one_of("shardFilter.type", filter.kind.as_deref(), &FILTERS);
            checks.shard_id("shardFilter.shardId", filter.shard_id.as_deref());
        }
        checks.finish()?;
        let now = self.store.options().clock.now();
        let named = input.stream_name.is_some() || input.stream_arn.is_some();
        let (stream, after, filter) = match (&input.next_token, named) {
            (None, false) => {
                return Err(ApiError::invalid("Either NextToken or StreamName should be provided."));
            }
            (Some(_), true) => {
                return Err(ApiError::invalid("NextToken and StreamName cannot be provided together."));
            }
            (Some(token), false) => {
                let token = PageToken::decode(token, now)?;
                let stream = self.store.find(&token.stream)?;
                if stream.generation != token.generation {
                    return Err(stream.not_found());
                }
                (stream, Some(ShardId(token.after).to_string()), token.filter)
            }
            (None, true) => (self.named(input)?, input.exclusive_start_shard_id.clone(), filter.cloned()),
        };
        let description = stream.describe();
        if description.status == Status::Creating {
            return Err(ApiError::in_use(format!(
                "Stream {} under account {} not ACTIVE, instead in state CREATING",
                stream.name(),
                self.store.options().account
            )));
        }
        let mut shards = description.shards;
        if let Some(filter) = &filter {
            let horizon = stream.created.max(now.saturating_sub(description.retention));
            shards = filtered(shards, filter, horizon)?;
        }
        if let Some(after) = after {
            shards.retain(|shard| shard.id.to_string() > after);
        }
        let page = page_size(input.max_results, SHARD_PAGE).min(SHARD_PAGE);
        let more = shards.len() > page;
        shards.truncate(page);
        let mut answer = json!({ "Shards": Value::from_iter(shards.iter().map(shard)) });
        if let (true, Some(last)) = (more, shards.last()) {
            let token = PageToken {
                stream: stream.name().as_str().to_owned(),
                generation: stream.generation,
                after: last.id.0,
                filter,
                issued_ms: millis(now),
            };
            answer["NextToken"] = json!(token.encode());
        }
        Ok(body(&answer))
    }

    pub(super) fn list_tags(&self, input: &Input) -> Result<Vec<u8>, ApiError> {
        let mut checks = Checks::default();
        checks.range("limit", input.limit, 1..=50);
        checks.length("exclusiveStartTagKey", input.exclusive_start_tag_key.as_deref(), 1..=128);
        checks.finish()?;
        let tags = self.named(input)?.tags();
        let after = input.exclusive_start_tag_key.as_deref();
        let mut rest = tags.iter().filter(|(key, _)| after.is_none_or(|after| key.as_str() > after));
        let page = rest.by_ref().take(page_size(input.limit, 50));
        let page = Value::from_iter(page.map(|(key, value)| json!({ "Key": key, "Value": value })));
        Ok(body(&json!({ "Tags": page, "HasMoreTags": rest.next().is_some() })))
    }
}
