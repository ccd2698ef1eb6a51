//! Whole runs that are judged: thresholds make the exit code, and a client that is held back says so.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::{Endpoint, Finished, Program, counts};

/// A load that needs little: any machine that is not held back makes it in time.
const QUIET: [&str; 4] = ["--local", "--jobs=2", "--messages=5", "--pacing=smooth"];

fn event(log: &str, message: &str) -> Option<serde_json::Value> {
    let events = log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    events.map(|mut event| event["fields"].take()).find(|fields| fields["message"] == message)
}

fn run(arguments: &[&str]) -> Finished {
    let endpoint = Endpoint::open(vec![], vec![]);
    let all = [&["--jobs=1", "--messages=40", "--max-records=40"], arguments].concat();
    Program::against(&endpoint, &all).finish()
}

#[test]
fn a_threshold_that_is_breached_makes_exit_code_99_and_one_that_is_kept_does_not() {
    for (arguments, code) in [
        (&["--fail-if", "sent < 40"][..], 0),
        (&["--fail-if", "sent >= 40"], 99),
        (&["--fail-if", "failed > 0", "--fail-if", "p50 > 0s"], 99),
        (&["--fail-if", "failed > 0; throttled_ratio > 1%; p99 > 10min"], 0),
    ] {
        let finished = run(arguments);
        assert_eq!(finished.code, code, "{arguments:?}: {}", finished.stderr);
        let told = event(&finished.stderr, "threshold").expect("it is told");
        assert!(told["expression"].is_string() && told["value"].is_number(), "{told}");
    }
}

#[test]
fn what_is_wrong_with_conditions_is_told_at_once_and_before_the_first_record() {
    let finished =
        Program::run(&["--local", "--max-records=1", "--fail-if", "p98 > 3ms", "--fail-if", "p99 > 3"])
            .env("STREAMER_REPORT", "run.pdf")
            .finish();
    assert_eq!((finished.code, event(&finished.stderr, "run ended")), (64, None), "{}", finished.stderr);
    for part in ["did you mean p9", "\"3\" is no value for p99", "run.pdf ends in neither"] {
        assert!(finished.stderr.contains(part), "{part}: {}", finished.stderr);
    }
}

#[test]
fn a_quiet_run_is_not_called_limited_by_its_client() {
    let finished =
        Program::run(&[&QUIET[..], &["--duration=6s", "--fail-if=client_limited"]].concat()).finish();
    let fields = event(&finished.stderr, "run ended").expect("its end");
    assert_eq!((finished.code, &fields["client_limited"]), (0, &false.into()), "{}", finished.stderr);
}

// The process gets a quarter of the time: it stands still for 150 ms of every 200.
#[test]
fn a_process_that_is_stopped_most_of_the_time_says_so() {
    let running =
        Program::run(&[&QUIET[..], &["--duration=6s", "--fail-if=client_limited"]].concat()).start();
    let id = i32::try_from(running.id()).ok().and_then(rustix::process::Pid::from_raw).expect("a process");
    let signal = |signal| {
        // Gone already: then it has told what it had to.
        let _ = rustix::process::kill_process(id, signal);
    };
    let began = Instant::now();
    // The child is not reaped before `finish`, so its id stays its own.
    while began.elapsed() < Duration::from_millis(5_500) {
        signal(rustix::process::Signal::STOP);
        std::thread::sleep(Duration::from_millis(150));
        signal(rustix::process::Signal::CONT);
        std::thread::sleep(Duration::from_millis(50));
    }
    let (code, log) = running.finish();
    let finding = event(&log, "client-limited").unwrap_or_else(|| panic!("no finding in {log}"));
    assert_eq!((code, &finding["cause"]), (99, &"stalled".into()), "{log}");
    assert_eq!(counts(&log)["sent"] + counts(&log)["dropped"], counts(&log)["due"]);
}

/// A control group with a twentieth of a CPU; taken away at the end.
struct Group(PathBuf);

impl Group {
    /// Makes one, where this process may.
    fn new() -> Result<Self, String> {
        let name = format!("kinesis-streamer-test-{}", std::process::id());
        let write = |path: PathBuf, text: &str| {
            std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
        };
        let make = |folder: PathBuf| {
            std::fs::create_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
            Ok::<_, String>(Self(folder))
        };
        let (second, first) = (Path::new("/sys/fs/cgroup"), Path::new("/sys/fs/cgroup/cpu"));
        if std::fs::read_to_string(second.join("cgroup.controllers")).is_ok_and(|all| all.contains("cpu")) {
            write(second.join("cgroup.subtree_control"), "+cpu")?;
            let group = make(second.join(name))?;
            write(group.0.join("cpu.max"), "5000 100000")?;
            return Ok(group);
        }
        let group = make(first.join(name))?;
        write(group.0.join("cpu.cfs_period_us"), "100000")?;
        write(group.0.join("cpu.cfs_quota_us"), "5000")?;
        Ok(group)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.0);
    }
}

#[test]
fn a_process_that_is_held_to_a_fraction_of_a_cpu_says_so() {
    let group = match Group::new() {
        Ok(group) => group,
        Err(why) => {
            eprintln!("skipped: a process at its quota, because no control group can be made here: {why}");
            return;
        }
    };
    let procs = group.0.join("cgroup.procs");
    let script = format!("echo $$ > {}", procs.display());
    if !Command::new("sh").args(["-c", &script]).status().expect("a shell").success() {
        eprintln!("skipped: a process at its quota, because none can be moved to {}", procs.display());
        return;
    }
    let arguments = ["--local=2", "--jobs=10", "--messages=100", "--duration=6s", "--report=run.json"];
    let finished =
        Program::run(&[&arguments[..], &["--fail-if=client_limited"]].concat()).under(&script).finish();
    let finding = event(&finished.stderr, "client-limited").unwrap_or_else(|| panic!("{}", finished.stderr));
    assert!(matches!(finding["cause"].as_str(), Some("cpu" | "quota")), "{}", finished.stderr);
    assert!(matches!(finished.code, 99 | 1), "{}", finished.stderr);
}
