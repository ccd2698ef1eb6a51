//! `address`: made-up American addresses, and points on the globe.

use fake::locales::{Data, EN};

use super::super::error::Fault;
use super::super::nearby::Nearby;
use super::super::op::Op;
use super::super::value::Value;
use super::super::words;
use super::data::{FIRST_NAMES, LAST_NAMES, any};
use super::{Ask, Function, Made, constant, function, one_of, pattern};

pub(super) const ADDRESS: &[Function] = &[
    function(
        "address",
        "zipCode",
        "format",
        "a code such as `12345` or `12345-6789`; in a format, `#` is a digit and `?` a capital letter",
        zip_code,
    ),
    function("address", "city", "0 to 3", "a city, of the first to fourth of KDG's forms", city),
    function("address", "cityPrefix", "", "such as `North`", |_| one_of(EN::ADDRESS_CITY_PREFIX)),
    function("address", "citySuffix", "", "such as `town`", |_| one_of(EN::ADDRESS_CITY_SUFFIX)),
    function("address", "streetName", "", "a street", |_| Ok(street_name())),
    function("address", "streetAddress", "full", "number and street, and for `true` an apartment", |ask| {
        let mut address = vec![any(["##### ", "#### ", "### "].map(|number| vec![pattern(number, false)]))];
        address.extend(street_name());
        if ask.truthy().is_some() {
            address.push(Op::text(" "));
            address.extend(apartment());
        }
        Ok(address)
    }),
    function("address", "streetSuffix", "", "such as `Avenue`", |_| one_of(EN::ADDRESS_STREET_SUFFIX)),
    function("address", "streetPrefix", "", "`a`, `b` or `c`: KDG has no such words", |_| one_of(words::ABC)),
    function("address", "secondaryAddress", "", "such as `Apt. 123`", |_| Ok(apartment())),
    function("address", "county", "", "an English county", |_| one_of(words::COUNTIES)),
    function("address", "country", "", "a country", |_| one_of(EN::ADDRESS_COUNTRY)),
    function("address", "countryCode", "", "two letters", |_| one_of(EN::ADDRESS_COUNTRY_CODE)),
    function("address", "state", "", "an American state", |_| one_of(EN::ADDRESS_STATE)),
    function("address", "stateAbbr", "", "its two letters", |_| one_of(EN::ADDRESS_STATE_ABBR)),
    function("address", "latitude", "", "−90 to 90 with four decimals", |_| Ok(vec![degrees(90)])),
    function("address", "longitude", "", "−180 to 180 with four decimals", |_| Ok(vec![degrees(180)])),
    function(
        "address",
        "nearbyGPSCoordinate",
        "`{\"coordinate\":[33.0,-97.0],\"radius\":100,\"isMetric\":true}`",
        "`latitude,longitude` of a point at that distance",
        nearby,
    ),
];

fn zip_code(ask: &mut Ask) -> Made {
    match ask.value.clone() {
        None => Ok(vec![any(words::POSTCODES.map(|code| vec![pattern(code, true)]))]),
        Some(Value::Text(format)) => Ok(vec![pattern(&ask.inserted(&format)?, true)]),
        Some(_) => {
            ask.note("a format must be a text in quotes: nothing is written");
            constant("")
        }
    }
}

fn city(ask: &mut Ask) -> Made {
    let prefix = || Op::Pick(EN::ADDRESS_CITY_PREFIX);
    let suffix = || Op::Pick(EN::ADDRESS_CITY_SUFFIX);
    let (first, last) = (|| Op::Pick(FIRST_NAMES), || Op::Pick(LAST_NAMES));
    let forms = [
        vec![prefix(), Op::text(" "), first(), suffix()],
        vec![prefix(), Op::text(" "), first()],
        vec![first(), suffix()],
        vec![last(), suffix()],
    ];
    numbered(ask, forms)
}

/// One of the forms that KDG has for something, or that which its parameter numbers.
pub(super) fn numbered<const N: usize>(ask: &mut Ask, forms: [Vec<Op>; N]) -> Made {
    match ask.value {
        Some(Value::Number(number)) => {
            match forms.into_iter().enumerate().find(|(at, _)| *at as f64 == number) {
                Some((_, form)) => Ok(form),
                None => {
                    ask.note(format!(
                        "there is no form {number}, only 0 to {}: KDG's own complaint is written",
                        N - 1
                    ));
                    constant(super::super::EMPTY)
                }
            }
        }
        _ => Ok(vec![any(forms)]),
    }
}

fn street_name() -> Vec<Op> {
    let name = any([vec![Op::Pick(LAST_NAMES)], vec![Op::Pick(FIRST_NAMES)]]);
    vec![name, Op::text(" "), Op::Pick(EN::ADDRESS_STREET_SUFFIX)]
}

fn apartment() -> Vec<Op> {
    vec![any([vec![pattern("Apt. ###", false)], vec![pattern("Suite ###", false)]])]
}

fn degrees(half: i64) -> Op {
    Op::Coordinate { low: -half * 10_000, span: half as u64 * 20_000 + 1 }
}

fn nearby(ask: &mut Ask) -> Made {
    let given = match (ask.value.clone(), ask.strict) {
        (None, true) => {
            let why =
                "it needs an object, such as {\"coordinate\":[33.0,-97.0],\"radius\":100,\"isMetric\":true}";
            return Err(Fault::new("Cannot read properties of undefined (reading 'coordinate')", why));
        }
        (Some(Value::Null), true) => {
            let kdg = "Cannot read properties of null (reading 'coordinate')";
            return Err(Fault::new(kdg, "it needs an object, not null"));
        }
        (given, _) => given.unwrap_or(Value::Null),
    };
    let get = |name| given.get(name).filter(|value| value.is_truthy());
    let centre = get("coordinate").map(|centre| {
        let elements = centre.elements().unwrap_or_default();
        let degrees = |at: usize| elements.get(at).map_or(f64::NAN, Value::number);
        (degrees(0), degrees(1))
    });
    if centre.is_some_and(|(latitude, longitude)| !(latitude + longitude).is_finite()) {
        ask.note("the coordinate is not a list of two numbers: NaN is written");
    }
    let radius = get("radius").map_or(10.0, Value::number);
    let distance = if get("isMetric").is_some() { radius } else { radius * 0.621_371 };
    Ok(vec![Op::Nearby(Nearby { centre, distance })])
}
