//! The command lines of `check` and `capacity`: which settings of a run they take, what is their own, and what it means.

use std::time::Duration;

use clap::Command;

use super::asked::Asked;
use super::flags::{OwnFlag, arg, json_arg, own_arg};
use super::invocation::own;
use super::model::{Config, Target};
use super::problem::Problem;
use super::resolve;
use super::setting::{Form, Group, Setting};
use super::settings::{self as table, SETTINGS};
use crate::lab::Confidence;

/// A flag of `capacity`.
const MAX_THROTTLED: OwnFlag =
    ("max-throttled", "SHARE", "0.1%", "Highest share of throttled records that counts as sustained");
/// A flag of `capacity`.
const MAX_RATE: OwnFlag = (
    "max-rate",
    "N",
    "twice what the shards take; on a stream that is not on this machine STREAMER_CONFIRM_RATE at most",
    "Most records in a second that are ever offered",
);
/// A flag of `capacity`.
const MAX_TIME: OwnFlag = ("max-time", "DURATION", "5m", "When the search ends in any case");
/// A flag of `capacity`.
const CONFIDENCE: OwnFlag =
    ("confidence", "SHARE", "95%", "How sure each end of the answer is, from 80% to 99.9%");

/// The flags of `capacity` that have no variable.
pub(super) const OWN: [OwnFlag; 4] = [MAX_THROTTLED, MAX_RATE, MAX_TIME, CONFIDENCE];

/// What `capacity` is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct CapacityOptions {
    /// Stream, events and sending; what it says of the load is not looked at.
    pub config: Config,
    /// Highest share of throttled records that counts as sustained; 0.001 is 0.1 %.
    pub most_throttled: f64,
    /// Most records in a second; none: by the stream's shards.
    pub most_rate: Option<u64>,
    /// When the search ends in any case.
    pub most_time: Duration,
    /// How sure each end of the answer is.
    pub confidence: Confidence,
    /// Whether the report is JSON.
    pub json: bool,
}

/// Confidences come from a text with few digits, so that equality is total.
impl Eq for CapacityOptions {}

/// What a run's settings mean for `check`: all of them, for it is about the run.
pub(super) fn check() -> Command {
    Command::new("check")
        .about("Says what a run with these settings will meet: identity, permissions, stream, limits, cost")
        .long_about(
            "Looks at everything before the first record: who the credentials are, whether they may put records (by a \
             DryRun, which stores nothing), the stream's mode, shards and limits, how far it is, and what the load will \
             meet there: records and bytes for each shard, what is going to be throttled, and the cost. Sends nothing.",
        )
        .arg(json_arg("Prints JSON in place of text"))
        .args(SETTINGS.iter().filter(|one| one.name != table::DRY_RUN.name).map(arg))
}

/// Whether `capacity` looks at a setting.
fn counts(setting: &Setting) -> bool {
    const NOT: [&Setting; 8] = [
        &table::AGGREGATION,
        &table::DRY_RUN,
        &table::RETRY,
        &table::MAX_ATTEMPTS,
        &table::INJECT,
        &table::ANSWER_SHEET,
        &table::LISTEN,
        &table::JOURNAL,
    ];
    let topic = matches!(
        setting.group,
        Group::Target | Group::Events | Group::Sending | Group::Limits | Group::Watching
    );
    (topic || setting.name == table::JOBS.name) && !NOT.iter().any(|not| not.name == setting.name)
}

pub(super) fn capacity() -> Command {
    Command::new("capacity")
        .about("Finds the highest rate that the stream sustains, and what keeps it from more")
        .long_about(
            "Offers records like a run's (its event, size, keys, client), and searches for the highest rate at which at \
             most --max-throttled of them are throttled: a ramp, then trials that are repeated until each end of the \
             answer is sure. The partition key is round-robin unless another is set, so that all shards are loaded alike. \
             Records are stored, and cost what records cost.",
        )
        .arg(json_arg("Prints JSON in place of text"))
        .args(OWN.map(own_arg))
        .args(SETTINGS.iter().filter(|one| counts(one)).map(arg))
}

/// The config of `check`, which needs a stream.
pub(super) fn check_config(asked: &mut Asked, understood: bool) -> Option<Config> {
    let config = resolve::config(asked);
    need_a_stream(asked, config.as_ref(), understood, "check looks at a stream, unless it is --local");
    config
}

fn need_a_stream(asked: &mut Asked, config: Option<&Config>, understood: bool, why: &'static str) {
    if understood && config.is_some_and(|config| config.target == Target::Nowhere) {
        let flag = format!("--{}", table::STREAM.flag);
        asked.problems.push(Problem::Missing { setting: table::STREAM.name, flag, why });
    }
}

