//! The command line: flags, subcommands, and what is said about mistakes in them.

use super::*;

#[test]
fn mistakes_on_the_command_line_are_found_together_with_wrong_values() {
    let lines = wrong(
        &[("MESSAGES_PER_CRON_JOB", "0")],
        &["--streem", "s", "--dryrun", "--local", "4", "--jobs", "5", "--jobs", "6", "--seed"],
    );
    assert_eq!(
        lines,
        [
            "--local: its value needs an equals sign: --local=4",
            "--streem: no such flag; did you mean --stream?",
            "--dryrun: no such flag; did you mean --dry-run?",
            "the argument '--jobs <N>' cannot be used multiple times",
            "a value is required for '--seed <N>' but none was supplied",
            "MESSAGES_PER_CRON_JOB: must be a whole number from 1 to 1000000, but is \"0\"",
        ]
    );
    assert_eq!(wrong(&[], &["sampel"]), ["unrecognized subcommand 'sampel'; did you mean sample?"]);
    assert_eq!(
        wrong(&[], &["--stream=x", "sample"]),
        ["sample: its flags go after it, and a run's flags are not for it"]
    );
    assert_eq!(
        wrong(&[], &["--local=2", "x", "--seed=-1"]),
        [
            "unrecognized subcommand 'x'",
            "--seed: must be a whole number from 0 to 18446744073709551615, but is \"-1\""
        ]
    );
    // What follows the subcommand is its own, and is judged as such.
    for arguments in
        [&["--jobs", "10", "sample", "1"][..], &["--stream", "sample", "--jobs=1", "sample", "1"]]
    {
        assert_eq!(
            wrong(&[], arguments),
            ["sample: its flags go after it, and a run's flags are not for it"],
            "{arguments:?}"
        );
    }
    assert_eq!(wrong(&[], &["--jobs=1", "local", "--shards=0"]).len(), 2);
    assert_eq!(wrong(&[], &["-x"]), ["-x: no such flag; --help lists them all"]);
    assert_eq!(
        wrong(&[], &["--aws-secret-access-key=hunter2", "--local", "--\u{1b}[31m", "hunter2"]),
        [
            "--aws-secret-access-key: no such flag; --help lists them all",
            "--\\u{1b}[31m: no such flag; --help lists them all",
        ]
    );
    // A hostile line is not looked through without end.
    assert!(wrong(&[], &["--no"; 1_000]).len() <= 20);
}

#[test]
fn sample_takes_the_settings_of_events_and_needs_no_stream() {
    let Ok(Invocation::Sample { config, count, separator }) =
        read_all(&[("STREAMER_EVENT", "click")], &["sample", "--null", "3", "--seed=5"])
    else {
        panic!("no sample");
    };
    assert_eq!(
        (config.event, config.seed.value, count, separator),
        (EventChoice::Kind(EventKind::Click), 5, 3, 0)
    );
    assert!(matches!(read_all(&[], &["sample"]), Ok(Invocation::Sample { count: 10, separator: b'\n', .. })));
    assert_eq!(
        wrong(&[], &["sample", "-1"]),
        ["sample N: must be a whole number from 1 to 1000000000000, but is \"-1\""]
    );
}

#[test]
fn local_has_flags_of_its_own_and_ignores_what_a_run_is_told() {
    let Ok(Invocation::Local(options)) = read_all(
        &[("CRON_JOBS_TO_GENERATE", "abc"), ("STREAMER_LOG", "debug")],
        &["local", "--shards", "4", "--port=0"],
    ) else {
        panic!("not local");
    };
    assert_eq!((options.shards, options.address.to_string().as_str()), (4, "127.0.0.1:0"));
    assert_eq!((options.stream.as_str(), options.log.filter.as_str()), ("local", "debug"));
    assert_eq!(wrong(&[], &["local", "--shards=0", "--port=65536", "--host=x", "--stream="]).len(), 4);
}

