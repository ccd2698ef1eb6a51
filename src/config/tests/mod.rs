//! The settings as a whole: from an environment and a command line to a config or to problems.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::time::Duration;

mod aws;
mod command_line;
mod corners;
mod laws;
mod rules;
mod shipped;

use super::*;
use crate::generate::{EventChoice, EventKind, TemplateLanguage, TemplateMode, TemplateOrigin};
use crate::key::KeyStrategy;
use crate::kinesis::{Limits, StreamRef, Wire};
use crate::schedule::Pacing;
use crate::send::Retry;

const FRESH: u64 = 0x5eed;

fn read_all(variables: &[(&str, &str)], arguments: &[&str]) -> Result<Invocation, Problems> {
    let program = std::iter::once("kinesis-streamer");
    read(variables.iter().copied(), program.chain(arguments.iter().copied()), FRESH)
}

fn run(variables: &[(&str, &str)], arguments: &[&str]) -> Config {
    match read_all(variables, arguments) {
        Ok(Invocation::Run(config)) => *config,
        other => panic!("no run: {other:?}"),
    }
}

/// What a setting means nothing without.
fn beside(setting: &Setting) -> &'static [(&'static str, &'static str)] {
    match setting.flag {
        "instance-count" => &[("STREAMER_INSTANCE_INDEX", "0"), ("CRON_JOBS_TO_GENERATE", "1000")],
        "instance-index" | "instance-slot" => {
            &[("STREAMER_INSTANCE_COUNT", "10000"), ("CRON_JOBS_TO_GENERATE", "1000")]
        }
        _ => &[],
    }
}

/// The problems, a line each.
fn wrong(variables: &[(&str, &str)], arguments: &[&str]) -> Vec<String> {
    let problems = read_all(variables, arguments).expect_err("something is wrong");
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn vars_flags_and_the_table_hold_the_same_settings() {
    let names: Vec<&str> = SETTINGS.iter().flat_map(Setting::names).collect();
    let fields: BTreeSet<String> = Vars::FIELDS.iter().map(|field| field.to_ascii_uppercase()).collect();
    assert_eq!(fields, names.iter().map(|name| (*name).to_owned()).collect());
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "a variable stands twice");

    let command = flags::command();
    let flags: BTreeSet<&str> = command.get_arguments().filter_map(clap::Arg::get_long).collect();
    assert_eq!(flags, SETTINGS.iter().map(|setting| setting.flag).collect());
    for setting in SETTINGS {
        if let Some(rest) = setting.name.strip_prefix("STREAMER_") {
            assert_eq!(setting.flag, rest.to_ascii_lowercase().replace('_', "-"));
        }
    }
    command.debug_assert();
}

#[test]
fn the_words_of_a_rule_are_the_words_that_the_types_read() {
    let words = |setting: Setting| match setting.form {
        Form::OneOf(words) => words.to_vec(),
        _ => Vec::new(),
    };
    assert!(settings::EVENT.form.rule().contains(&EventKind::ALL.map(EventKind::name).join(", ")));
    assert_eq!(words(settings::TEMPLATE_MODE), TemplateMode::ALL.map(TemplateMode::name));
    assert_eq!(words(settings::TEMPLATE_LANGUAGE), TemplateLanguage::ALL.map(TemplateLanguage::name));
    assert_eq!(words(settings::PACING), Pacing::ALL.map(Pacing::name));
    assert_eq!(words(settings::RETRY), Retry::ALL.map(Retry::name));
    assert_eq!(words(settings::WIRE), Wire::ALL.map(Wire::name));
    assert_eq!(words(settings::LOG_FORMAT), LogFormat::ALL.map(LogFormat::name));
    let Form::Own(rule) = settings::LOCAL.form else { panic!("not in words") };
    let Form::Number { min, max } = settings::LOCAL_SHARDS else { panic!("not a number") };
    assert!(rule.contains(&format!("from {min} to {max}")));
    assert!(settings::INSTANCE.form.rule().contains(&settings::MOST_INSTANCE_CHARS.to_string()));
    assert!(settings::MESSAGES.help.contains(&settings::MOST_RECORDS_PER_TICK.to_string()));
}

