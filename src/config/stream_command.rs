//! What `stream create`, `stream delete` and `stream describe` are asked: their flags, and what those mean.
//!
//! Decides what a legal request is; whether the stream may be changed is decided where it is known.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::asked::Asked;
use super::flags::{JSON, Verb, arg, json_arg};
use super::invocation::own;
use super::model::Log;
use super::problem::{Problem, Shown};
use super::setting::Form;
use super::{resolve, settings as table};
use crate::kinesis::{AllowedStreams, MOST_SHARDS, MOST_TAGS, NewStream, StreamRef, Tags};

const NAME: &str = "name";
const STREAM_SHARDS: &str = "shards";
const ON_DEMAND: &str = "on-demand";
const RETENTION: &str = "retention";
const TAG: &str = "tag";
const FORCE: &str = "force";

const HOUR: u64 = 3_600;
/// 24 hours to 365 days (IncreaseStreamRetentionPeriod API reference).
const RETENTIONS: Form =
    Form::Duration { min: Duration::from_secs(24 * HOUR), max: Duration::from_secs(365 * 24 * HOUR) };
const RETENTION_RULE: &str = "a duration in whole hours such as 24h or 7d, from 1d to 365d";
const TAG_RULE: &str =
    "KEY=VALUE, with a key of 1 to 128 characters other than created-by, and a value of up to 256";

/// What `stream` is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamOptions {
    /// What is to be done.
    pub action: StreamAction,
    /// With which stream.
    pub stream: StreamRef,
    /// The only streams that may be changed; none: any.
    pub allowed: Option<AllowedStreams>,
    /// How long it may take until the stream is there, or gone.
    pub active_timeout: Duration,
    /// How long one call may take.
    pub request_timeout: Duration,
    /// Whether it is described as JSON.
    pub json: bool,
    /// What is logged.
    pub log: Log,
}

/// What is to be done with a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamAction {
    /// Make it, and describe it.
    Create(NewStream),
    /// Take it away.
    Delete {
        /// Although it was made by somebody else.
        force: bool,
    },
    /// Describe it.
    Describe,
}

/// The same as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StreamVerb {
    action: TypedAction,
    json: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum TypedAction {
    Create { shards: Option<String>, on_demand: bool, retention: Option<String>, tags: Vec<String> },
    Delete { force: bool },
    Describe,
}

fn value(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .value_name(value)
        .value_parser(value_parser!(OsString))
        .allow_negative_numbers(true)
        .help(help)
}

