//! Surroundings that a daemon meets once in its life: it says what is wrong, or runs; it never hangs and never lies.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::process::Stdio;

use crate::support::{Program, counts};

const TEN: [&str; 2] = ["--local", "--max-records=10"];

#[test]
fn a_reader_that_has_read_enough_ends_a_sample() {
    let mut command = Program::new(&["sample", "100000000", "--seed=1"]).into_command();
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
    assert!(line.starts_with("{\"id\":"), "{line}");
    let mut told = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut told).expect("text");
    assert_eq!((child.wait().expect("an end").code(), told.as_str()), (Some(0), ""));
}

#[test]
fn closed_standard_streams_change_nothing() {
    for streams in ["exec >&-", "exec 2>&-", "exec <&-", "exec <&- >&- 2>&-"] {
        for (arguments, code) in [(&TEN[..], 0), (&["sample", "3"], 0), (&["--help"], 0), (&["--jobs=0"], 64)]
        {
            let finished = Program::run(arguments).under(streams).finish();
            assert_eq!(finished.code, code, "{streams}: {arguments:?}: {}", finished.stderr);
        }
    }
}

#[test]
fn a_full_standard_error_takes_no_exit_code_away() {
    for (arguments, code) in
        [(&TEN[..], 0), (&["sample", "3"], 0), (&["--jobs=0"], 64), (&["--nonsense"], 64)]
    {
        let finished = Program::run(arguments).under("exec 2>/dev/full").finish();
        assert_eq!(finished.code, code, "{arguments:?}");
    }
    let both = Program::run(&["sample", "3"]).under("exec >/dev/full 2>/dev/full").finish();
    assert_eq!(both.code, 71);
}

#[test]
fn a_working_directory_that_is_gone_and_no_home_are_no_trouble() {
    for script in ["mkdir gone && cd gone && rmdir ../gone", "unset HOME", "HOME=/nonexistent", "cd /"] {
        let finished = Program::run(&TEN).under(script).finish();
        assert_eq!((finished.counts()["sent"], finished.code), (10, 0), "{script}");
    }
}

#[test]
fn a_settings_file_that_can_not_be_read_is_told() {
    for script in ["mkdir .env", "printf 'A\\377=1\\n' >.env"] {
        let finished = Program::run(&TEN).under(script).finish();
        assert_eq!((finished.code, finished.stdout.as_str()), (64, ""), "{script}");
        assert!(finished.stderr.contains(".env can't be read"), "{script}: {}", finished.stderr);
    }
}

#[test]
fn few_open_files_are_told_and_enough_for_a_run_that_needs_no_more() {
    let finished = Program::run(&["--local", "--max-records=100"]).under("ulimit -n 64").finish();
    let told = finished.counts();
    assert_eq!((told["sent"], told["held"], finished.code), (100, 100, 0));
    assert!(finished.stderr.contains("ulimit -n 320"), "{}", finished.stderr);
    // A limit that may be raised is raised, and is no word worth.
    let finished = Program::run(&TEN).under("ulimit -Sn 64").finish();
    assert_eq!(finished.code, 0);
    assert!(!finished.stderr.contains("ulimit"), "{}", finished.stderr);
}

#[test]
fn too_few_open_files_end_in_counts_that_add_up_or_in_a_word() {
    let load = ["--local", "--jobs=60", "--max-records=600", "--request-timeout=1s", "--max-attempts=3"];
    let finished = Program::run(&load).under("ulimit -n 32").finish();
    let told = finished.counts();
    assert_eq!(told["due"], 600);
    // The stream holds all that was counted as sent, and no more than may be stored.
    assert!(told["sent"] <= told["held"], "{told:?}");
    assert!(finished.stderr.contains("open files"), "{}", finished.stderr);
    assert!(finished.stderr.lines().count() < 40, "it is told without a flood: {}", finished.stderr);
    let finished = Program::run(&TEN).under("ulimit -n 8").finish();
    assert_eq!(finished.code, 71);
    assert!(finished.stderr.contains("Too many open files"), "{}", finished.stderr);
}

#[test]
fn without_a_parent_a_terminal_or_input_it_obeys_signals() {
    // The shell is gone at once, so the daemon is nobody's child.
    let finished = Program::run(&["--local"])
        .under("set -m; \"$0\" \"$@\" <&- >out 2>log & echo $! >pid; pwd; exit 0; :")
        .keep();
    let folder = finished.folder.path();
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
    while !read("log").contains("run begins") {
        std::thread::yield_now();
    }
    let killed = std::process::Command::new("kill").arg("-TERM").arg(read("pid").trim()).status();
    assert!(killed.expect("kill").success());
    while !read("log").contains("run ended") {
        std::thread::yield_now();
    }
    assert_eq!(read("out"), "");
    let ended = counts(&read("log"));
    assert_eq!(ended["sent"], ended["generated"]);
}

#[test]
fn bytes_that_are_no_text_are_told_for_every_setting_and_change_no_other_output() {
    let odd = OsStr::from_bytes(b"a\xffb");
    let mut command = Program::new(&["--seed=1"]).into_command();
    let settings = kinesis_streamer::config::SETTINGS;
    for setting in settings {
        command.env(setting.name, odd);
    }
    command.env("UNRELATED", odd).env(OsStr::from_bytes(b"\xfe"), odd);
    let output = command.output().expect("it starts");
    let told = String::from_utf8(output.stderr).expect("what is told is text");
    assert_eq!((output.status.code(), output.stdout.len()), (Some(64), 0), "{told}");
    for setting in settings {
        assert!(
            told.contains(&format!("{}: must be valid Unicode", setting.name)),
            "{}: {told}",
            setting.name
        );
    }
    for argument in [&b"--stream=\xff"[..], b"--\xff", b"\xff", b"-\xff", b"sample\xff"] {
        let mut command = Program::new(&["--jobs=0"]).into_command();
        let output = command.arg(OsStr::from_bytes(argument)).output().expect("it starts");
        let told = String::from_utf8(output.stderr).expect("what is told is text");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(64), 0), "{told}");
        assert!(told.contains("--jobs: must be a whole number"), "{argument:?}: {told}");
    }
}
