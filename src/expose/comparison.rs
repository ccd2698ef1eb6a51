//! The result of a comparison of retry policies: a table for people, JSON for machines.
//!
//! Decides form and order of the numbers; `docs/metrics.md` defines them.

use std::fmt::Write as _;
use std::time::Duration;

use super::human;
use crate::ledger::Snapshot;

/// The load that every policy was given.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparedLoad {
    /// The stream's name.
    pub stream: String,
    /// Its shards at the start.
    pub shards: u64,
    /// The seed of all runs.
    pub seed: u64,
    /// Records a second before and after the overload.
    pub base: u64,
    /// Records a second of the overload.
    pub overload: u64,
    /// How long each of the three phases goes on, in whole seconds.
    pub phases: [Duration; 3],
    /// Mean bytes of a record's data that the load was reckoned with.
    pub event_bytes: u64,
}

/// What came of it by one policy.
#[derive(Debug, Clone)]
pub struct Compared {
    /// The policy's name.
    pub policy: String,
    /// The final counts.
    pub counts: Snapshot,
    /// From the end of the overload until all went on as before; none when it did not within the run.
    pub recovered: Option<Duration>,
    /// From the end of the schedule to the last settled record.
    pub drain: Duration,
    /// Whether a signal ended its run before the load's end: then its numbers are no match for others'.
    pub cut_short: bool,
}

impl Compared {
    /// The share of the due records that were sent; none when nothing was due.
    #[must_use]
    pub fn delivered(&self) -> Option<f64> {
        (self.counts.due > 0).then(|| self.counts.sent as f64 / self.counts.due as f64)
    }

    /// Entries of all requests for each entry stored; none when nothing was.
    #[must_use]
    pub fn amplification(&self) -> Option<f64> {
        (self.counts.entries_sent > 0).then(|| self.counts.entries as f64 / self.counts.entries_sent as f64)
    }
}

/// The table, with the load above it.
#[must_use]
pub fn comparison_text(load: &ComparedLoad, all: &[Compared]) -> String {
    let [calm, overload, recover] = load.phases.map(human::brief);
    let shards = human::counted(load.shards, "shard");
    let mut text = format!(
        "Stream {}, {shards}, seed {}. Each policy: {} records/s for {calm}, {} records/s for {overload}, {} records/s for \
         {recover}; about {} bytes of data each.\n\n",
        load.stream,
        load.seed,
        human::grouped(load.base),
        human::grouped(load.overload),
        human::grouped(load.base),
        human::grouped(load.event_bytes),
    );
    let mut line = |cells: [&str; 10]| {
        let [policy, rest @ ..] = cells;
        let _ = write!(text, "{policy:<12}");
        for cell in rest {
            let _ = write!(text, "{cell:>11}");
        }
        text.push('\n');
    };
    line([
        "policy",
        "delivered",
        "attempts",
        "p50 delay",
        "p99 delay",
        "recovered",
        "throttled",
        "dropped",
        "failed",
        "unknown",
    ]);
    for one in all {
        let counts = &one.counts;
        let untold = || "–".to_owned();
        let delay = |quantile| counts.delivery_delay.quantile(quantile).map_or_else(untold, human::brief);
        let share = human::share(counts.sent, counts.due);
        let attempts = one.amplification().map_or_else(untold, |mean| format!("{mean:.2}"));
        let recovered = one.recovered.map_or_else(|| "no".to_owned(), human::brief);
        let [throttled, dropped, failed, unknown] =
            [counts.throttled, counts.dropped.total(), counts.failed.total(), counts.unknown.total()]
                .map(human::grouped);
        line([
            &one.policy,
            &share,
            &attempts,
            &delay(0.5),
            &delay(0.99),
            &recovered,
            &throttled,
            &dropped,
            &failed,
            &unknown,
        ]);
    }
    for one in all.iter().filter(|one| one.cut_short) {
        let _ = writeln!(
            text,
            "\nThe run of {} was cut short: its row is of a part of the load, and not to be compared.",
            one.policy
        );
    }
    text
}

