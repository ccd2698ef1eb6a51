//! Takes a batch through its attempts until every record is settled; bounded in number, time and by the drain.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::complaints::Complaints;
use super::hold::Hold;
use super::regime::{Regime, lock};
use super::settle::{Circumstances, Next, Ruling, claims, given_up, settle_answer, settle_fault};
use super::{LATEST, SendPolicy, Transport, backoff};
use crate::batch::{Batch, Envelope, Spent};
use crate::kinesis::{Answer, Cause, EntryResult, Fault, OpenShards, ShardId, Silence};
use crate::ledger::{
    Claims, Failed, Fate, Ledger, Outcome, Settled, ShardCounts, StoredIn, Unknown, Witness,
};
use crate::model::{Model, Seen};

/// Sends batches and tells the ledger what became of their records.
#[derive(Debug)]
pub struct Sender<T> {
    transport: T,
    policy: SendPolicy,
    envelope: Envelope,
    shards: OpenShards,
    ledger: Arc<Ledger>,
    complaints: Complaints,
    /// What the policy keeps from one attempt to the next.
    regime: Regime,
    /// What explains throttles.
    model: Mutex<Model>,
    /// What the times of regime and model count from.
    epoch: Instant,
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

/// Where a batch stands after an attempt.
enum After {
    /// Every record is settled.
    Settled(Spent),
    /// These entries go out again, unless the end comes first.
    Again { batch: Batch, doubtful: bool, throttled: bool },
}

/// Entries on their way: at which attempt they are, and when that may begin.
struct Piece {
    at: Duration,
    batch: Batch,
    attempt: u32,
    doubtful: bool,
}

/// Whether records may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Now.
    Go,
    /// Not in time.
    TooLate,
    /// The drain's time is over.
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
        let regime = Regime::new(policy.retry, shards.now().shards().len());
        let (complaints, witnesses) = (Complaints::default(), Vec::new());
        let (model, epoch) = (Mutex::default(), Instant::now());
        Self {
            transport,
            policy,
            envelope,
            shards,
            ledger,
            complaints,
            regime,
            model,
            epoch,
            witnesses,
            digests: false,
            cut,
        }
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

    /// Waits until the policy lets so many records be generated and go; `latest`: for how long.
    pub async fn turn(&self, records: u32, latest: Instant) -> Turn {
        let Regime::Rate(aimd) = &self.regime else { return Turn::Go };
        let (now, latest) = (self.now(), latest.saturating_duration_since(self.epoch));
        let Some(at) = lock(aimd).ask(now, latest, records) else { return Turn::TooLate };
        if self.rest(at.saturating_sub(now)).await { Turn::Go } else { Turn::Cut }
    }

    /// So many records of the last [`turn`](Self::turn) do not go.
    pub fn give_back(&self, records: u32) {
        if let Regime::Rate(aimd) = &self.regime {
            lock(aimd).give_back(records);
        }
    }

    /// Judges what is left, at the end of a run: every attempt is over.
    pub fn conclude(&self) {
        let told = lock(&self.model).conclude();
        self.ledger.judged(&told);
    }

    /// Since the sender was made.
    fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    /// Sends `batch`, whose records were due at `due`, until each is sent, failed or unknown.
    /// Gives the batch's buffers back; `answer` is a buffer too.
    pub async fn send(&self, mut batch: Batch, due: Instant, answer: &mut Answer) -> Spent {
        if let Regime::Shards(hold) = &self.regime {
            return Box::pin(self.send_in_waves(hold, batch, due, answer)).await;
        }
        let mut doubtful = false;
        for attempt in 1.. {
            let throttled;
            (batch, doubtful, throttled) = match self.try_once(batch, attempt, doubtful, due, answer).await {
                After::Settled(spent) => return spent,
                After::Again { batch, doubtful, throttled } => (batch, doubtful, throttled),
            };
            let pause = self.policy.retry.pause(attempt, fastrand::f64(), throttled);
            if !self.rest(pause).await {
                return self.give_up(batch, Failed::Drain, doubtful);
            }
            match self.turn_again(batch.len() as u32).await {
                Turn::Go => {}
                Turn::TooLate => return self.give_up(batch, Failed::Throttled, doubtful),
                Turn::Cut => return self.give_up(batch, Failed::Drain, doubtful),
            }
        }
        unreachable!("attempts end by max_attempts at the latest")
    }

    /// Waits for the turn of a retry: in spells of the longest wait, and as often as it may be tried.
    async fn turn_again(&self, records: u32) -> Turn {
        for _ in 0..self.policy.max_attempts {
            match self.turn(records, Instant::now() + backoff::CAP).await {
                Turn::TooLate => {
                    if !self.rest(backoff::CAP.mul_f64(fastrand::f64())).await {
                        return Turn::Cut;
                    }
                }
                turn => return turn,
            }
        }
        Turn::TooLate
    }

