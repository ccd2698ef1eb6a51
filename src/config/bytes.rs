//! Sizes as people write them: `512KB`, `5MiB`, plain bytes.
//!
//! Decides only what such a text means; which sizes are legal is the setting's rule.

use std::fmt;

/// Each unit and its bytes, the larger binary ones first, as sizes are shown in them.
const UNITS: [(&str, u64); 5] =
    [("MiB", 1024 * 1024), ("KiB", 1024), ("MB", 1_000_000), ("KB", 1_000), ("B", 1)];

/// A size in bytes, shown in the largest binary unit that divides it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bytes(pub(super) u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = |(_, size): &&(&str, u64)| self.0 != 0 && self.0.is_multiple_of(*size);
        match UNITS[..2].iter().find(whole) {
            Some((unit, size)) => write!(f, "{}{unit}", self.0 / size),
            None => self.0.fmt(f),
        }
    }
}

/// The bytes that `text` writes: whole numbers, units in any case. None for anything else or above 2^64 − 1.
pub(super) fn in_bytes(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let size = match unit {
        "" => 1,
        _ => UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?.1,
    };
    number.parse::<u64>().ok()?.checked_mul(size)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn units_with_an_i_are_powers_of_two_and_the_others_of_ten() {
        for (text, bytes) in [
            ("0", 0),
            ("1048576", 1 << 20),
            ("5MiB", 5 << 20),
            ("512KB", 512_000),
            ("512kib", 512 << 10),
            ("3mb", 3_000_000),
            ("7B", 7),
        ] {
            assert_eq!(in_bytes(text), Some(bytes), "{text}");
        }
        for wrong in [
            "",
            "MiB",
            "-1",
            "+1",
            "1.5MiB",
            "1 MiB",
            "1GiB",
            "1k",
            "99999999999999999999",
            "18446744073709551615KB",
        ] {
            assert_eq!(in_bytes(wrong), None, "{wrong:?}");
        }
    }

    proptest! {
        // Law: a size that is shown is read back as the same size.
        #[test]
        fn a_size_is_read_as_it_is_shown(bytes in any::<u64>(), shift in 0_u32..64) {
            let bytes = (bytes >> shift) << (shift / 2);
            prop_assert_eq!(in_bytes(&Bytes(bytes).to_string()), Some(bytes));
        }
    }
}
