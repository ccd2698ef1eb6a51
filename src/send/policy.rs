//! How long and how often sending is tried, as the user says it.

use std::time::Duration;

use super::backoff;

/// How long after its intended time a record may still be generated; later it is dropped. A record that the policy
/// [`Retry::Limiter`] holds back waits as long.
///
/// A second, because then the next tick of the same job is due.
pub const LATEST: Duration = Duration::from_secs(1);

named! {
    /// What happens to entries that Kinesis refused.
    Retry,
    /// A text that names no retry policy.
    RetryError = "a retry policy is one of none, immediate, exponential, full-jitter, aimd, limiter";
    /// Never tried again: just measure.
    None = "none",
    /// Tried again at once.
    Immediate = "immediate",
    /// Tried again after a wait that doubles up to a cap.
    Exponential = "exponential",
    /// Tried again after a random wait below a bound that doubles up to a cap.
    FullJitter = "full-jitter",
    /// As full jitter, and all attempts go at a rate that sinks with throttles and rises without.
    Aimd = "aimd",
    /// An entry goes when its shard will take it, by the model of the shard's limiter.
    Limiter = "limiter",
}

impl Retry {
    /// What [`Retry::FullJitter`] was called when there were two policies.
    pub const OLD_NAME: &str = "backoff";

    /// Whether refused entries are tried again at all.
    #[must_use]
    pub fn tries_again(self) -> bool {
        self != Self::None
    }

    /// How long a batch waits after attempt number `attempt` (from 1), before whatever else holds it back. `random` is
    /// uniform in [0, 1). `throttled`: whether a limit refused its entries.
    #[must_use]
    pub fn pause(self, attempt: u32, random: f64, throttled: bool) -> Duration {
        match self {
            Self::None | Self::Immediate => Duration::ZERO,
            Self::Exponential => backoff::bound(attempt),
            // What a limit refused waits for its shard.
            Self::Limiter if throttled => Duration::ZERO,
            Self::FullJitter | Self::Aimd | Self::Limiter => backoff::wait(attempt, random),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_policy_waits_as_its_name_says() {
        let waits = |retry: Retry| [1, 2, 9].map(|attempt| retry.pause(attempt, 0.5, true).as_millis());
        assert_eq!(waits(Retry::Immediate), [0, 0, 0]);
        assert_eq!(waits(Retry::Exponential), [100, 200, 5_000]);
        assert_eq!(waits(Retry::FullJitter), [50, 100, 2_500]);
        assert_eq!(waits(Retry::Aimd), waits(Retry::FullJitter));
        assert_eq!(waits(Retry::Limiter), [0, 0, 0]);
        // An endpoint that is not there is not asked without end in a moment.
        assert_eq!(Retry::Limiter.pause(2, 0.5, false).as_millis(), 100);
        assert!(!Retry::None.tries_again() && Retry::Immediate.tries_again());
    }
}
