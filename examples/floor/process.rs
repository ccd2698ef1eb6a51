//! Processes and threads as the operating system accounts for them: cores, CPU time, memory.

use std::fs;
use std::io;
use std::time::Duration;

use rustix::param::clock_ticks_per_second;
use rustix::thread::{CpuSet, Pid, sched_setaffinity};
use rustix::time::{ClockId, clock_gettime};

/// Where something may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cores {
    /// On this one alone.
    One(usize),
    /// On the first two.
    Both,
}

/// Keeps a thread (0 for the calling one) on `cores`. Processes that it starts afterwards are kept there too.
pub fn pin(thread: i32, cores: Cores) -> io::Result<()> {
    let mut set = CpuSet::new();
    match cores {
        Cores::One(core) => set.set(core),
        Cores::Both => (0..2).for_each(|core| set.set(core)),
    }
    Ok(sched_setaffinity(Pid::from_raw(thread), &set)?)
}

/// The calling thread's id.
pub fn this_thread() -> io::Result<i32> {
    let link = fs::read_link("/proc/thread-self")?;
    let id = link.file_name().and_then(|id| id.to_str()?.parse().ok());
    id.ok_or_else(|| io::Error::other("/proc/thread-self names no thread"))
}

/// CPU time of the calling process, from inside.
pub fn own_cpu() -> io::Result<Duration> {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).map_err(io::Error::other)
}

/// CPU time, user and system, of all children that have ended and were waited for; exact to a clock tick of 10 ms.
pub fn ended_children_cpu() -> io::Result<Duration> {
    let text = fs::read_to_string("/proc/self/stat")?;
    // Fields 16 and 17 (proc_pid_stat(5)), counted behind the name, which may hold spaces.
    let ticks = text.rsplit(')').next().map(|rest| rest.split_ascii_whitespace().skip(13).take(2));
    let ticks = ticks.into_iter().flatten().map(str::parse::<u64>).sum::<Result<u64, _>>();
    let ticks = ticks.map_err(io::Error::other)?;
    Ok(Duration::from_secs_f64(ticks as f64 / clock_ticks_per_second() as f64))
}

/// CPU time of the thread whose folder in `/proc` is given.
pub fn thread_cpu(folder: &str) -> io::Result<Duration> {
    let text = fs::read_to_string(format!("{folder}/schedstat"))?;
    let nanos = text.split_ascii_whitespace().next().and_then(|nanos| nanos.parse().ok());
    nanos.map(Duration::from_nanos).ok_or_else(|| io::Error::other("schedstat has no number"))
}

/// CPU time of the threads that a running process has now.
pub fn running_cpu(process: u32) -> io::Result<Duration> {
    let mut sum = Duration::ZERO;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        // A thread may end while we look.
        sum += thread_cpu(&thread?.path().to_string_lossy()).unwrap_or_default();
    }
    Ok(sum)
}
