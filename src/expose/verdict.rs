//! The end of a read-back as a text that adds up, and its verdict in one line.
//!
//! Decides what is worth a row: what is zero and means nothing good or bad is left out. What others wrote into the
//! stream (names, keys) is told in quotes and escaped. Pure: one verdict in, text out.

use std::time::Duration;

use super::human;
use super::summary::{head, row};
use crate::verify::{Corruption, Example, Finding, Latency, Verdict};

/// Most producers that get a row of their own.
const MOST_PRODUCERS: usize = 16;

/// Longest text from outside that is told, in characters.
const LONGEST_TEXT: usize = 64;

/// The verdict for people; several lines, each with its end.
#[must_use]
pub fn verdict_text(verdict: &Verdict) -> String {
    let mut text = String::new();
    read(&mut text, verdict);
    records(&mut text, verdict);
    findings(&mut text, verdict);
    times(&mut text, verdict);
    producers(&mut text, verdict);
    examples(&mut text, &verdict.examples);
    text.push_str(&format!("\n{}\n", verdict_line(verdict)));
    text
}

/// Whether all is well, in a sentence or two.
#[must_use]
pub fn verdict_line(verdict: &Verdict) -> String {
    let total = &verdict.total;
    if verdict.is_clean() {
        let untold = "Without claims of a producer, nobody knows what is missing at the end of a job.";
        return match (total.delivered, verdict.anonymous) {
            (0, 0) if total.found == 0 => {
                "Nothing was found in the stream, and nothing was claimed.".to_owned()
            }
            (0, _) => format!("Nothing wrong was found. {untold}"),
            (_, _) if verdict.more() > 0 => format!(
                "As many records as were claimed as sent are in the stream, and {} more; what their shards hold \
                 can't be compared.",
                human::grouped(verdict.more())
            ),
            (sent, _) => {
                let (all, are) = if sent == 1 { ("The one record", "is") } else { ("All records", "are") };
                format!(
                    "{all} that {} claimed as sent {are} in the stream.",
                    if sent == 1 { "was" } else { "were" }
                )
            }
        };
    }
    let mut wrong: Vec<String> = Finding::ALL
        .into_iter()
        .filter(|&finding| verdict.is_fault(finding))
        .map(|finding| format!("{} {}", human::grouped(verdict.count(finding)), plural(finding, verdict)))
        .collect();
    let digests = verdict.wrong_digests().count() as u64;
    for (count, what) in [
        (total.claimed_again, "claimed by two runs that can't be told apart"),
        (total.not_followed, "not followed for want of room"),
        (verdict.unexplained, "more than any producer sent"),
        (digests, if digests == 1 { "shard with another digest" } else { "shards with another digest" }),
    ] {
        if count > 0 {
            wrong.push(format!("{} {what}", human::grouped(count)));
        }
    }
    format!("The stream does not hold what was said of it: {}.", wrong.join(", "))
}

fn plural(finding: Finding, verdict: &Verdict) -> String {
    let several = verdict.count(finding) != 1 && matches!(finding, Finding::Duplicate | Finding::Gap);
    format!("{}{}", finding.name(), if several { "s" } else { "" })
}

fn read(text: &mut String, verdict: &Verdict) {
    let read = &verdict.read;
    head(text, "Read back", &["count"]);
    let bytes = human::bytes(read.bytes as f64);
    row(
        text,
        1,
        "records",
        &human::grouped(read.records),
        &format!("  {bytes} from {}", human::counted(read.shards, "shard")),
    );
    if read.aggregated > 0 {
        row(
            text,
            2,
            "user records",
            &human::grouped(read.user_records),
            "  in them, aggregated ones taken apart",
        );
    }
    if read.compressed > 0 {
        row(text, 2, "compressed", &human::grouped(read.compressed), "");
    }
    if read.earlier > 0 {
        let rest = "  of the same producers, due before these runs began: left out";
        row(text, 2, "of earlier runs", &human::grouped(read.earlier), rest);
    }
}

