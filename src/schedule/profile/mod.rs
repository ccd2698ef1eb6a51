//! A load over time: what is due until a moment, as a pure function of the time since the start.
//!
//! Decides how much is due; who makes it (which job) and when inside the second are `offer`'s and `arrivals`'.

mod file;
mod inline;
mod kdg;
mod line;
mod shape;
mod week;

pub use file::{ProfileError, profile_file};
pub use inline::{Inline, inline};
pub use kdg::{is_periods, periods, periods_file, periods_report};
pub use line::{After, LONGEST, Line};
pub use week::{Hours, Week, Zone};

use super::quantity::Unit;

/// When a run began on the wall clock, and what decides its noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// The first due second, in milliseconds since the Unix epoch.
    pub wall_millis: u64,
    /// Decides what is random.
    pub seed: u64,
}

/// A part of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phase {
    /// Its name; empty if it has none.
    pub name: String,
    line: Line,
    /// When it begins, in milliseconds from the profile's start, and how long it is; the last one may have no end.
    start: u64,
    length: Option<u64>,
    /// Twice the area of the phases before it.
    before: u128,
}

impl Phase {
    /// When it begins, in milliseconds from the profile's start.
    #[must_use]
    pub fn start(&self) -> u64 {
        self.start
    }
}

/// What a profile follows.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Course {
    /// Phases one after the other, counted from the start.
    Phases(Vec<Phase>),
    /// The hours of a week on the wall clock.
    Week(Week),
}

/// A load over time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// What it is called.
    pub name: String,
    unit: Unit,
    course: Course,
    /// How often the phases are gone through; none: for ever.
    times: Option<u64>,
}

impl Profile {
    /// A profile of one line.
    #[must_use]
    pub fn of(name: &str, unit: Unit, line: Line) -> Self {
        let length = line.end();
        Self::phased(name, unit, vec![(String::new(), line, length)], Some(1))
    }

    /// A profile of phases one after the other: each with its name, its line and how long it goes on. One without an
    /// end is the last that is ever reached.
    #[must_use]
    pub fn phased(
        name: &str,
        unit: Unit,
        phases: Vec<(String, Line, Option<u64>)>,
        times: Option<u64>,
    ) -> Self {
        let (mut start, mut before, mut all) = (0, 0, Vec::new());
        for (name, line, length) in phases {
            let next = length.map(|length| (start + length, before + line.doubled(length)));
            all.push(Phase { name, line, start, length, before });
            match next {
                Some(next) => (start, before) = next,
                None => break,
            }
        }
        Self { name: name.to_owned(), unit, course: Course::Phases(all), times }
    }

    /// A profile by the hours of the week.
    #[must_use]
    pub fn weekly(name: &str, unit: Unit, week: Week) -> Self {
        Self { name: name.to_owned(), unit, course: Course::Week(week), times: None }
    }

    /// What its rates count.
    #[must_use]
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// Whether it goes by the hours of the week.
    #[must_use]
    pub fn is_weekly(&self) -> bool {
        matches!(self.course, Course::Week(_))
    }

    /// Its phases; none where it follows the week.
    #[must_use]
    pub fn phases(&self) -> &[Phase] {
        match &self.course {
            Course::Phases(phases) => phases,
            Course::Week(_) => &[],
        }
    }

    /// One round of all phases: its length in milliseconds and twice its area; none if it has no end.
    fn round(&self) -> Option<(u64, u128)> {
        let last = self.phases().last()?;
        let length = last.length?;
        Some((last.start + length, last.before + last.line.doubled(length)))
    }

    /// How long it goes on, in milliseconds; none if it has no end.
    #[must_use]
    pub fn end(&self) -> Option<u64> {
        Some(self.round()?.0.saturating_mul(self.times?))
    }

