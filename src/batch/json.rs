//! The few pieces of JSON that a PutRecords body is made of, written as aws-sdk-kinesis writes them.

use base64_simd::STANDARD;

use super::builder::DATA;
use crate::kinesis::HashKey;

/// Whether `text` may stand inside a JSON string as it is.
#[inline]
pub(super) fn is_plain(text: &str) -> bool {
    // All bytes are looked at, because a loop that may end early is not made into vector instructions.
    let special = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
    !text.bytes().fold(false, |any, byte| any | special(byte))
}

/// Appends `text` as the inside of a JSON string: `"`, `\` and control characters escaped, all else as it is.
pub(super) fn escape_into(text: &str, out: &mut Vec<u8>) {
    for &byte in text.as_bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..0x20 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
}

/// Appends the data of an entry that [`super::BatchBuilder`] wrote.
pub(super) fn data(entry: &[u8], out: &mut Vec<u8>) {
    let encoded = entry.strip_prefix(DATA).unwrap_or_default();
    // Base64 has no quotation mark.
    let end = encoded.iter().position(|&byte| byte == b'"').unwrap_or(0);
    STANDARD.decode_append(&encoded[..end], out).expect("the builder wrote base64");
}

/// The hash key of an entry that [`super::BatchBuilder`] wrote: the explicit one, else that of the partition key.
pub(super) fn hash_key(entry: &[u8]) -> Option<HashKey> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Keys<'a> {
        explicit_hash_key: Option<&'a str>,
        #[serde(borrow)]
        partition_key: std::borrow::Cow<'a, str>,
    }
    let keys: Keys<'_> = serde_json::from_slice(entry).ok()?;
    match keys.explicit_hash_key {
        Some(number) => number.parse().ok().map(HashKey),
        None => Some(HashKey::of(&keys.partition_key)),
    }
}
