//! One stream: its shards behind one lock, and how records get in.
//!
//! A request's records become visible together, in the order of their sequence numbers, because numbers
//! are given and records stored under the same lock. So no reader can pass over a number that is still to come.
//! The lock is held for copying bytes only: parsing and base64 happen outside.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::error::ApiError;
use super::options::Options;
use super::sequence::SequenceNumber;
use super::shard::Shard;
use crate::kinesis::{HashKey, HashRange, ShardId, ShardMap, StreamName};

/// The open shards of all streams, against the account's limit.
#[derive(Debug, Clone, Default)]
pub(super) struct OpenShards(Arc<AtomicU32>);

impl OpenShards {
    pub(super) fn count(&self) -> u32 {
        self.0.load(Ordering::Acquire)
    }

    /// Takes `more` shards out of the account's limit.
    pub(super) fn reserve(&self, more: u32, options: &Options) -> Result<(), ApiError> {
        let limit = options.shard_limit;
        let fits = |open: u32| open.checked_add(more).filter(|sum| *sum <= limit);
        self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, fits).map(drop).map_err(|open| {
            ApiError::limit(format!(
                "This request would exceed the shard limit for the account {} in {}. Current shard count for \
                 the account: {open}. Limit: {limit}. Number of additional shards that would have resulted \
                 from this request: {more}. Refer to the AWS Service Limits page \
                 (http://docs.aws.amazon.com/general/latest/gr/aws_service_limits.html) for current limits \
                 and how to request higher limits.",
                options.account, options.region
            ))
        })
    }

    pub(super) fn release(&self, fewer: u32) {
        self.0.fetch_sub(fewer, Ordering::AcqRel);
    }
}

/// The capacity mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// So many shards, changed by hand.
    Provisioned,
    /// Shards are AWS's matter. Ours stay as many as they were.
    OnDemand,
}

/// Who chooses a record's shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distribution {
    /// The producer, by partition key or explicit hash key.
    UserPartitionKey,
    /// Kinesis, evenly; keys are ignored. On-demand streams only.
    Auto,
}

/// What a stream is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Takes records.
    Active,
    /// Not there yet.
    Creating,
    /// Being resharded; takes records.
    Updating,
}

/// A record on its way in: where it lies in the request's bytes, and its hash key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) key: &'a str,
    pub(super) data: &'a [u8],
    pub(super) hash: HashKey,
}

impl Entry<'_> {
    fn size(&self) -> usize {
        self.key.len() + self.data.len()
    }
}

/// What became of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Accepted(SequenceNumber),
    Refused(ShardId),
}

/// A stream of the embedded Kinesis.
#[derive(Debug)]
pub struct Stream {
    pub(super) name: StreamName,
    pub(super) arn: String,
    /// Tells streams apart that had the same name one after the other.
    pub(super) generation: u64,
    pub(super) created: Duration,
    pub(super) options: Arc<Options>,
    pub(super) open_shards: OpenShards,
    pub(super) state: Mutex<State>,
}

/// What the lock guards.
#[derive(Debug)]
pub(super) struct State {
    /// Every shard there ever was; a shard's number is its place.
    pub(super) shards: Vec<Shard>,
    pub(super) open: ShardMap,
    /// The shard of each chunk held, in the order of arrival: its front is the front chunk of that shard.
    pub(super) order: VecDeque<u32>,
    /// The memory that the chunks hold, in bytes.
    pub(super) held: usize,
    pub(super) retention: Duration,
    pub(super) mode: Mode,
    pub(super) distribution: Distribution,
    pub(super) record_bytes: usize,
    pub(super) tags: BTreeMap<String, String>,
    /// Not ACTIVE before this time.
    pub(super) busy_until: Duration,
    pub(super) deleted: bool,
    /// When UpdateShardCount was called, within the last 24 hours.
    pub(super) scalings: VecDeque<Duration>,
    /// The next open shard's turn under AUTO.
    turn: usize,
    /// The shards that the request in hand puts something into. Empty between requests.
    touched: Vec<u32>,
}

/// What a new stream shall be.
#[derive(Debug, Clone)]
pub(super) struct Creation {
    pub(super) name: StreamName,
    pub(super) shards: u32,
    pub(super) mode: Mode,
    pub(super) distribution: Distribution,
    pub(super) record_bytes: usize,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) busy: Duration,
}

