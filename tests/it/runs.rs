//! Whole runs against the embedded stream: what is counted is what the stream holds.

use crate::support::{Endpoint, Program};

#[test]
fn the_default_load_is_sent_and_held() {
    let finished = Program::run(&["--local", "--max-records=200"]).finish();
    let counts = finished.counts();
    assert_eq!((counts["due"], counts["sent"], counts["held"], finished.code), (200, 200, 200, 0));
    assert_eq!(
        finished.stderr.lines().count(),
        2,
        "nothing but its beginning and its end: {}",
        finished.stderr
    );
}

#[test]
fn every_event_and_key_strategy_is_taken_by_the_stream() {
    let all = [
        ("mouse", "random"),
        ("click", "user"),
        ("trade", "field:/price"),
        ("message", "constant:shardId-000000000000"),
        ("mouse", "job"),
        ("click", "round-robin"),
        ("trade", "explicit"),
        ("mouse", "zipf:1.2"),
        ("click", "hot:60%@2"),
    ];
    for (event, key) in all {
        let arguments = ["--local=4", "--max-records=100", "--event", event, "--partition-key", key];
        let counts = Program::run(&arguments).finish().counts();
        assert_eq!((counts["sent"], counts["held"]), (100, 100), "{event} by {key}");
    }
}

#[test]
fn more_messages_than_a_request_holds_are_split() {
    let endpoint = Endpoint::open(vec![], vec![]);
    let arguments = ["--jobs=1", "--messages=1200", "--max-records=1200"];
    let counts = Program::against(&endpoint, &arguments).finish().counts();
    assert_eq!((counts["sent"], endpoint.requests(), endpoint.stored().len()), (1_200, 3, 1_200));
}

#[test]
fn an_overloaded_shard_throttles_and_the_counts_are_the_streams_own() {
    for retry in ["none", "backoff"] {
        let arguments = ["--local", "--jobs=60", "--messages=100", "--max-records=6000", "--retry", retry];
        // One retry comes within 100 ms, in which a shard takes 100 records more.
        let attempts: &[&str] = if retry == "none" { &[] } else { &["--max-attempts=2"] };
        let finished = Program::run(&[&arguments[..], attempts].concat()).finish();
        let counts = finished.counts();
        assert!(counts["throttled"] > 0, "6,000 records at once are more than a shard takes: {counts:?}");
        assert_eq!((counts["sent"], counts["unknown"]), (counts["held"], 0), "{counts:?}");
        assert_eq!(finished.code, 1);
    }
}

#[test]
fn the_same_seed_sends_the_same_bytes() {
    let bodies = |seed: &str| {
        let endpoint = Endpoint::open(vec![], vec![]);
        let arguments = ["--jobs=1", "--messages=40", "--max-records=40", "--event=message", "--seed", seed];
        Program::against(&endpoint, &arguments).finish().counts();
        // All but the date, which is the time, and the four digits of the id before it, which are marked by the time.
        let data = |entry: &serde_json::Value| {
            let data =
                base64_simd::STANDARD.decode_to_vec(entry["Data"].as_str().expect("data")).expect("base64");
            let text = String::from_utf8(data).expect("text");
            let until = text.find(r#"","date""#).expect("a date");
            text[..until - 4].to_owned()
        };
        endpoint.stored().iter().map(|entry| (data(entry), entry["PartitionKey"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(bodies("7"), bodies("7"));
    assert_ne!(bodies("7"), bodies("8"));
}
