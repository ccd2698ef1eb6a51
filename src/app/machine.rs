//! What this process may use of the machine, and what of it was kept from it: reads /proc and control groups.
//!
//! Decides nothing. What is not there (another system than Linux, no control groups, no right to look) is none.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::thread::sched_getaffinity;

use crate::expose::processors;

/// Where control groups are looked for: version 2, version 2 beside 1, version 1.
const MOUNTS: [&str; 4] =
    ["/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"];

/// Where the memory's control group of version 1 is.
const MEMORY: &str = "/sys/fs/cgroup/memory";

/// Ticks of /proc/stat in a second: the kernel's USER_HZ, which is 100 on every architecture that Rust knows.
const TICKS: f64 = 100.0;

/// What this process may use.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Machine {
    /// CPUs that it may run on.
    pub cpus: usize,
    /// CPUs' worth of time that its control group may use; none where there is no quota.
    pub quota: Option<f64>,
    /// Bytes of memory that its control group may use; none where there is no limit.
    pub memory: Option<u64>,
    /// The files that tell how long its groups with a quota were held back.
    stats: Vec<PathBuf>,
}

impl Machine {
    /// Looks once.
    pub(super) fn look() -> Self {
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let cpus = sched_getaffinity(None).map_or(0, |set| set.count() as usize);
        let cpus = match cpus {
            0 => processors(),
            cpus => cpus,
        };
        let mounts: Vec<PathBuf> = MOUNTS.iter().map(PathBuf::from).collect();
        Self::of(cpus, &own, &mounts, Path::new(MEMORY))
    }

    fn of(cpus: usize, own: &str, mounts: &[PathBuf], memory_mount: &Path) -> Self {
        let groups: Vec<PathBuf> = mounts.iter().flat_map(|mount| folders(mount, own, "cpu")).collect();
        let limited: Vec<(f64, &PathBuf)> =
            groups.iter().filter_map(|folder| Some((quota(folder)?, folder))).collect();
        let quota = limited.iter().map(|(quota, _)| *quota).reduce(f64::min);
        let stats = limited.iter().map(|(_, folder)| folder.join("cpu.stat")).collect();
        let memory = mounts
            .iter()
            .flat_map(|mount| folders(mount, own, "memory"))
            .map(|folder| folder.join("memory.max"))
            .chain(folders_of_memory(memory_mount, own))
            .filter_map(|file| fs::read_to_string(file).ok()?.trim().parse::<u64>().ok())
            // "No limit" is a number of pages near 2^63 there.
            .filter(|&bytes| bytes < 1 << 60)
            .min();
        Self { cpus, quota, memory, stats }
    }

    /// CPUs' worth of time that it may use.
    pub(super) fn cores(&self) -> f64 {
        self.quota.unwrap_or(f64::INFINITY).min(self.cpus as f64)
    }

    /// How long its control groups were held back for their quotas.
    pub(super) fn quota_held(&self) -> Option<Duration> {
        let held = |file: &PathBuf| held(&fs::read_to_string(file).ok()?);
        self.stats.iter().filter_map(held).reduce(|one, other| one + other)
    }
}

fn folders_of_memory(mount: &Path, own: &str) -> Vec<PathBuf> {
    folders(mount, own, "memory").into_iter().map(|folder| folder.join("memory.limit_in_bytes")).collect()
}

/// The process's group below `mount` and all groups above it, as far as they can be seen: inside a container, paths of
/// the host lead nowhere, and the mount itself is the group.
fn folders(mount: &Path, own: &str, controller: &str) -> Vec<PathBuf> {
    let path = own.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':');
        let (number, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        // Version 2 has the number 0 and names no controllers.
        let second = number == "0" && controllers.is_empty() && mount.join("cgroup.controllers").exists();
        let first = controllers.split(',').any(|name| name == controller)
            && !mount.join("cgroup.controllers").exists();
        (second || first).then_some(path)
    });
    let Some(path) = path else { return Vec::new() };
    let below = Path::new(path.trim_start_matches('/'));
    let mut found: Vec<PathBuf> = below.ancestors().map(|part| mount.join(part)).collect();
    found.retain(|folder| folder.is_dir());
    found
}

/// The quota of a group, in CPUs.
fn quota(folder: &Path) -> Option<f64> {
    let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
    let (quota, period) = match read("cpu.max") {
        Some(text) => {
            let (quota, period) = text.trim().split_once(' ')?;
            (quota.to_owned(), period.to_owned())
        }
        None => (read("cpu.cfs_quota_us")?, read("cpu.cfs_period_us")?),
    };
    // "max", or -1, is no quota.
    let (quota, period): (f64, f64) = (quota.trim().parse().ok()?, period.trim().parse().ok()?);
    (quota > 0.0 && period > 0.0).then(|| quota / period)
}

