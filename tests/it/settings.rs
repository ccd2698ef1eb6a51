//! Settings at the surface of the process: `.env`, precedence, exit code 64.

use crate::support::{Endpoint, Program};

#[test]
fn every_wrong_value_is_reported_at_once_with_exit_code_64() {
    let finished = Program::new(&["--pacing=fast", "--local"])
        .env("CRON_JOBS_TO_GENERATE", "0")
        .env("MESSAGES_PER_CRON_JOB", "abc")
        .env("STREAMER_MAX_ATTEMPTS", "-1")
        .env("STREAMER_DURATON", "5s")
        .finish();
    assert_eq!(finished.code, 64);
    for part in ["CRON_JOBS_TO_GENERATE", "\"0\"", "\"abc\"", "\"-1\"", "\"fast\"", "STREAMER_DURATION"] {
        assert!(finished.stderr.contains(part), "{part} is not in {}", finished.stderr);
    }
    assert!(finished.stdout.is_empty());
}

#[test]
fn the_environment_wins_over_the_file_and_flags_over_both() {
    let run = |arguments: &[&str], environment: Option<&str>| {
        let program =
            Program::run(arguments).env("STREAMER_LOCAL", "2").file(".env", "STREAMER_MAX_RECORDS=30\n");
        let program = match environment {
            Some(value) => program.env("STREAMER_MAX_RECORDS", value),
            None => program,
        };
        program.finish().counts()["due"]
    };
    assert_eq!(run(&[], None), 30);
    assert_eq!(run(&[], Some("20")), 20);
    assert_eq!(run(&["--max-records=10"], Some("20")), 10);
}

#[test]
fn a_broken_file_of_settings_is_an_error_that_keeps_its_secret() {
    let text = "AWS_SECRET_ACCESS_KEY='a-secret-that-must-not-be-seen\n";
    let finished = Program::new(&["--local"]).file(".env", text).finish();
    assert_eq!(finished.code, 64, "{}", finished.stderr);
    assert!(finished.stderr.contains(".env line 1"), "{}", finished.stderr);
}

#[test]
fn sample_prints_the_same_events_for_the_same_seed() {
    let sample = || Program::new(&["sample", "5", "--seed=3", "--event=trade"]).finish();
    let (first, second) = (sample(), sample());
    let without_time = |line: &str| {
        let mut event: serde_json::Value = serde_json::from_str(line).expect("JSON");
        event.as_object_mut().expect("an object").remove("time").expect("a time");
        // The time marks the last four digits of the id.
        let id = event["id"].as_str().expect("an id");
        event["id"] = id[..id.len() - 4].into();
        event
    };
    let events = |text: &str| text.lines().map(without_time).collect::<Vec<_>>();
    assert_eq!(events(&first.stdout).len(), 5);
    assert_eq!(events(&first.stdout), events(&second.stdout));
    let null = Program::new(&["sample", "3", "--null"]).finish().stdout;
    assert_eq!((null.matches('\0').count(), null.matches('\n').count()), (3, 0));
}

#[test]
fn any_name_of_a_stream_in_the_environment_wins_over_any_in_the_file() {
    let endpoint = Endpoint::open(vec![], vec![]);
    let finished = Program::against(&endpoint, &["--max-records=1"])
        .without("AWS_KINESIS_STREAM_NAME")
        .env("STREAM_NAME", "from-the-environment")
        .file(".env", "AWS_KINESIS_STREAM_NAME=from-the-file\n")
        .finish();
    assert_eq!(finished.counts()["sent"], 1);
    assert!(finished.stderr.contains("from-the-environment") && !finished.stderr.contains("from-the-file"));
}

#[test]
fn output_that_can_not_be_written_is_an_error() {
    for arguments in [&["--help"][..], &["--local", "--dry-run"], &["sample", "5"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a full device");
        assert_eq!(Program::new(arguments).code_with_output_to(full), 71, "{arguments:?}");
    }
}

#[test]
fn a_dry_run_prints_its_plan_and_sends_nothing() {
    let endpoint = Endpoint::open(vec![], vec![]);
    let finished = Program::against(&endpoint, &["--dry-run", "--jobs=2", "--messages=600"]).finish();
    assert_eq!((finished.code, endpoint.requests()), (0, 0));
    assert!(finished.stdout.contains("1200 records in 4 requests"), "{}", finished.stdout);
    let nowhere = Program::new(&["--dry-run", "--partition-key=round-robin"]).finish();
    assert_eq!(nowhere.code, 0, "{}", nowhere.stderr);
}
