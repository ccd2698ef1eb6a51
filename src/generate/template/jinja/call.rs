//! A call of the library's functions out of a template in Jinja: the argument becomes the parameter that the Kinesis Data
//! Generator would have, and what is written becomes a number, true or false where it is one.

use std::collections::HashMap;
use std::sync::LazyLock;

use minijinja::Error;
use minijinja::value::{Kwargs, Value, ValueKind};

use super::super::library::{self, Ask, Function};
use super::super::op::{MOST_SHUFFLED, Op};
use super::super::value::Value as Parameter;
use super::draws::{Draws, wrong};
use super::functions::{by_weight, one_of};
use super::values::{elements, parameter, split};

/// A function, and what it is made of without a parameter.
type Known = (&'static Function, Result<Vec<Op>, String>);

/// Every function.
static LIBRARY: LazyLock<Vec<Known>> = LazyLock::new(|| {
    let made = |function: &'static Function| (function, make(function, None));
    library::all().map(made).collect()
});

/// Where each stands.
static PLACES: LazyLock<HashMap<(&'static str, &'static str), usize>> = LazyLock::new(|| {
    let named = |(place, (function, _)): (usize, &(&'static Function, _))| {
        ((function.module, function.method), place)
    };
    LIBRARY.iter().enumerate().map(named).collect()
});

/// Where a function stands in the library.
pub(super) fn place(module: &'static str, method: &str) -> Option<usize> {
    PLACES.get(&(module, method)).copied()
}

/// What the function at this place is called.
pub(super) fn name(place: usize) -> String {
    LIBRARY.get(place).map_or_else(String::new, |(function, _)| full_name(function))
}

fn full_name(function: &Function) -> String {
    format!("{}.{}", function.module, function.method)
}

fn make(function: &Function, value: Option<Parameter>) -> Result<Vec<Op>, String> {
    let mut ask = Ask { value, strict: false, notes: Vec::new() };
    (function.make)(&mut ask).map_err(|fault| format!("{}: {}", full_name(function), fault.why))
}

/// Calls the function at this place.
pub(super) fn call(place: usize, draws: &Draws, args: &[Value]) -> Result<Value, Error> {
    let Some((function, plain)) = LIBRARY.get(place) else {
        return Err(wrong("there is no such function".to_owned()));
    };
    let told = |why: &String| wrong(why.clone());
    let (given, kwargs) = split(args)?;
    let value = match (given, kwargs) {
        ([], None) => return drawn(draws, plain.as_ref().map_err(told)?),
        ([value], None) => value.clone(),
        ([], Some(kwargs)) => as_map(&kwargs)?,
        _ => {
            let name = full_name(function);
            return Err(wrong(format!(
                "{name} takes one parameter: a value, or arguments by name that make an object"
            )));
        }
    };
    if function.takes.is_empty() {
        return Err(wrong(format!("{} takes no parameter", full_name(function))));
    }
    if let Some(chosen) = native(function, draws, &value)? {
        return Ok(chosen);
    }
    let value = parameter(&value, 0)?;
    check_number(function, &value)?;
    drawn(draws, &make(function, Some(value)).map_err(wrong)?)
}

fn as_map(kwargs: &Kwargs) -> Result<Value, Error> {
    let entry = |name: &str| Ok((name.to_owned(), kwargs.peek::<Value>(name)?));
    let entries = kwargs.args().map(entry).collect::<Result<Vec<_>, Error>>()?;
    Ok(Value::from_pairs(entries))
}

/// What draws among the template's own values gives them back as they are.
fn native(function: &Function, draws: &Draws, value: &Value) -> Result<Option<Value>, Error> {
    let is_list = matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable);
    let is_map = value.kind() == ValueKind::Map;
    Ok(match (function.module, function.method) {
        ("random", "arrayElement") | ("helpers", "randomize") if is_list => {
            Some(one_of(draws, &elements(value)?)?)
        }
        ("random", "objectElement") if is_map => {
            let values =
                elements(value)?.iter().map(|key| value.get_item(key)).collect::<Result<Vec<_>, _>>()?;
            Some(one_of(draws, &values)?)
        }
        ("random", "weightedArrayElement") if is_map => {
            let list = |name| value.get_attr(name).and_then(|list| elements(&list));
            let needed = |_| wrong("random.weightedArrayElement needs weights=[…] and data=[…]".to_owned());
            Some(by_weight(draws, &list("data").map_err(needed)?, &list("weights").map_err(needed)?)?)
        }
        ("helpers", "shuffle") if is_list => {
            let mut values = elements(value)?;
            if values.len() > MOST_SHUFFLED {
                return Err(wrong(format!("more than {MOST_SHUFFLED} elements are not shuffled")));
            }
            draws.with(|random| {
                for last in (1..values.len()).rev() {
                    values.swap(last, random.below(last as u32 + 1) as usize);
                }
            });
            Some(Value::from(values))
        }
        _ => None,
    })
}

/// The Kinesis Data Generator makes NaN of a range that is none; where a template has logic, that is an error.
fn check_number(function: &Function, value: &Parameter) -> Result<(), Error> {
    if (function.module, function.method) != ("random", "number") {
        return Ok(());
    }
    let is_right = match value {
        Parameter::Number(most) => most.is_finite(),
        Parameter::Map(entries) => entries.iter().all(|(name, value)| {
            ["min", "max", "precision"].contains(&name.as_str()) && matches!(value, Parameter::Number(_))
        }),
        _ => false,
    };
    if is_right {
        Ok(())
    } else {
        Err(wrong(
            "random.number takes the most, or min=, max= and precision=, all of them numbers".to_owned(),
        ))
    }
}

/// What the pieces write, as what it is.
fn drawn(draws: &Draws, ops: &[Op]) -> Result<Value, Error> {
    let text = draws.write(ops)?;
    Ok(match ops {
        [
            Op::Integer { .. }
            | Op::Number { .. }
            | Op::Coordinate { .. }
            | Op::Session
            | Op::Job
            | Op::Sequence,
        ] => match (text.parse::<i64>(), text.parse::<f64>()) {
            (Ok(whole), _) => whole.into(),
            (_, Ok(number)) if number.is_finite() => number.into(),
            _ => return Err(wrong(format!("this makes {text}, which is no number"))),
        },
        [Op::Pick(of)] if **of == ["true", "false"] => (text == "true").into(),
        _ => text.into(),
    })
}