#[test]
fn journal_reads_the_file_that_is_named_or_the_one_that_a_run_writes() {
    let asked = |variables: &[(&str, &str)], arguments: &[&str]| match read_all(variables, arguments) {
        Ok(Invocation::Journal { path, json }) => (path.to_string_lossy().into_owned(), json),
        other => panic!("{other:?}"),
    };
    let set = [("STREAMER_JOURNAL", "runs.journal"), ("CRON_JOBS_TO_GENERATE", "abc")];
    assert_eq!(asked(&set, &["journal"]), ("runs.journal".to_owned(), false));
    assert_eq!(asked(&set, &["journal", "--json", "other"]), ("other".to_owned(), true));
    assert_eq!(
        wrong(&[], &["journal"]),
        ["STREAMER_JOURNAL: must be given (or kinesis-streamer journal FILE): there is no journal to read"]
    );
    assert_eq!(wrong(&[], &["journal", ""]), ["journal FILE: must be the path of a file, but is empty"]);
    assert_eq!(run(&[], &["--local", "--journal=a b"]).journal, Some("a b".into()));
}

#[test]
fn help_and_version_are_answers_and_the_help_names_every_variable() {
    let Ok(Invocation::Help(text)) = read_all(&[("CRON_JOBS_TO_GENERATE", "abc")], &["--help"]) else {
        panic!("no help");
    };
    for setting in SETTINGS {
        assert!(setting.names().all(|name| text.contains(name)), "{}", setting.name);
        assert!(text.contains(&format!("--{}", setting.flag)), "{}", setting.flag);
    }
    assert!(
        matches!(read_all(&[], &["sample", "--help"]), Ok(Invocation::Help(text)) if text.contains("--null"))
    );
    assert!(matches!(read_all(&[], &["-V"]), Ok(Invocation::Version(_))));
}

#[test]
fn verify_takes_journals_and_what_makes_events_and_has_short_flags_for_reading() {
    let asked = |variables: &[(&str, &str)], arguments: &[&str]| match read_all(variables, arguments) {
        Ok(Invocation::Verify(options)) => *options,
        other => panic!("{other:?}"),
    };
    let plain = asked(&[("STREAM_NAME", "s"), ("STREAMER_LISTEN", "127.0.0.1:1")], &["verify"]);
    assert_eq!((plain.seed, plain.event, plain.listen, plain.since), (None, None, None, Since::Start));
    assert!(plain.journals.is_empty() && !plain.follow && !plain.json);
    assert_eq!(plain.reading.timeout, None);
    let all = ["verify", "--journal=a", "--journal", "b", "--since=10m", "--seed=1", "--instance=x,y"];
    let more = ["--idle=1s", "--poll=500ms", "--timeout=1m", "--foreign=allow", "--follow", "--json"];
    let options = asked(&[("STREAMER_JOURNAL", "c")], &[&all[..], &more[..]].concat());
    assert_eq!(options.journals, ["a", "b"].map(std::path::PathBuf::from));
    assert_eq!((options.instances.len(), &options.seeded_names[..]), (2, &["p-910a2dec".to_owned()][..]));
    assert_eq!(
        (options.reading.idle, options.reading.timeout),
        (Duration::from_secs(1), Some(Duration::from_secs(60)))
    );
    assert!(options.follow && options.json && options.reading.foreign_allowed);
    assert_eq!(asked(&[("STREAMER_JOURNAL", "c")], &["verify"]).journals.len(), 1);
    assert_eq!(
        wrong(&[], &["verify"]),
        [
            "AWS_KINESIS_STREAM_NAME: must be given (or --stream): there is nothing to read without a stream, or a journal that names one"
        ]
    );
    let lines =
        wrong(&[], &["verify", "--stream=s", "--since=soon", "--journal=", "--instance=a,", "--idle=x"]);
    assert_eq!(lines.len(), 4, "{lines:#?}");
}
