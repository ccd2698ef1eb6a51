//! The command line: flags and subcommands, made from the table of settings.
//!
//! Decides what was typed where, never what a value means, and never ends the process.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::ops::Range;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::aws::AWS_VARIABLES;
use super::compare_command;
use super::healthcheck::{self, HealthVerb};
use super::lab_command;
use super::problem::{Problem, Shown};
use super::report_command::{self, ReportVerb};
use super::resolve::LOCAL_NAME;
use super::setting::{Absent, Group, Scope, Setting};
use super::settings::{self as table, SETTINGS};
use super::stream_command::{self, StreamVerb};
use super::verify_command;

/// Most mistakes on a command line that are looked for, each of which costs another reading of it.
const MOST_MISTAKES: usize = 20;

/// The program's name in the help.
const PROGRAM: &str = "kinesis-streamer";

/// A flag of the subcommands that has no variable: its name, its value's name, its default, its help.
pub(super) type OwnFlag = (&'static str, &'static str, &'static str, &'static str);

/// The flags of `local`.
pub(super) const SHARDS: OwnFlag = ("shards", "N", "1", "Shards of the stream, from 1 to 1000");
/// The flags of `local`.
pub(super) const PORT: OwnFlag = ("port", "PORT", "4567", "The port to serve on; 0: any free one");
/// The flags of `local`.
pub(super) const HOST: OwnFlag = ("host", "IP", "127.0.0.1", "The address to serve on");
/// The flags of `local`.
pub(super) const NAME: OwnFlag = ("stream", "NAME", LOCAL_NAME, "The name of the stream");
/// A flag of `verify`.
pub(super) const SINCE: OwnFlag = (
    "since",
    "WHEN",
    "start",
    "From where on to read: start (of the first run in the journals; without any, the oldest record), trim-horizon, \
     a time such as 2026-11-21T12:00:00Z, or how long ago, such as 10m",
);
/// The argument of `sample`.
pub(super) const COUNT: &str = "count";
/// The argument of `journal`.
pub(super) const FILE: &str = "file";
/// A flag of `journal` and of others.
pub(super) const JSON: &str = "json";
/// A flag of `sample`.
const NULL: &str = "null";
/// The argument of `lint` and `import`.
pub(super) const TEMPLATE: &str = "template";
/// The flag of `import`.
pub(super) const INTO: OwnFlag = ("into", "FOLDER", ".", "Where the files are written");

/// The second argument of `import`.
pub(super) const PERIODS: &str = "periods";
/// A flag of `plan`.
pub(super) const SVG: &str = "svg";

/// What the user wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verb {
    Run,
    Sample { null: bool },
    Plan,
    Local,
    Journal { json: bool },
    Verify { journals: Vec<String>, follow: bool, json: bool },
    Lint,
    Import,
    Stream(StreamVerb),
    Healthcheck(HealthVerb),
    CompareRetry { json: bool },
    Check { json: bool },
    Capacity { json: bool },
    Report(ReportVerb),
}

/// What was typed.
#[derive(Debug)]
pub(super) struct Typed {
    pub verb: Verb,
    /// Values by flag (`count` for the argument of `sample`), as they were typed.
    pub values: BTreeMap<&'static str, String>,
    pub problems: Vec<Problem>,
}

/// What a command line asks for.
#[derive(Debug)]
pub(super) enum Line {
    Help(String),
    Version(String),
    Typed(Typed),
}

/// Reads the arguments that follow the program's name.
pub(super) fn read(mut arguments: Vec<OsString>) -> Line {
    let mut problems = detached_values(&mut arguments);
    loop {
        match command().try_get_matches_from(with_program(&arguments)) {
            Ok(matches) => return Line::Typed(typed(&matches, problems)),
            Err(error) => match error.kind() {
                ErrorKind::DisplayHelp => return Line::Help(error.to_string()),
                ErrorKind::DisplayVersion => return Line::Version(error.to_string()),
                _ => {
                    problems.push(in_one_line(&error));
                    // Without the culprit the rest can be read, so that its problems are found as well.
                    match culprit(&error, &arguments).filter(|_| problems.len() < MOST_MISTAKES) {
                        Some(range) => drop(arguments.drain(range)),
                        None => {
                            let lenient =
                                command().ignore_errors(true).try_get_matches_from(with_program(&arguments));
                            return Line::Typed(typed(&lenient.unwrap_or_default(), problems));
                        }
                    }
                }
            },
        }
    }
}

