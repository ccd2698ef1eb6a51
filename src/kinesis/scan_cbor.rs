//! Reads the answers in CBOR that nearly all answers are: every entry stored, as AWS writes it.
//!
//! As with [`super::scan`]: gives up at the first byte that it does not expect, and then the answer is read in full; so
//! it may be strict, but it must never read anything differently. Containers may tell their length or end with a break.

use super::scan::{all_digits, twelve_digits};
use super::{EntryResult, ShardId};
use crate::cbor::BREAK;

/// A text of 14 bytes, then the head of one of 56.
const SEQUENCE: &[u8] = b"\x6eSequenceNumber\x78\x38";

/// A text of 7 bytes, then the head and the start of one of 20.
const SHARD: &[u8] = b"\x67ShardId\x74shardId-";

/// The results of an answer in which every entry has a sequence number and a shard of the known form, and what it
/// says of failures; none when it is any other answer. `entries` holds nothing of use then.
pub(super) fn usual(body: &[u8], entries: &mut Vec<EntryResult>) -> Option<Option<u64>> {
    let mut bytes = Bytes(body);
    let (mut failed, mut seen) = (None, false);
    let mut left = bytes.open(0xa0)?;
    while bytes.more(&mut left)? {
        if bytes.eat(b"\x71FailedRecordCount").is_some() {
            failed = Some(bytes.number()?);
        } else if bytes.eat(b"\x6eEncryptionType").is_some() {
            bytes.word()?;
        } else if !std::mem::replace(&mut seen, true) {
            bytes.eat(b"\x67Records")?;
            bytes.entries(entries)?;
        } else {
            return None;
        }
    }
    (seen && bytes.0.is_empty()).then_some(failed)
}

/// What is left to read.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    /// Goes past `expected`, if it is next.
    #[inline]
    fn eat(&mut self, expected: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(expected)?;
        Some(())
    }

    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(byte)
    }

    /// Goes past the head of an array (0x80) or a map (0xa0); gives how many items it has, none: up to a break.
    fn open(&mut self, major: u8) -> Option<Option<u64>> {
        match self.byte()?.checked_sub(major)? {
            31 => Some(None),
            length => self.argument(length).map(Some),
        }
    }

    /// The argument of a head whose first byte says this, as far as 500 entries need it.
    fn argument(&mut self, info: u8) -> Option<u64> {
        match info {
            0..24 => Some(u64::from(info)),
            24 => self.byte().map(u64::from),
            25 => Some(u64::from(self.byte()?) << 8 | u64::from(self.byte()?)),
            _ => None,
        }
    }

    /// Whether another item follows; counts it, or goes past the break.
    #[inline]
    fn more(&mut self, left: &mut Option<u64>) -> Option<bool> {
        match left {
            Some(0) => Some(false),
            Some(count) => {
                *count -= 1;
                Some(true)
            }
            None if *self.0.first()? == BREAK => {
                self.byte()?;
                Some(false)
            }
            None => Some(true),
        }
    }

    fn number(&mut self) -> Option<u64> {
        let info = self.byte()?;
        self.argument(info)
    }

    /// Goes past a short text of upper-case letters.
    fn word(&mut self) -> Option<()> {
        let length = usize::from(self.byte()?.checked_sub(0x60)?);
        let (word, rest) = self.0.split_at_checked(length).filter(|_| length < 24)?;
        self.0 = rest;
        word.iter().all(u8::is_ascii_uppercase).then_some(())
    }

    fn entries(&mut self, entries: &mut Vec<EntryResult>) -> Option<()> {
        entries.clear();
        let mut left = self.open(0x80)?;
        while self.more(&mut left)? {
            let shard = self.stored()?;
            entries.push(EntryResult::Stored(Some(shard)));
        }
        Some(())
    }

    /// Goes past a stored entry whose sequence number has 56 digits.
    #[inline]
    fn stored(&mut self) -> Option<ShardId> {
        let (&head, rest) = self.0.split_first()?;
        let (number, shard, rest) = if let Some(rest) = rest.strip_prefix(SEQUENCE) {
            let (number, rest) = rest.split_first_chunk::<56>()?;
            let (shard, rest) = rest.strip_prefix(SHARD)?.split_first_chunk::<12>()?;
            (number, shard, rest)
        } else {
            let (shard, rest) = rest.strip_prefix(SHARD)?.split_first_chunk::<12>()?;
            let (number, rest) = rest.strip_prefix(SEQUENCE)?.split_first_chunk::<56>()?;
            (number, shard, rest)
        };
        let rest = match head {
            0xa2 => rest,
            0xbf => rest.strip_prefix(&[BREAK])?,
            _ => return None,
        };
        let (eights, _) = number.as_chunks::<8>();
        // Without an early end: nearly every number is one.
        if !eights.iter().fold(true, |all, eight| all & all_digits(u64::from_le_bytes(*eight))) {
            return None;
        }
        let shard = twelve_digits(shard)?;
        self.0 = rest;
        Some(ShardId(shard))
    }
}
