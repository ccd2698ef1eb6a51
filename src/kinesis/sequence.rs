//! Sequence numbers as a reader meets them: only their order and their text mean anything.
//!
//! AWS's have 56 digits, more than 128 bits hold. What their bits mean is AWS's affair, and not read here.

use std::fmt;
use std::str::FromStr;

/// 10^19, the largest power of ten in 64 bits: a limb holds 19 digits.
const LIMB_DIGITS: usize = 19;

/// A record's place in its shard: greater than that of any record that was stored before it.
///
/// Up to 76 digits; AWS and all known emulators write 56.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct SequenceNumber([u64; 4]);

impl SequenceNumber {
    /// The number as 32 bytes whose order is the number's.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (to, limb) in bytes.chunks_exact_mut(8).zip(self.0) {
            to.copy_from_slice(&limb.to_be_bytes());
        }
        bytes
    }
}

impl From<u64> for SequenceNumber {
    fn from(number: u64) -> Self {
        const LIMB: u64 = 10_u64.pow(LIMB_DIGITS as u32);
        Self([0, 0, number / LIMB, number % LIMB])
    }
}

impl fmt::Display for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut limbs = self.0.into_iter().skip_while(|&limb| limb == 0);
        write!(f, "{}", limbs.next().unwrap_or(0))?;
        limbs.try_for_each(|limb| write!(f, "{limb:019}"))
    }
}

/// A text that is no sequence number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sequence number has 1 to 76 decimal digits")]
pub struct SequenceNumberError;

impl FromStr for SequenceNumber {
    type Err = SequenceNumberError;

    fn from_str(text: &str) -> Result<Self, SequenceNumberError> {
        let digits = text.as_bytes();
        if digits.is_empty() || digits.len() > 4 * LIMB_DIGITS {
            return Err(SequenceNumberError);
        }
        let mut limbs = [0; 4];
        for (limb, part) in limbs.iter_mut().rev().zip(digits.rchunks(LIMB_DIGITS)) {
            for &digit in part {
                if !digit.is_ascii_digit() {
                    return Err(SequenceNumberError);
                }
                *limb = *limb * 10 + u64::from(digit - b'0'); // 19 digits fit
            }
        }
        Ok(Self(limbs))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(text: &str) -> SequenceNumber {
        text.parse().expect("digits")
    }

    proptest! {
        // A number is read as it is written, and its order is that of its digits: the longer one, or the one
        // that is greater as text.
        #[test]
        fn text_and_order_are_those_of_the_digits(a in "[1-9][0-9]{0,75}", b in "[1-9][0-9]{0,75}") {
            prop_assert_eq!(number(&a).to_string(), a.clone());
            let expected = a.len().cmp(&b.len()).then(a.cmp(&b));
            prop_assert_eq!(number(&a).cmp(&number(&b)), expected);
            prop_assert_eq!(number(&a).to_bytes().cmp(&number(&b).to_bytes()), expected);
        }

        // A number of 64 bits is the same as its text.
        #[test]
        fn a_small_number_is_its_text(small: u64) {
            prop_assert_eq!(SequenceNumber::from(small), number(&small.to_string()));
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for wrong in ["", "-1", "1a", " 1", "TRIM_HORIZON", &"1".repeat(77)] {
            assert_eq!(wrong.parse::<SequenceNumber>(), Err(SequenceNumberError), "{wrong}");
        }
        assert_eq!(number(&"0".repeat(56)).to_string(), "0");
    }
}
