//! Claims on their way to the audit: put down without waiting, taken all at once.
//!
//! Bounded: what finds no room is counted, because an audit that lost claims must say so.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Claim, Fate};
use crate::ledger;

/// Most claims that wait: some 100 MB, and minutes of a run at any rate, while the audit empties it several times a
/// second.
pub const MOST_WAITING: usize = 1 << 20;

/// Claims that the audit has not taken yet.
#[derive(Debug, Default)]
pub struct Mailbox {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    waiting: Vec<Claim>,
    /// Records whose claims found no room.
    lost: u64,
}

impl Mailbox {
    /// Puts claims down.
    pub fn put(&self, claims: impl IntoIterator<Item = Claim>) {
        let mut inner = self.lock();
        for claim in claims {
            if inner.waiting.len() < MOST_WAITING {
                inner.waiting.push(claim);
            } else {
                inner.lost += claim.sequences.end.saturating_sub(claim.sequences.start);
            }
        }
    }

    /// Takes all that wait, in the order in which they came.
    #[must_use]
    pub fn take(&self) -> Vec<Claim> {
        std::mem::take(&mut self.lock().waiting)
    }

    /// Records whose claims found no room, so that nothing can be said of them.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lock().lost
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hears the claims of a producer in this process.
#[derive(Debug)]
pub struct Listener {
    producer: Arc<str>,
    mailbox: Arc<Mailbox>,
}

impl Listener {
    /// Puts what it hears of `producer` into `mailbox`.
    #[must_use]
    pub fn new(producer: &str, mailbox: Arc<Mailbox>) -> Self {
        Self { producer: producer.into(), mailbox }
    }
}

impl ledger::Witness for Listener {
    fn hear(&self, claims: &[ledger::Claim]) {
        self.mailbox.put(claims.iter().map(|claim| translated(&self.producer, claim)));
    }
}

/// A claim as the audit knows it: whose it is matters, why a record failed does not.
#[must_use]
pub fn translated(producer: &Arc<str>, claim: &ledger::Claim) -> Claim {
    Claim {
        producer: Arc::clone(producer),
        job: claim.job,
        sequences: claim.sequences.clone(),
        fate: match claim.fate {
            ledger::Fate::Sent { perhaps_twice } => Fate::Sent { perhaps_twice },
            ledger::Fate::Failed(_) => Fate::Failed,
            ledger::Fate::Unknown(_) => Fate::Unknown,
        },
        at_millis: claim.at_millis,
        due_millis: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(sequences: std::ops::Range<u64>) -> Claim {
        let fate = Fate::Sent { perhaps_twice: false };
        Claim { producer: "p".into(), job: 0, sequences, fate, at_millis: 0, due_millis: None }
    }

    #[test]
    fn what_finds_no_room_is_counted_and_what_was_put_down_is_taken_once() {
        let mailbox = Mailbox::default();
        mailbox.put((0..MOST_WAITING as u64).map(|at| claim(at..at + 1)));
        mailbox.put([claim(0..7), claim(0..5)]);
        assert_eq!(mailbox.lost(), 12);
        assert_eq!(mailbox.take().len(), MOST_WAITING);
        mailbox.put([claim(1..2)]);
        assert_eq!((mailbox.take(), mailbox.lost()), (vec![claim(1..2)], 12));
    }
}
