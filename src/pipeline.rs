//! The way of a record, all verbs in one place: release → generate → key → batch → send → settle.
//!
//! A release never waits for a send: it finds room in the bounded window within a second of its intended time,
//! or its records are dropped, and counted.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::{Instant, timeout_at};

use crate::batch::{Aggregation, Batch, BatchBuilder, Bundler, Packer, Packing, Pushed, Spent};
use crate::generate::{Due, Maker, Written};
use crate::key::Keyer;
use crate::kinesis::{Answer, Limits, Wire};
use crate::ledger::{Dropped, Failed, Fate, Ledger, Settled};
use crate::replay;
pub use crate::send::LATEST;
use crate::send::{Sender, Transport, Turn};

/// The largest buffers that are kept for later batches. Bounds what idle slots of the window hold.
const KEPT_BYTES: usize = 1024 * 1024;

/// All that a record passes on its way.
pub struct Pipeline<T> {
    maker: Maker,
    keyer: Keyer,
    packing: Packing,
    aggregation: Option<Aggregation>,
    limits: Limits,
    wire: Wire,
    sender: Sender<T>,
    ledger: Arc<Ledger>,
    /// How far each job is; locked while a batch is filled, so that a batch's numbers follow one another.
    jobs: Vec<Mutex<Reached>>,
    /// One permit per batch under way.
    window: Arc<Semaphore>,
    slots: u32,
    /// One permit per byte of the bodies under way; none where the slots alone keep them within their bound.
    bytes: Option<Bytes>,
    /// Buffers of batches that are done; at most one per slot of the window.
    spare: Mutex<Vec<Bench>>,
    /// Whether it was said that an event could not be made.
    told_failure: AtomicBool,
}

/// How far a job is.
#[derive(Debug, Clone, Copy, Default)]
struct Reached {
    /// Its next sequence number.
    next: u64,
    /// See [`Due::opened_millis`].
    opened_millis: u64,
}

/// The bytes that may be under way.
#[derive(Debug)]
struct Bytes {
    free: Arc<Semaphore>,
    most: usize,
}

/// What stands around the data of an entry, in bytes: names, commas, a key, an explicit hash key.
const AROUND: usize = 320;

/// The same for a record of an aggregate: heads of fields, a random key.
const AROUND_MEMBER: usize = 28;

/// The buffers that one batch needs.
#[derive(Debug, Default)]
struct Bench {
    spent: Spent,
    event: Vec<u8>,
    key: String,
    packer: Packer,
    bundler: Bundler,
    answer: Answer,
}

impl Bench {
    /// Bytes of memory that the buffers hold.
    fn capacity(&self) -> usize {
        self.spent.capacity() + self.event.capacity() + self.packer.capacity() + self.bundler.capacity()
    }
}

impl<T: Transport> Pipeline<T> {
    /// A pipeline for `jobs` jobs with `slots` batches under way at once.
    pub fn new(
        maker: impl Into<Maker>,
        keyer: Keyer,
        limits: Limits,
        sender: Sender<T>,
        ledger: Arc<Ledger>,
        jobs: u32,
        slots: u32,
    ) -> Self {
        Self {
            maker: maker.into(),
            keyer,
            packing: Packing::NONE,
            aggregation: None,
            limits,
            wire: Wire::Json,
            sender,
            ledger,
            jobs: (0..jobs).map(|_| Mutex::default()).collect(),
            window: Arc::new(Semaphore::new(slots as usize)),
            slots,
            bytes: None,
            spare: Mutex::new(Vec::new()),
            told_failure: AtomicBool::new(false),
        }
    }

    /// The same pipeline with its requests written for this wire; JSON unless told.
    #[must_use]
    pub fn by_wire(self, wire: Wire) -> Self {
        Self { wire, ..self }
    }

    /// With events framed and compressed so.
    #[must_use]
    pub fn with_packing(self, packing: Packing) -> Self {
        Self { packing, ..self }
    }

    /// With events aggregated so, if at all. To be told before [`with_most_bytes`](Self::with_most_bytes).
    #[must_use]
    pub fn with_aggregation(self, aggregation: Option<Aggregation>) -> Self {
        Self { aggregation, ..self }
    }

