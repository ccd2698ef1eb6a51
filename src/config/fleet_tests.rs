//! What a process is among several, by its settings and by where it runs.

use super::*;
use crate::config::{Config, Invocation, read_here};

const SEED: u64 = 7;

fn on(host: &str, variables: &[(&str, &str)], arguments: &[&str]) -> Result<Config, crate::config::Problems> {
    let here = Here { fresh_seed: SEED, host: (!host.is_empty()).then(|| host.to_owned()) };
    let dry = if arguments.contains(&"--local") { &["x"][..] } else { &["x", "--dry-run"] };
    let arguments = dry.iter().copied().chain(arguments.iter().copied());
    match read_here(variables.iter().copied(), arguments, here) {
        Ok(Invocation::Run(config)) => Ok(*config),
        Ok(other) => panic!("{other:?}"),
        Err(problems) => Err(problems),
    }
}

fn right(host: &str, variables: &[(&str, &str)], arguments: &[&str]) -> Config {
    on(host, variables, arguments).unwrap_or_else(|problems| panic!("{problems}"))
}

fn wrong(host: &str, variables: &[(&str, &str)], arguments: &[&str]) -> String {
    let problems = on(host, variables, arguments).expect_err("something is wrong");
    assert_eq!(problems.iter().count(), 1, "{problems}");
    problems.to_string()
}

fn index(config: &Config) -> Option<(u32, u32)> {
    config.share.map(|share| (share.index(), share.count()))
}

#[test]
fn the_index_is_taken_from_the_first_that_names_one_and_a_guess_is_told() {
    const COUNT: (&str, &str) = ("STREAMER_INSTANCE_COUNT", "5");
    let (job, slot) = (("JOB_COMPLETION_INDEX", "2"), ("STREAMER_INSTANCE_SLOT", "2"));
    let by_hand = ("STREAMER_INSTANCE_INDEX", "0");
    for (host, variables, index, by) in [
        ("p-4", &[COUNT, job, by_hand][..], 0, None),
        ("p-4", &[COUNT, job, slot], 1, None),
        ("p-4", &[COUNT, job], 2, Some("JOB_COMPLETION_INDEX")),
        ("p-4", &[COUNT], 4, Some("the host's name")),
        ("a-b-3.svc.cluster.local", &[COUNT], 3, Some("the host's name")),
    ] {
        let config = right(host, variables, &[]);
        assert_eq!(config.share, Share::new(index, 5), "{variables:?}");
        let told: Vec<_> = by
            .map(|by| format!("this is instance {index} of 5 (counted from 0), by {by}"))
            .into_iter()
            .collect();
        assert_eq!(config.notices, told);
    }
    assert_eq!(index(&right("p-4", &[job, COUNT], &["--instance-index=3"])), Some((3, 5)));
    assert_eq!(index(&right("p-4", &[], &[])), None, "without a count, a host's number is only a name");
}

#[test]
fn who_can_t_be_told_from_the_others_is_refused() {
    let three = ("STREAMER_INSTANCE_COUNT", "3");
    for (host, variables, arguments, word) in [
        ("p", &[three][..], &[][..], "set STREAMER_INSTANCE_INDEX, from 0 to 2"),
        ("p-7d9f8b6c5d-x2x4v", &[three], &[], "does not end in one"),
        ("p-03", &[three], &[], "does not end in one"),
        ("", &[three], &[], "nothing says which of them"),
        ("p-3", &[three], &[], "the index 3, from the host's name, is not one of 3 instances"),
        ("", &[three], &["--instance-index=3"], "the index 3, from --instance-index, is not one of 3"),
        ("", &[three], &["--instance-slot=4"], "the index 3, from --instance-slot, is not one of 3"),
        (
            "",
            &[three],
            &["--instance-index=1", "--instance-slot=1"],
            "slot 1 is the instance with the index 0",
        ),
        ("", &[], &["--instance-index=0"], "STREAMER_INSTANCE_COUNT must say how many"),
        ("", &[], &["--instance-slot=1"], "STREAMER_INSTANCE_COUNT must say how many"),
        ("", &[three, ("JOB_COMPLETION_INDEX", "x")], &[], "JOB_COMPLETION_INDEX: must be a whole number"),
        ("p-0", &[three], &["--jobs=1", "--messages=2"], "3 instances can't share 2 records in a second"),
        ("p-0", &[three], &["--max-records=2"], "3 instances can't share 2 records: some"),
    ] {
        let told = wrong(host, variables, arguments);
        assert!(told.contains(word), "{variables:?} {arguments:?}: {told}");
    }
}

