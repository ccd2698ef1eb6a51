//! Says in the log what goes wrong, without flooding it: each kind of trouble at most once in ten seconds.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::settle::Ruling;
use crate::kinesis::{Answer, Cause, EntryResult, Fault, Refusal};
use crate::ledger::Outcome;

/// How long a kind of trouble keeps quiet after it was told.
const QUIET: Duration = Duration::from_secs(10);

/// When each kind of trouble was last told. Throttling is not trouble: it is what is measured.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    told: Mutex<[Option<Instant>; Outcome::ALL.len()]>,
    /// The same for answers whose count of failures is not that of their entries.
    miscounted: Mutex<Option<Instant>>,
}

impl Complaints {
    /// Logs a ruling's trouble, if it is due.
    pub(super) fn hear(&self, ruling: &Ruling, fault: Option<Fault>, records: usize, answer: &Answer) {
        if matches!(ruling.outcome, Outcome::Ok | Outcome::Partial) {
            self.compare(answer);
        }
        if matches!(ruling.outcome, Outcome::Ok | Outcome::Partial | Outcome::Throttled)
            || !self.due(ruling.outcome)
        {
            return;
        }
        match fault {
            None => tracing::error!(
                records,
                entries = answer.entries.len(),
                "an answer has a wrong number of entries: its records are counted as unknown"
            ),
            Some(Fault { cause, message }) => {
                let remedy = match cause {
                    // Of this process, on the way to a connection (EMFILE).
                    Cause::Refused(Refusal::Unreachable) if message.contains("open files") => {
                        "raise the limit of open files (ulimit -n), or lower STREAMER_MAX_IN_FLIGHT"
                    }
                    Cause::Refused(Refusal::Unreachable) => "check the endpoint, the region and the network",
                    Cause::Refused(Refusal::Denied) => "the identity needs kinesis:PutRecords on the stream",
                    Cause::Refused(Refusal::NotFound) => "the stream is gone",
                    Cause::Refused(Refusal::CredentialsExpired) => "refresh the credentials",
                    Cause::Refused(_) => "nothing of the request is stored",
                    Cause::Silent(_) => "its records are unknown unless a retry lands",
                };
                tracing::warn!(records, outcome = ruling.outcome.label(), "PutRecords: {message} ({remedy})");
            }
        }
    }

    /// Tells when an answer does not count as its entries do. They are believed.
    fn compare(&self, answer: &Answer) {
        let Some(told) = answer.failed_record_count else { return };
        let refused = answer.entries.iter().filter(|entry| !matches!(entry, EntryResult::Stored(_))).count();
        if told != refused as u64 && due(&mut self.miscounted.lock().unwrap_or_else(PoisonError::into_inner))
        {
            tracing::error!(
                "an answer has FailedRecordCount {told}, and {refused} of its entries have an error: the entries count"
            );
        }
    }

    fn due(&self, outcome: Outcome) -> bool {
        due(&mut self.told.lock().unwrap_or_else(PoisonError::into_inner)[outcome as usize])
    }
}

/// Whether it is time to tell again; if so, it counts as told.
fn due(last: &mut Option<Instant>) -> bool {
    let now = Instant::now();
    let due = last.is_none_or(|last| now.duration_since(last) >= QUIET);
    if due {
        *last = Some(now);
    }
    due
}
