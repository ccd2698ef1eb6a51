//! The few pieces of CBOR that a PutRecords body is made of.
//!
//! The list of records is of unknown length, ended by a break, as aws-sdk-java writes all its lists: so an entry is
//! written before anybody knows how many there will be, and a retry copies entries without a count to mend. Maps and
//! strings tell their length, in the shortest form.

use crate::cbor::{BREAK, Major, head_length, push_text, put_head};

/// A map of two members, the first of which is the list of records.
pub(super) const HEAD: &[u8] = b"\xa2\x67Records\x9f";

/// The heads of an entry with and without an explicit hash key, up to its data.
const THREE: &[u8] = b"\xa3\x64Data";
const TWO: &[u8] = b"\xa2\x64Data";
const EXPLICIT: &[u8] = b"\x6fExplicitHashKey";
const KEY: &[u8] = b"\x6cPartitionKey";

/// What stands behind the entries: the end of their list, and the stream.
pub(super) fn tail(member: &str, value: &str) -> Vec<u8> {
    let mut tail = vec![BREAK];
    push_text(&mut tail, member);
    push_text(&mut tail, value);
    tail
}

/// Bytes around data and key of these lengths.
pub(super) const fn around(data: usize, key: usize) -> usize {
    TWO.len() + head_length(data as u64) + KEY.len() + head_length(key as u64)
}

/// Bytes of an entry; `explicit` is its hash key in decimal.
#[inline]
pub(super) fn length(data: &[u8], key: &str, explicit: Option<&[u8]>) -> usize {
    // A hash key has 39 digits at most, which take a head of two bytes from 24 on.
    let explicit =
        explicit.map_or(0, |digits| EXPLICIT.len() + head_length(digits.len() as u64) + digits.len());
    around(data.len(), key.len()) + data.len() + key.len() + explicit
}

/// Writes an entry over all of `out`, which has its [`length`].
#[inline]
pub(super) fn write(out: &mut [u8], data: &[u8], key: &str, explicit: Option<&[u8]>) {
    let out = put(out, if explicit.is_some() { THREE } else { TWO });
    let mut out = put(put_head(out, Major::Bytes, data.len() as u64), data);
    if let Some(digits) = explicit {
        out = put(out, EXPLICIT);
        out = put(put_head(out, Major::Text, digits.len() as u64), digits);
    }
    let out = put(out, KEY);
    put(put_head(out, Major::Text, key.len() as u64), key.as_bytes());
}

/// Writes `bytes` to the start of `out`, and gives what is behind them.
#[inline]
fn put<'a>(out: &'a mut [u8], bytes: &[u8]) -> &'a mut [u8] {
    let (now, rest) = out.split_at_mut(bytes.len());
    now.copy_from_slice(bytes);
    rest
}
