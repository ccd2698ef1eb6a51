//! Two runs compared: which statistics differ by more than chance and more than matters.
//!
//! Each run is cut into batches of consecutive seconds, and a statistic is computed for each batch: the method of batch
//! means, which lets neighbouring seconds be alike. What autocorrelation is left between batches makes them worth less
//! (`student`). Runs of the same length are compared batch by batch, so that a load that changes with time cancels
//! out; others by Welch's method. All intervals together hold with 95 % (Bonferroni). No chance is drawn: the same
//! reports always have the same result. `docs/metrics.md` has the formulas, and what this can't tell.

mod measure;
mod student;
mod told;

use super::Document;
use super::document::SpanRow;
use measure::{Kind, MEASURES, Measure, steady};
use student::Mean;

/// The probability that anything is called different although nothing is: of all statistics together.
pub const ALPHA: f64 = 0.05;

/// Most batches of a run.
const MOST_BATCHES: usize = 20;

/// Fewest batches that are compared.
const LEAST_BATCHES: usize = 6;

/// Spans of a batch, where there are enough.
const SPANS_PER_BATCH: usize = 5;

/// How exact a histogram's percentile is, as a part of it.
const RESOLUTION: f64 = 0.01;

/// The least difference that matters, where the margin is a part of nearly nothing.
const LEAST_RATIO: f64 = 0.001;
/// See above; in seconds.
const LEAST_DURATION: f64 = 0.001;

/// What is taken for a difference that matters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Margins {
    /// As a part of rates and ratios.
    pub counts: f64,
    /// As a part of durations.
    pub durations: f64,
}

impl Default for Margins {
    fn default() -> Self {
        Self { counts: 0.02, durations: 0.1 }
    }
}

/// What is said of one statistic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Says {
    /// No difference is proven.
    Same,
    /// The second run is better.
    Better,
    /// The second run is worse.
    Worse,
    /// It is another load.
    Other,
    /// One of the runs has too little of it.
    TooLittle,
}

/// A statistic of both runs.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Row {
    /// The statistic.
    pub name: &'static str,
    /// Its value in the first run, in base units.
    pub a: Option<f64>,
    /// In the second.
    pub b: Option<f64>,
    /// The second less the first, as the mean over the batches.
    pub difference: Option<f64>,
    /// The interval that the true difference is in.
    pub interval: Option<(f64, f64)>,
    /// The difference that would matter.
    pub margin: Option<f64>,
    /// What follows.
    pub says: Says,
    #[serde(skip)]
    kind: Kind,
}

/// Two runs, compared.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Comparison {
    /// The statistics.
    pub rows: Vec<Row>,
    /// Settings that differ: variable, value in the first, value in the second.
    pub settings: Vec<(String, Option<String>, Option<String>)>,
    /// What a reader should know before believing it.
    pub cautions: Vec<String>,
}

impl Comparison {
    /// Whether the second run is worse in anything.
    #[must_use]
    pub fn is_worse(&self) -> bool {
        self.rows.iter().any(|row| row.says == Says::Worse)
    }

    /// Whether anything differs.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.rows.iter().any(|row| matches!(row.says, Says::Worse | Says::Better | Says::Other))
    }

    /// Whether nothing at all could be compared.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.iter().all(|row| row.says == Says::TooLittle)
    }
}

/// Compares `b` with `a`.
#[must_use]
pub fn compare(a: &Document, b: &Document, margins: Margins) -> Comparison {
    let (of_a, of_b) = (steady(a), steady(b));
    let rows = MEASURES.iter().map(|measure| row(measure, &of_a, &of_b, margins)).collect();
    Comparison { rows, settings: settings(a, b), cautions: told::cautions(a, b, of_a.len(), of_b.len()) }
}

fn row(measure: &Measure, a: &[&SpanRow], b: &[&SpanRow], margins: Margins) -> Row {
    let (value_a, value_b) = ((measure.of)(a), (measure.of)(b));
    let empty = Row {
        name: measure.name,
        a: value_a,
        b: value_b,
        difference: None,
        interval: None,
        margin: None,
        says: Says::TooLittle,
        kind: measure.kind,
    };
    let Some((whole_a, whole_b, mean)) =
        value_a.zip(value_b).and_then(|(one, two)| Some((one, two, difference(measure, a, b)?)))
    else {
        return empty;
    };
    let margin = match measure.kind {
        Kind::Rate => whole_a.abs() * margins.counts,
        Kind::Ratio => (whole_a.abs() * margins.counts).max(LEAST_RATIO),
        Kind::Duration => (whole_a.abs() * margins.durations).max(LEAST_DURATION),
    };
    let inexact = if measure.kind == Kind::Duration { whole_a.max(whole_b) * RESOLUTION } else { 0.0 };
    let half = mean.half_width(ALPHA / MEASURES.len() as f64) + inexact;
    let (low, high) = (mean.value - half, mean.value + half);
    let says = match measure.more_is_worse {
        _ if low <= margin && high >= -margin => Says::Same,
        None => Says::Other,
        Some(more_is_worse) if (mean.value > 0.0) == more_is_worse => Says::Worse,
        Some(_) => Says::Better,
    };
    Row { difference: Some(mean.value), interval: Some((low, high)), margin: Some(margin), says, ..empty }
}

/// The mean difference of the batches.
fn difference(measure: &Measure, a: &[&SpanRow], b: &[&SpanRow]) -> Option<Mean> {
    let (shorter, longer) = (a.len().min(b.len()), a.len().max(b.len()));
    // Two runs of a minute differ by a second at most; what is longer by more is another run.
    if longer - shorter <= (longer / 10).max(1) {
        let batches = batches(shorter)?;
        let differences: Vec<f64> = cut(shorter, batches)
            .filter_map(|range| Some((measure.of)(&b[range.clone()])? - (measure.of)(&a[range])?))
            .collect();
        return Mean::of(&differences).filter(|_| differences.len() >= LEAST_BATCHES);
    }
    let of = |spans: &[&SpanRow]| {
        let values: Vec<f64> =
            cut(spans.len(), batches(spans.len())?).filter_map(|range| (measure.of)(&spans[range])).collect();
        Mean::of(&values).filter(|_| values.len() >= LEAST_BATCHES)
    };
    Some(of(b)?.minus(&of(a)?))
}

/// How many batches so many spans make; none when they are too few.
fn batches(spans: usize) -> Option<usize> {
    let batches = (spans / SPANS_PER_BATCH).clamp(LEAST_BATCHES, MOST_BATCHES);
    (spans >= batches).then_some(batches)
}

/// As many ranges of `0..spans`, as equal as can be.
fn cut(spans: usize, batches: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    (0..batches).map(move |batch| spans * batch / batches..spans * (batch + 1) / batches)
}

/// Settings that differ, but for those that name a run: who sends, and where files are kept.
fn settings(a: &Document, b: &Document) -> Vec<(String, Option<String>, Option<String>)> {
    const NAMES: [&str; 4] = ["STREAMER_INSTANCE", "STREAMER_JOURNAL", "STREAMER_REPORT", "STREAMER_LISTEN"];
    let (Some(a), Some(b)) = (a.instances.first(), b.instances.first()) else { return Vec::new() };
    let names: std::collections::BTreeSet<&String> = a.settings.keys().chain(b.settings.keys()).collect();
    let both = |name: &String| (name.clone(), a.settings.get(name).cloned(), b.settings.get(name).cloned());
    names
        .into_iter()
        .filter(|name| !NAMES.contains(&name.as_str()))
        .map(both)
        .filter(|(_, one, two)| one != two)
        .collect()
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
