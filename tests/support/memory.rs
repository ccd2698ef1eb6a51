//! The resident memory of a process, as Linux tells it.

use std::fs;

/// Resident memory of a process in bytes: now, and at its peak. None when it has ended, and while it still is a
/// copy of this one.
///
/// A child that was just started may for a moment still stand in its parent's memory (Linux wakes the parent of a
/// `vfork` before the child has a memory of its own), and that must not be taken for its peak. Its arguments are the
/// parent's then too.
pub fn memory(process: u32) -> Option<(u64, u64)> {
    if fs::read(format!("/proc/{process}/cmdline")).ok()? == fs::read("/proc/self/cmdline").ok()? {
        return None;
    }
    let text = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? * 1024)
    };
    Some((field("VmRSS:")?, field("VmHWM:")?))
}
