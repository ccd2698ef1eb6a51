//! How a stream is read back: what `verify` is asked, and what a run is told of the reading beside it.
//!
//! Reads values and checks what they mean together; what the stream and the journals say is left to start-up.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use super::asked::Asked;
use super::flags;
use super::fleet::name_in_fleet;
use super::invocation::own;
use super::model::Log;
use super::problem::Problem;
use super::resolve;
use super::settings as table;
use crate::generate::{EventChoice, EventKind};
use crate::key::KeyStrategy;
use crate::kinesis::StreamRef;

/// How reading goes about it, beside a run and by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// How often a shard is asked that was read to its tip.
    pub poll: Duration,
    /// How long nothing new must come before it is believed that nothing will.
    pub idle: Duration,
    /// How long it may take: beside a run from the run's end on, by itself in all; none: as long as it takes.
    pub timeout: Option<Duration>,
    /// Whether records of others are no fault.
    pub foreign_allowed: bool,
}

/// How long reading may take after the end of a run, if nothing else is said.
pub const AFTER_A_RUN: Duration = Duration::from_secs(60);

/// What `verify` is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyOptions {
    /// The stream; none: the one that the journals speak of.
    pub stream: Option<StreamRef>,
    /// How long start-up waits for it to become ACTIVE.
    pub active_timeout: Duration,
    /// How long one call may take.
    pub request_timeout: Duration,
    /// From where on it is read.
    pub since: Since,
    /// What the producers say.
    pub journals: Vec<PathBuf>,
    /// The producers that have no journal.
    pub instances: Vec<String>,
    /// The seed of those.
    pub seed: Option<u64>,
    /// The names that runs of that seed have, unless they are given others: one, or that of each instance.
    pub seeded_names: Vec<String>,
    /// Their event; none when nobody said.
    pub event: Option<EventKind>,
    /// How they choose keys; none when nobody said.
    pub key: Option<KeyStrategy>,
    /// How many jobs they have; none when nobody said.
    pub jobs: Option<u32>,
    /// Whether to read on until told to stop, however quiet it is.
    pub follow: bool,
    /// Whether the verdict is printed as JSON.
    pub json: bool,
    /// How reading goes about it.
    pub reading: Reading,
    /// Where metrics and health are served; none: nowhere.
    pub listen: Option<SocketAddr>,
    /// What is logged.
    pub log: Log,
}

/// From where on a stream is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// From the start of the first run that a journal tells of; without journals from the oldest record.
    Start,
    /// From the oldest record that the stream holds.
    Oldest,
    /// From this time, in milliseconds since the Unix epoch.
    Time(u64),
    /// From so long ago.
    Ago(Duration),
}

const SINCE_RULE: &str =
    "start, trim-horizon, a time such as 2026-11-21T12:00:00Z, or how long ago, such as 10m";
const INSTANCES_RULE: &str =
    "names of 1 to 64 of the characters a-z, A-Z, 0-9, _, ., -, with commas between them";

impl std::str::FromStr for Since {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "start" => return Ok(Self::Start),
            "trim-horizon" => return Ok(Self::Oldest),
            _ => {}
        }
        if let Ok(ago) = humantime::parse_duration(text) {
            return Ok(Self::Ago(ago));
        }
        let time = humantime::parse_rfc3339_weak(text).map_err(drop)?;
        let since = time.duration_since(UNIX_EPOCH).map_err(drop)?;
        Ok(Self::Time(since.as_millis() as u64)) // RFC 3339 ends with the year 9999
    }
}

/// The settings of reading.
pub(super) fn reading(asked: &mut Asked) -> Option<Reading> {
    let poll = asked.duration(&table::VERIFY_POLL);
    let idle = asked.duration(&table::VERIFY_IDLE);
    let timeout = asked.optional(&table::VERIFY_TIMEOUT, Asked::duration);
    let foreign = asked.read(&table::VERIFY_FOREIGN, |text| match text {
        "allow" => Ok(true),
        "fault" => Ok(false),
        _ => Err(None),
    });
    Some(Reading { poll: poll?, idle: idle?, timeout: timeout?, foreign_allowed: foreign? })
}

