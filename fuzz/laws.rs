//! What must hold for any bytes at each door through which bytes of others come in: a law per door.
//!
//! The fuzz targets beside this file run them without end, `tests/it/fuzzed.rs` for a while on stable. None may panic;
//! memory and time are bounded by the fuzzer (`-rss_limit_mb`, `-timeout`) and by the sizes asserted here.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::time::Duration;

use kinesis_streamer::aggregate as kpl;
use kinesis_streamer::cbor;
use kinesis_streamer::config::{self, Invocation};
use kinesis_streamer::generate::{self, EventKind, Generator, Template, TemplateMode, Timestamp};
use kinesis_streamer::key::{KeyStrategy, Keyer};
use kinesis_streamer::kinesis::{Answer, EntryResult, HashKey, HashRange, Shard, ShardId, ShardMap, Wire};
use kinesis_streamer::local::{Api, Clock, Options, Store};
use kinesis_streamer::replay::Trace;
use kinesis_streamer::schedule::profile::{self, Inline, Start};
use kinesis_streamer::schedule::{Cron, Offer, Shaped};
use kinesis_streamer::{journal, verify};
use md5::{Digest, Md5};
use serde_json::{Value, json};

/// Stands in every environment as a secret; no text may hold it.
const SECRET: &str = "a-secret-that-must-not-be-seen";

