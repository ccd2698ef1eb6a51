//! The program under test: a process with an environment of its own, seen by its log and by /proc.
//!
//! Decides how it is started and ended. It is killed when this is dropped before its end.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::memory::memory;
use super::stream::NAME;

/// The key id that is good from the start.
pub const KEY: &str = "AKIDFIRSTFIRSTFIRST";

/// How to start it.
pub struct Launch<'a> {
    pub binary: &'a Path,
    pub endpoint: String,
    pub arguments: Vec<String>,
    /// More variables; they win over the usual ones.
    pub variables: Vec<(String, String)>,
    /// The usual credentials in the environment; else those that `variables` name.
    pub own_credentials: bool,
    /// The names of hosts and their addresses, of this process alone; needs the right to a mount namespace.
    pub hosts: Option<PathBuf>,
}

/// A running program.
pub struct Subject {
    child: Child,
    folder: TempDir,
    ended: bool,
    /// Most resident memory so far, in bytes.
    pub peak: u64,
}

/// A program that has ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub log: String,
    /// The fields of the event "run ended"; null when there is none.
    pub counts: Value,
}

impl Ended {
    /// A count of the last event.
    pub fn count(&self, name: &str) -> u64 {
        self.counts[name].as_u64().unwrap_or(0)
    }
}

impl Subject {
    /// Starts the program against an endpoint.
    pub fn start(launch: &Launch<'_>) -> io::Result<Self> {
        let folder = TempDir::new()?;
        let mut command = match &launch.hosts {
            None => Command::new(launch.binary),
            Some(hosts) => {
                // Nobody answers at this name server: what is not in the file has no address.
                let servers = folder.path().join("resolv.conf");
                fs::write(&servers, "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")?;
                let mut command = Command::new("unshare");
                command.args(["--mount", "--map-root-user", "sh", "-ec", PRIVATE_NAMES, "sh"]);
                command.arg(hosts).arg(servers).arg(launch.binary);
                command
            }
        };
        command.env_clear().current_dir(folder.path()).args(&launch.arguments);
        for (name, value) in [
            ("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ENDPOINT_URL", &launch.endpoint),
            ("AWS_KINESIS_STREAM_NAME", NAME),
            ("STREAMER_LOG_FORMAT", "json"),
            ("STREAMER_LISTEN", "off"),
        ] {
            command.env(name, value);
        }
        if launch.own_credentials {
            command.env("AWS_ACCESS_KEY_ID", KEY).env("AWS_SECRET_ACCESS_KEY", "not-a-secret");
        }
        command.env("HOME", folder.path());
        command.envs(launch.variables.iter().map(|(name, value)| (name, value)));
        let log = fs::File::create(folder.path().join("log"))?;
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn()?;
        Ok(Self { child, folder, ended: false, peak: 0 })
    }

    /// Looks at its memory; false when it has ended.
    pub fn glance(&mut self) -> io::Result<bool> {
        self.peak = self.peak.max(memory(self.child.id()).map_or(0, |(_, peak)| peak));
        Ok(self.child.try_wait()?.is_none())
    }

    /// Resident memory now, in bytes; none when it has ended.
    pub fn resident(&self) -> Option<u64> {
        memory(self.child.id()).map(|(now, _)| now)
    }

    /// Sends a signal, such as `TERM`.
    pub fn signal(&self, name: &str) -> io::Result<()> {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status()?;
        if sent.success() { Ok(()) } else { Err(io::Error::other("kill failed")) }
    }

    /// Its log so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Waits for its end, for `patience` at most.
    pub fn end(mut self, patience: Duration) -> io::Result<(Ended, u64)> {
        let begun = Instant::now();
        while self.glance()? {
            if begun.elapsed() > patience {
                return Err(io::Error::other(format!("it did not end within {patience:?}: {}", self.log())));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let code = self.child.wait()?.code();
        self.ended = true;
        let log = self.log();
        let events = log.lines().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let mut fields = events.map(|mut event| event["fields"].take());
        let counts = fields.find(|fields| fields["message"] == "run ended").unwrap_or_default();
        Ok((Ended { code, log, counts }, self.peak))
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        if !self.ended {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Puts two files in the place of the machine's own, for one process and what it starts.
const PRIVATE_NAMES: &str =
    r#"mount --bind "$1" /etc/hosts; mount --bind "$2" /etc/resolv.conf; shift 2; exec "$@""#;

/// Whether a process here may have names of its own; if not, why.
pub fn private_names() -> Result<(), String> {
    let tried = Command::new("unshare").args(["--mount", "--map-root-user", "true"]).output();
    match tried {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Err(format!("unshare: {error}")),
    }
}
