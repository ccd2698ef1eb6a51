//! What is put on the stream: sizes to the byte, weights, faults; and every record can be made again.

use std::collections::HashMap;

use proptest::prelude::*;
use serde_json::Value;

use super::super::{EventChoice, EventKind, Template, TemplateMode};
use super::*;

fn maker(
    event: &str,
    size: Option<&str>,
    inject: Option<&str>,
    frame: u64,
    seed: u64,
) -> Result<Maker, ShapingError> {
    let choice: EventChoice = event.parse().expect("an event");
    let shaping = Shaping {
        size: size.map(|text| text.parse().expect("a size")),
        inject: inject.map(|text| text.parse().expect("faults")),
        frame,
    };
    Maker::new(&Event::built_in(&choice).expect("no template"), &shaping, seed, "p")
}

/// The records of a job, all due at different times: the bytes, and what is known of them.
fn records(maker: &Maker, job: u32, count: u64) -> Vec<(Vec<u8>, Composed)> {
    let mut opened = 0;
    let one = |place: u64| {
        let (mut due, mut out) = (Due::new(1_000_000 + place, opened), Vec::new());
        let composed = maker.compose(job, place, &mut due, &mut out);
        maker.finish(job, &composed, 0, &mut out);
        opened = due.opened_millis;
        (out, composed)
    };
    (0..count).map(one).collect()
}

const ALL: &str = "mouse:1,click:2,trade:0.5,message:1,iot:1,order:3,access-log:1";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    // Whatever the mixture and the rule: every event has exactly the size that was drawn for it, with its frame, and
    // stays valid.
    #[test]
    fn sizes_are_exact(seed: u64, job: u32, least in 700_u64..2_000, more in 0_u64..3_000, frame in 0_u64..2) {
        let rule = format!("uniform:{least}B..{}B", least + more);
        let maker = maker(ALL, Some(&rule), None, frame, seed).expect("large enough");
        let sizes = Sizes::new(rule.parse().expect("a size"), 0, seed, "p");
        for (place, (event, composed)) in (0..).zip(records(&maker, job, 60)) {
            prop_assert_eq!(event.len() as u64 + frame, sizes.of(job, place));
            prop_assert!(event.len() <= maker.largest_event());
            prop_assert_eq!(composed.event, place);
            let json = serde_json::from_slice::<Value>(&event).is_ok();
            prop_assert_eq!(json, maker.generators()[maker.index(job, place)].kind() != Some(EventKind::AccessLog));
        }
    }

    // Whatever is asked for: a record is the same when it is made a second time, in any order, by another maker of the
    // same seed; and its event, made again from its number and the time that it says, has the same bytes.
    #[test]
    fn a_record_can_be_made_again(seed: u64, job in 0_u32..9, sized: bool) {
        let faults = "late:5%/10s,duplicate:5%/2,reordered:4%/3,malformed:5%,oversize:1%/2KiB";
        let size = sized.then_some("lognormal:900B,p99=1500B,most=4KiB");
        let build = || maker(ALL, size, Some(faults), 0, seed).expect("large enough");
        let (one, other) = (build(), build());
        let made = records(&one, job, 400);
        prop_assert_eq!(&made, &records(&other, job, 400));
        let mut firsts: HashMap<u64, Vec<u8>> = HashMap::new();
        for (place, (bytes, composed)) in (0_u64..).zip(&made) {
            let due = |millis| Timestamp::from_unix_millis(millis);
            let block_of = place - (place % 4);
            let times = (block_of..=place).rev().map(|at| 1_000_000 + at).chain([1_000_000 + place - 10_000]);
            let again = times.map(|millis| {
                let mut out = Vec::new();
                let composed = one.remake(job, composed.event, &due(millis), &mut out);
                one.finish(job, &composed, 0, &mut out);
                (millis, out)
            });
            let (told, _) = again.into_iter().find(|(_, out)| out == bytes).expect("one of its block's times");
            let places = one.places(job, composed.event);
            prop_assert!(places.first == place || places.again == Some(place));
            match composed.fault {
                Some(Injected::Late) => {
                    prop_assert_eq!(told, 1_000_000 + place - 10_000);
                    prop_assert_eq!(one.due_millis(job, composed.event, told), 1_000_000 + place);
                }
                Some(Injected::Duplicate) => prop_assert_eq!(firsts.get(&composed.event), Some(bytes)),
                Some(Injected::Malformed) => prop_assert!(serde_json::from_slice::<Value>(bytes).is_err()),
                Some(Injected::Oversize) => prop_assert_eq!(bytes.len(), 2_048),
                Some(Injected::Reordered) => prop_assert_eq!(composed.event, place - 3),
                None => {}
            }
            firsts.insert(composed.event, bytes.clone());
        }
    }
}

