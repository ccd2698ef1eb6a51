//! The settings of what is kept of a run, and of what it is judged by.

use super::super::setting::Absent::Means;
use super::super::setting::Form::Own;
use super::super::setting::{Group, Setting};

/// Where the run's report is written.
pub const REPORT: Setting = Setting::new(
    Group::Watching,
    "STREAMER_REPORT",
    "report",
    "FILE",
    Own("the path of a file that is not there yet and ends in .json or .html, or several with commas between them"),
    Means("none"),
    "Writes a report of the whole run at its end: as JSON for machines (docs/report.md), or as a page with charts, by the end of the name. {instance} in it stands for the name of this producer. The flag may be repeated",
)
.many(',');

/// When a run has failed.
pub const FAIL_IF: Setting = Setting::new(
    Group::Watching,
    "STREAMER_FAIL_IF",
    "fail-if",
    "CONDITION",
    Own(
        "one or more conditions with semicolons between them, such as throttled_ratio > 0.01; p99 > 250ms; client_limited (docs/metrics.md)",
    ),
    Means("none"),
    "Conditions under which the run has failed (exit code 99), judged at its end. The flag may be repeated",
)
.many(';');
