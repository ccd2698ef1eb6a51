//! The settings: one table that the flags, the help, `Vars`, the check for unknown variables and the
//! documentation are made from.
//!
//! Decides each setting's names, bounds and default; how a value is read is in `setting`, what the
//! values mean together in `resolve`.

mod costs;
mod fleet;
mod judging;
mod logging;
mod payloads;
mod sending;
mod verifying;
mod watching;

use std::time::Duration;

use super::setting::Absent::{Means, Value};
use super::setting::Form::{self, Number, OneOf, Own};
use super::setting::{Group, Scope, Setting};
pub use costs::*;
pub use fleet::*;
pub use judging::*;
pub use logging::*;
pub use payloads::*;
pub use sending::*;
pub use verifying::*;
pub use watching::*;

const MILLISECOND: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// AWS's most for one request and one record (PutRecords API reference): 10 MiB.
const MOST_BYTES: u64 = 10 * 1024 * 1024;

const SWITCH: Form = OneOf(&["true", "false"]);

/// The stream to write to.
pub const STREAM: Setting = Setting::new(
    Group::Target,
    "AWS_KINESIS_STREAM_NAME",
    "stream",
    "NAME",
    Own("a stream name (1 to 128 of a-z, A-Z, 0-9, _, ., -) or a stream ARN (arn:PARTITION:kinesis:REGION:ACCOUNT:stream/NAME)"),
    Means("none; needed unless --local or --dry-run"),
    "The stream to write to, by name or ARN; the first of these variables that is set counts",
)
.aliases(&["STREAM_ARN", "STREAM_NAME"]);

/// Write to the embedded stream.
pub const LOCAL: Setting = Setting::new(
    Group::Target,
    "STREAMER_LOCAL",
    "local",
    "SHARDS",
    Own("true (one shard), false or a number of shards from 1 to 1000"),
    Value("false"),
    "Write to an embedded stream with the limits of real shards, without AWS",
)
.switch();

/// Most shards of the embedded stream.
pub const LOCAL_SHARDS: Form = Number { min: 1, max: 1_000 };

/// Which streams may be written to.
pub const ALLOWED_STREAMS: Setting = Setting::new(
    Group::Target,
    "STREAMER_ALLOWED_STREAMS",
    "allowed-streams",
    "PATTERNS",
    Own(
        "one or more patterns with commas between them: letters, digits, _ . - : / and * (any characters) or ? (any one)",
    ),
    Means("any stream"),
    "The only streams that may be written to: a pattern with a colon is compared with the stream's ARN, any other with its name. The embedded stream is always allowed",
);

/// The rate above which a run against a stream that is not local must be confirmed, by this setting.
pub const CONFIRM_RATE: Setting = Setting::new(
    Group::Target,
    "STREAMER_CONFIRM_RATE",
    "confirm-rate",
    "N",
    Number { min: 1, max: MOST_RECORDS_PER_TICK },
    Value("10000"),
    "Most records in a second that may be meant for a stream that is neither embedded nor on this machine; a greater load is refused until this is raised to it",
);

/// How long start-up waits for the stream.
pub const ACTIVE_TIMEOUT: Setting = Setting::new(
    Group::Target,
    "STREAMER_ACTIVE_TIMEOUT",
    "active-timeout",
    "DURATION",
    Form::Duration { min: Duration::ZERO, max: HOUR },
    Value("60s"),
    "How long start-up waits for the stream to become ACTIVE",
);

/// Plan and print only.
pub const DRY_RUN: Setting = Setting::new(
    Group::Target,
    "STREAMER_DRY_RUN",
    "dry-run",
    "BOOL",
    SWITCH,
    Value("false"),
    "Plan and print, send nothing",
)
.switch();

/// The number of jobs.
pub const JOBS: Setting = Setting::new(
    Group::Load,
    "CRON_JOBS_TO_GENERATE",
    "jobs",
    "N",
    Number { min: 1, max: 10_000 },
    Value("10"),
    "Cron jobs, each with its own generator",
);

/// Messages of one job in one tick.
pub const MESSAGES: Setting = Setting::new(
    Group::Load,
    "MESSAGES_PER_CRON_JOB",
    "messages",
    "N",
    Number { min: 1, max: 1_000_000 },
    Value("10"),
    "Records of one job at each tick. All jobs together: at most 10000000",
);

