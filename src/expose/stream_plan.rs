//! The stream of a run in the start text: what it is and how its capacity comes about. Plain values in, text out.

use super::human;

/// How a stream's capacity comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capacity {
    /// The user says how many shards.
    Provisioned,
    /// AWS says how many shards, and adds some when the traffic grows.
    OnDemand,
    /// The embedded stream: as many shards as asked for, with the limits of real ones.
    Embedded,
    /// The endpoint does not tell.
    Untold,
}

impl Capacity {
    /// The capacity in words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Provisioned => "provisioned",
            Self::OnDemand => "on-demand",
            Self::Embedded => "embedded, with the limits of real shards",
            Self::Untold => "capacity mode not told",
        }
    }
}

/// The stream that a run writes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamPlan {
    /// Its name.
    pub name: String,
    /// Its ARN, where it is known.
    pub arn: Option<String>,
    /// Its region.
    pub region: Option<String>,
    /// The endpoint's address where it is not AWS's own.
    pub endpoint: Option<String>,
    /// How its capacity comes about.
    pub capacity: Capacity,
    /// Whether a record's shard follows from its key, where the endpoint tells.
    pub by_key: Option<bool>,
    /// Shards that take writes.
    pub shards: u64,
}

/// Its rows of the start text.
pub(super) fn describe_stream(stream: &StreamPlan, row: &mut impl FnMut(&str, String)) {
    let shards = human::counted(stream.shards, "shard");
    row("stream", format!("{}, {shards}, {}", stream.name, stream.capacity.words()));
    match (&stream.arn, &stream.region) {
        (Some(arn), _) => row("ARN", arn.clone()),
        (None, Some(region)) => row("region", region.clone()),
        (None, None) => {}
    }
    if let Some(endpoint) = &stream.endpoint {
        row("endpoint", endpoint.clone());
    }
}
