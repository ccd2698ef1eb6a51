//! The way of the PutRecords requests to one stream: direct, or through aws-sdk-kinesis.
//!
//! Where to send to and what to sign for is the SDK's decision either way: it is asked once, with a request that
//! never leaves.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_kinesis::config::retry::RetryConfig;
use aws_sdk_kinesis::config::timeout::TimeoutConfig;
use aws_sdk_kinesis::config::{Builder, StalledStreamProtectionConfig};
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::PutRecordsRequestEntry;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use bytes::Bytes;
use hyper_util::client::proxy::matcher::Matcher;

use super::client::CONNECT_TIMEOUT;
use super::direct::{Direct, Endpoint};
use super::endpoint::is_on_this_machine;
use super::fault::{Cause, Fault, Refusal};
use super::through_sdk::ThroughSdk;
use super::{Answer, NotReady, StreamRef, Wire};

named! {
    /// Who makes the PutRecords requests.
    HttpClientKind,
    /// A text that names no client.
    HttpClientError = "a client is one of direct, sdk";
    /// Our own client with the SDK's credentials and endpoint: several times cheaper for small requests.
    Direct = "direct",
    /// aws-sdk-kinesis, with our body.
    Sdk = "sdk",
}

/// Puts records to one stream.
#[derive(Debug)]
pub struct Lane {
    way: Way,
    on_this_machine: bool,
}

#[derive(Debug)]
enum Way {
    Direct(Box<Direct>),
    Sdk(ThroughSdk),
}

impl Lane {
    /// The lane to `stream`. Connects to nobody yet, but may ask the providers of credentials. `renewable`: the region
    /// to ask their chain for anew when the endpoint takes the credentials no more; none where they were made up.
    pub(super) async fn open(
        shared: &SdkConfig,
        stream: &StreamRef,
        (kind, wire): (HttpClientKind, Wire),
        renewable: Option<String>,
    ) -> Result<Self, Fault> {
        let (url, authorization) = ask(shared, stream).await?;
        let on_this_machine = is_on_this_machine(&url);
        if kind == HttpClientKind::Direct {
            if behind_a_proxy(&url) {
                tracing::info!("a proxy is set for the endpoint: the SDK makes the requests");
            } else if let Some(provider) = shared.credentials_provider() {
                let endpoint = endpoint(url, &authorization, wire).ok_or_else(|| {
                    Fault::new(
                        Cause::Refused(Refusal::Other),
                        "the SDK signs in a way that is not known here (set STREAMER_CLIENT=sdk)",
                    )
                })?;
                let direct = Direct::new(&endpoint, provider, renewable, CONNECT_TIMEOUT)
                    .map_err(|bad| Fault::new(Cause::Refused(Refusal::Unreachable), bad.to_string()))?;
                return Ok(Self { way: Way::Direct(Box::new(direct)), on_this_machine });
            }
        }
        Ok(Self { way: Way::Sdk(ThroughSdk::new(shared, renewable)), on_this_machine })
    }

    /// Sees that `stream` can be written to in CBOR, by a request that stores nothing and takes `limit` at most, each
    /// retry apart: an endpoint that does not understand CBOR must not be sent records in it.
    ///
    /// # Errors
    /// Why it can't be.
    pub(super) async fn greet(
        &self,
        stream: &StreamRef,
        region: &str,
        limit: Duration,
    ) -> Result<(), NotReady> {
        match &self.way {
            Way::Direct(direct) => direct.greet(stream, region, limit).await,
            Way::Sdk(_) => Err(NotReady::OnlyJson),
        }
    }

    /// Who makes its requests: not always who was asked for, since a proxy takes the SDK.
    #[must_use]
    pub fn client(&self) -> HttpClientKind {
        match self.way {
            Way::Direct(_) => HttpClientKind::Direct,
            Way::Sdk(_) => HttpClientKind::Sdk,
        }
    }

    /// Whether its requests go to this machine.
    #[must_use]
    pub fn is_on_this_machine(&self) -> bool {
        self.on_this_machine
    }

    /// Opens a connection ahead of its first request, where connections are ours; who has one to spare knows that it
    /// can be had. Bounded in time by the limit of connecting.
    pub async fn warm(&self) {
        if let Way::Direct(direct) = &self.way
            && let Err(fault) = direct.warm().await
        {
            tracing::debug!("a connection could not be opened ahead: {fault}");
        }
    }

