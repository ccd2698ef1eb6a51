//! A moment of UTC taken apart into the fields that date formats name.
//!
//! UTC throughout: KDG writes the zone of the browser that it runs in, and a daemon has none.

use crate::generate::Timestamp;

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) const WEEKDAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// JavaScript's dates reach this many milliseconds from the epoch, either way (ECMA-262, 21.4.1.1).
const FURTHEST: f64 = 8.64e15;

/// The longest that [`Moment::write_javascript`] appends, in bytes.
pub(super) const LONGEST: usize = 66;

/// A moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) year: i64,
    /// 1 to 12.
    pub(super) month: u32,
    /// 1 to 31.
    pub(super) day: u32,
    pub(super) hour: u32,
    pub(super) minute: u32,
    pub(super) second: u32,
    pub(super) millisecond: u32,
}

impl Moment {
    /// The moment that an event carries.
    #[inline]
    pub(super) fn of(time: &Timestamp) -> Self {
        let text = time.as_bytes();
        let number = |from: usize, to: usize| {
            text[from..to].iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0'))
        };
        Self {
            year: number(0, 4).into(),
            month: number(5, 7),
            day: number(8, 10),
            hour: number(11, 13),
            minute: number(14, 16),
            second: number(17, 19),
            millisecond: number(20, 23),
        }
    }

    /// The moment `millis` milliseconds after the Unix epoch; none beyond JavaScript's range, or for NaN.
    pub(super) fn from_unix_millis(millis: f64) -> Option<Self> {
        let whole = (millis.abs() <= FURTHEST).then_some(millis.trunc() as i64)?;
        let (days, rest) = (whole.div_euclid(86_400_000), whole.rem_euclid(86_400_000) as u32);
        let (year, month, day) = civil(days);
        Some(Self {
            year,
            month,
            day,
            hour: rest / 3_600_000,
            minute: rest / 60_000 % 60,
            second: rest / 1_000 % 60,
            millisecond: rest % 1_000,
        })
    }

    /// Milliseconds since the Unix epoch.
    pub(super) fn unix_millis(self) -> i64 {
        let Self { hour, minute, second, millisecond, .. } = self;
        let rest = ((i64::from(hour) * 60 + i64::from(minute)) * 60 + i64::from(second)) * 1_000;
        self.days() * 86_400_000 + rest + i64::from(millisecond)
    }

    /// Days since the Unix epoch.
    fn days(self) -> i64 {
        days(self.year, self.month, self.day)
    }

    /// 0 on Sunday to 6 on Saturday.
    pub(super) fn weekday(self) -> u32 {
        (self.days() + 4).rem_euclid(7) as u32 // 1970-01-01 was a Thursday
    }

    /// 1 on the first of January.
    pub(super) fn day_of_year(self) -> u32 {
        (self.days() - days(self.year, 1, 1) + 1) as u32
    }

    /// The week by ISO 8601, Monday to Sunday: the year that it belongs to, and its number.
    pub(super) fn iso_week(self) -> (i64, u32) {
        week(self.days() + 3 - (i64::from(self.weekday()) + 6) % 7)
    }

    /// The week as Americans count, Sunday to Saturday, the first holding the first of January.
    pub(super) fn week(self) -> (i64, u32) {
        week(self.days() + 6 - i64::from(self.weekday()))
    }

    /// Appends the moment as JavaScript's `String(date)` has it.
    pub(super) fn write_javascript(self, out: &mut Vec<u8>) {
        use std::io::Write as _;
        let Self { year, day, hour, minute, second, .. } = self;
        let (weekday, month) =
            (&WEEKDAYS[self.weekday() as usize][..3], &MONTHS[self.month as usize - 1][..3]);
        // The sign of a year before Christ is no digit. Writing to a vector can't fail.
        let width = if year < 0 { 5 } else { 4 };
        let _ = write!(
            out,
            "{weekday} {month} {day:02} {year:0width$} {hour:02}:{minute:02}:{second:02} GMT+0000 (Coordinated Universal Time)"
        );
    }
}

/// The year that holds the day, and its number within the year in sevens, from 1.
fn week(day: i64) -> (i64, u32) {
    let (year, ..) = civil(day);
    (year, ((day - days(year, 1, 1)) / 7 + 1) as u32)
}

/// Year, month and day of the Gregorian calendar, `days` after 1970-01-01.
///
/// Howard Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`.
fn civil(days: i64) -> (i64, u32, u32) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month as u32, day as u32)
}

/// The inverse of [`civil`]; Hinnant's `days_from_civil`.
fn days(year: i64, month: u32, day: u32) -> i64 {
    let (year, month, day) = (year - i64::from(month <= 2), i64::from(month), i64::from(day));
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let from_march = (month + 9) % 12;
    let day_of_year = (153 * from_march + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Datelike, Timelike};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        // Whatever the moment: its fields are chrono's, and its weeks too.
        #[test]
        fn the_fields_of_a_moment_are_those_of_chrono(millis in -8_000_000_000_000_i64..=253_402_300_799_999) {
            let theirs = DateTime::from_timestamp_millis(millis).expect("in chrono's range");
            let ours = Moment::from_unix_millis(millis as f64).expect("in range");
            prop_assert_eq!((ours.year, ours.month, ours.day), (theirs.year().into(), theirs.month(), theirs.day()));
            prop_assert_eq!((ours.hour, ours.minute, ours.second), (theirs.hour(), theirs.minute(), theirs.second()));
            prop_assert_eq!(ours.millisecond, theirs.timestamp_subsec_millis());
            prop_assert_eq!(ours.unix_millis(), millis);
            prop_assert_eq!(ours.weekday(), theirs.weekday().num_days_from_sunday());
            prop_assert_eq!(ours.day_of_year(), theirs.ordinal());
            let iso = theirs.iso_week();
            prop_assert_eq!(ours.iso_week(), (iso.year().into(), iso.week()));
            let from_sunday = chrono::NaiveDate::from_ymd_opt(theirs.year(), 1, 1).map(|day| day.weekday());
            let offset = from_sunday.expect("a date").num_days_from_sunday();
            let (year, week) = ours.week();
            if year == ours.year {
                prop_assert_eq!(week, (theirs.ordinal0() + offset) / 7 + 1);
            } else {
                prop_assert_eq!((year, week, ours.month), (ours.year + 1, 1, 12));
            }
            if millis >= 0 {
                prop_assert_eq!(Moment::of(&Timestamp::from_unix_millis(millis as u64)), ours);
            }
        }
    }

    // Each as node 20 writes it.
    #[test]
    fn a_moment_is_written_as_javascript_does() {
        for (millis, text) in [
            (0.0, "Thu Jan 01 1970 00:00:00 GMT+0000 (Coordinated Universal Time)"),
            (-1.0, "Wed Dec 31 1969 23:59:59 GMT+0000 (Coordinated Universal Time)"),
            (-62_198_755_200_000.0, "Fri Jan 01 -0001 00:00:00 GMT+0000 (Coordinated Universal Time)"),
            (8.64e15, "Sat Sep 13 275760 00:00:00 GMT+0000 (Coordinated Universal Time)"),
        ] {
            let mut out = Vec::new();
            Moment::from_unix_millis(millis).expect("in range").write_javascript(&mut out);
            assert_eq!(String::from_utf8(out).expect("ASCII"), text);
            assert!(text.len() <= LONGEST);
        }
        assert_eq!(Moment::from_unix_millis(8.640_000_000_000_001e15), None);
        assert_eq!(Moment::from_unix_millis(f64::NAN), None);
    }
}
