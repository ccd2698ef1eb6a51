//! PutRecords without the SDK's request machinery: our own head, signature and connections, and the SDK's credentials
//! and endpoint.
//!
//! The SDK's own way costs as much for a request as hashing and sending 100 kB of body (docs/performance.md), because
//! each call builds its configuration, components, headers and signing key anew. What is decided here: when a
//! connection is used again, and which of our faults a response or a broken connection is.

mod connection;
mod greet;
mod identity;
mod pool;
mod response;
mod sign;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use aws_credential_types::provider::SharedCredentialsProvider;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use rustls::ClientConfig;

use super::fault::{Cause, Fault, Refusal, Silence, chain, coded, presentable};
use super::{Answer, Wire};
use crate::cbor;
use connection::{Broken, Connection, Peer};
use identity::Identity;
use pool::Pool;
use response::{Head, Whole};
use sign::{Place, Signer};

/// A difference of the clocks that is worth signing with the endpoint's time; AWS allows five minutes either way.
const SKEW: TimeDelta = TimeDelta::minutes(4);

/// Puts records to one endpoint.
#[derive(Debug)]
pub(super) struct Direct {
    peer: Peer,
    connect_limit: Duration,
    identity: Identity,
    pool: Pool,
    /// What the endpoint's clock is ahead of ours, in seconds; 0 until it has refused a signature for its time.
    skew: AtomicI64,
    /// Connections that were opened, or tried to be, and how long that took together, in microseconds.
    opened: AtomicU64,
    opening: AtomicU64,
}

/// Where the endpoint is, and how to sign for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// Such as `https://kinesis.us-east-1.amazonaws.com`.
    pub url: String,
    /// The region to sign for.
    pub region: String,
    /// The service to sign for.
    pub service: String,
    /// How to write to it.
    pub wire: Wire,
}

/// An endpoint's URL that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the endpoint {url} can't be used: {rule}")]
pub(super) struct BadEndpoint {
    url: String,
    rule: String,
}

impl Direct {
    /// A client of `endpoint`. Connects to nobody yet. `renewable`: see [`super::Lane::open`].
    ///
    /// # Errors
    /// When the URL is none of http or https, or TLS can't be set up.
    pub(super) fn new(
        endpoint: &Endpoint,
        provider: SharedCredentialsProvider,
        renewable: Option<String>,
        connect_limit: Duration,
    ) -> Result<Self, BadEndpoint> {
        Self::with_tls(endpoint, provider, renewable, connect_limit, tls)
    }

    /// The same; `tls` says whom to trust, where the URL asks for it.
    fn with_tls(
        endpoint: &Endpoint,
        provider: SharedCredentialsProvider,
        renewable: Option<String>,
        connect_limit: Duration,
        tls: impl FnOnce() -> Result<Arc<ClientConfig>, String>,
    ) -> Result<Self, BadEndpoint> {
        let bad = |rule: String| BadEndpoint { url: endpoint.url.clone(), rule };
        let url: http::Uri =
            endpoint.url.parse().map_err(|error: http::uri::InvalidUri| bad(error.to_string()))?;
        let tls = match url.scheme_str() {
            Some("http") => None,
            Some("https") => Some(tls().map_err(|error| bad(format!("TLS can't be set up: {error}")))?),
            _ => return Err(bad("it must begin with http:// or https://".to_owned())),
        };
        let name = url.host().ok_or_else(|| bad("it names no host".to_owned()))?;
        let port = url.port_u16().unwrap_or(if tls.is_some() { 443 } else { 80 });
        let host = match url.port_u16() {
            Some(port) if port != if tls.is_some() { 443 } else { 80 } => format!("{name}:{port}"),
            _ => name.to_owned(),
        };
        let path = match url.path() {
            "" => "/",
            path => path,
        };
        let place = Place {
            host,
            path: path.to_owned(),
            region: endpoint.region.clone(),
            service: endpoint.service.clone(),
            wire: endpoint.wire,
            operation: "PutRecords",
        };
        Ok(Self {
            // An IPv6 address stands in brackets there, but not in a socket address.
            peer: Peer { name: name.trim_matches(['[', ']']).to_owned(), port, tls },
            connect_limit,
            identity: Identity::new(provider, renewable, place),
            pool: Pool::default(),
            skew: AtomicI64::new(0),
            opened: AtomicU64::new(0),
            opening: AtomicU64::new(0),
        })
    }

    /// One PutRecords attempt; as [`super::Client::put`].
    pub(super) async fn put(&self, body: Bytes, answer: &mut Answer) -> Result<(), Fault> {
        let now = self.now();
        let signer = self.identity.signer(now).await?;
        let (connection, Whole { head, body }) = self.exchange(&signer, now, &body).await?;
        let said = connection.said(body);
        let result = if head.status == 200 {
            // A reader's error may repeat what stands there.
            answer.read(said).map_err(|error| {
                Fault::new(Cause::Silent(Silence::BadAnswer), presentable(&error.to_string()))
            })
        } else {
            Err(self.refused(&head, said, &signer))
        };
        if head.keep_alive {
            self.pool.give(connection);
        }
        result
    }