/// How long a group was held back, from its `cpu.stat` of version 2 or 1.
fn held(stat: &str) -> Option<Duration> {
    stat.lines().find_map(|line| match line.split_once(' ')? {
        ("throttled_usec", micros) => micros.trim().parse().ok().map(Duration::from_micros),
        ("throttled_time", nanos) => nanos.trim().parse().ok().map(Duration::from_nanos),
        _ => None,
    })
}

/// How long the threads of this process were ready and waited for a CPU, all together.
pub(super) fn queued() -> Option<Duration> {
    let mut nanos = None;
    for task in fs::read_dir("/proc/self/task").ok()?.flatten() {
        let Ok(text) = fs::read_to_string(task.path().join("schedstat")) else { continue };
        let waited: Option<u64> = text.split(' ').nth(1).and_then(|waited| waited.parse().ok());
        nanos = waited.map(|waited| nanos.unwrap_or(0) + waited).or(nanos);
    }
    nanos.map(Duration::from_nanos)
}

/// What the host gave to others, mean of the CPUs.
pub(super) fn stolen() -> Option<Duration> {
    stolen_of(&fs::read_to_string("/proc/stat").ok()?)
}

fn stolen_of(stat: &str) -> Option<Duration> {
    let all = stat.lines().find(|line| line.starts_with("cpu "))?;
    let steal: f64 = all.split_whitespace().nth(8)?.parse().ok()?;
    let is_cpu = |line: &&str| line.starts_with("cpu") && !line.starts_with("cpu ");
    let cpus = stat.lines().filter(is_cpu).count().max(1);
    Some(Duration::from_secs_f64(steal / TICKS / cpus as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str, text: &str) {
        fs::create_dir_all(folder).expect("a folder");
        fs::write(folder.join(name), text).expect("a file");
    }

    #[test]
    fn the_least_quota_of_a_group_and_those_above_it_counts() {
        let root = tempfile::tempdir().expect("a folder");
        let (mount, memory) = (root.path().join("v2"), root.path().join("memory"));
        write(&mount, "cgroup.controllers", "cpu memory");
        write(&mount.join("a"), "cpu.max", "50000 100000\n");
        write(&mount.join("a"), "cpu.stat", "usage_usec 7\nthrottled_usec 1500\n");
        write(&mount.join("a/b"), "cpu.max", "max 100000\n");
        write(&mount.join("a/b"), "memory.max", "1048576\n");
        let machine = Machine::of(4, "0::/a/b\n", std::slice::from_ref(&mount), &memory);
        assert_eq!((machine.quota, machine.cores(), machine.memory), (Some(0.5), 0.5, Some(1_048_576)));
        assert_eq!(machine.quota_held(), Some(Duration::from_micros(1_500)));
        let free = Machine::of(4, "0::/\n", &[mount], &memory);
        assert_eq!((free.quota, free.cores(), free.quota_held()), (None, 4.0, None));
    }

    #[test]
    fn groups_of_version_1_are_read_as_well() {
        let root = tempfile::tempdir().expect("a folder");
        let mount = root.path().join("cpu");
        write(&mount.join("x"), "cpu.cfs_quota_us", "20000\n");
        write(&mount.join("x"), "cpu.cfs_period_us", "100000\n");
        write(&mount.join("x"), "cpu.stat", "nr_periods 5\nnr_throttled 3\nthrottled_time 2000000\n");
        write(&mount, "cpu.cfs_quota_us", "-1\n");
        write(&mount, "cpu.cfs_period_us", "100000\n");
        let own = "4:memory:/y\n2:cpu,cpuacct:/x\n0::/\n";
        let machine = Machine::of(2, own, &[mount], root.path());
        assert_eq!((machine.quota, machine.quota_held()), (Some(0.2), Some(Duration::from_millis(2))));
        assert_eq!(Machine::of(2, "", &[], root.path()).cores(), 2.0);
    }

    #[test]
    fn steal_is_the_mean_of_the_cpus() {
        let stat =
            "cpu  1 2 3 4 5 6 7 400 0 0\ncpu0 0 0 0 0 0 0 0 200 0 0\ncpu1 0 0 0 0 0 0 0 200 0 0\nintr 5\n";
        assert_eq!(stolen_of(stat), Some(Duration::from_secs(2)));
        assert_eq!(stolen_of(""), None);
    }
}
