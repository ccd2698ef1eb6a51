//! Templates in Jinja: what they may do, what they are told, and laws over any text.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::Value;

use super::super::super::{EventKind, Generator, Maker, Shaping};
use super::super::{Template, TemplateError, TemplateLanguage};
use super::*;

fn generator(text: &str, producer: &str) -> Generator {
    let template = Template::compile_jinja(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    Generator::of_template(Arc::new(template), 1, producer)
}

fn event(generator: &Generator, job: u32, sequence: u64) -> String {
    let mut out = b"before".to_vec();
    generator.write(job, sequence, &Timestamp::from_unix_millis(TRIAL_MILLIS), &mut out);
    String::from_utf8(out).expect("UTF-8").strip_prefix("before").expect("what stood there stays").to_owned()
}

/// The first event of a template.
fn first(text: &str) -> String {
    event(&generator(text, "p"), 0, 0)
}

fn wrong(text: &str) -> String {
    let TemplateError(remarks) = Template::compile_jinja(text).expect_err(text);
    remarks.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_language_follows_from_the_name_unless_it_is_said() {
    for (name, jinja) in [
        (Some("orders.json.j2"), true),
        (Some("a.JINJA"), true),
        (Some("a.jinja2"), true),
        (Some("a.template"), false),
        (Some("j2"), false),
        (None, false),
    ] {
        assert_eq!(TemplateLanguage::Auto.is_jinja(name), jinja, "{name:?}");
        assert!(TemplateLanguage::Jinja.is_jinja(name) && !TemplateLanguage::Kdg.is_jinja(name));
    }
}

#[test]
fn a_template_has_loops_conditions_macros_and_lines_that_leave_nothing() {
    let text = "{% macro item(n) %}{\"n\": {{ n }}}{% endmacro %}\n\
                {\"items\": [\n  {% for n in range(3) %}\n  {% if n != 1 %}\n\
                {{ item(n) }}{{ \", \" if not loop.last }}\n  {% endif %}\n  {% endfor %}\n],\n \"é\": \"{{ 'x' | upper }}\"}\n\n";
    assert_eq!(first(text), "{\"items\": [{\"n\": 0}, {\"n\": 2}], \"é\": \"X\"}");
    assert_eq!(
        first("{{ {\"z\": 1, \"a\": [true, none, 1.5]} | tojson }}"),
        r#"{"z": 1, "a": [true, null, 1.5]}"#
    );
    assert_eq!(
        first("{{ true }} {{ none }} {{ [1 > 2, 'x'] }} {{ {\"b\": 0.5} }}"),
        r#"true null [false, "x"] {"b": 0.5}"#
    );
    assert_eq!(
        first("{{ sequence }} {{ job }} {{ producer }} {{ millis }}"),
        format!("0 0 p {TRIAL_MILLIS}")
    );
}

// What a function of the library is in the generator's language it is here: every one can be called, with or without what
// it takes.
#[test]
fn every_function_of_the_library_can_be_called() {
    for function in library::all() {
        let name = format!("{}.{}", function.module, function.method);
        let calls = if function.takes.is_empty() {
            vec![format!("{{{{ [{name}()] | tojson }}}}")]
        } else if [
            "helpers.slugify",
            "helpers.mustache",
            "helpers.replaceSymbolWithNumber",
            "helpers.replaceSymbols",
        ]
        .contains(&name.as_str())
        {
            vec![format!("{{{{ [{name}(\"a# ?\")] | tojson }}}}")]
        } else if ["random.weightedArrayElement", "address.nearbyGPSCoordinate"].contains(&name.as_str()) {
            vec![format!("{{{{ [{name}()] | tojson }}}}")]
        } else {
            let example = function.takes.split('`').find(|part| part.starts_with(['[', '{'])).unwrap_or("3");
            let example = if name.starts_with("date.")
                && example == "3"
                && !function.takes.contains("years")
                && !function.takes.contains("days")
            {
                "\"YYYY\""
            } else {
                example
            };
            vec![format!("{{{{ [{name}()] | tojson }}}}"), format!("{{{{ [{name}({example})] | tojson }}}}")]
        };
        for text in calls {
            let made: Value =
                serde_json::from_str(&first(&text)).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(made.as_array().map(Vec::len), Some(1), "{text}");
        }
    }
}

#[test]
fn what_is_a_number_or_true_or_false_is_that() {
    for (call, is_right) in [
        ("random.number(5)", Value::is_i64 as fn(&Value) -> bool),
        ("random.number(min=1, max=6)", Value::is_i64),
        ("random.number({\"min\": 1, \"max\": 2, \"precision\": 0.25})", Value::is_number),
        ("random.boolean()", Value::is_boolean),
        ("address.latitude()", Value::is_number),
        ("streamer.sequence()", Value::is_i64),
        ("random.uuid()", Value::is_string),
        ("random.arrayElement([1, 2])", Value::is_i64),
        ("random.arrayElement([{\"a\": 1}])", Value::is_object),
        ("random.objectElement({\"a\": [1]})", Value::is_array),
        ("random.weightedArrayElement(weights=[1, 2], data=[true, false])", Value::is_boolean),
        ("helpers.shuffle([1, 2, 3])", Value::is_array),
        ("number(1, 6)", Value::is_i64),
        ("number(1, 6, 2)", Value::is_f64),
        ("number(0, 1, decimals=9)", Value::is_f64),
        ("chance(0.5)", Value::is_boolean),
        ("pick([1, 2])", Value::is_i64),
        ("pick(\"a\", \"b\")", Value::is_string),
        ("weighted({\"a\": 5, \"b\": 1})", Value::is_string),
        ("weighted([[1], [2]], [1, 3])", Value::is_array),
        ("drift(\"t\", 18, 24)", Value::is_f64),
        ("meter(\"m\", 3)", Value::is_i64),
        ("meter(\"m\", 0.5)", Value::is_f64),
        ("wave(86400, 1, 2)", Value::is_f64),
        ("span(\"s\", 20)", Value::is_object),
        ("keyed(7).pick([1, 2])", Value::is_i64),
    ] {
        let made = first(&format!("{{{{ {call} | tojson }}}}"));
        let value: Value = serde_json::from_str(&made).unwrap_or_else(|error| panic!("{call}: {error}"));
        assert!(is_right(&value), "{call}: {made}");
    }
}

#[test]
fn weights_are_kept_and_numbers_reach_both_ends() {
    let generator = generator(
        "{{ weighted({\"a\": 6, \"b\": 3, \"c\": 0, \"d\": 1}) }} {{ number(-1, 1) }} {{ chance(0.25) }}",
        "p",
    );
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for sequence in 0..10_000 {
        for word in event(&generator, 3, sequence).split(' ') {
            *counts.entry(word.to_owned()).or_default() += 1;
        }
    }
    let near = |word: &str, wanted: u32| counts[word].abs_diff(wanted) < 250;
    assert!(near("a", 6_000) && near("b", 3_000) && near("d", 1_000), "{counts:?}");
    assert!(["-1", "0", "1"].iter().all(|word| near(word, 3_333)) && near("true", 2_500), "{counts:?}");
    assert_eq!(counts.len(), 8, "{counts:?}");
}

// The numbers of an event are those of the event with this number, however often and in whatever order it is made.
#[test]
fn an_event_is_a_function_of_its_number_alone() {
    let text = "{% set s = span('s', 10) %}{{ s.id }} {{ s.offset }} {{ random.uuid() }} {{ drift('d', 0, 1) }} \
                {{ keyed(s.id).name.firstName() }} {{ meter('m', 2) }}";
    let (one, other) = (generator(text, "p"), generator(text, "p"));
    let forwards: Vec<_> = (0..200).map(|sequence| event(&one, 1, sequence)).collect();
    let backwards: BTreeMap<_, _> =
        (0..200).rev().map(|sequence| (sequence, event(&other, 1, sequence))).collect();
    assert!(forwards.iter().eq(backwards.values()));
    assert_eq!(forwards.iter().collect::<BTreeSet<_>>().len(), 200);
}

#[test]
fn what_is_keyed_is_the_same_in_all_events_jobs_and_producers_and_what_is_not_is_not() {
    let text = "{{ keyed('u7').name.findName() }} {{ keyed('u7').number(0, 1000000) }}";
    let (one, other) = (generator(text, "one"), generator(text, "other"));
    let all: BTreeSet<_> =
        (0..50).flat_map(|n| [event(&one, n as u32, n), event(&other, 0, n + 7)]).collect();
    assert_eq!(all.len(), 1, "{all:?}");
    assert_ne!(first("{{ keyed('u7').number(0, 1000000) }}"), first("{{ keyed('u8').number(0, 1000000) }}"));
    // Drifting values are those of a job's number, whoever asks; a stretch is a job's own.
    let drift = generator("{{ drift('t', 0, 1) }}", "one");
    assert_eq!(event(&drift, 0, 99), event(&generator("{{ drift('t', 0, 1) }}", "other"), 5, 99));
    let span = generator("{{ span('s', 10).id }}", "one");
    assert_ne!(event(&span, 0, 0), event(&span, 1, 0));
}

// A cart that only grows within a session: its state is computed from the session's start.
#[test]
fn state_within_a_stretch_can_be_computed_from_its_start() {
    let text = "{% set session = span('visit', 12) %}{% set cart = namespace(items=0) %}\
                {% for step in range(session.offset + 1) %}\
                {% if keyed(session.id ~ step).chance(0.4) %}{% set cart.items = cart.items + 1 %}{% endif %}\
                {% endfor %}{{ session.index }} {{ session.first }} {{ cart.items }}";
    let generator = generator(text, "p");
    let (mut session, mut items, mut grown) = (String::new(), 0, 0);
    for sequence in 0..500 {
        let event = event(&generator, 0, sequence);
        let words: Vec<&str> = event.split(' ').collect();
        let now: u32 = words[2].parse().expect("a number");
        if words[0] == session {
            assert!((items..=items + 1).contains(&now) && words[1] == "false", "{event}");
            grown += now - items;
        } else {
            assert!(now <= 1 && words[1] == "true", "{event}");
        }
        (session, items) = (words[0].to_owned(), now);
    }
    assert!(grown > 100, "{grown}");
}

#[test]
fn every_shipped_template_in_jinja_makes_objects_and_a_cart_only_fills() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/config/templates");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("readable").path();
        if !TemplateLanguage::Auto.is_jinja(path.to_str()) {
            continue;
        }
        let generator = generator(&std::fs::read_to_string(&path).expect("text"), "p");
        let (mut visit, mut items, mut checkouts) = (String::new(), 0, 0);
        for sequence in 0..600 {
            let event = event(&generator, 2, sequence);
            let event: Value =
                serde_json::from_str(&event).unwrap_or_else(|error| panic!("{event}: {error}"));
            let now = event["cart"]["items"].as_array().expect("a list").len();
            if event["visit"] == *visit {
                assert!(now == items || now == items + 1, "{event}");
            }
            (visit, items) = (event["visit"].as_str().expect("a text").to_owned(), now);
            checkouts += u32::from(event["page"] == "/checkout");
        }
        assert!((20..=60).contains(&checkouts), "{checkouts} in some 40 visits");
        names.push(path.file_name().expect("a name").to_string_lossy().into_owned());
    }
    assert_eq!(names, ["visit.json.j2"]);
}

