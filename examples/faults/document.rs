//! The machine that a matrix is from.

use std::fs;
use std::process::Command;

/// What the result depends on besides the program.
pub fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let processor = read("/proc/cpuinfo");
    let model = processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = processor.lines().filter(|line| line.starts_with("processor")).count();
    let rustc = Command::new("rustc").arg("-V").output();
    let rustc = rustc.map_or_else(|_| String::new(), |output| String::from_utf8_lossy(&output.stdout).into());
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    format!(
        "- {}, {cores} cores; Linux {}; {}; {build} build\n- load average at the start: {}\n",
        model.map_or("unknown", |(_, name)| name),
        read("/proc/sys/kernel/osrelease").trim(),
        rustc.trim(),
        read("/proc/loadavg").split(' ').next().unwrap_or("unknown"),
    )
}
