//! Which faults are wanted in the events, as settings write them: how many, and of which degree.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::size::{self, Shown};

named! {
    /// A fault that is put into the events on purpose.
    Injected,
    /// A text that names no fault.
    InjectedError = "a fault is one of late, duplicate, reordered, malformed, oversize";
    /// The event's time is in the past.
    Late = "late",
    /// The event is sent a second time, as a record of its own.
    Duplicate = "duplicate",
    /// The event is sent behind events that come after it.
    Reordered = "reordered",
    /// The event is cut off or spoilt, so that it is no JSON.
    Malformed = "malformed",
    /// The event is much larger than others.
    Oversize = "oversize",
}

/// Parts of a million.
pub(super) const MILLION: u64 = 1_000_000;

/// Degrees that hold when none is given.
const LATE: Duration = Duration::from_secs(60);
const OVERSIZE: u64 = 256 * 1024;

/// The furthest that an event is sent again or held back, in records of its job.
const FURTHEST: u64 = 1_000;

/// The longest that an event is late.
const LATEST: Duration = Duration::from_secs(366 * 86_400);

/// How many of a million records have which fault; 0 of those that are not wanted. Together with what lies between a
/// record and its copy or its place, never more than all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inject {
    /// Records whose time is in the past.
    pub(super) late: u64,
    /// By so long.
    pub(super) late_by: Duration,
    /// Records that are an earlier one again.
    pub(super) duplicate: u64,
    /// That came so many records of the job before.
    pub(super) duplicate_after: u64,
    /// Records that are held back.
    pub(super) reordered: u64,
    /// Behind so many later ones of the job.
    pub(super) reordered_by: u64,
    /// Records that are no JSON.
    pub(super) malformed: u64,
    /// Records that are larger.
    pub(super) oversize: u64,
    /// Namely so large, in bytes.
    pub(super) oversize_bytes: u64,
}

impl Default for Inject {
    /// No faults.
    fn default() -> Self {
        Self {
            late: 0,
            late_by: LATE,
            duplicate: 0,
            duplicate_after: 1,
            reordered: 0,
            reordered_by: 1,
            malformed: 0,
            oversize: 0,
            oversize_bytes: OVERSIZE,
        }
    }
}

/// A text that names no faults.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InjectError {
    /// It has another form.
    #[error("\"{}\" is none of these", short(.0))]
    Form(String),
    /// A fault stands twice.
    #[error("{0} stands twice")]
    Twice(Injected),
    /// The share is none.
    #[error("\"{}\" is no share: write a percentage from 0.0001% to 100%, with at most four decimals", short(.0))]
    Share(String),
    /// The degree is none.
    #[error("\"{}\" is no degree of {}: {}", short(.0), .1, .2)]
    Degree(String, Injected, &'static str),
    /// There would be more faults than records.
    #[error(
        "{percent}% of the records would be taken, more than there are: a record has one fault at most, and a duplicate \
         or reordered one takes the {block} records around it with it"
    )]
    TooMany {
        /// The sum of all shares.
        percent: u64,
        /// Records that go with a duplicate or reordered one.
        block: u64,
    },
}

/// What can be shown of a part.
fn short(text: &str) -> String {
    const MOST: usize = 40;
    let start: String = text.chars().take(MOST).flat_map(char::escape_debug).collect();
    if text.chars().nth(MOST).is_some() { start + "…" } else { start }
}

impl FromStr for Inject {
    type Err = InjectError;

    fn from_str(text: &str) -> Result<Self, InjectError> {
        let mut inject = Self::default();
        let mut named = Vec::new();
        for part in text.split(',') {
            let form = || InjectError::Form(part.to_owned());
            let (name, rest) = part.split_once(':').ok_or_else(form)?;
            let what: Injected = name.parse().map_err(|_| form())?;
            if named.contains(&what) {
                return Err(InjectError::Twice(what));
            }
            named.push(what);
            let (share, degree) = match rest.split_once('/') {
                Some((share, degree)) => (share, Some(degree)),
                None => (rest, None),
            };
            let parts = millionths(share).ok_or_else(|| InjectError::Share(share.to_owned()))?;
            inject.set(what, parts, degree)?;
        }
        let (block, taken) = (inject.block(), inject.groups() + inject.singles());
        if taken > MILLION {
            return Err(InjectError::TooMany { percent: taken.div_ceil(MILLION / 100), block });
        }
        Ok(inject)
    }
}