#[test]
fn a_stream_name_is_all_that_a_run_needs() {
    let config = run(&[("AWS_KINESIS_STREAM_NAME", "orders"), ("HOME", "/nowhere"), ("TERM", "")], &[]);
    assert_eq!(config.target, Target::Stream("orders".parse().expect("a name")));
    assert_eq!((config.load.jobs, config.load.messages, config.load.records_per_tick()), (10, 10, 100));
    assert_eq!((config.load.cron.as_str(), config.load.pacing), ("* * * * * *", Pacing::Burst));
    assert_eq!((config.load.duration, config.load.max_records), (None, None));
    assert_eq!((config.event, config.key), (EventChoice::Kind(EventKind::Mouse), KeyStrategy::Random));
    assert_eq!(config.seed, Seed { value: FRESH, given: false });
    assert_eq!(
        (config.send.retry, config.send.max_attempts, config.send.max_in_flight),
        (Retry::Backoff, 10, 128)
    );
    assert_eq!(config.send.request_timeout, Duration::from_secs(10));
    assert_eq!(config.send.drain_timeout, Duration::from_secs(30));
    assert_eq!((config.active_timeout, config.dry_run), (Duration::from_secs(60), false));
    assert_eq!(config.limits.over(Limits::AWS), Limits::AWS);
    assert_eq!(config.listen.map(|address| address.to_string()).as_deref(), Some("127.0.0.1:9464"));
    assert_eq!(config.log, Log { filter: "info".to_owned(), format: LogFormat::Text });
    assert_eq!(config.notices, [""; 0]);
}

#[test]
fn cbor_is_written_by_our_own_client_alone() {
    let stream = ("AWS_KINESIS_STREAM_NAME", "orders");
    assert_eq!(run(&[stream], &[]).wire, Wire::Json);
    assert_eq!(run(&[stream, ("STREAMER_WIRE", "cbor")], &[]).wire, Wire::Cbor);
    assert_eq!(run(&[stream], &["--wire=json", "--client=sdk"]).wire, Wire::Json);
    let told = wrong(&[stream, ("STREAMER_WIRE", "cbor")], &["--client=sdk", "--jobs=0"]);
    assert_eq!(told.len(), 2, "all at once: {told:?}");
    let together = told.iter().find(|line| line.contains("JSON only")).expect("told");
    assert!(together.contains("STREAMER_WIRE") && together.contains("--client"), "{together}");
}

#[test]
fn the_language_of_templates_is_theirs_alone_and_the_mode_that_of_the_generators() {
    let config = run(&[("STREAMER_EVENT", "template:-")], &["--dry-run", "--template-language=jinja"]);
    assert_eq!((config.template_language, config.notices), (TemplateLanguage::Jinja, vec![]));
    let config = run(&[("STREAMER_TEMPLATE_LANGUAGE", "kdg")], &["--dry-run"]);
    let told = "STREAMER_TEMPLATE_LANGUAGE has no effect, because STREAMER_EVENT is no template";
    assert_eq!(config.notices, [told]);
    let strict = ["--dry-run", "--template-mode=strict"];
    let told = "--template-mode has no effect, because STREAMER_EVENT is no template in the language of the Kinesis Data \
                Generator";
    assert_eq!(run(&[("STREAMER_EVENT", "template:a.json.j2")], &strict).notices, [told]);
    assert!(run(&[("STREAMER_EVENT", "template:a.j2:1,template:b:1")], &strict).notices.is_empty());
}

