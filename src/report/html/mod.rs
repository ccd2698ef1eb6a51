//! A report as one page: everything in it, nothing from elsewhere, no script. For screens large and small, light and
//! dark, for paper, and for those who listen.
//!
//! Whatever a report holds is text here: a stream's or a file's name can't become markup.

mod findings;
mod heat;
mod plot;
mod style;
mod tables;

use super::Document;
use super::document::SpanRow;
use crate::expose::escaped;
use plot::{Line, Plot};
use style::STYLE;

/// The report as HTML.
#[must_use]
pub fn page(document: &Document) -> String {
    let stream = escaped(&document.streams.join(", "));
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{stream}: run report</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
    );
    page.push_str(&findings::head(document));
    section(&mut page, "findings", "Findings", &findings::list(document));
    section(&mut page, "ledger", "What became of the records", &tables::ledger(document));
    let charts: String = charts(document).iter().map(Plot::html).collect();
    section(&mut page, "time", "Over time", &charts);
    section(&mut page, "throttled", "What was throttled, and why", &tables::throttled(document));
    section(&mut page, "entries", "Kinesis records", &tables::entries(document));
    section(&mut page, "shards", "Shards", &(heat::maps(document) + &tables::shards(document)));
    section(&mut page, "times", "How long it took", &tables::times(document));
    section(&mut page, "requests", "Requests", &tables::requests(document));
    section(&mut page, "marks", "What happened", &tables::marks(document));
    section(&mut page, "instances", "Who made the load", &tables::instances(document));
    section(&mut page, "settings", "Settings", &tables::settings(document));
    page.push_str(&format!(
        "</main>\n<footer>Written by kinesis-streamer {}. Every figure's definition: docs/metrics.md.</footer>\n</body>\n</html>\n",
        env!("CARGO_PKG_VERSION")
    ));
    page
}

/// A part of the page, unless there is nothing to show.
fn section(page: &mut String, id: &str, title: &str, body: &str) {
    if !body.is_empty() {
        page.push_str(&format!(
            "<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{title}</h2>\n{body}</section>\n"
        ));
    }
}

fn charts(document: &Document) -> Vec<Plot> {
    let spans = &document.spans;
    if spans.is_empty() {
        return Vec::new();
    }
    let marks: Vec<(f64, String)> = document.marks.iter().map(|mark| (mark.at, mark.what.clone())).collect();
    let plot = |title: &str, unit: &'static str, is_log: bool, lines: Vec<Line>| Plot {
        title: title.to_owned(),
        unit,
        is_log,
        spans: spans.iter().map(|span| (span.from, span.to)).collect(),
        lines,
        marks: marks.clone(),
    };
    let rate = |name: &'static str, class: &'static str, count: fn(&SpanRow) -> u64| Line {
        name,
        class,
        values: spans.iter().map(|span| per_second(span, count(span) as f64)).collect(),
    };
    let quantile =
        |name: &'static str, class: &'static str, q: f64, of: fn(&SpanRow) -> &super::Distribution| Line {
            name,
            class,
            values: spans.iter().map(|span| of(span).quantile(q).map(|time| time.as_secs_f64())).collect(),
        };
    let share = |name: &'static str, class: &'static str, seconds: fn(&SpanRow) -> Option<f64>| Line {
        name,
        class,
        values: spans.iter().map(|span| per_second(span, seconds(span)?)).collect(),
    };
    let mut rates = vec![
        rate("offered", "offered", |span| span.due),
        rate("sent", "sent", |span| span.sent),
        rate("throttled", "throttled", |span| span.throttled),
    ];
    let losses = [
        rate("dropped", "dropped", |span| span.dropped),
        rate("failed", "failed", |span| span.failed),
        rate("unknown", "unknown", |span| span.unknown),
    ];
    rates.extend(losses.into_iter().filter(|line| line.most() > 0.0));
    let cpus: f64 = document
        .instances
        .iter()
        .map(|one| one.cpu_quota.unwrap_or(f64::INFINITY).min(one.cpus as f64))
        .sum();
    let mut charts = vec![
        plot("Offered, sent, throttled", "records/s", false, rates),
        plot("Bytes sent", "bytes/s", false, vec![rate("sent", "sent", |span| span.sent_bytes)]),
        plot(
            "Delivery delay: from due to acknowledged",
            "seconds",
            true,
            vec![
                quantile("p50", "p50", 0.5, |span| &span.times.delivery_delay),
                quantile("p90", "p90", 0.9, |span| &span.times.delivery_delay),
                quantile("p99", "p99", 0.99, |span| &span.times.delivery_delay),
                quantile("max", "most", 1.0, |span| &span.times.delivery_delay),
            ],
        ),
        plot(
            "Request duration: from call to answer",
            "seconds",
            true,
            vec![
                quantile("p50", "p50", 0.5, |span| &span.times.request_duration),
                quantile("p99", "p99", 0.99, |span| &span.times.request_duration),
                quantile("max", "most", 1.0, |span| &span.times.request_duration),
            ],
        ),
    ];
    charts.push(plot(
        &format!("This client: CPUs used (it may use {cpus:.1}), and what held it up"),
        "CPUs, or seconds per second",
        false,
        vec![
            share("CPU", "sent", |span| Some(span.cpu_seconds)),
            share("standing still", "failed", |span| Some(span.stalled_seconds)),
            share("waiting for the window", "throttled", |span| Some(span.window_wait_seconds)),
            share("waiting for a CPU", "dropped", |span| span.queued_seconds),
            share("held by its quota", "unknown", |span| span.quota_held_seconds),
        ]
        .into_iter()
        .filter(|line| line.name == "CPU" || line.most() > 0.0)
        .collect(),
    ));
    charts.extend(shards(document, &marks));
    charts.retain(|plot| plot.lines.iter().any(|line| line.values.iter().any(Option::is_some)));
    charts
}

/// How many shards took records over time, where that is worth a look: a stream that grows while it is watched.
fn shards(document: &Document, marks: &[(f64, String)]) -> Option<Plot> {
    let heat = &document.heat;
    let counts = heat.iter().map(|column| column.cells.iter().filter(|cell| cell.1 > 0).count() as f64);
    let line = Line { name: "shards", class: "sent", values: counts.map(Some).collect() };
    (document.counts.reshards > 0 && !heat.is_empty()).then(|| Plot {
        title: "Shards that took records".to_owned(),
        unit: "shards",
        is_log: false,
        spans: heat.iter().map(|column| (column.from, column.to)).collect(),
        lines: vec![line],
        marks: marks.to_vec(),
    })
}

fn per_second(span: &SpanRow, count: f64) -> Option<f64> {
    let seconds = span.to - span.from;
    // The end of a run may be cut off: a rate of some milliseconds is noise.
    (seconds >= 0.05).then(|| count / seconds)
}

/// A moment or a length: `0:05`, `12:40`, `1:00:00`.
fn clock(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole / 3_600 {
        0 => format!("{}:{:02}", whole / 60, whole % 60),
        hours => format!("{hours}:{:02}:{:02}", whole / 60 % 60, whole % 60),
    }
}

/// A duration in three digits.
fn time(seconds: f64) -> String {
    match seconds {
        s if s >= 100.0 => format!("{s:.0} s"),
        s if s >= 10.0 => format!("{s:.1} s"),
        s if s >= 1.0 => format!("{s:.2} s"),
        s if s >= 0.1 => format!("{:.0} ms", s * 1e3),
        s if s >= 0.01 => format!("{:.1} ms", s * 1e3),
        s if s >= 0.001 => format!("{:.2} ms", s * 1e3),
        s => format!("{:.0} µs", s * 1e6),
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
