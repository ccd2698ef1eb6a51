//! What the program is asked to do, from an environment and a command line.
//!
//! Touches neither: both come as iterators, and so does randomness as a number.

use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use super::asked::Asked;
use super::aws::AwsValues;
use super::compare_command::{self, CompareOptions};
use super::flags::{self, HOST, INTO, Line, NAME, OwnFlag, PORT, SHARDS, Typed, Verb};
use super::fleet::Here;
use super::healthcheck::{self, HealthOptions};
use super::lab_command::{self, CapacityOptions};
use super::model::{Config, Log, Target};
use super::otel::OtelValues;
use super::problem::{Problem, Problems, Shown};
use super::report_command::{self, ReportTask};
use super::resolve;
use super::setting::Form;
use super::settings as table;
use super::stream_command::{self, StreamOptions};
use super::vars::Vars;
use super::verify::{self, VerifyOptions};
use crate::generate::{TemplateLanguage, TemplateOrigin};
use crate::kinesis::StreamName;

/// What the program is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invocation {
    /// Run the load. Unless it is a dry run, there is a stream.
    Run(Box<Config>),
    /// Print events.
    Sample {
        /// What they are made from.
        config: Box<Config>,
        /// How many.
        count: u64,
        /// What ends each.
        separator: u8,
    },
    /// Draw the load over time.
    Plan {
        /// What the load is.
        config: Box<Config>,
        /// Where a picture is written; none: nowhere.
        svg: Option<PathBuf>,
    },
    /// Serve the embedded stream alone.
    Local(LocalOptions),
    /// Read a stream back.
    Verify(Box<VerifyOptions>),
    /// Print what a journal says.
    Journal {
        /// The file.
        path: PathBuf,
        /// As JSON, in place of a table.
        json: bool,
    },
    /// Say whether a template can be used, and what the Kinesis Data Generator would do with it.
    /// It is read in this language.
    Lint(TemplateOrigin, TemplateLanguage),
    /// Make template files of what the Kinesis Data Generator has saved.
    Import {
        /// What it has saved: templates, or periods.
        from: TemplateOrigin,
        /// The periods that it has saved.
        periods: Option<TemplateOrigin>,
        /// The folder that the files are written to.
        into: PathBuf,
    },
    /// Make, take away or describe a stream.
    Stream(Box<StreamOptions>),
    /// Ask a listener whether it lives.
    Healthcheck(HealthOptions),
    /// Run the same load through each retry policy.
    CompareRetry(Box<CompareOptions>),
    /// Say what a run would meet.
    Check {
        /// The run.
        config: Box<Config>,
        /// As JSON, in place of text.
        json: bool,
    },
    /// Find what the stream sustains.
    Capacity(Box<CapacityOptions>),
    /// Show, compare or merge reports.
    Report(ReportTask),
    /// Print this text to standard output.
    Help(String),
    /// Print this text to standard output.
    Version(String),
}

/// How the embedded stream is served alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalOptions {
    /// Its shards, 1 to 1,000.
    pub shards: u32,
    /// Where it is served; port 0: any free one.
    pub address: SocketAddr,
    /// The stream that is there from the start.
    pub stream: StreamName,
    /// What is logged.
    pub log: Log,
}

/// Events that `sample` prints when no number is given.
const SAMPLES: u64 = 10;

/// Reads a whole invocation.
///
/// - `environment`: the process's environment with `.env` merged under it, as `std::env::vars_os` gives
///   it. Only variables of the table are kept, and AWS's endpoints and regions looked at.
/// - `arguments`: the command line with the program's name first, as `std::env::args_os` gives it.
/// - `fresh_seed`: the seed of a run that is not given one.
///
/// # Errors
/// Everything that is wrong, at once.
pub fn read<K, V, A>(
    environment: impl IntoIterator<Item = (K, V)>,
    arguments: impl IntoIterator<Item = A>,
    fresh_seed: u64,
) -> Result<Invocation, Problems>
where
    K: Into<OsString>,
    V: Into<OsString>,
    A: Into<OsString>,
{
    read_here(environment, arguments, Here { fresh_seed, host: None })
}

