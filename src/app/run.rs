//! The life of a run that is ready: its load, its drain, its end.
//!
//! Decides in which order the stages begin and end; what they do is theirs.

use std::future::Future;
use std::sync::{Arc, mpsc as std_mpsc};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::App;
use super::about;
use super::aggregation;
use super::barrier;
use super::cost::{self, Meter};
use super::embedded::Embedded;
use super::exporting::Exporting;
use super::judged::{self, Judged};
use super::pace::{self, Pace};
use super::plan;
use super::readback::Beside;
use super::report::Report;
use super::reporting::Blank;
use super::reshard::{Follower, Following};
use super::sampling::Sampling;
use super::sheet::Sheet;
use super::stages::{Reached, Stages};
use super::start_error::StartError;
use super::steer::{Changed, Most, Steering, Ways};
use super::terminal::{Facts, FullScreen};
use super::trace;
use super::watch::Watch;
use crate::batch::Compression;
use crate::config::Config;
use crate::expose::{Console, Goal, MOST_FACTOR, Phase, RunFacts, View};
use crate::generate::Maker;
use crate::journal::Journal;
use crate::kinesis::{Lane, OpenShards, StreamRef};
use crate::ledger::Ledger;
use crate::pipeline::Pipeline;
use crate::replay::Spool;
use crate::schedule::{Announcer, Control, Plan, Quota, Share, WHOLE, wall};
use crate::send::Sender;

/// A run under way: what has to be ended, and what its report is made of.
struct Running {
    config: Config,
    console: Console,
    ledger: Arc<Ledger>,
    view: View,
    watch: Watch,
    full: Option<FullScreen>,
    exporting: Exporting,
    sampling: Sampling,
    stream: StreamRef,
    embedded: Option<Embedded>,
    lane: Arc<Lane>,
    control: std_mpsc::Sender<Control>,
    steering: Steering,
    announcer: Option<Announcer>,
    pacing: Pace,
    carrying: tokio::task::JoinHandle<()>,
    cut: watch::Sender<bool>,
    following: Following,
    journal: Option<Journal>,
    beside: Option<Beside>,
    sheet: Option<Sheet>,
    reports: Vec<Blank>,
    start_at: Option<Duration>,
    /// Most requests of a burst that are under way at the same time.
    at_once: usize,
    /// What it costs, where prices are known.
    meter: Option<Meter>,
    /// Whether it joined others after their common start.
    late: bool,
    /// How long the load is offered, where it has an end by time.
    duration: Option<Duration>,
}

/// How the load ended.
struct Ended {
    /// By whose name, when it was told to stop.
    by: Option<&'static str>,
    /// When no record was released any more.
    at: Instant,
}

