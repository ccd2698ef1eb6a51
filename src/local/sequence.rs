//! Sequence numbers: unique over the stream, strictly increasing within a shard, laid out as AWS's.
//!
//! 188 bits, 56 decimal digits, from the top: `2`, the second the shard was created (36 bits), the
//! shard's lowest 4 bits, the record's index in its shard (64), 8 bits of zero, the second of arrival
//! (36), the shard (32), `2`. The layout is what kinesalite found in AWS's numbers; readers may only rely on
//! their order, and so do we.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use crate::kinesis::ShardId;

const SECONDS: u64 = (1 << 36) - 1;
const CHUNK: u128 = 10_000_000_000_000_000_000;

/// A text that no shard of ours could have given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sequence number of this stream has 56 digits")]
pub struct SequenceError;

/// A record's place in its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SequenceNumber {
    /// The second in which the shard was created. Greater for a child than for its parents.
    pub(super) created: u64,
    /// The record's index in its shard: the first is 1, the shard's start is 0.
    pub(super) index: u64,
    /// The second of arrival.
    pub(super) second: u64,
    /// The shard's number.
    pub(super) shard: u32,
}

impl SequenceNumber {
    /// The index of a closed shard's end: above that of any record.
    pub(super) const END: u64 = i64::MAX as u64;

    /// The shard that gave the number out.
    #[must_use]
    pub fn shard(&self) -> ShardId {
        ShardId(u64::from(self.shard))
    }

    /// The record's index in its shard, from 1, without gaps.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The number, as its upper 124 and lower 64 bits.
    fn bits(&self) -> (u128, u64) {
        let second = self.second & SECONDS;
        let high = 2 << 120
            | u128::from(self.created & SECONDS) << 84
            | u128::from(self.shard & 0xf) << 80
            | u128::from(self.index) << 16
            | u128::from(second >> 28);
        let low = (second & ((1 << 28) - 1)) << 36 | u64::from(self.shard) << 4 | 2;
        (high, low)
    }

    fn from_bits(high: u128, low: u64) -> Result<Self, SequenceError> {
        let field = |from: u32, bits: u32| u64::try_from(high >> from & ((1 << bits) - 1));
        let read = || -> Result<Self, std::num::TryFromIntError> {
            Ok(Self {
                created: field(84, 36)?,
                index: field(16, 64)?,
                second: field(0, 8)? << 28 | low >> 36,
                shard: u32::try_from(low >> 4 & u64::from(u32::MAX))?,
            })
        };
        let number = read().map_err(|_| SequenceError)?;
        // What we write again as it was read, we wrote: the version bits and the shard's repeat included.
        if number.bits() == (high, low) && number.index <= Self::END {
            Ok(number)
        } else {
            Err(SequenceError)
        }
    }
}

impl PartialOrd for SequenceNumber {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SequenceNumber {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bits().cmp(&other.bits())
    }
}

impl fmt::Display for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Schoolbook division by 10^19, limb by limb: three pieces of 18, 19 and 19 digits.
        let (high, low) = self.bits();
        let (upper, rest) = (high / CHUNK, high % CHUNK);
        let step = rest << 64 | u128::from(low);
        let (middle, third) = (step / CHUNK, step % CHUNK);
        // The quotient is upper × 2^64 + middle.
        let (first, second) = divide(upper, middle);
        write!(f, "{first}{second:019}{third:019}")
    }
}

/// `upper` × 2^64 + `middle`, divided by 10^19: quotient and remainder.
fn divide(upper: u128, middle: u128) -> (u128, u128) {
    let all = (upper << 64) + middle;
    (all / CHUNK, all % CHUNK)
}

impl FromStr for SequenceNumber {
    type Err = SequenceError;

    fn from_str(text: &str) -> Result<Self, SequenceError> {
        if text.len() != 56 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(SequenceError);
        }
        let (mut high, mut low) = (0_u128, 0_u64);
        for digit in text.bytes() {
            let step = u128::from(low) * 10 + u128::from(digit - b'0');
            low = step as u64; // The lower limb; the carry goes up.
            high = high * 10 + (step >> 64);
        }
        Self::from_bits(high, low)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_has_56_digits_and_the_known_layout() {
        let number = SequenceNumber { created: 0x0_5657_b9f5, index: 7, second: 0x0_5657_ba01, shard: 0x13 };
        let (high, low) = number.bits();
        // Version, second of creation, shard mod 16, index, zero, second of arrival, shard, version.
        let layout = ["2", "05657b9f5", "3", "0000000000000007", "00", "05657ba01", "00000013", "2"];
        assert_eq!(format!("{high:x}{low:016x}"), layout.concat());
        assert_eq!(number.to_string().len(), 56);
    }

    #[test]
    fn what_we_did_not_give_out_is_refused() {
        let one = SequenceNumber { created: 9, index: 1, second: 9, shard: 0 }.to_string();
        assert!(one.parse::<SequenceNumber>().is_ok());
        let other_version = format!("{}{}", &one[..55], if one.ends_with('3') { '4' } else { '3' });
        for wrong in ["", "0", "12", &"9".repeat(56), &"9".repeat(129), &other_version, "49x"] {
            assert_eq!(wrong.parse::<SequenceNumber>(), Err(SequenceError), "{wrong}");
        }
    }

    proptest! {
        // Law: text and number are the same thing, for any field values.
        #[test]
        fn a_number_is_read_as_it_is_written(
            created in 0..=SECONDS, index in 0..=SequenceNumber::END, second in 0..=SECONDS, shard: u32
        ) {
            let number = SequenceNumber { created, index, second, shard };
            let text = number.to_string();
            prop_assert_eq!(text.len(), 56);
            prop_assert_eq!(text.parse(), Ok(number));
        }

        // Law: within a shard a greater index is a greater number, as a number and as text of equal length.
        #[test]
        fn a_later_record_has_a_greater_number(
            created in 0..=SECONDS, index in 0..SequenceNumber::END, second in 0..SECONDS, shard: u32
        ) {
            let one = SequenceNumber { created, index, second, shard };
            let next = SequenceNumber { index: index + 1, ..one };
            prop_assert!(next > one && next.to_string() > one.to_string());
        }
    }
}
