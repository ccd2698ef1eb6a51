//! How a run ended: the final counts, and the exit code that they mean.

use std::time::Duration;

use crate::exit::Exit;
use crate::expose::{RunFacts, summary_text};
use crate::ledger::Snapshot;

/// How a run ended.
#[derive(Debug)]
pub struct Report {
    /// The final counts.
    pub counts: Snapshot,
    /// Whether every part of the run came to its end; else records may have been due that nobody counted.
    pub sound: bool,
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
        let lost = self.facts.held.is_some_and(|held| held < self.counts.sent);
        if !self.sound || self.counts.law().is_err() || self.counts.in_flight > 0 || lost {
            Exit::Defect
        } else if self.counts.sent < self.counts.generated {
            Exit::NotAllSent
        } else {
            Exit::Sent
        }
    }

    /// The summary for people.
    #[must_use]
    pub fn text(&self) -> String {
        summary_text(&self.counts, self.load_time.unwrap_or_default(), &self.facts)
    }

    /// The numbers as one event of the log, for machines.
    pub fn log(&self) {
        let counts = &self.counts;
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
            perhaps_twice = counts.perhaps_twice,
            requests = counts.requests.total(),
            ticks_fired = counts.ticks_fired,
            ticks_missed = counts.ticks_missed,
            delivery_delay_p50_seconds = seconds(counts.delivery_delay.quantile(0.5)),
            delivery_delay_p99_seconds = seconds(counts.delivery_delay.quantile(0.99)),
            load_seconds = seconds(self.load_time),
            drain_seconds = self.drain_time.as_secs_f64(),
            held = self.facts.held,
            exit_code = self.exit().code(),
            dropped_reasons = ?counts.dropped,
            failed_reasons = ?counts.failed,
            unknown_reasons = ?counts.unknown,
            outcomes = ?counts.requests,
            "run ended"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(sent: u64, held: Option<u64>, sound: bool) -> Exit {
        let counts = Snapshot { due: 2, generated: 2, sent, in_flight: 2 - sent, ..Snapshot::default() };
        let facts = RunFacts {
            stream: "s".to_owned(),
            seed: 0,
            instance: "p".to_owned(),
            ended: "its duration".to_owned(),
            held,
        };
        Report { counts, sound, facts, load_time: None, drain_time: Duration::ZERO }.exit()
    }

    #[test]
    fn what_can_not_be_trusted_is_a_defect() {
        assert_eq!(report(2, Some(2), true), Exit::Sent);
        assert_eq!(report(2, Some(1), true), Exit::Defect, "the stream holds less than was counted");
        assert_eq!(report(1, None, true), Exit::Defect, "a record is in flight for ever");
        assert_eq!(report(2, None, false), Exit::Defect, "a part of the run died");
    }
}
