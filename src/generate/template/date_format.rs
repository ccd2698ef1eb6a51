//! Date formats as moment.js 2.17.1 reads them, taken apart once and written fast.
//!
//! The zone is UTC. What the event's own timestamp already holds as text is copied from there.

use super::moment::{MONTHS, Moment, WEEKDAYS};
use super::number;
use crate::generate::{Timestamp, text};

/// A format, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DateFormat(Vec<Piece>);

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Text(Box<str>),
    /// A part of the timestamp's text.
    Copy(usize, usize),
    /// A token that is computed.
    Token(&'static str),
}

/// Whether a format is written by `date.now` or `date.utc`: they differ in the zone's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    Local,
    Utc,
}

/// The bytes that one computed token may take; `x` has 15 digits at most.
const LONGEST_TOKEN: usize = 16;

/// The tokens that moment formats with, those that begin alike from the longest on. (`gg…` and `S…` are listed whole.)
const TOKENS: [&str; 66] = [
    "hmmss",
    "Hmmss",
    "hmm",
    "Hmm",
    "Mo",
    "MMMM",
    "MMM",
    "MM",
    "M",
    "DDDo",
    "Do",
    "DDDD",
    "DDD",
    "DD",
    "D",
    "dddd",
    "ddd",
    "dd",
    "do",
    "d",
    "wo",
    "ww",
    "w",
    "Wo",
    "WW",
    "W",
    "Qo",
    "Q",
    "YYYYYY",
    "YYYYY",
    "YYYY",
    "YY",
    "Y",
    "ggggg",
    "gggg",
    "gg",
    "GGGGG",
    "GGGG",
    "GG",
    "e",
    "E",
    "a",
    "A",
    "hh",
    "h",
    "HH",
    "H",
    "kk",
    "k",
    "mm",
    "m",
    "ss",
    "s",
    "SSSSSSSSS",
    "SSSSSSSS",
    "SSSSSSS",
    "SSSSSS",
    "SSSSS",
    "SSSS",
    "SSS",
    "SS",
    "S",
    "x",
    "X",
    "ZZ",
    "Z",
];

impl DateFormat {
    /// What a format means; an empty one is moment's default.
    pub(super) fn new(format: &str, zone: Zone) -> Self {
        let format = match (format, zone) {
            ("", Zone::Local) => "YYYY-MM-DDTHH:mm:ssZ",
            ("", Zone::Utc) => "YYYY-MM-DDTHH:mm:ss[Z]",
            _ => format,
        };
        let expanded = expand(format);
        let (mut pieces, mut rest) = (Vec::new(), expanded.as_str());
        while let Some(first) = rest.chars().next() {
            let (length, piece) = next(rest, first, zone);
            append(&mut pieces, piece);
            rest = &rest[length..];
        }
        Self(pieces)
    }

    /// Appends the moment in this format.
    #[inline]
    pub(super) fn write(&self, time: &Timestamp, out: &mut Vec<u8>) {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
                Piece::Copy(from, to) => out.extend_from_slice(&time.as_bytes()[*from..*to]),
                Piece::Token(token) => write_token(token, Moment::of(time), out),
            }
        }
    }

    /// The most bytes that [`Self::write`] appends.
    pub(super) fn largest(&self) -> usize {
        let size = |piece: &Piece| match piece {
            Piece::Text(text) => text.len(),
            Piece::Copy(from, to) => to - from,
            Piece::Token(_) => LONGEST_TOKEN,
        };
        self.0.iter().map(size).sum()
    }
}

/// The length of what stands first, and what it means.
fn next(rest: &str, first: char, zone: Zone) -> (usize, Piece) {
    if let Some(length) = bracketed(rest) {
        return (length, Piece::Text(rest[1..length - 1].into()));
    }
    // A backslash makes a token plain text; before anything else it goes away.
    let (escape, after) = if first == '\\' { (1, &rest[1..]) } else { (0, rest) };
    // moment's pattern takes these two together, and then knows no such token.
    if let Some(text) = ["w|", "W|"].into_iter().find(|text| after.starts_with(text)) {
        return (escape + text.len(), Piece::Text(text.into()));
    }
    if let Some(token) = TOKENS.into_iter().find(|token| after.starts_with(token)) {
        let piece = if escape == 1 { Piece::Text(token.into()) } else { piece(token) };
        return (escape + token.len(), piece);
    }
    for (zone_token, name) in [("zz", "Coordinated Universal Time"), ("z", "UTC")] {
        if after.starts_with(zone_token) {
            let name = if zone == Zone::Utc { name } else { "" };
            let text = if escape == 1 { zone_token } else { name };
            return (escape + zone_token.len(), Piece::Text(text.into()));
        }
    }
    // moment's pattern for one character does not match line ends.
    let is_line_end = |letter: char| matches!(letter, '\n' | '\r' | '\u{2028}' | '\u{2029}');
    let (length, letter) = match after.chars().next().filter(|letter| escape == 1 && !is_line_end(*letter)) {
        Some(escaped) => (escape + escaped.len_utf8(), escaped),
        None => (first.len_utf8(), first),
    };
    let text = if letter == '\\' || is_line_end(letter) { String::new() } else { letter.into() };
    (length, Piece::Text(text.into()))
}

