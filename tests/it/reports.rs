//! Reports of whole runs: they hold what was counted, are read back, compared and merged, and never overwrite a file.

use serde_json::Value;

use crate::support::{Finished, Program};

/// A run in `folder` with these arguments.
fn run(folder: &tempfile::TempDir, arguments: &[&str]) -> Finished {
    let report = folder.path().to_str().expect("Unicode");
    let arguments: Vec<String> = arguments.iter().map(|part| part.replace("FOLDER", report)).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    Program::run(&arguments).finish()
}

fn json(folder: &tempfile::TempDir, name: &str) -> Value {
    let text = std::fs::read_to_string(folder.path().join(name)).expect("a report");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn a_report_holds_what_was_counted_and_can_be_shown_compared_and_merged() {
    let folder = tempfile::tempdir().expect("a folder");
    let load = ["--local=2", "--jobs=4", "--messages=25", "--duration=9s", "--pacing=smooth"];
    for (name, more) in [("a", "FOLDER/a.json,FOLDER/a.html"), ("b", "FOLDER/{instance}.json")] {
        let finished = run(&folder, &[&load[..], &["--instance", name, "--report", more]].concat());
        let counts = finished.counts();
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        let report = json(&folder, &format!("{name}.json"));
        for count in ["due", "generated", "sent", "sent_bytes", "throttled"] {
            assert_eq!(report["counts"][count].as_u64(), counts.get(count).copied(), "{count}");
        }
        let spans = report["spans"].as_array().expect("spans");
        let sent: u64 = spans.iter().filter_map(|span| span["sent"].as_u64()).sum();
        assert_eq!((sent, report["instances"][0]["held"].as_u64()), (counts["sent"], Some(counts["held"])));
        assert_eq!(report["times"]["delivery_delay"]["count"].as_u64(), Some(counts["sent"]));
        assert_eq!(report["instances"][0]["settings"]["STREAMER_INSTANCE"], name);
        assert!(report["instances"][0]["cpu_seconds"].as_f64().is_some_and(|seconds| seconds > 0.0));
    }
    let page = std::fs::read_to_string(folder.path().join("a.html")).expect("a page");
    assert!(page.contains("all records sent") && page.contains("Content-Security-Policy"), "{page}");
    let again = run(&folder, &["report", "FOLDER/a.json", "--html", "FOLDER/again.html"]);
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert_eq!(std::fs::read_to_string(folder.path().join("again.html")).expect("a page"), page);

    let same = run(&folder, &["compare", "FOLDER/a.json", "FOLDER/a.json", "--margin=0%", "--json"]);
    let told: Value = serde_json::from_str(&same.stdout).expect("JSON");
    assert_eq!((same.code, &told["differs"]), (0, &false.into()), "{}", same.stdout);
    // Two runs of one load by two processes: their rates are the schedule's.
    let alike = run(&folder, &["compare", "FOLDER/a.json", "FOLDER/b.json", "--latency-margin=1000%"]);
    assert_eq!(alike.code, 0, "{}", alike.stdout);
    assert!(alike.stdout.contains("No difference is proven"), "{}", alike.stdout);

    let merged = run(&folder, &["merge", "FOLDER/a.json", "FOLDER/b.json", "--output", "FOLDER/all.json"]);
    assert_eq!(merged.code, 0, "{}", merged.stderr);
    let all = json(&folder, "all.json");
    assert_eq!(
        (all["counts"]["sent"].as_u64(), all["instances"].as_array().map(Vec::len)),
        (Some(1_800), Some(2))
    );
    let twice = run(&folder, &["merge", "FOLDER/a.json", "FOLDER/all.json"]);
    assert_eq!(twice.code, 65);
    assert!(twice.stderr.contains("would count twice"), "{}", twice.stderr);
}

#[test]
fn half_the_load_is_worse_by_its_rate() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, jobs) in [("whole", "--jobs=4"), ("half", "--jobs=2")] {
        let report = format!("FOLDER/{name}.json");
        let load = ["--local", jobs, "--messages=25", "--duration=9s", "--pacing=smooth", "--report"];
        assert_eq!(run(&folder, &[&load[..], &[&report]].concat()).code, 0);
    }
    let worse = run(&folder, &["compare", "FOLDER/whole.json", "FOLDER/half.json", "--json"]);
    let told: Value = serde_json::from_str(&worse.stdout).expect("JSON");
    assert_eq!((worse.code, &told["worse"]), (4, &true.into()), "{}", worse.stdout);
    let jobs =
        told["settings"].as_array().expect("settings").iter().any(|one| one[0] == "CRON_JOBS_TO_GENERATE");
    assert!(jobs, "{}", worse.stdout);
}

#[test]
fn a_report_that_can_not_be_written_is_told_before_the_first_record() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("there.json"), "mine").expect("written");
    for path in ["FOLDER/there.json", "FOLDER/no/such/folder.html"] {
        let refused = run(&folder, &["--local", "--max-records=10", "--report", path]);
        assert_eq!(refused.code, 73, "{}", refused.stderr);
        assert!(refused.stderr.contains("STREAMER_REPORT") && !refused.stderr.contains("run ended"));
    }
    assert_eq!(std::fs::read_to_string(folder.path().join("there.json")).expect("there"), "mine");
    let refused = run(&folder, &["report", "FOLDER/there.json", "--html", "FOLDER/x.html"]);
    assert_eq!(refused.code, 65, "{}", refused.stderr);
    assert!(refused.stderr.contains("it is no report"), "{}", refused.stderr);
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing is left behind");
}

#[test]
fn no_secret_is_in_a_report() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.json");
    let endpoint = crate::support::Endpoint::open(vec![], vec![]);
    let arguments = ["--jobs=1", "--messages=4", "--max-records=4", "--report"];
    let arguments = [&arguments[..], &[path.to_str().expect("Unicode")]].concat();
    let finished = Program::against(&endpoint, &arguments).finish();
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    let report = std::fs::read_to_string(path).expect("a report");
    assert!(
        !report.contains("a-secret-that-must-not-be-seen") && !report.contains("AKIDEXAMPLE"),
        "{report}"
    );
}
