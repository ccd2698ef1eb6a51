//! What a compiled template is made of: pieces that append themselves to an event.
//!
//! Decides how each piece draws and how large it can become; which function means which pieces is in `library`.

use super::date_format::DateFormat;
use super::moment::{self, Moment};
use super::nearby::Nearby;
use super::number;
use crate::generate::random::{Lanes, Random};
use crate::generate::{Timestamp, hex, text};

/// Most elements of a list that is shuffled for each event.
pub(super) const MOST_SHUFFLED: usize = 1_024;

/// One piece of an event.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Op {
    /// This text.
    Text(Box<[u8]>),
    /// One of these words.
    Pick(&'static [&'static str]),
    /// One of the template's own texts.
    Choice(Box<[Box<[u8]>]>),
    /// One of these texts, by the running sums of their weights; nothing fits above the last sum.
    Weighted { sums: Box<[f64]>, total: f64, texts: Box<[Box<[u8]>]> },
    /// One of these sequences.
    OneOf(Box<[Box<[Op]>]>),
    /// A sequence that many places share.
    Shared(&'static [Op]),
    /// So many times, with a text between.
    Times { least: u32, most: u32, between: &'static str, of: &'static [Op] },
    /// A whole number from `low`, one of `span`.
    Integer { low: i64, span: u64 },
    /// As `random.number` draws it: `precision` times a whole number.
    Number { precision: f64, low: f64, high: f64 },
    /// Ten-thousandths, as a coordinate.
    Coordinate { low: i64, span: u64 },
    /// A text with a random digit or capital letter at each of these places.
    Pattern { text: Box<[u8]>, digits: Box<[u32]>, capitals: Box<[u32]> },
    /// So many of these letters.
    Letters { of: &'static [u8], least: u32, most: u32 },
    /// The sequence with its first letter as a capital.
    Capital(Box<[Op]>),
    /// The sequence as a file's name: lower case, underscores.
    FileName(Box<[Op]>),
    /// A random UUID of version 4.
    Uuid,
    /// A colour such as `#0a1b2c`, each part the mean of this base and a random byte.
    Colour(f64),
    /// `internet.session`: a double.
    Session,
    /// A point at a distance from another.
    Nearby(Nearby),
    /// The event's time.
    Time(DateFormat),
    /// A date in JavaScript's form, before (−1) or after (1) the event's time by what `random.number` draws.
    Date { sign: f64, low: f64, high: f64 },
    /// These texts in random order, joined by commas.
    Shuffled(Box<[Box<[u8]>]>),
    /// The id that other events carry.
    Id,
    /// The job's number.
    Job,
    /// The event's number within its job.
    Sequence,
    /// The producer's name.
    Producer,
}

/// What the pieces of one event draw from.
pub(super) struct Scene<'a> {
    pub(super) id: Lanes,
    pub(super) random: Random,
    pub(super) time: &'a Timestamp,
    pub(super) job: u32,
    pub(super) sequence: u64,
    pub(super) producer: &'a str,
}

/// A number from 0 to below `span`; its bias is below `span` / 2^64.
#[inline]
fn below(span: u64, random: &mut Random) -> u64 {
    ((u128::from(random.bits()) * u128::from(span)) >> 64) as u64
}

/// A number from 0 to below 1.
#[inline]
pub(super) fn unit(random: &mut Random) -> f64 {
    (random.bits() >> 11) as f64 / number::EXACT
}

#[inline]
fn pick<'a, T>(of: &'a [T], random: &mut Random) -> Option<&'a T> {
    of.get(random.below(of.len() as u32) as usize)
}

/// KDG's way to a random number, step by step: the roundings of a double are part of what it prints.
#[inline]
fn kdg_number(precision: f64, low: f64, high: f64, random: &mut Random) -> f64 {
    precision * (unit(random) * (high - low) + low).floor()
}

impl Op {
    /// A piece that is always the same.
    pub(super) fn text(text: &str) -> Self {
        Self::Text(text.as_bytes().into())
    }

