//! What throttled entries are charged to, and who else writes: rows of the summary.
//!
//! Decides what is worth a row, and says what is a model's number.

use super::human;
use super::summary::row;
use crate::ledger::Snapshot;
use crate::model::ThrottleCause;

/// The rows below that of all throttled entries.
pub(super) fn rows(text: &mut String, counts: &Snapshot) {
    for (cause, count) in counts.throttled_by.iter().filter(|(_, count)| *count > 0) {
        let share = human::share(count, counts.entries_throttled);
        let rest = format!("{share:>11}  {}", why(cause));
        row(text, 2, cause.label(), &human::grouped(count), &rest);
    }
    if counts.throttled_unjudged > 0 {
        row(text, 2, "not judged yet", &human::grouped(counts.throttled_unjudged), "");
    }
    if let Some(others) = counts.other_writers() {
        let rate = format!("≈ {}", human::grouped(others.records_per_second.round() as u64));
        let bytes = human::bytes(others.bytes_per_second);
        let shards = human::counted(others.shards, "shard");
        let rest = format!(
            "  records/s (± {}) or {bytes}/s by others on {shards} at the limit, by the model",
            human::grouped(others.doubt_per_second.ceil() as u64)
        );
        row(text, 1, "other writers", &rate, &rest);
    }
}

pub(super) fn why(cause: ThrottleCause) -> &'static str {
    match cause {
        ThrottleCause::Records => "by the model: this run's own records filled the shard's second",
        ThrottleCause::Bytes => "by the model: this run's own bytes filled the shard's second",
        ThrottleCause::OtherWriters => "by the model: there was room but for others (or a lower limit)",
        ThrottleCause::Kms => "KMS throttled the whole request",
        ThrottleCause::Request => "the whole request was throttled, not a shard",
        ThrottleCause::Unplaced => "no shard could be told",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::kinesis::ShardId;
    use crate::ledger::{Ledger, Outcome, Settled, ShardCounts};
    use crate::model::{Others, ShardThrottles};

    #[test]
    fn causes_have_their_shares_and_a_models_number_says_that_it_is_one() {
        let ledger = Ledger::new();
        let causes = vec![(ThrottleCause::Kms, 10)];
        let shard = ShardCounts { throttled: 1_250, entries_throttled: 1_250, ..ShardCounts::default() };
        let shards = vec![(Some(ShardId(0)), shard)];
        let settled = Settled { throttled: 1_250, causes, shards, ..Settled::default() };
        ledger.attempted(Outcome::Partial, Duration::ZERO, Duration::ZERO, &settled);
        let others = Others { records: 4_100.0, bytes: 1_024_000.0, seconds: 10.0, doubt_records: 115.0 };
        let told = ShardThrottles { by_records: 990, by_others: 240, others, ..ShardThrottles::default() };
        ledger.judged(&[(ShardId(0), told)]);
        let mut text = String::new();
        rows(&mut text, &ledger.snapshot());
        assert_eq!(
            text,
            "    records                         990    79.20 %  by the model: this run's own records filled the shard's second
    other_writers                   240    19.20 %  by the model: there was room but for others (or a lower limit)
    kms                              10     0.80 %  KMS throttled the whole request
    not judged yet                   10
  other writers                   ≈ 410  records/s (± 12) or 100 KiB/s by others on 1 shard at the limit, by the model
"
        );
    }
}
