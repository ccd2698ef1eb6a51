//! The other wire: CBOR in, CBOR out, as the SDK for Java speaks it (AWS's `application/x-amz-cbor-1.1`).
//!
//! Converts at the edge, so that each operation is written once, for JSON. Decides what stands for what: a byte string is
//! base64 in JSON and the other way round, and a time is a count of milliseconds, with tag 1 (aws-sdk-java-v2,
//! `SdkCborGenerator`), where JSON has seconds.

use std::fmt;
use std::io::Write;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::super::error::{ApiError, ErrorKind};
use super::input::Text;
use crate::cbor::{self, BREAK, CborError, Item, Left, MANY, MOST_DEPTH, Major, Reader};

/// How members that are times end; members of that kind are nothing else.
const TIME: &str = "Timestamp";

/// The members of answers that are bytes.
const BLOB: &str = "Data";

/// The tag of a time (RFC 8949, section 3.4.2; but AWS counts milliseconds).
const EPOCH: u64 = 1;

/// A request's body as JSON, of `most` bytes: what is longer, no legal request says.
pub(super) fn to_json(body: &[u8], most: usize) -> Result<Vec<u8>, ApiError> {
    let wrong = |error: CborError| {
        ApiError::new(ErrorKind::Serialization, format!("The body can't be read as CBOR: {error}"))
    };
    let mut writer = ToJson { reader: Reader::new(body), out: Vec::with_capacity(body.len()), most };
    // An empty body is an empty structure in either wire.
    if !body.is_empty() {
        writer.value(false, MOST_DEPTH).map_err(wrong)?;
    }
    match writer.reader.left() {
        0 => Ok(writer.out),
        _ => Err(wrong(CborError::Unexpected("more than one value".to_owned()))),
    }
}

struct ToJson<'a> {
    reader: Reader<'a>,
    out: Vec<u8>,
    most: usize,
}

impl ToJson<'_> {
    /// Writes the next value; `time`: a number there is a time.
    fn value(&mut self, mut time: bool, levels: u8) -> Result<(), CborError> {
        let deeper = || levels.checked_sub(1).ok_or(CborError::Depth);
        let unexpected = |what: &str| Err(CborError::Unexpected(what.to_owned()));
        let item = loop {
            match self.reader.item()? {
                Item::Tag(tag) => time |= tag == EPOCH,
                item => break item,
            }
        };
        match item {
            Item::Unsigned(millis) if time => {
                self.print(format_args!("{}.{:03}", millis / 1_000, millis % 1_000))?
            }
            Item::Float(millis) if time => self.number(millis / 1_000.0)?,
            Item::Unsigned(number) => self.print(format_args!("{number}"))?,
            Item::Negative(number) => self.print(format_args!("{}", -1 - i128::from(number)))?,
            Item::Float(number) => self.number(number)?,
            Item::Bool(value) => self.print(format_args!("{value}"))?,
            Item::Null => self.print(format_args!("null"))?,
            Item::Bytes(bytes) => {
                self.room(bytes.len() / 3 * 4)?;
                self.out.push(b'"');
                base64_simd::STANDARD.encode_append(&bytes, &mut self.out);
                self.out.push(b'"');
            }
            Item::Text(text) => self.text(&text)?,
            Item::Array(left) => {
                let (mut left, levels, mut comma) = (Left(left), deeper()?, "[");
                while left.more(&mut self.reader)? {
                    self.print(format_args!("{comma}"))?;
                    self.value(false, levels)?;
                    comma = ",";
                }
                self.print(format_args!("{}", if comma == "[" { "[]" } else { "]" }))?;
            }
            Item::Map(left) => {
                let (mut left, levels, mut comma) = (Left(left), deeper()?, "{");
                while left.more(&mut self.reader)? {
                    let Item::Text(name) = self.reader.item()? else {
                        return unexpected("the name of a member is no text");
                    };
                    self.print(format_args!("{comma}"))?;
                    self.text(&name)?;
                    self.out.push(b':');
                    self.value(name.ends_with(TIME), levels)?;
                    comma = ",";
                }
                self.print(format_args!("{}", if comma == "{" { "{}" } else { "}" }))?;
            }
            Item::Tag(_) | Item::Break => return unexpected("a break stands where a value should be"),
        }
        Ok(())
    }

    fn room(&self, more: usize) -> Result<(), CborError> {
        if self.out.len().saturating_add(more) <= self.most {
            return Ok(());
        }
        Err(CborError::Unexpected(format!("it says more than a request of {} bytes of JSON", self.most)))
    }

    fn print(&mut self, what: fmt::Arguments<'_>) -> Result<(), CborError> {
        self.room(0)?;
        self.out.write_fmt(what).map_err(|error| CborError::Unexpected(error.to_string()))
    }

    fn number(&mut self, number: f64) -> Result<(), CborError> {
        if !number.is_finite() {
            return Err(CborError::Unexpected(format!("{number} is no number")));
        }
        let number = serde_json::Value::from(number);
        self.print(format_args!("{number}"))
    }

    fn text(&mut self, text: &str) -> Result<(), CborError> {
        self.room(text.len())?;
        serde_json::to_writer(&mut self.out, text).map_err(|error| CborError::Unexpected(error.to_string()))
    }
}

