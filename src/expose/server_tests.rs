//! The server's claims, over real sockets on loopback: right answers, and no client takes it from the others.

use std::time::SystemTime;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::expose::Phase;

/// Long enough that reaching it means that what was waited for never came.
const NEVER: Duration = Duration::from_secs(60);

/// Bounds that no test meets unless it sets one.
fn patient() -> Bounds {
    Bounds { contested: NEVER, header: NEVER, quiet: NEVER, close: NEVER, ..Bounds::default() }
}

struct Running {
    address: std::net::SocketAddr,
    view: View,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

async fn start(bounds: Bounds) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let view = View::new(std::sync::Arc::default(), SystemTime::UNIX_EPOCH);
    let (stop, stopped) = oneshot::channel();
    let server = Server::new(listener, view.clone()).with_bounds(bounds);
    let task = tokio::spawn(server.serve(async move {
        let _ = stopped.await;
    }));
    Running { address, view, stop, task }
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }

    /// Sends bytes, and reads until the server closes.
    async fn exchange(&self, request: &[u8]) -> String {
        let mut stream = self.connect().await;
        // The server may answer and close before it took everything.
        let _ = stream.write_all(request).await;
        read_all(&mut stream).await
    }

    async fn get(&self, path: &str) -> String {
        self.exchange(format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes()).await
    }

    /// The head of an answer, of which no more is read.
    async fn get_head(&self, path: &str) -> String {
        let mut stream = self.connect().await;
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut head = [0; 64];
        let n = timeout(NEVER, stream.read(&mut head)).await.expect("in time").expect("an answer");
        String::from_utf8_lossy(&head[..n]).into_owned()
    }

    async fn metrics_answer(&self) {
        let answer = self.get("/metrics").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("\nkinesis_streamer_records_due_total 0\n"), "{answer}");
    }
}

/// Everything until the connection ends, whichever way.
async fn read_all(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let read = async {
        let mut chunk = [0; 4096];
        while let Ok(n @ 1..) = stream.read(&mut chunk).await {
            all.extend_from_slice(&chunk[..n]);
        }
    };
    timeout(NEVER, read).await.expect("the server closes the connection");
    String::from_utf8(all).expect("text")
}

/// Reads one answer of a connection that stays open; its body is known by its end.
async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut all = String::new();
    let read = async {
        let mut chunk = [0; 4096];
        while !all.ends_with(end) {
            let n = stream.read(&mut chunk).await.expect("an answer");
            assert!(n > 0, "closed after {all:?}");
            all.push_str(std::str::from_utf8(&chunk[..n]).expect("text"));
        }
    };
    timeout(NEVER, read).await.expect("an answer");
    all
}

#[tokio::test]
async fn metrics_are_served_as_prometheus_text() {
    let server = start(patient()).await;
    server.metrics_answer().await;
    let answer = server.get("/metrics?name[]=x").await;
    assert!(answer.contains("\r\ncontent-type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{answer}");
}

#[tokio::test]
async fn ready_means_that_records_are_released() {
    let server = start(patient()).await;
    assert!(server.get("/readyz").await.starts_with("HTTP/1.1 503 "));
    assert!(server.get("/readyz").await.ends_with("\r\n\r\nstarting\n"));
    server.view.set_phase(Phase::Waiting);
    let answer = server.get("/readyz").await;
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.ends_with("\r\n\r\nwaiting\n"), "{answer}");
    server.view.set_phase(Phase::Running);
    assert!(server.get("/readyz").await.starts_with("HTTP/1.1 200 "));
    server.view.set_phase(Phase::Draining);
    let answer = server.get("/readyz").await;
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.ends_with("\r\n\r\ndraining\n"), "{answer}");
    assert!(server.get("/healthz").await.ends_with("\r\n\r\nok\n"));
}

