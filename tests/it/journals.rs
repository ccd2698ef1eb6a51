//! The journal: what a run says on disk is what it did, even when nobody lets it come to its end.

use std::collections::HashSet;
use std::path::Path;

use kinesis_streamer::journal::{Account, Item, Reader, accounts};
use kinesis_streamer::ledger::{Claim, Fate};

use crate::support::{Endpoint, Program, Reply, Running, readback};

fn reader(path: &Path) -> Reader<std::io::BufReader<std::fs::File>> {
    Reader::new(std::io::BufReader::new(std::fs::File::open(path).expect("a journal")))
}

fn read(path: &Path) -> Vec<Account> {
    accounts(&mut reader(path)).expect("a journal")
}

fn claims(path: &Path) -> Vec<Claim> {
    let claim = |item| match item {
        Ok(Item::Claim(claim)) => Some(claim),
        Ok(_) => None,
        Err(error) => panic!("{error}"),
    };
    reader(path).filter_map(claim).collect()
}

/// A stream in a process of its own, and where it is.
fn serve(shards: &str) -> (Running, String) {
    let server = Program::run(&["local", "--port=0", "--shards", shards]).start_until("serving stream");
    let told = server.begins["message"].as_str().expect("a message").to_owned();
    let endpoint = told.rsplit(' ').next().expect("words").to_owned();
    assert!(endpoint.starts_with("http://127.0.0.1:"), "{told}");
    (server, endpoint)
}

fn program(endpoint: &str, journal: &Path, arguments: &[&str]) -> Program {
    Program::run(arguments)
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_KINESIS_STREAM_NAME", "local")
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "a-secret-that-must-not-be-seen")
        .env("STREAMER_JOURNAL", journal.to_str().expect("Unicode"))
}

#[test]
fn after_kill_9_whatever_the_journal_counts_as_sent_is_in_the_stream() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.journal");
    let (server, endpoint) = serve("4");
    // More than two of the four shards take, by one key and another: sent, throttled and failed records.
    let load = ["--jobs=20", "--messages=100", "--pacing=smooth", "--partition-key=job", "--max-attempts=2"];
    let run = program(&endpoint, &path, &[&load[..], &["--seed=7"]].concat()).start();
    while read(&path).first().is_none_or(|account| account.totals.sent < 3_000) {
        std::thread::yield_now();
    }
    run.kill();

    let account = read(&path).remove(0);
    assert!(account.is_sound() && account.ended.is_none(), "{account:?}");
    let stored: Vec<serde_json::Value> = readback::records(&endpoint, "local")
        .iter()
        .map(|data| serde_json::from_slice(data).expect("an event"))
        .collect();
    let stored: HashSet<(u64, u64)> = stored
        .iter()
        .map(|event| (event["job"].as_u64().expect("a job"), event["sequence"].as_u64().expect("a number")))
        .collect();
    let (mut sent, mut failed) = (0, 0);
    for claim in claims(&path) {
        for sequence in claim.sequences.clone() {
            let is_stored = stored.contains(&(u64::from(claim.job), sequence));
            match claim.fate {
                Fate::Sent { .. } => {
                    assert!(is_stored, "claimed as sent, and missing: {claim:?}");
                    sent += 1;
                }
                Fate::Failed(_) => {
                    assert!(!is_stored, "claimed as failed, and stored: {claim:?}");
                    failed += 1;
                }
                Fate::Unknown(_) => {}
            }
        }
    }
    let counts = account.counts();
    assert_eq!((sent, failed), (counts.sent, counts.failed.total()), "each record is claimed once");
    assert_eq!(counts.law(), Ok(()));

    // The same producer again would make the same records: refused, and nothing of the file is changed.
    let before = std::fs::read(&path).expect("a journal");
    let again = program(&endpoint, &path, &["--seed=7", "--max-records=10"]).finish();
    assert_eq!(again.code, 74);
    assert!(again.stderr.contains("already holds a run of the producer"), "{}", again.stderr);
    assert_eq!(std::fs::read(&path).expect("a journal"), before);
    // Another one is added behind it.
    let other = program(&endpoint, &path, &["--max-records=10"]).finish();
    assert_eq!((other.code, other.counts()["sent"]), (0, 10));
    assert!(std::fs::read(&path).expect("a journal").starts_with(&before));
    assert_eq!(read(&path).iter().map(|account| account.totals.sent).collect::<Vec<_>>(), [counts.sent, 10]);

    let shown = Program::new(&["journal", path.to_str().expect("Unicode")]).finish();
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    for part in
        ["holds 2 runs", "no end mark", "ended by the number of its records", "All 10 records were sent."]
    {
        assert!(shown.stdout.contains(part), "{part} is not in {}", shown.stdout);
    }
    let shown = Program::new(&["journal", "--json", path.to_str().expect("Unicode")]).finish();
    let shown: serde_json::Value = serde_json::from_str(&shown.stdout).expect("JSON");
    assert_eq!(
        (&shown["runs"][0]["sent"], &shown["runs"][0]["run"]["seed"]),
        (&counts.sent.into(), &7.into())
    );
    server.signal("TERM");
    assert_eq!(server.finish().0, 0);
}

