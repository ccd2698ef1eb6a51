//! Validation as AWS words it: all wrong members at once.
//!
//! Decides what a member may be by its own rules; whether things exist is decided elsewhere.

use std::fmt::Display;
use std::ops::RangeInclusive;

use super::super::error::ApiError;
use crate::kinesis::{StreamArn, StreamName};

/// AWS lists no more than this many.
const MAX_TEXTS: usize = 10;

/// The members of one request that broke a rule.
#[derive(Debug, Default)]
pub(super) struct Checks(Vec<String>);

impl Checks {
    /// Notes that `value` (none: null) at `path` broke a rule.
    pub(super) fn fail(&mut self, path: &str, value: Option<&dyn Display>, rule: &str) {
        if self.0.len() < MAX_TEXTS {
            let value = value.map_or("null".to_owned(), |value| format!("'{value}'"));
            self.0.push(format!("Value {value} at '{path}' failed to satisfy constraint: {rule}"));
        }
    }

    pub(super) fn finish(self) -> Result<(), ApiError> {
        let count = self.0.len();
        let plural = if count == 1 { "" } else { "s" };
        match count {
            0 => Ok(()),
            _ => Err(ApiError::validation(format!(
                "{count} validation error{plural} detected: {}",
                self.0.join("; ")
            ))),
        }
    }

    pub(super) fn required<T: ?Sized>(&mut self, path: &str, value: Option<&T>) {
        if value.is_none() {
            self.fail(path, None, "Member must not be null");
        }
    }

    pub(super) fn range(&mut self, path: &str, value: Option<i64>, range: RangeInclusive<i64>) {
        let Some(value) = value else { return };
        let (low, high) = (range.start(), range.end());
        if value < *low {
            self.fail(path, Some(&value), &format!("Member must have value greater than or equal to {low}"));
        } else if value > *high {
            self.fail(path, Some(&value), &format!("Member must have value less than or equal to {high}"));
        }
    }

    /// Length in characters.
    pub(super) fn length(&mut self, path: &str, value: Option<&str>, range: RangeInclusive<usize>) {
        let Some(value) = value else { return };
        let (low, high) = (range.start(), range.end());
        let length = value.chars().count();
        if length < *low {
            self.fail(path, Some(&value), &format!("Member must have length greater than or equal to {low}"));
        } else if length > *high {
            self.fail(path, Some(&value), &format!("Member must have length less than or equal to {high}"));
        }
    }

    pub(super) fn one_of(&mut self, path: &str, value: Option<&str>, set: &[&str]) {
        if let Some(value) = value.filter(|value| !set.contains(value)) {
            let rule = format!("Member must satisfy enum value set: [{}]", set.join(", "));
            self.fail(path, Some(&value), &rule);
        }
    }

    fn pattern(&mut self, path: &str, value: Option<&str>, legal: impl Fn(&str) -> bool, pattern: &str) {
        if let Some(value) = value.filter(|value| !legal(value)) {
            let rule = format!("Member must satisfy regular expression pattern: {pattern}");
            self.fail(path, Some(&value), &rule);
        }
    }

    pub(super) fn stream_name(&mut self, path: &str, value: Option<&str>) {
        let (short, long) = (value.is_some_and(str::is_empty), value.is_some_and(|v| v.len() > 128));
        if short || long {
            self.length(path, value, 1..=128);
        } else {
            self.pattern(path, value, |v| v.parse::<StreamName>().is_ok(), "[a-zA-Z0-9_.-]+");
        }
    }

    pub(super) fn stream_arn(&mut self, value: Option<&str>) {
        let legal = |value: &str| value.parse::<StreamArn>().is_ok();
        self.pattern("streamARN", value, legal, "arn:aws.*:kinesis:.*:\\d{12}:stream/\\S+");
    }

    /// A shard id's text has the rules of a stream's name.
    pub(super) fn shard_id(&mut self, path: &str, value: Option<&str>) {
        self.stream_name(path, value);
    }

    pub(super) fn hash_key(&mut self, path: &str, value: Option<&str>) {
        self.pattern(path, value, is_hash_key, "0|([1-9]\\d{0,38})");
    }

    pub(super) fn sequence(&mut self, path: &str, value: Option<&str>) {
        self.pattern(path, value, |v| is_number(v, 129), "0|([1-9]\\d{0,128})");
    }
}

/// Whether a text is a hash key by its pattern; it may still be above 2^128 − 1.
pub(super) fn is_hash_key(text: &str) -> bool {
    is_number(text, 39)
}

fn is_number(text: &str, digits: usize) -> bool {
    let all = (1..=digits).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    all && (text == "0" || !text.starts_with('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_member_is_named_as_aws_names_it() {
        let mut checks = Checks::default();
        checks.stream_name("streamName", Some("a b"));
        checks.range("limit", Some(0), 1..=100);
        checks.required::<str>("data", None);
        let error = checks.finish().expect_err("three wrong members");
        assert_eq!(
            error.message,
            "3 validation errors detected: Value 'a b' at 'streamName' failed to satisfy constraint: Member must \
             satisfy regular expression pattern: [a-zA-Z0-9_.-]+; Value '0' at 'limit' failed to satisfy \
             constraint: Member must have value greater than or equal to 1; Value null at 'data' failed to \
             satisfy constraint: Member must not be null"
        );
    }

    #[test]
    fn a_number_has_no_sign_and_no_leading_zero() {
        for right in ["0", "1", "340282366920938463463374607431768211455"] {
            assert!(is_number(right, 39), "{right}");
        }
        for wrong in ["", "-1", "+1", "01", "1e3", " 1", "3402823669209384634633746074317682114550"] {
            assert!(!is_number(wrong, 39), "{wrong}");
        }
    }
}
