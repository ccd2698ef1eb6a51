//! The message's claims: it repeats nothing that is told, and what it does repeat replaces what was.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::kinesis::ShardId;
use crate::ledger::timeline::BIN;
use crate::ledger::{Ledger, Outcome, Settled, ShardCounts};

fn told(timeline: &Timeline, ledger: &Ledger, before: Option<&Told>) -> (Value, Told) {
    let counts = ledger.with(Counts::of);
    let seen = Seen {
        about: Some(&About { shards: 3, control: true, ..About::default() }),
        phase: Phase::Running,
        steered: Steered { paused: false, factor: 1_500 },
        counts: &counts,
        dropped_lately: (0, 0),
        processors: 2,
    };
    let (text, now) = message(timeline, UNIX_EPOCH, &seen, before);
    (serde_json::from_slice(&text).expect("JSON"), now)
}

/// What a page keeps: each list from a number on is replaced.
#[derive(Default)]
struct Kept {
    spans: Vec<Value>,
    columns: Vec<Value>,
    marks: Vec<Value>,
    names: Vec<Value>,
}

impl Kept {
    fn take(&mut self, told: &Value) {
        let rows = |part: &Value, key: &str| part[key].as_array().expect("rows").clone();
        let from = |part: &Value| part["from"].as_u64().expect("a number") as usize;
        for (list, part, key) in [
            (&mut self.spans, &told["spans"], "rows"),
            (&mut self.columns, &told["heat"], "columns"),
            (&mut self.marks, &told["marks"], "rows"),
        ] {
            assert!(from(part) <= list.len(), "no gap");
            list.truncate(from(part));
            list.extend(rows(part, key));
        }
        if !told["heat"]["names"].is_null() {
            self.names = rows(&told["heat"], "names");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    // However a run goes on and whenever it is told of: a page that took every message has what one that comes now is
    // told at once, even when neighbours became one and shards were new.
    #[test]
    fn messages_add_up_to_the_history(
        seconds in vec((0_u64..500, 0_u64..130, prop::bool::weighted(0.4)), 1..1_200),
    ) {
        let (ledger, mut timeline, mut at) = (Ledger::new(), Timeline::default(), Duration::ZERO);
        let (mut kept, mut before) = (Kept::default(), None);
        for (records, shard, is_told) in seconds {
            ledger.generated(records);
            let one = ShardCounts { sent: records, throttled: records / 2, ..ShardCounts::default() };
            let shards = vec![(Some(ShardId(shard)), one)];
            let settled = Settled { sent: records, throttled: records / 2, shards, ..Settled::default() };
            ledger.attempted(Outcome::Ok, Duration::from_micros(records + 1), Duration::from_millis(1), &settled);
            at += Duration::from_secs(1);
            timeline.span(at, at / 3, &ledger.snapshot());
            if shard == 0 {
                timeline.mark(at, "something");
            }
            if is_told {
                let (more, now) = told(&timeline, &ledger, before.as_ref());
                prop_assert_eq!(more["about"].is_null(), before.is_some());
                kept.take(&more);
                before = Some(now);
            }
        }
        let (more, _) = told(&timeline, &ledger, before.as_ref());
        kept.take(&more);
        let mut whole = Kept::default();
        whole.take(&told(&timeline, &ledger, None).0);
        prop_assert_eq!(kept.spans, whole.spans);
        prop_assert_eq!(kept.columns, whole.columns);
        prop_assert_eq!(kept.marks, whole.marks);
        prop_assert_eq!(kept.names, whole.names);
    }
}

#[test]
fn a_message_of_a_thousand_shards_at_full_speed_is_small() {
    let (ledger, mut timeline) = (Ledger::new(), Timeline::default());
    let (mut at, mut before) = (Duration::ZERO, None);
    for tenth in 1..=3_000_u64 {
        ledger.generated(10_000);
        let one = ShardCounts { sent: 10, throttled: 3, ..ShardCounts::default() };
        let shards = (0..1_000).map(|shard| (Some(ShardId(shard)), one)).collect();
        let settled =
            Settled { sent: 10_000, sent_bytes: 3_000_000, throttled: 3_000, shards, ..Settled::default() };
        ledger.attempted(Outcome::Partial, Duration::from_millis(9), Duration::from_millis(30), &settled);
        at += BIN;
        match tenth % 10 {
            0 => timeline.span(at, at, &ledger.snapshot()),
            _ => timeline.sample(at, at, &ledger.snapshot()),
        }
        if tenth == 2_990 {
            before = Some(told(&timeline, &ledger, None).1);
        }
    }
    let counts = ledger.with(Counts::of);
    let seen = Seen {
        about: None,
        phase: Phase::Running,
        steered: Steered::default(),
        counts: &counts,
        dropped_lately: (0, 0),
        processors: 2,
    };
    let (whole, _) = message(&timeline, UNIX_EPOCH, &seen, None);
    let (second, _) = message(&timeline, UNIX_EPOCH, &seen, before.as_ref());
    assert!(whole.len() < 512 * 1024, "{} bytes of history", whole.len());
    assert!(second.len() < 5 * 1024, "{} bytes for a second", second.len());
}

#[test]
fn the_counts_of_a_message_add_up_and_say_why() {
    let ledger = Ledger::new();
    ledger.generated(10);
    ledger.dropped(crate::ledger::Dropped::WindowFull, 3);
    let (told, _) = told(&Timeline::default(), &ledger, None);
    let count = |name: &str| told["counts"][name].as_u64().expect("a number");
    assert_eq!(count("due"), count("dropped") + count("generated"));
    assert_eq!(told["counts"]["dropped_by"], serde_json::json!({"window_full": 3}));
    assert_eq!((told["factor"].as_str(), told["paused"].as_bool()), (Some("1.5"), Some(false)));
    assert_eq!(told["about"]["control"], true);
}

#[test]
fn what_is_dropped_lately_is_told_by_the_last_seconds_whatever_was_dropped_before() {
    let (ledger, mut timeline) = (Ledger::new(), Timeline::default());
    let counts = ledger.with(Counts::of);
    ledger.dropped(crate::ledger::Dropped::WindowFull, 500);
    ledger.generated(500);
    timeline.sample(Duration::from_millis(100), Duration::ZERO, &ledger.snapshot());
    for (dropped_lately, limit, words) in [
        ((9_000, 0), "window", "50.00 % of what is due is dropped"),
        ((1, 9_999), "machine", "50.00 % of what was due came too late"),
    ] {
        let (about, steered, processors) = (None, Steered::default(), 2);
        let seen =
            Seen { about, phase: Phase::Running, steered, counts: &counts, dropped_lately, processors };
        let (text, _) = message(&timeline, UNIX_EPOCH, &seen, None);
        let told: Value = serde_json::from_slice(&text).expect("JSON");
        assert_eq!(told["limit"], limit);
        assert!(told["limit_words"].as_str().expect("words").contains(words), "{}", told["limit_words"]);
    }
}
