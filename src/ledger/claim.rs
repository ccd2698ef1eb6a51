//! What a producer says of its records one by one: which sequence numbers met which fate, and when it knew.
//!
//! The ledger counts; claims name. Decides what a claim can say, not who keeps it: that is for whoever is a [`Witness`].

use std::fmt;
use std::ops::Range;

use super::{Failed, StoredIn, Unknown};

/// What finally became of a record, by the producer's own word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// Kinesis answered with a sequence number.
    Sent {
        /// An earlier attempt without an answer may have stored it as well.
        perhaps_twice: bool,
    },
    /// Given up, and certainly not stored.
    Failed(Failed),
    /// Given up, and perhaps stored.
    Unknown(Unknown),
}

/// One fate of records of one job whose sequence numbers follow one another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Claim {
    /// The job that made them.
    pub job: u32,
    /// Their sequence numbers; never empty.
    pub sequences: Range<u64>,
    /// What became of each.
    pub fate: Fate,
    /// When the producer knew, in milliseconds since the Unix epoch by its own clock: for a sent record the
    /// acknowledgement.
    pub at_millis: u64,
}

impl Claim {
    /// How many records it is about.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.sequences.end.saturating_sub(self.sequences.start)
    }
}

/// Whoever wants to know the fate of every record, such as a journal.
///
/// Each generated record is claimed exactly once, after its fate is final and after the ledger has counted it. It is
/// told on the way of the record, so hearing must be quick and must not wait.
pub trait Witness: fmt::Debug + Send + Sync {
    /// Takes the claims of one batch's attempt; never none, all of one job and one time, sequence numbers ascending.
    fn hear(&self, claims: &[Claim]);

    /// Takes the digests of what one attempt stored, where the events of the run carry no identity; a shard once.
    /// Told before the claims of the same attempt.
    fn hear_stored(&self, stored: &[StoredIn]);
}

/// Claims of one job and one time in the making.
#[derive(Debug)]
pub struct Claims {
    job: u32,
    at_millis: u64,
    claims: Vec<Claim>,
}

impl Claims {
    /// None yet; nothing is allocated.
    #[must_use]
    pub fn new(job: u32, at_millis: u64) -> Self {
        Self { job, at_millis, claims: Vec::new() }
    }

    /// Adds the fate of one record; neighbours of one fate become one claim.
    pub fn add(&mut self, sequence: u64, fate: Fate) {
        match self.claims.last_mut() {
            Some(last) if last.fate == fate && last.sequences.end == sequence => last.sequences.end += 1,
            _ => self.claims.push(Claim {
                job: self.job,
                sequences: sequence..sequence + 1,
                fate,
                at_millis: self.at_millis,
            }),
        }
    }

    /// The claims, in the order in which they were added.
    #[must_use]
    pub fn as_slice(&self) -> &[Claim] {
        &self.claims
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_of_one_fate_are_one_claim() {
        let (sent, failed) = (Fate::Sent { perhaps_twice: false }, Fate::Failed(Failed::Throttled));
        let mut claims = Claims::new(7, 1_000);
        for (sequence, fate) in [(3, sent), (4, sent), (5, failed), (6, sent), (8, sent)] {
            claims.add(sequence, fate);
        }
        let claim = |sequences, fate| Claim { job: 7, sequences, fate, at_millis: 1_000 };
        assert_eq!(
            claims.as_slice(),
            [claim(3..5, sent), claim(5..6, failed), claim(6..7, sent), claim(8..9, sent)]
        );
        assert_eq!(claims.as_slice().iter().map(Claim::records).sum::<u64>(), 5);
    }
}
