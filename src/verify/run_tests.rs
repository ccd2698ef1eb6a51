//! Reading a stream that is played: shards, resharding, refusals, and the end. Time is paused.

use std::collections::BTreeMap;
use std::ops::Range;

use super::*;
use crate::kinesis::{Cause, Fault, Page, ReadRecord, Refusal, Setback, ShardId};
use crate::ledger::{Claim, Fate};
use crate::verify::Expect;

/// A shard that is played: what it holds, and what follows it once it is closed.
#[derive(Debug, Clone, Default)]
struct Played {
    parents: [Option<ShardId>; 2],
    records: Vec<ReadRecord>,
    closed: bool,
    /// Each call takes one, while there are some.
    setbacks: Vec<Setback>,
}

#[derive(Debug, Default)]
struct Stage {
    shards: BTreeMap<ShardId, Played>,
    /// Whether answers name the children of a closed shard.
    names_children: bool,
    listing_fails: bool,
    calls: Vec<(ShardId, Instant)>,
    at_once: usize,
    most_at_once: usize,
}

/// A stream that is played.
#[derive(Debug, Clone, Default)]
struct Stream(Arc<Mutex<Stage>>);

fn fault(setback: Setback) -> ReadFault {
    ReadFault { setback, fault: Fault::new(Cause::Refused(Refusal::Other), "played") }
}

impl Stream {
    fn with(shards: u64) -> Self {
        let stream = Self::default();
        let mut stage = stream.stage();
        stage.names_children = true;
        stage.shards = (0..shards).map(|id| (ShardId(id), Played::default())).collect();
        drop(stage);
        stream
    }

    fn stage(&self) -> std::sync::MutexGuard<'_, Stage> {
        self.0.lock().expect("no panic")
    }

    /// Stores these sequences of the producer `p`, job 0.
    fn store(&self, shard: u64, sequences: Range<u64>) {
        let generator = crate::generate::Generator::new(crate::generate::EventKind::Click, 1, "p");
        let mut stage = self.stage();
        let records = &mut stage.shards.get_mut(&ShardId(shard)).expect("a shard").records;
        for sequence in sequences {
            let mut data = Vec::new();
            generator.write(0, sequence, &crate::generate::Timestamp::from_unix_millis(0), &mut data);
            records.push(ReadRecord {
                sequence_number: (records.len() as u64 + 1).into(),
                partition_key: sequence.to_string(),
                data,
                arrived_millis: None,
            });
        }
    }

    fn split(&self, shard: u64, children: Range<u64>) {
        let mut stage = self.stage();
        stage.shards.get_mut(&ShardId(shard)).expect("a shard").closed = true;
        let played = Played { parents: [Some(ShardId(shard)), None], ..Played::default() };
        stage.shards.extend(children.map(|id| (ShardId(id), played.clone())));
    }
}

impl Source for Stream {
    async fn shards(&self) -> Result<Vec<ShardFamily>, ReadFault> {
        let stage = self.stage();
        if stage.listing_fails {
            return Err(fault(Setback::Denied));
        }
        let family = |(id, played): (&ShardId, &Played)| ShardFamily {
            id: *id,
            parents: played.parents,
            closed: played.closed,
            range: None,
        };
        Ok(stage.shards.iter().map(family).collect())
    }

    async fn iterator(&self, shard: ShardId, place: Place) -> Result<String, ReadFault> {
        let from = match place {
            Place::Newest => self.stage().shards[&shard].records.len().to_string(),
            Place::After(number) => number.to_string(),
            Place::Oldest | Place::Since(_) => "0".to_owned(),
        };
        Ok(format!("{} {from}", shard.0))
    }

