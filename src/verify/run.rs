//! Reading a whole stream: one task for each shard that may be read, and when it is enough.
//!
//! The end is judged, because a stream never says that nothing more will come: every shard was found at its tip since
//! the producers were done, and either nothing that they claim is outstanding, or nothing new came for a while.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::lineage::Lineage;
use super::shard_reader::PATIENCE;
use super::shard_task::{Left, Shared};
use super::{Audit, Board, Mailbox, ReadCounts, Source, Verdict};
use crate::kinesis::{Place, ReadFault, ShardFamily};

/// GetRecords answers in memory at once. Each holds up to 10 MiB of records, twice that while it is taken from JSON.
const ANSWERS: usize = 8;

/// How often claims are passed on, and the end is judged.
const GLANCE: Duration = Duration::from_millis(100);

/// First wait before a listing of shards that failed is tried again; the SDK has tried it three times by then.
const LIST_AGAIN: Duration = Duration::from_secs(2);

/// How a stream is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadPlan {
    /// Where reading begins in the shards that are there at the start.
    pub place: Place,
    /// When reading begins, in milliseconds since the Unix epoch.
    pub begun_millis: u64,
    /// How often a shard is asked that was read to its tip.
    pub poll: Duration,
    /// How long nothing new must come before it is believed that nothing will.
    pub idle: Duration,
}

/// What the readers are to do from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Read what is there and what comes.
    Follow,
    /// The producers are done, as far as is known: read to the end.
    Finish {
        /// Whether all that they claim was told, so that reading may end as soon as nothing is outstanding.
        all_told: bool,
    },
    /// Stop where you are.
    Stop {
        /// Because the time for it is over; else because somebody wanted it.
        timed_out: bool,
    },
}

/// Why reading ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadEnd {
    /// All was read.
    Complete,
    /// It was told to stop.
    Stopped,
    /// Its time was over.
    TimedOut,
    /// A shard, or the list of shards, could not be read.
    Failed(ReadFault),
    /// The audit panicked, so that its counts mean nothing: a defect.
    Defect,
}

/// What came of reading.
#[derive(Debug)]
pub struct Outcome {
    /// Why it ended.
    pub end: ReadEnd,
    /// What the audit says of what was read.
    pub verdict: Verdict,
    /// What was read.
    pub counts: ReadCounts,
    /// Records of whose claims nothing is known, because they came faster than the audit took them.
    pub claims_lost: u64,
}

/// The reading of one stream, in the background from its start on.
#[derive(Debug)]
pub struct Readback<S> {
    shared: Arc<Shared<S>>,
    orders: watch::Sender<Order>,
    begun: watch::Receiver<bool>,
    reading: JoinHandle<ReadEnd>,
}

impl<S: Source> Readback<S> {
    /// Begins to read; it goes on until it is ordered to finish or to stop.
    pub fn start(source: S, plan: ReadPlan, audit: Audit, mailbox: Arc<Mailbox>, board: Arc<Board>) -> Self {
        let shared = Arc::new(Shared {
            source,
            plan,
            audit: Mutex::new(Some(audit)),
            broken: AtomicBool::new(false),
            mailbox,
            board,
            answers: Arc::new(Semaphore::new(ANSWERS)),
            start: Instant::now(),
        });
        let (orders, ordered) = watch::channel(Order::Follow);
        let (told, begun) = watch::channel(false);
        let readers = Readers {
            shared: Arc::clone(&shared),
            lineage: Lineage::default(),
            tasks: JoinSet::new(),
            failed: None,
            listing_fails_since: None,
            list_at: shared.start,
            listed: false,
        };
        let reading = tokio::spawn(readers.run(ordered, told));
        Self { shared, orders, begun, reading }
    }

    /// Waits until every shard has been read once: from here on nothing that is written is passed over.
    ///
    /// # Errors
    /// Why the stream can't be read.
    pub async fn begun(&mut self) -> Result<(), ReadEnd> {
        tokio::select! {
            begun = self.begun.wait_for(|&begun| begun) => match begun {
                Ok(_) => Ok(()),
                Err(_) => Err((&mut self.reading).await.unwrap_or(ReadEnd::Defect)),
            },
            end = &mut self.reading => Err(end.unwrap_or(ReadEnd::Defect)),
        }
    }

    /// What was read so far.
    #[must_use]
    pub fn board(&self) -> &Arc<Board> {
        &self.shared.board
    }

    /// Gives an order, which the readers follow at once.
    pub fn order(&self, order: Order) {
        self.orders.send_if_modified(|now| {
            let changed = *now != order;
            *now = order;
            changed
        });
    }

    /// Whoever holds this can give orders while the end is waited for.
    #[must_use]
    pub fn orders(&self) -> watch::Sender<Order> {
        self.orders.clone()
    }

    /// Waits for the end, which comes by order or because the stream can't be read.
    pub async fn outcome(self) -> Outcome {
        let mut end = self.reading.await.unwrap_or(ReadEnd::Defect);
        self.shared.listen().await;
        let audit = self.shared.audit.lock().unwrap_or_else(PoisonError::into_inner).take();
        if self.shared.broken.load(Ordering::Acquire) {
            end = ReadEnd::Defect;
        }
        let audit = audit.expect("it is taken here alone, and `self` is gone then");
        Outcome {
            end,
            verdict: audit.finish(),
            counts: self.shared.board.counts(),
            claims_lost: self.shared.mailbox.lost(),
        }
    }
}

