//! Aggregated records: counted in both units, read back whole, kept to their shards, and more of them than a shard has
//! records.

use serde_json::{Value, json};

use crate::support::readback::call;
use crate::support::{Finished, Program, Running, counts, serve};

/// The fields of the event of a json log whose message is `message`.
fn event(log: &str, message: &str) -> Value {
    let events = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut fields = events.map(|event| event["fields"].clone());
    fields.find(|fields| fields["message"] == message).unwrap_or_else(|| panic!("no {message} in {log}"))
}

/// What a run that verified itself says: user records and Kinesis records, here and there.
fn agrees(finished: &Finished) -> (u64, u64) {
    let (counts, told) = (finished.counts(), event(&finished.stderr, "stream verified"));
    assert_eq!((finished.code, &told["clean"], &told["complete"]), (0, &json!(true), &json!(true)), "{told}");
    let (sent, entries) = (counts["sent"], counts["entries_sent"]);
    assert_eq!((&told["delivered"], &told["user_records_read"]), (&json!(sent), &json!(sent)), "{told}");
    assert_eq!((&told["records_read"], counts["held"]), (&json!(entries), entries), "{told}");
    assert_eq!((&told["misplaced"], counts["sent_elsewhere"]), (&json!(0), 0));
    (sent, entries)
}

