//! The daemon's life in order: settings, logging, start, run, signals, exit code.
//!
//! Environment, signals, standard streams and process exit live here and nowhere else.

use std::cell::Cell;
use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kinesis_streamer::app::{self, App};
use kinesis_streamer::config::{
    self, Config, HealthOptions, Here, Invocation, LocalOptions, Log, LogFormat, StreamOptions, settings,
};
use kinesis_streamer::exit::Exit;
use kinesis_streamer::expose::tui::LEAVE;
use kinesis_streamer::expose::{Console, Terminal};
use kinesis_streamer::generate::{Event, Maker, Samples};
use kinesis_streamer::{crash, local};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::system::uname;
use tokio::sync::{mpsc, oneshot};

#[path = "main/compare.rs"]
mod compare;
#[path = "main/env_file.rs"]
mod env_file;
#[path = "main/files.rs"]
mod files;
#[path = "main/lab.rs"]
mod lab;
#[path = "main/log.rs"]
mod log;
#[path = "main/say.rs"]
mod say;
#[path = "main/signals.rs"]
mod signals;
#[path = "main/verify.rs"]
mod verify;

use env_file::env_file;
use files::{reports, show_journal};
use log::start_log;
use say::{complain, print, refuse, say, tell, unwritable};
use signals::Signals;

/// How long the end of the process waits for standard error to be read.
const PATIENCE: Duration = Duration::from_secs(2);

/// Keys that wait to be heard: as many as there are things to stop.
const MOST_KEYS: usize = 3;

fn main() -> ExitCode {
    let exit = match asked() {
        Ok(Invocation::Help(text) | Invocation::Version(text)) => print(&text),
        Ok(Invocation::Sample { config, count, separator }) => match event(&config) {
            Ok((event, notes)) => sample(&config, &event, &notes, count, separator),
            Err(error) => refuse(&error),
        },
        Ok(Invocation::Lint(file, language)) => tell(app::lint_template(&file, language, io::stdin())),
        Ok(Invocation::Import { from, periods, into }) => {
            tell(app::import_saved(&from, periods.as_ref(), &into, io::stdin()))
        }
        Ok(Invocation::Plan { config, svg }) => match event(&config) {
            Ok((event, _)) => draw(&config, &event, svg.as_deref()),
            Err(error) => refuse(&error),
        },
        Ok(Invocation::Local(options)) => {
            let log = options.log.clone();
            live(&log, |console| serve_local(options, console))
        }
        Ok(Invocation::Verify(options)) => {
            let log = options.log.clone();
            live(&log, |console| verify::run(*options, console))
        }
        Ok(Invocation::Stream(options)) => {
            let log = options.log.clone();
            live(&log, |console| stream(*options, console))
        }
        Ok(Invocation::CompareRetry(mut options)) => match event(&options.config) {
            Ok((event, notes)) => {
                options.config.notices.extend(notes);
                let log = options.config.log.clone();
                live(&log, |console| compare::retry(*options, event, console))
            }
            Err(error) => refuse(&error),
        },
        Ok(Invocation::Healthcheck(options)) => healthcheck(&options),
        Ok(Invocation::Report(task)) => reports(&task),
        Ok(Invocation::Journal { path, json }) => show_journal(&path, json),
        Ok(Invocation::Check { config, json }) => lab::check(*config, json),
        Ok(Invocation::Capacity(options)) => lab::capacity(*options),
        Ok(Invocation::Run(mut config)) => match event(&config) {
            Ok((event, notes)) => {
                config.notices.extend(notes);
                let log = config.log.clone();
                live(&log, |console| run(*config, event, console))
            }
            Err(error) => refuse(&error),
        },
        Err(problems) => refuse(&*problems),
    };
    ExitCode::from(exit.code())
}

/// The event that the settings name, with its template read, and what is to be said of that.
fn event(config: &Config) -> Result<(Event, Vec<String>), app::EventError> {
    app::read_event(config, io::stdin())
}

/// Reads `.env`, the environment and the command line.
fn asked() -> Result<Invocation, Box<dyn std::error::Error>> {
    let real: Vec<(OsString, OsString)> = std::env::vars_os().collect();
    let file = env_file(Path::new(".env"))?;
    // Before any thread runs: AWS's own variables must be in the process's environment, where the SDK looks.
    if !file.is_empty() {
        dotenvy::from_path(".env")?;
    }
    // Whatever names a stream in the environment wins over whatever does in the file.
    let names: Vec<&str> = settings::STREAM.names().collect();
    let is_stream = |name: &OsString| names.iter().any(|known| name == known);
    let has_stream = real.iter().any(|(name, _)| is_stream(name));
    let has = |name: &OsString| real.iter().any(|(known, _)| known == name);
    let added: Vec<_> =
        file.into_iter().filter(|(name, _)| !(has(name) || has_stream && is_stream(name))).collect();
    let here = Here { fresh_seed: fastrand::u64(..), host: host() };
    Ok(config::read_here(real.into_iter().chain(added), std::env::args_os(), here)?)
}

