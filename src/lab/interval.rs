//! The confidence interval of a share of throttled records, from blocks of time.
//!
//! Decides how sure a share is. Wilson's score interval on throttled among attempted, with the attempts divided by the
//! design effect: records that are throttled come in clusters, so a thousand of them tell less than a thousand coins. The
//! effect is the variance between blocks over the one that independent records would have. A limit that refuses evenly
//! makes it less than 1; that is believed down to a quarter, and of eight blocks or more. Where no record was throttled
//! there is no cluster to be seen, and the effect is 1.

/// How sure an interval is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Confidence {
    share: f64,
    z: f64,
}

impl Confidence {
    /// An interval that holds the truth in this share of all cases, from 0.5 to 0.9999.
    #[must_use]
    pub fn of(share: f64) -> Option<Self> {
        (0.5..=0.9999).contains(&share).then(|| Self { share, z: quantile(0.5 + share / 2.0) })
    }

    /// The share of all cases in which the interval holds the truth.
    #[must_use]
    pub fn share(self) -> f64 {
        self.share
    }
}

/// The standard normal distribution's quantile, by bisection of its distribution function: exact to 1e-9, and asked
/// once a run.
fn quantile(probability: f64) -> f64 {
    let below = |z: f64| 0.5 * libm::erfc(-z / std::f64::consts::SQRT_2);
    let (mut low, mut high) = (0.0_f64, 10.0_f64);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if below(middle) < probability { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

/// What was counted in a stretch of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Block {
    /// Records that were stored.
    pub sent: u64,
    /// Records that a limit refused.
    pub throttled: u64,
}

impl Block {
    /// Both together.
    #[must_use]
    pub fn attempts(&self) -> u64 {
        self.sent + self.throttled
    }
}

/// A share with the bounds between which it lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Throttled of attempted; 0 where nothing was attempted.
    pub share: f64,
    /// It is hardly less.
    pub low: f64,
    /// It is hardly more.
    pub high: f64,
    /// Attempts behind it.
    pub attempts: u64,
}

impl Interval {
    /// The share in these blocks.
    #[must_use]
    pub fn of(blocks: &[Block], confidence: Confidence) -> Self {
        let attempts: u64 = blocks.iter().map(Block::attempts).sum();
        let throttled: u64 = blocks.iter().map(|block| block.throttled).sum();
        if attempts == 0 {
            return Self { share: 0.0, low: 0.0, high: 1.0, attempts };
        }
        let (n, z) = (attempts as f64, confidence.z);
        let share = throttled as f64 / n;
        let n = n / design_effect(blocks, share, n);
        let (square, scale) = (z * z, 1.0 + z * z / n);
        let middle = (share + square / (2.0 * n)) / scale;
        let reach = z / scale * (share * (1.0 - share) / n + square / (4.0 * n * n)).sqrt();
        let bound = |bound: f64| bound.clamp(0.0, 1.0);
        // Rounding must not put the share outside its own interval.
        Self {
            share,
            low: bound(middle - reach).min(share),
            high: bound(middle + reach).max(share),
            attempts,
        }
    }
}

/// How much more the blocks differ than independent records would make them.
fn design_effect(blocks: &[Block], share: f64, attempts: f64) -> f64 {
    let used: Vec<&Block> = blocks.iter().filter(|block| block.attempts() > 0).collect();
    let alone = share * (1.0 - share) / attempts;
    if used.len() < 2 || alone <= 0.0 {
        return 1.0;
    }
    let squares: f64 =
        used.iter().map(|block| (block.throttled as f64 - share * block.attempts() as f64).powi(2)).sum();
    let count = used.len() as f64;
    let between = count / (count - 1.0) * squares / (attempts * attempts);
    (between / alone).max(if used.len() < 8 { 1.0 } else { 0.25 })
}

/// Attempts after which a share of nothing throttled is known to be at most `share`.
#[must_use]
pub fn records_needed(share: f64, confidence: Confidence) -> u64 {
    let square = confidence.z * confidence.z;
    (square * (1.0 - share) / share).ceil() as u64 + 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(share: f64) -> Confidence {
        Confidence::of(share).expect("a share")
    }

    #[test]
    fn the_quantiles_are_those_of_the_tables() {
        for (share, z) in [(0.95, 1.959_964), (0.99, 2.575_829), (0.9, 1.644_854), (0.5, 0.674_490)] {
            assert!((at(share).z - z).abs() < 1e-6, "{share}: {}", at(share).z);
        }
        assert!(Confidence::of(1.0).is_none() && Confidence::of(0.0).is_none());
    }

    #[test]
    fn nothing_throttled_bounds_the_share_by_the_attempts_alone() {
        let quiet = |sent| Interval::of(&[Block { sent, throttled: 0 }], at(0.95));
        let needed = records_needed(0.001, at(0.95));
        assert!((3_800..3_900).contains(&needed), "{needed}");
        assert!(quiet(needed).high <= 0.001 && quiet(needed - 10).high > 0.001);
        assert_eq!((quiet(0).low, quiet(0).high), (0.0, 1.0));
    }

    #[test]
    fn a_cluster_tells_less_than_the_same_records_spread_out() {
        let spread: Vec<Block> = (0..20).map(|_| Block { sent: 98, throttled: 2 }).collect();
        let mut cluster = vec![Block { sent: 100, throttled: 0 }; 20];
        cluster[7] = Block { sent: 60, throttled: 40 };
        let (spread, cluster) = (Interval::of(&spread, at(0.95)), Interval::of(&cluster, at(0.95)));
        assert_eq!(spread.share, cluster.share);
        assert!(cluster.high - cluster.low > 3.0 * (spread.high - spread.low), "{cluster:?} {spread:?}");
    }

    proptest! {
        // Law: the share lies in its interval, the interval in 0 to 1, and more of the same never widens it.
        #[test]
        fn an_interval_holds_its_share_and_narrows_with_more_of_the_same(
            blocks in prop::collection::vec((0_u64..2_000, 0_u64..200), 1..30), sure in 0.6_f64..0.999,
        ) {
            let blocks: Vec<Block> = blocks.into_iter().map(|(sent, throttled)| Block { sent, throttled }).collect();
            let once = Interval::of(&blocks, at(sure));
            prop_assert!(0.0 <= once.low && once.low <= once.share && once.share <= once.high && once.high <= 1.0);
            let twice = Interval::of(&[blocks.clone(), blocks].concat(), at(sure));
            prop_assert!(twice.high - twice.low <= once.high - once.low + 1e-12);
        }
    }
}
