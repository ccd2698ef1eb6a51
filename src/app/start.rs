//! Makes a run ready: opens what it writes and listens on, finds the stream, builds every stage. Sends nothing.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::net::TcpListener;

use super::about;
use super::aggregation;
use super::cost;
use super::header;
use super::offered::Offered;
use super::plan;
use super::readback::Beside;
use super::reporting::{self, Blank as BlankReport};
use super::sheet::{self, Blank};
use super::stages::{Reached, Stages, reach};
use super::start_error::StartError;
use super::steer::{self, Ways};
use super::terminal::Stops;
use super::trace;
use super::watch::Watch;
use crate::config::{Config, LogFormat};
use crate::expose::{Console, View, log_start, start_text};
use crate::generate::Event;
use crate::journal::{self, Journal};
use crate::ledger::Ledger;
use crate::replay::Trace;
use crate::schedule::wall;
use crate::verify::Board;

/// A first due second further off than this, in seconds, is worth a word.
const LONG_WAIT: u64 = 5;

/// A run that is ready to begin: every listener open, the stream described, every stage built.
pub struct App {
    pub(super) config: Config,
    pub(super) offered: Offered,
    pub(super) console: Console,
    pub(super) reached: Reached,
    pub(super) stages: Stages,
    pub(super) trace: Option<Trace>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) view: View,
    pub(super) watch: Watch,
    pub(super) journal: Option<Journal>,
    pub(super) beside: Option<Beside>,
    /// The moment before which nothing is due, since the Unix epoch.
    pub(super) start_at: Option<Duration>,
    pub(super) sheet: Option<Blank>,
    pub(super) reports: Vec<BlankReport>,
    /// What people wish of it while it goes on; none: nobody may.
    pub(super) ways: Option<Ways>,
    /// Who hears of a key that stops the run.
    pub(super) stops: Option<Stops>,
}

impl App {
    /// Opens the listeners, finds the stream and builds every stage. Sends nothing. `event` is what `config.event`
    /// names, read and compiled.
    ///
    /// # Errors
    /// Why the run can't begin; nothing goes on in the background then.
    pub async fn start(mut config: Config, event: &Event, console: Console) -> Result<Self, StartError> {
        let offered = Offered::read(&config, event)?;
        for notice in config.notices.iter().chain(&offered.notices) {
            tracing::warn!("{notice}");
        }
        // A start that is told from now on counts from here, not from when everything is ready.
        let start_at = config.start_at.map(|start| start.moment(wall()));
        let ledger = Arc::new(Ledger::new());
        let view = View::new(Arc::clone(&ledger), SystemTime::now());
        let listener = match config.listen {
            None => None,
            Some(address) => Some(
                TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, source })?,
            ),
        };
        // Before the stream is looked for: a file that can't be used is told at once.
        let trace = trace::open(&config)?;
        let journal =
            config.journal.as_deref().map(|path| journal::open(path, &config.producer)).transpose()?;
        let sheet = match (&config.answer_sheet, &config.shaping.inject) {
            (Some(path), Some(_)) => {
                Some(sheet::open(path).map_err(|source| StartError::Sheet { path: path.clone(), source })?)
            }
            _ => None,
        };
        let report = |path: &std::path::PathBuf| {
            reporting::open(path).map_err(|source| StartError::Report { path: path.clone(), source })
        };
        let reports = config.reports.iter().map(report).collect::<Result<Vec<_>, _>>()?;
        // Port 0 asks for any free one; from here on it is known.
        config.listen = listener.as_ref().and_then(|listener| listener.local_addr().ok());
        let format = config.log.format;
        let ways = steer::open(&view, config.control.filter(|_| listener.is_some()), config.tui);
        let watch = Watch::serve(view.clone(), listener);
        let peak = trace::peak(&config, trace.as_ref()).unwrap_or(offered.peak);
        let reached = reach(&config, peak).await?.ok_or(StartError::Nowhere)?;
        cost::check(&config.costs, reached.facts.mode)?;
        let stages = Stages::build(&config, event, trace.as_ref(), Some(&reached))?;
        if let Some(note) = stages.maker.note() {
            tracing::warn!("{note}");
        }
        view.metrics().know_shards(reached.shards.shards().iter().map(|shard| shard.id));
        let header = header::of_run(&config, trace.as_ref(), &reached);
        let journal = journal.map(|opened| opened.begin(&header, Arc::clone(&ledger))).transpose()?;
        // Before the first record: what comes from here on is read.
        let beside = match config.verify {
            false => None,
            true => {
                let board = Arc::new(Board::new(tokio::time::Instant::now()));
                view.metrics().watch_reading(Arc::clone(&board));
                let recorded = trace::is_recorded(trace.as_ref());
                Some(Beside::begin(&reached.client, &reached.stream, &config, recorded, board).await?)
            }
        };
        let (maker, keyer) = (&stages.maker, &stages.keyer);
        let plan = plan::facts(&config, &offered, Some(&reached), maker, keyer, trace.as_ref(), start_at);
        let plan = aggregation::told(&config, stages.limits, maker, plan);
        view.describe(about::of_run(&config, &offered, &plan));
        match format {
            LogFormat::Text => console.print(&start_text(&plan)),
            LogFormat::Json => log_start(&plan),
        }
        let now = wall().max(start_at.unwrap_or_default()).as_secs();
        let wait = config.load.cron.next_after(now) - now;
        if wait > LONG_WAIT && trace.is_none() {
            tracing::info!(
                seconds = wait,
                "the first second that the cron expression matches is some time away"
            );
        }
        Ok(Self {
            config,
            offered,
            console,
            reached,
            stages,
            trace,
            ledger,
            view,
            watch,
            journal,
            beside,
            start_at,
            sheet,
            reports,
            ways,
            stops: None,
        })
    }

    /// With somebody to tell of a key that stops the run, by its name; for a run that has the whole terminal.
    #[must_use]
    pub fn with_keys(self, stops: Stops) -> Self {
        Self { stops: Some(stops), ..self }
    }

    /// The counts of the run.
    #[must_use]
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }
}