    /// With at most so many bytes of bodies under way. One request is always allowed.
    #[must_use]
    pub fn with_most_bytes(self, most: usize) -> Self {
        let all = self.most_body(u32::MAX).saturating_mul(self.slots as usize);
        let bytes = (all > most).then(|| Bytes { free: Arc::new(Semaphore::new(most)), most });
        Self { bytes, ..self }
    }

    /// The most bytes of the body of a request for so many records, or of the first of several.
    fn most_body(&self, records: u32) -> usize {
        let entries = (records as usize).min(self.limits.request_records);
        // An aggregate has around each of its records no more than an entry has around its data.
        let pieces = if self.aggregation.is_some() { records as usize } else { entries };
        let data = self.maker.largest_event().min(self.limits.record_bytes).saturating_add(AROUND);
        pieces.saturating_mul(data).min(self.limits.request_bytes + entries * AROUND).saturating_mul(4) / 3
    }

    /// The next sequence number of each job: all before are generated.
    pub fn reached(&self) -> Vec<u64> {
        self.jobs.iter().map(|job| job.lock().unwrap_or_else(PoisonError::into_inner).next).collect()
    }

    /// What makes the records.
    pub fn maker(&self) -> &Maker {
        &self.maker
    }

    /// Takes releases until their channel is closed, and returns when every record of theirs is settled.
    /// When `cut` turns true, nothing is generated any more.
    pub async fn run<R: Into<replay::Due>>(
        self: Arc<Self>,
        mut releases: mpsc::Receiver<R>,
        cut: watch::Receiver<bool>,
    ) {
        let (mut waited_until, mut begun) = (None, false);
        while let Some(given) = releases.recv().await {
            let given: replay::Due = given.into();
            let release = &given.release;
            if !begun {
                self.keyer.begin(release.due_millis);
                begun = true;
            }
            let drop = |why| self.ledger.dropped(why, u64::from(release.records));
            if *cut.borrow() {
                drop(Dropped::Drain);
                continue;
            }
            let due = Instant::from_std(release.due);
            let latest = due + LATEST;
            if Instant::now() >= latest {
                // Late because the ones before it waited for room, or because this process did not get here?
                let behind_others = waited_until.is_some_and(|until| until >= due);
                drop(if behind_others { Dropped::WindowFull } else { Dropped::Late });
                continue;
            }
            let permit = match Arc::clone(&self.window).try_acquire_owned() {
                Ok(permit) => Some(permit),
                Err(_) => {
                    let full_since = Instant::now();
                    let room = timeout_at(latest, Arc::clone(&self.window).acquire_owned()).await;
                    self.ledger.window_waited(full_since.elapsed());
                    waited_until = Some(Instant::now());
                    room.ok().and_then(Result::ok)
                }
            };
            let held = match (&permit, &self.bytes) {
                // Payloads of a trace have a bound of their own.
                (Some(_), Some(bytes)) if given.recorded.is_empty() => {
                    let most = self.most_body(release.records).min(bytes.most) as u32; // a body has 15 MB at most
                    let held = match Arc::clone(&bytes.free).try_acquire_many_owned(most) {
                        Ok(held) => Some(held),
                        Err(_) => {
                            let full_since = Instant::now();
                            let free = Arc::clone(&bytes.free).acquire_many_owned(most);
                            let room = timeout_at(latest, free).await;
                            self.ledger.window_waited(full_since.elapsed());
                            waited_until = Some(Instant::now());
                            room.ok().and_then(Result::ok)
                        }
                    };
                    held.map(Some)
                }
                _ => Some(None),
            };
            let (Some(permit), Some(held)) = (permit, held) else {
                drop(Dropped::WindowFull);
                continue;
            };
            let pipeline = Arc::clone(&self);
            tokio::spawn(async move {
                pipeline.carry(given, held).await;
                std::mem::drop(permit);
            });
        }
        // Every permit is back: nothing is under way. (The semaphore is never closed.)
        let _ = self.window.acquire_many(self.slots).await;
        self.sender.conclude();
    }

