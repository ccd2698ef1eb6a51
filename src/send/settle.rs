//! What one attempt means for each record of its batch: sent, tried again, failed or unknown. Pure.
//!
//! Three branches, kept apart: the request as a whole was refused or got no answer; the answer has a wrong
//! number of entries; each entry's own result. A 200 is not trusted, and only failed entries are tried again.

use crate::batch::Batch;
use crate::kinesis::limits::billing;
use crate::kinesis::{Answer, Cause, EntryResult, Refusal, ShardId, ShardMap, Silence};
use crate::ledger::{Claims, Failed, Fate, Outcome, Settled, ShardCounts, Unknown};
use crate::model::ThrottleCause;

/// What happens next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Every record is settled.
    Done,
    /// The whole batch goes out again.
    AllAgain,
    /// These entries (ascending) go out again.
    Again(Vec<u16>),
}

/// The meaning of one attempt.
#[derive(Debug, PartialEq, Eq)]
pub struct Ruling {
    /// How the request ended.
    pub outcome: Outcome,
    /// What is settled for good.
    pub settled: Settled,
    /// What is not.
    pub next: Next,
    /// Whether the entries that go out again may already be stored.
    pub doubtful: bool,
}

/// What the ruling depends on besides the answer.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// Whether another attempt is allowed.
    pub may_retry: bool,
    /// Whether an earlier attempt of these very entries got no answer.
    pub doubtful: bool,
    /// To tell the shard of refused entries whose answer names none.
    pub shards: &'a ShardMap,
}

impl Circumstances<'_> {
    /// The fate of records that are given up after their last attempt was refused.
    fn given_up(&self, why: Failed) -> Fate {
        given_up(why, self.doubtful)
    }

    fn shard_of(&self, batch: &Batch, index: usize) -> Option<ShardId> {
        batch.hash_key(index).and_then(|key| self.shards.locate(key))
    }
}

/// Where the counts of each shard stand in [`Settled::shards`]: found at once, whether a batch meets one shard or 500.
struct Places([u16; Self::SLOTS]);

impl Places {
    /// A power of two, above the entries of a request, so that neighbouring shards have slots of their own.
    const SLOTS: usize = 1024;
    const NONE: u16 = u16::MAX;

    fn new() -> Self {
        Self([Self::NONE; Self::SLOTS])
    }

    /// The counts of `shard`.
    #[inline]
    fn of<'a>(&mut self, shard: Option<ShardId>, settled: &'a mut Settled) -> &'a mut ShardCounts {
        let slot = shard.map_or(0, |shard| shard.0 as usize % Self::SLOTS);
        let mut place = usize::from(self.0[slot]);
        if settled.shards.get(place).is_none_or(|(known, _)| *known != shard) {
            // A slot that was never taken: its shard is new. Else another has it now, and ours is looked for.
            let looked_for = if self.0[slot] == Self::NONE {
                None
            } else {
                settled.shards.iter().position(|(known, _)| *known == shard)
            };
            place = looked_for.unwrap_or_else(|| {
                settled.shards.push((shard, ShardCounts::default()));
                settled.shards.len() - 1
            });
            self.0[slot] = place as u16; // a batch has at most 500 entries, so as many shards
        }
        &mut settled.shards[place].1
    }
}

