//! Exports on time: a request an interval, one at the end, and never more than one under way.
//!
//! What is not taken is not sent again: the next message holds all of it, for counts are cumulative. A collector that
//! stands still holds up nobody.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{
    CONTENT_TYPE, HeaderName, HeaderValue, InvalidHeaderName, InvalidHeaderValue, USER_AGENT,
};
use http::uri::Scheme;
use http::{HeaderMap, Request, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use prost::Message;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval_at, timeout};

use super::message::{Window, request, started};
use crate::expose::View;

/// Most bytes of an answer that are read.
const MOST_ANSWER: usize = 64 * 1024;

/// Where to, and how.
#[derive(Debug)]
pub struct Target {
    /// The whole URL.
    pub url: String,
    /// The headers of each request, made by [`Target::headers`].
    pub headers: HeaderMap,
    /// Between two exports.
    pub interval: Duration,
    /// Of one request.
    pub timeout: Duration,
    /// Attributes of the resource.
    pub resource: Vec<(String, String)>,
}

impl Target {
    /// Names and values as headers; the values are shown nowhere.
    ///
    /// # Errors
    /// When a request can't carry one.
    pub fn headers(pairs: &[(String, String)]) -> Result<HeaderMap, OtlpError> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            let mut value = HeaderValue::try_from(value)?;
            value.set_sensitive(true);
            headers.insert(HeaderName::try_from(name)?, value);
        }
        Ok(headers)
    }
}

/// Why nothing can be exported, or one export came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum OtlpError {
    /// The name of a header is none.
    #[error("a header of OTEL_EXPORTER_OTLP_HEADERS has a name that is none")]
    HeaderName(#[from] InvalidHeaderName),
    /// The value of a header is none.
    #[error("a header of OTEL_EXPORTER_OTLP_HEADERS has a value that can't be sent")]
    HeaderValue(#[from] InvalidHeaderValue),
    /// The URL is none.
    #[error("the endpoint is no URL")]
    Url(#[from] http::uri::InvalidUri),
    /// The system trusts nobody.
    #[error("the system has no certificates to trust an https endpoint by")]
    Certificates,
    /// TLS can't be set up.
    #[error("TLS can't be set up")]
    Tls(#[from] rustls::Error),
    /// The request can't be made.
    #[error("the request can't be made")]
    Request(#[from] http::Error),
    /// No answer came.
    #[error("{0}")]
    Connection(#[from] hyper_util::client::legacy::Error),
    /// No answer came in time.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    /// It answered with something else than success.
    #[error("it answered {0}")]
    Status(http::StatusCode),
    /// It took a part.
    #[error("it refused {0} data points: {1}")]
    Partial(i64, String),
}

/// Exports until it is ended or dropped.
#[derive(Debug)]
pub struct Exporter {
    ended: watch::Sender<bool>,
    going: JoinHandle<()>,
}

impl Drop for Exporter {
    fn drop(&mut self) {
        self.going.abort();
    }
}

impl Exporter {
    /// Begins to export what `view` shows to `target`.
    ///
    /// # Errors
    /// When nothing can be exported there, ever.
    pub fn begin(view: View, target: Target) -> Result<Self, OtlpError> {
        let uri: Uri = target.url.parse()?;
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls(uri.scheme() == Some(&Scheme::HTTPS))?)
            .https_or_http()
            .enable_http1()
            .build();
        let client = Client::builder(TokioExecutor::new()).build(connector);
        let (ended, is_ended) = watch::channel(false);
        let going = Going { view, target, uri, client, failed: 0, all: 0 };
        Ok(Self { ended, going: tokio::spawn(going.live(is_ended)) })
    }

    /// The last export: what the counts are at the end. Takes no longer than two requests may.
    pub async fn end(mut self) {
        self.ended.send_replace(true);
        if (&mut self.going).await.is_err() {
            tracing::debug!("the export of metrics ended before its last one");
        }
    }
}

struct Going {
    view: View,
    target: Target,
    uri: Uri,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    failed: u64,
    all: u64,
}

impl Going {
    async fn live(mut self, mut ended: watch::Receiver<bool>) {
        let every = self.target.interval;
        let mut ticks = interval_at(tokio::time::Instant::now() + every, every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let is_over = async {
                // Whoever would say so is gone: it is over as well.
                let _ = ended.wait_for(|ended| *ended).await;
            };
            tokio::select! {
                _ = ticks.tick() => self.export().await,
                () = is_over => break,
            }
        }
        self.export().await;
        if self.failed > 0 {
            tracing::warn!(failed = self.failed, of = self.all, "exports of metrics that came to nothing");
        }
    }

    /// One export. The first that fails is told.
    async fn export(&mut self) {
        self.all += 1;
        let Err(error) = self.send().await else { return };
        self.failed += 1;
        if self.failed == 1 {
            tracing::warn!("metrics can't be exported to {}: {}", self.uri, chain(&error));
        } else {
            tracing::debug!("metrics can't be exported: {}", chain(&error));
        }
    }

    async fn send(&self) -> Result<(), OtlpError> {
        let nanos = |at: SystemTime| at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64);
        let families = self.view.metrics().families();
        let window = Window { start: started(&families), now: nanos(SystemTime::now()) };
        let message = request(&families, &self.target.resource, window);
        let mut request = Request::post(self.uri.clone())
            .header(CONTENT_TYPE, "application/x-protobuf")
            .header(USER_AGENT, concat!("kinesis-streamer/", env!("CARGO_PKG_VERSION")))
            .body(Full::new(Bytes::from(message.encode_to_vec())))?;
        request.headers_mut().extend(self.target.headers.clone());
        let asked = async {
            let answer = self.client.request(request).await?;
            let status = answer.status();
            if !status.is_success() {
                return Err(OtlpError::Status(status));
            }
            // An answer that is too long or broken says nothing against its status.
            let body = Limited::new(answer.into_body(), MOST_ANSWER).collect().await;
            Ok(body.map(|body| body.to_bytes()).unwrap_or_default())
        };
        let limit = self.target.timeout;
        let body = timeout(limit, asked).await.map_err(|_| OtlpError::Timeout(limit))??;
        match ExportMetricsServiceResponse::decode(body).ok().and_then(|answer| answer.partial_success) {
            Some(partial) if partial.rejected_data_points > 0 => {
                Err(OtlpError::Partial(partial.rejected_data_points, partial.error_message))
            }
            _ => Ok(()),
        }
    }
}

/// How a collector is trusted: by the system's certificates, which only https needs.
fn tls(is_https: bool) -> Result<ClientConfig, OtlpError> {
    let mut roots = RootCertStore::empty();
    if is_https {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err(OtlpError::Certificates);
        }
    }
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let config =
        ClientConfig::builder_with_provider(provider.into()).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    // What a collector says is shown in one line.
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(500).collect()
}