#[test]
fn aggregated_runs_are_counted_in_both_units_and_read_back_whole() {
    for arguments in [
        &["--local=4"][..],
        &["--local=4", "--wire=cbor", "--partition-key=explicit"],
        &["--local=3", "--partition-key=round-robin", "--event=message"],
        &["--local=4", "--partition-key=zipf:1.2", "--compression=gzip", "--framing=newline"],
        &["--local=2", "--event=template:t", "--partition-key=field:/n"],
        &["--local=2", "--event=order", "--inject=duplicate:5%/2,malformed:3%", "--client=sdk"],
    ] {
        let run = ["--aggregation=51200B", "--verify", "--max-records=1200", "--jobs=3", "--messages=200"];
        let program = Program::run(&[&run[..], arguments].concat());
        let finished = program.file("t", r#"{"n":"{{random.number(99)}}"}"#).finish();
        let (sent, entries) = agrees(&finished);
        // A release of 200 has at most one aggregate, or one that is full, for each shard.
        assert!(sent == 1_200 && entries <= 6 * 8, "{arguments:?}: {entries} Kinesis records");
    }
}

#[test]
fn what_is_too_large_for_an_aggregate_or_alone_for_its_shard_goes_as_it_is() {
    let run = ["--local=2", "--aggregation=400B", "--verify", "--max-records=300", "--seed=5"];
    let sizes = ["--event=mouse:1,order:1", "--jobs=2", "--messages=50"];
    let (sent, entries) = agrees(&Program::run(&[&run[..], &sizes].concat()).finish());
    assert!(sent == 300 && (150..=300).contains(&entries), "{entries}");
    let alone =
        ["--local=2", "--aggregation=51200B", "--verify", "--max-records=40", "--jobs=4", "--messages=1"];
    assert_eq!(agrees(&Program::run(&alone).finish()), (40, 40));
}

#[test]
fn one_shard_takes_twenty_thousand_small_user_records_in_a_second_without_a_throttle() {
    let run = ["--local=1", "--aggregation=51200B", "--event=template:t", "--partition-key=job", "--verify"];
    let load = ["--jobs=10", "--messages=2000", "--max-records=20000"];
    let program = Program::run(&[&run[..], &load].concat()).file("t", r#"{"n":{{random.number(99)}}}"#);
    let finished = program.finish();
    let (sent, entries) = agrees(&finished);
    let counts = finished.counts();
    assert_eq!((sent, counts["throttled"], counts["entries_throttled"]), (20_000, 0, 0));
    assert!(entries <= 20, "{entries}");
}

#[test]
fn throttled_aggregates_are_tried_again_or_fail_with_all_that_is_in_them() {
    // Three megabytes for a shard that takes one in a second.
    let run = ["--local=1", "--aggregation=51200B", "--event-size=1KiB", "--verify", "--max-records=3000"];
    let load = ["--jobs=10", "--messages=300"];
    let finished = Program::run(&[&run[..], &load].concat()).finish();
    assert_eq!(agrees(&finished).0, 3_000);
    let counts = finished.counts();
    let (throttled, entries) = (counts["throttled"], counts["entries_throttled"]);
    assert!(entries > 0 && throttled > 20 * entries, "{throttled} in {entries}");

    let finished = Program::run(&[&run[..], &load, &["--retry=none"]].concat()).finish();
    let (counts, told) = (finished.counts(), event(&finished.stderr, "stream verified"));
    assert_eq!((finished.code, &told["clean"]), (1, &json!(true)), "{told}");
    assert_eq!((counts["failed"], counts["sent"]), (counts["throttled"], 3_000 - counts["throttled"]));
    assert_eq!(
        (&told["delivered"], &told["records_read"]),
        (&json!(counts["sent"]), &json!(counts["entries_sent"]))
    );
    assert!(counts["failed"] > 0 && counts["sent"] > 0);
}

#[test]
fn aggregates_that_a_reshard_has_split_are_counted_and_found() {
    let (local, endpoint) = serve(&["--shards=1"]);
    let run = ["--max-records=4000", "--jobs=4", "--messages=100", "--aggregation=51200B", "--verify"];
    let program = Program::run(&[&run[..], &["--listen=127.0.0.1:0"]].concat())
        .env("AWS_ENDPOINT_URL", &endpoint)
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "a-secret-that-must-not-be-seen")
        .env("AWS_KINESIS_STREAM_NAME", "local");
    let mut run = program.start();
    while metric(&run, "records_sent_total") == 0 {}
    let split = json!({ "StreamName": "local", "TargetShardCount": 2, "ScalingType": "UNIFORM_SCALING" });
    assert_eq!(call(&endpoint, "UpdateShardCount", &split).0, 200);
    run.wait_for("reading the stream to its end");
    let (code, log) = run.finish();
    let (counts, told) = (counts(&log), event(&log, "stream verified"));
    // All is there, but what crosses the new border would not come through KCL.
    assert_eq!((code, &told["clean"], &told["delivered"]), (2, &json!(false), &json!(4_000)), "{told}");
    let misplaced = told["misplaced"].as_u64().expect("a number");
    assert!(
        misplaced > 0 && misplaced <= counts["sent_elsewhere"],
        "{misplaced} of {}",
        counts["sent_elsewhere"]
    );
    assert!(misplaced < 2_000, "the map of the shards is followed: {misplaced}");
    local.signal("TERM");
    assert_eq!(local.finish().0, 0);
}

/// A number of the run's metrics.
fn metric(run: &Running, name: &str) -> u64 {
    let (_, text) = run.get("/metrics");
    let line = text.lines().find(|line| line.starts_with(&format!("kinesis_streamer_{name} ")));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).expect("a number")
}

#[test]
fn a_dry_run_tells_both_units_and_what_packs_nothing_is_warned_of() {
    let run = ["--dry-run", "--local=2", "--aggregation=51200B", "--seed=5", "--jobs=2", "--messages=400"];
    let told = Program::run(&run).finish().stdout;
    let begins = "The first due second would send 800 records, as ";
    let packed = told.split(begins).nth(1).and_then(|rest| rest.split(' ').next()?.parse::<u64>().ok());
    assert!(packed.is_some_and(|packed| (4..=8).contains(&packed)), "{told}");
    assert!(told.contains("Kinesis records/s") && !told.contains("warning"), "{told}");
    let alone = ["--dry-run", "--local=2", "--aggregation=51200B", "--jobs=100", "--messages=1"];
    let told = Program::run(&alone).finish().stdout;
    assert!(told.contains("warning: aggregation packs next to nothing"), "{told}");
    let wrong = ["--dry-run", "--local", "--aggregation=2MiB", "--max-record-bytes=1MiB"];
    let refused = Program::run(&wrong).finish();
    assert!(
        refused.code == 64 && refused.stderr.contains("--aggregation and --max-record-bytes"),
        "{}",
        refused.stderr
    );
}
