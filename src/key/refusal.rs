//! Why there is no partition key: before the run, and for one event.

use serde_json::Value;

use crate::kinesis::ShardId;
use crate::kinesis::limits::MAX_PARTITION_KEY_CHARS;

/// A strategy that can not work with this event or this stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyerError {
    /// `user` with an event that has no entity.
    #[error(
        "the event {event} has no user or ticker: choose another event, or random, job, round-robin, field:/… as partition key"
    )]
    Entity {
        /// The event.
        event: String,
    },
    /// `field:` with a pointer that leads to no key in the event.
    #[error("field:{pointer} gives no partition key in the event {event}: {reason}{}", had(.fields))]
    Field {
        /// The event.
        event: String,
        /// The pointer.
        pointer: String,
        /// What is wrong with the value there.
        #[source]
        reason: NoKey,
        /// The pointers that do lead to a key, joined by commas.
        fields: String,
    },
    /// `round-robin` and no shard to go round.
    #[error(
        "round-robin needs the stream's open shards, and none is known: choose random, which spreads as evenly without them"
    )]
    Shards,
    /// `hot` with a shard that is not open.
    #[error("hot: {shard} is no open shard of the stream; it has {}", if .open.is_empty() { "none that is known" } else { .open })]
    NoSuchShard {
        /// The shard.
        shard: ShardId,
        /// The open ones, joined by commas.
        open: String,
    },
    /// `hot` with a shard of so few hash keys that none of a million partition keys leads there.
    #[error(
        "hot: {shard} holds so small a part of the hash keys that no partition key was found for it: choose another shard"
    )]
    TooSmall {
        /// The shard.
        shard: ShardId,
    },
}

/// Why an event gives no partition key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum NoKey {
    /// The event has no such field, or no entity.
    #[error("the field is missing")]
    Missing,
    /// The field is `null`.
    #[error("the field is null")]
    Null,
    /// The field is an object or an array.
    #[error("the field is an object or an array")]
    Container,
    /// The field is an empty string.
    #[error("the field is empty")]
    Empty,
    /// The field has more characters than a partition key may have.
    #[error("the field is longer than {MAX_PARTITION_KEY_CHARS} characters")]
    TooLong,
    /// The event is no valid JSON on the way to the field.
    #[error("the event is not valid JSON")]
    Malformed,
    /// No key is known for any open shard.
    #[error("no key is known for any open shard")]
    NoShard,
}

/// What fields there are, where any is known.
fn had(fields: &str) -> String {
    if fields.is_empty() { String::new() } else { format!("; it has {fields}") }
}

/// The pointers of all fields of an event that can be a key, joined by commas.
pub(super) fn fields(event: &Value) -> String {
    fn walk(value: &Value, path: &str, out: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                map.iter().for_each(|(name, value)| walk(value, &format!("{path}/{name}"), out))
            }
            Value::Array(list) => {
                list.iter()
                    .enumerate()
                    .for_each(|(index, value)| walk(value, &format!("{path}/{index}"), out));
            }
            _ => out.push(path.to_owned()),
        }
    }
    let mut out = Vec::new();
    walk(event, "", &mut out);
    out.join(", ")
}
