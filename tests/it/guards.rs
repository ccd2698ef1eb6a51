//! Guards against the wrong target: what is refused gets no record, and its exit code is its own.

use crate::support::{Endpoint, Finished, Program};

/// A run of `flags` against an endpoint that is not known to be this machine, although it is: by Linux, 0.0.0.0
/// leads to loopback.
fn elsewhere(endpoint: &Endpoint, flags: &[&str]) -> Finished {
    let url = endpoint.url().replace("127.0.0.1", "0.0.0.0");
    Program::against(endpoint, flags).env("AWS_ENDPOINT_URL", &url).finish()
}

#[test]
fn a_stream_that_is_not_allowed_gets_no_record_in_a_run_or_a_dry_run() {
    // The name alone decides, or the ARN that the endpoint tells.
    for (patterns, described) in [("test-*,load", false), ("arn:aws:kinesis:*:999999999999:stream/*", true)] {
        for dry in ["--dry-run=false", "--dry-run=true"] {
            let endpoint = Endpoint::open(vec![], vec![]);
            let finished = Program::against(&endpoint, &["--max-records=1", dry])
                .env("STREAMER_ALLOWED_STREAMS", patterns)
                .finish();
            assert_eq!((finished.code, endpoint.requests()), (81, 0), "{patterns}: {}", finished.stderr);
            assert_eq!(endpoint.calls() > 0, described, "{patterns}");
            assert!(finished.stderr.contains("STREAMER_ALLOWED_STREAMS"), "{}", finished.stderr);
            assert!(finished.stdout.is_empty());
        }
    }
    let endpoint = Endpoint::open(vec![], vec![]);
    let arn = "--allowed-streams=other, arn:aws:kinesis:us-east-1:123456789012:stream/?";
    assert_eq!(Program::against(&endpoint, &["--max-records=1", arn]).finish().counts()["sent"], 1);
    let local = Program::run(&["--local", "--max-records=1", "--allowed-streams=other"]).finish();
    assert_eq!(local.counts()["sent"], 1, "the embedded stream is nobody else's");
}

#[test]
fn a_rate_that_nobody_confirmed_is_not_sent_off_this_machine() {
    let load = ["--jobs=2", "--messages=5001", "--duration=1ms"];
    for dry in ["--dry-run=false", "--dry-run=true"] {
        let endpoint = Endpoint::open(vec![], vec![]);
        let finished = elsewhere(&endpoint, &[&load[..], &[dry]].concat());
        assert_eq!((finished.code, endpoint.requests()), (81, 0), "{}", finished.stderr);
        assert!(finished.stderr.contains("set STREAMER_CONFIRM_RATE=10002"), "{}", finished.stderr);
    }
    // Confirmed, it is planned; and so it is on this machine without a word.
    for (confirmed, is_here) in [("--confirm-rate=10002", false), ("--confirm-rate=10000", true)] {
        let endpoint = Endpoint::open(vec![], vec![]);
        let flags = [&load[..], &["--dry-run", confirmed]].concat();
        let finished =
            if is_here { Program::against(&endpoint, &flags).finish() } else { elsewhere(&endpoint, &flags) };
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        assert!(finished.stdout.contains("10002 records in 22 requests"), "{}", finished.stdout);
    }
}
