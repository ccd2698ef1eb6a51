//! Why an entry was throttled, in a closed set.
//!
//! Decides the names. The first three are a model's word, the others are what the answer says.

/// To what a throttled entry is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ThrottleCause {
    /// By the model, what this run had stored used up the records of the shard's second.
    Records,
    /// By the model, what this run had stored used up the bytes of the shard's second.
    Bytes,
    /// What this run had stored would have left room: others write to the shard, or it takes less than is published.
    OtherWriters,
    /// KMS throttled the request as a whole.
    Kms,
    /// The endpoint throttled the request as a whole: a limit of requests, not of a shard.
    Request,
    /// Neither the answer nor the map of the shards tells which shard refused it.
    Unplaced,
}

impl ThrottleCause {
    /// Every cause, in the order of the documentation.
    pub const ALL: [Self; 6] =
        [Self::Records, Self::Bytes, Self::OtherWriters, Self::Kms, Self::Request, Self::Unplaced];

    /// The cause as the metrics' label.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Records => "records",
            Self::Bytes => "bytes",
            Self::OtherWriters => "other_writers",
            Self::Kms => "kms",
            Self::Request => "request",
            Self::Unplaced => "unplaced",
        }
    }
}
