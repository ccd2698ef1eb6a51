//! Says in the log what goes wrong, without flooding it: each kind of trouble at most once in ten seconds.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::settle::Ruling;
use crate::kinesis::{Answer, Cause, Fault, Refusal};
use crate::ledger::Outcome;

/// How long a kind of trouble keeps quiet after it was told.
const QUIET: Duration = Duration::from_secs(10);

/// When each kind of trouble was last told. Throttling is not trouble: it is what is measured.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    told: Mutex<[Option<Instant>; Outcome::ALL.len()]>,
}

impl Complaints {
    /// Logs a ruling's trouble, if it is due.
    pub(super) fn hear(&self, ruling: &Ruling, fault: Option<Fault>, records: usize, answer: &Answer) {
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

    fn due(&self, outcome: Outcome) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let last = &mut told[outcome as usize];
        let due = last.is_none_or(|last| now.duration_since(last) >= QUIET);
        if due {
            *last = Some(now);
        }
        due
    }
}
