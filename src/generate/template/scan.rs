//! Cuts a cleaned text into plain parts and calls, as KDG does and as people mean it.
//!
//! KDG looks for the first `{{` and the first `}}` of the whole text, wherever they are, and takes what is between;
//! it knows no quotes and no nesting. Decides what stands in the braces, not whether it makes sense.

use super::json;
use super::value::Value;

/// What stands between two pairs of braces, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call<'a> {
    /// What stands before the first point.
    pub(super) module: &'a str,
    /// What stands between the first point and the second; none without a point.
    pub(super) method: Option<&'a str>,
    /// The text in parentheses; empty without.
    pub(super) parameter: &'a str,
}

impl<'a> Call<'a> {
    /// As KDG takes a token apart. `method` is the token without what was in parentheses, which is made anew.
    pub(super) fn of_kdg(token: &'a str, method: &'a mut String) -> Self {
        let mut parameter = "";
        // The first `(` that is followed by something and then by `)`, with no `)` between.
        let mut from = 0;
        *method = token.to_owned();
        while let Some(open) = token[from..].find('(').map(|at| from + at) {
            match token[open + 1..].find(')') {
                Some(0) => from = open + 1,
                Some(length) => {
                    parameter = &token[open + 1..open + 1 + length];
                    *method = format!("{}{}", &token[..open], &token[open + length + 2..]);
                    break;
                }
                None => break,
            }
        }
        let mut parts = method.split('.');
        Self { module: parts.next().unwrap_or_default(), method: parts.next(), parameter }
    }

    /// As people mean it: spaces where they like, nothing in the parentheses, parentheses in the parameter.
    /// None when the parentheses don't match.
    pub(super) fn of_people(token: &'a str) -> Option<Self> {
        let token = token.trim();
        let (name, parameter) = match token.split_once('(') {
            None => (token, ""),
            Some((name, rest)) => (name.trim_end(), rest.trim_end().strip_suffix(')')?.trim()),
        };
        let (module, method) = match name.split_once('.') {
            Some((module, method)) => (module.trim(), Some(method.trim())),
            None => (name, None),
        };
        Some(Self { module, method, parameter })
    }

    /// The parameter as KDG hands it on: what JSON says, or else the text; none when it is empty.
    pub(super) fn value(&self) -> Option<Value> {
        let value = json::parse(self.parameter).unwrap_or_else(|| Value::Text(self.parameter.to_owned()));
        (value != Value::Text(String::new())).then_some(value)
    }

    /// `module.method`, as errors show it.
    pub(super) fn name(&self) -> String {
        format!("{}.{}", self.module, self.method.unwrap_or("undefined"))
    }
}

/// Where the `}}` stands that closes the braces before `text`, by people's reading: outside of parentheses, and
/// parentheses inside of double quotes don't count.
pub(super) fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut quoted) = (0_u32, false);
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if quoted => at += 1,
            b'"' if depth > 0 => quoted = !quoted,
            _ if quoted => {}
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b'}' if depth == 0 && bytes.get(at + 1) == Some(&b'}') => return Some(at),
            b'{' if depth == 0 && bytes.get(at + 1) == Some(&b'{') => return None,
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kdg(token: &str) -> (String, Option<String>, String) {
        let mut method = String::new();
        let call = Call::of_kdg(token, &mut method);
        (call.module.to_owned(), call.method.map(str::to_owned), call.parameter.to_owned())
    }

    #[test]
    fn a_token_is_taken_apart_as_kdg_does() {
        for (token, module, method, parameter) in [
            ("random.number(5)", "random", Some("number"), "5"),
            ("random.number()", "random", Some("number()"), ""),
            ("random.number()(5)", "random", Some("number()"), "5"),
            ("random.number(5)  ", "random", Some("number  "), "5"),
            ("random.number(1.5)", "random", Some("number"), "1.5"),
            ("name", "name", None, ""),
            ("name.firstName.x", "name", Some("firstName"), ""),
            ("a.b((x) y)", "a", Some("b y)"), "(x"),
            ("a.b(x", "a", Some("b(x"), ""),
            ("", "", None, ""),
        ] {
            assert_eq!(
                kdg(token),
                (module.to_owned(), method.map(str::to_owned), parameter.to_owned()),
                "{token}"
            );
        }
    }

    #[test]
    fn a_token_is_taken_apart_as_people_mean_it() {
        for (token, name, parameter) in [
            (" random . number ( 5 ) ", "random.number", "5"),
            ("random.uuid()", "random.uuid", ""),
            (r#"random.arrayElement(["a (b)","c"])"#, "random.arrayElement", r#"["a (b)","c"]"#),
            ("phone.phoneNumber((###) ###)", "phone.phoneNumber", "(###) ###"),
        ] {
            let call = Call::of_people(token).expect("it can be read");
            assert_eq!((call.name(), call.parameter), (name.to_owned(), parameter), "{token}");
        }
        assert_eq!(Call::of_people("random.number(5"), None);
        assert_eq!(Call::of_people("random.number(5) x"), None);
    }

    #[test]
    fn braces_close_outside_of_parentheses() {
        for (text, at) in [
            ("a}}", Some(1)),
            (r#"a({"b":{"c":1}})}}"#, Some(16)),
            (r#"a(")}}\"")}}"#, Some(10)),
            ("a(}}", None),
            ("a {{b}}", None),
            ("a", None),
        ] {
            assert_eq!(closing(text), at, "{text}");
        }
    }
}
