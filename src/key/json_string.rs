//! The inside of a JSON string (RFC 8259, section 7) as text, piece by piece, without allocating.

/// A JSON string that breaks the grammar, or is no UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// Gives the text of `raw`, the bytes between the quotes, to `take` in order, until it answers `false`.
///
/// # Errors
/// When the part that was read is malformed. A surrogate without its partner is, as it is no character.
pub(super) fn unescape(raw: &[u8], mut take: impl FnMut(&str) -> bool) -> Result<(), Malformed> {
    let mut rest = raw;
    loop {
        let plain = rest.iter().position(|&byte| byte == b'\\').unwrap_or(rest.len());
        let (text, escaped) = rest.split_at(plain);
        if text.iter().any(|&byte| byte < 0x20) {
            return Err(Malformed);
        }
        let text = std::str::from_utf8(text).map_err(|_| Malformed)?;
        if !text.is_empty() && !take(text) {
            return Ok(());
        }
        if escaped.is_empty() {
            return Ok(());
        }
        let (letter, after) = escape(escaped)?;
        if !take(letter.encode_utf8(&mut [0; 4])) {
            return Ok(());
        }
        rest = after;
    }
}

/// Whether the text of `raw` is `text`.
///
/// # Errors
/// As for [`unescape`].
pub(super) fn equals(raw: &[u8], text: &str) -> Result<bool, Malformed> {
    // An escape is longer than what it means, so most names are told apart by length or first byte.
    if raw.len() < text.len() || (raw.first() != text.as_bytes().first() && raw.first() != Some(&b'\\')) {
        return Ok(false);
    }
    let mut rest = Some(text);
    unescape(raw, |piece| {
        rest = rest.and_then(|rest| rest.strip_prefix(piece));
        rest.is_some()
    })?;
    Ok(rest == Some(""))
}

/// The character that the escape at the start of `bytes` means, and what follows it.
fn escape(bytes: &[u8]) -> Result<(char, &[u8]), Malformed> {
    let letter = match bytes.get(1) {
        Some(b'u') => return unicode(bytes),
        Some(&(b'"' | b'\\' | b'/')) => char::from(bytes[1]),
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        _ => return Err(Malformed),
    };
    Ok((letter, &bytes[2..]))
}

/// The same for `\uXXXX`, or two of them where the first is half of a surrogate pair.
fn unicode(bytes: &[u8]) -> Result<(char, &[u8]), Malformed> {
    let (first, rest) = unit(bytes)?;
    if let Some(letter) = char::from_u32(first) {
        return Ok((letter, rest));
    }
    let (second, rest) = unit(rest)?;
    if !(0xd800..0xdc00).contains(&first) || !(0xdc00..0xe000).contains(&second) {
        return Err(Malformed);
    }
    let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
    char::from_u32(code).map(|letter| (letter, rest)).ok_or(Malformed)
}

/// The code unit of the `\uXXXX` at the start of `bytes`.
fn unit(bytes: &[u8]) -> Result<(u32, &[u8]), Malformed> {
    let digits = bytes.strip_prefix(br"\u").and_then(|rest| rest.split_at_checked(4)).ok_or(Malformed)?;
    let digit = |unit, &byte: &u8| Some(unit * 16 + char::from(byte).to_digit(16)?);
    Ok((digits.0.iter().try_fold(0, digit).ok_or(Malformed)?, digits.1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(raw: &[u8]) -> Result<String, Malformed> {
        let mut text = String::new();
        unescape(raw, |piece| {
            text.push_str(piece);
            true
        })?;
        Ok(text)
    }

    fn by_serde(raw: &[u8]) -> Result<String, Malformed> {
        let quoted = [b"\"", raw, b"\""].concat();
        serde_json::from_slice(&quoted).map_err(|_| Malformed)
    }

    proptest! {
        // Whatever stands between two quotes is read, or refused, as serde_json does it.
        #[test]
        fn a_string_is_read_as_serde_json_reads_it(
            raw in r#"([a-zé😀/ ]|\\["\\/bfnrtux]|\\u[0-9a-fA-F]{4}|\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|\\u00|\n){0,12}"#,
        ) {
            prop_assert_eq!(text(raw.as_bytes()), by_serde(raw.as_bytes()));
        }

        // A name equals its own text however it is escaped, and no other.
        #[test]
        fn a_name_equals_its_text_however_it_is_escaped(name in "\\PC{0,8}", other in "\\PC{0,8}") {
            let units: String = name.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
            prop_assert_eq!(equals(units.as_bytes(), &name), Ok(true));
            prop_assert_eq!(equals(units.as_bytes(), &other), Ok(name == other));
        }
    }

    #[test]
    fn bytes_that_are_no_utf8_are_malformed() {
        assert_eq!(text(&[b'a', 0xff]), Err(Malformed));
        assert_eq!(equals(b"ab", "a"), Ok(false));
        assert_eq!(equals(b"a", "ab"), Ok(false));
    }
}
