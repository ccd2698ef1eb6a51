//! The corners of every setting: its bounds and beyond, nothing, far too much, twice, and nearly its name.

use super::*;
use crate::config::setting::span;

/// Values at the bounds of a setting (legal) and beyond them (not).
fn edges(setting: &Setting) -> (Vec<String>, Vec<String>) {
    let own = |legal: &[&str], wrong: &[&str]| {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        (owned(legal), owned(wrong))
    };
    match setting.form {
        Form::Number { min, max } => {
            let beyond =
                max.checked_add(1).map_or("18446744073709551616".to_owned(), |more| more.to_string());
            let mut wrong = vec![beyond, "-1".into(), "1.5".into(), "0x10".into(), "1e3".into(), "١".into()];
            wrong.extend(min.checked_sub(1).map(|less| less.to_string()));
            (vec![min.to_string(), max.to_string()], wrong)
        }
        Form::Bytes { min, max } => {
            let wrong =
                [(min - 1).to_string(), (max + 1).to_string(), "1GiB".into(), "-1".into(), "1 .5KB".into()];
            (vec![min.to_string(), max.to_string()], wrong.into())
        }
        Form::Duration { min, max } => {
            let mut wrong = vec![span(max + Duration::from_nanos(1)), "10".into(), "-1s".into(), "1x".into()];
            wrong.extend(min.checked_sub(Duration::from_nanos(1)).map(span));
            (vec![span(min), span(max)], wrong)
        }
        Form::OneOf(words) => {
            let upper = words.iter().map(|word| word.to_uppercase());
            let spaced = words.iter().map(|word| format!(" {word}"));
            (words.iter().map(|word| (*word).to_owned()).collect(), upper.chain(spaced).collect())
        }
        Form::Own(_) => match setting.flag {
            "stream" => own(
                &["s", &"a".repeat(128), "arn:aws:kinesis:eu-west-1:123456789012:stream/s"],
                &[&"a".repeat(129), "a/b", "ä", "arn:aws:kinesis:eu-west-1:12345678901:stream/s"],
            ),
            "report" => own(
                &["run.json", "a b/é.html,{instance}.json"],
                &["run.pdf", "a.json,a.json", ",", "json", "a.json,"],
            ),
            "fail-if" => own(
                &["p99 > 250ms", "client_limited;sent<1;"],
                &[";", "p99", "p99 > 1", "client_limited > 1", "P99 > 1ms"],
            ),
            "local" => own(&["1", "1000", "true"], &["0", "1001", "yes", "TRUE"]),
            "allowed-streams" => {
                own(&["*", &["a"; 100].join(",")], &[",", "a,", "a b", &["a"; 101].join(",")])
            }
            "cron" => {
                own(&["* * * * * *", "59 59 23 31 12 7"], &["* * * * *", "60 * * * * *", "* * * 0 * *"])
            }
            "partition-key" => own(
                &[&format!("constant:{}", "é".repeat(256)), "field:/"],
                &[&format!("constant:{}", "é".repeat(257)), "field:", "constant:", "Random"],
            ),
            "event" => own(
                &["mouse", "message", "template:-", "template:a b/é", "iot:0.000001,template:a b:1"],
                &["Mouse", " mouse", "template", "template:", "Template:x"],
            ),
            "rate" => own(
                &["10000000/s", "0.000001/h", "10000MiB/s"],
                &["0/s", "10000001/s", "-5/s", "5/day", "x2", "10001MiB/s", "0.0000001/s"],
            ),
            "profile" => own(
                &["ramp:0..10000000/366d", "steps:0.000001/1ms", "sine:x1±x1/2048ms", "weekly:a b", "a.toml"],
                &[
                    "ramp:0..10000001/366d",
                    "ramp:1..2/367d",
                    "sine:1±2/1m",
                    "RAMP:1..2/3s",
                    "5000",
                    "a\u{7}:é",
                ],
            ),
            "replay" => own(&["t", "/tmp/a trace.gz"], &[""]),
            "speed" => own(&["0.001", "1000", "1.5"], &["0", "0.0009", "1000.0001", "x2", "1e2", "-1"]),
            "price-shard-hour" | "price-put-units" | "price-stream-hour" | "price-gb-in" => {
                own(&["0", "0.000001", "1000000"], &["1000000.1", "-1", "0.0000001", "1e3", ".5", "$1"])
            }
            "max-cost" => own(&["0.000001", "1000000"], &["0", "0.0", "1000001", "-1", "1e3"]),
            "journal" => own(&["j", "/tmp/a journal"], &[""]),
            "answer-sheet" => own(&["j", "/tmp/a sheet"], &[""]),
            "event-size" => own(
                &["500B", "10MiB", "uniform:500B..10MiB", "lognormal:600,p99=600,most=10MiB"],
                &["0", "11MiB", "1.5KiB", "uniform:2KiB..1KiB", "lognormal:1KiB", "lognormal:2KiB,p99=1KiB"],
            ),
            "inject" => own(
                &["late:0.0001%/1ms", "late:100%/366days", "duplicate:0.0999%/1000", "oversize:1%/10MiB"],
                &[
                    "late",
                    "late:1",
                    "late:0%",
                    "late:101%",
                    "late:1%/0s",
                    "duplicate:1%/1001",
                    "reordered:60%",
                    "z:1%",
                ],
            ),
            "instance" => own(&["a", &"a".repeat(64)], &[&"a".repeat(65), "a b", "é"]),
            "listen" => own(&["0.0.0.0:0", "[::]:65535", "off"], &["1.2.3.4:65536", ":80", "1.2.3.4", "OFF"]),
            "start-at" => own(
                &["0", "253402300799", "9999-12-31T23:59:59Z", "+1s", "+24h"],
                &["253402300800", "1969-12-31T23:59:59Z", "+0s", "+86401s", "+1ms", "12:00"],
            ),
            "control-token" => own(
                &[&"a".repeat(16), &"~".repeat(256)],
                &[&"a".repeat(15), &"a".repeat(257), "a b c d e f g h i j"],
            ),
            "log" => own(&["off", "TRACE"], &["verbose", "a b", "é"]),
            other => panic!("name the edges of {other}"),
        },
    }
}

