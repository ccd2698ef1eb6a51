//! Whether the program's counts, the witness and the stream agree about one run, and the row that says so.
//!
//! Three accounts of the same records: the program's last event, what the proxy told for each record, and what the
//! stream was found to hold. Pure.

use std::time::Duration;

use super::scenarios::{AGAIN, Scenario};
use super::subject::Ended;
use super::witness::{Sums, Witness};

/// Most resident memory of any run here, in bytes. A window of 128 requests of some kilobytes, their retries and
/// connections, on top of what the program takes at rest; a debug build takes more than a release.
pub const MEMORY: u64 = 64 * 1024 * 1024;

/// Most attempts of a record (the default).
pub const ATTEMPTS: u64 = 10;

/// What a machine with other things to do may add to the end of a drain.
const SLACK: Duration = Duration::from_secs(20);

/// One run, judged.
#[derive(Debug)]
pub struct Row {
    pub name: &'static str,
    pub held_for: Duration,
    pub due: u64,
    pub dropped: u64,
    pub sent: u64,
    pub failed: u64,
    pub unknown: u64,
    pub perhaps_twice: u64,
    pub reasons: String,
    pub sums: Sums,
    /// PutRecords requests at the proxy: all, and the most in a second.
    pub requests: (u64, u64),
    pub recovery: Option<Duration>,
    pub recovers: Option<Duration>,
    pub peak: u64,
    /// What does not agree; empty when all does.
    pub problems: Vec<String>,
    /// Everything that the run logged.
    pub log: String,
}

impl Row {
    /// Compares the accounts.
    pub fn new(
        scenario: &Scenario,
        held_for: Duration,
        ended: &Ended,
        peak: u64,
        witness: &Witness,
        end_took: Duration,
    ) -> Self {
        let count = |name: &str| ended.count(name);
        let mut row = Self {
            name: scenario.name,
            held_for,
            due: count("due"),
            dropped: count("dropped"),
            sent: count("sent"),
            failed: count("failed"),
            unknown: count("unknown"),
            perhaps_twice: count("perhaps_twice"),
            reasons: reasons(ended),
            sums: witness.sums(),
            requests: witness.requests(),
            recovery: witness.recovery(),
            recovers: scenario.recovers,
            peak,
            problems: Vec::new(),
            log: ended.log.clone(),
        };
        let mut problems = row.disagreements(ended, witness, scenario.exact);
        let mut check = |good: bool, text: String| {
            if !good {
                problems.push(text);
            }
        };
        for &name in scenario.shows {
            let outcomes = ended.counts["outcomes"].as_str().unwrap_or_default();
            let shown = match name {
                AGAIN => row.sums.attempts > 1,
                _ => count(name) > 0 || outcomes.contains(&format!("\"{name}\"")),
            };
            check(shown, format!("the fault shows nowhere: {name} is 0"));
        }
        if let (Some(took), Some(bound)) = (row.recovery, row.recovers) {
            check(took <= bound, format!("recovered after {took:?}, later than {bound:?}"));
        }
        check(
            peak > 0 && peak <= MEMORY,
            format!("{peak} bytes resident at the peak; the bound is {MEMORY}"),
        );
        check(row.requests.1 <= scenario.most_requests, format!("{} requests in a second", row.requests.1));
        check(end_took <= scenario.drain + SLACK, format!("it ended {end_took:?} after SIGTERM"));
        row.problems = problems;
        row
    }

