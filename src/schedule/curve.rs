//! How a second's load is spread over its hundred cells of ten milliseconds: the profile's slope inside the second.
//!
//! Decides at which moment a given share of the second's load is due; knows neither records nor jobs.

/// Cells of a second.
pub const CELLS: usize = 100;

/// A cell, in nanoseconds.
pub const CELL: u64 = 10_000_000;

const SECOND: u64 = CELL * CELLS as u64;

/// The load of a second, added up cell by cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Curve {
    /// As much in each cell.
    Even,
    /// The load before each cell's end, in any unit; it never shrinks, and the last one is not 0.
    Shaped(Box<[u128; CELLS]>),
}

impl Curve {
    /// The curve of a second in which the load before `millis` milliseconds is `area(millis)`, from any base on.
    pub fn of(area: impl Fn(u64) -> u128) -> Self {
        let base = area(0);
        let mut before = [0; CELLS];
        for (cell, before) in before.iter_mut().enumerate() {
            *before = area(10 * (cell as u64 + 1)) - base;
        }
        let whole = before[CELLS - 1];
        let even = |(cell, &before): (usize, &u128)| {
            (before * 100).abs_diff(whole * (cell as u128 + 1)) * 1_000_000 <= whole
        };
        if whole == 0 || before.iter().enumerate().all(even) {
            Self::Even
        } else {
            Self::Shaped(Box::new(before))
        }
    }

    fn before(&self, cell: usize) -> u128 {
        match (self, cell.checked_sub(1)) {
            (_, None) => 0,
            (Self::Even, _) => cell as u128,
            (Self::Shaped(before), Some(index)) => before[index.min(CELLS - 1)],
        }
    }

    /// When the share `part / whole` of the load is due, in nanoseconds from the second's start: less than a second.
    /// `part` is less than `whole`.
    #[must_use]
    pub fn moment(&self, part: u64, whole: u64) -> u64 {
        let Self::Shaped(before) = self else {
            return (u128::from(part) * u128::from(SECOND) / u128::from(whole)) as u64;
        };
        // In units of the load / whole, so that nothing is rounded before the end.
        let (sought, whole) = (u128::from(part) * before[CELLS - 1], u128::from(whole));
        let cell = before.partition_point(|&before| before * whole <= sought).min(CELLS - 1);
        let (begin, end) = (self.before(cell) * whole, self.before(cell + 1) * whole);
        let inside = (sought - begin) * u128::from(CELL) / (end - begin).max(1);
        cell as u64 * CELL + (inside as u64).min(CELL - 1)
    }

    /// How many of `records` evenly shared parts are due before the end of `cell`.
    #[must_use]
    pub fn due_before_end(&self, cell: u64, records: u64) -> u64 {
        let cell = (cell as usize + 1).min(CELLS);
        (self.before(cell) * u128::from(records)).div_ceil(self.before(CELLS)) as u64
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        // Whatever the slope: moments ascend, and what is due before a cell's end is what is due in cells up to it.
        #[test]
        fn moments_ascend_and_agree_with_the_cells(steps in vec(0_u64..1_000_000_000_000, CELLS), records in 1_u64..3_000) {
            let area = |millis: u64| steps[..millis as usize / 10].iter().map(|&step| u128::from(step)).sum::<u128>();
            let curve = Curve::of(area);
            let mut last = 0;
            let mut due = [0_u64; CELLS];
            for part in 0..records {
                let moment = curve.moment(part, records);
                prop_assert!(moment >= last && moment < SECOND);
                last = moment;
                due[(moment / CELL) as usize] += 1;
            }
            let mut sum = 0;
            for (cell, due) in due.iter().enumerate() {
                sum += due;
                prop_assert_eq!(curve.due_before_end(cell as u64, records), sum, "cell {}", cell);
            }
        }
    }

    #[test]
    fn a_level_second_is_even_and_a_sloping_one_is_not() {
        assert_eq!(Curve::of(|millis| u128::from(millis) * 3 + 5), Curve::Even);
        assert_eq!(Curve::of(|_| 7), Curve::Even);
        let slope = Curve::of(|millis| u128::from(millis) * u128::from(millis));
        assert_eq!(slope.moment(1, 4), SECOND / 2, "a quarter of a triangle is due after half of its base");
    }
}
