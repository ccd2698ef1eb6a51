//! What is to be thought of a run: whether its client was the limit, whether thresholds were kept; and its report.

use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use super::machine::Machine;
use super::report::{Report, journal_sentence};
use super::reporting::{Blank, Written};
use crate::config::Config;
use crate::exit::Exit;
use crate::expose::{View, verdict};
use crate::judge::{Facts, Finding, Threshold, Verdict, client_findings};
use crate::ledger::Snapshot;
use crate::report::{Document, Instance, Parts, build};

/// What is to be thought of a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Judged {
    /// Why its client was the limit; empty when it was not.
    pub findings: Vec<Finding>,
    /// What came of each threshold.
    pub thresholds: Vec<Verdict>,
}

impl Judged {
    pub(super) fn of(counts: &Snapshot, load_time: Option<Duration>, thresholds: &[Threshold]) -> Self {
        let facts = Facts { counts, load_time };
        Self {
            findings: client_findings(counts),
            thresholds: thresholds.iter().map(|threshold| threshold.judge(&facts)).collect(),
        }
    }

    /// Whether the client was the limit.
    #[must_use]
    pub fn is_client_limited(&self) -> bool {
        !self.findings.is_empty()
    }

    /// How many thresholds were breached.
    #[must_use]
    pub fn breached(&self) -> usize {
        self.thresholds.iter().filter(|verdict| verdict.is_breached()).count()
    }

    /// Whether any was.
    #[must_use]
    pub fn is_breached(&self) -> bool {
        self.breached() > 0
    }

    /// For people, a sentence or two a line.
    pub(super) fn sentences(&self) -> impl Iterator<Item = String> + '_ {
        let findings = self.findings.iter().map(|finding| {
            format!("Client-limited ({}): {} {}", finding.cause, finding.evidence, finding.remedy)
        });
        findings.chain(self.thresholds.iter().map(Verdict::sentence))
    }

    /// Each as an event of the log.
    pub(super) fn log(&self) {
        for Finding { cause, share, evidence, remedy } in &self.findings {
            tracing::info!(cause, share, evidence, remedy, "client-limited");
        }
        for verdict in &self.thresholds {
            let (expression, value, breached) = (&verdict.expression, verdict.value, verdict.is_breached());
            tracing::info!(expression, value, breached, "threshold");
        }
    }
}

/// Writes the reports of a run that has ended; `aborted`: by a second signal.
pub(super) fn write(
    blanks: Vec<Blank>,
    report: &Report,
    config: &Config,
    view: &View,
    machine: &Machine,
    aborted: bool,
) -> Vec<Written> {
    if blanks.is_empty() {
        return Vec::new();
    }
    let document = document(report, config, view, machine, aborted);
    blanks.into_iter().map(|blank| blank.write(&document)).collect()
}

fn document(report: &Report, config: &Config, view: &View, machine: &Machine, aborted: bool) -> Document {
    let exit = match report.exit() {
        Exit::Defect => Exit::Defect,
        _ if aborted => Exit::Interrupted,
        exit => exit,
    };
    let seconds = |time: Duration| time.as_secs_f64();
    let settings: BTreeMap<String, String> =
        config.variables().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let facts = &report.facts;
    view.timeline(|timeline, began| {
        let began = began.duration_since(UNIX_EPOCH).unwrap_or_default();
        let cpu: Duration = timeline.spans().iter().map(|span| span.bin.cpu).sum();
        let instance = Instance {
            producer: facts.instance.clone(),
            seed: facts.seed,
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            target: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
            profile: if cfg!(debug_assertions) { "debug" } else { "release" }.to_owned(),
            began_unix_ms: began.as_millis() as u64,
            load_seconds: report.load_time.map(seconds),
            drain_seconds: seconds(report.drain_time),
            ended: facts.ended.clone(),
            exit_code: exit.code(),
            exit_meaning: exit.meaning().to_owned(),
            verdict: verdict(&report.counts),
            held: facts.held,
            cpus: machine.cpus,
            cpu_quota: machine.quota,
            memory_limit_bytes: machine.memory,
            cpu_seconds: seconds(cpu),
            settings,
            thresholds: report.judged.thresholds.clone(),
            findings: report.judged.findings.clone(),
            other_writers: None,
            journal: report.journal.as_ref().map(journal_sentence),
            // It was written by serde_json just now.
            verified: report.verified.as_ref().and_then(|one| serde_json::from_str(&one.json()).ok()),
        };
        let parts = Parts { stream: &facts.stream, counts: &report.counts, timeline };
        build(parts, instance)
    })
}
