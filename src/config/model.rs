//! `Config`: what was asked, valid by construction.
//!
//! Built by `resolve` alone. It holds no secret: credentials go from AWS's own chain to the client and
//! never pass here, and of the token of control only a digest does, which nothing shows; so every part may be printed. What depends on the stream (its shards, its limits)
//! is checked at start-up, not here.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::costs::Costs;
use super::fleet::StartAt;
use super::otel::Otlp;
use super::setting::span;
use super::token::ControlToken;
use super::{bytes::Bytes, settings as table, verify::Reading};
use crate::batch::{Aggregation, Packing};
use crate::generate::{EventChoice, Shaping, TemplateLanguage, TemplateMode};
use crate::judge::Threshold;
use crate::key::{Decimal, KeyStrategy};
use crate::kinesis::{AllowedStreams, HttpClientKind, Limits, StreamName, StreamRef, Wire};
use crate::schedule::profile::Inline;
use crate::schedule::{Cron, Pacing, Rate, Share};
use crate::send::SendPolicy;

/// Everything that a run is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where the records go.
    pub target: Target,
    /// What a run must not do to a stream of others.
    pub guards: Guards,
    /// How long start-up waits for the stream to become ACTIVE.
    pub active_timeout: Duration,
    /// Whether to plan and print only.
    pub dry_run: bool,
    /// How many records, and when.
    pub load: Load,
    /// Which of several instances that give this load together this one is; none: all of it is its own.
    pub share: Option<Share>,
    /// When the schedule begins; none: as soon as it can.
    pub start_at: Option<StartAt>,
    /// What a record holds.
    pub event: EventChoice,
    /// How a template is read.
    pub template_mode: TemplateMode,
    /// The language of templates.
    pub template_language: TemplateLanguage,
    /// How large it is, and which faults are put in.
    pub shaping: Shaping,
    /// How it is framed and compressed.
    pub packing: Packing,
    /// How events are aggregated; none: each is a record of its own.
    pub aggregation: Option<Aggregation>,
    /// Where it is told which records have which fault; none: nowhere.
    pub answer_sheet: Option<PathBuf>,
    /// How it gets its partition key.
    pub key: KeyStrategy,
    /// The seed of everything random.
    pub seed: Seed,
    /// The name of this producer in its events: 1 to 64 characters of `[A-Za-z0-9_.-]`.
    pub producer: String,
    /// Who makes the requests.
    pub client: HttpClientKind,
    /// How they are written; CBOR by our own client alone.
    pub wire: Wire,
    /// How sending is tried.
    pub send: SendPolicy,
    /// Most bytes of the bodies of requests under way.
    pub max_in_flight_bytes: usize,
    /// Limits that count in place of the stream's own.
    pub limits: LimitsOverride,
    /// Whether the stream is read back.
    pub verify: bool,
    /// How, if so.
    pub reading: Reading,
    /// Where metrics and health are served; none: nowhere.
    pub listen: Option<SocketAddr>,
    /// Where metrics are exported to by OpenTelemetry's protocol; none: nowhere.
    pub otlp: Option<Otlp>,
    /// Who may steer the run, by the token's digest; none: nobody.
    pub control: Option<ControlToken>,
    /// Where the run's own word is kept; none: nowhere.
    pub journal: Option<PathBuf>,
    /// Where the report of the run is written: none, or one or two files.
    pub reports: Vec<PathBuf>,
    /// When the run has failed.
    pub fail_if: Vec<Threshold>,
    /// Whether the run has the whole terminal.
    pub tui: bool,
    /// What is logged.
    pub log: Log,
    /// The user's prices, and what the run may cost.
    pub costs: Costs,
    /// What the user should know although nothing is wrong.
    pub notices: Vec<String>,
}

/// Where the records go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// To a stream that exists.
    Stream(StreamRef),
    /// To the embedded stream.
    Local {
        /// Its shards, 1 to 1,000.
        shards: u32,
        /// Its name.
        name: StreamName,
    },
    /// Nowhere: only a dry run and `sample` have no stream.
    Nowhere,
}

/// What a run must not do to a stream of others: the embedded stream needs no guard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guards {
    /// The streams that may be written to; none: any.
    pub allowed: Option<AllowedStreams>,
    /// Most records in a second for a stream that is not on this machine.
    pub most_rate: u64,
}

