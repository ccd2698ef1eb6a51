//! The composition root: puts the stages together, in the order of a run's life. The only part that knows everyone.

mod barrier;
#[cfg(test)]
mod burst_tests;
#[cfg(test)]
mod claim_tests;
mod compare_retry;
mod draw;
mod embedded;
mod files;
mod forecast;
mod guard;
mod header;
mod health;
mod journals;
mod offered;
mod pace;
mod plan;
mod readback;
mod report;
mod reshard;
mod sheet;
mod stages;
mod start_error;
mod streams;
mod template;
mod trace;
mod verified;
mod verify;
mod watch;

use std::future::Future;
use std::sync::{Arc, mpsc as std_mpsc};
use std::time::{Duration, Instant, SystemTime};

use tokio::net::TcpListener;

use crate::batch::Compression;
use crate::config::{Config, LogFormat};
use crate::expose::{Console, Phase, RunFacts, View, log_start, start_text};
use crate::generate::{Event, Maker};
use crate::journal::{self, Journal};
use crate::kinesis::OpenShards;
use crate::ledger::Ledger;
use crate::pipeline::Pipeline;
use crate::replay::{Spool, Trace};
use crate::schedule::{Announcer, Control, Plan, Share, wall};
use crate::send::Sender;
use crate::verify::Board;

pub use compare_retry::compare_retry;
pub use draw::draw;
pub use files::too_few;
pub use guard::{AllGuarded, Guarded};
pub use health::healthcheck;
pub use journals::{JournalsError, Silent};
pub use offered::LoadError;
use offered::Offered;
use pace::Pace;
use readback::Beside;
pub use report::Report;
use reshard::Follower;
use sheet::Blank;
pub use sheet::SheetEnd;
use stages::{Reached, Stages, reach};
pub use start_error::StartError;
pub use streams::{StreamError, stream};
pub use template::{EventError, import_saved, lint_template, read_event};
pub use verified::Verified;
pub use verify::verify;
use watch::Watch;

/// A first due second further off than this, in seconds, is worth a word.
const LONG_WAIT: u64 = 5;

/// A run that is ready to begin: every listener open, the stream described, every stage built.
pub struct App {
    config: Config,
    offered: Offered,
    console: Console,
    reached: Reached,
    stages: Stages,
    trace: Option<Trace>,
    ledger: Arc<Ledger>,
    view: View,
    watch: Watch,
    journal: Option<Journal>,
    beside: Option<Beside>,
    /// The moment before which nothing is due, since the Unix epoch.
    start_at: Option<Duration>,
    sheet: Option<Blank>,
}

