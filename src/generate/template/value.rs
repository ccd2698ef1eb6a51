//! A parameter as JavaScript sees it: what it is as text, as a number, and whether it counts as given.
//!
//! Decides coercions only; what a function does with its parameter is in `library`.

use super::number;

/// A value that JSON can write.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Value>),
    /// In the order of the text; of a name that stands twice, the last value at the first place.
    Map(Vec<(String, Value)>),
}

impl Value {
    /// `String(value)` of JavaScript.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Number(value) => number::to_text(*value),
            Self::Text(text) => text.clone(),
            Self::List(values) => {
                let texts: Vec<String> = values
                    .iter()
                    .map(|value| if *value == Self::Null { String::new() } else { value.text() })
                    .collect();
                texts.join(",")
            }
            Self::Map(_) => "[object Object]".to_owned(),
        }
    }

    /// `Number(value)` of JavaScript.
    pub(super) fn number(&self) -> f64 {
        match self {
            Self::Null => 0.0,
            Self::Bool(value) => f64::from(u8::from(*value)),
            Self::Number(value) => *value,
            Self::Text(text) => number::of_text(text),
            Self::List(_) => number::of_text(&self.text()),
            Self::Map(_) => f64::NAN,
        }
    }

    /// `Boolean(value)` of JavaScript.
    pub(super) fn is_truthy(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(value) => *value,
            Self::Number(value) => *value != 0.0 && !value.is_nan(),
            Self::Text(text) => !text.is_empty(),
            Self::List(_) | Self::Map(_) => true,
        }
    }

    /// `one + other` of JavaScript, as a number: text is joined before it is read.
    pub(super) fn sum(&self, other: &Self) -> f64 {
        let joins = |value: &Self| matches!(value, Self::Text(_) | Self::List(_) | Self::Map(_));
        if joins(self) || joins(other) {
            number::of_text(&(self.text() + &other.text()))
        } else {
            self.number() + other.number()
        }
    }

    /// The value called `name` of a map.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Map(entries) => entries.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// What indexing from 0 finds: the elements of a list, the characters of a text.
    pub(super) fn elements(&self) -> Option<Vec<Self>> {
        match self {
            Self::List(values) => Some(values.clone()),
            Self::Text(text) => Some(text.chars().map(|letter| Self::Text(letter.into())).collect()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::json;
    use super::*;

    fn value(text: &str) -> Value {
        json::parse(text).expect("JSON")
    }

    // Each as node 20 says.
    #[test]
    fn values_become_text_and_numbers_as_in_javascript() {
        for (text, string, number, truthy) in [
            ("null", "null", 0.0, false),
            ("true", "true", 1.0, true),
            ("false", "false", 0.0, false),
            ("1.50", "1.5", 1.5, true),
            ("-0", "0", 0.0, false),
            ("1e21", "1e+21", 1e21, true),
            ("1e400", "Infinity", f64::INFINITY, true),
            (r#"" 12 ""#, " 12 ", 12.0, true),
            (r#""""#, "", 0.0, false),
            (r#""0x1f""#, "0x1f", 31.0, true),
            ("[]", "", 0.0, true),
            ("[7]", "7", 7.0, true),
            (r#"[1,[2,3],null,"a"]"#, "1,2,3,,a", f64::NAN, true),
            (r#"{"a":1}"#, "[object Object]", f64::NAN, true),
        ] {
            let value = value(text);
            assert_eq!((value.text().as_str(), value.is_truthy()), (string, truthy), "{text}");
            assert!(value.number() == number || value.number().is_nan() && number.is_nan(), "{text}");
        }
    }

    #[test]
    fn a_sum_with_a_text_is_the_joined_text() {
        assert_eq!(value(r#""7""#).sum(&Value::Number(1.0)), 71.0);
        assert_eq!(value("[7]").sum(&Value::Number(0.5)), 70.5);
        assert_eq!(value("true").sum(&Value::Number(1.0)), 2.0);
        assert_eq!(value("null").sum(&Value::Null), 0.0);
    }
}