/// What `capacity` is asked.
pub(super) fn capacity_options(asked: &mut Asked, json: bool, understood: bool) -> Option<CapacityOptions> {
    // Any other would find the limit of one shard; who wants that says so.
    if !asked.is_given(&table::PARTITION_KEY) {
        asked.flags.insert(table::PARTITION_KEY.flag, "round-robin".to_owned());
    }
    let most_throttled = flag(asked, MAX_THROTTLED, "a share such as 0.1%, from 0.01% to 50%", |text| {
        percent(text).filter(|share| (0.0001..=0.5).contains(share))
    });
    let rates = Form::Number { min: 10, max: table::MOST_RECORDS_PER_TICK };
    let most_rate = match asked.flags.get(MAX_RATE.0).cloned() {
        None => Some(None),
        Some(text) => own(asked, "--max-rate", &text, &rates.rule(), rates.number(&text)).map(Some),
    };
    let times = Form::Duration { min: Duration::from_secs(10), max: Duration::from_secs(86_400) };
    let most_time = flag(asked, MAX_TIME, &times.rule(), |text| times.duration(text));
    let confidence = flag(asked, CONFIDENCE, "a share such as 95%, from 80% to 99.9%", |text| {
        percent(text).filter(|share| (0.8..=0.999).contains(share)).and_then(Confidence::of)
    });
    asked.tell_what_is_of_no_use(counts, "where the load is made for the search");
    let mut config = resolve::config(asked);
    if let Some(config) = &mut config {
        // Faults on purpose are a matter of what readers find.
        config.shaping.inject = None;
        // What is searched is the rate of records that a shard's limit counts.
        config.aggregation = None;
    }
    let why = "capacity needs a stream, unless it is --local";
    need_a_stream(asked, config.as_ref(), understood, why);
    Some(CapacityOptions {
        config: config?,
        most_throttled: most_throttled?,
        most_rate: most_rate?,
        most_time: most_time?,
        confidence: confidence?,
        json,
    })
}

fn flag<T>(
    asked: &mut Asked,
    (name, _, default, _): OwnFlag,
    rule: &str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Option<T> {
    let text = asked.flags.get(name).cloned().unwrap_or_else(|| default.to_owned());
    own(asked, &format!("--{name}"), &text, rule, read(&text))
}

/// `0.1%` as 0.001.
fn percent(text: &str) -> Option<f64> {
    let number = text.strip_suffix('%')?.trim_end();
    let plain = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    number.parse::<f64>().ok().filter(|_| plain && number.len() <= 8).map(|percent| percent / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Invocation, Problems, read};
    use crate::key::KeyStrategy;

    fn asked(arguments: &[&str]) -> Result<CapacityOptions, Problems> {
        let arguments = ["x", "capacity"].into_iter().chain(arguments.iter().copied());
        match read(Vec::<(String, String)>::new(), arguments, 0)? {
            Invocation::Capacity(options) => Ok(*options),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_keys_are_even_unless_others_are_asked_for() {
        assert_eq!(asked(&["--local"]).expect("legal").config.key, KeyStrategy::RoundRobin);
        let random = asked(&["--local", "--partition-key=random"]).expect("legal");
        assert_eq!(random.config.key, KeyStrategy::Random);
    }

    #[test]
    fn its_own_flags_have_defaults_and_bounds() {
        let usual = asked(&["--stream=s"]).expect("legal");
        assert_eq!((usual.most_throttled, usual.most_rate), (0.001, None));
        assert_eq!((usual.most_time, usual.confidence.share()), (Duration::from_secs(300), 0.95));
        let all = asked(&[
            "--stream=s",
            "--max-throttled=1.5%",
            "--max-rate=10",
            "--max-time=10s",
            "--confidence=99%",
        ]);
        let all = all.expect("legal");
        assert_eq!((all.most_throttled, all.most_rate, all.confidence.share()), (0.015, Some(10), 0.99));
        let wrong = ["--max-throttled=0.1", "--max-rate=9", "--max-time=9s", "--confidence=100%"];
        let told: Vec<String> = asked(&[&["--stream=s"][..], &wrong].concat())
            .expect_err("all of them are wrong")
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(told.len(), 4, "{told:?}");
        assert!(asked(&[]).expect_err("no stream").to_string().contains("capacity needs a stream"));
        assert!(asked(&["--local", "--rate=5/s"]).is_err(), "the search says what is offered");
    }

    #[test]
    fn check_takes_all_that_a_run_does() {
        let arguments =
            ["x", "check", "--local=2", "--json", "--rate=5/s", "--max-cost=1", "--price-put-units=0.014"];
        match read(Vec::<(String, String)>::new(), arguments, 0) {
            Ok(Invocation::Check { config, json: true }) => assert!(config.costs.most.is_some()),
            other => panic!("{other:?}"),
        }
        assert!(read(Vec::<(String, String)>::new(), ["x", "check"], 0).is_err());
        let no_price = ["x", "check", "--local", "--max-cost=1"];
        let told = read(Vec::<(String, String)>::new(), no_price, 0).expect_err("a cost by which prices?");
        assert!(told.to_string().contains("STREAMER_PRICE_SHARD_HOUR"), "{told}");
    }
}
