//! The command line of `verify`: which settings of a run it takes, and what is its own.

use std::ffi::OsString;

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::flags::{JSON, SINCE, Verb, arg, json_arg, own_arg};
use super::setting::Setting;
use super::settings as table;

/// A flag of `verify`.
pub(super) const FOLLOW: &str = "follow";
/// What was typed.
pub(super) fn typed(matches: &ArgMatches) -> Verb {
    let journals = matches.get_many::<OsString>(table::JOURNAL.flag).unwrap_or_default();
    Verb::Verify {
        // What is not Unicode is told where all flags are read.
        journals: journals.filter_map(|path| path.to_str().map(str::to_owned)).collect(),
        follow: matches.get_flag(FOLLOW),
        json: matches.get_flag(JSON),
    }
}

/// The settings that `verify` takes as well. Those of reading have a short flag here.
const VERIFY_TAKES: [&Setting; 18] = [
    &table::STREAM,
    &table::ACTIVE_TIMEOUT,
    &table::EVENT,
    &table::PARTITION_KEY,
    &table::SEED,
    &table::INSTANCE,
    &table::INSTANCE_COUNT,
    &table::JOBS,
    &table::REQUEST_TIMEOUT,
    &table::EVENT_SIZE,
    &table::INJECT,
    &table::FRAMING,
    &table::VERIFY_POLL,
    &table::VERIFY_IDLE,
    &table::VERIFY_TIMEOUT,
    &table::VERIFY_FOREIGN,
    &table::LISTEN,
    &table::LOG,
];

pub(super) fn command() -> Command {
    let short = |setting: &Setting| {
        let arg = arg(setting);
        match setting.flag.strip_prefix("verify-") {
            Some(short) => arg.long(short).alias(setting.flag),
            None => arg,
        }
    };
    let settings = VERIFY_TAKES.into_iter().chain([&table::LOG_FORMAT]).map(short);
    Command::new("verify")
        .about("Reads a stream back and compares what is there with what its producers say")
        .arg(
            arg(&table::JOURNAL).action(ArgAction::Append).num_args(1..).help_heading(None).help(
                "What producers said of their records: one journal or several [default: STREAMER_JOURNAL]",
            ),
        )
        .arg(own_arg(SINCE))
        .arg(
            Arg::new(FOLLOW)
                .long(FOLLOW)
                .action(ArgAction::SetTrue)
                .help("Reads on until a first signal, however quiet it is; then to the end"),
        )
        .arg(json_arg("Prints JSON in place of a table"))
        .args(settings)
}
