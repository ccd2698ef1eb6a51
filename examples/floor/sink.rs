//! The null sink: speaks just enough HTTP/1.1 and Kinesis that every client runs, as cheaply as possible.
//!
//! Stores nothing and checks nothing. Decides what is answered, in the wire that is asked in; keeps a tape of when how
//! many records came.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use kinesis_streamer::cbor::{BREAK, MANY, Major, push_head, push_text};
use kinesis_streamer::kinesis::{HashRange, ShardId, Wire};
use memchr::memmem;
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::process::{self, Cores};

/// Shards of the stream that it plays. Neighbours in an answer are of different shards, as with random keys.
const SHARDS: u32 = 16;

/// Most entries of a legal request.
const MOST: usize = 500;

/// One PutRecords request.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// When its head was there, since the Unix epoch.
    pub at: Duration,
    /// How many records it held.
    pub records: u32,
}

/// What came since the tape was last cut.
#[derive(Debug, Clone, Default)]
pub struct Tape(Arc<Mutex<Vec<Arrival>>>);

impl Tape {
    fn lock(&self) -> MutexGuard<'_, Vec<Arrival>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing has come yet.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Everything that came; the tape is empty then.
    pub fn cut(&self) -> Vec<Arrival> {
        std::mem::take(&mut self.lock())
    }
}

/// A sink that serves on a thread of its own until the process ends.
#[derive(Debug)]
pub struct Sink {
    /// Where it listens, on loopback.
    pub port: u16,
    /// Where it listens for TLS, on loopback.
    pub tls_port: u16,
    /// The certificate that it shows there, for `localhost`, as PEM.
    pub certificate: String,
    /// What came.
    pub tape: Tape,
    thread: i32,
}

impl Sink {
    /// Starts it on `port` (0 for a free one).
    pub fn start(port: u16) -> std::io::Result<Self> {
        let [plain, tls] = [port, 0].map(|port| std::net::TcpListener::bind(("127.0.0.1", port)));
        let (plain, tls) = (plain?, tls?);
        let (port, tls_port, tape) = (plain.local_addr()?.port(), tls.local_addr()?.port(), Tape::default());
        let served = tape.clone();
        let (acceptor, certificate) = certified().map_err(std::io::Error::other)?;
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::Builder::new().name("null sink".to_owned()).spawn(move || {
            let _ = tell.send(process::this_thread());
            if let Err(error) = serve([(plain, None), (tls, Some(acceptor))], &served) {
                eprintln!("the null sink ended: {error}");
                std::process::exit(71);
            }
        })?;
        let thread = told.recv().map_err(std::io::Error::other)??;
        Ok(Self { port, tls_port, certificate, tape, thread })
    }

    /// Keeps it on these cores from now on.
    pub fn pin(&self, cores: Cores) -> std::io::Result<()> {
        process::pin(self.thread, cores)
    }

    /// CPU time that it has used.
    pub fn cpu(&self) -> std::io::Result<Duration> {
        process::thread_cpu(&format!("/proc/self/task/{}", self.thread))
    }
}

/// A certificate for `localhost` that signs itself, and who shows it.
fn certified() -> Result<(TlsAcceptor, String), Box<dyn std::error::Error + Send + Sync>> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())?;
    Ok((TlsAcceptor::from(Arc::new(config)), made.cert.pem()))
}

/// Listens on each, by TLS where there is an acceptor.
fn serve(listeners: [(std::net::TcpListener, Option<TlsAcceptor>); 2], tape: &Tape) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async move {
        let answers = Arc::new(Answers::new());
        let [plain, tls] = listeners.map(|(listener, acceptor)| accept(listener, acceptor, &answers, tape));
        tokio::try_join!(plain, tls).map(drop)
    })
}

async fn accept(
    listener: std::net::TcpListener,
    acceptor: Option<TlsAcceptor>,
    answers: &Arc<Answers>,
    tape: &Tape,
) -> std::io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (answers, tape, acceptor) = (Arc::clone(answers), tape.clone(), acceptor.clone());
        // A client that goes away in the middle is none of the sink's business.
        tokio::spawn(async move {
            match acceptor {
                None => drop(converse(stream, &answers, &tape).await),
                Some(acceptor) => {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        drop(converse(stream, &answers, &tape).await);
                    }
                }
            }
        });
    }
}

