//! What `capacity` found, for people and for machines, and a line for each stretch. Plain values in, text out.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use super::human;
use crate::kinesis::Mode;
use crate::kinesis::limits::{SHARD_BYTES_PER_SECOND, SHARD_RECORDS_PER_SECOND};
use crate::lab::{Binding, ClientLimit, End, Interval, Kind, Point, Resource, Rules, ShardRates, Side};

/// Shards that are listed one by one.
const LISTED: usize = 16;

/// What was measured at one rate.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Records stored, a second.
    pub records: f64,
    /// Their bytes, a second.
    pub bytes: f64,
    /// The same by shard, and what each refused.
    pub shards: Vec<ShardRates>,
    /// Processor time of the client, of all that the machine has.
    pub cpu: f64,
    /// How late 99 of 100 requests left.
    pub late: Option<Duration>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct CapacityReport {
    /// The stream's name.
    pub stream: String,
    /// Whether it is the embedded one.
    pub embedded: bool,
    /// Its capacity mode.
    pub mode: Mode,
    /// Whether shards follow from keys, where that is told.
    pub by_key: Option<bool>,
    /// Open shards at the end.
    pub open_shards: usize,
    /// The event.
    pub event: String,
    /// The key strategy.
    pub key: String,
    /// Whether chance, or the events, decide over the shards' shares.
    pub key_is_random: bool,
    /// What was asked for.
    pub rules: Rules,
    /// Whether the highest rate is the one that is confirmed for foreign streams.
    pub capped_by_guard: bool,
    /// Why the search ended.
    pub end: End,
    /// The highest sustained rate.
    pub sustained: Option<(Point, Measured)>,
    /// The lowest that was too much.
    pub too_much: Option<(Point, Measured)>,
    /// What was the limit.
    pub binding: Binding,
    /// Records offered in all.
    pub offered: u64,
    /// Records stored in all.
    pub sent: u64,
    /// How long it took.
    pub seconds: f64,
}

/// A line of progress.
#[must_use]
pub fn capacity_line(
    at: Duration,
    kind: Kind,
    rate: f64,
    sent: f64,
    throttled: f64,
    side: Option<Side>,
) -> String {
    let what = match (kind, side) {
        (Kind::Ramp, _) => "ramp",
        (Kind::Trial, _) => "trial",
    };
    let told = match (kind, side) {
        (Kind::Ramp, _) => "",
        (_, Some(Side::Sustained)) => ": sustained",
        (_, Some(Side::Throttled)) => ": too much",
        (_, Some(Side::Unoffered)) => ": more than this client offers",
        (_, None) => ": not decided, once more",
    };
    format!(
        "{} {what:<6}{:>9}/s offered{:>9}/s stored{:>9} throttled{told}",
        human::clock(at),
        human::grouped(rate.round() as u64),
        human::grouped(sent.round() as u64),
        percent(throttled),
    )
}

fn percent(share: f64) -> String {
    match share {
        0.0 => "0 %".to_owned(),
        share if share < 0.0001 => "< 0.01 %".to_owned(),
        share => format!("{:.2} %", 100.0 * share),
    }
}

fn records(rate: f64) -> String {
    format!("{} records/s", human::grouped(rate.round() as u64))
}

fn bytes(rate: f64) -> String {
    format!("{}/s", human::bytes(rate))
}

fn throttled(share: &Interval, is_firm: bool) -> String {
    let firm = if is_firm { "" } else { "; not firm: by the share alone" };
    format!("{} throttled ({} to {}{firm})", percent(share.share), percent(share.low), percent(share.high))
}

