//! One keep-alive connection, plain or by TLS: writes a request and reads its response, in the task of the caller.
//!
//! No task of its own and no channel: a request costs a write, a wait and a read. Dropped in mid-request, it closes.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::response::{Malformed, Reader, Whole};
use super::sign::Scratch;

/// The least room for a response.
const READ: usize = 16 * 1024;

/// The most room that a waiting connection keeps: 500 stored entries take 56 kB.
const KEPT: usize = 256 * 1024;

/// Where to connect to.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    /// A name or an address.
    pub name: String,
    pub port: u16,
    /// How to encrypt, if at all.
    pub tls: Option<Arc<ClientConfig>>,
}

/// How an exchange failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// Not a byte of the request was taken: nobody has seen it.
    #[error("the connection was closed before the request: {0}")]
    Unsent(#[source] io::Error),
    /// The request may have been read.
    #[error("the connection broke: {0}")]
    Sent(#[source] io::Error),
    /// The response can't be read.
    #[error("the response is malformed: {0}")]
    Malformed(#[from] Malformed),
}

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A connection, and the buffers of the request that it carries.
#[derive(Debug)]
pub(super) struct Connection {
    stream: Stream,
    /// The request's head.
    pub head: Vec<u8>,
    pub scratch: Scratch,
    /// The response, up to `filled`. All of it is initialised: a read without `unsafe` needs that, and to zero the
    /// room for every response would cost more than to read it.
    got: Vec<u8>,
    filled: usize,
    /// When its last exchange ended.
    idle_since: Instant,
}

impl Connection {
    /// Opens a connection; the addresses of a name are tried one after the other, each for its share of `limit`.
    pub(super) async fn open(peer: &Peer, limit: Duration) -> io::Result<Self> {
        let addresses: Vec<SocketAddr> =
            timeout(limit, tokio::net::lookup_host((peer.name.as_str(), peer.port))).await??.collect();
        let share = limit / u32::try_from(addresses.len().clamp(1, 4)).unwrap_or(1);
        let mut last = io::Error::new(io::ErrorKind::NotFound, format!("{} has no address", peer.name));
        for address in addresses.into_iter().take(4) {
            match timeout(share, Self::open_at(peer, address)).await {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err(error)) => last = error,
                Err(_) => {
                    last = io::Error::new(io::ErrorKind::TimedOut, format!("{address} does not answer"))
                }
            }
        }
        Err(last)
    }

    async fn open_at(peer: &Peer, address: SocketAddr) -> io::Result<Self> {
        let plain = TcpStream::connect(address).await?;
        plain.set_nodelay(true)?;
        let stream = match &peer.tls {
            None => Stream::Plain(plain),
            Some(config) => {
                let name = ServerName::try_from(peer.name.clone()).map_err(io::Error::other)?;
                let connector = TlsConnector::from(Arc::clone(config));
                Stream::Tls(Box::new(connector.connect(name, plain).await?))
            }
        };
        Ok(Self {
            stream,
            head: Vec::new(),
            scratch: Scratch::default(),
            got: Vec::new(),
            filled: 0,
            idle_since: Instant::now(),
        })
    }

    /// Its exchange is over: it waits for the next one, without the room that only an odd response needed.
    pub(super) fn rest(&mut self) {
        self.idle_since = Instant::now();
        if self.got.len() > KEPT {
            self.got = Vec::new();
        }
    }

    /// How long it has been waiting.
    pub(super) fn idle(&self) -> Duration {
        self.idle_since.elapsed()
    }

    /// Whether the peer has neither closed nor written since the last exchange.
    pub(super) fn is_quiet(&mut self) -> bool {
        let (mut byte, mut context) = ([0], Context::from_waker(Waker::noop()));
        self.stream.poll_read(&mut context, &mut ReadBuf::new(&mut byte)).is_pending()
    }

    /// What the response of the last exchange holds at `place`.
    pub(super) fn said(&self, place: Range<usize>) -> &[u8] {
        &self.got[place]
    }

    /// Sends [`Self::head`] and `body`, and reads the response.
    ///
    /// A peer that answers before it has read the whole request is listened to.
    pub(super) async fn exchange(&mut self, body: &[u8]) -> Result<Whole, Broken> {
        self.filled = 0;
        let (mut reader, mut written, total) = (Reader::default(), 0, self.head.len() + body.len());
        let (mut flushed, mut refused) = (false, None);
        std::future::poll_fn(|context| {
            while refused.is_none() && !flushed {
                let (head, body) = if written < self.head.len() {
                    (&self.head[written..], body)
                } else {
                    (&[][..], &body[written - self.head.len()..])
                };
                let step = if written < total {
                    self.stream.poll_write(context, head, body)
                } else {
                    self.stream.poll_flush(context).map_ok(|()| 0)
                };
                match step {
                    Poll::Ready(Ok(0)) if written < total => {
                        refused = Some(io::Error::from(io::ErrorKind::WriteZero));
                    }
                    Poll::Ready(Ok(0)) => flushed = true,
                    Poll::Ready(Ok(more)) => written += more,
                    Poll::Ready(Err(error)) if written == 0 => {
                        return Poll::Ready(Err(Broken::Unsent(error)));
                    }
                    // What the peer says before it hangs up is worth more than that it did.
                    Poll::Ready(Err(error)) => refused = Some(error),
                    Poll::Pending => break,
                }
            }
            loop {
                let more = match ready!(self.poll_more(context, &reader)) {
                    Ok(more) => more,
                    Err(error) => return Poll::Ready(Err(Broken::Sent(refused.take().unwrap_or(error)))),
                };
                match reader.read(&mut self.got[..self.filled], more == 0) {
                    Ok(Some(mut whole)) => {
                        whole.head.keep_alive &= flushed;
                        return Poll::Ready(Ok(whole));
                    }
                    Ok(None) if more == 0 => {
                        let ended = refused.take().unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into());
                        return Poll::Ready(Err(Broken::Sent(ended)));
                    }
                    Ok(None) => {}
                    Err(malformed) => return Poll::Ready(Err(malformed.into())),
                }
            }
        })
        .await
    }

    /// Reads more of the response; gives how many bytes, 0 at the connection's end.
    fn poll_more(&mut self, context: &mut Context<'_>, reader: &Reader) -> Poll<io::Result<usize>> {
        let wanted = self.filled + reader.missing(self.filled).unwrap_or(READ / 2).max(1);
        if wanted > self.got.len() {
            self.got.resize(wanted.max(READ), 0);
        }
        let mut room = ReadBuf::new(&mut self.got[self.filled..]);
        ready!(self.stream.poll_read(context, &mut room))?;
        let more = room.filled().len();
        self.filled += more;
        Poll::Ready(Ok(more))
    }
}

impl Stream {
    fn poll_read(&mut self, context: &mut Context<'_>, room: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, room),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, room),
        }
    }

    fn poll_write(&mut self, context: &mut Context<'_>, head: &[u8], body: &[u8]) -> Poll<io::Result<usize>> {
        let both = [IoSlice::new(head), IoSlice::new(body)];
        let both = if head.is_empty() { &both[1..] } else { &both[..] };
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(context, both),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(context, both),
        }
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(_) => Poll::Ready(Ok(())),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }
}
