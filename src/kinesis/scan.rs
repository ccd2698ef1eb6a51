//! Reads the answers that nearly all answers are: compact JSON, entries stored or refused as AWS writes them.
//!
//! Gives up at the first byte that it does not expect, and then the answer is read in full; so it may be
//! strict, but it must never read anything differently.

use super::answer::{named_shard, refusal};
use super::{EntryResult, ShardId};

/// The results of an answer in which every entry has a sequence number and a shard of the known form, or an error
/// code and a message, and what it says of failures; none when it is any other answer. `entries` holds nothing of
/// use then.
pub(super) fn usual(body: &[u8], entries: &mut Vec<EntryResult>) -> Option<Option<u64>> {
    let mut text = Text(body);
    let (mut failed, mut seen) = (None, false);
    text.eat(b"{\"")?;
    loop {
        if text.eat(b"FailedRecordCount\":").is_some() {
            failed = Some(text.number()?);
        } else if text.eat(b"EncryptionType\":\"").is_some() {
            text.word()?;
            text.eat(b"\"")?;
        } else if !seen {
            text.eat(b"Records\":[")?;
            text.entries(entries)?;
            seen = true;
        } else {
            return None;
        }
        if text.eat(b",\"").is_none() {
            text.eat(b"}")?;
            return (seen && text.0.is_empty()).then_some(failed);
        }
    }
}

/// Whether each of the eight bytes is `0` to `9`: its high half is 3, and still is when 6 is added.
#[inline]
pub(super) fn all_digits(eight: u64) -> bool {
    const HIGH: u64 = 0xf0f0_f0f0_f0f0_f0f0;
    const THREE: u64 = 0x3030_3030_3030_3030;
    const SIX: u64 = 0x0606_0606_0606_0606;
    (eight & HIGH) == THREE && (eight.wrapping_add(SIX) & HIGH) == THREE
}

/// The number that the digits make. Neighbours are joined, first to pairs, then to fours, then to eights.
#[inline]
pub(super) fn twelve_digits(digits: &[u8; 12]) -> Option<u64> {
    let (high, low) = digits.split_first_chunk::<8>()?;
    let low: &[u8; 4] = low.first_chunk()?;
    let [a, b, c, d] = *low;
    let (high, low) = (u64::from_le_bytes(*high), u64::from_le_bytes([b'0', b'0', b'0', b'0', a, b, c, d]));
    if !(all_digits(high) & all_digits(low)) {
        return None;
    }
    let join = |eight: u64| {
        let ones = eight & 0x0f0f_0f0f_0f0f_0f0f;
        let pairs = (ones.wrapping_mul(10) + (ones >> 8)) & 0x00ff_00ff_00ff_00ff;
        let fours = (pairs.wrapping_mul(100) + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
        (fours.wrapping_mul(10_000) + (fours >> 32)) & 0xffff_ffff
    };
    Some(join(high) * 10_000 + join(low))
}

/// What is left to read.
struct Text<'a>(&'a [u8]);

impl<'a> Text<'a> {
    /// Goes past `expected`, if it is next.
    #[inline]
    fn eat(&mut self, expected: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(expected)?;
        Some(())
    }

    /// Goes past one or more upper-case letters.
    fn word(&mut self) -> Option<()> {
        let end = self.0.iter().position(|byte| !byte.is_ascii_uppercase())?;
        self.0 = &self.0[end..];
        (end > 0).then_some(())
    }

    /// Goes past one or more digits. A sequence number has 56: eight at a time.
    #[inline]
    fn digits(&mut self) -> Option<()> {
        let before = self.0.len();
        while let Some((eight, rest)) = self.0.split_first_chunk::<8>() {
            if !all_digits(u64::from_le_bytes(*eight)) {
                break;
            }
            self.0 = rest;
        }
        let end = self.0.iter().position(|byte| !byte.is_ascii_digit())?;
        self.0 = &self.0[end..];
        (self.0.len() < before).then_some(())
    }

    /// Reads a whole number without leading zeros.
    fn number(&mut self) -> Option<u64> {
        let end = self.0.iter().position(|byte| !byte.is_ascii_digit())?;
        let (digits, rest) = self.0.split_at(end);
        self.0 = rest;
        if digits.len() > 1 && digits[0] == b'0' {
            return None;
        }
        std::str::from_utf8(digits).ok()?.parse().ok()
    }