#[test]
fn a_template_is_an_event_whose_mode_counts_and_whose_user_is_no_key() {
    let config = run(&[("STREAMER_EVENT", "template:orders.json")], &["--dry-run", "--template-mode=strict"]);
    assert_eq!(config.event.to_string(), "template:orders.json");
    assert_eq!((config.template_mode, config.notices), (TemplateMode::Strict, vec![]));
    let config = run(&[("STREAMER_TEMPLATE_MODE", "strict")], &["--dry-run"]);
    assert_eq!(
        config.notices,
        ["STREAMER_TEMPLATE_MODE has no effect, because STREAMER_EVENT is no template"]
    );
    assert_eq!(
        wrong(&[("STREAMER_EVENT", "template:")], &["--dry-run"]),
        [
            "STREAMER_EVENT: must be one of mouse, click, trade, message, iot, order, access-log, or template:FILE \
             (template:- reads standard input), or several of these by weight, such as mouse:0.8,click:0.2, but is \
             \"template:\""
        ]
    );
    let lines = wrong(&[("STREAMER_EVENT", "template:-")], &["--dry-run", "--partition-key=user"]);
    assert!(lines[0].contains("field:/json/pointer"), "{lines:?}");
}

#[test]
fn lint_and_import_take_a_file_and_no_stream() {
    let file = |name: &str| TemplateOrigin::File(name.to_owned());
    let lint = |template, language| Ok(Invocation::Lint(template, language));
    let (auto, jinja) = (TemplateLanguage::Auto, TemplateLanguage::Jinja);
    assert_eq!(read_all(&[], &["lint", "a.json"]), lint(file("a.json"), auto));
    let arguments = ["lint", "-", "--template-language=jinja"];
    assert_eq!(read_all(&[], &arguments), lint(TemplateOrigin::StandardInput, jinja));
    for (arguments, into) in
        [(&["import", "kdg", "t.json"][..], "."), (&["import", "kdg", "t.json", "--into=x"], "x")]
    {
        let expected = Invocation::Import { from: file("t.json"), periods: None, into: into.into() };
        assert_eq!(read_all(&[], arguments), Ok(expected));
    }
    for arguments in
        [&["lint"][..], &["import"], &["import", "kdg"], &["import", "other", "x"], &["lint", ""]]
    {
        assert!(!wrong(&[], arguments).is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_flag_wins_over_its_variable_even_when_the_variable_is_wrong() {
    let config = run(
        &[("CRON_JOBS_TO_GENERATE", "abc"), ("STREAMER_LOCAL", "2")],
        &["--jobs", "7", "--local=false", "--dry-run"],
    );
    assert_eq!((config.load.jobs, config.target, config.dry_run), (7, Target::Nowhere, true));
}

#[test]
fn every_wrong_value_is_reported_at_once_with_its_rule() {
    let lines = wrong(
        &[
            ("AWS_KINESIS_STREAM_NAME", ""),
            ("CRON_JOBS_TO_GENERATE", "abc"),
            ("MESSAGES_PER_CRON_JOB", "0"),
            ("STREAMER_MAX_RECORDS", "99999999999999999999"),
            ("STREAMER_SEED", ""),
            ("STREAMER_CRON", "* * * * *"),
            ("STREAMER_PARTITION_KEY", "field:x"),
            ("STREAMER_LOG", "inof"),
            ("STREAMER_LISTEN", "localhost:80"),
            ("STREAMER_LOCAL", "0"),
            ("STREAMER_MAX_REQUEST_BYTES", "11MiB"),
        ],
        &["--max-in-flight", "-1", "--pacing=gauss", "--duration", "1"],
    );
    let starts = [
        "AWS_KINESIS_STREAM_NAME: must be a stream name (1 to 128 ",
        "STREAMER_LOCAL: must be true (one shard), false or a number of shards from 1 to 1000, but is \"0\"",
        "CRON_JOBS_TO_GENERATE: must be a whole number from 1 to 10000, but is \"abc\"",
        "MESSAGES_PER_CRON_JOB: must be a whole number from 1 to 1000000, but is \"0\"",
        "STREAMER_CRON: must be a cron expression of six fields (second minute hour day month weekday, in UTC), but is \"* * * * *\" (it has 5 fields)",
        "--pacing: must be one of burst, smooth, poisson, stagger, but is \"gauss\"",
        "--duration: must be a duration such as 500ms, 90s or 1h30m, from 1ms to 365d, but is \"1\"",
        "STREAMER_MAX_RECORDS: must be a whole number from 1 to 1000000000000000, but is \"99999999999999999999\"",
        "STREAMER_PARTITION_KEY: must be one of random, constant:TEXT, job, user, field:/json/pointer, uniform:keys=N, zipf:EXPONENT,keys=N, hot:SHARE%@SHARD[,rotate=TIME], explicit, round-robin, but is \"field:x\" (the text after field: must be a JSON pointer such as /user/id (RFC 6901))",
        "STREAMER_SEED: must be a whole number from 0 to 18446744073709551615, but is empty",
        "--max-in-flight: must be a whole number from 1 to 10000, but is \"-1\"",
        "STREAMER_MAX_REQUEST_BYTES: must be a size in bytes, or with KB, MB, KiB or MiB, from 1KiB to 10MiB, but is \"11MiB\"",
        "STREAMER_LISTEN: must be an IP address with a port, such as 127.0.0.1:9464 or [::]:9464, or off, but is \"localhost:80\"",
        "STREAMER_LOG: must be a level (off, error, warn, info, debug, trace), or levels by target such as info,kinesis_streamer=debug, but is \"inof\" (\"inof\" is no level)",
    ];
    assert_eq!(lines.len(), starts.len(), "{lines:#?}");
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(start), "{line}\n{start}");
    }
    assert!(lines[0].ends_with("but is empty"));
}

#[test]
fn an_unknown_variable_is_wrong_and_the_nearest_is_named_but_its_value_never() {
    let lines = wrong(
        &[("STREAMER_EVNT", "hunter2"), ("STREAMER_QQQ", "hunter2"), ("streamer_seed", "1")],
        &["--local"],
    );
    assert_eq!(
        lines,
        [
            "STREAMER_EVNT: no such variable; did you mean STREAMER_EVENT?",
            "STREAMER_QQQ: no such variable; --help lists them all",
            "streamer_seed: no such variable; did you mean STREAMER_SEED?",
        ]
    );
}

#[test]
fn what_is_not_unicode_is_a_problem_and_foreign_variables_may_be_anything() {
    use std::os::unix::ffi::OsStringExt;
    let odd = || OsString::from_vec(vec![b'a', 0xff]);
    let environment = [(OsString::from("STREAMER_EVENT"), odd()), (odd(), odd()), ("PATH".into(), odd())];
    let mut argument = OsString::from("--stream=");
    argument.push(odd());
    let problems = read(environment, ["x".into(), argument], FRESH).expect_err("not Unicode");
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "--stream: must be valid Unicode (UTF-8), but is \"a\u{fffd}\"",
            "STREAMER_EVENT: must be valid Unicode (UTF-8), but is \"a\u{fffd}\"",
        ]
    );
}