#[tokio::test]
async fn the_root_lists_the_paths_in_one_line() {
    let server = start(patient()).await;
    let answer = server.get("/").await;
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    assert_eq!(body.lines().count(), 1);
    for path in ["/metrics", "/healthz", "/readyz"] {
        assert!(body.contains(path), "{body}");
    }
}

#[tokio::test]
async fn other_paths_are_404_and_other_methods_405_with_allow() {
    let server = start(patient()).await;
    assert!(server.get("/metrics/").await.starts_with("HTTP/1.1 404 "));
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "BREW"] {
        let request = format!("{method} /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let answer = server.exchange(request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 405 "), "{method} {answer}");
        assert!(answer.contains("\r\nallow: GET, HEAD\r\n"), "{method} {answer}");
    }
}

#[tokio::test]
async fn head_has_the_headers_and_no_body() {
    let server = start(patient()).await;
    let request = b"HEAD /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let answer = server.exchange(request).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\n"), "{answer}");
    assert!(answer.contains("\r\ncontent-length: 3\r\n"), "{answer}");
}

#[tokio::test]
async fn a_connection_is_kept_for_the_next_request() {
    let server = start(patient()).await;
    let mut stream = server.connect().await;
    for _ in 0..3 {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
        assert!(read_until(&mut stream, "ok\n").await.starts_with("HTTP/1.1 200 "));
    }
}

#[tokio::test]
async fn a_body_is_not_read_and_ends_the_connection() {
    let server = start(patient()).await;
    for request in [
        "POST /metrics HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000000\r\n\r\nabc",
        "GET /healthz HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n",
        "PUT /nowhere HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 9\r\n\r\n",
    ] {
        let answer = server.exchange(request.as_bytes()).await;
        assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
        assert!(!answer.contains("100 Continue"), "{answer}");
    }
    server.metrics_answer().await;
}

