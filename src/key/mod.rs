//! To which shard: how a record gets its partition key.

mod decimal;
#[cfg(test)]
mod fingerprint;
mod following;
mod hot;
mod json_number;
mod json_string;
mod keyer;
mod lookup;
mod popularity;
mod refusal;
mod spread;
mod strategy;

pub use decimal::Decimal;
pub use hot::{Hot, Spot};
pub use keyer::{Keyer, Keys};
pub use popularity::Popularity;
pub use refusal::{KeyerError, NoKey};
pub use strategy::{JsonPointer, KeyStrategy, KeyStrategyError};
