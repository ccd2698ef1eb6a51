//! The daemon's life in order: settings, logging, start, run, signals, exit code.
//!
//! Environment, signals, standard streams and process exit live here and nowhere else.

use std::io::Write;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use kinesis_streamer::app::App;
use kinesis_streamer::config::{self, Config, Invocation, LocalOptions};
use kinesis_streamer::exit::Exit;
use kinesis_streamer::generate::{Generator, Samples};

fn main() -> ExitCode {
    let exit = match asked() {
        Ok(Invocation::Help(text) | Invocation::Version(text)) => print(&text),
        Ok(Invocation::Sample { config, count, separator }) => sample(&config, count, separator),
        Ok(Invocation::Local(options)) => on_runtime(serve_local(options)),
        Ok(Invocation::Run(config)) => on_runtime(run(*config)),
        Err(problems) => complain(Exit::Usage, &problems),
    };
    ExitCode::from(exit.code())
}

/// Reads `.env`, the environment and the command line.
fn asked() -> Result<Invocation, Box<dyn std::error::Error>> {
    // Before any thread runs. What the environment already has wins over the file.
    match dotenvy::from_path(".env") {
        Err(dotenvy::Error::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(format!(".env can't be read: {}", without_value(&error)).into()),
        Ok(()) => {}
    }
    Ok(config::read(std::env::vars_os(), std::env::args_os(), fastrand::u64(..))?)
}

/// A line of `.env` that can't be read may hold a secret: say where it is, not what it says.
fn without_value(error: &dotenvy::Error) -> String {
    match error {
        dotenvy::Error::LineParse(line, at) => {
            let name = line.split('=').next().unwrap_or_default().trim();
            format!("the line of {name:?} is malformed at character {}; write NAME=VALUE, quotes closed", at + 1)
        }
        other => other.to_string(),
    }
}

/// Puts the runtime together and runs `life` to its end.
fn on_runtime(life: impl Future<Output = Exit>) -> Exit {
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(life),
        Err(error) => complain(Exit::System, &format!("the runtime can't be started: {error}")),
    }
}

async fn run(config: Config) -> Exit {
    tracing_subscriber::fmt().with_env_filter(&config.log.filter).with_writer(std::io::stderr).init();
    let app = match App::start(config).await {
        Ok(app) => app,
        Err(error) => return complain(error.exit(), &error),
    };
    match app.run(signalled()).await {
        Ok(report) => {
            eprintln!("{:?} {:?} {:?} {:?}", report.counts, report.load_time, report.drain_time, report.held);
            report.exit()
        }
        Err(error) => complain(error.exit(), &error),
    }
}

async fn signalled() {
    let _ = tokio::signal::ctrl_c().await;
}

async fn serve_local(_options: LocalOptions) -> Exit {
    Exit::System
}

/// Prints events to standard output.
fn sample(config: &Config, count: u64, separator: u8) -> Exit {
    let generator = Generator::new(config.event, config.seed.value, &config.producer);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let samples = Samples { job: 0, count, first_unix_millis: now.as_millis() as u64, step_millis: 100, separator };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    match samples.write(&generator, &mut out) {
        Ok(()) => Exit::Sent,
        Err(error) => complain(Exit::System, &format!("standard output can't be written: {error}")),
    }
}

fn print(text: &str) -> Exit {
    // A reader that has gone away has read enough.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Exit::Sent
}

fn complain(exit: Exit, what: &dyn std::fmt::Display) -> Exit {
    eprintln!("kinesis-streamer: {what}");
    exit
}
