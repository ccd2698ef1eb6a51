//! Thresholds: expressions such as `p99 > 250ms` over the statistics of a run, and whether they hold.
//!
//! An expression says what must *not* be. One that has no value to judge by counts as breached: a gate that passes
//! because nothing was measured would be worse than none.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::metric::{Facts, METRICS, Metric, Unit};

/// Whether a value stands to a bound as a sign says.
type Holds = fn(f64, f64) -> bool;

/// How a value is compared; longer signs first, so that they are found first.
const OPERATORS: [(&str, Holds); 6] = [
    (">=", |value, bound| value >= bound),
    ("<=", |value, bound| value <= bound),
    ("==", |value, bound| value == bound),
    ("!=", |value, bound| value != bound),
    (">", |value, bound| value > bound),
    ("<", |value, bound| value < bound),
];

/// A condition under which a run has failed.
#[derive(Debug, Clone)]
pub struct Threshold {
    text: String,
    metric: &'static Metric,
    holds: Holds,
    bound: f64,
}

impl PartialEq for Threshold {
    fn eq(&self, other: &Self) -> bool {
        // What it means follows from its text.
        self.text == other.text
    }
}

impl Eq for Threshold {}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Why a text is no threshold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ThresholdError {
    /// There is nothing.
    #[error("an expression is empty")]
    Empty,
    /// No statistic has this name.
    #[error("\"{name}\" is no statistic{}", nearest.map_or(String::new(), |near| format!("; did you mean {near}?")))]
    Name {
        /// What stands there.
        name: String,
        /// The nearest that there is.
        nearest: Option<&'static str>,
    },
    /// A statistic that is no flag stands alone, or there is no such sign.
    #[error("\"{0}\" needs one of > >= < <= == != and a value behind it")]
    Operator(&'static str),
    /// A flag is compared.
    #[error("\"{0}\" is yes or no: it stands alone")]
    Flag(&'static str),
    /// The value has not the unit of the statistic.
    #[error("\"{value}\" is no value for {name}; write one such as {}", unit.example())]
    Value {
        /// What stands there.
        value: String,
        /// The statistic.
        name: &'static str,
        /// Its unit.
        unit: Unit,
    },
}

impl FromStr for Threshold {
    type Err = ThresholdError;

    fn from_str(text: &str) -> Result<Self, ThresholdError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(ThresholdError::Empty);
        }
        let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
        let (name, rest) = (&text[..end], text[end..].trim_start());
        let found = METRICS.iter().find(|metric| metric.name == name);
        let Some(metric) = found else {
            let name = if name.is_empty() { text } else { name };
            let near = METRICS.iter().map(|metric| (strsim::osa_distance(name, metric.name), metric.name));
            let near = near.filter(|(distance, known)| *distance <= 1 + known.len() / 4).min();
            let name = name.chars().take(40).collect();
            return Err(ThresholdError::Name { name, nearest: near.map(|(_, known)| known) });
        };
        let whole = |holds, bound| Self { text: text.to_owned(), metric, holds, bound };
        if metric.unit == Unit::Flag {
            return match rest {
                "" => Ok(whole(|value, bound| value >= bound, 1.0)),
                _ => Err(ThresholdError::Flag(metric.name)),
            };
        }
        let operator = OPERATORS.iter().find_map(|(sign, holds)| Some((rest.strip_prefix(sign)?, *holds)));
        let (value, holds) = operator.ok_or(ThresholdError::Operator(metric.name))?;
        let value = value.trim();
        let bound = bound(value, metric.unit).ok_or_else(|| ThresholdError::Value {
            value: value.chars().take(40).collect(),
            name: metric.name,
            unit: metric.unit,
        })?;
        Ok(whole(holds, bound))
    }
}

