//! What was read back, as a text that says what it is worth, and as a line while it goes on.
//!
//! Decides what is worth a row; whether all is well the verdict knows, and how far it may be trusted its caller.

use std::time::Duration;

use super::human;
use super::screen::Terminal;
use super::summary::{head, row};
use crate::verify::{Counts, Example, Finding, Latency, ReadCounts, Verdict};

/// Most examples that are shown of each finding.
const SHOWN: usize = 3;

/// What the text says besides the verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadingFacts {
    /// Why the verdict is not the whole truth; none when it is.
    pub doubt: Option<String>,
    /// Whether all is well.
    pub clean: bool,
}

/// What was read back, for people; several lines, each with its end.
#[must_use]
pub fn reading_text(verdict: &Verdict, counts: &ReadCounts, facts: &ReadingFacts) -> String {
    let mut text = String::new();
    head(&mut text, "Read back", &["count"]);
    let read = &verdict.read;
    let bytes = human::bytes(read.bytes as f64);
    let shards = human::counted(read.shards, "shard");
    row(&mut text, 1, "records", &human::grouped(read.records), &format!("  {bytes}, from {shards}"));
    if read.aggregated > 0 {
        let rest = "  out of aggregated records";
        row(&mut text, 2, "unpacked", &human::grouped(read.aggregated), rest);
    }
    if read.compressed > 0 {
        row(&mut text, 2, "inflated", &human::grouped(read.compressed), "");
    }
    let calls: u64 = counts.calls.iter().sum();
    row(&mut text, 1, "GetRecords calls", &human::grouped(calls), "");
    claims(&mut text, &verdict.total);
    findings(&mut text, verdict);
    times(&mut text, verdict);
    producers(&mut text, verdict);
    examples(&mut text, verdict);
    text.push_str(&format!("\n{}\n", sentence(verdict, facts)));
    text
}

fn claims(text: &mut String, total: &Counts) {
    let claimed = total.claimed_sent + total.claimed_failed + total.claimed_unknown;
    if claimed == 0 {
        return;
    }
    head(text, "Claimed", &["count", "found", "not found"]);
    let mut line = |name: &str, claimed: u64, found: u64, rest: &str| {
        let (found, not) = (human::grouped(found), human::grouped(claimed.saturating_sub(found)));
        row(text, 1, name, &human::grouped(claimed), &format!("{found:>11}{not:>11}{rest}"));
    };
    line("sent", total.claimed_sent, total.delivered, "");
    if total.claimed_failed > 0 {
        line("failed", total.claimed_failed, total.contradicted, "  none of them should be there");
    }
    if total.claimed_unknown > 0 {
        line("unknown", total.claimed_unknown, total.unknown_stored, "  so that is what became of them");
    }
}

fn findings(text: &mut String, verdict: &Verdict) {
    head(text, "Findings", &["count"]);
    let total = &verdict.total;
    for finding in Finding::ALL {
        let count = verdict.count(finding);
        let always = matches!(
            finding,
            Finding::Missing | Finding::Duplicate | Finding::Disordered | Finding::Corrupt | Finding::Foreign
        );
        if count > 0 || always {
            let why = if count > 0 { meaning(finding, verdict) } else { "" };
            row(text, 1, finding.name(), &human::grouped(count), &format!("  {why}"));
        }
    }
    let mut more = |name: &str, count: u64, why: &str| {
        if count > 0 {
            row(text, 1, name, &human::grouped(count), &format!("  {why}"));
        }
    };
    more("stored twice", total.duplicate_expected, "as the producer said that they may be: no fault");
    more("overtaken", total.overtaken, "behind a later record of their key, where no order was promised");
    more("claimed by nobody", total.unclaimed, "found, and told by no producer");
    more("claimed twice", total.claimed_again, "two runs that can't be told apart: verify them one by one");
    more("not compared", total.not_compared, "their seed is not known: give --seed, or a journal");
    more("without identity", verdict.anonymous, "counted, and their bytes digested by shard");
    more("not followed", total.not_followed, "the audit had no room left: nothing is said of them");
}

fn meaning(finding: Finding, verdict: &Verdict) -> &'static str {
    match finding {
        Finding::Missing => "claimed as sent, and not in the stream",
        Finding::Duplicate => "in the stream more than once, and nobody said that they may be",
        Finding::Disordered => "behind a record of their key that was due after they had been acknowledged",
        Finding::Corrupt => "not as they were made",
        Finding::Contradicted => "claimed as failed, and in the stream",
        Finding::Foreign if verdict.foreign_allowed => "of others, which is allowed",
        Finding::Foreign => "of others: does somebody else write to the stream? --verify-foreign=allow",
        Finding::Gap if verdict.is_fault(Finding::Gap) => "sequence numbers amid others, which nobody claims",
        Finding::Gap => "claimed by nobody, as after a kill: not counted as sent, so no fault",
    }
}

fn times(text: &mut String, verdict: &Verdict) {
    let latency = &verdict.latency;
    let rows = [
        ("due to arrived", latency.due_to_arrived, "from the intended time to the stream's own"),
        ("due to read", latency.due_to_read, "from the intended time to here"),
        ("acknowledged to read", latency.acknowledged_to_read, "from the acknowledgement to here"),
    ];
    if rows.iter().all(|(_, latency, _)| latency.records == 0) {
        return;
    }
    head(text, "Times", &["p50", "p90", "p99", "max"]);
    for (name, latency, meaning) in rows.into_iter().filter(|(_, latency, _)| latency.records > 0) {
        let Latency { p50_seconds, p90_seconds, p99_seconds, max_seconds, .. } = latency;
        let [p50, p90, p99, max] = [p50_seconds, p90_seconds, p99_seconds, max_seconds]
            .map(|seconds| human::brief(Duration::from_secs_f64(seconds)));
        row(text, 1, name, &p50, &format!("{p90:>11}{p99:>11}{max:>11}  {meaning}"));
    }
}