/// The program's name as people know it, whatever it was called by, and what follows it.
fn with_program(arguments: &[OsString]) -> impl Iterator<Item = OsString> + use<> {
    std::iter::once(OsString::from(PROGRAM)).chain(arguments.to_vec())
}

/// Takes out what was meant as the value of a switch and stands apart from it (`--local 4`), which clap
/// would call a subcommand; each is a problem.
fn detached_values(arguments: &mut Vec<OsString>) -> Vec<Problem> {
    let known = command();
    let mut problems = Vec::new();
    let mut at = 1;
    while at < arguments.len() {
        let pair = arguments[at - 1].to_str().zip(arguments[at].to_str());
        let detached = pair.filter(|(flag, value)| {
            let switch = |setting: &Setting| setting.switch && flag.strip_prefix("--") == Some(setting.flag);
            !value.starts_with('-') && SETTINGS.iter().any(switch) && known.find_subcommand(value).is_none()
        });
        match detached {
            Some((flag, value)) => {
                let text = format!("{flag}: its value needs an equals sign: {flag}={value}");
                problems.push(Problem::Arguments(Shown::message(&text)));
                arguments.remove(at);
            }
            None => at += 1,
        }
    }
    problems
}

/// Where in the arguments a mistake stands; none when that can't be told.
fn culprit(error: &clap::Error, arguments: &[OsString]) -> Option<Range<usize>> {
    let kinds = [ContextKind::InvalidArg, ContextKind::InvalidSubcommand];
    let Some(ContextValue::String(text)) = kinds.into_iter().find_map(|kind| error.get(kind)) else {
        return None;
    };
    // What follows a known subcommand is meant for it: it is read on, and what stands before is not.
    if error.kind() == ErrorKind::ArgumentConflict && command().find_subcommand(text).is_some() {
        let at = arguments.iter().rposition(|argument| argument == text.as_str())?;
        return (at > 0).then_some(0..at);
    }
    // clap adds the value's name to a known flag: `--jobs <N>`, `--local[=<SHARDS>]`.
    let flag = text.split([' ', '=', '[']).next().filter(|_| text.starts_with("--")).unwrap_or(text);
    let at = arguments.iter().position(|argument| {
        argument.to_str().is_some_and(|argument| {
            argument == flag || argument.strip_prefix(flag).is_some_and(|rest| rest.starts_with('='))
        })
    })?;
    // The word after an unknown or repeated flag is most likely its value, and no mistake of its own.
    let value = matches!(error.kind(), ErrorKind::UnknownArgument | ErrorKind::ArgumentConflict)
        && arguments[at].to_str() == Some(flag)
        && flag.starts_with("--")
        && arguments
            .get(at + 1)
            .and_then(|next| next.to_str())
            .is_some_and(|next| !next.starts_with("--") && command().find_subcommand(next).is_none());
    Some(at..at + 1 + usize::from(value))
}

/// A mistake in a line of ours, without clap's usage and colours.
fn in_one_line(error: &clap::Error) -> Problem {
    if let (ErrorKind::UnknownArgument, Some(ContextValue::String(flag))) =
        (error.kind(), error.get(ContextKind::InvalidArg))
        && flag.starts_with('-')
    {
        let nearest = match error.get(ContextKind::SuggestedArg) {
            Some(ContextValue::String(near)) => Some(near.clone()),
            _ => None,
        };
        return Problem::UnknownFlag { flag: Shown::plain(flag), nearest };
    }
    if let (ErrorKind::ArgumentConflict, Some(ContextValue::String(word))) =
        (error.kind(), error.get(ContextKind::InvalidSubcommand))
    {
        // clap calls any word after a flag a subcommand in the wrong place.
        let text = match command().find_subcommand(word) {
            Some(_) => format!("{word}: its flags go after it, and a run's flags are not for it"),
            None => format!("unrecognized subcommand '{word}'"),
        };
        return Problem::Arguments(Shown::message(&text));
    }
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let end = ["\n\nUsage:", "\n\n  tip:", "\n\nFor more"].iter().filter_map(|mark| text.find(mark)).min();
    let words: Vec<&str> = text[..end.unwrap_or(text.len())].split_whitespace().collect();
    let hint = match error.get(ContextKind::SuggestedSubcommand) {
        Some(ContextValue::Strings(near)) if !near.is_empty() => {
            format!("; did you mean {}?", near.join(" or "))
        }
        _ => String::new(),
    };
    Problem::Arguments(Shown::message(&(words.join(" ") + &hint)))
}