/// What a value means in the base unit; none when it has not the right form.
fn bound(text: &str, unit: Unit) -> Option<f64> {
    let number = |text: &str| {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        text.trim().parse::<f64>().ok().filter(|number| plain && number.is_finite())
    };
    match unit {
        Unit::Count => number(text),
        Unit::Rate => number(text.strip_suffix("/s").unwrap_or(text)),
        Unit::Ratio => match text.strip_suffix('%') {
            Some(percent) => number(percent.trim_end()).map(|percent| percent / 100.0),
            None => number(text),
        },
        Unit::Duration => {
            const UNITS: [(&str, f64); 5] =
                [("us", 1e-6), ("µs", 1e-6), ("ms", 1e-3), ("min", 60.0), ("s", 1.0)];
            let (digits, scale) =
                UNITS.iter().find_map(|(unit, scale)| Some((text.strip_suffix(unit)?, scale)))?;
            number(digits.trim_end()).map(|number| number * scale)
        }
        Unit::ByteRate => {
            const UNITS: [(&str, f64); 7] = [
                ("KiB", 1_024.0),
                ("MiB", 1_048_576.0),
                ("GiB", 1_073_741_824.0),
                ("KB", 1e3),
                ("MB", 1e6),
                ("GB", 1e9),
                ("B", 1.0),
            ];
            let text = text.strip_suffix("/s").unwrap_or(text);
            let (digits, scale) = UNITS
                .iter()
                .find_map(|(unit, scale)| Some((text.strip_suffix(unit)?, *scale)))
                .unwrap_or((text, 1.0));
            number(digits.trim_end()).map(|number| number * scale)
        }
        Unit::Flag => None,
    }
}

/// What came of a threshold.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Verdict {
    /// The expression.
    pub expression: String,
    /// The value that it was held against, in base units; none where the statistic has none.
    pub value: Option<f64>,
    /// Whether the run failed by it, and how.
    pub breach: Breach,
}

/// Whether a threshold was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Breach {
    /// It was kept.
    Kept,
    /// The condition of failure holds.
    Breached,
    /// There was nothing to judge by, which counts as a breach.
    NoValue,
}

impl Verdict {
    /// Whether the run failed by it.
    #[must_use]
    pub fn is_breached(&self) -> bool {
        self.breach != Breach::Kept
    }

    /// In a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Self { expression, value, breach } = self;
        let unit = expression.parse().map_or(Unit::Count, |threshold: Threshold| threshold.metric.unit);
        let value = value.map_or(String::new(), |value| told(value, unit));
        match (breach, unit) {
            (Breach::NoValue, _) => {
                format!("Threshold breached: {expression} can't be judged, for there was nothing to measure.")
            }
            (Breach::Kept, Unit::Flag) => format!("Threshold kept: not {expression}."),
            (Breach::Breached, Unit::Flag) => format!("Threshold breached: {expression}."),
            (Breach::Kept, _) => format!("Threshold kept: not {expression} (it is {value})."),
            (Breach::Breached, _) => format!("Threshold breached: {expression} (it is {value})."),
        }
    }
}

fn told(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Count | Unit::Flag => format!("{value:.0}"),
        Unit::Ratio => format!("{value:.6}"),
        Unit::Duration => format!("{:?}", Duration::from_micros((value * 1e6).round() as u64)),
        Unit::Rate => format!("{value:.1}/s"),
        Unit::ByteRate => format!("{value:.0} B/s"),
    }
}

