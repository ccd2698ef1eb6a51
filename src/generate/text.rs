//! The few pieces of text that events are made of, made without allocating.

use super::random::Lanes;

/// The two digits of each number below 100.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut number = 0;
    while number < 100 {
        pairs[number] = [b'0' + number as u8 / 10, b'0' + number as u8 % 10];
        number += 1;
    }
    pairs
};

/// The decimal digits of `number`, at the end of `room`.
#[inline]
pub(crate) fn digits(mut number: u64, room: &mut [u8; 20]) -> &[u8] {
    let mut at = room.len();
    while number >= 100 {
        at -= 2;
        room[at..at + 2].copy_from_slice(&PAIRS[(number % 100) as usize]);
        number /= 100;
    }
    if number >= 10 {
        at -= 2;
        room[at..at + 2].copy_from_slice(&PAIRS[number as usize]);
    } else {
        at -= 1;
        room[at] = b'0' + number as u8;
    }
    &room[at..]
}

/// Appends `number` in decimal.
#[inline]
pub(super) fn decimal(number: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(digits(number, &mut [0; 20]));
}

/// Appends an amount of hundredths with two decimals, such as `12.05`.
#[inline]
pub(super) fn hundredths(amount: u64, out: &mut Vec<u8>) {
    decimal(amount / 100, out);
    let [tens, ones] = PAIRS[(amount % 100) as usize];
    out.extend_from_slice(&[b'.', tens, ones]);
}

/// `bits` as hexadecimal digits, all eight at once: each digit grows in a byte of its own.
#[inline]
pub(crate) fn hex(bits: u32) -> [u8; 8] {
    let mut x = u64::from(bits);
    x = (x << 16 | x) & 0x0000_ffff_0000_ffff;
    x = (x << 8 | x) & 0x00ff_00ff_00ff_00ff;
    x = (x << 4 | x) & 0x0f0f_0f0f_0f0f_0f0f;
    let letters = (x + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101; // 1 in the bytes above 9
    (x + 0x3030_3030_3030_3030 + letters * u64::from(b'a' - b'0' - 10)).to_be_bytes()
}

/// Random bits as a UUID of version 4 and variant 10 (RFC 9562, section 5.4).
#[inline]
pub(super) fn uuid(bits: Lanes) -> [u8; 36] {
    let high = bits.high & !0xf000 | 0x4000;
    let low = bits.low & !(3 << 62) | 1 << 63;
    let (a, b) = (hex((high >> 32) as u32), hex(high as u32));
    let (c, d) = (hex((low >> 32) as u32), hex(low as u32));
    let mut text = [b'-'; 36];
    text[0..8].copy_from_slice(&a);
    text[9..13].copy_from_slice(&b[..4]);
    text[14..18].copy_from_slice(&b[4..]);
    text[19..23].copy_from_slice(&c[..4]);
    text[24..28].copy_from_slice(&c[4..]);
    text[28..36].copy_from_slice(&d);
    text
}

/// The bits of a UUID that [`uuid`] keeps.
pub(super) const UUID_BITS: Lanes = Lanes { high: !0xf000, low: !(3 << 62) };

/// The bits that a UUID's text was made of; what is no lower-case hexadecimal digit counts as one that is wrong.
pub(super) fn uuid_bits(text: &[u8]) -> Option<Lanes> {
    let text: &[u8; 36] = text.try_into().ok()?;
    let mut number = 0_u128;
    for (at, &byte) in text.iter().enumerate() {
        let digit = match byte {
            _ if [8, 13, 18, 23].contains(&at) => continue,
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => 0,
        };
        number = number << 4 | u128::from(digit);
    }
    Some(Lanes { high: (number >> 64) as u64, low: number as u64 })
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
            let digits = format!("{:08x}", number as u32);
            prop_assert_eq!(&hex(number as u32)[..], digits.as_bytes());
            let amount = format!("{}.{:02}", number / 100, number % 100);
            prop_assert_eq!(written(|out| hundredths(number, out)), amount);
        }

        // A UUID keeps all bits but the six that say version and variant.
        #[test]
        fn a_uuid_has_version_4_variant_10_and_122_of_the_bits(high in any::<u64>(), low in any::<u64>()) {
            let text = written(|out| out.extend_from_slice(&uuid(Lanes { high, low })));
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
