//! Takes a batch through its attempts until every record is settled; bounded in number, time and by the drain.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::complaints::Complaints;
use super::settle::{Circumstances, Next, Ruling, claims, given_up, settle_answer, settle_fault};
use super::{Retry, SendPolicy, backoff};
use crate::batch::{Batch, Envelope, Spent};
use crate::kinesis::{Answer, Cause, EntryResult, Fault, Lane, OpenShards, Silence};
use crate::ledger::{Claims, Failed, Fate, Ledger, Outcome, Settled, StoredIn, Unknown, Witness};

/// Whatever puts records: Kinesis, or a test's script.
pub trait Transport: Send + Sync + 'static {
    /// One PutRecords attempt; see [`Lane::put`].
    fn put(&self, body: Bytes, answer: &mut Answer) -> impl Future<Output = Result<(), Fault>> + Send;
}

impl Transport for Lane {
    fn put(&self, body: Bytes, answer: &mut Answer) -> impl Future<Output = Result<(), Fault>> + Send {
        Lane::put(self, body, answer)
    }
}

impl<T: Transport> Transport for Arc<T> {
    fn put(&self, body: Bytes, answer: &mut Answer) -> impl Future<Output = Result<(), Fault>> + Send {
        T::put(self, body, answer)
    }
}

/// Sends batches and tells the ledger what became of their records.
#[derive(Debug)]
pub struct Sender<T> {
    transport: T,
    policy: SendPolicy,
    envelope: Envelope,
    shards: OpenShards,
    ledger: Arc<Ledger>,
    complaints: Complaints,
    /// Who hears the fate of every record; mostly nobody.
    witnesses: Vec<Arc<dyn Witness>>,
    /// Whether they hear digests of what was stored as well.
    digests: bool,
    /// Turns true when the drain's time is over.
    cut: watch::Receiver<bool>,
}

/// How an attempt ended for us.
enum Attempt {
    Over(Result<(), Fault>),
    /// The drain's time was over first.
    Cut,
}

impl<T: Transport> Sender<T> {
    /// A sender to one stream. When `cut` turns true, nothing is waited for any more.
    pub fn new(
        transport: T,
        policy: SendPolicy,
        envelope: Envelope,
        shards: impl Into<OpenShards>,
        ledger: Arc<Ledger>,
        cut: watch::Receiver<bool>,
    ) -> Self {
        let shards = shards.into();
        let (complaints, witnesses) = (Complaints::default(), Vec::new());
        Self { transport, policy, envelope, shards, ledger, complaints, witnesses, digests: false, cut }
    }

    /// With those who are to hear the fate of every record.
    #[must_use]
    pub fn with_witnesses(self, witnesses: Vec<Arc<dyn Witness>>) -> Self {
        Self { witnesses, ..self }
    }

    /// Where there are witnesses, they are to hear digests of what was stored as well: for events without identity.
    #[must_use]
    pub fn with_digests(self, digests: bool) -> Self {
        Self { digests: digests && !self.witnesses.is_empty(), ..self }
    }

    /// Tells the witnesses the fate of records of `job`, by ascending sequence numbers. Asks nothing of `fates` when
    /// there are none.
    pub fn testify(&self, job: u32, fates: impl Iterator<Item = (u64, Fate)>) {
        if !self.witnesses.is_empty() {
            let mut claims = Claims::new(job, now_millis());
            fates.for_each(|(sequence, fate)| claims.add(sequence, fate));
            self.tell(&claims);
        }
    }

    fn tell(&self, claims: &Claims) {
        if !claims.as_slice().is_empty() {
            self.witnesses.iter().for_each(|witness| witness.hear(claims.as_slice()));
        }
    }

    fn testify_all(&self, batch: &Batch, fate: Fate) {
        if !self.witnesses.is_empty() {
            self.testify(batch.job(), batch.all_sequences().into_iter().map(|sequence| (sequence, fate)));
        }
    }

    /// The open shards, as they are known at a moment.
    pub fn shards(&self) -> &OpenShards {
        &self.shards
    }

