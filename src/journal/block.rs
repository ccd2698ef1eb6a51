//! The blocks of a journal: lines that count together or not at all.
//!
//! A block ends with a check mark, `= 1a2b3c4d`: the CRC-32 (IEEE) of all its bytes before the mark, as eight
//! hexadecimal digits. What a kill cuts off has no mark, and so says nothing instead of something wrong.

/// Most bytes of a block, its check mark included. Bounds the memory of a reader.
pub(super) const MOST_BYTES: usize = 1024 * 1024;

/// Bytes after which a writer ends a block; far below the most, so that any one line still fits.
pub(super) const USUAL_BYTES: usize = 256 * 1024;

/// Appends the lines in `lines`, as blocks, to `out`.
///
/// Each line ends with a line feed; none is longer than the difference between the two bounds.
pub(super) fn write(mut lines: &[u8], out: &mut Vec<u8>) {
    while !lines.is_empty() {
        let end = match lines.get(USUAL_BYTES..) {
            None => lines.len(),
            Some(rest) => {
                USUAL_BYTES + rest.iter().position(|&byte| byte == b'\n').map_or(rest.len(), |at| at + 1)
            }
        };
        let (block, rest) = lines.split_at(end);
        out.extend_from_slice(block);
        out.extend_from_slice(format!("= {:08x}\n", crc32fast::hash(block)).as_bytes());
        lines = rest;
    }
}

/// What a check mark's line says; none when it is no such line.
pub(super) fn mark(line: &[u8]) -> Option<u32> {
    let digits = line.strip_prefix(b"= ").filter(|digits| digits.len() == 8)?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}
