//! The operations that change a stream: create, delete, reshard, retention, mode, record size, tags.
//!
//! Decides what their members may be; the store and the stream decide whether it can be done. Their
//! answers are empty. AWS's limits on calls per second of these are not imitated.

use std::time::Duration;

use serde_json::json;

use super::super::error::ApiError;
use super::super::stream::{Creation, Distribution, Mode};
use super::checks::Checks;
use super::input::Input;
use super::{Api, body};
use crate::kinesis::{HashKey, ShardId, StreamName};

/// Shards of a new on-demand stream (AWS, "On-demand mode").
const ON_DEMAND_SHARDS: u32 = 4;

/// Most shards that CreateStream and UpdateShardCount take (AWS, UpdateShardCount).
const MAX_SHARDS: i64 = 10_000;

/// Tags that one stream may have (AWS, CreateStream).
const MAX_TAGS: usize = 50;

const MODES: [&str; 2] = ["PROVISIONED", "ON_DEMAND"];

fn mode(input: &Input, checks: &mut Checks) -> Option<Mode> {
    let mode = input.stream_mode_details.as_ref()?.stream_mode.as_deref();
    checks.required("streamModeDetails.streamMode", mode.as_ref());
    checks.one_of("streamModeDetails.streamMode", mode, &MODES);
    Some(if mode == Some("ON_DEMAND") { Mode::OnDemand } else { Mode::Provisioned })
}

/// The record size in bytes, from its member in KiB.
fn record_bytes(input: &Input, checks: &mut Checks) -> Option<usize> {
    checks.range("maxRecordSizeInKiB", input.max_record_size, 1_024..=10_240);
    input.max_record_size.and_then(|kib| usize::try_from(kib).ok()).map(|kib| kib * 1_024)
}

fn check_tags(input: &Input, checks: &mut Checks) {
    for (key, value) in input.tags.iter().flatten() {
        checks.length("tags.key", Some(key), 1..=128);
        checks.length("tags.value", Some(value), 0..=256);
    }
}

impl Api {
    pub(super) fn create_stream(&self, input: &Input) -> Result<Vec<u8>, ApiError> {
        let options = self.store.options();
        let mut checks = Checks::default();
        checks.required("streamName", input.stream_name.as_ref());
        checks.stream_name("streamName", input.stream_name.as_deref());
        checks.range("shardCount", input.shard_count, 1..=MAX_SHARDS);
        let strategy = input.record_distribution_strategy.as_deref();
        checks.one_of("recordDistributionStrategy", strategy, &["AUTO", "USER_PARTITION_KEY"]);
        let mode = mode(input, &mut checks).unwrap_or(Mode::Provisioned);
        let record_bytes = record_bytes(input, &mut checks).unwrap_or(options.limits.record_bytes);
        check_tags(input, &mut checks);
        checks.finish()?;
        let name: StreamName = input
            .stream_name
            .as_deref()
            .unwrap_or_default()
            .parse()
            .map_err(|error: crate::kinesis::NameError| ApiError::validation(error.to_string()))?;
        let shards = match (mode, input.shard_count) {
            (Mode::OnDemand, None) => ON_DEMAND_SHARDS,
            (Mode::OnDemand, Some(_)) => {
                return Err(ApiError::validation(
                    "ShardCount must not be set for a stream in On-Demand mode.",
                ));
            }
            (Mode::Provisioned, Some(count)) => u32::try_from(count).unwrap_or(u32::MAX),
            (Mode::Provisioned, None) => {
                return Err(ApiError::validation("ShardCount must be set for a stream in Provisioned mode."));
            }
        };
        let distribution = match strategy {
            Some("AUTO") if mode == Mode::Provisioned => {
                return Err(ApiError::validation(
                    "RecordDistributionStrategy AUTO is only supported for streams in On-Demand mode.",
                ));
            }
            Some("AUTO") => Distribution::Auto,
            _ => Distribution::UserPartitionKey,
        };
        let tags = input.tags.clone().unwrap_or_default();
        if tags.len() > MAX_TAGS {
            return Err(too_many_tags(name.as_str(), &options.account));
        }
        let busy = options.transition;
        self.store.create(Creation { name, shards, mode, distribution, record_bytes, tags, busy })?;
        Ok(Vec::new())
    }

    pub(super) fn delete_stream(&self, input: &Input) -> Result<Vec<u8>, ApiError> {
        self.store.delete(self.named(input)?.name().as_str())?;
        Ok(Vec::new())
    }

    pub(super) fn split_shard(&self, input: &Input) -> Result<Vec<u8>, ApiError> {
        let (shard, key) = (input.shard_to_split.as_deref(), input.new_starting_hash_key.as_deref());
        let mut checks = Checks::default();
        checks.required("shardToSplit", shard.as_ref());
        checks.shard_id("shardToSplit", shard);
        checks.required("newStartingHashKey", key.as_ref());
        checks.hash_key("newStartingHashKey", key);
        checks.finish()?;
        let stream = self.named(input)?;
        let shard = self.shard_id(stream.name(), shard.unwrap_or_default())?;
        // A key beyond the space is beyond every shard.
        let at = key.unwrap_or_default().parse().map_or(HashKey(u128::MAX), HashKey);
        stream.split(shard, at)?;
        Ok(Vec::new())
    }