/// The same, in a process on a host that has a name.
///
/// # Errors
/// Everything that is wrong, at once.
pub fn read_here<K, V, A>(
    environment: impl IntoIterator<Item = (K, V)>,
    arguments: impl IntoIterator<Item = A>,
    here: Here,
) -> Result<Invocation, Problems>
where
    K: Into<OsString>,
    V: Into<OsString>,
    A: Into<OsString>,
{
    let typed = match flags::read(arguments.into_iter().skip(1).map(Into::into).collect()) {
        Line::Help(text) => return Ok(Invocation::Help(text)),
        Line::Version(text) => return Ok(Invocation::Version(text)),
        Line::Typed(typed) => typed,
    };
    let Typed { verb, values, mut problems } = typed;
    // Nothing is called missing while the command line holds something that was not understood.
    let understood = problems.is_empty();
    let (mut aws, mut otel) = (AwsValues::default(), OtelValues::default());
    let environment = environment.into_iter().map(|(name, value)| (name.into(), value.into())).inspect(
        |(name, value): &(OsString, OsString)| {
            aws.note(name, value);
            otel.note(name, value);
        },
    );
    let mut notices = Vec::new();
    let vars = Vars::read(environment, &mut problems, &mut notices);
    let mut asked = Asked { vars, flags: values, problems, notices, here, puzzled: !understood };
    let invocation = match verb {
        Verb::Run => {
            let otlp = otel.otlp(&mut asked, cfg!(feature = "otlp"));
            let config = resolve::config(&mut asked).map(|config| Config { otlp, ..config });
            let nowhere =
                config.as_ref().is_some_and(|config| config.target == Target::Nowhere && !config.dry_run);
            if understood && nowhere {
                asked.problems.push(Problem::Missing {
                    setting: table::STREAM.name,
                    flag: format!("--{}", table::STREAM.flag),
                    why: "a run needs a stream, unless it is --local or --dry-run",
                });
            }
            aws.check(&mut asked);
            config.map(|config| Invocation::Run(Box::new(config)))
        }
        Verb::Sample { null } => {
            let count = count(&mut asked);
            resolve::config(&mut asked).zip(count).map(|(config, count)| Invocation::Sample {
                config: Box::new(config),
                count,
                separator: if null { 0 } else { b'\n' },
            })
        }
        Verb::Plan => {
            let svg = asked.flags.get(flags::SVG).cloned();
            let svg = match svg {
                None => Some(None),
                Some(text) => {
                    let path = (!text.is_empty()).then(|| Some(PathBuf::from(&text)));
                    own(&mut asked, "--svg", &text, "the path of a file", path)
                }
            };
            let config = resolve::config(&mut asked);
            config.zip(svg).map(|(config, svg)| Invocation::Plan { config: Box::new(config), svg })
        }
        Verb::Local => local(&mut asked).map(Invocation::Local),
        Verb::Verify { journals, follow, json } => {
            let options = verify::options(&mut asked, &journals, follow, json, understood);
            aws.check(&mut asked);
            options.map(|options| Invocation::Verify(Box::new(options)))
        }
        Verb::Journal { json } => {
            journal(&mut asked, understood).map(|path| Invocation::Journal { path, json })
        }
        Verb::Stream(verb) => {
            let options = stream_command::options(&mut asked, verb, understood);
            aws.check(&mut asked);
            options.map(|options| Invocation::Stream(Box::new(options)))
        }
        Verb::Healthcheck(verb) => healthcheck::options(&mut asked, &verb).map(Invocation::Healthcheck),
        Verb::CompareRetry { json } => {
            let options = compare_command::options(&mut asked, json);
            aws.check(&mut asked);
            options.map(|options| Invocation::CompareRetry(Box::new(options)))
        }
        Verb::Check { json } => {
            let config = lab_command::check_config(&mut asked, understood);
            aws.check(&mut asked);
            config.map(|config| Invocation::Check { config: Box::new(config), json })
        }
        Verb::Capacity { json } => {
            let options = lab_command::capacity_options(&mut asked, json, understood);
            aws.check(&mut asked);
            options.map(|options| Invocation::Capacity(Box::new(options)))
        }
        Verb::Report(verb) => report_command::task(&mut asked, verb).map(Invocation::Report),
        Verb::Lint => {
            let language = asked.parsed(&table::TEMPLATE_LANGUAGE);
            let template = file(&mut asked, understood);
            template.zip(language).map(|(template, language)| Invocation::Lint(template, language))
        }
        Verb::Import => {
            let into = asked.flags.get(INTO.0).map_or(INTO.2, String::as_str).into();
            let from = file(&mut asked, understood);
            let periods = asked
                .flags
                .get(flags::PERIODS)
                .cloned()
                .map(|text| own(&mut asked, "the file", &text, "a path, or -", text.parse().ok()));
            let periods = periods.map_or(Some(None), |periods| periods.map(Some));
            from.zip(periods).map(|(from, periods)| Invocation::Import { from, periods, into })
        }
    };
    match (Problems::of(asked.problems), invocation) {
        (None, Some(invocation)) => Ok(invocation),
        (Some(problems), _) => Err(problems),
        (None, None) => unreachable!("what gives no invocation adds a problem"),
    }
}