#[tokio::test]
async fn requests_that_are_no_http_or_too_large_are_refused() {
    let server = start(patient()).await;
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(65));
    let large = format!("GET / HTTP/1.1\r\na: {}\r\n\r\n", "b".repeat(17 * 1024));
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "b".repeat(100 * 1024));
    for request in
        [&many, &large, &long, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\0\x01\x02\x03\r\n\r\n", "GET\r\n\r\n"]
    {
        let answer = server.exchange(request.as_bytes()).await;
        assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    server.metrics_answer().await;
}

#[tokio::test]
async fn a_header_that_does_not_come_ends_the_connection() {
    let server = start(Bounds { header: Duration::from_millis(1), ..patient() }).await;
    for beginning in ["", "G", "GET /metrics HTTP/1.1\r\nhost:"] {
        let answer = server.exchange(beginning.as_bytes()).await;
        assert!(!answer.contains("200 OK"), "{answer}");
    }
    // Nor does one stay that had its answer and does not ask again.
    let answer = server.exchange(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(answer.ends_with("\r\n\r\nok\n"), "{answer}");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_off() {
    let server = start(Bounds { connections: 1, quiet: Duration::from_millis(1), ..patient() }).await;
    let mut stream = server.connect().await;
    // More answers than the sockets' buffers hold, so that the server can't write on.
    let flood =
        async { while stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n").await.is_ok() {} };
    timeout(NEVER, flood).await.expect("the server closes the connection");
}

#[tokio::test]
async fn a_thousand_idle_connections_keep_nobody_out() {
    let server = start(Bounds { contested: Duration::ZERO, ..patient() }).await;
    let mut idle = Vec::new();
    for at in 0..1_000 {
        let mut stream = server.connect().await;
        if at % 2 == 0 {
            let _ = stream.write_all(b"GET /metrics HTTP/1.1\r\nx: ").await;
        }
        idle.push(stream);
        if at % 250 == 249 {
            server.metrics_answer().await;
        }
    }
    // The first ones made room.
    assert_eq!(read_all(&mut idle[0]).await, "");
}

#[tokio::test]
async fn without_contest_an_idle_connection_keeps_its_slot_and_the_next_one_waits() {
    let server = start(Bounds { connections: 2, ..patient() }).await;
    let (mut first, mut second) = (server.connect().await, server.connect().await);
    for stream in [&mut first, &mut second] {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
        read_until(stream, "ok\n").await;
    }
    let mut third = server.connect().await;
    third.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    first.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    read_until(&mut first, "ok\n").await;
    drop(second);
    read_until(&mut third, "ok\n").await;
}

#[tokio::test]
async fn hundreds_who_ask_at_once_are_all_answered() {
    let server = std::sync::Arc::new(start(Bounds { connections: 8, ..patient() }).await);
    let asking: Vec<_> = (0..300)
        .map(|_| {
            let server = std::sync::Arc::clone(&server);
            tokio::spawn(async move { server.metrics_answer().await })
        })
        .collect();
    for asked in asking {
        asked.await.expect("an answer");
    }
}

#[tokio::test]
async fn the_end_closes_idle_connections_and_the_listener() {
    let server = start(patient()).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    read_until(&mut stream, "ok\n").await;
    server.stop.send(()).expect("serving");
    timeout(NEVER, server.task).await.expect("the end").expect("no panic");
    assert_eq!(read_all(&mut stream).await, "");
    assert!(TcpStream::connect(server.address).await.is_err());
}

/// What a browser asks with.
const BROWSER: &str = "accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n";

#[tokio::test]
async fn a_browser_gets_the_page_with_its_policy_and_every_file_of_it() {
    let server = start(patient()).await;
    let request = format!("GET / HTTP/1.1\r\nhost: x\r\n{BROWSER}connection: close\r\n\r\n");
    let answer = server.exchange(request.as_bytes()).await;
    let (head, page) = answer.split_once("\r\n\r\n").expect("a body");
    assert!(head.starts_with("HTTP/1.1 200 ") && page.starts_with("<!doctype html>"), "{head}");
    let policy =
        head.lines().find_map(|line| line.strip_prefix("content-security-policy: ")).expect("a policy");
    for rule in ["default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"] {
        assert!(policy.contains(rule), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    for (path, kind) in [
        ("/page.css", "text/css"),
        ("/page.js", "text/javascript"),
        ("/charts.js", "text/javascript"),
        ("/control.js", "text/javascript"),
        ("/icon.svg", "image/svg+xml"),
    ] {
        let answer = server.get(path).await;
        assert!(
            answer.starts_with("HTTP/1.1 200 ") && answer.contains(&format!("content-type: {kind}")),
            "{answer}"
        );
        assert!(answer.contains("\r\nx-content-type-options: nosniff\r\n"), "{answer}");
    }
}

/// Asks for messages and reads the first.
async fn look(server: &Running) -> (TcpStream, String) {
    let mut stream = server.connect().await;
    stream.write_all(b"GET /events HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    let first = read_until(&mut stream, "\n\n\r\n").await;
    (stream, first)
}

#[tokio::test]
async fn messages_come_for_as_long_as_one_looks_and_end_with_the_server() {
    let server = start(Bounds { quiet: Duration::from_secs(5), ..patient() }).await;
    let (mut stream, first) = look(&server).await;
    assert!(first.starts_with("HTTP/1.1 200 ") && first.contains("event: whole\n"), "{first}");
    assert!(first.contains("content-type: text/event-stream\r\n"), "{first}");
    let more = read_until(&mut stream, "\n\n\r\n").await;
    assert!(more.contains("event: more\n"), "{more}");
    server.stop.send(()).expect("serving");
    timeout(NEVER, server.task).await.expect("the end").expect("no panic");
    assert!(read_all(&mut stream).await.ends_with("0\r\n\r\n"), "a whole end");
}

#[tokio::test]
async fn as_many_look_as_may_and_the_metrics_stay_for_others() {
    let server = start(patient()).await;
    let mut lookers = Vec::new();
    for _ in 0..super::super::feed::MOST_LOOKERS {
        lookers.push(look(&server).await.0);
    }
    let answer = server.get("/events").await;
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("retry-after: "), "{answer}");
    server.metrics_answer().await;
    // One leaves, and its place is free as soon as that is noticed.
    drop(lookers.pop());
    let again = async { while server.get_head("/events").await.starts_with("HTTP/1.1 503 ") {} };
    timeout(NEVER, again).await.expect("a place");
}

#[tokio::test]
async fn one_who_looks_and_does_not_read_is_cut_off() {
    let server = start(Bounds { quiet: Duration::from_millis(50), ..patient() }).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /events HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    // A message a second is all that comes here: between two of them the connection is quiet for too long.
    read_all(&mut stream).await;
}

#[tokio::test]
async fn without_a_token_control_is_no_path() {
    let server = start(patient()).await;
    for path in ["/control/pause", "/control/stop", "/control/check", "/control/"] {
        let request = format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        assert!(server.exchange(request.as_bytes()).await.starts_with("HTTP/1.1 404 "), "{path}");
    }
}

#[tokio::test]
async fn commands_reach_the_run_for_who_has_the_token_alone() {
    use crate::expose::{Command, Gate, QUEUE};

    let server = start(patient()).await;
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"the-right-token!");
    let (give, mut wishes) = tokio::sync::mpsc::channel(QUEUE);
    let gate = Gate::new(digest.as_ref().try_into().expect("32 bytes"), give);
    server.view.open_gate(gate);
    let heard = tokio::spawn(async move {
        let mut heard = Vec::new();
        while let Some(wish) = wishes.recv().await {
            heard.push(wish.command);
            let done = if heard.len() == 1 { Ok("done".to_owned()) } else { Err("not now".to_owned()) };
            let _ = wish.answer.send(done);
            if heard.len() == 2 {
                break;
            }
        }
        heard
    });
    let ask = async |method: &str, path: &str, headers: &str| {
        let request = format!("{method} {path} HTTP/1.1\r\nhost: x\r\n{headers}connection: close\r\n\r\n");
        server.exchange(request.as_bytes()).await
    };
    let right = "authorization: Bearer the-right-token!\r\n";
    let foreign = format!("{right}origin: http://evil.example\r\n");
    for (method, path, headers, status) in [
        ("POST", "/control/pause", "", "401"),
        ("POST", "/control/pause", "authorization: Bearer the-wrong-token!\r\n", "401"),
        ("POST", "/control/nothing", "", "401"),
        ("POST", "/control/pause?token=the-right-token!", "", "401"),
        ("POST", "/control/pause", &foreign, "403"),
        ("GET", "/control/pause", right, "405"),
        ("OPTIONS", "/control/pause", "origin: http://evil.example\r\n", "405"),
        ("POST", "/control/nothing", right, "404"),
        ("POST", "/control/rate?x=1000", right, "400"),
        ("POST", "/control/check", right, "200"),
    ] {
        let answer = ask(method, path, headers).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{method} {path}: {answer}");
        assert!(!answer.contains("access-control-allow"), "{answer}");
    }
    assert!(ask("POST", "/control/pause", right).await.ends_with("\r\n\r\ndone\n"));
    let answer = ask("POST", "/control/rate?x=0.5", right).await;
    assert!(answer.starts_with("HTTP/1.1 409 ") && answer.ends_with("not now\n"), "{answer}");
    assert_eq!(heard.await.expect("no panic"), [Command::Pause, Command::Rate(500)]);
    let answer = ask("POST", "/control/stop", right).await;
    assert!(answer.starts_with("HTTP/1.1 409 "), "nobody listens: {answer}");
}

#[tokio::test]
async fn the_end_does_not_wait_for_a_client_that_sends_half_a_request() {
    let server = start(Bounds { close: Duration::ZERO, ..patient() }).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\nGET /hea").await.expect("sent");
    read_until(&mut stream, "ok\n").await;
    server.stop.send(()).expect("serving");
    timeout(NEVER, server.task).await.expect("the end").expect("no panic");
}
