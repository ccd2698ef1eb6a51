//! Writes the heads that CBOR's items begin with, each in its shortest form (RFC 8949, section 4.2.1).

/// What a head begins, its three bits in their place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Major {
    /// A whole number.
    Unsigned = 0 << 5,
    /// −1 less a whole number.
    Negative = 1 << 5,
    /// So many bytes.
    Bytes = 2 << 5,
    /// So many bytes of text.
    Text = 3 << 5,
    /// So many items.
    Array = 4 << 5,
    /// So many pairs.
    Map = 5 << 5,
    /// A tag of the next item.
    Tag = 6 << 5,
}

/// Added to an array's or a map's first byte: as many as there are before a [`BREAK`].
pub const MANY: u8 = 31;

/// Ends what began with [`MANY`].
pub const BREAK: u8 = 0xff;

/// Bytes of a head with this argument.
#[inline]
#[must_use]
pub const fn head_length(argument: u64) -> usize {
    match argument {
        0..24 => 1,
        24..0x100 => 2,
        0x100..0x1_0000 => 3,
        0x1_0000..0x1_0000_0000 => 5,
        _ => 9,
    }
}

/// Writes a head to the start of `out`, and gives what is behind it.
///
/// # Panics
/// When `out` is shorter than [`head_length`].
#[inline]
pub fn put_head(out: &mut [u8], major: Major, argument: u64) -> &mut [u8] {
    let first = major as u8;
    let (head, rest) = out.split_at_mut(head_length(argument));
    let number = argument.to_be_bytes();
    match head {
        [one] => *one = first | argument as u8,
        [one, bytes @ ..] => {
            *one = first
                | match bytes.len() {
                    1 => 24,
                    2 => 25,
                    4 => 26,
                    _ => 27,
                };
            bytes.copy_from_slice(&number[number.len() - bytes.len()..]);
        }
        [] => {}
    }
    rest
}

/// Appends a head.
pub fn push_head(out: &mut Vec<u8>, major: Major, argument: u64) {
    let at = out.len();
    out.resize(at + head_length(argument), 0);
    put_head(&mut out[at..], major, argument);
}

/// Appends a text.
pub fn push_text(out: &mut Vec<u8>, text: &str) {
    push_head(out, Major::Text, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}