fn records(text: &mut String, verdict: &Verdict) {
    let total = &verdict.total;
    head(text, "Records of producers", &["count", "share"]);
    let mut count = |depth: usize, name: &str, count: u64, whole: u64, always: bool, why: &str| {
        if count > 0 || always {
            let share = if whole > 0 { format!("{:>11}", human::share(count, whole)) } else { String::new() };
            let why = if count > 0 && !why.is_empty() { format!("  {why}") } else { String::new() };
            row(text, depth, name, &human::grouped(count), &format!("{share}{why}"));
        }
    };
    let sent = total.claimed_sent;
    if sent > 0 {
        count(1, "claimed as sent", sent, 0, true, "");
        count(2, "found", total.delivered, sent, true, "");
        count(2, "missing", total.missing, sent, true, "acknowledged, and not in the stream");
    }
    let failed = total.claimed_failed;
    if failed > 0 {
        count(1, "claimed as failed", failed, 0, true, "");
        count(2, "contradicted", total.contradicted, failed, true, "in the stream nevertheless");
    }
    let unknown = total.claimed_unknown;
    if unknown > 0 {
        count(1, "claimed as unknown", unknown, 0, true, "");
        count(2, "stored", total.unknown_stored, unknown, true, "");
        count(2, "not stored", total.unknown_not_stored, unknown, true, "");
    }
    let claims = verdict.producers.iter().any(|one| one.claims);
    let why =
        if claims { "no word of them: written down too late, or not at all" } else { "no claims were given" };
    count(1, "found, not claimed", total.unclaimed, 0, false, why);
    let why = "a stretch of a job that is neither in the stream nor claimed";
    count(1, "gaps", total.gap, 0, false, why);
    count(1, "claimed again", total.claimed_again, 0, false, "by two runs that can't be told apart");
    count(
        1,
        "not followed",
        total.not_followed,
        0,
        false,
        "no room was left: fewer producers or jobs at a time",
    );
    let told = verdict.digests.iter().any(|one| one.claimed.is_some());
    let why = if told { "compared by a digest for each shard" } else { "counted and digested, not compared" };
    count(1, "without identity", verdict.anonymous, 0, false, why);
    let why = "than was claimed as sent: what the shards that hold them hold can't be compared";
    count(2, "more", verdict.more(), 0, false, why);
}

fn findings(text: &mut String, verdict: &Verdict) {
    let total = &verdict.total;
    head(text, "Findings", &["count"]);
    let mut tell = |name: &str, count: u64, always: bool, why: &str| {
        if count > 0 || always {
            let why = if count > 0 { format!("  {why}") } else { String::new() };
            row(text, 1, name, &human::grouped(count), &why);
        }
    };
    tell("duplicate", total.duplicate, true, "in the stream more than once, unexpectedly");
    let why = "in the stream more than once, as was said that they might be";
    tell("duplicate, expected", total.duplicate_expected, false, why);
    let why = "behind one of their key that was due after they had been acknowledged";
    tell("disordered", total.disordered, true, why);
    let why = "behind a later one of their key, where Kinesis promises no order";
    tell("overtaken", total.overtaken, false, why);
    tell("corrupt", verdict.count(Finding::Corrupt), true, "not byte for byte what was made");
    let why = "in aggregates that hold a record of another shard: KCL drops these";
    tell("misplaced", verdict.misplaced, verdict.read.aggregated > 0, why);
    let allowed = if verdict.foreign_allowed { ", as is allowed" } else { "" };
    tell("foreign", verdict.foreign, true, &format!("somebody else's{allowed}"));
    tell("not compared", total.not_compared, false, "their seed is not known");
    let mut wrong = verdict.wrong_digests().peekable();
    if wrong.peek().is_some() {
        let shards: Vec<String> = wrong
            .map(|one| {
                let claimed = one.claimed.map_or(0, |claimed| claimed.records);
                let (read, claimed) = (human::grouped(one.read.records), human::grouped(claimed));
                format!("{} ({read} read, {claimed} sent)", one.shard)
            })
            .collect();
        tell("other digests", shards.len() as u64, true, &shards.join(", "));
    }
}

