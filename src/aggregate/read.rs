//! Takes an aggregated record apart. Nothing is copied. Any bytes may come: nothing panics, and memory is bounded by
//! [`MOST_KEYS`]. All or nothing: no user record is given of a message that is malformed.

use md5::{Digest, Md5};

use super::{
    DATA, DIGEST_LENGTH, HASH_KEY_INDEX, HASH_KEYS, MAGIC, PARTITION_KEY_INDEX, PARTITION_KEYS, RECORDS,
};
use crate::kinesis::HashKey;

/// Most entries of a table of keys, each 16 bytes of memory: what 10 MiB of records of the smallest size can hold.
const MOST_KEYS: usize = 1 << 20;

/// The bytes are no aggregated record, although they begin like one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AggregateError {
    /// The MD5 at the end is not the message's.
    #[error("the MD5 of an aggregated record is not that of its content")]
    Digest,
    /// The message is malformed.
    #[error("an aggregated record is malformed")]
    Malformed,
}

/// A user record as it stands in the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inner<'a> {
    /// Its partition key.
    pub partition_key: &'a str,
    /// Its explicit hash key, where it has one.
    pub explicit_hash_key: Option<HashKey>,
    /// Its data.
    pub data: &'a [u8],
}

/// The message of a record that begins as an aggregated one; none if it does not.
///
/// # Errors
/// When its check sum is not that of its content.
pub fn message(record: &[u8]) -> Option<Result<&[u8], AggregateError>> {
    let rest = record.strip_prefix(&MAGIC)?;
    let Some((message, digest)) = rest.len().checked_sub(DIGEST_LENGTH).map(|at| rest.split_at(at)) else {
        return Some(Err(AggregateError::Digest));
    };
    let right = Md5::digest(message)[..] == *digest;
    Some(if right { Ok(message) } else { Err(AggregateError::Digest) })
}

/// Calls `give` with every user record of a message, in order.
///
/// # Errors
/// When it is malformed; `give` was not called then.
pub fn each<'a>(message: &'a [u8], mut give: impl FnMut(Inner<'a>)) -> Result<(), AggregateError> {
    let malformed = AggregateError::Malformed;
    let tables = tables(message).ok_or(malformed)?;
    // First all are read, then all are given.
    for pass in [Pass::Check, Pass::Give] {
        let mut fields = Fields { rest: message };
        while let Some(field) = fields.next() {
            if let Field::Bytes(RECORDS, record) = field.ok_or(malformed)? {
                let inner = user_record(record, &tables).ok_or(malformed)?;
                if matches!(pass, Pass::Give) {
                    give(inner);
                }
            }
        }
    }
    Ok(())
}

enum Pass {
    Check,
    Give,
}

/// The tables of keys that user records point into.
#[derive(Default)]
struct Tables<'a> {
    partition_keys: Vec<&'a str>,
    hash_keys: Vec<HashKey>,
}

fn tables(message: &[u8]) -> Option<Tables<'_>> {
    let mut tables = Tables::default();
    let mut fields = Fields { rest: message };
    while let Some(field) = fields.next() {
        match field? {
            Field::Bytes(PARTITION_KEYS, key) => tables.partition_keys.push(std::str::from_utf8(key).ok()?),
            Field::Bytes(HASH_KEYS, key) => tables.hash_keys.push(hash_key(key)?),
            _ => {}
        }
        if tables.partition_keys.len().max(tables.hash_keys.len()) > MOST_KEYS {
            return None;
        }
    }
    Some(tables)
}

/// A hash key in decimal.
fn hash_key(text: &[u8]) -> Option<HashKey> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| digits)?.parse().ok().map(HashKey)
}

