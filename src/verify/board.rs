//! What the readers of all shards tell of themselves: counts for the metrics, and what the end is judged by.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::Progress;
use super::shard_reader::at_tip;
use crate::kinesis::{Page, Setback, ShardId};

/// How a GetRecords call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallOutcome {
    /// An answer, perhaps without records.
    Ok,
    /// Over the limits of the shard.
    Throttled,
    /// The iterator was too old.
    Expired,
    /// No such stream or shard.
    Gone,
    /// Not permitted.
    Denied,
    /// Anything else.
    Failed,
}

impl CallOutcome {
    /// Every outcome, in the order of the documentation.
    pub const ALL: [Self; 6] =
        [Self::Ok, Self::Throttled, Self::Expired, Self::Gone, Self::Denied, Self::Failed];

    /// The outcome as the metrics' label.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Throttled => "throttled",
            Self::Expired => "expired",
            Self::Gone => "gone",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }
}

impl From<Setback> for CallOutcome {
    fn from(setback: Setback) -> Self {
        match setback {
            Setback::Throttled => Self::Throttled,
            Setback::Expired => Self::Expired,
            Setback::Gone => Self::Gone,
            Setback::Denied => Self::Denied,
            Setback::Other => Self::Failed,
        }
    }
}

/// What was read so far, at one moment.
#[derive(Debug, Clone, Default)]
pub struct ReadCounts {
    /// Records read.
    pub records: u64,
    /// Their data and partition keys, in bytes.
    pub bytes: u64,
    /// GetRecords calls, by outcome, in the order of [`CallOutcome::ALL`].
    pub calls: [u64; CallOutcome::ALL.len()],
    /// How far the reader that is furthest behind is behind the newest record, in milliseconds, as of its last answer.
    pub behind_millis: u64,
    /// Shards that are being read.
    pub reading: u64,
    /// Shards that were read to their end.
    pub read: u64,
    /// What the audit makes of it so far.
    pub audit: Progress,
}

/// A shard that is being read.
#[derive(Debug, Default)]
struct Desk {
    behind_millis: u64,
    /// When the last call that found the tip was made.
    tip: Option<Instant>,
    /// Whether any call was answered.
    begun: bool,
}

#[derive(Debug)]
struct State {
    counts: ReadCounts,
    desks: BTreeMap<ShardId, Desk>,
    news: Instant,
}

/// Shared by all who read one stream, and whoever looks on.
#[derive(Debug)]
pub struct Board {
    state: Mutex<State>,
}

impl Board {
    /// Nothing read yet.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        let state = State { counts: ReadCounts::default(), desks: BTreeMap::new(), news: now };
        Self { state: Mutex::new(state) }
    }

    /// What was read so far.
    #[must_use]
    pub fn counts(&self) -> ReadCounts {
        let state = self.lock();
        let behind = state.desks.values().map(|desk| desk.behind_millis).max();
        ReadCounts {
            behind_millis: behind.unwrap_or(0),
            reading: state.desks.len() as u64,
            ..state.counts.clone()
        }
    }

    pub(super) fn opened(&self, shard: ShardId) {
        self.lock().desks.insert(shard, Desk::default());
    }

    /// A shard is left, at its end or not.
    pub(super) fn left(&self, shard: ShardId, at_end: bool) {
        let mut state = self.lock();
        state.desks.remove(&shard);
        state.counts.read += u64::from(at_end);
    }

    /// A call failed.
    pub(super) fn set_back(&self, setback: Setback) {
        self.lock().counts.calls[CallOutcome::from(setback) as usize] += 1;
    }

    /// A call of `called` was answered with `page`, whose records the audit has seen by now.
    pub(super) fn turned(&self, shard: ShardId, called: Instant, page: &PageFacts, audit: Progress) {
        let mut state = self.lock();
        let counts = &mut state.counts;
        counts.calls[CallOutcome::Ok as usize] += 1;
        counts.records += page.records;
        counts.bytes += page.bytes;
        counts.audit = audit;
        if page.records > 0 {
            state.news = Instant::now();
        }
        let desk = state.desks.entry(shard).or_default();
        desk.begun = true;
        desk.behind_millis = page.behind_millis;
        if page.at_tip {
            desk.tip = Some(called);
        }
    }

    /// The audit was told something of a producer.
    pub(super) fn told(&self, audit: Progress) {
        let mut state = self.lock();
        state.counts.audit = audit;
        state.news = Instant::now();
    }

    /// Whether every shard that is being read had an answer.
    pub(super) fn all_begun(&self) -> bool {
        self.lock().desks.values().all(|desk| desk.begun)
    }

    /// Whether every shard that is being read was found at its tip by a call made at `since` or later.
    pub(super) fn all_at_tip(&self, since: Instant) -> bool {
        self.lock().desks.values().all(|desk| desk.tip.is_some_and(|tip| tip >= since))
    }

    /// When a record or a claim last came.
    pub(super) fn last_news(&self) -> Instant {
        self.lock().news
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the board wants to know of an answer after its records are gone.
#[derive(Debug, Clone, Copy)]
pub(super) struct PageFacts {
    records: u64,
    bytes: u64,
    behind_millis: u64,
    at_tip: bool,
}

impl PageFacts {
    pub(super) fn of(page: &Page) -> Self {
        Self {
            records: page.records.len() as u64,
            bytes: page.bytes,
            behind_millis: page.behind_millis.unwrap_or(0),
            at_tip: at_tip(page),
        }
    }
}
