//! Profiles as files: TOML with phases one after the other, each of a shape, or the hours of a week.
//!
//! Decides what such a text means, and tells everything that is wrong with it by line. Reads no file.

use std::fmt;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::inline::millis;
use super::line::LONGEST;
use super::shape::{self, Burst, SHAPES};
use super::week::DAYS;
use super::{Hours, Line, Profile, Week, Zone};
use crate::schedule::quantity::{MICRO, Quantity, Unit, millionths};

/// Most phases of a file, and most times that they are gone through.
const MOST_PHASES: usize = 10_000;
const MOST_TIMES: i64 = 1_000_000;

/// What is wrong with a file; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileError(pub Vec<String>);

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n  "))
    }
}

impl std::error::Error for ProfileError {}

/// The profile that `text` describes.
///
/// # Errors
/// Everything that is wrong with it, each with its line and what to do.
pub fn profile_file(text: &str) -> Result<Profile, ProfileError> {
    let mut read = Reader { text, wrong: Vec::new(), unit: Unit::Records };
    let profile = match DeTable::parse(text) {
        Ok(table) => read.profile(table.get_ref()),
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            read.fail(at, format!("this is not TOML: {}", error.message().trim()))
        }
    };
    match (profile, read.wrong) {
        (Some(profile), wrong) if wrong.is_empty() => Ok(profile),
        (_, mut wrong) => {
            wrong.sort();
            Err(ProfileError(wrong.into_iter().map(|(line, why)| format!("line {line}: {why}")).collect()))
        }
    }
}

type Value<'a> = Spanned<DeValue<'a>>;

/// A file as far as it was read, with what is wrong by line.
struct Reader<'a> {
    text: &'a str,
    wrong: Vec<(usize, String)>,
    unit: Unit,
}

/// A table that is read key by key.
struct Table<'t, 'a> {
    table: &'t DeTable<'a>,
    at: usize,
    known: Vec<&'static str>,
}

impl<'t, 'a> Table<'t, 'a> {
    fn get(&mut self, key: &'static str) -> Option<&'t Value<'a>> {
        self.known.push(key);
        self.table.get(key)
    }
}

impl<'a> Reader<'a> {
    fn fail<T>(&mut self, at: usize, why: impl Into<String>) -> Option<T> {
        let line = self.text.as_bytes().iter().take(at).filter(|&&byte| byte == b'\n').count() + 1;
        self.wrong.push((line, why.into()));
        None
    }

    fn judged<T>(&mut self, at: usize, made: Result<T, String>) -> Option<T> {
        made.map_err(|why| self.fail::<()>(at, why)).ok()
    }

    /// Keys that nobody asked for.
    fn unknown(&mut self, table: &Table<'_, '_>) {
        for (key, _) in table.table.iter() {
            if !table.known.contains(&key.get_ref().as_ref()) {
                let known = table.known.join(", ");
                let why = format!("{} is not known here: what is known is {known}", key.get_ref());
                self.fail::<()>(key.span().start, why);
            }
        }
    }

