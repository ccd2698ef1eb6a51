//! Profiles in one line: `ramp:100..5000/5m`, `steps:1000,2000/60s`, `sine:1000±500/10m`, `spike:500,x10@2m/15s`.
//!
//! Decides what such a text means and everything that is wrong with it. Files that it names are read by others.

use std::time::Duration;

use super::line::LONGEST;
use super::shape::{self, Burst, SHAPES};
use super::{Line, Profile};
use crate::schedule::quantity::{Quantity, Unit};

/// What a setting names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inline {
    /// A profile.
    Profile(Profile),
    /// A file with the hours of a week.
    Weekly(String),
    /// A file of phases.
    File(String),
}

/// Reads one line.
///
/// # Errors
/// Everything that is wrong with it.
pub fn inline(text: &str) -> Result<Inline, Vec<String>> {
    let (name, rest) = match text.split_once(':') {
        Some(split) => split,
        None if text.ends_with(".toml") || text.contains('/') => return Ok(Inline::File(text.to_owned())),
        None => ("", text),
    };
    let mut read = Reader { unit: None, wrong: Vec::new() };
    let line = match name {
        "ramp" => read.ramp(rest),
        "steps" => read.steps(rest),
        "sine" => read.sine(rest),
        "spike" => read.spike(rest),
        "constant" => read.constant(rest),
        "weekly" | "file" if rest.is_empty() => return Err(vec!["a file is missing".to_owned()]),
        "weekly" => return Ok(Inline::Weekly(rest.to_owned())),
        "file" => return Ok(Inline::File(rest.to_owned())),
        _ if text.ends_with(".toml") => return Ok(Inline::File(text.to_owned())),
        "" => return Err(vec!["it names no shape: the path of a file ends in .toml".to_owned()]),
        "points" => return Err(vec!["points stand in a file (docs/profiles.md)".to_owned()]),
        unknown => {
            let near = SHAPES.iter().find(|shape| strsim::damerau_levenshtein(shape, unknown) <= 2);
            let hint = near.map_or(String::new(), |near| format!(": did you mean {near}?"));
            return Err(vec![format!("{unknown:?} is no shape{hint}")]);
        }
    };
    match (line, read.wrong) {
        (Some(line), wrong) if wrong.is_empty() => {
            Ok(Inline::Profile(Profile::of(text, read.unit.unwrap_or(Unit::Records), line)))
        }
        (_, wrong) => Err(wrong),
    }
}

/// What is read from one line, and what is wrong so far.
struct Reader {
    unit: Option<Unit>,
    wrong: Vec<String>,
}

impl Reader {
    fn fail<T>(&mut self, why: impl Into<String>) -> Option<T> {
        self.wrong.push(why.into());
        None
    }

    fn judged<T>(&mut self, made: Result<T, String>) -> Option<T> {
        made.map_err(|why| self.wrong.push(why)).ok()
    }

    /// A rate; all of one line have the same unit.
    fn rate(&mut self, text: &str) -> Option<u64> {
        let Quantity { micro, unit } = self.judged(text.trim().parse())?;
        match *self.unit.get_or_insert(unit) {
            known if known == unit => Some(micro),
            known => {
                self.fail(format!("{text} counts {unit}, and what stands before it {known}: use one unit"))
            }
        }
    }

    fn length(&mut self, text: &str) -> Option<u64> {
        self.judged(millis(text, 1))
    }

