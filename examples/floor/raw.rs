//! The clients that bound all others: a fixed body on raw keep-alive sockets, signed once or every time.
//!
//! The ceiling is what the socket alone costs. The floor adds what nobody can leave out: SHA-256 of the body
//! and a signature. Its hash is the fastest that was found (aws-lc); another floor has the one of the SDK's signer.

use std::io::{self, IoSlice, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use chrono::DateTime;
use memchr::memmem;
use sha2::{Digest, Sha256};

use super::client::{CONNECTIONS, Order, Work};
use super::load;

/// How a raw client signs and when it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Signed once.
    Ceiling,
    /// Hashed and signed each time.
    Floor,
    /// The same with the hash of the SDK's signer.
    SdkHash,
    /// As [`Self::Floor`], on one connection, with requests at this distance.
    Paced(Duration),
}

/// Sends until the order's time is over.
pub fn run(order: &Order, kind: Kind, work: &Work) -> io::Result<()> {
    let body = load::body(order.records).map_err(io::Error::other)?;
    let connections = if matches!(kind, Kind::Paced(_)) { 1 } else { CONNECTIONS };
    std::thread::scope(|scope| {
        let connections: Vec<_> =
            (0..connections).map(|_| scope.spawn(|| connection(order, kind, &body, &work.records))).collect();
        connections.into_iter().try_for_each(|connection| {
            connection.join().map_err(|_| io::Error::other("a connection's thread panicked"))?
        })
    })
}

fn connection(order: &Order, kind: Kind, body: &[u8], records: &AtomicU64) -> io::Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", order.port))?;
    stream.set_nodelay(true)?;
    let mut head = signed_head(body, order.port, kind)?;
    let mut answer = Vec::with_capacity(128 * 1024);
    let mut next = Instant::now();
    while Instant::now() < order.end {
        if let Kind::Paced(distance) = kind {
            next += distance;
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
        }
        if kind != Kind::Ceiling {
            head = signed_head(body, order.port, kind)?;
        }
        send(&mut stream, head.as_bytes(), body)?;
        receive(&mut stream, &mut answer)?;
        records.fetch_add(order.records as u64, Ordering::Relaxed);
    }
    Ok(())
}

/// Writes head and body with as few calls as the socket takes.
fn send(stream: &mut TcpStream, mut head: &[u8], mut body: &[u8]) -> io::Result<()> {
    while !body.is_empty() {
        let sent = stream.write_vectored(&[IoSlice::new(head), IoSlice::new(body)])?;
        if sent == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        let of_head = sent.min(head.len());
        head = &head[of_head..];
        body = &body[sent - of_head..];
    }
    Ok(())
}

/// Reads one answer to its end, and looks at nothing but its status and length.
fn receive(stream: &mut TcpStream, answer: &mut Vec<u8>) -> io::Result<()> {
    answer.resize(answer.capacity(), 0);
    let (mut got, mut whole) = (0, None);
    while whole.is_none_or(|whole| got < whole) {
        let read = stream.read(&mut answer[got..])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        got += read;
        if whole.is_none() {
            whole = length(&answer[..got])?;
        }
    }
    Ok(())
}

/// Head and body of the answer in bytes, as soon as its head is there.
fn length(got: &[u8]) -> io::Result<Option<usize>> {
    const NAME: &[u8] = b"Content-Length: ";
    let Some(head) = memmem::find(got, b"\r\n\r\n") else { return Ok(None) };
    if !got.starts_with(b"HTTP/1.1 200") {
        return Err(io::Error::other("the sink refused a request"));
    }
    let at = memmem::find(&got[..head], NAME).ok_or_else(|| io::Error::other("no length"))? + NAME.len();
    let digits = got[at..].iter().take_while(|byte| byte.is_ascii_digit());
    Ok(Some(head + 4 + digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0'))))
}

/// The head of a PutRecords request with its Signature Version 4, every step of it done anew.
fn signed_head(body: &[u8], port: u16, kind: Kind) -> io::Result<String> {
    const SIGNED: &str = "content-type;host;x-amz-date;x-amz-target";
    let time = SystemTime::now();
    let seconds = time.duration_since(UNIX_EPOCH).map_err(io::Error::other)?.as_secs();
    let date = DateTime::from_timestamp(seconds as i64, 0).ok_or_else(|| io::Error::other("no date"))?;
    let date = date.format("%Y%m%dT%H%M%SZ").to_string();
    let hash = |bytes: &[u8]| match kind {
        Kind::SdkHash => hex(&Sha256::digest(bytes)),
        _ => hex(digest(&SHA256, bytes).as_ref()),
    };
    let canonical = format!(
        "POST\n/\n\ncontent-type:application/x-amz-json-1.1\nhost:127.0.0.1:{port}\nx-amz-date:{date}\n\
         x-amz-target:Kinesis_20131202.PutRecords\n\n{SIGNED}\n{}",
        hash(body)
    );
    let scope = format!("{}/us-east-1/kinesis/aws4_request", &date[..8]);
    let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hash(canonical.as_bytes()));
    let key = generate_signing_key("none", time, "us-east-1", "kinesis");
    let signature = calculate_signature(key, to_sign.as_bytes());
    Ok(format!(
        "POST / HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: application/x-amz-json-1.1\r\n\
         x-amz-date: {date}\r\nx-amz-target: Kinesis_20131202.PutRecords\r\nauthorization: AWS4-HMAC-SHA256 \
         Credential=none/{scope}, SignedHeaders={SIGNED}, Signature={signature}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    ))
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |four: u8| char::from(DIGITS[usize::from(four)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
