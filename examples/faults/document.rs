//! Where the matrix stands in its document, and the machine that it is from.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

const BEGIN: &str = "<!-- matrix -->\n";
const END: &str = "<!-- /matrix -->";

/// Puts `result` between the marks of the document at `path`.
pub fn fill(path: &Path, result: &str) -> io::Result<()> {
    let text = fs::read_to_string(path)?;
    let marks = text.find(BEGIN).map(|at| at + BEGIN.len()).zip(text.find(END));
    let (start, end) =
        marks.filter(|(start, end)| start <= end).ok_or_else(|| io::Error::other("no marks"))?;
    fs::write(path, format!("{}\n{result}\n{}", &text[..start], &text[end..]))
}

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
