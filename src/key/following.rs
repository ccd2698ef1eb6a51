//! What of a key strategy depends on the open shards and on time, and moves on with both.
//!
//! Decides what holds at a moment; that the stream was resharded is told from outside.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::hot::Hot;
use super::refusal::KeyerError;
use super::spread::{Pools, Shares};
use crate::generate::Stream;
use crate::kinesis::{HashKey, HashRange, ShardMap};

/// A strategy that follows the shards.
#[derive(Debug)]
pub(super) struct Following {
    rule: Rule,
    now: Mutex<Now>,
}

#[derive(Debug)]
enum Rule {
    RoundRobin,
    Hot {
        hot: Hot,
        /// What the hot shards held when the run began: after a reshard that is what is left to know them by.
        ranges: Vec<HashRange>,
        stream: Stream,
    },
}

#[derive(Debug)]
struct Now {
    layout: Arc<Layout>,
    /// The keys of the open shards, for hot spots.
    pools: Option<Arc<Pools>>,
    /// How often the hot spots have moved on.
    turns: u64,
    /// When the load began, in milliseconds since the Unix epoch; before that is known nothing moves.
    begun: Option<u64>,
}

/// What holds until the shards or the hot spots are others.
#[derive(Debug)]
pub(super) enum Layout {
    /// The middle of each open shard's range.
    Middles(Vec<HashKey>),
    /// Shares of the load.
    Shares(Shares),
}

impl Following {
    pub(super) fn round_robin(map: &ShardMap) -> Result<Self, KeyerError> {
        if map.shards().is_empty() {
            return Err(KeyerError::Shards);
        }
        let now = Now { layout: Arc::new(middles(map)), pools: None, turns: 0, begun: None };
        Ok(Self { rule: Rule::RoundRobin, now: Mutex::new(now) })
    }

    pub(super) fn hot(hot: &Hot, map: &ShardMap, stream: Stream) -> Result<Self, KeyerError> {
        let range = |shard| {
            let found = map.shards().iter().find(|open| open.id == shard).map(|open| open.range);
            found.ok_or_else(|| KeyerError::NoSuchShard { shard, open: listed(map) })
        };
        let ranges: Vec<_> =
            hot.spots().iter().map(|spot| range(spot.shard())).collect::<Result<_, KeyerError>>()?;
        let pools = Arc::new(Pools::search(map, stream));
        for (spot, range) in hot.spots().iter().zip(&ranges) {
            if !pools.reach(&pools.heirs(range)) {
                return Err(KeyerError::TooSmall { shard: spot.shard() });
            }
        }
        let layout = Layout::Shares(Shares::new(hot, &ranges, 0, &pools));
        let now = Now { layout: Arc::new(layout), pools: Some(pools), turns: 0, begun: None };
        Ok(Self { rule: Rule::Hot { hot: hot.clone(), ranges, stream }, now: Mutex::new(now) })
    }

    /// What holds at a time in milliseconds since the Unix epoch.
    pub(super) fn at(&self, unix_millis: u64) -> Arc<Layout> {
        let mut now = self.now();
        if let (Rule::Hot { hot, ranges, .. }, Some(begun), Some(pools)) = (&self.rule, now.begun, &now.pools)
            && let Some(stay) = hot.rotate()
        {
            let stay = u64::try_from(stay.as_millis()).unwrap_or(u64::MAX);
            let turns = unix_millis.saturating_sub(begun) / stay;
            if turns != now.turns {
                now.layout = Arc::new(Layout::Shares(Shares::new(hot, ranges, turns, pools)));
                now.turns = turns;
            }
        }
        Arc::clone(&now.layout)
    }

    /// The load begins: hot spots move on by the time from here.
    pub(super) fn begin(&self, unix_millis: u64) {
        self.now().begun = Some(unix_millis);
    }

    /// The open shards are these from now on. Looks for keys, which may take some tenths of a second; goes on with the
    /// ones before in the meantime. A map without shards changes nothing.
    pub(super) fn follow(&self, map: &ShardMap) {
        if map.shards().is_empty() {
            return;
        }
        match &self.rule {
            Rule::RoundRobin => self.now().layout = Arc::new(middles(map)),
            Rule::Hot { hot, ranges, stream } => {
                let pools = Arc::new(Pools::search(map, *stream));
                let mut now = self.now();
                now.layout = Arc::new(Layout::Shares(Shares::new(hot, ranges, now.turns, &pools)));
                now.pools = Some(pools);
            }
        }
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn middles(map: &ShardMap) -> Layout {
    Layout::Middles(map.shards().iter().map(|shard| shard.range.middle()).collect())
}

/// The open shards, for people: not more than they read.
fn listed(map: &ShardMap) -> String {
    const MOST: usize = 16;
    let mut ids: Vec<String> = map.shards().iter().take(MOST).map(|shard| shard.id.to_string()).collect();
    if map.shards().len() > MOST {
        ids.push(format!("{} more", map.shards().len() - MOST));
    }
    ids.join(", ")
}
