//! 256 neighbouring sequences of a job: what was seen of each and what is claimed, in six bits.
//!
//! Knows nothing of how blocks lie beside each other; that is the track's.

use crate::ledger::Fate;

/// Sequences of a block.
pub(super) const BLOCK: u64 = 256;

/// A bit for each sequence of a block.
pub(super) type Bits = [u64; 4];

const NONE: Bits = [0; 4];
const ALL: Bits = [u64::MAX; 4];

/// What a sequence came to; it may be several of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Standing {
    /// Claimed as sent, and found.
    Delivered,
    /// Claimed as sent, and not found.
    Missing,
    /// Found more than once, as its producer said that it might be.
    ExpectedDuplicate,
    /// Found more than once.
    UnexpectedDuplicate,
    /// Claimed as failed, and found.
    Contradicted,
    /// Claimed as failed, and not found.
    Failed,
    /// Claimed as unknown, and found.
    UnknownStored,
    /// Claimed as unknown, and not found.
    UnknownLost,
    /// Found, and claimed by nobody.
    Unclaimed,
    /// Neither found nor claimed.
    Gap,
}

/// What it means that a sequence was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sight {
    /// It was seen before.
    pub(super) again: bool,
    /// It is claimed as failed, as far as is known yet.
    pub(super) contradicts: bool,
}

/// All that is known of one sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Glance {
    pub(super) seen: bool,
    pub(super) again: bool,
    pub(super) sent: bool,
    pub(super) twice: bool,
    pub(super) failed: bool,
    pub(super) unknown: bool,
}

/// What is true of all sequences of a block alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Uniform {
    /// Claimed as sent, not seen yet.
    Awaited,
    /// Claimed as sent, and seen once.
    Delivered,
    /// Seen once, not claimed yet.
    Found,
}

/// What is known of a block's sequences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Block {
    seen: Bits,
    again: Bits,
    sent: Bits,
    twice: Bits,
    failed: Bits,
    unknown: Bits,
}

impl Block {
    /// The block whose sequences are all in the same state.
    pub(super) fn of(state: Uniform) -> Self {
        let (seen, sent) = match state {
            Uniform::Awaited => (NONE, ALL),
            Uniform::Delivered => (ALL, ALL),
            Uniform::Found => (ALL, NONE),
        };
        Self { seen, sent, ..Self::default() }
    }

    /// The state that all sequences are in, if they are.
    #[inline]
    pub(super) fn uniform(&self) -> Option<Uniform> {
        // Most blocks are seen through at a glance: in the middle of being read.
        if self.seen.iter().any(|word| *word != self.seen[0] || word.wrapping_add(1) > 1) {
            return None;
        }
        let state = match (self.seen[0] != 0, self.sent[0] != 0) {
            (false, true) => Uniform::Awaited,
            (true, true) => Uniform::Delivered,
            (true, false) => Uniform::Found,
            (false, false) => return None,
        };
        (*self == Self::of(state)).then_some(state)
    }

    /// Marks the sequence at `at` as seen.
    #[inline]
    pub(super) fn see(&mut self, at: u64) -> Sight {
        let (word, bit) = place(at);
        let again = self.seen[word] & bit;
        self.seen[word] |= bit;
        self.again[word] |= again;
        let failed = self.failed[word] & !self.sent[word] & !self.unknown[word] & bit;
        Sight { again: again != 0, contradicts: failed != 0 }
    }

    /// What is known of the sequence at `at`.
    pub(super) fn glance(&self, at: u64) -> Glance {
        let (word, bit) = place(at);
        let is = |bits: &Bits| bits[word] & bit != 0;
        Glance {
            seen: is(&self.seen),
            again: is(&self.again),
            sent: is(&self.sent),
            twice: is(&self.twice),
            failed: is(&self.failed),
            unknown: is(&self.unknown),
        }
    }

    /// Takes back that the sequence at `at` was seen, the last time that it was.
    pub(super) fn forget(&mut self, at: u64) {
        let (word, bit) = place(at);
        let again = self.again[word] & bit;
        self.again[word] &= !bit;
        self.seen[word] &= !(bit & !again);
    }

