//! Finds the value at a JSON pointer (RFC 6901) in the bytes of a document, in one pass without allocating.
//!
//! Reads no further than the value. What it skips on the way is matched by its quotes and brackets only:
//! this is not a validator. Where an object has a name twice, the first one counts.

use super::json_number::is_number;
use super::json_string::{self, Malformed};

/// A value that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// A string: the bytes between its quotes, still escaped.
    Text(&'a [u8]),
    /// A number, `true` or `false`, as it is written.
    Plain(&'a str),
    /// `null`.
    Null,
    /// An object or an array.
    Container,
}

/// The value at the pointer with these tokens; none where the document has no such place.
///
/// # Errors
/// When the document is no JSON on the way to the value.
pub(super) fn find<'a>(document: &'a [u8], tokens: &[String]) -> Result<Option<Found<'a>>, Malformed> {
    let mut scanner = Scanner { rest: document };
    for token in tokens {
        let found = match scanner.peek() {
            Some(b'{') => scanner.enter_object(token)?,
            Some(b'[') => scanner.enter_array(token)?,
            Some(_) => false,
            None => return Err(Malformed),
        };
        if !found {
            return Ok(None);
        }
    }
    scanner.value().map(Some)
}

/// What can stand after a number or name, by byte.
const ENDS_WORD: [bool; 256] = {
    let mut table = [false; 256];
    let ends = b",:[]{}\" \n\r\t";
    let mut at = 0;
    while at < ends.len() {
        table[ends[at] as usize] = true;
        at += 1;
    }
    table
};

/// What of the document is still to be read.
struct Scanner<'a> {
    rest: &'a [u8],
}

impl<'a> Scanner<'a> {
    /// The next byte after white space, which stays.
    fn peek(&mut self) -> Option<u8> {
        while let [b' ' | b'\n' | b'\r' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
        self.rest.first().copied()
    }

    /// Takes `byte` if it is next.
    fn take(&mut self, byte: u8) -> bool {
        let next = self.peek() == Some(byte);
        if next {
            self.rest = &self.rest[1..];
        }
        next
    }

    fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.take(byte) { Ok(()) } else { Err(Malformed) }
    }

    /// Moves to the value of the member `name` of the object that is next; false if it has none.
    fn enter_object(&mut self, name: &str) -> Result<bool, Malformed> {
        self.expect(b'{')?;
        if self.take(b'}') {
            return Ok(false);
        }
        loop {
            self.peek();
            let raw = self.string()?;
            self.expect(b':')?;
            if json_string::equals(raw, name)? {
                return Ok(true);
            }
            self.skip()?;
            if !self.take(b',') {
                return self.expect(b'}').map(|()| false);
            }
        }
    }

    /// Moves to the element `token` of the array that is next; false if it has none.
    fn enter_array(&mut self, token: &str) -> Result<bool, Malformed> {
        self.expect(b'[')?;
        let Some(mut left) = index(token) else { return Ok(false) };
        if self.take(b']') {
            return Ok(false);
        }
        loop {
            if left == 0 {
                return Ok(true);
            }
            left -= 1;
            self.skip()?;
            if !self.take(b',') {
                return self.expect(b']').map(|()| false);
            }
        }
    }

    /// Reads the string that is next: the bytes between its quotes.
    fn string(&mut self) -> Result<&'a [u8], Malformed> {
        let inside = self.rest.strip_prefix(b"\"").ok_or(Malformed)?;
        let mut end = 0;
        loop {
            // A plain loop: on strings as short as an event's a vectorised search measured no faster.
            let rest = inside.get(end..).ok_or(Malformed)?;
            end += rest.iter().position(|&byte| byte == b'"' || byte == b'\\').ok_or(Malformed)?;
            if inside[end] == b'"' {
                self.rest = &inside[end + 1..];
                return Ok(&inside[..end]);
            }
            end += 2; // whatever is escaped closes nothing
        }
    }

    /// Reads the number or name that is next, up to what can stand after one.
    fn word(&mut self) -> &'a [u8] {
        let ends = |&byte: &u8| ENDS_WORD[usize::from(byte)];
        let end = self.rest.iter().position(ends).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    /// Skips the value that is next.
    fn skip(&mut self) -> Result<(), Malformed> {
        let mut depth = 0_usize;
        loop {
            match self.peek().ok_or(Malformed)? {
                b'"' => drop(self.string()?),
                b'{' | b'[' => {
                    depth += 1;
                    self.rest = &self.rest[1..];
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1).ok_or(Malformed)?;
                    self.rest = &self.rest[1..];
                }
                b',' | b':' if depth > 0 => self.rest = &self.rest[1..],
                b',' | b':' => return Err(Malformed),
                _ => drop(self.word()),
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// Reads the value that is next.
    fn value(&mut self) -> Result<Found<'a>, Malformed> {
        match self.peek() {
            Some(b'{' | b'[') => Ok(Found::Container),
            Some(b'"') => self.string().map(Found::Text),
            Some(_) => match self.word() {
                b"null" => Ok(Found::Null),
                b"true" => Ok(Found::Plain("true")),
                b"false" => Ok(Found::Plain("false")),
                number if is_number(number) => {
                    std::str::from_utf8(number).map(Found::Plain).map_err(|_| Malformed)
                }
                _ => Err(Malformed),
            },
            None => Err(Malformed),
        }
    }
}