    /// Carries a release's records all the way, one request after the other where they need several. `held`: the bytes
    /// that one request of it may take.
    async fn carry(&self, given: replay::Due, mut held: Option<OwnedSemaphorePermit>) {
        let release = &given.release;
        let due = Instant::from_std(release.due);
        let mut bench = self.spare().pop().unwrap_or_default();
        let mut left = release.records;
        while left > 0 {
            if left < release.records && due.elapsed() >= LATEST {
                self.ledger.dropped(Dropped::WindowFull, u64::from(left));
                break;
            }
            // Before they are made: what the policy holds back too long was never generated.
            let asked = left.min(self.limits.request_records as u32); // 500 at most
            let held_back = match self.sender.turn(asked, due + LATEST).await {
                Turn::Go => None,
                Turn::TooLate => Some(Dropped::HeldBack),
                Turn::Cut => Some(Dropped::Drain),
            };
            if let Some(why) = held_back {
                self.ledger.dropped(why, u64::from(left));
                break;
            }
            let filled = self.fill(&given, &mut left, &mut bench);
            let went = filled.as_ref().map_or(0, Batch::len) as u32; // 500 at most
            self.sender.give_back(asked.saturating_sub(went));
            if let Some(batch) = filled {
                // The last request is known to the byte; what it does not need is for others.
                if let Some(held) = held.as_mut().filter(|_| left == 0) {
                    let surplus = held.num_permits().saturating_sub(batch.body().len());
                    std::mem::drop(held.split(surplus));
                }
                self.ledger.departed(due.elapsed());
                bench.spent = self.sender.send(batch, due, &mut bench.answer).await;
            }
        }
        if bench.capacity() <= KEPT_BYTES {
            self.spare().push(bench);
        }
    }

    /// Generates as many of the `left` records as one request holds. None when no record could be put into it.
    fn fill(&self, given: &replay::Due, left: &mut u32, bench: &mut Bench) -> Option<Batch> {
        let replay::Due { release, recorded, .. } = given;
        let Bench { spent, event, key, packer, bundler, .. } = bench;
        let job = release.job;
        let mut builder = BatchBuilder::of(self.wire, self.limits, std::mem::take(spent));
        match self.aggregation {
            None => builder.expect(*left as usize, self.maker.typical_event()),
            // However many entries they become, their bytes are known about.
            Some(_) => builder.expect(1, *left as usize * (self.maker.typical_event() + AROUND_MEMBER)),
        }
        let before = *left;
        let keys = self.keyer.at(release.due_millis);
        let mut bundling = self.aggregation.map(|aggregation| {
            let map = self.sender.shards().now();
            bundler.begin(&map);
            (aggregation, map, bundler)
        });
        let mut left_out = Vec::new(); // allocates only when a record can't be sent; at most a release's records
        let mut faults = Vec::new(); // allocates only when there are some
        let mut raw_bytes = 0;
        let first;
        {
            let mut reached = self.jobs[job as usize].lock().unwrap_or_else(PoisonError::into_inner);
            first = reached.next;
            let mut due = Due::new(release.due_millis, reached.opened_millis);
            while *left > 0 {
                let (composed, keyed) = match recorded.get((release.records - *left) as usize) {
                    None => {
                        let composed = self.maker.compose(job, reached.next, &mut due, event);
                        if !composed.made {
                            self.tell_failure();
                            builder.pass_over();
                            left_out.push((reached.next, Failed::NoEvent));
                            // As the answer sheet has it, which goes by places.
                            faults.extend(composed.fault);
                            reached.next += 1;
                            *left -= 1;
                            continue;
                        }
                        let keyed = keys.write(job, composed.event, event, &composed.written, key);
                        (Some(composed), keyed)
                    }
                    Some(record) => {
                        event.clear();
                        event.extend_from_slice(&record.data);
                        let written = Written { length: event.len(), entity: None };
                        let keyed = match &record.key {
                            Some(own) => {
                                key.clear();
                                key.push_str(own);
                                Ok(None)
                            }
                            None => keys.write(job, reached.next, event, &written, key),
                        };
                        (None, keyed)
                    }
                };
                match keyed {
                    Err(_) => {
                        builder.pass_over();
                        left_out.push((reached.next, Failed::NoKey));
                    }
                    Ok(explicit) => {
                        if let Some(composed) = &composed {
                            self.maker.finish(job, composed, 0, event);
                        }
                        let data = packer.pack(self.packing, event);
                        let pushed = match &mut bundling {
                            None => builder.push(data, key, explicit),
                            Some((aggregation, map, bundler)) => {
                                bundler.push(*aggregation, &mut builder, map, data, key, explicit)
                            }
                        };
                        match pushed {
                            Pushed::Added => {}
                            // The same event is made again for the next request: it depends on its number alone.
                            Pushed::Full => break,
                            Pushed::TooLarge { .. } => left_out.push((reached.next, Failed::TooLarge)),
                        }
                    }
                }
                raw_bytes += event.len() as u64;
                if let Some(fault) = composed.and_then(|composed| composed.fault) {
                    faults.push(fault);
                }
                reached.next += 1;
                *left -= 1;
            }
            reached.opened_millis = due.opened_millis;
        }
        if let Some((_, map, bundler)) = bundling {
            bundler.finish(&mut builder, &map);
        }
        self.ledger.made(u64::from(before - *left), raw_bytes, &faults);
        if !left_out.is_empty() {
            let failed = left_out.iter().map(|&(_, why)| (why, 1)).collect();
            self.ledger.settled(&Settled { failed, ..Settled::default() });
            self.sender.testify(job, left_out.iter().map(|&(sequence, why)| (sequence, Fate::Failed(why))));
        }
        let sealed = builder.seal(self.sender.envelope());
        if let Ok(batch) = &sealed {
            self.ledger.weighed(batch.records() as u64, batch.size() as u64);
        }
        sealed.map(|batch| batch.of(job, first)).map_err(|unused| *spent = unused).ok()
    }

