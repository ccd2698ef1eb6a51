//! How long a batch waits before its next attempt: pure, the randomness is an argument.

use std::time::Duration;

/// Upper bound of the first wait.
pub const BASE: Duration = Duration::from_millis(100);

/// Upper bound of every wait.
pub const CAP: Duration = Duration::from_secs(5);

/// The wait after attempt number `attempt` (from 1): full jitter, uniform from 0 to a bound that doubles up to [`CAP`].
///
/// After "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015), where full jitter needed the fewest calls.
/// `random` is uniform in [0, 1).
#[must_use]
pub fn wait(attempt: u32, random: f64) -> Duration {
    let doublings = attempt.saturating_sub(1).min(16);
    CAP.min(BASE * (1 << doublings)).mul_f64(random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_doubles_up_to_the_cap() {
        let bounds: Vec<u128> = (1..=8).map(|attempt| wait(attempt, 1.0).as_millis()).collect();
        assert_eq!(bounds, [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
        assert_eq!(wait(u32::MAX, 1.0), CAP);
    }

    #[test]
    fn the_jitter_is_full() {
        assert_eq!(wait(3, 0.0), Duration::ZERO);
        assert_eq!(wait(3, 0.5), Duration::from_millis(200));
    }
}
