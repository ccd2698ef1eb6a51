//! What `compare-retry` is asked: its flags, the settings of a run that it takes, and what those mean.
//!
//! Decides the load, which is the same for every policy and made from these flags alone; who runs it knows the stream.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::{ArgMatches, Command};

use super::asked::Asked;
use super::flags::{JSON, OwnFlag, Verb, arg, json_arg, own_arg};
use super::invocation::own;
use super::model::{Config, Target};
use super::problem::{Problem, Shown};
use super::resolve;
use super::setting::{Form, Group, Setting};
use super::settings::{self as table, SETTINGS};
use crate::send::Retry;

const POLICIES: &str = "policies";
const BASE: &str = "base";
const OVERLOAD: &str = "overload";
const CALM_FOR: &str = "calm-for";
const OVERLOAD_FOR: &str = "overload-for";
const RECOVER_FOR: &str = "recover-for";

/// The flags with values: name, value's name, default, help.
pub(super) const OWN: [OwnFlag; 6] = [
    (
        POLICIES,
        "LIST",
        "none,immediate,exponential,full-jitter,aimd,limiter",
        "The policies, in the order in which they run",
    ),
    (BASE, "PERCENT", "50", "The load before and after the overload, of what the stream takes"),
    (OVERLOAD, "PERCENT", "200", "The load of the overload, of what the stream takes; above the base"),
    (CALM_FOR, "DURATION", "3s", "How long the base load goes on before the overload"),
    (OVERLOAD_FOR, "DURATION", "5s", "How long the overload goes on"),
    (RECOVER_FOR, "DURATION", "12s", "How long the base load goes on after the overload"),
];

const PERCENTS: Form = Form::Number { min: 1, max: 10_000 };
const PHASES: Form = Form::Duration { min: Duration::from_secs(1), max: Duration::from_secs(3_600) };

/// The groups of settings that are taken, but for [`LEFT_OUT`]: the load is made here, and nothing is kept or served.
const TAKEN: [Group; 4] = [Group::Target, Group::Events, Group::Sending, Group::Limits];

/// Settings of other groups that are taken.
const TAKEN_TOO: [&Setting; 4] = [&table::JOBS, &table::PACING, &table::LOG, &table::LOG_FORMAT];

/// Settings of those groups that make no sense here.
const LEFT_OUT: [&Setting; 4] = [&table::DRY_RUN, &table::RETRY, &table::ANSWER_SHEET, &table::AGGREGATION];

/// What `compare-retry` is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompareOptions {
    /// The run, but for its load and its policy.
    pub config: Box<Config>,
    /// The policies, in the order in which they run; at least one, none twice.
    pub policies: Vec<Retry>,
    /// The load before and after the overload, in percent of what the stream takes.
    pub base_percent: u64,
    /// The load of the overload, likewise; above the base.
    pub overload_percent: u64,
    /// How long the base load goes on before; whole seconds.
    pub calm_for: Duration,
    /// How long the overload goes on; whole seconds.
    pub overload_for: Duration,
    /// How long the base load goes on after it; whole seconds.
    pub recover_for: Duration,
    /// Whether the result is told as JSON.
    pub json: bool,
}

/// The subcommand, as clap knows it.
pub(super) fn command() -> Command {
    let taken = SETTINGS.iter().filter(|setting| is_taken(setting)).map(arg);
    Command::new("compare-retry")
        .about("Runs the same load with an overload in it through each retry policy, and compares what came of it")
        .long_about(
            "Runs the same seeded load with an overload in it through each retry policy, one after the other, and prints what \
             came of it: the share that was delivered, attempts for each record stored, delivery delay, time to recover, \
             throttled and lost records. Without a stream, each policy has an embedded one of its own. docs/retry.md explains \
             the policies, docs/metrics.md the columns.",
        )
        .args(OWN.map(own_arg))
        .arg(json_arg("Prints JSON in place of a table"))
        .args(taken)
}

fn is_taken(setting: &Setting) -> bool {
    let among = |some: &[&Setting]| some.iter().any(|one| one.name == setting.name);
    (TAKEN.contains(&setting.group) && !among(&LEFT_OUT)) || among(&TAKEN_TOO)
}

pub(super) fn typed(matches: &ArgMatches) -> Verb {
    Verb::CompareRetry { json: matches.get_flag(JSON) }
}

