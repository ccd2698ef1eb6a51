//! What each path answers.
//!
//! Decides by method, path and headers; never reads a request's body. What is served to a browser has its rules with it.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER, VARY, WWW_AUTHENTICATE};
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::mpsc::Receiver;
use tokio::time::Instant;

use super::control::{self, Refusal};
use super::feed::NoPlace;
use super::page::{self, Asset};
use super::slots::Heard;
use super::{Phase, View};

/// The media type of Prometheus's text format.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
const TEXT_TYPE: &str = "text/plain; charset=utf-8";
const EVENTS_TYPE: &str = "text/event-stream";

/// The body of an answer: whole, or messages as they come.
pub(super) enum Content {
    Whole(Full<Bytes>),
    Messages {
        messages: Receiver<Bytes>,
        /// A connection that takes messages is not quiet.
        heard: Heard,
    },
}

impl Body for Content {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match &mut *self {
            Self::Whole(whole) => Pin::new(whole).poll_frame(context),
            Self::Messages { messages, heard } => messages.poll_recv(context).map(|message| {
                heard.set(Instant::now());
                message.map(|message| Ok(Frame::data(message)))
            }),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(whole) => whole.is_end_stream(),
            Self::Messages { .. } => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(whole) => whole.size_hint(),
            Self::Messages { .. } => SizeHint::default(),
        }
    }
}

/// The answer to a request on a connection that is `heard`.
pub(super) async fn answer(view: &View, heard: &Heard, request: &Request<Incoming>) -> Response<Content> {
    let mut response = match view.gate() {
        Some(gate) if request.uri().path().starts_with(control::PREFIX) => steer(gate, request).await,
        _ => look(view, heard, request).await,
    };
    if !request.body().is_end_stream() {
        // The body is not read, so the next request can't be found behind it.
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// The answer to who only looks.
async fn look(view: &View, heard: &Heard, request: &Request<Incoming>) -> Response<Content> {
    let path = request.uri().path();
    // A process that only reads has no run to show.
    let asset = Asset::at(path).filter(|_| view.ledger().is_some());
    let known = matches!(path, "/" | "/metrics" | "/healthz" | "/readyz")
        || asset.is_some()
        || (path == "/events" && view.ledger().is_some());
    if !known {
        return text(StatusCode::NOT_FOUND, "no such path; try /metrics, /healthz, /readyz\n");
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    if let Some(asset) = asset {
        return shown(asset);
    }
    match path {
        "/metrics" => metrics(view).await,
        "/healthz" => text(StatusCode::OK, "ok\n"),
        "/readyz" => match view.phase() {
            Phase::Running => text(StatusCode::OK, "ready\n"),
            Phase::Starting => text(StatusCode::SERVICE_UNAVAILABLE, "starting\n"),
            Phase::Waiting => text(StatusCode::SERVICE_UNAVAILABLE, "waiting\n"),
            Phase::Draining => text(StatusCode::SERVICE_UNAVAILABLE, "draining\n"),
        },
        "/events" if *request.method() == Method::HEAD => typed(StatusCode::OK, EVENTS_TYPE, Bytes::new()),
        "/events" => events(view, heard),
        _ if view.ledger().is_some() && page::wants_page(request.headers()) => shown(page::INDEX),
        _ => {
            let list =
                "kinesis-streamer: / (the page, in a browser), /metrics (Prometheus), /healthz, /readyz\n";
            let mut response = text(StatusCode::OK, list);
            response.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
            response
        }
    }
}

/// The answer to who wants to change the run.
async fn steer(gate: &control::Gate, request: &Request<Incoming>) -> Response<Content> {
    let (uri, headers) = (request.uri(), request.headers());
    let is_post = *request.method() == Method::POST;
    let command = match gate.admit(is_post, uri.path(), uri.query(), headers) {
        Ok(Some(command)) => command,
        Ok(None) => return text(StatusCode::OK, "the token is right\n"),
        Err(refusal) => return refuse(refusal),
    };
    match gate.wish(command).await {
        Some(Ok(done)) => said(StatusCode::OK, done),
        Some(Err(why)) => said(StatusCode::CONFLICT, why),
        None => said(
            StatusCode::CONFLICT,
            "the run is over, has not begun, or is busy with other commands".to_owned(),
        ),
    }
}

fn refuse(refusal: Refusal) -> Response<Content> {
    match refusal {
        Refusal::Method => {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "only POST\n");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
            response
        }
        Refusal::Foreign => {
            text(StatusCode::FORBIDDEN, "only from this listener's own page, or from no page\n")
        }
        Refusal::Token => {
            let words = "the token is missing or another one: Authorization: Bearer TOKEN, as in STREAMER_CONTROL_TOKEN\n";
            let mut response = text(StatusCode::UNAUTHORIZED, words);
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            response
        }
        Refusal::Unknown => {
            text(StatusCode::NOT_FOUND, "no such command; try pause, resume, rate?x=2, next-phase, stop\n")
        }
        Refusal::Wrong => text(
            StatusCode::BAD_REQUEST,
            "rate takes ?x= and a number from 0.001 to 100 with at most 3 decimals; no other command takes anything\n",
        ),
    }
}

/// Messages for as long as they are taken.
fn events(view: &View, heard: &Heard) -> Response<Content> {
    match view.feed().look(view) {
        Ok(messages) => {
            let mut response = Response::new(Content::Messages { messages, heard: heard.clone() });
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(EVENTS_TYPE));
            page::guard(response.headers_mut());
            response
        }
        Err(NoPlace::Full) => busy("as many look as may; try again later\n"),
        Err(NoPlace::Closed) => busy("the run is over\n"),
    }
}

fn busy(words: &'static str) -> Response<Content> {
    let mut response = text(StatusCode::SERVICE_UNAVAILABLE, words);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    response
}

/// A file of the page.
fn shown(asset: Asset) -> Response<Content> {
    let mut response = typed(StatusCode::OK, asset.kind, asset.body());
    page::guard(response.headers_mut());
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
    response
}

async fn metrics(view: &View) -> Response<Content> {
    match view.scrape().await {
        Ok(body) => typed(StatusCode::OK, METRICS_TYPE, body),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a scrape got no metrics");
            text(StatusCode::INTERNAL_SERVER_ERROR, "the metrics can't be rendered; the log says why\n")
        }
    }
}

fn text(status: StatusCode, body: &'static str) -> Response<Content> {
    typed(status, TEXT_TYPE, Bytes::from_static(body.as_bytes()))
}

fn said(status: StatusCode, words: String) -> Response<Content> {
    typed(status, TEXT_TYPE, Bytes::from(words + "\n"))
}

fn typed(status: StatusCode, kind: &'static str, body: Bytes) -> Response<Content> {
    let mut response = Response::new(Content::Whole(Full::new(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
