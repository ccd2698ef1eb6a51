//! The lane against peers that behave as peers do: they close, answer early, break off, and speak TLS.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::UNIX_EPOCH;

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, future};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

const STORED: &str =
    r#"{"FailedRecordCount":0,"Records":[{"SequenceNumber":"1","ShardId":"shardId-000000000001"}]}"#;

/// What the peer does with a request.
#[derive(Clone)]
enum Does {
    /// Answers with this, and keeps the connection.
    Says(String),
    /// Answers with this, and closes.
    SaysAndCloses(String),
    /// Answers after so many bytes of the request with this, and closes.
    Interrupts(usize, String),
    Closes,
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

fn refusal(status: u16, kind: &str) -> String {
    let body = format!(r#"{{"__type":"{kind}","message":"scripted"}}"#);
    format!("HTTP/1.1 {status} No\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// A peer that plays its script over all connections, and what it counts.
struct Peers {
    url: String,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

async fn peer(script: Vec<Does>, tls: Option<TlsAcceptor>) -> Peers {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let url = match tls {
        Some(_) => format!("https://localhost:{port}"),
        None => format!("http://127.0.0.1:{port}"),
    };
    let (connections, requests) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (opened, asked) = (Arc::clone(&connections), Arc::clone(&requests));
    tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else { return };
            opened.fetch_add(1, Ordering::Relaxed);
            let (script, asked, tls) = (script.clone(), Arc::clone(&asked), tls.clone());
            tokio::spawn(async move {
                match tls {
                    None => converse(stream, &script, &asked).await,
                    Some(tls) => converse(tls.accept(stream).await.expect("TLS"), &script, &asked).await,
                }
            });
        }
    });
    Peers { url, connections, requests }
}

async fn converse(mut stream: impl AsyncRead + AsyncWrite + Unpin, script: &[Does], asked: &AtomicUsize) {
    loop {
        let mut got = Vec::new();
        let does = loop {
            if stream.read_buf(&mut got).await.unwrap_or(0) == 0 {
                return;
            }
            let next = script.get(asked.load(Ordering::Relaxed)).cloned().unwrap_or(Does::Says(ok(STORED)));
            if let Does::Interrupts(after, _) = next
                && got.len() >= after
            {
                break next;
            }
            if whole(&got) {
                break next;
            }
        };
        asked.fetch_add(1, Ordering::Relaxed);
        // A client that has gone away is no error here.
        match does {
            Does::Says(text) => drop(stream.write_all(text.as_bytes()).await),
            Does::SaysAndCloses(text) | Does::Interrupts(_, text) => {
                let _ = stream.write_all(text.as_bytes()).await;
                let _ = stream.shutdown().await;
                // Read to the end, or the kernel resets the connection, and the answer may be lost with it.
                while stream.read_buf(&mut got).await.unwrap_or(0) > 0 {
                    got.clear();
                }
                return;
            }
            Does::Closes => return,
        }
        let _ = stream.flush().await;
    }
}

fn whole(got: &[u8]) -> bool {
    let text = String::from_utf8_lossy(got);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.rsplit_once("content-length: ").and_then(|(_, length)| length.parse().ok());
    length.is_some_and(|length: usize| body.len() >= length)
}

/// Gives credentials with a number, one after the other, and counts how often it was asked.
#[derive(Debug, Default, Clone)]
struct Chain(Arc<AtomicUsize>);

impl ProvideCredentials for Chain {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        future::ProvideCredentials::ready(Ok(Credentials::new(
            format!("ID{number}"),
            "s",
            None,
            None,
            "test",
        )))
    }
}

fn lane(peers: &Peers, chain: &Chain, tls: Option<Arc<ClientConfig>>) -> Direct {
    let endpoint = Endpoint { url: peers.url.clone(), region: "r".to_owned(), service: "kinesis".to_owned() };
    let provider = SharedCredentialsProvider::new(chain.clone());
    let limit = Duration::from_secs(30);
    Direct::with_tls(&endpoint, provider, None, limit, || Ok(tls.expect("a test by TLS"))).expect("a URL")
}

async fn put(lane: &Direct, body: &'static [u8]) -> Result<usize, Cause> {
    let mut answer = Answer::default();
    let result = lane.put(Bytes::from_static(body), &mut answer).await;
    result.map(|()| answer.entries.len()).map_err(|fault| fault.cause)
}

#[tokio::test]
async fn a_connection_serves_one_request_after_the_other() {
    let peers = peer(vec![], None).await;
    let lane = lane(&peers, &Chain::default(), None);
    for _ in 0..20 {
        assert_eq!(put(&lane, b"{}").await, Ok(1));
    }
    assert_eq!(peers.connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_connection_that_was_opened_ahead_is_the_one_that_is_used() {
    let peers = peer(vec![Does::Says(ok(STORED))], None).await;
    let lane = lane(&peers, &Chain::default(), None);
    lane.warm().await.expect("connected");
    assert_eq!(put(&lane, b"{}").await, Ok(1));
    assert_eq!(peers.connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_is_not_used_again() {
    let close = format!("{}x", ok(STORED).replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n"));
    for says in [Does::SaysAndCloses(ok(STORED)), Does::SaysAndCloses(close)] {
        let peers = peer(vec![says.clone(), says.clone(), says], None).await;
        let lane = lane(&peers, &Chain::default(), None);
        for _ in 0..3 {
            assert_eq!(put(&lane, b"{}").await, Ok(1));
            // Until the end of the connection has come to this side, it could be taken for a live one.
            while lane.pool.take().is_some_and(|connection| {
                lane.pool.give(connection);
                true
            }) {
                tokio::task::yield_now().await;
            }
        }
        assert_eq!(peers.connections.load(Ordering::Relaxed), 3);
    }
}

#[tokio::test]
async fn an_answer_before_the_end_of_the_request_is_heard() {
    static LARGE: [u8; 20_000_000] = [b' '; 20_000_000];
    let text = refusal(413, "RequestEntityTooLarge");
    let peers = peer(vec![Does::Interrupts(1_000, text)], None).await;
    let lane = lane(&peers, &Chain::default(), None);
    assert_eq!(put(&lane, &LARGE).await, Err(Cause::Refused(Refusal::Other)));
    assert_eq!(put(&lane, b"{}").await, Ok(1));
}

#[tokio::test]
async fn what_breaks_after_the_request_is_a_silence() {
    let half = ok(STORED)[..60].to_owned();
    let script = vec![
        Does::Closes,
        Does::SaysAndCloses(half),
        Does::Says("SMTP 220 hello\r\n".to_owned()),
        Does::Says(ok("<html>")),
    ];
    let peers = peer(script, None).await;
    let lane = lane(&peers, &Chain::default(), None);
    for cause in [Silence::Connection, Silence::Connection, Silence::BadAnswer, Silence::BadAnswer] {
        assert_eq!(put(&lane, b"{}").await, Err(Cause::Silent(cause)));
    }
    assert_eq!((put(&lane, b"{}").await, peers.requests.load(Ordering::Relaxed)), (Ok(1), 5));
}

#[tokio::test]
async fn nobody_there_is_a_refusal() {
    let free = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", free.local_addr().expect("bound"));
    drop(free);
    let peers = Peers { url, connections: Arc::default(), requests: Arc::default() };
    let lane = lane(&peers, &Chain::default(), None);
    assert_eq!(put(&lane, b"{}").await, Err(Cause::Refused(Refusal::Unreachable)));
}

#[tokio::test(start_paused = true)]
async fn expired_credentials_are_asked_for_anew_but_once_a_second_at_most() {
    let expired = Does::Says(refusal(400, "com.amazonaws.kinesis#ExpiredTokenException"));
    let peers = peer(vec![expired.clone(), expired.clone(), expired], None).await;
    let chain = Chain::default();
    let lane = lane(&peers, &chain, None);
    let asked = |chain: &Chain| chain.0.load(Ordering::Relaxed);
    for _ in 0..5 {
        assert_eq!(put(&lane, b"{}").await, Err(Cause::Refused(Refusal::CredentialsExpired)));
    }
    // Only the first request went out: the other four had nobody to sign for them.
    assert_eq!((asked(&chain), peers.requests.load(Ordering::Relaxed)), (1, 1));
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(put(&lane, b"{}").await, Err(Cause::Refused(Refusal::CredentialsExpired)));
    assert_eq!(asked(&chain), 2);
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_set_by_the_endpoints() {
    // The endpoint lives in 1970.
    let body = r#"{"__type":"InvalidSignatureException","message":"Signature expired: scripted"}"#;
    let date = "date: Thu, 01 Jan 1970 00:10:00 GMT";
    let told = format!("HTTP/1.1 403 No\r\n{date}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let peers = peer(vec![Does::Says(told)], None).await;
    let chain = Chain::default();
    let lane = lane(&peers, &chain, None);
    assert_eq!(put(&lane, b"{}").await, Err(Cause::Refused(Refusal::CredentialsExpired)));
    let now: SystemTime = lane.now().into();
    let since = now.duration_since(UNIX_EPOCH).expect("after 1970");
    assert!((600..700).contains(&since.as_secs()), "{since:?}");
    // Not the credentials were at fault.
    assert_eq!((put(&lane, b"{}").await, chain.0.load(Ordering::Relaxed)), (Ok(1), 1));
}

#[tokio::test]
async fn tls_is_spoken_with_those_that_are_trusted() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .expect("they belong together");
    let acceptor = TlsAcceptor::from(Arc::new(server));
    let trusting = |trusted: bool| {
        let mut roots = rustls::RootCertStore::empty();
        if trusted {
            roots.add(made.cert.der().clone()).expect("a certificate");
        }
        client_config(roots).expect("versions")
    };

    let peers = peer(vec![Does::Says(ok(STORED)), Does::SaysAndCloses(ok(STORED))], Some(acceptor)).await;
    let trusted = lane(&peers, &Chain::default(), Some(trusting(true)));
    static LARGE: [u8; 1_000_000] = [b' '; 1_000_000];
    assert_eq!(put(&trusted, &LARGE).await, Ok(1));
    assert_eq!(put(&trusted, b"{}").await, Ok(1));
    assert_eq!(put(&trusted, b"{}").await, Ok(1));
    let stranger = lane(&peers, &Chain::default(), Some(trusting(false)));
    assert_eq!(put(&stranger, b"{}").await, Err(Cause::Refused(Refusal::Unreachable)));
}
