//! The claims of whole pipelines against scripted answers: every generated record is claimed once, as it was counted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::batch::{Aggregation, Envelope};
use crate::generate::{EventKind, Generator};
use crate::key::{KeyStrategy, Keyer};
use crate::kinesis::{
    Answer, Cause, EntryResult, Fault, HashRange, Limits, Refusal, Shard, ShardId, ShardMap, Silence,
};
use crate::ledger::{Claim, Failed, Fate, Ledger, Snapshot, StoredIn, Unknown, Witness};
use crate::pipeline::Pipeline;
use crate::schedule::Release;
use crate::send::{Retry, SendPolicy, Sender, Transport};

#[derive(Debug, Clone)]
enum Reply {
    /// The results of the entries, taken in turn.
    Each(Vec<EntryResult>),
    /// One entry more than asked for.
    OneTooMany,
    Fault(Cause),
    Never,
}

fn reply() -> impl Strategy<Value = Reply> {
    let result = prop_oneof![
        3 => Just(EntryResult::Stored(None)),
        2 => Just(EntryResult::Throttled(None)),
        1 => Just(EntryResult::InternalFailure(None)),
        1 => Just(EntryResult::Rejected(None)),
    ];
    prop_oneof![
        6 => vec(result, 1..8).prop_map(Reply::Each),
        1 => Just(Reply::OneTooMany),
        1 => Just(Reply::Fault(Cause::Refused(Refusal::Throttled))),
        1 => Just(Reply::Fault(Cause::Refused(Refusal::NotFound))),
        1 => Just(Reply::Fault(Cause::Silent(Silence::Connection))),
        1 => Just(Reply::Fault(Cause::Silent(Silence::ServerError))),
        1 => Just(Reply::Never),
    ]
}

/// Gives the replies in turn, over and over.
struct Script(Mutex<(usize, Vec<Reply>)>);

impl Transport for Script {
    async fn put(&self, body: bytes::Bytes, answer: &mut Answer) -> Result<(), Fault> {
        let entries = memchr::memmem::find_iter(&body, b"\"Data\"").count();
        let reply = {
            let mut script = self.0.lock().expect("no panic");
            let at = script.0 % script.1.len();
            script.0 += 1;
            script.1[at].clone()
        };
        // Batches overtake one another.
        tokio::time::sleep(Duration::from_millis(entries as u64 % 7)).await;
        match reply {
            Reply::Each(results) => answer.entries = results.into_iter().cycle().take(entries).collect(),
            Reply::OneTooMany => answer.entries = vec![EntryResult::Stored(None); entries + 1],
            Reply::Fault(cause) => return Err(Fault::new(cause, "scripted")),
            Reply::Never => std::future::pending().await,
        }
        Ok(())
    }
}

#[derive(Debug, Default)]
struct Listener(Mutex<Vec<Claim>>);

impl Witness for Listener {
    fn hear_stored(&self, _: &[StoredIn]) {}

    fn hear(&self, claims: &[Claim]) {
        assert!(
            !claims.is_empty() && claims.windows(2).all(|two| two[0].sequences.end <= two[1].sequences.start)
        );
        self.0.lock().expect("no panic").extend_from_slice(claims);
    }
}

#[derive(Debug, Clone)]
struct Case {
    replies: Vec<Reply>,
    releases: Vec<(u32, u32)>,
    /// Whether the events lack the field that their key should come from.
    no_key: bool,
    record_bytes: usize,
    max_attempts: u32,
    aggregation: Option<Aggregation>,
    /// When the drain's time is over, after the last release.
    cut_after: Option<u64>,
}

fn case() -> impl Strategy<Value = Case> {
    (
        // Clicks have 260 to 310 bytes, a random key about 30 more.
        vec(reply(), 1..6),
        vec((0_u32..3, 1_u32..60), 1..8),
        proptest::bool::weighted(0.1),
        prop_oneof![Just(10_000_usize), 290_usize..345],
        1_u32..4,
        // Aggregates of one click to some.
        proptest::option::of((300_usize..4_000).prop_map(|bytes| Aggregation { bytes })),
        proptest::option::of(0_u64..3_000),
    )
        .prop_map(|(replies, releases, no_key, record_bytes, max_attempts, aggregation, cut_after)| {
            Case { replies, releases, no_key, record_bytes, max_attempts, aggregation, cut_after }
        })
}