fn times(text: &mut String, verdict: &Verdict) {
    let latency = &verdict.latency;
    let rows = [
        ("due to arrived", &latency.due_to_arrived, "by the stream's own clock"),
        ("due to read", &latency.due_to_read, "from the time in the event to this reader"),
        ("acknowledged to read", &latency.acknowledged_to_read, "where the acknowledgement is known"),
    ];
    if rows.iter().all(|(_, latency, _)| latency.records == 0) {
        return;
    }
    head(text, "Times", &["p50", "p90", "p99", "max"]);
    for (name, latency, meaning) in rows {
        let Latency { records, p50_seconds, p90_seconds, p99_seconds, max_seconds } = *latency;
        let [p50, p90, p99, max] = [p50_seconds, p90_seconds, p99_seconds, max_seconds].map(|seconds| {
            if records == 0 { "–".to_owned() } else { human::brief(Duration::from_secs_f64(seconds)) }
        });
        row(text, 1, name, &p50, &format!("{p90:>11}{p99:>11}{max:>11}  {meaning}"));
    }
}

fn producers(text: &mut String, verdict: &Verdict) {
    let all = &verdict.producers;
    if all.len() < 2 {
        return;
    }
    head(text, "Producers", &["found", "missing", "duplicate", "corrupt"]);
    for one in all.iter().take(MOST_PRODUCERS) {
        let counts = &one.counts;
        let [missing, duplicate, corrupt] =
            [counts.missing, counts.duplicate, counts.corrupt].map(human::grouped);
        let missing = if one.claims { missing } else { "–".to_owned() };
        let rest = format!("{missing:>11}{duplicate:>11}{corrupt:>11}");
        row(text, 1, &quoted(&one.name), &human::grouped(counts.found), &rest);
    }
    if let Some(more) = all.len().checked_sub(MOST_PRODUCERS).filter(|&more| more > 0) {
        text.push_str(&format!("  and {more} more\n"));
    }
}

fn examples(text: &mut String, examples: &[Example]) {
    if examples.is_empty() {
        return;
    }
    head(text, "Examples", &[]);
    for example in examples {
        let mut line = format!("  {}", example.finding.name());
        if let Some(producer) = &example.producer {
            line.push_str(&format!(" {}", quoted(producer)));
        }
        if let (Some(job), Some(first), Some(last)) =
            (example.job, example.first_sequence, example.last_sequence)
        {
            let range = if first == last { format!("{first}") } else { format!("{first} to {last}") };
            line.push_str(&format!(" job {job} sequence {range}"));
        }
        if let Some(corruption) = example.corruption {
            line.push_str(&format!(": {}", why_corrupt(corruption)));
        }
        if let (Some(shard), Some(number)) = (&example.shard, &example.sequence_number) {
            line.push_str(&format!(", {shard} at {number}"));
        }
        if let Some(key) = &example.partition_key {
            line.push_str(&format!(", key {}", quoted(key)));
        }
        text.push_str(&line);
        text.push('\n');
    }
}

fn why_corrupt(corruption: Corruption) -> &'static str {
    match corruption {
        Corruption::Content => "other bytes than were made",
        Corruption::PartitionKey => "under another partition key",
        Corruption::Identity => "damaged where it says who it is",
        Corruption::Packing => "can't be unpacked",
    }
}

