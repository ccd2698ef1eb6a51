//! The few pieces of JSON that a PutRecords body is made of, written as aws-sdk-kinesis writes them.

/// What stands before the entries.
pub(super) const HEAD: &[u8] = b"{\"Records\":[";

/// What stands behind the entries: the end of their list, and the stream.
pub(super) fn tail(member: &str, value: &str) -> Vec<u8> {
    let mut tail = format!("],\"{member}\":\"").into_bytes();
    escape_into(value, &mut tail);
    tail.extend_from_slice(b"\"}");
    tail
}

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
