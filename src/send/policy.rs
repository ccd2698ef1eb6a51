//! How long and how often sending is tried, as the user says it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// What happens to entries that Kinesis refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Retry {
    /// Tried again after a random wait below a bound that doubles up to a cap (full jitter).
    Backoff,
    /// Never tried again: just measure.
    None,
}

impl Retry {
    /// Every policy, in the order of the documentation.
    pub const ALL: [Self; 2] = [Self::Backoff, Self::None];

    /// The name in settings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Backoff => "backoff",
            Self::None => "none",
        }
    }
}

impl fmt::Display for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no retry policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a retry policy is one of backoff, none")]
pub struct RetryError;

impl FromStr for Retry {
    type Err = RetryError;

    fn from_str(text: &str) -> Result<Self, RetryError> {
        Self::ALL.into_iter().find(|retry| retry.name() == text).ok_or(RetryError)
    }
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
