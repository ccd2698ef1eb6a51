//! Kinesis's vocabulary, its limits as data, and the only files that name the SDK.

pub mod limits;
pub mod names;
pub mod shard;

pub use limits::Limits;
pub use names::{NameError, PartitionKey, StreamArn, StreamName, StreamRef};
pub use shard::{HashKey, HashRange, Shard, ShardId, ShardMap};
