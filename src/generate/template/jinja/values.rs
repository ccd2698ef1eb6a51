//! Values on the way between minijinja and the functions: what is a number, what a list, and what is refused.

use minijinja::Error;
use minijinja::value::{Kwargs, Value, ValueKind};

use super::super::value::Value as Parameter;
use super::draws::wrong;

/// The most elements of a list or map that a function takes.
const MOST_ELEMENTS: usize = 100_000;

/// Arguments by position, and those by name.
pub(super) fn split(args: &[Value]) -> Result<(&[Value], Option<Kwargs>), Error> {
    match args.split_last() {
        Some((last, before)) if last.is_kwargs() => Ok((before, Some(Kwargs::try_from(last.clone())?))),
        _ => Ok((args, None)),
    }
}

/// The elements of a list.
pub(super) fn elements(value: &Value) -> Result<Vec<Value>, Error> {
    let elements = value.try_iter()?.take(MOST_ELEMENTS + 1).collect::<Vec<_>>();
    if elements.len() > MOST_ELEMENTS {
        return Err(wrong(format!("more than {MOST_ELEMENTS} elements are not taken")));
    }
    Ok(elements)
}

/// A number.
pub(super) fn number(value: &Value, what: &str) -> Result<f64, Error> {
    match f64::try_from(value.clone()) {
        Ok(number) if number.is_finite() && value.is_number() => Ok(number),
        _ => Err(wrong(format!("{what} must be a number, and not {}", shown(value)))),
    }
}

/// A whole number from 1.
pub(super) fn count(value: &Value, what: &str) -> Result<u64, Error> {
    match u64::try_from(value.clone()) {
        Ok(count) if count >= 1 => Ok(count),
        _ => Err(wrong(format!("{what} must be a whole number from 1, and not {}", shown(value)))),
    }
}

/// A text or a number, as text.
pub(super) fn key(value: &Value, what: &str) -> Result<String, Error> {
    if value.as_str().is_some() || value.is_number() {
        Ok(value.to_string())
    } else {
        Err(wrong(format!("{what} must be a text or a number, and not {}", shown(value))))
    }
}

/// A value as an error shows it.
pub(super) fn shown(value: &Value) -> String {
    match value.kind() {
        ValueKind::Undefined => "undefined".to_owned(),
        ValueKind::None => "none".to_owned(),
        ValueKind::Plain => "a function".to_owned(),
        _ => super::super::error::shown(&value.to_string()),
    }
}

/// A parameter as the library takes it.
pub(super) fn parameter(value: &Value, depth: u32) -> Result<Parameter, Error> {
    if depth > 32 {
        return Err(wrong("lists within lists are taken 32 deep".to_owned()));
    }
    Ok(match value.kind() {
        ValueKind::None => Parameter::Null,
        ValueKind::Bool => Parameter::Bool(value.is_true()),
        ValueKind::Number => Parameter::Number(f64::try_from(value.clone())?),
        ValueKind::String => Parameter::Text(value.to_string()),
        ValueKind::Seq | ValueKind::Iterable => Parameter::List(
            elements(value)?.iter().map(|one| parameter(one, depth + 1)).collect::<Result<_, _>>()?,
        ),
        ValueKind::Map => {
            let entry = |key: &Value| Ok((key.to_string(), parameter(&value.get_item(key)?, depth + 1)?));
            Parameter::Map(elements(value)?.iter().map(entry).collect::<Result<_, Error>>()?)
        }
        _ => return Err(wrong(format!("{} is nothing that a function takes", shown(value)))),
    })
}
