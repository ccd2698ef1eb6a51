//! What an answer says is stored, as digests: for runs whose events carry no identity.
//!
//! Decides nothing of the records' fates: that is `settle`.

use crate::batch::Batch;
use crate::kinesis::{Answer, EntryResult};
use crate::ledger::StoredIn;

/// Digests of the user records that an answer says are stored; it has a result for each entry.
pub(super) fn stored_in(batch: &Batch, answer: &Answer) -> Vec<StoredIn> {
    let (mut all, mut data) = (Vec::new(), Vec::new());
    for (index, (result, number)) in answer.entries.iter().zip(&answer.numbers).enumerate() {
        // An entry whose place is told in no known form can't be found again: the reader has one more, and says so.
        if let (EntryResult::Stored(Some(shard)), Some(number)) = (result, number) {
            batch.each_data(index, &mut data, |one| StoredIn::add(&mut all, *shard, *number, one));
        }
    }
    all
}