/// Several producers, each with what matters most.
fn producers(text: &mut String, verdict: &Verdict) {
    const MOST: usize = 16;
    if verdict.producers.len() < 2 {
        return;
    }
    head(text, "Producers", &["found", "missing", "duplicate", "corrupt"]);
    for producer in verdict.producers.iter().take(MOST) {
        let Counts { found, missing, duplicate, corrupt, .. } = producer.counts;
        let [missing, duplicate, corrupt] = [missing, duplicate, corrupt].map(human::grouped);
        let claims = if producer.claims { "" } else { "  no claims" };
        let rest = format!("{missing:>11}{duplicate:>11}{corrupt:>11}{claims}");
        row(text, 1, &producer.name, &human::grouped(found), &rest);
    }
    if let Some(more) = verdict.producers.len().checked_sub(MOST).filter(|more| *more > 0) {
        text.push_str(&format!("  and {more} more\n"));
    }
}

fn examples(text: &mut String, verdict: &Verdict) {
    if verdict.examples.is_empty() {
        return;
    }
    text.push_str("\nExamples\n");
    for finding in Finding::ALL {
        for example in verdict.examples.iter().filter(|one| one.finding == finding).take(SHOWN) {
            text.push_str(&format!("  {}\n", described(example)));
        }
    }
}

fn described(example: &Example) -> String {
    let mut line = format!("{:<13}", example.finding.name());
    if let Some(producer) = &example.producer {
        line.push_str(&format!(" {producer}"));
    }
    if let Some(job) = example.job {
        line.push_str(&format!(" job {job}"));
    }
    match (example.first_sequence, example.last_sequence) {
        (Some(first), Some(last)) if first != last => line.push_str(&format!(" sequence {first} to {last}")),
        (Some(one), _) | (None, Some(one)) => line.push_str(&format!(" sequence {one}")),
        (None, None) => {}
    }
    if let Some(shard) = &example.shard {
        line.push_str(&format!(" in {shard}"));
    }
    if let Some(number) = &example.sequence_number {
        line.push_str(&format!(" at {number}"));
    }
    if let Some(key) = &example.partition_key {
        let key: String = key.chars().take(40).flat_map(char::escape_debug).collect();
        line.push_str(&format!(", key {key}"));
    }
    if let Some(corruption) = example.corruption {
        line.push_str(&format!(": {corruption}"));
    }
    line
}

fn sentence(verdict: &Verdict, facts: &ReadingFacts) -> String {
    let faults: Vec<String> = Finding::ALL
        .into_iter()
        .filter(|&finding| verdict.is_fault(finding))
        .map(|finding| format!("{} {}", human::grouped(verdict.count(finding)), finding.name()))
        .collect();
    if let Some(doubt) = &facts.doubt {
        let told = match faults.as_slice() {
            [] => String::new(),
            faults => format!(" So far: {}; what is missing may be further on.", faults.join(", ")),
        };
        return format!("Nothing is proven: {doubt}.{told}");
    }
    if !facts.clean {
        return match faults.as_slice() {
            [] => "The stream does not hold what was claimed, or it can't be told: see above.".to_owned(),
            faults => format!("The stream does not hold what was claimed: {}.", faults.join(", ")),
        };
    }
    let total = &verdict.total;
    let compared = if total.not_compared > 0 { "" } else { ", and as it was made" };
    match (total.claimed_sent, total.found) {
        (0, 0) => "Nothing was claimed as sent, and nothing was found.".to_owned(),
        (0, found) => format!(
            "{} found, without a gap{compared}. Nobody claims anything, so nothing can be called missing.",
            human::counted(found, "record")
        ),
        (1, _) => format!("The one record that was claimed as sent is in the stream{compared}."),
        (sent, _) => format!(
            "All {} records that were claimed as sent are in the stream{}.",
            human::grouped(sent),
            if total.not_compared > 0 { "" } else { ", each as it was made" }
        ),
    }
}

/// How reading goes on, as a line; what matters least is at its end, and cut off on a narrow terminal.
#[must_use]
pub fn reading_line(counts: &ReadCounts, per_second: f64, elapsed: Duration, terminal: Terminal) -> String {
    let audit = &counts.audit;
    let throttled = counts.calls[crate::verify::CallOutcome::Throttled as usize];
    let line = format!(
        "{}  read {} {:>6}  behind {}  copies {}  corrupt {}  foreign {}  disordered {}  shards {}  throttled {}",
        human::clock(elapsed),
        human::grouped(counts.records),
        human::rate(per_second),
        human::brief(Duration::from_millis(counts.behind_millis)),
        human::grouped(audit.extra_copies),
        human::grouped(audit.corrupt),
        human::grouped(audit.foreign),
        human::grouped(audit.disordered),
        human::grouped(counts.reading),
        human::grouped(throttled),
    );
    let room = terminal.width.map_or(usize::MAX, |width| width.saturating_sub(1));
    line.chars().take(room).collect()
}