/// How many records, and when: of all instances together, where there are several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    /// Cron jobs, 1 to 10,000.
    pub jobs: u32,
    /// Records of one job at each tick, 1 to 1,000,000; all jobs together at most 10,000,000.
    pub messages: u32,
    /// What all jobs offer together, in place of `messages` for each.
    pub rate: Option<Rate>,
    /// The load over time: in place of both, or times them.
    pub profile: Option<ProfileChoice>,
    /// Which seconds are due.
    pub cron: Cron,
    /// When inside its second a record is due.
    pub pacing: Pacing,
    /// How long the run goes on; none: until it is stopped.
    pub duration: Option<Duration>,
    /// Records after which the run ends; none: no bound.
    pub max_records: Option<u64>,
    /// What is played in place of the schedule; none: nothing.
    pub replay: Option<Replay>,
}

/// A trace to be replayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// The file.
    pub path: PathBuf,
    /// How many times as fast as it was recorded, from 0.001 to 1,000.
    pub speed: Decimal,
    /// Whether its end is followed by its start.
    pub again: bool,
}

/// A profile as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileChoice {
    /// The words of the setting.
    pub text: String,
    /// What they mean; a file is not read yet.
    pub what: Inline,
}

impl Load {
    /// Records of one tick, all jobs together, where there is neither rate nor profile.
    pub fn records_per_tick(&self) -> u64 {
        u64::from(self.jobs) * u64::from(self.messages)
    }
}

/// The seed, and whether the user gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed {
    /// The seed.
    pub value: u64,
    /// False when it was drawn for this run.
    pub given: bool,
}

/// Limits that the user sets in place of the stream's own; none: the stream's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LimitsOverride {
    /// Most entries in one request.
    pub request_records: Option<usize>,
    /// Most bytes in one request.
    pub request_bytes: Option<usize>,
    /// Most bytes of one record.
    pub record_bytes: Option<usize>,
}

impl LimitsOverride {
    /// The limits in force on a stream whose own are `limits`.
    #[must_use]
    pub fn over(self, limits: Limits) -> Limits {
        Limits {
            request_records: self.request_records.unwrap_or(limits.request_records),
            request_bytes: self.request_bytes.unwrap_or(limits.request_bytes),
            record_bytes: self.record_bytes.unwrap_or(limits.record_bytes),
        }
    }
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// A level, or levels by target, as `tracing_subscriber::filter::Targets` takes them.
    pub filter: String,
    /// The form of a line.
    pub format: LogFormat,
}

named! {
    /// The form of a line of the log.
    LogFormat,
    /// A text that names no form of the log.
    LogFormatError = "a form of the log is one of text, json";
    /// For people.
    Text = "text",
    /// For machines: one JSON object a line.
    Json = "json",
}

impl Config {
    /// The records after which this instance ends, as its share of those after which all do.
    pub fn own_records(&self) -> Option<u64> {
        let share = self.share.unwrap_or(Share::WHOLE);
        // Where seconds differ, the instances need not end in the same one.
        let even = self.load.rate.is_none() && self.load.profile.is_none();
        let per_second = if even { self.load.records_per_tick() } else { 0 };
        self.load.max_records.map(|most| share.of_run(most, per_second))
    }

