//! The pieces of work that are counted. Each prepares what it needs, and then does the same work `times` times.

use std::hint::black_box;

use kinesis_streamer::batch::{Aggregation, Batch, BatchBuilder, Bundler, Envelope, Pushed, Spent};
use kinesis_streamer::generate::{EventKind, Generator, Timestamp, Written};
use kinesis_streamer::key::{KeyStrategy, Keyer};
use kinesis_streamer::kinesis::{Answer, HashRange, Limits, Shard, ShardId, ShardMap, Wire};
use kinesis_streamer::schedule::{Arrivals, Curve, Pacing, Quota};
use kinesis_streamer::send::{Circumstances, settle_answer};

/// A piece: its name in the baseline, and the work.
type Piece = (&'static str, fn(u32));

/// Events, keys or records of a piece.
const MANY: u64 = 10_000;

/// Records of a request; a piece has 20 requests.
const BATCH: usize = 500;
const BATCHES: usize = MANY as usize / BATCH;

const SHARDS: u32 = 16;

/// Every piece, in the order in which a record meets them.
pub const PIECES: [Piece; 16] = [
    ("release 1,000 jobs × 10, burst", |times| arrivals(Pacing::Burst, times)),
    ("release 1,000 jobs × 10, smooth", |times| arrivals(Pacing::Smooth, times)),
    ("generate 10,000 mouse events", |times| generate(EventKind::Mouse, times)),
    ("generate 10,000 click events", |times| generate(EventKind::Click, times)),
    ("generate 10,000 trade events", |times| generate(EventKind::Trade, times)),
    ("generate 10,000 message events", |times| generate(EventKind::Message, times)),
    ("write 10,000 random keys", keys),
    ("encode 20 batches of 500 clicks", |times| encode(Wire::Json, times)),
    ("encode 20 batches of 500 clicks in CBOR", |times| encode(Wire::Cbor, times)),
    ("aggregate 20 batches of 500 clicks", aggregate),
    ("read 20 good answers of 500", |times| read(body(0).as_bytes(), times)),
    ("read 20 half-failed answers of 500", |times| read(body(2).as_bytes(), times)),
    ("read 20 good answers of 500 in CBOR", |times| read(&in_cbor(0), times)),
    ("read 20 half-failed answers in CBOR", |times| read(&in_cbor(2), times)),
    // What was read is the same on both wires.
    ("settle 20 good answers of 500", |times| settle(0, times)),
    ("settle 20 half-failed answers of 500", |times| settle(2, times)),
];

fn arrivals(pacing: Pacing, times: u32) {
    for _ in 0..times {
        for slice in Arrivals::new(black_box(Quota::each(1_000, 10)), Curve::Even, pacing, BATCH, 1) {
            black_box(slice);
        }
    }
}

fn time() -> Timestamp {
    Timestamp::from_unix_millis(1_795_227_274_123)
}

fn generator(kind: EventKind) -> Generator {
    Generator::new(kind, 1, "p-00000001")
}

fn keyer() -> Keyer {
    Keyer::new(&KeyStrategy::Random, EventKind::Click, 1, "p-00000001", &ShardMap::default())
        .expect("random keys need nothing of the event")
}

fn generate(kind: EventKind, times: u32) {
    let (generator, time) = (generator(kind), time());
    let mut event = Vec::new();
    for _ in 0..times {
        for sequence in 0..MANY {
            black_box(generator.overwrite(7, sequence, &time, &mut event));
            black_box(&event);
        }
    }
}

fn keys(times: u32) {
    let (keyer, mut key) = (keyer(), String::with_capacity(1_024));
    for _ in 0..times {
        for sequence in 0..MANY {
            let written = Written { length: 2, entity: None };
            black_box(keyer.write(7, sequence, b"{}", &written, &mut key))
                .expect("random keys are for any event");
            black_box(&key);
        }
    }
}

/// A request's events and keys.
fn records() -> Vec<(Vec<u8>, String)> {
    let (generator, keyer, time) = (generator(EventKind::Click), keyer(), time());
    let record = |sequence| {
        let (mut event, mut key) = (Vec::new(), String::new());
        let written = generator.write(7, sequence, &time, &mut event);
        keyer.write(7, sequence, &event, &written, &mut key).expect("random keys are for any event");
        (event, key)
    };
    (0..BATCH as u64).map(record).collect()
}

fn batch(wire: Wire, records: &[(Vec<u8>, String)], envelope: &Envelope, spent: Spent) -> Batch {
    let mut builder = BatchBuilder::of(wire, Limits::AWS, spent);
    for (event, key) in records {
        assert_eq!(builder.push(event, key, None), Pushed::Added);
    }
    builder.seal(envelope).expect("it has records")
}

fn encode(wire: Wire, times: u32) {
    let (records, envelope) = (records(), Envelope::new("a-stream", None));
    let mut spent = Spent::default();
    for _ in 0..times as usize * BATCHES {
        spent = black_box(batch(wire, black_box(&records), &envelope, spent)).spent();
    }
}

/// With the hash of each key, which decides its shard, and that of each aggregate.
fn aggregate(times: u32) {
    let (records, envelope, shards) = (records(), Envelope::new("a-stream", None), shards());
    let (mut bundler, mut spent) = (Bundler::default(), Spent::default());
    for _ in 0..times as usize * BATCHES {
        let mut builder = BatchBuilder::new(Limits::AWS, spent);
        bundler.begin(&shards);
        for (event, key) in black_box(&records) {
            let aggregation = Aggregation { bytes: 51_200 };
            assert_eq!(bundler.push(aggregation, &mut builder, &shards, event, key, None), Pushed::Added);
        }
        bundler.finish(&mut builder, &shards);
        spent = black_box(builder.seal(&envelope).expect("it has records")).spent();
    }
}

fn shards() -> ShardMap {
    let shards = (0_u64..).zip(HashRange::ALL.divided(SHARDS));
    ShardMap::new(shards.map(|(id, range)| Shard { id: ShardId(id), range }).collect())
}

/// An answer of 16 shards in which every entry whose number is divisible by `failing` is throttled; none for 0.
fn body(failing: usize) -> String {
    let entry = |index: usize| {
        let shard = ShardId((index * 7 % SHARDS as usize) as u64);
        if failing > 0 && index.is_multiple_of(failing) {
            let message =
                format!("Rate exceeded for shard {shard} in stream a-stream under account 000000000000.");
            format!(r#"{{"ErrorCode":"ProvisionedThroughputExceededException","ErrorMessage":"{message}"}}"#)
        } else {
            format!(r#"{{"SequenceNumber":"49{index:054}","ShardId":"{shard}"}}"#)
        }
    };
    let failed = if failing > 0 { BATCH.div_ceil(failing) } else { 0 };
    let entries = (0..BATCH).map(entry).collect::<Vec<_>>().join(",");
    format!(r#"{{"FailedRecordCount":{failed},"Records":[{entries}]}}"#)
}

/// The same answer in CBOR.
fn in_cbor(failing: usize) -> Vec<u8> {
    let value: serde_json::Value = serde_json::from_str(&body(failing)).expect("it is JSON");
    let mut bytes = Vec::new();
    ciborium::into_writer(&value, &mut bytes).expect("a vector takes all");
    bytes
}

fn read(body: &[u8], times: u32) {
    let mut answer = Answer::default();
    for _ in 0..times as usize * BATCHES {
        answer.read(black_box(body)).expect("it is an answer");
        black_box(&answer);
    }
}

fn settle(failing: usize, times: u32) {
    let batch = batch(Wire::Json, &records(), &Envelope::new("a-stream", None), Spent::default());
    let mut answer = Answer::default();
    answer.read(body(failing).as_bytes()).expect("it is an answer");
    let shards = shards();
    let so_far = Circumstances { may_retry: true, doubtful: false, shards: &shards };
    for _ in 0..times as usize * BATCHES {
        black_box(settle_answer(black_box(&batch), black_box(&answer), so_far));
    }
}
