//! Several instances on one stream: their shares, their common start, and what is found when all are read back.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::support::{Program, Running, Tap, counts, readback, serve};

fn on(endpoint: &str, arguments: &[&str]) -> Program {
    Program::run(arguments)
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_KINESIS_STREAM_NAME", "local")
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "a-secret-that-must-not-be-seen")
}

/// The events that the stream holds.
fn events(endpoint: &str) -> Vec<Value> {
    let records = readback::records(endpoint, "local");
    records.iter().map(|data| serde_json::from_slice(data).expect("an event")).collect()
}

/// Three instances that agreed on a moment `ahead` from now: what each one's tap noted, and the moment. None when one
/// of them was not ready in time.
fn three_at_once(endpoint: &str, ahead: Duration) -> Option<(Vec<Tap>, u64)> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let at = (now + ahead).as_secs();
    let (start, seed) = (at.to_string(), at.to_string());
    let started: Vec<(Tap, Running)> = ["0", "1", "2"]
        .into_iter()
        .map(|index| {
            let tap = Tap::before(endpoint);
            let load = ["--jobs=1", "--messages=3", "--duration=1s", "--instance-count=3"];
            let run = on(&tap.url(), &load)
                .env("STREAMER_INSTANCE_INDEX", index)
                .env("STREAMER_START_AT", &start)
                .env("STREAMER_SEED", &seed)
                .start();
            (tap, run)
        })
        .collect();
    let mut in_time = true;
    let mut taps = Vec::new();
    for (tap, run) in started {
        let (code, log) = run.finish();
        assert_eq!(code, 0, "{log}");
        in_time &= !log.contains("joins late");
        if in_time {
            assert_eq!(counts(&log)["sent"], 1, "{log}");
        }
        taps.push(tap);
    }
    in_time.then_some((taps, at))
}

#[test]
fn instances_that_agreed_on_a_start_begin_within_50_ms_of_each_other() {
    let (server, endpoint) = serve(&["--shards=1"]);
    let (mut ahead, mut apart) = (Duration::from_secs(3), Vec::new());
    // A busy machine may start a process late, or wake one late: it has some tries.
    for _ in 0..6 {
        let Some((taps, at)) = three_at_once(&endpoint, ahead) else {
            ahead *= 2;
            continue;
        };
        let all = events(&endpoint);
        let due = all.iter().filter(|event| {
            let time = event["time"].as_str().expect("a time");
            humantime::parse_rfc3339(time) == Ok(UNIX_EPOCH + Duration::from_secs(at))
        });
        assert_eq!(due.count(), 3, "all are due at the very moment: {all:?}");
        let first: Vec<Instant> =
            taps.iter().map(|tap| tap.first("PutRecords").expect("a request")).collect();
        let (earliest, latest) = (first.iter().min().expect("three"), first.iter().max().expect("three"));
        apart.push(*latest - *earliest);
        if apart.last().is_some_and(|apart| *apart < Duration::from_millis(50)) {
            println!("the first requests of three instances came within {apart:?}");
            server.kill();
            return;
        }
    }
    panic!("never within 50 ms: {apart:?}");
}

#[test]
fn instances_of_one_seed_give_one_load_together_and_are_verified_together() {
    let (server, endpoint) = serve(&["--shards=4"]);
    let folder = tempfile::tempdir().expect("a folder");
    let load = ["--jobs=4", "--messages=25", "--max-records=250", "--seed=7", "--instance-count=3"];
    let journal =
        |name: &str| folder.path().join(format!("{name}.journal")).to_str().expect("Unicode").to_owned();
    let runs: Vec<Running> = (0..3)
        .map(|index: u32| {
            let program = on(&endpoint, &load).env("STREAMER_JOURNAL", &journal("{instance}"));
            program.env("JOB_COMPLETION_INDEX", &index.to_string()).start()
        })
        .collect();
    let names: Vec<&str> = runs.iter().filter_map(|run| run.begins["instance"].as_str()).collect();
    let journals: Vec<String> = names.into_iter().map(journal).collect();
    let sent: Vec<u64> = runs
        .into_iter()
        .map(|run| {
            let (code, log) = run.finish();
            assert_eq!(code, 0, "{log}");
            counts(&log)["sent"]
        })
        .collect();
    // Two full seconds of 34, 33 and 33 records, and a third of the fifty that are left.
    assert_eq!(sent, [85, 83, 82]);

    let mut arguments = vec!["verify", "--json", "--idle=1s"];
    // As a shell expands `--journal *.journal`.
    arguments.push("--journal");
    arguments.extend(journals.iter().map(String::as_str));
    let by_journals = on(&endpoint, &arguments).finish();
    let verdict: Value = serde_json::from_str(&by_journals.stdout).expect("JSON");
    assert_eq!((by_journals.code, &verdict["total"]["delivered"]), (0, &250.into()), "{verdict}");

    let by_seed = ["verify", "--json", "--idle=1s", "--seed=7", "--instance-count=3"];
    let by_seed = on(&endpoint, &by_seed).finish();
    let verdict: Value = serde_json::from_str(&by_seed.stdout).expect("JSON");
    assert_eq!((by_seed.code, &verdict["read"]["records"]), (0, &250.into()), "{verdict}");
    assert_eq!(verdict["producers"].as_array().map(Vec::len), Some(3), "{verdict}");
    server.kill();
}

#[test]
fn who_waits_for_its_start_says_so_lives_and_ends_at_a_signal_with_nothing_sent() {
    let run = Program::run(&["--local", "--start-at=+1h"]).env("STREAMER_LISTEN", "127.0.0.1:0").start();
    while run.get("/readyz") != ("HTTP/1.1 503 Service Unavailable".to_owned(), "waiting\n".to_owned()) {}
    let address = run.begins["listen"].as_str().expect("it listens").to_owned();
    let check = |arguments: &[&str]| {
        let asked =
            Program::new(&[&["healthcheck"], arguments].concat()).env("STREAMER_LISTEN", &address).finish();
        (asked.code, asked.stderr)
    };
    assert_eq!(check(&[]), (0, format!("http://{address}/healthz: ok\n")));
    assert_eq!(check(&["--ready"]), (1, format!("http://{address}/readyz: 503 waiting\n")));
    run.signal("TERM");
    let (code, log) = run.finish();
    let counts = counts(&log);
    assert_eq!((code, counts["due"], counts["sent"]), (0, 0, 0), "{log}");
    assert_eq!(check(&[]).0, 1, "it is gone");
}

#[test]
fn who_comes_late_joins_at_once_and_who_comes_after_the_end_has_nothing_to_do() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let late = |ago: u64, duration: &str| {
        let start = (now - ago).to_string();
        let load = [
            "--local",
            "--jobs=1",
            "--messages=1",
            "--max-records=2",
            "--duration",
            duration,
            "--start-at",
            &start,
        ];
        let finished = Program::run(&load).finish();
        assert!(finished.stderr.contains("joins late"), "{}", finished.stderr);
        (finished.code, finished.counts()["sent"])
    };
    assert_eq!(late(3_600, "2h"), (0, 2));
    assert_eq!(late(3_600, "1h"), (0, 0));
}