#[test]
fn what_is_wrong_is_told_with_its_place_before_any_event() {
    for (text, told) in [
        ("", "line 1, column 1: the template is empty"),
        (" {# nothing #}\n", "line 1, column 1: the event is empty"),
        (
            "{\n  \"a\": {{ random.numbr(5) }}}",
            "line 2, column 11: there is no function \"random.numbr\"; did you mean random.number()?",
        ),
        (
            "{% if false %}{{ adress.city() }}{% endif %}x",
            "line 1, column 18: there is nothing called \"adress\"; did you mean address?",
        ),
        (
            "adress {{ adress }} {{ sequnce }}",
            "line 1, column 11: there is nothing called \"adress\"; did you mean address?\nline 1, column 24: there is nothing called \"sequnce\"; did you mean sequence?",
        ),
        (
            "{% if false %}{% set q = 1 %}{% endif %}{{ q }}",
            "line 1, column 44: undefined value: `q` is undefined",
        ),
        ("{{ 5 | foo }}", "unknown filter: filter foo is unknown"),
        ("{{ random.uuid }}", "line 1, column 4: random.uuid is a function: write random.uuid()"),
        ("{{ pick }}", "pick is a function: write pick(…)"),
        ("{{ random }}", "random is no value: call one of its functions"),
        ("{{ random.number(min=1, most=3) }}", "random.number takes the most, or min=, max= and precision="),
        ("{{ random.number(\"five\") }}", "random.number takes the most"),
        ("{{ random.uuid(1) }}", "random.uuid takes no parameter"),
        ("{{ random.number(1, 2) }}", "random.number takes one parameter"),
        ("{{ number(5) }}", "number needs low, high: high is missing"),
        ("{{ number(5, 1) }}", "low is 5, which is more than high, 1"),
        ("{{ number(0.1, 0.2) }}", "there is no number with 0 decimals from 0.1 to 0.2"),
        ("{{ chance(2) }}", "share must be from 0 to 1, and not 2"),
        ("{{ weighted({\"a\": -1}) }}", "weights must not be negative"),
        ("{{ pick([]) }}", "there is nothing to pick from"),
        ("{{ drift('a', 1, 2, ofer=3) }}", "drift has no ofer: it takes name, low, high, over"),
        ("{{ span('a', 0) }}", "length must be a whole number from 1, and not 0"),
        ("{{ keyed(1).span('a', 2) }}", "unknown method"),
        ("{% for x in [1] %}", "line 1, column"),
        ("{{ 1 +", "line 1, column"),
        ("{% set x = [] %}\n{{ x.y }}", "line 2, column 4: undefined value: `x.y` is undefined"),
        (
            "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}x",
            "the event takes more than 250000 steps",
        ),
        ("{% set x = \"xxxxxxxxxx\" * 2000000 %}{{ x }}", "the event has more than 10485760 bytes"),
        ("{% if sequence >= 4 %}{{ 1 // 0 }}{% endif %}x", "(in trial 9 of 64)"),
        ("{{ debug() }}", "there is nothing called \"debug\""),
        ("{% include \"/etc/passwd\" %}", "line 1, column"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "line 1, column"),
    ] {
        let remarks = wrong(text);
        assert!(remarks.contains(told), "{text}: {remarks}");
    }
    assert!(wrong(&"x".repeat(MOST_BYTES + 1)).contains("is larger than"));
}

