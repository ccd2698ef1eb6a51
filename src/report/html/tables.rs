//! The tables of the page: the ledger, which adds up, and all that is not drawn.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::super::{Distribution, Document};
use super::{clock, time};
use crate::expose::{escaped, grouped, human_bytes, human_share, why};

/// Most rows of the table of shards, and of what happened.
const MOST_ROWS: usize = 256;

fn table(head: &[&str], class: &str, rows: &str) -> String {
    // Words stand to the left, numbers to the right; a column of remarks has no heading.
    let is_words = |cell: &str| matches!(cell, "" | "what" | "value" | "program" | "throttled because of");
    let side = |cell: &str| if is_words(cell) { " class=\"left\"" } else { "" };
    let head: String =
        head.iter().map(|cell| format!("<th scope=\"col\"{}>{cell}</th>", side(cell))).collect();
    format!(
        "<div class=\"scroll\"><table class=\"{class}\"><thead><tr>{head}</tr></thead><tbody>\n{rows}</tbody></table></div>\n"
    )
}

/// What became of the records.
pub(super) fn ledger(document: &Document) -> String {
    let counts = &document.counts;
    let rate = |count: u64| match document.load_seconds {
        Some(seconds) if seconds >= 1.0 => format!("{:.1}/s", count as f64 / seconds),
        _ => "–".to_owned(),
    };
    let mut rows = String::new();
    let mut row = |depth: usize, name: &str, count: u64, note: &str| {
        let _ = writeln!(
            rows,
            "<tr class=\"d{depth}\"><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td class=\"left wrap\">{}</td></tr>",
            escaped(name),
            grouped(count),
            human_share(count, counts.due),
            rate(count),
            escaped(note)
        );
    };
    let causes = |depth: usize,
                  group: &str,
                  tally: &BTreeMap<String, u64>,
                  row: &mut dyn FnMut(usize, &str, u64, &str)| {
        for (cause, &count) in tally {
            row(depth, cause, count, why(group, cause).unwrap_or_default());
        }
    };
    row(0, "due", counts.due, "the schedule asked for them");
    row(1, "dropped", counts.dropped(), "never made");
    causes(2, "dropped", &counts.dropped, &mut row);
    row(1, "generated", counts.generated, "");
    row(2, "sent", counts.sent, "Kinesis answered with a sequence number");
    if counts.perhaps_twice > 0 {
        let note = "of these: an earlier attempt had no answer, and may have stored them too";
        row(3, "perhaps twice", counts.perhaps_twice, note);
    }
    row(2, "failed", counts.failed(), "given up, certainly not stored");
    causes(3, "failed", &counts.failed, &mut row);
    row(2, "unknown", counts.unknown(), "given up, perhaps stored");
    causes(3, "unknown", &counts.unknown, &mut row);
    row(2, "in flight", counts.in_flight, "not settled at the end");
    let n = grouped;
    let sums = format!(
        "<p class=\"soft\">{} due = {} generated + {} dropped; {} generated = {} sent + {} failed + {} unknown + {} in flight.</p>\n",
        n(counts.due),
        n(counts.generated),
        n(counts.dropped()),
        n(counts.generated),
        n(counts.sent),
        n(counts.failed()),
        n(counts.unknown()),
        n(counts.in_flight)
    );
    table(&["records", "count", "share of due", "mean rate", ""], "", &rows) + &sums
}

/// What the throttled entries are charged to.
pub(super) fn throttled(document: &Document) -> String {
    let counts = &document.counts;
    if counts.fates.throttled_by.is_empty() {
        return String::new();
    }
    let mut rows = String::new();
    for (cause, &count) in &counts.fates.throttled_by {
        let _ = writeln!(
            rows,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"left wrap\">{}</td></tr>",
            escaped(cause),
            grouped(count),
            human_share(count, counts.fates.entries_throttled),
            why("throttled", cause).unwrap_or_default()
        );
    }
    let _ = writeln!(
        rows,
        "<tr class=\"sum\"><td>all</td><td>{}</td><td></td><td></td></tr>",
        grouped(counts.fates.entries_throttled)
    );
    let note = "<p class=\"soft\">Counted in every attempt. What the model charges is an estimate; the sum is counted.</p>\n";
    table(&["cause", "entries", "share", ""], "", &rows) + note
}

/// What Kinesis itself counts, where several records are one of its own.
pub(super) fn entries(document: &Document) -> String {
    let counts = &document.counts;
    let are_records =
        counts.fates.entries_sent == counts.sent && counts.fates.entries_throttled == counts.throttled;
    // A report of before entries were counted has none.
    if are_records || counts.entries == 0 {
        return String::new();
    }
    let mut rows = String::new();
    let mut row = |name: &str, count: u64, note: &str| {
        let count = grouped(count);
        let _ = writeln!(rows, "<tr><td>{name}</td><td>{count}</td><td class=\"left wrap\">{note}</td></tr>");
    };
    let each = counts.sent as f64 / counts.fates.entries_sent.max(1) as f64;
    row("sent", counts.fates.entries_sent, &format!("{each:.1} user records in each, on average"));
    row("throttled", counts.fates.entries_throttled, "counted in every attempt");
    row("user records elsewhere", counts.sent_elsewhere, "in aggregates that another shard took");
    table(&["Kinesis records", "count", ""], "", &rows)
}