/// Settles an attempt whose request failed as a whole.
#[must_use]
pub fn settle_fault(batch: &Batch, cause: Cause, so_far: Circumstances<'_>) -> Ruling {
    let (records, entries) = (batch.records() as u64, batch.len() as u64);
    let mut settled = Settled { entries, ..Settled::default() };
    match cause {
        Cause::Refused(refusal) => {
            let (outcome, why, retryable) = meaning(refusal);
            let throttle = match refusal {
                Refusal::Throttled => Some(ThrottleCause::Request),
                Refusal::KmsThrottled => Some(ThrottleCause::Kms),
                _ => None,
            };
            if let Some(throttle) = throttle {
                settled.throttled = records;
                settled.causes.push((throttle, entries));
                let mut places = Places::new();
                for index in 0..batch.len() {
                    let counts = places.of(so_far.shard_of(batch, index), &mut settled);
                    counts.throttled += batch.entry_records(index) as u64;
                    counts.entries_throttled += 1;
                    counts.throttled_bytes += batch.entry_size(index) as u64;
                }
            }
            let again = retryable && so_far.may_retry;
            if !again {
                settled.give_up(so_far.given_up(why), records);
            }
            let next = if again { Next::AllAgain } else { Next::Done };
            Ruling { outcome, settled, next, doubtful: so_far.doubtful }
        }
        Cause::Silent(silence) => {
            let (outcome, why) = match silence {
                Silence::Timeout => (Outcome::Timeout, Unknown::Timeout),
                Silence::Connection => (Outcome::Connection, Unknown::Connection),
                Silence::ServerError => (Outcome::ServerError, Unknown::ServerError),
                Silence::BadAnswer => (Outcome::BadAnswer, Unknown::BadAnswer),
            };
            if !so_far.may_retry {
                settled.unknown.push((why, records));
            }
            let next = if so_far.may_retry { Next::AllAgain } else { Next::Done };
            Ruling { outcome, settled, next, doubtful: true }
        }
    }
}

/// What a refusal is called, and whether the same request may be taken later.
fn meaning(refusal: Refusal) -> (Outcome, Failed, bool) {
    match refusal {
        Refusal::Throttled | Refusal::KmsThrottled => (Outcome::Throttled, Failed::Throttled, true),
        Refusal::Unreachable => (Outcome::Unreachable, Failed::Unreachable, true),
        // The chain of providers may have fresh ones by then.
        Refusal::CredentialsExpired => (Outcome::Refused, Failed::Credentials, true),
        Refusal::CredentialsMissing | Refusal::CredentialsRejected => {
            (Outcome::Refused, Failed::Credentials, false)
        }
        Refusal::NotFound => (Outcome::Refused, Failed::NotFound, false),
        Refusal::Invalid => (Outcome::Refused, Failed::Invalid, false),
        Refusal::Denied => (Outcome::Refused, Failed::Denied, false),
        Refusal::Kms => (Outcome::Refused, Failed::Kms, false),
        Refusal::Other => (Outcome::Refused, Failed::Rejected, false),
    }
}

/// The shard that stored an entry, or why it was refused and by which shard; shards where the answer names them.
fn stored(result: EntryResult) -> Result<Option<ShardId>, (Failed, Option<ShardId>)> {
    match result {
        EntryResult::Stored(shard) => Ok(shard),
        EntryResult::Throttled(shard) => Err((Failed::Throttled, shard)),
        EntryResult::InternalFailure(shard) => Err((Failed::InternalFailure, shard)),
        EntryResult::Rejected(shard) => Err((Failed::Rejected, shard)),
    }
}

/// The fate of records whose last attempt certainly stored nothing: failed, unless an earlier one got no answer.
pub(super) fn given_up(why: Failed, doubtful: bool) -> Fate {
    if doubtful { Fate::Unknown(Unknown::EarlierAttempt) } else { Fate::Failed(why) }
}

/// Settles an attempt that was answered with status 200.
#[must_use]
pub fn settle_answer(batch: &Batch, answer: &Answer, so_far: Circumstances<'_>) -> Ruling {
    if answer.entries.len() != batch.len() {
        // Which entry is which can't be told, and an endpoint that does this once is not asked again.
        let mut settled = Settled { entries: batch.len() as u64, ..Settled::default() };
        settled.unknown.push((Unknown::BadAnswer, batch.records() as u64));
        return Ruling { outcome: Outcome::BadAnswer, settled, next: Next::Done, doubtful: true };
    }
    // The weights of entries are looked up where they have some, and cost nothing where each is one record.
    match batch.is_aggregated() {
        false => settle_entries::<false>(batch, answer, so_far),
        true => settle_entries::<true>(batch, answer, so_far),
    }
}

