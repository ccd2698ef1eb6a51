//! CBOR for serde: types that are read from JSON are read from CBOR by the same code.
//!
//! Decides what stands for what: tags say nothing here, null and undefined are one, a byte string is no text.

use std::borrow::Cow;

use serde::de::value::{BorrowedStrDeserializer, StringDeserializer};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

use super::reader::{Item, Left, Reader};
use super::{CborError, MOST_DEPTH};

/// The two items that stand for nothing.
const NULL: u8 = 0xf6;
const UNDEFINED: u8 = 0xf7;

/// Reads one value.
///
/// # Errors
/// When it is no CBOR, not what `T` is, or not all there is.
pub fn from_slice<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, CborError> {
    let mut decoder = Decoder::new(bytes);
    let value = T::deserialize(&mut decoder)?;
    decoder.end()?;
    Ok(value)
}

/// A serde deserializer over CBOR.
#[derive(Debug)]
pub struct Decoder<'de> {
    reader: Reader<'de>,
    /// Containers that may still be entered.
    levels: u8,
}

impl<'de> Decoder<'de> {
    /// A decoder at the start of `bytes`.
    #[must_use]
    pub fn new(bytes: &'de [u8]) -> Self {
        Self { reader: Reader::new(bytes), levels: MOST_DEPTH }
    }

    /// Sees that nothing is left.
    ///
    /// # Errors
    /// When something is.
    pub fn end(&self) -> Result<(), CborError> {
        if self.reader.left() == 0 { Ok(()) } else { Err(self.reader.malformed("more than one value")) }
    }

    /// The next item that is no tag.
    fn item(&mut self) -> Result<Item<'de>, CborError> {
        loop {
            match self.reader.item()? {
                Item::Tag(_) => {}
                item => return Ok(item),
            }
        }
    }

    fn text(&mut self, expected: &dyn serde::de::Expected) -> Result<Cow<'de, str>, CborError> {
        let other = match self.item()? {
            Item::Text(text) => return Ok(text),
            Item::Unsigned(number) => Unexpected::Unsigned(number),
            Item::Bytes(_) => Unexpected::Other("a byte string"),
            Item::Null => Unexpected::Unit,
            _ => Unexpected::Other("something else"),
        };
        Err(serde::de::Error::invalid_type(other, expected))
    }

    /// What `read` makes of a container's `left` items.
    fn within<T>(
        &mut self,
        left: Option<u64>,
        read: impl FnOnce(&mut Items<'_, 'de>) -> Result<T, CborError>,
    ) -> Result<T, CborError> {
        self.levels = self.levels.checked_sub(1).ok_or(CborError::Depth)?;
        let mut items = Items { decoder: self, left: Left(left) };
        let value = read(&mut items)?;
        if items.left.more(&mut items.decoder.reader)? {
            return Err(self.reader.malformed("more items than there should be"));
        }
        self.levels += 1;
        Ok(value)
    }
}

/// The items of an array, or the pairs of a map.
struct Items<'a, 'de> {
    decoder: &'a mut Decoder<'de>,
    left: Left,
}

impl Items<'_, '_> {
    /// How many are surely no more than these: each takes a byte at least.
    fn most(&self) -> Option<usize> {
        let count = usize::try_from(self.left.0?).unwrap_or(usize::MAX);
        Some(count.min(self.decoder.reader.left()))
    }
}

impl<'de> SeqAccess<'de> for &mut Items<'_, 'de> {
    type Error = CborError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, CborError> {
        if !self.left.more(&mut self.decoder.reader)? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.decoder).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        self.most()
    }
}

impl<'de> MapAccess<'de> for &mut Items<'_, 'de> {
    type Error = CborError;

    fn next_key_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, CborError> {
        self.next_element_seed(seed)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, CborError> {
        seed.deserialize(&mut *self.decoder)
    }

    fn size_hint(&self) -> Option<usize> {
        self.most()
    }
}

impl<'de> Deserializer<'de> for &mut Decoder<'de> {
    type Error = CborError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CborError> {
        match self.item()? {
            Item::Unsigned(number) => visitor.visit_u64(number),
            Item::Negative(number) => match i64::try_from(number) {
                Ok(number) => visitor.visit_i64(-1 - number),
                Err(_) => visitor.visit_i128(-1 - i128::from(number)),
            },
            Item::Bytes(Cow::Borrowed(bytes)) => visitor.visit_borrowed_bytes(bytes),
            Item::Bytes(Cow::Owned(bytes)) => visitor.visit_byte_buf(bytes),
            Item::Text(Cow::Borrowed(text)) => visitor.visit_borrowed_str(text),
            Item::Text(Cow::Owned(text)) => visitor.visit_string(text),
            Item::Array(left) => self.within(left, |mut items| visitor.visit_seq(&mut items)),
            Item::Map(left) => self.within(left, |mut items| visitor.visit_map(&mut items)),
            Item::Float(number) => visitor.visit_f64(number),
            Item::Bool(value) => visitor.visit_bool(value),
            Item::Null => visitor.visit_unit(),
            Item::Tag(_) | Item::Break => Err(self.reader.malformed("a break where a value should be")),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CborError> {
        match self.text(&visitor)? {
            Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CborError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CborError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CborError> {
        if matches!(self.reader.peek()?, NULL | UNDEFINED) {
            self.reader.item()?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, CborError> {
        match self.text(&visitor)? {
            Cow::Borrowed(text) => visitor.visit_enum(BorrowedStrDeserializer::new(text)),
            Cow::Owned(text) => visitor.visit_enum(StringDeserializer::new(text)),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, CborError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CborError> {
        self.reader.skip_within(self.levels)?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct
    }
}