    async fn records(&self, iterator: &str) -> Result<Page, ReadFault> {
        const MOST: usize = 100;
        let (shard, from) = iterator.split_once(' ').expect("as given");
        let (shard, from) = (ShardId(shard.parse().expect("digits")), from.parse::<usize>().expect("digits"));
        {
            let mut stage = self.stage();
            stage.calls.push((shard, Instant::now()));
            stage.at_once += 1;
            stage.most_at_once = stage.most_at_once.max(stage.at_once);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        let mut stage = self.stage();
        stage.at_once -= 1;
        let names_children = stage.names_children;
        let all = stage.shards.clone();
        let played = stage.shards.get_mut(&shard).expect("a shard");
        if let Some(setback) = played.setbacks.pop() {
            return Err(fault(setback));
        }
        let until = played.records.len().min(from + MOST);
        let read = until == played.records.len();
        let children = all.iter().filter(|(_, child)| child.parents.contains(&Some(shard)));
        let children = children.map(|(&id, child)| ShardFamily {
            id,
            parents: child.parents,
            closed: false,
            range: None,
        });
        Ok(Page {
            records: played.records[from..until].to_vec(),
            bytes: 0,
            behind_millis: Some(u64::from(!read)),
            next: (!(played.closed && read)).then(|| format!("{} {until}", shard.0)),
            children: if played.closed && read && names_children { children.collect() } else { Vec::new() },
        })
    }
}

const IDLE: Duration = Duration::from_secs(10);

fn readback(stream: &Stream, place: Place) -> (Readback<Stream>, Arc<Mailbox>) {
    let mailbox = Arc::new(Mailbox::default());
    let plan = ReadPlan { place, begun_millis: 0, poll: Duration::from_secs(1), idle: IDLE };
    let board = Arc::new(Board::new(Instant::now()));
    let audit = Audit::new(Expect::default()).expect("no key strategy");
    (Readback::start(stream.clone(), plan, audit, Arc::clone(&mailbox), board), mailbox)
}

fn sent(sequences: Range<u64>) -> Claim {
    let fate = Fate::Sent { perhaps_twice: false };
    Claim { job: 0, sequences, fate, at_millis: 0 }
}

#[tokio::test(start_paused = true)]
async fn reading_ends_as_soon_as_nothing_is_outstanding() {
    let stream = Stream::with(3);
    (0..3).for_each(|shard| stream.store(shard, shard * 250..shard * 250 + 250));
    let start = Instant::now();
    let (readback, mailbox) = readback(&stream, Place::Oldest);
    mailbox.put(&"p".into(), [sent(0..750)]);
    readback.order(Order::Finish { all_told: true });
    let outcome = readback.outcome().await;
    assert_eq!((outcome.end, outcome.counts.records, outcome.claims_lost), (ReadEnd::Complete, 750, 0));
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_is_outstanding_is_waited_for_and_not_for_ever() {
    let stream = Stream::with(1);
    stream.store(0, 0..10);
    let (late, start) = (stream.clone(), Instant::now());
    let (one, mailbox) = readback(&stream, Place::Oldest);
    mailbox.put(&"p".into(), [sent(0..12)]);
    one.order(Order::Finish { all_told: true });
    tokio::spawn(async move {
        tokio::time::sleep(IDLE / 2).await;
        late.store(0, 10..11);
    });
    let outcome = one.outcome().await;
    assert_eq!((outcome.end, outcome.counts.records), (ReadEnd::Complete, 11));
    assert!(start.elapsed() >= IDLE * 3 / 2 && start.elapsed() < IDLE * 2, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn without_the_whole_word_of_the_producers_reading_ends_when_nothing_new_comes() {
    let stream = Stream::with(1);
    stream.store(0, 0..10);
    let start = Instant::now();
    let (readback, _) = readback(&stream, Place::Oldest);
    readback.order(Order::Finish { all_told: false });
    let outcome = readback.outcome().await;
    assert_eq!((outcome.end, outcome.counts.records), (ReadEnd::Complete, 10));
    assert!(start.elapsed() >= IDLE, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn resharding_is_followed_whether_answers_name_the_children_or_not() {
    for names_children in [true, false] {
        let stream = Stream::with(2);
        stream.stage().names_children = names_children;
        stream.store(0, 0..300);
        let (mut readback, mailbox) = readback(&stream, Place::Oldest);
        readback.begun().await.expect("it can be read");
        stream.split(0, 2..4);
        stream.store(2, 300..350);
        stream.store(3, 350..400);
        mailbox.put(&"p".into(), [sent(0..400)]);
        readback.order(Order::Finish { all_told: true });
        let outcome = readback.outcome().await;
        assert_eq!((outcome.end, outcome.counts.records, outcome.counts.read), (ReadEnd::Complete, 400, 1));
        let stage = stream.stage();
        let first = |shard| stage.calls.iter().position(|(other, _)| *other == ShardId(shard));
        let last = stage.calls.iter().rposition(|(other, _)| *other == ShardId(0));
        assert!(last < first(2) && last < first(3), "children after their parent");
    }
}

#[tokio::test(start_paused = true)]
async fn from_the_newest_on_nothing_older_is_read_and_nothing_newer_is_passed_over() {
    for names_children in [true, false] {
        let stream = Stream::with(2);
        stream.stage().names_children = names_children;
        stream.store(0, 0..50);
        let (mut readback, mailbox) = readback(&stream, Place::Newest);
        readback.begun().await.expect("it can be read");
        stream.store(0, 50..60);
        stream.split(1, 2..4);
        stream.store(2, 60..70);
        mailbox.put(&"p".into(), [sent(50..70)]);
        readback.order(Order::Finish { all_told: true });
        let outcome = readback.outcome().await;
        assert_eq!((outcome.end, outcome.counts.records), (ReadEnd::Complete, 20));
    }
}

#[tokio::test(start_paused = true)]
async fn although_nothing_is_outstanding_every_shard_is_read_to_the_tip_that_it_had_at_the_end() {
    let stream = Stream::with(2);
    stream.store(1, 0..350);
    let (mut readback, _) = readback(&stream, Place::Oldest);
    readback.begun().await.expect("it can be read");
    // At their tip once, and not since this came.
    tokio::time::sleep(Duration::from_secs(30)).await;
    stream.store(0, 350..360);
    readback.order(Order::Finish { all_told: true });
    let outcome = readback.outcome().await;
    assert_eq!((outcome.end, outcome.counts.records), (ReadEnd::Complete, 360));
}

#[tokio::test(start_paused = true)]
async fn setbacks_are_counted_and_overcome() {
    let stream = Stream::with(1);
    stream.store(0, 0..150);
    stream.stage().shards.get_mut(&ShardId(0)).expect("it").setbacks =
        vec![Setback::Expired, Setback::Throttled, Setback::Throttled, Setback::Other];
    let (readback, mailbox) = readback(&stream, Place::Oldest);
    mailbox.put(&"p".into(), [sent(0..150)]);
    readback.order(Order::Finish { all_told: true });
    let outcome = readback.outcome().await;
    assert_eq!((outcome.end, outcome.counts.records), (ReadEnd::Complete, 150));
    let [ok, throttled, expired, gone, denied, failed] = outcome.counts.calls;
    assert!(ok >= 2);
    assert_eq!([throttled, expired, gone, denied, failed], [2, 1, 0, 0, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_can_t_be_read_is_told_and_never_called_complete() {
    let stream = Stream::with(1);
    stream.stage().listing_fails = true;
    let (mut unlisted, _) = readback(&stream, Place::Oldest);
    assert_eq!(unlisted.begun().await, Err(ReadEnd::Failed(fault(Setback::Denied))));
    let stream = Stream::with(2);
    (0..2).for_each(|shard| {
        stream.stage().shards.get_mut(&ShardId(shard)).expect("it").setbacks = vec![Setback::Denied];
    });
    let (mut denied, _) = readback(&stream, Place::Newest);
    assert_eq!(denied.begun().await, Err(ReadEnd::Failed(fault(Setback::Denied))));
    // One shard of two is gone: the other is read, and the end is no good one.
    let stream = Stream::with(2);
    stream.store(1, 0..10);
    stream.stage().shards.get_mut(&ShardId(0)).expect("it").setbacks = vec![Setback::Gone];
    let (readback, mailbox) = readback(&stream, Place::Oldest);
    mailbox.put(&"p".into(), [sent(0..10)]);
    readback.order(Order::Finish { all_told: true });
    let outcome = readback.outcome().await;
    assert_eq!((outcome.end, outcome.counts.records), (ReadEnd::Failed(fault(Setback::Gone)), 10));
}

#[tokio::test(start_paused = true)]
async fn an_order_to_stop_is_followed_at_once() {
    for timed_out in [false, true] {
        let stream = Stream::with(1);
        let (mut readback, _) = readback(&stream, Place::Oldest);
        readback.begun().await.expect("it can be read");
        let start = Instant::now();
        readback.order(Order::Stop { timed_out });
        let end = readback.outcome().await.end;
        assert_eq!(end, if timed_out { ReadEnd::TimedOut } else { ReadEnd::Stopped });
        assert!(start.elapsed() <= GLANCE * 2);
    }
}

#[tokio::test(start_paused = true)]
async fn many_shards_are_read_with_few_answers_in_memory_and_within_each_shards_limit() {
    let stream = Stream::with(200);
    (0..200).for_each(|shard| stream.store(shard, shard * 10..shard * 10 + 10));
    let (readback, mailbox) = readback(&stream, Place::Oldest);
    mailbox.put(&"p".into(), [sent(0..2_000)]);
    readback.order(Order::Finish { all_told: true });
    assert_eq!(readback.outcome().await.counts.records, 2_000);
    let stage = stream.stage();
    assert!(stage.most_at_once <= ANSWERS && stage.most_at_once > 1, "{}", stage.most_at_once);
    let mut last: BTreeMap<ShardId, Instant> = BTreeMap::new();
    for &(shard, at) in &stage.calls {
        if let Some(before) = last.insert(shard, at) {
            assert!(at - before >= Duration::from_millis(200));
        }
    }
}
