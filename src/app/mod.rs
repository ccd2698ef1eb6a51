//! The composition root: puts the stages together, in the order of a run's life. The only part that knows everyone.
//!
//! `start.rs` makes a run ready, `run.rs` lives it to its end; the other files are what these two are made of.

mod about;
mod aggregation;
mod barrier;
#[cfg(test)]
mod burst_tests;
mod capacity;
mod check;
mod check_plan;
#[cfg(test)]
mod claim_tests;
mod compare_retry;
mod cost;
mod draw;
mod dry_run;
mod embedded;
mod exporting;
mod files;
mod forecast;
mod guard;
mod header;
mod health;
mod journals;
mod judged;
mod machine;
mod offered;
mod pace;
mod plan;
mod readback;
mod report;
mod reporting;
mod reports;
mod requests;
mod reshard;
mod rig;
mod run;
mod sampling;
mod sheet;
mod stages;
mod start;
mod start_error;
mod steer;
mod streams;
mod template;
mod terminal;
mod trace;
mod verified;
mod verify;
mod watch;

pub use capacity::{Capacity, capacity};
pub use check::check;
pub use compare_retry::compare_retry;
pub use draw::draw;
pub use dry_run::dry_run;
pub use files::too_few;
pub use guard::{AllGuarded, Guarded};
pub use health::healthcheck;
pub use journals::{JournalsError, Silent};
pub use offered::LoadError;
pub use report::Report;
pub use reporting::Written;
pub use reports::{ReportsError, reports};
pub use sheet::SheetEnd;
pub use start::App;
pub use start_error::StartError;
pub use streams::{StreamError, stream};
pub use template::{EventError, import_saved, lint_template, read_event};
pub use terminal::{Stops, give_terminal_back};
pub use verified::Verified;
pub use verify::verify;
