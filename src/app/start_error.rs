//! Why a run could not begin, and which exit code says so.

use std::net::SocketAddr;

use super::guard::AllGuarded;
use super::journals::JournalsError;
use super::offered::LoadError;
use crate::exit::Exit;
use crate::generate::ShapingError;
use crate::journal::JournalError;
use crate::key::KeyerError;
use crate::kinesis::{Cause, Fault, NotReady, ReadFault, Refusal, Setback};
use crate::replay::TraceError;
use crate::verify::{ReadEnd, UnmakeableError};

/// Why a run could not begin.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The stream can't be used.
    #[error(transparent)]
    Stream(#[from] NotReady),
    /// A guard refuses the stream or the rate.
    #[error(transparent)]
    Guarded(#[from] AllGuarded),
    /// The key strategy does not fit the events or the stream.
    #[error("STREAMER_PARTITION_KEY: {0}")]
    Key(#[from] KeyerError),
    /// The profile can't be used.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Events can't have the size that is asked for.
    #[error(transparent)]
    Shaping(#[from] ShapingError),
    /// The answer sheet can't be written.
    #[error("STREAMER_ANSWER_SHEET: {path} can't be made: {source}; name a file that is not there yet")]
    Sheet {
        /// The file.
        path: std::path::PathBuf,
        /// The system's word.
        source: std::io::Error,
    },
    /// A report can't be written.
    #[error(
        "STREAMER_REPORT: {path} can't be written: {source}; name a file that is not there yet, in a folder that may be \
         written to"
    )]
    Report {
        /// The file.
        path: std::path::PathBuf,
        /// The system's word.
        source: std::io::Error,
    },
    /// The listener for metrics can't be opened.
    #[error("STREAMER_LISTEN: can't listen on {address}: {source}; choose another address, or `off`")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// The system's word.
        source: std::io::Error,
    },
    /// A signal came before anything had begun.
    #[error("stopped before anything had begun")]
    Interrupted,
    /// The stream can't be read.
    #[error(
        "the stream can't be read back: {0}; the identity needs kinesis:ListShards, kinesis:GetShardIterator and \
         kinesis:GetRecords on it"
    )]
    Reading(ReadFault),
    /// A journal can't be held against the stream.
    #[error(transparent)]
    Journals(#[from] JournalsError),
    /// What is asked for is done to events that are made here.
    #[error(
        "STREAMER_EVENT_SIZE and STREAMER_INJECT: the payloads of a trace go out as they were recorded: leave both out, or \
         replay a trace of counts"
    )]
    Recorded,
    /// The trace can't be replayed.
    #[error("STREAMER_REPLAY: {0}")]
    Trace(#[from] TraceError),
    /// The events of a producer can't be made again.
    #[error("the events can't be made again: {0}")]
    Unmakeable(#[from] UnmakeableError),
    /// The settings name no stream. They are refused before, unless the caller made them by hand.
    #[error("no stream is named: set AWS_KINESIS_STREAM_NAME, or use --local")]
    Nowhere,
    /// A bound of cost, and no price that the stream is billed by.
    #[error("STREAMER_MAX_COST: a cost needs prices, and {0}")]
    Prices(&'static str),
    /// The embedded stream can't be opened.
    #[error("the embedded stream can't be opened: {0}")]
    Local(std::io::Error),
    /// The schedule's thread can't be started.
    #[error("a thread can't be started: {0}")]
    Thread(std::io::Error),
    /// Metrics can't be exported where they should be.
    #[error("OTEL_EXPORTER_OTLP_ENDPOINT: nothing can be exported: {0}")]
    Export(Box<dyn std::error::Error + Send + Sync>),
    /// The journal can't be written to.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The cron scheduler can't be started.
    #[error("the cron scheduler can't be started: {0}")]
    Cron(#[from] tokio_cron_scheduler::JobSchedulerError),
}

impl StartError {
    /// Why reading could not begin.
    pub(super) fn of_reading(end: ReadEnd) -> Self {
        let fault = match end {
            ReadEnd::Failed(fault) => fault,
            // Before it has begun nobody can stop it; what is left is a defect.
            ReadEnd::Defect | ReadEnd::Complete | ReadEnd::Stopped | ReadEnd::TimedOut => {
                Fault::new(Cause::Refused(Refusal::Other), "reading ended before it began").into()
            }
        };
        Self::Reading(fault)
    }

    /// How the process ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Stream(error) => error.exit(),
            Self::Guarded(_) => Exit::Guarded,
            Self::Load(error) => error.exit(),
            Self::Interrupted => Exit::Interrupted,
            Self::Key(_)
            | Self::Prices(_)
            | Self::Shaping(_)
            | Self::Unmakeable(_)
            | Self::Recorded
            | Self::Nowhere => Exit::Usage,
            Self::Report { .. } => Exit::NoReport,
            Self::Trace(_) => Exit::Trace,
            Self::Reading(ReadFault { setback: Setback::Denied, .. }) => Exit::Denied,
            Self::Reading(ReadFault { setback: Setback::Gone, .. }) => Exit::NoStream,
            Self::Reading(_) => Exit::Unreachable,
            Self::Journals(JournalsError::Unreadable { .. }) | Self::Journal(_) => Exit::Journal,
            Self::Journals(_) => Exit::Usage,
            Self::Sheet { .. }
            | Self::Listen { .. }
            | Self::Thread(_)
            | Self::Local(_)
            | Self::Cron(_)
            | Self::Export(_) => Exit::System,
        }
    }
}
