//! Start-up: each way in which a stream can't be used has its own exit code and says what to do; what is ready before
//! the first record is due.

use std::time::{Duration, Instant};

use crate::support::{Describe, Endpoint, Program};

const SHORT: [&str; 3] = ["--jobs=1", "--messages=1", "--max-records=1"];

fn start(describes: Vec<Describe>, more: &[&str]) -> (i32, String) {
    let endpoint = Endpoint::open(describes, vec![]);
    let finished = Program::against(&endpoint, &[&SHORT[..], more].concat()).finish();
    if finished.code != 0 {
        assert_eq!(endpoint.requests(), 0, "no record before the stream is known to be ready");
    }
    (finished.code, finished.stderr)
}

#[test]
fn each_failure_to_start_has_its_own_exit_code_and_remedy() {
    for (describe, code, remedy) in [
        (Describe::Error(400, "ResourceNotFoundException"), 66, "stream create"),
        (Describe::Error(400, "AccessDeniedException"), 77, "kinesis:PutRecords"),
        (Describe::Error(400, "ExpiredTokenException"), 79, "refresh"),
        (Describe::Error(400, "UnrecognizedClientException"), 80, "session token"),
        (Describe::Error(418, "Teapot"), 69, "answered with an error"),
        (Describe::Status("DELETING"), 75, "DELETING"),
    ] {
        let (exit, stderr) = start(vec![describe.clone()], &[]);
        assert_eq!(exit, code, "{describe:?}: {stderr}");
        assert!(stderr.contains(remedy), "{describe:?}: {stderr}");
    }
}

#[test]
fn a_stream_that_is_being_created_is_waited_for() {
    let creating = || Describe::Status("CREATING");
    let (code, stderr) = start(vec![creating()], &[]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("waiting until it is ACTIVE"), "{stderr}");
    let (code, stderr) = start(vec![creating(); 9], &["--active-timeout=1s"]);
    assert_eq!(code, 75, "{stderr}");
}

/// Connections that a run of 30 jobs has opened when nothing is due yet.
fn opened_ahead(at_least: usize, more: &[&str]) -> usize {
    let endpoint = Endpoint::open(vec![], vec![]);
    // Due once a year.
    let load = ["--jobs=30", "--cron=0 0 0 1 1 *"];
    let run = Program::against(&endpoint, &[&load, more].concat()).start();
    let begun = Instant::now();
    while endpoint.connections() < at_least && begun.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(10));
    }
    // Those that are too many would have come by now.
    std::thread::sleep(Duration::from_millis(300));
    let connections = endpoint.connections();
    run.signal("TERM");
    let (code, log) = run.finish();
    assert_eq!((code, endpoint.requests()), (0, 0), "{log}");
    connections
}

#[test]
fn the_connections_of_the_first_burst_are_open_before_it() {
    // The SDK has one or two of its own, for what it asks at the start.
    for (wanted, more) in [
        (30, &["--messages=1"][..]),
        (7, &["--messages=1", "--max-in-flight=7"][..]),
        (3, &["--messages=1", "--instance-count=10", "--instance-index=1"][..]),
        // Ten times the records, of as many jobs.
        (3, &["--messages=10", "--instance-count=10", "--instance-index=1"][..]),
    ] {
        let connections = opened_ahead(wanted + 1, more);
        assert!((wanted + 1..=wanted + 2).contains(&connections), "{connections}, with {more:?}");
    }
}

#[test]
fn an_endpoint_that_is_not_there_is_unreachable() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound");
    let finished = Program::run(&SHORT)
        .env("AWS_ENDPOINT_URL_KINESIS", &format!("http://{free}"))
        .env("STREAM_NAME", "s")
        .env("AWS_ACCESS_KEY_ID", "x")
        .env("AWS_SECRET_ACCESS_KEY", "y")
        .finish();
    assert_eq!(finished.code, 69, "{}", finished.stderr);
    assert!(finished.stderr.contains("AWS_ENDPOINT_URL"), "{}", finished.stderr);
}

#[test]
fn missing_credentials_are_told_as_such() {
    let endpoint = Endpoint::open(vec![], vec![]);
    let finished = Program::against(&endpoint, &SHORT)
        .without("AWS_ACCESS_KEY_ID")
        .without("AWS_SECRET_ACCESS_KEY")
        .finish();
    assert_eq!(finished.code, 78, "{}", finished.stderr);
    assert!(finished.stderr.contains("AWS_PROFILE"), "{}", finished.stderr);
}

#[test]
fn the_region_falls_back_with_a_notice() {
    let (code, stderr) = start(vec![], &[]);
    assert_eq!(code, 0);
    assert!(stderr.contains("no region is set: using us-east-1"), "{stderr}");
}

#[test]
fn a_listener_that_is_taken_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound").to_string();
    let finished = Program::run(&["--local", "--max-records=1", "--listen", &address]).finish();
    assert_eq!(finished.code, 71, "{}", finished.stderr);
    assert!(
        finished.stderr.contains("STREAMER_LISTEN") && finished.stderr.contains(&address),
        "{}",
        finished.stderr
    );
}
