//! From the tracks to the verdict: each sequence gets its one standing, and the first of each finding become examples.

use std::collections::HashMap;

use super::audit::{Audit, Place, ShardState};
use super::blocks::Standing;
use super::original::Corruption;
use super::pairs;
use super::roster::{Member, Roster};
use super::verdict::{Counts, Example, Finding, ProducerVerdict, Read, ShardDigest, Verdict};
use crate::kinesis::ShardId;
use crate::ledger::Digest;

/// The verdict of an audit.
pub(super) fn verdict(mut audit: Audit) -> Verdict {
    pairs::settle(&mut audit);
    judge_suspects(&mut audit);
    let located = located(&audit);
    let Audit { expect, roster, mut examples, times, .. } = audit;
    let mut producers = Vec::new();
    for place in 0..roster.members.len() {
        let mut counts = roster.members[place].counts;
        for (&job, track) in &roster.members[place].tracks {
            track.standings(expect.from_start, |standing, first, last| {
                count(&mut counts, standing, last - first + 1);
                let Some(finding) = finding(standing).filter(|&finding| examples.wants(finding)) else {
                    return;
                };
                let range = (place as u32, job, first, last);
                for example in roster.examples_of(finding, range, &located, expect.examples) {
                    examples.add(example);
                }
            });
        }
        let member = &roster.members[place];
        // A name that was met in damaged events alone is nobody's.
        if !member.listed && member.tracks.is_empty() {
            continue;
        }
        producers.push(ProducerVerdict {
            name: member.name.to_string(),
            jobs: member.tracks.len() as u64,
            claims: member.claims,
            counts,
        });
    }
    producers.sort_by(|one, other| one.name.cmp(&other.name));
    let mut total = Counts::default();
    producers.iter().for_each(|one| total.add(&one.counts));
    let digests = digests(&audit.shards, roster.members.iter().any(|one| one.anonymous && one.claims));
    let more: u64 = digests.iter().map(ShardDigest::more).sum();
    let explained = !audit.all_told || audit.doubtful > 0 || expect.foreign_allowed;
    if roster.members.iter().any(|one| one.anonymous) {
        total.missing += digests.iter().map(ShardDigest::fewer).sum::<u64>();
        total.delivered += digests.iter().map(ShardDigest::found).sum::<u64>();
    }
    examples.kept.sort_by_key(|example| example.finding);
    let progress = audit.progress;
    let mut verdict = Verdict {
        clean: false,
        read: Read { shards: audit.shards.len() as u64, ..audit.read },
        total,
        producers,
        corrupt_unidentified: audit.corrupt_unidentified,
        misplaced: progress.misplaced,
        foreign: progress.foreign,
        foreign_allowed: expect.foreign_allowed,
        anonymous: progress.anonymous,
        digests,
        unexplained: if explained { 0 } else { more },
        latency: times.latencies(),
        examples: examples.kept,
    };
    verdict.clean = verdict.judge();
    verdict
}

/// What was read without identity, and what producers say that they sent; `said`: whether they say anything at all.
fn digests(shards: &HashMap<ShardId, ShardState>, said: bool) -> Vec<ShardDigest> {
    let told = shards.iter().filter(|(_, shard)| shard.anonymous.records > 0 || shard.claimed.is_some());
    let mut told: Vec<_> = told.collect();
    told.sort_by_key(|(id, _)| **id);
    let digest = |(id, shard): (&ShardId, &ShardState)| ShardDigest {
        shard: id.to_string(),
        read: shard.anonymous,
        claimed: shard.claimed.or(said.then(Digest::default)),
    };
    told.into_iter().map(digest).collect()
}

/// Overtaken records whose acknowledgement was not known when they were read: by now it may be.
fn judge_suspects(audit: &mut Audit) {
    for suspect in std::mem::take(&mut audit.suspects) {
        let Place { job, sequence, .. } = suspect.place;
        let told = audit.recent.of(job, sequence);
        let counts = &mut audit.roster.members[job.0 as usize].counts;
        match told {
            Some(told) if told.at_millis < suspect.behind_millis => {
                counts.disordered += 1;
                audit.examples.add(audit.roster.example(Finding::Disordered, &suspect.place, None));
            }
            Some(_) => counts.overtaken += 1,
            None => {
                counts.overtaken += 1;
                counts.order_unjudged += 1;
            }
        }
    }
}

/// Places in the stream, by producer, job and sequence.
type Located = HashMap<(u32, u32, u64), Place>;

fn located(audit: &Audit) -> Located {
    let key = |place: &Place| (place.job.0, place.job.1, place.sequence);
    audit.places.iter().map(|place| (key(place), place.clone())).collect()
}

fn count(counts: &mut Counts, standing: Standing, sequences: u64) {
    match standing {
        Standing::Delivered => counts.delivered += sequences,
        Standing::Missing => counts.missing += sequences,
        Standing::ExpectedDuplicate => counts.duplicate_expected += sequences,
        Standing::UnexpectedDuplicate => counts.duplicate += sequences,
        Standing::Contradicted => counts.contradicted += sequences,
        Standing::Failed => {}
        Standing::UnknownStored => counts.unknown_stored += sequences,
        Standing::UnknownLost => counts.unknown_not_stored += sequences,
        Standing::Unclaimed => counts.unclaimed += sequences,
        Standing::Gap => counts.gap = counts.gap.saturating_add(sequences),
    }
}

fn finding(standing: Standing) -> Option<Finding> {
    match standing {
        Standing::Missing => Some(Finding::Missing),
        Standing::UnexpectedDuplicate => Some(Finding::Duplicate),
        Standing::Contradicted => Some(Finding::Contradicted),
        Standing::Gap => Some(Finding::Gap),
        Standing::Delivered
        | Standing::ExpectedDuplicate
        | Standing::Failed
        | Standing::UnknownStored
        | Standing::UnknownLost
        | Standing::Unclaimed => None,
    }
}

impl Roster {
    /// An example of a record whose place in the stream is known.
    pub(super) fn example(&self, finding: Finding, place: &Place, corruption: Option<Corruption>) -> Example {
        Example {
            shard: Some(place.shard.to_string()),
            sequence_number: Some(place.sequence_number.to_string()),
            partition_key: Some(place.partition_key.to_string()),
            corruption,
            ..self.unlocated(finding, place.job.0, place.job.1, (place.sequence, place.sequence))
        }
    }

    fn unlocated(&self, finding: Finding, producer: u32, job: u32, (first, last): (u64, u64)) -> Example {
        let member: &Member = &self.members[producer as usize];
        Example {
            finding,
            producer: Some(member.name.to_string()),
            job: Some(job),
            first_sequence: Some(first),
            last_sequence: Some(last),
            shard: None,
            sequence_number: None,
            partition_key: None,
            corruption: None,
        }
    }

    /// Examples of a range: what is missing together is one; what is in the stream is told one by one, with its
    /// place where that is known.
    fn examples_of(
        &self,
        finding: Finding,
        (producer, job, first, last): (u32, u32, u64, u64),
        located: &Located,
        most: usize,
    ) -> Vec<Example> {
        if matches!(finding, Finding::Missing | Finding::Gap) {
            return vec![self.unlocated(finding, producer, job, (first, last))];
        }
        (first..=last)
            .take(most)
            .map(|sequence| match located.get(&(producer, job, sequence)) {
                Some(place) => self.example(finding, place, None),
                None => self.unlocated(finding, producer, job, (sequence, sequence)),
            })
            .collect()
    }
}