fn typed(matches: &ArgMatches, mut problems: Vec<Problem>) -> Typed {
    let mut values = BTreeMap::new();
    let (verb, matches) = match matches.subcommand() {
        Some(("sample", sub)) => (Verb::Sample { null: sub.get_flag(NULL) }, sub),
        Some(("plan", sub)) => (Verb::Plan, sub),
        Some(("local", sub)) => (Verb::Local, sub),
        Some(("journal", sub)) => (Verb::Journal { json: sub.get_flag(JSON) }, sub),
        Some(("verify", sub)) => (verify_command::typed(sub), sub),
        Some(("lint", sub)) => (Verb::Lint, sub),
        Some(("import", sub)) => (Verb::Import, sub.subcommand_matches("kdg").unwrap_or(sub)),
        Some(("stream", sub)) => stream_command::typed(sub, &mut values, &mut problems),
        Some(("healthcheck", sub)) => (healthcheck::typed(sub), sub),
        Some(("compare-retry", sub)) => (compare_command::typed(sub), sub),
        Some(("check", sub)) => (Verb::Check { json: sub.get_flag(JSON) }, sub),
        Some(("capacity", sub)) => (Verb::Capacity { json: sub.get_flag(JSON) }, sub),
        Some((name @ ("report" | "compare" | "merge"), sub)) => {
            (Verb::Report(report_command::typed(name, sub)), sub)
        }
        _ => (Verb::Run, matches),
    };
    let settings = SETTINGS.iter().map(|setting| (setting.flag, setting.secret));
    let own = [SHARDS, PORT, HOST, SINCE, INTO].map(|flag| (flag.0, false)).into_iter();
    let own = own.chain(lab_command::OWN.map(|flag| (flag.0, false)));
    let arguments = [COUNT, FILE, TEMPLATE, PERIODS, SVG].map(|argument| (argument, false));
    let asking = healthcheck::OWN.map(|flag| (flag, false));
    let comparing = compare_command::OWN.map(|flag| (flag.0, false));
    for (flag, secret) in settings.chain(own).chain(asking).chain(comparing).chain(arguments) {
        // `try_…`: each subcommand knows only its own flags.
        let Some(value) = given(matches, flag) else { continue };
        match value.to_str() {
            Some(value) => drop(values.insert(flag, value.to_owned())),
            None => problems.push(Problem::NotUnicode {
                setting: SETTINGS.iter().find(|setting| setting.flag == flag).map(|setting| setting.name),
                origin: match flag {
                    COUNT => "sample N".to_owned(),
                    FILE => "journal FILE".to_owned(),
                    TEMPLATE | PERIODS => "the file".to_owned(),
                    flag => format!("--{flag}"),
                },
                value: Shown::value(&value.to_string_lossy(), secret),
            }),
        }
    }
    Typed { verb, values, problems }
}

/// The value of a flag; of one that may be repeated, all of them as its variable would have them.
fn given(matches: &ArgMatches, flag: &str) -> Option<OsString> {
    match SETTINGS.iter().find(|setting| setting.flag == flag).and_then(|setting| setting.many) {
        None => matches.try_get_one::<OsString>(flag).ok()?.cloned(),
        Some(between) => {
            let values = matches.try_get_many::<OsString>(flag).ok()??;
            values.cloned().reduce(|mut all, next| {
                all.push(between.to_string());
                all.push(next);
                all
            })
        }
    }
}