    /// The variables that make this config again, with the seed and the producer's name that were
    /// drawn for it: what a person needs to repeat the run.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let mut all = vec![
            (table::CONFIRM_RATE.name, self.guards.most_rate.to_string()),
            (table::ACTIVE_TIMEOUT.name, span(self.active_timeout)),
            (table::DRY_RUN.name, self.dry_run.to_string()),
            (table::JOBS.name, self.load.jobs.to_string()),
            (table::CRON.name, self.load.cron.to_string()),
            (table::PACING.name, self.load.pacing.to_string()),
            (table::EVENT.name, self.event.to_string()),
            (table::PARTITION_KEY.name, self.key.to_string()),
            (table::SEED.name, self.seed.value.to_string()),
            (table::INSTANCE.name, self.producer.clone()),
            (table::CLIENT.name, self.client.to_string()),
            (table::WIRE.name, self.wire.to_string()),
            (table::RETRY.name, self.send.retry.to_string()),
            (table::MAX_ATTEMPTS.name, self.send.max_attempts.to_string()),
            (table::MAX_IN_FLIGHT.name, self.send.max_in_flight.to_string()),
            (table::COMPRESSION.name, self.packing.compression.to_string()),
            (table::FRAMING.name, self.packing.framing.to_string()),
            (table::MAX_IN_FLIGHT_BYTES.name, Bytes(self.max_in_flight_bytes as u64).to_string()),
            (table::REQUEST_TIMEOUT.name, span(self.send.request_timeout)),
            (table::DRAIN_TIMEOUT.name, span(self.send.drain_timeout)),
            (table::VERIFY.name, self.verify.to_string()),
            (table::VERIFY_POLL.name, span(self.reading.poll)),
            (table::VERIFY_IDLE.name, span(self.reading.idle)),
            (
                table::VERIFY_FOREIGN.name,
                if self.reading.foreign_allowed { "allow" } else { "fault" }.to_owned(),
            ),
            (table::LISTEN.name, self.listen.map_or("off".to_owned(), |address| address.to_string())),
            (table::TUI.name, self.tui.to_string()),
            (table::LOG.name, self.log.filter.clone()),
            (table::LOG_FORMAT.name, self.log.format.name().to_owned()),
        ];
        match self.load.rate {
            Some(rate) => all.push((table::RATE.name, rate.to_string())),
            None => all.push((table::MESSAGES.name, self.load.messages.to_string())),
        }
        if let Some(profile) = &self.load.profile {
            all.push((table::PROFILE.name, profile.text.clone()));
        }
        if self.event.has_template() {
            all.push((table::TEMPLATE_MODE.name, self.template_mode.to_string()));
            all.push((table::TEMPLATE_LANGUAGE.name, self.template_language.to_string()));
        }
        match &self.target {
            Target::Stream(stream) => all.push((table::STREAM.name, stream.to_string())),
            Target::Local { shards, name } => {
                all.push((table::LOCAL.name, shards.to_string()));
                all.push((table::STREAM.name, name.to_string()));
            }
            Target::Nowhere => {}
        }
        let sizes = [
            (table::MAX_REQUEST_BYTES.name, self.limits.request_bytes),
            (table::MAX_RECORD_BYTES.name, self.limits.record_bytes),
            (table::AGGREGATION.name, self.aggregation.map(|aggregation| aggregation.bytes)),
        ];
        all.extend(
            sizes.into_iter().filter_map(|(name, size)| Some((name, Bytes(size? as u64).to_string()))),
        );
        let replay = self.load.replay.as_ref();
        let joined = |texts: Vec<String>, between: &str| (!texts.is_empty()).then(|| texts.join(between));
        let reports = self.reports.iter().map(|path| path.to_string_lossy().into_owned()).collect();
        let conditions = self.fail_if.iter().map(ToString::to_string).collect();
        let optional = [
            (table::EVENT_SIZE.name, self.shaping.size.map(|size| size.to_string())),
            (table::INJECT.name, self.shaping.inject.as_ref().map(ToString::to_string)),
            (
                table::ANSWER_SHEET.name,
                self.answer_sheet.as_ref().map(|path| path.to_string_lossy().into_owned()),
            ),
            (table::ALLOWED_STREAMS.name, self.guards.allowed.as_ref().map(ToString::to_string)),
            (table::INSTANCE_COUNT.name, self.share.map(|share| share.count().to_string())),
            (table::INSTANCE_INDEX.name, self.share.map(|share| share.index().to_string())),
            (table::INSTANCE_SLOT.name, self.share.map(|share| (share.index() + 1).to_string())),
            (table::START_AT.name, self.start_at.map(|start| start.to_string())),
            (table::JOURNAL.name, self.journal.as_ref().map(|path| path.to_string_lossy().into_owned())),
            (table::REPORT.name, joined(reports, ",")),
            (table::FAIL_IF.name, joined(conditions, "; ")),
            (table::VERIFY_TIMEOUT.name, self.reading.timeout.map(span)),
            (table::REPLAY.name, replay.map(|replay| replay.path.to_string_lossy().into_owned())),
            (table::SPEED.name, replay.map(|replay| replay.speed.to_string())),
            (table::LOOP.name, replay.map(|replay| replay.again.to_string())),
            (table::DURATION.name, self.load.duration.map(span)),
            (table::MAX_RECORDS.name, self.load.max_records.map(|count| count.to_string())),
            (table::MAX_REQUEST_RECORDS.name, self.limits.request_records.map(|count| count.to_string())),
        ];
        all.extend(optional.into_iter().filter_map(|(name, value)| Some((name, value?))));
        all.extend(self.costs.variables());
        all
    }
}