/// What this machine is called.
fn host() -> Option<String> {
    uname().nodename().to_str().ok().map(str::to_owned)
}

/// Sets up standard error, the log and the runtime, and lives `life` to its end.
fn live<L: Future<Output = Exit>>(log: &Log, life: impl FnOnce(Console) -> L) -> Exit {
    let set_up = || -> io::Result<_> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        Ok((runtime, Console::start(io::stderr(), terminal())?.with_size(size)))
    };
    let (runtime, console) = match set_up() {
        Ok(both) => both,
        Err(error) => {
            say(&format!("kinesis-streamer: threads can't be started: {error}"));
            return Exit::System;
        }
    };
    crash::on_panic(last_words(console.clone()));
    start_log(log, &console);
    let exit = runtime.block_on(life(console.clone()));
    console.flush(PATIENCE);
    exit
}

/// What a panic leads to: a word, and the end.
fn last_words(console: Console) -> impl Fn(&str) + Send + Sync {
    move |what| {
        let told = "this is a defect, please report it; its counts are lost, but for what its journal holds";
        let full = app::give_terminal_back(&console);
        complain(&console, Exit::Defect, &format!("{what}\n{told}"));
        if !console.flush(PATIENCE) && full {
            // Who would write is perhaps who panicked; a terminal that shows nothing helps nobody.
            let _ = io::stderr().write_all(LEAVE);
            say(what);
        }
        std::process::exit(i32::from(Exit::Defect.code()));
    }
}

fn terminal() -> Terminal {
    let variable = |name| std::env::var(name).ok();
    let is_terminal = io::stderr().is_terminal();
    let width = size().map(|(width, _)| usize::from(width));
    Terminal::new(is_terminal, variable("NO_COLOR").as_deref(), variable("TERM").as_deref(), width)
}

/// The columns and lines that standard error has now, where it is a terminal.
fn size() -> Option<(u16, u16)> {
    terminal_size::terminal_size_of(io::stderr()).map(|(width, height)| (width.0, height.0))
}

/// How many files this process may open: the limit, raised as far as it goes. None where there is no limit.
fn open_files() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit { current: limit.maximum, ..limit };
    // Some systems have a hidden maximum; then it stays as it was.
    if setrlimit(Resource::Nofile, most).is_ok() { limit.maximum } else { limit.current }
}

/// The run: start, load, drain, summary.
async fn run(mut config: Config, event: Event, console: Console) -> Exit {
    let notice = open_files().and_then(|limit| app::too_few(limit, &config));
    config.notices.extend(notice);
    let format = config.log.format;
    // Caught from the start: as a container's first process, nothing would end us otherwise.
    let mut signals = match caught(&console) {
        Ok(signals) => signals,
        Err(exit) => return exit,
    };
    if config.dry_run {
        let planned = tokio::select! {
            planned = Box::pin(app::dry_run(&config, &event)) => planned,
            _ = signals.next() => return Exit::Interrupted,
        };
        return match planned {
            Ok(plan) => print(&plan),
            Err(error) => complain(&console, error.exit(), &error),
        };
    }
    let keys = match config.tui {
        true if !console.terminal().live => {
            let why = "STREAMER_TUI (--tui) needs a terminal that can be drawn on, and standard error is none: leave it out \
                       for plain lines";
            return complain(&console, Exit::Usage, &why);
        }
        true => {
            let (keys, pressed) = mpsc::channel(MOST_KEYS);
            signals.hear(pressed);
            Some(keys)
        }
        false => None,
    };
    let started = tokio::select! {
        started = App::start(config, &event, console.clone()) => started,
        _ = signals.next() => return Exit::Interrupted,
    };
    let app = match started {
        Ok(app) => app,
        Err(error) => return complain(&console, error.exit(), &error),
    };
    let app = match keys {
        Some(keys) => app.with_keys(keys),
        None => app,
    };
    let (stop, stopped) = oneshot::channel();
    let (abort, aborted) = oneshot::channel();
    tokio::spawn(obey(signals, stop, abort, console.clone()));
    let interrupted = Cell::new(false);
    let aborted = async {
        or_never(aborted).await;
        interrupted.set(true);
    };
    // Boxed for its size: all that a run holds.
    let ended = Box::pin(app.run(or_never(stopped), aborted)).await;
    match ended {
        Ok(report) => {
            match format {
                LogFormat::Text => console.print(&report.text()),
                LogFormat::Json => report.log(),
            }
            // Counts that can't be trusted are worth more than a word on who ended the run.
            match report.exit() {
                Exit::Defect => Exit::Defect,
                _ if interrupted.get() => Exit::Interrupted,
                exit => exit,
            }
        }
        Err(error) => complain(&console, error.exit(), &error),
    }
}