/// What a run by `config` with `event`, which `config.event` names, would do, as text: the plan, and the requests of
/// its first due second. Sends nothing.
///
/// # Errors
/// Why the run could not begin.
pub async fn dry_run(config: &Config, event: &Event) -> Result<String, StartError> {
    let trace = trace::open(config)?;
    let offered = Offered::read(config, event)?;
    let reached = reach(config, trace::peak(config, trace.as_ref()).unwrap_or(offered.peak)).await?;
    let Stages { limits, maker, keyer, envelope } =
        Stages::build(config, event, trace.as_ref(), reached.as_ref())?;
    let now = wall();
    let start_at = config.start_at.map(|start| start.moment(now));
    let facts = plan::facts(config, &offered, reached.as_ref(), &maker, &keyer, trace.as_ref(), start_at);
    if trace.is_some() {
        return Ok(start_text(&facts));
    }
    let begin = start_at.unwrap_or_default().saturating_sub(Duration::from_secs(1)).max(now);
    let second = plan::first_second(config, &offered, &envelope, limits, &maker, &keyer, begin);
    let told: String = offered.notices.iter().map(|notice| format!("notice: {notice}\n")).collect();
    Ok(start_text(&facts) + &told + &second)
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
        // Port 0 asks for any free one; from here on it is known.
        config.listen = listener.as_ref().and_then(|listener| listener.local_addr().ok());
        let format = config.log.format;
        let watch = Watch::serve(view.clone(), listener);
        let peak = trace::peak(&config, trace.as_ref()).unwrap_or(offered.peak);
        let reached = reach(&config, peak).await?.ok_or(StartError::Nowhere)?;
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
        })
    }

    /// The counts of the run.
    #[must_use]
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    /// Runs the load until it has an end or `stop` comes (by whose name), drains, and says what became of every
    /// record. When `abort` comes, nothing is waited for any more: what is on the wire is unknown.
    ///
    /// # Errors
    /// When the cron scheduler or a thread can't be started; nothing was sent then.
    pub async fn run(
        self,
        stop: impl Future<Output = &'static str>,
        abort: impl Future<Output = ()>,
    ) -> Result<Report, StartError> {
        let Self { config, offered, console, reached, stages, trace, ledger, view, watch, .. } = self;
        let (journal, beside, start_at, sheet) = (self.journal, self.beside, self.start_at, self.sheet);
        let Reached { client, lane, stream, shards, embedded, .. } = reached;
        let Stages { limits, maker, keyer, envelope } = stages;
        let (load, own_records) = (config.load.clone(), config.own_records());
        let late = barrier::tell(start_at, wall());
        let plan = Plan {
            cron: load.cron.clone(),
            jobs: load.jobs,
            offer: offered.offer,
            share: config.share.unwrap_or(Share::WHOLE),
            weighing: plan::weighing(&maker, &keyer),
            pacing: load.pacing,
            start_at,
            duration: offered.duration,
            max_records: own_records,
            slice_records: limits.request_records,
            seed: config.seed.value,
        };
        let (cut, is_cut) = tokio::sync::watch::channel(false);
        let shards = OpenShards::from(shards);
        let follower = Follower {
            client,
            stream: stream.clone(),
            shards: shards.clone(),
            keyer: keyer.clone(),
            ledger: Arc::clone(&ledger),
            view: view.clone(),
        };
        let lane = Arc::new(lane);
        let sender = Sender::new(
            Arc::clone(&lane),
            config.send,
            envelope,
            shards,
            Arc::clone(&ledger),
            is_cut.clone(),
        )
        .with_witnesses(
            journal.iter().map(Journal::witness).chain(beside.iter().map(Beside::witness)).collect(),
        )
        .with_digests(config.event.has_template() || trace::is_recorded(trace.as_ref()));
        let requests = config.send.max_in_flight.min(load.jobs as usize);
        let slots = config.send.max_in_flight as u32; // at most 10,000 by the settings' rule
        let pipeline = Pipeline::new(maker, keyer, limits, sender, Arc::clone(&ledger), load.jobs, slots)
            .by_wire(config.wire)
            .with_packing(config.packing)
            .with_most_bytes(config.max_in_flight_bytes);
        let pipeline = Arc::new(pipeline);
        let sheet = match sheet.zip(config.shaping.inject.as_ref()) {
            Some((blank, inject)) => {
                let pipeline = Arc::clone(&pipeline);
                let look = move |write: &mut dyn FnMut(&Maker, &[u64]) -> _| {
                    write(pipeline.maker(), &pipeline.reached())
                };
                Some(blank.begin(&config.producer, inject, look).map_err(StartError::Thread)?)
            }
            None => None,
        };

        let (control, told) = std_mpsc::channel();
        let rules = load.replay.as_ref().map(|replay| trace::rules(replay, &load, limits));
        let (announcer, releases, pacing) = match trace.zip(rules) {
            None => {
                let (give, releases) = tokio::sync::mpsc::channel(pace::backlog(&plan));
                let announcer = Announcer::start(&plan.cron, control.clone()).await?;
                (Some(announcer), releases, Pace::start(plan, told, give, Arc::clone(&ledger)))
            }
            Some((trace, rules)) => {
                let (give, releases) = tokio::sync::mpsc::channel(pace::BACKLOG_OF_A_TRACE);
                let spool = Spool::start(trace).map_err(StartError::Thread)?;
                (None, releases, Pace::replay(spool, rules, told, give, Arc::clone(&ledger)))
            }
        };
        let mut pacing = pacing.map_err(StartError::Thread)?;
        let mut carrying = tokio::spawn(pipeline.run(releases, is_cut));
        let following = follower.begin();
        watch.show(Arc::clone(&ledger), console.clone(), config.log.format);
        let ended = tokio::select! {
            () = pacing.ended() => None,
            never = barrier::show(start_at, view.clone(), lane, requests) => match never {},
            by = stop => {
                // The thread may have ended by itself just now.
                let _ = control.send(Control::Stop);
                pacing.ended().await;
                Some(by)
            }
        };
        view.set_phase(Phase::Draining);
        let scheduled_until = Instant::now();
        tokio::pin!(abort);
        let mut aborted = false;
        let in_time = tokio::select! {
            drained = tokio::time::timeout(config.send.drain_timeout, &mut carrying) => drained.is_ok(),
            () = &mut abort => {
                aborted = true;
                false
            }
        };
        if !in_time {
            cut.send_replace(true);
            // Nothing waits any more: what is under way settles at once.
            let _ = carrying.await;
        }
        drop(following);
        if let Some(announcer) = announcer
            && let Err(error) = announcer.stop().await
        {
            tracing::debug!("the cron scheduler ended badly: {error}");
        }
        let drain_time = scheduled_until.elapsed();
        let verified = match beside {
            Some(beside) if aborted => Some(beside.finish(std::future::ready(())).await),
            Some(beside) => Some(beside.finish(abort).await),
            None => None,
        };
        drop(watch);
        console.end_progress();
        let counts = ledger.snapshot();
        let all_due = own_records.is_some_and(|most| counts.due >= most);
        let by_duration = ended.is_none() && !all_due;
        let broken = pacing.broken();
        let ended = ended.unwrap_or(match (all_due, &load.replay, &broken) {
            (_, _, Some(_)) => "a trace that is broken",
            (true, ..) => "the number of its records",
            (false, Some(_), None) => "the end of its trace or its duration",
            (false, None, None) if load.duration.is_some() => "its duration",
            (false, None, None) => "the end of its profile",
        });
        let journal = match journal {
            Some(journal) => Some(journal.finish(ended).await),
            None => None,
        };
        let sheet = match sheet {
            Some(sheet) => Some(sheet.finish().await),
            None => None,
        };
        Ok(Report {
            counts,
            broken,
            journal,
            sheet,
            compressed: config.packing.compression != Compression::None,
            facts: RunFacts {
                stream: stream.name().to_string(),
                seed: config.seed.value,
                instance: config.producer,
                ended: ended.to_owned(),
                held: embedded.map(|embedded| embedded.held()),
            },
            // A run that came to its end was offered for exactly its duration, unless it joined others late.
            load_time: pacing.load_time(scheduled_until).map(|time| match offered.duration {
                Some(duration) if by_duration && !late && load.replay.is_none() => duration,
                _ => time,
            }),
            drain_time,
            verified,
        })
    }
}
