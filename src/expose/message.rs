//! What the page is told: a run's timeline and counts as one compact JSON text, whole or as what was added.
//!
//! Pure: a timeline, counts and facts in, text out. Each list says from which of its rows on it is told anew, so that
//! telling something twice does no harm. `docs/dashboard.md` has the form.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde_json::{Map, Value};

use super::control::factor_words;
use super::limiting::{Around, Recent, limiting};
use super::rows::{self, ColumnRow};
use super::view::Steered;
use super::{About, Phase};
use crate::ledger::timeline::{Bin, Flow, Span, Sparse, Timeline};
use crate::ledger::{Durations, Label, Snapshot, Tally};

/// What was told already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Told {
    bins: u64,
    spans: usize,
    columns: usize,
    shards: usize,
    marks: usize,
}

/// What is seen of a run besides its timeline.
pub(super) struct Seen<'a> {
    pub about: Option<&'a About>,
    pub phase: Phase,
    pub steered: Steered,
    pub counts: &'a Counts,
    /// Records dropped lately, because the window was full and because they were late.
    pub dropped_lately: (u64, u64),
    pub processors: usize,
}

/// The counts of one moment, as the page shows them.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Counts {
    due: u64,
    dropped: u64,
    generated: u64,
    sent: u64,
    failed: u64,
    unknown: u64,
    in_flight: u64,
    throttled: u64,
    sent_bytes: u64,
    requests: u64,
    perhaps_twice: u64,
    intended: u64,
    paused_seconds: u64,
    /// Reasons that have records.
    dropped_by: Map<String, Value>,
    failed_by: Map<String, Value>,
    unknown_by: Map<String, Value>,
    /// p50, p90, p99 and most, in microseconds, over the whole run.
    delivery: Percentiles,
    request: Percentiles,
    lateness: Percentiles,
}

/// p50, p90, p99 and most, in microseconds; zeros where there is nothing.
type Percentiles = [u64; 4];

impl Counts {
    pub(super) fn of(counts: &Snapshot) -> Self {
        Self {
            due: counts.due,
            dropped: counts.dropped.total(),
            generated: counts.generated,
            sent: counts.sent,
            failed: counts.failed.total(),
            unknown: counts.unknown.total(),
            in_flight: counts.in_flight,
            throttled: counts.throttled,
            sent_bytes: counts.sent_bytes,
            requests: counts.requests.total(),
            perhaps_twice: counts.perhaps_twice,
            intended: counts.intended,
            paused_seconds: counts.seconds_paused,
            dropped_by: reasons(&counts.dropped),
            failed_by: reasons(&counts.failed),
            unknown_by: reasons(&counts.unknown),
            delivery: of_all(&counts.delivery_delay),
            request: of_all(&counts.request_duration),
            lateness: of_all(&counts.lateness),
        }
    }
}

fn reasons<L: Label>(tally: &Tally<L>) -> Map<String, Value> {
    tally.iter().filter(|(_, n)| *n > 0).map(|(why, n)| (why.label().to_owned(), n.into())).collect()
}

fn micros(time: Option<Duration>) -> u64 {
    time.map_or(0, |time| time.as_micros() as u64)
}

fn of_all(durations: &Durations) -> Percentiles {
    let [p50, p90, p99] = [0.5, 0.9, 0.99].map(|share| micros(durations.quantile(share)));
    [p50, p90, p99, micros(durations.max())]
}

fn of_span(durations: &Sparse) -> Percentiles {
    let [p50, p90, p99] = [0.5, 0.9, 0.99].map(|share| micros(durations.quantile(share)));
    [p50, p90, p99, micros(durations.max())]
}

/// The whole message.
#[derive(Serialize)]
struct Message<'a> {
    /// The timeline's moment, in milliseconds since it began.
    at: u64,
    /// When it began, in milliseconds since the Unix epoch.
    began: u64,
    bins: Part<BinRow>,
    spans: Part<SpanRow>,
    heat: Heat,
    marks: Part<(u64, &'a str)>,
    more_marks: u64,
    phase: &'static str,
    paused: bool,
    factor: String,
    limit: &'static str,
    limit_words: String,
    counts: &'a Counts,
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<&'a About>,
}

/// Rows of a list from number `from` on; what was told of these before is void.
#[derive(Serialize)]
struct Part<R> {
    from: u64,
    rows: Vec<R>,
}

