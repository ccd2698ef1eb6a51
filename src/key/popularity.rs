//! How often each of a bounded number of keys is met: all alike, or by Zipf's law.
//!
//! Decides which key an event gets, by random bits that are given; holds no table, so ten million keys need no more
//! memory than ten. Logarithms are `libm`'s, not the platform's, so that a seed means the same keys everywhere.

use std::fmt;

use super::decimal::Decimal;
use crate::generate::Random;

/// Most keys that a strategy may have.
pub const MOST_KEYS: u32 = 10_000_000;

/// Keys where a strategy does not say how many.
pub const USUAL_KEYS: u32 = 10_000;

/// Largest exponent of Zipf's law; by 10 the second key is met once in a thousand times.
pub const MOST_EXPONENT: u32 = 10;

/// A number of keys, and how often each is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Popularity {
    /// How many keys there are, 1 to [`MOST_KEYS`].
    keys: u32,
    /// Zipf's exponent, above 0 to [`MOST_EXPONENT`]; none: all keys alike.
    exponent: Option<Decimal>,
}

/// What is wrong with a popularity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    Exponent,
    Keys,
}

impl Popularity {
    /// `keys=N` or nothing, of keys that are all met alike.
    pub(super) fn uniform(keys: Option<&str>) -> Result<Self, Wrong> {
        Ok(Self { keys: count(keys)?, exponent: None })
    }

    /// `S`, or `S,keys=N`.
    pub(super) fn zipf(text: &str) -> Result<Self, Wrong> {
        let (exponent, keys) = text.split_once(',').map_or((text, None), |(s, keys)| (s, Some(keys)));
        let exponent: Decimal = exponent.parse().map_err(|()| Wrong::Exponent)?;
        if !(0.0..=f64::from(MOST_EXPONENT)).contains(&exponent.value()) || exponent.ten_thousandths() == 0 {
            return Err(Wrong::Exponent);
        }
        Ok(Self { keys: count(keys)?, exponent: Some(exponent) })
    }

    /// How many keys there are.
    #[must_use]
    pub fn keys(&self) -> u32 {
        self.keys
    }
}

/// The number in `keys=N`.
fn count(text: Option<&str>) -> Result<u32, Wrong> {
    let Some(text) = text else { return Ok(USUAL_KEYS) };
    let digits = text.strip_prefix("keys=").ok_or(Wrong::Keys)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Wrong::Keys);
    }
    digits.parse().ok().filter(|keys| (1..=MOST_KEYS).contains(keys)).ok_or(Wrong::Keys)
}

impl fmt::Display for Popularity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.exponent {
            None => write!(f, "uniform:keys={}", self.keys),
            Some(exponent) => write!(f, "zipf:{exponent},keys={}", self.keys),
        }
    }
}

/// Draws ranks by a popularity, prepared once.
#[derive(Debug, Clone)]
pub(super) enum Ranks {
    Alike(u32),
    Zipf(Zipf),
}

impl Ranks {
    pub(super) fn new(popularity: &Popularity) -> Self {
        match popularity.exponent {
            None => Self::Alike(popularity.keys),
            Some(exponent) => Self::Zipf(Zipf::new(exponent.value(), popularity.keys)),
        }
    }

    /// A rank from 1 to the number of keys; 1 is met most often.
    #[inline]
    pub(super) fn draw(&self, random: &mut Random) -> u32 {
        match self {
            // The bias is below keys / 2^64.
            Self::Alike(keys) => 1 + ((u128::from(random.bits()) * u128::from(*keys)) >> 64) as u32,
            Self::Zipf(zipf) => zipf.draw(random),
        }
    }
}

