//! Each retry policy against a stream with the limits of real shards, in paused time: counts, waits, bounds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{LATEST, Retry, SendPolicy, Sender, Transport, Turn, backoff};
use crate::batch::{BatchBuilder, Envelope, Pushed, Spent};
use crate::kinesis::{
    Answer, EntryResult, Fault, HashKey, HashRange, Limits, OpenShards, Shard, ShardId, ShardMap,
};
use crate::ledger::{Failed, Ledger, Snapshot};
use crate::model::{ShardLimiter, ThrottleCause};

/// A stream that takes and refuses as Kinesis does; every flight takes 4 ms.
struct Limited {
    shards: ShardMap,
    /// The limiter of each shard, and what it stored.
    limiters: Mutex<HashMap<ShardId, (ShardLimiter, u64)>>,
    start: Instant,
    /// When each request came.
    calls: Mutex<Vec<Duration>>,
    /// Refuses all.
    shut: bool,
}

impl Limited {
    fn open(shards: u32, shut: bool) -> Arc<Self> {
        let ranges = HashRange::ALL.divided(shards);
        let shards = (0..).zip(ranges).map(|(id, range)| Shard { id: ShardId(id), range }).collect();
        let start = Instant::now();
        Arc::new(Self {
            shards: ShardMap::new(shards),
            limiters: Mutex::default(),
            start,
            calls: Mutex::default(),
            shut,
        })
    }

    fn stored(&self) -> u64 {
        self.limiters.lock().expect("no panic").values().map(|(_, stored)| stored).sum()
    }
}

