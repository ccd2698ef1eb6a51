//! Writes an event into room that is known to suffice: no growth on the way, and copies of fixed lengths, which need
//! no call.

use super::text::PAIRS;

/// Bytes of a [`Block`]: a multiple of what a vector register holds.
const BLOCK: usize = 96;

/// A text of up to 96 bytes, copied as a whole whatever its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    bytes: [u8; BLOCK],
    length: u8,
}

impl Block {
    /// The text as a block.
    ///
    /// # Panics
    /// When it is longer than 96 bytes: pools and constants are made to fit.
    pub(super) const fn new(text: &str) -> Self {
        let (mut bytes, mut at) = ([0; BLOCK], 0);
        while at < text.len() {
            bytes[at] = text.as_bytes()[at];
            at += 1;
        }
        Self { bytes, length: text.len() as u8 }
    }

    /// Its bytes.
    pub(super) const fn len(&self) -> usize {
        self.length as usize
    }
}

/// How far an event is written. Every method panics when the room ends: see [`SPARE`].
#[derive(Debug)]
pub(super) struct Pen<'a> {
    room: &'a mut [u8],
    at: usize,
}

/// The digits of a number below 10⁸, the first in the lowest byte: halves to fours to pairs to digits, all at once,
/// with divisions by multiplication (10,486 / 2²⁰ is 1/100 for numbers below 10,000; 103 / 2¹⁰ is 1/10 below 100).
#[inline]
fn eight_digits(number: u64) -> u64 {
    let fours = (number / 10_000) | ((number % 10_000) << 32);
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let pairs = hundreds | ((fours - hundreds * 100) << 16);
    let tens = ((pairs * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | ((pairs - tens * 10) << 8)
}

/// Bytes that `write` writes; at most 4 KiB.
pub(super) fn measure<T>(write: impl FnOnce(&mut Pen<'_>) -> T) -> usize {
    let mut room = [0; 4 * 1024];
    let mut pen = Pen::new(&mut room);
    write(&mut pen);
    pen.at()
}

/// What `write` writes, for tests; at most 4 KiB.
#[cfg(test)]
pub(super) fn written(write: impl FnOnce(&mut Pen<'_>)) -> Vec<u8> {
    let mut room = vec![b'x'; 4 * 1024];
    let mut pen = Pen::new(&mut room);
    write(&mut pen);
    let length = pen.at();
    room.truncate(length);
    room
}

/// What must be free behind the largest event, because blocks and numbers are copied with what follows them.
pub(super) const SPARE: usize = BLOCK;

impl<'a> Pen<'a> {
    /// Writes from the start of `room`.
    #[inline]
    pub(super) fn new(room: &'a mut [u8]) -> Self {
        Self { room, at: 0 }
    }

    /// Bytes written.
    #[inline]
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// A text of a length that is known where it is compiled.
    #[inline]
    pub(super) fn text<const N: usize>(&mut self, text: &[u8; N]) {
        self.room[self.at..self.at + N].copy_from_slice(text);
        self.at += N;
    }

    /// A text of any length; gives it back to be changed.
    #[inline]
    pub(super) fn any(&mut self, text: &[u8]) -> &mut [u8] {
        let written = &mut self.room[self.at..self.at + text.len()];
        written.copy_from_slice(text);
        self.at += text.len();
        written
    }

    /// A block's text.
    #[inline]
    pub(super) fn block(&mut self, block: &Block) {
        self.room[self.at..self.at + BLOCK].copy_from_slice(&block.bytes);
        self.at += block.len();
    }

    /// A number in decimal.
    #[inline]
    pub(super) fn decimal(&mut self, number: u64) {
        if number < 100_000_000 {
            let digits = eight_digits(number);
            // The mark keeps the last digit of 0.
            let zeros = (digits | 1 << 56).trailing_zeros() / 8;
            self.eight(digits >> (8 * zeros));
            self.at -= zeros as usize;
        } else {
            self.decimal(number / 100_000_000);
            self.eight(eight_digits(number % 100_000_000));
        }
    }

    /// Eight digits at once.
    #[inline]
    fn eight(&mut self, digits: u64) {
        self.text(&(digits | 0x3030_3030_3030_3030).to_le_bytes());
    }

    /// An amount of hundredths with two decimals, such as `12.05`.
    #[inline]
    pub(super) fn hundredths(&mut self, amount: u64) {
        self.decimal(amount / 100);
        let [tens, ones] = PAIRS[(amount % 100) as usize];
        self.text(&[b'.', tens, ones]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(write: impl FnOnce(&mut Pen<'_>)) -> String {
        String::from_utf8(written(write)).expect("ASCII")
    }

    proptest! {
        // Numbers are written as the standard library writes them.
        #[test]
        fn numbers_read_as_the_standard_library_writes_them(number in prop_oneof![any::<u64>(), 0..1_100_u64]) {
            prop_assert_eq!(text(|pen| pen.decimal(number)), number.to_string());
            let amount = format!("{}.{:02}", number / 100, number % 100);
            prop_assert_eq!(text(|pen| pen.hundredths(number)), amount);
        }

        // What is written one after the other stands one after the other.
        #[test]
        fn pieces_join_up(texts in proptest::collection::vec("[a-z]{0,20}", 0..5), number in any::<u64>()) {
            let joined = text(|pen| {
                for text in &texts {
                    pen.block(&Block::new(text));
                    pen.decimal(number);
                    pen.any(text.as_bytes());
                    pen.text(b"|");
                }
            });
            let wanted: String = texts.iter().map(|text| format!("{text}{number}{text}|")).collect();
            prop_assert_eq!(joined, wanted);
        }
    }

    #[test]
    fn the_edges_of_each_length_are_right() {
        for number in (0..20).flat_map(|power| [10_u64.pow(power) - 1, 10_u64.pow(power)]).chain([u64::MAX]) {
            assert_eq!(text(|pen| pen.decimal(number)), number.to_string());
        }
        assert_eq!(text(|pen| pen.hundredths(5)), "0.05");
    }
}
