//! `random`: numbers, and choices among what the template lists.

use std::sync::LazyLock;

use super::super::error::Fault;
use super::super::json;
use super::super::number::{EXACT, rounded_to_hundredths};
use super::super::op::Op;
use super::super::value::Value;
use super::super::{error, words};
use super::data::any;
use super::{Ask, Function, Made, all, constant, function, one_of, system, whole};

/// The functions that `random.word` draws from.
const WORDS: [&str; 27] = [
    "commerce.department",
    "commerce.productName",
    "commerce.productAdjective",
    "commerce.productMaterial",
    "commerce.product",
    "commerce.color",
    "company.catchPhraseAdjective",
    "company.catchPhraseDescriptor",
    "company.catchPhraseNoun",
    "company.bsAdjective",
    "company.bsBuzz",
    "company.bsNoun",
    "address.streetSuffix",
    "address.county",
    "address.country",
    "address.state",
    "finance.accountName",
    "finance.transactionType",
    "finance.currencyName",
    "hacker.noun",
    "hacker.verb",
    "hacker.adjective",
    "hacker.ingverb",
    "hacker.abbreviation",
    "name.jobDescriptor",
    "name.jobArea",
    "name.jobType",
];

static WORD: LazyLock<Vec<Op>> = LazyLock::new(|| {
    let named = |name: &&str| {
        let function = all().find(|function| format!("{}.{}", function.module, function.method) == **name)?;
        (function.make)(&mut Ask { value: None, strict: true, notes: Vec::new() }).ok()
    };
    vec![any(WORDS.iter().filter_map(named))]
});

pub(super) const RANDOM: &[Function] = &[
    function(
        "random",
        "number",
        "`99999` or `{\"min\":0,\"max\":99999,\"precision\":1}`",
        "a number from 0 or `min` to the most, both included; with `precision`, a multiple of it",
        number,
    ),
    function(
        "random",
        "arrayElement",
        "`[\"a\",\"b\",\"c\"]`",
        "an element of the list, or a character of the text",
        array_element,
    ),
    function(
        "random",
        "weightedArrayElement",
        "`{\"weights\":[0.5,0.5],\"data\":[\"dog\",\"cat\"]}`",
        "an element of `data`, as often as its weight says; the weights need not add up to 1",
        weighted,
    ),
    function(
        "random",
        "objectElement",
        "`{\"foo\":\"bar\",\"too\":\"car\"}`",
        "a value of the object",
        object_element,
    ),
    function("random", "uuid", "", "a UUID of version 4", |_| Ok(vec![Op::Uuid])),
    function("random", "boolean", "", "`true` or `false`", |_| one_of(&["true", "false"])),
    function("random", "word", "", "a word or a few, from commerce, companies, places, …", |_| {
        Ok(vec![Op::Shared(&WORD)])
    }),
    function("random", "words", "count", "so many of `random.word`; one to three without a count", words),
    function("random", "image", "", "as `image.image`", |_| system::image(None)),
    function("random", "locale", "", "a locale such as `de_AT`", |_| one_of(words::LOCALES)),
    function("random", "alphaNumeric", "", "one digit or lower-case letter, whatever the parameter", |ask| {
        if ask.value.is_some() {
            ask.note("random.alphaNumeric writes one character, whatever its parameter");
        }
        Ok(vec![Op::Letters { of: b"0123456789abcdefghijklmnopqrstuvwxyz", least: 1, most: 1 }])
    }),
];

/// A file's name of one to three words.
pub(super) fn few_words() -> Op {
    Op::Times { least: 1, most: 3, between: " ", of: &WORD }
}

fn words(ask: &mut Ask) -> Made {
    match &ask.value {
        None => Ok(vec![few_words()]),
        Some(value) => {
            let times = ask.times(value.number())?;
            Ok(vec![Op::Times { least: times, most: times, between: " ", of: &WORD }])
        }
    }
}

fn number(ask: &mut Ask) -> Made {
    let (low, high, precision) = match &ask.value {
        None | Some(Value::Null | Value::Bool(false) | Value::List(_)) => (None, None, None),
        Some(Value::Number(high)) => (None, Some(Value::Number(*high)), None),
        Some(map @ Value::Map(_)) => {
            if let Value::Map(entries) = map {
                let odd =
                    entries.iter().find(|(name, _)| !["min", "max", "precision"].contains(&name.as_str()));
                if let Some((name, _)) = odd {
                    let name = error::shown(name);
                    ask.notes.push(format!("random.number knows min, max and precision, and not \"{name}\""));
                }
            }
            let get = |name| map.get(name).cloned();
            (get("min"), get("max"), get("precision"))
        }
        Some(other) => {
            let meant = match other {
                Value::Text(text) => {
                    json::parse_relaxed(text).filter(|meant| !matches!(meant, Value::Text(_)))
                }
                _ => None,
            };
            let meant =
                meant.map(|meant| format!("; did you mean {}?", json::write(&meant))).unwrap_or_default();
            let given = error::shown(&other.text());
            ask.note(format!(
                "random.number takes a number or an object in JSON; of {given} it makes NaN{meant}"
            ));
            return constant("NaN");
        }
    };
    let low = low.unwrap_or(Value::Number(0.0)).number();
    let high = high.unwrap_or(Value::Number(99_999.0));
    let precision = precision.unwrap_or(Value::Number(1.0));
    // The most is included, unless it is negative.
    let above = if high.number() >= 0.0 { high.sum(&precision) } else { high.number() };
    let precision = precision.number();
    Ok(vec![between(precision, low / precision, above / precision)])
}

