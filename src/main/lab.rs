//! The lives of `check` and `capacity`: their signals, their reports on standard output, their exit codes.

use kinesis_streamer::app;
use kinesis_streamer::config::{CapacityOptions, Config};
use kinesis_streamer::exit::Exit;
use kinesis_streamer::expose::Console;
use kinesis_streamer::generate::Event;

use super::{caught, complain, event, live, print, refuse, say};

/// Says what a run by `config` would meet.
pub fn check(config: Config, json: bool) -> Exit {
    with_event(config.clone(), |event, console| checked(config, event, json, console))
}

/// Looks for what a stream sustains.
pub fn capacity(options: CapacityOptions) -> Exit {
    with_event(options.config.clone(), |event, console| searched(options, event, console))
}

/// Lives `life` with the event that `config` names.
fn with_event<L: Future<Output = Exit>>(config: Config, life: impl FnOnce(Event, Console) -> L) -> Exit {
    match event(&config) {
        Ok((event, notes)) => {
            notes.iter().for_each(|note| say(note));
            live(&config.log, |console| life(event, console))
        }
        Err(error) => refuse(&error),
    }
}

/// Says what a run would meet; the report is data, for standard output.
async fn checked(config: Config, event: Event, json: bool, console: Console) -> Exit {
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
async fn searched(options: CapacityOptions, event: Event, console: Console) -> Exit {
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
