//! How far a run is that has an end, and how long it goes on: by its duration, by its number of records, or both.
//!
//! Counts nothing and reads no clock. An end that nobody set is not guessed.

use std::time::Duration;

/// When a run ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Goal {
    /// After so long, counted from its first due second.
    pub duration: Option<Duration>,
    /// After so many records became due.
    pub records: Option<u64>,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Course {
    /// The share that is done, 0 to 1.
    pub done: f64,
    /// How long it goes on, where that can be told.
    pub left: Option<Duration>,
}

impl Course {
    /// The share in whole percent; 100 only when all is done.
    #[must_use]
    pub fn percent(&self) -> u64 {
        // A float is cut towards zero: 99.9 % is not all.
        (self.done * 100.0) as u64
    }
}

/// Follows a run towards its goal.
#[derive(Debug, Clone, Copy)]
pub struct Follow {
    goal: Goal,
    /// When the first record was seen to be due, since the start of the run.
    first: Option<Duration>,
}

impl Follow {
    /// A run that nothing is known of yet.
    #[must_use]
    pub fn new(goal: Goal) -> Self {
        Self { goal, first: None }
    }

    /// How far the run is, `elapsed` after its start, with `due` records of which `per_second` come at the moment; none
    /// where it has no end of its own.
    pub fn at(&mut self, elapsed: Duration, due: u64, per_second: f64) -> Option<Course> {
        if due > 0 {
            self.first.get_or_insert(elapsed);
        }
        let by_time = self.goal.duration.map(|whole| {
            let gone = elapsed.saturating_sub(self.first.unwrap_or(elapsed)).min(whole);
            let done = if whole.is_zero() { 1.0 } else { gone.as_secs_f64() / whole.as_secs_f64() };
            Course { done, left: Some(whole - gone) }
        });
        let by_records = self.goal.records.map(|whole| {
            let rest = whole.saturating_sub(due);
            let done = if whole == 0 { 1.0 } else { (whole - rest) as f64 / whole as f64 };
            let left = match rest {
                0 => Some(Duration::ZERO),
                // Years of waiting are no forecast.
                _ => Duration::try_from_secs_f64(rest as f64 / per_second).ok().filter(|left| *left < YEAR),
            };
            Course { done, left }
        });
        // The end that comes first counts.
        match (by_time, by_records) {
            (Some(time), Some(records)) => {
                let left = records.left.map_or(time.left, |left| time.left.map(|time| time.min(left)));
                Some(Course { done: time.done.max(records.done), left })
            }
            (one, other) => one.or(other),
        }
    }
}

const YEAR: Duration = Duration::from_secs(365 * 86_400);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const S: Duration = Duration::from_secs(1);

    #[test]
    fn a_duration_counts_from_the_first_due_second() {
        let mut follow = Follow::new(Goal { duration: Some(10 * S), records: None });
        assert_eq!(follow.at(3 * S, 0, 0.0), Some(Course { done: 0.0, left: Some(10 * S) }));
        assert_eq!(follow.at(4 * S, 5, 5.0), Some(Course { done: 0.0, left: Some(10 * S) }));
        assert_eq!(follow.at(9 * S, 30, 5.0), Some(Course { done: 0.5, left: Some(5 * S) }));
        assert_eq!(follow.at(90 * S, 50, 5.0), Some(Course { done: 1.0, left: Some(Duration::ZERO) }));
    }

    #[test]
    fn a_number_of_records_ends_by_the_rate_of_the_moment() {
        let mut follow = Follow::new(Goal { duration: None, records: Some(1_000) });
        assert_eq!(follow.at(S, 0, 0.0), Some(Course { done: 0.0, left: None }));
        assert_eq!(follow.at(2 * S, 400, 100.0), Some(Course { done: 0.4, left: Some(6 * S) }));
        assert_eq!(follow.at(9 * S, 1_000, 0.0), Some(Course { done: 1.0, left: Some(Duration::ZERO) }));
    }

    #[test]
    fn of_two_ends_the_first_counts() {
        let mut follow = Follow::new(Goal { duration: Some(100 * S), records: Some(1_000) });
        follow.at(Duration::ZERO, 1, 100.0);
        assert_eq!(follow.at(10 * S, 900, 100.0), Some(Course { done: 0.9, left: Some(S) }));
        assert_eq!(follow.at(95 * S, 950, 1.0), Some(Course { done: 0.95, left: Some(5 * S) }));
    }

    #[test]
    fn a_run_without_an_end_has_no_course_and_almost_all_is_not_all() {
        assert_eq!(Follow::new(Goal::default()).at(S, 5, 5.0), None);
        assert_eq!(Course { done: 0.9999, left: None }.percent(), 99);
        assert_eq!(Course { done: 1.0, left: None }.percent(), 100);
    }

    proptest! {
        // Whatever is counted, the share stays from 0 to 1 and never shrinks while time and records grow.
        #[test]
        fn the_share_grows_from_nothing_to_all(
            steps in proptest::collection::vec((0_u64..100, 0_u64..1_000), 1..50), seconds in 0_u64..500, records in 0_u64..9_000,
        ) {
            let mut follow = Follow::new(Goal { duration: Some(Duration::from_secs(seconds)), records: Some(records) });
            let (mut elapsed, mut due, mut before) = (Duration::ZERO, 0, 0.0);
            for (later, more) in steps {
                elapsed += Duration::from_secs(later);
                due += more;
                let course = follow.at(elapsed, due, more as f64).expect("an end");
                prop_assert!((before..=1.0).contains(&course.done), "{} {:?}", before, course);
                before = course.done;
            }
        }
    }
}
