//! Claims on their way to the audit: put down without waiting, taken all at once.
//!
//! Bounded: what finds no room is counted, because an audit that lost claims must say so.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::ledger::{Claim, StoredIn, Witness};

/// Most claims that wait: some 100 MB, and minutes of a run at any rate, while the audit empties it several times a
/// second.
pub const MOST_WAITING: usize = 1 << 20;

/// A claim, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Testimony {
    /// The producer's name in its events.
    pub producer: Arc<str>,
    /// What it says.
    pub claim: Claim,
}

/// Claims that the audit has not taken yet.
#[derive(Debug, Default)]
pub struct Mailbox {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    waiting: Vec<Testimony>,
    /// Digests of what was stored; one per shard.
    stored: Vec<StoredIn>,
    /// Records whose claims found no room.
    lost: u64,
}

impl Mailbox {
    /// Puts claims down.
    pub fn put(&self, producer: &Arc<str>, claims: impl IntoIterator<Item = Claim>) {
        let mut inner = self.lock();
        for claim in claims {
            if inner.waiting.len() < MOST_WAITING {
                inner.waiting.push(Testimony { producer: Arc::clone(producer), claim });
            } else {
                inner.lost += claim.records();
            }
        }
    }

    /// Puts digests of what was stored down; there is always room.
    pub fn put_stored(&self, stored: &[StoredIn]) {
        let mut inner = self.lock();
        stored.iter().for_each(|one| one.merge_into(&mut inner.stored));
    }

    /// Takes all digests that wait.
    #[must_use]
    pub fn take_stored(&self) -> Vec<StoredIn> {
        std::mem::take(&mut self.lock().stored)
    }

    /// Whether there is plenty of room, so that who can wait need not lose anything.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.lock().waiting.len() < MOST_WAITING / 2
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let inner = self.lock();
        inner.waiting.is_empty() && inner.stored.is_empty()
    }

    /// Takes all claims that wait, in the order in which they came.
    #[must_use]
    pub fn take(&self) -> Vec<Testimony> {
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

impl Witness for Listener {
    fn hear(&self, claims: &[Claim]) {
        self.mailbox.put(&self.producer, claims.iter().cloned());
    }

    fn hear_stored(&self, stored: &[StoredIn]) {
        self.mailbox.put_stored(stored);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Fate;

    fn claim(sequences: std::ops::Range<u64>) -> Claim {
        Claim { job: 0, sequences, fate: Fate::Sent { perhaps_twice: false }, at_millis: 0 }
    }

    #[test]
    fn what_finds_no_room_is_counted_and_what_was_put_down_is_taken_once() {
        let (mailbox, producer) = (Arc::new(Mailbox::default()), Arc::from("p"));
        mailbox.put(&producer, (0..MOST_WAITING as u64).map(|at| claim(at..at + 1)));
        mailbox.put(&producer, [claim(0..7), claim(0..5)]);
        assert_eq!((mailbox.lost(), mailbox.has_room()), (12, false));
        assert_eq!(mailbox.take().len(), MOST_WAITING);
        Listener::new("p", Arc::clone(&mailbox)).hear(&[claim(1..2)]);
        let one = Testimony { producer, claim: claim(1..2) };
        assert_eq!((mailbox.take(), mailbox.lost(), mailbox.has_room()), (vec![one], 12, true));
    }
}
