//! Shares that are kept: which of several classes a number of a sequence belongs to, by weight.
//!
//! Not drawn one by one, which would miss a weight by the root of the count: of any 1,024 numbers from a multiple of
//! 1,024 on, each class gets its share, rounded up or down, and over all of them exactly its weight.

use super::random::hash;

/// Numbers of a stretch in which the shares are kept, as a power of two.
const STRETCH: u32 = 10;
const MASK: u64 = (1 << STRETCH) - 1;

/// Separates the shift of a stretch from the order of its numbers.
const SHIFT_KEY: u64 = 0x7368_6172_6573_0000;

/// Classes with weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shares {
    /// Where each class but the last ends, in parts of 2^64.
    ends: Box<[u64]>,
}

impl Shares {
    /// Classes with these weights, of which one at least is above 0; only their proportions count.
    pub(super) fn new(weights: &[u64]) -> Self {
        let total: u128 = weights.iter().map(|&weight| u128::from(weight)).sum::<u128>().max(1);
        let mut sum = 0_u128;
        let (_, all_but_last) = weights.split_last().unwrap_or((&0, &[]));
        let ends = all_but_last.iter().map(|&weight| {
            sum += u128::from(weight);
            u64::try_from((sum << 64) / total).unwrap_or(u64::MAX)
        });
        Self { ends: ends.collect() }
    }

    /// The class of `number`, in the order that belongs to `key`.
    #[inline]
    pub(super) fn of(&self, key: u64, number: u64) -> usize {
        let stretch = number >> STRETCH;
        // Each number of the stretch gets another place, and all places are shifted alike: a systematic sample.
        let place = shuffled(hash(key, stretch), number & MASK);
        let value = place << (64 - STRETCH) | hash(key ^ SHIFT_KEY, stretch) >> STRETCH;
        self.ends.iter().take_while(|&&end| end <= value).count()
    }
}

/// A bijection of the numbers below 2^[`STRETCH`], another one for each key.
#[inline]
fn shuffled(key: u64, number: u64) -> u64 {
    let mut x = number ^ key & MASK;
    for round in [10, 30] {
        x = x.wrapping_mul(key >> round | 1) & MASK;
        x ^= x >> (STRETCH / 2);
    }
    (x + (key >> 50)) & MASK
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        // In each stretch of 1,024 numbers each class has its weight's share, rounded up or down.
        #[test]
        fn shares_are_kept(
            key: u64, stretch in 0_u64..1 << 53, weights in proptest::collection::vec(0_u64..2_000_000, 1..6)
        ) {
            let total: u64 = weights.iter().sum();
            prop_assume!(total > 0);
            let shares = Shares::new(&weights);
            let mut counts = vec![0_u64; weights.len()];
            for number in 0..1_024 {
                counts[shares.of(key, stretch * 1_024 + number)] += 1;
            }
            for (count, weight) in counts.iter().zip(&weights) {
                let share = 1_024.0 * *weight as f64 / total as f64;
                prop_assert!((*count as f64 - share).abs() < 1.0 + 1e-9, "{:?} for {:?}", counts, weights);
            }
        }

        // Every number of a stretch has a place of its own.
        #[test]
        fn a_shuffle_is_one_to_one(key: u64) {
            let mut seen = [false; 1 << STRETCH];
            (0..=MASK).for_each(|number| seen[shuffled(key, number) as usize] = true);
            prop_assert!(seen.iter().all(|&seen| seen));
        }
    }

    #[test]
    fn a_rare_class_comes_as_often_as_its_weight_over_many_stretches() {
        let shares = Shares::new(&[100, 999_900]); // a ten-thousandth: less than one in a stretch
        let count = (0..10_000_000_u64).filter(|&number| shares.of(7, number) == 0).count();
        assert!((900..1_100).contains(&count), "{count}");
    }

    #[test]
    fn the_classes_do_not_come_in_a_pattern() {
        let shares = Shares::new(&[1, 1]);
        let classes: Vec<usize> = (0..4_096).map(|number| shares.of(3, number)).collect();
        for lag in 1..64 {
            let alike = classes.iter().zip(&classes[lag..]).filter(|(one, other)| one == other).count();
            let part = alike as f64 / (classes.len() - lag) as f64;
            assert!((0.3..0.7).contains(&part), "{part} alike at {lag}");
        }
    }
}
