//! Numbers as JavaScript writes and reads them.
//!
//! ECMA-262: `Number::toString` (6.1.6.1.20), `StringToNumber` (7.1.4.1), `Number.prototype.toFixed` (21.1.3.3).

use std::io::Write as _;

use crate::generate::text;

/// The most bytes that [`write`] appends: a sign, seventeen digits, a point, an exponent or leading zeros.
pub(super) const MOST_BYTES: usize = 26;

/// Integers below this are exact in a double.
pub(super) const EXACT: f64 = 9_007_199_254_740_992.0;

/// Appends `String(number)`.
pub(super) fn write(number: f64, out: &mut Vec<u8>) {
    if number.fract() == 0.0 && number.abs() < EXACT {
        return integer(number as i64, out);
    }
    if !number.is_finite() {
        let text: &[u8] = match (number.is_nan(), number > 0.0) {
            (true, _) => b"NaN",
            (false, true) => b"Infinity",
            (false, false) => b"-Infinity",
        };
        return out.extend_from_slice(text);
    }
    if (1e-6..1e21).contains(&number.abs()) {
        // Rust writes the shortest digits that read back as the same double, and never an exponent.
        return push(format_args!("{number}"), out);
    }
    let start = out.len();
    push(format_args!("{number:e}"), out);
    // Rust's 1e21 is JavaScript's 1e+21.
    let exponent = out[start..].iter().position(|&byte| byte == b'e').map(|at| start + at + 1);
    if let Some(at) = exponent.filter(|&at| out.get(at) != Some(&b'-')) {
        out.insert(at, b'+');
    }
}

/// `String(number)`.
pub(super) fn to_text(number: f64) -> String {
    let mut out = Vec::new();
    write(number, &mut out);
    String::from_utf8(out).expect("numbers are written in ASCII")
}

/// Appends an integer.
#[inline]
pub(super) fn integer(number: i64, out: &mut Vec<u8>) {
    if number < 0 {
        out.push(b'-');
    }
    natural(number.unsigned_abs(), out);
}

/// Appends an integer without a sign.
#[inline]
pub(super) fn natural(number: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(text::digits(number, &mut [0; 20]));
}

/// `Number(text)`.
pub(super) fn of_text(text: &str) -> f64 {
    let text = text.trim_matches(|letter: char| letter.is_whitespace() || letter == '\u{feff}');
    let digits = |radix| u128::from_str_radix(&text[2..], radix).map_or(f64::NAN, |number| number as f64);
    match text.get(..2).unwrap_or_default() {
        "0x" | "0X" => return digits(16),
        "0o" | "0O" => return digits(8),
        "0b" | "0B" => return digits(2),
        _ => {}
    }
    match text {
        "" => 0.0,
        "Infinity" | "+Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        // Rust also reads `inf`, `nan` and `infinity`; JavaScript's other numbers have no letter but e.
        _ if text.bytes().any(|byte| byte.is_ascii_alphabetic() && !matches!(byte, b'e' | b'E')) => f64::NAN,
        _ => text.parse().unwrap_or(f64::NAN),
    }
}

/// `number.toFixed(2)`, read as a number again: of two equally near values, the larger.
pub(super) fn rounded_to_hundredths(number: f64) -> f64 {
    let eighths = number * 8.0;
    // Only odd eighths lie exactly between two hundredths.
    if eighths.fract() == 0.0 && eighths % 2.0 != 0.0 {
        return (number * 100.0).ceil() / 100.0;
    }
    // Rust rounds the exact binary value, as JavaScript does.
    format!("{number:.2}").parse().unwrap_or(f64::NAN)
}

/// Appends `number.toFixed(4)`, for coordinates.
pub(super) fn write_four_decimals(number: f64, out: &mut Vec<u8>) {
    if number.is_finite() {
        push(format_args!("{number:.4}"), out);
    } else {
        write(number, out);
    }
}

fn push(text: std::fmt::Arguments<'_>, out: &mut Vec<u8>) {
    // Writing to a vector can't fail.
    let _ = out.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // Each as node 20 writes it.
    #[test]
    fn numbers_are_written_as_javascript_writes_them() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.5, "1.5"),
            (-2.0, "-2"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e-6, "0.000001"),
            (1e-7, "1e-7"),
            (1.5e-9, "1.5e-9"),
            (123_456_789_012_345_680_000.0, "123456789012345680000"),
            (1e21, "1e+21"),
            (1.25e100, "1.25e+100"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
            (9_007_199_254_740_993.0, "9007199254740992"),
        ] {
            assert_eq!(to_text(number), text);
        }
    }

    #[test]
    fn texts_are_numbers_as_in_javascript() {
        for (text, number) in
            [("", 0.0), (" 12\n", 12.0), ("0x1F", 31.0), ("1e3", 1_000.0), (".5", 0.5), ("5.", 5.0)]
        {
            assert_eq!(of_text(text), number, "{text:?}");
        }
        assert_eq!([of_text("Infinity"), of_text("-Infinity")], [f64::INFINITY, f64::NEG_INFINITY]);
        for text in ["inf", "nan", "infinity", "1x", "1,5", "0x", "0b2", "é", "--1", "e"] {
            assert!(of_text(text).is_nan(), "{text}");
        }
    }

    #[test]
    fn hundredths_are_rounded_as_to_fixed_does() {
        for (number, rounded) in [
            (0.125, 0.13),
            (0.375, 0.38),
            (1.005, 1.0),
            (0.33 + 0.33, 0.66),
            (0.001, 0.0),
            (0.004_999, 0.0),
            (2.5, 2.5),
        ] {
            assert_eq!(rounded_to_hundredths(number), rounded);
        }
    }

    proptest! {
        // What is written reads back as the same number, and is no longer than was promised.
        #[test]
        fn a_number_reads_back_as_it_was_written(bits in any::<u64>()) {
            let number = f64::from_bits(bits);
            let text = to_text(number);
            let read = of_text(&text);
            prop_assert!(read == number || number.is_nan() && read.is_nan(), "{text}");
            prop_assert!(text.len() <= MOST_BYTES, "{text}");
        }
    }
}