/// The lines about one value, given by variable and by flag.
fn told(setting: &Setting, value: &str) -> [Vec<String>; 2] {
    let stream = ("AWS_KINESIS_STREAM_NAME", "s");
    let lines = |read: Result<Invocation, Problems>| {
        read.err().map_or(Vec::new(), |all| all.iter().map(ToString::to_string).collect())
    };
    let flag = format!("--{}={value}", setting.flag);
    let beside = beside(setting);
    // Where a name stands twice, the first counts.
    let by_variable = [&[(setting.name, value), stream], beside].concat();
    [lines(read_all(&by_variable, &[])), lines(read_all(&[&[stream], beside].concat(), &[&flag]))]
}

#[test]
fn every_setting_takes_its_bounds_and_nothing_beyond() {
    for setting in SETTINGS {
        let (legal, wrong) = edges(setting);
        for value in legal {
            assert_eq!(
                told(setting, &value),
                [const { Vec::<String>::new() }; 2],
                "{}={value}",
                setting.name
            );
        }
        let absurd = [String::new(), "\u{0}".to_owned(), "z".repeat(100_000)];
        // What a path may be, the system says.
        let absurd = absurd.into_iter().filter(|value| {
            value.is_empty() || !["journal", "replay", "answer-sheet"].contains(&setting.flag)
        });
        for value in wrong.into_iter().chain(absurd) {
            let flag = format!("--{}", setting.flag);
            for (origin, lines) in [setting.name, &flag].into_iter().zip(told(setting, &value)) {
                let [line] = &lines[..] else { panic!("{origin}={value:.40}: {lines:?}") };
                let shown = Shown::value(&value, setting.secret);
                let start = format!("{origin}: must be {}, but is {shown}", setting.form.rule());
                assert!(line.starts_with(&start), "{line}\n{start}");
                assert!(line.chars().count() < 500, "{} characters", line.chars().count());
            }
        }
    }
}

#[test]
fn a_flag_given_twice_without_its_value_or_nearly_right_is_named() {
    for setting in SETTINGS {
        let flag = format!("--{}", setting.flag);
        let with = |value: &str| format!("{flag}={value}");
        let (legal, _) = edges(setting);
        // What may stand several times is a list.
        if setting.many.is_none() {
            let lines = wrong(&[("STREAM_NAME", "s")], &[&with(&legal[0]), &with(&legal[0])]);
            assert!(
                lines.len() == 1 && lines[0].contains(&flag) && lines[0].contains("multiple times"),
                "{lines:?}"
            );
        }

        if !setting.switch {
            let lines = wrong(&[("STREAM_NAME", "s")], &[&flag]);
            assert!(
                lines.len() == 1 && lines[0].contains(&flag) && lines[0].contains("required"),
                "{lines:?}"
            );
        }

        // One letter less. It may happen to be nearer to another flag.
        let near = &flag[..flag.len() - 1];
        let lines = wrong(&[("STREAM_NAME", "s")], &[&format!("{near}={}", legal[0])]);
        assert!(
            lines.len() == 1 && lines[0].starts_with(&format!("{near}: no such flag; did you mean --")),
            "{lines:?}"
        );
    }
}

proptest::proptest! {
    // Law: however many settings are wrong, by variable or by flag, each is reported, once, and nothing else is.
    #[test]
    fn all_that_is_wrong_is_reported_at_once(chosen in proptest::collection::vec(proptest::option::weighted(0.5, proptest::bool::ANY), SETTINGS.len())) {
        let (mut variables, mut arguments, mut origins) = (vec![("STREAM_NAME", "s".to_owned())], Vec::new(), Vec::new());
        for (setting, by_flag) in SETTINGS.iter().zip(chosen) {
            let value = edges(setting).1.swap_remove(0);
            match by_flag {
                None => continue,
                Some(true) => {
                    arguments.push(format!("--{}={value}", setting.flag));
                    origins.push(format!("--{}: must be ", setting.flag));
                }
                Some(false) => {
                    variables.push((setting.name, value));
                    origins.push(format!("{}: must be ", setting.name));
                }
            }
        }
        let program = std::iter::once("x".to_owned());
        let lines: Vec<String> = match read(variables, program.chain(arguments), FRESH) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.iter().map(ToString::to_string).collect(),
        };
        proptest::prop_assert_eq!(lines.len(), origins.len(), "{:?}", &lines);
        for origin in origins {
            proptest::prop_assert!(lines.iter().any(|line| line.starts_with(&origin)), "{}: {:?}", origin, &lines);
        }
    }
}
