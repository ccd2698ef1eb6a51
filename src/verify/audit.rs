//! Holds what was read against what is claimed, record by record, in bounded memory.
//!
//! Whose a record is, the roster says; which sequences are there, the tracks; what the end looks like, `finish`.

use std::collections::HashMap;
use std::sync::Arc;

use super::Seen;
use super::blocks::Sight;
use super::expect::Expect;
use super::finish;
use super::order::{self, Order};
use super::original::{Corruption, UnmakeableError};
use super::recent::{self, JobKey, Recent, Told};
use super::roster::{Roster, Whose};
use super::times::{Moments, Times};
use super::track::{NoRoom, Room};
use super::unpack::{UserRecord, unpack};
use super::verdict::{Example, Finding, Progress, Read, Verdict};
use crate::kinesis::{HashRange, SequenceNumber, ShardId};
use crate::ledger::{Claim, Digest, Fate, StoredIn};

/// Most pieces of all tracks together: at most 256 bytes each, or 128 MiB. Sequences that are in one state cost next
/// to nothing, and the worst mixture a piece for every 256 of them: so this is for 134 million records at their worst.
const MOST_PIECES: usize = 1 << 19;

/// Most second copies and contradictions whose place in the stream is remembered for examples.
const MOST_PLACES: usize = 4096;

/// Most overtaken records that are kept until the end because their acknowledgement is not known yet.
const MOST_SUSPECTS: usize = 1 << 16;

/// What is known of a shard.
#[derive(Debug, Default)]
pub(super) struct ShardState {
    last: Option<SequenceNumber>,
    pub(super) anonymous: Digest,
    pub(super) claimed: Option<Digest>,
}

/// Where in the stream a record was that may turn out to be an example.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) job: JobKey,
    pub(super) sequence: u64,
    pub(super) shard: ShardId,
    pub(super) sequence_number: SequenceNumber,
    pub(super) partition_key: Box<str>,
}

/// A record that was overtaken by one that was due at `behind_millis`, before its acknowledgement was known.
#[derive(Debug)]
pub(super) struct Suspect {
    pub(super) place: Place,
    pub(super) behind_millis: u64,
}

/// An audit under way. Nothing of it depends on whether a claim or its records come first, but for what is told of
/// that: latencies from the acknowledgement, and the jobs of `message` events (see [`Made`](super::Made)).
#[derive(Debug)]
pub struct Audit {
    pub(super) expect: Expect,
    pub(super) roster: Roster,
    pub(super) room: Room,
    pub(super) recent: Recent,
    order: Order,
    /// The shards that a record was read from, or that producers say they sent records to.
    pub(super) shards: HashMap<ShardId, ShardState>,
    /// The hash keys of shards, where they are known.
    ranges: HashMap<ShardId, HashRange>,
    pub(super) read: Read,
    pub(super) progress: Progress,
    pub(super) corrupt_unidentified: u64,
    pub(super) times: Times,
    pub(super) examples: Examples,
    pub(super) places: Vec<Place>,
    pub(super) suspects: Vec<Suspect>,
    inflated: Vec<u8>,
    /// Whether the producers have told all that they ever will.
    pub(super) all_told: bool,
    /// Records without identity that were claimed as unknown, or as perhaps stored twice.
    pub(super) doubtful: u64,
}

impl Audit {
    /// An audit that has seen nothing yet.
    ///
    /// # Errors
    /// When a producer's events or keys can't be made.
    pub fn new(expect: Expect) -> Result<Self, UnmakeableError> {
        Ok(Self {
            roster: Roster::new(&expect)?,
            examples: Examples { most: expect.examples, kept: Vec::new() },
            expect,
            room: Room(MOST_PIECES),
            recent: Recent::new(recent::MOST),
            order: Order::new(order::MOST),
            shards: HashMap::new(),
            ranges: HashMap::new(),
            read: Read::default(),
            progress: Progress::default(),
            corrupt_unidentified: 0,
            times: Times::default(),
            places: Vec::new(),
            suspects: Vec::new(),
            inflated: Vec::new(),
            all_told: false,
            doubtful: 0,
        })
    }

    /// Notes that a shard came from these, by a split or a merge: their order goes on in it. Before its first record.
    pub fn reshard(&mut self, shard: ShardId, parents: &[ShardId]) {
        self.order.parents(shard, parents);
    }

    /// Notes the hash keys that a shard holds. Before its first record.
    pub fn holds(&mut self, shard: ShardId, range: HashRange) {
        self.ranges.insert(shard, range);
    }

