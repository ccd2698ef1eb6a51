//! A pipeline under a load whose rate is set from outside, and what can be read off it: `capacity`'s test bench.
//!
//! The stages are a run's own, from the maker to the ledger; only its pacer is another (`lab::Feed`). Decides nothing
//! about which rates are tried.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, sleep_until};

use super::embedded::Embedded;
use super::reshard::{Follower, Following};
use super::sampling::cpu;
use super::stages::{Reached, Stages};
use crate::config::Config;
use crate::expose::{View, processors};
use crate::kinesis::{OpenShards, ShardId};
use crate::lab::{Block, Feed, SLOT, ShardRates};
use crate::ledger::{Dropped, Durations, Ledger, Outcome, ShardCounts, Snapshot};
use crate::pipeline::Pipeline;
use crate::schedule::{Release, wall};
use crate::send::{Retry, SendPolicy, Sender};

/// How long a block is.
pub(super) const BLOCK: Duration = Duration::from_millis(250);

/// One in a hundred requests may leave so late: later, the load is no even one any more.
const LATE: Duration = Duration::from_millis(300);

/// Portions that may wait for room: those of two seconds, as many as a run's pacer lets wait.
const BACKLOG: usize = 4_096;

/// The bench.
pub(super) struct Rig {
    ledger: Arc<Ledger>,
    rate: watch::Sender<f64>,
    cut: watch::Sender<bool>,
    carrying: JoinHandle<()>,
    _following: Following,
    shards: OpenShards,
    embedded: Option<Embedded>,
    drain_timeout: Duration,
    cores: f64,
}

/// What the ledger and the clocks say at a moment.
#[derive(Debug, Clone)]
pub(super) struct Glance {
    at: Instant,
    cpu: Duration,
    /// Records stored.
    pub(super) sent: u64,
    bytes: u64,
    throttled: u64,
    generated: u64,
    in_flight: u64,
    /// Records that were answered, or given up.
    settled: u64,
    dropped: u64,
    window_full: u64,
    /// Requests: all, throttled as a whole, without a proper answer.
    requests: (u64, u64, u64),
    shards: BTreeMap<Option<ShardId>, ShardCounts>,
    lateness: Durations,
}

/// What happened between two glances.
#[derive(Debug, Clone)]
pub(super) struct Stretch {
    /// The rate that was asked for.
    pub(super) rate: f64,
    /// Its blocks.
    pub(super) blocks: Vec<Block>,
    /// What each shard took and refused.
    pub(super) shards: Vec<ShardRates>,
    /// The same, from the moment on at which shards refused.
    hinting: Vec<ShardRates>,
    /// Records stored, a second.
    pub(super) sent: f64,
    /// Their bytes.
    pub(super) bytes: f64,
    /// Whether the client did not offer evenly what was asked for.
    pub(super) fell_short: bool,
    /// Requests that were throttled as a whole, of all.
    pub(super) throttled_requests: f64,
    /// Requests without a proper answer, or refused, of all.
    pub(super) failed_requests: f64,
    /// Of the dropped records those that found the window full.
    pub(super) window_full: f64,
    /// Processor time of this process, of all that the machine has.
    pub(super) cpu: f64,
    /// How late 99 of 100 requests left.
    pub(super) late: Option<Duration>,
}

impl Rig {
    /// Puts the stages together; nothing is offered yet.
    pub(super) fn begin(config: &Config, reached: Reached, stages: Stages) -> Self {
        let Reached { client, lane, stream, shards, embedded, .. } = reached;
        let Stages { limits, maker, keyer, envelope } = stages;
        let ledger = Arc::new(Ledger::new());
        let shards = OpenShards::from(shards);
        let view = View::new(Arc::clone(&ledger), SystemTime::now());
        let follower = Follower {
            client,
            stream,
            shards: shards.clone(),
            keyer: keyer.clone(),
            ledger: Arc::clone(&ledger),
            view,
        };
        let (cut, is_cut) = watch::channel(false);
        // Each record is offered once: a retry would be a load of its own, which nobody asked for.
        let policy = SendPolicy { retry: Retry::None, max_attempts: 1, ..config.send };
        let transport = Arc::new(lane);
        let sender =
            Sender::new(transport, policy, envelope, shards.clone(), Arc::clone(&ledger), is_cut.clone());
        let (jobs, slots) = (config.load.jobs, config.send.max_in_flight as u32); // at most 10,000 by the settings' rule
        let pipeline = Pipeline::new(maker, keyer, limits, sender, Arc::clone(&ledger), jobs, slots)
            .by_wire(config.wire)
            .with_packing(config.packing)
            .with_most_bytes(config.max_in_flight_bytes);
        let (give, releases) = mpsc::channel(BACKLOG);
        let carrying = tokio::spawn(Arc::new(pipeline).run(releases, is_cut));
        let (rate, wanted) = watch::channel(0.0);
        tokio::spawn(feed(wanted, give, Arc::clone(&ledger), jobs, limits.request_records as u32)); // at most 500
        Self {
            ledger,
            rate,
            cut,
            carrying,
            _following: follower.begin(),
            shards,
            embedded,
            drain_timeout: config.send.drain_timeout,
            cores: processors() as f64,
        }
    }