/// Answers the requests of one connection, one after the other.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    answers: &Answers,
    tape: &Tape,
) -> std::io::Result<()> {
    let mut buffer = Vec::with_capacity(256 * 1024);
    loop {
        let head = loop {
            if let Some(end) = memmem::find(&buffer, b"\r\n\r\n") {
                break end + 4;
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        let at = now();
        let whole = head + content_length(&buffer[..head]);
        buffer.reserve(whole.saturating_sub(buffer.len()));
        while buffer.len() < whole {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        }
        // A client's head says it early; a body in JSON has no such text.
        let is_cbor = memmem::find(&buffer[..head], Wire::Cbor.content_type().as_bytes()).is_some();
        let answer = match operation(&buffer[..head]) {
            b"PutRecords" => {
                // In CBOR, data is as it is; but no event of ours says "dData".
                let name = if is_cbor { &b"\x64Data"[..] } else { b"\"Data\":" };
                let records = memmem::find_iter(&buffer[head..whole], name).count();
                tape.lock().push(Arrival { at, records: records as u32 });
                let known = if is_cbor { &answers.put_records_cbor } else { &answers.put_records };
                known.get(records).unwrap_or(&answers.unknown)
            }
            b"DescribeStreamSummary" if is_cbor => &answers.summary_cbor,
            b"DescribeStreamSummary" => &answers.summary,
            b"ListShards" => &answers.shards,
            _ => &answers.unknown,
        };
        stream.write_all(answer).await?;
        stream.flush().await?;
        buffer.drain(..whole);
    }
}

/// Time since the Unix epoch.
pub fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn content_length(head: &[u8]) -> usize {
    const NAME: &[u8] = b"content-length:";
    head.split(|&byte| byte == b'\n')
        .find(|line| line.len() > NAME.len() && line[..NAME.len()].eq_ignore_ascii_case(NAME))
        .and_then(|line| std::str::from_utf8(&line[NAME.len()..]).ok()?.trim().parse().ok())
        .unwrap_or(0)
}

/// What `x-amz-target` asks for; empty when it is not there.
fn operation(head: &[u8]) -> &[u8] {
    const PREFIX: &[u8] = b"Kinesis_20131202.";
    let Some(at) = memmem::find(head, PREFIX) else { return b"" };
    let rest = &head[at + PREFIX.len()..];
    &rest[..memchr::memchr(b'\r', rest).unwrap_or(rest.len())]
}

/// Every answer, head and body, made once.
struct Answers {
    /// By the number of entries; none for 0.
    put_records: Vec<Bytes>,
    put_records_cbor: Vec<Bytes>,
    summary: Bytes,
    summary_cbor: Bytes,
    shards: Bytes,
    unknown: Bytes,
}

impl Answers {
    fn new() -> Self {
        let unknown = with_head(
            "400 Bad Request",
            r#"{"__type":"InvalidArgumentException","message":"not for a null sink"}"#,
        );
        let mut put_records = vec![unknown.clone()];
        put_records.extend((1..=MOST).map(|entries| with_head("200 OK", &stored(entries))));
        let summary = format!(
            concat!(
                r#"{{"StreamDescriptionSummary":{{"EnhancedMonitoring":[{{"ShardLevelMetrics":[]}}],"OpenShardCount":{},"#,
                r#""RetentionPeriodHours":24,"StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/null","#,
                r#""StreamCreationTimestamp":1.7E9,"StreamName":"null","StreamStatus":"ACTIVE"}}}}"#
            ),
            SHARDS
        );
        let shards = (0_u64..).zip(HashRange::ALL.divided(SHARDS)).map(|(id, range)| {
            format!(
                r#"{{"HashKeyRange":{{"StartingHashKey":"{}","EndingHashKey":"{}"}},"SequenceNumberRange":{{"StartingSequenceNumber":"0"}},"ShardId":"{}"}}"#,
                range.start, range.end, ShardId(id)
            )
        });
        let shards = shards.collect::<Vec<_>>().join(",");
        let mut put_records_cbor = vec![unknown.clone()];
        put_records_cbor.extend((1..=MOST).map(|entries| in_cbor(&stored(entries))));
        Self {
            put_records,
            put_records_cbor,
            summary_cbor: in_cbor(&summary),
            summary: with_head("200 OK", &summary),
            shards: with_head("200 OK", &format!(r#"{{"Shards":[{shards}]}}"#)),
            unknown,
        }
    }
}

/// The answer of a stream that stored every entry, as AWS writes it.
fn stored(entries: usize) -> String {
    let entry = |index: usize| {
        // 56 digits, as many as AWS's have.
        let shard = ShardId((index * 7 % SHARDS as usize) as u64);
        format!(r#"{{"SequenceNumber":"49{index:054}","ShardId":"{shard}"}}"#)
    };
    let entries: Vec<String> = (0..entries).map(entry).collect();
    format!(r#"{{"FailedRecordCount":0,"Records":[{}]}}"#, entries.join(","))
}

/// The answer in CBOR, its containers ended by breaks, as AWS's own library (Jackson) writes them.
fn in_cbor(json: &str) -> Bytes {
    fn write(value: &Value, out: &mut Vec<u8>) {
        match value {
            Value::Object(members) => {
                out.push(Major::Map as u8 | MANY);
                for (name, value) in members {
                    push_text(out, name);
                    write(value, out);
                }
                out.push(BREAK);
            }
            Value::Array(values) => {
                out.push(Major::Array as u8 | MANY);
                values.iter().for_each(|value| write(value, out));
                out.push(BREAK);
            }
            Value::String(text) => push_text(out, text),
            // Counts, and a time, which is whole here.
            other => push_head(out, Major::Unsigned, other.as_f64().unwrap_or_default() as u64),
        }
    }
    let mut body = Vec::new();
    write(&serde_json::from_str(json).unwrap_or_default(), &mut body);
    let (kind, length) = (Wire::Cbor.content_type(), body.len());
    let head = format!(
        "HTTP/1.1 200 OK\r\nx-amzn-RequestId: 00000000-0000-0000-0000-000000000000\r\n\
         Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
    );
    [head.into_bytes(), body].concat().into()
}

fn with_head(status: &str, body: &str) -> Bytes {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nx-amzn-RequestId: 00000000-0000-0000-0000-000000000000\r\n\
         Content-Type: application/x-amz-json-1.1\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into()
}