    /// Takes a record that was read. The records of a shard come in its order; shards may come in any mixture, but
    /// children after their parents.
    pub fn see(&mut self, seen: &Seen<'_>) {
        let shard = self.shards.entry(seen.shard).or_default();
        if shard.last.is_some_and(|last| seen.sequence_number <= last) {
            self.read.again += 1;
            return;
        }
        shard.last = Some(seen.sequence_number);
        self.read.records += 1;
        self.read.bytes += seen.data.len() as u64;
        let mut inflated = std::mem::take(&mut self.inflated);
        let range = self.ranges.get(&seen.shard).copied();
        let (mut aggregated, mut outside) = (0, None::<Box<str>>);
        unpack(seen.partition_key, seen.data, &mut inflated, |user_record| match user_record {
            Ok(user_record) => {
                if user_record.aggregated {
                    aggregated += 1;
                    let belongs = range.is_none_or(|range| range.contains(user_record.hash_key()));
                    if !belongs && outside.is_none() {
                        outside = Some(user_record.partition_key.into());
                    }
                }
                if self.user_record(seen, &user_record) {
                    let shard = self.shards.entry(seen.shard).or_default();
                    shard.anonymous.add(seen.sequence_number, user_record.put);
                }
            }
            Err(_) => {
                self.read.user_records += 1;
                self.unidentified(seen, None, Corruption::Packing);
            }
        });
        self.inflated = inflated;
        // Who reads them by the library gets none of them.
        if let Some(partition_key) = outside {
            self.progress.misplaced += aggregated;
            let partition_key = Some(partition_key.into());
            self.examples.add(Example { partition_key, ..located(Finding::Misplaced, seen) });
        }
    }

    /// True where it is ours, but without an identity.
    fn user_record(&mut self, seen: &Seen<'_>, record: &UserRecord<'_>) -> bool {
        self.read.user_records += 1;
        self.read.aggregated += u64::from(record.aggregated);
        self.read.compressed += u64::from(record.compressed);
        match self.roster.judge(record.data, record.partition_key) {
            Whose::Ours { job, due_millis: Some(due), fault: None, .. }
                if due < self.roster.members[job.0 as usize].begun =>
            {
                self.read.earlier += 1;
            }
            Whose::Ours { job, sequence: event, due_millis, fault, compared } => {
                let sequence = self.roster.members[job.0 as usize].place_of(job.1, event);
                let place = || Place {
                    job,
                    sequence,
                    shard: seen.shard,
                    sequence_number: seen.sequence_number,
                    partition_key: record.partition_key.into(),
                };
                let told = self.recent.of(job, sequence);
                let due_millis = due_millis.filter(|_| fault.is_none());
                let counts = &mut self.roster.members[job.0 as usize].counts;
                counts.not_compared += u64::from(!compared);
                if let Some(corruption) = fault {
                    counts.corrupt += 1;
                    self.progress.corrupt += 1;
                    self.examples.add(self.roster.example(Finding::Corrupt, &place(), Some(corruption)));
                }
                if self.first_copy(job, sequence, &place)
                    && let Some(due_millis) = due_millis
                {
                    self.times.record(Moments {
                        due: due_millis,
                        arrived: seen.arrived_millis,
                        acknowledged: told.map(|told| told.at_millis),
                        read: seen.read_millis,
                    });
                    self.follow(seen, record, due_millis, told, &place);
                }
            }
            Whose::Damaged(producer) => self.unidentified(seen, Some(producer), Corruption::Identity),
            Whose::Anonymous => {
                self.progress.anonymous += 1;
                return true;
            }
            Whose::Foreign => {
                self.progress.foreign += 1;
                self.examples.add(located(Finding::Foreign, seen));
            }
        }
        false
    }

    /// Notes an event in its track; true if it is the first of its sequence.
    fn first_copy(&mut self, job: JobKey, sequence: u64, place: &impl Fn() -> Place) -> bool {
        let member = &mut self.roster.members[job.0 as usize];
        let track = member.tracks.entry(job.1).or_default();
        match track.see(sequence, &mut self.room) {
            Ok(Sight { again, contradicts }) => {
                if again {
                    member.counts.extra_copies += 1;
                    self.progress.extra_copies += 1;
                } else {
                    member.counts.found += 1;
                }
                if (again || contradicts) && self.places.len() < MOST_PLACES {
                    self.places.push(place());
                }
                !again
            }
            Err(NoRoom) => {
                member.counts.not_followed += 1;
                false
            }
        }
    }

