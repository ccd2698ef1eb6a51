//! An endpoint that answers as its script says, in the wire that it is asked in. Plain sockets and threads, so that it
//! can hang up at any byte.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use kinesis_streamer::kinesis::Wire;
use serde_json::{Value, json};

/// What the endpoint does with one PutRecords request. Requests beyond the script are stored.
#[derive(Debug, Clone)]
pub enum Reply {
    /// Stores all.
    Store,
    /// Stores all but the first so many, which get this error code.
    Refuse(usize, &'static str),
    /// Refuses the whole request with this status and error code; stores nothing.
    Error(u16, &'static str),
    /// Stores all, then answers with this status and error code.
    StoreThenError(u16, &'static str),
    /// Stores all, but answers for one entry less (or more).
    WrongCount(isize),
    /// Answers with this status, these header lines (each ended by a line break) and this body, after storing or not.
    Raw { stored: bool, status: u16, headers: &'static str, body: String },
    /// Stores all, then sends a 200 without an end.
    Endless,
    /// Stores all, then answers with a 200 that is no JSON.
    Garbage,
    /// Hangs up without an answer, after storing or not.
    HangUp { stored: bool },
    /// Stores all, then hangs up in the middle of the answer.
    HalfAnAnswer,
    /// Never answers, after storing or not.
    Silence { stored: bool },
}

/// What the endpoint says to DescribeStreamSummary. Beyond the script the stream is ACTIVE.
#[derive(Debug, Clone)]
pub enum Describe {
    /// A stream in this status.
    Status(&'static str),
    /// This status and error code.
    Error(u16, &'static str),
    /// This status and body, in whatever wire it was asked.
    Raw(u16, String),
}

#[derive(Default)]
struct State {
    replies: VecDeque<Reply>,
    describes: VecDeque<Describe>,
    stored: Vec<Value>,
    requests: usize,
    calls: usize,
    connections: usize,
    /// Requests of any kind in CBOR.
    in_cbor: usize,
}

/// A scripted Kinesis of one stream with two shards.
pub struct Endpoint {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Endpoint {
    /// Opens one on a free port of loopback.
    pub fn open(describes: Vec<Describe>, replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let state = State { replies: replies.into(), describes: describes.into(), ..State::default() };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                state.lock().expect("no panic").connections += 1;
                // A client that hangs up is no error here.
                std::thread::spawn(move || drop(serve(connection, &state)));
            }
        });
        Self { address, state }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The entries that it stored, in order, as they were sent.
    pub fn stored(&self) -> Vec<Value> {
        self.state.lock().expect("no panic").stored.clone()
    }

    /// How many PutRecords requests came.
    pub fn requests(&self) -> usize {
        self.state.lock().expect("no panic").requests
    }
}

impl Endpoint {
    /// How many requests of any kind came.
    pub fn calls(&self) -> usize {
        self.state.lock().expect("no panic").calls
    }

    /// How many of them were in CBOR.
    pub fn calls_in_cbor(&self) -> usize {
        self.state.lock().expect("no panic").in_cbor
    }

    /// How many connections were opened.
    pub fn connections(&self) -> usize {
        self.state.lock().expect("no panic").connections
    }
}

fn serve(connection: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut writer = connection.try_clone()?;
    let mut reader = BufReader::new(connection);
    while let Some((operation, wire, body)) = read_request(&mut reader)? {
        {
            let mut state = state.lock().expect("no panic");
            state.calls += 1;
            state.in_cbor += usize::from(wire == Wire::Cbor);
        }
        let answer_with =
            |writer: &mut TcpStream, status, body: &str| writer.write_all(&response(wire, status, body));
        match operation.as_str() {
            "DescribeStreamSummary" => {
                let describe = state.lock().expect("no panic").describes.pop_front();
                let (wire, status, answer) = match describe.unwrap_or(Describe::Status("ACTIVE")) {
                    Describe::Status(status) => (wire, 200, summary(status).to_string()),
                    Describe::Error(status, code) => (wire, status, error(code).to_string()),
                    Describe::Raw(status, body) => (Wire::Json, status, body),
                };
                writer.write_all(&response(wire, status, &answer))?;
            }
            "CreateStream" => answer_with(&mut writer, 200, "")?,
            "ListShards" => answer_with(&mut writer, 200, &shards().to_string())?,
            "PutRecords" => {
                if !put(&mut writer, state, wire, &body)? {
                    return Ok(());
                }
            }
            other => answer_with(&mut writer, 400, &error(&format!("Unexpected{other}")).to_string())?,
        }
    }
    Ok(())
}

/// Plays one reply; false when the connection is to be closed.
fn put(writer: &mut TcpStream, state: &Mutex<State>, wire: Wire, body: &Value) -> std::io::Result<bool> {
    let answer_with =
        |writer: &mut TcpStream, status, body: &str| writer.write_all(&response(wire, status, body));
    let entries = body["Records"].as_array().cloned().unwrap_or_default();
    let reply = {
        let mut state = state.lock().expect("no panic");
        state.requests += 1;
        let reply = state.replies.pop_front().unwrap_or(Reply::Store);
        let refused = match reply {
            Reply::Refuse(refused, _) => refused,
            Reply::Error(..)
            | Reply::Raw { stored: false, .. }
            | Reply::HangUp { stored: false }
            | Reply::Silence { stored: false } => entries.len(),
            _ => 0,
        };
        state.stored.extend(entries.iter().skip(refused).cloned());
        reply
    };
    let good =
        |index: usize| json!({"SequenceNumber": format!("4957{index}"), "ShardId": "shardId-000000000001"});
    let results = |entries: Vec<Value>| {
        let failed = entries.iter().filter(|entry| entry.get("ErrorCode").is_some()).count();
        json!({"FailedRecordCount": failed, "Records": entries}).to_string()
    };
    match reply {
        Reply::Store => answer_with(writer, 200, &results((0..entries.len()).map(good).collect()))?,
        Reply::Refuse(refused, code) => {
            let message =
                "Rate exceeded for shard shardId-000000000000 in stream s under account 123456789012.";
            let bad = json!({"ErrorCode": code, "ErrorMessage": message});
            let all = (0..entries.len()).map(|i| if i < refused { bad.clone() } else { good(i) }).collect();
            answer_with(writer, 200, &results(all))?;
        }
        Reply::Error(status, code) | Reply::StoreThenError(status, code) => {
            answer_with(writer, status, &error(code).to_string())?;
        }
        Reply::WrongCount(off) => {
            let count = entries.len().saturating_add_signed(off);
            answer_with(writer, 200, &results((0..count).map(good).collect()))?;
        }
        Reply::Garbage => answer_with(writer, 200, "<html>welcome to the hotel's network</html>")?,
        Reply::Raw { status, headers, body, .. } => {
            let length = body.len();
            write!(writer, "HTTP/1.1 {status} Raw\r\n{headers}content-length: {length}\r\n\r\n{body}")?;
        }
        Reply::Endless => {
            writer.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"Records\":[")?;
            // Until the client hangs up.
            loop {
                writer.write_all(&[b' '; 65_536])?;
            }
        }
        Reply::HalfAnAnswer => {
            let whole = response(wire, 200, &results((0..entries.len()).map(good).collect()));
            writer.write_all(&whole[..whole.len() - 20])?;
            return Ok(false);
        }
        Reply::HangUp { .. } => return Ok(false),
        Reply::Silence { .. } => {
            // Until the client hangs up.
            let _ = writer.read(&mut [0]);
            return Ok(false);
        }
    }
    Ok(true)
}

fn read_request(reader: &mut BufReader<TcpStream>) -> std::io::Result<Option<(String, Wire, Value)>> {
    let (mut operation, mut wire, mut length) = (String::new(), Wire::Json, 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let lower = line.trim_end().to_ascii_lowercase();
        if lower.is_empty() {
            break;
        }
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if lower == "content-type: application/x-amz-cbor-1.1" {
            wire = Wire::Cbor;
        }
        if lower.starts_with("x-amz-target:") {
            operation = line.trim_end().rsplit('.').next().unwrap_or_default().to_owned();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let body = match wire {
        Wire::Json => serde_json::from_slice(&body)?,
        Wire::Cbor => as_json(ciborium::from_reader(&body[..]).map_err(std::io::Error::other)?),
    };
    Ok(Some((operation, wire, body)))
}

/// A request in CBOR as the same request in JSON, so that tests compare one with the other.
fn as_json(value: ciborium::Value) -> Value {
    match value {
        ciborium::Value::Bytes(bytes) => base64_simd::STANDARD.encode_to_string(bytes).into(),
        ciborium::Value::Array(all) => all.into_iter().map(as_json).collect(),
        ciborium::Value::Map(all) => {
            let name = |name: ciborium::Value| name.into_text().expect("a name");
            all.into_iter().map(|(key, value)| (name(key), as_json(value))).collect()
        }
        other => other.deserialized().expect("neither bytes nor what may hold them"),
    }
}

/// A body that is JSON goes out in the wire that was asked in; any other as it is.
fn response(wire: Wire, status: u16, body: &str) -> Vec<u8> {
    let bytes = match (wire, serde_json::from_str::<Value>(body)) {
        (Wire::Cbor, Ok(value)) => {
            let mut bytes = Vec::new();
            ciborium::into_writer(&value, &mut bytes).expect("a Vec takes every write");
            bytes
        }
        _ => body.as_bytes().to_vec(),
    };
    let (kind, length) = (wire.content_type(), bytes.len());
    let head =
        format!("HTTP/1.1 {status} Scripted\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n");
    [head.into_bytes(), bytes].concat()
}

fn error(code: &str) -> Value {
    json!({"__type": code, "message": format!("scripted {code}")})
}

fn summary(status: &str) -> Value {
    json!({"StreamDescriptionSummary": {
        "StreamName": "s", "StreamARN": "arn:aws:kinesis:us-east-1:123456789012:stream/s", "StreamStatus": status,
        "StreamModeDetails": {"StreamMode": "PROVISIONED"}, "RetentionPeriodHours": 24,
        "StreamCreationTimestamp": 1.0, "EnhancedMonitoring": [], "OpenShardCount": 2}})
}

fn shards() -> Value {
    let half = 1_u128 << 127;
    let shard = |id: &str, start: u128, end: u128| {
        json!({"ShardId": id, "SequenceNumberRange": {"StartingSequenceNumber": "1"},
               "HashKeyRange": {"StartingHashKey": start.to_string(), "EndingHashKey": end.to_string()}})
    };
    json!({"Shards": [shard("shardId-000000000000", 0, half - 1), shard("shardId-000000000001", half, u128::MAX)]})
}