    /// Connections that were opened so far, or tried to be, and how long that took together; nothing where the SDK
    /// opens them.
    #[must_use]
    pub fn connecting(&self) -> (u64, Duration) {
        match &self.way {
            Way::Direct(direct) => direct.connecting(),
            Way::Sdk(_) => (0, Duration::ZERO),
        }
    }

    /// One PutRecords attempt with a finished body; the answer is read into `answer`, whose buffer is used again.
    ///
    /// Bounded in time by the caller alone. Credentials that the endpoint does not take (any more) are asked for anew.
    ///
    /// # Errors
    /// The fault of the request as a whole. `Ok` says nothing of the entries.
    pub async fn put(&self, body: Bytes, answer: &mut Answer) -> Result<(), Fault> {
        match &self.way {
            Way::Direct(direct) => direct.put(body, answer).await,
            // Boxed, because it is several kilobytes, and the direct lane's future need not be as large.
            Way::Sdk(sdk) => Box::pin(sdk.put(body, answer)).await,
        }
    }
}

/// The SDK's configuration without what a load generator must decide itself: its retries would hide throttles from
/// the counts, its timers would only cost, because `send` bounds each attempt.
pub(super) fn quiet(shared: &SdkConfig) -> Builder {
    Builder::from(shared)
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).build())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
}

/// Whether the environment names a proxy for `url`; the SDK's client honours it.
pub(super) fn behind_a_proxy(url: &str) -> bool {
    url.parse().is_ok_and(|url| Matcher::from_env().intercept(&url).is_some())
}

/// Where the SDK sends a PutRecords request to, and the `authorization` header that it gives it.
pub(super) async fn ask(shared: &SdkConfig, stream: &StreamRef) -> Result<(String, String), Fault> {
    let catch = Catch::default();
    let config = quiet(shared).http_client(catch.clone()).build();
    let entry = PutRecordsRequestEntry::builder().data(Blob::new("")).partition_key("-").build();
    let call = aws_sdk_kinesis::Client::from_conf(config)
        .put_records()
        .set_records(entry.ok().map(|entry| vec![entry]));
    let call = match stream {
        StreamRef::Name(name) => call.stream_name(name.as_str()),
        StreamRef::Arn(arn) => call.stream_arn(arn.as_str()),
    };
    let result = call.send().await;
    let caught = catch.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (caught, result) {
        (Some(caught), _) => Ok(caught),
        (None, Err(error)) => Err(error.into()),
        (None, Ok(_)) => Err(Fault::new(Cause::Refused(Refusal::Other), "the SDK made no request")),
    }
}

/// Reads `… Credential=ID/DAY/REGION/SERVICE/aws4_request, …`. The id may be anything, so the end counts.
fn endpoint(url: String, authorization: &str, wire: Wire) -> Option<Endpoint> {
    let scope = authorization.strip_prefix("AWS4-HMAC-SHA256 Credential=")?.split(',').next()?;
    let mut parts = scope.rsplit('/');
    (parts.next()? == "aws4_request").then_some(())?;
    let (service, region) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    Some(Endpoint { url, region, service, wire })
}

/// Catches one request's URL and `authorization` header, and sends nothing.
#[derive(Debug, Default, Clone)]
struct Catch(Arc<Mutex<Option<(String, String)>>>);

impl HttpConnector for Catch {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let authorization = request.headers().get("authorization").unwrap_or_default().to_owned();
        let caught = (request.uri().to_owned(), authorization);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(caught);
        HttpConnectorFuture::ready(Err(ConnectorError::user("not to be sent".into())))
    }
}

impl HttpClient for Catch {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scope_is_read_from_the_end() {
        let read = |text: &str| {
            endpoint("u".to_owned(), text, Wire::Json).map(|found| (found.region, found.service))
        };
        let known = "AWS4-HMAC-SHA256 Credential=A/K/20261121/eu-west-1/kinesis/aws4_request, SignedHeaders=a, Signature=b";
        assert_eq!(read(known), Some(("eu-west-1".to_owned(), "kinesis".to_owned())));
        assert_eq!(
            read("AWS4-ECDSA-P256-SHA256 Credential=A/20261121/kinesis/aws4_request, SignedHeaders=a"),
            None
        );
    }
}
