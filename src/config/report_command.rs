//! The command lines of `report`, `compare` and `merge`: what is done with reports that were written.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};

use super::asked::Asked;
use super::flags::{JSON, json_arg};
use super::invocation::own;

const FILES: &str = "files";
const HTML: &str = "html";
const INTO: &str = "output";
const MARGIN: &str = "margin";
const LATENCY_MARGIN: &str = "latency-margin";

/// What is to be done with reports.
#[derive(Debug, Clone, PartialEq)]
pub enum ReportTask {
    /// Make a page of one.
    Render {
        /// The report.
        report: PathBuf,
        /// The page, which is not there yet.
        html: PathBuf,
    },
    /// Compare two.
    Compare {
        /// The first.
        a: PathBuf,
        /// The second.
        b: PathBuf,
        /// How much a rate or a ratio may differ, as a part of it; none: the usual.
        margin: Option<f64>,
        /// How much a duration may.
        latency_margin: Option<f64>,
        /// As JSON, in place of a table.
        json: bool,
    },
    /// Make one of many.
    Merge {
        /// The reports.
        reports: Vec<PathBuf>,
        /// Where it is written, as JSON or as a page; none: to standard output, as JSON.
        into: Option<PathBuf>,
    },
}

impl Eq for ReportTask {}

/// What was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ReportVerb {
    Render { report: PathBuf, html: PathBuf },
    Compare { reports: Vec<PathBuf>, margin: Option<OsString>, latency_margin: Option<OsString>, json: bool },
    Merge { reports: Vec<PathBuf>, into: Option<PathBuf> },
}

fn files(value: &'static str, least: usize, most: usize, help: &'static str) -> Arg {
    Arg::new(FILES)
        .value_name(value)
        .value_parser(value_parser!(OsString))
        .required(true)
        .num_args(least..=most)
        .help(help)
}

fn own_file(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name("FILE").value_parser(value_parser!(OsString)).help(help)
}

/// The subcommands, as clap knows them.
pub(super) fn commands() -> [Command; 3] {
    let margin = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("PERCENT").value_parser(value_parser!(OsString)).help(help)
    };
    let compare = Command::new("compare")
        .about("Compares two reports: what differs by more than chance and margin; exit code 4 when the second is worse")
        .arg(files("REPORT.json", 2, 2, "Two reports of --report, the older first"))
        .arg(margin(MARGIN, "How much a rate or a ratio may differ [default: 2%]"))
        .arg(margin(LATENCY_MARGIN, "How much a duration may differ [default: 10%]"))
        .arg(json_arg("Prints JSON in place of a table"));
    let merge = Command::new("merge")
        .about("Makes one report of those of many instances")
        .arg(files("REPORT.json", 1, 10_000, "The reports of --report"))
        .arg(
            own_file(INTO, "Where it is written: a file that is not there yet and ends in .json or .html [default: standard output, as JSON]")
                .short('o'),
        );
    let report = Command::new("report")
        .about("Makes a page with charts of a report")
        .arg(files("REPORT.json", 1, 1, "A report of --report"))
        .arg(own_file(HTML, "The page, a file that is not there yet").required(true));
    [report, compare, merge]
}

/// What was typed for a subcommand of [`commands`].
pub(super) fn typed(name: &str, sub: &ArgMatches) -> ReportVerb {
    let paths = || -> Vec<PathBuf> {
        sub.get_many::<OsString>(FILES).unwrap_or_default().map(PathBuf::from).collect()
    };
    // Where the command line was not understood, a problem says so.
    let path = |name: &str| sub.try_get_one::<OsString>(name).ok().flatten().map(PathBuf::from);
    match name {
        "compare" => ReportVerb::Compare {
            reports: paths(),
            margin: sub.get_one::<OsString>(MARGIN).cloned(),
            latency_margin: sub.get_one::<OsString>(LATENCY_MARGIN).cloned(),
            json: sub.get_flag(JSON),
        },
        "merge" => ReportVerb::Merge { reports: paths(), into: path(INTO) },
        _ => ReportVerb::Render {
            report: paths().pop().unwrap_or_default(),
            html: path(HTML).unwrap_or_default(),
        },
    }
}

/// What is to be done; none where something is wrong, which is among the problems then.
pub(super) fn task(asked: &mut Asked, verb: ReportVerb) -> Option<ReportTask> {
    match verb {
        ReportVerb::Render { report, html } => {
            let ends = html.extension().is_some_and(|end| end == "html");
            let right = (ends || html.as_os_str().is_empty()).then_some(html.clone());
            let html = own(asked, "--html", &html.to_string_lossy(), "a path that ends in .html", right)?;
            Some(ReportTask::Render { report, html })
        }
        ReportVerb::Compare { reports, margin, latency_margin, json } => {
            let margin = percent(asked, "--margin", margin);
            let latency_margin = percent(asked, "--latency-margin", latency_margin);
            let mut reports = reports.into_iter();
            let (a, b) = (reports.next().unwrap_or_default(), reports.next().unwrap_or_default());
            Some(ReportTask::Compare { a, b, margin: margin?, latency_margin: latency_margin?, json })
        }
        ReportVerb::Merge { reports, into } => {
            let into = match into {
                None => None,
                Some(path) => {
                    let ends = path.extension().is_some_and(|end| end == "json" || end == "html");
                    let (text, right) = (path.to_string_lossy().into_owned(), ends.then_some(path));
                    Some(own(asked, "--output", &text, "a path that ends in .json or .html", right)?)
                }
            };
            Some(ReportTask::Merge { reports, into })
        }
    }
}

/// A percentage as a part; the outer option is none only when it is wrong.
fn percent(asked: &mut Asked, origin: &str, text: Option<OsString>) -> Option<Option<f64>> {
    let Some(text) = text else { return Some(None) };
    let text = text.to_string_lossy().into_owned();
    let digits =
        text.strip_suffix('%').filter(|digits| digits.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
    let value =
        digits.and_then(|digits| digits.parse::<f64>().ok()).filter(|value| (0.0..=1_000.0).contains(value));
    own(
        asked,
        origin,
        &text,
        "a percentage such as 2% or 0.5%, from 0% to 1000%",
        value.map(|value| Some(value / 100.0)),
    )
}
