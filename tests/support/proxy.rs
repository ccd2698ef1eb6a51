//! A proxy before the stream that makes faults: what the client is told and what the stream gets can differ.
//!
//! Decides what happens on the wire. Each record's fate as the client could see it goes to the witness.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::{RwLock, watch};
use tokio::task::JoinHandle;

use super::fault::{Fault, Weather};
use super::http::{self, Message};
use super::identity::{self, Identity};
use super::witness::{Told, Witness};

/// Pieces of an answer that comes slowly.
const PIECES: usize = 10;

/// A proxy on loopback.
pub struct Proxy {
    pub address: SocketAddr,
    runtime: Handle,
    shared: Arc<Shared>,
    listening: Option<JoinHandle<()>>,
}

struct Shared {
    upstream: SocketAddr,
    producer: String,
    weather: Mutex<Weather>,
    witness: Mutex<Witness>,
    /// Held to read while a request is with the stream; to write while the stream itself is changed.
    gate: RwLock<()>,
    /// Connections end when this changes.
    cut: watch::Sender<()>,
    requests: AtomicU64,
    /// Requests that met a fault.
    hits: AtomicU64,
    /// Requests in hand.
    busy: AtomicUsize,
    connections: AtomicUsize,
}

/// Counts something for as long as it is held.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(counter: &'a AtomicUsize) -> Self {
        counter.fetch_add(1, Ordering::SeqCst);
        Self(counter)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Proxy {
    /// Opens one before `upstream` on a free port, for the records of `producer`.
    pub fn open(runtime: Handle, upstream: SocketAddr, producer: &str) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            upstream,
            producer: producer.to_owned(),
            weather: Mutex::default(),
            witness: Mutex::default(),
            gate: RwLock::new(()),
            cut: watch::Sender::new(()),
            requests: AtomicU64::new(0),
            hits: AtomicU64::new(0),
            busy: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
        });
        let mut proxy = Self { address: ([127, 0, 0, 1], 0).into(), runtime, shared, listening: None };
        proxy.listen()?;
        Ok(proxy)
    }

    /// Listens (again).
    pub fn listen(&mut self) -> io::Result<()> {
        let listener = self.runtime.block_on(TcpListener::bind(self.address))?;
        self.address = listener.local_addr()?;
        let shared = Arc::clone(&self.shared);
        self.listening = Some(self.runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(connection(stream, Arc::clone(&shared)));
            }
        }));
        Ok(())
    }

    /// Closes the listener and every connection: nobody is there any more.
    pub fn close(&mut self) {
        if let Some(listening) = self.listening.take() {
            listening.abort();
            let _ = self.runtime.block_on(listening);
        }
        self.cut();
    }

    /// Closes every connection.
    pub fn cut(&self) {
        self.shared.cut.send_replace(());
    }

    pub fn set(&self, weather: Weather) {
        *lock(&self.shared.weather) = weather;
    }

    /// How many requests have met a fault so far.
    pub fn hits(&self) -> u64 {
        self.shared.hits.load(Ordering::Relaxed)
    }

    pub fn witness(&self) -> MutexGuard<'_, Witness> {
        lock(&self.shared.witness)
    }

    /// Does `change` while no request is with the stream.
    pub fn between_requests<T>(&self, change: impl FnOnce() -> T) -> T {
        let _held = self.runtime.block_on(self.shared.gate.write());
        change()
    }

    /// Waits until no request is in hand, so that the witness knows all.
    pub fn settle(&self) {
        while self.shared.busy.load(Ordering::SeqCst) > 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    let _open = Counted::new(&shared.connections);
    let most = lock(&shared.weather).connections;
    if most.is_some_and(|most| shared.connections.load(Ordering::SeqCst) > most) {
        return;
    }
    let mut cut = shared.cut.subscribe();
    cut.mark_unchanged();
    let _ = stream.set_nodelay(true);
    let mut client = Client { stream, kept: Vec::new(), upstream: None };
    // An error is a side that has gone away, which is no error here.
    let _ = client.serve(&shared, &mut cut).await;
}

struct Client {
    stream: TcpStream,
    /// Bytes that came with the message before.
    kept: Vec<u8>,
    upstream: Option<TcpStream>,
}

/// Whether the connection goes on.
#[derive(PartialEq, Eq)]
enum Then {
    Next,
    Close,
}

impl Client {
    async fn serve(&mut self, shared: &Shared, cut: &mut watch::Receiver<()>) -> io::Result<()> {
        loop {
            let request = tokio::select! {
                request = http::read(&mut self.stream, &mut self.kept) => request?,
                _ = cut.changed() => return Ok(()),
            };
            let Some(request) = request else { return Ok(()) };
            let _busy = Counted::new(&shared.busy);
            let then = if request.operation() == "PutRecords" {
                self.put(shared, request, cut).await?
            } else {
                self.pass(shared, &request).await?
            };
            if then == Then::Close {
                return Ok(());
            }
        }
    }