/// An index as RFC 6901 writes it: digits without a leading zero.
fn index(token: &str) -> Option<usize> {
    let digits = token.bytes().all(|byte| byte.is_ascii_digit());
    if digits && (token == "0" || !token.starts_with('0')) { token.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use serde_json::{Map, Number, Value};

    use super::*;

    /// Names and texts with everything that JSON and pointers escape.
    fn name() -> impl Strategy<Value = String> {
        "[a-c~/\"\\\\\\n\u{1}é😀 0-2{}\\[\\],:]{0,3}"
    }

    fn document() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(|number| Number::from_f64(number).map_or(Value::Null, Value::Number)),
            name().prop_map(Value::String),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..5).prop_map(Value::Array),
                vec((name(), inner), 0..5).prop_map(|members| Value::Object(Map::from_iter(members))),
            ]
        })
    }

    /// All pointers into a value, as lists of tokens.
    fn places(value: &Value, path: &[String], out: &mut Vec<Vec<String>>) {
        let mut step = |token: String, inner: &Value| {
            let path = [path, &[token]].concat();
            out.push(path.clone());
            places(inner, &path, out);
        };
        match value {
            Value::Object(map) => map.iter().for_each(|(name, inner)| step(name.clone(), inner)),
            Value::Array(list) => list.iter().enumerate().for_each(|(i, inner)| step(i.to_string(), inner)),
            _ => {}
        }
    }

    fn pointer(tokens: &[String]) -> String {
        tokens.iter().map(|token| format!("/{}", token.replace('~', "~0").replace('/', "~1"))).collect()
    }

    /// A value as JSON with each string as escapes only and white space wherever it may stand.
    fn strange(value: &Value) -> String {
        let escaped =
            |text: &str| text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect::<String>();
        match value {
            Value::String(text) => format!(" \"{}\"\t", escaped(text)),
            Value::Array(list) => {
                format!("\n[ {} ]\r", list.iter().map(strange).collect::<Vec<_>>().join(" , "))
            }
            Value::Object(map) => {
                let member =
                    |(name, value): (&String, &Value)| format!("\"{}\" :{}", escaped(name), strange(value));
                format!(" {{ {}\t}} ", map.iter().map(member).collect::<Vec<_>>().join("\n,\n"))
            }
            other => format!(" {other} "),
        }
    }

    /// What [`find`] must find, by serde_json's own words.
    fn assert_same(found: Option<Found<'_>>, expected: Option<&Value>) {
        match (found, expected) {
            (None, None)
            | (Some(Found::Null), Some(Value::Null))
            | (Some(Found::Container), Some(Value::Object(_) | Value::Array(_))) => {}
            (Some(Found::Plain(text)), Some(value @ (Value::Bool(_) | Value::Number(_)))) => {
                assert_eq!(text, value.to_string());
            }
            (Some(Found::Text(raw)), Some(Value::String(text))) => {
                assert_eq!(json_string::equals(raw, text), Ok(true));
            }
            (found, expected) => panic!("{found:?} is not {expected:?}"),
        }
    }

    proptest! {
        // At every place of any document, and at places that may not be there, the value is the one that
        // serde_json finds, however the document is written.
        #[test]
        fn a_value_is_found_where_serde_json_finds_it(
            document in document(),
            guesses in vec(vec(prop_oneof![name(), "[0-9]{1,2}|-|\\+1|01"], 1..4), 8),
        ) {
            let mut tokens = guesses;
            places(&document, &[], &mut tokens);
            let beyond: Vec<_> = tokens.iter().map(|path| [&path[..], &["0".to_owned()]].concat()).collect();
            tokens.extend(beyond);
            let pretty = serde_json::to_string_pretty(&document).expect("a value has a text");
            for text in [document.to_string(), pretty, strange(&document)] {
                for path in &tokens {
                    let found = find(text.as_bytes(), path).expect("valid JSON");
                    assert_same(found, document.pointer(&pointer(path)));
                }
            }
        }

        // No bytes make it panic or run on.
        #[test]
        fn any_bytes_are_found_out(bytes in "[{}\\[\\],:\"\\\\u0-9eE.+\\- truefalsn]{0,40}", path in vec("[a0u]?", 1..4)) {
            let _ = find(bytes.as_bytes(), &path);
        }
    }

    #[test]
    fn the_first_of_two_equal_names_counts() {
        let found = find(br#"{"a":1,"a":2}"#, &["a".to_owned()]);
        assert_eq!(found, Ok(Some(Found::Plain("1"))));
    }

    #[test]
    fn a_document_that_breaks_off_on_the_way_is_malformed() {
        for text in [
            "",
            " ",
            "{",
            "{\"a\"",
            "{\"b\":",
            "{\"b\":1",
            "{\"b\":[1}",
            "{b:1}",
            "{\"a\":",
            "{\"a\":nul}",
            "{\"a\":01}",
            "{\"b\":,\"a\":1}",
        ] {
            assert_eq!(find(text.as_bytes(), &["a".to_owned()]), Err(Malformed), "{text}");
        }
    }
}
