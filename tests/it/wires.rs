//! Whole runs in CBOR: counted as in JSON, settled as in JSON, and never begun where the endpoint does not speak it.

use serde_json::Value;

use crate::support::{Counts, Describe, Endpoint, Finished, Program, Reply};

/// Three records of one job in CBOR, against a script.
fn three_records(replies: Vec<Reply>, more: &[&str]) -> (Finished, Counts, Endpoint) {
    let endpoint = Endpoint::open(vec![], replies);
    let arguments = ["--wire=cbor", "--jobs=1", "--messages=3", "--max-records=3"];
    let finished = Program::against(&endpoint, &[&arguments[..], more].concat()).finish();
    let counts = finished.counts();
    // The question whether it is understood, and the records.
    assert_eq!(endpoint.calls_in_cbor(), 1 + endpoint.requests());
    (finished, counts, endpoint)
}

#[test]
fn a_run_in_cbor_is_held_and_read_back_as_it_was_made() {
    for (event, key) in [("click", "random"), ("trade", "round-robin"), ("mouse", "user")] {
        let arguments = ["--local=3", "--wire=cbor", "--verify", "--messages=70", "--max-records=1400"];
        let finished =
            Program::run(&[&arguments[..], &["--event", event, "--partition-key", key]].concat()).finish();
        let counts = finished.counts();
        let told = (counts["due"], counts["sent"], counts["held"], finished.code);
        assert_eq!(told, (1_400, 1_400, 1_400, 0), "{}", finished.stderr);
    }
}

#[test]
fn the_start_names_client_and_wire_and_the_end_how_late_ticks_were() {
    for (arguments, client, wire) in
        [(&["--wire=cbor"][..], "direct", "cbor"), (&["--client=sdk"], "sdk", "json")]
    {
        let run = ["--local", "--jobs=2", "--messages=5", "--max-records=10"];
        let finished = Program::run(&[&run[..], arguments].concat()).finish();
        let fields = |message: &str| {
            let events = finished.stderr.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let mut fields = events.map(|event| event["fields"].clone());
            fields.find(|fields| fields["message"] == message).unwrap_or_else(|| panic!("no {message}"))
        };
        let begun = fields("run begins");
        assert_eq!((&begun["client"], &begun["wire"]), (&Value::from(client), &Value::from(wire)));
        let ended = fields("run ended");
        let late = ["p50", "p90", "p99", "max"]
            .map(|part| ended[format!("tick_lateness_{part}_seconds")].as_f64().expect("a number"));
        assert!(late[0] >= 0.0 && late.is_sorted(), "{late:?}");
    }
}

#[test]
fn an_overloaded_shard_throttles_in_cbor_and_the_counts_are_the_streams_own() {
    let arguments = ["--local", "--wire=cbor", "--jobs=60", "--messages=100", "--max-records=6000"];
    let counts = Program::run(&[&arguments[..], &["--max-attempts=2"]].concat()).finish().counts();
    assert!(counts["throttled"] > 0, "{counts:?}");
    assert_eq!((counts["sent"], counts["unknown"]), (counts["held"], 0), "{counts:?}");
}

