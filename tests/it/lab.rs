//! What is told before a run, what ends it by its cost, and how much a stream is found to take.

use serde_json::{Value, json};

use crate::support::{Endpoint, Program, Reply, serve};

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| panic!("not JSON: {text}"))
}

/// The findings about a thing: level and text.
fn found(report: &Value, what: &str) -> Vec<(String, String)> {
    let text = |finding: &Value, name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    let findings = report["findings"].as_array().expect("findings");
    let about = findings.iter().filter(|finding| finding["what"] == what);
    about.map(|finding| (text(finding, "level"), text(finding, "text"))).collect()
}

#[test]
fn a_check_finds_all_well_and_puts_nothing() {
    let (server, endpoint) = serve(&["--shards=2"]);
    let checked = Program::run(&["check", "--stream=local", "--rate=100/s", "--json"])
        .env("AWS_ENDPOINT_URL", &endpoint)
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "a-secret-that-must-not-be-seen")
        .finish();
    assert_eq!(checked.code, 0, "{} {}", checked.stdout, checked.stderr);
    let report = json_of(&checked.stdout);
    for (what, level) in [("permission", "ok"), ("ranges", "ok"), ("distance", "ok"), ("throttles", "ok")] {
        assert_eq!(found(&report, what)[0].0, level, "{report}");
    }
    // The embedded stream is no STS.
    assert!(found(&report, "identity")[0].1.starts_with("not told here"), "{report}");
    assert_eq!(report["plan"]["shards"].as_array().map(Vec::len), Some(2));
    let read = crate::support::readback::records(&endpoint, "local");
    assert!(read.is_empty(), "{} records", read.len());
    server.kill();
}

#[test]
fn a_check_tells_what_the_endpoint_made_of_a_dry_run() {
    let check = |reply: Reply| {
        let endpoint = Endpoint::open(vec![], vec![reply]);
        let checked = Program::against(&endpoint, &["check", "--rate=10/s", "--json"]).finish();
        let permission = found(&json_of(&checked.stdout), "permission").remove(0);
        (checked.code, permission, endpoint.stored().len())
    };
    // It asks for an iterator first, which this endpoint knows nothing of: then for what cannot be stored.
    let (code, (level, text), stored) = check(Reply::Error(400, "InvalidArgumentException"));
    assert_eq!((code, level.as_str(), stored), (0, "note", 0), "{text}");
    let (code, (level, text), _) = check(Reply::Error(400, "AccessDeniedException"));
    assert!(code == 77 && level == "error" && text.contains("denied"), "{code} {text}");
    let (code, (level, _), _) = check(Reply::Error(400, "DryRunOperationException"));
    assert_eq!((code, level.as_str()), (0, "ok"));
    // Whoever stores it all the same is told of.
    let (code, (level, text), stored) = check(Reply::Store);
    assert_eq!((code, level.as_str(), stored), (86, "warning", 1), "{text}");
    assert!(text.contains("STORED"), "{text}");
}

#[test]
fn a_check_warns_of_throttles_with_their_reason_and_ends_as_a_run_would_where_it_cannot_begin() {
    let warned = Program::run(&["check", "--local", "--event-size=10KiB", "--rate=200/s"]).finish();
    assert_eq!(warned.code, 86, "{}", warned.stdout);
    assert!(warned.stdout.contains("because of bytes/s"), "{}", warned.stdout);
    assert!(warned.stdout.contains("→ lower the rate"), "{}", warned.stdout);
    let (server, endpoint) = serve(&[]);
    let lacking = Program::run(&["check", "--stream=nothing", "--json"])
        .env("AWS_ENDPOINT_URL", &endpoint)
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "a-secret-that-must-not-be-seen")
        .finish();
    assert_eq!(lacking.code, 66, "{}", lacking.stdout);
    assert_eq!(found(&json_of(&lacking.stdout), "stream")[0].0, "error");
    server.kill();
}

#[test]
fn what_a_check_tells_of_aggregated_records_is_what_a_run_meets() {
    let load = ["--local=1", "--jobs=4", "--messages=1500", "--aggregation=51200B", "--seed=5"];
    let checked = Program::run(&[&["check", "--json"][..], &load].concat()).finish();
    let plan = json_of(&checked.stdout)["plan"].take();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("run.json");
    let report = format!("--report={}", file.display());
    let run = ["--retry=none", "--duration=5s", report.as_str()];
    let ran = Program::run(&[&load[..], &run].concat()).finish();
    let counts = json_of(&std::fs::read_to_string(&file).expect(&ran.stderr))["counts"].take();
    let count = |name: &str| counts[name].as_f64().expect(name);
    // A machine that stands still for a second has dropped that one's.
    let (each, seconds) = (count("generated") / count("entries"), count("generated") / 6_000.0);
    let told = &plan["aggregated"];
    let is_near = |told: &Value, met: f64, by: f64| (told.as_f64().expect("a number") - met).abs() <= by;
    assert!(is_near(&told["records_in_each"], each, 0.05 * each), "{told} {counts}");
    assert!(is_near(&told["kinesis_records_per_second"], count("entries") / seconds, 2.0), "{told} {counts}");
    // Some forty aggregates a second: of one more or less a half is 1 %; the first second has a full bucket.
    let throttled = count("entries_throttled") / count("entries");
    assert!(is_near(&plan["throttled_share"], throttled, 0.1), "{plan} {counts}");
    assert!(plan["shards"][0]["throttled_by_bytes"].as_f64() > Some(0.3), "{plan}");
}