impl Inject {
    fn set(&mut self, what: Injected, parts: u64, degree: Option<&str>) -> Result<(), InjectError> {
        let wrong = |rule| InjectError::Degree(degree.unwrap_or_default().to_owned(), what, rule);
        let records = || match degree.map(str::parse::<u64>) {
            None => Ok(1),
            Some(Ok(records)) if (1..=FURTHEST).contains(&records) => Ok(records),
            Some(_) => Err(wrong("by how many records, from 1 to 1000")),
        };
        match what {
            Injected::Late => {
                self.late = parts;
                if let Some(text) = degree {
                    let by = humantime::parse_duration(text).ok();
                    let by = by.filter(|by| (Duration::from_millis(1)..=LATEST).contains(by));
                    self.late_by = by.ok_or_else(|| wrong("how long, from 1ms to 366days, such as 30s"))?;
                }
            }
            Injected::Duplicate => (self.duplicate, self.duplicate_after) = (parts, records()?),
            Injected::Reordered => (self.reordered, self.reordered_by) = (parts, records()?),
            Injected::Malformed if degree.is_some() => return Err(wrong("it has none")),
            Injected::Malformed => self.malformed = parts,
            Injected::Oversize => {
                self.oversize = parts;
                if let Some(text) = degree {
                    self.oversize_bytes = size::bytes(text)
                        .map_err(|_| wrong("how large, from 1B to 10MiB, such as 256KiB"))?;
                }
            }
        }
        Ok(())
    }

    /// Records of a job that a duplicate or reordered one belongs together with; 1 where there are none.
    pub(super) fn block(&self) -> u64 {
        let further = |parts: u64, by: u64| if parts > 0 { by } else { 0 };
        1 + further(self.duplicate, self.duplicate_after).max(further(self.reordered, self.reordered_by))
    }

    /// How many of a million records lie in blocks with a duplicate or reordered one.
    pub(super) fn groups(&self) -> u64 {
        self.block() * (self.duplicate + self.reordered)
    }

    /// How many of a million records have a fault that concerns them alone.
    pub(super) fn singles(&self) -> u64 {
        self.late + self.malformed + self.oversize
    }

    /// How long late events are late.
    #[must_use]
    pub fn late_by(&self) -> Duration {
        self.late_by
    }

    /// The size of the largest event, if events are made larger.
    #[must_use]
    pub fn largest(&self) -> Option<u64> {
        (self.oversize > 0).then_some(self.oversize_bytes)
    }
}

/// How many of a million a percentage is: `0.5%` is 5,000.
fn millionths(text: &str) -> Option<u64> {
    let number = text.strip_suffix('%')?;
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 3 || decimals.len() > 4 || !digits(whole) || !digits(decimals) {
        return None;
    }
    let parts = format!("{whole}{decimals:0<4}").parse().ok()?;
    (1..=MILLION).contains(&parts).then_some(parts)
}

/// A percentage of so many of a million.
struct Percent(u64);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:04}", self.0 / 10_000, self.0 % 10_000);
        write!(f, "{}%", text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl fmt::Display for Inject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let late = humantime::format_duration(self.late_by).to_string().replace(' ', "");
        let all = [
            (Injected::Late, self.late, format!("/{late}")),
            (Injected::Duplicate, self.duplicate, format!("/{}", self.duplicate_after)),
            (Injected::Reordered, self.reordered, format!("/{}", self.reordered_by)),
            (Injected::Malformed, self.malformed, String::new()),
            (Injected::Oversize, self.oversize, format!("/{}", Shown(self.oversize_bytes))),
        ];
        let wanted = all.into_iter().filter(|(_, parts, _)| *parts > 0);
        let texts = wanted.map(|(what, parts, degree)| format!("{what}:{}{degree}", Percent(parts)));
        f.write_str(&texts.collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_as_they_are_written() {
        for text in [
            "late:1%/30s,duplicate:0.5%/1,reordered:2%/10,malformed:0.1%,oversize:0.01%/256KiB",
            "late:100%/1h30m",
            "malformed:0.0001%",
        ] {
            assert_eq!(text.parse::<Inject>().map(|inject| inject.to_string()).as_deref(), Ok(text));
        }
        assert_eq!(
            "duplicate:1%,oversize:1%,late:1%".parse::<Inject>().map(|inject| inject.to_string()).as_deref(),
            Ok("late:1%/1m,duplicate:1%/1,oversize:1%/256KiB")
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, wrong) in [
            ("", "\"\" is none of these"),
            ("late", "\"late\" is none of these"),
            ("lost:1%", "\"lost:1%\" is none of these"),
            ("late:1", "\"1\" is no share"),
            ("late:0%", "\"0%\" is no share"),
            ("late:101%", "\"101%\" is no share"),
            ("late:0.00001%", "is no share"),
            ("late:1%,late:2%", "late stands twice"),
            ("late:1%/soon", "\"soon\" is no degree of late"),
            ("duplicate:1%/0", "from 1 to 1000"),
            ("malformed:1%/2", "it has none"),
            ("oversize:1%/11MiB", "from 1B to 10MiB"),
            ("late:60%,malformed:41%", "101% of the records"),
            ("reordered:10%/10", "110% of the records"),
        ] {
            let error = text.parse::<Inject>().expect_err(text).to_string();
            assert!(error.contains(wrong), "{text}: {error}");
        }
    }
}
