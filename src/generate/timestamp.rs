//! The moment that an event carries, as text: made once a batch, copied into each event.

use std::fmt;

use super::random::mix;

/// RFC 3339 in UTC with milliseconds, such as `2026-11-21T02:14:34.123Z`: always 24 ASCII bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    text: [u8; 24],
    mark: u16,
}

impl Timestamp {
    /// The last moment that four digits of a year can say, 9999-12-31T23:59:59.999Z,
    /// in milliseconds since the Unix epoch.
    pub const MAX_UNIX_MILLIS: u64 = 253_402_300_799_999;

    /// The moment `millis` milliseconds after the Unix epoch; later than [`Self::MAX_UNIX_MILLIS`] is that.
    #[must_use]
    pub fn from_unix_millis(millis: u64) -> Self {
        let millis = millis.min(Self::MAX_UNIX_MILLIS);
        let (seconds, milli) = (millis / 1_000, millis % 1_000);
        let (days, second) = (seconds / 86_400, seconds % 86_400);
        let (year, month, day) = civil(days);
        let mut text = *b"0000-00-00T00:00:00.000Z";
        digits(&mut text[0..4], year);
        digits(&mut text[5..7], month);
        digits(&mut text[8..10], day);
        digits(&mut text[11..13], second / 3_600);
        digits(&mut text[14..16], second / 60 % 60);
        digits(&mut text[17..19], second % 60);
        digits(&mut text[20..23], milli);
        Self { text, mark: mix(millis) as u16 }
    }

    /// What the moment leaves in the id of an event ([`Self::MARKED`]): an event that was given another time on its
    /// way does not fit its id any more.
    #[inline]
    pub(super) fn mark(&self) -> u64 {
        self.mark.into()
    }

    /// The bits of an id's lower half that hold the mark: its last four digits.
    pub(super) const MARKED: u64 = 0xffff;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text).expect("digits and punctuation are ASCII")
    }

    /// The text's bytes.
    #[inline]
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 24] {
        &self.text
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Year, month and day of the Gregorian calendar, `days` after 1970-01-01.
///
/// Howard Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`, without the part for
/// days before the epoch: years begin in March, so that the leap day is the last of its year.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468; // from 0000-03-01
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// Fills `out` with the last digits of `number`.
fn digits(out: &mut [u8], mut number: u64) {
    for digit in out.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, SecondsFormat};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_moments_are_written_as_the_calendar_has_them() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (Timestamp::MAX_UNIX_MILLIS, "9999-12-31T23:59:59.999Z"),
            (u64::MAX, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(Timestamp::from_unix_millis(millis).as_str(), text);
        }
    }

    proptest! {
        // Any moment from 1970 to 9999 is written as chrono writes it.
        #[test]
        fn a_timestamp_equals_that_of_chrono(millis in 0..=Timestamp::MAX_UNIX_MILLIS) {
            let theirs = DateTime::from_timestamp_millis(millis as i64).expect("in chrono's range");
            let ours = Timestamp::from_unix_millis(millis);
            prop_assert_eq!(ours.to_string(), theirs.to_rfc3339_opts(SecondsFormat::Millis, true));
        }

        // The order of moments is the order of their texts.
        #[test]
        fn later_moments_sort_later(a in 0..=Timestamp::MAX_UNIX_MILLIS, b in 0..=Timestamp::MAX_UNIX_MILLIS) {
            let (first, second) = (Timestamp::from_unix_millis(a), Timestamp::from_unix_millis(b));
            prop_assert_eq!(first.cmp(&second), a.cmp(&b));
        }
    }
}
