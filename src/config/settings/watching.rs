//! The settings of who watches a run and may change it.

use super::super::setting::Absent::Means;
use super::super::setting::Form::Own;
use super::super::setting::{Group, Setting};

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