#[test]
fn the_same_seed_sends_the_same_records_in_either_wire() {
    let entries = |wire: &str| {
        let endpoint = Endpoint::open(vec![], vec![]);
        let arguments = [
            "--jobs=1",
            "--messages=700",
            "--max-records=700",
            "--event=message",
            "--seed=7",
            "--wire",
            wire,
        ];
        Program::against(&endpoint, &arguments).finish().counts();
        // All but the date and the four digits before it, which are the time's.
        let record = |entry: &Value| {
            let data = entry["Data"].as_str().expect("data");
            let data = String::from_utf8(base64_simd::STANDARD.decode_to_vec(data).expect("base64"));
            let data = data.expect("text");
            let until = data.find(r#"","date""#).expect("a date");
            assert_eq!(entry.as_object().map(serde_json::Map::len), Some(2));
            (data[..until - 4].to_owned(), entry["PartitionKey"].to_string())
        };
        // The two requests of the second are under way at the same time.
        let mut records = endpoint.stored().iter().map(record).collect::<Vec<_>>();
        records.sort();
        records
    };
    let in_cbor = entries("cbor");
    assert_eq!(in_cbor.len(), 700);
    assert_eq!(in_cbor, entries("json"));
}

#[test]
fn only_the_entries_that_failed_go_out_again_in_cbor() {
    let replies = vec![
        Reply::Refuse(2, "ProvisionedThroughputExceededException"),
        Reply::Error(400, "ProvisionedThroughputExceededException"),
        Reply::Refuse(1, "InternalFailure"),
    ];
    let (finished, counts, endpoint) = three_records(replies, &[]);
    assert_eq!((counts["sent"], counts["throttled"], endpoint.stored().len()), (3, 4, 3));
    assert_eq!((endpoint.requests(), counts["perhaps_twice"], finished.code), (4, 0, 0));
    let data: std::collections::HashSet<String> =
        endpoint.stored().iter().map(|entry| entry["Data"].to_string()).collect();
    assert_eq!(data.len(), 3);
}

#[test]
fn each_answer_in_cbor_is_believed_as_far_as_it_says_something() {
    let three = |entry: &str| format!("{{\"FailedRecordCount\":0,\"Records\":[{entry},{entry},{entry}]}}");
    let ok = three(r#"{"SequenceNumber":"49","ShardId":"shardId-000000000000"}"#);
    let throttled = r#"{"__type":"ProvisionedThroughputExceededException","message":"scripted"}"#;
    let html = "<html>welcome to the hotel's network</html>";
    let raw = |stored, status, body: &str| {
        // What stands between may answer in JSON, whatever it is asked in.
        let headers = "content-type: application/x-amz-json-1.1\r\n";
        Reply::Raw { stored, status, headers, body: body.to_owned() }
    };
    std::thread::scope(|scope| {
        for (reply, sent, failed, unknown) in [
            (Reply::Store, 3, 0, 0),
            (Reply::Refuse(2, "ProvisionedThroughputExceededException"), 1, 2, 0),
            (Reply::Error(400, "AccessDeniedException"), 0, 3, 0),
            (Reply::Error(500, "InternalFailure"), 0, 0, 3),
            (Reply::StoreThenError(503, "ServiceUnavailable"), 0, 0, 3),
            (Reply::WrongCount(-1), 0, 0, 3),
            (Reply::WrongCount(1), 0, 0, 3),
            (Reply::Garbage, 0, 0, 3),
            (Reply::HalfAnAnswer, 0, 0, 3),
            (raw(true, 200, &ok), 3, 0, 0),
            (raw(true, 200, html), 0, 0, 3),
            (raw(true, 200, ""), 0, 0, 3),
            (raw(false, 400, throttled), 0, 3, 0),
            (raw(false, 403, html), 0, 3, 0),
            (raw(false, 413, ""), 0, 3, 0),
            (raw(true, 502, html), 0, 0, 3),
        ] {
            scope.spawn(move || {
                let (_, counts, _) = three_records(vec![reply.clone()], &["--retry=none"]);
                let told = (counts["sent"], counts["failed"], counts["unknown"]);
                assert_eq!(told, (sent, failed, unknown), "{reply:?}");
            });
        }
    });
}

#[test]
fn an_endpoint_that_does_not_speak_cbor_is_sent_nothing() {
    let summary = r#"{"StreamDescriptionSummary":{"StreamName":"s","StreamStatus":"ACTIVE"}}"#;
    std::thread::scope(|scope| {
        for (status, body) in [
            // It takes the body for one without a name, as moto does.
            (400, r#"{"__type":"ResourceNotFoundException","message":"Stream None not found."}"#),
            (400, r#"{"__type":"SerializationException"}"#),
            (404, "<UnknownOperationException/>"),
            (415, ""),
            (200, summary),
            (200, ""),
            (200, "\u{7f}"),
        ] {
            scope.spawn(move || {
                let describes = vec![Describe::Status("ACTIVE"), Describe::Raw(status, body.to_owned())];
                let endpoint = Endpoint::open(describes, vec![]);
                let arguments = ["--wire=cbor", "--max-records=3"];
                let finished = Program::against(&endpoint, &arguments).finish();
                assert_eq!((finished.code, endpoint.requests()), (69, 0), "{body}: {}", finished.stderr);
                assert!(finished.stderr.contains("set STREAMER_WIRE=json"), "{}", finished.stderr);
            });
        }
    });
}

#[test]
fn an_endpoint_that_is_only_busy_is_asked_again() {
    let describes = vec![
        Describe::Status("ACTIVE"),
        Describe::Error(400, "LimitExceededException"),
        Describe::Error(500, "InternalFailure"),
    ];
    let endpoint = Endpoint::open(describes, vec![]);
    let finished = Program::against(&endpoint, &["--wire=cbor", "--max-records=3"]).finish();
    assert_eq!((finished.code, endpoint.stored().len()), (0, 3), "{}", finished.stderr);
}

#[test]
fn behind_a_proxy_cbor_is_refused_and_json_is_not() {
    for (wire, code, told) in [("cbor", 64, "STREAMER_WIRE=json"), ("json", 0, "")] {
        // The script does not mind for whom it stands in.
        let endpoint = Endpoint::open(vec![], vec![]);
        let finished = Program::against(&endpoint, &["--max-records=3", "--wire", wire])
            .env("AWS_ENDPOINT_URL", "http://kinesis.invalid")
            .env("HTTP_PROXY", &endpoint.url())
            .finish();
        assert_eq!(finished.code, code, "{}", finished.stderr);
        assert!(finished.stderr.contains(told), "{}", finished.stderr);
        assert_eq!(endpoint.stored().len(), if code == 0 { 3 } else { 0 });
    }
}

#[test]
fn a_dry_run_tells_the_bodies_in_cbor_a_quarter_smaller() {
    let bytes = |wire: &str| {
        let arguments = ["--local", "--dry-run", "--seed=1", "--event=click", "--wire", wire];
        let finished = Program::run(&arguments).finish();
        let line = finished.stdout.lines().find(|line| line.contains("bytes on the wire")).expect("told");
        let word = line.split(", ").nth(1).and_then(|part| part.split(' ').next()).expect("a number");
        word.parse::<f64>().expect("a number")
    };
    let share = bytes("cbor") / bytes("json");
    assert!((0.6..0.8).contains(&share), "{share}");
}