    /// Any other operation passes, if its credentials are good.
    async fn pass(&mut self, shared: &Shared, request: &Message) -> io::Result<Then> {
        let answer = match shared.refusal(request) {
            Some(refusal) => refusal,
            None => {
                let answer = self.forward(shared, request.operation(), &request.body).await?;
                http::answer(answer.status(), &answer.body)
            }
        };
        self.stream.write_all(&answer).await?;
        Ok(Then::Next)
    }

    /// Plays one PutRecords request, and tells the witness.
    async fn put(
        &mut self,
        shared: &Shared,
        request: Message,
        cut: &mut watch::Receiver<()>,
    ) -> io::Result<Then> {
        let came = Instant::now();
        let ids = identity::all(&request.body, &shared.producer);
        lock(&shared.witness).request(came);
        let number = shared.requests.fetch_add(1, Ordering::Relaxed);
        let mut told = vec![Told::Nothing; ids.len()];
        let played = tokio::select! {
            played = self.play(shared, request, number, &mut told) => played,
            _ = cut.changed() => Ok(Then::Close),
        };
        // What could not be written was not told.
        if played.is_err() {
            told.fill(Told::Nothing);
        }
        let records = ids.into_iter().zip(told).collect::<Vec<(Option<Identity>, Told)>>();
        lock(&shared.witness).told(came, records.into_iter());
        played
    }

    async fn play(
        &mut self,
        shared: &Shared,
        request: Message,
        number: u64,
        told: &mut [Told],
    ) -> io::Result<Then> {
        if let Some(refusal) = shared.refusal(&request) {
            told.fill(Told::Refused);
            self.tell(&refusal).await?;
            return Ok(Then::Next);
        }
        let Some(fault) = shared.fault(number) else {
            let answer = self.forward(shared, "PutRecords", &request.body).await?;
            read_answer(&answer, told);
            self.tell(&http::answer(answer.status(), &answer.body)).await?;
            return Ok(Then::Next);
        };
        if fault == Fault::ThrottleHalf {
            let mut body: Value = serde_json::from_slice(&request.body).map_err(io::Error::other)?;
            let all = body["Records"].as_array().cloned().unwrap_or_default();
            body["Records"] = all.iter().skip(1).step_by(2).cloned().collect();
            let passed = body["Records"].as_array().map_or(0, Vec::len);
            let mut entries = Vec::new();
            if passed > 0 {
                let answer = self.forward(shared, "PutRecords", body.to_string().as_bytes()).await?;
                let answer: Value = serde_json::from_slice(&answer.body).map_err(io::Error::other)?;
                entries = answer["Records"].as_array().cloned().unwrap_or_default();
            }
            let mut stored = entries.into_iter();
            let merged = (0..all.len())
                .map(|i| if i % 2 == 1 { stored.next().unwrap_or_default() } else { refused() });
            let answer = results(merged.collect());
            entries_told(&answer, told);
            self.tell(&http::answer(200, answer.to_string().as_bytes())).await?;
            return Ok(Then::Next);
        }
        let stored = match fault.stored() {
            true => Some(self.forward(shared, "PutRecords", &request.body).await?),
            false => None,
        };
        let whole =
            stored.as_ref().map_or_else(Vec::new, |answer| http::answer(answer.status(), &answer.body));
        match fault {
            Fault::HangUp { .. } => Ok(Then::Close),
            Fault::Reset { .. } => {
                self.stream.set_zero_linger()?;
                Ok(Then::Close)
            }
            Fault::HalfAnAnswer => {
                self.tell(&whole[..whole.len() / 2]).await?;
                Ok(Then::Close)
            }
            Fault::Silence { .. } => {
                self.gone().await;
                Ok(Then::Close)
            }
            Fault::Delay(time) => {
                if self.gone_within(time).await {
                    return Ok(Then::Close);
                }
                self.tell(&whole).await?;
                stored.iter().for_each(|answer| read_answer(answer, told));
                Ok(Then::Next)
            }
            Fault::Dribble(time) => {
                for piece in whole.chunks(whole.len().div_ceil(PIECES)) {
                    if self.gone_within(time / PIECES as u32).await {
                        return Ok(Then::Close);
                    }
                    self.tell(piece).await?;
                }
                stored.iter().for_each(|answer| read_answer(answer, told));
                Ok(Then::Next)
            }
            Fault::WrongCount(off) => {
                let body = stored.map(|answer| answer.body).unwrap_or_default();
                let mut answer: Value = serde_json::from_slice(&body).map_err(io::Error::other)?;
                if let Some(entries) = answer["Records"].as_array_mut() {
                    let wanted = (entries.len() as i64 + off).max(0) as usize;
                    let last = entries.last().cloned().unwrap_or_default();
                    entries.resize(wanted, last);
                }
                self.tell(&http::answer(200, answer.to_string().as_bytes())).await?;
                Ok(Then::Next)
            }
            Fault::Error { status, code, .. } => {
                let text =
                    json!({"__type": code, "message": format!("made by the proxy: {code}")}).to_string();
                self.tell(&http::answer(status, text.as_bytes())).await?;
                // Throttling stores nothing whatever the status; any other 5xx leaves it open.
                if status < 500 {
                    told.fill(Told::Refused);
                }
                Ok(Then::Next)
            }
            Fault::Garbage => {
                self.stream
                    .write_all(&http::answer(200, b"<html>welcome to the hotel's network</html>"))
                    .await?;
                Ok(Then::Next)
            }
            Fault::ThrottleAll | Fault::ThrottleHalf => {
                let answer = results(vec![refused(); told.len()]);
                entries_told(&answer, told);
                self.tell(&http::answer(200, answer.to_string().as_bytes())).await?;
                Ok(Then::Next)
            }
        }
    }