    /// Appends the piece.
    #[inline]
    pub(super) fn write(&self, scene: &mut Scene<'_>, out: &mut Vec<u8>) {
        let random = &mut scene.random;
        match self {
            Self::Text(text) => out.extend_from_slice(text),
            Self::Pick(of) => out.extend_from_slice(pick(of, random).map_or(&[], |word| word.as_bytes())),
            Self::Choice(of) => out.extend_from_slice(pick(of, random).map_or(&[], |text| text)),
            Self::Weighted { sums, total, texts } => {
                let at = unit(random) * total;
                let text = sums.iter().position(|sum| at <= *sum).and_then(|place| texts.get(place));
                out.extend_from_slice(text.map_or(b"undefined", |text| text));
            }
            Self::OneOf(of) => {
                if let Some(sequence) = pick(of, random) {
                    write_all(sequence, scene, out);
                }
            }
            Self::Shared(of) => write_all(of, scene, out),
            Self::Times { least, most, between, of } => {
                for number in 0..least + random.below(most - least + 1) {
                    if number > 0 {
                        out.extend_from_slice(between.as_bytes());
                    }
                    write_all(of, scene, out);
                }
            }
            Self::Integer { low, span } => number::integer(low + below(*span, random) as i64, out),
            Self::Number { precision, low, high } => {
                number::write(kdg_number(*precision, *low, *high, random), out);
            }
            Self::Coordinate { low, span } => coordinate(low + below(*span, random) as i64, out),
            Self::Pattern { text, digits, capitals } => {
                let start = out.len();
                out.extend_from_slice(text);
                for &at in digits {
                    out[start + at as usize] = b'0' + random.below(10) as u8;
                }
                for &at in capitals {
                    out[start + at as usize] = b'A' + random.below(26) as u8;
                }
            }
            Self::Letters { of, least, most } => {
                for _ in 0..least + random.below(most - least + 1) {
                    out.push(pick(of, random).copied().unwrap_or_default());
                }
            }
            Self::Uuid => {
                let lanes = Lanes { high: random.bits(), low: random.bits() };
                out.extend_from_slice(&text::uuid(lanes));
            }
            Self::Colour(base) => colour(*base, random, out),
            Self::Session => {
                const LEAST: f64 = 1_007_199_254_740_991.0;
                const MOST: f64 = 9_007_199_254_740_991.0;
                number::write(unit(random) * (MOST - LEAST) + LEAST, out);
            }
            Self::Nearby(nearby) => nearby.write(random, out),
            Self::Time(format) => format.write(scene.time, out),
            Self::Date { sign, low, high } => {
                let distance = kdg_number(1.0, *low, *high, random);
                let now = Moment::of(scene.time).unix_millis() as f64;
                match Moment::from_unix_millis(now + sign * distance) {
                    Some(moment) => moment.write_javascript(out),
                    None => out.extend_from_slice(b"Invalid Date"),
                }
            }
            Self::Id => out.extend_from_slice(&text::uuid(scene.id)),
            Self::Job => number::natural(scene.job.into(), out),
            Self::Sequence => number::natural(scene.sequence, out),
            Self::Producer => out.extend_from_slice(scene.producer.as_bytes()),
            Self::Capital(of) => {
                let start = out.len();
                write_all(of, scene, out);
                if let Some(first) = out.get_mut(start) {
                    first.make_ascii_uppercase();
                }
            }
            Self::FileName(of) => {
                let start = out.len();
                write_all(of, scene, out);
                for byte in &mut out[start..] {
                    *byte = if matches!(byte, b' ' | b',' | b'-' | b'\\') {
                        b'_'
                    } else {
                        byte.to_ascii_lowercase()
                    };
                }
            }
            Self::Shuffled(texts) => shuffled(texts, random, out),
        }
    }

    /// The most bytes that [`Self::write`] appends, for a producer's name of so many bytes.
    pub(super) fn largest(&self, producer: usize) -> usize {
        let longest = |texts: &[Box<[u8]>]| texts.iter().map(|text| text.len()).max().unwrap_or(0);
        match self {
            Self::Text(text) => text.len(),
            Self::Pick(of) => of.iter().map(|word| word.len()).max().unwrap_or(0),
            Self::Choice(of) => longest(of),
            Self::Weighted { texts, .. } => longest(texts).max("undefined".len()),
            Self::OneOf(of) => of.iter().map(|sequence| largest(sequence, producer)).max().unwrap_or(0),
            Self::Shared(of) => largest(of, producer),
            Self::Times { most, between, of, .. } => {
                (*most as usize).saturating_mul(largest(of, producer).saturating_add(between.len()))
            }
            Self::Integer { .. } | Self::Number { .. } | Self::Session => number::MOST_BYTES,
            Self::Coordinate { .. } => "-180.0000".len(),
            Self::Pattern { text, .. } => text.len(),
            Self::Letters { most, .. } => *most as usize,
            Self::Capital(of) | Self::FileName(of) => largest(of, producer),
            Self::Uuid | Self::Id => 36,
            Self::Colour(_) => 1 + 3 * 8,
            Self::Nearby(_) => super::nearby::LONGEST,
            Self::Time(format) => format.largest(),
            Self::Date { .. } => moment::LONGEST,
            Self::Shuffled(texts) => texts.iter().map(|text| text.len() + 1).sum(),
            Self::Job | Self::Sequence => 20,
            Self::Producer => producer,
        }
    }
}

/// Appends the pieces in their order.
#[inline]
pub(super) fn write_all(ops: &[Op], scene: &mut Scene<'_>, out: &mut Vec<u8>) {
    for op in ops {
        op.write(scene, out);
    }
}

/// The most bytes of all pieces together.
pub(super) fn largest(ops: &[Op], producer: usize) -> usize {
    ops.iter().fold(0, |sum: usize, op| sum.saturating_add(op.largest(producer)))
}

/// Appends ten-thousandths with their four decimals.
#[inline]
fn coordinate(ten_thousandths: i64, out: &mut Vec<u8>) {
    if ten_thousandths < 0 {
        out.push(b'-');
    }
    let amount = ten_thousandths.unsigned_abs();
    number::natural(amount / 10_000, out);
    let part = (amount % 10_000) as u16;
    let digit = |divisor: u16| b'0' + (part / divisor % 10) as u8;
    out.extend_from_slice(&[b'.', digit(1_000), digit(100), digit(10), digit(1)]);
}

fn colour(base: f64, random: &mut Random, out: &mut Vec<u8>) {
    out.push(b'#');
    for base in [base, 0.0, 0.0] {
        let part =
            ((f64::from(random.below(257)) + base) / 2.0).floor().clamp(0.0, f64::from(u32::MAX)) as u32;
        let digits = hex(part);
        let zeros = digits.iter().take_while(|digit| **digit == b'0').count().min(6);
        out.extend_from_slice(&digits[zeros..]);
    }
}

/// KDG's own shuffle, which is no fair one: each place from the last but one down takes any earlier or later one.
fn shuffled(texts: &[Box<[u8]>], random: &mut Random, out: &mut Vec<u8>) {
    let mut order = [0_u16; MOST_SHUFFLED];
    let order = &mut order[..texts.len().min(MOST_SHUFFLED)];
    order.iter_mut().zip(0..).for_each(|(place, number)| *place = number);
    for last in (1..order.len()).rev() {
        order.swap(last - 1, random.below(last as u32 + 1) as usize);
    }
    for (number, &place) in order.iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        out.extend_from_slice(&texts[usize::from(place)]);
    }
}
