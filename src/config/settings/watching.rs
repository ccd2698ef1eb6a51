//! How a run is looked at.

use super::super::setting::Absent::Value;
use super::super::setting::{Group, Setting};
use super::SWITCH;

/// Whether a run has the whole terminal.
pub const TUI: Setting = Setting::new(
    Group::Watching,
    "STREAMER_TUI",
    "tui",
    "BOOL",
    SWITCH,
    Value("false"),
    "Show the run on the whole terminal: charts, shards, the ledger, the log; q stops it",
)
.switch();