    /// Asks the stream.
    async fn forward(&mut self, shared: &Shared, operation: &str, body: &[u8]) -> io::Result<Message> {
        let _open = shared.gate.read().await;
        let mut upstream = match self.upstream.take() {
            Some(upstream) => upstream,
            None => {
                let upstream = TcpStream::connect(shared.upstream).await?;
                upstream.set_nodelay(true)?;
                upstream
            }
        };
        upstream.write_all(&http::request(operation, body)).await?;
        let answer = http::read(&mut upstream, &mut Vec::new()).await?;
        self.upstream = Some(upstream);
        answer.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// Answers, unless the client has given up already: nothing is told to somebody who is gone.
    async fn tell(&mut self, answer: &[u8]) -> io::Result<()> {
        let mut some = [0; 1024];
        match self.stream.try_read(&mut some) {
            Ok(0) => return Err(io::ErrorKind::BrokenPipe.into()),
            // A next request before the answer to this one: kept for later.
            Ok(n) => self.kept.extend_from_slice(&some[..n]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        self.stream.write_all(answer).await
    }

    /// Waits until the client has hung up.
    async fn gone(&mut self) {
        let mut some = [0; 1024];
        while let Ok(1..) = self.stream.read(&mut some).await {}
    }

    /// Waits for so long; true when the client hung up first.
    async fn gone_within(&mut self, time: Duration) -> bool {
        tokio::time::timeout(time, self.gone()).await.is_ok()
    }
}

impl Shared {
    fn fault(&self, number: u64) -> Option<Fault> {
        let fault = lock(&self.weather).hits(number)?;
        self.hits.fetch_add(1, Ordering::Relaxed);
        Some(fault)
    }

    /// The answer to expired credentials.
    fn refusal(&self, request: &Message) -> Option<Vec<u8>> {
        let expired = lock(&self.weather).expired_key?;
        let text = json!({"__type": "ExpiredTokenException", "message": "The security token included in the request is expired"});
        let refused = request.key_id() == expired;
        self.hits.fetch_add(u64::from(refused), Ordering::Relaxed);
        refused.then(|| http::answer(400, text.to_string().as_bytes()))
    }
}

fn refused() -> Value {
    json!({"ErrorCode": "ProvisionedThroughputExceededException",
           "ErrorMessage": "Rate exceeded for shard shardId-000000000000 in stream s under account 000000000000."})
}

fn results(entries: Vec<Value>) -> Value {
    let failed = entries.iter().filter(|entry| entry.get("ErrorCode").is_some()).count();
    json!({"FailedRecordCount": failed, "Records": entries})
}

/// What the stream's own answer tells of each record.
fn read_answer(answer: &Message, told: &mut [Told]) {
    match answer.status() {
        200 => entries_told(&serde_json::from_slice(&answer.body).unwrap_or_default(), told),
        400..500 => told.fill(Told::Refused),
        _ => {}
    }
}

fn entries_told(answer: &Value, told: &mut [Told]) {
    let entries = answer["Records"].as_array().map(Vec::as_slice).unwrap_or_default();
    if entries.len() != told.len() {
        return;
    }
    for (told, entry) in told.iter_mut().zip(entries) {
        *told = if entry.get("ErrorCode").is_some() { Told::Refused } else { Told::Stored };
    }
}
