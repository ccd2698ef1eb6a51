//! What was asked: `Vars` (flat, filled by envy) and the command line become a `Config` that is valid by
//! construction, or a list of everything that is wrong.
//!
//! Touches no environment, no file and no process: those live in `main`.

mod asked;
mod aws;
mod bytes;
mod compare_command;
mod costs;
mod cron_detail;
mod flags;
mod fleet;
mod healthcheck;
mod invocation;
mod judging;
mod lab_command;
mod model;
mod otel;
mod payload;
mod problem;
mod reference;
mod replay;
mod report_command;
mod resolve;
mod service_links;
mod setting;
pub mod settings;
mod stream_command;
mod suggest;
mod token;
mod vars;
mod verify;
mod verify_command;

#[cfg(test)]
mod tests;

pub use aws::{AWS_VARIABLES, AwsForm, AwsVariable};
pub use compare_command::CompareOptions;
pub use costs::Costs;
pub use fleet::{Here, StartAt};
pub use healthcheck::{HealthOptions, Listener};
pub use invocation::{Invocation, LocalOptions, read, read_here};
pub use lab_command::CapacityOptions;
pub use model::{Config, Guards, LimitsOverride, Load, Log, LogFormat, ProfileChoice, Replay, Seed, Target};
pub use otel::{OTEL_VARIABLES, Otlp, OtlpHeaders};
pub use problem::{Problem, Problems, Shown};
pub use reference::markdown_table;
pub use report_command::ReportTask;
pub use setting::{Absent, Form, Group, Scope, Setting};
pub use settings::SETTINGS;
pub use stream_command::{StreamAction, StreamOptions};
pub use token::{ControlToken, ControlTokenError};
pub use vars::Vars;
pub use verify::{AFTER_A_RUN, Reading, Since, VerifyOptions};
