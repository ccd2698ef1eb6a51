//! The composition root: puts the stages together, in the order of a run's life. The only file that knows everyone.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock, mpsc as std_mpsc};
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use crate::batch::Envelope;
use crate::config::{Config, Target};
use crate::exit::Exit;
use crate::generate::Generator;
use crate::key::{Keyer, KeyerError};
use crate::kinesis::{Access, Client, Limits, NotReady, ShardMap, StreamFacts, StreamRef};
use crate::ledger::{Ledger, Snapshot};
use crate::local;
use crate::pipeline::{LATEST, Pipeline};
use crate::schedule::{Announcer, Control, Pacer, Pacing, Plan, Quota, Release, drive, wall};
use crate::send::Sender;

/// Why a run could not begin.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The stream can't be used.
    #[error(transparent)]
    Stream(#[from] NotReady),
    /// The key strategy does not fit the events or the stream.
    #[error("STREAMER_PARTITION_KEY: {0}")]
    Key(#[from] KeyerError),
    /// The listener for metrics can't be opened.
    #[error("STREAMER_LISTEN: can't listen on {address}: {source}; choose another address, or `off`")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// The system's word.
        source: std::io::Error,
    },
    /// The embedded stream can't be opened.
    #[error("the embedded stream can't be opened: {0}")]
    Local(std::io::Error),
    /// The cron scheduler can't be started.
    #[error("the cron scheduler can't be started: {0}")]
    Cron(#[from] tokio_cron_scheduler::JobSchedulerError),
}

impl StartError {
    /// How the process ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Stream(error) => error.exit(),
            Self::Key(_) => Exit::Usage,
            Self::Listen { .. } | Self::Local(_) | Self::Cron(_) => Exit::System,
        }
    }
}

/// A run that is ready to begin: every listener open, the stream described, every stage built.
pub struct App {
    config: Config,
    client: Client,
    stream: StreamRef,
    facts: StreamFacts,
    shards: ShardMap,
    limits: Limits,
    generator: Generator,
    keyer: Keyer,
    ledger: Arc<Ledger>,
    listener: Option<TcpListener>,
    embedded: Option<Embedded>,
}

/// The embedded stream of `--local`, served until the run is over.
struct Embedded {
    store: Arc<local::Store>,
    /// Dropped to end the server.
    _serving: watch::Sender<()>,
}

/// How a run ended.
#[derive(Debug)]
pub struct Report {
    /// The final counts.
    pub counts: Snapshot,
    /// From the first intended time to the end of the schedule; none when nothing was due.
    pub load_time: Option<Duration>,
    /// From the end of the schedule to the last settled record.
    pub drain_time: Duration,
    /// How many records the embedded stream took by its own count, where there is one.
    pub held: Option<u64>,
}

impl Report {
    /// How the process ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        if self.counts.law().is_err() || self.counts.in_flight > 0 {
            Exit::Defect
        } else if self.counts.sent < self.counts.generated {
            Exit::NotAllSent
        } else {
            Exit::Sent
        }
    }
}

