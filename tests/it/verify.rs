//! What was sent is read back: clean runs are proven clean, and whatever was done to a stream is found.

use serde_json::{Value, json};

use crate::support::readback::call;
use crate::support::{Finished, Program, Running, counts, serve};

/// `kinesis-streamer local` in a process of its own.
struct Local {
    running: Running,
    endpoint: String,
}

impl Local {
    fn serve(shards: u32) -> Self {
        let (running, endpoint) = serve(&[&format!("--shards={shards}")]);
        Self { running, endpoint }
    }

    /// A run or a verification against it.
    fn program(&self, arguments: &[&str]) -> Program {
        Program::run(arguments)
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "a-secret-that-must-not-be-seen")
            .env("AWS_KINESIS_STREAM_NAME", "local")
    }

    fn call(&self, operation: &str, body: &Value) -> Value {
        let (status, answer) = call(&self.endpoint, operation, body);
        assert_eq!(status, 200, "{operation}: {answer}");
        answer
    }

    /// The records that it holds, as a client could put them again.
    fn records(&self) -> Vec<Value> {
        let mut all = Vec::new();
        let shards = self.call("ListShards", &json!({ "StreamName": "local" }));
        for shard in shards["Shards"].as_array().expect("shards") {
            let from = json!({ "StreamName": "local", "ShardId": shard["ShardId"],
                "ShardIteratorType": "TRIM_HORIZON" });
            let iterator = self.call("GetShardIterator", &from)["ShardIterator"].clone();
            let answer = self.call("GetRecords", &json!({ "ShardIterator": iterator }));
            assert_eq!(answer["MillisBehindLatest"], 0, "few enough for one answer");
            all.extend(
                answer["Records"]
                    .as_array()
                    .expect("records")
                    .iter()
                    .map(|record| json!({ "Data": record["Data"], "PartitionKey": record["PartitionKey"] })),
            );
        }
        all
    }

    fn put(&self, records: &[Value]) {
        let answer = self.call("PutRecords", &json!({ "StreamName": "local", "Records": records }));
        assert_eq!(answer["FailedRecordCount"], 0);
    }

    fn end(self) {
        self.running.signal("TERM");
        assert_eq!(self.running.finish().0, 0);
    }
}

/// The verdict that `verify --json` prints.
fn verdict(finished: &Finished) -> Value {
    let verdict: Value = serde_json::from_str(&finished.stdout)
        .unwrap_or_else(|_| panic!("no JSON: {}\n{}", finished.stdout, finished.stderr));
    assert_eq!(verdict["exit_code"], finished.code);
    verdict
}

/// The fields of the event of a json log whose message is `message`.
fn event(log: &str, message: &str) -> Value {
    let events = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut fields = events.map(|event| event["fields"].clone());
    fields.find(|fields| fields["message"] == message).unwrap_or_else(|| panic!("no {message} in {log}"))
}

/// A journal that survives the folders of the programs that write and read it.
fn journal(folder: &tempfile::TempDir, name: &str) -> String {
    format!("--journal={}", folder.path().join(name).display())
}

#[test]
fn a_local_run_that_verifies_itself_is_clean_whatever_its_events() {
    for arguments in [
        &["--local=4", "--verify", "--max-records=400"][..],
        &["--local", "--verify", "--max-records=100", "--event=message", "--partition-key=job"],
        &["--local=3", "--verify", "--max-records=100", "--event=trade", "--partition-key=round-robin"],
    ] {
        let finished = Program::run(arguments).finish();
        let sent = finished.counts()["sent"];
        let told = event(&finished.stderr, "stream verified");
        assert_eq!(
            (finished.code, &told["clean"], &told["complete"]),
            (0, &json!(true), &json!(true)),
            "{told}"
        );
        assert_eq!(
            (&told["delivered"], &told["records_read"]),
            (&json!(sent), &json!(sent)),
            "{arguments:?}"
        );
    }
}

