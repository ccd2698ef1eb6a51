//! A batch's attempts against transports that answer by a script; time is paused.

use std::sync::Mutex;

use super::*;
use crate::batch::{BatchBuilder, Pushed};
use crate::kinesis::{EntryResult, HashRange, Limits, Refusal, Shard, ShardId, ShardMap};
use crate::ledger::Snapshot;
use crate::send::Retry;

/// Answers one request after the other by a script; keeps the bodies.
#[derive(Clone, Default)]
struct Script(Arc<Mutex<(Vec<Reply>, Vec<Bytes>)>>);

#[derive(Clone)]
enum Reply {
    Entries(Vec<EntryResult>),
    Fault(Cause),
    /// Success, without a word on any entry.
    Wordless,
    Never,
}

impl Transport for Script {
    async fn put(&self, body: Bytes, answer: &mut Answer) -> Result<(), Fault> {
        let reply = {
            let mut script = self.0.lock().expect("no panic");
            script.1.push(body);
            script.0.remove(0)
        };
        match reply {
            Reply::Entries(entries) => {
                answer.entries = entries;
                Ok(())
            }
            Reply::Fault(cause) => Err(Fault::new(cause, "scripted")),
            Reply::Wordless => Ok(()),
            Reply::Never => std::future::pending().await,
        }
    }
}

struct Sent {
    counts: Snapshot,
    bodies: Vec<Bytes>,
    took: Duration,
}

const OK: EntryResult = EntryResult::Stored(Some(ShardId(0)));
const NO: EntryResult = EntryResult::Throttled(Some(ShardId(0)));

/// Sends a batch of three through the script; time is paused, so waits take none.
async fn send(replies: &[Reply], max_attempts: u32, cut_after: Option<Duration>) -> Sent {
    send_to(replies, max_attempts, cut_after, OpenShards::default()).await
}

