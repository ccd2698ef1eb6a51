//! Numbers with units as loads are written: `5000`, `1.5MiB`, `x2`, `300/min`. Exact: a millionth is the finest step.
//!
//! Decides what such a text means; what it is for is the reader's.

use std::fmt;
use std::str::FromStr;

/// Millionths in one.
pub const MICRO: u64 = 1_000_000;

/// Most decimals of a number, so that it is a whole number of millionths.
const MOST_DECIMALS: usize = 6;

/// Most records in a second: ten thousand shards' worth, more than a machine can hold in flight.
pub const MOST_RECORDS: u64 = 10_000_000;

/// Most bytes in a second: what ten thousand shards take.
pub const MOST_BYTES: u64 = 10_000 * 1024 * 1024;

/// Most times the base load.
pub const MOST_FACTOR: u64 = 10_000;

const BYTE_UNITS: [(&str, u64); 7] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("B", 1),
];

named! {
    /// What the numbers of a load count.
    Unit,
    /// A text that names no unit.
    UnitError = "a unit is one of records, bytes, factor";
    /// Records in a second.
    Records = "records",
    /// Bytes in a second: data and partition keys.
    Bytes = "bytes",
    /// Times the base load.
    Factor = "factor",
}

impl Unit {
    /// The most that a number of it may be, and that in words.
    #[must_use]
    pub fn most(self) -> (u64, &'static str) {
        match self {
            Self::Records => (MOST_RECORDS, "10000000 records/s"),
            Self::Bytes => (MOST_BYTES, "10000MiB/s"),
            Self::Factor => (MOST_FACTOR, "10000 times"),
        }
    }
}

/// A number and its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity {
    /// The number in millionths.
    pub micro: u64,
    /// What it counts.
    pub unit: Unit,
}

/// The millionths that a plain decimal number writes.
///
/// # Errors
/// What is wrong with it, in words that follow its text.
pub fn millionths(text: &str) -> Result<u64, String> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if text.starts_with('-') {
        return Err("is negative: a load is 0 or more".to_owned());
    }
    if whole.is_empty() || !digits(whole) || !digits(fraction) || text.ends_with('.') {
        return Err("is no number".to_owned());
    }
    if fraction.len() > MOST_DECIMALS {
        return Err(format!("has more than {MOST_DECIMALS} decimals"));
    }
    let too_large = || "is too large".to_owned();
    let whole: u64 = whole.parse().map_err(|_| too_large())?;
    let fraction: u64 = format!("{fraction:0<6}").parse().unwrap_or(0);
    whole.checked_mul(MICRO).and_then(|micro| micro.checked_add(fraction)).ok_or_else(too_large)
}

impl FromStr for Quantity {
    type Err = String;

    /// Without a unit: records. `x2` and `2x` are factors; `2MB` are bytes.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: String| {
            if text.is_empty() { "a number is missing".to_owned() } else { format!("{text} {why}") }
        };
        let times = text.strip_prefix(['x', '×']).or_else(|| text.strip_suffix(['x', '×']));
        let (number, unit, size) = match times {
            Some(number) => (number, Unit::Factor, 1),
            None => match BYTE_UNITS.iter().find(|(name, _)| ends_with(text, name)) {
                Some((name, size)) => (&text[..text.len() - name.len()], Unit::Bytes, *size),
                None => (text, Unit::Records, 1),
            },
        };
        let micro = millionths(number).map_err(wrong)?;
        let (most, told) = unit.most();
        match micro.checked_mul(size) {
            Some(micro) if micro <= most * MICRO => Ok(Self { micro, unit }),
            _ => Err(wrong(format!("is more than {told}"))),
        }
    }
}

fn ends_with(text: &str, unit: &str) -> bool {
    text.len()
        .checked_sub(unit.len())
        .and_then(|at| text.get(at..))
        .is_some_and(|end| end.eq_ignore_ascii_case(unit))
}

