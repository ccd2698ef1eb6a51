//! The top of the page: what the run was, its figures, and what is to be thought of it, in words.

use std::fmt::Write as _;

use super::super::Document;
use super::super::document::{Instance, ShardRow};
use super::{clock, time};
use crate::expose::{escaped, grouped, human_bytes, human_share};

/// A shard is called hot from this many times its even share on.
const HOT: f64 = 1.5;

/// Title, badges and figures.
pub(super) fn head(document: &Document) -> String {
    let counts = &document.counts;
    let (runs, began) = (&document.instances, document.began_unix_ms);
    let mut html = format!("<header>\n<h1>{}</h1>\n", escaped(&document.streams.join(", ")));
    let who = match &runs[..] {
        [one] => format!("instance {}, seed {}", escaped(&one.producer), one.seed),
        many => format!("{} instances", many.len()),
    };
    let lasted = document.load_seconds.map_or("–".to_owned(), clock);
    let _ = writeln!(
        html,
        "<p class=\"soft\">{} · offered for {lasted} · {who}</p>\n<div class=\"badges\">",
        escaped(&moment(began))
    );
    let mut badge = |class: &str, text: &str| {
        let _ = writeln!(html, "<span class=\"badge {class}\">{}</span>", escaped(text));
    };
    if counts.due > 0 && counts.sent == counts.due {
        badge("good", "all records sent");
    } else {
        badge("bad", "not all records sent");
    }
    if document.client.limited {
        badge("bad", "client-limited");
    }
    let verdicts = || runs.iter().flat_map(|one| &one.thresholds);
    let breached = verdicts().filter(|verdict| verdict.is_breached()).count();
    match (verdicts().count(), breached) {
        (0, _) => {}
        (_, 0) => badge("good", "thresholds kept"),
        (all, broken) => badge("bad", &format!("{broken} of {all} thresholds breached")),
    }
    for run in runs.iter().filter(|run| run.exit_code != 0) {
        let who = if runs.len() > 1 { format!("{}: ", run.producer) } else { String::new() };
        badge("warn", &format!("{who}exit code {}", run.exit_code));
    }
    let rate = |count: u64| match document.load_seconds {
        Some(seconds) if seconds >= 1.0 => format!("{}/s", grouped((count as f64 / seconds).round() as u64)),
        _ => "–".to_owned(),
    };
    let delay = |q: f64| {
        let delay = document.times.delivery_delay.quantile(q);
        delay.map_or("–".to_owned(), |delay| time(delay.as_secs_f64()))
    };
    html.push_str("</div>\n<dl class=\"cards\">\n");
    for (name, value) in [
        ("offered", rate(counts.due)),
        ("sent", rate(counts.sent)),
        ("bytes sent", rate_of_bytes(document)),
        ("delivered", human_share(counts.sent, counts.due)),
        ("throttled", human_share(counts.throttled, counts.throttled + counts.sent)),
        ("delivery delay p50", delay(0.5)),
        ("delivery delay p99", delay(0.99)),
    ] {
        let _ = writeln!(html, "<div><dt>{name}</dt><dd>{value}</dd></div>");
    }
    html.push_str("</dl>\n</header>\n");
    html
}

fn rate_of_bytes(document: &Document) -> String {
    match document.load_seconds {
        Some(seconds) if seconds >= 1.0 => {
            format!("{}/s", human_bytes(document.counts.sent_bytes as f64 / seconds))
        }
        _ => "–".to_owned(),
    }
}

/// A moment of the wall clock in UTC.
fn moment(unix_ms: u64) -> String {
    let moment =
        i64::try_from(unix_ms).ok().and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok());
    moment.map_or("–".to_owned(), |moment| moment.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// What is to be thought of the run.
pub(super) fn list(document: &Document) -> String {
    let mut items: Vec<(&str, String)> = Vec::new();
    for run in &document.instances {
        of_instance(run, document.instances.len() > 1, &mut items);
    }
    items.extend(hot(&document.shards, document.counts.sent));
    let counts = &document.counts;
    if counts.throttled > 0
        && let Some(worst) = document.spans.iter().max_by_key(|span| span.throttled)
    {
        let text = format!(
            "{} records were throttled, counted in every attempt; most at {}, {} of {} in {}.",
            grouped(counts.throttled),
            clock(worst.from),
            grouped(worst.throttled),
            grouped(worst.throttled + worst.sent),
            time(worst.to - worst.from)
        );
        items.push(("warn", text));
    }
    if counts.reshards > 0 {
        items.push(("", format!("The open shards changed while it ran ({} times).", counts.reshards)));
    }
    if counts.clock_steps > 0 {
        items.push(("warn", format!("The wall clock was set while it ran ({} times).", counts.clock_steps)));
    }
    let mut html = String::from("<ul>\n");
    for (class, text) in items {
        let _ = writeln!(html, "<li class=\"{class}\">{}</li>", escaped(&text));
    }
    html.push_str("</ul>\n");
    html
}

fn of_instance(run: &Instance, several: bool, items: &mut Vec<(&str, String)>) {
    let who = if several { format!("{}: ", run.producer) } else { String::new() };
    let class = if run.exit_code == 0 { "good" } else { "bad" };
    items.push((class, format!("{who}{}", run.verdict)));
    if run.exit_code != 0 {
        items.push(("", format!("{who}It ended with exit code {}: {}.", run.exit_code, run.exit_meaning)));
    }
    for finding in &run.findings {
        let text =
            format!("{who}Client-limited ({}): {} {}", finding.cause, finding.evidence, finding.remedy);
        items.push(("bad", text));
    }
    for verdict in &run.thresholds {
        items.push((
            if verdict.is_breached() { "bad" } else { "good" },
            format!("{who}{}", verdict.sentence()),
        ));
    }
    if let Some(others) = run.other_writers {
        let text = format!(
            "{who}Others wrote about {} records/s (± {}), {}/s, to {} at the limit, by the model.",
            grouped(others.records_per_second.round() as u64),
            grouped(others.doubt_per_second.ceil() as u64),
            human_bytes(others.bytes_per_second),
            if others.shards == 1 { "one shard".to_owned() } else { format!("{} shards", others.shards) }
        );
        items.push(("warn", text));
    }
    if let Some(held) = run.held {
        items
            .push(("", format!("{who}The embedded stream took {} records by its own count.", grouped(held))));
    }
    if let Some(journal) = &run.journal {
        items.push(("", format!("{who}{journal}")));
    }
    if run.verified.is_some() {
        items.push(("", format!("{who}The stream was read back; the report's JSON has the verdict.")));
    }
}

/// The shard that got much more than its share.
fn hot(shards: &[ShardRow], sent: u64) -> Option<(&'static str, String)> {
    let known = shards.iter().filter(|shard| shard.shard.is_some());
    let hottest = known.clone().max_by_key(|shard| shard.sent)?;
    let times = hottest.sent as f64 * known.count() as f64 / sent.max(1) as f64;
    (times >= HOT && sent > 0).then(|| {
        let text = format!(
            "The hottest shard, {}, got {} of the records, {times:.1} times an even share.",
            hottest.shard.as_deref().unwrap_or_default(),
            human_share(hottest.sent, sent)
        );
        ("warn", text)
    })
}