impl App {
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
        let mut running = self.begin().await?;
        let ended = running.load(stop).await;
        tokio::pin!(abort);
        let aborted = running.drain(&mut abort).await;
        Ok(running.end(ended, aborted, abort).await)
    }

    /// Begins every stage, the one that releases records last.
    async fn begin(self) -> Result<Running, StartError> {
        let Self { config, offered, console, reached, stages, trace, ledger, view, watch, ways, .. } = self;
        let (journal, beside, start_at, sheet) = (self.journal, self.beside, self.start_at, self.sheet);
        let stops = self.stops;
        let reports = self.reports;
        let Reached { client, lane, stream, shards, embedded, facts } = reached;
        let Stages { limits, maker, keyer, envelope } = stages;
        let phases = about::has_phases(&config, &offered);
        let (load, own_records) = (config.load.clone(), config.own_records());
        let late = barrier::tell(start_at, wall());
        let together = aggregation::together(&config, limits, &maker, shards.shards().len());
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
            slice_records: together,
            seed: config.seed.value,
        };
        let most = Most {
            peak: offered.peak,
            confirmed: (embedded.is_none() && !lane.is_on_this_machine()).then_some(config.guards.most_rate),
        };
        let most_factor = if ways.is_some() { MOST_FACTOR.div_ceil(WHOLE) } else { 1 };
        let (cut, is_cut) = watch::channel(false);
        let open = shards.shards().len();
        let in_words = format!("{}, {open} {}", stream.name(), if open == 1 { "shard" } else { "shards" });
        let shards = OpenShards::from(shards);
        let follower = Follower {
            client,
            stream: stream.clone(),
            shards: shards.clone(),
            keyer: keyer.clone(),
            ledger: Arc::clone(&ledger),
            view: view.clone(),
        };
        let meter = Meter::begin(&config, facts.mode, Arc::clone(&ledger), shards.clone());
        let lane = Arc::new(lane);
        let witnesses =
            journal.iter().map(Journal::witness).chain(beside.iter().map(Beside::witness)).collect();
        let sender = Sender::new(
            Arc::clone(&lane),
            config.send,
            envelope,
            shards,
            Arc::clone(&ledger),
            is_cut.clone(),
        )
        .with_witnesses(witnesses)
        .with_digests(config.event.has_template() || trace::is_recorded(trace.as_ref()));
        let slots = config.send.max_in_flight as u32; // at most 10,000 by the settings' rule
        let own_jobs = Quota::dealt(load.jobs, offered.peak, 0).jobs_of(config.share.unwrap_or(Share::WHOLE));
        let pipeline = Pipeline::new(maker, keyer, limits, sender, Arc::clone(&ledger), load.jobs, slots)
            .by_wire(config.wire)
            .with_packing(config.packing)
            .with_aggregation(config.aggregation)
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
        let helm = ways.as_ref().map(|ways| ways.helm(&view, phases));
        let steering = Steering::new(ways.map(Ways::hear), control.clone(), view.clone(), most);
        let rules = load.replay.as_ref().map(|replay| trace::rules(replay, &load, together));
        let (announcer, releases, pacing) = match trace.zip(rules) {
            None => {
                let (give, releases) = tokio::sync::mpsc::channel(pace::backlog(&plan, most_factor));
                let announcer = Announcer::start(&plan.cron, control.clone()).await?;
                (Some(announcer), releases, Pace::start(plan, told, give, Arc::clone(&ledger)))
            }
            Some((trace, rules)) => {
                let (give, releases) = tokio::sync::mpsc::channel(pace::BACKLOG_OF_A_TRACE);
                let spool = Spool::start(trace).map_err(StartError::Thread)?;
                (None, releases, Pace::replay(spool, rules, told, give, Arc::clone(&ledger)))
            }
        };
        let pacing = pacing.map_err(StartError::Thread)?;
        let carrying = tokio::spawn(pipeline.run(releases, is_cut));
        let following = follower.begin();
        let sampling = Sampling::begin(view.clone(), Arc::clone(&ledger), Arc::clone(&lane));
        let exporting = Exporting::begin(&config, &view)?;
        let goal = Goal { duration: offered.duration, records: own_records };
        let full = if config.tui {
            let max_in_flight = config.send.max_in_flight as u64;
            let facts = Facts { stream: in_words, goal, max_in_flight, stops, helm };
            let begun = FullScreen::begin(facts, view.clone(), Arc::clone(&ledger), console.clone());
            Some(begun.map_err(StartError::Thread)?)
        } else {
            watch.show(Arc::clone(&ledger), console.clone(), config.log.format, goal);
            None
        };
        Ok(Running {
            duration: offered.duration,
            config,
            console,
            ledger,
            view,
            watch,
            full,
            exporting,
            sampling,
            stream,
            embedded,
            lane,
            control,
            steering,
            announcer,
            pacing,
            carrying,
            cut,
            following,
            journal,
            beside,
            sheet,
            reports,
            start_at,
            at_once: own_jobs.min(slots) as usize,
            meter,
            late,
        })
    }
}

