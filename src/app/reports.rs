//! `report`, `compare` and `merge`: reports that were written are read, and something is made of them.

use std::path::{Path, PathBuf};

use super::reporting;
use crate::config::ReportTask;
use crate::exit::Exit;
use crate::report::compare::{Margins, compare};
use crate::report::{Document, MergeError, ReadError, merge};

/// Most bytes of a report that are read: of thousands of instances' seconds.
const MOST_BYTES: u64 = 1 << 30;

/// Why nothing could be made of reports.
#[derive(Debug, thiserror::Error)]
pub enum ReportsError {
    /// A file can't be read.
    #[error("{path} can't be read: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's word.
        source: std::io::Error,
    },
    /// A file is no report.
    #[error("{path} can't be used: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ReadError,
    },
    /// They can't be merged.
    #[error("these can't be merged: {0}")]
    Merge(#[from] MergeError),
    /// The result can't be written.
    #[error(
        "{path} can't be written: {source}; name a file that is not there yet, in a folder that may be written to"
    )]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's word.
        source: std::io::Error,
    },
}

impl ReportsError {
    /// How the process ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Io { .. } | Self::Read { .. } | Self::Merge(_) => Exit::BadData,
            Self::Write { .. } => Exit::NoReport,
        }
    }
}

/// Does what is asked with reports; gives what is to be printed, and how the process ends.
///
/// # Errors
/// Why it can't be done.
pub fn reports(task: &ReportTask) -> Result<(String, Exit), ReportsError> {
    match task {
        ReportTask::Render { report, html } => {
            write(html, &read(report)?)?;
            Ok((format!("{}\n", html.display()), Exit::Sent))
        }
        ReportTask::Compare { a, b, margin, latency_margin, json } => {
            let usual = Margins::default();
            let margins = Margins {
                counts: margin.unwrap_or(usual.counts),
                durations: latency_margin.unwrap_or(usual.durations),
            };
            let comparison = compare(&read(a)?, &read(b)?, margins);
            let exit = match (comparison.is_worse(), comparison.is_empty()) {
                (true, _) => Exit::Worse,
                (_, true) => Exit::BadData,
                _ => Exit::Sent,
            };
            Ok((if *json { comparison.json() } else { comparison.text() }, exit))
        }
        ReportTask::Merge { reports, into } => {
            let documents = reports.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
            let merged = merge(documents)?;
            match into {
                None => Ok((merged.json(), Exit::Sent)),
                Some(path) => {
                    write(path, &merged)?;
                    Ok((format!("{}\n", path.display()), Exit::Sent))
                }
            }
        }
    }
}

fn read(path: &Path) -> Result<Document, ReportsError> {
    let failed = |source| ReportsError::Io { path: path.to_owned(), source };
    let length = std::fs::metadata(path).map_err(failed)?.len();
    if length > MOST_BYTES {
        let why = format!("it has {length} bytes, and {MOST_BYTES} are read at most");
        return Err(failed(std::io::Error::other(why)));
    }
    let text = std::fs::read_to_string(path).map_err(failed)?;
    Document::read(&text).map_err(|source| ReportsError::Read { path: path.to_owned(), source })
}

fn write(path: &Path, document: &Document) -> Result<(), ReportsError> {
    let failed = |source| ReportsError::Write { path: path.to_owned(), source };
    reporting::open(path).map_err(failed)?.write(document).result.map_err(failed)
}
