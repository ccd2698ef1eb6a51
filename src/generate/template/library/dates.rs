//! `date`: the event's time in any format, and dates before and after it. The zone is UTC.

use super::super::date_format::{DateFormat, Zone};
use super::super::error::{Fault, shown};
use super::super::op::Op;
use super::super::value::Value;
use super::super::{json, moment};
use super::{Ask, Function, Made, constant, function, numbers, one_of};

const DAY: f64 = 24.0 * 3_600.0 * 1_000.0;
const YEAR: f64 = 365.0 * DAY;

const SHORT_MONTHS: &[&str] =
    &["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const SHORT_DAYS: &[&str] = &["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

pub(super) const DATE: &[Function] = &[
    function(
        "date",
        "now",
        "format",
        "the event's time, in moment's tokens; without a format as `2026-11-21T02:14:34+00:00`",
        |ask| formatted(ask, Zone::Local),
    ),
    function("date", "utc", "format", "the same; without a format as `2026-11-21T02:14:34Z`", |ask| {
        formatted(ask, Zone::Utc)
    }),
    function(
        "date",
        "simTime",
        "format",
        "as `date.now`: KDG's simulated time is the time at which a record is due",
        |ask| formatted(ask, Zone::Local),
    ),
    function(
        "date",
        "past",
        "years",
        "a date in the last year or years, as `Sat May 23 2026 02:28:12 GMT+0000 (Coordinated Universal Time)`",
        |ask| around(ask, -1.0, YEAR),
    ),
    function("date", "future", "years", "the same, in the next year or years", |ask| around(ask, 1.0, YEAR)),
    function("date", "recent", "days", "the same, in the last day or days", |ask| around(ask, -1.0, DAY)),
    function("date", "between", "from", "`Invalid Date`, because KDG gives it one date only", |ask| {
        ask.note("date.between needs two dates, and a template can give one: Invalid Date is written");
        constant("Invalid Date")
    }),
    function("date", "month", "`{\"abbr\":true}`", "a month's name, short with `abbr`", |ask| {
        names(ask, &moment::MONTHS, SHORT_MONTHS)
    }),
    function("date", "weekday", "`{\"abbr\":true}`", "a day's name, short with `abbr`", |ask| {
        names(ask, &moment::WEEKDAYS, SHORT_DAYS)
    }),
];

/// `date.now`, whatever it was called.
pub(in super::super) fn now() -> Vec<Op> {
    vec![Op::Time(DateFormat::new("", Zone::Local))]
}

fn names(ask: &mut Ask, long: &'static [&'static str], short: &'static [&'static str]) -> Made {
    let abbreviated = ask.truthy().and_then(|value| value.get("abbr")).is_some_and(Value::is_truthy);
    one_of(if abbreviated { short } else { long })
}

fn formatted(ask: &mut Ask, zone: Zone) -> Made {
    let format = match ask.truthy().cloned() {
        None => String::new(),
        Some(Value::Text(text)) => {
            if let (true, Some(Value::Text(meant))) = (text.starts_with('\''), json::parse_relaxed(&text)) {
                ask.note(format!(
                    "the single quotes are written as well; did you mean \"{}\"?",
                    shown(&meant)
                ));
            }
            ask.inserted(&text)?
        }
        Some(other) => {
            // moment looks for its macros first, then takes the format apart.
            let method = if ["l", "L", "["].iter().any(|sign| other.text().contains(sign)) {
                "replace"
            } else {
                "match"
            };
            let given = shown(&json::write(&other));
            let why = format!("a date's format is a text such as \"YYYY-MM-DD\", and not {given}");
            return Err(Fault::new(format!("format.{method} is not a function"), why));
        }
    };
    Ok(vec![Op::Time(DateFormat::new(&format, zone))])
}

fn around(ask: &mut Ask, sign: f64, unit: f64) -> Made {
    let furthest = ask.number_or(1.0) * unit;
    let above = if furthest >= 0.0 { furthest + 1.0 } else { furthest };
    match numbers::between(1.0, 1_000.0, above) {
        Op::Text(_) => {
            ask.note("this is no number of years or days: Invalid Date is written");
            constant("Invalid Date")
        }
        _ => Ok(vec![Op::Date { sign, low: 1_000.0, high: above }]),
    }
}
