//! Runs the real program in a faulty world, and writes what became of every record: the matrix, or a soak.
//!
//! ```text
//! cargo run --example faults -- [--short] [--only TEXT] [--document FILE]
//! cargo run --example faults -- --soak DURATION [--rate N]
//! ```
//!
//! The result goes to standard output as Markdown and, with `--document`, between the marks of that file. The exit
//! code is 1 when any account of any record differs from the others. See `docs/faults.md`. Linux only.

#[path = "../../tests/support/mod.rs"]
mod faulty;

mod document;
mod soak;

use std::error::Error;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use faulty::scenarios::{self, Action};
use faulty::stage::{self, Scale};
use faulty::{subject, verdict};

/// What is asked for on the command line.
struct Options {
    scale: Scale,
    only: String,
    document: Option<PathBuf>,
    soak: Option<Duration>,
    rate: u32,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match begin(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("faults: {error}");
            ExitCode::FAILURE
        }
    }
}

fn begin(arguments: &[String]) -> Result<bool, Box<dyn Error>> {
    let options = options(arguments)?;
    let binary = build_program()?;
    match options.soak {
        Some(length) => soak::run(&binary, length, options.rate),
        None => matrix(&options, &binary, &arguments.join(" ")),
    }
}

fn options(arguments: &[String]) -> Result<Options, Box<dyn Error>> {
    let mut options =
        Options { scale: Scale::Whole, only: String::new(), document: None, soak: None, rate: 10_000 };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--short" => options.scale = Scale::Short,
            "--only" => options.only.clone_from(value()?),
            "--document" => options.document = Some(value()?.into()),
            "--soak" => options.soak = Some(humantime::parse_duration(value()?)?),
            "--rate" => options.rate = value()?.parse()?,
            _ => return Err(format!("there is no option {word}").into()),
        }
    }
    Ok(options)
}

/// Plays every scenario, one after the other.
fn matrix(options: &Options, binary: &std::path::Path, asked: &str) -> Result<bool, Box<dyn Error>> {
    let machine = document::machine();
    let (mut table, mut skipped, mut good) = (verdict::markdown_head(), String::new(), true);
    for scenario in scenarios::all().iter().filter(|scenario| scenario.name.contains(&options.only)) {
        if let (Action::NoName, Err(why)) = (&scenario.action, subject::private_names()) {
            skipped.push_str(&format!("\nNot run here: {} ({why}).\n", scenario.name));
            continue;
        }
        let row = stage::play(binary, scenario, options.scale)?;
        eprintln!("{}: {} {}", row.name, row.reasons, row.problems.join("; "));
        good &= row.agrees();
        table.push_str(&row.markdown());
    }
    let command = format!("cargo run --example faults -- {asked}");
    let result = format!("{machine}\n    {}\n\n{table}{skipped}", command.trim_end_matches([' ', '-']));
    println!("{result}");
    if let Some(path) = &options.document {
        faulty::marks::fill(path, "matrix", &result)?;
    }
    Ok(good)
}

/// The program, built anew if it has to be, in the profile of this command.
fn build_program() -> Result<PathBuf, Box<dyn Error>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // With this example, so that the libraries are not compiled a second time for the program alone.
    command.args(["build", "--bins", "--example", "faults", "--manifest-path"]);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    if !command.status()?.success() {
        return Err("the program can't be built".into());
    }
    let own = std::env::current_exe()?;
    let folder = own.parent().and_then(std::path::Path::parent).ok_or("no target folder")?;
    Ok(folder.join("kinesis-streamer"))
}
