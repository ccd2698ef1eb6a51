//! Templates from the command line: samples, errors, runs, `lint` and `import`.

use crate::support::Program;

fn shipped(name: &str) -> String {
    format!("{}/config/templates/{name}.template", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_shipped_template_gives_the_same_samples_for_the_same_seed_in_both_modes() {
    for name in ["sensor", "clickstream", "order", "access-log"] {
        let event = format!("template:{}", shipped(name));
        let sample = |mode: &str| {
            // The time is now: what differs by it is not compared.
            let finished = Program::new(&["sample", "5", "--seed=7", "--event", &event, mode]).finish();
            assert_eq!((finished.code, finished.stderr.as_str()), (0, ""), "{name}");
            assert_eq!(finished.stdout.lines().count(), 5);
            finished.stdout.chars().filter(|letter| !letter.is_ascii_digit()).collect::<String>()
        };
        assert_eq!(sample("--template-mode=lenient"), sample("--template-mode=strict"));
    }
}

#[test]
fn a_wrong_template_is_told_with_its_place_before_anything_is_sent() {
    let text = "{\n  \"n\": {{random.numbr}}\n}";
    for (arguments, part) in [
        (
            &["--local", "--event=template:t"][..],
            "line 2, column 8: there is no function \"random.numbr\"; did you mean",
        ),
        (
            &["--local", "--event=template:t", "--template-mode=strict"],
            "line 2, column 8: Invalid method: random.numbr",
        ),
        (&["--local", "--event=template:none"], "can't be read from none"),
        (&["sample", "--event=template:t"], "did you mean random.number?"),
    ] {
        let finished = Program::new(arguments).file("t", text).finish();
        assert_eq!((finished.code, finished.stdout.as_str()), (64, ""), "{arguments:?}");
        assert!(
            finished.stderr.contains("STREAMER_EVENT") && finished.stderr.contains(part),
            "{}",
            finished.stderr
        );
    }
}

#[test]
fn a_run_sends_a_templates_events_by_a_field_of_theirs() {
    let template = format!("--event=template:{}", shipped("order"));
    let arguments = [
        "--local=2",
        "--jobs=2",
        "--messages=5",
        "--max-records=20",
        "--partition-key=field:/customer/email",
    ];
    let finished = Program::run(&[&arguments[..], &[&template]].concat()).finish();
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    assert_eq!(finished.counts()["sent"], 20);
    let finished = Program::run(&["--local", &template, "--partition-key=field:/mail"]).finish();
    assert!(finished.code == 64 && finished.stderr.contains("/customer/email"), "{}", finished.stderr);
}

#[test]
fn lint_and_import_answer_on_standard_output() {
    let finished = Program::new(&["lint", &shipped("sensor")]).finish();
    assert!(finished.code == 0 && finished.stdout.ends_with("KDG takes it\n"), "{}", finished.stdout);
    let finished = Program::new(&["lint", "t"]).file("t", "{{random.uuid()}}").finish();
    assert_eq!(finished.code, 65);
    assert!(finished.stdout.contains("Invalid method: random.uuid()"), "{}", finished.stdout);
    let saved = r#"[{"name":"One","template":"{{random.uuid}}"},{"name":"Two","template":""}]"#;
    let finished = Program::new(&["import", "kdg", "saved"]).file("saved", saved).finish();
    assert_eq!(finished.code, 0, "{}", finished.stdout);
    assert!(finished.stdout.starts_with("One: becomes one.template\n"), "{}", finished.stdout);
}

const VISITS: &str =
    concat!("--event=template:", env!("CARGO_MANIFEST_DIR"), "/config/templates/visit.json.j2");

#[test]
fn a_template_in_jinja_is_sampled_linted_and_told_what_is_wrong_with_it() {
    let sample = || Program::new(&["sample", "40", "--seed=7", VISITS]).finish();
    let (one, other) = (sample(), sample());
    assert_eq!((one.code, one.stderr.as_str()), (0, ""));
    let events = |text: &str| -> Vec<serde_json::Value> {
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    };
    let carts = |text: &str| events(text).iter().map(|event| event["cart"].clone()).collect::<Vec<_>>();
    assert_eq!(carts(&one.stdout).len(), 40);
    assert_eq!(carts(&one.stdout), carts(&other.stdout), "the time aside, they are the same");
    let finished = Program::new(&["lint", "t.j2"]).file("t.j2", "{{ random.uuid() }}").finish();
    assert!(
        finished.code == 0 && finished.stdout.starts_with("t.j2: a template in Jinja"),
        "{}",
        finished.stdout
    );
    let lint = ["lint", "t", "--template-language=jinja"];
    let finished = Program::new(&lint).file("t", "{%- if job -%}\n{{ random.numbr() }}{% endif %}").finish();
    assert_eq!(finished.code, 65);
    assert!(
        finished.stdout.contains(
            "t: error: line 2, column 4: there is no function \"random.numbr\"; did you mean random.number()?"
        ),
        "{}",
        finished.stdout
    );
    let finished =
        Program::new(&["--local", "--event=template:t.j2"]).file("t.j2", "{\n{{ 1 // 0 }}}").finish();
    assert!(
        finished.code == 64 && finished.stderr.contains("can't be used (in Jinja):\n  line 2, column 4: "),
        "{}",
        finished.stderr
    );
}

#[test]
fn a_run_sends_what_a_template_in_jinja_makes_of_a_size_and_compressed_and_proves_it() {
    for arguments in [
        &[VISITS, "--partition-key=field:/visit"][..],
        &[VISITS, "--event-size=8KiB", "--compression=zstd", "--framing=newline"],
        &[VISITS, "--inject=duplicate:2%/2,malformed:2%"],
    ] {
        let run = ["--local=2", "--verify", "--max-records=200", "--jobs=2", "--messages=50", "--seed=5"];
        let finished = Program::run(&[&run[..], arguments].concat()).finish();
        assert_eq!(
            (finished.code, finished.counts()["sent"]),
            (0, 200),
            "{arguments:?}: {}",
            finished.stderr
        );
    }
}

// What can't be made is neither sent nor left out: its record fails, the others don't, and the log says why, once.
#[test]
fn an_event_that_cannot_be_made_is_a_failed_record_that_is_told() {
    let run =
        ["--local", "--event=template:t.j2", "--verify", "--max-records=200", "--jobs=1", "--messages=100"];
    let text = "{\"n\": {{ 1 // (sequence - 77) }}, \"m\": {{ 1 // (sequence - 150) }}}";
    let finished = Program::run(&run).file("t.j2", text).finish();
    let sample = Program::new(&["sample", "100", "--event=template:t.j2"]).file("t.j2", text).finish();
    assert_eq!((sample.code, sample.stdout.lines().count()), (64, 99), "{}", sample.stderr);
    assert!(sample.stderr.contains("is left out: line 1, column"), "{}", sample.stderr);
    let counts = finished.counts();
    assert_eq!((counts["sent"], counts["failed"], finished.code), (198, 2, 1), "{}", finished.stderr);
    assert_eq!(finished.stderr.matches("an event can't be made").count(), 1, "{}", finished.stderr);
    assert!(finished.stderr.contains("(no_event): line 1, column"), "{}", finished.stderr);
}