    /// A length that shows all of it, in milliseconds: to its end, or one round, or until nothing changes any more.
    #[must_use]
    pub fn telling(&self) -> u64 {
        let last = match &self.course {
            Course::Week(_) => return 7 * 86_400_000,
            Course::Phases(phases) => phases.last(),
        };
        let own = |phase: &Phase| match phase.length {
            Some(length) => length,
            None if phase.line.repeats() => phase.line.length(),
            // With some of what goes on.
            None => phase.line.length() / 2 * 3,
        };
        let own = last.map_or(0, |phase| phase.start + own(phase));
        self.end().unwrap_or(own).max(1_000)
    }

    /// The first phase that is gone through at `at`, and the moment inside it; full rounds before it.
    fn place(&self, phases: &[Phase], at: u64) -> Option<(u64, usize, u64)> {
        let (round, at) = match self.round() {
            Some((length, _)) if length > 0 => {
                let last = self.times.map_or(u64::MAX, |times| times - 1);
                let round = (at / length).min(last);
                // Behind the end the last phase goes on.
                (round, at - round * length)
            }
            _ => (0, at),
        };
        let phase = phases.partition_point(|phase| phase.start <= at).checked_sub(1)?;
        Some((round, phase, at - phases[phase].start))
    }

    /// When the phase after that of `at` begins, in milliseconds from the start: the first one again where another round
    /// follows. None behind the last one, and where the week is followed.
    #[must_use]
    pub fn next_phase(&self, at: u64) -> Option<u64> {
        let phases = self.phases();
        let (round, index, _) = self.place(phases, at)?;
        let length = self.round().map_or(0, |(length, _)| length);
        match phases.get(index + 1) {
            Some(next) => Some(round * length + next.start),
            None if length > 0 && self.times.is_none_or(|times| round + 1 < times) => {
                Some((round + 1) * length)
            }
            None => None,
        }
    }

    /// Twice the area below the profile until `at` milliseconds after the start, in millionths of its unit ×
    /// milliseconds / second. Without noise. Never shrinks.
    #[must_use]
    pub fn doubled(&self, start: &Start, at: u64) -> u128 {
        let phases = match &self.course {
            Course::Week(week) => return week.doubled(start.wall_millis, at),
            Course::Phases(phases) => phases,
        };
        let Some((round, index, inside)) = self.place(phases, at) else { return 0 };
        let phase = &phases[index];
        // Behind the end of a last phase its last rate goes on, whatever its line would do.
        let (own, beyond) = match phase.length {
            Some(length) if inside > length => (length, inside - length),
            _ => (inside, 0),
        };
        let hold = match beyond {
            0 => 0,
            _ => 2 * u128::from(phase.line.rate_before(own)) * u128::from(beyond),
        };
        let rounds = self.round().map_or(0, |(_, area)| area);
        u128::from(round) * rounds + phase.before + phase.line.doubled(own) + hold
    }

    /// The start as the profile's own clock has it `at` milliseconds later: another where it goes by the week of a time
    /// zone. `doubled` takes this one, `noise` the run's.
    #[must_use]
    pub fn local(&self, start: &Start, at: u64) -> Start {
        match &self.course {
            Course::Phases(_) => *start,
            Course::Week(week) => week.local(start, at),
        }
    }

    /// What noise adds to the second that begins `at` milliseconds after the start, in millionths of its unit.
    #[must_use]
    pub fn noise(&self, start: &Start, at: u64) -> i64 {
        match &self.course {
            Course::Phases(_) => 0,
            Course::Week(week) => week.noise(start, at),
        }
    }

    /// Whether it has noise, so that its sum can't be told without going through every second.
    #[must_use]
    pub fn is_noisy(&self) -> bool {
        matches!(&self.course, Course::Week(week) if week.is_noisy())
    }

    /// The highest rate that it ever has, noise included, in millionths of its unit.
    #[must_use]
    pub fn peak(&self) -> u64 {
        match &self.course {
            Course::Week(week) => week.peak(),
            Course::Phases(phases) => phases.iter().map(|phase| phase.peak()).max().unwrap_or(0),
        }
    }
}

impl Phase {
    fn peak(&self) -> u64 {
        self.line.peak()
    }
}

#[cfg(test)]
mod tests;
