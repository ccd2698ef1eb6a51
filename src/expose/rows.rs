//! The shards as a bounded number of rows: neighbours share one, and it shows the busiest of them.
//!
//! Not a mean: one hot shard among many must not vanish.

use serde::Serialize;

use crate::kinesis::ShardId;
use crate::ledger::timeline::Column;

/// Most rows; a picture has few pixels more.
pub(super) const MOST_ROWS: usize = 100;

/// From, to (milliseconds), and of each row's busiest shard: entries stored, and refused for a limit.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct ColumnRow(u64, u64, Vec<u32>, Vec<u32>);

/// Which row each shard is in.
pub(super) struct Rows<'a> {
    shards: &'a [Option<ShardId>],
    /// The places of the shards, by ascending id; what no shard could be told for comes last.
    order: Vec<u32>,
    /// The row of each place.
    row_of: Vec<u32>,
    per_row: usize,
}

impl<'a> Rows<'a> {
    pub(super) fn of(shards: &'a [Option<ShardId>]) -> Self {
        let mut order: Vec<u32> = (0..shards.len() as u32).collect();
        order.sort_by_key(|&place| (shards[place as usize].is_none(), shards[place as usize]));
        let per_row = shards.len().div_ceil(MOST_ROWS).max(1);
        let mut row_of = vec![0; shards.len()];
        for (at, &place) in order.iter().enumerate() {
            row_of[place as usize] = (at / per_row) as u32;
        }
        Self { shards, order, row_of, per_row }
    }

    fn len(&self) -> usize {
        self.order.len().div_ceil(self.per_row)
    }

    /// What each row is called: its shard, or its first and last.
    pub(super) fn names(&self) -> Vec<String> {
        let name = |place: &u32| match self.shards[*place as usize] {
            Some(shard) => shard.to_string(),
            None => "no shard told".to_owned(),
        };
        let row = |places: &[u32]| match places {
            [one] => name(one),
            [first, .., last] => format!("{} to {}", name(first), name(last)),
            [] => String::new(),
        };
        self.order.chunks(self.per_row).map(row).collect()
    }

    /// A column, row by row.
    pub(super) fn column(&self, column: &Column) -> ColumnRow {
        let (mut sent, mut throttled) = (vec![0; self.len()], vec![0; self.len()]);
        for cell in &column.cells {
            let row = self.row_of[cell.shard as usize] as usize;
            let asked = |sent: u32, throttled: u32| u64::from(sent) + u64::from(throttled);
            if asked(cell.sent, cell.throttled) > asked(sent[row], throttled[row]) {
                (sent[row], throttled[row]) = (cell.sent, cell.throttled);
            }
        }
        ColumnRow(column.from.as_millis() as u64, column.to.as_millis() as u64, sent, throttled)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ledger::timeline::Cell;

    #[test]
    fn a_row_shows_its_busiest_shard_and_rows_ascend() {
        let shards: Vec<Option<ShardId>> =
            [None].into_iter().chain((0..1_000).rev().map(|id| Some(ShardId(id)))).collect();
        let rows = Rows::of(&shards);
        let names = rows.names();
        assert_eq!(names.len(), 91);
        assert_eq!(names[0], format!("{} to {}", ShardId(0), ShardId(10)));
        assert!(names[90].ends_with("to no shard told"), "{}", names[90]);
        // Place 1 is shard 999, place 1,000 is shard 0.
        let cell = |shard, sent, throttled| Cell { shard, sent, throttled };
        let cells = vec![cell(0, 1, 1), cell(1, 5, 4), cell(999, 10, 0), cell(1_000, 7, 9)];
        let ColumnRow(from, to, sent, throttled) =
            rows.column(&Column { from: Duration::from_secs(1), to: Duration::from_secs(2), cells });
        assert_eq!((from, to, sent.len(), throttled.len()), (1_000, 2_000, 91, 91));
        assert_eq!((sent[0], throttled[0], sent[90], throttled[90]), (7, 9, 5, 4));
        assert!(sent[1..90].iter().all(|&sent| sent == 0));
    }

    #[test]
    fn few_shards_have_a_row_each_and_none_have_none() {
        assert_eq!(Rows::of(&[]).names(), Vec::<String>::new());
        let shards = [Some(ShardId(2)), Some(ShardId(1))];
        assert_eq!(Rows::of(&shards).names(), [ShardId(1).to_string(), ShardId(2).to_string()]);
    }
}
