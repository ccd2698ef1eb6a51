//! The Kinesis Data Generator's saved periods: means and deviations by weekday and hour.
//!
//! Decides what they mean, which profile file they become and what is told of them. Reads and writes no file.

use super::Hours;
use super::week::{DAYS, HOURS};
use crate::schedule::quantity::{Decimal, MICRO, Unit, millionths};

/// Whether `json` is what the Kinesis Data Generator saves as `periods`, right or wrong.
#[must_use]
pub fn is_periods(json: &str) -> bool {
    let text = unquoted(json);
    let value: Result<serde_json::Value, _> = serde_json::from_str(&text);
    value.is_ok_and(|value| value.as_object().is_some_and(|map| map.keys().any(|key| key.starts_with('#'))))
}

/// The console shows what is saved as a text; whoever copies that has it quoted once more.
fn unquoted(json: &str) -> String {
    serde_json::from_str(json).unwrap_or_else(|_| json.to_owned())
}

/// The means and deviations of the Kinesis Data Generator's saved `periods`, such as `{"#0-13-mu":"100", …}` (day 0 is
/// Sunday). What is missing has the generator's defaults, 100 and 10.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn periods(json: &str) -> Result<(Hours, Hours), Vec<String>> {
    const FORM: &str =
        "not KDG's saved periods, an object such as {\"#0-13-mu\":\"100\",\"#0-13-sig\":\"10\", …}";
    let saved: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&unquoted(json)).map_err(|error| vec![format!("{FORM}: {error}")])?;
    let (mut mean, mut deviation) = ([100 * MICRO; HOURS], [10 * MICRO; HOURS]);
    let mut wrong = Vec::new();
    for (name, value) in &saved {
        let Some((hour, is_mean)) = place(name) else {
            wrong.push(format!(
                "{name:?} names no hour: #DAY-HOUR-mu or #DAY-HOUR-sig, with days 0 to 6, hours 0 to 23"
            ));
            continue;
        };
        let text = value.as_str().map_or_else(|| value.to_string(), |text| text.trim().to_owned());
        let most = Unit::Records.most();
        match millionths(&text) {
            Ok(number) if number <= most.0 * MICRO => {
                *(if is_mean { &mut mean[hour] } else { &mut deviation[hour] }) = number;
            }
            Ok(_) => wrong.push(format!("{name}: {text:?} is more than {}", most.1)),
            Err(why) => wrong.push(format!("{name}: {text:?} {why}")),
        }
    }
    if saved.is_empty() {
        wrong.push(format!("{FORM}: it is empty"));
    }
    if wrong.is_empty() { Ok((mean, deviation)) } else { Err(wrong) }
}

/// The hour of a week that a name of the saved periods means, and whether it is a mean.
fn place(name: &str) -> Option<(usize, bool)> {
    let mut parts = name.strip_prefix('#')?.split('-');
    let (day, hour, what) = (parts.next()?, parts.next()?, parts.next()?);
    let (day, hour): (usize, usize) = (day.parse().ok()?, hour.parse().ok()?);
    let is_mean = match what {
        "mu" => true,
        "sig" => false,
        _ => return None,
    };
    (day < 7 && hour < 24 && parts.next().is_none()).then_some((day * 24 + hour, is_mean))
}

/// A profile file with these hours, as `import` writes it.
#[must_use]
pub fn periods_file(mean: &Hours, deviation: &Hours, smooth: bool) -> String {
    let table = |name: &str, hours: &Hours| {
        let row = |day: usize| {
            let numbers = hours[day * 24..][..24].iter().map(|&hour| Decimal(hour).to_string());
            format!("    [{}], # {}\n", numbers.collect::<Vec<_>>().join(", "), DAYS[day])
        };
        format!("{name} = [\n{}]\n", (0..7).map(row).collect::<String>())
    };
    format!(
        "# The Kinesis Data Generator's periods: records in a second, by weekday and hour.\nname = \"periods\"\n\n\
         [[phase]]\nshape = \"weekly\"\n# The generator goes by the browser's clock: name its zone, such as Europe/Berlin.\n\
         zone = \"UTC\"\n# false: each hour is level; true: straight from hour to hour.\nsmooth = {smooth}\n{}{}",
        table("mean", mean),
        table("deviation", deviation)
    )
}

/// What the hours mean, a line each day: spans of hours with the same mean and deviation.
#[must_use]
pub fn periods_report(mean: &Hours, deviation: &Hours) -> String {
    let mut text = String::new();
    for (day, name) in DAYS.iter().enumerate() {
        let load = |hour: usize| (mean[day * 24 + hour], deviation[day * 24 + hour]);
        let mut spans = Vec::new();
        let mut begin = 0;
        for end in 1..=24 {
            if end == 24 || load(end) != load(begin) {
                let (mean, deviation) = load(begin);
                spans.push(format!("{begin:02}-{end:02} h {} ± {}", Decimal(mean), Decimal(deviation)));
                begin = end;
            }
        }
        text.push_str(&format!("  {name:<10}{}\n", spans.join(", ")));
    }
    text
}
