//! What kept a stream from taking more: a limit of its shards, one shard alone, somebody else, the network, or the client.
//!
//! A judgement on what was measured at the lowest rate that was too much. Kept to one function of plain figures, so that
//! another attribution can take its place.

use std::fmt;

use crate::kinesis::ShardId;
use crate::kinesis::limits::{SHARD_BYTES_PER_SECOND, SHARD_RECORDS_PER_SECOND};

/// What one shard took and refused in a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShardRates {
    /// Which; none where no shard could be told.
    pub shard: Option<ShardId>,
    /// Records stored, a second.
    pub sent: f64,
    /// Their bytes.
    pub bytes: f64,
    /// Records throttled, a second.
    pub throttled: f64,
}

impl ShardRates {
    /// How much of each limit it took; 1 is all.
    #[must_use]
    pub fn used(&self) -> (f64, f64) {
        (self.sent / SHARD_RECORDS_PER_SECOND as f64, self.bytes / SHARD_BYTES_PER_SECOND as f64)
    }

    fn attempts(&self) -> f64 {
        self.sent + self.throttled
    }
}

/// A limit of a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// 1,000 records a second.
    Records,
    /// 1 MiB a second.
    Bytes,
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Records => "records",
            Self::Bytes => "bytes",
        })
    }
}

/// What of the client was too slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientLimit {
    /// Its processors.
    Cpu,
    /// It came to records late, although its processors had time: other programs, or a machine that stood still.
    Lateness,
    /// So many requests were under way, for long, as are allowed.
    Window,
}

/// The limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Binding {
    /// The shards' own limit, of all that have a share.
    Shards(Resource),
    /// One shard's limit, while others had room.
    HotShard {
        /// Which.
        shard: ShardId,
        /// Its share of the load.
        share: f64,
        /// How much of its fuller limit the others took in the mean.
        others: f64,
        /// Which limit.
        by: Resource,
    },
    /// Whole requests are refused.
    RequestRate,
    /// The shards refused well below their own limits: other writers, or a limit that is not the shards'.
    BelowLimits {
        /// How much of its fuller limit the fullest throttling shard took.
        used: f64,
    },
    /// Requests fail or have no answer.
    Network,
    /// This client.
    Client(ClientLimit),
    /// Nothing was too much.
    None,
}

/// What was measured at a rate that was too much.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// Each shard that records went to.
    pub shards: Vec<ShardRates>,
    /// Open shards.
    pub open_shards: usize,
    /// Whole requests that were throttled, of all.
    pub throttled_requests: f64,
    /// Requests without a proper answer, of all.
    pub failed_requests: f64,
    /// Whether the client fell short of the rate.
    pub fell_short: bool,
    /// Records dropped because the window was full, of all that were dropped.
    pub window_full: f64,
    /// Processor time of this process, of all that the machine has: 1 is all.
    pub cpu: f64,
}

/// A shard's limit binds from here on; the rest is jitter and the first moments.
const FULL: f64 = 0.9;

/// What was the limit.
#[must_use]
pub fn binding(evidence: &Evidence) -> Binding {
    let throttled: f64 = evidence.shards.iter().map(|shard| shard.throttled).sum();
    if evidence.fell_short {
        return if evidence.failed_requests > 0.05 {
            Binding::Network
        } else if evidence.cpu > 0.8 {
            Binding::Client(ClientLimit::Cpu)
        } else if evidence.window_full > 0.5 {
            Binding::Client(ClientLimit::Window)
        } else {
            Binding::Client(ClientLimit::Lateness)
        };
    }
    if throttled <= 0.0 {
        return if evidence.failed_requests > 0.05 { Binding::Network } else { Binding::None };
    }
    if evidence.throttled_requests > 0.5 * throttled_share(evidence, throttled) {
        return Binding::RequestRate;
    }
    let fuller = |shard: &ShardRates| {
        let (records, bytes) = shard.used();
        records.max(bytes)
    };
    let by = |shard: &ShardRates| {
        let (records, bytes) = shard.used();
        if records >= bytes { Resource::Records } else { Resource::Bytes }
    };
    // By what they refused: the one that refused most is full, if any is.
    let Some(worst) = evidence.shards.iter().max_by(|one, other| one.throttled.total_cmp(&other.throttled))
    else {
        return Binding::None;
    };
    if fuller(worst) < FULL {
        return Binding::BelowLimits { used: fuller(worst) };
    }
    let others: Vec<f64> =
        evidence.shards.iter().filter(|shard| shard.shard != worst.shard).map(fuller).collect();
    let idle = evidence.open_shards.saturating_sub(evidence.shards.len());
    let count = others.len() + idle;
    let mean = others.iter().sum::<f64>() / count.max(1) as f64;
    let attempts: f64 = evidence.shards.iter().map(ShardRates::attempts).sum();
    match worst.shard {
        Some(shard) if count > 0 && mean < FULL => {
            Binding::HotShard { shard, share: worst.attempts() / attempts, others: mean, by: by(worst) }
        }
        _ => Binding::Shards(by(worst)),
    }
}

