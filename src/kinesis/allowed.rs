//! Which streams may be written to: patterns over a stream's name and its ARN.
//!
//! Decides what a pattern is and what it matches. What is refused, and when, is decided by who asks.

use std::fmt;
use std::str::FromStr;

use super::StreamRef;

/// Most patterns in one list: more than a person writes, and few enough to show.
const MOST_PATTERNS: usize = 100;

/// Most characters of a pattern: more than the longest ARN of a stream has.
const MOST_CHARACTERS: usize = 256;

/// A list of patterns, one of which a stream must match. Never empty.
///
/// A pattern with a colon is compared with the whole ARN (so that it can pin account and region), any other with
/// the stream's name. `*` stands for any characters, none included, `?` for exactly one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedStreams(Vec<String>);

/// Whether a stream may be written to, as far as can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permit {
    /// A pattern matches.
    Allowed,
    /// No pattern matches.
    Refused,
    /// No pattern matches the name, and the ARN, which others ask for, is not known yet.
    NeedsArn,
}

/// A text that is no list of patterns.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AllowedStreamsError {
    /// Nothing stands before, between or after commas.
    #[error("a pattern of it is empty")]
    Empty,
    /// A character that no name and no ARN of a stream has.
    #[error("{0:?} stands in no stream's name or ARN")]
    Character(char),
    /// A pattern that is longer than any name or ARN.
    #[error("a pattern of it has {0} characters; the most is {MOST_CHARACTERS}")]
    TooLong(usize),
    /// Too many patterns.
    #[error("it has {0} patterns; the most is {MOST_PATTERNS}")]
    TooMany(usize),
}

impl AllowedStreams {
    /// Whether a stream of this name and, where it is known, this ARN may be written to.
    #[must_use]
    pub fn permit(&self, name: &str, arn: Option<&str>) -> Permit {
        let is_arn = |pattern: &String| pattern.contains(':');
        let allowed = self.0.iter().any(|pattern| match arn {
            _ if !is_arn(pattern) => matches(pattern, name),
            Some(arn) => matches(pattern, arn),
            None => false,
        });
        match arn {
            _ if allowed => Permit::Allowed,
            None if self.0.iter().any(is_arn) => Permit::NeedsArn,
            _ => Permit::Refused,
        }
    }

    /// The same for a stream as the user named it.
    #[must_use]
    pub fn permit_named(&self, stream: &StreamRef) -> Permit {
        self.permit(stream.name().as_str(), stream.arn().map(|arn| arn.as_str()))
    }
}

impl FromStr for AllowedStreams {
    type Err = AllowedStreamsError;

    fn from_str(text: &str) -> Result<Self, AllowedStreamsError> {
        let count = text.split(',').count();
        if count > MOST_PATTERNS {
            return Err(AllowedStreamsError::TooMany(count));
        }
        let patterns: Vec<String> = text.split(',').map(|pattern| pattern.trim().to_owned()).collect();
        if patterns.iter().any(String::is_empty) {
            return Err(AllowedStreamsError::Empty);
        }
        if let Some(length) = patterns.iter().map(|one| one.chars().count()).find(|&n| n > MOST_CHARACTERS) {
            return Err(AllowedStreamsError::TooLong(length));
        }
        let legal = |c: char| c.is_ascii_alphanumeric() || "_.-:/*?".contains(c);
        match patterns.iter().flat_map(|pattern| pattern.chars()).find(|&c| !legal(c)) {
            Some(wrong) => Err(AllowedStreamsError::Character(wrong)),
            None => Ok(Self(patterns)),
        }
    }
}

impl fmt::Display for AllowedStreams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(","))
    }
}

