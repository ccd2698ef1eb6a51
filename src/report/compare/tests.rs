//! The comparison's claims: a run against itself shows nothing, whatever its seconds are like; a real difference shows.

use super::*;
use crate::ledger::timeline::Sparse;
use crate::report::tests::document;

/// Reproducible chance: splitmix64.
struct Chance(u64);

impl Chance {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Normal, by Box and Muller.
    fn normal(&mut self) -> f64 {
        let (u, v) = (self.unit().max(1e-12), self.unit());
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }
}

/// What a kind of run is like.
#[derive(Debug, Clone, Copy)]
struct Nature {
    seconds: usize,
    /// How alike neighbouring seconds are, 0 to 1.
    memory: f64,
    /// Records offered in a second.
    rate: f64,
    /// The share that is throttled while the stream throttles, which it does for a while now and then.
    throttle: f64,
    /// The median delay, in seconds.
    delay: f64,
    /// Whether the load rises over the run.
    rises: bool,
}

const USUAL: Nature =
    Nature { seconds: 60, memory: 0.5, rate: 900.0, throttle: 0.3, delay: 0.01, rises: false };

/// A run of such a nature: rates and delays wander as a first-order autoregression does, throttling comes in bursts.
fn run(nature: Nature, chance: &mut Chance) -> Document {
    let Nature { seconds, memory, rate, throttle, delay, rises } = nature;
    let fresh = (1.0 - memory * memory).sqrt();
    let (mut level, mut slow, mut throttling) = (chance.normal(), chance.normal(), false);
    let mut document = document();
    document.spans = (0..seconds)
        .map(|second| {
            level = memory * level + fresh * chance.normal();
            slow = memory * slow + fresh * chance.normal();
            throttling = chance.unit() < if throttling { 0.3 + 0.6 * memory } else { 0.05 };
            let shape = if rises { 0.5 + second as f64 / seconds as f64 } else { 1.0 };
            let due = (rate * shape * (1.0 + 0.05 * level)).max(1.0) as u64;
            let throttled = if throttling { (due as f64 * throttle * chance.unit()) as u64 } else { 0 };
            let sent = due - throttled / 2;
            let mut values: Vec<u32> = (0..25)
                .map(|_| {
                    let tail = if chance.unit() < 0.02 { 5.0 * chance.unit() } else { 0.0 };
                    (delay * 1e6 * (0.2 * slow + 0.3 * chance.normal() + tail).exp()) as u32 + 1
                })
                .collect();
            values.sort_unstable();
            values.dedup();
            let delays: Sparse = values.iter().map(|&micros| (micros, 1)).collect();
            SpanRow {
                from: second as f64,
                to: second as f64 + 1.0,
                due,
                generated: due,
                sent,
                sent_bytes: sent * 300,
                failed: due - sent,
                throttled,
                requests: 40,
                times: crate::report::Times {
                    delivery_delay: delays.clone().into(),
                    request_duration: delays.into(),
                    ..Default::default()
                },
                ..SpanRow::default()
            }
        })
        .collect();
    document
}

/// In how many of `tries` two runs of these natures are called different, with margins of nothing at all.
fn called_different(a: Nature, b: Nature, tries: u64, margins: Margins) -> u64 {
    (0..tries)
        .filter(|&n| {
            let mut chance = Chance(n * 7_919 + a.seconds as u64);
            let (a, b) = (run(a, &mut chance), run(b, &mut chance));
            compare(&a, &b, margins).differs()
        })
        .count() as u64
}

const NOTHING: Margins = Margins { counts: 0.0, durations: 0.0 };

