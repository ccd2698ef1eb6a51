//! A fingerprint of many records that does not depend on their order, for payloads without identity.
//!
//! Says whether two sides hold the same records, not which one differs. Meant against loss and damage, not against
//! an opponent who may choose the data.

use md5::{Digest as _, Md5};
use serde::Serialize;

use crate::kinesis::{SequenceNumber, ShardId};

/// The sum, modulo 2^128, of the MD5 of every record's sequence number and data; and their count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Digest {
    /// Number of records.
    pub records: u64,
    /// The sum, as 32 hexadecimal digits in JSON.
    #[serde(serialize_with = "hexadecimal")]
    pub sum: u128,
}

impl Digest {
    /// Adds a record: the sequence number that Kinesis gave it, and its data as it was sent.
    pub fn add(&mut self, sequence_number: SequenceNumber, data: &[u8]) {
        let mut hash = Md5::new();
        hash.update(sequence_number.to_bytes());
        hash.update(data);
        self.records += 1;
        self.sum = self.sum.wrapping_add(u128::from_be_bytes(hash.finalize().into()));
    }

    /// Adds all records of `other`.
    pub fn merge(&mut self, other: &Self) {
        self.records += other.records;
        self.sum = self.sum.wrapping_add(other.sum);
    }
}

/// What was acknowledged as stored in a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredIn {
    /// The shard.
    pub shard: ShardId,
    /// The records.
    pub digest: Digest,
}

impl StoredIn {
    /// Adds a record of `shard` to the digests in `all`, of which there are as many as shards.
    pub fn add(all: &mut Vec<Self>, shard: ShardId, sequence_number: SequenceNumber, data: &[u8]) {
        let mut one = Digest::default();
        one.add(sequence_number, data);
        Self { shard, digest: one }.merge_into(all);
    }

    /// Adds this to the digests in `all`.
    pub fn merge_into(self, all: &mut Vec<Self>) {
        match all.iter_mut().find(|one| one.shard == self.shard) {
            Some(one) => one.digest.merge(&self.digest),
            None => all.push(self),
        }
    }
}

fn hexadecimal<S: serde::Serializer>(sum: &u128, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format!("{sum:032x}"))
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn digest<'a>(records: impl Iterator<Item = &'a (u64, Vec<u8>)>) -> Digest {
        let mut digest = Digest::default();
        records.for_each(|(number, data)| digest.add((*number).into(), data));
        digest
    }

    proptest! {
        // The order of records changes nothing; any other number, any flipped bit, any record left out or added does.
        #[test]
        fn a_digest_knows_the_records_and_not_their_order(
            records in vec((any::<u64>(), vec(any::<u8>(), 0..20)), 1..20), which: usize, bit in 0..8_u32
        ) {
            let whole = digest(records.iter());
            prop_assert_eq!(whole, digest(records.iter().rev()));
            let at = which % records.len();
            let (mut left, mut right) = (digest(records[..at].iter()), digest(records[at + 1..].iter()));
            left.merge(&right);
            prop_assert_ne!(left, whole);
            right = whole;
            right.add(records[at].0.into(), &records[at].1);
            prop_assert_ne!(right, whole);
            let mut changed = records.clone();
            match changed[at].1.first_mut() {
                Some(byte) => *byte ^= 1 << bit,
                None => changed[at].0 ^= 1 << bit,
            }
            prop_assert_ne!(digest(changed.iter()), whole);
        }
    }

    #[test]
    fn the_sum_is_told_in_hexadecimal() {
        let json = serde_json::to_string(&Digest { records: 2, sum: 255 }).expect("plain");
        assert_eq!(json, r#"{"records":2,"sum":"000000000000000000000000000000ff"}"#);
    }
}