    /// Says why an event could not be made: the first time, for the counts tell of all.
    #[cold]
    fn tell_failure(&self) {
        if !self.told_failure.swap(true, Ordering::Relaxed) {
            let why = self.maker.failure().unwrap_or("its template failed");
            tracing::error!("an event can't be made, and its record is counted as failed (no_event): {why}");
        }
    }

    fn spare(&self) -> std::sync::MutexGuard<'_, Vec<Bench>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::batch::{Compression, Envelope};
    use crate::generate::{EventKind, Generator};
    use crate::key::KeyStrategy;
    use crate::kinesis::{EntryResult, Fault, HashRange, Lane, Shard, ShardId, ShardMap};
    use crate::ledger::Snapshot;
    use crate::schedule::Release;
    use crate::send::{Retry, SendPolicy};

    /// Stores every entry, or never answers.
    struct Sink {
        answers: bool,
        bodies: Arc<Mutex<Vec<serde_json::Value>>>,
    }

    impl Transport for Sink {
        async fn put(&self, body: bytes::Bytes, answer: &mut Answer) -> Result<(), Fault> {
            let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
            let entries = body["Records"].as_array().expect("entries").len();
            self.bodies.lock().expect("no panic").push(body);
            if !self.answers {
                std::future::pending::<()>().await;
            }
            answer.entries = vec![EntryResult::Stored(None); entries];
            Ok(())
        }
    }

    struct Run {
        counts: Snapshot,
        bodies: Vec<serde_json::Value>,
    }

    /// Releases (job, records, how long after the start it is due) by hand; time is paused.
    async fn run(answers: bool, slots: u32, limits: Limits, releases: &[(u32, u32, u64)]) -> Run {
        run_within(usize::MAX, answers, slots, limits, releases).await
    }