fn three_shards() -> ShardMap {
    let shards = (0..).zip(HashRange::ALL.divided(3));
    ShardMap::new(shards.map(|(id, range)| Shard { id: ShardId(id), range }).collect())
}

/// Runs the case with time paused: the counts and the claims.
fn run(case: Case) -> (Snapshot, Vec<Claim>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let (cut, is_cut) = watch::channel(false);
        let policy = SendPolicy {
            retry: Retry::Backoff,
            max_attempts: case.max_attempts,
            max_in_flight: 2,
            request_timeout: Duration::from_secs(2),
            drain_timeout: Duration::from_secs(30),
        };
        let (ledger, listener) = (Arc::new(Ledger::new()), Arc::new(Listener::default()));
        let script = Script(Mutex::new((0, case.replies)));
        let sender = Sender::new(
            script,
            policy,
            Envelope::new("s", None),
            three_shards(),
            Arc::clone(&ledger),
            is_cut.clone(),
        )
        .with_witnesses(vec![Arc::clone(&listener) as Arc<dyn Witness>]);
        let kind = if case.no_key { EventKind::Mouse } else { EventKind::Click };
        let generator = Generator::new(kind, 1, "p");
        let key: KeyStrategy =
            if case.no_key { "field:/item/id" } else { "random" }.parse().expect("a strategy");
        let keyer = Keyer::new(&key, EventKind::Click, 1, "p", &ShardMap::default()).expect("a keyer");
        let limits =
            Limits { request_bytes: 20 * case.record_bytes, record_bytes: case.record_bytes, ..Limits::AWS };
        let pipeline = Pipeline::new(generator, keyer, limits, sender, Arc::clone(&ledger), 3, 2)
            .with_aggregation(case.aggregation);
        let (give, take) = mpsc::channel(100);
        let running = tokio::spawn(Arc::new(pipeline).run(take, is_cut));
        for (job, records) in case.releases {
            let due = Instant::now().into_std();
            let release = Release { job, records, due, due_millis: 1_000, first: true };
            give.send(release).await.expect("the pipeline listens");
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        drop(give);
        if let Some(millis) = case.cut_after {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            cut.send_replace(true);
        }
        running.await.expect("no panic");
        let claims = listener.0.lock().expect("no panic").clone();
        (ledger.snapshot(), claims)
    })
}

proptest! {
    // Whatever the answers are, and whether or not its records are aggregated, the claims of a run partition each job's generated sequence numbers, and for every
    // fate and cause they add up to the ledger's count.
    #[test]
    fn claims_partition_what_was_generated_and_add_up_to_the_ledger(case in case()) {
        let aggregated = case.aggregation.is_some();
        let (counts, mut claims) = run(case);
        prop_assert!(counts.entries_sent == counts.sent || aggregated && counts.entries_sent < counts.sent);
        prop_assert!(counts.entries_throttled <= counts.throttled);
        prop_assert_eq!(counts.law(), Ok(()));
        prop_assert_eq!(counts.in_flight, 0);
        claims.sort_by_key(|claim| (claim.job, claim.sequences.start));
        let mut next = BTreeMap::new();
        for claim in &claims {
            let next = next.entry(claim.job).or_insert(0);
            prop_assert_eq!(claim.sequences.start, *next, "{:?}", claim);
            prop_assert!(claim.records() > 0);
            *next = claim.sequences.end;
        }
        let sum = |wanted: &dyn Fn(Fate) -> bool| -> u64 {
            claims.iter().filter(|claim| wanted(claim.fate)).map(Claim::records).sum()
        };
        prop_assert_eq!(sum(&|_| true), counts.generated);
        prop_assert_eq!(sum(&|fate| matches!(fate, Fate::Sent { .. })), counts.sent);
        prop_assert_eq!(sum(&|fate| fate == Fate::Sent { perhaps_twice: true }), counts.perhaps_twice);
        for &why in Failed::ALL {
            prop_assert_eq!(sum(&|fate| fate == Fate::Failed(why)), counts.failed.get(why), "{:?}", why);
        }
        for &why in Unknown::ALL {
            prop_assert_eq!(sum(&|fate| fate == Fate::Unknown(why)), counts.unknown.get(why), "{:?}", why);
        }
    }
}