#[test]
fn two_producers_at_once_are_verified_from_their_journals_while_they_run() {
    let (local, folder) = (Local::serve(2), tempfile::tempdir().expect("a folder"));
    let journals = [journal(&folder, "one"), journal(&folder, "two")];
    let runs: Vec<Running> = journals
        .iter()
        .zip(["--event=click", "--event=mouse"])
        .map(|(journal, event)| local.program(&["--max-records=300", event, journal]).start())
        .collect();
    let verified = local.program(&["verify", &journals[0], &journals[1], "--json"]).finish();
    for run in runs {
        assert_eq!(run.finish().0, 0);
    }
    let verdict = verdict(&verified);
    assert_eq!((verified.code, &verdict["clean"]), (0, &json!(true)), "{verdict}");
    assert_eq!((&verdict["total"]["delivered"], &verdict["read"]["records"]), (&json!(600), &json!(600)));
    assert_eq!(verdict["producers"].as_array().map(Vec::len), Some(2));
    assert_eq!(verdict["total"]["not_compared"], 0);
    local.end();
}

#[test]
fn without_a_journal_a_seed_is_enough_to_compare() {
    let local = Local::serve(1);
    local.program(&["--max-records=100", "--seed=5"]).finish().counts();
    for (arguments, code, not_compared) in [
        (&["--seed=5"][..], 0, 0),
        (&[], 0, 100),
        // Another seed makes other events.
        (&["--seed=6"], 2, 0),
    ] {
        let verified = local.program(&[&["verify", "--json", "--idle=0s"], arguments].concat()).finish();
        let verdict = verdict(&verified);
        assert_eq!(
            (verified.code, &verdict["read"]["records"]),
            (code, &json!(100)),
            "{arguments:?} {verdict}"
        );
        if code == 0 {
            assert_eq!(verdict["total"]["not_compared"], not_compared, "{arguments:?}");
        }
    }
    local.end();
}

#[test]
fn whatever_was_done_to_a_stream_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let (journal, source) = (journal(&folder, "j"), Local::serve(1));
    source.program(&["--max-records=100", &journal]).finish().counts();
    let sound = source.records();
    source.end();
    let flipped = || {
        let mut records = sound.clone();
        let data = records[7]["Data"].as_str().expect("data");
        let mut bytes = base64_simd::STANDARD.decode_to_vec(data).expect("base64");
        let last = bytes.len() - 3;
        bytes[last] ^= 1;
        records[7]["Data"] = json!(base64_simd::STANDARD.encode_to_string(bytes));
        records
    };
    let strange = json!({ "Data": base64_simd::STANDARD.encode_to_string("not ours"), "PartitionKey": "k" });
    for (finding, records, read) in [
        ("missing", sound[1..].to_vec(), 99),
        ("duplicate", [&sound[..], &sound[3..4]].concat(), 101),
        ("corrupt", flipped(), 100),
        ("foreign", [&sound[..], &[strange]].concat(), 101),
    ] {
        let local = Local::serve(1);
        local.put(&records);
        let verified =
            local.program(&["verify", &journal, "--json", "--idle=1s", "--since=trim-horizon"]).finish();
        let verdict = verdict(&verified);
        assert_eq!((verified.code, &verdict["read"]["records"]), (2, &json!(read)), "{finding}: {verdict}");
        for one in ["missing", "duplicate", "corrupt", "foreign"] {
            let count = if one == "foreign" { &verdict[one] } else { &verdict["total"][one] };
            assert_eq!(count, &json!(u64::from(one == finding)), "{one} where {finding} was done: {verdict}");
        }
        assert_eq!(verdict["examples"][0]["finding"], finding);
        local.end();
    }
}