/// Throttled of attempted.
fn throttled_share(evidence: &Evidence, throttled: f64) -> f64 {
    let attempts: f64 = evidence.shards.iter().map(ShardRates::attempts).sum();
    throttled / attempts.max(1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard(id: u64, sent: f64, bytes: f64, throttled: f64) -> ShardRates {
        ShardRates { shard: Some(ShardId(id)), sent, bytes, throttled }
    }

    fn evidence(shards: Vec<ShardRates>) -> Evidence {
        Evidence {
            open_shards: shards.len(),
            shards,
            throttled_requests: 0.0,
            failed_requests: 0.0,
            fell_short: false,
            window_full: 0.0,
            cpu: 0.1,
        }
    }

    const MIB: f64 = 1_048_576.0;

    #[test]
    fn the_limit_that_is_used_up_is_named() {
        let small = vec![shard(0, 999.0, 2e5, 9.0), shard(1, 998.0, 2e5, 10.0)];
        assert_eq!(binding(&evidence(small)), Binding::Shards(Resource::Records));
        let large = vec![shard(0, 104.0, 0.99 * MIB, 2.0)];
        assert_eq!(binding(&evidence(large)), Binding::Shards(Resource::Bytes));
    }

    #[test]
    fn one_full_shard_among_others_with_room_is_hot() {
        let shards = vec![shard(0, 500.0, 1e5, 0.0), shard(3, 1_000.0, 2e5, 20.0)];
        match binding(&Evidence { open_shards: 4, ..evidence(shards) }) {
            Binding::HotShard { shard, share, others, by: Resource::Records } => {
                assert_eq!(shard, ShardId(3));
                assert!((share - 1_020.0 / 1_520.0).abs() < 1e-9 && (others - 0.5 / 3.0).abs() < 1e-9);
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn throttles_far_below_the_limits_are_somebody_elses() {
        let found = binding(&evidence(vec![shard(0, 400.0, 1e5, 20.0)]));
        assert_eq!(found, Binding::BelowLimits { used: 0.4 });
    }

    #[test]
    fn whole_requests_that_are_refused_are_another_limit() {
        let refused = Evidence { throttled_requests: 0.1, ..evidence(vec![shard(0, 900.0, 1e5, 100.0)]) };
        assert_eq!(binding(&refused), Binding::RequestRate);
    }

    #[test]
    fn a_client_that_fell_short_is_the_limit_whatever_was_throttled() {
        let short = Evidence { fell_short: true, ..evidence(vec![shard(0, 999.0, 1e5, 9.0)]) };
        for (cpu, window_full, failed_requests, told) in [
            (0.9, 1.0, 0.0, Binding::Client(ClientLimit::Cpu)),
            (0.3, 0.9, 0.0, Binding::Client(ClientLimit::Window)),
            (0.3, 0.1, 0.0, Binding::Client(ClientLimit::Lateness)),
            (0.3, 0.9, 0.2, Binding::Network),
        ] {
            assert_eq!(binding(&Evidence { cpu, window_full, failed_requests, ..short.clone() }), told);
        }
    }

    #[test]
    fn where_nothing_was_too_much_nothing_was_the_limit() {
        assert_eq!(binding(&evidence(vec![shard(0, 100.0, 1e5, 0.0)])), Binding::None);
        assert_eq!(binding(&evidence(Vec::new())), Binding::None);
    }
}