#[test]
fn a_mixture_keeps_its_weights_and_an_event_is_of_its_kind() {
    let maker = maker("mouse:0.8,click:0.15,iot:0.05", None, None, 0, 1).expect("a mixture");
    let mut counts: HashMap<String, u64> = HashMap::new();
    for (event, _) in records(&maker, 3, 10_240) {
        let event: Value = serde_json::from_slice(&event).expect("valid JSON");
        *counts.entry(event["type"].as_str().expect("a type").to_owned()).or_default() += 1;
    }
    for (kind, share) in [("mouse", 8_192), ("click", 1_536), ("iot", 512)] {
        assert!(counts[kind].abs_diff(share) <= 10, "{counts:?}");
    }
}

#[test]
fn nothing_that_is_asked_for_is_nothing_that_is_done() {
    assert!(matches!(maker("click", None, None, 1, 1), Ok(Maker::Plain(_))));
    assert!(matches!(maker("click", Some("1KiB"), None, 0, 1), Ok(Maker::Shaped(_))));
}

#[test]
fn a_size_that_an_event_or_a_record_can_not_have_is_refused_with_the_least_and_the_most() {
    let small = maker("click", Some("100"), None, 1, 1).expect_err("too small").to_string();
    let least: u64 =
        small.rsplit(' ').nth(2).and_then(|word| word.parse().ok()).expect("a number at the end");
    assert!(small.contains("an event click can have"), "{small}");
    assert!(maker("click", Some(&least.to_string()), None, 1, 1).is_ok(), "{small}");
    assert!(maker("click", Some(&(least - 1).to_string()), None, 1, 1).is_err());
    // A distribution is cut there, and says so.
    let cut = maker("click", Some("uniform:100..2KiB"), None, 1, 1).expect("some are large enough");
    assert!(
        cut.note().is_some_and(|note| note.contains(&format!("raised to {least} bytes"))),
        "{:?}",
        cut.note()
    );
    assert!(records(&cut, 0, 200).iter().all(|(event, _)| event.len() as u64 + 1 >= least));
    assert_eq!(maker("click", Some("uniform:1KiB..2KiB"), None, 1, 1).expect("large enough").note(), None);
    let shaping = |size: Option<&str>, inject: Option<&str>| Shaping {
        size: size.map(|text| text.parse().expect("a size")),
        inject: inject.map(|text| text.parse().expect("faults")),
        frame: 0,
    };
    assert_eq!(shaping(Some("1MiB"), None).check(1 << 20), Ok(()));
    let large = shaping(Some("lognormal:1KiB,p99=2KiB"), None).check(1 << 19).expect_err("too large");
    assert!(large.to_string().contains("cut by most="), "{large}");
    assert!(shaping(None, Some("oversize:1%/2MiB")).check(1 << 20).is_err());
}

#[test]
fn a_template_is_padded_where_it_is_an_object() {
    let event = |text: &str| {
        let template = Template::compile(text, TemplateMode::Lenient).expect("a template");
        Event::Template(template.into())
    };
    let shaping = Shaping { size: "300B".parse().ok(), ..Shaping::default() };
    let maker = Maker::new(&event(r#"{"n": {{random.number(9)}}}"#), &shaping, 1, "p").expect("an object");
    for (event, _) in records(&maker, 0, 20) {
        assert_eq!(event.len(), 300);
        assert!(serde_json::from_slice::<Value>(&event).is_ok_and(|event| event["n"].is_u64()));
    }
    let error = Maker::new(&event("plain {{random.number(9)}}"), &shaping, 1, "p").expect_err("no object");
    assert_eq!(error, ShapingError::NoObject);
}