    fn needed<'t>(&mut self, table: &mut Table<'t, 'a>, key: &'static str) -> Option<&'t Value<'a>> {
        let at = table.at;
        table.get(key).or_else(|| self.fail(at, format!("{key} is missing here")))
    }

    fn word<'t>(&mut self, value: &'t Value<'a>, key: &str) -> Option<&'t str> {
        value
            .get_ref()
            .as_str()
            .or_else(|| self.fail(value.span().start, format!("{key} must be a text in quotes")))
    }

    fn profile(&mut self, table: &DeTable<'a>) -> Option<Profile> {
        let mut table = Table { table, at: 0, known: Vec::new() };
        let name = table.get("name").map(|value| self.word(value, "name"));
        if let Some(value) = table.get("unit") {
            let unit = self
                .word(value, "unit")?
                .parse()
                .map_err(|_| "unit must be records, bytes or factor".to_owned());
            self.unit = self.judged(value.span().start, unit)?;
        }
        let times = match table.get("repeat") {
            None => Some(Some(1)),
            Some(value) => self.times(value),
        };
        let Some(phases) = table.get("phase") else {
            self.unknown(&table);
            return self.fail(0, "it has no phase: begin each with [[phase]]");
        };
        self.unknown(&table);
        let at = phases.span().start;
        let list = phases.get_ref().as_array().filter(|list| (1..=MOST_PHASES).contains(&list.len()));
        let Some(list) = list else {
            return self
                .fail(at, format!("phase must be a list of 1 to {MOST_PHASES}: begin each with [[phase]]"));
        };
        let name = name.flatten().unwrap_or("profile");
        let is_weekly = |phase: &Value<'_>| {
            phase.get_ref().as_table().and_then(|table| table.get("shape")?.get_ref().as_str())
                == Some("weekly")
        };
        if let Some(weekly) = list.iter().find(|phase| is_weekly(phase)) {
            if list.len() > 1 || times != Some(Some(1)) {
                let why =
                    "a weekly phase stands alone and is not repeated: it goes by the wall clock, for ever";
                return self.fail(weekly.span().start, why);
            }
            let week = self.week(weekly)?;
            return Some(Profile::weekly(name, self.unit, week));
        }
        let count = list.len();
        let phases: Vec<_> =
            list.iter().enumerate().map(|(index, phase)| self.phase(phase, index + 1 == count)).collect();
        let phases: Vec<_> = phases.into_iter().collect::<Option<_>>()?;
        let times = times?;
        let endless = phases.last().is_some_and(|(_, _, length)| length.is_none());
        if endless && times != Some(1) {
            return self.fail(
                list[count - 1].span().start,
                "for is missing here: what has no end can't be repeated",
            );
        }
        let length: u64 = phases.iter().filter_map(|(_, _, length)| *length).sum();
        if length > LONGEST {
            return self.fail(at, "all phases together take more than 366 days");
        }
        Some(Profile::phased(name, self.unit, phases, times))
    }

    /// How often the phases are gone through; the inner none: for ever.
    fn times(&mut self, value: &Value<'a>) -> Option<Option<u64>> {
        match value.get_ref() {
            DeValue::String(text) if text == "forever" => Some(None),
            DeValue::Integer(number) => match number.to_string().parse::<i64>() {
                Ok(times @ 1..=MOST_TIMES) => Some(Some(times as u64)),
                _ => {
                    self.fail(value.span().start, format!("repeat must be 1 to {MOST_TIMES}, or \"forever\""))
                }
            },
            _ => self.fail(value.span().start, "repeat must be a whole number, or \"forever\""),
        }
    }

    /// A phase: its name, its line and how long it goes on.
    fn phase(&mut self, value: &Value<'a>, is_last: bool) -> Option<(String, Line, Option<u64>)> {
        let at = value.span().start;
        let Some(table) = value.get_ref().as_table() else {
            return self.fail(at, "a phase must be a table: begin it with [[phase]]");
        };
        let mut table = Table { table, at, known: Vec::new() };
        let name = table.get("name").map(|value| self.word(value, "name"));
        let shape = self.needed(&mut table, "shape")?;
        let word = self.word(shape, "shape")?;
        let length = table.get("for").map(|value| self.span(value, "for", 1));
        let line = match word {
            "constant" => {
                let rate = self.rate_of(&mut table, "rate");
                rate.map(Line::steady)
            }
            "ramp" => {
                let (from, to) = (self.rate_of(&mut table, "from"), self.rate_of(&mut table, "to"));
                let length = match length {
                    Some(length) => length,
                    None => self.fail(at, "for is missing here: how long the ramp takes"),
                };
                (|| Some(shape::ramp(from?, to?, length?)))()
            }
            "steps" => {
                let rates = self.needed(&mut table, "rates").and_then(|value| self.rates(value));
                let each = self.needed(&mut table, "each").and_then(|value| self.span(value, "each", 1));
                (|| Some(shape::steps(&rates?, each?)))()
            }
            "sine" => {
                let (mean, swing) = (self.rate_of(&mut table, "mean"), self.rate_of(&mut table, "swing"));
                let period =
                    self.needed(&mut table, "period").and_then(|value| self.span(value, "period", 1));
                let made = (|| Some(shape::sine(mean?, swing?, period?)))();
                made.and_then(|made| self.judged(at, made))
            }
            "spike" => self.spike(&mut table),
            "points" => {
                let points = self.needed(&mut table, "points").and_then(|value| self.points(value));
                points.and_then(|points| self.judged(at, shape::points(&points)))
            }
            unknown => {
                let near = SHAPES.iter().find(|shape| strsim::damerau_levenshtein(shape, unknown) <= 2);
                let hint = near.map_or_else(
                    || format!("one of {}", SHAPES.join(", ")),
                    |near| format!("did you mean {near}?"),
                );
                return self.fail(shape.span().start, format!("{unknown:?} is no shape: {hint}"));
            }
        };
        self.unknown(&table);
        let (line, length) = (line?, length.map_or(Some(None), |length| length.map(Some)));
        let (most, told) = self.unit.most();
        if line.peak() > most * MICRO {
            return self.fail(at, format!("its peak is more than {told}"));
        }
        let length = length?.or(line.end());
        if length.is_none() && !is_last {
            return self.fail(
                at,
                format!("for is missing here: a {word} has no end, and no phase behind it would be reached"),
            );
        }
        Some((name.flatten().unwrap_or_default().to_owned(), line, length))
    }

    fn spike(&mut self, table: &mut Table<'_, 'a>) -> Option<Line> {
        let at = table.at;
        let base = self.rate_of(table, "base");
        let times = self.needed(table, "times").and_then(|value| self.number(value, "times", Unit::Factor));
        let begin = self.needed(table, "at").and_then(|value| self.span(value, "at", 0));
        let lasts = self.needed(table, "lasts").and_then(|value| self.span(value, "lasts", 1));
        let (base, burst) = (base?, Burst { times: times?, at: begin?, lasts: lasts? });
        let line = shape::spike(base, &[burst], self.unit.most().0 * MICRO);
        self.judged(at, line)
    }

    fn span(&mut self, value: &Value<'a>, key: &str, least: u64) -> Option<u64> {
        let at = value.span().start;
        match value.get_ref().as_str() {
            Some(text) => self.judged(at, millis(text, least).map_err(|why| format!("{key}: {why}"))),
            None => self.fail(at, format!("{key} must be a duration in quotes, such as \"5m\"")),
        }
    }

    fn rate_of(&mut self, table: &mut Table<'_, 'a>, key: &'static str) -> Option<u64> {
        let value = self.needed(table, key)?;
        let unit = self.unit;
        self.number(value, key, unit)
    }

    /// A number of a unit, in millionths; bytes may be written as text, such as "1.5MiB".
    fn number(&mut self, value: &Value<'a>, key: &str, unit: Unit) -> Option<u64> {
        let at = value.span().start;
        let made = match value.get_ref() {
            DeValue::Integer(number) => {
                millionths(&number.to_string().replace('_', "")).map_err(|why| format!("{number} {why}"))
            }
            DeValue::Float(number) => {
                millionths(&number.to_string().replace('_', "")).map_err(|why| format!("{number} {why}"))
            }
            DeValue::String(text) => text.parse::<Quantity>().and_then(|quantity| match quantity.unit {
                own if own == unit => Ok(quantity.micro),
                other => Err(format!("{text} counts {other}, and here {unit} are counted")),
            }),
            _ => Err("must be a number".to_owned()),
        };
        let (most, told) = unit.most();
        let made = made.and_then(|micro| {
            if micro <= most * MICRO { Ok(micro) } else { Err(format!("is more than {told}")) }
        });
        self.judged(at, made.map_err(|why| format!("{key}: {why}")))
    }

    fn rates(&mut self, value: &Value<'a>) -> Option<Vec<u64>> {
        let unit = self.unit;
        let Some(list) = value.get_ref().as_array().filter(|list| !list.is_empty()) else {
            return self.fail(value.span().start, "rates must be a list such as [1000, 2000]");
        };
        let rates: Vec<Option<u64>> = list.iter().map(|rate| self.number(rate, "rates", unit)).collect();
        rates.into_iter().collect()
    }

    fn points(&mut self, value: &Value<'a>) -> Option<Vec<(u64, u64)>> {
        const FORM: &str = "points must be a list such as [[\"0s\", 100], [\"10m\", 500]]";
        let unit = self.unit;
        let Some(list) = value.get_ref().as_array() else { return self.fail(value.span().start, FORM) };
        let point = |point: &Value<'a>| match point.get_ref().as_array().map(|pair| pair.as_ref()) {
            Some([at, rate]) => {
                let (at, rate) = (self.span(at, "points", 0), self.number(rate, "points", unit));
                at.zip(rate)
            }
            _ => self.fail(point.span().start, FORM),
        };
        let points: Vec<Option<(u64, u64)>> = list.iter().map(point).collect();
        points.into_iter().collect()
    }

    fn week(&mut self, value: &Value<'a>) -> Option<Week> {
        let at = value.span().start;
        let mut table = Table { table: value.get_ref().as_table()?, at, known: vec!["name", "shape"] };
        let zone = match table.get("zone") {
            None => Some(Zone::UTC),
            Some(zone) => {
                self.word(zone, "zone").and_then(|text| self.judged(zone.span().start, text.parse()))
            }
        };
        let smooth = match table.get("smooth") {
            None => Some(true),
            Some(value) => value
                .get_ref()
                .as_bool()
                .or_else(|| self.fail(value.span().start, "smooth must be true or false")),
        };
        let mean = self.needed(&mut table, "mean").and_then(|value| self.hours(value, "mean"));
        let deviation = match table.get("deviation") {
            None => Some([0; 168]),
            Some(value) => self.hours(value, "deviation"),
        };
        self.unknown(&table);
        let week = Week::new(&mean?, &deviation?, zone?, smooth?);
        let (most, told) = self.unit.most();
        if week.peak() > most * MICRO {
            return self.fail(at, format!("its peak, mean and four deviations, is more than {told}"));
        }
        Some(week)
    }

    fn hours(&mut self, value: &Value<'a>, key: &str) -> Option<Hours> {
        let unit = self.unit;
        let form =
            format!("{key} must be a list of seven days, {} first, each a list of 24 numbers", DAYS[0]);
        let days = value.get_ref().as_array().filter(|days| days.len() == 7);
        let Some(days) = days else { return self.fail(value.span().start, form) };
        let mut hours = [0; 168];
        let mut right = true;
        for (day, row) in days.iter().enumerate() {
            let Some(row) = row.get_ref().as_array().filter(|row| row.len() == 24) else {
                self.fail::<()>(row.span().start, format!("{form}; {} is not", DAYS[day]));
                right = false;
                continue;
            };
            for (hour, number) in row.iter().enumerate() {
                match self.number(number, key, unit) {
                    Some(number) => hours[day * 24 + hour] = number,
                    None => right = false,
                }
            }
        }
        right.then_some(hours)
    }
}
