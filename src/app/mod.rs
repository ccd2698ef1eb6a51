//! The composition root: puts the stages together, in the order of a run's life. The only part that knows everyone.

mod barrier;
#[cfg(test)]
mod claim_tests;
mod embedded;
mod files;
mod guard;
mod health;
mod journals;
mod pace;
mod plan;
mod readback;
mod report;
mod start_error;
mod streams;
mod template;
mod verified;
mod verify;
mod watch;

use std::future::Future;
use std::sync::{Arc, mpsc as std_mpsc};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::net::TcpListener;

use crate::batch::Envelope;
use crate::config::{Config, LogFormat, Target};
use crate::expose::{Console, Phase, RunFacts, View, log_start, start_text};
use crate::generate::{Event, Generator};
use crate::journal::{self, Header, Journal};
use crate::key::Keyer;
use crate::kinesis::{
    Access, Client, HashRange, Lane, Limits, Shard, ShardId, ShardMap, StreamFacts, StreamRef,
};
use crate::ledger::Ledger;
use crate::pipeline::Pipeline;
use crate::schedule::{Announcer, Control, Plan, Quota, Share, wall};
use crate::send::Sender;
use crate::verify::Board;

use embedded::Embedded;
pub use files::too_few;
pub use guard::{AllGuarded, Guarded};
pub use health::healthcheck;
pub use journals::{JournalsError, Silent};
use pace::Pace;
use readback::Beside;
pub use report::Report;
pub use start_error::StartError;
pub use streams::{StreamError, stream};
pub use template::{EventError, import_templates, lint_template, read_event};
pub use verified::Verified;
pub use verify::verify;
use watch::Watch;

/// A first due second further off than this, in seconds, is worth a word.
const LONG_WAIT: u64 = 5;

/// A run that is ready to begin: every listener open, the stream described, every stage built.
pub struct App {
    config: Config,
    console: Console,
    reached: Reached,
    stages: Stages,
    ledger: Arc<Ledger>,
    view: View,
    watch: Watch,
    journal: Option<Journal>,
    beside: Option<Beside>,
    /// The moment before which nothing is due, since the Unix epoch.
    start_at: Option<Duration>,
}

/// The stream, found and described.
struct Reached {
    client: Client,
    lane: Lane,
    stream: StreamRef,
    facts: StreamFacts,
    shards: ShardMap,
    embedded: Option<Embedded>,
}

/// The stages that depend on the stream's facts.
struct Stages {
    limits: Limits,
    generator: Generator,
    keyer: Keyer,
    envelope: Envelope,
}

/// Finds the stream; none when the settings name none, as a dry run may.
async fn reach(config: &Config) -> Result<Option<Reached>, StartError> {
    let (access, stream, embedded) = match &config.target {
        Target::Nowhere => return Ok(None),
        Target::Stream(stream) => {
            guard::before(config, stream)?;
            let region = stream.arn().map(|arn| arn.region().to_owned());
            (Access::Default { region }, stream.clone(), None)
        }
        Target::Local { shards, name } => {
            let embedded = Embedded::open(*shards, name).await.map_err(StartError::Local)?;
            let access = Access::Local { endpoint: embedded.endpoint.clone() };
            (access, StreamRef::Name(name.clone()), Some(embedded))
        }
    };
    let client = Client::connect(&access, config.send.request_timeout).await;
    if client.region_is_fallback() {
        tracing::warn!("no region is set: using {} (set AWS_REGION to choose another)", client.region());
    }
    let (facts, shards) = client.ready(&stream, config.active_timeout).await?;
    let lane = client.lane(&stream, config.client).await?;
    if embedded.is_none() {
        guard::after(config, &stream, &facts.arn, lane.is_on_this_machine())?;
    }
    Ok(Some(Reached { client, lane, stream, facts, shards, embedded }))
}

impl Stages {
    fn build(config: &Config, event: &Event, reached: Option<&Reached>) -> Result<Self, StartError> {
        let told = reached.and_then(|reached| reached.facts.record_bytes);
        let own = Limits { record_bytes: told.unwrap_or(Limits::AWS.record_bytes), ..Limits::AWS };
        let (seed, producer) = (config.seed.value, config.producer.as_str());
        // A dry run without a stream plans for one of a single shard.
        let whole = ShardMap::new(vec![Shard { id: ShardId(0), range: HashRange::ALL }]);
        let shards = reached.map_or(&whole, |reached| &reached.shards);
        let envelope = match reached.map(|reached| &reached.stream) {
            Some(stream) => Envelope::new(stream.name().as_str(), stream.arn().map(|arn| arn.as_str())),
            None => Envelope::new("none", None),
        };
        let generator = Generator::of(event, seed, producer);
        let keyer = Keyer::of_events(&config.key, &generator, seed, producer, shards)?;
        Ok(Self { limits: config.limits.over(own), generator, keyer, envelope })
    }
}

