//! What counts as a JSON number. It is kept as it is written, never computed with.

/// Whether `word` is a number by the grammar of RFC 8259, section 6.
pub(super) fn is_number(word: &[u8]) -> bool {
    fn digits(text: &[u8]) -> (usize, &[u8]) {
        let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        (count, &text[count..])
    }
    let unsigned = word.strip_prefix(b"-").unwrap_or(word);
    let (whole, mut rest) = digits(unsigned);
    if whole == 0 || (whole > 1 && unsigned[0] == b'0') {
        return false;
    }
    if let Some(fraction) = rest.strip_prefix(b".") {
        let (count, after) = digits(fraction);
        if count == 0 {
            return false;
        }
        rest = after;
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let (count, after) =
            digits(exponent.strip_prefix(b"+").or(exponent.strip_prefix(b"-")).unwrap_or(exponent));
        return count > 0 && after.is_empty();
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        // What is called a number is what serde_json takes for one.
        #[test]
        fn a_number_is_what_serde_json_calls_one(word in "-?[0-9]{0,3}(\\.[0-9]{0,2})?([eE][+-]?[0-9]{0,1})?") {
            prop_assert_eq!(is_number(word.as_bytes()), serde_json::from_str::<f64>(&word).is_ok());
        }
    }
}
