//! The cron expression: which seconds are due.
//!
//! Checked by the parser that tokio-cron-scheduler uses. Says nothing about when inside its second a record is due.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use croner::parser::{CronParser, Seconds};

/// A cron expression of six fields, seconds first, in UTC, that is due again and again.
#[derive(Debug, Clone)]
pub struct Cron {
    text: String,
    parsed: croner::Cron,
}

impl Cron {
    /// The expression as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first due second after `second` (both in seconds since the Unix epoch).
    #[must_use]
    pub fn next_after(&self, second: u64) -> u64 {
        // "* * * * * *" is nearly every run's expression: it needs no calendar.
        if self.text == "* * * * * *" {
            return second + 1;
        }
        let next = i64::try_from(second)
            .ok()
            .and_then(|second| DateTime::<Utc>::from_timestamp(second, 0))
            .and_then(|after| self.parsed.find_next_occurrence(&after, false).ok())
            .and_then(|next| u64::try_from(next.timestamp()).ok());
        // The expression was due once, so it is due again until the calendar of the library ends.
        next.unwrap_or(u64::MAX)
    }
}

impl PartialEq for Cron {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Cron {}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A text that is no cron expression, or one that no moment matches.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// Not six fields.
    #[error("it has {0} fields")]
    Fields(usize),
    /// The parser refuses it.
    #[error("{0}")]
    Pattern(String),
    /// A date that no calendar has, such as 30 February.
    #[error("no date matches it")]
    Never,
}

impl FromStr for Cron {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Self, CronError> {
        // The parser would also take a seventh field (years) and nicknames such as @hourly: a run that
        // ends by its calendar has STREAMER_DURATION, and one form is easier to explain than three.
        let fields = text.split_whitespace().count();
        if fields != 6 {
            return Err(CronError::Fields(fields));
        }
        // As tokio-cron-scheduler 0.15 builds it, so that it never refuses what passed here.
        let parsed = CronParser::builder()
            .seconds(Seconds::Required)
            .dom_and_dow(true)
            .build()
            .parse(text)
            .map_err(|error| CronError::Pattern(error.to_string()))?;
        // Without years the calendar repeats, so any moment is as good a start as now.
        parsed.find_next_occurrence(&DateTime::<Utc>::UNIX_EPOCH, true).map_err(|_| CronError::Never)?;
        Ok(Self { text: text.to_owned(), parsed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_fields_with_seconds_first_are_a_cron_expression() {
        for text in ["* * * * * *", "*/5 0-30 9,17 * JAN-MAR MON-FRI", "0 0 0 29 2 *", "0 0 0 L * *"] {
            assert_eq!(text.parse::<Cron>().map(|cron| cron.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn what_the_scheduler_would_refuse_is_refused_before() {
        for (text, error) in [
            ("", CronError::Fields(0)),
            ("* * * * *", CronError::Fields(5)),
            ("* * * * * * 2030", CronError::Fields(7)),
            ("@hourly", CronError::Fields(1)),
            ("0 0 0 30 2 *", CronError::Never),
        ] {
            assert_eq!(text.parse::<Cron>(), Err(error), "{text:?}");
        }
        for text in ["61 * * * * *", "a * * * * *", "*/0 * * * * *", "* * * 32 * *", "- - - - - -"] {
            assert!(matches!(text.parse::<Cron>(), Err(CronError::Pattern(_))), "{text:?}");
        }
    }

    #[test]
    fn the_next_due_second_is_after_the_given_one() {
        let next = |text: &str, second| text.parse::<Cron>().expect("legal").next_after(second);
        assert_eq!(next("* * * * * *", 7), 8);
        assert_eq!(next("*/1 * * * * *", 7), 8);
        assert_eq!(next("*/5 * * * * *", 5), 10);
        assert_eq!(next("30 * * * * *", 31), 90);
        // 29 February after 1970 is in 1972.
        assert_eq!(next("0 0 0 29 2 *", 0), 68_169_600);
    }
}
