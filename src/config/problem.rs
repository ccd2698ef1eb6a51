//! What is wrong with the settings, in words for the person who wrote them.
//!
//! Decides how a value is shown: never a secret, never raw control characters, never without end.

use std::fmt;

/// Most characters of a value that are shown.
const MOST_SHOWN: usize = 80;

/// Most characters of a sentence that holds a value.
const MOST_SENTENCE: usize = 240;

/// A text that is safe to show: escaped, cut, or left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown(String);

impl Shown {
    /// A value, in quotes; `a secret` stands for one.
    pub(super) fn value(text: &str, secret: bool) -> Self {
        if secret {
            Self("a secret that is not shown".to_owned())
        } else if text.is_empty() {
            Self("empty".to_owned())
        } else {
            let count = text.chars().count();
            let more = if count > MOST_SHOWN { format!("… ({count} characters)") } else { String::new() };
            Self(format!("\"{}\"{more}", escaped(text, MOST_SHOWN)))
        }
    }

    /// A name, without quotes.
    pub(super) fn plain(text: &str) -> Self {
        Self::cut(text, MOST_SHOWN)
    }

    /// A sentence that holds parts of what was typed.
    pub(super) fn message(text: &str) -> Self {
        Self::cut(text, MOST_SENTENCE)
    }

    fn cut(text: &str, most: usize) -> Self {
        let more = if text.chars().nth(most).is_some() { "…" } else { "" };
        Self(escaped(text, most) + more)
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The first characters; what a terminal would act on or not show stands as an escape.
fn escaped(text: &str, most: usize) -> String {
    let visible = |c: char| matches!(c, '\'' | '"');
    text.chars()
        .take(most)
        .flat_map(|c| {
            let plain = visible(c).then_some(c);
            plain.into_iter().chain(c.escape_debug().filter(move |_| plain.is_none()))
        })
        .collect()
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A value breaks its setting's rule.
    #[error("{origin}: must be {rule}, but is {value}{}", parenthesis(.detail))]
    Wrong {
        /// The setting's name in the table; none for AWS's own variables and for a flag of a subcommand that
        /// has no variable.
        setting: Option<&'static str>,
        /// The variable or flag that the value came from.
        origin: String,
        /// The rule.
        rule: String,
        /// The value.
        value: Shown,
        /// What exactly is wrong with it, where the rule does not say it all.
        detail: Option<String>,
    },
    /// A value is not Unicode.
    #[error("{origin}: must be valid Unicode (UTF-8), but is {value}")]
    NotUnicode {
        /// The setting's name in the table; none for what is not in it.
        setting: Option<&'static str>,
        /// The variable or flag that the value came from.
        origin: String,
        /// The value, its wrong parts replaced.
        value: Shown,
    },
    /// A variable of AWS's own is there and has no value.
    #[error("{name}: is empty: unset it or set {noun}")]
    Empty {
        /// The variable.
        name: &'static str,
        /// What it should hold.
        noun: &'static str,
    },
    /// A setting that is needed is not there.
    #[error("{setting}: must be given (or {flag}): {why}")]
    Missing {
        /// The setting's name in the table.
        setting: &'static str,
        /// Its flag.
        flag: String,
        /// Why it is needed.
        why: &'static str,
    },
    /// Values that are right alone and wrong together.
    #[error("{}: {why}", .origins.join(" and "))]
    Together {
        /// The settings' names in the table.
        settings: Vec<&'static str>,
        /// The variables or flags that the values came from.
        origins: Vec<String>,
        /// What is wrong.
        why: String,
    },
    /// A variable that looks like ours and is not.
    #[error("{name}: no such variable{}", hint(.nearest))]
    UnknownVariable {
        /// The variable. Its value is never shown: it may be anything.
        name: Shown,
        /// The known variable that may have been meant.
        nearest: Option<&'static str>,
    },
    /// A flag that there is not.
    #[error("{flag}: no such flag{}", hint(.nearest))]
    UnknownFlag {
        /// The flag. What follows it is never shown: it may be anything.
        flag: Shown,
        /// The known flag that may have been meant.
        nearest: Option<String>,
    },
    /// The command line is not understood.
    #[error("{0}")]
    Arguments(Shown),
    /// The environment is not understood.
    #[error("the environment: {0}")]
    Environment(String),
}

impl Problem {
    /// The settings that this is about, by their names in the table; empty where no setting is meant.
    pub fn settings(&self) -> Vec<&'static str> {
        match self {
            Self::Wrong { setting, .. } | Self::NotUnicode { setting, .. } => {
                setting.iter().copied().collect()
            }
            Self::Missing { setting, .. } => vec![setting],
            Self::Together { settings, .. } => settings.clone(),
            Self::Empty { .. }
            | Self::UnknownVariable { .. }
            | Self::UnknownFlag { .. }
            | Self::Arguments(_)
            | Self::Environment(_) => Vec::new(),
        }
    }
}

fn parenthesis(detail: &Option<String>) -> String {
    detail.as_ref().map(|detail| format!(" ({})", Shown::message(detail))).unwrap_or_default()
}

fn hint<T: fmt::Display>(nearest: &Option<T>) -> String {
    match nearest {
        Some(name) => format!("; did you mean {name}?"),
        None => "; --help lists them all".to_owned(),
    }
}

/// Everything that is wrong, in the order in which it was found; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// The problems, or none where there is none.
    pub(super) fn of(problems: Vec<Problem>) -> Option<Self> {
        (!problems.is_empty()).then_some(Self(problems))
    }

    /// Each problem.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("the settings have a problem:")?,
            count => write!(f, "the settings have {count} problems:")?,
        }
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for Problems {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_shown_escaped_and_cut_and_a_secret_not_at_all() {
        for (text, shown) in [
            ("abc", "\"abc\"".to_owned()),
            ("", "empty".to_owned()),
            ("a'b", "\"a'b\"".to_owned()),
            ("\u{1b}[31m\n\u{202e}", "\"\\u{1b}[31m\\n\\u{202e}\"".to_owned()),
            (&"é".repeat(81), format!("\"{}\"… (81 characters)", "é".repeat(80))),
        ] {
            assert_eq!(Shown::value(text, false).to_string(), shown);
        }
        assert!(!Shown::value("hunter2", true).to_string().contains("hunter2"));
        assert_eq!(Shown::plain(&"x".repeat(81)).to_string(), format!("{}…", "x".repeat(80)));
    }

    #[test]
    fn problems_are_a_heading_and_a_line_each() {
        let wrong = |origin: &str| Problem::Wrong {
            setting: Some("CRON_JOBS_TO_GENERATE"),
            origin: origin.to_owned(),
            rule: "a whole number from 1 to 10000".to_owned(),
            value: Shown::value("abc", false),
            detail: None,
        };
        let problems = Problems::of(vec![wrong("CRON_JOBS_TO_GENERATE"), wrong("--jobs")]).expect("two");
        assert_eq!(
            problems.to_string(),
            "the settings have 2 problems:\n  \
             CRON_JOBS_TO_GENERATE: must be a whole number from 1 to 10000, but is \"abc\"\n  \
             --jobs: must be a whole number from 1 to 10000, but is \"abc\""
        );
        assert_eq!(Problems::of(Vec::new()), None);
    }
}
