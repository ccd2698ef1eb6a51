//! Templates against KDG itself, and laws over any text.

use std::sync::Arc;

use proptest::prelude::*;
use regex_lite::Regex;
use serde::Deserialize;

use super::super::random::Stream;
use super::super::{Generator, Timestamp};
use super::*;

/// The first vectors of the file, which others chose.
const REFERENCE: usize = 52;

const TIME: u64 = 1_795_227_274_123;

/// What KDG's own engine did: every output matched, or it threw.
#[derive(Debug, Deserialize)]
struct Vector {
    template: String,
    matches: Option<String>,
    throws: Option<String>,
}

fn vectors() -> Vec<Vector> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kdg/vectors.json");
    serde_json::from_str(&std::fs::read_to_string(file).expect("the file is there")).expect("vectors")
}

fn draw(template: &Template, sequence: u64) -> String {
    let mut out = Vec::new();
    let bits = Stream::new("test", 1, "p").job(0).event(sequence);
    let time = &Timestamp::from_unix_millis(TIME);
    let wanted = Wanted { id: bits, job: 0, sequence, time, producer: "p", shared: 0, own: 0 };
    template.write(wanted, &mut out);
    assert!(out.len() <= template.largest(1), "{} bytes are more than promised", out.len());
    String::from_utf8(out).expect("UTF-8")
}