#[test]
fn at_the_end_of_a_run_the_journal_says_what_the_summary_says() {
    let replies = vec![
        Reply::Refuse(2, "ProvisionedThroughputExceededException"),
        Reply::Store,
        Reply::HangUp { stored: true },
        Reply::Store,
        Reply::Error(400, "AccessDeniedException"),
        Reply::WrongCount(1),
    ];
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.journal");
    let endpoint = Endpoint::open(vec![], replies);
    let arguments = ["--jobs=4", "--messages=25", "--max-records=100", "--max-in-flight=1", "--seed=9"];
    let finished =
        Program::against(&endpoint, &arguments).env("STREAMER_JOURNAL", path.to_str().expect("Unicode"));
    let finished = finished.finish();
    let (counts, account) = (finished.counts(), read(&path).remove(0));
    assert!(account.is_sound() && account.cut_off_bytes == 0);
    let told = account.counts();
    let fates = (told.sent, told.perhaps_twice, told.failed.total(), told.unknown.total());
    assert_eq!(fates, (50, 25, 25, 25), "one batch after the other");
    for (name, count) in [
        ("due", told.due),
        ("generated", told.generated),
        ("sent", told.sent),
        ("perhaps_twice", told.perhaps_twice),
        ("failed", told.failed.total()),
        ("unknown", told.unknown.total()),
        ("dropped", told.dropped.total()),
        ("in_flight", told.in_flight),
        ("journal_lost", account.totals.lost),
    ] {
        assert_eq!(counts[name], count, "{name}");
    }
    assert_eq!((account.ended.as_deref(), finished.code), (Some("the number of its records"), 1));
    assert_eq!((account.header.seed, account.header.jobs, account.header.event.as_str()), (9, 4, "mouse"));
}

#[test]
fn a_journal_that_cannot_be_used_is_told_before_anything_is_sent() {
    let endpoint = Endpoint::open(vec![], vec![]);
    for (path, why) in
        [(".", "not a regular file"), ("none/run.journal", "can't be used"), (".env", "not a journal")]
    {
        let program = Program::against(&endpoint, &["--max-records=10", "--journal", path]);
        let finished = program.file(".env", "STREAMER_LOG=info\n").finish();
        assert_eq!(finished.code, 74, "{}", finished.stderr);
        assert!(
            finished.stderr.contains("STREAMER_JOURNAL: ") && finished.stderr.contains(why),
            "{}",
            finished.stderr
        );
    }
    assert_eq!(endpoint.requests(), 0);
    let shown = Program::new(&["journal", "none"]).finish();
    assert_eq!((shown.code, shown.stdout.as_str()), (74, ""));
    assert!(shown.stderr.contains("none can't be read"), "{}", shown.stderr);
}