fn count(asked: &mut Asked) -> Option<u64> {
    let form = Form::Number { min: 1, max: 1_000_000_000_000 };
    match asked.flags.get(flags::COUNT).cloned() {
        None => Some(SAMPLES),
        Some(text) => own(asked, "sample N", &text, &form.rule(), form.number(&text)),
    }
}

/// The journal to be read: the argument, else the setting of a run.
fn journal(asked: &mut Asked, understood: bool) -> Option<PathBuf> {
    if let Some(text) = asked.flags.get(flags::FILE).cloned() {
        let path = (!text.is_empty()).then(|| text.clone().into());
        return own(asked, "journal FILE", &text, "the path of a file", path);
    }
    let set = asked.optional(&table::JOURNAL, resolve::journal)?;
    if set.is_none() && understood {
        asked.problems.push(Problem::Missing {
            setting: table::JOURNAL.name,
            flag: "kinesis-streamer journal FILE".to_owned(),
            why: "there is no journal to read",
        });
    }
    set
}

/// The file that `lint` and `import` are about.
fn file(asked: &mut Asked, understood: bool) -> Option<TemplateOrigin> {
    match asked.flags.get(flags::TEMPLATE).cloned() {
        Some(text) => own(asked, "the file", &text, "a path, or -", text.parse().ok()),
        None => {
            // The command line has said so already, unless it was not understood at all.
            if understood {
                asked.problems.push(Problem::Arguments(Shown::plain("a file must be named")));
            }
            None
        }
    }
}

fn local(asked: &mut Asked) -> Option<LocalOptions> {
    let ports = Form::Number { min: 0, max: u64::from(u16::MAX) };
    let shards = own_flag(asked, SHARDS, &table::LOCAL_SHARDS.rule(), |text| {
        table::LOCAL_SHARDS.number(text).and_then(|shards| u32::try_from(shards).ok())
    });
    let port = own_flag(asked, PORT, &ports.rule(), |text| {
        ports.number(text).and_then(|port| u16::try_from(port).ok())
    });
    let host = own_flag(asked, HOST, "an IP address", |text| text.parse::<IpAddr>().ok());
    let name_rule = "a stream name (1 to 128 of a-z, A-Z, 0-9, _, ., -)";
    let stream = own_flag(asked, NAME, name_rule, |text| text.parse().ok());
    let log = resolve::log(asked);
    Some(LocalOptions { shards: shards?, address: SocketAddr::new(host?, port?), stream: stream?, log: log? })
}

fn own_flag<T>(
    asked: &mut Asked,
    (flag, _, default, _): OwnFlag,
    rule: &str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Option<T> {
    let text = asked.flags.get(flag).cloned().unwrap_or_else(|| default.to_owned());
    own(asked, &format!("--{flag}"), &text, rule, read(&text))
}

/// The value, or a problem of a flag that has no variable.
pub(super) fn own<T>(asked: &mut Asked, origin: &str, text: &str, rule: &str, value: Option<T>) -> Option<T> {
    if value.is_none() {
        asked.problems.push(Problem::Wrong {
            setting: None,
            origin: origin.to_owned(),
            rule: rule.to_owned(),
            value: Shown::value(text, false),
            detail: None,
        });
    }
    value
}