#[test]
fn a_run_needs_a_stream_unless_it_is_local_or_dry() {
    assert_eq!(
        wrong(&[], &[]),
        [
            "AWS_KINESIS_STREAM_NAME: must be given (or --stream): a run needs a stream, unless it is --local or --dry-run"
        ]
    );
    let local = |shards, name: &str| Target::Local { shards, name: name.parse().expect("a name") };
    assert_eq!(run(&[], &["--dry-run"]).target, Target::Nowhere);
    assert_eq!(run(&[], &["--local"]).target, local(1, "local"));
    assert_eq!(run(&[("STREAMER_LOCAL", "4"), ("STREAM_NAME", "s")], &[]).target, local(4, "s"));
    let arn = "arn:aws:kinesis:eu-west-1:123456789012:stream/orders";
    assert_eq!(run(&[("STREAM_ARN", arn)], &["--local=3"]).target, local(3, "orders"));
}

#[test]
fn the_first_variable_that_names_the_stream_counts_and_another_stream_is_noticed() {
    let arn = "arn:aws:kinesis:eu-west-1:123456789012:stream/orders";
    let config = run(&[("STREAM_NAME", "other"), ("STREAM_ARN", arn)], &[]);
    assert_eq!(config.target, Target::Stream(StreamRef::Arn(arn.parse().expect("an ARN"))));
    assert_eq!(
        config.notices,
        [format!("STREAM_NAME names another stream than STREAM_ARN, which counts: {arn}")]
    );

    // The same name in another region is another stream.
    let elsewhere = arn.replace("eu-west-1", "us-east-1");
    assert_eq!(run(&[("AWS_KINESIS_STREAM_NAME", arn), ("STREAM_ARN", &elsewhere)], &[]).notices.len(), 1);

    let agreeing = [("AWS_KINESIS_STREAM_NAME", "orders"), ("STREAM_ARN", arn), ("STREAM_NAME", "orders")];
    let config = run(&agreeing, &[]);
    assert_eq!(config.target, Target::Stream("orders".parse().expect("a name")));
    assert_eq!(config.notices, [""; 0]);
    assert_eq!(run(&agreeing, &["--stream", "elsewhere"]).notices, [""; 0]);
    assert_eq!(
        run(&[("AWS_KINESIS_STREAM_NAME", "a"), ("STREAM_ARN", arn), ("STREAM_NAME", "")], &[]).notices.len(),
        2
    );
}

