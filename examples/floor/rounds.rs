//! The clients in turn, round after round, so that what the machine does meanwhile hits all of them alike.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::child::{self, Seen};
use super::numbers::{Spread, median};
use super::process::Cores;
use super::sink::Sink;

/// The core that the client has for itself. The sink and the watcher have core 0.
pub const CLIENT: Cores = Cores::One(1);

/// Records in each request.
pub const BATCH: usize = 500;

/// Which client is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contender {
    /// A fixed body, signed once.
    Ceiling,
    /// A fixed body, hashed and signed for every request.
    Floor,
    /// The same, 400 times a second on one connection: 200,000 records/s.
    PacedFloor,
    /// The floor with the hash of the SDK's signer.
    SdkHash,
    /// aws-sdk-kinesis as it comes.
    Sdk,
    /// The same, 400 requests a second.
    PacedSdk,
    /// The program at a rate that it can hold.
    Steady,
    /// The program with more to do than it can.
    FlatOut,
    /// The same, but its requests go through aws-sdk-kinesis.
    ThroughSdk,
    /// The program with more to do than it can, by TLS.
    Tls,
    /// The program with more to do than it can, in CBOR.
    Cbor,
}

impl Contender {
    /// All of them, in the order of a round.
    pub const ALL: [Self; 11] = [
        Self::Ceiling,
        Self::Floor,
        Self::PacedFloor,
        Self::SdkHash,
        Self::Sdk,
        Self::PacedSdk,
        Self::Steady,
        Self::FlatOut,
        Self::ThroughSdk,
        Self::Tls,
        Self::Cbor,
    ];

    /// What the table calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ceiling => "ceiling: fixed body, signed once",
            Self::Floor => "**floor**: fixed body, hashed and signed each time",
            Self::PacedFloor => "the floor at 200,000 records/s",
            Self::SdkHash => "the floor with the hash of the SDK's signer",
            Self::Sdk => "aws-sdk-kinesis as it comes",
            Self::PacedSdk => "aws-sdk-kinesis as it comes, at 200,000 records/s",
            Self::Steady => "kinesis-streamer at 200,000 records/s",
            Self::FlatOut => "kinesis-streamer flat out",
            Self::ThroughSdk => "kinesis-streamer flat out, STREAMER_CLIENT=sdk",
            Self::Tls => "kinesis-streamer flat out, by TLS",
            Self::Cbor => "kinesis-streamer flat out, STREAMER_WIRE=cbor",
        }
    }

    fn run(self, sink: &Sink, binary: &Path, seconds: u64) -> io::Result<Seen> {
        let own = |role| child::own(role, sink, seconds as f64, BATCH);
        let length = format!("{seconds}s");
        let trusted = tempfile::NamedTempFile::new()?;
        std::fs::write(trusted.path(), &sink.certificate)?;
        let program = |jobs: &str, client: &str| {
            let load = ["--jobs", jobs, "--messages", "500", "--pacing", "smooth", "--duration", &length];
            let mut command = child::program(binary, sink, &load);
            command.args(["--client", client]);
            command
        };
        let command = match self {
            Self::Ceiling => own("ceiling")?,
            Self::Floor => own("floor")?,
            Self::Sdk => own("sdk")?,
            Self::PacedSdk => own("sdk-400-a-second")?,
            Self::PacedFloor => own("floor-400-a-second")?,
            Self::SdkHash => own("floor-sdk-hash")?,
            Self::Steady => program("400", "direct"),
            Self::FlatOut => program("10000", "direct"),
            Self::ThroughSdk => program("10000", "sdk"),
            Self::Cbor => {
                let mut command = program("10000", "direct");
                command.args(["--wire", "cbor"]);
                command
            }
            Self::Tls => {
                let mut command = program("10000", "direct");
                // The trusted certificates of the process are this one alone.
                command.env("SSL_CERT_FILE", trusted.path());
                command.env("AWS_ENDPOINT_URL", format!("https://localhost:{}", sink.tls_port));
                command
            }
        };
        child::run(command, CLIENT, sink, Duration::from_secs(seconds))
    }
}

/// One client's results, one number a round.
#[derive(Debug)]
pub struct Row {
    /// Whose.
    pub contender: Contender,
    /// CPU nanoseconds per record by the operating system's accounting, start-up apart.
    pub outside: Vec<f64>,
    /// The same by the client's own clock, where it has one; without the first 300 ms.
    pub inside: Vec<f64>,
    /// `outside` as a multiple of the floor's in the same round.
    pub ratio: Vec<f64>,
    /// Records per second of wall time.
    pub rate: Vec<f64>,
    /// Records that the program dropped, in all rounds.
    pub dropped: u64,
}

impl Row {
    /// Records that one core's CPU second is enough for, at the median.
    pub fn per_core(&self) -> f64 {
        1e9 / median(&self.outside)
    }

    /// The spread of the CPU time per record.
    pub fn spread(&self) -> Spread {
        Spread::of(&self.outside)
    }
}

/// Runs every contender `rounds` times.
pub fn run(sink: &Sink, binary: &Path, rounds: u32, seconds: u64) -> io::Result<Vec<Row>> {
    let mut rows: Vec<Row> = Contender::ALL
        .into_iter()
        .map(|contender| Row {
            contender,
            outside: Vec::new(),
            inside: Vec::new(),
            ratio: Vec::new(),
            rate: Vec::new(),
            dropped: 0,
        })
        .collect();
    for round in 1..=rounds {
        eprintln!("round {round} of {rounds}");
        for row in &mut rows {
            let seen = row.contender.run(sink, binary, seconds)?;
            row.outside.push(seen.nanos_per_record());
            row.inside.extend(seen.said.parse::<f64>());
            row.rate.push(seen.records() as f64 / seen.span().as_secs_f64());
            row.dropped += seen.counts["dropped"].as_u64().unwrap_or(0);
        }
        let floor = rows.iter().find(|row| row.contender == Contender::Floor);
        let floor = floor.and_then(|row| row.outside.last().copied()).unwrap_or(f64::NAN);
        for row in &mut rows {
            row.ratio.extend(row.outside.last().map(|nanos| nanos / floor));
        }
    }
    Ok(rows)
}

/// The results of one client, by its name in [`Contender`].
pub fn of(rows: &[Row], contender: Contender) -> io::Result<&Row> {
    rows.iter().find(|row| row.contender == contender).ok_or_else(|| io::Error::other("no such row"))
}