fn user_record<'a>(record: &'a [u8], tables: &Tables<'a>) -> Option<Inner<'a>> {
    let (mut partition_key, mut explicit_hash_key, mut data) = (None, None, None);
    let mut fields = Fields { rest: record };
    while let Some(field) = fields.next() {
        match field? {
            Field::Number(PARTITION_KEY_INDEX, index) => partition_key = Some(index),
            Field::Number(HASH_KEY_INDEX, index) => explicit_hash_key = Some(index),
            Field::Bytes(DATA, bytes) => data = Some(bytes),
            _ => {}
        }
    }
    let partition_key = tables.partition_keys.get(usize::try_from(partition_key?).ok()?)?;
    let explicit_hash_key = match explicit_hash_key {
        Some(index) => Some(*tables.hash_keys.get(usize::try_from(index).ok()?)?),
        None => None,
    };
    Some(Inner { partition_key, explicit_hash_key, data: data? })
}

/// A field of a message: its number and value.
enum Field<'a> {
    Number(u64, u64),
    Bytes(u64, &'a [u8]),
    /// Of a fixed size, which nothing of ours has.
    Other,
}

/// The fields of a message that are still to be read.
struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// The next field; none at the end, and `Some(None)` where the bytes are no field.
    fn next(&mut self) -> Option<Option<Field<'a>>> {
        (!self.rest.is_empty()).then(|| self.field())
    }

    fn field(&mut self) -> Option<Field<'a>> {
        let tag = self.varint()?;
        let number = tag >> 3;
        if number == 0 {
            return None;
        }
        Some(match tag & 7 {
            0 => Field::Number(number, self.varint()?),
            1 => self.take(8).map(|_| Field::Other)?,
            2 => {
                let length = self.varint()?;
                Field::Bytes(number, self.take(length)?)
            }
            5 => self.take(4).map(|_| Field::Other)?,
            _ => return None, // groups were given up before this format was made
        })
    }

    fn take(&mut self, length: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(usize::try_from(length).ok()?)?;
        self.rest = rest;
        Some(taken)
    }

    /// Seven bits a byte, the lowest first; at most 64 bits in at most ten bytes.
    fn varint(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return None;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn varint(mut number: u64, out: &mut Vec<u8>) {
        while number >= 0x80 {
            out.push(number as u8 | 0x80);
            number >>= 7;
        }
        out.push(number as u8);
    }

    fn bytes(field: u64, bytes: &[u8], out: &mut Vec<u8>) {
        varint(field << 3 | 2, out);
        varint(bytes.len() as u64, out);
        out.extend_from_slice(bytes);
    }

    /// A user record: partition key, explicit hash key, data.
    pub(crate) type Record = (String, Option<u128>, Vec<u8>);

    /// A table of texts without repetition.
    #[derive(Default)]
    struct Table(Vec<String>);

    impl Table {
        fn place(&mut self, text: String) -> u64 {
            let known = self.0.iter().position(|one| *one == text);
            known.unwrap_or_else(|| {
                self.0.push(text);
                self.0.len() - 1
            }) as u64
        }
    }

    /// Aggregates as the library does; with `strange`, fields that it does not know stand in between.
    pub(crate) fn pack(records: &[Record], strange: bool) -> Vec<u8> {
        let (mut keys, mut hash_keys, mut inner) = (Table::default(), Table::default(), Vec::new());
        for (key, hash_key, data) in records {
            let mut record = Vec::new();
            varint(1 << 3, &mut record);
            varint(keys.place(key.clone()), &mut record);
            if let Some(hash_key) = hash_key {
                varint(2 << 3, &mut record);
                varint(hash_keys.place(hash_key.to_string()), &mut record);
            }
            if strange {
                record.extend_from_slice(&[4 << 3 | 2, 3, 10, 1, b't', 9 << 3 | 1, 1, 2, 3, 4, 5, 6, 7, 8]);
            }
            bytes(3, data, &mut record);
            bytes(3, &record, &mut inner);
        }
        let mut message = Vec::new();
        if strange {
            // Tables may stand behind what points into them.
            message.append(&mut inner);
            message.extend_from_slice(&[7 << 3 | 5, 1, 2, 3, 4]);
        }
        keys.0.iter().for_each(|key| bytes(1, key.as_bytes(), &mut message));
        hash_keys.0.iter().for_each(|key| bytes(2, key.as_bytes(), &mut message));
        message.append(&mut inner);
        sealed(&message)
    }

    fn sealed(message: &[u8]) -> Vec<u8> {
        [&MAGIC[..], message, &Md5::digest(message)[..]].concat()
    }

    pub(crate) fn unpacked(record: &[u8]) -> Option<Result<Vec<Record>, AggregateError>> {
        let message = match message(record)? {
            Ok(message) => message,
            Err(error) => return Some(Err(error)),
        };
        let mut records = Vec::new();
        let result = each(message, |inner| {
            let hash_key = inner.explicit_hash_key.map(|key| key.0);
            records.push((inner.partition_key.to_owned(), hash_key, inner.data.to_owned()));
        });
        assert!(result.is_ok() || records.is_empty(), "all or nothing");
        Some(result.map(|()| records))
    }

    pub(crate) fn records() -> impl Strategy<Value = Vec<Record>> {
        vec(("\\PC{1,3}", any::<Option<u128>>(), vec(any::<u8>(), 0..300)), 0..20)
    }

    proptest! {
        // What was packed comes out as it went in, whatever else stands in the message.
        #[test]
        fn user_records_come_out_as_they_went_in(records in records(), strange: bool) {
            prop_assert_eq!(unpacked(&pack(&records, strange)), Some(Ok(records)));
        }

        // A byte that was changed or is not there any more is found by the digest, wherever it was.
        #[test]
        fn damage_is_found(records in records(), at: prop::sample::Index, bit in 0..8_u32, cut: bool) {
            let mut packed = pack(&records, false);
            let at = MAGIC.len() + at.index(packed.len() - MAGIC.len());
            packed[at] ^= 1_u8 << bit;
            if cut {
                packed.truncate(at);
            }
            prop_assert_eq!(unpacked(&packed), Some(Err(AggregateError::Digest)));
        }

        // Any message under a right digest is read or refused; none makes it panic.
        #[test]
        fn any_message_is_read_or_refused(message in vec(any::<u8>(), 0..100), records in records(), at: prop::sample::Index, byte: u8) {
            let _ = unpacked(&sealed(&message));
            let packed = pack(&records, true);
            let mut message = packed[MAGIC.len()..packed.len() - DIGEST_LENGTH].to_vec();
            if !message.is_empty() {
                let at = at.index(message.len());
                message[at] = byte;
            }
            let _ = unpacked(&sealed(&message));
        }
    }

    #[test]
    fn what_points_nowhere_or_is_not_there_is_malformed() {
        let key = [10, 1, b'a'];
        for record in [
            &[8, 1, 26, 0][..],                                   // no such partition key
            &[8, 0, 16, 0, 26, 0],                                // no such hash key
            &[26, 0],                                             // no partition key
            &[8, 0],                                              // no data
            &[8, 0, 26, 9],                                       // data beyond the end
            &[8, 0, 26, 0, 11],                                   // a group
            &[0, 0],                                              // field 0
            &[8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2], // more than 64 bits
        ] {
            let mut message = key.to_vec();
            bytes(3, record, &mut message);
            assert_eq!(unpacked(&sealed(&message)), Some(Err(AggregateError::Malformed)), "{record:?}");
        }
        for table in [&[10, 1, 0xff][..], &[18, 0], &[18, 1, b'-'], &[18, 2, b'+', b'1']] {
            assert_eq!(unpacked(&sealed(table)), Some(Err(AggregateError::Malformed)), "{table:?}");
        }
        let mut many = Vec::new();
        for _ in 0..=MOST_KEYS {
            many.extend_from_slice(&[10, 0]);
        }
        assert_eq!(unpacked(&sealed(&many)), Some(Err(AggregateError::Malformed)));
        assert_eq!(unpacked(b"{\"id\":1}"), None);
    }
}
