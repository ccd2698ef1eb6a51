//! One aggregated record in the making: sizes known before anything is added, written byte for byte as the library does
//! (tables first, in the order in which keys came). Its buffers serve again; a record costs no allocation.

use md5::{Digest, Md5};

use super::table::{Spot, Table};
use super::{
    DATA, DIGEST_LENGTH, HASH_KEY_INDEX, HASH_KEYS, MAGIC, PARTITION_KEY_INDEX, PARTITION_KEYS, RECORDS,
    bytes, number, put_varint, varint_length,
};
use crate::kinesis::HashKey;

/// Why a key that was added can be read.
const TEXT: &str = "it was added as text";

/// An aggregated record in the making.
#[derive(Debug, Default)]
pub struct Aggregate {
    partition_keys: Table,
    hash_keys: Table,
    records: Vec<u8>,
    count: u32,
    first: First,
}

/// What is known of the first user record.
#[derive(Debug, Clone, Copy, Default)]
struct First {
    hash_key: HashKey,
    explicit: bool,
    /// Where its data begins in `records`.
    data: u32,
}

/// What one user record would add to an [`Aggregate`] as it was when this was asked for.
#[derive(Debug, Clone, Copy)]
pub struct Addition {
    partition_key: Spot,
    hash_key: Option<Spot>,
    /// Bytes of its message.
    record: usize,
    bytes: usize,
}

impl Addition {
    /// Bytes by which the aggregated record would be larger.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Aggregate {
    /// Bytes of one without user records: magic and digest.
    pub const EMPTY: usize = MAGIC.len() + DIGEST_LENGTH;

    /// Number of user records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes of the data of the Kinesis record that it would be now.
    #[must_use]
    pub fn size(&self) -> usize {
        Self::EMPTY + self.partition_keys.fields().len() + self.hash_keys.fields().len() + self.records.len()
    }

    /// What a user record would add; `explicit` is its explicit hash key in decimal.
    #[inline]
    #[must_use]
    pub fn weigh(&self, data: &[u8], partition_key: &str, explicit: Option<&[u8]>) -> Addition {
        let partition_key_spot = self.partition_keys.look(partition_key.as_bytes());
        let mut record = 1
            + varint_length(partition_key_spot.index.into())
            + 1
            + varint_length(data.len() as u64)
            + data.len();
        let mut bytes = partition_key_spot.adds(partition_key.as_bytes());
        let hash_key = explicit.map(|digits| {
            let spot = self.hash_keys.look(digits);
            record += 1 + varint_length(spot.index.into());
            bytes += spot.adds(digits);
            spot
        });
        bytes += 1 + varint_length(record as u64) + record;
        Addition { partition_key: partition_key_spot, hash_key, record, bytes }
    }

    /// Adds the user record that was weighed last, with the hash key that decides its shard.
    #[inline]
    pub fn add(
        &mut self,
        addition: Addition,
        data: &[u8],
        partition_key: &str,
        explicit: Option<&[u8]>,
        hash_key: HashKey,
    ) {
        self.partition_keys.add(addition.partition_key, PARTITION_KEYS, partition_key.as_bytes());
        let records = &mut self.records;
        records.push(bytes(RECORDS));
        put_varint(addition.record as u64, records);
        records.push(number(PARTITION_KEY_INDEX));
        put_varint(addition.partition_key.index.into(), records);
        if let Some((digits, spot)) = explicit.zip(addition.hash_key) {
            self.hash_keys.add(spot, HASH_KEYS, digits);
            records.push(number(HASH_KEY_INDEX));
            put_varint(spot.index.into(), records);
        }
        records.push(bytes(DATA));
        put_varint(data.len() as u64, records);
        if self.count == 0 {
            let data = records.len() as u32; // a record has at most 10 MiB
            self.first = First { hash_key, explicit: explicit.is_some(), data };
        }
        records.extend_from_slice(data);
        self.count += 1;
    }

    /// The hash key of the first user record, which is that of the whole.
    #[must_use]
    pub fn hash_key(&self) -> HashKey {
        self.first.hash_key
    }

    /// The one user record, with its key and explicit hash key, where there is no more: it goes out as it is.
    #[must_use]
    pub fn alone(&self) -> Option<(&[u8], &str, Option<HashKey>)> {
        let First { hash_key, explicit, data } = self.first;
        let key = || std::str::from_utf8(self.partition_keys.key(0)).expect(TEXT);
        (self.count == 1).then(|| (&self.records[data as usize..], key(), explicit.then_some(hash_key)))
    }

