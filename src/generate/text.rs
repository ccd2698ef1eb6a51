//! The few pieces of text that events are made of, appended without allocating.

use super::random::Lanes;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends `number` in decimal.
#[inline]
pub(super) fn decimal(mut number: u64, out: &mut Vec<u8>) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends an amount of hundredths with two decimals, such as `12.05`.
#[inline]
pub(super) fn hundredths(amount: u64, out: &mut Vec<u8>) {
    decimal(amount / 100, out);
    let rest = (amount % 100) as u8;
    out.extend_from_slice(&[b'.', b'0' + rest / 10, b'0' + rest % 10]);
}

/// Appends the lower 32 bits of `bits` as 8 hexadecimal digits.
#[inline]
pub(super) fn hex8(bits: u64, out: &mut Vec<u8>) {
    let mut digits = [0_u8; 8];
    for (byte, pair) in (bits as u32).to_be_bytes().iter().zip(digits.chunks_exact_mut(2)) {
        pair[0] = HEX[usize::from(byte >> 4)];
        pair[1] = HEX[usize::from(byte & 15)];
    }
    out.extend_from_slice(&digits);
}

/// Appends random bits as a UUID of version 4 and variant 10 (RFC 9562, section 5.4): 36 characters.
#[inline]
pub(super) fn uuid(bits: Lanes, out: &mut Vec<u8>) {
    let high = bits.high & !0xf000 | 0x4000;
    let low = bits.low & !(3 << 62) | 1 << 63;
    let mut text = [b'-'; 36];
    let number = u128::from(high) << 64 | u128::from(low);
    // Where each byte's two digits stand: the dashes are left out.
    const AT: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
    for (byte, at) in number.to_be_bytes().into_iter().zip(AT) {
        text[at] = HEX[usize::from(byte >> 4)];
        text[at + 1] = HEX[usize::from(byte & 15)];
    }
    out.extend_from_slice(&text);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).expect("ASCII")
    }

    proptest! {
        // Numbers are written as the standard library writes them.
        #[test]
        fn numbers_read_as_the_standard_library_writes_them(number in any::<u64>()) {
            prop_assert_eq!(written(|out| decimal(number, out)), number.to_string());
            prop_assert_eq!(written(|out| hex8(number, out)), format!("{:08x}", number as u32));
            let amount = format!("{}.{:02}", number / 100, number % 100);
            prop_assert_eq!(written(|out| hundredths(number, out)), amount);
        }

        // A UUID keeps all bits but the six that say version and variant.
        #[test]
        fn a_uuid_has_version_4_variant_10_and_122_of_the_bits(high in any::<u64>(), low in any::<u64>()) {
            let text = written(|out| uuid(Lanes { high, low }, out));
            let dashes: Vec<usize> = text.match_indices('-').map(|(at, _)| at).collect();
            prop_assert_eq!(dashes, [8, 13, 18, 23]);
            let number = u128::from_str_radix(&text.replace('-', ""), 16).expect("hexadecimal");
            prop_assert_eq!((number >> 76) & 15, 4);
            prop_assert_eq!((number >> 62) & 3, 2);
            let free = !(15 << 76 | 3 << 62);
            prop_assert_eq!(number & free, (u128::from(high) << 64 | u128::from(low)) & free);
        }
    }

    #[test]
    fn the_smallest_numbers_have_a_digit() {
        assert_eq!(written(|out| decimal(0, out)), "0");
        assert_eq!(written(|out| hundredths(5, out)), "0.05");
    }
}
