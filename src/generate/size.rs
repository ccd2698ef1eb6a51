//! How large an event is: the rule as settings write it, and the size of each event as a function of its identity.
//!
//! Only operations that IEEE 754 defines exactly are used, so that every machine draws the same sizes.

use std::fmt;
use std::str::FromStr;

use super::random::{Stream, hash};

/// The largest size of a distribution that names none: what every stream takes, beside the longest partition key.
pub const USUAL_MOST: u64 = 1024 * 1024 - 1024;

/// The largest size of all: Kinesis's largest record.
const MOST: u64 = 10 * 1024 * 1024;

/// Sizes that are drawn to learn about a distribution.
const SAMPLE: u64 = 4_096;

/// How many standard deviations of a normal distribution lie below its 99th percentile.
const P99_DEVIATIONS: f64 = 2.326_347_874_040_841;

/// How large events are, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizeRule {
    /// All alike.
    Exactly(u64),
    /// Any size between these with the same probability, both included.
    Uniform {
        /// The smallest.
        least: u64,
        /// The largest.
        most: u64,
    },
    /// Sizes whose logarithms are normally distributed.
    Lognormal {
        /// Half of the sizes are below.
        median: u64,
        /// One in a hundred is above.
        p99: u64,
        /// What would be above has this size.
        most: u64,
    },
}

/// A text that is no rule of sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SizeRuleError {
    /// It has another form.
    #[error("a size is 1KiB, uniform:200B..4KiB, or lognormal:512B,p99=8KiB[,most=64KiB]")]
    Form,
    /// It is larger than any record.
    #[error("no record has more than 10MiB")]
    TooLarge,
    /// The sizes descend.
    #[error("the sizes must ascend: uniform:LEAST..MOST, lognormal:MEDIAN,p99=…,most=…")]
    Order,
}

/// Each unit and its bytes.
const UNITS: [(&str, u64); 5] =
    [("MiB", 1024 * 1024), ("KiB", 1024), ("MB", 1_000_000), ("KB", 1_000), ("B", 1)];

/// The bytes that `text` writes, from 1 to 10 MiB: a whole number, with or without a unit.
pub(super) fn bytes(text: &str) -> Result<u64, SizeRuleError> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = match unit {
        "" => 1,
        _ => UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).ok_or(SizeRuleError::Form)?.1,
    };
    if number.is_empty() {
        return Err(SizeRuleError::Form);
    }
    let size = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    match size {
        Some(0) => Err(SizeRuleError::Form),
        Some(size) if size <= MOST => Ok(size),
        _ => Err(SizeRuleError::TooLarge),
    }
}

/// A size as settings write it.
pub(super) struct Shown(pub(super) u64);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, size) = UNITS
            .into_iter()
            .filter(|(unit, _)| !matches!(*unit, "MB" | "KB"))
            .find(|(_, size)| self.0.is_multiple_of(*size))
            .unwrap_or(("B", 1));
        write!(f, "{}{unit}", self.0 / size)
    }
}

impl FromStr for SizeRule {
    type Err = SizeRuleError;

    fn from_str(text: &str) -> Result<Self, SizeRuleError> {
        let rule = if let Some(range) = text.strip_prefix("uniform:") {
            let (least, most) = range.split_once("..").ok_or(SizeRuleError::Form)?;
            Self::Uniform { least: bytes(least)?, most: bytes(most)? }
        } else if let Some(rest) = text.strip_prefix("lognormal:") {
            let mut parts = rest.split(',');
            let median = bytes(parts.next().unwrap_or_default())?;
            let p99 = parts.next().and_then(|part| part.strip_prefix("p99=")).ok_or(SizeRuleError::Form)?;
            let most = match parts.next() {
                None => USUAL_MOST,
                Some(part) => bytes(part.strip_prefix("most=").ok_or(SizeRuleError::Form)?)?,
            };
            if parts.next().is_some() {
                return Err(SizeRuleError::Form);
            }
            Self::Lognormal { median, p99: bytes(p99)?, most }
        } else {
            Self::Exactly(bytes(text)?)
        };
        let ascends = match rule {
            Self::Exactly(_) => true,
            Self::Uniform { least, most } => least <= most,
            Self::Lognormal { median, p99, most } => median <= p99 && p99 <= most,
        };
        if ascends { Ok(rule) } else { Err(SizeRuleError::Order) }
    }
}

