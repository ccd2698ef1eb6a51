//! Reads parameters: JSON as `JSON.parse` takes it, and the near-JSON that people write instead.
//!
//! A reader of our own, because a parameter keeps the order of its names and may hold what `serde_json`
//! refuses and JavaScript takes (`1e400`), and because what was nearly JSON should be told, not only refused.

use std::collections::HashMap;

use super::value::Value;

/// How deep lists and maps may nest; bounds the recursion.
const DEEPEST: u32 = 64;

/// The value that is written; none where `JSON.parse` would throw.
pub(super) fn parse(text: &str) -> Option<Value> {
    Reader::new(text, false).whole()
}

/// The value that was probably meant: bare and single-quoted names and texts, and a comma at the end, are taken.
pub(super) fn parse_relaxed(text: &str) -> Option<Value> {
    Reader::new(text, true).whole()
}

/// The value as JSON.
pub(super) fn write(value: &Value) -> String {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => value.text(),
        Value::Text(text) => serde_json::Value::from(text.as_str()).to_string(),
        Value::List(values) => {
            format!("[{}]", values.iter().map(write).collect::<Vec<_>>().join(","))
        }
        Value::Map(entries) => {
            let entry = |(name, value): &(String, Value)| {
                format!("{}:{}", serde_json::Value::from(name.as_str()), write(value))
            };
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(","))
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    relaxed: bool,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, relaxed: bool) -> Self {
        Self { text, at: 0, relaxed }
    }

    fn whole(mut self) -> Option<Value> {
        let value = self.value(0)?;
        self.space();
        (self.at == self.text.len()).then_some(value)
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn take(&mut self, wanted: char) -> bool {
        self.space();
        let found = self.rest().starts_with(wanted);
        self.at += if found { wanted.len_utf8() } else { 0 };
        found
    }

    fn value(&mut self, depth: u32) -> Option<Value> {
        self.space();
        let first = self.rest().chars().next()?;
        match first {
            '{' | '[' if depth == DEEPEST => None,
            '{' => self.map(depth),
            '[' => self.list(depth),
            '"' => self.string('"').map(Value::Text),
            '\'' if self.relaxed => self.string('\'').map(Value::Text),
            '-' | '0'..='9' => self.number(),
            _ => self.word(),
        }
    }

    fn list(&mut self, depth: u32) -> Option<Value> {
        let mut values = Vec::new();
        self.at += 1;
        if self.take(']') {
            return Some(Value::List(values));
        }
        loop {
            values.push(self.value(depth + 1)?);
            if self.take(']') || self.take(',') && self.relaxed && self.take(']') {
                return Some(Value::List(values));
            }
            if !self.text[..self.at].ends_with(',') {
                return None;
            }
        }
    }

    fn map(&mut self, depth: u32) -> Option<Value> {
        let mut entries: Vec<(String, Value)> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        self.at += 1;
        if self.take('}') {
            return Some(Value::Map(entries));
        }
        loop {
            self.space();
            let name = match self.rest().chars().next()? {
                '"' => self.string('"')?,
                '\'' if self.relaxed => self.string('\'')?,
                _ if self.relaxed => self.bare()?.to_owned(),
                _ => return None,
            };
            if !self.take(':') {
                return None;
            }
            let value = self.value(depth + 1)?;
            match places.get(&name) {
                Some(&place) => entries[place].1 = value,
                None => {
                    places.insert(name.clone(), entries.len());
                    entries.push((name, value));
                }
            }
            if self.take('}') || self.take(',') && self.relaxed && self.take('}') {
                return Some(Value::Map(entries));
            }
            if !self.text[..self.at].ends_with(',') {
                return None;
            }
        }
    }

    fn string(&mut self, quote: char) -> Option<String> {
        let mut text = String::new();
        let mut letters = self.rest().char_indices().skip(1);
        while let Some((at, letter)) = letters.next() {
            match letter {
                _ if letter == quote => {
                    self.at += at + 1;
                    return Some(text);
                }
                '\\' => match letters.next()?.1 {
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    'r' => text.push('\r'),
                    'b' => text.push('\u{8}'),
                    'f' => text.push('\u{c}'),
                    'u' => {
                        let mut unit = || {
                            let digits: String = letters.by_ref().take(4).map(|(_, digit)| digit).collect();
                            let legal =
                                digits.len() == 4 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
                            u16::from_str_radix(&digits, 16).ok().filter(|_| legal)
                        };
                        let mut units = vec![unit()?];
                        // The second half of a pair is another escape. A half alone can't be sent as UTF-8.
                        if (0xd800..0xdc00).contains(&units[0]) {
                            let escape = letters.next().map(|(_, letter)| letter) == Some('\\')
                                && letters.next().map(|(_, letter)| letter) == Some('u');
                            let digits: String = letters.by_ref().take(4).map(|(_, digit)| digit).collect();
                            units.push(u16::from_str_radix(&digits, 16).ok().filter(|_| escape)?);
                        }
                        text.push_str(&String::from_utf16(&units).ok()?);
                    }
                    escaped @ ('"' | '\\' | '/') => text.push(escaped),
                    escaped if self.relaxed => text.push(escaped),
                    _ => return None,
                },
                '\0'..='\u{1f}' if !self.relaxed => return None,
                _ => text.push(letter),
            }
        }
        None
    }

    fn number(&mut self) -> Option<Value> {
        let rest = self.rest();
        let length = rest
            .bytes()
            .take_while(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E'))
            .count();
        let text = &rest[..length];
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (mantissa, exponent) =
            digits.split_once(['e', 'E']).map_or((digits, None), |(m, e)| (m, Some(e)));
        let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(w, f)| (w, Some(f)));
        let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let legal = all_digits(whole)
            && (whole == "0" || !whole.starts_with('0'))
            && fraction.is_none_or(all_digits)
            && exponent
                .is_none_or(|exponent| all_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)));
        self.at += length;
        text.parse().ok().filter(|_| legal).map(Value::Number)
    }

    fn bare(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        let legal = |letter: &char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '$');
        let length = rest.chars().take_while(legal).map(char::len_utf8).sum();
        self.at += length;
        (length > 0).then_some(&rest[..length])
    }

    fn word(&mut self) -> Option<Value> {
        match self.bare()? {
            "null" => Some(Value::Null),
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            word if self.relaxed => Some(Value::Text(word.to_owned())),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_not_json_is_refused_and_what_was_meant_is_known() {
        for (text, meant) in [
            ("{min:1,max:2}", Some(r#"{"min":1,"max":2}"#)),
            ("['a','b',]", Some(r#"["a","b"]"#)),
            ("'YYYY'", Some(r#""YYYY""#)),
            (r#"{"a":1,}"#, Some(r#"{"a":1}"#)),
            ("[OK,FAIL]", Some(r#"["OK","FAIL"]"#)),
            ("01", None),
            ("1.", None),
            ("+1", None),
            ("[1 2]", None),
            ("[1,2", None),
            (r#""\ud800""#, None),
            ("{\"a\" 1}", None),
            ("", None),
        ] {
            assert_eq!(parse(text), None, "{text}");
            assert_eq!(parse_relaxed(text).map(|value| write(&value)).as_deref(), meant, "{text}");
        }
        assert_eq!(parse(&"[".repeat(100_000)), None);
        assert_eq!(
            parse(r#"{"a":1,"b":2,"a":3}"#).map(|value| write(&value)).as_deref(),
            Some(r#"{"a":3,"b":2}"#)
        );
        assert_eq!(parse(r#""\u0041\ud83d\ude00\n""#), Some(Value::Text("A😀\n".to_owned())));
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i32>().prop_map(Into::into),
            any::<f64>().prop_map(Into::into),
            "\\PC{0,6}|[\\x00-\\x22\\\\]{0,3}".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                prop::collection::btree_map("[a-c\"é]{0,3}", inner, 0..4)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        // JSON that another library wrote is read as what it says, and read again as it is written.
        #[test]
        fn json_is_read_as_it_was_written(value in json()) {
            let text = value.to_string();
            let read = parse(&text);
            prop_assert!(read.is_some(), "{text}");
            let written = read.as_ref().map(write).unwrap_or_default();
            let again: serde_json::Value = serde_json::from_str(&written).expect("JSON");
            prop_assert_eq!(parse(&written), read);
            prop_assert_eq!(again.is_object(), value.is_object());
            prop_assert_eq!(parse_relaxed(&text).map(|value| write(&value)), Some(written));
        }

        // Any text is read or refused, without a panic.
        #[test]
        fn any_text_is_read_or_refused(text in "[\\[\\]{}\",:'a-c0-9.\\\\ué -]{0,24}") {
            let read = parse(&text);
            if read.is_some() {
                prop_assert_eq!(parse_relaxed(&text), read);
            } else {
                parse_relaxed(&text);
            }
        }
    }
}