/// The shards in rows, and what each row's busiest shard did in each column.
#[derive(Serialize)]
struct Heat {
    from: u64,
    columns: Vec<ColumnRow>,
    /// The rows' names, where they are others than before.
    #[serde(skip_serializing_if = "Option::is_none")]
    names: Option<Vec<String>>,
}

/// From, length, due, dropped, generated, sent, failed, unknown, throttled, requests, bytes sent, in flight at its end,
/// CPU time; times in milliseconds.
type BinRow = [u64; 13];

fn bin_row(bin: &Bin) -> BinRow {
    let (from, to) = (bin.from.as_millis() as u64, bin.to.as_millis() as u64);
    let Flow { due, generated, dropped, sent, sent_bytes, failed, unknown, throttled, requests } = bin.flow;
    [
        from,
        to - from,
        due,
        dropped,
        generated,
        sent,
        failed,
        unknown,
        throttled,
        requests,
        sent_bytes,
        bin.in_flight,
        bin.cpu.as_millis() as u64,
    ]
}

/// The bin, and the percentiles of delivery delay and request duration.
type SpanRow = (BinRow, Percentiles, Percentiles);

fn span_row(span: &Span) -> SpanRow {
    (bin_row(&span.bin), of_span(&span.delivery_delay), of_span(&span.request_duration))
}

/// The message of what `timeline` has beyond what was `told`, or of all, and what is told with it.
pub(super) fn message(
    timeline: &Timeline,
    began: SystemTime,
    seen: &Seen<'_>,
    told: Option<&Told>,
) -> (Vec<u8>, Told) {
    let all = Told::default();
    let before = told.unwrap_or(&all);
    let (spans, heat) = (timeline.spans(), timeline.heat());
    let now = Told {
        bins: timeline.made(),
        spans: spans.len(),
        columns: heat.columns().len(),
        shards: heat.shards().len(),
        marks: timeline.marks().len(),
    };
    // The timeline began anew, or neighbours became one, or rows are others: all of that list is told again.
    let began_anew = now.bins < before.bins;
    let span_from = if spans.len() < before.spans { 0 } else { before.spans.saturating_sub(1) };
    let same_rows = now.shards == before.shards && now.columns >= before.columns && told.is_some();
    let column_from = if same_rows { before.columns.saturating_sub(1) } else { 0 };
    let kept = now.bins - timeline.bins(0).len() as u64;
    let bin_from = if began_anew { kept } else { before.bins.max(kept) };
    let mark_from = if began_anew { 0 } else { before.marks.min(now.marks) };
    let rows = rows::Rows::of(heat.shards());
    let (limit, limit_words) = limiting(&Recent::of(timeline, around(seen)));
    let message = Message {
        at: timeline.at().as_millis() as u64,
        began: began.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64,
        bins: Part { from: bin_from, rows: timeline.bins(bin_from).map(bin_row).collect() },
        spans: Part { from: span_from as u64, rows: spans[span_from..].iter().map(span_row).collect() },
        heat: Heat {
            from: column_from as u64,
            columns: heat.columns()[column_from..].iter().map(|column| rows.column(column)).collect(),
            names: (!same_rows).then(|| rows.names()),
        },
        marks: Part {
            from: mark_from as u64,
            rows: timeline.marks()[mark_from..]
                .iter()
                .map(|mark| (mark.at.as_millis() as u64, mark.what.as_str()))
                .collect(),
        },
        more_marks: timeline.more_marks(),
        phase: seen.phase.word(),
        paused: seen.steered.paused,
        factor: factor_words(seen.steered.factor),
        limit: limit.label(),
        limit_words,
        counts: seen.counts,
        about: seen.about.filter(|_| told.is_none()),
    };
    let text = serde_json::to_vec(&message).expect("numbers, texts, and maps with texts for keys");
    (text, now)
}

/// What has to be known besides the timeline to tell what limits the run.
fn around(seen: &Seen<'_>) -> Around {
    Around {
        phase: seen.phase,
        paused: seen.steered.paused,
        dropped: seen.dropped_lately,
        processors: seen.processors,
        shards: seen.about.map_or(0, |about| about.shards),
        max_in_flight: seen.about.map_or(0, |about| about.max_in_flight),
    }
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