impl Stream {
    /// A new stream; its shards are already reserved.
    pub(super) fn new(
        wanted: Creation,
        generation: u64,
        options: Arc<Options>,
        open_shards: OpenShards,
    ) -> Self {
        let now = options.clock.now();
        let arn = arn(&options, &wanted.name);
        let ranges = HashRange::ALL.divided(wanted.shards);
        let shards = (0..).zip(ranges).map(|(i, range)| Shard::open(i, range, now.as_secs(), now)).collect();
        let mut state = State {
            shards,
            open: ShardMap::default(),
            order: VecDeque::new(),
            held: 0,
            retention: options.retention,
            mode: wanted.mode,
            distribution: wanted.distribution,
            record_bytes: wanted.record_bytes,
            tags: wanted.tags,
            busy_until: now.saturating_add(wanted.busy),
            deleted: false,
            scalings: VecDeque::new(),
            turn: 0,
            touched: Vec::new(),
        };
        state.remap();
        Self {
            name: wanted.name,
            arn,
            generation,
            created: now,
            options,
            open_shards,
            state: Mutex::new(state),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds a stream's lock")
    }

    pub(super) fn not_found(&self) -> ApiError {
        not_found(self.name.as_str(), &self.options.account)
    }

    /// Offers records, in order; each shard's limits decide one by one. Outcomes come in the same order.
    pub(super) fn put(&self, entries: &[Entry<'_>]) -> Result<Vec<Outcome>, ApiError> {
        let mut state = self.lock();
        // Taken under the lock: so arrivals never go backwards within a stream.
        let now = self.options.clock.now();
        if state.deleted || state.status(now) == Status::Creating {
            return Err(self.not_found());
        }
        let outcomes: Vec<Outcome> =
            entries.iter().map(|entry| state.admit(entry, now, self.options.limited)).collect();
        state.store(entries, &outcomes, now);
        state.trim(now, self.options.max_bytes);
        Ok(outcomes)
    }
}

pub(super) fn not_found(name: &str, account: &str) -> ApiError {
    ApiError::not_found(format!("Stream {name} under account {account} not found."))
}

/// The ARN of a stream with these options, in the partition of its region.
pub(super) fn arn(options: &Options, name: &StreamName) -> String {
    let partition = match options.region.split('-').next() {
        Some("cn") => "aws-cn",
        Some("us") if options.region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    };
    format!("arn:{partition}:kinesis:{}:{}:stream/{name}", options.region, options.account)
}

impl State {
    pub(super) fn status(&self, now: Duration) -> Status {
        if now >= self.busy_until {
            Status::Active
        } else if self.shards.iter().all(|shard| shard.parent.is_none()) {
            Status::Creating
        } else {
            Status::Updating
        }
    }

    /// Draws the map of open shards anew.
    pub(super) fn remap(&mut self) {
        let open = self.shards.iter().filter(|shard| shard.closed.is_none());
        let open = open.map(|shard| crate::kinesis::Shard { id: shard.id(), range: shard.range });
        self.open = ShardMap::new(open.collect());
    }

    /// Decides on one record and gives it its number; it is stored by [`State::store`].
    fn admit(&mut self, entry: &Entry<'_>, now: Duration, limited: bool) -> Outcome {
        let id = match self.distribution {
            Distribution::UserPartitionKey => self.open.locate(entry.hash),
            Distribution::Auto => {
                self.turn = (self.turn + 1) % self.open.shards().len();
                Some(self.open.shards()[self.turn].id)
            }
        };
        let id = id.expect("the open shards cover every hash key");
        let shard = &mut self.shards[usize::try_from(id.0).expect("numbers are places")];
        let size = entry.size() as u64;
        if let Err(refusal) = if limited { shard.limiter.take(now, size) } else { Ok(()) } {
            shard.counts.refused(refusal, size);
            return Outcome::Refused(id);
        }
        let index = shard.ring.next() + shard.pending.records as u64;
        if shard.pending.records == 0 {
            self.touched.push(shard.number);
        }
        shard.pending.records += 1;
        shard.pending.bytes += entry.size();
        shard.counts.accepted_records += 1;
        shard.counts.accepted_bytes += size;
        Outcome::Accepted(shard.sequence(index, now))
    }

    /// Stores what was accepted: one chunk for each shard that got something.
    fn store(&mut self, entries: &[Entry<'_>], outcomes: &[Outcome], now: Duration) {
        for (entry, outcome) in entries.iter().zip(outcomes) {
            if let Outcome::Accepted(sequence) = outcome {
                self.shards[sequence.shard as usize].pending.push(entry.key, entry.data);
            }
        }
        for number in self.touched.drain(..) {
            self.held += self.shards[number as usize].append_pending(now);
            self.order.push_back(number);
        }
    }

    /// Drops what is older than the retention, and the oldest while more than `max_bytes` are held.
    pub(super) fn trim(&mut self, now: Duration, max_bytes: usize) {
        while let Some(&number) = self.order.front() {
            let shard = &mut self.shards[number as usize];
            let front = shard.ring.front().expect("each place in the order stands for a chunk");
            let aged = now.saturating_sub(front.arrival()) > self.retention;
            let over = self.held > max_bytes && self.order.len() > 1;
            if !aged && !over {
                return;
            }
            if let Some(chunk) = shard.ring.trim() {
                self.held -= chunk.cost();
                shard.counts.trimmed_records += chunk.len() as u64;
            }
            self.order.pop_front();
        }
    }
}