fn lenient(text: &str) -> Template {
    Template::compile(text, TemplateMode::Lenient).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The first problem of a template.
fn problem(text: &str, mode: TemplateMode) -> String {
    Template::compile(text, mode).expect_err(text).remarks()[0].text.clone()
}

#[test]
fn strict_mode_does_what_kdg_did_for_every_vector() {
    for (number, Vector { template: text, matches, throws }) in vectors().into_iter().enumerate() {
        match (matches, throws) {
            (Some(pattern), _) => {
                let template = Template::compile(&text, TemplateMode::Strict);
                let template = template.unwrap_or_else(|error| panic!("{text}: {error}"));
                let pattern = Regex::new(&pattern).expect("a pattern");
                let draws = if number < REFERENCE { 1_000 } else { 200 };
                for sequence in 0..draws {
                    let event = draw(&template, sequence);
                    assert!(pattern.is_match(&event), "{text}: {event:?} is not {pattern}");
                }
            }
            (None, throws) => assert_eq!(Some(problem(&text, TemplateMode::Strict)), throws, "{text}"),
        }
    }
}

#[test]
fn lenient_mode_gives_the_same_events_wherever_kdg_gives_sensible_ones() {
    // Where KDG draws undefined from weights, or complains of an empty text, lenient mode does what was meant.
    let differs =
        |text: &str| text.is_empty() || text.contains("[0.001,0.001]") || text.contains("[\"only\"]");
    for Vector { template: text, matches, .. } in vectors() {
        let Some(pattern) = matches else { continue };
        if differs(&text) || pattern.contains("string parameter") {
            continue;
        }
        let strict = Template::compile(&text, TemplateMode::Strict).expect("KDG takes it");
        let template = lenient(&text);
        for sequence in 0..100 {
            assert_eq!(draw(&template, sequence), draw(&strict, sequence), "{text}");
        }
    }
}

#[test]
fn lenient_mode_takes_what_was_meant() {
    for (text, pattern) in [
        ("{{ random.number(5) }}", "^[0-5]$"),
        ("{{random.number(5)  }}", "^[0-5]$"),
        ("{{random.uuid()}}", "^[0-9a-f-]{36}$"),
        ("{{ random . boolean }}", "^(true|false)$"),
        (r#"{{random.arrayElement(["a (b)","c (d)"])}}"#, r"^(a \(b\)|c \(d\))$"),
        (r#"{{random.arrayElement([{"a":{"b":1}},2])}}"#, r"^(\[object Object\]|2)$"),
        (r#"{"a":{"b":1}} {{random.number(5)}}"#, r#"^\{"a":\{"b":1\}\} [0-5]$"#),
        (
            r#"{"a":{"b":{{random.number(5)}}}},"c":{{random.number(5)}}"#,
            r#"^\{"a":\{"b":[0-5]\}\},"c":[0-5]$"#,
        ),
        ("{{{random.number(5)}}}", r"^\{[0-5]\}$"),
        ("{{phone.phoneNumber((###) ###)}}", r"^\(\d{3}\) \d{3}$"),
        (r#"{{date.utc("HH (mm)")}}"#, r"^02 \(14\)$"),
        ("{{current.timestamp}} {{current.timestamp}}", r"^\S+T02:14:34\+00:00 \S+T02:14:34\+00:00$"),
        ("{{address.nearbyGPSCoordinate}}", r"^-?[\d.]+,-?[\d.]+$"),
        (r#"{{random.weightedArrayElement({"weights":[0.001,0.001],"data":["a","b"]})}}"#, "^[ab]$"),
        (r#"{{random.weightedArrayElement({"weights":["1","1"],"data":["a","b"]})}}"#, "^[ab]$"),
        (
            "{{streamer.producer}}/{{streamer.job}}/{{streamer.sequence}} {{streamer.id}}",
            r"^p/0/\d+ [0-9a-f-]{36}$",
        ),
    ] {
        let (template, pattern) = (lenient(text), Regex::new(pattern).expect("a pattern"));
        for sequence in 0..1_000 {
            let event = draw(&template, sequence);
            assert!(pattern.is_match(&event), "{text}: {event:?} is not {pattern}");
        }
    }
}

#[test]
fn lenient_errors_say_where_and_what_was_meant_all_at_once() {
    let text = "{\n  \"é\": {{random.numbr}}, \"b\": {{rand.number}},\n\"c\": {{name}} {{date.now(5)}}\n{{random.number(5}}}}";
    let error = Template::compile(text, TemplateMode::Lenient).expect_err("it is wrong");
    let expected = "\
        line 2, column 8: there is no function \"random.numbr\"; did you mean random.number? (KDG: Invalid method: random.numbr)\n\
        line 2, column 31: there is no module \"rand\"; did you mean random? (KDG: Invalid module: rand)\n\
        line 3, column 6: there is no function \"name.undefined\"; name has firstName, lastName, findName, jobTitle, prefix, \
        suffix, title, jobDescriptor, jobArea, jobType (KDG: Invalid method: name.undefined)\n\
        line 3, column 15: date.now: a date's format is a text such as \"YYYY-MM-DD\", and not 5 (KDG: format.match is not a function)\n\
        line 4, column 1: {{random.number(5}} can't be read: it needs {{module.function}} or {{module.function(parameter)}}, \
        parentheses and quotes closed (KDG: Invalid method: random.number(5)";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn what_could_not_be_sent_or_would_take_without_end_is_refused() {
    for text in [
        "{{lorem.words(1000001)}}",
        "{{lorem.paragraphs(900000)}}",
        "{{internet.password(1e9)}}",
        "{{finance.account(1e400)}}",
        "",
        " \n ",
        &"x".repeat(1024 * 1024 + 1),
    ] {
        assert!(Template::compile(text, TemplateMode::Lenient).is_err(), "{}", &text[..text.len().min(40)]);
    }
    assert_eq!(draw(&Template::compile("", TemplateMode::Strict).expect("as KDG"), 0), EMPTY);
}

#[test]
fn texts_that_would_cost_a_careless_reader_the_square_of_their_length_are_read_at_once() {
    let most = 256 * 1024;
    for text in [
        "{".repeat(most),
        "{".repeat(most - 2) + "}}",
        "{{(".repeat(most / 3 - 1) + "}}",
        "{{a.b(\"".repeat(most / 7 - 1) + "}}",
        "{{}}".repeat(most / 4),
        "}}".repeat(most / 2),
        "{{random.arrayElement([".to_owned() + &"[".repeat(most / 2) + "}}",
        format!("{{{{random.number({})}}}}", "(".repeat(most / 2)),
        format!(
            "{{{{random.objectElement({{{}\"x\":1}})}}}}",
            (0..20_000).map(|n| format!("\"{n}\":1,")).collect::<String>()
        ),
    ] {
        // That this ends is the claim: the squares would take minutes.
        let _ = Template::compile(&text, TemplateMode::Lenient);
        let _ = Template::compile(&text, TemplateMode::Strict);
    }
}

#[test]
fn every_shipped_template_works_here_and_in_kdg() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/config/templates");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("readable").path();
        let text = std::fs::read_to_string(&path).expect("text");
        if TemplateLanguage::Auto.is_jinja(path.to_str()) {
            // It is tried with the others in Jinja.
            continue;
        }
        let strict = Template::compile(&text, TemplateMode::Strict).expect("KDG takes it");
        let template = lenient(&text);
        assert_eq!(template.notes(), [], "{}", path.display());
        let is_json = text.starts_with('{') && !text.starts_with("{{");
        for sequence in 0..1_000 {
            let event = draw(&template, sequence);
            assert_eq!(event, draw(&strict, sequence));
            assert!(
                !event.contains("{{") && !event.contains("undefined") && !event.contains("NaN"),
                "{event}"
            );
            assert!(!is_json || serde_json::from_str::<serde_json::Value>(&event).is_ok(), "{event}");
        }
        names.push(path.file_name().expect("a name").to_string_lossy().into_owned());
    }
    names.sort();
    assert_eq!(names, ["access-log.template", "clickstream.template", "order.template", "sensor.template"]);
}

#[test]
fn an_event_allocates_nothing() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kdg/every-function.template");
    let template = lenient(&std::fs::read_to_string(file).expect("the file is there"));
    let mut out = Vec::with_capacity(template.largest(1));
    let bits = Stream::new("test", 1, "p").job(0);
    let time = Timestamp::from_unix_millis(TIME);
    let allocations = allocation_counter::measure(|| {
        for sequence in 0..200 {
            out.clear();
            let id = bits.event(sequence);
            template.write(
                Wanted { id, job: 0, sequence, time: &time, producer: "p", shared: 0, own: 0 },
                &mut out,
            );
        }
    });
    assert_eq!(allocations.count_total, 0);
}

#[test]
fn every_function_is_in_the_reference_and_can_be_called_alone() {
    let listed = "\
        address: zipCode city cityPrefix citySuffix streetName streetAddress streetSuffix streetPrefix secondaryAddress \
        county country countryCode state stateAbbr latitude longitude nearbyGPSCoordinate\n\
        commerce: color department productName price productAdjective productMaterial product\n\
        company: suffixes companyName companySuffix catchPhrase bs catchPhraseAdjective catchPhraseDescriptor \
        catchPhraseNoun bsAdjective bsBuzz bsNoun\n\
        date: past future recent month weekday now utc simTime\n\
        finance: account accountName mask amount transactionType currencyCode currencyName currencySymbol bitcoinAddress\n\
        hacker: abbreviation adjective noun verb ingverb phrase\n\
        helpers: randomize slugify replaceSymbolWithNumber replaceSymbols shuffle\n\
        image: image avatar imageUrl abstract animals business cats city food nightlife fashion people nature sports \
        technics transport\n\
        internet: avatar email exampleEmail session userName protocol url domainName domainSuffix domainWord ip \
        userAgent color mac password\n\
        lorem: word words sentence sentences paragraph paragraphs text lines\n\
        name: firstName lastName findName jobTitle prefix suffix title jobDescriptor jobArea jobType\n\
        phone: phoneNumber phoneNumberFormat phoneFormats\n\
        random: number arrayElement weightedArrayElement objectElement uuid boolean word words image locale alphaNumeric\n\
        system: fileName commonFileName mimeType commonFileType commonFileExt fileType fileExt semver";
    let table = functions_table();
    for line in listed.lines() {
        let (module, methods) = line.split_once(": ").expect("a line of the list");
        for method in methods.split_whitespace() {
            let name = format!("{module}.{method}");
            assert!(
                table.contains(&format!("| `{name}`")) || table.contains(&format!("| `{name}(")),
                "{name}"
            );
            let template = lenient(&format!("{{{{{name}}}}}"));
            for sequence in 0..200 {
                let empty = ["helpers.slugify", "helpers.replaceSymbolWithNumber", "helpers.replaceSymbols"];
                assert_eq!(draw(&template, sequence).is_empty(), empty.contains(&&*name), "{name}");
            }
        }
    }
}

#[test]
fn shares_follow_the_weights_and_numbers_reach_both_ends() {
    let share = |text: &str, wanted: &str| {
        let template = lenient(text);
        (0..20_000).filter(|sequence| draw(&template, *sequence) == wanted).count() as f64 / 20_000.0
    };
    for (text, wanted, expected) in [
        (r#"{{random.weightedArrayElement({"weights":[3,1],"data":["a","b"]})}}"#, "a", 0.75),
        (r#"{{random.weightedArrayElement({"weights":[0.001,0.999],"data":["a","b"]})}}"#, "a", 0.001),
        ("{{random.number(9)}}", "0", 0.1),
        ("{{random.number(9)}}", "9", 0.1),
        (r#"{{random.number({"min":0,"max":1,"precision":0.25})}}"#, "1", 0.2),
        (r#"{{random.arrayElement(["a","b","b","b"])}}"#, "a", 0.25),
        ("{{random.boolean}}", "true", 0.5),
        (r#"{{random.weightedArrayElement({"weights":[0,1],"data":["a","b"]})}}"#, "a", 0.0),
    ] {
        let share = share(text, wanted);
        assert!((share - expected).abs() < 0.015, "{text}: {wanted} has {share}");
    }
}

#[test]
fn the_notes_tell_of_traps_that_kdg_falls_into_in_silence() {
    for (text, part) in [
        ("{{random.number({min:1})}}", r#"did you mean {"min":1}?"#),
        ("{{random.arrayElement(['a','b'])}}", r#"did you mean ["a","b"]?"#),
        ("{{date.now('YYYY')}}", "did you mean \"YYYY\"?"),
        ("{{random.alphaNumeric(8)}}", "one character"),
        ("{{random.uuid(8)}}", "takes no parameter"),
        ("{{lorem.paragraphs}}", "line breaks"),
        ("{{random.uuid()}}", "KDG would stop here"),
        (r#"{{random.number({"min":1,"mx":2})}}"#, "and not \"mx\""),
    ] {
        let template = lenient(text);
        let notes: Vec<String> = template.notes().iter().map(ToString::to_string).collect();
        assert!(
            notes.iter().any(|note| note.starts_with("line 1, column 1: ") && note.contains(part)),
            "{text}: {notes:?}"
        );
    }
    assert_eq!(lenient("{{random.number(5)}} {{date.now}}").notes(), []);
}

fn any_template() -> impl Strategy<Value = String> {
    let names: Vec<String> =
        library::all().map(|function| format!("{}.{}", function.module, function.method)).collect();
    let parameter = prop_oneof![
        "\\PC{0,8}",
        "-?[0-9]{1,3}(\\.[0-9]{1,2})?",
        Just(r#"{"min":-3,"max":"7","precision":0.1}"#.to_owned()),
        Just(r#"{"weights":[0.5,2,null],"data":["a",{"b":{"c":1}},"(x)"]}"#.to_owned()),
        Just(r#"["a","$$","é",[1,null],{}]"#.to_owned()),
        Just("null".to_owned()),
        Just("true".to_owned()),
        "\"[YMDHhmsSaAwWLTxXZz#?$ \\[\\]]{0,10}\"",
    ];
    let piece = prop_oneof![
        "[\\PC\n{}()\"]{0,6}",
        prop::sample::select(names.clone()).prop_map(|name| format!("{{{{{name}}}}}")),
        (prop::sample::select(names), parameter)
            .prop_map(|(name, parameter)| format!("{{{{{name}({parameter})}}}}")),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    // Whatever the text: it is refused with a place in it, or its events can be written, are the same again, and are
    // no larger than was promised. What strict mode takes, lenient mode takes.
    #[test]
    fn any_text_compiles_or_is_refused_and_what_compiles_is_written(text in any_template(), sequence in any::<u64>()) {
        let mut taken = Vec::new();
        for mode in TemplateMode::ALL {
            match Template::compile(&text, mode) {
                Ok(template) => {
                    prop_assert_eq!(draw(&template, sequence), draw(&template, sequence));
                    taken.push(mode);
                }
                Err(error) => {
                    prop_assert!(!error.remarks().is_empty());
                    for remark in error.remarks() {
                        prop_assert!((1..=text.lines().count().max(1)).contains(&remark.place.line), "{}", remark);
                    }
                }
            }
        }
        let empty = text.trim().is_empty();
        // Weights that make no sense are KDG's undefined, and an error here.
        let strange = text.contains("weights");
        prop_assert!(taken != [TemplateMode::Strict] || empty || strange, "{}", text);
    }

    // An event of a template is a function of seed, producer, job, sequence and time alone, and each of them counts.
    #[test]
    fn an_event_depends_on_its_identity_alone(seed in any::<u64>(), job in any::<u32>(), sequence in 0..u64::MAX) {
        let template = Arc::new(lenient("{{random.uuid}} {{date.now(x)}}"));
        let event = |seed, producer: &str, job, sequence, time| {
            let mut out = Vec::new();
            let generator = Generator::of_template(Arc::clone(&template), seed, producer);
            let written = generator.write(job, sequence, &Timestamp::from_unix_millis(time), &mut out);
            assert_eq!(written.entity, None);
            out
        };
        let one = event(seed, "p", job, sequence, TIME);
        prop_assert_eq!(&one, &event(seed, "p", job, sequence, TIME));
        for other in [
            event(seed ^ 1, "p", job, sequence, TIME),
            event(seed, "q", job, sequence, TIME),
            event(seed, "p", job ^ 1, sequence, TIME),
            event(seed, "p", job, sequence + 1, TIME),
            event(seed, "p", job, sequence, TIME + 1),
        ] {
            prop_assert_ne!(&one, &other);
        }
    }
}
