//! The settings' laws: they hold for every environment and every command line.

use proptest::prelude::*;

use super::*;

/// Values that come near to what some setting takes.
fn value() -> impl Strategy<Value = String> {
    let number = "(-|\\+)?[0-9]{0,21}(ms|s|m|h|d|KB|MiB|B)?";
    let word = "true|false|off|none|burst|random|user|field:/[a-z~]{0,3}|constant:.{0,3}|[a-z.:]{0,9}";
    let cron = "([0-9*/,#LW+?-]{1,4} ){4,6}[A-Z0-9*#L+-]{1,4}";
    let filter = "(debug|info),?[a-z]{0,4}(=trace)?|[a-z=,\\[\\]{}:.*(0-9]{0,16}";
    let any_number = any::<u64>().prop_map(|number| number.to_string());
    prop_oneof![number, word, cron, filter, ".{0,100}", any_number]
}

fn variables() -> impl Strategy<Value = Vec<(String, String)>> {
    let known: Vec<&str> = SETTINGS.iter().flat_map(Setting::names).collect();
    let name = prop_oneof![
        20 => prop::sample::select(known).prop_map(str::to_owned),
        1 => "(STREAMER_)?[A-Za-zé_]{0,12}",
        1 => prop::sample::select(AWS_VARIABLES).prop_map(|variable| variable.name.to_owned()),
    ];
    prop::collection::vec((name, value()), 0..8)
}

fn arguments() -> impl Strategy<Value = Vec<String>> {
    let flags: Vec<&str> = SETTINGS.iter().map(|setting| setting.flag).collect();
    let flag = prop::sample::select(flags);
    let argument = prop_oneof![
        4 => (flag.clone(), value()).prop_map(|(flag, value)| format!("--{flag}={value}")),
        1 => flag.prop_map(|flag| format!("--{flag}")),
        1 => value(),
        1 => prop::sample::select(vec!["sample", "local", "--null", "--help", "--", "-", "--port=1", "help"]).prop_map(str::to_owned),
        1 => "-{0,2}[a-zé=]{0,8}",
    ];
    prop::collection::vec(argument, 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    // Law: whatever stands in the environment and on the command line, there is an answer; a refusal
    // names at least one problem, and each names settings of the table or is about something unknown.
    #[test]
    fn no_input_panics_and_every_problem_is_about_a_setting(variables in variables(), arguments in arguments()) {
        let program = std::iter::once("x".to_owned());
        if let Err(problems) = read(variables, program.chain(arguments), FRESH) {
            prop_assert!(problems.iter().count() > 0);
            for problem in problems.iter() {
                let settings = problem.settings();
                let known = settings.iter().all(|name| SETTINGS.iter().any(|setting| setting.name == *name));
                let named = settings.iter().any(|_| true) || matches!(
                    problem,
                    Problem::Empty { .. } | Problem::UnknownVariable { .. } | Problem::UnknownFlag { .. } | Problem::Arguments(_) | Problem::Wrong { setting: None, .. }
                );
                prop_assert!(known && named, "{problem}");
                let line = problem.to_string();
                prop_assert!(!line.chars().any(char::is_control), "{line:?}");
                prop_assert!(line.chars().count() < 1_000);
            }
        }
    }

    // Law: the variables of a config make the same config again, and nothing is said about them.
    #[test]
    fn a_config_is_made_again_by_its_variables(
        (jobs, messages) in (1_u32..=10_000, 1_u32..=1_000),
        (seed, instance) in (any::<u64>(), prop::option::of("[A-Za-z0-9_.-]{1,60}")),
        (drain, request, duration) in (0_u64..=3_600_000, 1_u64..=3_600_000, prop::option::of(1_u64..=31_536_000)),
        (record, entries) in (prop::option::of(1_024_u64..=10_485_760), prop::option::of(1_u64..=500)),
        local in prop::option::of(1_u32..=1_000),
        key in prop_oneof![
            Just("random".to_owned()), Just("job".to_owned()), "constant:\\PC{1,256}", "field:(/([a-z/]|~0|~1){0,9}){1,3}"
        ],
        pacing in prop::sample::select(&Pacing::ALL[..]),
        (event, mode) in prop_oneof![
            (prop::sample::select(vec!["mouse", "click", "trade"]), Just(None)),
            (Just("template:a b.json"), prop::option::of(prop::sample::select(&TemplateMode::ALL[..]))),
        ],
        (listen, start) in (
            prop::sample::select(vec!["off", "[::1]:1", "0.0.0.0:0"]),
            prop::option::of(prop_oneof!["[0-9]{1,11}", "\\+[1-9][0-9]{0,3}s"]),
        ),
        instances in prop::option::of((1_u32..50).prop_flat_map(|count| (0..count, Just(count)))),
    ) {
        let mut variables = vec![
            ("AWS_KINESIS_STREAM_NAME", "orders".to_owned()),
            ("CRON_JOBS_TO_GENERATE", jobs.to_string()),
            ("MESSAGES_PER_CRON_JOB", messages.to_string()),
            ("STREAMER_SEED", seed.to_string()),
            ("STREAMER_DRAIN_TIMEOUT", format!("{drain}ms")),
            ("STREAMER_REQUEST_TIMEOUT", format!("{request}ms")),
            ("STREAMER_PARTITION_KEY", key),
            ("STREAMER_PACING", pacing.to_string()),
            ("STREAMER_EVENT", event.to_string()),
            ("STREAMER_LISTEN", listen.to_owned()),
        ];
        variables.extend(mode.map(|mode| ("STREAMER_TEMPLATE_MODE", mode.to_string())));
        variables.extend(instance.map(|name| ("STREAMER_INSTANCE", name)));
        variables.extend(start.map(|start| ("STREAMER_START_AT", start)));
        let instances = instances.filter(|(_, count)| u64::from(*count) <= u64::from(jobs) * u64::from(messages));
        if let Some((index, count)) = instances {
            variables.push(("STREAMER_INSTANCE_INDEX", index.to_string()));
            variables.push(("STREAMER_INSTANCE_COUNT", count.to_string()));
        }
        variables.extend(duration.map(|seconds| ("STREAMER_DURATION", format!("{seconds}s"))));
        variables.extend(record.map(|bytes| ("STREAMER_MAX_RECORD_BYTES", bytes.to_string())));
        variables.extend(entries.map(|count| ("STREAMER_MAX_REQUEST_RECORDS", count.to_string())));
        variables.extend(local.map(|shards| ("STREAMER_LOCAL", shards.to_string())));
        let first = read(variables, ["x"], FRESH);
        let Ok(Invocation::Run(config)) = &first else { panic!("{first:?}") };
        let again = read(config.variables(), ["x"], !FRESH);
        prop_assert_eq!(again.as_ref(), first.as_ref());
    }
}