/// Zipf's law over a bounded number of ranks, exact up to the roundings of 64-bit floats, by rejection-inversion
/// (Hörmann and Derflinger, ACM TOMACS 6, 1996): a rank is drawn from the area under x^−s and taken, or drawn again.
#[derive(Debug, Clone)]
pub(super) struct Zipf {
    exponent: f64,
    keys: u32,
    /// The area up to the left end of the first rank, which holds all of that rank's share.
    first: f64,
    /// The area up to the right end of the last rank.
    last: f64,
    /// Points this near below their rank are certainly under its share: most draws need no second look.
    sure: f64,
}

impl Zipf {
    fn new(exponent: f64, keys: u32) -> Self {
        let mut zipf = Self { exponent, keys, first: 0.0, last: 0.0, sure: 0.0 };
        zipf.first = zipf.area(1.5) - 1.0;
        zipf.last = zipf.area(f64::from(keys) + 0.5);
        zipf.sure = 2.0 - zipf.place(zipf.area(2.5) - zipf.height(2.0));
        zipf
    }

    fn draw(&self, random: &mut Random) -> u32 {
        loop {
            let unit = (random.bits() >> 11) as f64 / (1_u64 << 53) as f64;
            let area = self.last + unit * (self.first - self.last);
            let place = self.place(area);
            let rank = (place + 0.5).clamp(1.0, f64::from(self.keys)).floor();
            if rank - place <= self.sure || area >= self.area(rank + 0.5) - self.height(rank) {
                return rank as u32; // 1 to `keys`
            }
        }
    }

    /// x^−s.
    fn height(&self, x: f64) -> f64 {
        libm::exp(-self.exponent * libm::log(x))
    }

    /// The area under x^−s from 1 to `x`: (x^(1−s) − 1) / (1 − s), and log x where s is 1.
    fn area(&self, x: f64) -> f64 {
        let log = libm::log(x);
        let t = (1.0 - self.exponent) * log;
        // The quotient has a hole at 0, where it is 1; its next term there is t / 2.
        let growth = if t.abs() > 1e-8 { libm::expm1(t) / t } else { 1.0 + t / 2.0 };
        growth * log
    }