    /// So many records a second from now on.
    pub(super) fn offer(&self, rate: f64) {
        self.rate.send_replace(rate);
    }

    /// Open shards, as far as is known.
    pub(super) fn open_shards(&self) -> usize {
        self.shards.now().shards().len()
    }

    /// Records throttled so far.
    pub(super) fn throttled(&self) -> u64 {
        self.ledger.with(|counts| counts.throttled)
    }

    fn glance(&self) -> Glance {
        self.ledger.with(|counts| {
            let requests = |all: &[Outcome]| all.iter().map(|&one| counts.requests.get(one)).sum();
            let failed = [
                Outcome::Refused,
                Outcome::Unreachable,
                Outcome::Timeout,
                Outcome::Connection,
                Outcome::ServerError,
                Outcome::BadAnswer,
            ];
            Glance {
                at: Instant::now(),
                cpu: cpu(),
                sent: counts.sent,
                bytes: counts.sent_bytes,
                throttled: counts.throttled,
                generated: counts.generated,
                in_flight: counts.in_flight,
                settled: counts.generated - counts.in_flight,
                dropped: counts.dropped.total(),
                window_full: counts.dropped.get(Dropped::WindowFull),
                requests: (counts.requests.total(), requests(&[Outcome::Throttled]), requests(&failed)),
                shards: counts.shards.clone(),
                lateness: counts.lateness.clone(),
            }
        })
    }

    /// Offers `rate` for `time`, or until `enough` says so of the blocks so far.
    pub(super) async fn stretch(
        &self,
        rate: f64,
        time: Duration,
        enough: impl Fn(&[Block]) -> bool,
    ) -> Stretch {
        self.offer(rate);
        let mut glances = vec![self.glance()];
        let (mut blocks, mut refusing) = (Vec::new(), None);
        let start = tokio::time::Instant::now();
        while start.elapsed() < time && !enough(&blocks) {
            let next = start + BLOCK * (blocks.len() as u32 + 1);
            sleep_until(next).await;
            let now = self.glance();
            let before = glances.last().expect("the first is there");
            let block = Block { sent: now.sent - before.sent, throttled: now.throttled - before.throttled };
            blocks.push(block);
            if block.throttled > 0 && refusing.is_none() {
                // From the next block on, so that what was in reserve is gone.
                refusing = Some(glances.len());
            }
            glances.push(now);
        }
        let (first, last) = (&glances[0], &glances[glances.len() - 1]);
        let hinting = match refusing.filter(|from| from + 3 < glances.len()) {
            Some(from) => rates(&glances[from], last),
            None => Vec::new(),
        };
        Stretch::of(rate, first, last, blocks, hinting, self.cores)
    }

    /// Waits until shards refuse what is offered, `limit` at most; whether they do.
    pub(super) async fn until_throttled(&self, limit: Duration) -> bool {
        const LOOK: Duration = Duration::from_millis(20);
        let (before, start) = (self.throttled(), Instant::now());
        while start.elapsed() < limit {
            sleep(LOOK).await;
            if self.throttled() > before {
                return true;
            }
        }
        false
    }

    /// Offers nothing any more and waits for what is under way: the final counts, and what an embedded stream holds.
    pub(super) async fn end(mut self) -> (Snapshot, Option<u64>) {
        drop(self.rate);
        if tokio::time::timeout(self.drain_timeout, &mut self.carrying).await.is_err() {
            self.cut.send_replace(true);
            let _ = self.carrying.await;
        }
        (self.ledger.snapshot(), self.embedded.map(|embedded| embedded.held()))
    }
}

