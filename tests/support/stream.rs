//! The embedded stream behind the proxy: changed and read over the wire, as any client would.
//!
//! Decides how every shard is read to its end; compares nothing.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use kinesis_streamer::local::{Options, Server};
use memchr::memmem;
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::http::request;
use super::identity::{self, Identity};

/// The stream's name.
pub const NAME: &str = "witnessed";

/// How long a reader rests when a shard gives it nothing more for now (five calls a second and shard).
const REST: Duration = Duration::from_millis(210);

/// An embedded Kinesis with one stream, and a reader of it.
pub struct Stream {
    pub address: SocketAddr,
    connection: TcpStream,
    /// The iterator of each shard that is being read; none when the shard is read to its end.
    places: BTreeMap<String, Option<String>>,
    _serving: oneshot::Sender<()>,
}

impl Stream {
    /// Opens one of `shards` shards, with the limits of real ones or without.
    pub fn open(runtime: &Handle, shards: u32, limited: bool) -> io::Result<Self> {
        let name = NAME.parse().map_err(io::Error::other)?;
        let options = Options { stream: Some(name), shards, limited, ..Options::default() };
        let server = runtime.block_on(Server::bind(([127, 0, 0, 1], 0).into(), options))?;
        let address = server.addr();
        let (serving, ended) = oneshot::channel::<()>();
        runtime.spawn(server.serve(async move {
            let _ = ended.await;
        }));
        let connection = TcpStream::connect(address)?;
        connection.set_nodelay(true)?;
        Ok(Self { address, connection, places: BTreeMap::new(), _serving: serving })
    }

    /// One call; an answer that is no 200 is an error with its body.
    pub fn call(&mut self, operation: &str, body: &Value) -> io::Result<Vec<u8>> {
        self.connection.write_all(&request(operation, body.to_string().as_bytes()))?;
        let mut got = Vec::new();
        let mut chunk = vec![0; 64 * 1024];
        loop {
            if let Some(end) = memmem::find(&got, b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&got[..end]).to_ascii_lowercase();
                let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
                let length: usize = length.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
                if got.len() >= end + 4 + length {
                    let body = got.split_off(end + 4);
                    let good = head.starts_with("http/1.1 200");
                    return if good {
                        Ok(body)
                    } else {
                        Err(io::Error::other(String::from_utf8_lossy(&body)))
                    };
                }
            }
            match self.connection.read(&mut chunk)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => got.extend_from_slice(&chunk[..n]),
            }
        }
    }

    /// Doubles or halves the shards.
    pub fn reshard(&mut self, shards: u32) -> io::Result<()> {
        let body = json!({"StreamName": NAME, "TargetShardCount": shards, "ScalingType": "UNIFORM_SCALING"});
        self.call("UpdateShardCount", &body).map(drop)
    }

    /// Deletes the stream with all it holds; read it before.
    pub fn delete(&mut self) -> io::Result<()> {
        self.places.clear();
        self.call("DeleteStream", &json!({"StreamName": NAME})).map(drop)
    }

    /// Makes the stream again, empty.
    pub fn create(&mut self, shards: u32) -> io::Result<()> {
        self.call("CreateStream", &json!({"StreamName": NAME, "ShardCount": shards})).map(drop)
    }

    /// Reads on in every shard, to what is its end now. A closed shard's children are found as new shards.
    pub fn read(&mut self, producer: &str, mut holds: impl FnMut(Vec<Option<Identity>>)) -> io::Result<()> {
        let mut token: Option<String> = None;
        loop {
            let body = match token {
                None => json!({"StreamName": NAME}),
                Some(token) => json!({"NextToken": token}),
            };
            let listed: Value = serde_json::from_slice(&self.call("ListShards", &body)?)?;
            for shard in listed["Shards"].as_array().into_iter().flatten() {
                let id = shard["ShardId"].as_str().unwrap_or_default().to_owned();
                if !self.places.contains_key(&id) {
                    let body =
                        json!({"StreamName": NAME, "ShardId": id, "ShardIteratorType": "TRIM_HORIZON"});
                    let got: Value = serde_json::from_slice(&self.call("GetShardIterator", &body)?)?;
                    self.places.insert(id, got["ShardIterator"].as_str().map(str::to_owned));
                }
            }
            token = listed["NextToken"].as_str().map(str::to_owned);
            if token.is_none() {
                break;
            }
        }
        let ids: Vec<String> = self.places.keys().cloned().collect();
        for id in ids {
            let mut place = self.places.get_mut(&id).and_then(Option::take);
            while let Some(iterator) = place {
                let answer = match self.call("GetRecords", &json!({"ShardIterator": iterator})) {
                    Ok(answer) => answer,
                    Err(error) if error.to_string().contains("ProvisionedThroughputExceeded") => {
                        std::thread::sleep(REST);
                        place = Some(iterator);
                        continue;
                    }
                    Err(error) => return Err(error),
                };
                holds(identity::all(&answer, producer));
                place = text_behind(&answer, b"\"NextShardIterator\":\"");
                if text_behind(&answer, b"\"MillisBehindLatest\":").is_some_and(|behind| behind == "0") {
                    break;
                }
            }
            self.places.insert(id, place);
        }
        Ok(())
    }
}

/// What stands behind the last `mark`, up to a quote, a comma or a brace.
fn text_behind(answer: &[u8], mark: &[u8]) -> Option<String> {
    let from = memmem::rfind(answer, mark)? + mark.len();
    let rest = &answer[from..];
    let end = rest.iter().position(|byte| matches!(byte, b'"' | b',' | b'}'))?;
    Some(String::from_utf8_lossy(&rest[..end]).into_owned())
}
