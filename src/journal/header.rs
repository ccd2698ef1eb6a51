//! What a session says of itself: the first line of its first block.
//!
//! `kinesis-streamer journal 1 {"version":…}`: words that say what the file is, the format's version, and JSON.

use serde::{Deserialize, Serialize};

/// The version of the format that this program writes, and the only one that it reads.
pub const FORMAT: u32 = 1;

/// What every session begins with, and no other line.
pub(super) const MAGIC: &[u8] = b"kinesis-streamer journal ";

/// What a run was: enough to make its events again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the program.
    pub version: String,
    /// The producer's name in its events.
    pub producer: String,
    /// The seed of everything random.
    pub seed: u64,
    /// The event, as settings name it.
    pub event: String,
    /// How events were made larger or spoilt, where they were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shaping: Option<String>,
    /// The partition-key strategy, as settings name it.
    pub partition_key: String,
    /// The stream's name.
    pub stream: String,
    /// The stream's ARN, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// Cron jobs; theirs are numbered from 0.
    pub jobs: u32,
    /// When the run began, in milliseconds since the Unix epoch; the times of claims count from here.
    pub started_millis: u64,
}

/// What a header line is that can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeaderError {
    /// Of a version that this program does not know.
    Version(u32),
    /// Unreadable.
    Malformed,
}

impl Header {
    /// Appends the header's line.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(MAGIC);
        // Strings and numbers alone: serialising them into memory can't fail. Should it, the reader calls the line
        // malformed.
        let json = serde_json::to_string(self).unwrap_or_default();
        out.extend_from_slice(format!("{FORMAT} {json}\n").as_bytes());
    }

    /// Reads a line that begins with [`MAGIC`], without its line feed.
    pub(super) fn parse(line: &[u8]) -> Result<Self, HeaderError> {
        let rest = line.strip_prefix(MAGIC).ok_or(HeaderError::Malformed)?;
        let text = std::str::from_utf8(rest).map_err(|_| HeaderError::Malformed)?;
        let (version, json) = text.split_once(' ').ok_or(HeaderError::Malformed)?;
        match version.parse() {
            Ok(FORMAT) => serde_json::from_str(json).map_err(|_| HeaderError::Malformed),
            Ok(other) => Err(HeaderError::Version(other)),
            Err(_) => Err(HeaderError::Malformed),
        }
    }
}