impl Running {
    /// Until the load has an end, or `stop` comes.
    async fn load(&mut self, stop: impl Future<Output = &'static str>) -> Ended {
        let by = tokio::select! {
            () = self.pacing.ended() => None,
            never = barrier::show(self.start_at, self.view.clone(), Arc::clone(&self.lane), self.at_once) => match never {},
            by = stop => Some(by),
            by = cost::reached(self.meter.as_ref()) => Some(by),
            by = self.steering.obey() => Some(by),
        };
        if by.is_some() {
            // The thread may have ended by itself just now.
            let _ = self.control.send(Control::Stop);
            self.pacing.ended().await;
        }
        self.view.set_phase(Phase::Draining);
        self.view.mark("the load ended: what is in flight is waited for");
        Ended { by, at: Instant::now() }
    }

    /// Until every record is settled, or the time for that is over, or `abort` comes; true when it came.
    async fn drain(&mut self, abort: impl Future<Output = ()>) -> bool {
        let mut aborted = false;
        let in_time = tokio::select! {
            drained = tokio::time::timeout(self.config.send.drain_timeout, &mut self.carrying) => drained.is_ok(),
            () = abort => {
                aborted = true;
                false
            }
        };
        if !in_time {
            self.cut.send_replace(true);
            // Nothing waits any more: what is under way settles at once.
            let _ = (&mut self.carrying).await;
        }
        aborted
    }

    /// Ends every stage, and says how the run ended.
    async fn end(self, ended: Ended, aborted: bool, abort: impl Future<Output = ()>) -> Report {
        let Self { config, pacing, .. } = self;
        let Changed { changes, skipped } = self.steering.end();
        drop(self.following);
        if let Some(announcer) = self.announcer
            && let Err(error) = announcer.stop().await
        {
            tracing::debug!("the cron scheduler ended badly: {error}");
        }
        let drain_time = ended.at.elapsed();
        self.sampling.end();
        let verified = match self.beside {
            Some(beside) if aborted => Some(beside.finish(std::future::ready(())).await),
            Some(beside) => Some(beside.finish(abort).await),
            None => None,
        };
        self.exporting.end().await;
        if let Some(full) = self.full {
            full.end().await;
        }
        drop(self.watch);
        self.console.end_progress();
        let counts = self.ledger.snapshot();
        let (load, own_records) = (&config.load, config.own_records());
        let all_due = own_records.is_some_and(|most| counts.due >= most);
        let by_duration = ended.by.is_none() && !all_due;
        let broken = pacing.broken();
        let by = ended.by.unwrap_or(match (all_due, &load.replay, &broken) {
            (_, _, Some(_)) => "a trace that is broken",
            (true, ..) => "the number of its records",
            (false, Some(_), None) => "the end of its trace or its duration",
            (false, None, None) if load.duration.is_some() => "its duration",
            (false, None, None) => "the end of its profile",
        });
        let journal = match self.journal {
            Some(journal) => Some(journal.finish(by).await),
            None => None,
        };
        let sheet = match self.sheet {
            Some(sheet) => Some(sheet.finish().await),
            None => None,
        };
        // A run that came to its end was offered for exactly its duration, unless it joined others late.
        let load_time = pacing.load_time(ended.at, counts.seconds_paused).map(|time| match self.duration {
            Some(duration) if by_duration && !self.late && !skipped && load.replay.is_none() => duration,
            _ => time,
        });
        let judged = Judged::of(&counts, load_time, &config.fail_if);
        let mut report = Report {
            judged,
            written: Vec::new(),
            counts,
            changes,
            broken,
            journal,
            sheet,
            compressed: config.packing.compression != Compression::None,
            facts: RunFacts {
                stream: self.stream.name().to_string(),
                seed: config.seed.value,
                instance: config.producer.clone(),
                ended: by.to_owned(),
                held: self.embedded.map(|embedded| embedded.held()),
            },
            load_time,
            drain_time,
            verified,
            cost: self.meter.and_then(|meter| meter.bill(false)),
        };
        report.written =
            judged::write(self.reports, &report, &config, &self.view, self.sampling.machine(), aborted);
        report
    }
}
