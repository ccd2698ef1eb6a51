//! How many instructions fixed pieces of the hot path take, counted by valgrind's callgrind, against a baseline.
//!
//! ```text
//! cargo bench --bench instructions             compare with benches/baseline.txt; fails above +5 %
//! ACCEPT=1 cargo bench --bench instructions    make what is counted now the baseline
//! ACCEPT=new cargo bench --bench instructions  count what the baseline does not know yet, and add that alone
//! ```
//!
//! Instructions are repeatable where time is not. Each piece is run once and twice, in a process of its own, and
//! the difference is its cost: what a process costs anyway falls out, and no symbols are needed. Says nothing
//! about the socket or the hash; `examples/floor` does.
//!
//! The counts depend on the compiler and on the vector instructions that the processor offers (base64 chooses
//! by them), so the baseline names both. Where either differs, another choice of instructions is no fault of a
//! change, and a bound of 5 % would fail for nothing: only +25 % fails then, which a new compiler does not cost
//! and a lost optimisation does. The baseline should then be accepted anew with the compiler in use.

mod work;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use work::PIECES;

/// Growth that fails, in percent, with the compiler and processor of the baseline, and with others.
const BOUND: f64 = 5.0;
const WIDE_BOUND: f64 = 25.0;

/// The first line of the baseline begins so.
const MADE_WITH: &str = "# made with ";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["piece", name, times] => work_off(name, times),
        // `cargo test --all-targets` runs it too, without the optimiser: its counts would mean nothing.
        _ if !words.contains(&"--bench") => {
            println!("instructions: SKIPPED, it is for `cargo bench`");
            return ExitCode::SUCCESS;
        }
        _ if !valgrind_is_there() => {
            println!("instructions: SKIPPED, there is no valgrind (on Debian: apt-get install valgrind)");
            return ExitCode::SUCCESS;
        }
        _ => count_all(),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("instructions: {error}");
            ExitCode::FAILURE
        }
    }
}

/// In the child: one piece, so many times.
fn work_off(name: &str, times: &str) -> Result<bool, Box<dyn Error>> {
    let (_, run) = PIECES.iter().find(|(known, _)| *known == name).ok_or("no such piece")?;
    run(times.parse()?);
    Ok(true)
}

fn valgrind_is_there() -> bool {
    let asked =
        Command::new("valgrind").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

/// Counts every piece and compares; false when one has grown too much.
fn count_all() -> Result<bool, Box<dyn Error>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/baseline.txt");
    let made_with = made_with();
    let accept = std::env::var("ACCEPT").ok();
    let mut counts = BTreeMap::new();
    if accept.as_deref() == Some("new") {
        let text = std::fs::read_to_string(&path)?;
        if !text.starts_with(&format!("{MADE_WITH}{made_with}\n")) {
            return Err(format!("the baseline was not made with {made_with}: accept all of it").into());
        }
        counts = known(&text)
            .into_iter()
            .filter(|(name, _)| PIECES.iter().any(|piece| piece.0 == *name))
            .collect();
        return accept_all(counts, &path, &made_with);
    }
    for (name, _) in PIECES {
        counts.insert(name, count(name)?);
    }
    if accept.is_some() {
        return accept_all(counts, &path, &made_with);
    }
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(compare(&counts, &text, &made_with))
}

/// What one more time of a piece costs.
fn count(name: &str) -> Result<u64, Box<dyn Error>> {
    Ok(instructions(name, 2)?.saturating_sub(instructions(name, 1)?))
}

/// Makes these counts the baseline; what is not among them is counted.
fn accept_all(counts: BTreeMap<&str, u64>, path: &Path, made_with: &str) -> Result<bool, Box<dyn Error>> {
    let mut text = format!("{MADE_WITH}{made_with}\n");
    for (name, _) in PIECES {
        let count = counts.get(name).map_or_else(|| count(name), |count| Ok(*count))?;
        println!("{name:<40}{count:>14}");
        text.push_str(&format!("{count}\t{name}\n"));
    }
    std::fs::write(path, text)?;
    println!("\naccepted as {}", path.display());
    Ok(true)
}

/// The counts of a baseline.
fn known(baseline: &str) -> BTreeMap<&str, u64> {
    let lines = baseline.lines().filter_map(|line| line.split_once('\t'));
    lines.filter_map(|(count, name)| Some((name, count.parse().ok()?))).collect()
}

/// Instructions of a process that does the piece `times` times.
fn instructions(name: &str, times: u32) -> Result<u64, Box<dyn Error>> {
    let out: PathBuf = tempfile::NamedTempFile::new()?.into_temp_path().to_path_buf();
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet", &format!("--callgrind-out-file={}", out.display())])
        .arg(std::env::current_exe()?)
        .args(["piece", name, &times.to_string()])
        .output()?;
    if !run.status.success() {
        return Err(format!("{name} failed under valgrind:\n{}", String::from_utf8_lossy(&run.stderr)).into());
    }
    let text = std::fs::read_to_string(&out)?;
    std::fs::remove_file(&out)?;
    let total =
        text.lines().find_map(|line| line.strip_prefix("totals: ")).ok_or("callgrind told no total")?;
    Ok(total.trim().parse()?)
}

/// Prints the table; false when a piece has grown too much, or the baseline does not know it.
fn compare(counts: &BTreeMap<&str, u64>, baseline: &str, made_with: &str) -> bool {
    let known_with =
        baseline.lines().find_map(|line| line.strip_prefix(MADE_WITH)).unwrap_or("nothing known");
    let same = known_with == made_with;
    let bound = if same { BOUND } else { WIDE_BOUND };
    if !same {
        println!("The baseline was made with {known_with};\nthis is {made_with}.");
        println!("Only growth above {WIDE_BOUND} % fails.\n");
    }
    let before = known(baseline);
    println!("{:<40}{:>14}{:>14}{:>10}", "instructions", "baseline", "now", "change");
    let mut good = true;
    for (name, _) in PIECES {
        let now = counts[name];
        let Some(&before) = before.get(name) else {
            println!("{name:<40}{:>14}{now:>14}       new", "–");
            good = false;
            continue;
        };
        let change = (now as f64 / before as f64 - 1.0) * 100.0;
        let remark = match change {
            worse if worse > bound => "  GROWN",
            better if better < -bound => "  less: accept it, so that it stays",
            _ => "",
        };
        good &= change <= bound;
        println!("{name:<40}{before:>14}{now:>14}{change:>+9.1}%{remark}");
    }
    let accept = "ACCEPT=1 cargo bench --bench instructions (ACCEPT=new: what is new, alone)";
    if good {
        println!("\nNothing has grown by more than {bound} %.");
    } else {
        println!("\nSomething is new, or has grown by more than {bound} %. If that is worth it: {accept}");
    }
    good
}

/// What the counts depend on besides the code.
fn made_with() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let rustc = Command::new(rustc).arg("-V").output();
    let rustc = rustc.map_or_else(
        |_| "an unknown rustc".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    );
    let vectors = std::fs::read_to_string("/proc/cpuinfo").is_ok_and(|text| text.contains(" avx2 "));
    format!("{rustc}, {}, {}", std::env::consts::ARCH, if vectors { "AVX2" } else { "no AVX2" })
}