/// What all jobs together offer.
pub const RATE: Setting = Setting::new(
    Group::Load,
    "STREAMER_RATE",
    "rate",
    "RATE",
    Own("a number of records or bytes and a span of time, such as 5000/s, 300/min, 12MB/s or 1.5MiB/s"),
    Means("jobs × messages at each tick"),
    "What all jobs together offer, in place of messages for each. Bytes are data and partition keys",
);

/// The load over time.
pub const PROFILE: Setting = Setting::new(
    Group::Load,
    "STREAMER_PROFILE",
    "profile",
    "PROFILE",
    Own(
        "a shape, such as ramp:100..5000/5m, steps:1000,2000,4000/60s, sine:1000±500/10m, spike:500,x10@2m/15s, constant:500/10m or weekly:FILE, the path of a TOML file, or replay:FILE with a trace",
    ),
    Means("a load that does not change"),
    "The load over time, in place of rate and messages, or times them where its numbers are factors such as x2 (docs/profiles.md)",
);

/// Most records of one tick, all jobs together: ten thousand shards' worth, more than a machine can hold in flight.
pub const MOST_RECORDS_PER_TICK: u64 = 10_000_000;

/// Which seconds are due.
pub const CRON: Setting = Setting::new(
    Group::Load,
    "STREAMER_CRON",
    "cron",
    "EXPRESSION",
    Own("a cron expression of six fields (second minute hour day month weekday, in UTC)"),
    Value("* * * * * *"),
    "Which seconds are due; STREAMER_DURATION counts from the first of them",
);

/// When inside the second.
pub const PACING: Setting = Setting::new(
    Group::Load,
    "STREAMER_PACING",
    "pacing",
    "PACING",
    OneOf(&["burst", "smooth", "poisson", "stagger"]),
    Value("burst"),
    "When inside its second a record is due: at the start, evenly spread, at random, or each job's at once and the jobs at equal distances",
);

/// The trace to replay.
pub const REPLAY: Setting = Setting::new(
    Group::Load,
    "STREAMER_REPLAY",
    "replay",
    "FILE",
    Own("the path of a trace"),
    Means("none: records are due by the schedule"),
    "A trace to replay with its own timing in place of the schedule: CSV or JSON lines of a time and a count, or of a time, a payload and perhaps a partition key; plain or gzip",
);

/// How fast the trace is replayed.
pub const SPEED: Setting = Setting::new(
    Group::Load,
    "STREAMER_SPEED",
    "speed",
    "FACTOR",
    Own("a number from 0.001 to 1000 with at most 4 decimals"),
    Value("1"),
    "How many times as fast as it was recorded a trace is replayed",
);

/// Whether the trace is replayed again and again.
pub const LOOP: Setting = Setting::new(
    Group::Load,
    "STREAMER_LOOP",
    "loop",
    "BOOL",
    SWITCH,
    Value("false"),
    "Begin the trace anew at its end, until the run ends by something else",
)
.switch();

/// How long the run goes on.
pub const DURATION: Setting = Setting::new(
    Group::Load,
    "STREAMER_DURATION",
    "duration",
    "DURATION",
    Form::Duration { min: MILLISECOND, max: DAY.saturating_mul(365) },
    Means("until it is stopped"),
    "How long the run goes on, from its first due second",
);

/// How many records the run makes.
pub const MAX_RECORDS: Setting = Setting::new(
    Group::Load,
    "STREAMER_MAX_RECORDS",
    "max-records",
    "N",
    Number { min: 1, max: 1_000_000_000_000_000 },
    Means("no bound"),
    "Records after which the run ends",
);

/// The kind of event.
pub const EVENT: Setting = Setting::new(
    Group::Events,
    "STREAMER_EVENT",
    "event",
    "EVENT",
    Own(
        "one of mouse, click, trade, message, iot, order, access-log, or template:FILE (template:- reads standard input), or several of these by weight, such as mouse:0.8,click:0.2",
    ),
    Value("mouse"),
    "What a record holds; message is the payload of the Node.js original, a template is in the language of the Kinesis Data Generator or in Jinja",
)
.scope(Scope::Sample);

/// How a template is read.
pub const TEMPLATE_MODE: Setting = Setting::new(
    Group::Events,
    "STREAMER_TEMPLATE_MODE",
    "template-mode",
    "MODE",
    OneOf(&["lenient", "strict"]),
    Value("lenient"),
    "How a template is read: as it was meant, or exactly as the Kinesis Data Generator does, errors included",
)
.scope(Scope::Sample);

