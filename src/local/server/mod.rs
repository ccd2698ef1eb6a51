//! The HTTP/1.1 server: a listener, its connections, and their end.
//!
//! Decides who may connect and for how long. What a request means is `wire`'s, how it is read `http`'s.

mod body;
mod guard;
mod http;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use super::options::Options;
use super::store::Store;
use guard::{Guarded, Phase};
use http::Handler;

/// Most bytes of a request's head, and of one read from a connection.
const MAX_HEAD_BYTES: usize = 64 * 1024;
const MAX_HEADERS: usize = 64;

/// How long requests in hand may take after the server was told to stop.
const LINGER: Duration = Duration::from_secs(5);

/// How long to wait when the machine has no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How long the same trouble is not told again.
const QUIET: Duration = Duration::from_secs(10);

/// The embedded Kinesis, bound to its address.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    addr: SocketAddr,
    store: Arc<Store>,
}

impl Server {
    /// Binds the address and makes the first stream. Nobody is answered before [`Server::serve`], but
    /// connections already queue.
    ///
    /// Signatures are not verified, so an address that others reach is open to them: that choice is the
    /// caller's. Port 0 takes any free port.
    ///
    /// # Errors
    /// The address can't be bound, or (`InvalidInput`) the first stream can't be what the options say.
    pub async fn bind(addr: SocketAddr, options: Options) -> io::Result<Self> {
        let store =
            Store::new(options).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        Ok(Self { listener, addr, store: Arc::new(store) })
    }

    /// The address that is bound, with its real port.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The URL to give to clients as the endpoint.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The streams.
    #[must_use]
    pub fn store(&self) -> Arc<Store> {
        Arc::clone(&self.store)
    }

    /// Answers until `shutdown` is ready; then finishes the requests in hand, for five seconds at most.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) {
        let guards = self.store.options().guards;
        let handler = Arc::new(Handler::new(Arc::clone(&self.store)));
        let room = Arc::new(Semaphore::new(guards.connections));
        let (stop, stopped) = watch::channel(());
        let mut connections = JoinSet::new();
        tokio::pin!(shutdown);
        let mut told = None;
        loop {
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                Some(ended) = connections.join_next(), if !connections.is_empty() => {
                    if let Err(error) = ended {
                        tracing::error!(%error, "a connection of the embedded stream failed");
                    }
                }
                accepted = accept(&self.listener, &room) => match accepted {
                    Ok((stream, permit)) => {
                        let connection = connection(stream, Arc::clone(&handler), stopped.clone(), permit);
                        connections.spawn(connection);
                    }
                    Err(error) => {
                        if told.is_none_or(|told: Instant| told.elapsed() >= QUIET) {
                            tracing::warn!(%error, "the embedded stream can't accept connections; they wait");
                            told = Some(Instant::now());
                        }
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        drop(self.listener);
        drop(stop);
        let all = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(LINGER, all).await.is_err() {
            tracing::warn!("the embedded stream stopped with requests unfinished");
        }
    }
}

/// The next connection, once there is room for it; until then it waits in the listen queue.
async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let permit = Arc::clone(room).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    // A small answer must not wait for more to come.
    stream.set_nodelay(true)?;
    Ok((stream, permit))
}

async fn connection(
    stream: TcpStream,
    handler: Arc<Handler>,
    mut stopped: watch::Receiver<()>,
    _permit: OwnedSemaphorePermit,
) {
    let phase = Arc::new(Phase::default());
    let io = TokioIo::new(Guarded::new(stream, handler.guards(), Arc::clone(&phase)));
    let service = service_fn(move |request| {
        let (handler, phase) = (Arc::clone(&handler), Arc::clone(&phase));
        async move {
            phase.busy();
            let answer = handler.handle(request).await;
            phase.idle();
            Ok::<_, std::convert::Infallible>(answer)
        }
    });
    let connection = http1::Builder::new()
        .max_buf_size(MAX_HEAD_BYTES)
        .max_headers(MAX_HEADERS)
        // The guard below the connection keeps the time: it tells a slow head from an idle connection.
        .header_read_timeout(None)
        .serve_connection(io, service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a client's connection ended early");
    }
}