/// The whole command line, as clap knows it.
pub(super) fn command() -> Command {
    let sample = Command::new("sample")
        .about("Prints events to standard output and sends nothing")
        .arg(
            Arg::new(COUNT)
                .value_name("N")
                .value_parser(value_parser!(OsString))
                .allow_negative_numbers(true)
                .help("How many, from 1 [default: 10]"),
        )
        .arg(
            Arg::new(NULL)
                .long(NULL)
                .action(ArgAction::SetTrue)
                .help("Ends each event with NUL in place of a line feed"),
        )
        .args(SETTINGS.iter().filter(|setting| setting.scope != Scope::Run).map(arg));
    let plan = Command::new("plan")
        .about("Draws the load over time, with its totals, and sends nothing")
        .arg(
            Arg::new(SVG)
                .long(SVG)
                .value_name("FILE")
                .value_parser(value_parser!(OsString))
                .help("Writes a picture to this file as well"),
        )
        .args(SETTINGS.iter().filter(|one| one.group == Group::Load || one.scope != Scope::Run).map(arg));
    let local = Command::new("local")
        .about("Serves the embedded stream alone, for other tools")
        .args([SHARDS, PORT, HOST, NAME].map(own_arg))
        .args(SETTINGS.iter().filter(|setting| setting.scope == Scope::Everywhere).map(arg));
    let journal = Command::new("journal")
        .about("Prints what a journal says of each of its runs, also of one that was killed or goes on")
        .arg(
            Arg::new(FILE)
                .value_name("FILE")
                .value_parser(value_parser!(OsString))
                .help(format!("The journal [default: {}]", super::settings::JOURNAL.name)),
        )
        .arg(json_arg("Prints JSON in place of a table"));
    let file = |name: &'static str| {
        Arg::new(TEMPLATE)
            .value_name(name)
            .value_parser(value_parser!(OsString))
            .required(true)
            .help("The file; - reads standard input")
    };
    let lint = Command::new("lint")
        .about("Says whether the Kinesis Data Generator would take a template, and where it would choke")
        .arg(file("TEMPLATE"))
        .arg(arg(&table::TEMPLATE_LANGUAGE));
    let kdg = Command::new("kdg")
        .about("The Kinesis Data Generator's saved templates become template files")
        .long_about(
            "The Kinesis Data Generator's saved templates become template files, one each, with a word on what each \
             means.\n\nThe generator keeps them in the browser: on its page, in the browser's console,\n\n    \
             copy(localStorage.getItem(\"templates\"))\n\ncopies them; paste that into a file. A file that exists is \
             not overwritten. The generator's periods (rates by hour), saved there under \"periods\", become a \
             profile, periods.toml.",
        )
        .arg(file("TEMPLATES.json"))
        .arg(file("PERIODS.json").id(PERIODS).required(false).help("The file with the periods"))
        .arg(own_arg(INTO));
    let import = Command::new("import")
        .about("Takes over what other generators have saved")
        .subcommand_required(true)
        .subcommand(kdg);
    Command::new(PROGRAM)
        .version(env!("CARGO_PKG_VERSION"))
        .about("Puts a known load on a Kinesis data stream and says what became of every record")
        // A run's flags before a subcommand would do nothing.
        .args_conflicts_with_subcommands(true)
        .args(SETTINGS.iter().map(arg))
        .subcommands([sample, plan, local, verify_command::command(), journal, lint, import])
        .subcommands([stream_command::command(), healthcheck::command()])
        .subcommand(compare_command::command())
        .subcommands([lab_command::check(), lab_command::capacity()])
        .subcommands(report_command::commands())
        .after_help(after_help())
}

pub(super) fn arg(setting: &Setting) -> Arg {
    let default = match setting.absent {
        Absent::Value(text) => text,
        Absent::Means(words) => words,
    };
    let names = setting.names().collect::<Vec<_>>().join(", else ");
    let arg = Arg::new(setting.flag)
        .long(setting.flag)
        .value_name(setting.value)
        .value_parser(value_parser!(OsString))
        .action(ArgAction::Set)
        .help_heading(setting.group.heading())
        .help(format!(
            "{}\nTakes {}\n[env: {names}] [default: {default}]",
            setting.help,
            setting.form.rule()
        ));
    let arg = if setting.many.is_some() { arg.action(ArgAction::Append) } else { arg };
    if setting.switch {
        arg.num_args(0..=1).require_equals(true).default_missing_value("true")
    } else {
        arg.allow_negative_numbers(true)
    }
}

/// The switch of a subcommand that can tell its result to machines.
pub(super) fn json_arg(help: &'static str) -> Arg {
    Arg::new(JSON).long(JSON).action(ArgAction::SetTrue).help(help)
}

pub(super) fn own_arg((flag, value, default, help): OwnFlag) -> Arg {
    Arg::new(flag)
        .long(flag)
        .value_name(value)
        .value_parser(value_parser!(OsString))
        .allow_negative_numbers(true)
        .help(format!("{help} [default: {default}]"))
}

fn after_help() -> String {
    let mut text = String::from(
        "A flag wins over the environment, which wins over the file .env in the working directory.\n\
         Credentials, region and endpoint come from AWS's own default chain, which reads:",
    );
    for variable in AWS_VARIABLES {
        text.push_str("\n  ");
        text.push_str(variable.name);
    }
    text
}
