//! The statistics that two runs are compared by, each computed from a stretch of a run.

use std::time::Duration;

use super::super::document::SpanRow;
use super::super::{Distribution, Document};

/// Shortest part of a usual span that a span may be, to be of use: the last one is cut off by the end of the run.
const LEAST_OF_A_SPAN: f64 = 0.5;

/// What a statistic is, for how it is told and when a difference matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// So many a second; the margin is a part of it.
    Rate,
    /// A share from 0 to 1; the margin is a part of it, but at least a thousandth.
    Ratio,
    /// Seconds; the margin of latencies is a part of it, but at least a millisecond.
    Duration,
}

/// A statistic.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measure {
    pub name: &'static str,
    pub kind: Kind,
    /// Whether more of it is worse (`Some(true)`), less is (`Some(false)`), or neither.
    pub more_is_worse: Option<bool>,
    /// Of consecutive spans; none where it has no value.
    pub of: fn(&[&SpanRow]) -> Option<f64>,
}

/// All of them: each one more makes the intervals of all a little wider.
pub(super) const MEASURES: [Measure; 9] = [
    Measure { name: "due_rate", kind: Kind::Rate, more_is_worse: None, of: |s| rate(s, |s| s.due) },
    Measure { name: "sent_rate", kind: Kind::Rate, more_is_worse: Some(false), of: |s| rate(s, |s| s.sent) },
    Measure {
        name: "sent_bytes_rate",
        kind: Kind::Rate,
        more_is_worse: Some(false),
        of: |s| rate(s, |s| s.sent_bytes),
    },
    Measure {
        name: "throttled_ratio",
        kind: Kind::Ratio,
        more_is_worse: Some(true),
        of: |s| ratio(s, |s| s.throttled, |s| s.throttled + s.sent),
    },
    Measure {
        name: "lost_ratio",
        kind: Kind::Ratio,
        more_is_worse: Some(true),
        of: |s| ratio(s, |s| s.dropped + s.failed + s.unknown, |s| s.dropped + s.failed + s.unknown + s.sent),
    },
    Measure { name: "p50", kind: Kind::Duration, more_is_worse: Some(true), of: |s| delay(s, 0.5) },
    Measure { name: "p99", kind: Kind::Duration, more_is_worse: Some(true), of: |s| delay(s, 0.99) },
    Measure { name: "request_p50", kind: Kind::Duration, more_is_worse: Some(true), of: |s| request(s, 0.5) },
    Measure {
        name: "request_p99",
        kind: Kind::Duration,
        more_is_worse: Some(true),
        of: |s| request(s, 0.99),
    },
];

fn sum(spans: &[&SpanRow], count: fn(&SpanRow) -> u64) -> f64 {
    spans.iter().map(|span| count(span) as f64).sum()
}

fn rate(spans: &[&SpanRow], count: fn(&SpanRow) -> u64) -> Option<f64> {
    let seconds: f64 = spans.iter().map(|span| span.to - span.from).sum();
    (seconds > 0.0).then(|| sum(spans, count) / seconds)
}

fn ratio(spans: &[&SpanRow], part: fn(&SpanRow) -> u64, whole: fn(&SpanRow) -> u64) -> Option<f64> {
    let whole = sum(spans, whole);
    (whole > 0.0).then(|| sum(spans, part) / whole)
}

fn delay(spans: &[&SpanRow], quantile: f64) -> Option<f64> {
    of_all(spans.iter().map(|span| &span.times.delivery_delay), quantile)
}

fn request(spans: &[&SpanRow], quantile: f64) -> Option<f64> {
    of_all(spans.iter().map(|span| &span.times.request_duration), quantile)
}

fn of_all<'a>(parts: impl Iterator<Item = &'a Distribution>, quantile: f64) -> Option<f64> {
    Distribution::of_all(parts).quantile(quantile).as_ref().map(Duration::as_secs_f64)
}

/// The spans that tell of the load: without the first, which opens every connection, and without what follows the
/// load's end.
pub(super) fn steady(document: &Document) -> Vec<&SpanRow> {
    let spans = &document.spans;
    let usual = spans.iter().map(|span| span.to - span.from).fold(0.0, f64::max);
    let last = spans.iter().rposition(|span| span.due > 0 && span.to - span.from >= usual * LEAST_OF_A_SPAN);
    let first = spans.iter().position(|span| span.due > 0);
    match first.zip(last) {
        // The last one with something due may have the end of the load in its middle.
        Some((first, last)) if last > first + 1 => spans[first + 1..last].iter().collect(),
        _ => Vec::new(),
    }
}
