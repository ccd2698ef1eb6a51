//! The functions that only templates in Jinja have: choices, and what lasts from one event to the next.

use std::fmt::Write as _;

use minijinja::Error;
use minijinja::value::{Kwargs, Value};

use super::draws::{Draws, wrong};
use super::lasting::{self, OVER};
use super::values::{count, elements, key, number, shown, split};
use crate::generate::random::{Lanes, Random, hash, mix};
use crate::generate::template::number::EXACT;
use crate::generate::template::op::unit;
use crate::generate::text;

/// Most decimals of a number.
const MOST_DECIMALS: u64 = 9;

/// A function by its name.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: &'static str,
    takes: &'static str,
    what: &'static str,
    /// Whether what `keyed` gives has it as well: it draws, and follows from nothing else.
    draws: bool,
    pub(super) call: fn(&Draws, &[Value]) -> Result<Value, Error>,
}

static FUNCTIONS: [Function; 9] = [
    Function {
        name: "number",
        takes: "low, high, decimals=0",
        what: "a number from `low` to `high`, both included; whole, or with so many decimals",
        draws: true,
        call: number_between,
    },
    Function {
        name: "chance",
        takes: "share",
        what: "true in this share of all cases (0 to 1), else false",
        draws: true,
        call: chance,
    },
    Function {
        name: "pick",
        takes: "list",
        what: "an element of the list, as it is; or one of several arguments",
        draws: true,
        call: pick,
    },
    Function {
        name: "weighted",
        takes: "{\"a\": 5, \"b\": 1}",
        what: "a key of the map, as often as its weight says; or, with two lists, an element of the first by the weights of the second",
        draws: true,
        call: weighted,
    },
    Function {
        name: "keyed",
        takes: "key",
        what: "all modules, and the functions above, with draws that follow from the seed and this key alone: `keyed(user).name.firstName()` is the same in every event, job and producer",
        draws: false,
        call: keyed,
    },
    Function {
        name: "span",
        takes: "name, length",
        what: "the stretch of about `length` neighbouring events of this job that this one lies in: `.index` from 0, `.offset` of the event in it, `.length`, `.first`, `.last` (true or false), `.id` (a UUID)",
        draws: false,
        call: span,
    },
    Function {
        name: "drift",
        takes: "name, low, high, over=4096",
        what: "a number that wanders between the two, from one end to the other in no less than some `over` events",
        draws: false,
        call: drift,
    },
    Function {
        name: "meter",
        takes: "name, step",
        what: "a number that grows by `step` with each event in the mean and never shrinks; whole if `step` is",
        draws: false,
        call: meter,
    },
    Function {
        name: "wave",
        takes: "seconds, low, high",
        what: "a sine of the event's time with this period, from midnight UTC on",
        draws: false,
        call: wave,
    },
];

/// The function of this name, among all or among those that draw.
pub(super) fn find(name: &str, all: bool) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name && (all || function.draws))
}

/// All names.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|function| function.name)
}

/// The reference in Markdown, as `docs/templates.md` shows it.
pub(in crate::generate::template) fn markdown_table() -> String {
    let mut table = String::from("| function | what it gives |\n|---|---|\n");
    for Function { name, takes, what, .. } in &FUNCTIONS {
        // Writing to a string can't fail.
        let _ = writeln!(table, "| `{name}({takes})` | {what} |");
    }
    table
}

/// Arguments by position or by these names: as many as are needed, and then those that may be left out.
fn named<const N: usize>(
    function: &str,
    args: &[Value],
    names: [&str; N],
    needed: usize,
) -> Result<[Option<Value>; N], Error> {
    let (given, kwargs) = split(args)?;
    if given.len() > N {
        return Err(wrong(format!("{function} takes {}, and no more", names.join(", "))));
    }
    let mut values = [const { None }; N];
    for (value, given) in values.iter_mut().zip(given) {
        *value = Some(given.clone());
    }
    if let Some(kwargs) = kwargs {
        by_name(function, &kwargs, &names, &mut values)?;
    }
    match values.iter().take(needed).position(Option::is_none) {
        Some(missing) => Err(wrong(format!(
            "{function} needs {}: {} is missing",
            names[..needed].join(", "),
            names[missing]
        ))),
        None => Ok(values),
    }
}