impl CapacityReport {
    /// The report for people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut row = |name: &str, value: String| {
            let _ = writeln!(text, "{name:<12}{value}");
        };
        let shards = human::counted(self.open_shards as u64, "open shard");
        let mode = if self.embedded { "embedded".to_owned() } else { self.mode.to_string() };
        row("stream", format!("{}, {mode}, {shards}", self.stream));
        row("load", format!("{}, key {}", self.event, self.key));
        match &self.sustained {
            None => row("sustained", "no rate was found to be".to_owned()),
            Some((point, measured)) => {
                row(
                    "sustained",
                    format!(
                        "{} and {} stored: {}",
                        records(measured.records),
                        bytes(measured.bytes),
                        throttled(&point.share, point.is_firm)
                    ),
                );
                let each = self.open_shards.max(1) as f64;
                let (mean, mean_bytes) = (measured.records / each, measured.bytes / each);
                row("per shard", format!("{} and {} in the mean", records(mean), bytes(mean_bytes)));
            }
        }
        if let Some((point, measured)) = &self.too_much {
            let offered = format!("{} offered", records(point.rate));
            let what = match point.side {
                Side::Unoffered => {
                    format!("{} were, so many {}", records(measured.records), "this client could not offer")
                }
                _ => throttled(&point.share, point.is_firm),
            };
            row("too much", format!("{offered}: {what}"));
        }
        row("answer", self.answer());
        row("limit", self.limit());
        for note in self.notes() {
            row("note", note);
        }
        let taken = human::duration(Duration::from_secs_f64(self.seconds));
        row(
            "search",
            format!(
                "{taken}, {} offered, {} stored",
                human::counted(self.offered, "record"),
                human::grouped(self.sent)
            ),
        );
        self.table(&mut text);
        text
    }

    /// The interval in words.
    fn answer(&self) -> String {
        let share = percent(self.rules.most_throttled);
        let sure = format!("{} %", trimmed(100.0 * self.rules.confidence.share()));
        match (&self.sustained, &self.too_much) {
            (Some((low, _)), Some((high, _))) if high.side == Side::Throttled => format!(
                "the highest rate of which at most {share} is throttled lies between {} and {} ({sure} for each end: \
                 Wilson's interval, widened for clusters)",
                records(low.rate),
                records(high.rate)
            ),
            (Some((low, _)), _) => format!("at least {} at {share} throttled ({sure})", records(low.rate)),
            (None, Some((high, _))) => {
                format!("less than {} at {share} throttled ({sure})", records(high.rate))
            }
            (None, None) => "none: nothing was decided".to_owned(),
        }
    }

    /// The binding limit, and what to do about it.
    fn limit(&self) -> String {
        let most = records(self.rules.most_rate);
        match (self.end, self.binding) {
            (End::MostRate, _) if self.capped_by_guard => format!(
                "not found: the stream took {most}, the most that is confirmed for it; raise STREAMER_CONFIRM_RATE"
            ),
            (End::MostRate, _) => format!("not found: the stream took {most}, the most that was to be offered; raise --max-rate"),
            (_, Binding::Shards(Resource::Records)) => format!(
                "records: the shards took as many as their limit of {}/s each allows; more shards, or several events in \
                 a record, would raise it",
                human::grouped(SHARD_RECORDS_PER_SECOND)
            ),
            (_, Binding::Shards(Resource::Bytes)) => format!(
                "bytes: the shards took as many as their limit of {}/s each allows; more shards, or smaller records, \
                 would raise it",
                human::bytes(SHARD_BYTES_PER_SECOND as f64)
            ),
            (_, Binding::HotShard { shard, share, others, by }) => format!(
                "one hot shard: {shard} got {:.1} % of the load and took as many {by} as its limit allows, while the \
                 others stood at {:.0} % of theirs; keys that spread better would raise it",
                100.0 * share,
                100.0 * others
            ),
            (_, Binding::RequestRate) => "request rate: whole requests were throttled, not records of shards; fewer and \
                                          larger requests, or an account's quota, would raise it"
                .to_owned(),
            (_, Binding::BelowLimits { used }) => format!(
                "not the shards' own limits: they refused at {:.0} % of them; other writers, KMS, or an on-demand stream \
                 that is still growing",
                100.0 * used
            ),
            (_, Binding::Network) => "the network: requests failed or had no answer in time; the stream itself may take more".to_owned(),
            (_, Binding::Client(ClientLimit::Cpu)) => {
                "this client: its processors were busy; more cores, larger records or several instances would raise it".to_owned()
            }
            (_, Binding::Client(ClientLimit::Lateness)) => {
                "this client: it came to its records late although its processors had time; a quieter machine would raise it".to_owned()
            }
            (_, Binding::Client(ClientLimit::Window)) => {
                "this client: as many requests were under way as may be; raise STREAMER_MAX_IN_FLIGHT, or come nearer".to_owned()
            }
            (_, Binding::None) => "not found in this time; raise --max-time".to_owned(),
        }
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.by_key == Some(false) {
            notes.push(
                "Kinesis spreads records as it likes on this stream (AUTO): keys mean nothing here"
                    .to_owned(),
            );
        } else if self.key_is_random && self.open_shards > 1 {
            notes.push(format!(
                "key {} loads the shards unevenly, so whichever is the busiest is full first; round-robin shows what all \
                 of them take together",
                self.key
            ));
        }
        if self.embedded {
            notes.push("the embedded stream shares its processors with this client".to_owned());
        }
        if self.mode == Mode::OnDemand {
            notes.push("an on-demand stream grows with its load: another search may find more".to_owned());
        }
        notes
    }

    fn table(&self, text: &mut String) {
        let Some((_, measured)) = self.too_much.as_ref().or(self.sustained.as_ref()) else { return };
        let at =
            if self.too_much.is_some() { "at the rate that was too much" } else { "at the sustained rate" };
        let _ = writeln!(text, "\n{:<22}{:>12}{:>14}{:>14}  {at}", "shard", "stored", "bytes", "throttled");
        let mut shards: Vec<&ShardRates> = measured.shards.iter().collect();
        shards.sort_by(|one, other| other.throttled.total_cmp(&one.throttled));
        for shard in shards.iter().take(LISTED) {
            let id = shard.shard.map_or("not told".to_owned(), |id| id.to_string());
            let _ = writeln!(
                text,
                "{id:<22}{:>12}{:>14}{:>14}",
                human::rate(shard.sent),
                bytes(shard.bytes),
                human::rate(shard.throttled)
            );
        }
        if shards.len() > LISTED {
            let _ = writeln!(text, "… and {} more", shards.len() - LISTED);
        }
    }

    /// The report for machines: one object in a line. Names don't change between releases without a word in the CHANGELOG.
    #[must_use]
    pub fn json(&self) -> String {
        let told = json!({
            "stream": self.stream,
            "embedded": self.embedded,
            "mode": self.mode.to_string(),
            "open_shards": self.open_shards,
            "event": self.event,
            "partition_key": self.key,
            "max_throttled": self.rules.most_throttled,
            "confidence": self.rules.confidence.share(),
            "max_rate": self.rules.most_rate,
            "end": match self.end {
                End::Converged => "converged",
                End::MostRate => "max-rate",
                End::Client => "client",
                End::Time => "time",
            },
            "sustained": self.sustained.as_ref().map(end),
            "too_much": self.too_much.as_ref().map(end),
            "limit": self.limit_name(),
            "limit_text": self.limit(),
            "hot_shard": match self.binding {
                Binding::HotShard { shard, share, .. } => json!({"shard": shard.to_string(), "share": share}),
                _ => Value::Null,
            },
            "notes": self.notes(),
            "offered_records": self.offered,
            "sent_records": self.sent,
            "seconds": self.seconds,
        });
        told.to_string()
    }

    /// The limit as a word of a closed set.
    #[must_use]
    pub fn limit_name(&self) -> &'static str {
        match (self.end, self.binding) {
            (End::MostRate, _) => "max-rate",
            (_, Binding::Shards(Resource::Records)) => "records",
            (_, Binding::Shards(Resource::Bytes)) => "bytes",
            (_, Binding::HotShard { .. }) => "hot-shard",
            (_, Binding::RequestRate) => "request-rate",
            (_, Binding::BelowLimits { .. }) => "below-shard-limits",
            (_, Binding::Network) => "network",
            (_, Binding::Client(ClientLimit::Cpu)) => "client-cpu",
            (_, Binding::Client(ClientLimit::Lateness)) => "client-lateness",
            (_, Binding::Client(ClientLimit::Window)) => "client-window",
            (_, Binding::None) => "not-found",
        }
    }
}

/// An end of the answer.
fn end((point, measured): &(Point, Measured)) -> Value {
    let shard = |shard: &ShardRates| {
        json!({
            "shard": shard.shard.map(|id| id.to_string()),
            "records_per_second": shard.sent,
            "bytes_per_second": shard.bytes,
            "throttled_per_second": shard.throttled,
        })
    };
    json!({
        "offered_per_second": point.rate,
        "records_per_second": measured.records,
        "bytes_per_second": measured.bytes,
        "throttled_share": point.share.share,
        "throttled_share_low": point.share.low,
        "throttled_share_high": point.share.high,
        "attempts": point.share.attempts,
        "firm": point.is_firm,
        "trials": point.trials,
        "cpu": measured.cpu,
        "lateness_p99_seconds": measured.late.map(|late| late.as_secs_f64()),
        "shards": measured.shards.iter().map(shard).collect::<Vec<_>>(),
    })
}

/// A percentage without zeros that say nothing.
fn trimmed(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