impl fmt::Display for SizeRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Exactly(size) => Shown(size).fmt(f),
            Self::Uniform { least, most } => write!(f, "uniform:{}..{}", Shown(least), Shown(most)),
            Self::Lognormal { median, p99, most } => {
                write!(f, "lognormal:{},p99={}", Shown(median), Shown(p99))?;
                if most == USUAL_MOST { Ok(()) } else { write!(f, ",most={}", Shown(most)) }
            }
        }
    }
}

impl SizeRule {
    /// The largest size.
    #[must_use]
    pub fn most(self) -> u64 {
        match self {
            Self::Exactly(most) | Self::Uniform { most, .. } | Self::Lognormal { most, .. } => most,
        }
    }
}

/// Draws the size of each event.
#[derive(Debug, Clone)]
pub(super) struct Sizes {
    rule: SizeRule,
    /// No event can be smaller.
    floor: u64,
    /// The standard deviation of the logarithm.
    deviation: f64,
    stream: Stream,
}

impl Sizes {
    /// The sizes by `rule` of events that can't be made smaller than `floor`, a producer's.
    pub(super) fn new(rule: SizeRule, floor: u64, seed: u64, producer: &str) -> Self {
        let deviation = match rule {
            SizeRule::Lognormal { median, p99, .. } => ln(p99 as f64 / median as f64) / P99_DEVIATIONS,
            SizeRule::Exactly(_) | SizeRule::Uniform { .. } => 0.0,
        };
        Self { rule, floor, deviation, stream: Stream::new("size", seed, producer) }
    }

    /// The size of an event, in bytes.
    #[inline]
    pub(super) fn of(&self, job: u32, sequence: u64) -> u64 {
        match self.rule {
            SizeRule::Exactly(size) => size,
            SizeRule::Uniform { least, most } => {
                let bits = self.stream.job(job).event(sequence).high;
                let size = least + ((u128::from(bits) * u128::from(most - least + 1)) >> 64) as u64;
                size.max(self.floor.min(most))
            }
            SizeRule::Lognormal { median, most, .. } => {
                let bits = self.stream.job(job).event(sequence).high;
                let size = median as f64 * exp(self.deviation * normal(bits));
                ((size + 0.5) as u64).clamp(self.floor.min(most), most) // a cast is cut at both ends
            }
        }
    }

    /// What is to be said of a distribution that is cut, by a sample of its sizes.
    pub(super) fn note(&self) -> Option<String> {
        let (low, high) = match self.rule {
            SizeRule::Exactly(_) => return None,
            SizeRule::Uniform { least, .. } => (least < self.floor, false),
            SizeRule::Lognormal { most, .. } => {
                let any =
                    |at: u64| (0..SAMPLE).any(|sequence| self.of((sequence % 8) as u32, sequence) == at);
                (any(self.floor), any(most))
            }
        };
        let (floor, most) = (self.floor, self.rule.most());
        let low = low.then(|| {
            format!("smaller ones are raised to {floor} bytes, the least that the events leave room for")
        });
        let high = high.then(|| format!("larger ones are cut to {most} bytes"));
        let cuts: Vec<String> = [low, high].into_iter().flatten().collect();
        (!cuts.is_empty()).then(|| format!("STREAMER_EVENT_SIZE: of the sizes, {}", cuts.join(", and ")))
    }

    /// The mean of some sizes, in bytes.
    pub(super) fn typical(&self) -> u64 {
        (0..SAMPLE).map(|sequence| self.of((sequence % 8) as u32, sequence)).sum::<u64>() / SAMPLE
    }
}

/// A normally distributed number from random bits: the sum of two dozen uniform ones would miss the tail, so by the
/// polar method of Marsaglia and Bray (1964), which draws again where it must.
fn normal(bits: u64) -> f64 {
    let mut draw = 0;
    loop {
        let (x, y) =
            (super::random::signed_unit(hash(bits, draw)), super::random::signed_unit(hash(bits, draw + 1)));
        let square = x * x + y * y;
        if square > 0.0 && square < 1.0 {
            return x * (-2.0 * ln(square) / square).sqrt();
        }
        draw += 2;
    }
}

