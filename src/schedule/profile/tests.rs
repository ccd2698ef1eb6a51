//! Laws of profiles: what is due adds up, weeks go straight over midnight, files tell all that is wrong with them.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::schedule::quantity::MICRO;
use crate::schedule::{Measure, Rate, Shaped};

const HOUR: u64 = 3_600_000;

/// 2026-11-22 was a Sunday.
const SUNDAY: u64 = 1_795_305_600_000;

fn start(wall_millis: u64) -> Start {
    Start { wall_millis, seed: 7 }
}

fn one_line(text: &str) -> Profile {
    match inline(text) {
        Ok(Inline::Profile(profile)) => profile,
        other => panic!("{text}: {other:?}"),
    }
}

fn shaped(profile: Profile) -> Shaped {
    Shaped::new(Arc::new(profile), "10/s".parse::<Rate>().expect("legal"))
}

fn profiles() -> impl Strategy<Value = Profile> {
    let number = 0_u64..100_000;
    let inline = prop_oneof![
        (number.clone(), number.clone(), 1_u64..100_000)
            .prop_map(|(a, b, ms)| format!("ramp:{a}..{b}/{ms}ms")),
        (number.clone(), number.clone(), 1_u64..50_000)
            .prop_map(|(a, b, ms)| format!("steps:{a}.25,{b}/{ms}ms")),
        (number.clone(), 0_u64..=100, 2_048_u64..90_000)
            .prop_map(|(mean, share, ms)| format!("sine:{mean}+-{}/{ms}ms", mean * share / 100)),
        (number, 0_u64..100, 0_u64..90_000, 1_u64..20_000)
            .prop_map(|(base, times, at, ms)| format!("spike:{base},x{times}@{at}ms/{ms}ms")),
    ]
    .prop_map(|text| one_line(&text));
    let phased = proptest::collection::vec((inline.clone(), 1_u64..40_000), 1..5).prop_flat_map(|parts| {
        let phases: Vec<_> = parts
            .into_iter()
            .map(|(profile, length)| (String::new(), profile.phases()[0].line.clone(), Some(length)))
            .collect();
        prop_oneof![Just(None), (1_u64..4).prop_map(Some)]
            .prop_map(move |times| Profile::phased("p", Unit::Records, phases.clone(), times))
    });
    prop_oneof![inline, phased]
}

proptest! {
    // However a time is cut into spans, what is due in them adds up to what is due in the whole; nothing is negative.
    #[test]
    fn what_is_due_adds_up(profile in profiles(), cuts in proptest::collection::vec(0_u64..200_000, 1..30)) {
        let (shaped, start) = (shaped(profile), start(SUNDAY));
        let mut cuts = cuts;
        cuts.sort_unstable();
        let due = |at| shaped.due_until(&start, at);
        let last = cuts[cuts.len() - 1];
        prop_assert_eq!(due(0), 0);
        let mut sum = due(cuts[0]);
        for pair in cuts.windows(2) {
            prop_assert!(due(pair[0]) <= due(pair[1]), "shrinks from {} to {}", pair[0], pair[1]);
            sum += due(pair[1]) - due(pair[0]);
        }
        prop_assert_eq!(sum, due(last));
    }

    // Second after second the quotas are what is due, never more than the peak, and all of it.
    #[test]
    fn the_seconds_add_up(profile in profiles(), seconds in 1_u64..120) {
        let (shaped, start) = (shaped(profile), start(SUNDAY));
        let all: Vec<u64> = (0..seconds).map(|second| shaped.second(&start, second * 1_000).amount).collect();
        prop_assert_eq!(all.iter().sum::<u64>(), shaped.due_until(&start, seconds * 1_000));
        prop_assert_eq!(shaped.total(&start, seconds * 1_000), shaped.due_until(&start, seconds * 1_000));
        prop_assert!(all.iter().all(|&amount| amount <= shaped.peak() + 1));
    }
}

#[test]
fn a_profile_of_factors_is_times_the_base_and_another_replaces_it() {
    let base: Rate = "300/min".parse().expect("legal");
    let times = Shaped::new(Arc::new(one_line("steps:x2,x4/10s")), base);
    assert_eq!((times.due_until(&start(0), 20_000), times.peak()), (300, 20));
    let own = Shaped::new(Arc::new(one_line("steps:2,4/10s")), base);
    assert_eq!((own.due_until(&start(0), 20_000), own.measure()), (60, Measure::Records));
    let bytes = Shaped::new(Arc::new(one_line("steps:x2,x4/10s")), "1MB/s".parse().expect("legal"));
    assert_eq!((bytes.peak(), bytes.measure()), (4_000_000, Measure::Bytes));
}

fn hours(of: impl Fn(usize) -> u64) -> Hours {
    std::array::from_fn(|hour| of(hour) * MICRO)
}

