//! What `check` found, for people and for machines. Plain values in, text out.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use super::human;
use crate::lab::{Bill, Forecast, Price, ShardForecast, Tariff};

/// Shards that are listed one by one.
const LISTED: usize = 16;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// As it should be.
    Good,
    /// To be known.
    Note,
    /// A run may begin, and will not go well.
    Warning,
    /// A run can't begin, or would send nothing.
    Error,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// What it is about: a word of a closed set.
    pub what: &'static str,
    /// What was found.
    pub text: String,
    /// What to do.
    pub remedy: Option<String>,
}

/// What a load will meet.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadPlan {
    /// Each shard, by id, in the order of the ranges.
    pub shards: Vec<(String, ShardForecast)>,
    /// Whether shards follow from keys.
    pub is_by_key: bool,
    /// The whole stream.
    pub forecast: Forecast,
    /// Bytes of a record, data and key, in the mean.
    pub record_bytes: f64,
    /// What several records become, where they are aggregated; then rates of shards are of Kinesis records.
    pub aggregated: Option<Packed>,
    /// Records a second, in the mean.
    pub mean_records: f64,
    /// Records of the highest second.
    pub peak_records: u64,
    /// Events that were looked at.
    pub events: u64,
    /// Of these, how many have no value for the key.
    pub without_key: u64,
    /// Of these, how many are larger than the stream takes.
    pub too_large: u64,
    /// Requests a second, in the mean.
    pub mean_requests: f64,
    /// Requests of the highest second.
    pub peak_requests: f64,
    /// Bytes of request bodies for each record.
    pub body_bytes_per_record: f64,
    /// PUT payload units of a record, in the mean.
    pub units_per_record: f64,
    /// Bytes of a record rounded up to whole kilobytes, in the mean.
    pub rounded_per_record: f64,
    /// How the stream is billed.
    pub tariff: Tariff,
    /// Of an hour with the mean load; none without prices.
    pub cost_of_an_hour: Option<Bill>,
    /// Of an hour with the highest second's load.
    pub cost_of_the_peak_hour: Option<Bill>,
    /// Of the whole run, where it has an end.
    pub cost_of_the_run: Option<Bill>,
    /// What it may cost.
    pub most: Option<Price>,
    /// How long it goes on, where it has an end.
    pub duration: Option<Duration>,
    /// Whether refused records are tried again.
    pub retries: bool,
}

/// Kinesis records that hold several records.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Packed {
    /// Records in each, in the mean.
    pub each: f64,
    /// Bytes of each, data and key, in the mean.
    pub bytes: f64,
}

/// Everything that was found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CheckReport {
    /// The stream's name or ARN.
    pub stream: String,
    /// Its region; none for the embedded one.
    pub region: Option<String>,
    /// In the order in which they were found.
    pub findings: Vec<Finding>,
    /// The load, where everything before was well enough.
    pub plan: Option<LoadPlan>,
}

fn percent(share: f64) -> String {
    if share == 0.0 { "0 %".to_owned() } else { format!("{:.2} %", 100.0 * share) }
}

impl CheckReport {
    /// The report for people, each line with its end.
    #[must_use]
    pub fn text(&self) -> String {
        let region = self.region.as_ref().map_or(String::new(), |region| format!(" in {region}"));
        let mut text = format!("check of stream {}{region}\n\n", self.stream);
        for Finding { level, what, text: found, remedy } in &self.findings {
            let _ = writeln!(text, "{:<9}{what:<12}{found}", level.name());
            if let Some(remedy) = remedy {
                let _ = writeln!(text, "{:<21}→ {remedy}", "");
            }
        }
        if let Some(plan) = &self.plan {
            plan.write(&mut text);
        }
        text
    }

    /// The report for machines: one object in a line. Names don't change between releases without a word in the CHANGELOG.
    #[must_use]
    pub fn json(&self) -> String {
        let finding = |finding: &Finding| {
            json!({
                "level": finding.level.name(),
                "what": finding.what,
                "text": finding.text,
                "remedy": finding.remedy,
            })
        };
        json!({
            "stream": self.stream,
            "region": self.region,
            "findings": self.findings.iter().map(finding).collect::<Vec<_>>(),
            "plan": self.plan.as_ref().map(LoadPlan::json),
        })
        .to_string()
    }
}