#[test]
fn values_that_are_wrong_together_are_named_together() {
    assert_eq!(
        wrong(&[("CRON_JOBS_TO_GENERATE", "10000")], &["--messages", "1001", "--local"]),
        [
            "CRON_JOBS_TO_GENERATE and --messages: 10000 × 1001 = 10010000 records in a second; the most is 10000000"
        ]
    );
    assert_eq!(run(&[], &["--jobs=10000", "--messages=1000", "--local"]).load.records_per_tick(), 10_000_000);
    for (key, right) in [
        ("user", false),
        ("field:/user/id", false),
        ("field:/message", true),
        ("field:/date", true),
        ("job", true),
    ] {
        let read = read_all(&[("STREAMER_PARTITION_KEY", key)], &["--local", "--event=message"]);
        assert_eq!(read.is_ok(), right, "{key}");
    }
    let contradiction = wrong(&[("MESSAGES_PER_CRON_JOB", "5")], &["--rate=5/s", "--local"]).concat();
    assert!(contradiction.starts_with("MESSAGES_PER_CRON_JOB and --rate: each says"), "{contradiction}");
    assert!(
        read_all(&[], &["--local", "--rate=x", "--messages=0"]).is_err_and(|all| all.iter().count() == 2)
    );
    let sizes = [("STREAMER_MAX_RECORD_BYTES", "2MiB"), ("STREAMER_MAX_REQUEST_BYTES", "1MiB")];
    assert_eq!(wrong(&sizes, &["--local"]).len(), 1);
}

#[test]
fn what_can_t_be_found_again_without_a_journal_is_not_promised_to_be_verified() {
    let remedy = "give the --journal of its run, whose digests can be compared, or choose from mouse, click, trade, message, iot, order, access-log";
    for event in ["template:t", "message"] {
        let event = format!("--event={event}");
        assert!(
            read_all(&[], &["--local", &event, "--verify"]).is_ok(),
            "the run itself knows what it stored"
        );
    }
    assert_eq!(
        wrong(&[("STREAMER_EVENT", "template:-")], &["verify", "--stream=s"]),
        [format!("STREAMER_EVENT: a template's events carry no identity to find them again by: {remedy}")]
    );
    assert!(remedy.contains(&EventKind::ALL.map(EventKind::name).join(", ")));
    // Another problem of the event is told as ever.
    assert!(wrong(&[], &["verify", "--stream=s", "--event=mice"]).concat().contains("but is \"mice\""));
}

