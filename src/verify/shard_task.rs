//! The task that reads one shard: does what its [`ShardReader`] says, and gives what comes to the audit.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep_until};

use super::board::PageFacts;
use super::run::{Order, ReadPlan};
use super::shard_reader::{ShardReader, Step};
use super::{Audit, Board, Mailbox, Progress, Seen, Source, Testimony};
use crate::kinesis::{HashRange, Place, ReadFault, ReadRecord, ShardFamily, ShardId};

/// What all who read one stream share.
#[derive(Debug)]
pub(super) struct Shared<S> {
    pub(super) source: S,
    pub(super) plan: ReadPlan,
    /// None once the verdict is asked for.
    pub(super) audit: Mutex<Option<Audit>>,
    /// Whether the audit panicked.
    pub(super) broken: AtomicBool,
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) board: Arc<Board>,
    /// One permit per answer in memory.
    pub(super) answers: Arc<Semaphore>,
    pub(super) start: Instant,
}

/// A shard that was left.
#[derive(Debug)]
pub(super) struct Left {
    pub(super) shard: ShardId,
    /// The shards that follow it, as far as the last answer named them; or why it could not be read to its end.
    pub(super) end: Result<Vec<ShardFamily>, ReadFault>,
}

impl<S: Source> Shared<S> {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// Reads a shard to its end.
    pub(super) async fn read(
        self: Arc<Self>,
        shard: ShardId,
        place: Place,
        mut orders: watch::Receiver<Order>,
    ) -> Left {
        let mut reader = ShardReader::new(place, self.plan.poll, self.now());
        let mut children = Vec::new();
        loop {
            if matches!(*orders.borrow_and_update(), Order::Finish { .. }) {
                reader.hurry(self.now());
            }
            match reader.next(self.now()) {
                Step::Rest(until) => tokio::select! {
                    () = sleep_until(self.start + until) => {}
                    // Without a sender there are no orders any more: the task is about to be aborted.
                    changed = orders.changed() => if changed.is_err() { sleep_until(self.start + until).await },
                },
                Step::Iterator(place) => {
                    let got = self.source.iterator(shard, place).await;
                    reader.got_iterator(
                        self.now(),
                        got,
                        Place::Since(self.plan.begun_millis),
                        fastrand::f64(),
                    );
                }
                Step::Records(iterator) => {
                    let room = Arc::clone(&self.answers).acquire_owned().await;
                    let called = Instant::now();
                    match self.source.records(&iterator).await {
                        Ok(mut page) => {
                            reader.got_records(called - self.start, self.now(), &page);
                            children = std::mem::take(&mut page.children);
                            let facts = PageFacts::of(&page);
                            let audit = self.examine(shard, page.records, room.ok()).await;
                            self.board.turned(shard, called, &facts, audit);
                        }
                        Err(fault) => {
                            tracing::debug!(%shard, "records could not be read: {fault}");
                            self.board.set_back(fault.setback);
                            reader.set_back(self.now(), fault, fastrand::f64());
                        }
                    }
                }
                Step::End => return Left { shard, end: Ok(children) },
                Step::GiveUp(fault) => return Left { shard, end: Err(fault) },
            }
        }
    }

    /// Gives records to the audit, after all claims that have come. Off the threads that send: comparing an answer of
    /// 10,000 events takes milliseconds.
    async fn examine(
        self: &Arc<Self>,
        shard: ShardId,
        records: Vec<ReadRecord>,
        room: Option<OwnedSemaphorePermit>,
    ) -> Progress {
        let (shared, read_millis) = (Arc::clone(self), now_millis());
        let examined = self.examining(move |audit| {
            hear(audit, &shared.mailbox);
            for record in &records {
                audit.see(&Seen {
                    shard,
                    sequence_number: record.sequence_number,
                    partition_key: &record.partition_key,
                    data: &record.data,
                    arrived_millis: record.arrived_millis,
                    read_millis,
                });
            }
            drop((records, room));
            audit.progress()
        });
        examined.await.unwrap_or_default()
    }

    /// Gives the audit to `work` on a thread where that may take its time; none when there is no audit any more.
    async fn examining<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Audit) -> T + Send + 'static,
    ) -> Option<T> {
        let shared = Arc::clone(self);
        let worked = tokio::task::spawn_blocking(move || {
            shared.audit.lock().unwrap_or_else(PoisonError::into_inner).as_mut().map(work)
        });
        worked.await.unwrap_or_else(|_| {
            self.broken.store(true, Ordering::Release);
            None
        })
    }

    /// Tells the audit of a shard's parents and hash keys, before its first record.
    pub(super) async fn descends(
        self: &Arc<Self>,
        shard: ShardId,
        parents: Vec<ShardId>,
        range: Option<HashRange>,
    ) {
        let told = self.examining(move |audit| {
            audit.reshard(shard, &parents);
            if let Some(range) = range {
                audit.holds(shard, range);
            }
        });
        told.await;
    }

    /// Gives the claims that have come to the audit, whether or not anything is read.
    pub(super) async fn listen(self: &Arc<Self>) {
        if self.mailbox.is_empty() {
            return;
        }
        let shared = Arc::clone(self);
        let heard = self.examining(move |audit| {
            hear(audit, &shared.mailbox);
            audit.progress()
        });
        if let Some(audit) = heard.await {
            self.board.told(audit);
        }
    }

    /// Notes that the producers have told all that they ever will.
    pub(super) async fn all_told(self: &Arc<Self>) {
        self.examining(Audit::all_told).await;
    }

    /// What the audit still waits for, after all claims that were put down before; none when it can't be told.
    pub(super) async fn outstanding(self: &Arc<Self>) -> Option<u64> {
        let shared = Arc::clone(self);
        let asked = self.examining(move |audit| {
            hear(audit, &shared.mailbox);
            audit.outstanding()
        });
        asked.await
    }
}

fn hear(audit: &mut Audit, mailbox: &Mailbox) {
    for Testimony { producer, claim } in mailbox.take() {
        audit.claim(&producer, &claim);
    }
    mailbox.take_stored().iter().for_each(|stored| audit.claim_digest(stored));
}

fn now_millis() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}
