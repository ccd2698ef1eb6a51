//! What the embedded stream is asked to be.
//!
//! Holds values, their defaults and their ranges; what they do is decided elsewhere.

use std::time::Duration;

use super::clock::Clock;
use super::error::ApiError;
use crate::kinesis::{Limits, StreamName};

/// Most that `Options::limits` may let a request hold: a quarter of what 32 bits can address.
const MAX_REQUEST_BYTES: usize = 1 << 30;

/// How the embedded Kinesis behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// A stream that is there and ACTIVE from the start; none: clients create their own.
    pub stream: Option<StreamName>,
    /// The shards of that first stream, at least 1.
    pub shards: u32,
    /// What a PutRecords request may hold; `record_bytes` is each new stream's own limit unless its
    /// creator says otherwise.
    pub limits: Limits,
    /// The region in every ARN.
    pub region: String,
    /// The account in every ARN and message, twelve digits.
    pub account: String,
    /// How long a new stream keeps a record.
    pub retention: Duration,
    /// How many bytes one stream keeps, over all its shards: data, keys and our own bookkeeping. The oldest
    /// go first. The newest chunk (what one request put into one shard) always stays.
    pub max_bytes: usize,
    /// Whether the shards' limits for writers and readers hold.
    pub limited: bool,
    /// Open shards that the account may have, over all streams; bounds the number of streams too.
    pub shard_limit: u32,
    /// How long a stream is CREATING or UPDATING. Zero: it is ACTIVE when the call returns.
    pub transition: Duration,
    /// The time.
    pub clock: Clock,
    /// What one client may cost the others.
    pub guards: Guards,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            stream: None,
            shards: 1,
            limits: Limits::AWS,
            region: "us-east-1".to_owned(),
            account: "000000000000".to_owned(),
            retention: Duration::from_secs(24 * 3600),
            max_bytes: 256 * 1024 * 1024,
            limited: true,
            shard_limit: 20_000,
            transition: Duration::ZERO,
            clock: Clock::system(),
            guards: Guards::default(),
        }
    }
}

impl Options {
    /// Checks what the rest relies on: account and region are written into JSON as they are, and a
    /// request's offsets are 32 bits wide.
    pub(super) fn check(&self) -> Result<(), ApiError> {
        let digits = self.account.len() == 12 && self.account.bytes().all(|byte| byte.is_ascii_digit());
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let rules = [
            (digits, format!("an account has twelve digits, not {:?}", self.account)),
            (
                !self.region.is_empty() && self.region.bytes().all(plain),
                format!("a region has letters, digits and '-', not {:?}", self.region),
            ),
            (self.shards > 0, "a stream has at least one shard".to_owned()),
            (
                self.limits.request_bytes <= MAX_REQUEST_BYTES,
                format!("a request holds up to {MAX_REQUEST_BYTES} bytes, not {}", self.limits.request_bytes),
            ),
        ];
        match rules.into_iter().find(|(kept, _)| !kept) {
            Some((_, text)) => Err(ApiError::validation(text)),
            None => Ok(()),
        }
    }
}

/// Bounds that keep a slow or hostile client from hurting the others.
#[derive(Debug, Clone, Copy)]
pub struct Guards {
    /// Connections at a time; further ones wait in the listen queue.
    pub connections: usize,
    /// How long a request's head may take from its first byte.
    pub head: Duration,
    /// How long a request's body may take.
    pub body: Duration,
    /// How long a connection may be silent between requests. Longer than the 90 s after which hyper's
    /// client drops an idle connection: it is the client that should hang up, because a request that crosses
    /// our hanging up is a record of unknown fate.
    pub idle: Duration,
    /// How long a client may leave an answer unread.
    pub write: Duration,
    /// Bytes of request bodies in memory at a time, over all connections; above: 503 ServiceUnavailable.
    pub bodies: usize,
}

impl Default for Guards {
    fn default() -> Self {
        Self {
            connections: 1_024,
            head: Duration::from_secs(10),
            body: Duration::from_secs(30),
            idle: Duration::from_secs(120),
            write: Duration::from_secs(30),
            bodies: 256 * 1024 * 1024,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_out_of_range_are_named() {
        assert_eq!(Options::default().check(), Ok(()));
        let wrong = [
            (Options { account: "12\"".to_owned(), ..Options::default() }, "account"),
            (Options { region: "a b".to_owned(), ..Options::default() }, "region"),
            (Options { shards: 0, ..Options::default() }, "shard"),
            (
                Options { limits: Limits { request_bytes: 1 << 31, ..Limits::AWS }, ..Options::default() },
                "request",
            ),
        ];
        for (options, word) in wrong {
            assert!(options.check().is_err_and(|error| error.message.contains(word)), "{word}");
        }
    }
}