/// What is asked.
pub(super) fn options(asked: &mut Asked, json: bool) -> Option<CompareOptions> {
    asked.tell_what_is_of_no_use(is_taken, "where the load is made for the comparison");
    let policies = policies(asked);
    let base_percent = percent(asked, BASE);
    let overload_percent = percent(asked, OVERLOAD);
    if let (Some(base), Some(overload)) = (base_percent, overload_percent)
        && overload <= base
    {
        let rule = format!("more than --{BASE}, which is {base}");
        own::<()>(asked, &format!("--{OVERLOAD}"), &overload.to_string(), &rule, None);
        return None;
    }
    let calm_for = phase(asked, CALM_FOR);
    let overload_for = phase(asked, OVERLOAD_FOR);
    let recover_for = phase(asked, RECOVER_FOR);
    let mut config = Box::new(resolve::config(asked)?);
    if config.target == Target::Nowhere {
        config.target = Target::Local { shards: 1, name: resolve::LOCAL_NAME.parse().ok()? };
    }
    // Its load is one of records that a shard's limit counts.
    config.aggregation = None;
    Some(CompareOptions {
        config,
        policies: policies?,
        base_percent: base_percent?,
        overload_percent: overload_percent?,
        calm_for: calm_for?,
        overload_for: overload_for?,
        recover_for: recover_for?,
        json,
    })
}

fn text(flags: &BTreeMap<&'static str, String>, flag: &str) -> String {
    let default = OWN.iter().find(|own| own.0 == flag).map_or("", |own| own.2);
    flags.get(flag).map_or(default, String::as_str).to_owned()
}

fn percent(asked: &mut Asked, flag: &'static str) -> Option<u64> {
    let text = text(&asked.flags, flag);
    own(asked, &format!("--{flag}"), &text, &PERCENTS.rule(), PERCENTS.number(&text))
}

fn phase(asked: &mut Asked, flag: &'static str) -> Option<Duration> {
    let text = text(&asked.flags, flag);
    let whole = PHASES.duration(&text).filter(|time| time.subsec_nanos() == 0);
    own(asked, &format!("--{flag}"), &text, "a duration in whole seconds such as 5s, from 1s to 1h", whole)
}

fn policies(asked: &mut Asked) -> Option<Vec<Retry>> {
    let text = text(&asked.flags, POLICIES);
    let names = Retry::ALL.map(Retry::name).join(", ");
    let rule = format!("a list with commas of some of {names}, each once");
    let read = || {
        let mut all = Vec::new();
        for name in text.split(',') {
            let policy = if name == Retry::OLD_NAME { Retry::FullJitter } else { name.parse().ok()? };
            if all.contains(&policy) {
                return None;
            }
            all.push(policy);
        }
        Some(all)
    };
    let read = read();
    if read.is_none() {
        asked.problems.push(Problem::Wrong {
            setting: None,
            origin: format!("--{POLICIES}"),
            rule,
            value: Shown::value(&text, false),
            detail: None,
        });
    }
    read
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Invocation, Problems, read};

    fn asked(environment: &[(&str, &str)], arguments: &[&str]) -> Result<CompareOptions, Problems> {
        let environment = environment.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
        let arguments = ["x", "compare-retry"].into_iter().chain(arguments.iter().copied());
        match read(environment.collect::<Vec<_>>(), arguments, 7)? {
            Invocation::CompareRetry(options) => Ok(*options),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn without_a_word_all_policies_run_on_an_embedded_shard() {
        let options = asked(&[], &[]).expect("legal");
        assert_eq!(options.policies, Retry::ALL);
        assert!(matches!(options.config.target, Target::Local { shards: 1, .. }));
        assert_eq!((options.base_percent, options.overload_percent, options.json), (50, 200, false));
        let times = [options.calm_for, options.overload_for, options.recover_for].map(|time| time.as_secs());
        assert_eq!(times, [3, 5, 12]);
    }

    #[test]
    fn what_a_run_takes_is_taken_and_what_is_of_no_use_is_told() {
        let (environment, arguments) = (
            [("STREAMER_RATE", "7/s"), ("STREAMER_JOURNAL", "x"), ("STREAMER_AGGREGATION", "51200B")],
            ["--local=4", "--policies=limiter,backoff", "--seed=3", "--json"],
        );
        let options = asked(&environment, &arguments).expect("legal");
        assert!(matches!(options.config.target, Target::Local { shards: 4, .. }));
        assert_eq!(options.policies, [Retry::Limiter, Retry::FullJitter]);
        assert_eq!((options.config.seed.value, options.json), (3, true));
        let told = options.config.notices.join("\n");
        assert!(told.contains("STREAMER_RATE, STREAMER_AGGREGATION, STREAMER_JOURNAL"), "{told}");
        assert_eq!(options.config.aggregation, None);
        assert!(asked(&[], &["--rate=7/s"]).is_err());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_rule_all_at_once() {
        let wrong =
            ["--policies=none,none", "--base=0", "--calm-for=1500ms", "--recover-for=2h", "--max-attempts=0"];
        let told: Vec<String> =
            asked(&[], &wrong).expect_err("wrong").iter().map(ToString::to_string).collect();
        for start in
            ["--policies: must be a list", "--base: must be", "--calm-for: must be", "--recover-for: must be"]
        {
            assert!(told.iter().any(|line| line.starts_with(start)), "{start}: {told:?}");
        }
        assert_eq!(told.len(), 5, "{told:?}");
        let told = asked(&[], &["--base=80", "--overload=80"]).expect_err("wrong");
        assert!(told.iter().any(|line| line.to_string().contains("more than --base, which is 80")));
    }
}