/// What a run by `config` with `event`, which `config.event` names, would do, as text: the plan, and the requests of
/// its first due second. Sends nothing.
///
/// # Errors
/// Why the run could not begin.
pub async fn dry_run(config: &Config, event: &Event) -> Result<String, StartError> {
    let reached = reach(config).await?;
    let Stages { limits, generator, keyer, envelope } = Stages::build(config, event, reached.as_ref())?;
    let now = wall();
    let start_at = config.start_at.map(|start| start.moment(now));
    let facts = plan::facts(config, reached.as_ref(), &generator, &keyer, start_at);
    let begin = start_at.unwrap_or_default().saturating_sub(Duration::from_secs(1)).max(now);
    let second = plan::first_second(config, &envelope, limits, &generator, &keyer, begin);
    Ok(start_text(&facts) + &second)
}

/// What a journal says of the run.
fn journal_header(config: &Config, reached: &Reached) -> Header {
    let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Header {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        producer: config.producer.clone(),
        seed: config.seed.value,
        event: config.event.to_string(),
        partition_key: config.key.to_string(),
        stream: reached.stream.name().to_string(),
        arn: reached.embedded.is_none().then(|| reached.facts.arn.clone()),
        jobs: config.load.jobs,
        started_millis: started.as_millis() as u64,
    }
}

impl App {
    /// Opens the listeners, finds the stream and builds every stage. Sends nothing. `event` is what `config.event`
    /// names, read and compiled.
    ///
    /// # Errors
    /// Why the run can't begin; nothing goes on in the background then.
    pub async fn start(mut config: Config, event: &Event, console: Console) -> Result<Self, StartError> {
        for notice in &config.notices {
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
        let journal =
            config.journal.as_deref().map(|path| journal::open(path, &config.producer)).transpose()?;
        // Port 0 asks for any free one; from here on it is known.
        config.listen = listener.as_ref().and_then(|listener| listener.local_addr().ok());
        let format = config.log.format;
        let watch = Watch::serve(view.clone(), listener);
        let reached = reach(&config).await?.ok_or(StartError::Nowhere)?;
        let stages = Stages::build(&config, event, Some(&reached))?;
        view.metrics().know_shards(reached.shards.shards().iter().map(|shard| shard.id));
        let header = journal_header(&config, &reached);
        let journal = journal.map(|opened| opened.begin(&header, Arc::clone(&ledger))).transpose()?;
        // Before the first record: what comes from here on is read.
        let beside = match config.verify {
            false => None,
            true => {
                let board = Arc::new(Board::new(tokio::time::Instant::now()));
                view.metrics().watch_reading(Arc::clone(&board));
                Some(Beside::begin(&reached.client, &reached.stream, &config, board).await?)
            }
        };
        let plan = plan::facts(&config, Some(&reached), &stages.generator, &stages.keyer, start_at);
        match format {
            LogFormat::Text => console.print(&start_text(&plan)),
            LogFormat::Json => log_start(&plan),
        }
        let now = wall().max(start_at.unwrap_or_default()).as_secs();
        let wait = config.load.cron.next_after(now) - now;
        if wait > LONG_WAIT {
            tracing::info!(
                seconds = wait,
                "the first second that the cron expression matches is some time away"
            );
        }
        Ok(Self { config, console, reached, stages, ledger, view, watch, journal, beside, start_at })
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
        let Self { config, console, reached, stages, ledger, view, watch, journal, beside, start_at } = self;
        let Reached { lane, stream, shards, embedded, .. } = reached;
        let Stages { limits, generator, keyer, envelope } = stages;
        let (load, own_records) = (config.load.clone(), config.own_records());
        let late = barrier::tell(start_at, wall());
        let plan = Plan {
            cron: load.cron.clone(),
            quota: Quota { jobs: load.jobs, messages: load.messages },
            share: config.share.unwrap_or(Share::WHOLE),
            pacing: load.pacing,
            start_at,
            duration: load.duration,
            max_records: own_records,
            slice_records: limits.request_records,
            seed: config.seed.value,
        };
        let (cut, is_cut) = tokio::sync::watch::channel(false);
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
        );
        let requests = config.send.max_in_flight.min(plan.quota.jobs_of(plan.share) as usize);
        let slots = config.send.max_in_flight as u32; // at most 10,000 by the settings' rule
        let pipeline = Pipeline::new(generator, keyer, limits, sender, Arc::clone(&ledger), load.jobs, slots);

        let (give, releases) = tokio::sync::mpsc::channel(pace::backlog(&plan));
        let (control, told) = std_mpsc::channel();
        let announcer = Announcer::start(&plan.cron, control.clone()).await?;
        let mut pacing = Pace::start(plan, told, give, Arc::clone(&ledger)).map_err(StartError::Thread)?;
        let mut carrying = tokio::spawn(Arc::new(pipeline).run(releases, is_cut));
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
        if let Err(error) = announcer.stop().await {
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
        let ended = ended.unwrap_or(if all_due { "the number of its records" } else { "its duration" });
        let journal = match journal {
            Some(journal) => Some(journal.finish(ended).await),
            None => None,
        };
        Ok(Report {
            counts,
            journal,
            facts: RunFacts {
                stream: stream.name().to_string(),
                seed: config.seed.value,
                instance: config.producer,
                ended: ended.to_owned(),
                held: embedded.map(|embedded| embedded.held()),
            },
            // A run that came to its end was offered for exactly its duration, unless it joined others late.
            load_time: pacing.load_time(scheduled_until).map(|time| match load.duration {
                Some(duration) if by_duration && !late => duration,
                _ => time,
            }),
            drain_time,
            verified,
        })
    }
}