/// What `verify` is asked. `understood`: nothing on the command line was a riddle.
pub(super) fn options(
    asked: &mut Asked,
    journals: &[String],
    follow: bool,
    json: bool,
    understood: bool,
) -> Option<VerifyOptions> {
    let stream = asked.optional(&table::STREAM, Asked::parsed::<StreamRef>);
    let active_timeout = asked.duration(&table::ACTIVE_TIMEOUT);
    let request_timeout = asked.duration(&table::REQUEST_TIMEOUT);
    let since = since(asked);
    let journals = journal_paths(asked, journals);
    let instances = instances(asked);
    let seed = asked.optional(&table::SEED, Asked::number);
    let count = asked.optional(&table::INSTANCE_COUNT, Asked::number::<u32>);
    let event = given(asked, &table::EVENT, event);
    let key = given(asked, &table::PARTITION_KEY, resolve::key);
    let jobs = given(asked, &table::JOBS, |asked| asked.number(&table::JOBS));
    let reading = reading(asked);
    // Only where it is asked for here: the variable is the run's, and its address is taken while it runs.
    let listen = match asked.flags.contains_key(table::LISTEN.flag) {
        true => resolve::listen(asked),
        false => Some(None),
    };
    let log = resolve::log(asked);
    if let (Some(None), Some(journals), true) = (&stream, &journals, understood)
        && journals.is_empty()
    {
        asked.problems.push(Problem::Missing {
            setting: table::STREAM.name,
            flag: format!("--{}", table::STREAM.flag),
            why: "there is nothing to read without a stream, or a journal that names one",
        });
    }
    Some(VerifyOptions {
        stream: stream?,
        active_timeout: active_timeout?,
        request_timeout: request_timeout?,
        since: since?,
        journals: journals?,
        instances: in_fleet(instances?, count?),
        seed: seed?,
        seeded_names: in_fleet(seed?.map(resolve::name_of).into_iter().collect(), count?),
        event: event?,
        key: key?,
        jobs: jobs?,
        follow,
        json,
        reading: reading?,
        listen: listen?,
        log: log?,
    })
}

/// The names of all instances, where there are several under each name.
fn in_fleet(names: Vec<String>, count: Option<u32>) -> Vec<String> {
    let Some(count) = count else { return names };
    names.iter().flat_map(|name| (0..count).map(|index| name_in_fleet(name, index))).collect()
}

/// A setting whose default says nothing of producers that ran elsewhere: none unless somebody set it.
fn given<T>(
    asked: &mut Asked,
    setting: &super::Setting,
    read: impl FnOnce(&mut Asked) -> Option<T>,
) -> Option<Option<T>> {
    if asked.is_given(setting) { read(asked).map(Some) } else { Some(None) }
}

/// The event of producers that have no journal: one that can be made again.
fn event(asked: &mut Asked) -> Option<EventKind> {
    match asked.parsed(&table::EVENT)? {
        EventChoice::Kind(kind) => Some(kind),
        EventChoice::Template(_) => {
            let why = "a template's events carry no identity to find them again by: what can be verified is one of \
                       mouse, click, trade, message";
            asked.together(&[table::EVENT], why.to_owned());
            None
        }
    }
}

fn since(asked: &mut Asked) -> Option<Since> {
    let text = asked.flags.get(flags::SINCE.0).cloned().unwrap_or_else(|| flags::SINCE.2.to_owned());
    own(asked, "--since", &text, SINCE_RULE, text.parse().ok())
}

/// The flags, else the journal that a run in this place writes.
fn journal_paths(asked: &mut Asked, typed: &[String]) -> Option<Vec<PathBuf>> {
    if typed.is_empty() {
        return asked.optional(&table::JOURNAL, resolve::journal).map(|path| path.into_iter().collect());
    }
    let read: Vec<Option<PathBuf>> = typed
        .iter()
        .map(|text| {
            let path = (!text.is_empty()).then(|| text.into());
            own(asked, "--journal", text, "the path of a journal", path)
        })
        .collect();
    read.into_iter().collect()
}

fn instances(asked: &mut Asked) -> Option<Vec<String>> {
    let Some((origin, text)) = asked.value(&table::INSTANCE) else { return Some(Vec::new()) };
    let names: Vec<String> = text.split(',').map(str::to_owned).collect();
    let right = names.iter().all(|name| resolve::is_instance(name));
    own(asked, &origin.to_string(), &text, INSTANCES_RULE, right.then_some(names))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_is_a_word_a_time_or_how_long_ago() {
        for (text, since) in [
            ("start", Since::Start),
            ("trim-horizon", Since::Oldest),
            ("10m", Since::Ago(Duration::from_secs(600))),
            ("1970-01-01T00:01:00Z", Since::Time(60_000)),
            ("1970-01-01 00:00:01", Since::Time(1_000)),
        ] {
            assert_eq!(text.parse(), Ok(since), "{text}");
        }
        for wrong in ["", "latest", "10", "1969-12-31T23:59:59Z", "2026-13-01T00:00:00Z"] {
            assert_eq!(wrong.parse::<Since>(), Err(()), "{wrong}");
        }
    }
}