    fn disagreements(&self, ended: &Ended, witness: &Witness, exact: bool) -> Vec<String> {
        let (generated, in_flight) = (ended.count("generated"), ended.count("in_flight"));
        let (sent, failed, unknown) = (self.sent, self.failed, self.unknown);
        let sums = &self.sums;
        let mut problems = Vec::new();
        let mut check = |good: bool, text: String| {
            if !good {
                problems.push(text);
            }
        };
        check(!ended.counts.is_null(), format!("no last event; exit code {:?}", ended.code));
        let settled = sent == generated;
        check(ended.code == Some(i32::from(!settled)), format!("exit code {:?}", ended.code));
        check(generated > 0, "nothing was generated".to_owned());
        check(self.due == generated + self.dropped, "due = generated + dropped".to_owned());
        check(
            generated == sent + failed + unknown + in_flight && in_flight == 0,
            "generated = sent + failed + unknown".to_owned(),
        );
        // Record by record: sent is held, refused is not, and twice only what was without an answer.
        check(sums.lost == 0, format!("{} records told as stored are not held", sums.lost));
        check(
            sums.unexpected == 0,
            format!("{} records held that were only refused, or never seen", sums.unexpected),
        );
        check(witness.foreign == 0, format!("{} foreign records", witness.foreign));
        check(sums.attempts <= ATTEMPTS, format!("{} attempts for one record", sums.attempts));
        check(sums.seen <= generated, format!("{} records seen of {generated} generated", sums.seen));
        // The counts against the records.
        check(sent <= sums.sent, format!("sent {sent}, told {}", sums.sent));
        check(sums.held <= sent + unknown, format!("held {}, sent + unknown {}", sums.held, sent + unknown));
        check(
            sums.twice <= self.perhaps_twice + unknown,
            format!("held twice {}, perhaps twice {}, unknown {unknown}", sums.twice, self.perhaps_twice),
        );
        // Where the client gave up by its own clock, the proxy can't know what it still heard.
        let outcomes = ended.counts["outcomes"].as_str().unwrap_or_default();
        if exact && !outcomes.contains("timeout") {
            let twice = sums.twice_without_cause;
            check(twice == 0, format!("{twice} records held twice that never were without an answer"));
            for (name, counted, seen) in [
                ("sent", sent, sums.sent),
                ("unknown", unknown, sums.unknown),
                ("failed", failed, generated.saturating_sub(sums.sent + sums.unknown)),
                ("perhaps twice", self.perhaps_twice, sums.perhaps_twice),
            ] {
                check(counted == seen, format!("{name} {counted}, by the witness {seen}"));
            }
        }
        problems
    }

    /// Whether all agree.
    pub fn agrees(&self) -> bool {
        self.problems.is_empty()
    }
}

/// Why records were dropped, failed or are unknown, as the program says it.
fn reasons(ended: &Ended) -> String {
    let told = ["dropped_reasons", "failed_reasons", "unknown_reasons"].map(|name| {
        let text = ended.counts[name].as_str().unwrap_or_default();
        text.trim_matches(['{', '}']).replace(['"', '\\'], "")
    });
    told.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ")
}

/// The head of the matrix.
pub fn markdown_head() -> String {
    "| fault | for | due | dropped | sent | failed | unknown | perhaps twice | held, each once | held twice | unknown: held, not held | most attempts | requests, most in a second | recovery (bound) | peak memory | all agree |\n\
     |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|\n"
        .to_owned()
}

impl Row {
    /// One row of the matrix.
    pub fn markdown(&self) -> String {
        let recovery = match (self.recovery, self.recovers) {
            (Some(took), Some(bound)) => format!("{} ms ({} s)", took.as_millis(), bound.as_secs()),
            _ => "–".to_owned(),
        };
        let agrees =
            if self.agrees() { "yes".to_owned() } else { format!("**no**: {}", self.problems.join("; ")) };
        let held_for =
            if self.held_for.is_zero() { "–".to_owned() } else { format!("{} s", self.held_for.as_secs()) };
        format!(
            "| {} | {held_for} | {} | {} | {} | {} | {} | {} | {} | {} | {}, {} | {} | {}, {} | {recovery} | {:.1} MB | {agrees} |\n",
            self.name,
            self.due,
            self.dropped,
            self.sent,
            self.failed,
            self.unknown,
            self.perhaps_twice,
            self.sums.held,
            self.sums.twice,
            self.sums.unknown_held,
            self.sums.unknown - self.sums.unknown_held,
            self.sums.attempts,
            self.requests.0,
            self.requests.1,
            self.peak as f64 / 1e6,
        )
    }
}
