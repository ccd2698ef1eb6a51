//! Golden fingerprints: the bytes of every kind of event, so that a change of them is a decision.
//!
//! `UPDATE_FINGERPRINTS=1 cargo test fingerprint` accepts new ones. They change with the code here and with
//! the data of `fake`; a run's seed then means other events, which the CHANGELOG must say.

use std::path::Path;

use md5::{Digest, Md5};

use super::{EventKind, Generator, Template, TemplateMode, Timestamp};

const SEED: u64 = 42;
const PRODUCER: &str = "fingerprint";
const JOBS: [u32; 4] = [0, 1, 7, u32::MAX];
const EVENTS: u64 = 10_000;

fn fingerprint(generator: &Generator, events: u64) -> String {
    let time = Timestamp::from_unix_millis(1_795_227_274_123);
    let mut digest = Md5::new();
    let mut out = Vec::new();
    let mut text = format!("seed {SEED}, producer {PRODUCER}, job 0:\n");
    for job in JOBS {
        for sequence in 0..events {
            out.clear();
            generator.write(job, sequence, &time, &mut out);
            out.push(b'\n');
            digest.update(&out);
            if job == 0 && sequence < 3 {
                text.push_str(std::str::from_utf8(&out).expect("an event is UTF-8"));
            }
        }
    }
    let md5 = u128::from_be_bytes(digest.finalize().into());
    text.push_str(&format!("MD5 of {events} lines of each of the jobs {JOBS:?}: {md5:032x}\n"));
    text
}

#[test]
fn the_fingerprint_of_every_kind_is_as_it_was() {
    for kind in EventKind::ALL {
        compare(kind.name(), &Generator::new(kind, SEED, PRODUCER), EVENTS);
    }
}

// Its template has a call of every function: a change of one changes the fingerprint.
#[test]
fn the_fingerprint_of_templates_is_as_it_was() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kdg/every-function.template");
    let text = std::fs::read_to_string(path).expect("the template is there");
    let template = Template::compile(&text, TemplateMode::Lenient).expect("a template");
    for line in super::functions_table().lines().skip(2) {
        let name = line.trim_start_matches("| `").split(['`', '(']).next().unwrap_or_default();
        assert!(text.contains(&format!("{{{{{name}}}}}")), "{name} is not in the template");
    }
    // Each event is as large as a hundred others.
    compare("template", &Generator::of_template(template.into(), SEED, PRODUCER), EVENTS / 50);
}

// The same of what templates in Jinja can call.
#[test]
fn the_fingerprint_of_templates_in_jinja_is_as_it_was() {
    let name =
        |line: &str| line.trim_start_matches("| `").split(['`', '(']).next().unwrap_or_default().to_owned();
    let library = super::functions_table();
    let mut calls: Vec<String> = library.lines().skip(2).map(|line| name(line) + "()").collect();
    let own = [
        "number(1, 6)",
        "chance(0.5)",
        "pick([1, 2, 3])",
        "weighted({\"a\": 5, \"b\": 1})",
        "keyed(7).number(0, 1, 9)",
        "span(\"s\", 20)",
        "drift(\"d\", 0, 1)",
        "meter(\"m\", 0.5)",
        "wave(0.7, 0, 1)",
    ];
    for line in super::jinja_table().lines().skip(2) {
        assert!(own.iter().any(|call| call.starts_with(&format!("{}(", name(line)))), "{line} is not called");
    }
    calls.extend(own.map(str::to_owned));
    let text = format!("{{{{ [{}] }}}}", calls.join(", "));
    let template = Template::compile_jinja(&text).expect("a template");
    compare("jinja", &Generator::of_template(template.into(), SEED, PRODUCER), EVENTS / 500);
}

fn compare(name: &str, generator: &Generator, events: u64) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fingerprints/{name}.txt"));
    let now = fingerprint(generator, events);
    if std::env::var_os("UPDATE_FINGERPRINTS").is_some() {
        std::fs::write(&path, &now).expect("the fingerprints can be written");
    }
    let then = std::fs::read_to_string(&path).expect("every kind has a fingerprint");
    assert_eq!(now, then, "the bytes of {name} changed: see the top of this file");
}
