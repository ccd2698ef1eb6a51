//! The cron expression, checked by the parser that the scheduler uses.
//!
//! Says nothing about when a second is announced or released; that is `schedule`.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use croner::parser::{CronParser, Seconds};

/// A cron expression of six fields, seconds first, in UTC, that is due again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron(String);

impl Cron {
    /// The expression as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
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
        let cron = CronParser::builder()
            .seconds(Seconds::Required)
            .dom_and_dow(true)
            .build()
            .parse(text)
            .map_err(|error| CronError::Pattern(error.to_string()))?;
        // Without years the calendar repeats, so any moment is as good a start as now.
        cron.find_next_occurrence(&DateTime::<Utc>::UNIX_EPOCH, true).map_err(|_| CronError::Never)?;
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
            // Day of month and weekday must both match, as in the scheduler.
            ("0 0 0 30 2 MON", CronError::Never),
        ] {
            assert_eq!(text.parse::<Cron>(), Err(error), "{text:?}");
        }
        for text in ["61 * * * * *", "a * * * * *", "*/0 * * * * *", "* * * 32 * *", "- - - - - -"] {
            assert!(matches!(text.parse::<Cron>(), Err(CronError::Pattern(_))), "{text:?}");
        }
    }

    proptest! {
        // Law: no text makes the parser panic, and what it takes is kept as it was typed.
        #[test]
        fn any_text_is_a_cron_expression_or_an_error(
            text in "([0-9*/,#LW+?A-Z-]{1,5} {1,2}){5}[0-9A-Z*#L,+-]{1,4}|\\PC{0,30}"
        ) {
            if let Ok(cron) = text.parse::<Cron>() {
                prop_assert_eq!(cron.as_str(), text);
            }
        }
    }
}
