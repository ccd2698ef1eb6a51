//! What explains throttles, and what retry policies make of them: real processes on one embedded stream.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::support::{Program, serve};

/// The fields of the event that ends a run's log.
fn ended(log: &str) -> Value {
    let last = log.lines().last().expect("a log");
    let event: Value = serde_json::from_str(last).expect("JSON");
    assert_eq!(event["fields"]["message"], "run ended", "{log}");
    event["fields"].clone()
}

fn number(fields: &Value, name: &str) -> f64 {
    fields[name].as_f64().unwrap_or_else(|| panic!("{name} in {fields}"))
}

/// Three instances that offer one shard nearly twice what it takes, from one moment on: for each, what it says that
/// others had stored, in records a second, and what they had by their own counts.
fn three_on_a_shard() -> Vec<(f64, f64)> {
    const SECONDS: u64 = 8;
    let (server, endpoint) = serve(&["--shards=1"]);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let start = (now.as_secs() + 4).to_string();
    let started: Vec<_> = ["400/s", "600/s", "800/s"]
        .into_iter()
        .map(|rate| {
            let load = ["--jobs=5", "--pacing=smooth", "--retry=none", "--rate", rate];
            Program::run(&load)
                .env("AWS_ENDPOINT_URL", &endpoint)
                .env("AWS_KINESIS_STREAM_NAME", "local")
                .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
                .env("AWS_SECRET_ACCESS_KEY", "a-secret-that-must-not-be-seen")
                .env("STREAMER_START_AT", &start)
                .env("STREAMER_DURATION", &format!("{SECONDS}s"))
                .start()
        })
        .collect();
    let all: Vec<Value> = started.into_iter().map(|run| ended(&run.finish().1)).collect();
    server.kill();
    let sent: f64 = all.iter().map(|one| number(one, "sent")).sum();
    all.iter()
        .map(|one| {
            let causes = one["throttled_causes"].as_str().expect("causes");
            assert!(causes.contains("other_writers"), "{causes}");
            let others = sent - number(one, "sent");
            // At its limit the shard lets 1,000 records a second through, of which the others had their part. (A mean
            // over time would be wrong where a busy machine takes longer than the schedule.)
            let truth = 1_000.0 * others / sent;
            (one["other_writers_records_per_second"].as_f64().unwrap_or(0.0), truth)
        })
        .collect()
}

#[test]
fn three_instances_on_one_shard_estimate_one_another_within_a_tenth() {
    // The law is proved in simulated time; here a busy machine may hold a process up for a part of the run.
    let mut seen = Vec::new();
    for _ in 0..3 {
        let estimates = three_on_a_shard();
        println!("by the model, and in truth: {estimates:?}");
        if estimates.iter().all(|(told, truth)| (told / truth - 1.0).abs() < 0.1) {
            return;
        }
        seen.push(estimates);
    }
    panic!("{seen:?}");
}

#[test]
fn who_is_alone_is_told_that_it_is_its_own_limit() {
    for (rate, event, cause) in
        [("1500/s", "--event-size=400", "records"), ("100/s", "--event-size=20000", "bytes")]
    {
        let load = ["--local", "--jobs=5", "--rate", rate, "--duration=3s", "--retry=none", event];
        let mut seen = Vec::new();
        // Exact where answers take less than a second: a busy machine has some tries.
        let right = (0..5).any(|_| {
            let fields = ended(&Program::run(&load).finish().stderr);
            let throttled = number(&fields, "throttled");
            assert_eq!(number(&fields, "entries"), number(&fields, "sent") + throttled);
            let right = throttled > 0.0
                && fields["throttled_causes"] == format!("{{\"{cause}\": {throttled}}}")
                && fields["other_writers_records_per_second"].is_null();
            seen.push(fields);
            right
        });
        assert!(right, "{seen:?}");
    }
}

#[test]
fn every_policy_gives_exact_counts_against_the_embedded_stream() {
    for retry in ["none", "immediate", "exponential", "full-jitter", "aimd", "limiter"] {
        let load = ["--local=2", "--jobs=20", "--messages=250", "--duration=2s", "--max-attempts=4"];
        let finished = Program::run(&[&load[..], &["--retry", retry]].concat()).finish();
        let counts = finished.counts();
        assert_eq!((counts["sent"], counts["unknown"]), (counts["held"], 0), "{retry}: {counts:?}");
        assert_eq!(counts["entries"], counts["sent"] + counts["throttled"], "{retry}: {counts:?}");
    }
}

#[test]
fn a_policys_former_name_is_taken_and_told_about() {
    let load = ["--local", "--jobs=1", "--max-records=10", "--retry=backoff"];
    let finished = Program::run(&load).finish();
    assert_eq!(finished.code, 0);
    assert!(finished.stderr.contains("backoff is called full-jitter now"), "{}", finished.stderr);
}

#[test]
fn policies_are_compared_by_one_load_and_their_counts_add_up() {
    let phases = ["--calm-for=1s", "--overload-for=2s", "--recover-for=3s"];
    let asked =
        ["compare-retry", "--json", "--policies=none,full-jitter,limiter", "--seed=5", "--overload=300"];
    let finished = Program::run(&[&asked[..], &phases].concat()).finish();
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    let told: Value = serde_json::from_str(&finished.stdout).expect("JSON");
    let policies = told["policies"].as_array().expect("policies");
    let mut due = Vec::new();
    for one in policies {
        let count = |name: &str| one[name].as_u64().unwrap_or_else(|| panic!("{name} in {one}"));
        assert_eq!(count("due"), count("generated") + count("dropped"), "{one}");
        assert_eq!(count("generated"), count("sent") + count("failed") + count("unknown"), "{one}");
        due.push(count("due"));
    }
    assert_eq!(due, [8_000; 3], "{told}");
    let throttled = |at: usize| policies[at]["throttled"].as_u64().expect("a count");
    assert!(throttled(0) > 1_000, "{told}");
    assert!(throttled(2) * 10 < throttled(0), "{told}");
}

#[test]
fn a_comparison_that_makes_no_sense_is_refused_with_all_that_is_wrong() {
    let asked = ["compare-retry", "--policies=none,often", "--base=0", "--overload-for=1ms", "--rate=5/s"];
    let finished = Program::new(&asked).finish();
    assert_eq!(finished.code, 64);
    for part in
        ["--policies: must be a list", "--base: must be a whole number", "--overload-for: must be", "--rate"]
    {
        assert!(finished.stderr.contains(part), "{part}: {}", finished.stderr);
    }
}
