//! One request, from head to answer: awsJson1_1 over HTTP/1.1.
//!
//! Decides by the head alone whether a body is read. Authorization is accepted as it comes, or missing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue};
use hyper::{HeaderMap, Method, Request, Response, StatusCode};

use super::super::error::{ApiError, ErrorKind};
use super::super::options::Guards;
use super::super::store::Store;
use super::super::wire::Api;
use super::body::{self, Budget};

const JSON: &str = "application/x-amz-json-1.1";

/// The prefix of `X-Amz-Target`: service and version.
const TARGET: &str = "Kinesis_20131202.";

/// Answers requests over a store.
#[derive(Debug)]
pub(super) struct Handler {
    api: Api,
    guards: Guards,
    budget: Budget,
    requests: AtomicU64,
    told_about_cbor: AtomicBool,
}

impl Handler {
    pub(super) fn new(store: Arc<Store>) -> Self {
        let guards = store.options().guards;
        let budget = Budget::new(guards.bodies, store.options().limits.request_bytes);
        Self {
            api: Api::new(store),
            guards,
            budget,
            requests: AtomicU64::new(0),
            told_about_cbor: AtomicBool::new(false),
        }
    }

    pub(super) fn guards(&self) -> Guards {
        self.guards
    }

    pub(super) async fn handle(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        if head.method == Method::GET && matches!(head.uri.path(), "/" | "/healthz") {
            return self.answer(StatusCode::OK, "text/plain", b"ok\n".to_vec());
        }
        let operation = match self.operation(&head.method, &head.headers) {
            Ok(operation) => operation,
            // The body was not read, so the connection can't go on.
            Err(error) => return closing(self.error(&error)),
        };
        let read = tokio::time::timeout(self.guards.body, body::read(body, &self.budget)).await;
        let held = match read {
            Ok(Ok(held)) => held,
            Ok(Err(Some(error))) => return closing(self.error(&error)),
            Ok(Err(None)) | Err(_) => {
                let text = "The request's body did not come in time.";
                return closing(self.error(&ApiError::new(ErrorKind::Serialization, text)));
            }
        };
        match self.api.call(operation, held.bytes()) {
            Ok(body) => self.answer(StatusCode::OK, JSON, body),
            Err(error) => self.error(&error),
        }
    }

    /// The operation that the head names.
    fn operation<'a>(&self, method: &Method, headers: &'a HeaderMap) -> Result<&'a str, ApiError> {
        let unknown = |text: &str| ApiError::new(ErrorKind::UnknownOperation, text);
        if method != Method::POST {
            return Err(unknown("Kinesis is spoken to by POST."));
        }
        let kind = headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
        if kind.starts_with(b"application/x-amz-cbor") {
            let text = "The embedded stream speaks JSON (application/x-amz-json-1.1), not CBOR. Turn CBOR off in \
                        the client, for instance with AWS_CBOR_DISABLE=true.";
            if !self.told_about_cbor.swap(true, Ordering::Relaxed) {
                tracing::warn!("{text}");
            }
            return Err(ApiError::new(ErrorKind::Serialization, text));
        }
        let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        target.and_then(|target| target.strip_prefix(TARGET)).ok_or_else(|| {
            unknown("The X-Amz-Target header must read Kinesis_20131202. and the name of an operation.")
        })
    }

    fn error(&self, error: &ApiError) -> Response<Full<Bytes>> {
        let status = StatusCode::from_u16(error.kind.status()).unwrap_or(StatusCode::BAD_REQUEST);
        let body = serde_json::json!({ "__type": error.kind.name(), "message": error.message });
        self.answer(status, JSON, body.to_string().into_bytes())
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

fn closing(mut response: Response<Full<Bytes>>) -> Response<Full<Bytes>> {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}