/// The readers of a stream's shards.
struct Readers<S> {
    shared: Arc<Shared<S>>,
    lineage: Lineage,
    tasks: JoinSet<Left>,
    /// The first failure.
    failed: Option<ReadFault>,
    listing_fails_since: Option<Instant>,
    /// Not before this is a listing of the shards tried (again).
    list_at: Instant,
    listed: bool,
}

impl<S: Source> Readers<S> {
    async fn run(mut self, mut orders: watch::Receiver<Order>, begun: watch::Sender<bool>) -> ReadEnd {
        let mut glances = interval(GLANCE);
        glances.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut since = None;
        loop {
            self.list(&orders).await;
            if self.listed && self.failed.is_none() && !*begun.borrow() && self.shared.board.all_begun() {
                begun.send_replace(true);
            }
            tokio::select! {
                Some(left) = self.tasks.join_next(), if !self.tasks.is_empty() => self.leave(left),
                _ = glances.tick() => {
                    // The order first: all that was claimed before it came is in the mailbox by now.
                    let order = *orders.borrow_and_update();
                    self.shared.listen().await;
                    if let Some(end) = self.judge(order, &mut since) {
                        return end;
                    }
                    if let Some(end) = self.is_enough(order, since).await {
                        return end;
                    }
                }
                changed = orders.changed() => if changed.is_err() { return ReadEnd::Stopped },
            }
        }
    }

    /// Lists the shards where that is wanted, and begins with those that may be read.
    async fn list(&mut self, orders: &watch::Receiver<Order>) {
        let wanted = !self.listed || self.lineage.wants_listing();
        if wanted && self.failed.is_none() && Instant::now() >= self.list_at {
            match self.shared.source.shards().await {
                Ok(shards) => {
                    let place = self.shared.plan.place;
                    let later = self.listed;
                    self.lineage.listed(&shards, |shard| begin(place, shard, later));
                    (self.listed, self.listing_fails_since) = (true, None);
                    // A shard that has just ended may have no children yet: not in a loop without a pause.
                    self.list_at = Instant::now() + LIST_AGAIN;
                }
                Err(fault) => {
                    tracing::warn!("the stream's shards can't be listed: {fault}");
                    let since = *self.listing_fails_since.get_or_insert_with(Instant::now);
                    if !self.listed || since.elapsed() >= PATIENCE {
                        self.failed = Some(fault);
                    }
                    self.list_at = Instant::now() + LIST_AGAIN;
                }
            }
        }
        while let Some((shard, place)) = self.lineage.begin_next() {
            self.shared.board.opened(shard);
            let (parents, range) = (self.lineage.parents(shard).collect(), self.lineage.range(shard));
            self.shared.descends(shard, parents, range).await;
            self.tasks.spawn(Arc::clone(&self.shared).read(shard, place, orders.clone()));
        }
    }

    /// A reader has left its shard.
    fn leave(&mut self, left: Result<Left, JoinError>) {
        match left {
            Ok(Left { shard, end: Ok(children) }) => {
                self.shared.board.left(shard, true);
                self.lineage.ended(shard, &children);
            }
            Ok(Left { shard, end: Err(fault) }) => {
                tracing::warn!("{shard} can't be read to its end: {fault}");
                self.shared.board.left(shard, false);
                self.failed.get_or_insert(fault);
            }
            // No task is aborted while this goes on, so it panicked.
            Err(_) => self.shared.broken.store(true, Ordering::Release),
        }
    }

    /// Whether reading is over by order, or because nothing is left to read. `since` is when the order to finish came.
    fn judge(&self, order: Order, since: &mut Option<Instant>) -> Option<ReadEnd> {
        if self.shared.broken.load(Ordering::Acquire) {
            return Some(ReadEnd::Defect);
        }
        // With no shard left to read, waiting would bring nothing.
        if let Some(fault) = self.failed.as_ref().filter(|_| self.tasks.is_empty()) {
            return Some(ReadEnd::Failed(fault.clone()));
        }
        match order {
            Order::Follow => *since = None,
            Order::Finish { .. } => *since = since.or_else(|| Some(Instant::now())),
            Order::Stop { timed_out: true } => return Some(ReadEnd::TimedOut),
            Order::Stop { timed_out: false } => return Some(ReadEnd::Stopped),
        }
        None
    }

    /// Whether all was read that was there when the order to finish came, and nothing more is to be expected.
    async fn is_enough(&self, order: Order, since: Option<Instant>) -> Option<ReadEnd> {
        let (Order::Finish { all_told }, Some(since)) = (order, since) else { return None };
        if all_told {
            self.shared.all_told().await;
        }
        let board = &self.shared.board;
        let untold = !self.listed || self.lineage.wants_listing() && self.failed.is_none();
        let waits = self.lineage.any_waits() && self.failed.is_none();
        if untold || waits || !board.all_at_tip(since) {
            return None;
        }
        let quiet = board.last_news().max(since).elapsed() >= self.shared.plan.idle;
        let enough = quiet || all_told && self.shared.outstanding().await == Some(0);
        enough.then(|| match &self.failed {
            Some(fault) => ReadEnd::Failed(fault.clone()),
            None => ReadEnd::Complete,
        })
    }
}

/// Where reading of a listed shard begins; none: its records are older than what is wanted.
fn begin(place: Place, shard: &ShardFamily, later: bool) -> Option<Place> {
    match place {
        // What came up since the first listing is all new.
        Place::Newest if later => Some(Place::Oldest),
        Place::Newest => (!shard.closed).then_some(Place::Newest),
        place => Some(place),
    }
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