/// Whether `pattern` matches the whole of `text`; both are ASCII. Takes at most their lengths' product of steps:
/// a mismatch goes back to the last `*` only, because what an earlier one could take as well, the last one can.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut read) = (0, 0);
    // Where the last `*` stands, and how much of the text it has taken so far.
    let mut star: Option<(usize, usize)> = None;
    while read < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(&byte) if byte == b'?' || byte == text[read] => {
                at += 1;
                read += 1;
            }
            _ => {
                let Some((begin, taken)) = star else { return false };
                star = Some((begin, taken + 1));
                (at, read) = (begin + 1, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ARN: &str = "arn:aws:kinesis:eu-west-1:123456789012:stream/load-test";

    fn permit(patterns: &str, name: &str, arn: Option<&str>) -> Permit {
        patterns.parse::<AllowedStreams>().expect("patterns").permit(name, arn)
    }

    #[test]
    fn a_pattern_without_a_colon_is_about_the_name_and_one_with_a_colon_about_the_arn() {
        for (patterns, known, unknown) in [
            ("load-test", Permit::Allowed, Permit::Allowed),
            ("load-*", Permit::Allowed, Permit::Allowed),
            ("orders, load-????", Permit::Allowed, Permit::Allowed),
            ("*", Permit::Allowed, Permit::Allowed),
            ("arn:aws:kinesis:*:123456789012:stream/load-*", Permit::Allowed, Permit::NeedsArn),
            ("arn:aws:kinesis:*:999999999999:stream/*", Permit::Refused, Permit::NeedsArn),
            ("load", Permit::Refused, Permit::Refused),
            ("Load-test", Permit::Refused, Permit::Refused),
            ("load-test-2,?oad", Permit::Refused, Permit::Refused),
            // No name begins with arn: so this allows nothing by accident.
            ("arn*load-test", Permit::Refused, Permit::Refused),
            ("*:stream/load-test", Permit::Allowed, Permit::NeedsArn),
        ] {
            assert_eq!(permit(patterns, "load-test", Some(ARN)), known, "{patterns}");
            assert_eq!(permit(patterns, "load-test", None), unknown, "{patterns}");
        }
    }

    #[test]
    fn what_is_no_list_of_patterns_is_told() {
        for (text, error) in [
            ("", AllowedStreamsError::Empty),
            ("a,,b", AllowedStreamsError::Empty),
            ("a, ", AllowedStreamsError::Empty),
            ("a b", AllowedStreamsError::Character(' ')),
            ("ä", AllowedStreamsError::Character('ä')),
            ("[ab]", AllowedStreamsError::Character('[')),
            (&"a,".repeat(100), AllowedStreamsError::TooMany(101)),
            (&format!("a,{}", "*".repeat(257)), AllowedStreamsError::TooLong(257)),
        ] {
            assert_eq!(text.parse::<AllowedStreams>(), Err(error), "{text:?}");
        }
        assert_eq!("a , b*".parse::<AllowedStreams>().map(|all| all.to_string()), Ok("a,b*".to_owned()));
    }

    /// The definition, by recursion: exponential, and plain to see.
    fn by_definition(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some((b'*', rest)), _) if by_definition(rest, text) => true,
            (Some((b'*', _)), Some((_, left))) => by_definition(pattern, left),
            (Some((b'?', rest)), Some((_, left))) => by_definition(rest, left),
            (Some((byte, rest)), Some((other, left))) => byte == other && by_definition(rest, left),
            _ => false,
        }
    }

    proptest! {
        // Law: a pattern matches what the definition of * and ? says, and nothing else.
        #[test]
        fn a_pattern_matches_by_its_definition(pattern in "[ab?*]{0,9}", text in "[ab]{0,12}") {
            prop_assert_eq!(matches(&pattern, &text), by_definition(pattern.as_bytes(), text.as_bytes()));
        }

        // Law: a list is read as it is written, and any other text is refused without a panic.
        #[test]
        fn a_list_is_read_as_it_is_written(text in "[a-z*?:/._, -]{0,40}|.{0,20}") {
            if let Ok(allowed) = text.parse::<AllowedStreams>() {
                prop_assert_eq!(allowed.to_string().parse(), Ok(allowed));
            }
        }
    }

    #[test]
    fn a_hostile_pattern_costs_no_more_than_its_length_times_the_texts() {
        // By the definition above, this would not end within our lives.
        let (pattern, text) = ("*a".repeat(2_000) + "b", "a".repeat(10_000));
        assert!(!matches(&pattern, &text));
    }
}