/// Settles each entry by its own result; there is one for each.
fn settle_entries<const AGGREGATED: bool>(
    batch: &Batch,
    answer: &Answer,
    so_far: Circumstances<'_>,
) -> Ruling {
    let mut settled = Settled { entries: batch.len() as u64, ..Settled::default() };
    let mut again = Vec::new(); // allocates only when an entry failed
    let mut refused = 0;
    let mut places = Places::new();
    let (mut units, mut rounded_bytes) = (0, 0);
    for (index, result) in answer.entries.iter().enumerate() {
        let records = if AGGREGATED { batch.entry_records(index) as u64 } else { 1 };
        let (why, named) = match stored(*result) {
            Ok(shard) => {
                let bytes = batch.entry_size(index) as u64;
                let counts = places.of(shard, &mut settled);
                counts.sent += records;
                counts.sent_bytes += bytes;
                if AGGREGATED {
                    counts.entries_sent += 1;
                    let elsewhere = shard.zip(batch.made_for(index)).is_some_and(|(one, other)| one != other);
                    counts.sent_elsewhere += if elsewhere { records } else { 0 };
                }
                units += billing::units(bytes);
                rounded_bytes += billing::rounded(bytes);
                continue;
            }
            Err(refused) => refused,
        };
        refused += 1;
        if why == Failed::Throttled {
            settled.throttled += records;
            let shard = named.or_else(|| so_far.shard_of(batch, index));
            let counts = places.of(shard, &mut settled);
            counts.throttled += records;
            counts.throttled_bytes += batch.entry_size(index) as u64;
            if AGGREGATED {
                counts.entries_throttled += 1;
            }
        }
        if so_far.may_retry && why != Failed::Rejected {
            again.push(index as u16); // a request has at most 500 entries
        } else {
            settled.give_up(so_far.given_up(why), records);
        }
    }
    settled.sent = settled.shards.iter().map(|(_, counts)| counts.sent).sum();
    settled.sent_bytes = settled.shards.iter().map(|(_, counts)| counts.sent_bytes).sum();
    (settled.units, settled.rounded_bytes) = (units, rounded_bytes);
    if so_far.doubtful {
        settled.perhaps_twice = settled.sent;
    }
    if !AGGREGATED {
        for (_, counts) in &mut settled.shards {
            (counts.entries_sent, counts.entries_throttled) = (counts.sent, counts.throttled);
        }
    }
    // The others are for the model, which knows their shards.
    if let Some((_, counts)) =
        settled.shards.iter().find(|(shard, counts)| shard.is_none() && counts.entries_throttled > 0)
    {
        settled.causes.push((ThrottleCause::Unplaced, counts.entries_throttled));
    }
    let outcome = if refused == 0 { Outcome::Ok } else { Outcome::Partial };
    let next = match again.len() {
        0 => Next::Done,
        all if all == batch.len() => Next::AllAgain,
        _ => Next::Again(again),
    };
    Ruling { outcome, settled, next, doubtful: so_far.doubtful }
}