    /// Writes the data of the Kinesis record over `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(self.partition_keys.fields());
        out.extend_from_slice(self.hash_keys.fields());
        out.extend_from_slice(&self.records);
        let digest = Md5::digest(&out[MAGIC.len()..]);
        out.extend_from_slice(&digest);
    }

    /// Forgets all user records; the buffers stay.
    pub fn clear(&mut self) {
        self.partition_keys.clear();
        self.hash_keys.clear();
        self.records.clear();
        self.count = 0;
    }

    /// Bytes of memory that it holds.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.partition_keys.capacity() + self.hash_keys.capacity() + self.records.capacity()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{Record, pack, records, unpacked};
    use super::super::{number, put_varint, varint_length};
    use super::*;

    fn add(aggregate: &mut Aggregate, (key, explicit, data): &Record) -> Addition {
        let digits = explicit.map(|number| number.to_string());
        let digits = digits.as_ref().map(String::as_bytes);
        let hash_key = explicit.map_or_else(|| HashKey::of(key), HashKey);
        let addition = aggregate.weigh(data, key, digits);
        aggregate.add(addition, data, key, digits, hash_key);
        addition
    }

    proptest! {
        // Law: what is written is what a plain writer of the format writes, is read back as it went in, and has exactly
        // the size that was told before each record; buffers that serve again change nothing.
        #[test]
        fn user_records_are_written_as_they_are_read(first in records(), second in records()) {
            let (mut aggregate, mut out) = (Aggregate::default(), Vec::new());
            for records in [first, second] {
                aggregate.clear();
                for record in &records {
                    let before = aggregate.size();
                    let addition = add(&mut aggregate, record);
                    prop_assert_eq!(aggregate.size(), before + addition.bytes());
                }
                aggregate.write(&mut out);
                prop_assert_eq!(out.len(), aggregate.size());
                prop_assert_eq!(&out, &pack(&records, false));
                if let Some((key, explicit, data)) = records.first() {
                    let alone = aggregate.alone();
                    prop_assert_eq!(alone.is_some(), records.len() == 1);
                    if let Some(alone) = alone {
                        prop_assert_eq!(alone, (&data[..], &key[..], explicit.map(HashKey)));
                    }
                }
                prop_assert_eq!(unpacked(&out), Some(Ok(records)));
            }
        }

        // Law: the length that is told of a number is that of its bytes.
        #[test]
        fn a_number_has_the_length_that_is_told(bits: u64, shift in 0..64) {
            let mut out = Vec::new();
            put_varint(bits >> shift, &mut out);
            prop_assert_eq!(out.len(), varint_length(bits >> shift));
        }
    }

    #[test]
    fn the_first_bytes_of_fields_are_those_of_the_format() {
        assert_eq!([number(1), number(2), bytes(1), bytes(2), bytes(3)], [8, 16, 10, 18, 26]);
    }

    /// What aws-kinesis-agg 1.2.3 (PyPI) made of the records below: `RecordAggregator().add_user_record(key, data,
    /// explicit_hash_key)` for each, then `clear_and_get().get_contents()`. tests/clients/aggregation.py makes it anew.
    const VECTOR: &[u8] = include_bytes!("../../tests/vectors/aggregate.bin");

    fn of_the_vector() -> Vec<Record> {
        let explicit = |n: u32| [None, Some(u128::from(n) << 100), Some(u128::MAX)][n as usize % 3];
        let data = |n: u32| format!("{{\"n\":{n},\"é\":\"{}\"}}", "x".repeat(n as usize * 7)).into_bytes();
        (0..40).map(|n| (format!("key-{}", n % 7), explicit(n), data(n))).collect()
    }

    #[test]
    fn what_the_librarys_own_aggregator_wrote_is_read_and_written_byte_for_byte() {
        assert_eq!(unpacked(VECTOR), Some(Ok(of_the_vector())));
        let (mut aggregate, mut out) = (Aggregate::default(), Vec::new());
        for record in &of_the_vector() {
            add(&mut aggregate, record);
        }
        aggregate.write(&mut out);
        assert_eq!(out, VECTOR);
    }
}