impl Threshold {
    /// Whether a run with these counts kept it.
    #[must_use]
    pub fn judge(&self, facts: &Facts<'_>) -> Verdict {
        let value = self.metric.value(facts);
        let breach = match value {
            None => Breach::NoValue,
            Some(value) if (self.holds)(value, self.bound) => Breach::Breached,
            Some(_) => Breach::Kept,
        };
        Verdict { expression: self.text.clone(), value, breach }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ledger::{Ledger, Outcome, Settled, Snapshot};

    fn counts() -> Snapshot {
        let ledger = Ledger::new();
        ledger.generated(1_000);
        let settled = Settled { sent: 1_000, sent_bytes: 300_000, throttled: 10, ..Settled::default() };
        ledger.attempted(Outcome::Ok, Duration::from_millis(20), Duration::from_millis(200), &settled);
        ledger.snapshot()
    }

    fn breach(text: &str) -> Breach {
        let facts = Facts { counts: &counts(), load_time: Some(Duration::from_secs(10)) };
        text.parse::<Threshold>().unwrap_or_else(|error| panic!("{text}: {error}")).judge(&facts).breach
    }

    #[test]
    fn an_expression_says_what_must_not_be() {
        for (text, breached) in [
            ("throttled_ratio > 0.01", false),
            ("throttled_ratio>0.5%", true),
            ("throttled >= 10", true),
            ("throttled != 10", false),
            ("p99 > 250ms", false),
            ("p99 > 0.15s", true),
            ("p99>190000us", true),
            ("request_max < 1min", true),
            ("sent_rate < 100/s", false),
            ("sent_rate < 101", true),
            ("sent_bytes_rate <= 29KiB/s", false),
            ("sent_bytes_rate < 1MB/s", true),
            ("sent == 1000", true),
            ("client_limited", false),
        ] {
            assert_eq!(breach(text) == Breach::Breached, breached, "{text}");
        }
    }

    #[test]
    fn what_can_not_be_measured_is_no_pass() {
        let facts = Facts { counts: &Snapshot::default(), load_time: None };
        for text in ["p99 > 250ms", "throttled_ratio > 1%", "sent_rate < 1/s", "sent_ratio < 1"] {
            let verdict = text.parse::<Threshold>().expect("right").judge(&facts);
            assert_eq!((verdict.breach, verdict.value), (Breach::NoValue, None), "{text}");
            assert!(
                verdict.is_breached() && verdict.sentence().contains("nothing to measure"),
                "{verdict:?}"
            );
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_what_may_be_meant() {
        for (text, told) in [
            ("", "an expression is empty"),
            ("throtled_ratio > 1%", "\"throtled_ratio\" is no statistic; did you mean throttled_ratio?"),
            ("> 3", "\"> 3\" is no statistic"),
            ("p99", "\"p99\" needs one of > >= < <= == != and a value behind it"),
            ("p99 = 3ms", "\"p99\" needs one of > >= < <= == != and a value behind it"),
            ("p99 > 250", "\"250\" is no value for p99; write one such as 250ms or 1.5s"),
            ("throttled > 1%", "\"1%\" is no value for throttled; write one such as 1000"),
            ("throttled_ratio > -1", "\"-1\" is no value for throttled_ratio; write one such as 0.01 or 1%"),
            ("client_limited > 0", "\"client_limited\" is yes or no: it stands alone"),
        ] {
            assert_eq!(text.parse::<Threshold>().expect_err(text).to_string(), told);
        }
    }

    #[test]
    fn a_verdict_tells_its_value() {
        let facts = Facts { counts: &counts(), load_time: Some(Duration::from_secs(10)) };
        let sentence = |text: &str| text.parse::<Threshold>().expect("right").judge(&facts).sentence();
        assert_eq!(sentence("throttled > 3"), "Threshold breached: throttled > 3 (it is 10).");
        assert_eq!(sentence("sent_rate<5/s"), "Threshold kept: not sent_rate<5/s (it is 100.0/s).");
        assert_eq!(sentence("client_limited"), "Threshold kept: not client_limited.");
    }

    proptest! {
        // No text makes the reader panic, and what is read is shown as it was typed.
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,30}") {
            if let Ok(threshold) = text.parse::<Threshold>() {
                prop_assert_eq!(threshold.to_string(), text.trim());
            }
        }

        // Of a condition and its opposite exactly one holds.
        #[test]
        fn a_condition_or_its_opposite_holds(bound in 0_u64..2_000) {
            let holds = |sign: &str| breach(&format!("sent {sign} {bound}")) == Breach::Breached;
            prop_assert_ne!(holds(">"), holds("<="));
            prop_assert_ne!(holds("<"), holds(">="));
            prop_assert_ne!(holds("=="), holds("!="));
        }
    }
}
