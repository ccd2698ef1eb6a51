//! Decimal numbers of strategies, kept in ten-thousandths so that they are written as they were read.

use std::fmt;
use std::str::FromStr;

/// A number from 0 to 9,999 with at most four digits behind the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decimal(u32);

impl Decimal {
    /// One, in the unit in which numbers are kept.
    const ONE: u32 = 10_000;

    /// The number in ten-thousandths.
    #[must_use]
    pub fn ten_thousandths(self) -> u32 {
        self.0
    }

    /// The number as the nearest float.
    #[must_use]
    pub fn value(self) -> f64 {
        f64::from(self.0) / f64::from(Self::ONE)
    }
}

impl FromStr for Decimal {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (whole, fraction) = text.split_once('.').map_or((text, None), |(w, f)| (w, Some(f)));
        let is_number = |digits: &str, most: usize| {
            (1..=most).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !is_number(whole, 4) || fraction.is_some_and(|fraction| !is_number(fraction, 4)) {
            return Err(());
        }
        let whole: u32 = whole.parse().map_err(drop)?;
        let fraction: u32 = format!("{:0<4}", fraction.unwrap_or("0")).parse().map_err(drop)?;
        Ok(Self(whole * Self::ONE + fraction))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0 / Self::ONE, self.0 % Self::ONE);
        if fraction == 0 {
            return write!(f, "{whole}");
        }
        write!(f, "{whole}.{}", format!("{fraction:04}").trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        // Any number that can be held is read as it is written.
        #[test]
        fn a_number_is_read_as_it_is_written(number in 0..=99_999_999_u32) {
            prop_assert_eq!(Decimal(number).to_string().parse(), Ok(Decimal(number)));
        }
    }

    #[test]
    fn a_number_is_kept_exactly_or_refused() {
        for (text, number) in [("0", 0), ("1.2", 12_000), ("60.00", 600_000), ("0.0001", 1), ("07.5", 75_000)]
        {
            assert_eq!(text.parse(), Ok(Decimal(number)), "{text}");
        }
        for text in ["", ".", "1.", ".5", "-1", "+1", "1e3", "1.00001", "10000", "1,5", "NaN", "1.+5"] {
            assert_eq!(text.parse::<Decimal>(), Err(()), "{text}");
        }
    }
}