/// The same as JSON, and more of it; durations in seconds.
#[must_use]
pub fn comparison_json(load: &ComparedLoad, all: &[Compared]) -> String {
    let seconds = |duration: Option<Duration>| duration.map(|duration| duration.as_secs_f64());
    let policies: Vec<_> = all
        .iter()
        .map(|one| {
            let counts = &one.counts;
            serde_json::json!({
                "policy": one.policy,
                "cut_short": one.cut_short,
                "delivered_share": one.delivered(),
                "attempts_per_record_sent": one.amplification(),
                "delivery_delay_p50_seconds": seconds(counts.delivery_delay.quantile(0.5)),
                "delivery_delay_p99_seconds": seconds(counts.delivery_delay.quantile(0.99)),
                "recovered_after_seconds": seconds(one.recovered),
                "drain_seconds": one.drain.as_secs_f64(),
                "due": counts.due,
                "generated": counts.generated,
                "dropped": counts.dropped.total(),
                "sent": counts.sent,
                "failed": counts.failed.total(),
                "unknown": counts.unknown.total(),
                "throttled": counts.throttled,
                "entries": counts.entries,
                "requests": counts.requests.total(),
            })
        })
        .collect();
    let [calm, overload, recover] = load.phases.map(|phase| phase.as_secs());
    let told = serde_json::json!({
        "stream": load.stream,
        "shards": load.shards,
        "seed": load.seed,
        "load": {
            "base_records_per_second": load.base,
            "overload_records_per_second": load.overload,
            "calm_seconds": calm,
            "overload_seconds": overload,
            "recovery_seconds": recover,
            "event_bytes": load.event_bytes,
        },
        "policies": policies,
    });
    format!("{told:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Dropped;

    fn load() -> ComparedLoad {
        ComparedLoad {
            stream: "local".to_owned(),
            shards: 1,
            seed: 7,
            base: 500,
            overload: 2_000,
            phases: [3, 5, 12].map(Duration::from_secs),
            event_bytes: 150,
        }
    }

    fn compared() -> Compared {
        let mut counts = Snapshot {
            due: 1_000,
            generated: 900,
            sent: 800,
            entries_sent: 800,
            entries: 1_200,
            ..Snapshot::default()
        };
        counts.dropped.add(Dropped::WindowFull, 100);
        counts.throttled = 400;
        Compared {
            policy: "full-jitter".to_owned(),
            counts,
            recovered: None,
            drain: Duration::ZERO,
            cut_short: false,
        }
    }

    #[test]
    fn each_policy_has_a_row_and_what_is_not_known_is_no_number() {
        let text = comparison_text(&load(), &[compared()]);
        let rows: Vec<&str> = text.lines().collect();
        assert!(
            rows[0].starts_with("Stream local, 1 shard, seed 7. Each policy: 500 records/s for"),
            "{text}"
        );
        let cells: Vec<&str> = rows[3].split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
        assert_eq!(cells, ["full-jitter", "80.00 %", "1.50", "–", "–", "no", "400", "100", "0", "0"]);
        assert!(!text.contains("cut short"), "{text}");
        let half = comparison_text(&load(), &[Compared { cut_short: true, ..compared() }]);
        assert!(half.contains("The run of full-jitter was cut short"), "{half}");
    }

    #[test]
    fn the_json_has_the_same_numbers() {
        let told: serde_json::Value =
            serde_json::from_str(&comparison_json(&load(), &[compared()])).expect("JSON");
        let policy = &told["policies"][0];
        assert_eq!(
            (&policy["delivered_share"], &policy["attempts_per_record_sent"]),
            (&0.8.into(), &1.5.into())
        );
        assert_eq!(policy["recovered_after_seconds"], serde_json::Value::Null);
        assert_eq!(told["load"]["overload_records_per_second"], 2_000);
    }
}
