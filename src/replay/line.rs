//! A line of a trace: a time, and how many records or which record.
//!
//! Decides which language a trace is written in by its first line, and holds each later line to that.

use super::csv::Columns;
use super::moment::Moment;
use super::{csv, json};
use crate::kinesis::limits::MAX_PARTITION_KEY_CHARS;

/// Most records that a line may count: what is beyond is a mistake.
pub(super) const MOST_RECORDS: u64 = 1_000_000_000_000;

/// What the lines of a trace say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// How many records are due; what they hold is made up.
    Counts,
    /// The records themselves.
    Payloads,
}

/// A record as it stands in a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its data.
    pub data: Box<[u8]>,
    /// Its partition key, of 1 to 256 characters; none: by the run's strategy.
    pub key: Option<Box<str>>,
}

/// What is due at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Load {
    Count(u64),
    Record(Recorded),
}

impl Load {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Count(_) => Kind::Counts,
            Self::Record(_) => Kind::Payloads,
        }
    }
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) at: Moment,
    pub(super) load: Load,
}

/// How the lines of a trace are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Language {
    /// Comma-separated, as RFC 4180 has it, but each record in one line.
    Csv(Columns),
    /// A JSON object in each line.
    Json,
}

impl Language {
    /// The language of a trace by its first line that says anything; and whether that line is a heading.
    ///
    /// # Errors
    /// Why it is none.
    pub(super) fn of(first: &[u8]) -> Result<(Self, bool), String> {
        if first.trim_ascii_start().starts_with(b"{") {
            return Ok((Self::Json, false));
        }
        let (columns, is_heading) = csv::columns(first)?;
        Ok((Self::Csv(columns), is_heading))
    }

    /// Reads a line.
    ///
    /// # Errors
    /// What was expected, and what stands there.
    pub(super) fn line(&self, text: &[u8]) -> Result<Line, String> {
        match self {
            Self::Csv(columns) => csv::line(columns, text),
            Self::Json => json::line(text),
        }
    }
}

/// A partition key, if it is one.
pub(super) fn key(text: &str) -> Result<Box<str>, String> {
    match text.chars().count() {
        1..=MAX_PARTITION_KEY_CHARS => Ok(text.into()),
        0 => Err("the partition key is empty; it has 1 to 256 characters".to_owned()),
        count => {
            Err(format!("the partition key has {count} characters; the most is {MAX_PARTITION_KEY_CHARS}"))
        }
    }
}

/// Bytes from base64.
pub(super) fn from_base64(text: &[u8]) -> Result<Box<[u8]>, String> {
    base64_simd::STANDARD
        .decode_to_vec(text)
        .map(Into::into)
        .map_err(|_| format!("expected base64 and found {}", super::error::shown(text)))
}
