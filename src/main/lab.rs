//! The lives of `check` and `capacity`: their signals, their reports on standard output, their exit codes.

use kinesis_streamer::app;
use kinesis_streamer::config::{CapacityOptions, Config};
use kinesis_streamer::exit::Exit;
use kinesis_streamer::expose::Console;
use kinesis_streamer::generate::Event;

use super::{caught, complain, print};

/// Says what a run would meet; the report is data, for standard output.
pub async fn check(config: Config, event: Event, json: bool, console: Console) -> Exit {
    let mut signals = match caught(&console) {
        Ok(signals) => signals,
        Err(exit) => return exit,
    };
    // Boxed for its size.
    let (report, exit) = tokio::select! {
        checked = Box::pin(app::check(&config, &event)) => checked,
        _ = signals.next() => return Exit::Interrupted,
    };
    let told = if json { report.json() + "\n" } else { report.text() };
    match print(&told) {
        Exit::Sent => exit,
        unwritable => unwritable,
    }
}

/// Looks for what a stream sustains; the report is data, for standard output.
pub async fn capacity(options: CapacityOptions, event: Event, console: Console) -> Exit {
    let mut signals = match caught(&console) {
        Ok(signals) => signals,
        Err(exit) => return exit,
    };
    // Boxed for its size.
    match Box::pin(app::capacity(&options, &event, &console, signals.next())).await {
        Ok(found) => {
            let told = if options.json { found.report.json() + "\n" } else { found.report.text() };
            match print(&told) {
                Exit::Sent => found.exit(),
                exit => exit,
            }
        }
        Err(error) => complain(&console, error.exit(), &error),
    }
}
