//! What an event of a template costs, in the language of the Kinesis Data Generator and in Jinja, beside a struct of the
//! same eight fields filled by `fake` and written by `serde_json`: all in one run, in turns, so that a busy machine slows
//! all of them.
//!
//! ```text
//! cargo run --release --example template
//! ```
//!
//! Says the least and the median of the rounds, in nanoseconds an event. The least is what the machine can do.

use std::hint::black_box;
use std::time::Instant;

use fake::Fake;
use fake::faker::address::en::StateName;
use fake::faker::internet::en::IPv4;
use fake::faker::name::en::{FirstName, LastName};
use fake::rand::{RngExt, SeedableRng, rngs::StdRng};
use kinesis_streamer::generate::{Generator, Template, TemplateMode, Timestamp};

const ROUNDS: usize = 40;
const EVENTS: u64 = 20_000;

const TEMPLATE: &str = r#"{"id":"{{random.uuid}}","sensor":{{random.number(50)}},"temperature":{{random.number({"min":10,"max":150})}},
"status":"{{random.arrayElement(["OK","FAIL","WARN"])}}","first":"{{name.firstName}}","last":"{{name.lastName}}",
"ip":"{{internet.ip}}","state":"{{address.state}}"}"#;

const JINJA: &str = r#"{"id":"{{random.uuid()}}","sensor":{{random.number(50)}},"temperature":{{random.number(min=10,max=150)}},
"status":"{{random.arrayElement(["OK","FAIL","WARN"])}}","first":"{{name.firstName()}}","last":"{{name.lastName()}}",
"ip":"{{internet.ip()}}","state":"{{address.state()}}"}"#;

#[derive(serde::Serialize)]
struct Event {
    id: String,
    sensor: u32,
    temperature: u32,
    status: &'static str,
    first: &'static str,
    last: &'static str,
    ip: String,
    state: &'static str,
}

fn event(random: &mut StdRng) -> Event {
    let (high, low): (u64, u64) = (random.random(), random.random());
    Event {
        id: format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            high >> 16 & 0xffff,
            high & 0xfff,
            low >> 48 & 0x3fff | 0x8000,
            low & 0xffff_ffff_ffff
        ),
        sensor: (0..=50).fake_with_rng(random),
        temperature: (10..=150).fake_with_rng(random),
        status: ["OK", "FAIL", "WARN"][random.random_range(0..3)],
        first: FirstName().fake_with_rng(random),
        last: LastName().fake_with_rng(random),
        ip: IPv4().fake_with_rng(random),
        state: StateName().fake_with_rng(random),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let compiled = Template::compile(TEMPLATE, TemplateMode::Lenient)?;
    let generators =
        [compiled, Template::compile_jinja(JINJA)?].map(|one| Generator::of_template(one.into(), 1, "p"));
    let (time, mut random) = (Timestamp::from_unix_millis(1_795_227_274_123), StdRng::seed_from_u64(1));
    let mut out = Vec::with_capacity(4_096);
    let mut times = [const { Vec::new() }; 3];
    for round in 0..ROUNDS as u64 {
        for (generator, times) in generators.iter().zip(&mut times) {
            let start = Instant::now();
            for sequence in 0..EVENTS {
                out.clear();
                generator.write(0, round * EVENTS + sequence, &time, &mut out);
                black_box(&out);
            }
            times.push(start.elapsed().as_nanos() as f64 / EVENTS as f64);
        }
        let start = Instant::now();
        for _ in 0..EVENTS {
            out.clear();
            serde_json::to_writer(&mut out, &event(&mut random))?;
            black_box(&out);
        }
        times[2].push(start.elapsed().as_nanos() as f64 / EVENTS as f64);
    }
    println!("{ROUNDS} rounds of {EVENTS} events; ns an event");
    let names = ["template of eight fields", "the same in Jinja", "struct, fake, serde_json"];
    for (name, times) in names.into_iter().zip(&mut times) {
        times.sort_by(f64::total_cmp);
        println!("  {name}: least {:.0}, median {:.0}", times[0], times[ROUNDS / 2]);
    }
    Ok(())
}
