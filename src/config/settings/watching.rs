//! How a run is looked at, and by whom it may be changed.

use super::super::setting::Absent::{Means, Value};
use super::super::setting::Form::Own;
use super::super::setting::{Group, Setting};
use super::SWITCH;

/// Who may steer a run.
pub const CONTROL_TOKEN: Setting = Setting::new(
    Group::Watching,
    "STREAMER_CONTROL_TOKEN",
    "control-token",
    "TOKEN",
    Own("16 to 256 visible ASCII characters"),
    Means("no control"),
    "Whoever has this token may pause, resume, speed up, move on and stop the run, from its page or by HTTP (docs/dashboard.md). Others see a process's flags: set the variable",
)
.secret();

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