impl App {
    /// Opens the listeners, finds the stream and builds every stage. Sends nothing.
    ///
    /// # Errors
    /// Why the run can't begin; nothing goes on in the background then.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let listener = match config.listen {
            None => None,
            Some(address) => Some(
                TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, source })?,
            ),
        };
        let (access, stream, embedded) = match &config.target {
            Target::Stream(stream) => {
                let region = stream.arn().map(|arn| arn.region().to_owned());
                (Access::Default { region }, stream.clone(), None)
            }
            Target::Local { shards, name } => {
                let (embedded, endpoint) = embed(*shards, name).await.map_err(StartError::Local)?;
                (Access::Local { endpoint }, StreamRef::Name(name.clone()), Some(embedded))
            }
            Target::Nowhere => unreachable!("a run has a target: the settings were checked"),
        };
        let client = Client::connect(&access).await;
        if client.region_is_fallback() {
            tracing::warn!("no region is set: using {} (set AWS_REGION to choose another)", client.region());
        }
        let (facts, shards) = client.ready(&stream, config.active_timeout).await?;
        let own = Limits { record_bytes: facts.record_bytes.unwrap_or(Limits::AWS.record_bytes), ..Limits::AWS };
        let limits = config.limits.over(own);
        let (seed, producer) = (config.seed.value, config.producer.as_str());
        let generator = Generator::new(config.event, seed, producer);
        let keyer = Keyer::new(&config.key, config.event, seed, producer, &shards)?;
        let ledger = Arc::new(Ledger::new());
        Ok(Self { config, client, stream, facts, shards, limits, generator, keyer, ledger, listener, embedded })
    }

    /// The counts of the run.
    #[must_use]
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    /// The embedded stream, where there is one.
    #[must_use]
    pub fn store(&self) -> Option<&Arc<local::Store>> {
        self.embedded.as_ref().map(|embedded| &embedded.store)
    }

    /// Runs the load until it has an end or `stop` comes, drains, and says what became of every record.
    ///
    /// # Errors
    /// When the cron scheduler can't be started; nothing was sent then.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<Report, StartError> {
        let Self { config, client, stream, shards, limits, generator, keyer, ledger, embedded, .. } = self;
        let load = &config.load;
        let plan = Plan {
            cron: load.cron.as_str().parse().expect("the settings were checked"),
            quota: Quota { jobs: load.jobs, messages: load.messages },
            pacing: load.pacing,
            duration: load.duration,
            max_records: load.max_records,
            slice_records: limits.request_records,
            seed: config.seed.value,
        };
        let (cut, is_cut) = watch::channel(false);
        let envelope = Envelope::new(stream.name().as_str(), stream.arn().map(|arn| arn.as_str()));
        let sender = Sender::new(client, config.send, envelope, shards, Arc::clone(&ledger), is_cut);
        let slots = config.send.max_in_flight as u32; // at most 10,000 by the settings' rule
        let pipeline = Pipeline::new(generator, keyer, limits, sender, Arc::clone(&ledger), load.jobs, slots);

        let (give, releases) = mpsc::channel(backlog(&plan));
        let (control, told) = std_mpsc::channel();
        let announcer = Announcer::start(&plan.cron, control.clone()).await?;
        let mut carrying = tokio::spawn(Arc::new(pipeline).run(releases));
        let mut pacing = Pace::start(plan, told, give, Arc::clone(&ledger));
        tokio::select! {
            () = pacing.ended() => {}
            () = stop => {
                // The thread may have ended by itself just now.
                let _ = control.send(Control::Stop);
                pacing.ended().await;
            }
        }
        let scheduled_until = Instant::now();
        let drained = tokio::time::timeout(config.send.drain_timeout, &mut carrying).await;
        if drained.is_err() {
            cut.send_replace(true);
            // What was cut settles at once; what still waits for room is dropped within a second.
            let _ = carrying.await;
        }
        if let Err(error) = announcer.stop().await {
            tracing::debug!("the cron scheduler ended badly: {error}");
        }
        let held = embedded.map(|embedded| embedded.store.stream(stream.name().as_str()).map_or(0, |stream| stream.totals().accepted_records));
        Ok(Report {
            counts: ledger.snapshot(),
            load_time: pacing.first_due().map(|first| scheduled_until.saturating_duration_since(first)),
            drain_time: scheduled_until.elapsed(),
            held,
        })
    }
}

/// Opens the embedded stream on a free port of loopback.
async fn embed(shards: u32, name: &crate::kinesis::StreamName) -> std::io::Result<(Embedded, String)> {
    let options = local::Options { stream: Some(name.clone()), shards, ..local::Options::default() };
    let server = local::Server::bind(SocketAddr::from(([127, 0, 0, 1], 0)), options).await?;
    let (store, endpoint) = (server.store(), server.endpoint());
    let (serving, mut ended) = watch::channel(());
    tokio::spawn(server.serve(async move {
        // An error is what we wait for: the sender is gone.
        while ended.changed().await.is_ok() {}
    }));
    Ok((Embedded { store, _serving: serving }, endpoint))
}

/// Releases that may wait for room: twice what a second can have, since each waits for a second at most.
fn backlog(plan: &Plan) -> usize {
    let by_size = plan.quota.records() / plan.slice_records as u64;
    let by_time = if plan.pacing == Pacing::Burst { 0 } else { 100 };
    2 * (u64::from(plan.quota.jobs) + by_size + by_time) as usize * LATEST.as_secs() as usize
}

/// The pacer's thread.
struct Pace {
    ended: watch::Receiver<bool>,
    first_due: Arc<OnceLock<Instant>>,
}

impl Pace {
    fn start(
        plan: Plan,
        told: std_mpsc::Receiver<Control>,
        give: mpsc::Sender<Release>,
        ledger: Arc<Ledger>,
    ) -> Self {
        let (end, ended) = watch::channel(false);
        let first_due = Arc::new(OnceLock::new());
        let first = Arc::clone(&first_due);
        std::thread::spawn(move || {
            let pacer = Pacer::new(plan, wall(), Instant::now());
            drive(pacer, &told, &ledger, |release| {
                first.get_or_init(|| release.due);
                if let Err(refused) = give.try_send(release) {
                    let records = u64::from(refused.into_inner().records);
                    ledger.dropped(crate::ledger::Dropped::WindowFull, records);
                }
            });
            // Closes the channel of releases, then tells.
            drop(give);
            end.send_replace(true);
        });
        Self { ended, first_due }
    }

    async fn ended(&mut self) {
        // An error means that the thread is gone, which is an end too.
        let _ = self.ended.wait_for(|&ended| ended).await;
    }

    fn first_due(&self) -> Option<Instant> {
        self.first_due.get().copied()
    }
}