#[test]
fn an_index_that_nobody_asked_for_does_no_harm() {
    for value in ["1", "x"] {
        let config = right("", &[("JOB_COMPLETION_INDEX", value)], &[]);
        assert_eq!(config.share, None);
        assert!(config.notices[0].contains("gives the whole load"), "{:?}", config.notices);
    }
}

#[test]
fn a_name_is_given_or_made_from_the_seed_or_of_the_host() {
    let name = |host: &str, arguments: &[&str]| right(host, &[], arguments).producer;
    assert_eq!(name("", &["--seed=7"]), name("pod-x", &["--seed=7"]), "the same seed gives the same bytes");
    assert_eq!(name("pod-x", &[]), format!("pod-x{}", &name("", &["--seed=7"])[1..]));
    assert_eq!(name("pod-x", &["--instance=me"]), "me");
    assert_eq!(name("p ö/d", &[]), format!("pd{}", &name("", &[])[1..]));
    let long = name(&"h".repeat(300), &["--instance-count=10000", "--instance-index=9999", "--jobs=1000"]);
    assert!(is_instance(&long) && long.ends_with("-9999"), "{long}");
    assert_eq!(name("", &["--instance=me", "--instance-count=3", "--instance-index=1"]), "me-1");
    assert_eq!(name("", &["--instance=me-1", "--instance-count=3", "--instance-index=1"]), "me-1");
    let long = format!("--instance={}", "x".repeat(64));
    let told = wrong("", &[], &[&long, "--instance-count=3", "--instance-index=1"]);
    assert!(told.contains("more than 64 characters"), "{told}");
}

#[test]
fn instances_that_are_told_one_path_write_journals_of_their_own() {
    let path = |index: &str| {
        let variables =
            [("STREAMER_JOURNAL", "/journals/{instance}.journal"), ("STREAMER_INSTANCE_INDEX", index)];
        let config = right("", &variables, &["--instance-count=2", "--instance=load", "--local"]);
        config.journal.expect("a journal")
    };
    assert_eq!(path("0").to_str(), Some("/journals/load-0.journal"));
    assert_eq!(path("1").to_str(), Some("/journals/load-1.journal"));
}

proptest::proptest! {
    // Law: whatever names instances are given, two of different indexes never have one name.
    #[test]
    fn two_instances_never_have_one_name(
        one in "[a-c0-2-]{1,9}", other in "[a-c0-2-]{1,9}", first in 0_u32..30, second in 0_u32..30,
    ) {
        let same = name_in_fleet(&one, first) == name_in_fleet(&other, second);
        proptest::prop_assert!(!same || first == second);
    }

    // Law: a start that is told from now on is a multiple of what was told, at least that and less than twice that away;
    // so whoever is told so inside one stretch between two multiples begins at one moment.
    #[test]
    fn a_start_that_is_told_from_now_on_is_the_same_for_all_of_one_stretch(
        stretch in 1_u64..=86_400, second in 1_u64..4_000_000_000, late in 0.0_f64..1.0,
    ) {
        let (now, start) = (Duration::from_secs(second), StartAt::After(Duration::from_secs(stretch)));
        let moment = start.moment(now);
        proptest::prop_assert_eq!(moment.as_secs() % stretch, 0);
        proptest::prop_assert!(moment >= now + Duration::from_secs(stretch));
        proptest::prop_assert!(moment < now + Duration::from_secs(2 * stretch));
        let left = (moment - now).as_secs() - stretch;
        let other = now + Duration::from_secs_f64(late * left as f64);
        proptest::prop_assert_eq!(start.moment(other), moment);
    }
}

#[test]
fn a_start_is_a_time_seconds_since_1970_or_from_now_on() {
    for (text, start) in [
        ("1970-01-01T00:01:00Z", StartAt::Moment(60_000)),
        ("1970-01-01T00:00:00.250Z", StartAt::Moment(250)),
        ("1795262400", StartAt::Moment(1_795_262_400_000)),
        ("+30s", StartAt::After(Duration::from_secs(30))),
        ("+1m 5s", StartAt::After(Duration::from_secs(65))),
    ] {
        assert_eq!(text.parse(), Ok(start), "{text}");
        assert_eq!(start.to_string().parse(), Ok(start), "{start}");
    }
    for text in [
        "",
        "+",
        "+0s",
        "+500ms",
        "+25h",
        "30s",
        "now",
        "2026-11-21",
        "1795262400000",
        "-1",
        "1.5",
        "+99999999999999999y",
    ] {
        assert_eq!(text.parse::<StartAt>(), Err(()), "{text}");
    }
}
