//! Kinesis's vocabulary, its limits as data, and the only files that name the SDK.

mod answer;
mod client;
mod fault;
pub mod limits;
pub mod names;
mod protocol;
mod ready;
mod scan;
pub mod shard;

pub use answer::{Answer, AnswerError, EntryResult};
pub use client::{Access, Client, FALLBACK_REGION, LOG_DIRECTIVES, LOG_NEVER, Mode, Status, StreamFacts};
pub use fault::{Cause, Fault, Refusal, Silence};
pub use limits::Limits;
pub use names::{NameError, PartitionKey, StreamArn, StreamName, StreamRef};
pub use ready::NotReady;
pub use shard::{HashKey, HashRange, Shard, ShardId, ShardMap};
