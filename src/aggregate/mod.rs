//! The aggregated record of the Kinesis Producer Library: several user records in the data of one Kinesis record.
//!
//! ```text
//! F3 89 9A C2, message, MD5 of the message
//!
//! AggregatedRecord { repeated string partition_key_table = 1; repeated string explicit_hash_key_table = 2;
//!                    repeated Record records = 3 }
//! Record           { required uint64 partition_key_index = 1; optional uint64 explicit_hash_key_index = 2;
//!                    required bytes data = 3; repeated Tag tags = 4 }
//! ```
//!
//! (awslabs/amazon-kinesis-producer, aggregation-format.md.) [`Aggregate`] writes one, byte for byte as the library does;
//! [`message`] and [`each`] read one of anybody. Decides how it is written, not which records go together.

mod read;
mod table;
mod write;

#[cfg(test)]
pub(crate) use read::tests;
pub use read::{AggregateError, Inner, each, message};
pub use write::{Addition, Aggregate};

/// How an aggregated record begins.
const MAGIC: [u8; 4] = [0xf3, 0x89, 0x9a, 0xc2];

/// Bytes of the MD5 at its end.
const DIGEST_LENGTH: usize = 16;

/// The fields of `AggregatedRecord`.
const PARTITION_KEYS: u64 = 1;
const HASH_KEYS: u64 = 2;
const RECORDS: u64 = 3;

/// The fields of `Record`.
const PARTITION_KEY_INDEX: u64 = 1;
const HASH_KEY_INDEX: u64 = 2;
const DATA: u64 = 3;

/// The first byte of a field that is a number, and of one that is bytes (its length follows).
const fn number(field: u64) -> u8 {
    (field << 3) as u8
}

const fn bytes(field: u64) -> u8 {
    (field << 3 | 2) as u8
}

/// Bytes of a number as protobuf writes it: seven bits in each.
const fn varint_length(number: u64) -> usize {
    (70 - (number | 1).leading_zeros() as usize) / 7
}

/// Appends a number.
#[inline]
fn put_varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