async fn send_to(
    replies: &[Reply],
    max_attempts: u32,
    cut_after: Option<Duration>,
    shards: OpenShards,
) -> Sent {
    let script = Script(Arc::new(Mutex::new((replies.to_vec(), Vec::new()))));
    let policy = SendPolicy {
        retry: Retry::FullJitter,
        max_attempts,
        max_in_flight: 1,
        request_timeout: Duration::from_secs(10),
        drain_timeout: Duration::from_secs(30),
    };
    let (cut, is_cut) = watch::channel(false);
    let ledger = Arc::new(Ledger::new());
    let envelope = Envelope::new("s", None);
    let mut builder = BatchBuilder::new(Limits::AWS, Spent::default());
    for key in ["a", "b", "c"] {
        assert_eq!(builder.push(b"{}", key, None), Pushed::Added);
    }
    let batch = builder.seal(&envelope).expect("three entries");
    ledger.generated(3);
    let sender = Sender::new(script.clone(), policy, envelope, shards, Arc::clone(&ledger), is_cut);
    let start = Instant::now();
    let mut answer = Answer::default();
    let sending = sender.send(batch, start, &mut answer);
    match cut_after {
        None => drop(sending.await),
        Some(wait) => {
            let cutting = async {
                tokio::time::sleep(wait).await;
                cut.send_replace(true);
            };
            let _ = tokio::join!(sending, cutting);
        }
    }
    let counts = ledger.snapshot();
    assert_eq!(counts.law(), Ok(()));
    assert_eq!(counts.in_flight, 0, "everything is settled");
    let bodies = script.0.lock().expect("no panic").1.clone();
    Sent { counts, bodies, took: start.elapsed() }
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_answer_said_is_not_taken_for_what_this_one_says() {
    // The same number of entries is refused, then nothing is said of them: they must not be refused again.
    let replies = [Reply::Entries(vec![NO, NO, NO]), Reply::Wordless];
    let sent = send(&replies, 2, None).await;
    assert_eq!((sent.counts.failed.total(), sent.counts.unknown.get(Unknown::BadAnswer)), (0, 3));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_names_a_shard_that_is_not_in_the_map_puts_it_out_of_date() {
    let whole = Shard { id: ShardId(0), range: HashRange::ALL };
    let shards = OpenShards::from(ShardMap::new(vec![whole]));
    let stranger = EntryResult::Throttled(Some(ShardId(7)));
    for (entries, expected) in [(vec![OK, NO, OK], None), (vec![OK, stranger, OK], Some(ShardId(7)))] {
        send_to(&[Reply::Entries(entries)], 1, None, shards.clone()).await;
        let outdated = timeout(Duration::from_secs(1), shards.outdated()).await;
        assert_eq!(outdated.ok(), expected);
    }
}

fn keys(body: &Bytes) -> Vec<String> {
    let body: serde_json::Value = serde_json::from_slice(body).expect("JSON");
    let entries = body["Records"].as_array().expect("entries");
    entries.iter().map(|entry| entry["PartitionKey"].as_str().expect("a key").to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn retry_contains_only_the_entries_that_failed() {
    let replies = [
        Reply::Entries(vec![NO, OK, NO]),
        Reply::Fault(Cause::Refused(Refusal::Throttled)),
        Reply::Entries(vec![OK, NO]),
        Reply::Entries(vec![OK]),
    ];
    let sent = send(&replies, 10, None).await;
    let asked: Vec<Vec<String>> = sent.bodies.iter().map(keys).collect();
    assert_eq!(asked, [vec!["a", "b", "c"], vec!["a", "c"], vec!["a", "c"], vec!["c"]]);
    assert_eq!((sent.counts.sent, sent.counts.throttled), (3, 2 + 2 + 1));
    assert_eq!(sent.counts.sent_bytes, 3 * 3);
}

#[tokio::test(start_paused = true)]
async fn attempts_end_at_their_bound() {
    let sent = send(&vec![Reply::Entries(vec![NO, NO, NO]); 9], 4, None).await;
    assert_eq!(sent.bodies.len(), 4);
    assert_eq!(sent.counts.failed.get(Failed::Throttled), 3);
    assert!(sent.took <= backoff::BASE * 7, "waits of at most 1, 2 and 4 times the base: {:?}", sent.took);
}

#[tokio::test(start_paused = true)]
async fn a_request_without_answer_ends_by_its_timeout_and_a_retry_resolves_it() {
    let sent = send(&[Reply::Never, Reply::Entries(vec![OK, OK, OK])], 10, None).await;
    assert_eq!((sent.counts.sent, sent.counts.perhaps_twice, sent.counts.unknown.total()), (3, 3, 0));
    let sent = send(&[Reply::Never], 1, None).await;
    assert_eq!(sent.counts.unknown.get(Unknown::Timeout), 3);
    assert_eq!(sent.took, Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_drain_settles_what_waits_and_what_is_on_the_wire() {
    let second = Some(Duration::from_secs(1));
    let sent = send(&[Reply::Never], 10, second).await;
    assert_eq!((sent.counts.unknown.get(Unknown::Drain), sent.took), (3, Duration::from_secs(1)));
    // Refused over and over: at the cut it rests (an attempt takes no time here).
    let sent = send(&vec![Reply::Fault(Cause::Refused(Refusal::Throttled)); 99], 99, second).await;
    assert_eq!((sent.counts.failed.get(Failed::Drain), sent.took), (3, Duration::from_secs(1)));
}

#[tokio::test(start_paused = true)]
async fn records_refused_after_a_silence_end_as_unknown() {
    let replies = [Reply::Fault(Cause::Silent(Silence::Connection)), Reply::Entries(vec![OK, NO, NO])];
    let sent = send(&replies, 2, None).await;
    assert_eq!((sent.counts.sent, sent.counts.perhaps_twice), (1, 1));
    assert_eq!(sent.counts.unknown.get(Unknown::EarlierAttempt), 2);
}