#[test]
fn an_event_that_cannot_be_made_is_nothing_and_is_told() {
    // Trials have even numbers of bits set to one; this fails far behind them.
    let generator = generator("{{ 6 // (sequence - 1000003) }}", "p");
    assert_eq!((event(&generator, 0, 1_000_004), generator.failure()), ("6".to_owned(), None));
    assert_eq!(event(&generator, 4, 1_000_003), "");
    let failure = generator.failure().expect("a failure").to_owned();
    assert!(
        failure.starts_with("line 1, column 4:") && failure.ends_with("(job 4, event 1000003)"),
        "{failure}"
    );
    let maker = Maker::from(generator);
    let (mut due, mut out) = (super::super::super::Due::new(TRIAL_MILLIS, 0), Vec::new());
    let mut made = |place| maker.compose(0, place, &mut due, &mut out).made;
    assert_eq!((made(1_000_002), made(1_000_003), made(1_000_004)), (true, false, true));
    assert_eq!(maker.failure(), Some(&*failure), "the first one is told");
}

// An event that outgrew the size that was asked for is not sent larger in silence.
#[test]
fn an_event_is_of_the_size_that_was_asked_for_or_not_made() {
    let text = "{\"a\": \"{{ 'x' * (900 if sequence == 1000003 else 20) }}\"}";
    let template = Template::compile_jinja(text).expect("a template");
    let shaping = Shaping { size: Some("300B".parse().expect("a size")), ..Shaping::default() };
    let event = crate::generate::Event::Template(Arc::new(template));
    let maker = Maker::new(&event, &shaping, 1, "p").expect("a maker");
    let mut out = Vec::new();
    let mut due = super::super::super::Due::new(TRIAL_MILLIS, 0);
    for place in 1_000_000..1_000_006 {
        let composed = maker.compose(0, place, &mut due, &mut out);
        assert_eq!((composed.made, out.len()), if place == 1_000_003 { (false, 0) } else { (true, 300) });
    }
    assert!(
        maker.failure().is_some_and(|why| why.contains("its 909 bytes are more than the 300")),
        "{:?}",
        maker.failure()
    );
}