    /// The same with at most so many bytes under way.
    async fn run_within(
        most_bytes: usize,
        answers: bool,
        slots: u32,
        limits: Limits,
        releases: &[(u32, u32, u64)],
    ) -> Run {
        let bodies = Arc::default();
        let ledger = Arc::new(Ledger::new());
        let policy = SendPolicy {
            retry: Retry::None,
            max_attempts: 1,
            max_in_flight: slots as usize,
            request_timeout: Duration::from_secs(10),
            drain_timeout: Duration::from_secs(30),
        };
        let (_cut, is_cut) = watch::channel(false);
        let sink = Sink { answers, bodies: Arc::clone(&bodies) };
        let envelope = Envelope::new("s", None);
        let sender =
            Sender::new(sink, policy, envelope, ShardMap::default(), Arc::clone(&ledger), is_cut.clone());
        let generator = Generator::new(EventKind::Click, 1, "p");
        let keyer =
            Keyer::new(&KeyStrategy::Job, EventKind::Click, 1, "p", &ShardMap::default()).expect("a keyer");
        let pipeline = Pipeline::new(generator, keyer, limits, sender, Arc::clone(&ledger), 3, slots);
        let pipeline = Arc::new(pipeline.with_most_bytes(most_bytes));
        let (give, take) = mpsc::channel(100);
        let start = Instant::now().into_std();
        let running = tokio::spawn(Arc::clone(&pipeline).run(take, is_cut));
        for &(job, records, after) in releases {
            let due = start + Duration::from_millis(after);
            tokio::time::sleep_until(due.into()).await;
            let release = Release { job, records, due, due_millis: 1_000 + after, first: true };
            give.send(release).await.expect("the pipeline listens");
        }
        drop(give);
        running.await.expect("no panic");
        let counts = ledger.snapshot();
        assert_eq!(counts.law(), Ok(()));
        assert_eq!(counts.in_flight, 0);
        let bodies = bodies.lock().expect("no panic").clone();
        Run { counts, bodies }
    }

