//! What was asked for each setting: the flag, else the variable, else the default, with its origin.
//!
//! Reads single values and collects what is wrong with them; knows nothing of how they go together.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::fleet::Here;
use super::problem::{Problem, Shown};
use super::setting::{Absent, Setting};
use super::settings::{LISTEN, SETTINGS};
use super::vars::Vars;

/// Where a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Flag(&'static str),
    Variable(&'static str),
    Default(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "--{flag}"),
            Self::Variable(name) | Self::Default(name) => f.write_str(name),
        }
    }
}

/// The values as they were typed, and what is wrong so far.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub vars: Vars,
    pub flags: BTreeMap<&'static str, String>,
    pub problems: Vec<Problem>,
    pub notices: Vec<String>,
    pub here: Here,
    /// Whether the command line holds something that was not understood: then nothing is called missing.
    pub puzzled: bool,
}

impl Asked {
    /// The value in force and its origin; none when there is neither a value nor a default.
    pub fn value(&self, setting: &Setting) -> Option<(Origin, String)> {
        if let Some(value) = self.flags.get(setting.flag) {
            return Some((Origin::Flag(setting.flag), value.clone()));
        }
        let set =
            setting.names().find_map(|name| Some((Origin::Variable(name), self.vars.get(name)?.to_owned())));
        set.or(match setting.absent {
            Absent::Value(text) => Some((Origin::Default(setting.name), text.to_owned())),
            Absent::Means(_) => None,
        })
    }

    /// Where the value in force came from, by name.
    pub fn origin(&self, setting: &Setting) -> String {
        self.value(setting).map_or(setting.name.to_owned(), |(origin, _)| origin.to_string())
    }

    /// Whether somebody set it.
    pub fn is_given(&self, setting: &Setting) -> bool {
        self.value(setting).is_some_and(|(origin, _)| !matches!(origin, Origin::Default(_)))
    }

    /// Tells of settings that are given and not `taken`, by a subcommand; `why` tells what is special there.
    pub fn tell_what_is_of_no_use(&mut self, taken: fn(&Setting) -> bool, why: &str) {
        let all: Vec<String> = SETTINGS
            .iter()
            // Whoever has turned the listener off need not be told that there is none.
            .filter(|setting| !taken(setting) && setting.name != LISTEN.name && self.is_given(setting))
            .map(|setting| self.origin(setting))
            .collect();
        if !all.is_empty() {
            self.notices.push(format!("without effect here, {why}: {}", all.join(", ")));
        }
    }

    /// The value as `read` understands it; what it refuses is a problem, with the detail that it gives.
    pub fn read<T>(
        &mut self,
        setting: &Setting,
        read: impl FnOnce(&str) -> Result<T, Option<String>>,
    ) -> Option<T> {
        let (origin, text) = self.value(setting)?;
        match read(&text) {
            Ok(value) => Some(value),
            Err(detail) => {
                self.problems.push(Problem::Wrong {
                    setting: Some(setting.name),
                    origin: origin.to_string(),
                    rule: setting.form.rule(),
                    value: Shown::value(&text, setting.secret),
                    // For an empty value and for a secret there is nothing to explain.
                    detail: detail.filter(|_| !text.is_empty() && !setting.secret),
                });
                None
            }
        }
    }

    /// A value that a type of ours reads, where the rule says all about a wrong one.
    pub fn parsed<T: std::str::FromStr>(&mut self, setting: &Setting) -> Option<T> {
        self.read(setting, |text| text.parse().map_err(|_| None))
    }

    /// A number that fits `T`.
    pub fn number<T: TryFrom<u64>>(&mut self, setting: &Setting) -> Option<T> {
        self.read(setting, |text| {
            setting.form.number(text).and_then(|number| T::try_from(number).ok()).ok_or(None)
        })
    }

    /// A size that fits `T`.
    pub fn bytes<T: TryFrom<u64>>(&mut self, setting: &Setting) -> Option<T> {
        self.read(setting, |text| {
            setting.form.bytes(text).and_then(|bytes| T::try_from(bytes).ok()).ok_or(None)
        })
    }

    /// A duration.
    pub fn duration(&mut self, setting: &Setting) -> Option<Duration> {
        self.read(setting, |text| setting.form.duration(text).ok_or(None))
    }

    /// A setting that need not be set: the outer option is none only when its value is wrong.
    pub fn optional<T>(
        &mut self,
        setting: &Setting,
        read: impl FnOnce(&mut Self, &Setting) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.value(setting) {
            None => Some(None),
            Some(_) => read(self, setting).map(Some),
        }
    }

    /// Values that are right alone and wrong together.
    pub fn together(&mut self, settings: &[Setting], why: String) {
        let origins = settings.iter().map(|setting| self.origin(setting)).collect();
        let settings = settings.iter().map(|setting| setting.name).collect();
        self.problems.push(Problem::Together { settings, origins, why });
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings;
    use super::*;

    #[test]
    fn the_flag_wins_over_the_variable_which_wins_over_the_default() {
        let mut asked = Asked::default();
        let jobs = settings::JOBS;
        assert_eq!(asked.value(&jobs), Some((Origin::Default(jobs.name), "10".to_owned())));
        assert!(!asked.is_given(&jobs));
        asked.vars.cron_jobs_to_generate = Some("2".to_owned());
        assert_eq!(asked.value(&jobs), Some((Origin::Variable(jobs.name), "2".to_owned())));
        asked.flags.insert(jobs.flag, "3".to_owned());
        assert_eq!(asked.value(&jobs), Some((Origin::Flag(jobs.flag), "3".to_owned())));
        assert_eq!(asked.value(&settings::DURATION), None);
    }

    #[test]
    fn a_wrong_secret_is_reported_without_its_value_and_without_a_detail_that_may_hold_it() {
        let mut asked = Asked::default();
        let setting = Setting { secret: true, ..settings::CRON };
        asked.vars.streamer_cron = Some("hunter2".to_owned());
        assert_eq!(asked.read(&setting, |text| Err::<(), _>(Some(format!("{text} is odd")))), None);
        let line = asked.problems[0].to_string();
        assert!(line.starts_with("STREAMER_CRON: must be a cron expression"), "{line}");
        assert!(!format!("{line}{:?}", asked.problems).contains("hunter2"), "{line}");
    }
}
