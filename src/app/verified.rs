//! How a verification ended: what it is worth, the exit code that it means, and how it is told.

use serde::Serialize;

use super::journals::Silent;
use crate::exit::Exit;
use crate::expose::{verdict_line, verdict_text};
use crate::verify::{CallOutcome, Finding, Outcome, ReadEnd, Verdict};

/// How a verification ended.
#[derive(Debug)]
pub struct Verified {
    /// What came of reading.
    pub outcome: Outcome,
    /// What the journals don't tell although they should.
    pub silent: Silent,
}

/// The whole of it for machines. Field names don't change between releases without a word in the CHANGELOG.
#[derive(Debug, Serialize)]
struct Told<'a> {
    /// Whether the stream was read to its end and all claims were known.
    complete: bool,
    /// Why it is not complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    incomplete_because: Option<String>,
    exit_code: u8,
    get_records_calls: std::collections::BTreeMap<&'static str, u64>,
    #[serde(flatten)]
    verdict: &'a Verdict,
}

impl Verified {
    /// Why the verdict is not the whole truth; none when it is.
    #[must_use]
    pub fn doubt(&self) -> Option<String> {
        let lost = self.outcome.claims_lost + self.silent.lost_records;
        Some(match &self.outcome.end {
            ReadEnd::Defect => "the audit broke down: this is a defect of kinesis-streamer".to_owned(),
            ReadEnd::Failed(fault) => format!("the stream could not be read to its end: {fault}"),
            ReadEnd::TimedOut => "the time for reading was over before its end".to_owned(),
            ReadEnd::Stopped => "reading was stopped before its end".to_owned(),
            ReadEnd::Complete if self.silent.damaged_bytes > 0 => {
                format!("{} bytes of the journals are damaged", self.silent.damaged_bytes)
            }
            ReadEnd::Complete if lost > 0 => format!("the fate of {lost} records was not told"),
            ReadEnd::Complete => return None,
        })
    }

    /// How the process ends, as far as this decides it.
    #[must_use]
    pub fn exit(&self) -> Exit {
        let verdict = &self.outcome.verdict;
        // What is not there may be there further on; what is there and wrong is wrong in any case.
        let later = [Finding::Missing, Finding::Gap];
        let certain =
            Finding::ALL.into_iter().any(|finding| !later.contains(&finding) && verdict.is_fault(finding));
        match (&self.outcome.end, self.doubt()) {
            (ReadEnd::Defect, _) => Exit::Defect,
            (_, None) if verdict.is_clean() => Exit::Sent,
            (_, Some(_)) if !certain => Exit::NotVerified,
            _ => Exit::NotAsClaimed,
        }
    }

    /// The verdict for people.
    #[must_use]
    pub fn text(&self) -> String {
        let verdict = &self.outcome.verdict;
        let text = verdict_text(verdict);
        let Some(doubt) = self.doubt() else { return text };
        // In place of its last line, which would claim more than is known.
        let line = verdict_line(verdict) + "\n";
        let above = text.strip_suffix(&line).unwrap_or(&text);
        let more = if verdict.is_fault(Finding::Missing) {
            " What is called missing may only not have been read."
        } else {
            ""
        };
        format!("{above}Nothing is proven: {doubt}.{more}\n")
    }

    /// The verdict as a JSON object, in one line.
    #[must_use]
    pub fn json(&self) -> String {
        let doubt = self.doubt();
        let calls = CallOutcome::ALL.map(CallOutcome::label).into_iter().zip(self.outcome.counts.calls);
        let told = Told {
            complete: doubt.is_none(),
            incomplete_because: doubt,
            exit_code: self.exit().code(),
            get_records_calls: calls.collect(),
            verdict: &self.outcome.verdict,
        };
        serde_json::to_string(&told).expect("strings, numbers and maps with strings for keys")
    }

    /// The verdict as one event of the log.
    pub fn log(&self) {
        let verdict = &self.outcome.verdict;
        let total = &verdict.total;
        tracing::info!(
            clean = verdict.is_clean(),
            complete = self.doubt().is_none(),
            incomplete_because = self.doubt(),
            records_read = verdict.read.records,
            user_records_read = verdict.read.user_records,
            bytes_read = verdict.read.bytes,
            claimed_sent = total.claimed_sent,
            delivered = total.delivered,
            missing = total.missing,
            duplicate = total.duplicate,
            duplicate_expected = total.duplicate_expected,
            disordered = total.disordered,
            corrupt = verdict.count(Finding::Corrupt),
            contradicted = total.contradicted,
            misplaced = verdict.misplaced,
            foreign = verdict.foreign,
            unknown_stored = total.unknown_stored,
            unknown_not_stored = total.unknown_not_stored,
            gap = total.gap,
            due_to_read_p50_seconds = verdict.latency.due_to_read.p50_seconds,
            due_to_read_p99_seconds = verdict.latency.due_to_read.p99_seconds,
            exit_code = self.exit().code(),
            "stream verified"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinesis::{Cause, Fault, Refusal};
    use crate::ledger::{Claim, Fate};
    use crate::verify::{Audit, Expect, ReadCounts};

    /// A verification in which `claimed` records were claimed and none found.
    fn verified(end: ReadEnd, claimed: u64, claims_lost: u64) -> Verified {
        let mut audit = Audit::new(Expect::default()).expect("no key strategy");
        let fate = Fate::Sent { perhaps_twice: false };
        audit.claim(&"p".into(), &Claim { job: 0, sequences: 0..claimed, fate, at_millis: 0 });
        let outcome = Outcome { end, verdict: audit.finish(), counts: ReadCounts::default(), claims_lost };
        Verified { outcome, silent: Silent::default() }
    }

    #[test]
    fn only_what_was_read_to_its_end_and_is_clean_ends_with_0() {
        let fault = Fault::new(Cause::Refused(Refusal::Other), "x");
        for (end, claimed, lost, exit) in [
            (ReadEnd::Complete, 0, 0, Exit::Sent),
            (ReadEnd::Complete, 1, 0, Exit::NotAsClaimed),
            (ReadEnd::Complete, 0, 1, Exit::NotVerified),
            (ReadEnd::Stopped, 0, 0, Exit::NotVerified),
            // What is missing now may be further on.
            (ReadEnd::TimedOut, 1, 0, Exit::NotVerified),
            (ReadEnd::Failed(fault.into()), 0, 0, Exit::NotVerified),
            (ReadEnd::Defect, 0, 0, Exit::Defect),
        ] {
            assert_eq!(verified(end.clone(), claimed, lost).exit(), exit, "{end:?}");
        }
    }

    #[test]
    fn what_is_not_proven_is_not_said() {
        let text = verified(ReadEnd::TimedOut, 1, 0).text();
        assert!(text.ends_with(
            "Nothing is proven: the time for reading was over before its end. What is called missing may only not have been read.\n"
        ), "{text}");
        let json: serde_json::Value =
            serde_json::from_str(&verified(ReadEnd::Complete, 1, 0).json()).expect("JSON");
        assert_eq!(
            (&json["complete"], &json["exit_code"], &json["total"]["missing"]),
            (&true.into(), &2.into(), &1.into())
        );
    }
}