    /// What stands before the last slash, and the length behind it.
    fn over<'a>(&mut self, text: &'a str, form: &str) -> (&'a str, Option<u64>) {
        match text.rsplit_once('/') {
            Some((before, length)) => (before, self.length(length)),
            None => (text, self.fail(format!("its length is missing: write {form}"))),
        }
    }

    fn ramp(&mut self, text: &str) -> Option<Line> {
        let (rates, length) = self.over(text, "ramp:100..5000/5m");
        let Some((from, to)) = rates.split_once("..") else {
            return self.fail("it has no two rates: write ramp:100..5000/5m");
        };
        let (from, to) = (self.rate(from), self.rate(to));
        Some(shape::ramp(from?, to?, length?))
    }

    fn steps(&mut self, text: &str) -> Option<Line> {
        let (rates, each) = self.over(text, "steps:1000,2000,4000/60s");
        let rates: Vec<Option<u64>> = rates.split(',').map(|rate| self.rate(rate)).collect();
        let rates: Vec<u64> = rates.into_iter().collect::<Option<_>>()?;
        let each = each?;
        if each.saturating_mul(rates.len() as u64) > LONGEST {
            return self.fail("all steps together take more than 366 days");
        }
        Some(shape::steps(&rates, each))
    }

    fn sine(&mut self, text: &str) -> Option<Line> {
        let (rates, period) = self.over(text, "sine:1000±500/10m");
        let Some((mean, swing)) = rates.split_once('±').or_else(|| rates.split_once("+-")) else {
            return self.fail("it has no swing: write sine:1000±500/10m (or +-)");
        };
        let (mean, swing) = (self.rate(mean), self.rate(swing));
        let line = shape::sine(mean?, swing?, period?);
        let line = self.judged(line)?;
        if let Some(unit) = self.unit.filter(|unit| line.peak() > unit.most().0 * 1_000_000) {
            return self.fail(format!("its peak is more than {}", unit.most().1));
        }
        Some(line)
    }

    fn spike(&mut self, text: &str) -> Option<Line> {
        let mut parts = text.split(',');
        let base = self.rate(parts.next().unwrap_or_default());
        let bursts: Vec<Option<Burst>> = parts.map(|part| self.burst(part)).collect();
        if bursts.is_empty() {
            return self.fail(
                "it has no burst: write spike:500,x10@2m/15s (ten times, after 2 minutes, for 15 seconds)",
            );
        }
        let bursts: Vec<Burst> = bursts.into_iter().collect::<Option<_>>()?;
        let most = self.unit.unwrap_or(Unit::Records).most().0 * 1_000_000;
        let line = shape::spike(base?, &bursts, most);
        self.judged(line)
    }

    fn burst(&mut self, text: &str) -> Option<Burst> {
        let (times, when) = text.split_once('@').unwrap_or((text, ""));
        let (at, lasts) = when.split_once('/').unwrap_or((when, ""));
        if at.is_empty() || lasts.is_empty() {
            return self.fail(format!(
                "{text:?} is no burst: write x10@2m/15s (ten times, after 2 minutes, for 15 seconds)"
            ));
        }
        let times = match times.parse::<Quantity>() {
            Ok(Quantity { micro, unit: Unit::Factor }) => Some(micro),
            Ok(_) => self.fail(format!("{times} is no multiple of the base: write x{times}")),
            Err(why) => self.fail(why),
        };
        let at = self.judged(millis(at, 0));
        let lasts = self.length(lasts);
        Some(Burst { times: times?, at: at?, lasts: lasts? })
    }

    fn constant(&mut self, text: &str) -> Option<Line> {
        match text.rsplit_once('/') {
            // A rate may say "a second".
            Some((rate, "s")) => self.rate(rate).map(Line::steady),
            Some((rate, length)) => {
                let (rate, length) = (self.rate(rate), self.length(length));
                Some(shape::ramp(rate?, rate?, length?))
            }
            None => self.rate(text).map(Line::steady),
        }
    }
}