/// What each shard took and refused.
pub(super) fn shards(document: &Document) -> String {
    if document.shards.is_empty() {
        return String::new();
    }
    let mut rows = String::new();
    for shard in document.shards.iter().take(MOST_ROWS) {
        let tried = shard.sent + shard.throttled;
        let charged: Vec<String> = shard
            .fates
            .throttled_by
            .iter()
            .map(|(cause, &count)| {
                format!("{} {}", human_share(count, shard.fates.entries_throttled), escaped(cause))
            })
            .collect();
        let _ = writeln!(
            rows,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td class=\"left\">{}</td></tr>",
            escaped(shard.shard.as_deref().unwrap_or("not told")),
            grouped(shard.sent),
            human_share(shard.sent, document.counts.sent),
            grouped(shard.throttled),
            human_share(shard.throttled, tried),
            human_bytes(shard.sent_bytes as f64),
            charged.join(", ")
        );
    }
    let more = document.shards.len().saturating_sub(MOST_ROWS);
    let more = if more > 0 {
        format!("<p class=\"soft\">and {more} more; the JSON has them all.</p>\n")
    } else {
        String::new()
    };
    let head =
        ["shard", "sent", "share", "throttled", "of its attempts", "bytes sent", "throttled because of"];
    table(&head, "", &rows) + &more
}

/// How long things took.
pub(super) fn times(document: &Document) -> String {
    let mut rows = String::new();
    let mut row = |name: &str, meaning: &str, of: &Distribution| {
        let _ = write!(rows, "<tr><td>{name}</td><td>{}</td>", grouped(of.sparse().count()));
        for quantile in [0.5, 0.9, 0.99, 0.999, 1.0] {
            let cell = of.quantile(quantile).map_or("–".to_owned(), |value| time(value.as_secs_f64()));
            let _ = write!(rows, "<td>{cell}</td>");
        }
        let _ = writeln!(rows, "<td class=\"left wrap\">{meaning}</td></tr>");
    };
    let times = &document.times;
    row(
        "delivery delay",
        "per record sent: from due to acknowledged, retries included",
        &times.delivery_delay,
    );
    row(
        "request duration",
        "per request: from call to answer, or to the lack of one",
        &times.request_duration,
    );
    row("tick lateness", "per batch: from due to its first request", &times.lateness);
    table(&["", "count", "p50", "p90", "p99", "p99.9", "max", ""], "", &rows)
}

/// How requests ended.
pub(super) fn requests(document: &Document) -> String {
    let counts = &document.counts;
    let all: u64 = counts.requests.values().sum();
    let mut rows = String::new();
    for (outcome, &count) in &counts.requests {
        let (outcome, share) = (escaped(outcome), human_share(count, all));
        let _ = writeln!(rows, "<tr><td>{outcome}</td><td>{}</td><td>{share}</td></tr>", grouped(count));
    }
    let _ = writeln!(rows, "<tr class=\"sum\"><td>all</td><td>{}</td><td></td></tr>", grouped(all));
    table(&["outcome", "requests", "share"], "", &rows)
}

/// What happened.
pub(super) fn marks(document: &Document) -> String {
    let mut rows = String::new();
    for mark in document.marks.iter().take(MOST_ROWS) {
        let (at, what) = (clock(mark.at), escaped(&mark.what));
        let _ = writeln!(rows, "<tr><td>{at}</td><td class=\"left wrap\">{what}</td></tr>");
    }
    let more = document.more_marks + document.marks.len().saturating_sub(MOST_ROWS) as u64;
    if more > 0 {
        let _ = writeln!(rows, "<tr><td></td><td class=\"left\">and {more} more</td></tr>");
    }
    if rows.is_empty() { rows } else { table(&["when", "what"], "", &rows) }
}

/// Who made the load, and on what.
pub(super) fn instances(document: &Document) -> String {
    let mut rows = String::new();
    for one in &document.instances {
        let quota = one.cpu_quota.map_or("none".to_owned(), |quota| format!("{quota:.2}"));
        let memory = one.memory_limit_bytes.map_or("none".to_owned(), |bytes| human_bytes(bytes as f64));
        let _ = writeln!(
            rows,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{quota}</td><td>{memory}</td><td>{}</td><td class=\"left\">{} {} ({})</td></tr>",
            escaped(&one.producer),
            one.seed,
            one.load_seconds.map_or("–".to_owned(), clock),
            escaped(&one.ended),
            one.cpus,
            time(one.cpu_seconds),
            escaped(&one.program_version),
            escaped(&one.target),
            escaped(&one.profile)
        );
    }
    let head = [
        "instance",
        "seed",
        "offered for",
        "ended by",
        "CPUs",
        "CPU quota",
        "memory limit",
        "CPU time",
        "program",
    ];
    table(&head, "", &rows)
}

/// The settings in force; of several instances, each value with those that have it where they differ.
pub(super) fn settings(document: &Document) -> String {
    let runs = &document.instances;
    let names: BTreeSet<&String> = runs.iter().flat_map(|one| one.settings.keys()).collect();
    let mut rows = String::new();
    for name in names {
        let mut values: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for run in runs {
            let value = run.settings.get(name).map_or("not set", String::as_str);
            values.entry(value).or_default().push(&run.producer);
        }
        let told: Vec<String> = values
            .iter()
            .map(|(value, who)| match values.len() {
                1 => escaped(value),
                _ => format!("{} <span class=\"soft\">({})</span>", escaped(value), escaped(&who.join(", "))),
            })
            .collect();
        let _ = writeln!(
            rows,
            "<tr><td>{}</td><td class=\"left wrap\">{}</td></tr>",
            escaped(name),
            told.join("<br>")
        );
    }
    let note = "<p class=\"soft\">Credentials are no settings, and are in no report.</p>\n";
    table(&["variable", "value"], "wrap", &rows) + note
}