    fn entries(&mut self, entries: &mut Vec<EntryResult>) -> Option<()> {
        entries.clear();
        if self.eat(b"]").is_some() {
            return Some(());
        }
        loop {
            if let Some(shard) = self.stored() {
                entries.push(EntryResult::Stored(Some(shard)));
                if self.eat(b",").is_none() {
                    return self.eat(b"]");
                }
                continue;
            }
            self.eat(b"{\"")?;
            let result = if self.eat(b"SequenceNumber\":\"").is_some() {
                self.digits()?;
                self.eat(b"\",\"ShardId\":\"")?;
                EntryResult::Stored(Some(self.shard()?))
            } else if self.eat(b"ShardId\":\"").is_some() {
                let shard = self.shard()?;
                self.eat(b"\",\"SequenceNumber\":\"")?;
                self.digits()?;
                EntryResult::Stored(Some(shard))
            } else if self.eat(b"ErrorCode\":\"").is_some() {
                let code = self.plain_text()?;
                self.eat(b"\",\"ErrorMessage\":\"")?;
                refusal(code)?(named_shard(self.plain_text()?))
            } else {
                self.eat(b"ErrorMessage\":\"")?;
                let message = self.plain_text()?;
                self.eat(b"\",\"ErrorCode\":\"")?;
                refusal(self.plain_text()?)?(named_shard(message))
            };
            self.eat(b"\"}")?;
            entries.push(result);
            if self.eat(b",").is_none() {
                return self.eat(b"]");
            }
        }
    }

    /// Goes past a stored entry exactly as AWS writes it, with a sequence number of 56 digits; else past nothing.
    #[inline]
    fn stored(&mut self) -> Option<ShardId> {
        let (number, rest) = self.0.strip_prefix(b"{\"SequenceNumber\":\"")?.split_first_chunk::<56>()?;
        let (shard, rest) = rest.strip_prefix(b"\",\"ShardId\":\"shardId-")?.split_first_chunk::<12>()?;
        let rest = rest.strip_prefix(b"\"}")?;
        let (eights, _) = number.as_chunks::<8>();
        // Without an early end: nearly every number is one.
        if !eights.iter().fold(true, |all, eight| all & all_digits(u64::from_le_bytes(*eight))) {
            return None;
        }
        let shard = twelve_digits(shard)?;
        self.0 = rest;
        Some(ShardId(shard))
    }

    /// Goes to the end of a string of printable ASCII without escapes, and gives it.
    fn plain_text(&mut self) -> Option<&'a str> {
        let end = self.0.iter().position(|&byte| byte == b'"')?;
        let (text, rest) = self.0.split_at(end);
        let plain = text.iter().fold(true, |all, byte| all & (0x20..0x7f).contains(byte) & (*byte != b'\\'));
        self.0 = rest;
        if plain { std::str::from_utf8(text).ok() } else { None }
    }

    #[inline]
    fn shard(&mut self) -> Option<ShardId> {
        self.eat(b"shardId-")?;
        let (digits, rest) = self.0.split_first_chunk::<12>()?;
        self.0 = rest;
        twelve_digits(digits).map(ShardId)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        // Twelve digits are read as the standard library reads them, and nothing else is read at all.
        #[test]
        fn twelve_digits_are_a_number(number in 0_u64..1_000_000_000_000, at in 0_usize..12, byte: u8) {
            let mut text: [u8; 12] = format!("{number:012}").as_bytes().try_into().expect("twelve");
            prop_assert_eq!(twelve_digits(&text), Some(number));
            text[at] = byte;
            let by_std = std::str::from_utf8(&text).ok().filter(|text| !text.starts_with('+'));
            prop_assert_eq!(twelve_digits(&text), by_std.and_then(|text| text.parse().ok()));
        }
    }

    #[test]
    fn eight_digits_are_told_from_any_other_byte_in_any_place() {
        assert!(all_digits(u64::from_le_bytes(*b"01234567")) && all_digits(u64::from_le_bytes(*b"99999999")));
        for at in 0..8 {
            for byte in (0..=u8::MAX).filter(|byte| !byte.is_ascii_digit()) {
                for around in [b'0', b'9'] {
                    let mut eight = [around; 8];
                    eight[at] = byte;
                    assert!(!all_digits(u64::from_le_bytes(eight)), "{byte} at {at}");
                }
            }
        }
    }
}