/// A duration in milliseconds, `least` or more and at most 366 days.
pub(super) fn millis(text: &str, least: u64) -> Result<u64, String> {
    let text = text.trim();
    let duration = humantime::parse_duration(text)
        .or_else(|error| if text == "0" { Ok(Duration::ZERO) } else { Err(error) });
    let Ok(duration) = duration else {
        return Err(format!("{text:?} is no duration, such as 15s, 5m or 1h30m"));
    };
    if duration.subsec_nanos() % 1_000_000 != 0 {
        return Err(format!("{text} is no whole number of milliseconds"));
    }
    match u64::try_from(duration.as_millis()) {
        Ok(millis) if millis < least => Err(format!("{text} has no length: it is {least} ms or more")),
        Ok(millis) if millis <= LONGEST => Ok(millis),
        _ => Err(format!("{text} is longer than 366 days")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Profile {
        match inline(text) {
            Ok(Inline::Profile(profile)) => profile,
            other => panic!("{text}: {other:?}"),
        }
    }

    /// Rates in whole units at these milliseconds.
    fn rates<const N: usize>(text: &str, at: [u64; N]) -> [u64; N] {
        let (profile, start) = (line(text), super::super::Start { wall_millis: 0, seed: 0 });
        at.map(|at| ((profile.doubled(&start, at + 2) - profile.doubled(&start, at)) / 4) as u64 / 1_000_000)
    }

    #[test]
    fn each_shape_is_read_in_one_line() {
        assert_eq!(rates("ramp:100..5000/5m", [0, 150_000, 299_998, 900_000]), [100, 2_550, 4_999, 5_000]);
        assert_eq!(
            rates("steps:1000,2000,4000/60s", [0, 60_000, 179_000, 500_000]),
            [1_000, 2_000, 4_000, 4_000]
        );
        for sine in ["sine:1000±500/10m", "sine:1000+-500/10m"] {
            assert_eq!(rates(sine, [0, 149_999, 449_999, 749_999]), [1_000, 1_499, 500, 1_499]);
        }
        assert_eq!(rates("spike:500,x10@2m/15s", [0, 120_000, 134_000, 135_000]), [500, 5_000, 5_000, 500]);
        assert_eq!(rates("constant:7", [0, 9_999_999]), [7, 7]);
        for (text, end, unit) in [
            ("ramp:100..5000/5m", Some(300_000), Unit::Records),
            ("steps:1MB,2MB/60s", Some(120_000), Unit::Bytes),
            ("sine:x1±0.5x/10m", None, Unit::Factor),
            ("spike:500,x10@2m/15s,2x@5m/1m", None, Unit::Records),
            ("constant:7/10s", Some(10_000), Unit::Records),
            ("constant:7/s", None, Unit::Records),
        ] {
            let profile = line(text);
            assert_eq!((profile.end(), profile.unit(), profile.name.as_str()), (end, unit, text));
        }
        assert_eq!(inline("weekly:a:b.json"), Ok(Inline::Weekly("a:b.json".to_owned())));
        for file in ["config/profiles/day", "a.toml", "c:a.toml"] {
            assert_eq!(inline(file), Ok(Inline::File(file.to_owned())));
        }
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once_with_a_remedy() {
        for (text, told) in [
            ("", &["no shape"][..]),
            ("5000", &["no shape"]),
            ("rmap:1..2/3s", &["\"rmap\" is no shape: did you mean ramp?"]),
            ("ramp:-100..x/5y", &["5y", "-100 is negative", "x is no number"]),
            ("ramp:1..2", &["length is missing: write ramp:"]),
            ("ramp:1/5m", &["no two rates"]),
            ("ramp:1..2/0s", &["no length"]),
            ("ramp:1..2/367d", &["longer than 366 days"]),
            ("ramp:1..2/1us", &["whole number of milliseconds"]),
            ("ramp:1..2MB/5m", &["counts bytes", "one unit"]),
            ("ramp:1..10000001/5m", &["more than 10000000"]),
            ("steps:1,,3/60s", &["a number is missing"]),
            ("steps:1,2/200d", &["more than 366 days"]),
            ("sine:100±500/10m", &["100 − 500 < 0", "at most the mean"]),
            ("sine:100/10m", &["no swing"]),
            ("sine:6000000±6000000/10m", &["peak is more than 10000000"]),
            ("sine:100±50/1s", &["2048 ms"]),
            ("spike:500", &["no burst"]),
            ("spike:500,10@2m/15s", &["write x10"]),
            ("spike:500,x10", &["no burst"]),
            ("spike:500,x10@2m/15s,x2@130s/1s", &["overlap"]),
            ("spike:5000000,x10@2m/15s", &["more than a load"]),
            ("weekly:", &["file is missing"]),
            ("points:1,2", &["stand in a file"]),
        ] {
            let wrong = inline(text).expect_err(text).join("; ");
            assert!(told.iter().all(|told| wrong.contains(told)), "{text}: {wrong}");
        }
    }
}
