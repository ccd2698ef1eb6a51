//! Replays of traces, as a user runs them: what they hold is what is sent, and what is wrong with them is told.

use std::fmt::Write as _;

use crate::support::{Endpoint, Program};

/// The data and the key of each record that an endpoint stored.
fn stored(endpoint: &Endpoint) -> Vec<(String, String)> {
    let data = |entry: &serde_json::Value| {
        let data = entry["Data"].as_str().expect("data");
        let data = base64_simd::STANDARD.decode_to_vec(data).expect("base64");
        let key = entry["PartitionKey"].as_str().expect("a key");
        (String::from_utf8(data).expect("text"), key.to_owned())
    };
    endpoint.stored().iter().map(data).collect()
}

#[test]
fn a_trace_of_counts_is_sent_as_counted_read_back_and_proven() {
    let trace = "time,count\n2026-11-21T12:00:00Z,100\n2026-11-21T12:00:05Z,0\n2026-11-21T12:00:10Z,50\n";
    let arguments = ["--local=2", "--verify", "--replay=trace.csv", "--speed=10"];
    let finished = Program::run(&arguments).file("trace.csv", trace).finish();
    let counts = finished.counts();
    assert_eq!(
        (counts["due"], counts["sent"], counts["held"], finished.code),
        (150, 150, 150, 0),
        "{}",
        finished.stderr
    );
}

#[test]
fn the_records_of_a_trace_are_sent_byte_by_byte_under_their_keys() {
    let endpoint = Endpoint::open(vec![], vec![]);
    let trace =
        "{\"time\":0,\"payload\":{\"order\": 7},\"key\":\"a\"}\n{\"time\":0.05,\"payload\":\"x\\ny\"}\n";
    let arguments = ["--replay=trace.ndjson", "--partition-key=constant:other"];
    let finished = Program::against(&endpoint, &arguments).file("trace.ndjson", trace).finish();
    assert_eq!((finished.counts()["sent"], finished.code), (2, 0), "{}", finished.stderr);
    let expected = [("{\"order\": 7}", "a"), ("x\ny", "other")];
    assert_eq!(stored(&endpoint), expected.map(|(data, key)| (data.to_owned(), key.to_owned())));
}

#[test]
fn a_trace_is_looped_until_the_run_ends() {
    let finished = Program::run(&["--local", "--replay=t", "--loop", "--max-records=25"])
        .file("t", "0,1\n0.1,9\n")
        .finish();
    assert_eq!((finished.counts()["sent"], finished.code), (25, 0), "{}", finished.stderr);
}

#[test]
fn a_line_that_is_wrong_at_the_beginning_is_told_before_the_first_record() {
    let endpoint = Endpoint::open(vec![], vec![]);
    let finished =
        Program::against(&endpoint, &["--replay=t.csv"]).file("t.csv", "0,1\n1,2\n2,three\n").finish();
    assert_eq!((finished.code, endpoint.requests()), (82, 0));
    let expected = "STREAMER_REPLAY: the trace t.csv, line 3: expected a count";
    assert!(finished.stderr.contains(expected), "{}", finished.stderr);
}

#[test]
fn a_line_that_is_wrong_further_on_ends_the_run_after_all_that_came_before_it() {
    let mut trace = String::new();
    (0..3_000).for_each(|line| writeln!(trace, "0.{line:04},p{line}").expect("memory"));
    trace.push_str("1,\"broken\n2,behind it\n");
    let finished = Program::run(&["--local=4", "--replay=t.csv"]).file("t.csv", &trace).finish();
    let counts = finished.counts();
    assert_eq!((counts["sent"], counts["held"], finished.code), (2_999, 2_999, 82), "{}", finished.stderr);
    assert!(
        finished.stderr.contains("line 3001: a quoted field does not end on its line"),
        "{}",
        finished.stderr
    );
}

#[test]
fn recorded_payloads_are_verified_by_their_digest() {
    let verified =
        Program::run(&["--local=2", "--verify", "--replay=t"]).file("t", "0,a\n0.1,b\n0.2,a\n").finish();
    assert_eq!(verified.code, 0, "{}", verified.stderr);
    assert!(
        verified.stderr.contains(r#""clean":true"#) && verified.stderr.contains(r#""delivered":3"#),
        "{}",
        verified.stderr
    );
}

#[test]
fn recorded_payloads_are_neither_padded_nor_spoilt_and_no_sheet_says_so() {
    for setting in ["--event-size=1KiB", "--inject=malformed:50%"] {
        let run = ["--local", "--replay=t", "--answer-sheet=sheet", setting];
        let refused = Program::run(&run).file("t", "0,a\n").finish();
        assert!(refused.code == 64 && refused.stderr.contains("as they were recorded"), "{}", refused.stderr);
    }
}

#[test]
fn settings_that_do_nothing_beside_a_trace_are_named() {
    for setting in ["--instance-count=2", "--start-at=+2s"] {
        let refused = Program::run(&["--local", "--replay=t", "--instance-index=0", setting])
            .file("t", "0,3\n")
            .finish();
        assert!(
            refused.code == 64 && refused.stderr.contains("a trace is played whole"),
            "{}",
            refused.stderr
        );
    }
    let told = Program::run(&["--local", "--replay=t", "--messages=7"]).file("t", "0,1\n").finish();
    assert!(
        told.stderr.contains("--messages has no effect, because --replay has a timing of its own"),
        "{}",
        told.stderr
    );
    let as_profile = Program::run(&["--local", "--profile=replay:t", "--speed=2", "--rate=7/s"])
        .file("t", "0,3\n")
        .finish();
    assert_eq!((as_profile.counts()["sent"], as_profile.code), (3, 0));
    assert!(as_profile.stderr.contains("--rate has no effect, because --profile has a timing of its own"));
    let both = Program::run(&["--local", "--profile=replay:t", "--replay=t"]).file("t", "0,3\n").finish();
    assert!(both.code == 64 && both.stderr.contains("only one can be right"), "{}", both.stderr);
    let drawn = Program::new(&["plan", "--profile=replay:t"]).file("t", "0,3\n").finish();
    assert!(drawn.code == 64 && drawn.stderr.contains("plan draws no trace"), "{}", drawn.stderr);
    let no_trace = Program::run(&["--local", "--speed=2", "--max-records=1"]).finish();
    assert!(no_trace.stderr.contains("--speed has no effect"), "{}", no_trace.stderr);
}