impl Transport for Limited {
    async fn put(&self, body: Bytes, answer: &mut Answer) -> Result<(), Fault> {
        tokio::time::sleep(Duration::from_millis(2)).await;
        let now = self.start.elapsed();
        self.calls.lock().expect("no panic").push(now);
        let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        for entry in body["Records"].as_array().expect("entries") {
            let key = entry["PartitionKey"].as_str().expect("a key");
            let shard = self.shards.locate(HashKey::of(key)).expect("a shard");
            let mut limiters = self.limiters.lock().expect("no panic");
            let (limiter, stored) =
                limiters.entry(shard).or_insert_with(|| (ShardLimiter::new(Duration::ZERO), 0));
            answer.entries.push(if !self.shut && limiter.take(now, 100).is_ok() {
                *stored += 1;
                EntryResult::Stored(Some(shard))
            } else {
                EntryResult::Throttled(Some(shard))
            });
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
        Ok(())
    }
}

fn sender(
    stream: &Arc<Limited>,
    retry: Retry,
    max_attempts: u32,
    ledger: &Arc<Ledger>,
) -> Sender<Arc<Limited>> {
    let policy = SendPolicy {
        retry,
        max_attempts,
        max_in_flight: 128,
        request_timeout: Duration::from_secs(10),
        drain_timeout: Duration::from_secs(30),
    };
    let (_never, is_cut) = watch::channel(false);
    let shards = OpenShards::from(stream.shards.clone());
    Sender::new(Arc::clone(stream), policy, Envelope::new("s", None), shards, Arc::clone(ledger), is_cut)
}

/// Sends batches of 100 records, each so many milliseconds after the start, all under way at once: the counts, which
/// hold the law and are the stream's own.
async fn send(stream: &Arc<Limited>, retry: Retry, max_attempts: u32, batches: &[u64]) -> Snapshot {
    let ledger = Arc::new(Ledger::new());
    let sender = Arc::new(sender(stream, retry, max_attempts, &ledger));
    let start = Instant::now();
    let mut sending = JoinSet::new();
    for (number, &millis) in batches.iter().enumerate() {
        let (sender, ledger) = (Arc::clone(&sender), Arc::clone(&ledger));
        sending.spawn(async move {
            let due = start + Duration::from_millis(millis);
            tokio::time::sleep_until(due).await;
            if sender.turn(100, due + LATEST).await != Turn::Go {
                ledger.dropped(crate::ledger::Dropped::HeldBack, 100);
                return;
            }
            let mut builder = BatchBuilder::new(Limits::AWS, Spent::default());
            for record in 0..100 {
                assert_eq!(
                    builder.push(&[b'x'; 90], &format!("{number:05}-{record:04}"), None),
                    Pushed::Added
                );
            }
            ledger.generated(100);
            let batch = builder.seal(sender.envelope()).expect("a hundred entries");
            sender.send(batch, due, &mut Answer::default()).await;
        });
    }
    while let Some(sent) = sending.join_next().await {
        sent.expect("no panic");
    }
    sender.conclude();
    let counts = ledger.snapshot();
    assert_eq!((counts.law(), counts.in_flight), (Ok(()), 0));
    assert_eq!((counts.sent, counts.unknown.total()), (stream.stored(), 0), "{retry}");
    assert_eq!(counts.throttled, counts.throttled_by.total());
    // Nobody else is there; a stream that refuses all looks as if others had it.
    let of_others = counts.throttled_by.get(ThrottleCause::OtherWriters);
    assert_eq!(of_others > 0, stream.shut, "{retry}");
    counts
}

/// Twice what two shards take for three seconds.
fn overload() -> Vec<u64> {
    (0..120).map(|batch| batch * 25).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_never_tried_again_goes_out_once() {
    let counts = send(&Limited::open(2, false), Retry::None, 10, &overload()).await;
    assert_eq!((counts.entries, counts.failed.get(Failed::Throttled)), (12_000, counts.throttled));
    assert!(counts.throttled > 3_000, "{counts:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_tried_again_is_delivered_when_the_overload_is_over_or_given_up() {
    for retry in [Retry::Immediate, Retry::Exponential, Retry::FullJitter, Retry::Aimd] {
        let counts = send(&Limited::open(2, false), retry, 20, &overload()).await;
        assert_eq!(counts.entries, counts.sent + counts.throttled, "{retry}");
        let lost = counts.failed.get(Failed::Throttled) + counts.dropped.total();
        assert_eq!(counts.sent + lost, 12_000, "{retry}");
        // At once, 20 attempts are over in a tenth of a second.
        assert_eq!(lost > 0, matches!(retry, Retry::Immediate | Retry::Aimd), "{retry}: {lost}");
    }
}

#[tokio::test(start_paused = true)]
async fn aimd_throttles_less_than_waiting_alone() {
    let [jitter, aimd] = [Retry::FullJitter, Retry::Aimd].map(|retry| async move {
        let counts = send(&Limited::open(2, false), retry, 20, &overload()).await;
        counts.throttled as f64 / counts.sent as f64
    });
    let (jitter, aimd) = (jitter.await, aimd.await);
    assert!(aimd < 0.6 * jitter, "{aimd} against {jitter} throttled entries for each sent record");
}

#[tokio::test(start_paused = true)]
async fn by_the_limiter_an_overload_is_not_throttled_and_nothing_is_later_than_a_second() {
    let counts = send(&Limited::open(2, false), Retry::Limiter, 10, &overload()).await;
    assert_eq!(counts.throttled, 0, "{counts:?}");
    assert_eq!((counts.entries, counts.failed.get(Failed::HeldBack)), (counts.sent, 12_000 - counts.sent));
    // Two full buckets but for a tenth, and what comes in until a second after the last.
    assert!((9_500..=9_900).contains(&counts.sent), "{}", counts.sent);
    let longest = counts.delivery_delay.max().expect("some were sent");
    assert!(longest <= LATEST + Duration::from_millis(30), "{longest:?}");
}

#[tokio::test(start_paused = true)]
async fn the_limiter_learns_of_others_by_what_they_leave() {
    let stream = Limited::open(1, false);
    let others = tokio::spawn({
        let stream = Arc::clone(&stream);
        async move {
            // Whatever the shard has, but for some.
            for _ in 0..300 {
                let now = stream.start.elapsed();
                if let Some((limiter, _)) = stream.limiters.lock().expect("no panic").get_mut(&ShardId(0)) {
                    (0..7).for_each(|_| _ = limiter.take(now, 100));
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    });
    let ledger = Arc::new(Ledger::new());
    let sender = sender(&stream, Retry::Limiter, 10, &ledger);
    for number in 0..30 {
        let mut builder = BatchBuilder::new(Limits::AWS, Spent::default());
        for record in 0..100 {
            assert_eq!(builder.push(&[b'x'; 90], &format!("{number}-{record}"), None), Pushed::Added);
        }
        ledger.generated(100);
        let batch = builder.seal(sender.envelope()).expect("a hundred entries");
        sender.send(batch, Instant::now(), &mut Answer::default()).await;
    }
    others.await.expect("no panic");
    let counts = ledger.snapshot();
    assert_eq!((counts.law(), counts.sent), (Ok(()), stream.stored()));
    assert!(counts.throttled > 0 && counts.throttled < 2 * counts.sent, "{counts:?}");
}

#[tokio::test(start_paused = true)]
async fn waits_double_without_jitter_or_are_none() {
    for (retry, between) in [(Retry::Exponential, [100, 200, 400, 800]), (Retry::Immediate, [0, 0, 0, 0])] {
        let stream = Limited::open(1, true);
        let counts = send(&stream, retry, 5, &[0]).await;
        assert_eq!((counts.failed.get(Failed::Throttled), counts.entries), (100, 500));
        let calls = stream.calls.lock().expect("no panic").clone();
        let waits: Vec<u64> =
            calls.windows(2).map(|pair| (pair[1] - pair[0]).as_millis() as u64 - 4).collect();
        assert_eq!(waits, between, "{retry}");
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_shut_stream_without_end() {
    for retry in Retry::ALL {
        let (stream, start) = (Limited::open(1, true), Instant::now());
        let counts = send(&stream, retry, 3, &[0, 0, 0]).await;
        assert_eq!(counts.failed.get(Failed::Throttled) + counts.dropped.total(), 300, "{retry}");
        // Attempts, their waits, and for aimd the waits for a turn.
        assert!(start.elapsed() <= backoff::CAP * 3 * 3 + LATEST, "{retry}: {:?}", start.elapsed());
    }
}
