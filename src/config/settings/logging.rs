//! The settings of the log, which every subcommand takes.

use super::super::setting::Absent::Value;
use super::super::setting::Form::{OneOf, Own};
use super::super::setting::{Group, Scope, Setting};

/// What is logged.
pub const LOG: Setting = Setting::new(
    Group::Watching,
    "STREAMER_LOG",
    "log",
    "FILTER",
    Own("a level (off, error, warn, info, debug, trace), or levels by target such as info,kinesis_streamer=debug"),
    Value("info"),
    "What is logged, to standard error",
)
.scope(Scope::Everywhere);

/// The form of the log.
pub const LOG_FORMAT: Setting = Setting::new(
    Group::Watching,
    "STREAMER_LOG_FORMAT",
    "log-format",
    "FORMAT",
    OneOf(&["text", "json"]),
    Value("text"),
    "The form of a line of the log",
)
.scope(Scope::Everywhere);
