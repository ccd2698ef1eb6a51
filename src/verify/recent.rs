//! When producers had their acknowledgements: the moments of the latest claims, as many as a bound allows.
//!
//! Needed for latencies and for order alone. What is forgotten is not judged, and the verdict tells how much that is.

use std::collections::{HashMap, VecDeque};

use crate::ledger::{Claim, Fate};

/// Most claims that are remembered, 40 bytes each. Enough for 10 million records in requests of 10.
pub(super) const MOST: usize = 1 << 20;

/// A job of a producer, by the producer's place in the roster.
pub(super) type JobKey = (u32, u32);

/// When records were acknowledged and due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    /// When the acknowledgement came, in Unix milliseconds.
    pub(super) at_millis: u64,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    first: u64,
    last: u64,
    told: Told,
}

/// The latest claims of records that were sent.
#[derive(Debug)]
pub(super) struct Recent {
    /// By job; each ascends.
    jobs: HashMap<JobKey, VecDeque<Entry>>,
    /// The jobs of all entries, oldest entry first.
    ages: VecDeque<JobKey>,
    most: usize,
}

impl Recent {
    pub(super) fn new(most: usize) -> Self {
        Self { jobs: HashMap::new(), ages: VecDeque::new(), most }
    }

    /// Remembers a claim of records that were sent.
    pub(super) fn note(&mut self, producer: u32, claim: &Claim) {
        let Some(last) = claim.sequences.end.checked_sub(1).filter(|_| !claim.sequences.is_empty()) else {
            return;
        };
        if !matches!(claim.fate, Fate::Sent { .. }) {
            return;
        }
        let key = (producer, claim.job);
        let told = Told { at_millis: claim.at_millis };
        let entries = self.jobs.entry(key).or_default();
        // Claims of a job come nearly in order: the place is at the end, or few steps before it.
        let mut at = entries.len();
        while at > 0 && entries[at - 1].first > claim.sequences.start {
            at -= 1;
        }
        if at > 0 {
            let before = &mut entries[at - 1];
            if before.told == told && before.last.checked_add(1) == Some(claim.sequences.start) {
                before.last = last;
                return;
            }
        }
        entries.insert(at, Entry { first: claim.sequences.start, last, told });
        self.ages.push_back(key);
        if self.ages.len() > self.most
            && let Some(oldest) = self.ages.pop_front()
            && let Some(entries) = self.jobs.get_mut(&oldest)
        {
            entries.pop_front();
        }
    }

    /// What was told of a record.
    #[inline]
    pub(super) fn of(&self, job: JobKey, sequence: u64) -> Option<Told> {
        let entries = self.jobs.get(&job)?;
        let entry = entries.get(entries.partition_point(|entry| entry.first <= sequence).checked_sub(1)?)?;
        (sequence <= entry.last).then_some(entry.told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Unknown;

    fn claim(job: u32, sequences: std::ops::Range<u64>, at_millis: u64) -> Claim {
        let fate = Fate::Sent { perhaps_twice: false };
        Claim { job, sequences, fate, at_millis }
    }

    #[test]
    fn a_record_is_told_by_the_claim_that_holds_it() {
        let mut recent = Recent::new(10);
        for (range, at) in [(10..20, 1), (0..10, 2), (30..40, 3), (40..50, 3)] {
            recent.note(0, &claim(7, range, at));
        }
        recent.note(0, &Claim { fate: Fate::Unknown(Unknown::Timeout), ..claim(7, 20..30, 9) });
        let at = |sequence| recent.of((0, 7), sequence).map(|told| told.at_millis);
        assert_eq!(
            [0, 9, 10, 19, 20, 29, 30, 49, 50].map(at),
            [2, 2, 1, 1, 0, 0, 3, 3, 0].map(|at| (at > 0).then_some(at))
        );
        assert_eq!(recent.of((1, 7), 0), None);
        assert_eq!(recent.ages.len(), 3, "neighbours of one moment are one entry");
    }

    #[test]
    fn the_oldest_are_forgotten_first() {
        let mut recent = Recent::new(4);
        for at in 0..100 {
            recent.note(0, &claim((at % 2) as u32, at..at + 1, at));
        }
        let known: Vec<u64> = (0..100).filter(|&at| recent.of((0, (at % 2) as u32), at).is_some()).collect();
        assert_eq!(known, [96, 97, 98, 99]);
    }
}