/// `precision` times a whole number from `low` to below `above`; from above `above` to below `low` when that is less.
pub(super) fn between(precision: f64, low: f64, above: f64) -> Op {
    let whole = low.fract() == 0.0 && above.fract() == 0.0 && low.abs() < EXACT && above.abs() < EXACT;
    if precision == 1.0 && whole {
        let (least, most) = (low.min(above) as i64, low.max(above) as i64);
        return Op::Integer { low: least, span: most.abs_diff(least).max(1) };
    }
    if precision.is_nan() || low.is_nan() || above.is_nan() {
        return Op::text("NaN");
    }
    Op::Number { precision, low, high: above }
}

/// One of the texts; `undefined` when there is none.
fn choice(ask: &mut Ask, values: &[Value]) -> Made {
    let texts = ask.texts(values)?;
    Ok(vec![match &*texts {
        [] => {
            ask.note("there is nothing to choose from: undefined is written");
            Op::text("undefined")
        }
        [text] => Op::Text(text.clone()),
        _ => Op::Choice(texts),
    }])
}

/// `random.arrayElement` and `helpers.randomize`.
pub(super) fn array_element(ask: &mut Ask) -> Made {
    let Some(given) = ask.truthy().cloned() else { return one_of(words::ABC) };
    if let Value::Text(text) = &given {
        let meant = json::parse_relaxed(text).filter(|meant| matches!(meant, Value::List(_)));
        let meant = meant.map(|meant| format!("; did you mean {}?", json::write(&meant))).unwrap_or_default();
        ask.note(format!("of the text {} single characters are drawn{meant}", error::shown(text)));
    }
    choice(ask, &given.elements().unwrap_or_default())
}

fn object_element(ask: &mut Ask) -> Made {
    match ask.truthy().cloned() {
        None => one_of(&["bar", "car"]),
        Some(Value::Map(entries)) => {
            let values: Vec<Value> = entries.into_iter().map(|(_, value)| value).collect();
            choice(ask, &values)
        }
        Some(other) => choice(ask, &other.elements().unwrap_or_default()),
    }
}

fn weighted(ask: &mut Ask) -> Made {
    let Some(given) = ask.truthy().cloned() else { return one_of(&["dog", "cat"]) };
    let weights = match given.get("weights") {
        Some(Value::List(weights)) => weights.clone(),
        other => {
            let kdg = match other {
                None => "Cannot read properties of undefined (reading 'reduce')",
                Some(Value::Null) => "Cannot read properties of null (reading 'reduce')",
                Some(_) => "weightsData.weights.reduce is not a function",
            };
            let example = r#"{"weights":[0.3,0.7],"data":["a","b"]}"#;
            return Err(Fault::new(
                kdg,
                format!("it needs a list of weights and a list of data, such as {example}"),
            ));
        }
    };
    let data = given.get("data").cloned().unwrap_or(Value::Null);
    let values = match (data.elements(), &data) {
        (Some(values), _) => values,
        (None, Value::Null) if ask.strict => {
            return Err(Fault::new(
                "Cannot read properties of undefined (reading 'length')",
                "it needs a list of data",
            ));
        }
        (None, _) => return Err(Fault::new("undefined", "its data must be a list")),
    };
    if weights.is_empty() {
        return Err(Fault::new("Reduce of empty array with no initial value", "there is no weight"));
    }
    let is_number = |value: &Value| {
        matches!(value, Value::Number(_) | Value::Bool(_) | Value::Null)
            || !ask.strict && value.number().is_finite()
    };
    if !weights.iter().all(is_number) {
        return Err(Fault::new("weight_sum.toFixed is not a function", "a weight is not a number"));
    }
    let weights: Vec<f64> = weights.iter().map(Value::number).collect();
    if weights.len() != values.len() {
        let (weights, data) = (weights.len(), values.len());
        ask.note(format!("there are {weights} weights for {data} elements of data"));
    }
    let texts = ask.texts(&values)?;
    let mut sums = Vec::new();
    for weight in weights.iter().take(texts.len()) {
        let sum = sums.last().unwrap_or(&0.0) + weight;
        sums.push(if ask.strict { rounded_to_hundredths(sum) } else { sum });
    }
    // KDG draws up to the sum of all weights, and finds nothing above the last rounded sum.
    let total = if ask.strict {
        weights.iter().fold(0.0, |sum, weight| sum + weight)
    } else {
        sums.last().copied().unwrap_or(0.0)
    };
    let sensible = total > 0.0 && weights.iter().all(|weight| *weight >= 0.0);
    if !(ask.strict || sensible) {
        return Err(Fault::new(
            "undefined",
            "the weights must not be negative, and must add up to more than 0",
        ));
    }
    let rounded = weights.iter().any(|weight| (weight * 100.0 - (weight * 100.0).round()).abs() > 1e-9);
    if rounded {
        ask.note("KDG rounds the running sum of the weights to two decimals: finer shares come out otherwise there, or as undefined");
    }
    Ok(vec![Op::Weighted { sums: sums.into(), total, texts }])
}

/// Digits as in `finance.account`: so many.
pub(super) fn digits(count: u32) -> Op {
    Op::Letters { of: b"0123456789", least: count, most: count }
}

/// Three digits with points between.
pub(super) fn version() -> Vec<Op> {
    vec![whole(0, 9), Op::text("."), whole(0, 9), Op::text("."), whole(0, 9)]
}