    /// Sends a request, on a connection that was used before where there is one, and reads its response.
    async fn exchange(
        &self,
        signer: &Signer,
        now: DateTime<Utc>,
        body: &[u8],
    ) -> Result<(Connection, Whole), Fault> {
        loop {
            let (mut connection, used) = match self.pool.take() {
                Some(connection) => (connection, true),
                // Boxed: each request's future would have room for it.
                None => (Box::pin(self.connect()).await?, false),
            };
            let Connection { head, scratch, .. } = &mut connection;
            signer.write_head(now, body, scratch, head);
            match connection.exchange(body).await {
                Ok(whole) => return Ok((connection, whole)),
                // It had been closed while it was idle: nobody has seen the request, another connection may do.
                Err(Broken::Unsent(_)) if used => {}
                Err(broken) => return Err(told(&broken)),
            }
        }
    }

    /// What an answer of another status than 200 means, and what is done about the credentials or the clock.
    fn refused(&self, head: &Head, said: &[u8], signer: &Arc<Signer>) -> Fault {
        let fault = refused(head.status, head.error_type.as_deref(), said);
        // An expired signature is one of the wrong time; expired credentials have others behind them.
        if fault.asks_for_other_credentials() && !self.set_clock(head.date.as_deref()) {
            self.identity.refuse(signer);
        }
        fault
    }

    /// Opens a connection ahead of its first request, and has credentials ready. What fails here fails again with the
    /// request, where it counts.
    pub(super) async fn warm(&self) -> Result<(), Fault> {
        self.identity.signer(self.now()).await?;
        self.pool.give(self.connect().await?);
        Ok(())
    }

    async fn connect(&self) -> Result<Connection, Fault> {
        let began = Instant::now();
        let opened = Connection::open(&self.peer, self.connect_limit).await;
        self.opened.fetch_add(1, Ordering::Relaxed);
        self.opening.fetch_add(began.elapsed().as_micros() as u64, Ordering::Relaxed);
        opened.map_err(|error| {
            let Peer { name, port, .. } = &self.peer;
            let message = format!("no connection to {name}:{port}: {}", chain(&error));
            Fault::new(Cause::Refused(Refusal::Unreachable), message)
        })
    }

    /// Connections that were opened so far, or tried to be, and how long that took together.
    pub(super) fn connecting(&self) -> (u64, Duration) {
        let opening = Duration::from_micros(self.opening.load(Ordering::Relaxed));
        (self.opened.load(Ordering::Relaxed), opening)
    }

    /// The time to sign with.
    fn now(&self) -> DateTime<Utc> {
        DateTime::from(SystemTime::now()) + TimeDelta::seconds(self.skew.load(Ordering::Relaxed))
    }

    /// Learns the endpoint's time, if its `date` is far from the one that was signed with; says whether it was.
    fn set_clock(&self, date: Option<&str>) -> bool {
        let Some(theirs) = date.and_then(|date| DateTime::parse_from_rfc2822(date).ok()) else {
            return false;
        };
        let theirs = theirs.with_timezone(&Utc);
        if (theirs - self.now()).abs() < SKEW {
            return false;
        }
        let ours: DateTime<Utc> = SystemTime::now().into();
        self.skew.store((theirs - ours).num_seconds(), Ordering::Relaxed);
        tracing::warn!(
            seconds = (theirs - ours).num_seconds(),
            "this machine's clock differs from the endpoint's: requests are signed with the endpoint's time from here on"
        );
        true
    }
}

/// TLS as the SDK's client has it: aws-lc, the certificates that the machine trusts, `SSL_CERT_FILE` and all.
fn tls() -> Result<Arc<ClientConfig>, String> {
    let mut roots = rustls::RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (taken, _) = roots.add_parsable_certificates(found.certs);
    if taken == 0 {
        let errors: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
        return Err(format!("this machine has no trusted certificates ({})", errors.join("; ")));
    }
    client_config(roots).map_err(|error| error.to_string())
}

fn client_config(roots: rustls::RootCertStore) -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// What a broken exchange means.
fn told(broken: &Broken) -> Fault {
    let cause = match broken {
        Broken::Unsent(_) => Cause::Refused(Refusal::Unreachable),
        Broken::Sent(_) => Cause::Silent(Silence::Connection),
        Broken::Malformed(_) => Cause::Silent(Silence::BadAnswer),
    };
    Fault::new(cause, chain(broken))
}

/// What an answer of another status than 200 means. Its code stands in a header or in the body, bare or behind a
/// namespace, and before the address of a text (Smithy, "AWS JSON 1.1 protocol", Operation error serialization).
fn refused(status: u16, header: Option<&str>, body: &[u8]) -> Fault {
    #[derive(Default, serde::Deserialize)]
    struct Error {
        #[serde(rename = "__type", alias = "code")]
        kind: Option<String>,
        #[serde(alias = "Message", alias = "errorMessage")]
        message: Option<String>,
    }
    // Whatever else stands there (a proxy's page), the status remains. What a gateway says is JSON in either wire.
    let Error { kind, message } = if cbor::is_cbor(body) {
        cbor::from_slice(body).unwrap_or_default()
    } else {
        serde_json::from_slice(body).unwrap_or_default()
    };
    let named = header.map(str::to_owned).or(kind).unwrap_or_default();
    let code = named.split(':').next().unwrap_or_default();
    let code = &*presentable(code.rsplit('#').next().unwrap_or_default());
    let words = presentable(message.as_deref().unwrap_or_default());
    let text = match (code, words.as_str()) {
        ("", "") => format!("the endpoint answered with status {status}"),
        ("", words) => format!("status {status}: {words}"),
        (code, "") => format!("{code} (status {status})"),
        (code, words) => format!("{code}: {words}"),
    };
    Fault::new(coded(status, code, message.as_deref()), text)
}