    /// Notes a fate of the sequences at `first..=last`, and returns how many of them had been claimed before. That an
    /// unknown one was sent after all is no second claim, but it may be there twice.
    pub(super) fn claim(&mut self, first: u64, last: u64, fate: Fate) -> u64 {
        let mut before = 0;
        for (word, mask) in between(first, last).into_iter().enumerate() {
            let (sent, failed, unknown) = (self.sent[word], self.failed[word], self.unknown[word]);
            let resolved = match fate {
                Fate::Sent { perhaps_twice } => {
                    self.sent[word] |= mask;
                    self.twice[word] |= mask & if perhaps_twice { mask } else { unknown };
                    unknown & !sent & !failed
                }
                Fate::Failed(_) => {
                    self.failed[word] |= mask;
                    0
                }
                Fate::Unknown(_) => {
                    self.unknown[word] |= mask;
                    0
                }
            };
            before += u64::from(((sent | failed | unknown) & !resolved & mask).count_ones());
        }
        before
    }

    /// The sequences of each standing; the last two are those that nobody claims.
    pub(super) fn standings(&self) -> [(Standing, Bits); 10] {
        let word = |tell: fn(&Word) -> u64| -> Bits {
            std::array::from_fn(|at| {
                let (sent, unknown) = (self.sent[at], self.unknown[at] & !self.sent[at]);
                let failed = self.failed[at] & !sent & !unknown;
                let (seen, again, twice) = (self.seen[at], self.again[at], self.twice[at]);
                tell(&Word { seen, again, sent, twice, failed, unknown })
            })
        };
        [
            (Standing::Delivered, word(|w| w.sent & w.seen)),
            (Standing::Missing, word(|w| w.sent & !w.seen)),
            (Standing::ExpectedDuplicate, word(|w| w.again & (w.twice | w.unknown))),
            (Standing::UnexpectedDuplicate, word(|w| w.again & !(w.twice | w.unknown))),
            (Standing::Contradicted, word(|w| w.failed & w.seen)),
            (Standing::Failed, word(|w| w.failed & !w.seen)),
            (Standing::UnknownStored, word(|w| w.unknown & w.seen)),
            (Standing::UnknownLost, word(|w| w.unknown & !w.seen)),
            (Standing::Unclaimed, word(|w| w.seen & !(w.sent | w.failed | w.unknown))),
            (Standing::Gap, word(|w| !(w.seen | w.sent | w.failed | w.unknown))),
        ]
    }

    /// Whether the sequence at `at` has this standing.
    #[cfg(test)]
    pub(super) fn is(&self, at: u64, standing: Standing) -> bool {
        let (word, bit) = place(at);
        self.standings().iter().any(|(one, bits)| *one == standing && bits[word] & bit != 0)
    }
}

/// The fates of 64 sequences, each in one of them at most.
struct Word {
    seen: u64,
    again: u64,
    sent: u64,
    twice: u64,
    failed: u64,
    unknown: u64,
}

#[inline]
fn place(at: u64) -> (usize, u64) {
    ((at / 64 % 4) as usize, 1 << (at % 64))
}

/// The bits of `first..=last`, both below [`BLOCK`].
pub(super) fn between(first: u64, last: u64) -> Bits {
    std::array::from_fn(|word| {
        let start = word as u64 * 64;
        if last < start || first >= start + 64 {
            return 0;
        }
        let (from, to) = (first.max(start) - start, last.min(start + 63) - start);
        (u64::MAX << from) & (u64::MAX >> (63 - to))
    })
}

/// Calls `give` with every run of ones, as first and last place.
pub(super) fn runs(bits: &Bits, mut give: impl FnMut(u64, u64)) {
    for (word, &bits) in bits.iter().enumerate() {
        let (mut left, start) = (bits, word as u64 * 64);
        while left != 0 {
            let first = u64::from(left.trailing_zeros());
            let length = u64::from((left >> first).trailing_ones());
            give(start + first, start + first + length - 1);
            left = if first + length == 64 { 0 } else { left & (u64::MAX << (first + length)) };
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        // The runs of any bits are exactly its ones, and a range of bits is one run of each word that it touches.
        #[test]
        fn runs_are_the_ones(words: [u64; 4], a in 0..BLOCK, b in 0..BLOCK) {
            let mut again = NONE;
            runs(&words, |first, last| {
                for (word, mask) in between(first, last).into_iter().enumerate() {
                    assert_eq!(again[word] & mask, 0);
                    again[word] |= mask;
                }
            });
            prop_assert_eq!(again, words);
            let (first, last) = (a.min(b), a.max(b));
            let ones: u32 = between(first, last).iter().map(|word| word.count_ones()).sum();
            prop_assert_eq!(u64::from(ones), last - first + 1);
        }
    }
}