/// A law: its target's name, and what panics when it breaks.
pub type Law = (&'static str, fn(&[u8]));

/// Every law by its name, which is also its target's and its seeds'.
pub const ALL: [Law; 11] = [
    ("settings", settings),
    ("answer", answer),
    ("aggregate", aggregate),
    ("journal", journal_file),
    ("wire", wire),
    ("cron", cron),
    ("key", key),
    ("template", template),
    ("cbor", in_cbor),
    ("trace", trace),
    ("profile", profile),
];

/// Lines are variables (`NAME=VALUE`) where they begin with an upper-case letter, else arguments.
///
/// Law: what is refused is told in lines that a terminal can show, without a secret; what is accepted makes itself
/// again from its own variables.
pub fn settings(data: &[u8]) {
    let lines = || data.split(|&byte| byte == b'\n').take(64).map(OsStr::from_bytes);
    let is_variable = |line: &&OsStr| line.as_bytes().first().is_some_and(u8::is_ascii_uppercase);
    let variables = lines().filter(is_variable).filter_map(|line| {
        let at = line.as_bytes().iter().position(|&byte| byte == b'=')?;
        let (name, value) = line.as_bytes().split_at(at);
        Some((OsStr::from_bytes(name).to_owned(), OsStr::from_bytes(&value[1..]).to_owned()))
    });
    let secrets = ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"].map(|name| (name.into(), SECRET.into()));
    let arguments = lines().filter(|line| !is_variable(line)).map(OsStr::to_owned);
    let program = std::iter::once("x".into());
    match config::read(secrets.into_iter().chain(variables), program.chain(arguments), 1) {
        Err(problems) => {
            assert!(problems.iter().count() > 0);
            for problem in problems.iter() {
                let line = problem.to_string();
                assert!(!line.chars().any(char::is_control), "{line:?}");
                assert!(line.chars().count() < 1_000, "{line}");
            }
            assert!(!format!("{problems}{problems:?}").contains(SECRET));
        }
        Ok(Invocation::Run(first)) => {
            assert!(!format!("{first:?}").contains(SECRET));
            match config::read(first.variables(), ["x"], 2) {
                Ok(Invocation::Run(again)) => {
                    let plain = |config: &config::Config| {
                        let seed = config::Seed { given: true, ..config.seed };
                        config::Config { notices: Vec::new(), seed, ..config.clone() }
                    };
                    assert_eq!(plain(&first), plain(&again));
                }
                other => panic!("{:?} became {other:?}", first.variables()),
            }
        }
        Ok(_) => {}
    }
}

/// Law: whatever is read as an answer is one by a parser of others as well, has as many entries, and each counts as
/// stored exactly when it has a sequence number and no error. A used buffer changes nothing.
pub fn answer(data: &[u8]) {
    let (mut fresh, mut used) = (Answer::default(), Answer::default());
    used.entries = vec![EntryResult::Stored(None); 3];
    used.failed_record_count = Some(7);
    let (read, again) = (fresh.read(data), used.read(data));
    assert_eq!(read.is_ok(), again.is_ok());
    if read.is_err() {
        return;
    }
    assert_eq!(fresh, used);
    // What is of no meaning to us is skipped, and need not even be text there.
    let Ok(value) = serde_json::from_str::<Value>(&String::from_utf8_lossy(data)) else { return };
    let entries = value["Records"].as_array().map_or(&[][..], Vec::as_slice);
    assert_eq!(entries.len(), fresh.entries.len());
    for (entry, result) in entries.iter().zip(&fresh.entries) {
        let text = |name: &str| entry[name].as_str().unwrap_or_default();
        let stored = !text("SequenceNumber").is_empty();
        let refused = !text("ErrorCode").is_empty();
        assert!(stored != refused, "{entry}");
        assert_eq!(matches!(result, EntryResult::Stored(_)), stored, "{entry}");
    }
    assert_eq!(value["FailedRecordCount"].as_u64(), fresh.failed_record_count);
}

/// Law: any record is unpacked to user records that are not larger than it can hold, as it is, and as the message of an
/// aggregate whose check sum is right. What is read of an aggregate is read again when our own writer has written it, and
/// has the size that was told beforehand.
pub fn aggregate(data: &[u8]) {
    let unpack = |record: &[u8]| {
        let (mut room, mut given, mut bytes) = (Vec::new(), 0_usize, 0_usize);
        verify::unpack("key", record, &mut room, |result| {
            given += 1;
            if let Ok(user) = result {
                assert!(user.compressed || user.data.len() <= record.len());
                bytes += if user.compressed { 0 } else { user.data.len() };
            }
        });
        assert!(given <= record.len().max(1), "{given} user records in {} bytes", record.len());
        assert!(bytes <= record.len(), "more bytes than there are");
        if let Some(Ok(message)) = kpl::message(record) {
            written_again(message);
        }
    };
    unpack(data);
    let digest = Md5::digest(data);
    unpack(&[&[0xf3, 0x89, 0x9a, 0xc2], data, &digest[..]].concat());
}

/// Writes the user records of a message, if it is one, and reads them again.
fn written_again(message: &[u8]) {
    let (mut first, mut written) = (Vec::new(), kpl::Aggregate::default());
    if kpl::each(message, |one| first.push(one)).is_err() {
        return;
    }
    for one in &first {
        let mut digits = [0; 39];
        let digits = one.explicit_hash_key.map(|key| key.decimal(&mut digits));
        let hash_key = one.explicit_hash_key.unwrap_or_else(|| HashKey::of(one.partition_key));
        let (before, addition) = (written.size(), written.weigh(one.data, one.partition_key, digits));
        written.add(addition, one.data, one.partition_key, digits, hash_key);
        assert_eq!(written.size(), before + addition.bytes());
    }
    let (mut record, mut again) = (Vec::new(), Vec::new());
    written.write(&mut record);
    assert_eq!(record.len(), written.size());
    let message = kpl::message(&record).and_then(Result::ok).expect("it is one, with its check sum");
    assert_eq!(kpl::each(message, |one| again.push(one)), Ok(()));
    assert_eq!(again, first);
}

/// Law: any file is read to its end or refused, in no more items than it has bytes; what is told of it is told again.
pub fn journal_file(data: &[u8]) {
    let mut reader = journal::Reader::new(data);
    let mut items = 0;
    while let Ok(Some(_)) = reader.read() {
        items += 1;
        assert!(items <= data.len(), "{items} items in {} bytes", data.len());
    }
    let accounts = || journal::accounts(&mut journal::Reader::new(data)).ok().map(|all| format!("{all:?}"));
    assert_eq!(accounts(), accounts());
}

/// The operations that a line of [`wire`] can name, by its first byte.
const OPERATIONS: [&str; 21] = [
    "PutRecords",
    "PutRecord",
    "GetRecords",
    "GetShardIterator",
    "ListShards",
    "DescribeStream",
    "DescribeStreamSummary",
    "CreateStream",
    "DeleteStream",
    "SplitShard",
    "MergeShards",
    "UpdateShardCount",
    "UpdateStreamMode",
    "UpdateMaxRecordSize",
    "AddTagsToStream",
    "RemoveTagsFromStream",
    "ListTagsForStream",
    "IncreaseStreamRetentionPeriod",
    "DecreaseStreamRetentionPeriod",
    "ListStreams",
    "DescribeLimits",
];

/// Lines are calls of the embedded stream: a letter for the operation, then the body.
///
/// Law: every call is answered with JSON or with an error of the API; the stream takes records as long as it is there,
/// and holds what it answered as stored.
pub fn wire(data: &[u8]) {
    let clock = Clock::manual(Duration::from_secs(1_800_000_000));
    let stream = Some("s".parse().expect("a legal name"));
    let options = Options { stream, shards: 2, clock: clock.clone(), shard_limit: 50, ..Options::default() };
    let store = Arc::new(Store::new(options).expect("legal options"));
    let api = Api::new(Arc::clone(&store));
    let mut stored = 0;
    let count = |answer: &[u8]| {
        let answer: Value = serde_json::from_slice(answer).expect("an answer is JSON");
        let records = answer["Records"]
            .as_array()
            .map_or(0, |all| all.iter().filter(|one| one.get("SequenceNumber").is_some()).count());
        records + usize::from(answer.get("SequenceNumber").is_some())
    };
    for line in data.split(|&byte| byte == b'\n').take(20) {
        clock.advance(Duration::from_millis(100));
        let Some((&letter, body)) = line.split_first() else { continue };
        let operation = OPERATIONS[usize::from(letter.wrapping_sub(b'a')) % OPERATIONS.len()];
        // What else there is may be made and deleted; this one stays, to be counted.
        if operation == "DeleteStream" && body.windows(3).any(|three| three == b"\"s\"" || three == b"m/s") {
            continue;
        }
        match api.call(operation, body) {
            Ok(answer) if operation.starts_with("Put") => {
                let to_s = serde_json::from_str::<Value>(&String::from_utf8_lossy(body))
                    .is_ok_and(|body| names_s(&body));
                stored += if to_s { count(&answer) } else { 0 };
            }
            Ok(answer) => {
                assert!(answer.is_empty() || serde_json::from_slice::<Value>(&answer).is_ok(), "{operation}");
            }
            Err(error) => assert!(error.kind.status() < 500, "{operation}: {}", error.message),
        }
    }
    clock.advance(Duration::from_secs(60));
    let body = json!({ "StreamName": "s", "Records": [{ "Data": "AAAA", "PartitionKey": "k" }] }).to_string();
    match api.call("PutRecords", body.as_bytes()) {
        Ok(answer) => stored += count(&answer),
        // On a stream that was made to want an explicit distribution, say.
        Err(error) => assert!(error.kind.status() < 500, "{}", error.message),
    }
    let held = store.stream("s").map_or(0, |stream| stream.totals().accepted_records);
    assert_eq!(held, stored as u64);
}

fn names_s(body: &Value) -> bool {
    let arn = body["StreamARN"].as_str().is_some_and(|arn| arn.ends_with(":stream/s"));
    body["StreamName"] == "s" || body["StreamName"].is_null() && arn
}

/// A load over time: one line, a file of phases, or the generator's periods.
///
/// Law: what is refused is told by at least one text; what is accepted never takes back what was due, its seconds add up,
/// and none has more than its peak.
pub fn profile(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let week = |(mean, deviation): &_| {
        profile::profile_file(&profile::periods_file(mean, deviation, true)).expect("what is written is read")
    };
    let read = [
        profile::inline(text).map(|inline| match inline {
            Inline::Profile(profile) => Some(profile),
            Inline::Weekly(_) | Inline::File(_) => None,
        }),
        profile::profile_file(text).map(Some).map_err(|error| error.0),
        profile::periods(text).map(|hours| Some(week(&hours))),
    ];
    for read in read {
        let profile = match read {
            Ok(profile) => profile,
            Err(wrong) => {
                assert!(wrong.iter().any(|why| !why.is_empty()), "{text:?}");
                continue;
            }
        };
        let Some(profile) = profile else { continue };
        let noisy = profile.is_noisy();
        let shaped = Shaped::new(Arc::new(profile), "10/s".parse().expect("a rate"));
        let start = Start { wall_millis: 1_795_305_600_000, seed: 1 };
        let end = shaped.profile().end().unwrap_or(u64::MAX);
        for first in [0, 59_000, 86_399_000, end.saturating_sub(2_000), end, 40_000_000_000] {
            let mut sum = 0;
            for second in (0..5).map(|second| first.saturating_add(second * 1_000).min(1 << 53)) {
                let due = shaped.second(&start, second).amount;
                assert!(due <= shaped.peak() + 1, "{text:?}: {due} at {second}");
                sum += due;
            }
            let (from, to) = (first.min(1 << 53), first.saturating_add(4_000).min(1 << 53) + 1_000);
            let whole = shaped.due_until(&start, to) - shaped.due_until(&start, from);
            // A week's clock may change its zone's offset, and at the bound of time all five are the same second.
            assert!(
                noisy || shaped.profile().is_weekly() || from == 1 << 53 || sum == whole,
                "{text:?}: {sum}, {whole}"
            );
        }
        assert!(Offer::Shaped(shaped).peak_records(1, 1.0) <= 100_000_000_000);
    }
}

/// Law: an expression that is accepted is written as it is read, and due again and again, each time later.
pub fn cron(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(cron) = text.parse::<Cron>() else { return };
    assert_eq!(cron.to_string().parse(), Ok(cron.clone()));
    let mut second = 1_800_000_000;
    for _ in 0..5 {
        let next = cron.next_after(second);
        assert!(next > second, "{text:?}: {next} after {second}");
        second = next;
        if next == u64::MAX {
            break;
        }
    }
}

/// Law: a strategy that is accepted is written as it is read, and gives every event of a kind that has such a key a
/// legal one, the same each time.
pub fn key(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(strategy) = text.parse::<KeyStrategy>() else { return };
    assert_eq!(strategy.to_string().parse(), Ok(strategy.clone()));
    let shards = HashRange::ALL.divided(3).into_iter().zip(0..);
    let shards = ShardMap::new(shards.map(|(range, id)| Shard { id: ShardId(id), range }).collect());
    for kind in EventKind::ALL {
        let Ok(keyer) = Keyer::new(&strategy, kind, 1, "p", &shards) else { continue };
        let generator = Generator::new(kind, 1, "p");
        let (mut event, mut one, mut other) = (Vec::new(), String::new(), String::new());
        for sequence in 0..3 {
            event.clear();
            let written = generator.write(0, sequence, &Timestamp::from_unix_millis(0), &mut event);
            let first = keyer.write(0, sequence, &event, &written, &mut one);
            assert_eq!(first, keyer.write(0, sequence, &event, &written, &mut other));
            if first.is_ok() {
                assert_eq!(one, other);
                assert!((1..=256).contains(&one.chars().count()), "{one:?}");
            }
        }
    }
}

/// A template, or what the Kinesis Data Generator's page has saved.
///
/// Law: `lint` says that the generator takes exactly what strict mode takes; what is told of either can be shown by a
/// terminal; a file that is imported has a plain name, which leads out of no folder. As a template in Jinja, it is refused
/// in words that can be shown, or its events are the same each time, on one line, and within their bound.
pub fn template(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let is_plain = |text: &str| !text.chars().any(|letter| letter.is_control() && letter != '\n');
    let verdict = generate::lint("t", text);
    assert_eq!(verdict.kdg, Template::compile(text, TemplateMode::Strict).is_ok(), "{text:?}");
    assert_eq!(verdict.usable, Template::compile(text, TemplateMode::Lenient).is_ok(), "{text:?}");
    assert!(is_plain(&verdict.report), "{:?}", verdict.report);
    match Template::compile_jinja(text) {
        Ok(template) => {
            let generator = Generator::of_template(template.into(), 1, "p");
            let (mut one, mut other) = (Vec::new(), Vec::new());
            for sequence in [0, 7, u64::MAX] {
                for out in [&mut one, &mut other] {
                    out.clear();
                    generator.write(3, sequence, &Timestamp::from_unix_millis(0), out);
                }
                assert_eq!(one, other, "{text:?}");
                assert!(one.len() <= generator.largest_event() && !one.contains(&b'\n'), "{text:?}");
                assert!(!one.is_empty() || generator.failure().is_some_and(is_plain), "{text:?}");
            }
        }
        Err(error) => assert!(error.remarks().iter().all(|remark| is_plain(&remark.to_string())), "{error}"),
    }
    match generate::import(text) {
        Ok(imported) => {
            for one in imported {
                assert!(is_plain(&one.report), "{:?}", one.report);
                let Some(file) = one.file else { continue };
                assert!(!file.starts_with('.') && !file.contains(['/', '\\']) && is_plain(&file), "{file:?}");
            }
        }
        Err(error) => assert!(is_plain(&error.to_string()), "{error}"),
    }
}

/// A body in CBOR, as a request to the embedded stream and as an answer to PutRecords.
///
/// Law: a request is answered in CBOR that is whole, or with an error of the API. What is read as an answer is one
/// in JSON as well, and means the same there, where it can be written so at all.
pub fn in_cbor(data: &[u8]) {
    let stream = Some("s".parse().expect("a legal name"));
    let clock = Clock::manual(Duration::from_secs(1_800_000_000));
    let options = Options { stream, clock, shard_limit: 50, ..Options::default() };
    let store = Arc::new(Store::new(options).expect("legal options"));
    let api = Api::new(Arc::clone(&store));
    for operation in OPERATIONS {
        match api.call_by(Wire::Cbor, operation, data) {
            Ok(answer) if answer.is_empty() => {}
            Ok(answer) => {
                let mut reader = cbor::Reader::new(&answer);
                assert!(reader.skip().is_ok() && reader.left() == 0, "{operation}");
            }
            Err(error) => assert!(error.kind.status() < 500, "{operation}: {}", error.message),
        }
    }
    let (mut by_cbor, mut by_json) = (Answer::default(), Answer::default());
    if cbor::is_cbor(data)
        && by_cbor.read(data).is_ok()
        && let Ok(value) = cbor::from_slice::<Value>(data)
    {
        assert!(by_json.read(value.to_string().as_bytes()).is_ok(), "{value}");
        assert_eq!(by_cbor, by_json, "{value}");
    }
}

/// A trace to be replayed.
///
/// Law: what can be read of it is due in order, without a gap, and what is wrong is told in a line that a terminal can
/// show, with its number where one line is wrong.
pub fn trace(data: &[u8]) {
    let result = Trace::of_bytes("t".as_ref(), data.to_vec()).and_then(|mut trace| {
        let mut end = None;
        while let Some(span) = trace.next_span()? {
            assert!(span.length > 0 && end.is_none_or(|end| span.at <= end), "a gap before {span:?}");
            end = Some(span.at + span.length);
        }
        Ok(())
    });
    if let Err(error) = result {
        let line = error.to_string();
        assert!(!line.chars().any(char::is_control) && line.chars().count() < 1_000, "{line:?}");
        let lines = data.split(|&byte| byte == b'\n').count() as u64;
        // Inflated, a trace has more lines than its bytes.
        assert!(
            data.starts_with(&[0x1f, 0x8b]) || error.line().is_none_or(|line| (1..=lines).contains(&line))
        );
    }
}
