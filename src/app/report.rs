//! How a run ended: the final counts, and the exit code that they mean.

use std::time::Duration;

use crate::exit::Exit;
use crate::expose::{RunFacts, summary_text};
use crate::journal::Finished;
use crate::ledger::Snapshot;
use crate::replay::TraceError;

use super::sheet::SheetEnd;
use super::verified::Verified;

/// How a run ended.
#[derive(Debug)]
pub struct Report {
    /// The final counts.
    pub counts: Snapshot,
    /// How its journal ended, where it has one.
    pub journal: Option<Finished>,
    /// What ended its trace before its end.
    pub broken: Option<TraceError>,
    /// How its answer sheet ended, where it has one.
    pub sheet: Option<SheetEnd>,
    /// Whether data was compressed.
    pub compressed: bool,
    /// What came of reading the stream back, where that was wanted.
    pub verified: Option<Verified>,
    /// What the run was.
    pub facts: RunFacts,
    /// From the first intended time to the end of the schedule; none when nothing was due.
    pub load_time: Option<Duration>,
    /// From the end of the schedule to the last settled record.
    pub drain_time: Duration,
}

impl Report {
    /// How the process ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        // The embedded stream is ours: that it holds less than was counted as sent can only be a defect.
        let lost = self.facts.held.is_some_and(|held| held < self.counts.entries_sent);
        if self.counts.law().is_err() || self.counts.in_flight > 0 || lost {
            Exit::Defect
        } else if self.sheet.as_ref().is_some_and(|sheet| sheet.written.is_err()) {
            Exit::System
        } else if self.journal.as_ref().is_some_and(|journal| !journal.is_complete()) {
            Exit::Journal
        } else if self.broken.is_some() {
            Exit::Trace
        } else if let Some(verified) = self.verified.as_ref().filter(|one| one.exit() != Exit::Sent) {
            verified.exit()
        } else if self.counts.sent < self.counts.generated {
            Exit::NotAllSent
        } else {
            Exit::Sent
        }
    }

    /// What is to be said of payloads.
    fn payloads(&self) -> impl Iterator<Item = String> {
        let Snapshot { injected, raw_bytes, .. } = &self.counts;
        let raw = self
            .compressed
            .then(|| format!("Before compression the data of all generated records had {raw_bytes} bytes."));
        let faults: Vec<String> =
            injected.iter().filter(|(_, n)| *n > 0).map(|(fault, n)| format!("{n} {fault}")).collect();
        let faults =
            (!faults.is_empty()).then(|| format!("Faults put in on purpose: {}.", faults.join(", ")));
        let sheet = self.sheet.as_ref().map(|sheet| {
            let path = sheet.path.display();
            match &sheet.written {
                Ok(answers) => format!("The answer sheet {path} tells of {answers} records."),
                Err(error) => format!("The answer sheet {path} is not whole: {error}."),
            }
        });
        [raw, faults, sheet].into_iter().flatten()
    }

    /// The summary for people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = summary_text(&self.counts, self.load_time.unwrap_or_default(), &self.facts);
        text.extend(self.payloads().map(|sentence| format!("{sentence}\n")));
        if let Some(journal) = &self.journal {
            text.push_str(&format!("{}\n", journal_sentence(journal)));
        }
        if let Some(broken) = &self.broken {
            text.push_str(&format!("The replay ended early: {broken}\n"));
        }
        if let Some(verified) = &self.verified {
            text.push_str(&verified.text());
        }
        text
    }

    /// The numbers as one event of the log, for machines.
    pub fn log(&self) {
        if let Some(verified) = &self.verified {
            verified.log();
        }
        let counts = &self.counts;
        if self.compressed || self.sheet.is_some() || counts.injected.total() > 0 {
            let written = self.sheet.as_ref().map(|sheet| &sheet.written);
            tracing::info!(
                raw_bytes = counts.raw_bytes,
                injected = counts.injected.total(),
                injected_faults = ?counts.injected,
                answer_sheet = self.sheet.as_ref().map(|sheet| sheet.path.display().to_string()),
                answers = written.and_then(|written| written.as_ref().ok()),
                answer_sheet_error = written.and_then(|written| written.as_ref().err()).map(ToString::to_string),
                "payloads"
            );
        }
        let seconds = |quantile: Option<Duration>| quantile.map(|duration| duration.as_secs_f64());
        tracing::info!(
            stream = self.facts.stream,
            seed = self.facts.seed,
            instance = self.facts.instance,
            ended = self.facts.ended,
            due = counts.due,
            generated = counts.generated,
            dropped = counts.dropped.total(),
            sent = counts.sent,
            sent_bytes = counts.sent_bytes,
            failed = counts.failed.total(),
            unknown = counts.unknown.total(),
            in_flight = counts.in_flight,
            throttled = counts.throttled,
            entries_sent = counts.entries_sent,
            entries_throttled = counts.entries_throttled,
            sent_elsewhere = counts.sent_elsewhere,
            perhaps_twice = counts.perhaps_twice,
            requests = counts.requests.total(),
            ticks_fired = counts.ticks_fired,
            ticks_missed = counts.ticks_missed,
            delivery_delay_p50_seconds = seconds(counts.delivery_delay.quantile(0.5)),
            delivery_delay_p99_seconds = seconds(counts.delivery_delay.quantile(0.99)),
            tick_lateness_p50_seconds = seconds(counts.lateness.quantile(0.5)),
            tick_lateness_p90_seconds = seconds(counts.lateness.quantile(0.9)),
            tick_lateness_p99_seconds = seconds(counts.lateness.quantile(0.99)),
            tick_lateness_max_seconds = seconds(counts.lateness.max()),
            load_seconds = seconds(self.load_time),
            drain_seconds = self.drain_time.as_secs_f64(),
            held = self.facts.held,
            journal = self.journal.as_ref().map(|journal| journal.path.display().to_string()),
            journal_lost = counts.journal_lost,
            journal_error = self.journal.as_ref().and_then(|journal| journal.error.as_deref()),
            trace_error = self.broken.as_ref().map(ToString::to_string),
            exit_code = self.exit().code(),
            dropped_reasons = ?counts.dropped,
            failed_reasons = ?counts.failed,
            unknown_reasons = ?counts.unknown,
            outcomes = ?counts.requests,
            "run ended"
        );
    }
}

/// Whether a journal can be relied on.
fn journal_sentence(journal: &Finished) -> String {
    let path = journal.path.display();
    if journal.is_complete() {
        return format!("The fate of every record is kept in {path}.");
    }
    let error =
        journal.error.as_ref().map_or(String::new(), |error| format!(" Its end is missing: {error}."));
    let lost = match journal.lost {
        0 => String::new(),
        lost => format!(" The fate of {lost} records is not in it, because its disk could not follow."),
    };
    format!("Do not rely on the journal {path}.{error}{lost}")
}
