//! The end of a run as a text that adds up, and its verdict in one line.
//!
//! Decides what is worth a row: what is zero and means nothing good or bad is left out. A reason that has
//! records is explained beside its number. Pure: one snapshot and the length of the run in, text out.

use std::time::Duration;

use super::{human, throttles};
use crate::kinesis::ShardId;
use crate::ledger::{Dropped, Failed, Snapshot, Unknown};
use crate::model::ThrottleCause;

/// Most rows of the table of shards.
const MOST_SHARDS: usize = 16;

/// What the summary says of the run besides its counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFacts {
    /// The stream's name.
    pub stream: String,
    /// The seed that repeats the run.
    pub seed: u64,
    /// The producer's name in its events.
    pub instance: String,
    /// What ended the run, such as `its duration` or `SIGINT`.
    pub ended: String,
    /// How many records the embedded stream took by its own count, where there is one.
    pub held: Option<u64>,
}

/// Shortest run whose mean rates are told: what was due in one moment has no rate.
const SHORTEST_MEAN: Duration = Duration::from_secs(1);

/// The summary of a run that took `elapsed`, for people; several lines, each with its end. A burst is over as
/// soon as it begins: `elapsed` should count its due seconds whole.
#[must_use]
pub fn summary_text(counts: &Snapshot, elapsed: Duration, facts: &RunFacts) -> String {
    let RunFacts { stream, seed, instance, ended, held } = facts;
    let lasted = human::duration(elapsed);
    let mut text =
        format!("\nRun on {stream}: {lasted}, ended by {ended}. Seed {seed}, instance {instance}.\n");
    records(&mut text, counts, elapsed);
    requests(&mut text, counts, elapsed);
    times(&mut text, counts);
    ticks(&mut text, counts);
    shards(&mut text, counts);
    text.push_str(&format!("\n{}\n", verdict(counts)));
    if let Some(held) = held {
        text.push_str(&format!("{}\n", other_count(counts, *held)));
    }
    text
}

/// What the embedded stream counted, against what was counted here: the two know nothing of each other.
fn other_count(counts: &Snapshot, held: u64) -> String {
    // It counts Kinesis records, and knows nothing of what is in them.
    let (sent, what) = match counts.entries_sent == counts.sent {
        true => (counts.sent, "record"),
        false => (counts.entries_sent, "Kinesis record"),
    };
    let told = format!("The embedded stream took {} by its own count", human::counted(held, what));
    let doubt = counts.unknown.total() + counts.perhaps_twice + counts.in_flight > 0;
    match held.checked_sub(sent) {
        Some(0) => format!("{told}."),
        Some(more) if doubt => {
            let more = human::grouped(more);
            format!("{told}, {more} more than sent: of the unknown ones, or stored twice.")
        }
        Some(_) => format!(
            "Do not trust this run: the counts differ. {told}, but {} sent and none is in doubt. Unless another \
             producer wrote to it, this is a defect of kinesis-streamer.",
            were(sent)
        ),
        None => format!(
            "Do not trust this run: the counts differ. {told}, but {} sent. This is a defect of kinesis-streamer.",
            were(sent)
        ),
    }
}

fn were(count: u64) -> String {
    format!("{} {}", human::grouped(count), if count == 1 { "was" } else { "were" })
}

/// The mean per second over the run, as `tell` writes it; none where the run was too short for one.
fn mean(quantity: f64, elapsed: Duration, tell: fn(f64) -> String) -> Option<String> {
    (elapsed >= SHORTEST_MEAN).then(|| tell(quantity / elapsed.as_secs_f64()))
}

/// A mean rate as a cell of a table.
fn rate(count: u64, elapsed: Duration) -> String {
    mean(count as f64, elapsed, human::rate).unwrap_or_else(|| "–".to_owned())
}