/// Releases what is due at the wanted rate, until nobody wants any.
async fn feed(
    mut wanted: watch::Receiver<f64>,
    give: mpsc::Sender<Release>,
    ledger: Arc<Ledger>,
    jobs: u32,
    most: u32,
) {
    let (start, begun) = (tokio::time::Instant::now(), wall());
    let (mut feed, mut job) = (Feed::new(most), 0);
    loop {
        tokio::select! {
            changed = wanted.changed() => if changed.is_err() {
                return;
            },
            () = sleep_until(start + feed.next().max(SLOT)) => {}
        }
        feed.due(start.elapsed(), |portion| {
            let release = Release {
                job,
                records: portion.records,
                due: (start + portion.due).into_std(),
                due_millis: (begun + portion.due).as_millis() as u64,
                first: true,
            };
            job = (job + 1) % jobs.max(1);
            if give.try_send(release).is_err() {
                ledger.dropped(Dropped::WindowFull, u64::from(portion.records));
            }
        });
        feed.set(*wanted.borrow_and_update());
    }
}

/// What each shard took and refused between two glances, a second.
fn rates(from: &Glance, to: &Glance) -> Vec<ShardRates> {
    let seconds = (to.at - from.at).as_secs_f64().max(1e-9);
    let rate = |(shard, now): (&Option<ShardId>, &ShardCounts)| {
        let before = from.shards.get(shard).copied().unwrap_or_default();
        let a_second = |now: u64, before: u64| now.saturating_sub(before) as f64 / seconds;
        ShardRates {
            shard: *shard,
            sent: a_second(now.sent, before.sent),
            bytes: a_second(now.sent_bytes, before.sent_bytes),
            throttled: a_second(now.throttled, before.throttled),
        }
    };
    to.shards.iter().map(rate).filter(|shard| shard.sent + shard.throttled > 0.0).collect()
}

impl Stretch {
    fn of(
        rate: f64,
        from: &Glance,
        to: &Glance,
        blocks: Vec<Block>,
        hinting: Vec<ShardRates>,
        cores: f64,
    ) -> Self {
        let seconds = (to.at - from.at).as_secs_f64().max(1e-9);
        let wanted = rate * seconds;
        let share = |part: u64, whole: u64| part as f64 / whole.max(1) as f64;
        let generated = (to.generated - from.generated) as f64;
        let piled_up = to.in_flight.saturating_sub(from.in_flight) as f64;
        let requests = to.requests.0 - from.requests.0;
        let dropped = to.dropped - from.dropped;
        // What is dropped is a shortfall; so is what goes out ever later, and what is made up for in a burst. A slot more
        // or less is none of these.
        let slack = rate * SLOT.as_secs_f64() + 2.0;
        let settled = (to.settled - from.settled) as f64;
        let fell_short = generated + slack < 0.97 * wanted
            || settled > 1.05 * wanted + slack
            || piled_up > 0.5 * rate + 2.0;
        let late = to.lateness.since(&from.lateness).quantile(0.99);
        let is_late = late.is_some_and(|late| late > LATE);
        Self {
            rate,
            blocks,
            shards: rates(from, to),
            hinting,
            sent: (to.sent - from.sent) as f64 / seconds,
            bytes: (to.bytes - from.bytes) as f64 / seconds,
            fell_short: fell_short || is_late,
            throttled_requests: share(to.requests.1 - from.requests.1, requests),
            failed_requests: share(to.requests.2 - from.requests.2, requests),
            window_full: share(to.window_full - from.window_full, dropped),
            cpu: to.cpu.saturating_sub(from.cpu).as_secs_f64() / seconds / cores,
            late,
        }
    }

    /// The rate at which nothing would have been throttled: that at which the first of the shards that refused more
    /// than `most_throttled` would be full.
    pub(super) fn hint(&self, most_throttled: f64) -> Option<f64> {
        let attempts: f64 = self.hinting.iter().map(|shard| shard.sent + shard.throttled).sum();
        let full = self.hinting.iter().filter(|shard| {
            shard.throttled > 0.0 && shard.throttled > most_throttled * (shard.sent + shard.throttled)
        });
        full.map(|shard| shard.sent * attempts / (shard.sent + shard.throttled))
            .filter(|rate| *rate > 0.0)
            .reduce(f64::min)
    }
}
