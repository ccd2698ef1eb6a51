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
    /// The numbers of the last second.
    pub progress: Progress,
    /// The counts.
    pub counts: Snapshot,
    /// Tenths of a second, the last ones.
    pub bins: Bins,
    /// Seconds, the last ones, with their percentiles.
    pub delays: Vec<Delay>,
    /// What each shard did lately, in the order of the shards.
    pub shards: Vec<ShardNow>,
    /// How long that is.
    pub lately: Duration,
    /// What limits the run, in words.
    pub limit: String,
    /// The last lines of the log, oldest first.
    pub log: Vec<String>,
    /// What the keys can do to the run.
    pub steering: Option<Steering>,
    /// Whether keys can be read at all.
    pub keys: bool,
    /// Whether a column of the charts is a tenth of a second, or a second.
    pub tenths: bool,
    /// Whether the help is asked for.
    pub help: bool,
}

/// The last bins of a timeline.
#[derive(Debug, Clone, Default)]
pub struct Bins {
    /// The number of the first one.
    pub first: u64,
    /// The bins, oldest first.
    pub bins: Vec<Bin>,
}

/// The delivery delays of one span of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delay {
    /// How long the span is.
    pub length: Duration,
    /// Its 50th, 90th and 99th percentile; none where nothing was sent.
    pub percentiles: Option<[Duration; 3]>,
}

/// What one shard did lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardNow {
    /// The shard; none is what no shard could be told for.
    pub shard: Option<ShardId>,
    /// Records that it stored.
    pub sent: u64,
    /// Entries that it refused for a limit.
    pub throttled: u64,
}

/// Most columns that a chart can have: what is kept of a timeline's tenths, in seconds.
const MOST_COLUMNS: u64 = 300;

impl Bins {
    /// What a chart of tenths or of seconds can show of `timeline`.
    #[must_use]
    pub fn of(timeline: &Timeline, tenths: bool) -> Self {
        let wanted = MOST_COLUMNS * if tenths { 1 } else { PER_SECOND };
        let bins: Vec<Bin> = timeline.bins(timeline.made().saturating_sub(wanted)).copied().collect();
        Self { first: timeline.made() - bins.len() as u64, bins }
    }

    /// The bins in columns of a tenth or of a second, oldest first. A column has the same bins at every look, so that
    /// a chart moves and does not flicker; the last one may be short of some.
    #[must_use]
    pub fn columns(&self, tenths: bool) -> Vec<Vec<Bin>> {
        let per_column = if tenths { 1 } else { PER_SECOND };
        let mut columns: Vec<(u64, Vec<Bin>)> = Vec::new();
        for (number, bin) in (self.first..).zip(&self.bins) {
            match columns.last_mut() {
                Some((column, bins)) if *column == number / per_column => bins.push(*bin),
                _ => columns.push((number / per_column, vec![*bin])),
            }
        }
        // Of the oldest column a part may be forgotten.
        let whole = usize::from(!self.first.is_multiple_of(per_column));
        columns.into_iter().skip(whole).map(|(_, bins)| bins).collect()
    }
}

/// Tenths in a second.
const PER_SECOND: u64 = 10;

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