/// A text from outside: its control characters escaped, and cut where it is long.
fn quoted(text: &str) -> String {
    let mut told: String = text.chars().take(LONGEST_TEXT).collect();
    if told.len() < text.len() {
        told.push('…');
    }
    format!("{told:?}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::{EventKind, Generator, Shaping, Timestamp};
    use crate::kinesis::ShardId;
    use crate::ledger::{Claim, Fate};
    use crate::verify::{Audit, Expect, Made, Others, Producer, Seen};

    fn made() -> Made {
        Made { seed: 1, event: EventKind::Click.into(), shaping: Shaping::default(), jobs: 1, key: None }
    }

    fn event(sequence: u64) -> Vec<u8> {
        let mut event = Vec::new();
        let time = Timestamp::from_unix_millis(1_000_000);
        Generator::new(EventKind::Click, 1, "p").write(0, sequence, &time, &mut event);
        event
    }

    fn see(audit: &mut Audit, number: u64, partition_key: &str, data: &[u8]) {
        audit.see(&Seen {
            shard: ShardId(3),
            sequence_number: number.into(),
            partition_key,
            data,
            arrived_millis: Some(1_000_020),
            read_millis: 1_000_120,
        });
    }

    /// Claims of ten records, and what `write` stored of them.
    fn verdict(write: impl FnOnce(&mut Audit)) -> Verdict {
        let producers = vec![Producer::new("p", Some(made()))];
        let mut audit =
            Audit::new(Expect { producers, others: Others::Foreign, ..Expect::default() }).expect("no key");
        let fate = Fate::Sent { perhaps_twice: false };
        audit.claim(&"p".into(), &Claim { job: 0, sequences: 0..10, fate, at_millis: 1_000_040 });
        write(&mut audit);
        audit.finish()
    }

    #[test]
    fn a_run_that_went_well_is_told_in_full() {
        let verdict = verdict(|audit| (0..10).for_each(|at| see(audit, at + 1, "k", &event(at))));
        let text = verdict_text(&verdict);
        let bytes = human::bytes(verdict.read.bytes as f64);
        let expected = format!(
            "
Read back                         count
  records                            10  {bytes} from 1 shard

Records of producers              count      share
  claimed as sent                    10
    found                            10      100 %
    missing                           0        0 %

Findings                          count
  duplicate                           0
  disordered                          0
  corrupt                             0
  foreign                             0

Times                               p50        p90        p99        max
  due to arrived                  20 ms      20 ms      20 ms      20 ms  by the stream's own clock
  due to read                    120 ms     120 ms     120 ms     120 ms  from the time in the event to this reader
  acknowledged to read            80 ms      80 ms      80 ms      80 ms  where the acknowledgement is known

All records that were claimed as sent are in the stream.
"
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn every_fault_is_in_the_last_line_and_has_an_example() {
        let verdict = verdict(|audit| {
            let mut flipped = event(2);
            flipped[60] ^= 1;
            for (number, data) in (1..).zip([event(0), event(0), flipped, b"somebody's".to_vec()]) {
                see(audit, number, "a\u{1b}[2J", &data);
            }
        });
        let text = verdict_text(&verdict);
        let last = text.lines().last().expect("a line");
        assert_eq!(
            last,
            "The stream does not hold what was said of it: 8 missing, 1 duplicate, 1 corrupt, 1 foreign."
        );
        for line in [
            "  missing \"p\" job 0 sequence 1\n",
            "  missing \"p\" job 0 sequence 3 to 9\n",
            "  duplicate \"p\" job 0 sequence 0, shardId-000000000003 at 2, key \"a\\u{1b}[2J\"\n",
            "  corrupt \"p\" job 0 sequence 2: other bytes than were made, shardId-000000000003 at 3, key ",
            "  foreign, shardId-000000000003 at 4, key ",
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
        assert!(!text.contains('\u{1b}'), "what others wrote does not reach the terminal as it is");
    }

    #[test]
    fn without_claims_the_text_does_not_promise_too_much() {
        let mut audit = Audit::new(Expect::default()).expect("nothing to go wrong");
        (0..3).for_each(|at| see(&mut audit, at + 1, "k", &event(at)));
        let verdict = audit.finish();
        assert_eq!(
            verdict_line(&verdict),
            "Nothing wrong was found. Without claims of a producer, nobody knows what is missing at the end of a job."
        );
        assert!(!verdict_text(&verdict).contains("missing  "), "nothing can be missing");
        let nothing = Audit::new(Expect::default()).expect("nothing to go wrong").finish();
        assert_eq!(verdict_line(&nothing), "Nothing was found in the stream, and nothing was claimed.");
    }
}