#[test]
fn a_smooth_week_goes_straight_over_midnight_and_over_the_weeks_end() {
    let mean = hours(|hour| match hour {
        23 => 100,
        24 => 300,  // Monday's first hour
        167 => 500, // Saturday's last
        0 => 900,   // Sunday's first
        _ => 0,
    });
    let rate = |week: &Week, at: u64| {
        let profile = shaped(Profile::weekly("w", Unit::Records, week.clone()));
        profile.rate_between(&start(SUNDAY), at - 500, at + 500).round() as u64
    };
    let smooth = Week::new(&mean, &hours(|_| 0), Zone::UTC, true);
    let level = Week::new(&mean, &hours(|_| 0), Zone::UTC, false);
    for (at, is_smooth, is_level) in [
        (23 * HOUR + 1_000, 100, 100),
        (23 * HOUR + HOUR / 2, 200, 100),
        (24 * HOUR - 1_000, 300, 100),
        (167 * HOUR + HOUR / 4, 600, 500),
        (168 * HOUR + 2_000, 900, 900),
        (191 * HOUR + HOUR / 2, 200, 100),
    ] {
        assert_eq!(rate(&smooth, at), is_smooth, "smooth at {at}");
        assert_eq!(rate(&level, at), is_level, "level at {at}");
    }
}

#[test]
fn a_week_goes_by_the_wall_clock_of_its_zone_summer_time_included() {
    let mean = hours(|hour| 1 + hour as u64 % 24);
    let hour = |zone: &str, wall: u64| {
        let week = Week::new(&mean, &hours(|_| 0), zone.parse().expect("a zone"), false);
        shaped(Profile::weekly("w", Unit::Records, week)).second(&start(wall), 0).amount - 1
    };
    assert_eq!((hour("UTC", SUNDAY), hour("+05:30", SUNDAY), hour("-01:00", SUNDAY)), (0, 5, 23));
    // 2026-10-25: Berlin's summer time ends at 01:00 UTC, when 03:00 becomes 02:00.
    let october = SUNDAY - 28 * 24 * HOUR;
    let berlin = |hours: u64| hour("Europe/Berlin", october + hours * HOUR);
    assert_eq!([0, 1, 2, 3].map(berlin), [2, 2, 3, 4]);
    // The same within one run that goes on over the change.
    let week = Week::new(&mean, &hours(|_| 0), "Europe/Berlin".parse().expect("a zone"), false);
    let run = shaped(Profile::weekly("w", Unit::Records, week));
    let within = [0, 1, 2, 3].map(|hours| run.second(&start(october), hours * HOUR).amount - 1);
    assert_eq!(within, [2, 2, 3, 4]);
}

#[test]
fn zones_are_read_as_they_are_shown_and_wrong_ones_told() {
    for text in ["UTC", "+05:30", "-11:00", "Europe/Berlin", "America/New_York"] {
        assert_eq!(text.parse::<Zone>().expect(text).to_string(), text);
    }
    for wrong in ["", "Mars/Olympus", "+5", "+15:00", "+05:60", "+ab:cd", "-é:00"] {
        assert!(wrong.parse::<Zone>().expect_err(wrong).contains("Europe/Berlin"), "{wrong}");
    }
}

#[test]
fn noise_is_the_seeds_never_negative_and_of_the_stated_deviation() {
    let week = Week::new(&hours(|_| 100), &hours(|_| 10), Zone::UTC, true);
    let profile = shaped(Profile::weekly("w", Unit::Records, week));
    let draw = |seed: u64| -> Vec<u64> {
        let start = Start { wall_millis: SUNDAY, seed };
        (0..10_000).map(|second| profile.second(&start, second * 1_000).amount).collect()
    };
    let (one, again, other) = (draw(1), draw(1), draw(2));
    assert!(one == again && one != other);
    let mean = one.iter().sum::<u64>() as f64 / 10_000.0;
    let deviation = (one.iter().map(|&n| (n as f64 - mean).powi(2)).sum::<f64>() / 10_000.0).sqrt();
    assert!((mean - 100.0).abs() < 0.5 && (deviation - 10.0).abs() < 0.5, "{mean} ± {deviation}");
    assert!(one.iter().all(|&amount| amount <= profile.peak()));
    assert_eq!(profile.total(&start(SUNDAY), 10_000_000), draw(7).iter().sum::<u64>());
    let wild = Week::new(&hours(|_| 1), &hours(|_| 100), Zone::UTC, true);
    let wild = shaped(Profile::weekly("w", Unit::Records, wild));
    let amounts: Vec<u64> =
        (0..1_000).map(|second| wild.second(&start(SUNDAY), second * 1_000).amount).collect();
    assert!(amounts.contains(&0) && amounts.iter().all(|&amount| amount <= 401), "{amounts:?}");
}

