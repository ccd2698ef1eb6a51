//! The run's listener under clients that mean harm: the run goes on, its counts are right, its memory stays bounded.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::faulty::memory::memory;
use crate::support::{Program, Running, counts};

/// What the listener may add to the program's memory, whatever is done to it: 64 connections, each with a head of
/// 16 KiB, and what an allocator keeps.
const ROOM: u64 = 16 * 1024 * 1024;

fn start() -> Running {
    Program::run(&["--local", "--jobs=5", "--messages=10"]).env("STREAMER_LISTEN", "127.0.0.1:0").start()
}

fn connect(run: &Running) -> TcpStream {
    let stream = TcpStream::connect(run.begins["listen"].as_str().expect("it listens")).expect("connected");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
    stream
}

fn sent(run: &Running) -> f64 {
    let (status, text) = run.get("/metrics");
    assert_eq!(status, "HTTP/1.1 200 OK");
    let line = text.lines().find_map(|line| line.strip_prefix("kinesis_streamer_records_sent_total "));
    line.expect("the count").parse().expect("a number")
}

/// The peak of memory, in bytes.
fn peak(run: &Running) -> u64 {
    memory(run.id()).expect("it runs").1
}

/// Waits until more is sent than was before, and checks that nothing of it was lost by what the clients did.
fn goes_on_and_ends_well(run: Running, before: u64) {
    let earlier = sent(&run);
    while sent(&run) <= earlier {}
    assert!(peak(&run) <= before + ROOM, "{} bytes, {before} before", peak(&run));
    run.signal("TERM");
    let (code, log) = run.finish();
    let ended = counts(&log);
    assert_eq!((ended["sent"], ended["held"], code), (ended["generated"], ended["generated"], 0), "{log}");
}

/// Everything until the server closes, or breaks the connection.
fn rest(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        match stream.read(&mut chunk) {
            Ok(0) => break,
            Ok(n) => all.extend_from_slice(&chunk[..n]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
            Err(error) => panic!("the server neither answers nor closes: {error}"),
        }
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// Writes what the server takes; it may close before it took all.
fn push(stream: &mut TcpStream, bytes: &[u8]) {
    let _ = stream.write_all(bytes);
}

#[test]
fn a_thousand_idle_connections_take_the_listener_from_nobody() {
    let run = start();
    let before = peak(&run);
    let idle: Vec<_> = (0..1_000).map(|_| connect(&run)).collect();
    assert_eq!(run.get("/healthz").0, "HTTP/1.1 200 OK");
    goes_on_and_ends_well(run, before);
    drop(idle);
}

#[test]
fn heads_that_come_byte_by_byte_take_the_listener_from_nobody() {
    let run = start();
    let before = peak(&run);
    let mut slow: Vec<_> = (0..200).map(|_| connect(&run)).collect();
    let head = b"GET /metrics HTTP/1.1\r\nhost: x\r\nx-slow: 0123456789";
    for byte in head.chunks(1) {
        slow.iter_mut().for_each(|stream| push(stream, byte));
        if byte == b"\r" {
            assert_eq!(run.get("/healthz").0, "HTTP/1.1 200 OK");
        }
    }
    goes_on_and_ends_well(run, before);
}

#[test]
fn answers_that_nobody_reads_take_the_listener_from_nobody() {
    let run = start();
    let before = peak(&run);
    let deaf: Vec<_> = (0..100)
        .map(|_| {
            let mut stream = connect(&run);
            stream.set_nonblocking(true).expect("not blocking");
            // As many requests as the sockets between us take.
            for _ in 0..2_000 {
                if stream.write(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n").is_err() {
                    break;
                }
            }
            stream
        })
        .collect();
    assert_eq!(run.get("/healthz").0, "HTTP/1.1 200 OK");
    goes_on_and_ends_well(run, before);
    drop(deaf);
}

#[test]
fn heads_bodies_and_methods_that_no_scraper_sends_are_refused_and_harm_nobody() {
    let run = start();
    let before = peak(&run);
    let long = "x".repeat(1024 * 1024);
    let many: String = (0..5_000).map(|n| format!("x-{n}: y\r\n")).collect();
    for (request, status) in [
        (format!("GET /metrics HTTP/1.1\r\nhost: x\r\nx-long: {long}\r\n\r\n"), "431"),
        (format!("GET /{long} HTTP/1.1\r\nhost: x\r\n\r\n"), "4"),
        (format!("GET /metrics HTTP/1.1\r\nhost: x\r\n{many}\r\n"), "431"),
        ("BREW /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned(), "405"),
        ("CONNECT example.org:443 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned(), "4"),
        ("OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned(), "4"),
        ("DELETE /metrics HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc".to_owned(), "405"),
        (format!("GET /healthz HTTP/1.1\r\nhost: x\r\ncontent-length: 1048576\r\n\r\n{long}"), "200"),
        (
            "GET /healthz HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nfffffffff\r\n".to_owned(),
            "200",
        ),
        ("\0\u{1}\u{2} not HTTP at all\r\n\r\n".to_owned(), "400"),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), ""),
    ] {
        let mut stream = connect(&run);
        push(&mut stream, request.as_bytes());
        let answer = rest(&mut stream);
        let shown: String = request.chars().take(60).collect();
        // A connection that broke before its answer was read has none to show.
        let good =
            answer.is_empty() || answer.starts_with(&format!("HTTP/1.1 {status}")) || status.is_empty();
        assert!(good, "{shown:?}: {answer}");
    }
    goes_on_and_ends_well(run, before);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let run = start();
    let before = peak(&run);
    let mut stream = connect(&run);
    let one = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\nGET /nothing HTTP/1.1\r\nhost: x\r\n\r\n";
    let last = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    push(&mut stream, (one.repeat(50) + last).as_bytes());
    let answers = rest(&mut stream);
    let statuses: Vec<&str> =
        answers.lines().filter(|line| line.starts_with("HTTP/1.1 ")).map(|line| &line[9..12]).collect();
    let expected: Vec<&str> = ["200", "404"].repeat(50).into_iter().chain(["200"]).collect();
    assert_eq!(statuses, expected);
    goes_on_and_ends_well(run, before);
}
