//! Reads CBOR item by item. Decides what is well-formed (RFC 8949, section 3 and appendix C).
//!
//! Copies nothing but strings that come in chunks, and makes room for nothing before it is there.

use std::borrow::Cow;

use super::{CborError, MOST_DEPTH};

/// One item of data, or the head of one that holds others.
#[derive(Debug, Clone, PartialEq)]
pub enum Item<'a> {
    /// A whole number.
    Unsigned(u64),
    /// The whole number that is −1 less this.
    Negative(u64),
    /// A byte string.
    Bytes(Cow<'a, [u8]>),
    /// A text string.
    Text(Cow<'a, str>),
    /// An array of so many items, or of all up to a [`Item::Break`].
    Array(Option<u64>),
    /// A map of so many pairs, or of all up to a [`Item::Break`].
    Map(Option<u64>),
    /// The item that follows has this tag.
    Tag(u64),
    /// A number of half, single or double precision.
    Float(f64),
    /// True or false.
    Bool(bool),
    /// Null, or undefined.
    Null,
    /// The end of an array or a map of unknown length.
    Break,
}

/// Bytes, and how far they are read.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// The major types (section 3.1) that heads of strings have.
const BYTES: u8 = 2;
const TEXT: u8 = 3;

/// What follows a head's first byte: an argument, or "until a break".
const INDEFINITE: u8 = 31;

impl<'a> Reader<'a> {
    /// A reader at the start of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bytes that are not read yet.
    #[must_use]
    pub fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The next byte, without reading it.
    pub(super) fn peek(&self) -> Result<u8, CborError> {
        self.bytes.get(self.at).copied().ok_or(CborError::End(self.bytes.len()))
    }

    pub(super) fn malformed(&self, what: &'static str) -> CborError {
        CborError::Malformed(what, self.at)
    }

    fn take(&mut self, count: u64) -> Result<&'a [u8], CborError> {
        let ended = CborError::End(self.bytes.len());
        let Ok(count) = usize::try_from(count) else { return Err(ended) };
        let taken = self.bytes[self.at..].get(..count).ok_or(ended)?;
        self.at += count;
        Ok(taken)
    }

    /// The major type and the argument of the next head; none for an argument that says "indefinite".
    fn head(&mut self) -> Result<(u8, u8, Option<u64>), CborError> {
        let first = self.peek()?;
        let (major, info) = (first >> 5, first & 31);
        let argument = match info {
            0..=23 => Some(u64::from(info)),
            24..=27 => {
                self.at += 1;
                let bytes = self.take(1 << (info - 24))?;
                return Ok((
                    major,
                    info,
                    Some(bytes.iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte))),
                ));
            }
            INDEFINITE if !matches!(major, 0 | 1 | 6) => None,
            _ => return Err(self.malformed("a head that is reserved")),
        };
        self.at += 1;
        Ok((major, info, argument))
    }

    /// The next item.
    ///
    /// # Errors
    /// When there is none, or what is there is no CBOR.
    pub fn item(&mut self) -> Result<Item<'a>, CborError> {
        let start = self.at;
        let (major, info, argument) = self.head()?;
        Ok(match (major, argument) {
            (0, Some(number)) => Item::Unsigned(number),
            (1, Some(number)) => Item::Negative(number),
            (BYTES, Some(length)) => Item::Bytes(Cow::Borrowed(self.take(length)?)),
            (BYTES, None) => {
                let mut whole = Vec::new();
                self.chunks(BYTES, |chunk| {
                    whole.extend_from_slice(chunk);
                    true
                })?;
                Item::Bytes(Cow::Owned(whole))
            }
            (TEXT, Some(length)) => {
                let text = std::str::from_utf8(self.take(length)?);
                Item::Text(Cow::Borrowed(
                    text.map_err(|_| CborError::Malformed("a text that is no UTF-8", start))?,
                ))
            }
            (TEXT, None) => {
                let mut whole = String::new();
                // Each chunk is a text by itself (section 3.2.3).
                self.chunks(TEXT, |chunk| {
                    std::str::from_utf8(chunk).map(|text| whole.push_str(text)).is_ok()
                })?;
                Item::Text(Cow::Owned(whole))
            }
            (4, length) => Item::Array(length),
            (5, length) => Item::Map(length),
            (6, Some(tag)) => Item::Tag(tag),
            (7, None) => Item::Break,
            (7, Some(value)) => match info {
                20 => Item::Bool(false),
                21 => Item::Bool(true),
                22 | 23 => Item::Null,
                25 => Item::Float(half(value as u16)),
                26 => Item::Float(f64::from(f32::from_bits(value as u32))),
                27 => Item::Float(f64::from_bits(value)),
                _ => return Err(CborError::Malformed("a simple value without a meaning", start)),
            },
            _ => return Err(CborError::Malformed("a head that is reserved", start)),
        })
    }

    /// The chunks of a string of unknown length: definite strings of its own type, up to a break.
    fn chunks(&mut self, of: u8, mut add: impl FnMut(&[u8]) -> bool) -> Result<(), CborError> {
        loop {
            let start = self.at;
            match self.head()? {
                (7, INDEFINITE, None) => return Ok(()),
                (major, _, Some(length)) if major == of => {
                    if !add(self.take(length)?) {
                        return Err(CborError::Malformed("a text that is no UTF-8", start));
                    }
                }
                _ => return Err(CborError::Malformed("a chunk of another type than its string", start)),
            }
        }
    }

    /// Goes past one whole item, whatever it is.
    ///
    /// # Errors
    /// When it is no CBOR, or too deep.
    pub fn skip(&mut self) -> Result<(), CborError> {
        self.skip_within(MOST_DEPTH)
    }

    /// The same, as far as `levels` more are allowed.
    pub(super) fn skip_within(&mut self, levels: u8) -> Result<(), CborError> {
        let (mut left, each) = loop {
            match self.item()? {
                Item::Tag(_) => {}
                Item::Array(length) => break (Left(length), 1),
                Item::Map(length) => break (Left(length), 2),
                Item::Break => return Err(self.malformed("a break where a value should be")),
                _ => return Ok(()),
            }
        };
        let deeper = levels.checked_sub(1).ok_or(CborError::Depth)?;
        while left.more(self)? {
            for _ in 0..each {
                self.skip_within(deeper)?;
            }
        }
        Ok(())
    }
}

/// How many items of an array, or pairs of a map, are still to come; none: all up to a break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left(pub Option<u64>);

impl Left {
    /// Whether another one follows; counts it, or reads the break.
    ///
    /// # Errors
    /// When the bytes end here.
    pub fn more(&mut self, reader: &mut Reader<'_>) -> Result<bool, CborError> {
        match &mut self.0 {
            Some(0) => Ok(false),
            Some(count) => {
                *count -= 1;
                Ok(true)
            }
            None if reader.peek()? == super::BREAK => {
                reader.at += 1;
                // From here on it is over, however often it is asked.
                self.0 = Some(0);
                Ok(false)
            }
            None => Ok(true),
        }
    }
}

/// A number of half precision (IEEE 754 binary16).
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (bits >> 10 & 31, f64::from(bits & 1_023));
    let size = match exponent {
        0 => fraction * 2_f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (fraction + 1_024.0) * 2_f64.powi(i32::from(exponent) - 25),
    };
    if bits >> 15 == 1 { -size } else { size }
}