#[test]
fn the_variables_of_a_config_are_the_whole_table() {
    let optional = [
        "--allowed-streams=*",
        "--duration=1s",
        "--max-records=1",
        "--local",
        "--max-request-records=1",
        "--journal=j",
        "--event=template:-",
        "--event-size=1KiB",
        "--inject=late:1%",
        "--answer-sheet=a",
        "--aggregation=51200B",
    ];
    let sizes = ["--max-request-bytes=1MiB", "--max-record-bytes=1MiB", "--verify-timeout=1s"];
    let mut names = BTreeSet::new();
    // Not all can stand together.
    let loads = [
        &["--messages=1", "--profile=ramp:1..2/3s", "--instance-count=1", "--instance-index=0"][..],
        &["--rate=5/s", "--start-at=0"],
        &["--replay=t", "--speed=2"],
    ];
    for load in loads {
        let config = run(&[], &[&optional[..], &sizes[..], load].concat());
        names.extend(config.variables().into_iter().map(|(name, _)| name));
    }
    assert_eq!(names, SETTINGS.iter().map(|setting| setting.name).collect());
}

#[test]
fn a_cron_expression_that_is_never_due_is_wrong() {
    // Day of month and weekday must both match, as in the scheduler: no 30 February is a Monday.
    for never in ["0 0 0 30 2 *", "0 0 0 30 2 MON"] {
        let lines = wrong(&[("STREAMER_CRON", never)], &["--local"]);
        assert!(lines.len() == 1 && lines[0].ends_with("(no date matches it)"), "{lines:?}");
    }
    assert_eq!(run(&[], &["--local", "--cron", "0 0 0 29 2 MON"]).load.cron.as_str(), "0 0 0 29 2 MON");
}

#[test]
fn what_has_no_effect_is_noticed() {
    let config = run(&[("STREAMER_MAX_ATTEMPTS", "3")], &["--local", "--retry=none"]);
    assert_eq!(config.notices, ["STREAMER_MAX_ATTEMPTS has no effect, because --retry is none"]);
    assert_eq!(run(&[], &["--local", "--retry=none"]).notices, [""; 0]);
    let config = run(&[("STREAMER_JOURNAL", "j")], &["--dry-run"]);
    assert_eq!(config.notices, ["STREAMER_JOURNAL has no effect, because --dry-run is true"]);
    let config = run(&[("STREAMER_ANSWER_SHEET", "a")], &["--local"]);
    assert_eq!(config.notices, ["STREAMER_ANSWER_SHEET has no effect, because STREAMER_INJECT is not given"]);
}

#[test]
fn a_log_filter_is_levels_and_directives_and_a_lone_word_must_be_a_level() {
    for right in ["info", "OFF", "info,kinesis_streamer=debug", "warn,hyper=trace"] {
        assert_eq!(run(&[("STREAMER_LOG", right)], &["--local"]).log.filter, right);
    }
    for wrong_one in [
        "verbose",
        "info,kinesis_streamer",
        "info=nothing",
        "a=b=c",
        "[span{a=1}]=debug",
        ",",
        "info,",
        "warn, hyper=trace",
        "info,\u{2003}a=\u{dde77}b",
    ] {
        assert!(read_all(&[("STREAMER_LOG", wrong_one)], &["--local"]).is_err(), "{wrong_one}");
    }
}

#[test]
fn the_producer_is_named_after_the_seed_alone() {
    let producer = |seed: &str| run(&[("STREAMER_SEED", seed)], &["--local"]).producer;
    assert_eq!(producer("1"), "p-910a2dec");
    assert_ne!(producer("1"), producer("2"));
    assert_eq!(run(&[], &["--local", "--seed=1", "--jobs=3"]).producer, producer("1"));
    assert_eq!(run(&[], &["--local", "--instance=me.1"]).producer, "me.1");
    for wrong_one in ["", "a b", "ä", &"a".repeat(65)] {
        assert_eq!(wrong(&[("STREAMER_INSTANCE", wrong_one)], &["--local"]).len(), 1, "{wrong_one}");
    }
}
