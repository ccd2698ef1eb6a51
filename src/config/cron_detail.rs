//! What is wrong with a cron expression, in more words than its parser has.
//!
//! Decides nothing: the expression was refused before. Finds the field to blame by trying each one alone.

use crate::schedule::{Cron, CronError};

/// The fields in order, each with what it may hold.
const FIELDS: [(&str, &str); 6] = [
    ("second", "0 to 59"),
    ("minute", "0 to 59"),
    ("hour", "0 to 23"),
    ("day", "1 to 31"),
    ("month", "1 to 12 or JAN to DEC"),
    ("weekday", "0 to 7 or SUN to SAT"),
];

/// Why `text` was refused, for the person who wrote it.
pub(super) fn cron_detail(text: &str, error: &CronError) -> String {
    match error {
        CronError::Fields(1) => "it has 1 field".to_owned(),
        CronError::Pattern(why) => {
            let why = why.trim_end_matches('.');
            match culprit(text) {
                Some((field, name, range)) => {
                    format!("the {name} {field} is malformed or out of its range, {range}: {why}")
                }
                None => format!("a field of it is malformed or out of its range: {why}"),
            }
        }
        other => other.to_string(),
    }
}

/// The first field that is refused when every other one is `*`, with its name and its range.
fn culprit(text: &str) -> Option<(&str, &'static str, &'static str)> {
    let refused = |at: usize, field: &str| {
        let alone: Vec<&str> = (0..FIELDS.len()).map(|other| if other == at { field } else { "*" }).collect();
        matches!(alone.join(" ").parse::<Cron>(), Err(CronError::Pattern(_)))
    };
    let fields = text.split_whitespace().zip(FIELDS).enumerate();
    fields
        .into_iter()
        .find_map(|(at, (field, (name, range)))| refused(at, field).then_some((field, name, range)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detail(text: &str) -> String {
        cron_detail(text, &text.parse::<Cron>().expect_err("wrong"))
    }

    #[test]
    fn the_field_to_blame_is_named_with_its_range_and_the_parsers_word() {
        for (text, start) in [
            ("61 * * * * *", "the second 61 is malformed or out of its range, 0 to 59: "),
            ("0 */0 * * * *", "the minute */0 is malformed or out of its range, 0 to 59: "),
            ("0 0 24 * * *", "the hour 24 is malformed or out of its range, 0 to 23: "),
            ("0 0 0 32 * *", "the day 32 is malformed or out of its range, 1 to 31: "),
            ("0 0 0 * 13 *", "the month 13 is malformed or out of its range, 1 to 12 or JAN to DEC: "),
            ("0 0 0 * * 8", "the weekday 8 is malformed or out of its range, 0 to 7 or SUN to SAT: "),
        ] {
            let detail = detail(text);
            assert!(detail.strip_prefix(start).is_some_and(|why| !why.is_empty()), "{detail}");
        }
    }

    #[test]
    fn a_wrong_number_of_fields_and_a_date_that_never_comes_need_no_more_words() {
        assert_eq!(detail("@hourly"), "it has 1 field");
        assert_eq!(detail("* * * * *"), "it has 5 fields");
        assert_eq!(detail("0 0 0 30 2 *"), "no date matches it");
    }
}