    pub(super) fn merge_shards(&self, input: &Input) -> Result<Vec<u8>, ApiError> {
        let (lower, upper) = (input.shard_to_merge.as_deref(), input.adjacent_shard_to_merge.as_deref());
        let mut checks = Checks::default();
        for (path, shard) in [("shardToMerge", lower), ("adjacentShardToMerge", upper)] {
            checks.required(path, shard.as_ref());
            checks.shard_id(path, shard);
        }
        checks.finish()?;
        let stream = self.named(input)?;
        let lower = self.shard_id(stream.name(), lower.unwrap_or_default())?;
        stream.merge(lower, self.shard_id(stream.name(), upper.unwrap_or_default())?)?;
        Ok(Vec::new())
    }

    fn shard_id(&self, stream: &StreamName, text: &str) -> Result<ShardId, ApiError> {
        let account = &self.store.options().account;
        text.parse().map_err(|_| {
            let text = format!("Could not find shard {text} in stream {stream} under account {account}.");
            ApiError::not_found(text)
        })
    }

    pub(super) fn update_shard_count(&self, input: &Input) -> Result<Vec<u8>, ApiError> {
        let mut checks = Checks::default();
        checks.required("targetShardCount", input.target_shard_count.as_ref());
        checks.range("targetShardCount", input.target_shard_count, 1..=MAX_SHARDS);
        checks.required("scalingType", input.scaling_type.as_ref());
        checks.one_of("scalingType", input.scaling_type.as_deref(), &["UNIFORM_SCALING"]);
        checks.finish()?;
        let stream = self.named(input)?;
        let target = input.target_shard_count.and_then(|count| u32::try_from(count).ok()).unwrap_or(1);
        let current = stream.update_shard_count(target)?;
        Ok(body(&json!({
            "StreamName": stream.name().as_str(), "StreamARN": stream.arn(),
            "CurrentShardCount": current, "TargetShardCount": target,
        })))
    }

    pub(super) fn increase_retention(&self, input: &Input) -> Result<Vec<u8>, ApiError> {
        self.change_retention(input, |old, new| new >= old, "shorter", "DecreaseRetentionPeriod")
    }

    pub(super) fn decrease_retention(&self, input: &Input) -> Result<Vec<u8>, ApiError> {
        self.change_retention(input, |old, new| new <= old, "longer", "IncreaseRetentionPeriod")
    }

    fn change_retention(
        &self,
        input: &Input,
        legal: fn(u64, u64) -> bool,
        wrong: &str,
        other: &str,
    ) -> Result<Vec<u8>, ApiError> {
        let mut checks = Checks::default();
        checks.required("retentionPeriodHours", input.retention_period_hours.as_ref());
        checks.range("retentionPeriodHours", input.retention_period_hours, 1..=8_760);
        checks.finish()?;
        let stream = self.named(input)?;
        let wanted = input.retention_period_hours.and_then(|hours| u64::try_from(hours).ok()).unwrap_or(24);
        if wanted < 24 {
            return Err(ApiError::invalid(format!(
                "Minimum allowed retention period is 24 hours. Requested retention period ({wanted} hours) is \
                 too short."
            )));
        }
        let current = stream.describe().retention_hours;
        if !legal(current, wanted) {
            return Err(ApiError::invalid(format!(
                "Requested retention period ({wanted} hours) for stream {} can not be {wrong} than existing \
                 retention period ({current} hours). Use {other} API.",
                stream.name()
            )));
        }
        stream.lock().retention = Duration::from_secs(wanted * 3_600);
        Ok(Vec::new())
    }

    pub(super) fn update_stream_mode(&self, input: &Input) -> Result<Vec<u8>, ApiError> {
        let mut checks = Checks::default();
        let mode = mode(input, &mut checks);
        checks.required("streamModeDetails", mode.as_ref());
        checks.finish()?;
        let stream = self.named(input)?;
        let mut state = stream.lock();
        state.mode = mode.unwrap_or(state.mode);
        if state.mode == Mode::Provisioned {
            state.distribution = Distribution::UserPartitionKey;
        }
        Ok(Vec::new())
    }

    pub(super) fn update_max_record_size(&self, input: &Input) -> Result<Vec<u8>, ApiError> {
        let mut checks = Checks::default();
        checks.required("maxRecordSizeInKiB", input.max_record_size.as_ref());
        let size = record_bytes(input, &mut checks);
        checks.finish()?;
        let stream = self.named(input)?;
        let mut state = stream.lock();
        state.record_bytes = size.unwrap_or(state.record_bytes);
        Ok(Vec::new())
    }

    pub(super) fn add_tags(&self, input: &Input) -> Result<Vec<u8>, ApiError> {
        let mut checks = Checks::default();
        checks.required("tags", input.tags.as_ref());
        check_tags(input, &mut checks);
        checks.finish()?;
        let stream = self.named(input)?;
        let mut state = stream.lock();
        let mut all = state.tags.clone();
        all.extend(input.tags.clone().unwrap_or_default());
        if all.len() > MAX_TAGS {
            return Err(too_many_tags(stream.name().as_str(), &self.store.options().account));
        }
        state.tags = all;
        Ok(Vec::new())
    }

    pub(super) fn remove_tags(&self, input: &Input) -> Result<Vec<u8>, ApiError> {
        let mut checks = Checks::default();
        checks.required("tagKeys", input.tag_keys.as_ref());
        checks.finish()?;
        let stream = self.named(input)?;
        let mut state = stream.lock();
        for key in input.tag_keys.iter().flatten() {
            state.tags.remove(key);
        }
        Ok(Vec::new())
    }
}

fn too_many_tags(stream: &str, account: &str) -> ApiError {
    ApiError::invalid(format!(
        "Failed to add tags to stream {stream} under account {account} because a given stream cannot have \
         more than {MAX_TAGS} tags associated with it."
    ))
}