/// The signals, from here on ours to obey.
fn caught(console: &Console) -> Result<Signals, Exit> {
    let failed = |error| complain(console, Exit::System, &format!("signals can't be caught: {error}"));
    Signals::new().map_err(failed)
}

/// Makes, takes away or describes a stream; a signal leaves it as it is then.
async fn stream(options: StreamOptions, console: Console) -> Exit {
    let mut signals = match caught(&console) {
        Ok(signals) => signals,
        Err(exit) => return exit,
    };
    // Boxed for its size.
    let done = tokio::select! {
        done = Box::pin(app::stream(&options)) => done,
        _ = signals.next() => return Exit::Interrupted,
    };
    match done {
        Ok(told) => print(&told),
        Err(error) => complain(&console, error.exit(), &error),
    }
}

/// Asks a listener whether it lives.
fn healthcheck(options: &HealthOptions) -> Exit {
    let (told, exit) = app::healthcheck(options);
    say(&told);
    exit
}

/// What the channel brings; nothing, ever, when its sender is gone.
async fn or_never<T>(channel: oneshot::Receiver<T>) -> T {
    match channel.await {
        Ok(told) => told,
        Err(_) => std::future::pending().await,
    }
}

/// The first signal ends the schedule, the second the waiting.
async fn obey(
    mut signals: Signals,
    stop: oneshot::Sender<&'static str>,
    abort: oneshot::Sender<()>,
    console: Console,
) {
    let signal = signals.next().await;
    // Said before it is done: the last line of the log is the run's end.
    tracing::info!("stopping: no new ticks; waiting for what is in flight; a second signal stops at once");
    let _ = stop.send(signal);
    signals.next().await;
    tracing::warn!("stopped at once: what is in flight is of unknown fate");
    let _ = abort.send(());
    // Should even that hang, a third signal ends the process.
    tokio::spawn(async move {
        signals.next().await;
        app::give_terminal_back(&console);
        console.flush(PATIENCE);
        std::process::exit(i32::from(Exit::Interrupted.code()));
    });
}

/// Serves the embedded stream until a signal comes.
async fn serve_local(options: LocalOptions, console: Console) -> Exit {
    let LocalOptions { shards, address, stream, .. } = options;
    let store = local::Options { stream: Some(stream.clone()), shards, ..local::Options::default() };
    let bound = async { Ok::<_, io::Error>((local::Server::bind(address, store).await?, Signals::new()?)) };
    match bound.await {
        Ok((server, mut signals)) => {
            let shards = if shards == 1 { "1 shard".to_owned() } else { format!("{shards} shards") };
            tracing::info!("serving stream {stream} with {shards} at {}", server.endpoint());
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
fn sample(config: &Config, event: &Event, notes: &[String], count: u64, separator: u8) -> Exit {
    let maker = match Maker::new(event, &config.shaping, config.seed.value, &config.producer) {
        Ok(maker) => maker,
        Err(error) => return refuse(&error),
    };
    notes.iter().chain(&maker.note()).for_each(|note| say(note));
    if !config.seed.given {
        say(&format!("seed {}", config.seed.value));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let samples =
        Samples { job: 0, count, first_unix_millis: now.as_millis() as u64, step_millis: 100, separator };
    let mut out = io::BufWriter::new(io::stdout().lock());
    match samples.write(&maker, &mut out) {
        Ok(()) => maker.failure().map_or(Exit::Sent, |why| refuse(&format!("an event is left out: {why}"))),
        Err(error) => unwritable(&error),
    }
}

/// Draws the load over time, as wide as standard output is, and plainly where that is no terminal.
fn draw(config: &Config, event: &Event, svg: Option<&Path>) -> Exit {
    let width = terminal_size::terminal_size_of(io::stdout()).map_or(88, |(width, _)| usize::from(width.0));
    match app::draw(config, event, svg, width, !io::stdout().is_terminal()) {
        Ok(drawn) => tell(drawn),
        Err(error) => refuse(&error),
    }
}