    /// The same, each entry at the moment at which its shard will take it.
    async fn send_in_waves(
        &self,
        hold: &Mutex<Hold>,
        batch: Batch,
        due: Instant,
        answer: &mut Answer,
    ) -> Spent {
        let (mut pieces, mut spent) = (Vec::new(), Spent::default());
        let first = Piece { at: self.now(), batch, attempt: 1, doubtful: false };
        let latest = (due + LATEST).saturating_duration_since(self.epoch);
        self.divide(hold, first, latest, Failed::HeldBack, &mut pieces);
        while let Some(next) = (0..pieces.len()).min_by_key(|&piece| pieces[piece].at) {
            let Piece { at, batch, attempt, doubtful } = pieces.swap_remove(next);
            if !self.rest(at.saturating_sub(self.now())).await {
                spent = self.give_up(batch, Failed::Drain, doubtful);
                continue;
            }
            match self.try_once(batch, attempt, doubtful, due, answer).await {
                After::Settled(buffers) => spent = buffers,
                After::Again { batch, doubtful, throttled } => {
                    let at = self.now() + self.policy.retry.pause(attempt, fastrand::f64(), throttled);
                    let again = Piece { at, batch, attempt: attempt + 1, doubtful };
                    self.divide(hold, again, at + backoff::CAP, Failed::Throttled, &mut pieces);
                }
            }
        }
        spent
    }

    /// Divides a piece by the moments of its entries, which lie before `latest`; gives up those without one, as `why`.
    fn divide(
        &self,
        hold: &Mutex<Hold>,
        piece: Piece,
        latest: Duration,
        why: Failed,
        pieces: &mut Vec<Piece>,
    ) {
        let Piece { at, batch, attempt, doubtful } = piece;
        let shards = self.shards.now();
        let located: Vec<(Option<ShardId>, u64)> = (0..batch.len())
            .map(|index| {
                let shard = batch.hash_key(index).and_then(|key| shards.locate(key));
                (shard, batch.entry_size(index) as u64)
            })
            .collect();
        let divided = lock(hold).divide(at, latest, located.into_iter());
        if !divided.too_late.is_empty() {
            self.give_up(batch.part(&divided.too_late, &self.envelope), why, doubtful);
        }
        let mut waves = divided.waves;
        let last = waves.pop();
        for (at, entries) in waves {
            pieces.push(Piece { at, batch: batch.part(&entries, &self.envelope), attempt, doubtful });
        }
        if let Some((at, entries)) = last {
            let whole = entries.len() == batch.len();
            let batch = if whole { batch } else { batch.only(&entries, &self.envelope).0 };
            pieces.push(Piece { at, batch, attempt, doubtful });
        }
    }

    /// One attempt, and what it means: counted, claimed, learned from.
    async fn try_once(
        &self,
        batch: Batch,
        attempt: u32,
        doubtful: bool,
        due: Instant,
        answer: &mut Answer,
    ) -> After {
        if *self.cut.borrow() {
            return After::Settled(self.give_up(batch, Failed::Drain, doubtful));
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
                let mut settled = Settled { entries: batch.len() as u64, ..Settled::default() };
                settled.give_up(fate, batch.records() as u64);
                self.ledger.attempted(Outcome::Timeout, called.elapsed(), due.elapsed(), &settled);
                self.testify_all(&batch, fate);
                return After::Settled(batch.spent());
            }
        };
        let may_retry = self.policy.retry.tries_again() && attempt < self.policy.max_attempts;
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
        let answered = result.is_ok();
        self.complaints.hear(&ruling, result.err(), batch.records(), answer);
        let Ruling { outcome, settled, next, doubtful } = ruling;
        self.ledger.attempted(outcome, called.elapsed(), due.elapsed(), &settled);
        if let Some(claims) = testimony {
            self.tell(&claims);
        }
        self.learn(called, answered, &settled, shards.shards().len());
        let throttled = settled.throttled > 0;
        match next {
            Next::Done => After::Settled(batch.spent()),
            Next::AllAgain => After::Again { batch, doubtful, throttled },
            Next::Again(keep) => {
                After::Again { batch: batch.only(&keep, &self.envelope).0, doubtful, throttled }
            }
        }
    }

    /// Tells policy and model what an attempt settled. `answered`: not refused as a whole, and not without an answer.
    fn learn(&self, called: Instant, answered: bool, settled: &Settled, shards: usize) {
        let (called, now) = (called.saturating_duration_since(self.epoch), self.now());
        self.regime.learn(now, settled, shards);
        let mut model = lock(&self.model);
        if answered {
            for (shard, counts) in &settled.shards {
                let &ShardCounts { entries_sent, sent_bytes, entries_throttled, throttled_bytes, .. } =
                    counts;
                if let Some(shard) = *shard {
                    // A shard's limit is of entries, however many records are in one.
                    let (sent, throttled) = (entries_sent, entries_throttled);
                    model.feed(called, now, shard, Seen { sent, sent_bytes, throttled, throttled_bytes });
                }
            }
        }
        let told = model.judge(now);
        drop(model);
        self.ledger.judged(&told);
    }

    /// Settles a batch that has no next attempt, because of `why`.
    fn give_up(&self, batch: Batch, why: Failed, doubtful: bool) -> Spent {
        let (fate, mut settled) = (given_up(why, doubtful), Settled::default());
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
#[path = "sender_tests.rs"]
mod tests;
