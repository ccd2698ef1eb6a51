//! A time in a trace: seconds since its start, Unix time, or RFC 3339.
//!
//! Decides which of them a text is, by its size; what comes of it is counted in nanoseconds, never in floats.

use chrono::DateTime;

use super::SECOND;
use super::error::shown;

/// Numbers below this (three years of seconds) count from the start of the trace.
const SINCE_START: u64 = 100_000_000;

/// Whole Unix times from these numbers on are milliseconds, microseconds, nanoseconds: as seconds, the first of them
/// would be in the year 5138.
const UNITS: [(u64, u64); 3] =
    [(100_000_000_000_000_000, 1), (100_000_000_000_000, 1_000), (100_000_000_000, 1_000_000)];

/// From where a time is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    /// The start of the trace.
    Start,
    /// 1970-01-01 UTC.
    Epoch,
}

/// A time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) from: From,
    pub(super) nanos: u64,
}

impl Moment {
    /// # Errors
    /// What was expected, and what stands there.
    pub(super) fn read(text: &[u8]) -> Result<Self, String> {
        let trimmed = text.trim_ascii();
        let read = std::str::from_utf8(trimmed).ok().and_then(|text| number(text).or_else(|| rfc_3339(text)));
        read.ok_or_else(|| {
            format!(
                "expected a time, which is seconds since the start of the trace (0.25), Unix time in seconds or \
                 milliseconds (1700000000.5, 1700000000500) or RFC 3339 (2026-11-21T12:00:00Z), and found {}",
                shown(text)
            )
        })
    }
}

fn number(text: &str) -> Option<Moment> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let unit = UNITS.iter().find(|(least, _)| whole >= *least).map_or(SECOND, |&(_, unit)| unit);
    // The first nine digits: less than a nanosecond is nothing here.
    let fraction: u64 = format!("{fraction:0<9}")[..9].parse().ok()?;
    let nanos = whole
        .checked_mul(unit)?
        .checked_add((u128::from(fraction) * u128::from(unit) / 1_000_000_000) as u64)?;
    Some(Moment { from: if whole < SINCE_START { From::Start } else { From::Epoch }, nanos })
}

fn rfc_3339(text: &str) -> Option<Moment> {
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    let nanos = u64::try_from(time.timestamp_nanos_opt()?).ok()?;
    Some(Moment { from: From::Epoch, nanos })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_in_each_of_its_forms() {
        let second = 1_700_000_000 * SECOND;
        for (text, from, nanos) in [
            ("0", From::Start, 0),
            (" 0.25\t", From::Start, SECOND / 4),
            ("99999999.000000001", From::Start, 99_999_999 * SECOND + 1),
            ("1700000000", From::Epoch, second),
            ("1700000000.5", From::Epoch, second + SECOND / 2),
            ("1700000000500", From::Epoch, second + SECOND / 2),
            ("1700000000500.25", From::Epoch, second + SECOND / 2 + 250_000),
            ("1700000000500250", From::Epoch, second + SECOND / 2 + 250_000),
            ("1700000000500250001", From::Epoch, second + SECOND / 2 + 250_001),
            ("2023-11-14T22:13:20Z", From::Epoch, second),
            ("2023-11-14T23:13:20.5+01:00", From::Epoch, second + SECOND / 2),
        ] {
            assert_eq!(Moment::read(text.as_bytes()), Ok(Moment { from, nanos }), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_told_with_what_stands_there() {
        for text in [
            "",
            "-1",
            "1e3",
            "1.",
            ".5",
            "yesterday",
            "2023-11-14",
            "99999999999999999999",
            "1960-01-01T00:00:00Z",
        ] {
            let error = Moment::read(text.as_bytes()).expect_err(text);
            assert!(
                error.starts_with("expected a time") && error.ends_with(&format!("found {text:?}")),
                "{error}"
            );
        }
    }
}
