//! One request, from head to answer: awsJson1_1 over HTTP/1.1, or the same in CBOR.
//!
//! Decides by the head alone whether a body is read. Authorization is accepted as it comes, or missing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue};
use hyper::{HeaderMap, Method, Request, Response, StatusCode};

use super::super::error::{ApiError, ErrorKind};
use super::super::options::Guards;
use super::super::store::Store;
use super::super::wire::Api;
use super::body::{self, Budget};
use crate::kinesis::Wire;

/// The prefix of `X-Amz-Target`: service and version.
const TARGET: &str = "Kinesis_20131202.";

/// Answers requests over a store.
#[derive(Debug)]
pub(super) struct Handler {
    api: Api,
    guards: Guards,
    budget: Budget,
    requests: AtomicU64,
}

impl Handler {
    pub(super) fn new(store: Arc<Store>) -> Self {
        let guards = store.options().guards;
        let budget = Budget::new(guards.bodies, store.options().limits.request_bytes);
        Self { api: Api::new(store), guards, budget, requests: AtomicU64::new(0) }
    }

    pub(super) fn guards(&self) -> Guards {
        self.guards
    }

    pub(super) async fn handle(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        if head.method == Method::GET && matches!(head.uri.path(), "/" | "/healthz") {
            return self.answer(StatusCode::OK, "text/plain", b"ok\n".to_vec());
        }
        let wire = wire(&head.headers);
        let operation = match operation(&head.method, &head.headers) {
            Ok(operation) => operation,
            // The body was not read, so the connection can't go on.
            Err(error) => return closing(self.error(wire, &error)),
        };
        let read = tokio::time::timeout(self.guards.body, body::read(body, &self.budget)).await;
        let held = match read {
            Ok(Ok(held)) => held,
            Ok(Err(Some(error))) => return closing(self.error(wire, &error)),
            Ok(Err(None)) | Err(_) => {
                let text = "The request's body did not come in time.";
                return closing(self.error(wire, &ApiError::new(ErrorKind::Serialization, text)));
            }
        };
        match self.api.call_by(wire, operation, held.bytes()) {
            Ok(body) => self.answer(StatusCode::OK, wire.content_type(), body),
            Err(error) => self.error(wire, &error),
        }
    }

    fn error(&self, wire: Wire, error: &ApiError) -> Response<Full<Bytes>> {
        let status = StatusCode::from_u16(error.kind.status()).unwrap_or(StatusCode::BAD_REQUEST);
        self.answer(status, wire.content_type(), Api::error(wire, error))
    }

    fn answer(&self, status: StatusCode, kind: &'static str, body: Vec<u8>) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(Bytes::from(body)));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        // In the form of an id that AWS gives: unique in this process, which is all it is for.
        let id = self.requests.fetch_add(1, Ordering::Relaxed);
        if let Ok(id) = HeaderValue::try_from(format!("00000000-0000-4000-8000-{id:012x}")) {
            headers.insert("x-amzn-requestid", id);
        }
        response
    }
}

/// The wire of a request's body, in which it is answered: JSON, unless the head says CBOR.
fn wire(headers: &HeaderMap) -> Wire {
    let kind = headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let name = Wire::Cbor.content_type().as_bytes();
    if kind.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)) {
        Wire::Cbor
    } else {
        Wire::Json
    }
}

/// The operation that the head names.
fn operation<'a>(method: &Method, headers: &'a HeaderMap) -> Result<&'a str, ApiError> {
    let unknown = |text: &str| ApiError::new(ErrorKind::UnknownOperation, text);
    if method != Method::POST {
        return Err(unknown("Kinesis is spoken to by POST."));
    }
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    target.and_then(|target| target.strip_prefix(TARGET)).ok_or_else(|| {
        unknown("The X-Amz-Target header must read Kinesis_20131202. and the name of an operation.")
    })
}

fn closing(mut response: Response<Full<Bytes>>) -> Response<Full<Bytes>> {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}
