//! The daemon's life in order: settings, logging, start, run, signals, exit code.
//!
//! Environment, signals, standard streams and process exit live here and nowhere else.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kinesis_streamer::app::{self, App};
use kinesis_streamer::config::{self, Config, Invocation, LocalOptions, Log, LogFormat};
use kinesis_streamer::exit::Exit;
use kinesis_streamer::expose::{Console, Terminal};
use kinesis_streamer::generate::{Generator, Samples};
use kinesis_streamer::ledger::Ledger;
use kinesis_streamer::local;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How long the end of the process waits for standard error to be read.
const PATIENCE: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let exit = match asked() {
        Ok(Invocation::Help(text) | Invocation::Version(text)) => print(&text),
        Ok(Invocation::Sample { config, count, separator }) => sample(&config, count, separator),
        Ok(Invocation::Local(options)) => {
            let log = options.log.clone();
            live(&log, |console| serve_local(options, console))
        }
        Ok(Invocation::Run(config)) => {
            let log = config.log.clone();
            live(&log, |console| run(*config, console))
        }
        Err(problems) => {
            eprintln!("kinesis-streamer: {problems}");
            Exit::Usage
        }
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
        dotenvy::Error::LineParse(line, _) => {
            let name = line.split_once('=').map_or("a line without =", |(name, _)| name.trim());
            format!("{name:?} is malformed; write NAME=VALUE, with spaces in quotes and quotes closed")
        }
        other => other.to_string(),
    }
}

/// Sets up standard error, the log and the runtime, and lives `life` to its end.
fn live<L: Future<Output = Exit>>(log: &Log, life: impl FnOnce(Console) -> L) -> Exit {
    let set_up = || -> std::io::Result<_> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        Ok((runtime, Console::start(std::io::stderr(), terminal())?))
    };
    let (runtime, console) = match set_up() {
        Ok(both) => both,
        Err(error) => {
            eprintln!("kinesis-streamer: threads can't be started: {error}");
            return Exit::System;
        }
    };
    start_log(log, &console);
    let exit = runtime.block_on(life(console.clone()));
    console.flush(PATIENCE);
    exit
}

fn terminal() -> Terminal {
    let variable = |name| std::env::var(name).ok();
    let width = terminal_size::terminal_size_of(std::io::stderr()).map(|(width, _)| usize::from(width.0));
    let is_terminal = std::io::stderr().is_terminal();
    Terminal::new(is_terminal, variable("NO_COLOR").as_deref(), variable("TERM").as_deref(), width)
}

fn start_log(log: &Log, console: &Console) {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(&log.filter)
        .with_writer(console.clone())
        .with_target(false);
    match log.format {
        LogFormat::Text => builder.with_ansi(console.terminal().colour).init(),
        LogFormat::Json => builder.json().init(),
    }
}

/// The run: start, load, drain, summary.
async fn run(config: Config, console: Console) -> Exit {
    let format = config.log.format;
    if config.dry_run {
        return match app::dry_run(&config).await {
            Ok(plan) => print(&plan),
            Err(error) => complain(&console, error.exit(), &error),
        };
    }
    let mut signals = match Signals::new() {
        Ok(signals) => signals,
        Err(error) => return complain(&console, Exit::System, &format!("signals can't be caught: {error}")),
    };
    // Caught from the start: as a container's first process, nothing would end us otherwise.
    let started = tokio::select! {
        started = App::start(config, console.clone()) => started,
        _ = signals.next() => return Exit::Interrupted,
    };
    let app = match started {
        Ok(app) => app,
        Err(error) => return complain(&console, error.exit(), &error),
    };
    let ledger = std::sync::Arc::clone(app.ledger());
    let (stop, stopped) = tokio::sync::oneshot::channel();
    tokio::spawn(obey(signals, stop, ledger, console.clone()));
    let stopped = async {
        match stopped.await {
            Ok(signal) => signal,
            // Nobody can stop us any more; that is not a stop.
            Err(_) => std::future::pending().await,
        }
    };
    match app.run(stopped).await {
        Ok(report) => {
            match format {
                LogFormat::Text => console.print(&report.text()),
                LogFormat::Json => report.log(),
            }
            report.exit()
        }
        Err(error) => complain(&console, error.exit(), &error),
    }
}

/// The first signal ends the schedule, the second the process.
async fn obey(
    mut signals: Signals,
    stop: tokio::sync::oneshot::Sender<&'static str>,
    ledger: std::sync::Arc<Ledger>,
    console: Console,
) {
    let in_flight = || ledger.with(|counts| counts.in_flight);
    let _ = stop.send(signals.next().await);
    tracing::info!(in_flight = in_flight(), "stopping: no new ticks; a second signal stops at once");
    signals.next().await;
    tracing::warn!("stopped at once: {} records in flight are of unknown fate", in_flight());
    console.end_progress();
    console.flush(PATIENCE);
    std::process::exit(i32::from(Exit::Interrupted.code()));
}

/// The signals that ask a process to end.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for one of them and tells its name.
    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}

/// Serves the embedded stream until a signal comes.
async fn serve_local(options: LocalOptions, console: Console) -> Exit {
    let LocalOptions { shards, address, stream, .. } = options;
    let store = local::Options { stream: Some(stream.clone()), shards, ..local::Options::default() };
    let bound =
        async { Ok::<_, std::io::Error>((local::Server::bind(address, store).await?, Signals::new()?)) };
    match bound.await {
        Ok((server, mut signals)) => {
            tracing::info!("serving stream {stream} with {shards} shard(s) at {}", server.endpoint());
            server
                .serve(async move {
                    signals.next().await;
                })
                .await;
            Exit::Sent
        }
        Err(error) => complain(&console, Exit::System, &format!("can't listen on {address}: {error}")),
    }
}

/// Prints events to standard output.
fn sample(config: &Config, count: u64, separator: u8) -> Exit {
    let generator = Generator::new(config.event, config.seed.value, &config.producer);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let samples =
        Samples { job: 0, count, first_unix_millis: now.as_millis() as u64, step_millis: 100, separator };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    match samples.write(&generator, &mut out) {
        Ok(()) => Exit::Sent,
        Err(error) => {
            eprintln!("kinesis-streamer: standard output can't be written: {error}");
            Exit::System
        }
    }
}

fn print(text: &str) -> Exit {
    // A reader that has gone away has read enough.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Exit::Sent
}

fn complain(console: &Console, exit: Exit, what: &dyn std::fmt::Display) -> Exit {
    console.end_progress();
    console.print(&format!("kinesis-streamer: {what}"));
    exit
}