/// What became of the records, in a sentence: `All 600 records were sent.`
#[must_use]
pub fn verdict(counts: &Snapshot) -> String {
    if let Err(broken) = counts.law() {
        return format!("Do not trust this run: {broken}. This is a defect of kinesis-streamer.");
    }
    if counts.due == 0 {
        return "No record was due, and none was sent.".to_owned();
    }
    if counts.sent == counts.due {
        let all = match counts.due {
            1 => "The one record was sent".to_owned(),
            due => format!("All {} records were sent", human::grouped(due)),
        };
        return match counts.perhaps_twice {
            0 => format!("{all}."),
            twice => format!("{all}, {} of them perhaps twice.", human::grouped(twice)),
        };
    }
    let losses: Vec<String> = [
        (counts.dropped.total(), "dropped"),
        (counts.failed.total(), "failed"),
        (counts.unknown.total(), "unknown"),
        (counts.in_flight, "still in flight"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{} {what}", human::grouped(count)))
    .collect();
    let missing = human::grouped(counts.due - counts.sent);
    let doubt = if counts.unknown.total() + counts.in_flight > 0 { ", or may not have been" } else { "" };
    let all = human::counted(counts.due, "record");
    format!("{missing} of {all} were not sent{doubt}: {}.", losses.join(", "))
}

/// A row of counts: the name indented by its depth, the number right-justified, then what belongs to it.
pub(super) fn row(text: &mut String, depth: usize, name: &str, number: &str, rest: &str) {
    let name = format!("{:indent$}{name}", "", indent = 2 * depth);
    let line = format!("{name:<24}{number:>15}{rest}");
    text.push_str(line.trim_end());
    text.push('\n');
}

/// The first row of a table, after an empty line.
pub(super) fn head(text: &mut String, title: &str, columns: &[&str]) {
    let mut line = format!("\n{title:<24}");
    for (at, column) in columns.iter().enumerate() {
        line.push_str(&if at == 0 { format!("{column:>15}") } else { format!("{column:>11}") });
    }
    text.push_str(line.trim_end());
    text.push('\n');
}

pub(super) fn records(text: &mut String, counts: &Snapshot, elapsed: Duration) {
    head(text, "Records", &["count", "share", "mean rate"]);
    let measured =
        |count: u64| format!("{:>11}{:>11}", human::share(count, counts.due), rate(count, elapsed));
    let mut total = |depth: usize, name: &str, count: u64, rest: &str| {
        row(text, depth, name, &human::grouped(count), rest);
    };
    let part = |count: u64| format!("{:>11}", human::share(count, counts.due));
    total(1, "due", counts.due, &measured(counts.due));
    total(2, "dropped", counts.dropped.total(), &part(counts.dropped.total()));
    for (why, count) in counts.dropped.iter().filter(|(_, count)| *count > 0) {
        total(3, why.label(), count, &format!("  {}", why_dropped(why)));
    }
    total(2, "generated", counts.generated, &measured(counts.generated));
    total(3, "sent", counts.sent, &measured(counts.sent));
    if counts.perhaps_twice > 0 {
        let why = "  an earlier attempt had no answer, and may have stored them too";
        total(4, "perhaps twice", counts.perhaps_twice, why);
    }
    total(3, "failed", counts.failed.total(), &part(counts.failed.total()));
    for (why, count) in counts.failed.iter().filter(|(_, count)| *count > 0) {
        total(4, why.label(), count, &format!("  {}", why_failed(why)));
    }
    total(3, "unknown", counts.unknown.total(), &part(counts.unknown.total()));
    for (why, count) in counts.unknown.iter().filter(|(_, count)| *count > 0) {
        total(4, why.label(), count, &format!("  {}", why_unknown(why)));
    }
    if counts.in_flight > 0 {
        total(3, "in flight", counts.in_flight, &part(counts.in_flight));
    }
    // A journal does not know the bytes.
    if counts.sent_bytes > 0 {
        let bytes = counts.sent_bytes as f64;
        let rate = mean(bytes, elapsed, human::bytes).map_or(String::new(), |rate| format!("{rate}/s, "));
        let each = human::bytes(bytes / counts.sent as f64);
        row(text, 1, "bytes sent", &human::bytes(bytes), &format!("  {rate}{each} a record with its key"));
    }
}

fn requests(text: &mut String, counts: &Snapshot, elapsed: Duration) {
    let total = counts.requests.total();
    if total == 0 {
        return;
    }
    head(text, "PutRecords requests", &["count", "share", "mean rate"]);
    let all = format!("{:>11}{:>11}", human::share(total, total), rate(total, elapsed));
    row(text, 1, "all", &human::grouped(total), &all);
    for (outcome, count) in counts.requests.iter().filter(|(_, count)| *count > 0) {
        row(text, 2, outcome.label(), &human::grouped(count), &format!("{:>11}", human::share(count, total)));
    }
    let mean = counts.sent as f64 / total as f64;
    row(text, 1, "records sent each", &human::short(mean), "  on average");
    if counts.throttled > 0 {
        let mean = counts.throttled as f64 / counts.generated.max(1) as f64;
        let rest = format!("  counted in every attempt: {mean:.2} for each record generated");
        row(text, 1, "records throttled", &human::grouped(counts.throttled), &rest);
        throttles::rows(text, counts);
    }
    if counts.entries_sent != counts.sent || counts.entries_throttled != counts.throttled {
        aggregates(text, counts, elapsed);
    }
}

/// What Kinesis itself counts, where several records are one of its own.
fn aggregates(text: &mut String, counts: &Snapshot, elapsed: Duration) {
    head(text, "Kinesis records", &["count", "", "mean rate"]);
    let all = format!("{:>11}{:>11}", "", rate(counts.entries_sent, elapsed));
    row(text, 1, "sent", &human::grouped(counts.entries_sent), &all);
    let each = counts.sent as f64 / counts.entries_sent.max(1) as f64;
    row(
        text,
        1,
        "user records in each",
        &human::short(each),
        "  on average; the counts above are of user records",
    );
    if counts.entries_throttled > 0 {
        let rest = "  counted in every attempt";
        row(text, 1, "throttled", &human::grouped(counts.entries_throttled), rest);
    }
    if counts.sent_elsewhere > 0 {
        let rest = "  user records in aggregates that another shard took than they were made for";
        row(text, 1, "elsewhere", &human::grouped(counts.sent_elsewhere), rest);
    }
}

fn times(text: &mut String, counts: &Snapshot) {
    let rows = [
        ("delivery delay", &counts.delivery_delay, "per record, from due to acknowledged"),
        ("request duration", &counts.request_duration, "per request, from call to answer"),
        ("tick lateness", &counts.lateness, "per batch, from due to its first request"),
    ];
    if rows.iter().all(|(_, durations, _)| durations.count() == 0) {
        return;
    }
    head(text, "Times", &["p50", "p90", "p99", "max"]);
    let tell = |duration: Option<Duration>| duration.map_or("–".to_owned(), human::brief);
    for (name, durations, meaning) in rows {
        let [p50, p90, p99] = [0.5, 0.9, 0.99].map(|quantile| tell(durations.quantile(quantile)));
        let max = tell(durations.max());
        row(text, 1, name, &p50, &format!("{p90:>11}{p99:>11}{max:>11}  {meaning}"));
    }
}

fn ticks(text: &mut String, counts: &Snapshot) {
    head(text, "Ticks of jobs", &["count"]);
    row(text, 1, "started", &human::grouped(counts.ticks_fired), "  a tick is one job in one due second");
    row(text, 1, "missed", &human::grouped(counts.ticks_missed), "");
    if counts.seconds_unannounced > 0 {
        let rest = "  due seconds that the scheduler told too late; taken from the expression instead";
        row(text, 1, "scheduler too late", &human::grouped(counts.seconds_unannounced), rest);
    }
    if counts.clock_steps > 0 {
        let rest = "  the wall clock was set by more than a second";
        row(text, 1, "clock steps", &human::grouped(counts.clock_steps), rest);
    }
}

fn shards(text: &mut String, counts: &Snapshot) {
    if counts.shards.is_empty() {
        return;
    }
    head(text, "Shards", &["sent", "share", "throttled", "bytes"]);
    let mut line = |name: &str, sent: u64, throttled: u64, bytes: u64| {
        let (share, throttled) = (human::share(sent, counts.sent), human::grouped(throttled));
        let rest = format!("{share:>11}{throttled:>11}{:>11}", human::bytes(bytes as f64));
        row(text, 1, name, &human::grouped(sent), &rest);
    };
    let name = |shard: &Option<ShardId>| shard.map_or("not told".to_owned(), |shard| shard.to_string());
    // Known shards first, by id; a row that only says "and 1 more" would be no shorter than the shard's own.
    let mut all: Vec<_> = counts.shards.iter().collect();
    all.sort_by_key(|(shard, _)| (shard.is_none(), **shard));
    let shown = if all.len() > MOST_SHARDS + 1 { MOST_SHARDS } else { all.len() };
    for (shard, counts) in &all[..shown] {
        line(&name(shard), counts.sent, counts.throttled, counts.sent_bytes);
    }
    let rest = &all[shown..];
    if !rest.is_empty() {
        let sum = |count: fn(&crate::ledger::ShardCounts) -> u64| {
            rest.iter().map(|(_, counts)| count(counts)).sum()
        };
        line(
            &format!("and {} more", rest.len()),
            sum(|counts| counts.sent),
            sum(|counts| counts.throttled),
            sum(|counts| counts.sent_bytes),
        );
    }
}

/// What a cause means and what can be done, by its group (`dropped`, `failed`, `unknown` or `throttled`) and label.
#[must_use]
pub fn why(group: &str, label: &str) -> Option<&'static str> {
    match group {
        "dropped" => Dropped::ALL.iter().find(|why| why.label() == label).map(|&why| why_dropped(why)),
        "failed" => Failed::ALL.iter().find(|why| why.label() == label).map(|&why| why_failed(why)),
        "unknown" => Unknown::ALL.iter().find(|why| why.label() == label).map(|&why| why_unknown(why)),
        "throttled" => {
            ThrottleCause::ALL.iter().find(|why| why.label() == label).map(|&why| throttles::why(why))
        }
        _ => None,
    }
}

fn why_dropped(why: Dropped) -> &'static str {
    match why {
        Dropped::WindowFull => "raise STREAMER_MAX_IN_FLIGHT, or the stream (or this machine) is the limit",
        Dropped::Late => "this machine is the limit: fewer jobs or larger requests, or a faster machine",
        Dropped::MissedTick => "the process or the machine stood still for a whole second",
        Dropped::Drain => "the run ended before they could be generated",
        Dropped::HeldBack => "the retry policy aimd gave way: the stream is the limit",
    }
}

