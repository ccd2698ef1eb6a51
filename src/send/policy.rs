//! How long and how often sending is tried, as the user says it.

use std::time::Duration;

named! {
    /// What happens to entries that Kinesis refused.
    Retry,
    /// A text that names no retry policy.
    RetryError = "a retry policy is one of backoff, none";
    /// Tried again after a random wait below a bound that doubles up to a cap (full jitter).
    Backoff = "backoff",
    /// Never tried again: just measure.
    None = "none",
}

/// The bounds of sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendPolicy {
    /// What happens to refused entries.
    pub retry: Retry,
    /// Most attempts for one record, the first included.
    pub max_attempts: u32,
    /// Most batches under way at once: generated and not yet settled.
    pub max_in_flight: usize,
    /// How long one attempt may take.
    pub request_timeout: Duration,
    /// How long the end of a run waits for what is in flight.
    pub drain_timeout: Duration,
}
