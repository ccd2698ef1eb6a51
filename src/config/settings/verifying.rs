//! The settings of reading back.

use std::time::Duration;

use super::super::setting::Absent::{Means, Value};
use super::super::setting::Form::{self, OneOf};
use super::super::setting::{Group, Setting};
use super::{DAY, MILLISECOND, SWITCH};

/// Whether the stream is read back.
pub const VERIFY: Setting = Setting::new(
    Group::Verifying,
    "STREAMER_VERIFY",
    "verify",
    "BOOL",
    SWITCH,
    Value("false"),
    "Read the stream back while the run goes on, and compare what is there with what was counted",
)
.switch();

/// How often a reader that is at the tip asks.
pub const VERIFY_POLL: Setting = Setting::new(
    Group::Verifying,
    "STREAMER_VERIFY_POLL",
    "verify-poll",
    "DURATION",
    Form::Duration { min: Duration::from_millis(220), max: Duration::from_secs(60) },
    Value("1s"),
    "How often a shard that was read to its tip is asked again; all its consumers share 5 calls a second",
);

/// How long nothing new must come.
pub const VERIFY_IDLE: Setting = Setting::new(
    Group::Verifying,
    "STREAMER_VERIFY_IDLE",
    "verify-idle",
    "DURATION",
    Form::Duration { min: Duration::ZERO, max: DAY },
    Value("10s"),
    "How long nothing new must come before reading ends although something is missing, or nobody said what there is",
);

/// How long reading may take.
pub const VERIFY_TIMEOUT: Setting = Setting::new(
    Group::Verifying,
    "STREAMER_VERIFY_TIMEOUT",
    "verify-timeout",
    "DURATION",
    Form::Duration { min: MILLISECOND, max: DAY.saturating_mul(365) },
    Means("60s from the run's end on; for the subcommand, no bound"),
    "How long reading may take: beside a run from the run's end on, by itself in all",
);

/// What records of others are.
pub const VERIFY_FOREIGN: Setting = Setting::new(
    Group::Verifying,
    "STREAMER_VERIFY_FOREIGN",
    "verify-foreign",
    "WORD",
    OneOf(&["fault", "allow"]),
    Value("fault"),
    "Whether records that others wrote to the stream are a fault, or allowed and only counted",
);
