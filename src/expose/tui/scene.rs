//! What the screen shows: one moment of a run, as values that are ready to be drawn.
//!
//! Everything in it comes from one snapshot of the ledger and from the timeline; nothing is counted here.

use std::time::Duration;

use super::steer::Steering;
use crate::expose::{Course, Phase, Progress};
use crate::kinesis::ShardId;
use crate::ledger::timeline::{Bin, Span};
use crate::ledger::{Snapshot, Timeline};

/// One moment of a run.
#[derive(Debug, Clone)]
pub struct Scene {
    /// The stream's name.
    pub stream: String,
    /// Where the run stands.
    pub phase: Phase,
    /// How far it is, where it has an end.
    pub course: Option<Course>,
    /// The numbers of the last whole second.
    pub progress: Progress,
    /// The counts.
    pub counts: Snapshot,
    /// What the chart of rates shows: the last tenths of a second, or spans.
    pub columns: Vec<Bin>,
    /// The last spans, with their percentiles.
    pub delays: Vec<Delay>,
    /// What each shard did in that second, in the order of the shards.
    pub shards: Vec<ShardNow>,
    /// How long it was.
    pub lately: Duration,
    /// What limits the run, in words.
    pub limit: String,
    /// The last lines of the log, oldest first.
    pub log: Vec<String>,
    /// What the keys can do to the run.
    pub steering: Option<Steering>,
    /// Whether keys can be read at all.
    pub keys: bool,
    /// Whether a column of the rates is a tenth of a second, or a span.
    pub tenths: bool,
    /// Whether the help is asked for.
    pub help: bool,
}

/// The delivery delays of one span of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delay {
    /// How long the span is.
    pub length: Duration,
    /// Its 50th, 90th and 99th percentile; none where nothing was sent.
    pub percentiles: Option<[Duration; 3]>,
}

/// What one shard did in a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardNow {
    /// The shard; none is what no shard could be told for.
    pub shard: Option<ShardId>,
    /// Records that it stored.
    pub sent: u64,
    /// Records that it refused for a limit.
    pub throttled: u64,
}

/// The newest columns that a chart can show, oldest first, at most `most`: tenths of a second, or the spans of the run.
///
/// Spans are of a second at first, longer in a long run, and end where a burst is not cut in two.
#[must_use]
pub fn columns(timeline: &Timeline, tenths: bool, most: usize) -> Vec<Bin> {
    if tenths {
        let from = timeline.made().saturating_sub(most as u64);
        return timeline.bins(from).copied().collect();
    }
    let spans = timeline.spans();
    spans[spans.len().saturating_sub(most)..].iter().map(|span| span.bin).collect()
}

impl Delay {
    /// The last spans of a run, at most `most`.
    #[must_use]
    pub fn last(spans: &[Span], most: usize) -> Vec<Self> {
        let last = &spans[spans.len().saturating_sub(most)..];
        let of = |span: &Span| {
            let quantile = |quantile| span.delivery_delay.quantile(quantile);
            let percentiles = quantile(0.5).zip(quantile(0.9)).zip(quantile(0.99));
            Self {
                length: span.bin.to.saturating_sub(span.bin.from),
                percentiles: percentiles.map(|((p50, p90), p99)| [p50, p90, p99]),
            }
        };
        last.iter().map(of).collect()
    }
}

impl ShardNow {
    /// What the shards did between two snapshots; those that ever did anything are there.
    #[must_use]
    pub fn between(earlier: &Snapshot, now: &Snapshot) -> Vec<Self> {
        let one = |(shard, counts): (&Option<ShardId>, &crate::ledger::ShardCounts)| {
            let before = earlier.shards.get(shard).copied().unwrap_or_default();
            Self {
                shard: *shard,
                sent: counts.sent.saturating_sub(before.sent),
                throttled: counts.throttled.saturating_sub(before.throttled),
            }
        };
        now.shards.iter().map(one).collect()
    }
}
