//! Runs of the binary in an environment that holds nothing but what the test says.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, Stdio};

use serde_json::Value;

use super::Endpoint;

/// A run to be started.
pub struct Program {
    command: Command,
    folder: tempfile::TempDir,
}

/// The counts that the run's last line of log tells.
pub type Counts = BTreeMap<String, u64>;

/// The folder of a run that may still go on.
pub struct Kept {
    pub folder: tempfile::TempDir,
}

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

    /// The same, started by a shell after it has run `script`.
    pub fn under(self, script: &str) -> Self {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("{script}\nexec \"$0\" \"$@\""));
        shell.arg(self.command.get_program()).args(self.command.get_args());
        shell.env_clear().current_dir(self.folder.path()).stdin(Stdio::null());
        shell.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        for (name, value) in self.command.get_envs() {
            shell.env(name, value.unwrap_or_default());
        }
        Self { command: shell, folder: self.folder }
    }

    /// The command, to be run in other ways. Its folder is gone then: it runs where the tests do.
    pub fn into_command(mut self) -> Command {
        self.command.current_dir(std::env::temp_dir());
        self.command
    }

    /// Runs what it is under to its end, and keeps the folder.
    pub fn keep(mut self) -> Kept {
        let status =
            self.command.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("a shell starts");
        assert!(status.success());
        Kept { folder: self.folder }
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

    /// Its exit code when standard output goes to `file`.
    pub fn code_with_output_to(mut self, file: std::fs::File) -> i32 {
        let status = self.command.stdout(file).stderr(Stdio::null()).status().expect("the binary starts");
        status.code().expect("no signal ended it")
    }

    /// Starts it and waits until its run begins.
    pub fn start(self) -> Running {
        self.start_until("run begins")
    }

    /// Starts it and waits for an event of its json log whose message holds `text`.
    pub fn start_until(mut self, text: &str) -> Running {
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().expect("the binary starts");
        let mut log = BufReader::new(child.stderr.take().expect("piped"));
        let mut seen = String::new();
        let begins = loop {
            let from = seen.len();
            assert!(log.read_line(&mut seen).expect("a log") > 0, "it ended: {seen}");
            let event: Value = serde_json::from_str(&seen[from..]).expect("JSON");
            if event["fields"]["message"].as_str().is_some_and(|message| message.contains(text)) {
                break event["fields"].clone();
            }
        };
        Running { child, log, begins, _folder: self.folder }
    }
}

/// A run that goes on.
pub struct Running {
    child: Child,
    log: BufReader<ChildStderr>,
    /// The fields of the event that was waited for.
    pub begins: Value,
    _folder: tempfile::TempDir,
}

impl Running {
    /// Sends it a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(status.expect("kill").success());
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as `kill -9` does.
    pub fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("an end");
    }

    /// What `GET path` answers on its listener: status line and body.
    pub fn get(&self, path: &str) -> (String, String) {
        let address = self.begins["listen"].as_str().expect("it listens");
        let mut connection = TcpStream::connect(address).expect("connected");
        write!(connection, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").expect("written");
        let mut answer = String::new();
        connection.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        (head.lines().next().unwrap_or_default().to_owned(), body.to_owned())
    }

    /// The first message of a stream of events.
    pub fn first_message(&self, path: &str) -> String {
        let mut connection =
            TcpStream::connect(self.begins["listen"].as_str().expect("it listens")).expect("connected");
        write!(connection, "GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").expect("written");
        let mut lines = BufReader::new(connection).lines().map(|line| line.expect("text"));
        lines.find(|line| line.starts_with("data: ")).expect("a message")
    }

    /// Reads its log until a line holds `text`.
    pub fn wait_for(&mut self, text: &str) {
        let mut seen = String::new();
        while !seen.contains(text) {
            seen.clear();
            assert!(self.log.read_line(&mut seen).expect("a log") > 0, "it ended without {text}");
        }
    }

    /// Waits for its end: the exit code, and the rest of its log.
    pub fn finish(mut self) -> (i32, String) {
        let mut rest = String::new();
        self.log.read_to_string(&mut rest).expect("a log");
        (self.child.wait().expect("an end").code().expect("no signal killed it"), rest)
    }
}

impl Drop for Running {
    /// A test that fails leaves nothing behind; what has ended already is let be.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A stream in a process of its own, by `kinesis-streamer local` with these arguments, and its endpoint.
pub fn serve(arguments: &[&str]) -> (Running, String) {
    let server = Program::run(&[&["local", "--port=0"], arguments].concat()).start_until("serving stream");
    let told = server.begins["message"].as_str().expect("a message");
    let endpoint = told.rsplit(' ').next().expect("its address").to_owned();
    (server, endpoint)
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
