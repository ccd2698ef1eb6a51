//! Which part of a load is one instance's, when several give it together.
//!
//! A pure function of index and count: the instances need not know each other. Decides nothing about their names.

use std::ops::Range;

/// One instance of several. The records of a second stand in one row, job after job; each instance gives a stretch of
/// it, and the stretches follow one another without gap or overlap. So jobs keep their numbers, no instance gives more
/// than one record more than another, and a job is divided only where a stretch ends inside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    index: u32,
    count: u32,
}

impl Share {
    /// The one instance that gives all.
    pub const WHOLE: Self = Self { index: 0, count: 1 };

    /// Instance `index`, counted from 0, of `count`; none where there is no such one.
    #[must_use]
    pub fn new(index: u32, count: u32) -> Option<Self> {
        (index < count).then_some(Self { index, count })
    }

    /// The instance, counted from 0.
    #[must_use]
    pub fn index(self) -> u32 {
        self.index
    }

    /// How many instances there are; at least 1.
    #[must_use]
    pub fn count(self) -> u32 {
        self.count
    }

    /// Its part of `total` things in a row. The first instances have one more where it can't be divided evenly.
    #[must_use]
    pub fn of(self, total: u64) -> Range<u64> {
        let (index, count) = (u64::from(self.index), u64::from(self.count));
        let (each, rest) = (total / count, total % count);
        let start = index * each + index.min(rest);
        start..start + each + u64::from(index < rest)
    }

    /// Its part of a run that ends after `most` records, of which `per_second` are due in a second: its part of every
    /// full second, and its part of what is left, so that all instances end in the same second.
    #[must_use]
    pub fn of_run(self, most: u64, per_second: u64) -> u64 {
        let part = |total| {
            let part = self.of(total);
            part.end - part.start
        };
        match most.checked_div(per_second) {
            None => part(most),
            Some(seconds) => seconds * part(per_second) + part(most % per_second),
        }
    }

    /// The seed of its random moments: another for each instance, or all would be due at the same ones.
    #[must_use]
    pub fn seed(self, seed: u64) -> u64 {
        // The fractional part of sqrt(2): any odd constant that no other seed is mixed with would do.
        seed ^ u64::from(self.index).wrapping_mul(0x6a09_e667_f3bc_c909)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        // Law: the instances' parts follow one another, are all of it together, and differ by one at most.
        #[test]
        fn the_parts_are_the_whole_without_gap_or_overlap(total in 0_u64..1_000_000_000_000, count in 1_u32..400) {
            let parts: Vec<_> =
                (0..count).filter_map(|index| Share::new(index, count)).map(|share| share.of(total)).collect();
            prop_assert_eq!(parts.len(), count as usize);
            prop_assert_eq!((parts[0].start, parts[parts.len() - 1].end), (0, total));
            prop_assert!(parts.windows(2).all(|pair| pair[0].end == pair[1].start));
            let sizes = || parts.iter().map(|part| part.end - part.start);
            prop_assert!(sizes().max().unwrap_or(0) - sizes().min().unwrap_or(0) <= 1);
        }

        // Law: a number of records that ends a run is divided exactly, and nobody has records left in a second in
        // which another has none.
        #[test]
        fn the_end_of_a_run_by_its_records_is_shared_exactly(
            most in 1_u64..10_000_000, per_second in 1_u64..100_000, count in 1_u32..50,
        ) {
            let shares = (0..count).filter_map(|index| Share::new(index, count));
            let mut sum = 0;
            for share in shares {
                let (part, own) = (share.of_run(most, per_second), share.of(per_second));
                let own = own.end - own.start;
                prop_assert!(part >= most / per_second * own && part <= most.div_ceil(per_second) * own);
                sum += part;
            }
            prop_assert_eq!(sum, most);
        }
    }

    #[test]
    fn there_is_no_instance_beyond_the_last() {
        assert_eq!((Share::new(3, 3), Share::new(0, 0)), (None, None));
        assert_eq!(Share::new(0, 1), Some(Share::WHOLE));
        assert_eq!((Share::WHOLE.of(7), Share::WHOLE.of_run(7, 3), Share::WHOLE.seed(9)), (0..7, 7, 9));
    }
}