/// Millionths as a decimal number.
#[derive(Debug, Clone, Copy)]
pub struct Decimal(pub u64);

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0 / MICRO, self.0 % MICRO);
        if fraction == 0 {
            return whole.fmt(f);
        }
        let digits = format!("{fraction:06}");
        write!(f, "{whole}.{}", digits.trim_end_matches('0'))
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.unit {
            Unit::Records => Decimal(self.micro).fmt(f),
            Unit::Factor => write!(f, "x{}", Decimal(self.micro)),
            Unit::Bytes => {
                let whole =
                    |(_, size): &&(&str, u64)| self.micro != 0 && self.micro.is_multiple_of(size * MICRO);
                let (name, size) = BYTE_UNITS.iter().find(whole).copied().unwrap_or(("B", 1));
                write!(f, "{}{name}", Decimal(self.micro / size))
            }
        }
    }
}

/// A load that does not change: `5000/s`, `12MB/s`, `300/min`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How much, in each `per_seconds`; never a factor, and not 0.
    pub quantity: Quantity,
    /// 1, 60 or 3,600.
    pub per_seconds: u64,
}

const SPANS: [(u64, &[&str]); 3] = [(1, &["s", "sec"]), (60, &["min", "m"]), (3_600, &["h", "hour"])];

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (amount, span) = text.split_once('/').unwrap_or((text, "s"));
        let quantity: Quantity = amount.trim().parse()?;
        let per_seconds = SPANS
            .iter()
            .find(|(_, names)| names.contains(&span.trim()))
            .map(|(seconds, _)| *seconds)
            .ok_or_else(|| format!("{span} is no span of time: s, min or h"))?;
        match quantity {
            Quantity { unit: Unit::Factor, .. } => Err("a factor is for profiles".to_owned()),
            Quantity { micro: 0, .. } => Err("0 is no load".to_owned()),
            _ => Ok(Self { quantity, per_seconds }),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let span =
            SPANS.iter().find(|(seconds, _)| *seconds == self.per_seconds).map_or("s", |(_, names)| names[0]);
        write!(f, "{}/{span}", self.quantity)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_rate_is_a_number_with_a_unit_and_a_span_of_time() {
        for (text, micro, unit, per) in [
            ("5000/s", 5_000 * MICRO, Unit::Records, 1),
            ("5000", 5_000 * MICRO, Unit::Records, 1),
            ("300/min", 300 * MICRO, Unit::Records, 60),
            ("0.5/h", MICRO / 2, Unit::Records, 3_600),
            ("12MB/s", 12_000_000 * MICRO, Unit::Bytes, 1),
            ("1.5MiB/s", 1_572_864 * MICRO, Unit::Bytes, 1),
            ("1gb/s", 1_000_000_000 * MICRO, Unit::Bytes, 1),
        ] {
            let quantity = Quantity { micro, unit };
            assert_eq!(text.parse(), Ok(Rate { quantity, per_seconds: per }), "{text}");
        }
    }

    #[test]
    fn what_is_no_rate_is_told() {
        for (text, told) in [
            ("", "missing"),
            ("-5/s", "negative"),
            ("5/day", "no span"),
            ("fast", "no number"),
            ("1.2345678/s", "decimals"),
            ("10000001/s", "more than 10000000"),
            ("11000MiB/s", "more than 10000MiB"),
            ("99999999999999999999/s", "too large"),
            ("x2", "profiles"),
            ("0/s", "no load"),
            ("5./s", "no number"),
            ("é", "no number"),
        ] {
            let error = text.parse::<Rate>().expect_err(text);
            assert!(error.contains(told), "{text}: {error}");
        }
    }

    proptest! {
        // Law: a rate that is shown is read back as the same rate.
        #[test]
        fn a_rate_is_read_as_it_is_shown(
            micro in 1..MOST_RECORDS * MICRO, bytes: bool, per_seconds in prop_oneof![Just(1_u64), Just(60), Just(3_600)],
        ) {
            let unit = if bytes { Unit::Bytes } else { Unit::Records };
            let rate = Rate { quantity: Quantity { micro, unit }, per_seconds };
            prop_assert_eq!(rate.to_string().parse(), Ok(rate));
        }
    }
}