fn by_name(
    function: &str,
    kwargs: &Kwargs,
    names: &[&str],
    values: &mut [Option<Value>],
) -> Result<(), Error> {
    for given in kwargs.args() {
        let Some(at) = names.iter().position(|name| *name == given) else {
            return Err(wrong(format!("{function} has no {given}: it takes {}", names.join(", "))));
        };
        if values[at].is_some() {
            return Err(wrong(format!("{function} is given {given} twice")));
        }
        values[at] = Some(kwargs.peek::<Value>(given)?);
    }
    Ok(())
}

/// An argument that is there: `named` has seen to it.
fn given(value: &Option<Value>) -> &Value {
    value.as_ref().unwrap_or(&Value::UNDEFINED)
}

/// The two ends of a range.
fn ends(low: &Option<Value>, high: &Option<Value>) -> Result<(f64, f64), Error> {
    let (low, high) = (number(given(low), "low")?, number(given(high), "high")?);
    if low > high {
        return Err(wrong(format!("low is {low}, which is more than high, {high}")));
    }
    Ok((low, high))
}

fn number_between(draws: &Draws, args: &[Value]) -> Result<Value, Error> {
    let [low, high, decimals] = named("number", args, ["low", "high", "decimals"], 2)?;
    let (low, high) = ends(&low, &high)?;
    let decimals = match &decimals {
        None => 0,
        Some(value) => {
            u64::try_from(value.clone()).ok().filter(|&decimals| decimals <= MOST_DECIMALS).ok_or_else(
                || wrong(format!("decimals must be from 0 to {MOST_DECIMALS}, and not {}", shown(value))),
            )?
        }
    };
    let scale = 10_u64.pow(decimals as u32) as f64; // at most 9
    let (least, most) = ((low * scale).ceil(), (high * scale).floor());
    if least.abs() > EXACT || most.abs() > EXACT {
        return Err(wrong(format!(
            "from {low} to {high} is too far: with its decimals, a number has 15 digits at most"
        )));
    }
    if least > most {
        return Err(wrong(format!("there is no number with {decimals} decimals from {low} to {high}")));
    }
    let span = (most - least) as u64 + 1;
    let drawn = draws.with(|random| (u128::from(random.bits()) * u128::from(span)) >> 64);
    let drawn = least as i64 + drawn as i64;
    Ok(if decimals == 0 { drawn.into() } else { (drawn as f64 / scale).into() })
}

fn chance(draws: &Draws, args: &[Value]) -> Result<Value, Error> {
    let [share] = named("chance", args, ["share"], 1)?;
    let share = number(given(&share), "share")?;
    if !(0.0..=1.0).contains(&share) {
        return Err(wrong(format!("share must be from 0 to 1, and not {share}")));
    }
    Ok((draws.with(unit) < share).into())
}

/// One of these.
pub(super) fn one_of(draws: &Draws, of: &[Value]) -> Result<Value, Error> {
    match of {
        [] => Err(wrong("there is nothing to pick from".to_owned())),
        _ => Ok(of[draws.with(|random| random.below(of.len() as u32)) as usize].clone()), // 100,000 at most
    }
}

fn pick(draws: &Draws, args: &[Value]) -> Result<Value, Error> {
    match args {
        [list] if list.as_str().is_none() && list.try_iter().is_ok() => one_of(draws, &elements(list)?),
        [one] => Err(wrong(format!("pick takes a list, or several values, and not {}", shown(one)))),
        several => one_of(draws, several),
    }
}