    /// Up to which x the area is `area`: the inverse of [`Self::area`].
    fn place(&self, area: f64) -> f64 {
        // Below −1 by a rounding only.
        let t = (area * (1.0 - self.exponent)).max(-1.0);
        let growth = if t.abs() > 1e-8 { libm::log1p(t) / t } else { 1.0 - t / 2.0 };
        libm::exp(growth * area)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// How often each rank is drawn in so many draws.
    fn counts(popularity: &Popularity, draws: u64) -> Vec<u64> {
        let (ranks, mut counts) = (Ranks::new(popularity), vec![0; popularity.keys as usize]);
        for draw in 0..draws {
            // As in a run: each draw from bits of its own.
            let mut random = Random::new(draw.wrapping_mul(0x9fb2_1c65_1e98_df25));
            counts[ranks.draw(&mut random) as usize - 1] += 1;
        }
        counts
    }

    /// The exact share of each rank.
    fn shares(exponent: f64, keys: u32) -> Vec<f64> {
        let weights: Vec<f64> = (1..=keys).map(|rank| f64::from(rank).powf(-exponent)).collect();
        let total: f64 = weights.iter().sum();
        weights.iter().map(|weight| weight / total).collect()
    }

    /// Pearson's statistic less its mean, in standard deviations; ranks of few expected draws count together.
    fn surprise(counts: &[u64], shares: &[f64], draws: u64) -> f64 {
        let (mut squares, mut cells, mut tail) = (0.0, 0.0, (0.0, 0.0));
        let mut cell = |count: f64, expected: f64| {
            squares += (count - expected).powi(2) / expected;
            cells += 1.0;
        };
        for (&count, share) in counts.iter().zip(shares) {
            let expected = share * draws as f64;
            if expected >= 20.0 {
                cell(count as f64, expected);
            } else {
                tail = (tail.0 + count as f64, tail.1 + expected);
            }
        }
        if tail.1 > 0.0 {
            cell(tail.0, tail.1);
        }
        let freedom: f64 = (cells - 1.0_f64).max(1.0);
        (squares - freedom) / (2.0 * freedom).sqrt()
    }

    #[test]
    fn ranks_come_as_often_as_zipfs_law_says() {
        const DRAWS: u64 = 100_000;
        for (text, exponent, keys) in [
            ("0.3,keys=50", 0.3, 50),
            ("0.99,keys=1000", 0.99, 1_000),
            ("1,keys=300", 1.0, 300),
            ("1.0001,keys=300", 1.0001, 300),
            ("1.2,keys=10000", 1.2, 10_000),
            ("2.5,keys=2", 2.5, 2),
            ("10,keys=5", 10.0, 5),
        ] {
            let popularity = Popularity::zipf(text).expect("a law");
            let counts = counts(&popularity, DRAWS);
            let surprise = |exponent| surprise(&counts, &shares(exponent, keys), DRAWS);
            assert!(surprise(exponent) < 4.0, "{text}: {} standard deviations", surprise(exponent));
            // The test can fail: another exponent is found out.
            if keys > 2 && exponent < 5.0 {
                assert!(surprise(exponent + 0.07) > 4.0, "{text}: {}", surprise(exponent + 0.07));
            }
        }
    }

    #[test]
    fn uniform_keys_are_met_alike_and_all_of_them() {
        let popularity = Popularity::uniform(Some("keys=100")).expect("keys");
        let counts = counts(&popularity, 100_000);
        let surprise = surprise(&counts, &[0.01; 100], 100_000);
        assert!(surprise.abs() < 4.0 && counts.iter().all(|&count| count > 0), "{surprise}");
    }

    #[test]
    fn the_head_of_ten_million_keys_has_its_exact_share() {
        const DRAWS: u64 = 50_000;
        let ranks = Ranks::new(&Popularity::zipf("1.2,keys=10000000").expect("a law"));
        let head = (0..DRAWS).filter(|&draw| ranks.draw(&mut Random::new(draw << 20)) <= 3).count() as f64;
        let head_weight: f64 = (1..=3).map(|rank| f64::from(rank).powf(-1.2)).sum();
        // Beyond 1,000 the sum is the integral from halves to halves, to eight digits.
        let integral = |from: f64, to: f64| (from.powf(-0.2) - to.powf(-0.2)) / 0.2;
        let total =
            (1..=1_000).map(|rank| f64::from(rank).powf(-1.2)).sum::<f64>() + integral(1_000.5, 1e7 + 0.5);
        let expected = head_weight / total * DRAWS as f64;
        assert!((head - expected).abs() < 5.0 * expected.sqrt(), "{head} instead of {expected}");
    }

    proptest! {
        // Whatever the law and the bits, the rank is one of the keys, and soon found.
        #[test]
        fn a_rank_is_one_of_the_keys(exponent in 1..=100_000_u32, keys in 1..=MOST_KEYS, state in any::<u64>()) {
            let text = format!("{}.{:04},keys={keys}", exponent / 10_000, exponent % 10_000);
            let popularity = Popularity::zipf(&text).expect("a law");
            let mut random = Random::new(state);
            for ranks in [Ranks::new(&popularity), Ranks::Alike(keys)] {
                prop_assert!((1..=keys).contains(&ranks.draw(&mut random)));
            }
        }
    }

    #[test]
    fn what_is_wrong_is_told_apart() {
        for text in ["", "0", "10.0001", "x", "-1", "1.2;keys=3"] {
            assert_eq!(Popularity::zipf(text), Err(Wrong::Exponent), "{text}");
        }
        for text in
            ["1,", "1,keys=0", "1,keys=10000001", "1,keys=+3", "1,key=3", "1,keys=3,keys=4", "1,keys="]
        {
            assert_eq!(Popularity::zipf(text), Err(Wrong::Keys), "{text}");
        }
        assert_eq!(Popularity::zipf("1.20").map(|law| law.to_string()), Ok("zipf:1.2,keys=10000".to_owned()));
    }
}
