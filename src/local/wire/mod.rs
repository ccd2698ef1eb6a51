//! The wire: awsJson1_1 bodies in, bodies out, or the same in CBOR. Synchronous, and without HTTP.
//!
//! Decides which operation a name means and turns values into AWS's JSON, which `cbor` converts. Signatures are not verified: the
//! embedded stream is for loopback.

mod cbor;
mod checks;
mod control;
mod describe;
mod input;
mod iterate;
mod put;
mod token;

use std::sync::Arc;

use super::error::{ApiError, ErrorKind};
use super::store::Store;
use super::stream::Stream;
use crate::kinesis::Wire;
use checks::Checks;
use input::Input;

/// What JSON adds to records at most: 500 entries' members and their keys, each of whose 256 characters may be
/// written as two escapes of six bytes.
const MAX_JSON_BYTES: usize = 2 * 1024 * 1024;

/// Most bytes of a body in JSON that holds up to `request_bytes` of records, which are base64 there.
pub(super) fn most_json_bytes(request_bytes: usize) -> usize {
    request_bytes.div_ceil(3).saturating_mul(4).saturating_add(MAX_JSON_BYTES)
}

/// The operations of Kinesis over a store.
#[derive(Debug, Clone)]
pub struct Api {
    store: Arc<Store>,
}

impl Api {
    /// The operations over this store.
    #[must_use]
    pub fn new(store: Arc<Store>) -> Self {
        Self { store }
    }

    /// Answers one call: the operation's name without prefix, and the request's body.
    ///
    /// # Errors
    /// The error to answer instead.
    pub fn call(&self, operation: &str, body: &[u8]) -> Result<Vec<u8>, ApiError> {
        // The two that carry records read their body in place.
        match operation {
            "PutRecords" => return self.put_records(body),
            "PutRecord" => return self.put_record(body),
            _ => {}
        }
        let act: fn(&Self, &Input) -> Result<Vec<u8>, ApiError> = match operation {
            "AddTagsToStream" => Self::add_tags,
            "CreateStream" => Self::create_stream,
            "DecreaseStreamRetentionPeriod" => Self::decrease_retention,
            "DeleteStream" => Self::delete_stream,
            "DescribeLimits" => Self::describe_limits,
            "DescribeStream" => Self::describe_stream,
            "DescribeStreamSummary" => Self::describe_summary,
            "GetRecords" => Self::get_records,
            "GetShardIterator" => Self::get_shard_iterator,
            "IncreaseStreamRetentionPeriod" => Self::increase_retention,
            "ListShards" => Self::list_shards,
            "ListStreams" => Self::list_streams,
            "ListTagsForStream" => Self::list_tags,
            "MergeShards" => Self::merge_shards,
            "RemoveTagsFromStream" => Self::remove_tags,
            "SplitShard" => Self::split_shard,
            "UpdateMaxRecordSize" => Self::update_max_record_size,
            "UpdateShardCount" => Self::update_shard_count,
            "UpdateStreamMode" => Self::update_stream_mode,
            other => {
                let text = format!("Operation {other} is not known to the embedded stream.");
                return Err(ApiError::new(ErrorKind::UnknownOperation, text));
            }
        };
        act(self, &input::parse(body)?)
    }

    /// The same in either wire: body and answer.
    ///
    /// A body in CBOR is converted without a pause, so there are never more of its copies in memory than threads.
    ///
    /// # Errors
    /// As [`Api::call`].
    pub fn call_by(&self, wire: Wire, operation: &str, body: &[u8]) -> Result<Vec<u8>, ApiError> {
        match wire {
            Wire::Json => self.call(operation, body),
            Wire::Cbor => {
                let most = most_json_bytes(self.store.options().limits.request_bytes);
                cbor::from_json(&self.call(operation, &cbor::to_json(body, most)?)?)
            }
        }
    }

    /// An error as a body in this wire.
    #[must_use]
    pub fn error(wire: Wire, error: &ApiError) -> Vec<u8> {
        let json = body(&serde_json::json!({ "__type": error.kind.name(), "message": error.message }));
        match wire {
            Wire::Json => json,
            Wire::Cbor => cbor::from_json(&json).unwrap_or_default(),
        }
    }

    /// The stream that a call names, by name, by ARN or by both.
    fn stream(&self, name: Option<&str>, arn: Option<&str>) -> Result<Arc<Stream>, ApiError> {
        let mut checks = Checks::default();
        checks.stream_name("streamName", name);
        checks.stream_arn(arn);
        checks.finish()?;
        let by_arn = arn.and_then(|arn| arn.split_once(":stream/")).map(|(_, name)| name);
        let Some(wanted) = name.or(by_arn) else {
            return Err(ApiError::validation("Either StreamName or StreamARN should be provided."));
        };
        let stream = self.store.find(wanted)?;
        match arn {
            Some(arn) if arn != stream.arn() && name.is_some() => Err(ApiError::invalid(format!(
                "StreamARN {arn} does not name the same stream as StreamName {wanted}."
            ))),
            Some(arn) if arn != stream.arn() => Err(ApiError::not_found(format!("Stream {arn} not found."))),
            _ => Ok(stream),
        }
    }

    fn named(&self, input: &Input) -> Result<Arc<Stream>, ApiError> {
        self.stream(input.stream_name.as_deref(), input.stream_arn.as_deref())
    }
}

/// A JSON value as a body.
fn body(value: &serde_json::Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

/// A time as AWS writes it: seconds with three decimals.
fn seconds(time: std::time::Duration) -> serde_json::Value {
    // Milliseconds of our era are far below 2^53, so the division is exact enough to read back.
    serde_json::Value::from(time.as_millis() as f64 / 1_000.0)
}