#[test]
fn kdgs_periods_are_a_week_and_survive_as_a_file() {
    let saved = r##"{"#0-13-mu":"250","#0-13-sig":"0.5","#6-23-mu":7}"##;
    let quoted = serde_json::Value::from(saved).to_string();
    for json in [saved, &quoted] {
        let (mean, deviation) = periods(json).expect("legal");
        assert_eq!(
            (mean[13], deviation[13], mean[167], deviation[167]),
            (250 * MICRO, MICRO / 2, 7 * MICRO, 10 * MICRO)
        );
        assert_eq!((mean[0], deviation[0]), (100 * MICRO, 10 * MICRO));
        let file = profile_file(&periods_file(&mean, &deviation, true)).expect("what is written is read");
        assert_eq!(
            file,
            Profile::weekly("periods", Unit::Records, Week::new(&mean, &deviation, Zone::UTC, true))
        );
        assert!(is_periods(json));
    }
    let wrong = periods(r##"{"#7-0-mu":"1","#0-24-mu":"1","#0-0-mean":"1","#0-1-mu":"-5","#0-2-sig":"x"}"##);
    assert_eq!(wrong.expect_err("five mistakes").len(), 5);
    for text in ["", "[]", "{}", "5"] {
        assert!(periods(text).expect_err(text)[0].contains("#0-13-mu"), "{text}");
    }
}

#[test]
fn a_file_of_phases_is_gone_through_one_after_the_other() {
    let text = "name = \"two\"\nrepeat = 2\n[[phase]]\nshape = \"ramp\"\nfrom = 0\nto = 100\nfor = \"10s\"\n\
                [[phase]]\nname = \"level\"\nshape = \"constant\"\nrate = 50.5\nfor = \"2s\"\n";
    let profile = profile_file(text).expect("legal");
    assert_eq!(
        (profile.end(), profile.name.as_str(), profile.phases()[1].name.as_str()),
        (Some(24_000), "two", "level")
    );
    let shaped = shaped(profile);
    let due = |at| shaped.due_until(&start(0), at);
    assert_eq!(
        (due(10_000), due(12_000), due(22_000), due(24_000), due(26_000)),
        (500, 601, 1_101, 1_202, 1_303)
    );
    let bytes = "unit = \"bytes\"\n[[phase]]\nshape = \"points\"\npoints = [[\"0s\", \"1MB\"], [\"10s\", 3_000_000]]\n";
    assert_eq!(
        profile_file(bytes).map(|profile| (profile.unit(), profile.peak())),
        Ok((Unit::Bytes, 3_000_000 * MICRO))
    );
    let all = "[[phase]]\nshape = \"steps\"\nrates = [1, 2]\neach = \"5s\"\n[[phase]]\nshape = \"sine\"\nmean = 10\nswing = 5\n\
               period = \"1m\"\nfor = \"90s\"\n[[phase]]\nshape = \"spike\"\nbase = 5\ntimes = 3\nat = \"0s\"\nlasts = \"1s\"\n";
    assert_eq!(profile_file(all).map(|profile| (profile.end(), profile.telling())), Ok((None, 103_000)));
}

#[test]
fn all_that_is_wrong_with_a_file_is_told_by_line() {
    let text = "unit = \"records\"\nrepat = 3\n[[phase]]\nshape = \"ramp\"\nfrom = -5\nto = 1e3\n\n[[phase]]\nshape = \"sinus\"\n\
                [[phase]]\nshape = \"sine\"\nmean = 1\nswing = 2\nperiod = \"0s\"\n[[phase]]\nshape = \"constant\"\nrate = 99_000_000\n\
                [[phase]]\nshape = \"steps\"\nrates = []\neach = 5\n";
    let told = profile_file(text).expect_err("wrong").to_string();
    for line in [
        "line 2: repat is not known here",
        "line 5: from: -5 is negative",
        "line 6: to: 1e3 is no number",
        "line 9: \"sinus\" is no shape: did you mean sine?",
        "period: 0s has no length",
        "rate: is more than 10000000",
        "rates must be a list",
        "each must be a duration in quotes",
        "for is missing here",
    ] {
        assert!(told.contains(line), "{line} in\n  {told}");
    }
    for (text, told) in [
        ("", "it has no phase"),
        ("a = ", "this is not TOML"),
        ("phase = 5", "begin each with [[phase]]"),
        ("repeat = 0\n[[phase]]\nshape = \"constant\"\nrate = 5\nfor = \"1s\"", "repeat must be 1"),
        ("repeat = \"forever\"\n[[phase]]\nshape = \"constant\"\nrate = 5", "can't be repeated"),
        (
            "[[phase]]\nshape = \"constant\"\nrate = 5\n[[phase]]\nshape = \"constant\"\nrate = 5",
            "no phase behind it",
        ),
        ("[[phase]]\nshape = \"weekly\"\nmean = [[1]]", "seven days, Sunday first"),
        ("[[phase]]\nshape = \"weekly\"\n[[phase]]\nshape = \"weekly\"", "stands alone"),
        ("unit = \"x\"", "records, bytes or factor"),
        ("unit = \"factor\"\n[[phase]]\nshape = \"constant\"\nrate = \"5MB\"", "counts bytes"),
    ] {
        let error = profile_file(text).expect_err(text).to_string();
        assert!(error.contains(told), "{text}: {error}");
    }
}
