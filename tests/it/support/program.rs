//! Runs of the binary in an environment that holds nothing but what the test says.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::Endpoint;

/// A run to be started.
pub struct Program {
    command: Command,
    folder: tempfile::TempDir,
}

/// The counts that the run's last line of log tells.
pub type Counts = BTreeMap<String, u64>;

/// A run that has ended.
pub struct Finished {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Program {
    /// The binary in an empty folder, without an environment.
    pub fn new(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new(env!("CARGO_BIN_EXE_kinesis-streamer"));
        command.args(arguments).env_clear().current_dir(folder.path()).stdin(Stdio::null());
        // No provider of the default chain may ask the network.
        command.env("AWS_EC2_METADATA_DISABLED", "true").env("HOME", folder.path());
        Self { command, folder }
    }

    /// A run of `arguments` that ends by itself, with json log and no listener.
    pub fn run(arguments: &[&str]) -> Self {
        Self::new(arguments).env("STREAMER_LISTEN", "off").env("STREAMER_LOG_FORMAT", "json")
    }

    /// The same against a scripted endpoint, with made-up credentials.
    pub fn against(endpoint: &Endpoint, arguments: &[&str]) -> Self {
        Self::run(arguments)
            .env("AWS_ENDPOINT_URL", &endpoint.url())
            .env("AWS_KINESIS_STREAM_NAME", "s")
            .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "a-secret-that-must-not-be-seen")
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// A file in the working directory.
    pub fn file(self, name: &str, text: &str) -> Self {
        std::fs::write(self.folder.path().join(name), text).expect("written");
        self
    }

    pub fn finish(mut self) -> Finished {
        let output = self.command.output().expect("the binary starts");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        let finished = Finished {
            code: output.status.code().expect("no signal ended it"),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        };
        for output in [&finished.stdout, &finished.stderr] {
            assert!(!output.contains("a-secret-that-must-not-be-seen"), "a secret is printed: {output}");
        }
        finished
    }

    /// Starts it and leaves it running, its output to be read from the child.
    pub fn spawn(mut self) -> (Child, tempfile::TempDir) {
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        (self.command.spawn().expect("the binary starts"), self.folder)
    }
}

impl Finished {
    /// The counts of the last line of a json log; the law is checked on the way.
    pub fn counts(&self) -> Counts {
        counts(&self.stderr)
    }
}

/// The counts that the last line of a json log tells, which must add up.
pub fn counts(log: &str) -> Counts {
    let last = log.lines().last().expect("a log");
    let event: Value = serde_json::from_str(last).unwrap_or_else(|_| panic!("not JSON: {last}\nin {log}"));
    let fields = event["fields"].as_object().expect("fields");
    assert_eq!(fields["message"], "run ended", "{log}");
    let counts: Counts =
        fields.iter().filter_map(|(name, value)| Some((name.clone(), value.as_u64()?))).collect();
    assert_eq!(counts["due"], counts["generated"] + counts["dropped"], "{counts:?}");
    assert_eq!(
        counts["generated"],
        counts["sent"] + counts["failed"] + counts["unknown"] + counts["in_flight"],
        "{counts:?}"
    );
    assert_eq!(counts["in_flight"], 0, "{counts:?}");
    counts
}