fn piece(token: &'static str) -> Piece {
    // Where the text of a timestamp has it: 2026-11-21T02:14:34.123Z
    match token {
        "YYYY" => Piece::Copy(0, 4),
        "MM" => Piece::Copy(5, 7),
        "DD" => Piece::Copy(8, 10),
        "HH" => Piece::Copy(11, 13),
        "mm" => Piece::Copy(14, 16),
        "ss" => Piece::Copy(17, 19),
        "SSS" => Piece::Copy(20, 23),
        "SS" => Piece::Copy(20, 22),
        "S" => Piece::Copy(20, 21),
        "Z" => Piece::Text("+00:00".into()),
        "ZZ" => Piece::Text("+0000".into()),
        _ => Piece::Token(token),
    }
}

/// Appends a piece, joined with what stands before it where the two are one text.
fn append(pieces: &mut Vec<Piece>, piece: Piece) {
    const LAYOUT: &str = "YYYY-MM-DDTHH:mm:ss.SSSZ";
    match (pieces.last_mut(), &piece) {
        (_, Piece::Text(text)) if text.is_empty() => return,
        (Some(Piece::Copy(_, to)), Piece::Text(text))
            if matches!(&**text, "-" | "T" | ":" | ".") && LAYOUT[*to..].starts_with(&**text) =>
        {
            *to += text.len();
            return;
        }
        (Some(Piece::Copy(_, to)), Piece::Copy(from, end)) if *to == *from => {
            *to = *end;
            return;
        }
        (Some(Piece::Text(before)), Piece::Text(text)) => {
            *before = format!("{before}{text}").into();
            return;
        }
        _ => {}
    }
    pieces.push(piece);
}

/// The length of a text in brackets that stands first: to the last `]` before another `[`.
fn bracketed(rest: &str) -> Option<usize> {
    let inner = rest.strip_prefix('[')?;
    let until = inner.find('[').unwrap_or(inner.len());
    inner[..until].rfind(']').map(|at| at + 2)
}

