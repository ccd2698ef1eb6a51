//! Every rule is true: what it gives as an example, a bound or a default is legal, and the help tells it.

use super::*;

/// What the rule of a setting itself says is legal, each as it stands in the rule.
fn examples(setting: &Setting) -> Vec<String> {
    match setting.form {
        Form::Number { min, max } => vec![min.to_string(), max.to_string()],
        Form::OneOf(words) => words.iter().map(|word| (*word).to_owned()).collect(),
        Form::Bytes { .. } | Form::Duration { .. } => {
            let rule = setting.form.rule();
            let with_digits =
                rule.split([' ', ',']).filter(|word| word.starts_with(|c: char| c.is_ascii_digit()));
            with_digits.map(str::to_owned).collect()
        }
        Form::Own(_) => {
            let examples: &[&str] = match setting.flag {
                "stream" => &[],
                "allowed-streams" => &["*"],
                "local" => &["true", "false", "1", "1000"],
                "cron" => &[],
                "partition-key" => &[
                    "random",
                    "constant:TEXT",
                    "job",
                    "user",
                    "field:/json/pointer",
                    "explicit",
                    "round-robin",
                ],
                "rate" => &["5000/s", "300/min", "12MB/s", "1.5MiB/s"],
                "profile" => &[
                    "ramp:100..5000/5m",
                    "steps:1000,2000,4000/60s",
                    "sine:1000±500/10m",
                    "spike:500,x10@2m/15s",
                    "constant:500/10m",
                    "weekly:FILE",
                ],
                "event" => &[
                    "mouse",
                    "click",
                    "trade",
                    "message",
                    "iot",
                    "order",
                    "access-log",
                    "template:FILE",
                    "template:-",
                    "mouse:0.8,click:0.2",
                ],
                "event-size" => &["1KiB"],
                "inject" => &[
                    "late:1%/30s",
                    "duplicate:0.5%/3",
                    "reordered:2%/10",
                    "malformed:0.1%",
                    "oversize:0.01%/256KiB",
                ],
                "answer-sheet" => &[],
                "instance" => &[],
                "start-at" => &["2026-11-21T12:00:00Z", "+30s", "+1s", "+24h"],
                "journal" | "replay" => &[],
                "speed" => &["0.001", "1000"],
                "listen" => &["127.0.0.1:9464", "[::]:9464", "off"],
                "log" => &["off", "error", "warn", "info", "debug", "trace", "info,kinesis_streamer=debug"],
                other => panic!("name the examples of {other}"),
            };
            examples.iter().map(|example| (*example).to_owned()).collect()
        }
    }
}

#[test]
fn what_a_rule_gives_as_an_example_is_legal() {
    for setting in SETTINGS {
        let mut examples = examples(setting);
        for example in &examples {
            assert!(setting.form.rule().contains(example.as_str()), "{}: {example}", setting.name);
        }
        match setting.form {
            Form::Duration { .. } => assert!(examples.len() >= 3, "{examples:?}"),
            Form::Bytes { .. } => assert_eq!(examples.len(), 2, "{examples:?}"),
            _ => {}
        }
        if let Absent::Value(default) = setting.absent {
            examples.push(default.to_owned());
        }
        for example in examples {
            let flag = format!("--{}={example}", setting.flag);
            let stream = [&[("AWS_KINESIS_STREAM_NAME", "s")], beside(setting)].concat();
            assert!(read_all(&stream, &[&flag]).is_ok(), "{flag}: {:?}", read_all(&stream, &[&flag]));
        }
    }
}

#[test]
fn the_help_tells_what_every_flag_takes() {
    let Ok(Invocation::Help(text)) = read_all(&[], &["--help"]) else { panic!("no help") };
    for setting in SETTINGS {
        assert!(text.contains(&format!("Takes {}\n", setting.form.rule())), "{}", setting.name);
    }
}

#[test]
fn a_usage_names_the_program_and_its_subcommand() {
    for (arguments, usage) in [
        (&["--help"][..], "Usage: kinesis-streamer [OPTIONS]\n"),
        (&["sample", "--help"], "Usage: kinesis-streamer sample [OPTIONS] [N]\n"),
        (&["local", "--help"], "Usage: kinesis-streamer local [OPTIONS]\n"),
        (&["verify", "--help"], "Usage: kinesis-streamer verify [OPTIONS]\n"),
        (&["journal", "--help"], "Usage: kinesis-streamer journal [OPTIONS] [FILE]\n"),
        (&["lint", "--help"], "Usage: kinesis-streamer lint [OPTIONS] <TEMPLATE>\n"),
        (&["plan", "--help"], "Usage: kinesis-streamer plan [OPTIONS]\n"),
        (
            &["import", "kdg", "--help"],
            "Usage: kinesis-streamer import kdg [OPTIONS] <TEMPLATES.json> [PERIODS.json]\n",
        ),
    ] {
        let Ok(Invocation::Help(text)) = read_all(&[], arguments) else { panic!("no help") };
        assert!(text.contains(usage), "{text}");
    }
}

#[test]
fn a_wrong_value_is_explained_once_and_in_words() {
    assert_eq!(
        wrong(&[], &["--local", "--partition-key=foo"]),
        [
            "--partition-key: must be one of random, constant:TEXT, job, user, field:/json/pointer, uniform:keys=N, zipf:EXPONENT,keys=N, hot:SHARE%@SHARD[,rotate=TIME], explicit, round-robin, but is \"foo\""
        ]
    );
    let cron = |text: &str| wrong(&[], &["--local", &format!("--cron={text}")]).concat();
    assert!(cron("@hourly").ends_with("but is \"@hourly\" (it has 1 field)"));
    let told = cron("0 0 61 * * *");
    assert!(
        told.contains("(the hour 61 is malformed or out of its range, 0 to 23: Component error: "),
        "{told}"
    );
}