fn switch(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

/// The subcommand, as clap knows it.
pub(super) fn command() -> Command {
    let settings = || {
        [
            &table::STREAM,
            &table::ALLOWED_STREAMS,
            &table::ACTIVE_TIMEOUT,
            &table::REQUEST_TIMEOUT,
            &table::LOG,
            &table::LOG_FORMAT,
        ]
        .map(arg)
    };
    let name = || {
        Arg::new(NAME)
            .value_name("NAME")
            .value_parser(value_parser!(OsString))
            .conflicts_with(table::STREAM.flag)
            .help("The stream, by name or ARN [default: AWS_KINESIS_STREAM_NAME]")
    };
    let json = || json_arg("Prints JSON in place of a table");
    let create = Command::new("create")
        .about("Makes a stream, tags it created-by=kinesis-streamer, and waits until it is ACTIVE")
        .long_about(
            "Makes a stream, tags it created-by=kinesis-streamer, waits until it is ACTIVE, and describes it. A stream of \
             that name that is as asked is left as it is, and is no error; one that is not is exit code 73.",
        )
        .arg(name())
        .arg(value(STREAM_SHARDS, "N", "Shards, from 1 to 10000 [default: 1]").conflicts_with(ON_DEMAND))
        .arg(switch(ON_DEMAND, "On-demand capacity in place of a number of shards"))
        .arg(value(RETENTION, "DURATION", "How long it keeps records, from 1d to 365d [default: 24h]"))
        .arg(value(TAG, "KEY=VALUE", "A tag; may be given again").action(ArgAction::Append))
        .arg(json())
        .args(settings());
    let delete = Command::new("delete")
        .about("Deletes a stream with all that it holds, and waits until it is gone")
        .arg(name())
        .arg(switch(FORCE, "Also one that has no tag created-by=kinesis-streamer"))
        .args(settings());
    let describe = Command::new("describe")
        .about("Prints what a stream is: mode, status, shards with their hash keys, retention, tags")
        .arg(name())
        .arg(json())
        .args(settings());
    Command::new("stream")
        .about("Creates, deletes or describes a stream")
        .subcommand_required(true)
        .subcommands([create, delete, describe])
}

/// What was typed behind `stream`. The name counts as the flag `--stream`.
pub(super) fn typed<'a>(
    matches: &'a ArgMatches,
    values: &mut BTreeMap<&'static str, String>,
    problems: &mut Vec<Problem>,
) -> (Verb, &'a ArgMatches) {
    let Some((action, sub)) = matches.subcommand() else {
        let verb = StreamVerb { action: TypedAction::Describe, json: false };
        return (Verb::Stream(verb), matches);
    };
    let mut texts = |name: &'static str| -> Vec<String> {
        let Ok(Some(all)) = sub.try_get_many::<OsString>(name) else { return Vec::new() };
        let mut read = Vec::new();
        for one in all {
            match one.to_str() {
                Some(text) => read.push(text.to_owned()),
                None => problems.push(Problem::NotUnicode {
                    setting: None,
                    origin: format!("--{name}"),
                    value: Shown::value(&one.to_string_lossy(), false),
                }),
            }
        }
        read
    };
    let flag = |name| sub.try_get_one::<bool>(name).ok().flatten().copied().unwrap_or(false);
    if let Some(name) = texts(NAME).pop() {
        values.insert(table::STREAM.flag, name);
    }
    let typed = match action {
        "create" => TypedAction::Create {
            shards: texts(STREAM_SHARDS).pop(),
            on_demand: flag(ON_DEMAND),
            retention: texts(RETENTION).pop(),
            tags: texts(TAG),
        },
        "delete" => TypedAction::Delete { force: flag(FORCE) },
        _ => TypedAction::Describe,
    };
    (Verb::Stream(StreamVerb { action: typed, json: flag(JSON) }), sub)
}

/// What `stream` is asked. `understood`: nothing on the command line was a riddle.
pub(super) fn options(asked: &mut Asked, verb: StreamVerb, understood: bool) -> Option<StreamOptions> {
    let stream = asked.optional(&table::STREAM, Asked::parsed::<StreamRef>);
    let allowed = asked.optional(&table::ALLOWED_STREAMS, resolve::allowed);
    let active_timeout = asked.duration(&table::ACTIVE_TIMEOUT);
    let request_timeout = asked.duration(&table::REQUEST_TIMEOUT);
    let log = resolve::log(asked);
    let action = match verb.action {
        TypedAction::Create { shards, on_demand, retention, tags } => {
            new_stream(asked, shards, on_demand, retention, &tags).map(StreamAction::Create)
        }
        TypedAction::Delete { force } => Some(StreamAction::Delete { force }),
        TypedAction::Describe => Some(StreamAction::Describe),
    };
    if matches!(stream, Some(None)) && understood {
        asked.problems.push(Problem::Missing {
            setting: table::STREAM.name,
            flag: "a name behind the subcommand".to_owned(),
            why: "nothing says which stream is meant",
        });
    }
    Some(StreamOptions {
        action: action?,
        stream: stream??,
        allowed: allowed?,
        active_timeout: active_timeout?,
        request_timeout: request_timeout?,
        json: verb.json,
        log: log?,
    })
}

