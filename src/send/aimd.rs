//! A rate that feels its way to what the stream takes: additive increase, multiplicative decrease. Pure.
//!
//! Decides when the next request may go and how the rate follows what answers say; time is an argument. After TCP's
//! congestion avoidance (RFC 5681) with what a rate in place of a window asks for: it rises by what was really sent at
//! it, so that a rate that nobody uses does not grow (RFC 7661). Up to the first throttle nothing is held back.

use std::time::Duration;

/// What is left of the rate after a throttle.
const DECREASE: f64 = 0.7;

/// How much of the nominal rate is added in a second that is used to the full.
const INCREASE: f64 = 0.05;

/// The least rate, of the nominal one.
const FLOOR: f64 = 0.01;

/// Throttles within so long after a decrease are of the same overload: answers to what went out before it.
const ROUND: Duration = Duration::from_millis(250);

/// How much may go at once after a pause, in seconds of the rate: as much as an idle shard takes.
const DEPTH: f64 = 1.0;

/// The rate at which records go out.
#[derive(Debug, Clone)]
pub struct Aimd {
    /// What the stream takes by its number of shards, in records a second.
    nominal: f64,
    /// Records a second; none before the first throttle.
    rate: Option<f64>,
    /// Records that may go now; below zero when some are granted a later moment.
    balance: f64,
    at: Duration,
    lowered: Option<Duration>,
}

impl Aimd {
    /// For a stream that takes `nominal` records a second by what is known of it.
    #[must_use]
    pub fn new(nominal: u64) -> Self {
        Self { nominal: nominal.max(1) as f64, rate: None, balance: 0.0, at: Duration::ZERO, lowered: None }
    }

    /// The rate in force, in records a second; none while nothing is held back.
    #[cfg(test)]
    pub fn rate(&self) -> Option<f64> {
        self.rate
    }

    /// The least rate.
    #[must_use]
    pub fn floor(&self) -> f64 {
        (self.nominal * FLOOR).max(1.0)
    }

    /// Grants a request of so many records a moment from `now` to `latest`; none when there is none.
    pub fn ask(&mut self, now: Duration, latest: Duration, records: u32) -> Option<Duration> {
        let Some(rate) = self.rate else { return Some(now) };
        self.refill(now);
        // Once nothing is owed a request may go, whatever its size: it owes the rest.
        let at = self.at.checked_add(Duration::from_secs_f64((-self.balance / rate).max(0.0)))?.max(now);
        if at > latest.max(now) {
            return None;
        }
        self.balance -= f64::from(records);
        Some(at)
    }

    /// So many records of a grant did not go.
    pub fn give_back(&mut self, records: u32) {
        self.balance += f64::from(records);
    }

    /// So many records were stored.
    pub fn stored(&mut self, now: Duration, records: u64) {
        if let Some(rate) = self.rate {
            self.refill(now);
            self.rate = Some(rate + INCREASE * self.nominal * records as f64 / rate);
        }
    }

    /// A limit refused some at `now`. `nominal` as in [`Self::new`]: the stream may have other shards by now.
    pub fn throttled(&mut self, now: Duration, nominal: u64) {
        self.nominal = nominal.max(1) as f64;
        if self.lowered.is_some_and(|at| now.saturating_sub(at) < ROUND) {
            return;
        }
        self.refill(now);
        let rate = self.rate.unwrap_or(self.nominal) * DECREASE;
        self.rate = Some(rate.max(self.floor()));
        self.lowered = Some(now);
        // The shards are empty, so nothing is left over.
        self.balance = self.balance.min(0.0);
    }

    fn refill(&mut self, now: Duration) {
        if let (Some(rate), Some(passed)) = (self.rate, now.checked_sub(self.at)) {
            self.balance = (self.balance + rate * passed.as_secs_f64()).min(rate * DEPTH);
        }
        self.at = self.at.max(now);
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn nothing_is_held_back_before_the_first_throttle() {
        let mut aimd = Aimd::new(1_000);
        assert!((0..100).all(|_| aimd.ask(MS, MS, 500) == Some(MS)));
        assert_eq!(aimd.rate(), None);
    }

    #[test]
    fn a_throttle_takes_three_tenths_once_a_round_and_success_gives_them_back() {
        let mut aimd = Aimd::new(1_000);
        aimd.throttled(MS * 1_000, 1_000);
        aimd.throttled(MS * 1_100, 1_000);
        assert_eq!(aimd.rate(), Some(700.0));
        aimd.throttled(MS * 1_250, 1_000);
        assert_eq!(aimd.rate(), Some(489.99999999999994));
        // A second at the full rate adds a twentieth of the nominal one.
        aimd.stored(MS * 2_000, 490);
        assert!(aimd.rate().is_some_and(|rate| (rate - 540.0).abs() < 1e-6));
    }

    #[test]
    fn what_is_granted_follows_one_another_at_the_rate() {
        let mut aimd = Aimd::new(1_000);
        aimd.throttled(Duration::ZERO, 1_000);
        let asks: Vec<_> = (0..4).map(|_| aimd.ask(Duration::ZERO, MS * 1_000, 350)).collect();
        assert_eq!(asks, [Some(Duration::ZERO), Some(MS * 500), Some(MS * 1_000), None]);
        aimd.give_back(350);
        assert_eq!(aimd.ask(Duration::ZERO, MS * 1_000, 1), Some(MS * 1_000));
    }

    proptest! {
        // Law: the rate is never below its floor and never more than full use since the last throttle explains; no
        // moment is granted before it is asked for or after `latest`; and over any stretch between two throttles no
        // more is granted than the highest rate in force lets through, a second of it, and one request.
        #[test]
        fn the_rate_keeps_its_bounds(steps in vec((0_u64..400, 0_u8..10, 1_u32..500), 1..400)) {
            let mut aimd = Aimd::new(2_000);
            let (mut now, mut since, mut granted, mut highest) = (Duration::ZERO, None, 0.0, 0.0_f64);
            for (millis, what, records) in steps {
                now += MS * millis as u32;
                match what {
                    0 => {
                        aimd.throttled(now, 2_000);
                        (since, granted, highest) = (Some(now), 0.0, 0.0);
                    }
                    1..4 => aimd.stored(now, records.into()),
                    _ => if let Some(at) = aimd.ask(now, now + MS * 1_000, records) {
                        prop_assert!(now <= at && at <= now + MS * 1_000);
                        highest = highest.max(aimd.rate().unwrap_or_default());
                        if let Some(since) = since {
                            granted += f64::from(records);
                            let most = highest * ((at - since).as_secs_f64() + DEPTH) + 500.0;
                            prop_assert!(granted <= most + 1e-6, "{granted} of {most}");
                        }
                    }
                }
                if let Some(rate) = aimd.rate() {
                    prop_assert!(rate >= aimd.floor());
                }
            }
        }
    }
}
