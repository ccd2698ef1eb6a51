//! To which shard: how a record gets its partition key.

mod strategy;

pub use strategy::{JsonPointer, KeyStrategy, KeyStrategyError};
