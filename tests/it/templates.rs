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
