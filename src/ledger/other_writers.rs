//! How much others write to the stream, over all shards that throttled: sums of the model's estimates.

use serde::{Deserialize, Serialize};

use super::Snapshot;

/// What the model says of other writers. An estimate, not a measurement. Reports hold it as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct OtherWriters {
    /// Records a second that others had stored, on average over the time in which each shard was at its limit.
    pub records_per_second: f64,
    /// The same in bytes.
    pub bytes_per_second: f64,
    /// How far the records may be off.
    pub doubt_per_second: f64,
    /// The shards that this is a sum over: those of which it is certain that others write to them.
    pub shards: u64,
}

impl Snapshot {
    /// Who else writes to the stream; none where nobody does, or nothing is known because nothing was throttled.
    #[must_use]
    pub fn other_writers(&self) -> Option<OtherWriters> {
        let mut all = OtherWriters::default();
        for told in self.shard_throttles.values().filter(|told| told.others.is_certain()) {
            all.records_per_second += told.others.records_per_second().unwrap_or_default();
            all.bytes_per_second += told.others.bytes_per_second().unwrap_or_default();
            all.doubt_per_second += told.others.doubt_per_second().unwrap_or_default();
            all.shards += 1;
        }
        (all.shards > 0).then_some(all)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::kinesis::ShardId;
    use crate::ledger::{Ledger, Outcome, Settled, ShardCounts};
    use crate::model::{Others, ShardThrottles, ThrottleCause};

    fn told(records: f64, by_records: u64, by_others: u64) -> ShardThrottles {
        let others = Others { records, bytes: 10.0 * records, seconds: 10.0, doubt_records: 20.0 };
        ShardThrottles { by_records, by_others, others, ..ShardThrottles::default() }
    }

    #[test]
    fn certain_shards_are_summed_up_and_others_are_left_out() {
        let ledger = Ledger::new();
        assert_eq!(ledger.snapshot().other_writers(), None);
        ledger.judged(&[
            (ShardId(1), told(4_000.0, 0, 0)),
            (ShardId(2), told(50.0, 0, 0)),
            (ShardId(3), told(1_000.0, 0, 0)),
        ]);
        let expected = OtherWriters {
            records_per_second: 500.0,
            bytes_per_second: 5_000.0,
            doubt_per_second: 4.0,
            shards: 2,
        };
        assert_eq!(ledger.snapshot().other_writers(), Some(expected));
    }

    #[test]
    fn every_throttled_entry_is_charged_once_or_not_judged_yet() {
        let ledger = Ledger::new();
        ledger.generated(10);
        let request = vec![(ThrottleCause::Request, 3)];
        let settled = |throttled, causes| {
            let refused = ShardCounts { throttled, entries_throttled: throttled, ..ShardCounts::default() };
            Settled { throttled, causes, shards: vec![(None, refused)], ..Settled::default() }
        };
        for settled in [settled(7, Vec::new()), settled(3, request)] {
            ledger.attempted(Outcome::Partial, Duration::ZERO, Duration::ZERO, &settled);
        }
        let told_of = |told| {
            ledger.judged(&[(ShardId(1), told)]);
            let counts = ledger.snapshot();
            assert_eq!(counts.entries_throttled, counts.throttled_by.total() + counts.throttled_unjudged);
            counts.throttled_by.iter().map(|(_, n)| n).collect::<Vec<_>>()
        };
        assert_eq!(told_of(told(0.0, 2, 1)), [2, 0, 1, 0, 3, 0]);
        assert_eq!(told_of(told(0.0, 2, 5)), [2, 0, 5, 0, 3, 0]);
    }
}