/// The language of templates.
pub const TEMPLATE_LANGUAGE: Setting = Setting::new(
    Group::Events,
    "STREAMER_TEMPLATE_LANGUAGE",
    "template-language",
    "LANGUAGE",
    OneOf(&["auto", "kdg", "jinja"]),
    Value("auto"),
    "The language that templates are in: the Kinesis Data Generator's, or Jinja; auto takes Jinja where a file's name ends in .j2, .jinja or .jinja2",
)
.scope(Scope::Sample);

/// How a record gets its partition key.
pub const PARTITION_KEY: Setting = Setting::new(
    Group::Events,
    "STREAMER_PARTITION_KEY",
    "partition-key",
    "KEY",
    Own(
        "one of random, constant:TEXT, job, user, field:/json/pointer, uniform:keys=N, zipf:EXPONENT,keys=N, hot:SHARE%@SHARD[,rotate=TIME], explicit, round-robin",
    ),
    Value("random"),
    "How a record gets its partition key, and so its shard",
)
.scope(Scope::Sample);

/// The seed of everything random.
pub const SEED: Setting = Setting::new(
    Group::Events,
    "STREAMER_SEED",
    "seed",
    "N",
    Number { min: 0, max: u64::MAX },
    Means("random, and printed"),
    "The same seed gives the same events, but for the time and the four digits of the id that hang on it",
)
.scope(Scope::Sample);

/// Most characters of the instance's name.
pub const MOST_INSTANCE_CHARS: usize = 64;

/// The producer's name in its events.
pub const INSTANCE: Setting = Setting::new(
    Group::Events,
    "STREAMER_INSTANCE",
    "instance",
    "NAME",
    Own("1 to 64 of the characters a-z, A-Z, 0-9, _, ., -"),
    Means("the host's name and a random part; where a seed is given, made from it, such as p-1a2b3c4d"),
    "The name of this producer in its events; no two that write at the same time may have one",
)
.scope(Scope::Sample);

/// Where the web page, metrics and health are served.
pub const LISTEN: Setting = Setting::new(
    Group::Watching,
    "STREAMER_LISTEN",
    "listen",
    "ADDRESS",
    Own("an IP address with a port, such as 127.0.0.1:9464 or [::]:9464, or off"),
    Value("127.0.0.1:9464"),
    "Where the web page, metrics and health are served",
);

/// Where the run's own word is kept.
pub const JOURNAL: Setting = Setting::new(
    Group::Watching,
    "STREAMER_JOURNAL",
    "journal",
    "FILE",
    Own("the path of a file, new or a journal of other runs"),
    Means("none"),
    "Keeps what became of every record in this file, so that it survives even kill -9 (docs/journal.md); {instance} in it stands for the name of this producer",
);

/// Every setting, in the order of the documentation.
pub const SETTINGS: &[Setting] = &[
    STREAM,
    LOCAL,
    ALLOWED_STREAMS,
    CONFIRM_RATE,
    ACTIVE_TIMEOUT,
    DRY_RUN,
    JOBS,
    MESSAGES,
    RATE,
    PROFILE,
    CRON,
    PACING,
    REPLAY,
    SPEED,
    LOOP,
    DURATION,
    MAX_RECORDS,
    EVENT,
    TEMPLATE_MODE,
    TEMPLATE_LANGUAGE,
    EVENT_SIZE,
    INJECT,
    COMPRESSION,
    FRAMING,
    AGGREGATION,
    PARTITION_KEY,
    SEED,
    INSTANCE,
    INSTANCE_COUNT,
    INSTANCE_INDEX,
    INSTANCE_SLOT,
    START_AT,
    CLIENT,
    WIRE,
    RETRY,
    MAX_ATTEMPTS,
    MAX_IN_FLIGHT,
    MAX_IN_FLIGHT_BYTES,
    REQUEST_TIMEOUT,
    DRAIN_TIMEOUT,
    MAX_REQUEST_RECORDS,
    MAX_REQUEST_BYTES,
    MAX_RECORD_BYTES,
    VERIFY,
    VERIFY_POLL,
    VERIFY_IDLE,
    VERIFY_TIMEOUT,
    VERIFY_FOREIGN,
    LISTEN,
    CONTROL_TOKEN,
    JOURNAL,
    ANSWER_SHEET,
    REPORT,
    FAIL_IF,
    TUI,
    LOG,
    LOG_FORMAT,
    PRICE_SHARD_HOUR,
    PRICE_PUT_UNITS,
    PRICE_STREAM_HOUR,
    PRICE_GB_IN,
    MAX_COST,
];
