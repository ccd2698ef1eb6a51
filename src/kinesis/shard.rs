//! Shards, hash keys and the map from one to the other.
//!
//! A record goes to the shard whose range holds its hash key: the MD5 of the partition key's
//! UTF-8 bytes as a 128-bit big-endian number, or the explicit hash key (PutRecords API reference).

use std::fmt;
use std::str::FromStr;

use md5::{Digest, Md5};

/// The id of a shard, kept as its number: AWS and every known emulator write `shardId-` and twelve digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShardId(pub u64);

impl fmt::Display for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shardId-{:012}", self.0)
    }
}

/// A text that is no shard id of the known form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a shard id reads shardId- and twelve digits")]
pub struct ShardIdError;

impl FromStr for ShardId {
    type Err = ShardIdError;

    fn from_str(text: &str) -> Result<Self, ShardIdError> {
        let digits = text.strip_prefix("shardId-").ok_or(ShardIdError)?;
        if digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            digits.parse().map(Self).map_err(|_| ShardIdError)
        } else {
            Err(ShardIdError)
        }
    }
}

/// A position in the hash-key space, 0 to 2^128 − 1; decimal as text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HashKey(pub u128);

impl HashKey {
    /// The hash key of a partition key: MD5, read as a big-endian number.
    #[must_use]
    pub fn of(partition_key: &str) -> Self {
        Self(u128::from_be_bytes(Md5::digest(partition_key.as_bytes()).into()))
    }

    /// The key in decimal, at the end of `digits`.
    #[inline]
    #[must_use]
    pub fn decimal(self, digits: &mut [u8; 39]) -> &[u8] {
        let Self(mut number) = self;
        let mut at = digits.len();
        loop {
            at -= 1;
            digits[at] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        &digits[at..]
    }
}

impl fmt::Display for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The hash keys of one shard, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashRange {
    /// Lowest hash key.
    pub start: HashKey,
    /// Highest hash key.
    pub end: HashKey,
}

impl HashRange {
    /// The whole space.
    pub const ALL: Self = Self { start: HashKey(0), end: HashKey(u128::MAX) };

    /// Whether the range holds `key`.
    #[must_use]
    pub fn contains(&self, key: HashKey) -> bool {
        (self.start..=self.end).contains(&key)
    }

    /// The range cut into `count` parts of equal size (the last takes the rest), as CreateStream does it.
    ///
    /// # Panics
    /// When `count` is 0.
    #[must_use]
    pub fn divided(&self, count: u32) -> Vec<Self> {
        assert!(count > 0, "a range is divided into at least one part");
        if count == 1 {
            return vec![*self];
        }
        let count = u128::from(count);
        let span = self.end.0 - self.start.0;
        // The size of the space is span + 1, which may be 2^128: divide span and give the rest to the last.
        let step = if span % count == count - 1 { span / count + 1 } else { span / count };
        (0..count)
            .map(|i| Self {
                start: HashKey(self.start.0 + i * step),
                end: if i + 1 == count { self.end } else { HashKey(self.start.0 + (i + 1) * step - 1) },
            })
            .collect()
    }

    /// The hash key in the middle of the range.
    #[must_use]
    pub fn middle(&self) -> HashKey {
        HashKey(self.start.0 + (self.end.0 - self.start.0) / 2)
    }
}

/// A shard that takes writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Its id.
    pub id: ShardId,
    /// The hash keys that it holds.
    pub range: HashRange,
}

/// The open shards of a stream, in the order of their ranges.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShardMap {
    shards: Vec<Shard>,
    /// Their ids, ascending.
    ids: Vec<ShardId>,
}

impl ShardMap {
    /// A map of these open shards, in any order.
    #[must_use]
    pub fn new(mut shards: Vec<Shard>) -> Self {
        shards.sort_by_key(|shard| shard.range.start);
        let mut ids: Vec<ShardId> = shards.iter().map(|shard| shard.id).collect();
        ids.sort_unstable();
        Self { shards, ids }
    }

    /// Whether it has a shard of that id.
    #[must_use]
    pub fn knows(&self, shard: ShardId) -> bool {
        self.ids.binary_search(&shard).is_ok()
    }

    /// The shards, in the order of their ranges.
    #[must_use]
    pub fn shards(&self) -> &[Shard] {
        &self.shards
    }

    /// The shard that a record with this hash key goes to; none while the map has a gap there.
    #[must_use]
    pub fn locate(&self, key: HashKey) -> Option<ShardId> {
        self.place(key).map(|place| self.shards[place].id)
    }

    /// The same as its place in [`Self::shards`].
    #[inline]
    #[must_use]
    pub fn place(&self, key: HashKey) -> Option<usize> {
        let after = self.shards.partition_point(|shard| shard.range.start <= key);
        let place = after.checked_sub(1)?;
        self.shards[place].range.contains(key).then_some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_key_is_the_md5_as_a_big_endian_number() {
        // MD5("a") = 0cc175b9c0f1b6a831c399e269772661
        assert_eq!(HashKey::of("a").0, 0x0cc1_75b9_c0f1_b6a8_31c3_99e2_6977_2661);
    }

    #[test]
    fn a_shard_id_is_read_as_it_is_written() {
        assert_eq!("shardId-000000000012".parse(), Ok(ShardId(12)));
        assert_eq!(ShardId(12).to_string(), "shardId-000000000012");
        for wrong in ["", "shardId-12", "shard-000000000012", "shardId-00000000001x", "shardId-+00000000012"]
        {
            assert_eq!(wrong.parse::<ShardId>(), Err(ShardIdError), "{wrong}");
        }
    }

    #[test]
    fn a_divided_range_has_no_gap_and_no_overlap() {
        for count in [1, 2, 3, 4, 5, 7, 16, 1_000] {
            let parts = HashRange::ALL.divided(count);
            assert_eq!(parts.len(), count as usize);
            assert_eq!(parts[0].start, HashKey(0));
            assert_eq!(parts[parts.len() - 1].end, HashKey(u128::MAX));
            assert!(parts.windows(2).all(|pair| pair[0].end.0 + 1 == pair[1].start.0));
        }
        // As AWS divides two: the second shard begins at 2^127.
        assert_eq!(HashRange::ALL.divided(2)[1].start, HashKey(1 << 127));
    }

    #[test]
    fn a_key_is_located_in_the_shard_whose_range_holds_it() {
        let ranges = HashRange::ALL.divided(3);
        let shards = (0..3).rev().map(|i| Shard { id: ShardId(i as u64), range: ranges[i] }).collect();
        let map = ShardMap::new(shards);
        for (i, range) in ranges.iter().enumerate() {
            for key in [range.start, range.middle(), range.end] {
                assert_eq!(map.locate(key), Some(ShardId(i as u64)));
            }
        }
        assert!((0..3).all(|id| map.knows(ShardId(id))) && !map.knows(ShardId(3)));
        assert_eq!(ShardMap::default().locate(HashKey(0)), None);
        let gap = ShardMap::new(vec![Shard { id: ShardId(0), range: ranges[1] }]);
        assert_eq!((gap.locate(ranges[0].end), gap.locate(ranges[2].start)), (None, None));
    }
}