#[test]
fn a_mixture_with_a_template_in_jinja_makes_both() {
    let template = Template::compile_jinja("{\"n\": {{ sequence }}}").expect("a template");
    let parts = ["template:a.j2:1,click:1"]
        .map(|text| text.parse::<crate::generate::EventChoice>().expect("a mixture"));
    let weights: Vec<_> = parts[0].parts().map(|(_, weight)| weight).collect();
    let event = crate::generate::Event::Mixture(vec![
        (crate::generate::Event::Template(Arc::new(template)), weights[0]),
        (EventKind::Click.into(), weights[1]),
    ]);
    let maker = Maker::new(&event, &Shaping::default(), 1, "p").expect("a maker");
    let (mut due, mut out, mut own) = (super::super::super::Due::new(TRIAL_MILLIS, 0), Vec::new(), 0);
    for place in 0..1_024 {
        assert!(maker.compose(0, place, &mut due, &mut out).made);
        own += u32::from(out.starts_with(b"{\"n\": "));
    }
    assert_eq!(own, 512);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    // Whatever the text: it is refused with a place in it, or its events are the same each time, are not empty, hold no
    // line feed, and are within their bound.
    #[test]
    fn any_text_is_refused_or_makes_events(
        text in prop_oneof!["[\\{\\}%#a-c\\n \"'.()]{0,60}", "(\\{\\{ (random\\.(uuid|number)\\(\\)|sequence|pick\\(\\[1,2\\]\\)) \\}\\}|x|\\n|\\{% if sequence %\\}|\\{% endif %\\}){0,12}"],
        sequence in any::<u64>(),
    ) {
        match Template::compile_jinja(&text) {
            Err(TemplateError(remarks)) => {
                for remark in remarks {
                    prop_assert!(remark.place.line <= text.lines().count().max(1) + 1 && remark.place.column >= 1);
                }
            }
            Ok(template) => {
                let generator = Generator::of_template(Arc::new(template), 1, "p");
                let one = event(&generator, 1, sequence);
                prop_assert_eq!(&one, &event(&generator, 1, sequence));
                prop_assert!(one.len() <= generator.largest_event() && !one.contains(['\n', '\r']));
                prop_assert!(!one.is_empty() || generator.failure().is_some());
            }
        }
    }
}