/// The format with moment's macros (`LT`, `LL`, …) written out, in the English order.
fn expand(format: &str) -> String {
    const MACROS: [(&str, &str); 10] = [
        ("LTS", "h:mm:ss A"),
        ("LT", "h:mm A"),
        ("LLLL", "dddd, MMMM D, YYYY h:mm A"),
        ("LLL", "MMMM D, YYYY h:mm A"),
        ("LL", "MMMM D, YYYY"),
        ("L", "MM/DD/YYYY"),
        ("llll", "ddd, MMM D, YYYY h:mm A"),
        ("lll", "MMM D, YYYY h:mm A"),
        ("ll", "MMM D, YYYY"),
        ("l", "M/D/YYYY"),
    ];
    let (mut expanded, mut rest) = (String::new(), format);
    while let Some(first) = rest.chars().next() {
        let found = MACROS.into_iter().find(|(name, _)| rest.starts_with(name));
        let length = if let Some(length) = bracketed(rest) {
            expanded.push_str(&rest[..length]);
            length
        } else if let Some((name, text)) = found {
            expanded.push_str(text);
            name.len()
        } else if first == '\\'
            && let Some((name, _)) = MACROS.into_iter().find(|(name, _)| rest[1..].starts_with(name))
        {
            expanded.push_str(&rest[..1 + name.len()]);
            1 + name.len()
        } else {
            expanded.push(first);
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    expanded
}

fn write_token(token: &str, at: Moment, out: &mut Vec<u8>) {
    let twelve = (at.hour + 11) % 12 + 1;
    let weekday = WEEKDAYS[at.weekday() as usize];
    let month = MONTHS[at.month as usize - 1];
    let mut padded = |number: u32, width: usize| {
        let mut room = [0; 20];
        let digits = text::digits(number.into(), &mut room);
        out.extend(std::iter::repeat_n(b'0', width.saturating_sub(digits.len())));
        out.extend_from_slice(digits);
    };
    match token {
        "M" => padded(at.month, 1),
        "D" => padded(at.day, 1),
        "DDD" => padded(at.day_of_year(), 1),
        "DDDD" => padded(at.day_of_year(), 3),
        "d" | "e" => padded(at.weekday(), 1),
        "E" => padded((at.weekday() + 6) % 7 + 1, 1),
        "Q" => padded(quarter(at), 1),
        "w" | "ww" => padded(at.week().1, token.len()),
        "W" | "WW" => padded(at.iso_week().1, token.len()),
        "YY" => padded((at.year % 100) as u32, 2),
        "Y" | "YYYYY" => padded(at.year as u32, token.len()),
        "gg" => padded((at.week().0 % 100) as u32, 2),
        "gggg" | "ggggg" => padded(at.week().0 as u32, token.len()),
        "GG" => padded((at.iso_week().0 % 100) as u32, 2),
        "GGGG" | "GGGGG" => padded(at.iso_week().0 as u32, token.len()),
        "h" | "hh" => padded(twelve, token.len()),
        "H" => padded(at.hour, 1),
        "k" | "kk" => padded((at.hour + 23) % 24 + 1, token.len()),
        "m" => padded(at.minute, 1),
        "s" => padded(at.second, 1),
        "hmm" | "Hmm" | "hmmss" | "Hmmss" => {
            padded(if token.starts_with('h') { twelve } else { at.hour }, 1);
            padded(at.minute, 2);
            if token.len() == 5 {
                padded(at.second, 2);
            }
        }
        "Mo" => ordinal(at.month, out),
        "Do" => ordinal(at.day, out),
        "DDDo" => ordinal(at.day_of_year(), out),
        "do" => ordinal(at.weekday(), out),
        "wo" => ordinal(at.week().1, out),
        "Wo" => ordinal(at.iso_week().1, out),
        "Qo" => ordinal(quarter(at), out),
        "MMM" => out.extend_from_slice(&month.as_bytes()[..3]),
        "MMMM" => out.extend_from_slice(month.as_bytes()),
        "dd" => out.extend_from_slice(&weekday.as_bytes()[..2]),
        "ddd" => out.extend_from_slice(&weekday.as_bytes()[..3]),
        "dddd" => out.extend_from_slice(weekday.as_bytes()),
        "a" => out.extend_from_slice(if at.hour < 12 { b"am" } else { b"pm" }),
        "A" => out.extend_from_slice(if at.hour < 12 { b"AM" } else { b"PM" }),
        "YYYYYY" => {
            out.push(b'+');
            padded_year(at.year, out);
        }
        "x" => number::integer(at.unix_millis(), out),
        "X" => number::integer(at.unix_millis().div_euclid(1_000), out),
        // The rest are the fractions finer than a millisecond, which are zeros.
        _ => {
            padded(at.millisecond, 3);
            out.extend(std::iter::repeat_n(b'0', token.len() - 3));
        }
    }
}

fn quarter(at: Moment) -> u32 {
    at.month.div_ceil(3)
}

fn padded_year(year: i64, out: &mut Vec<u8>) {
    let mut room = [0; 20];
    let digits = text::digits(year.unsigned_abs(), &mut room);
    out.extend(std::iter::repeat_n(b'0', 6_usize.saturating_sub(digits.len())));
    out.extend_from_slice(digits);
}

fn ordinal(number: u32, out: &mut Vec<u8>) {
    let ending = match (number % 100 / 10, number % 10) {
        (1, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    number::integer(number.into(), out);
    out.extend_from_slice(ending.as_bytes());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(format: &str, zone: Zone, millis: u64) -> String {
        let format = DateFormat::new(format, zone);
        let mut out = Vec::new();
        format.write(&Timestamp::from_unix_millis(millis), &mut out);
        assert!(out.len() <= format.largest());
        String::from_utf8(out).expect("UTF-8")
    }

    // tests/kdg/dates.json holds what moment 2.17.1 itself wrote in UTC.
    #[test]
    fn dates_are_written_as_moment_writes_them() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kdg/dates.json");
        let text = std::fs::read_to_string(file).expect("the file is there");
        let rows: Vec<(String, u64, String, String)> = serde_json::from_str(&text).expect("JSON");
        assert!(rows.len() > 500);
        for (format, millis, local, utc) in rows {
            assert_eq!(written(&format, Zone::Local, millis), local, "{format:?} at {millis}");
            assert_eq!(written(&format, Zone::Utc, millis), utc, "{format:?} at {millis}");
        }
    }

    proptest! {
        // Any format can be written at any moment, and is no longer than was promised.
        #[test]
        fn any_format_is_written(
            format in "([A-Za-z\\[\\]\\\\:é ]|YYYY|L{1,5}|S{1,10}){0,12}",
            millis in 0..=Timestamp::MAX_UNIX_MILLIS,
        ) {
            written(&format, Zone::Local, millis);
            written(&format, Zone::Utc, millis);
        }
    }
}
