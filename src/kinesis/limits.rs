//! Kinesis's limits as data: what a legal request is, and what a shard takes.
//!
//! Decides nothing itself; `batch`, `local` and the start-up summary read it.
//! Source unless said otherwise: the PutRecords page of the Kinesis API reference
//! (API version 2013-12-02, as of November 2025).

/// Records that one shard takes in a second (AWS, "Quotas and limits").
pub const SHARD_RECORDS_PER_SECOND: u64 = 1_000;

/// Bytes (data and partition keys) that one shard takes in a second.
///
/// AWS writes MB and MiB alike; the Kinesis Producer Library uses 1,048,576 and so do we.
pub const SHARD_BYTES_PER_SECOND: u64 = 1024 * 1024;

/// GetRecords calls that one shard answers in a second.
pub const SHARD_READS_PER_SECOND: u64 = 5;

/// Bytes that one shard gives to readers in a second (2 MB/s).
pub const SHARD_READ_BYTES_PER_SECOND: u64 = 2 * 1024 * 1024;

/// Most records in one GetRecords answer.
pub const GET_RECORDS_MAX_RECORDS: usize = 10_000;

/// Most bytes in one GetRecords answer.
pub const GET_RECORDS_MAX_BYTES: usize = 10 * 1024 * 1024;

/// Longest partition key, in Unicode characters.
pub const MAX_PARTITION_KEY_CHARS: usize = 256;

/// What one PutRecords request may hold. Read from the stream where it tells, else AWS's defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most entries in one request.
    pub request_records: usize,
    /// Most bytes in one request: data before base64, plus partition keys.
    pub request_bytes: usize,
    /// Most bytes of one record: data plus partition key.
    pub record_bytes: usize,
}

impl Limits {
    /// Records of 1 MiB, requests of 500 entries and 10 MiB: what a stream that was not raised takes.
    pub const AWS: Self =
        Self { request_records: 500, request_bytes: 10 * 1024 * 1024, record_bytes: 1024 * 1024 };
}

impl Default for Limits {
    fn default() -> Self {
        Self::AWS
    }
}

/// What a record counts on a bill. A model: AWS writes KB and GB without saying which; the cautious reading counts.
pub mod billing {
    /// Bytes of a PUT payload unit, of 25 KB (AWS, "Kinesis Data Streams pricing").
    pub const UNIT_BYTES: u64 = 25_000;

    /// Bytes of the kilobyte to which on-demand streams round each record up.
    pub const KILOBYTE: u64 = 1_024;

    /// Bytes of a GB.
    pub const GB: u64 = 1_000_000_000;

    /// The payload units of a record of `bytes`, data and partition key.
    #[must_use]
    #[inline]
    pub fn units(bytes: u64) -> u64 {
        // Most records are one unit, and need no division.
        if bytes <= UNIT_BYTES { 1 } else { bytes.div_ceil(UNIT_BYTES) }
    }

    /// Its bytes, rounded up to whole kilobytes.
    #[must_use]
    #[inline]
    pub fn rounded(bytes: u64) -> u64 {
        bytes.max(1).next_multiple_of(KILOBYTE)
    }
}
