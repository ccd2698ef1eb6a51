//! As much of HTTP/1.1 as a proxy needs that must be able to break it at any byte: heads, bodies, lengths.

use std::io;

use memchr::memmem;
use tokio::io::{AsyncRead, AsyncReadExt};

/// A request or an answer.
#[derive(Debug, Default, Clone)]
pub struct Message {
    /// First line and headers, with the empty line.
    pub head: Vec<u8>,
    pub body: Vec<u8>,
}

impl Message {
    /// The value of a header; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        let head = std::str::from_utf8(&self.head).unwrap_or_default();
        let value = head.lines().filter_map(|line| line.split_once(':'));
        let mut value = value.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        value.next().map_or("", |(_, value)| value.trim())
    }

    /// What `x-amz-target` asks for.
    pub fn operation(&self) -> &str {
        self.header("x-amz-target").rsplit('.').next().unwrap_or_default()
    }

    /// The access key id that signed it.
    pub fn key_id(&self) -> &str {
        let signed = self.header("authorization");
        let from = signed.find("Credential=").map_or("", |at| &signed[at + "Credential=".len()..]);
        from.split('/').next().unwrap_or_default()
    }

    /// An answer's status.
    pub fn status(&self) -> u16 {
        let line = self.head.split(|&byte| byte == b' ').nth(1).unwrap_or_default();
        std::str::from_utf8(line).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
    }
}

/// Reads the next message; none when the other side closed before its first byte. `kept` holds what came too early.
pub async fn read<R: AsyncRead + Unpin>(from: &mut R, kept: &mut Vec<u8>) -> io::Result<Option<Message>> {
    let end = loop {
        if let Some(at) = memmem::find(kept, b"\r\n\r\n") {
            break at + 4;
        }
        if from.read_buf(kept).await? == 0 {
            return if kept.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
        }
    };
    let mut message = Message { head: kept.drain(..end).collect(), body: Vec::new() };
    let length = message.header("content-length").parse().unwrap_or(0);
    while kept.len() < length {
        if from.read_buf(kept).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    message.body = kept.drain(..length).collect();
    Ok(Some(message))
}

/// A request to the stream.
pub fn request(operation: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-amz-json-1.1\r\n\
         x-amz-target: Kinesis_20131202.{operation}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// An answer to the client.
pub fn answer(status: u16, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status} Told\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}
