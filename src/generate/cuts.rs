//! Cuts an endless sequence into blocks of uneven length, so that the block of any position is found in
//! constant time and without state.
//!
//! Block `k` begins at `k × step` plus a hashed delay below `spread`; the first begins at 0.

use super::random::hash;

/// How a sequence is cut. `spread` must not be above `step`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cuts {
    /// Mean length of a block.
    pub(super) step: u64,
    /// A block begins up to this much late, exclusive; a power of two.
    pub(super) spread: u64,
}

/// Where a position stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    /// The block's number.
    pub(super) index: u64,
    /// The position within the block, from 0.
    pub(super) offset: u64,
    /// The block's length.
    pub(super) length: u64,
}

impl Cuts {
    /// The block that holds `position`, in the cutting that belongs to `key`.
    #[inline]
    pub(super) fn block(self, key: u64, position: u64) -> Block {
        // Differences only, so that no position overflows.
        let (slot, within) = (position / self.step, position % self.step);
        let delay = self.delay(key, slot);
        if within < delay {
            let before = self.delay(key, slot - 1); // slot 0 has no delay
            Block { index: slot - 1, offset: self.step + within - before, length: self.step + delay - before }
        } else {
            let after = self.delay(key, slot.wrapping_add(1));
            Block { index: slot, offset: within - delay, length: self.step + after - delay }
        }
    }

    /// As [`Self::block`], for a sequence that ends after `total` positions: its last block ends there and
    /// is never shorter than `step` − `spread` + 1. `position` is below `total`, `total` at least `step`.
    #[inline]
    pub(super) fn block_of(self, key: u64, position: u64, total: u64) -> Block {
        let last = (total / self.step).saturating_sub(1);
        let block = self.block(key, position);
        if block.index < last {
            return block;
        }
        let start = last * self.step + self.delay(key, last);
        Block { index: last, offset: position - start, length: total - start }
    }

    #[inline]
    fn delay(self, key: u64, slot: u64) -> u64 {
        if slot == 0 { 0 } else { hash(key, slot) & (self.spread - 1) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CUTS: Cuts = Cuts { step: 16, spread: 8 };

    proptest! {
        // Neighbouring positions stand in the same block one apart, or at the end of one and the start of
        // the next; so blocks have neither gap nor overlap.
        #[test]
        fn blocks_join_up(key in any::<u64>(), position in prop_oneof![0..200_u64, 0..u64::MAX]) {
            let (here, next) = (CUTS.block(key, position), CUTS.block(key, position + 1));
            prop_assert!(here.offset < here.length);
            prop_assert!((9..=23).contains(&here.length));
            if here.offset + 1 < here.length {
                prop_assert_eq!(next, Block { offset: here.offset + 1, ..here });
            } else {
                prop_assert_eq!((next.index, next.offset), (here.index + 1, 0));
            }
        }

        // The same holds inside a sequence that ends, and its last block ends with it.
        #[test]
        fn blocks_of_a_sequence_that_ends_join_up(key in any::<u64>(), total in 16..400_u64) {
            let mut before: Option<Block> = None;
            for position in 0..total {
                let block = CUTS.block_of(key, position, total);
                match before {
                    Some(last) if last.offset + 1 < last.length => {
                        prop_assert_eq!(block, Block { offset: last.offset + 1, ..last });
                    }
                    Some(last) => prop_assert_eq!((block.index, block.offset), (last.index + 1, 0)),
                    None => prop_assert_eq!((block.index, block.offset), (0, 0)),
                }
                prop_assert!((9..=38).contains(&block.length));
                before = Some(block);
            }
            prop_assert!(before.is_some_and(|last| last.offset + 1 == last.length));
        }
    }

    #[test]
    fn lengths_vary() {
        let lengths: std::collections::HashSet<u64> =
            (0..1_000).map(|position| CUTS.block(1, position).length).collect();
        assert!(lengths.len() > 8, "{lengths:?}");
    }
}
