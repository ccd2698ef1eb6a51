//! What each shard took and refused over the whole run, in a bounded number of columns.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::kinesis::ShardId;
use crate::ledger::ShardCounts;

/// Above this many columns two neighbours become one: with 1,000 shards they take 3 MB.
pub const MOST_COLUMNS: usize = 240;

/// What one shard did in one column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// The shard's place in [`Heat::shards`].
    pub shard: u32,
    /// Entries stored.
    pub sent: u32,
    /// Entries refused for a limit.
    pub throttled: u32,
}

/// What the shards did in a part of the run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Column {
    /// When it begins, since the timeline began.
    pub from: Duration,
    /// When it ends.
    pub to: Duration,
    /// The shards that did anything, by ascending place.
    pub cells: Vec<Cell>,
}

/// The columns of a run.
#[derive(Debug, Default)]
pub struct Heat {
    /// In the order in which they were first met; none is what no shard could be told for.
    shards: Vec<Option<ShardId>>,
    places: BTreeMap<Option<ShardId>, u32>,
    before: Vec<ShardCounts>,
    columns: Vec<Column>,
    per_column: u32,
    in_last: u32,
}

impl Heat {
    /// Adds what `counts`, totals by shard, have more than at the last call.
    pub(super) fn add(
        &mut self,
        from: Duration,
        to: Duration,
        counts: &BTreeMap<Option<ShardId>, ShardCounts>,
    ) {
        let mut cells = Vec::new();
        for (&shard, now) in counts {
            let place = *self.places.entry(shard).or_insert_with(|| {
                self.shards.push(shard);
                self.before.push(ShardCounts::default());
                self.shards.len() as u32 - 1
            });
            let before = std::mem::replace(&mut self.before[place as usize], *now);
            let count = |now: u64, before: u64| u32::try_from(now.saturating_sub(before)).unwrap_or(u32::MAX);
            let (sent, throttled) = (count(now.sent, before.sent), count(now.throttled, before.throttled));
            if sent > 0 || throttled > 0 {
                cells.push(Cell { shard: place, sent, throttled });
            }
        }
        cells.sort_unstable_by_key(|cell| cell.shard);
        self.keep(Column { from, to, cells });
    }

    fn keep(&mut self, column: Column) {
        self.per_column = self.per_column.max(1);
        match self.columns.last_mut() {
            Some(last) if self.in_last < self.per_column => {
                last.join(column);
                self.in_last += 1;
                return;
            }
            _ => {}
        }
        if self.columns.len() == MOST_COLUMNS {
            let mut old = std::mem::take(&mut self.columns).into_iter();
            while let Some(mut first) = old.next() {
                if let Some(second) = old.next() {
                    first.join(second);
                }
                self.columns.push(first);
            }
            self.per_column *= 2;
        }
        self.columns.push(column);
        self.in_last = 1;
    }

    /// The shards, by the places that the cells name; none is what no shard could be told for.
    #[must_use]
    pub fn shards(&self) -> &[Option<ShardId>] {
        &self.shards
    }

    /// The columns, oldest first; the last one may be shorter than the others.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }
}

impl Column {
    fn join(&mut self, next: Self) {
        self.to = next.to;
        self.cells.extend(next.cells);
        self.cells.sort_by_key(|cell| cell.shard);
        self.cells.dedup_by(|later, kept| {
            let same = later.shard == kept.shard;
            if same {
                kept.sent = kept.sent.saturating_add(later.sent);
                kept.throttled = kept.throttled.saturating_add(later.throttled);
            }
            same
        });
    }
}
