//! How near the program comes to what hashing and the socket cost at least, in one run, on loopback.
//!
//! ```text
//! cargo run --release --example floor -- [--rounds N] [--seconds N] [--peers] [--rounds-only] [--document FILE]
//! cargo run --release --example floor -- sink --port N        only the null sink, for other clients
//! ```
//!
//! A null sink has core 0 and the client core 1. Ceiling, floor, the SDK as it comes and the real program run in
//! turn, each as a process of its own, so that the operating system accounts for all of them in the same way.
//! The result goes to standard output as Markdown and, with `--document`, between the marks of that file. Only
//! ratios within one run mean anything: see `docs/performance.md`. Linux only, with two cores.

mod child;
mod client;
mod document;
mod figures;
mod load;
#[path = "../../tests/support/marks.rs"]
mod marks;
#[path = "../../tests/support/memory.rs"]
mod memory;
mod numbers;
mod peers;
mod process;
mod raw;
mod rounds;
mod sdk;
mod sink;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use process::Cores;
use sink::Sink;

/// What is asked for on the command line.
#[derive(Debug)]
struct Options {
    rounds: u32,
    seconds: u64,
    rounds_only: bool,
    peers: bool,
    document: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match begin(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("floor: {error}");
            ExitCode::FAILURE
        }
    }
}

fn begin(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["sink", "--port", port] => {
            let sink = Sink::start(port.parse()?)?;
            println!("listening on 127.0.0.1:{}", sink.port);
            loop {
                std::thread::park();
            }
        }
        ["client", role, port, seconds, records] => {
            client::play(role, port.parse()?, seconds.parse()?, records.parse()?)
        }
        _ => measure(&options(&words)?, &words.join(" ")),
    }
}

fn options(words: &[&str]) -> Result<Options, Box<dyn Error>> {
    let mut options = Options { rounds: 5, seconds: 4, rounds_only: false, peers: false, document: None };
    let mut words = words.iter();
    while let Some(&word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word {
            "--rounds" => options.rounds = value()?.parse()?,
            "--seconds" => options.seconds = value()?.parse()?,
            "--rounds-only" => options.rounds_only = true,
            "--peers" => options.peers = true,
            "--document" => options.document = Some(value()?.into()),
            _ => return Err(format!("there is no option {word}").into()),
        }
    }
    Ok(options)
}

fn measure(options: &Options, asked: &str) -> Result<(), Box<dyn Error>> {
    if std::thread::available_parallelism()?.get() < 2 {
        return Err("the sink and the client need a core each".into());
    }
    let machine = document::machine();
    let binary = child::build_program()?;
    let sink = Sink::start(0)?;
    sink.pin(Cores::One(0))?;
    let rows = rounds::run(&sink, &binary, options.rounds.max(1), options.seconds.max(1))?;
    let peers = if options.peers { peers::run(&sink)? } else { Vec::new() };
    let mut figures = figures::of_rounds(&rows)?;
    if !options.rounds_only {
        figures.extend(figures::of_the_program(&sink, &binary)?);
    }
    let command = format!("cargo run --release --example floor -- {asked}");
    let result = document::markdown(command.trim_end_matches([' ', '-']), &machine, &rows, &peers, &figures)?;
    println!("{result}");
    if let Some(path) = &options.document {
        marks::fill(path, "measured", &result)?;
    }
    Ok(())
}
