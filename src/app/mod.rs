//! The composition root: puts the stages together, in the order of a run's life. The only part that knows everyone.
//!
//! `start.rs` makes a run ready, `run.rs` lives it to its end; the other files are what these two are made of.

mod aggregation;
mod barrier;
#[cfg(test)]
mod burst_tests;
#[cfg(test)]
mod claim_tests;
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
mod offered;
mod pace;
mod plan;
mod readback;
mod report;
mod reshard;
mod run;
mod sampling;
mod sheet;
mod stages;
mod start;
mod start_error;
mod streams;
mod template;
mod terminal;
mod trace;
mod verified;
mod verify;
mod watch;

pub use draw::draw;
pub use dry_run::dry_run;
pub use files::too_few;
pub use guard::{AllGuarded, Guarded};
pub use health::healthcheck;
pub use journals::{JournalsError, Silent};
pub use offered::LoadError;
pub use report::Report;
pub use sheet::SheetEnd;
pub use start::App;
pub use start_error::StartError;
pub use streams::{StreamError, stream};
pub use template::{EventError, import_saved, lint_template, read_event};
pub use terminal::{Stops, give_terminal_back};
pub use verified::Verified;
pub use verify::verify;
