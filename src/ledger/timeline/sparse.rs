//! A distribution in few bytes: the values that occurred and how often, as exact as the histogram they come from.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::ledger::Durations;
use crate::ledger::durations::recorded;

/// Durations that occurred, ascending, with how often each did. Adding two gives what one over both would be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sparse(Vec<(u32, u64)>);

impl Sparse {
    /// What a histogram of microseconds has recorded.
    #[must_use]
    pub fn of(histogram: &Histogram<u64>) -> Self {
        Self(recorded(histogram).collect())
    }

    /// What was recorded in `later` and not yet in `earlier`, a snapshot of the same distribution.
    #[must_use]
    pub fn between(earlier: &Durations, later: &Durations) -> Self {
        let mut before = earlier.recorded().peekable();
        let added = later.recorded().filter_map(|(micros, count)| {
            while before.next_if(|&(known, _)| known < micros).is_some() {}
            let known = before.next_if(|&(known, _)| known == micros).map_or(0, |(_, count)| count);
            let added = count.saturating_sub(known);
            (added > 0).then_some((micros, added))
        });
        Self(added.collect())
    }

    /// Adds the values of `other`.
    pub fn add(&mut self, other: &Self) {
        if other.0.is_empty() {
            return;
        }
        let mut all = Vec::with_capacity(self.0.len() + other.0.len());
        let (mut ours, mut theirs) = (self.0.iter().peekable(), other.0.iter().peekable());
        loop {
            let next = match (ours.peek(), theirs.peek()) {
                (Some(our), Some(their)) if our.0 == their.0 => {
                    let sum = (our.0, our.1 + their.1);
                    ours.next();
                    theirs.next();
                    sum
                }
                (Some(our), their) if their.is_none_or(|their| our.0 < their.0) => {
                    let our = **our;
                    ours.next();
                    our
                }
                (_, Some(their)) => {
                    let their = **their;
                    theirs.next();
                    their
                }
                (Some(_), None) | (None, None) => break,
            };
            all.push(next);
        }
        all.shrink_to_fit();
        self.0 = all;
    }

    /// Number of events.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.iter().map(|&(_, count)| count).sum()
    }

    /// The duration that a share `quantile` (0 to 1) of the events did not exceed; none without events.
    #[must_use]
    pub fn quantile(&self, quantile: f64) -> Option<Duration> {
        // As HdrHistogram counts: at least one event.
        let wanted = ((quantile.clamp(0.0, 1.0) * self.count() as f64).ceil() as u64).max(1);
        let mut below = 0;
        self.0.iter().find_map(|&(micros, count)| {
            below += count;
            (below >= wanted).then(|| Duration::from_micros(u64::from(micros)))
        })
    }

    /// The longest duration; none without events.
    #[must_use]
    pub fn max(&self) -> Option<Duration> {
        self.0.last().map(|&(micros, _)| Duration::from_micros(u64::from(micros)))
    }

    /// The values in microseconds, ascending, and how often each occurred.
    #[must_use]
    pub fn as_slice(&self) -> &[(u32, u64)] {
        &self.0
    }
}

impl FromIterator<(u32, u64)> for Sparse {
    /// Of values in microseconds that ascend.
    fn from_iter<I: IntoIterator<Item = (u32, u64)>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn durations(micros: &[u64]) -> Durations {
        let mut durations = Durations::default();
        micros.iter().for_each(|&micros| durations.record(Duration::from_micros(micros), 1));
        durations
    }

    proptest! {
        // What came later, as a sparse distribution, has the quantiles of a histogram of what came later alone;
        // and two parts added have those of the whole.
        #[test]
        fn parts_have_the_quantiles_of_their_events(
            first in vec(1_u64..5_000_000, 0..200),
            second in vec(1_u64..5_000_000, 0..200),
            quantile in 0.0_f64..=1.0,
        ) {
            let all: Vec<u64> = first.iter().chain(&second).copied().collect();
            let (early, late) = (durations(&first), durations(&all));
            let added = Sparse::between(&early, &late);
            prop_assert_eq!(added.count(), second.len() as u64);
            prop_assert_eq!(added.quantile(quantile), durations(&second).quantile(quantile));
            prop_assert_eq!(added.max(), durations(&second).max());
            let mut whole = Sparse::between(&Durations::default(), &early);
            whole.add(&added);
            prop_assert_eq!(&whole, &Sparse::between(&Durations::default(), &late));
            prop_assert!(whole.as_slice().windows(2).all(|two| two[0].0 < two[1].0));
        }
    }
}