    /// Looks whether the record stands behind one of its key that it should stand before.
    fn follow(
        &mut self,
        seen: &Seen<'_>,
        record: &UserRecord<'_>,
        due_millis: u64,
        told: Option<Told>,
        place: &impl Fn() -> Place,
    ) {
        let Place { job, sequence, .. } = place();
        let member = &mut self.roster.members[job.0 as usize];
        if member.original.as_ref().is_some_and(|original| !original.keys_repeat) {
            return;
        }
        let Some(behind_millis) = self.order.see(seen.shard, job, record.partition_key, sequence, due_millis)
        else {
            return;
        };
        match told {
            Some(told) if told.at_millis < behind_millis => {
                member.counts.disordered += 1;
                self.progress.disordered += 1;
                self.examples.add(self.roster.example(Finding::Disordered, &place(), None));
            }
            Some(_) => {
                member.counts.overtaken += 1;
                self.progress.overtaken += 1;
            }
            None => {
                self.progress.overtaken += 1;
                if self.suspects.len() < MOST_SUSPECTS {
                    self.suspects.push(Suspect { place: place(), behind_millis });
                } else {
                    member.counts.overtaken += 1;
                    member.counts.order_unjudged += 1;
                }
            }
        }
    }

    /// Counts a user record that is ours, and nobody knows which.
    fn unidentified(&mut self, seen: &Seen<'_>, producer: Option<u32>, corruption: Corruption) {
        self.corrupt_unidentified += 1;
        self.progress.corrupt += 1;
        let producer = producer.map(|place| self.roster.members[place as usize].name.to_string());
        let example = Example { producer, corruption: Some(corruption), ..located(Finding::Corrupt, seen) };
        self.examples.add(example);
    }

    /// Takes a producer's word.
    pub fn claim(&mut self, producer: &Arc<str>, claim: &Claim) {
        let count = claim.records();
        if count == 0 {
            return;
        }
        self.progress.claimed += count;
        let place = self.roster.claimant(producer);
        self.recent.note(place, claim);
        let member = &mut self.roster.members[place as usize];
        member.claims = true;
        let counts = &mut member.counts;
        match claim.fate {
            Fate::Sent { .. } => counts.claimed_sent += count,
            Fate::Failed(_) => counts.claimed_failed += count,
            Fate::Unknown(_) => counts.claimed_unknown += count,
        }
        // Nothing that is read will ever be one of these: their digests and sums are all that can be compared.
        if member.anonymous {
            if matches!(claim.fate, Fate::Unknown(_) | Fate::Sent { perhaps_twice: true }) {
                self.doubtful += count;
            }
            return;
        }
        let track = member.tracks.entry(claim.job).or_default();
        let (again, no_room) = track.claim(&claim.sequences, claim.fate, &mut self.room);
        counts.claimed_again += again;
        counts.not_followed += no_room;
    }

    /// Takes the producers' digest of the records without identity that they sent to a shard; of several producers
    /// and of several times the sum.
    pub fn claim_digest(&mut self, stored: &StoredIn) {
        self.shards.entry(stored.shard).or_default().claimed.get_or_insert_default().merge(&stored.digest);
    }

    /// Notes that the producers have told all that they ever will: what is beyond it is somebody else's.
    pub fn all_told(&mut self) {
        self.all_told = true;
    }

    /// How far it has come.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let Read { records, bytes, user_records, .. } = self.read;
        Progress { records, bytes, user_records, ..self.progress }
    }

    /// The end: everything that there is was read and claimed.
    #[must_use]
    pub fn finish(self) -> Verdict {
        finish::verdict(self)
    }
}

/// An example that is known by its place in the stream alone.
fn located(finding: Finding, seen: &Seen<'_>) -> Example {
    Example {
        finding,
        producer: None,
        job: None,
        first_sequence: None,
        last_sequence: None,
        shard: Some(seen.shard.to_string()),
        sequence_number: Some(seen.sequence_number.to_string()),
        partition_key: Some(seen.partition_key.to_owned()),
        corruption: None,
    }
}

/// The first cases of each finding.
#[derive(Debug)]
pub(super) struct Examples {
    most: usize,
    pub(super) kept: Vec<Example>,
}

impl Examples {
    /// Whether another case of it would be kept.
    pub(super) fn wants(&self, finding: Finding) -> bool {
        self.kept.iter().filter(|kept| kept.finding == finding).count() < self.most
    }

    pub(super) fn add(&mut self, example: Example) {
        if self.wants(example.finding) {
            self.kept.push(example);
        }
    }
}

#[cfg(test)]
#[path = "audit_tests.rs"]
mod tests;
