//! Payloads from the command line: kinds, mixtures, sizes, packing and faults on purpose, sent and read back.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::Program;

/// The fields of the event of a json log whose message is `message`.
fn event(log: &str, message: &str) -> Value {
    let events = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut fields = events.map(|event| event["fields"].clone());
    fields.find(|fields| fields["message"] == message).unwrap_or_else(|| panic!("no {message} in {log}"))
}

const MIXTURE: &str = "--event=mouse:4,iot:2,order:1,access-log:1,message:1,click:1,trade:1";
const FAULTS: &str = "--inject=late:3%/1h,duplicate:3%/2,reordered:4%/3,malformed:3%,oversize:1%/20KiB";

#[test]
fn whatever_is_put_into_records_on_purpose_is_read_back_as_expected() {
    for arguments in [
        &["--event=iot", "--partition-key=user"][..],
        &["--event=access-log", "--partition-key=user", "--framing=newline"],
        &["--event=order", "--partition-key=field:/items/0/sku", "--compression=gzip", "--framing=newline"],
        &[MIXTURE, "--event-size=lognormal:900B,p99=4KiB,most=16KiB", "--compression=zstd"],
        &[MIXTURE, "--event-size=uniform:700B..2KiB", FAULTS, "--framing=newline"],
        &["--event=message", FAULTS, "--partition-key=job"],
    ] {
        let run = ["--local=2", "--verify", "--max-records=400", "--jobs=4", "--messages=50", "--seed=5"];
        let finished = Program::run(&[&run[..], arguments].concat()).finish();
        let told = event(&finished.stderr, "stream verified");
        assert_eq!(
            (finished.code, &told["clean"], &told["complete"], &told["delivered"]),
            (0, &json!(true), &json!(true), &json!(400)),
            "{arguments:?}: {told}"
        );
    }
}

#[test]
fn the_answer_sheet_the_counts_and_the_records_agree() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("answers");
    let sheet = format!("--answer-sheet={}", path.display());
    let run = ["--local", "--max-records=800", "--jobs=2", "--messages=200", "--seed=5", FAULTS, &sheet];
    let finished = Program::run(&run).finish();
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    let lines: Vec<Value> = fs::read_to_string(&path)
        .expect("a sheet")
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let (total, answers) = lines.split_last().expect("a last line");
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for answer in answers {
        *counts.entry(answer["fault"].as_str().expect("a fault")).or_default() += 1;
    }
    assert_eq!(counts.len(), 5, "{counts:?}");
    assert_eq!((&total["records"], &total["injected"]), (&json!(800), &json!(counts)));
    assert_eq!(event(&finished.stderr, "payloads")["injected"], json!(answers.len()));
    // What is there is not overwritten.
    let again = Program::run(&run).finish();
    assert!(again.code != 0 && again.stderr.contains("STREAMER_ANSWER_SHEET"), "{}", again.stderr);
}

#[test]
fn a_mixture_with_a_template_is_verified_by_its_digest_whatever_is_done_to_it() {
    for shaped in
        [&[][..], &["--compression=gzip", "--framing=newline", "--inject=duplicate:5%,malformed:5%"]]
    {
        let run =
            ["--local=2", "--verify", "--max-records=300", "--event=mouse:0.5,message:0.2,template:t:0.3"];
        let finished =
            Program::run(&[&run[..], shaped].concat()).file("t", r#"{"n":{{random.number(9)}}}"#).finish();
        let told = event(&finished.stderr, "stream verified");
        assert_eq!(
            (finished.code, &told["clean"], &told["delivered"]),
            (0, &json!(true), &json!(300)),
            "{told}"
        );
    }
}

#[test]
fn a_journal_says_how_events_were_shaped() {
    let run = ["--local", "--max-records=10", "--journal=j", "--event-size=1KiB", "--framing=newline"];
    let kept = Program::run(&run).keep();
    let journal = fs::read_to_string(kept.folder.path().join("j")).expect("a journal");
    assert!(journal.contains(r#""shaping":"size=1KiB frame=1""#), "{journal}");
}

#[test]
fn what_can_not_be_had_is_told_before_the_first_record() {
    for (arguments, part) in [
        (&["--event-size=100B"][..], "100 bytes are too few: an event mouse can have"),
        (&["--event-size=2MiB"], "a record of this stream has room for 1048556"),
        (&["--event-size=lognormal:1KiB,p99=1MiB,most=2MiB"], "cut by most="),
        (&["--inject=oversize:1%/2MiB"], "STREAMER_INJECT: 2097152 bytes are too many"),
        (&["--event-size=1KiB", "--event=template:t"], "no JSON object"),
        (&["--event=access-log", "--partition-key=field:/id"], "is no JSON and has no fields"),
        (&["--event=mouse:1,message:1", "--partition-key=user"], "the event message has no user"),
        (&["--event=mouse:1,mice:1"], "must be one of mouse"),
        (&["--inject=late:60%,malformed:60%"], "120% of the records"),
        (&["--event-size=big"], "must be a size such as 1KiB"),
    ] {
        let finished = Program::run(&[&["--local", "--max-records=1"], arguments].concat())
            .file("t", "no object")
            .finish();
        assert_eq!(finished.code, 64, "{arguments:?}: {}", finished.stderr);
        assert!(finished.stderr.contains(part), "{arguments:?}: {}", finished.stderr);
    }
}

// The examples of the document are the first events of the golden fingerprints.
#[test]
fn every_kind_has_its_example_in_the_document() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("docs/events.md");
    let mut text = fs::read_to_string(&path).expect("a document");
    for kind in kinesis_streamer::generate::EventKind::ALL {
        let golden = fs::read_to_string(root.join(format!("tests/fingerprints/{kind}.txt"))).expect("golden");
        let example =
            format!("<!-- {kind} -->\n```text\n{}\n```\n", golden.lines().nth(1).expect("an event"));
        if std::env::var_os("UPDATE_DOCS").is_some() {
            let start = text.find(&format!("<!-- {kind} -->")).expect("its place");
            let end = text[start..].find("\n\n").map_or(text.len(), |length| start + length + 1);
            text.replace_range(start..end, &example);
            fs::write(&path, &text).expect("written");
        }
        assert!(
            text.contains(&example),
            "docs/events.md: {kind}'s example is another: UPDATE_DOCS=1 cargo test payloads"
        );
    }
}