#[test]
fn a_templates_run_is_verified_by_the_digests_of_what_it_stored() {
    let template =
        concat!("--event=template:", env!("CARGO_MANIFEST_DIR"), "/config/templates/sensor.template");
    let beside = Program::run(&["--local=2", "--max-records=300", "--verify", template]).finish();
    let told = event(&beside.stderr, "stream verified");
    assert_eq!((beside.code, &told["clean"], &told["delivered"]), (0, &json!(true), &json!(300)), "{told}");

    let (local, folder) = (Local::serve(2), tempfile::tempdir().expect("a folder"));
    let journal = journal(&folder, "j");
    let run = local.program(&["--max-records=300", "--seed=7", template, &journal]).finish();
    assert_eq!(run.code, 0, "{}", run.stderr);
    let shown = Program::new(&["journal", journal.trim_start_matches("--journal=")]).finish();
    assert!(shown.code == 0 && shown.stdout.contains("sensor.template"), "{}", shown.stdout);
    let verify = |local: &Local| {
        let verified =
            local.program(&["verify", &journal, "--json", "--idle=1s", "--since=trim-horizon"]).finish();
        (verified.code, verdict(&verified))
    };
    let (code, told) = verify(&local);
    assert_eq!((code, &told["clean"], &told["total"]["delivered"]), (0, &json!(true), &json!(300)), "{told}");
    assert!(
        told["digests"].as_array().is_some_and(|all| all.iter().all(|one| one["read"] == one["claimed"])),
        "{told}"
    );
    // A record more than the run says that it stored, and nothing to explain it.
    let sound = local.records();
    local.put(&sound[..1]);
    let (code, told) = verify(&local);
    assert_eq!((code, &told["unexplained"], &told["total"]["missing"]), (2, &json!(1), &json!(0)), "{told}");
    // The same data under other sequence numbers is not what was stored.
    let other = Local::serve(2);
    other.put(&sound[..200]);
    let (code, told) = verify(&other);
    assert_eq!(
        (code, &told["clean"], told["total"]["missing"].as_u64()),
        (2, &json!(false), Some(100)),
        "{told}"
    );
    let refused = Program::new(&["verify", "--stream=s", template]).finish();
    assert_eq!((refused.code, refused.stdout.as_str()), (64, ""), "{}", refused.stderr);
    assert!(refused.stderr.contains("give the --journal of its run"), "{}", refused.stderr);
    [local, other].into_iter().for_each(Local::end);
}

#[test]
fn resharding_in_mid_run_is_followed() {
    let local = Local::serve(2);
    let mut run = local.program(&["--max-records=500", "--verify", "--listen=127.0.0.1:0"]).start();
    let read = |run: &Running| {
        let (_, text) = run.get("/metrics");
        let line = text.lines().find(|line| line.starts_with("kinesis_streamer_verify_records_total "));
        line.and_then(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).expect("a number")
    };
    while read(&run) == 0 {}
    local.call(
        "UpdateShardCount",
        &json!({ "StreamName": "local", "TargetShardCount": 4, "ScalingType": "UNIFORM_SCALING" }),
    );
    while read(&run) < 300 {}
    local.call(
        "UpdateShardCount",
        &json!({ "StreamName": "local", "TargetShardCount": 2, "ScalingType": "UNIFORM_SCALING" }),
    );
    run.wait_for("reading the stream to its end");
    let (code, log) = run.finish();
    let told = event(&log, "stream verified");
    assert_eq!((code, &told["clean"], &told["delivered"]), (0, &json!(true), &json!(500)), "{told}");
    local.end();
}

#[test]
fn a_signal_ends_the_load_and_what_was_sent_is_read_to_its_end() {
    let run = Program::run(&["--local=2", "--verify", "--listen=127.0.0.1:0"]).start();
    let sent = |text: &str| {
        let line = text.lines().find(|line| line.starts_with("kinesis_streamer_records_sent_total "));
        line.and_then(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).expect("a number")
    };
    while sent(&run.get("/metrics").1) == 0 {}
    run.signal("INT");
    let (code, log) = run.finish();
    let (told, counts) = (event(&log, "stream verified"), counts(&log));
    assert_eq!((code, &told["clean"]), (0, &json!(true)), "{told}");
    assert_eq!((&told["delivered"], counts["held"]), (&json!(counts["sent"]), counts["sent"]));
}

#[test]
fn a_stream_that_is_not_read_to_its_end_proves_nothing() {
    let (local, folder) = (Local::serve(1), tempfile::tempdir().expect("a folder"));
    let journal = journal(&folder, "j");
    local.program(&["--max-records=100", &journal]).finish().counts();
    let following = local.program(&["verify", &journal, "--follow", "--json"]).start_until("reading begins");
    following.signal("INT");
    let (code, _) = following.finish();
    assert_eq!(code, 0, "after the first signal it reads to the end");
    let verified = local.program(&["verify", &journal, "--follow", "--timeout=1s", "--json"]).finish();
    let verdict = verdict(&verified);
    assert_eq!((verified.code, &verdict["complete"]), (3, &json!(false)), "{verdict}");
    let gone = local.program(&["verify", "--stream=none", "--json"]).finish();
    assert_eq!((gone.code, gone.stdout.as_str()), (66, ""), "{}", gone.stderr);
    let other = local.program(&["verify", "--stream=other", &journal]).finish();
    assert_eq!(other.code, 64, "{}", other.stderr);
    assert!(other.stderr.contains("holds no run on other, but runs on local"), "{}", other.stderr);
    local.end();
}
