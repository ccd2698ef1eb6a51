//! How long a batch waits before its next attempt: pure, the randomness is an argument.

use std::time::Duration;

/// Upper bound of the first wait.
pub const BASE: Duration = Duration::from_millis(100);

/// Upper bound of every wait.
pub const CAP: Duration = Duration::from_secs(5);

/// The longest wait after attempt number `attempt` (from 1): it doubles up to [`CAP`].
#[must_use]
pub fn bound(attempt: u32) -> Duration {
    let doublings = attempt.saturating_sub(1).min(16);
    CAP.min(BASE * (1 << doublings))
}

/// The wait after attempt number `attempt` (from 1): full jitter, uniform from 0 to [`bound`].
///
/// After "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015), where full jitter needed the fewest calls.
/// `random` is uniform in [0, 1).
#[must_use]
pub fn wait(attempt: u32, random: f64) -> Duration {
    bound(attempt).mul_f64(random)
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

    /// Requests in each second when `window` batches at a time are refused for ever, `attempts` times each, and a
    /// new batch is there as soon as one is given up; requests take no time.
    fn refused_for_ever(window: usize, attempts: u32, seconds: usize, seed: u64) -> Vec<usize> {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut requests = vec![0; seconds];
        for _ in 0..window {
            let (mut now, mut attempt) = (Duration::ZERO, 0);
            while now.as_secs() < seconds as u64 {
                requests[now.as_secs() as usize] += 1;
                attempt += 1;
                if attempt == attempts {
                    attempt = 0; // the next batch begins at once
                } else {
                    now += wait(attempt, random.f64());
                }
            }
        }
        requests
    }

    // With ten attempts and everything refused, a window of w places makes at most 6 w requests in any second (the
    // first one, in which all places begin together, is the worst), and 0.94 w a second on average: ten attempts
    // in the 10.65 s that the nine waits take on average.
    #[test]
    fn a_window_that_is_refused_for_ever_makes_no_storm() {
        let window = 128;
        for seed in 0..20 {
            let requests = refused_for_ever(window, 10, 240, seed);
            assert!(requests.iter().all(|&n| n <= 6 * window), "{requests:?}");
            // The waves of the common beginning have run out by then.
            let later = &requests[60..];
            let mean = later.iter().sum::<usize>() as f64 / later.len() as f64 / window as f64;
            assert!((0.90..0.98).contains(&mean), "{mean} per second and place");
            assert!(later.iter().all(|&n| n <= 2 * window), "{later:?}");
        }
    }

    #[test]
    fn the_jitter_is_full() {
        assert_eq!(wait(3, 0.0), Duration::ZERO);
        assert_eq!(wait(3, 0.5), Duration::from_millis(200));
    }
}