/// The natural logarithm of a positive normal number, to 10⁻¹². The standard library's differs between platforms.
fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let mut exponent = (bits >> 52) as f64 - 1_023.0;
    let mut mantissa = f64::from_bits(bits & ((1 << 52) - 1) | 1_023 << 52); // from 1 to below 2
    if mantissa > std::f64::consts::SQRT_2 {
        mantissa /= 2.0;
        exponent += 1.0;
    }
    // ln m = 2 artanh s, with |s| ≤ 0.172.
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    let mut sum = 0.0;
    for odd in (0..10).rev() {
        sum = sum * square + 1.0 / f64::from(2 * odd + 1);
    }
    2.0 * s * sum + exponent * std::f64::consts::LN_2
}

/// e to the power of `x`, for |x| below 700 to a relative 10⁻¹².
fn exp(x: f64) -> f64 {
    let x = x.clamp(-700.0, 700.0);
    let whole = (x / std::f64::consts::LN_2).round();
    let rest = x - whole * std::f64::consts::LN_2;
    let mut sum = 1.0;
    for term in (1..=14).rev() {
        sum = 1.0 + sum * rest / f64::from(term);
    }
    sum * f64::from_bits(((whole + 1_023.0) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_rule_is_read_as_it_is_written_and_nothing_else_is() {
        for text in ["1KiB", "1000B", "uniform:200B..4KiB", "lognormal:512B,p99=8KiB", "10MiB"] {
            assert_eq!(text.parse::<SizeRule>().map(|rule| rule.to_string()).as_deref(), Ok(text));
        }
        let lognormal = SizeRule::Lognormal { median: 512, p99: 8_192, most: 65_536 };
        assert_eq!("lognormal:512,p99=8kib,most=64KiB".parse(), Ok(lognormal));
        for wrong in [
            "",
            "0",
            "KiB",
            "-1",
            "1.5KiB",
            "uniform:1KiB",
            "lognormal:1KiB",
            "lognormal:1,p99=2,p50=1",
            "zipf:1",
        ] {
            assert_eq!(wrong.parse::<SizeRule>(), Err(SizeRuleError::Form), "{wrong}");
        }
        assert_eq!("11MiB".parse::<SizeRule>(), Err(SizeRuleError::TooLarge));
        for wrong in ["uniform:2..1", "lognormal:9,p99=8", "lognormal:1KiB,p99=8KiB,most=4KiB"] {
            assert_eq!(wrong.parse::<SizeRule>(), Err(SizeRuleError::Order), "{wrong}");
        }
    }

    proptest! {
        // Our logarithm and exponential are the standard library's, but for the last digits.
        #[test]
        fn logarithm_and_exponential_are_right(x in 1e-300..1e300_f64, y in -600.0..600.0_f64) {
            prop_assert!((ln(x) - x.ln()).abs() <= 1e-12 * x.ln().abs().max(1.0));
            prop_assert!((exp(y) / y.exp() - 1.0).abs() <= 1e-11);
        }

        // A size stays within its rule and is the same whenever it is asked for.
        #[test]
        fn a_size_keeps_to_its_rule(seed: u64, job: u32, sequence: u64, a in 1_u64..MOST, b in 1_u64..MOST) {
            let (least, most) = (a.min(b), a.max(b));
            let uniform = Sizes::new(SizeRule::Uniform { least, most }, 1, seed, "p");
            prop_assert!((least..=most).contains(&uniform.of(job, sequence)));
            let rule = SizeRule::Lognormal { median: least, p99: most, most };
            let lognormal = Sizes::new(rule, least / 2, seed, "p");
            prop_assert!((least / 2..=most).contains(&lognormal.of(job, sequence)));
            prop_assert_eq!(lognormal.of(job, sequence), Sizes::new(rule, least / 2, seed, "p").of(job, sequence));
        }
    }

    #[test]
    fn a_lognormal_distribution_has_its_median_and_its_99th_percentile() {
        let rule = "lognormal:512B,p99=8KiB".parse().expect("a rule");
        let sizes = Sizes::new(rule, 1, 1, "p");
        let mut drawn: Vec<u64> = (0..100_000).map(|sequence| sizes.of(0, sequence)).collect();
        drawn.sort_unstable();
        assert!((500..525).contains(&drawn[50_000]), "{}", drawn[50_000]);
        assert!((7_600..8_800).contains(&drawn[99_000]), "{}", drawn[99_000]);
    }
}