impl LoadPlan {
    fn write(&self, text: &mut String) {
        let Forecast { refused, peak_refused, seconds, thinning, .. } = self.forecast;
        let (mean_records, peak_records) = (self.mean_records, self.peak_records);
        text.push('\n');
        let mut row = |name: &str, value: String| {
            let _ = writeln!(text, "{name:<21}{value}");
        };
        let of = human::span(Duration::from_secs(seconds));
        row(
            "load",
            format!(
                "{} in the mean of {of} ({} of bodies), {}/s in the highest second",
                human::rate(mean_records),
                rate(mean_records * self.body_bytes_per_record),
                human::grouped(peak_records)
            ),
        );
        row(
            "records",
            format!(
                "{} each with their keys, in {} requests/s",
                human::bytes(self.record_bytes),
                human::short(self.mean_requests)
            ),
        );
        if let Some(Packed { each, bytes }) = self.aggregated {
            row(
                "Kinesis records",
                format!(
                    "{}, {} each, with {} records in each",
                    human::rate(self.forecast.mean_records),
                    human::bytes(bytes),
                    human::short(each)
                ),
            );
        }
        let again = if self.retries { "; what is tried again comes on top" } else { "" };
        row(
            "throttled (model)",
            format!(
                "{} of first attempts, {} in the highest second{again}",
                percent(refused),
                percent(peak_refused)
            ),
        );
        let hourly = mean_records * 3_600.0;
        match self.tariff {
            Tariff::Provisioned => row(
                "PUT payload units",
                format!(
                    "{:.3} a record, {} an hour",
                    self.units_per_record,
                    human::short(hourly * self.units_per_record)
                ),
            ),
            Tariff::OnDemand => row(
                "taken in",
                format!(
                    "{} a record as it is billed, {:.3} GB an hour",
                    human::bytes(self.rounded_per_record),
                    hourly * self.rounded_per_record / 1e9
                ),
            ),
        }
        let told = |bill: Bill| {
            format!(
                "{:.4} ({:.4} for the time, {:.4} for the records)",
                bill.total(),
                bill.standing,
                bill.taken_in
            )
        };
        if let Some(bill) = self.cost_of_an_hour {
            row("cost of an hour", told(bill));
        }
        if let Some(bill) = self.cost_of_the_peak_hour.filter(|bill| Some(*bill) != self.cost_of_an_hour) {
            row("cost at the peak", format!("{} an hour", told(bill)));
        }
        if let Some(bill) = self.cost_of_the_run {
            row("cost of the run", told(bill));
        }
        if thinning > 1 {
            row(
                "model",
                format!("of every {thinning} records one is gone through, with limits as much lower"),
            );
        }
        self.table(text);
    }

    fn table(&self, text: &mut String) {
        let _ = writeln!(
            text,
            "\n{:<22}{:>8}{:>11}{:>14}{:>11}{:>14}{:>11}  because of",
            "shard", "share", "mean", "", "highest", "", "throttled"
        );
        let mut shards: Vec<&(String, ShardForecast)> = self.shards.iter().collect();
        // The hottest first; those that are alike stay in the order of their ranges.
        shards.sort_by(|one, other| {
            (other.1.refused(), other.1.share)
                .partial_cmp(&(one.1.refused(), one.1.share))
                .unwrap_or(std::cmp::Ordering::Equal)
        });
        for (id, shard) in shards.iter().take(LISTED) {
            let _ = writeln!(
                text,
                "{id:<22}{:>8}{:>11}{:>14}{:>11}{:>14}{:>11}  {}",
                percent(shard.share),
                human::rate(shard.mean_records),
                rate(shard.mean_bytes),
                human::rate(shard.peak_records),
                rate(shard.peak_bytes),
                percent(shard.refused()),
                reason(shard)
            );
            text.truncate(text.trim_end().len());
            text.push('\n');
        }
        if shards.len() > LISTED {
            let _ = writeln!(text, "… and {} more", shards.len() - LISTED);
        }
        if self.aggregated.is_some() {
            let _ = writeln!(text, "Rates of shards are of Kinesis records, which the limits are about.");
        }
        if !self.is_by_key {
            let _ = writeln!(text, "The stream spreads records by itself (AUTO): equal shares are assumed.");
        }
    }

    fn json(&self) -> Value {
        let bill =
            |bill: Bill| json!({"total": bill.total(), "time": bill.standing, "records": bill.taken_in});
        let shard = |(id, shard): &(String, ShardForecast)| {
            json!({
                "shard": id,
                "share": shard.share,
                "mean_records_per_second": shard.mean_records,
                "mean_bytes_per_second": shard.mean_bytes,
                "peak_records_per_second": shard.peak_records,
                "peak_bytes_per_second": shard.peak_bytes,
                "throttled_share": shard.refused(),
                "throttled_by_records": shard.refused_by_records,
                "throttled_by_bytes": shard.refused_by_bytes,
            })
        };
        json!({
            "seconds": self.forecast.seconds,
            "mean_records_per_second": self.mean_records,
            "peak_records_per_second": self.peak_records,
            "aggregated": self.aggregated.map(|packed| json!({
                "kinesis_records_per_second": self.forecast.mean_records,
                "records_in_each": packed.each,
                "bytes_of_each": packed.bytes,
            })),
            "record_bytes": self.record_bytes,
            "requests_per_second": self.mean_requests,
            "peak_requests_per_second": self.peak_requests,
            "body_bytes_per_second": self.mean_records * self.body_bytes_per_record,
            "throttled_share": self.forecast.refused,
            "peak_throttled_share": self.forecast.peak_refused,
            "put_payload_units_per_record": self.units_per_record,
            "billed_bytes_per_record": self.rounded_per_record,
            "billed_as": match self.tariff { Tariff::Provisioned => "provisioned", Tariff::OnDemand => "on-demand" },
            "cost_per_hour": self.cost_of_an_hour.map(bill),
            "cost_per_hour_at_peak": self.cost_of_the_peak_hour.map(bill),
            "cost_of_run": self.cost_of_the_run.map(bill),
            "events_sampled": self.events,
            "events_without_key": self.without_key,
            "events_too_large": self.too_large,
            "shards": self.shards.iter().map(shard).collect::<Vec<_>>(),
        })
    }
}

fn rate(bytes: f64) -> String {
    format!("{}/s", human::bytes(bytes))
}

/// Which limit refuses.
fn reason(shard: &ShardForecast) -> &'static str {
    match (shard.refused_by_records > 0.0, shard.refused_by_bytes > 0.0) {
        (true, true) => "records/s and bytes/s",
        (true, false) => "records/s",
        (false, true) => "bytes/s",
        (false, false) => "",
    }
}