// Of a hundred comparisons of two runs of one nature, five at most may be called different. The least differences that
// matter (a thousandth, a millisecond) are the only help: the margins are zero.
#[test]
fn two_runs_of_one_nature_are_called_the_same_in_at_least_95_of_100_tries() {
    const TRIES: u64 = 100;
    let natures = [
        ("usual", USUAL),
        ("short", Nature { seconds: 12, ..USUAL }),
        ("long", Nature { seconds: 120, memory: 0.8, ..USUAL }),
        ("independent seconds", Nature { memory: 0.0, ..USUAL }),
        ("slow answers", Nature { delay: 0.3, ..USUAL }),
        ("a ramp", Nature { rises: true, ..USUAL }),
    ];
    for (name, nature) in natures {
        let wrong = called_different(nature, nature, TRIES, NOTHING);
        assert!(wrong * 20 <= TRIES, "{name}: {wrong} of {TRIES}");
    }
    let longer = Nature { seconds: 90, ..USUAL };
    let wrong = called_different(USUAL, longer, TRIES, NOTHING);
    assert!(wrong * 20 <= TRIES, "of different length: {wrong} of {TRIES}");
}

#[test]
fn a_run_against_itself_shows_nothing_at_all() {
    let one = run(USUAL, &mut Chance(1));
    let comparison = compare(&one, &one, NOTHING);
    assert!(!comparison.differs() && !comparison.is_empty(), "{comparison:?}");
    assert!(comparison.text().contains("No difference is proven"), "{}", comparison.text());
}

// A regression of a fifth in rate, or three times the delay, is found in nearly every comparison of a minute each.
#[test]
fn a_real_difference_is_found() {
    let base = Nature { memory: 0.2, throttle: 0.05, ..USUAL };
    let slower = Nature { rate: 720.0, ..base };
    let later = Nature { delay: 0.03, ..base };
    let usual = Margins::default();
    for (name, nature) in [("slower", slower), ("later", later)] {
        let found = called_different(base, nature, 40, usual);
        assert!(found >= 36, "{name}: {found} of 40");
    }
    let mut chance = Chance(5);
    let (a, b) = (run(base, &mut chance), run(later, &mut chance));
    let worse = compare(&a, &b, usual);
    let p50 = worse.rows.iter().find(|row| row.name == "p50").expect("a row");
    assert!(p50.says == Says::Worse && worse.is_worse(), "{}", worse.text());
    let better = compare(&b, &a, usual);
    assert!(!better.is_worse() && better.differs(), "{}", better.text());
    let json: serde_json::Value = serde_json::from_str(&worse.json()).expect("JSON");
    assert_eq!((json["worse"].as_bool(), json["rows"][5]["name"].as_str()), (Some(true), Some("p50")));
}

#[test]
fn a_difference_within_the_margin_does_not_matter() {
    let slower = Nature { rate: 882.0, memory: 0.0, ..USUAL };
    let wide = Margins { counts: 0.1, durations: 1.0 };
    let (mut one, mut two) = (Chance(3), Chance(3));
    let (a, b) = (run(Nature { memory: 0.0, ..USUAL }, &mut one), run(slower, &mut two));
    assert!(compare(&a, &b, NOTHING).differs(), "of the same chance, each second is 2 % less");
    assert!(!compare(&a, &b, wide).differs());
}

#[test]
fn runs_that_are_too_short_are_not_compared() {
    let short = run(Nature { seconds: 7, ..USUAL }, &mut Chance(1));
    let comparison = compare(&short, &short, NOTHING);
    assert!(comparison.is_empty() && !comparison.differs(), "{comparison:?}");
    assert!(comparison.cautions.iter().any(|caution| caution.contains("too short")), "{comparison:?}");
}

#[test]
fn settings_that_differ_are_told_and_those_that_name_a_run_are_not() {
    let (mut a, b) = (document(), document());
    let settings = &mut a.instances[0].settings;
    settings.insert("STREAMER_RETRY".to_owned(), "none".to_owned());
    settings.insert("STREAMER_INSTANCE".to_owned(), "other".to_owned());
    let told = compare(&a, &b, NOTHING).settings;
    assert_eq!(told, [("STREAMER_RETRY".to_owned(), Some("none".to_owned()), None)]);
}
