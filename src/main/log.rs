//! The log's lines: which of them are wanted, and in which form they go to standard error.

use kinesis_streamer::config::{Log, LogFormat};
use kinesis_streamer::expose::Console;
use kinesis_streamer::kinesis;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Sends the log to `console` from here on.
pub(super) fn start_log(log: &Log, console: &Console) {
    // The cron scheduler tells of its own start. What the user names in STREAMER_LOG comes later and wins.
    let (usual, never) = (kinesis::LOG_DIRECTIVES, kinesis::LOG_NEVER);
    let filter = format!("tokio_cron_scheduler=warn,{usual},{},{never}", log.filter);
    let filter: Targets = filter.parse().expect("settings take no filter that can't be parsed");
    let lines = fmt::layer().with_writer(console.clone()).with_target(false);
    let log_lines = tracing_subscriber::registry().with(filter);
    match log.format {
        LogFormat::Text => log_lines.with(lines.with_ansi(console.terminal().colour)).init(),
        LogFormat::Json => log_lines.with(lines.json()).init(),
    }
}