/// One of these by weight.
pub(super) fn by_weight(draws: &Draws, of: &[Value], weights: &[Value]) -> Result<Value, Error> {
    if of.len() != weights.len() {
        return Err(wrong(format!("there are {} weights for {} values", weights.len(), of.len())));
    }
    let weights = weights.iter().map(|weight| number(weight, "a weight")).collect::<Result<Vec<_>, _>>()?;
    let total: f64 = weights.iter().sum();
    if !(total > 0.0 && total.is_finite() && weights.iter().all(|weight| *weight >= 0.0)) {
        return Err(wrong("weights must not be negative, and must add up to more than 0".to_owned()));
    }
    let mut left = draws.with(unit) * total;
    for (value, weight) in of.iter().zip(&weights) {
        if left < *weight {
            return Ok(value.clone());
        }
        left -= weight;
    }
    // By rounding alone: the last that has a weight.
    let last = of.iter().zip(&weights).rev().find(|(_, weight)| **weight > 0.0);
    Ok(last.map_or(Value::UNDEFINED, |(value, _)| value.clone()))
}

fn weighted(draws: &Draws, args: &[Value]) -> Result<Value, Error> {
    match args {
        [of, weights] if !weights.is_kwargs() => by_weight(draws, &elements(of)?, &elements(weights)?),
        [map] if map.kind() == minijinja::value::ValueKind::Map => {
            let keys = elements(map)?;
            let weights = keys.iter().map(|key| map.get_item(key)).collect::<Result<Vec<_>, _>>()?;
            by_weight(draws, &keys, &weights)
        }
        _ => Err(wrong(
            "weighted takes a map such as {\"a\": 5, \"b\": 1}, or a list of values and one of weights"
                .to_owned(),
        )),
    }
}

fn keyed(draws: &Draws, args: &[Value]) -> Result<Value, Error> {
    let [by] = named("keyed", args, ["key"], 1)?;
    let by = lasting::key_of(mix(draws.told.shared), &key(given(&by), "key")?);
    Ok(draws.keyed(&Random::new(by)))
}

fn span(draws: &Draws, args: &[Value]) -> Result<Value, Error> {
    let [name, length] = named("span", args, ["name", "length"], 2)?;
    let own = lasting::key_of(draws.told.own, &key(given(&name), "name")?);
    let block = lasting::span(own, draws.told.sequence, count(given(&length), "length")?);
    let id = text::uuid(Lanes { high: hash(own, block.index), low: hash(!own, block.index) });
    Ok(Value::from_pairs([
        ("index", Value::from(block.index)),
        ("offset", block.offset.into()),
        ("length", block.length.into()),
        ("first", (block.offset == 0).into()),
        ("last", (block.offset + 1 == block.length).into()),
        ("id", String::from_utf8_lossy(&id).as_ref().into()),
    ]))
}

fn drift(draws: &Draws, args: &[Value]) -> Result<Value, Error> {
    let [name, low, high, over] = named("drift", args, ["name", "low", "high", "over"], 3)?;
    let by = lasting::key_of(draws.told.shared, &key(given(&name), "name")?);
    let (low, high) = ends(&low, &high)?;
    let over = over.as_ref().map_or(Ok(OVER), |over| count(over, "over"))?;
    Ok(lasting::drift(by, draws.told.sequence, over, low, high).into())
}

fn meter(draws: &Draws, args: &[Value]) -> Result<Value, Error> {
    let [name, step] = named("meter", args, ["name", "step"], 2)?;
    let by = lasting::key_of(draws.told.shared, &key(given(&name), "name")?);
    let step = number(given(&step), "step")?;
    if step < 0.0 {
        return Err(wrong(format!("step must not be negative, and is {step}")));
    }
    let shows = lasting::meter(by, draws.told.sequence, step);
    Ok(if step.fract() == 0.0 && shows < EXACT { (shows.floor() as i64).into() } else { shows.into() })
}

fn wave(draws: &Draws, args: &[Value]) -> Result<Value, Error> {
    let [seconds, low, high] = named("wave", args, ["seconds", "low", "high"], 3)?;
    let seconds = number(given(&seconds), "seconds")?;
    if !(0.001..=1e10).contains(&seconds) {
        return Err(wrong(format!("seconds must be from 0.001 to 10,000,000,000, and not {seconds}")));
    }
    let (low, high) = ends(&low, &high)?;
    Ok(lasting::wave(draws.told.millis, (seconds * 1_000.0) as u64, low, high).into())
}