/// An answer of ours, which is JSON, as CBOR; an empty one stays empty.
pub(super) fn from_json(answer: &[u8]) -> Result<Vec<u8>, ApiError> {
    let mut out = Vec::with_capacity(answer.len());
    if !answer.is_empty() {
        let mut json = serde_json::Deserializer::from_slice(answer);
        let seed = ToCbor { out: &mut out, of: Of::Any };
        seed.deserialize(&mut json).map_err(|error| {
            ApiError::new(ErrorKind::InternalFailure, format!("no JSON of ours: {error}"))
        })?;
    }
    Ok(out)
}

/// What a value is that JSON does not tell from others.
#[derive(Clone, Copy, PartialEq)]
enum Of {
    Any,
    Bytes,
    Time,
}

/// Writes one value as it is read.
struct ToCbor<'a> {
    out: &'a mut Vec<u8>,
    of: Of,
}

impl<'de> DeserializeSeed<'de> for ToCbor<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ToCbor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.out.push(if value { 0xf5 } else { 0xf4 });
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.out.push(0xf6);
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        let number = if self.of == Of::Time {
            cbor::push_head(self.out, Major::Tag, EPOCH);
            number.saturating_mul(1_000)
        } else {
            number
        };
        cbor::push_head(self.out, Major::Unsigned, number);
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        // serde_json gives what is not negative to `visit_u64`.
        cbor::push_head(self.out, Major::Negative, number.unsigned_abs().saturating_sub(1));
        Ok(())
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        if self.of == Of::Time {
            cbor::push_head(self.out, Major::Tag, EPOCH);
            // A time of ours has milliseconds, and is not before 1970.
            cbor::push_head(self.out, Major::Unsigned, (number * 1_000.0).round() as u64);
        } else {
            self.out.push(0xfb);
            self.out.extend_from_slice(&number.to_bits().to_be_bytes());
        }
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        if self.of == Of::Bytes {
            let bytes = base64_simd::STANDARD.decode_to_vec(text).map_err(E::custom)?;
            cbor::push_head(self.out, Major::Bytes, bytes.len() as u64);
            self.out.extend_from_slice(&bytes);
        } else {
            cbor::push_text(self.out, text);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        self.out.push(Major::Array as u8 | MANY);
        while list.next_element_seed(ToCbor { out: self.out, of: Of::Any })?.is_some() {}
        self.out.push(BREAK);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        self.out.push(Major::Map as u8 | MANY);
        while let Some(name) = members.next_key::<Text<'de>>()? {
            let name = name.as_str();
            cbor::push_text(self.out, name);
            let of = match name {
                BLOB => Of::Bytes,
                time if time.ends_with(TIME) => Of::Time,
                _ => Of::Any,
            };
            members.next_value_seed(ToCbor { out: self.out, of })?;
        }
        self.out.push(BREAK);
        Ok(())
    }
}