fn new_stream(
    asked: &mut Asked,
    shards: Option<String>,
    on_demand: bool,
    retention: Option<String>,
    tags: &[String],
) -> Option<NewStream> {
    let counts = Form::Number { min: 1, max: MOST_SHARDS };
    let shards = match shards {
        None => Some((!on_demand).then_some(1)),
        Some(text) => {
            let count = counts.number(&text).and_then(|count| u32::try_from(count).ok());
            own(asked, "--shards", &text, &counts.rule(), count).map(Some)
        }
    };
    let retention = match retention {
        None => Some(None),
        Some(text) => {
            let whole = |time: &Duration| time.subsec_nanos() == 0 && time.as_secs().is_multiple_of(HOUR);
            let hours = RETENTIONS.duration(&text).filter(whole).map(|time| time.as_secs() / HOUR);
            let hours = hours.and_then(|hours| u32::try_from(hours).ok());
            own(asked, "--retention", &text, RETENTION_RULE, hours).map(Some)
        }
    };
    let mut all = Tags::new();
    let mut sound = true;
    for text in tags {
        let legal = text.split_once('=').filter(|(key, value)| {
            (1..=128).contains(&key.chars().count())
                && value.chars().count() <= 256
                && !key.starts_with("aws:")
                && *key != "created-by"
        });
        match own(asked, "--tag", text, TAG_RULE, legal) {
            Some((key, value)) => drop(all.insert(key.to_owned(), value.to_owned())),
            None => sound = false,
        }
    }
    // One is ours.
    if all.len() >= MOST_TAGS {
        let rule = format!("at most {} times", MOST_TAGS - 1);
        own::<()>(asked, "--tag", &format!("{} tags", all.len()), &rule, None);
        sound = false;
    }
    let (shards, retention_hours) = (shards?, retention?);
    sound.then_some(NewStream { shards, retention_hours, tags: all })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Invocation, Problems, read};

    fn asked(arguments: &[&str]) -> Result<StreamOptions, Problems> {
        let arguments = ["x", "stream"].into_iter().chain(arguments.iter().copied());
        match read(Vec::<(String, String)>::new(), arguments, 0)? {
            Invocation::Stream(options) => Ok(*options),
            other => panic!("{other:?}"),
        }
    }

    fn new(arguments: &[&str]) -> NewStream {
        match asked(&[&["create", "s"], arguments].concat()).map(|options| options.action) {
            Ok(StreamAction::Create(new)) => new,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_stream_has_one_shard_unless_more_or_none_are_asked_for() {
        assert_eq!(new(&[]), NewStream { shards: Some(1), retention_hours: None, tags: Tags::new() });
        let tags: Tags = [("a".to_owned(), "b=c".to_owned()), ("d".to_owned(), String::new())].into();
        assert_eq!(
            new(&["--on-demand", "--retention=7d", "--tag=a=b=c", "--tag", "d="]),
            NewStream { shards: None, retention_hours: Some(168), tags }
        );
        assert_eq!(new(&["--shards", "10000"]).shards, Some(10_000));
    }

    #[test]
    fn the_stream_is_named_behind_the_subcommand_or_as_a_run_names_it() {
        let by_name = asked(&["delete", "s", "--force"]).expect("legal");
        assert_eq!(
            (by_name.stream.to_string().as_str(), by_name.action),
            ("s", StreamAction::Delete { force: true })
        );
        let by_flag = asked(&["describe", "--stream=s", "--json"]).expect("legal");
        assert_eq!((by_flag.stream.to_string().as_str(), by_flag.json), ("s", true));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_rule_all_at_once() {
        let told = |arguments: &[&str]| -> Vec<String> {
            asked(arguments).expect_err("wrong").iter().map(ToString::to_string).collect()
        };
        let all = told(&[
            "create",
            "a/b",
            "--shards=0",
            "--retention=25h30m",
            "--tag=x",
            "--tag==y",
            "--tag=aws:a=b",
            "--tag=created-by=me",
        ]);
        for (line, start) in all.iter().zip([
            "--stream: must be a stream name",
            "--shards: must be a whole number from 1 to 10000",
            "--retention: must be a duration in whole hours",
            "--tag: must be KEY=VALUE",
            "--tag: must be KEY=VALUE",
            "--tag: must be KEY=VALUE",
            "--tag: must be KEY=VALUE",
        ]) {
            assert!(line.starts_with(start), "{line}");
        }
        assert_eq!(all.len(), 7);
        assert!(told(&["describe"])[0].contains("nothing says which stream is meant"));
        assert!(told(&["create", "s", "--shards=2", "--on-demand"])[0].contains("cannot be used with"));
        assert!(!told(&[]).is_empty());
        let many: Vec<String> = (0..50).map(|tag| format!("--tag={tag}=")).collect();
        let many: Vec<&str> = ["create", "s"].into_iter().chain(many.iter().map(String::as_str)).collect();
        assert!(told(&many)[0].contains("at most 49 times"));
    }
}