    #[tokio::test(start_paused = true)]
    async fn every_release_is_one_request_while_it_fits() {
        let run = run(true, 4, Limits::AWS, &[(0, 10, 0), (1, 10, 0), (0, 500, 5)]).await;
        let entries = |body: &serde_json::Value| body["Records"].as_array().map_or(0, Vec::len);
        assert_eq!(run.bodies.iter().map(entries).collect::<Vec<_>>(), [10, 10, 500]);
        assert_eq!((run.counts.sent, run.counts.due), (520, 520));
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_fit_by_bytes_is_split_and_each_event_goes_out_once() {
        let limits = Limits { request_bytes: 2_000, ..Limits::AWS };
        let run = run(true, 4, limits, &[(2, 100, 0)]).await;
        assert!(run.bodies.len() > 10);
        let mut sequences = Vec::new();
        for body in &run.bodies {
            for entry in body["Records"].as_array().expect("entries") {
                let data = base64_simd::STANDARD
                    .decode_to_vec(entry["Data"].as_str().expect("data"))
                    .expect("base64");
                let event: serde_json::Value = serde_json::from_slice(&data).expect("JSON");
                sequences.push(event["sequence"].as_u64().expect("a sequence"));
            }
        }
        assert_eq!(sequences, (0..100).collect::<Vec<_>>());
        assert_eq!(run.counts.sent, 100);
    }

    #[tokio::test(start_paused = true)]
    async fn a_record_larger_than_the_stream_takes_fails_and_the_rest_goes_on() {
        let run = run(true, 4, Limits { record_bytes: 50, ..Limits::AWS }, &[(0, 7, 0)]).await;
        assert_eq!(run.counts.failed.get(Failed::TooLarge), 7);
        assert!(run.bodies.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_reached_too_late_is_dropped_although_there_is_room() {
        let (ledger, start) = (Arc::new(Ledger::new()), Instant::now());
        tokio::time::advance(Duration::from_secs(5)).await;
        let (pipeline, is_cut, _cut) = one_slot(Arc::clone(&ledger));
        let (give, take) = mpsc::channel(10);
        for after in [3_999, 4_001] {
            let due = (start + Duration::from_millis(after)).into_std();
            let release = Release { job: 0, records: 1, due, due_millis: after, first: true };
            give.send(release).await.expect("room");
        }
        drop(give);
        Arc::new(pipeline).run(take, is_cut).await;
        let counts = ledger.snapshot();
        assert_eq!((counts.dropped.get(Dropped::Late), counts.sent), (1, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn after_the_cut_nothing_is_generated() {
        let ledger = Arc::new(Ledger::new());
        let (pipeline, is_cut, cut) = one_slot(Arc::clone(&ledger));
        cut.send_replace(true);
        let (give, take) = mpsc::channel(10);
        let due = Instant::now().into_std();
        give.send(Release { job: 0, records: 3, due, due_millis: 0, first: true }).await.expect("room");
        drop(give);
        Arc::new(pipeline).run(take, is_cut).await;
        assert_eq!(ledger.with(|counts| (counts.dropped.get(Dropped::Drain), counts.generated)), (3, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn what_finds_no_room_within_a_second_is_dropped_and_the_ticks_go_on() {
        let ticks: Vec<_> = (0..8).map(|second| (0, 10, second * 1_000)).collect();
        let run = run(false, 2, Limits::AWS, &ticks).await;
        // Two requests hang for ten seconds; the six later ticks find no room.
        assert_eq!((run.counts.generated, run.counts.dropped.get(Dropped::WindowFull)), (20, 60));
        assert_eq!(run.counts.unknown.total(), 20);
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_under_way_are_bounded_as_requests_are_and_free_again_when_they_are_settled() {
        // Ten events have some 4 kB in a body, and could have twice as many.
        let ticks: Vec<_> = (0..14).map(|second| (0, 10, second * 1_000)).collect();
        let run = run_within(16_000, false, 128, Limits::AWS, &ticks).await;
        // Two requests fit, and hang for ten seconds; then two more.
        assert_eq!((run.counts.generated, run.counts.dropped.get(Dropped::WindowFull)), (40, 100));
        let bodies: Vec<usize> = run.bodies.iter().map(|body| body.to_string().len()).collect();
        assert!(bodies.iter().all(|length| (2_000..8_000).contains(length)), "{bodies:?}");
    }

    /// Stores every entry without a look at it.
    struct Null;

    impl Transport for Null {
        async fn put(&self, body: bytes::Bytes, answer: &mut Answer) -> Result<(), Fault> {
            let name = if crate::cbor::is_cbor(&body) { &b"\x64Data"[..] } else { b"\"Data\"" };
            let entries = memchr::memmem::find_iter(&body, name).count();
            answer.entries.clear();
            answer.entries.resize(entries, EntryResult::Stored(Some(ShardId(1))));
            Ok(())
        }
    }

    /// A pipeline of one job and one slot to [`Null`], its cut, and who may cut it.
    fn pipeline_to_null(
        event: EventKind,
        key: &KeyStrategy,
        ledger: Arc<Ledger>,
    ) -> (Pipeline<Null>, watch::Receiver<bool>, watch::Sender<bool>) {
        let policy = SendPolicy {
            retry: Retry::FullJitter,
            max_attempts: 10,
            max_in_flight: 1,
            request_timeout: Duration::from_secs(10),
            drain_timeout: Duration::from_secs(30),
        };
        let (cut, is_cut) = watch::channel(false);
        let shards = ShardMap::new(vec![Shard { id: ShardId(1), range: HashRange::ALL }]);
        let keyer = Keyer::new(key, event, 1, "p", &shards).expect("a keyer");
        let envelope = Envelope::new("s", None);
        let sender = Sender::new(Null, policy, envelope, shards, Arc::clone(&ledger), is_cut.clone());
        let generator = Generator::new(event, 1, "p");
        (Pipeline::new(generator, keyer, Limits::AWS, sender, ledger, 1, 1), is_cut, cut)
    }

    fn one_slot(ledger: Arc<Ledger>) -> (Pipeline<Null>, watch::Receiver<bool>, watch::Sender<bool>) {
        pipeline_to_null(EventKind::Click, &KeyStrategy::Random, ledger)
    }

    /// The size of what `of` gives, in bytes.
    fn size<A, F>(_of: impl FnOnce(A) -> F) -> usize {
        size_of::<F>()
    }

    // It is copied when it is spawned, and thrice when it ends (tokio's `Core::set_stage`): when it was 14 kB, that took
    // a third of the instructions of a request of ten records.
    #[test]
    fn a_release_on_its_way_is_a_small_future() {
        let bytes = size(|(pipeline, given): (&'static Pipeline<Arc<Lane>>, replay::Due)| {
            pipeline.carry(given, None)
        });
        assert!(bytes <= 3_072, "{bytes} bytes");
    }

    /// Heap allocations of carrying one release of so many records, in the steady state.
    fn allocations(event: EventKind, key: &KeyStrategy, records: u32, witness: bool) -> u64 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (mut pipeline, _is_cut, _cut) = pipeline_to_null(event, key, Arc::new(Ledger::new()));
        if witness {
            pipeline.sender = pipeline.sender.with_witnesses(vec![Arc::new(Deaf)]);
        }
        let carry = || {
            let release =
                Release { job: 0, records, due: std::time::Instant::now(), due_millis: 1_000, first: true };
            runtime.block_on(pipeline.carry(release.into(), None));
        };
        (0..20).for_each(|_| carry());
        allocation_counter::measure(carry).count_total
    }

    #[derive(Debug)]
    struct Deaf;

    impl crate::ledger::Witness for Deaf {
        fn hear_stored(&self, _: &[crate::ledger::StoredIn]) {}

        fn hear(&self, _: &[crate::ledger::Claim]) {}
    }

    #[test]
    fn an_aggregated_record_costs_no_allocation_in_the_steady_state() {
        let allocations = |records, key: &str| {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let key = key.parse().expect("a strategy");
            let (pipeline, _is_cut, _cut) = pipeline_to_null(EventKind::Mouse, &key, Arc::new(Ledger::new()));
            let pipeline = pipeline.with_aggregation(Some(Aggregation { bytes: 51_200 }));
            let carry = || {
                let due = std::time::Instant::now();
                let release = Release { job: 0, records, due, due_millis: 1_000, first: true };
                runtime.block_on(pipeline.carry(release.into(), None));
            };
            (0..20).for_each(|_| carry());
            let counts = pipeline.ledger.snapshot();
            assert_eq!(counts.law(), Ok(()));
            assert_eq!(
                (counts.sent, counts.entries_sent),
                (u64::from(20 * records), 20 * (u64::from(records) / 200 + 1))
            );
            allocation_counter::measure(carry).count_total
        };
        for key in ["random", "round-robin"] {
            let (few, many) = (allocations(10, key), allocations(500, key));
            assert_eq!(few, many, "{key}: a request of 10 records allocates as often as one of 500");
        }
    }

    #[test]
    fn a_witness_costs_one_allocation_a_request_and_none_a_record() {
        let (event, key) = (EventKind::Click, KeyStrategy::Random);
        let alone = allocations(event, &key, 500, false);
        assert_eq!(
            [allocations(event, &key, 10, true), allocations(event, &key, 500, true)],
            [alone + 1, alone + 1]
        );
    }

    // Of Rust's heap: the compressors have tables of their own, made once for each slot of the window.
    #[test]
    fn a_record_costs_no_allocation_in_cbor_or_compressed_either() {
        let allocations = |records, wire, compression| {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let (pipeline, _is_cut, _cut) = one_slot(Arc::new(Ledger::new()));
            let pipeline = pipeline.by_wire(wire).with_packing(Packing { compression, ..Packing::NONE });
            let carry = || {
                let due = std::time::Instant::now();
                let release = Release { job: 0, records, due, due_millis: 1_000, first: true };
                runtime.block_on(pipeline.carry(release.into(), None));
            };
            (0..20).for_each(|_| carry());
            allocation_counter::measure(carry).count_total
        };
        for (wire, compression) in [
            (Wire::Cbor, Compression::None),
            (Wire::Json, Compression::Gzip),
            (Wire::Json, Compression::Zstd),
        ] {
            let [few, many] = [10, 500].map(|records| allocations(records, wire, compression));
            assert_eq!(few, many, "{wire}, {compression}");
        }
    }

    #[test]
    fn a_record_costs_no_allocation_in_the_steady_state() {
        for (event, key) in [
            (EventKind::Mouse, "random"),
            (EventKind::Click, "user"),
            (EventKind::Trade, "field:/price"),
            (EventKind::Message, "round-robin"),
            (EventKind::Click, "zipf:1.2"),
            (EventKind::Click, "hot:60%@1"),
        ] {
            let key = key.parse().expect("a strategy");
            let (few, many) = (allocations(event, &key, 10, false), allocations(event, &key, 500, false));
            assert_eq!(few, many, "{event}: a request of 10 records allocates as often as one of 500");
            assert!(many <= 12, "{event}: {many} allocations a request");
        }
    }
}
