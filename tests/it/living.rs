//! A run that goes on: what its listener says, and how signals end it.

use std::collections::BTreeMap;

use crate::support::{Endpoint, Program, Reply, counts};

/// The sum of each family's samples.
fn families(text: &str) -> BTreeMap<String, f64> {
    let mut families = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (series, value) = line.rsplit_once(' ').expect("a sample");
        let name = series.split('{').next().expect("a name").trim_start_matches("kinesis_streamer_");
        *families.entry(name.to_owned()).or_insert(0.0) += value.parse::<f64>().expect("a number");
    }
    families
}

#[test]
fn the_law_holds_at_every_scrape_of_an_overloaded_run() {
    // Full window, throttles and drops from the first second on.
    let run = Program::run(&["--local", "--jobs=100", "--messages=100", "--max-in-flight=10"])
        .env("STREAMER_LISTEN", "127.0.0.1:0")
        .start();
    assert_eq!(run.get("/healthz").0, "HTTP/1.1 200 OK");
    while run.get("/readyz").0 != "HTTP/1.1 200 OK" {}
    let mut last: BTreeMap<String, f64> = BTreeMap::new();
    let mut scrapes = 0;
    while last.get("records_due_total").is_none_or(|due| *due < 20_000.0) {
        let (status, text) = run.get("/metrics");
        assert_eq!(status, "HTTP/1.1 200 OK");
        let now = families(&text);
        let count = |name: &str| now[name];
        assert_eq!(
            count("records_due_total"),
            count("records_generated_total") + count("records_dropped_total")
        );
        assert_eq!(
            count("records_generated_total"),
            count("records_sent_total")
                + count("records_failed_total")
                + count("records_unknown_total")
                + count("records_in_flight")
        );
        assert_eq!(count("records_sent_total"), count("shard_records_sent_total"));
        assert_eq!(count("records_throttled_total"), count("shard_records_throttled_total"));
        assert_eq!(count("records_sent_total"), count("delivery_delay_seconds_count"));
        for (name, before) in &last {
            assert!(name.ends_with("in_flight") || count(name) >= *before, "{name} fell");
        }
        last = now;
        scrapes += 1;
    }
    assert!(scrapes > 3 && last["records_dropped_total"] > 0.0 && last["records_throttled_total"] > 0.0);
    run.signal("TERM");
    let (code, log) = run.finish();
    let ended = counts(&log);
    assert_eq!((ended["sent"], ended["unknown"]), (ended["held"], 0));
    assert_eq!(code, i32::from(ended["failed"] > 0));
}

#[test]
fn a_signal_ends_the_schedule_and_drains() {
    for signal in ["INT", "TERM"] {
        let mut run = Program::run(&["--local"]).env("STREAMER_LISTEN", "127.0.0.1:0").start();
        while families(&run.get("/metrics").1)["records_generated_total"] == 0.0 {}
        run.signal(signal);
        run.wait_for("stopping");
        let (code, log) = run.finish();
        let ended = counts(&log);
        assert!(ended["generated"] > 0);
        assert_eq!((ended["sent"], code), (ended["generated"], 0), "{signal}");
    }
}

#[test]
fn a_second_signal_stops_at_once() {
    let endpoint = Endpoint::open(vec![], vec![Reply::Silence { stored: false }; 99]);
    let mut run = Program::against(&endpoint, &["--request-timeout=1h", "--drain-timeout=1h"]).start();
    while endpoint.requests() == 0 {}
    run.signal("INT");
    run.wait_for("stopping");
    run.signal("INT");
    let (code, log) = run.finish();
    assert_eq!(code, 130);
    assert!(log.contains("stopped at once"), "{log}");
    let ended = counts(&log);
    assert!(ended["unknown"] > 0 && ended["sent"] == 0, "what was on the wire is unknown: {ended:?}");
}

#[test]
fn a_signal_ends_the_wait_for_a_stream_too() {
    let creating = vec![crate::support::Describe::Status("CREATING"); 99];
    let endpoint = Endpoint::open(creating, vec![]);
    let run = Program::against(&endpoint, &[]).start_until("is CREATING: waiting");
    run.signal("TERM");
    assert_eq!(run.finish().0, 130);
}