#[test]
fn a_run_ends_when_its_cost_has_reached_the_bound() {
    // A record costs 1, so that the bound is one of records.
    let prices = ["--price-put-units=1000000", "--price-shard-hour=0"];
    let load = ["--local", "--rate=500/s", "--pacing=smooth", "--max-cost=100"];
    let run = Program::run(&[&load[..], &prices].concat()).finish();
    assert_eq!(run.code, 0, "{}", run.stderr);
    let sent = run.counts()["sent"];
    // The cost is looked at ten times a second; a machine that stands still may miss some of them.
    assert!((100..5_000).contains(&sent), "{sent}");
    let last = json_of(run.stderr.lines().last().expect("a log"));
    assert!(last["fields"]["ended"].as_str().is_some_and(|by| by.contains("STREAMER_MAX_COST")), "{last}");
    assert!(last["fields"]["cost"].as_f64().is_some_and(|cost| (cost - sent as f64).abs() < 1e-6), "{last}");
    let unpriced = Program::run(&["--local", "--max-cost=1", "--price-gb-in=1"]).finish();
    assert!(
        unpriced.code == 64 && unpriced.stderr.contains("STREAMER_PRICE_SHARD_HOUR"),
        "{}",
        unpriced.stderr
    );
}

/// Searches until the machine lets it: one that stands still for seconds makes the client the limit, and is said to.
fn capacity(arguments: &[&str]) -> Value {
    const TRIES: usize = 4;
    let mut told = String::new();
    for _ in 0..TRIES {
        let arguments = [&["capacity", "--json", "--max-throttled=1%"], arguments].concat();
        let found = Program::run(&arguments).finish();
        let report = json_of(&found.stdout);
        if found.code == 0 {
            return report;
        }
        let limit = report["limit"].as_str().unwrap_or_default();
        assert!(found.code == 85 && limit.starts_with("client"), "{}\n{}", found.stdout, found.stderr);
        told = found.stdout;
    }
    panic!("the client was the limit {TRIES} times: {told}");
}

#[test]
fn the_capacity_of_a_shard_is_found_within_two_percent_for_small_records() {
    let found = capacity(&["--local", "--event=message", "--event-size=200B"]);
    let rate = found["sustained"]["records_per_second"].as_f64().expect("a rate");
    assert!((980.0..=1_020.0).contains(&rate), "{found}");
    assert_eq!(found["limit"], "records");
}

#[test]
fn the_capacity_of_a_shard_is_found_within_two_percent_for_large_records() {
    let found = capacity(&["--local", "--event-size=10KiB"]);
    let rate = found["sustained"]["bytes_per_second"].as_f64().expect("a rate") / 1_048_576.0;
    assert!((0.98..=1.02).contains(&rate), "{found}");
    assert_eq!(found["limit"], "bytes");
}

#[test]
fn a_hot_shard_is_named() {
    let found = capacity(&["--local=2", "--event=message", "--partition-key=hot:80%@1"]);
    assert_eq!(found["limit"], "hot-shard", "{found}");
    assert_eq!(found["hot_shard"]["shard"], "shardId-000000000001");
    let rate = found["sustained"]["records_per_second"].as_f64().expect("a rate");
    assert!((1_200.0..=1_290.0).contains(&rate), "{found}");
}

#[test]
fn what_may_not_be_offered_is_not() {
    let endpoint = Endpoint::open(vec![], vec![]);
    let found =
        Program::against(&endpoint, &["capacity", "--json", "--max-rate=40", "--max-throttled=50%"]).finish();
    assert_eq!(found.code, 85, "{}", found.stderr);
    let report = json_of(&found.stdout);
    assert_eq!((&report["limit"], &report["end"]), (&json!("max-rate"), &json!("max-rate")), "{report}");
    assert_eq!(report["sustained"]["offered_per_second"], 40.0);
    assert_eq!(report["sent_records"], endpoint.stored().len());
}
