//! The page's claims: it stands alone, holds what the report holds, and nothing in it can become markup.

use super::super::tests::{document, of_run};
use super::*;
use crate::judge::Finding;

#[test]
fn the_page_stands_alone_and_has_every_part() {
    let page = page(&document());
    for part in [
        "default-src 'none'",
        "prefers-color-scheme:dark",
        "@media print",
        "name=\"viewport\"",
        "lang=\"en\"",
        "850 due = 680 generated + 170 dropped; 680 generated = 340 sent + 340 failed + 0 unknown + 0 in flight",
        "over the shards&#39; limits in every attempt",
        "shardId-000000000003",
        "STREAMER_SEED",
        "The data as a table",
        "1970-01-01 00:16:40 UTC",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    for foreign in ["<script", "http://", "https://", "href", "src=", "url(", "@import", "javascript:"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert_eq!(
        page.matches("NaN").count() + page.matches("inf ").count() + page.matches("Infinity").count(),
        0
    );
    assert_eq!(page.matches("<svg").count(), page.matches("role=\"img\" aria-label=").count());
    for tag in ["section", "table", "figure", "svg", "details", "tr", "td", "ul", "li", "p", "div"] {
        let begins = page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(begins, page.matches(&format!("</{tag}>")).count(), "<{tag}>");
    }
}

// Whoever names a stream, a file, an instance or a mark does not get to write the page.
#[test]
fn nothing_that_a_report_holds_becomes_markup() {
    let evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u{202e}&\n";
    let mut document = document();
    document.streams = vec![evil.to_owned()];
    document.shards[0].shard = Some(evil.to_owned());
    document.marks[0].what = evil.to_owned();
    document.counts.requests.insert(evil.to_owned(), 1);
    let failed = document.counts.failed.remove("throttled").expect("some");
    document.counts.failed.insert(evil.to_owned(), failed);
    document.counts.fates.throttled_by.insert(evil.to_owned(), 1);
    document.shards[0].fates.throttled_by.insert(evil.to_owned(), 1);
    let one = &mut document.instances[0];
    for text in [
        &mut one.producer,
        &mut one.program_version,
        &mut one.target,
        &mut one.profile,
        &mut one.ended,
        &mut one.exit_meaning,
        &mut one.verdict,
    ] {
        *text = evil.to_owned();
    }
    one.settings.insert(evil.to_owned(), evil.to_owned());
    one.journal = Some(evil.to_owned());
    let (cause, text) = (evil.to_owned(), evil.to_owned());
    one.findings = vec![Finding { cause, share: 1.0, evidence: text.clone(), remedy: text }];
    one.thresholds = vec![crate::judge::Verdict {
        expression: evil.to_owned(),
        value: None,
        breach: crate::judge::Breach::NoValue,
    }];
    let read = crate::report::Document::read(&document.json()).expect("a report");
    let page = page(&read);
    assert!(!page.contains("<script") && !page.contains("<img") && !page.contains('\u{202e}'), "{page}");
    assert!(page.matches("&lt;script&gt;").count() >= 12);
    // In attributes as well: no quote of theirs is left.
    assert!(!page.contains("\"'>"));
}

#[test]
fn a_run_without_anything_has_a_page_and_one_of_many_shards_and_seconds_a_small_one() {
    let mut empty = of_run("p", 0, &[]);
    empty.marks.clear();
    empty.load_seconds = None;
    assert!(page(&empty).contains("0 due = 0 generated"));
    let seconds: Vec<(u64, u64, u64)> = (0..800).map(|n| (50, n, 1_000 + n * 37 % 9_000)).collect();
    let long = page(&of_run("p", 0, &seconds));
    assert!(long.len() < 1_500_000, "{}", long.len());
}

#[test]
fn kinesis_records_have_a_table_where_they_are_not_the_records() {
    let mut document = document();
    document.counts.entries = 680;
    assert!(!page(&document).contains("<h2 id=\"entries\">"), "one for one");
    document.counts.fates.entries_sent = 34;
    let page = page(&document);
    assert!(page.contains("<h2 id=\"entries\">") && page.contains("10.0 user records in each"), "{page}");
    assert!(
        page.contains("<td>records</td><td>340</td><td>100 %</td>"),
        "what was throttled, and why: {page}"
    );
}

#[test]
fn a_stream_that_was_resharded_shows_how_its_shards_grew() {
    let mut document = document();
    assert!(!page(&document).contains("Shards that took records"));
    document.counts.reshards = 1;
    let page = page(&document);
    assert!(
        page.contains("Shards that took records") && page.contains("changed while it ran (1 times)"),
        "{page}"
    );
}

#[test]
fn times_are_told_in_three_digits() {
    let told: Vec<String> = [0.0, 0.00085, 0.00123, 0.0123, 0.123, 1.23, 12.3, 123.0].map(time).into();
    assert_eq!(told, ["0 µs", "850 µs", "1.23 ms", "12.3 ms", "123 ms", "1.23 s", "12.3 s", "123 s"]);
    assert_eq!([clock(5.0), clock(760.0), clock(3_600.0)], ["0:05", "12:40", "1:00:00"]);
}