fn why_failed(why: Failed) -> &'static str {
    match why {
        Failed::Throttled => "over the shards' limits in every attempt: more shards, or less load",
        Failed::InternalFailure => "Kinesis said InternalFailure",
        Failed::Rejected => "Kinesis refused them with another error code; the log says which",
        Failed::Invalid => "the endpoint says that the request breaks a rule; the log says which",
        Failed::NotFound => "the stream does not exist (any more)",
        Failed::Denied => "the identity needs kinesis:PutRecords on the stream",
        Failed::Credentials => "credentials are missing, expired or not accepted",
        Failed::Kms => "the stream's KMS key can't be used; the log says why",
        Failed::Unreachable => "no connection to the endpoint: is its address right, does it run?",
        Failed::TooLarge => "larger than a record of this stream may be",
        Failed::NoKey => "the event has no value where the partition key should come from",
        Failed::HeldBack => "never sent: their shard would not have taken them within a second",
        Failed::NoEvent => "the template could not make the event; the log says why, once",
        Failed::Drain => "the run ended while they waited to try again; refused or unreachable before",
    }
}

fn why_unknown(why: Unknown) -> &'static str {
    match why {
        Unknown::Timeout => "no answer within STREAMER_REQUEST_TIMEOUT",
        Unknown::Connection => "the connection broke before the answer",
        Unknown::ServerError => "the endpoint answered with a 5xx status",
        Unknown::BadAnswer => "the answer could not be read or had a wrong number of entries",
        Unknown::EarlierAttempt => "refused at last, but an earlier attempt had no answer",
        Unknown::Drain => "still without an answer when STREAMER_DRAIN_TIMEOUT was over",
    }
}

#[cfg(test)]
#[path = "summary_tests.rs"]
mod tests;