/// The claims of what `ruling` settled of `batch`; none when everything goes out again.
///
/// `answer` is what `ruling` was made from: none when the request failed as a whole.
pub(super) fn claims(
    batch: &Batch,
    answer: Option<&Answer>,
    so_far: Circumstances<'_>,
    ruling: &Ruling,
    at_millis: u64,
) -> Claims {
    let mut claims = Claims::new(batch.job(), at_millis);
    let again: &[u16] = match &ruling.next {
        Next::AllAgain => return claims,
        Next::Done => &[],
        Next::Again(again) => again,
    };
    let failed = ruling.settled.failed.first().map(|&(why, _)| Fate::Failed(why));
    let unknown = ruling.settled.unknown.first().map(|&(why, _)| Fate::Unknown(why));
    let results = answer.filter(|answer| answer.entries.len() == batch.len()).map(|answer| &answer.entries);
    let mut again = again.iter().copied().peekable();
    let mut fate_of = |index: usize| {
        if again.next_if(|&next| usize::from(next) == index).is_some() {
            return None;
        }
        match results {
            Some(results) => Some(match stored(results[index]) {
                Ok(_) => Fate::Sent { perhaps_twice: so_far.doubtful },
                Err((why, _)) => so_far.given_up(why),
            }),
            // One cause for all.
            None => failed.or(unknown),
        }
    };
    if batch.is_aggregated() {
        // The records of an entry have others between them.
        let mut fates = Vec::with_capacity(batch.records());
        for index in 0..batch.len() {
            if let Some(fate) = fate_of(index) {
                fates.extend(batch.entry_sequences(index).map(|sequence| (sequence, fate)));
            }
        }
        fates.sort_unstable_by_key(|&(sequence, _)| sequence);
        fates.into_iter().for_each(|(sequence, fate)| claims.add(sequence, fate));
        return claims;
    }
    for (index, sequence) in batch.sequences().enumerate() {
        if let Some(fate) = fate_of(index) {
            claims.add(sequence, fate);
        }
    }
    claims
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::batch::{Aggregation, BatchBuilder, Bundler, Envelope, Pushed, Spent};
    use crate::kinesis::{HashKey, HashRange, Limits, Shard};

    fn batch(records: usize) -> Batch {
        let mut builder = BatchBuilder::new(Limits::AWS, Spent::default());
        for index in 0..records {
            assert_eq!(builder.push(b"0123456789", &format!("key-{index}"), None), Pushed::Added);
        }
        builder.seal(&Envelope::new("s", None)).expect("not empty")
    }

    /// A batch of as many entries, most of which hold several records.
    fn aggregated(entries: usize) -> Batch {
        let (mut builder, mut bundler) =
            (BatchBuilder::new(Limits::AWS, Spent::default()), Bundler::default());
        let map = two_shards();
        bundler.begin(&map);
        let mut number = 0;
        while builder.len() < entries {
            let (aggregation, key) = (Aggregation { bytes: 64 + number % 70 }, format!("key-{number}"));
            let pushed = bundler.push(aggregation, &mut builder, &map, b"0123456789", &key, None);
            assert_eq!(pushed, Pushed::Added);
            number += 1;
        }
        builder.seal(&Envelope::new("s", None)).expect("not empty")
    }

    fn two_shards() -> ShardMap {
        let ranges = HashRange::ALL.divided(2);
        ShardMap::new(vec![
            Shard { id: ShardId(0), range: ranges[0] },
            Shard { id: ShardId(1), range: ranges[1] },
        ])
    }

    fn total(settled: &Settled) -> u64 {
        let failed: u64 = settled.failed.iter().map(|(_, n)| n).sum();
        let unknown: u64 = settled.unknown.iter().map(|(_, n)| n).sum();
        settled.sent + failed + unknown
    }

    fn result() -> impl Strategy<Value = EntryResult> {
        prop_oneof![
            4 => Just(EntryResult::Stored(Some(ShardId(0)))),
            2 => Just(EntryResult::Stored(Some(ShardId(1)))),
            1 => Just(EntryResult::Stored(None)),
            2 => Just(EntryResult::Throttled(None)),
            1 => Just(EntryResult::Throttled(Some(ShardId(1)))),
            1 => Just(EntryResult::InternalFailure(None)),
            1 => Just(EntryResult::Rejected(None)),
        ]
    }

    proptest! {
        // Every entry of an answer is settled or goes out again, never both and never neither; the shards'
        // counts add up to the totals; and what goes out again is exactly what was refused.
        #[test]
        fn every_entry_has_one_fate(
            results in vec(result(), 1..60), may_retry: bool, doubtful: bool,
        ) {
            let (batch, shards) = (batch(results.len()), two_shards());
            let answer = Answer { entries: results.clone(), ..Answer::default() };
            let ruling = settle_answer(&batch, &answer, Circumstances { may_retry, doubtful, shards: &shards });
            let again: Vec<u16> = match &ruling.next {
                Next::Done => vec![],
                Next::AllAgain => (0..batch.len() as u16).collect(),
                Next::Again(again) => again.clone(),
            };
            prop_assert_eq!(total(&ruling.settled) + again.len() as u64, batch.len() as u64);
            prop_assert_eq!(ruling.settled.entries, batch.len() as u64);
            let retryable = |r: &EntryResult| matches!(r, EntryResult::Throttled(_) | EntryResult::InternalFailure(_));
            let expected: Vec<u16> = (0..results.len())
                .filter(|&i| may_retry && retryable(&results[i]))
                .map(|i| i as u16)
                .collect();
            prop_assert_eq!(again, expected);
            let by_shard = ruling.settled.shards.iter().fold((0, 0, 0), |(sent, bytes, throttled), (_, shard)| {
                (sent + shard.sent, bytes + shard.sent_bytes, throttled + shard.throttled)
            });
            let settled = &ruling.settled;
            prop_assert_eq!(by_shard, (settled.sent, settled.sent_bytes, settled.throttled));
            prop_assert_eq!(settled.perhaps_twice, if doubtful { settled.sent } else { 0 });
            prop_assert!(!doubtful || settled.failed.is_empty(), "perhaps stored is not certainly failed");
        }
    }

    proptest! {
        // Where entries hold several records, each fate is that of all records in an entry, and what Kinesis counts is
        // the number of entries; the shards' counts add up to the totals in both.
        #[test]
        fn every_record_of_an_entry_has_its_fate(results in vec(result(), 1..60), may_retry: bool, doubtful: bool) {
            let (batch, shards) = (aggregated(results.len()), two_shards());
            prop_assert!(batch.records() > batch.len() || batch.len() < 4);
            let answer = Answer { entries: results.clone(), ..Answer::default() };
            let so_far = Circumstances { may_retry, doubtful, shards: &shards };
            let ruling = settle_answer(&batch, &answer, so_far);
            let again: Vec<u16> = match &ruling.next {
                Next::Done => vec![],
                Next::AllAgain => (0..batch.len() as u16).collect(),
                Next::Again(again) => again.clone(),
            };
            let records_of = |is: &dyn Fn(usize) -> bool| -> u64 {
                (0..batch.len()).filter(|&at| is(at)).map(|at| batch.entry_records(at) as u64).sum()
            };
            let settled = &ruling.settled;
            let stored = |at: usize| matches!(results[at], EntryResult::Stored(_));
            let throttled = |at: usize| matches!(results[at], EntryResult::Throttled(_));
            prop_assert_eq!(settled.sent, records_of(&stored));
            prop_assert_eq!(settled.throttled, records_of(&throttled));
            let goes_again = |at: usize| again.contains(&(at as u16));
            prop_assert_eq!(total(settled) + records_of(&goes_again), batch.records() as u64);
            let elsewhere = |at: usize| match (results[at], batch.made_for(at)) {
                (EntryResult::Stored(Some(shard)), Some(own)) => shard != own,
                _ => false,
            };
            let sum = |count: fn(&ShardCounts) -> u64| -> u64 { settled.shards.iter().map(|(_, one)| count(one)).sum() };
            prop_assert_eq!(sum(|one| one.sent_elsewhere), records_of(&elsewhere));
            prop_assert_eq!((sum(|one| one.sent), sum(|one| one.throttled)), (settled.sent, settled.throttled));
            let entries = |is: &dyn Fn(usize) -> bool| (0..batch.len()).filter(|&at| is(at)).count() as u64;
            prop_assert_eq!(sum(|one| one.entries_sent), entries(&stored));
            prop_assert_eq!(sum(|one| one.entries_throttled), entries(&throttled));
            // The claims name each record that is settled once, in order.
            let claims = claims(&batch, Some(&answer), so_far, &ruling, 0);
            let named: Vec<u64> = claims.as_slice().iter().flat_map(|claim| claim.sequences.clone()).collect();
            prop_assert!(named.is_sorted_by(|one, next| one < next));
            prop_assert_eq!(named.len() as u64, total(settled));
            // A fault of the whole request is one of all records, and of all entries.
            let fault = settle_fault(&batch, Cause::Refused(Refusal::Throttled), so_far).settled;
            prop_assert_eq!(fault.throttled, batch.records() as u64);
            let entries: u64 = fault.shards.iter().map(|(_, one)| one.entries_throttled).sum();
            prop_assert_eq!(entries, batch.len() as u64);
        }
    }

    fn fault(cause: Cause, may_retry: bool, doubtful: bool) -> Ruling {
        settle_fault(&batch(3), cause, Circumstances { may_retry, doubtful, shards: &two_shards() })
    }

    #[test]
    fn a_silence_leaves_the_records_unknown_unless_they_go_out_again() {
        let ruling = fault(Cause::Silent(Silence::Timeout), false, false);
        assert_eq!(ruling.settled.unknown, [(Unknown::Timeout, 3)]);
        assert_eq!(ruling.next, Next::Done);
        let ruling = fault(Cause::Silent(Silence::Timeout), true, false);
        assert_eq!((ruling.next, ruling.doubtful, total(&ruling.settled)), (Next::AllAgain, true, 0));
    }

    #[test]
    fn a_refusal_after_a_silence_is_unknown_not_failed() {
        let ruling = fault(Cause::Refused(Refusal::NotFound), true, true);
        assert_eq!(ruling.settled.unknown, [(Unknown::EarlierAttempt, 3)]);
        assert!(ruling.settled.failed.is_empty());
    }

    #[test]
    fn a_throttled_request_counts_each_entry_to_its_shard() {
        let ruling = fault(Cause::Refused(Refusal::Throttled), true, false);
        assert_eq!(
            (ruling.outcome, ruling.settled.throttled, ruling.next),
            (Outcome::Throttled, 3, Next::AllAgain)
        );
        let key = |index: usize| two_shards().locate(HashKey::of(&format!("key-{index}")));
        assert_eq!(ruling.settled.causes, [(ThrottleCause::Request, 3)]);
        let of_kms = fault(Cause::Refused(Refusal::KmsThrottled), true, false);
        assert_eq!((of_kms.settled.causes, of_kms.next), (vec![(ThrottleCause::Kms, 3)], Next::AllAgain));
        for (shard, counts) in &ruling.settled.shards {
            assert_eq!(counts.throttled, (0..3).filter(|&i| key(i) == *shard).count() as u64);
        }
    }

    #[test]
    fn a_wrong_number_of_entries_fails_the_whole_batch_and_is_not_tried_again() {
        for entries in [0, 2, 4] {
            let answer = Answer {
                entries: vec![EntryResult::Stored(None); entries],
                failed_record_count: Some(0),
                ..Answer::default()
            };
            let so_far = Circumstances { may_retry: true, doubtful: false, shards: &two_shards() };
            let ruling = settle_answer(&batch(3), &answer, so_far);
            assert_eq!(ruling.settled.unknown, [(Unknown::BadAnswer, 3)]);
            assert_eq!((ruling.outcome, ruling.next), (Outcome::BadAnswer, Next::Done));
        }
    }

    #[test]
    fn what_no_later_attempt_can_mend_is_not_tried_again() {
        for (refusal, why) in [
            (Refusal::NotFound, Failed::NotFound),
            (Refusal::Denied, Failed::Denied),
            (Refusal::Invalid, Failed::Invalid),
            (Refusal::Kms, Failed::Kms),
            (Refusal::CredentialsRejected, Failed::Credentials),
        ] {
            assert_eq!(fault(Cause::Refused(refusal), true, false).settled.failed, [(why, 3)]);
        }
        for refusal in [Refusal::Throttled, Refusal::Unreachable, Refusal::CredentialsExpired] {
            assert_eq!(fault(Cause::Refused(refusal), true, false).next, Next::AllAgain);
        }
    }
}
