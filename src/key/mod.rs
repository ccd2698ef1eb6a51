//! To which shard: how a record gets its partition key.

#[cfg(test)]
mod fingerprint;
mod json_number;
mod json_string;
mod keyer;
mod lookup;
mod refusal;
mod strategy;

pub use keyer::Keyer;
pub use refusal::{KeyerError, NoKey};
pub use strategy::{JsonPointer, KeyStrategy, KeyStrategyError};
