//! Kinesis's vocabulary, its limits as data, and the only files that name the SDK.

mod allowed;
mod answer;
mod bound;
mod client;
mod control;
mod direct;
mod endpoint;
mod fault;
mod lane;
pub mod limits;
pub mod names;
mod protocol;
mod reading;
mod ready;
mod scan;
mod sequence;
pub mod shard;
mod through_sdk;

pub use allowed::{AllowedStreams, AllowedStreamsError, Permit};
pub use answer::{Answer, AnswerError, EntryResult};
pub use client::{Access, Client, FALLBACK_REGION, LOG_DIRECTIVES, LOG_NEVER, Mode, Status, StreamFacts};
pub use control::{Created, MOST_SHARDS, MOST_TAGS, NewStream, StreamDetails, Tags};
pub use fault::{Cause, Fault, Refusal, Silence};
pub use lane::{HttpClientError, HttpClientKind, Lane};
pub use limits::Limits;
pub use names::{NameError, PartitionKey, StreamArn, StreamName, StreamRef};
pub use reading::{Page, Place, ReadFault, ReadRecord, Reader, Setback, ShardFamily};
pub use ready::NotReady;
pub use sequence::{SequenceNumber, SequenceNumberError};
pub use shard::{HashKey, HashRange, Shard, ShardId, ShardMap};
