//! The server for machines that watch: `/metrics`, `/healthz`, `/readyz`, and `/` that lists them.
//!
//! Bounds what a slow or hostile client can take: connections, headers, time. It never reads a request's
//! body. The caller binds the listener before anything runs, and says when to stop.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::slots::{Heard, Slots};
use super::{Phase, View};

/// The media type of Prometheus's text format.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
const TEXT_TYPE: &str = "text/plain; charset=utf-8";

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
    /// How long a connection lives after its last request: the bound for a client that does not read.
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
                    Ok((stream, _)) => waiting = Some(stream),
                    Err(error) => {
                        tracing::debug!(%error, "a connection to the metrics server was not accepted");
                        sleep(ACCEPT_REST).await;
                    }
                },
            }
        }
        drop(listener);
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
        let view = view.clone();
        async move { Ok::<_, Infallible>(answer(&view, &request).await) }
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

/// The answer to a request.
async fn answer(view: &View, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let known = matches!(request.uri().path(), "/" | "/metrics" | "/healthz" | "/readyz");
    let asks = matches!(*request.method(), Method::GET | Method::HEAD);
    let mut response = match request.uri().path() {
        _ if !known => text(StatusCode::NOT_FOUND, "no such path; try /metrics, /healthz, /readyz\n"),
        _ if !asks => {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            response
        }
        "/metrics" => metrics(view).await,
        "/healthz" => text(StatusCode::OK, "ok\n"),
        "/readyz" => match view.phase() {
            Phase::Running => text(StatusCode::OK, "ready\n"),
            Phase::Starting => text(StatusCode::SERVICE_UNAVAILABLE, "starting\n"),
            Phase::Waiting => text(StatusCode::SERVICE_UNAVAILABLE, "waiting\n"),
            Phase::Draining => text(StatusCode::SERVICE_UNAVAILABLE, "draining\n"),
        },
        _ => text(StatusCode::OK, "kinesis-streamer: /metrics (Prometheus), /healthz, /readyz\n"),
    };
    if !request.body().is_end_stream() {
        // The body is not read, so the next request can't be found behind it.
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

async fn metrics(view: &View) -> Response<Full<Bytes>> {
    match view.scrape().await {
        Ok(body) => typed(StatusCode::OK, METRICS_TYPE, body),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a scrape got no metrics");
            text(StatusCode::INTERNAL_SERVER_ERROR, "the metrics can't be rendered; the log says why\n")
        }
    }
}

fn text(status: StatusCode, body: &'static str) -> Response<Full<Bytes>> {
    typed(status, TEXT_TYPE, Bytes::from_static(body.as_bytes()))
}

fn typed(status: StatusCode, kind: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