    /// What stands around the entries of every request to this stream.
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// Sends `batch`, whose records were due at `due`, until each is sent, failed or unknown.
    /// Gives the batch's buffers back; `answer` is a buffer too.
    pub async fn send(&self, mut batch: Batch, due: Instant, answer: &mut Answer) -> Spent {
        let mut doubtful = false;
        for attempt in 1.. {
            if *self.cut.borrow() {
                return self.give_up(batch, doubtful);
            }
            // The buffer holds what an earlier answer said, and must not say it again if this one says nothing.
            answer.entries.clear();
            answer.failed_record_count = None;
            answer.numbers.clear();
            answer.numbered = self.digests;
            let called = Instant::now();
            let result = match self.attempt(batch.body().clone(), answer).await {
                Attempt::Over(result) => result,
                Attempt::Cut => {
                    let fate = Fate::Unknown(Unknown::Drain);
                    let mut settled = Settled::default();
                    settled.give_up(fate, batch.records() as u64);
                    self.ledger.attempted(Outcome::Timeout, called.elapsed(), due.elapsed(), &settled);
                    self.testify_all(&batch, fate);
                    return batch.spent();
                }
            };
            let may_retry = self.policy.retry == Retry::Backoff && attempt < self.policy.max_attempts;
            let shards = self.shards.now();
            let so_far = Circumstances { may_retry, doubtful, shards: &shards };
            let ruling = match &result {
                Ok(()) => settle_answer(&batch, answer, so_far),
                Err(fault) => settle_fault(&batch, fault.cause, so_far),
            };
            let testimony = (!self.witnesses.is_empty()).then(|| {
                let answer = result.is_ok().then_some(&*answer);
                claims(&batch, answer, so_far, &ruling, now_millis())
            });
            if self.digests && result.is_ok() && answer.entries.len() == batch.len() {
                let stored = stored(&batch, answer);
                self.witnesses.iter().for_each(|witness| witness.hear_stored(&stored));
            }
            self.shards.met(&shards, ruling.settled.shards.iter().filter_map(|&(shard, _)| shard));
            self.complaints.hear(&ruling, result.err(), batch.records(), answer);
            let Ruling { outcome, settled, next, doubtful: now_doubtful } = ruling;
            self.ledger.attempted(outcome, called.elapsed(), due.elapsed(), &settled);
            if let Some(claims) = testimony {
                self.tell(&claims);
            }
            doubtful = now_doubtful;
            batch = match next {
                Next::Done => return batch.spent(),
                Next::AllAgain => batch,
                Next::Again(keep) => batch.only(&keep, &self.envelope).0,
            };
            if !self.rest(backoff::wait(attempt, fastrand::f64())).await {
                return self.give_up(batch, doubtful);
            }
        }
        unreachable!("attempts end by max_attempts at the latest")
    }

    /// Settles a batch that waits for its next attempt when the end of the drain comes.
    fn give_up(&self, batch: Batch, doubtful: bool) -> Spent {
        let (fate, mut settled) = (given_up(Failed::Drain, doubtful), Settled::default());
        settled.give_up(fate, batch.records() as u64);
        self.ledger.settled(&settled);
        self.testify_all(&batch, fate);
        batch.spent()
    }

    /// One attempt, ended by its answer, the request timeout or the end of the drain.
    async fn attempt(&self, body: Bytes, answer: &mut Answer) -> Attempt {
        let mut cut = self.cut.clone();
        let limit = self.policy.request_timeout;
        let call = timeout(limit, self.transport.put(body, answer));
        tokio::select! {
            biased;
            result = call => Attempt::Over(result.unwrap_or_else(|_| Err(timed_out(limit)))),
            () = over(&mut cut) => Attempt::Cut,
        }
    }

    /// Waits; false when the end of the drain came first.
    async fn rest(&self, wait: Duration) -> bool {
        let mut cut = self.cut.clone();
        tokio::select! {
            biased;
            () = over(&mut cut) => false,
            () = tokio::time::sleep(wait) => true,
        }
    }
}

/// Digests of the user records that an answer says are stored; it has a result for each entry.
fn stored(batch: &Batch, answer: &Answer) -> Vec<StoredIn> {
    let (mut all, mut data) = (Vec::new(), Vec::new());
    for (index, (result, number)) in answer.entries.iter().zip(&answer.numbers).enumerate() {
        // An entry whose place is told in no known form can't be found again: the reader has one more, and says so.
        if let (EntryResult::Stored(Some(shard)), Some(number)) = (result, number) {
            batch.each_data(index, &mut data, |one| StoredIn::add(&mut all, *shard, *number, one));
        }
    }
    all
}

/// Ends when the drain's time is over; never, when nobody can say so any more.
async fn over(cut: &mut watch::Receiver<bool>) {
    if cut.wait_for(|&cut| cut).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Milliseconds since the Unix epoch.
fn now_millis() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}

fn timed_out(limit: Duration) -> Fault {
    Fault::new(Cause::Silent(Silence::Timeout), format!("no answer within {limit:?}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::batch::{BatchBuilder, Pushed};
    use crate::kinesis::{EntryResult, HashRange, Limits, Refusal, Shard, ShardId, ShardMap};
    use crate::ledger::Snapshot;

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
            retry: Retry::Backoff,
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
        assert!(
            sent.took <= backoff::BASE * 7,
            "waits of at most 1, 2 and 4 times the base: {:?}",
            sent.took
        );
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
}
