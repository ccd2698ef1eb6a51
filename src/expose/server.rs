//! The server for machines and people that watch: its connections, and what one client may take of them.
//!
//! Bounds what a slow or hostile client can take: connections, headers, time. What is answered is decided in `answer`.
//! The caller binds the listener before anything runs, and says when to stop.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::View;
use super::answer::answer;
use super::slots::{Heard, Slots};

/// How long accepting rests after an error, such as no free file descriptor, that the next call would meet again.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// What one server gives its clients at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Connections at once, at least 1.
    pub connections: usize,
    /// How long a connection without a request keeps its slot while another client waits for one.
    pub contested: Duration,
    /// How long a request's header may take, and a connection may wait for its next request.
    pub header: Duration,
    /// How long a connection lives after its last request, or the last message that it took: the bound for a client
    /// that does not read.
    pub quiet: Duration,
    /// Bytes of a request's line and headers; at least 8,192.
    pub header_bytes: usize,
    /// Number of headers of a request.
    pub headers: usize,
    /// How long the end waits for answers under way.
    pub close: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 64,
            contested: Duration::from_millis(100),
            header: Duration::from_secs(10),
            quiet: Duration::from_secs(60),
            header_bytes: 16 * 1024,
            headers: 64,
            close: Duration::from_secs(1),
        }
    }
}

/// The server, not yet serving.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    view: View,
    bounds: Bounds,
}

impl Server {
    /// A server of `view` on `listener`.
    #[must_use]
    pub fn new(listener: TcpListener, view: View) -> Self {
        Self { listener, view, bounds: Bounds::default() }
    }

    /// The same server with other bounds.
    #[must_use]
    pub fn with_bounds(self, bounds: Bounds) -> Self {
        Self { bounds, ..self }
    }

    /// Serves until `shutdown` is there, then lets the answers under way end.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) {
        let Self { listener, view, bounds } = self;
        let (closing, closed) = watch::channel(false);
        let mut slots = Slots::new(bounds.connections);
        let mut tasks = JoinSet::new();
        // Accepted while all slots were taken; nothing more is accepted before it has one.
        let mut waiting: Option<TcpStream> = None;
        let mut shutdown = pin!(shutdown);
        loop {
            if !slots.full()
                && let Some(stream) = waiting.take()
            {
                let heard = Heard::at(Instant::now());
                let task =
                    tasks.spawn(connection(stream, view.clone(), bounds, heard.clone(), closed.clone()));
                slots.take(heard, task);
            }
            let contested = slots.quietest().map(|heard| heard + bounds.contested);
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                Some(over) = tasks.join_next_with_id() => {
                    slots.free(over.map_or_else(|error: JoinError| error.id(), |(id, ())| id));
                }
                () = async { sleep_until(contested.unwrap_or_else(Instant::now)).await }, if waiting.is_some() => {
                    // The task's end is the next thing that `select!` meets.
                    slots.close_quietest();
                    if let Some(over) = tasks.join_next_with_id().await {
                        slots.free(over.map_or_else(|error: JoinError| error.id(), |(id, ())| id));
                    }
                }
                accepted = listener.accept(), if waiting.is_none() => match accepted {
                    Ok((stream, _)) => {
                        // Messages are small and follow one another; none is to wait for the one before it.
                        let _ = stream.set_nodelay(true);
                        waiting = Some(stream);
                    }
                    Err(error) => {
                        tracing::debug!(%error, "a connection to the metrics server was not accepted");
                        sleep(ACCEPT_REST).await;
                    }
                },
            }
        }
        drop(listener);
        view.feed().close();
        closing.send_replace(true);
        // What is not over in time is cut off when the set is dropped.
        let _ = timeout(bounds.close, async { while tasks.join_next().await.is_some() {} }).await;
    }
}

/// Serves one connection until it ends, breaks a bound, or the server closes.
async fn connection(
    stream: TcpStream,
    view: View,
    bounds: Bounds,
    heard: Heard,
    mut closing: watch::Receiver<bool>,
) {
    let requests = heard.clone();
    let service = service_fn(move |request| {
        requests.set(Instant::now());
        let (view, heard) = (view.clone(), requests.clone());
        async move { Ok::<_, Infallible>(answer(&view, &heard, &request).await) }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.header)
        .max_buf_size(bounds.header_bytes)
        .max_headers(bounds.headers)
        .serve_connection(TokioIo::new(stream), service);
    let mut serving = pin!(serving);
    let mut open = true;
    loop {
        let end = heard.last() + bounds.quiet;
        tokio::select! {
            // An error is the client's: it is gone, or broke a rule and has its answer.
            _ = serving.as_mut() => return,
            _ = closing.wait_for(|closing| *closing), if open => {
                open = false;
                serving.as_mut().graceful_shutdown();
            }
            () = sleep_until(end) => {
                if Instant::now() >= heard.last() + bounds.quiet {
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
