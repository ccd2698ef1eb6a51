//! Whole requests against the server, in-process, and the laws of a stream.

mod cbor;
mod flow;
mod hostile;
mod laws;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::wire::Api;
use super::{ApiError, Clock, Options, Server, Store};

/// A time to start manual clocks at.
const START: Duration = Duration::from_secs(1_800_000_000);

/// Options with a stream `s` and hands that the test moves.
fn options(shards: u32) -> Options {
    Options {
        stream: Some("s".parse().expect("a legal name")),
        shards,
        clock: Clock::manual(START),
        ..Options::default()
    }
}

/// The operations without HTTP.
struct Local {
    api: Api,
    store: Arc<Store>,
    clock: Clock,
}

impl Local {
    fn new(options: Options) -> Self {
        let clock = options.clock.clone();
        let store = Arc::new(Store::new(options).expect("legal options"));
        Self { api: Api::new(Arc::clone(&store)), store, clock }
    }

    fn call(&self, operation: &str, input: &Value) -> Result<Value, ApiError> {
        let answer = self.api.call(operation, input.to_string().as_bytes())?;
        Ok(if answer.is_empty() { Value::Null } else { serde_json::from_slice(&answer).expect("JSON") })
    }

    fn good(&self, operation: &str, input: &Value) -> Value {
        self.call(operation, input).expect("a legal call")
    }

    /// The name of the error that a call must give.
    fn bad(&self, operation: &str, input: &Value) -> &'static str {
        self.call(operation, input).expect_err("an illegal call").kind.name()
    }

    /// Puts `count` small records with different keys and returns the answer.
    fn put(&self, count: usize) -> Value {
        self.good("PutRecords", &put_records(count))
    }

    fn iterator(&self, shard: u32, kind: &str) -> String {
        let input = json!({
            "StreamName": "s", "ShardId": format!("shardId-{shard:012}"), "ShardIteratorType": kind,
        });
        text(&self.good("GetShardIterator", &input)["ShardIterator"])
    }

    fn read(&self, iterator: &str) -> Value {
        self.good("GetRecords", &json!({ "ShardIterator": iterator }))
    }
}

fn put_records(count: usize) -> Value {
    // "AAAA" is three bytes; with the key of three, a record is six.
    let entry = |i: usize| json!({ "Data": "AAAA", "PartitionKey": format!("{i:03}") });
    json!({ "StreamName": "s", "Records": (0..count).map(entry).collect::<Vec<_>>() })
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().expect("a list")
}

/// A server in this process.
struct Running {
    addr: SocketAddr,
    store: Arc<Store>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    async fn start(options: Options) -> Self {
        let server = Server::bind(([127, 0, 0, 1], 0).into(), options).await.expect("a free port");
        let (addr, store) = (server.addr(), server.store());
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(server.serve(async {
            let _ = stopped.await;
        }));
        Self { addr, store, stop, task }
    }

    async fn client(&self) -> Client {
        Client { stream: TcpStream::connect(self.addr).await.expect("a listener"), rest: Vec::new() }
    }

    /// Stops the server and waits for its end.
    async fn end(self) {
        let _ = self.stop.send(());
        self.task.await.expect("no panic");
    }
}

/// A plain HTTP/1.1 client on one connection that it keeps.
struct Client {
    stream: TcpStream,
    /// Bytes read beyond the last answer.
    rest: Vec<u8>,
}

impl Client {
    async fn call(&mut self, operation: &str, input: &Value) -> (u16, Value) {
        let body = input.to_string();
        self.send(&request(operation, &body)).await;
        let (status, _, body) = self.answer().await.expect("an answer");
        let value = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).expect("JSON") };
        (status, value)
    }

    async fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.expect("an open connection");
    }

    /// The next answer: status, head and body; none when the server hung up.
    async fn answer(&mut self) -> Option<(u16, String, Vec<u8>)> {
        // No test waits this long: it turns a server that hangs into a test that fails.
        tokio::time::timeout(Duration::from_secs(20), self.read()).await.expect("an answer or a hanging up")
    }

    async fn read(&mut self) -> Option<(u16, String, Vec<u8>)> {
        let end = loop {
            if let Some(at) = self.rest.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at + 4;
            }
            if self.stream.read_buf(&mut self.rest).await.ok()? == 0 {
                return None;
            }
        };
        let head = String::from_utf8_lossy(&self.rest[..end]).to_lowercase();
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
        let length: usize = length.map_or(0, |length| length.parse().expect("a number"));
        while self.rest.len() < end + length {
            if self.stream.read_buf(&mut self.rest).await.ok()? == 0 {
                return None;
            }
        }
        let body = self.rest[end..end + length].to_vec();
        self.rest.drain(..end + length);
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok())?;
        Some((status, head, body))
    }
}

fn request(operation: &str, body: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nhost: local\r\nx-amz-target: Kinesis_20131202.{operation}\r\n\
         content-type: application/x-amz-json-1.1\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}
