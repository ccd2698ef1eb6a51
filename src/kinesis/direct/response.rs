//! Reads an HTTP/1.1 response from bytes as they come. Pure: knows no socket.
//!
//! (RFC 9112: message framing in section 6, chunks in section 7.1.)

use std::ops::Range;

/// The most bytes of a response that are taken: far above 500 entries that all failed with a long message.
pub(super) const MOST: usize = 8 * 1024 * 1024;

/// The most headers of a response.
const MOST_HEADERS: usize = 64;

/// A response that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    #[error("its head is no HTTP/1.1: {0}")]
    Head(httparse::Error),
    #[error("its length is told in a way that HTTP/1.1 does not know")]
    Length,
    #[error("its chunks are malformed")]
    Chunk,
    #[error("it is longer than {MOST} bytes")]
    TooLong,
}

/// What is known once the head is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub status: u16,
    /// Where the body begins.
    start: usize,
    length: Length,
    /// Whether the connection may serve again.
    pub keep_alive: bool,
    /// The `x-amzn-errortype` header.
    pub error_type: Option<String>,
    /// The `date` header.
    pub date: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    Known(usize),
    Chunked,
    /// To the end of the connection.
    Open,
}

/// A whole response in the buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Whole {
    pub head: Head,
    /// Where the body stands, its chunks joined.
    pub body: Range<usize>,
}

/// Reads a response from a buffer that grows.
#[derive(Debug, Default)]
pub(super) struct Reader {
    head: Option<Head>,
}

impl Reader {
    /// The response, once it is whole in `got`; `ended` says that no byte will follow. A chunked body is joined in
    /// place. None: more bytes are needed.
    pub(super) fn read(&mut self, got: &mut [u8], ended: bool) -> Result<Option<Whole>, Malformed> {
        let head = match &self.head {
            Some(head) => head,
            None => match parse_head(got)? {
                Some(head) => self.head.insert(head),
                None if got.len() > MOST => return Err(Malformed::TooLong),
                None => return Ok(None),
            },
        };
        let start = head.start;
        let (end, used) = match head.length {
            Length::Known(length) if length > MOST => return Err(Malformed::TooLong),
            Length::Known(length) if got.len() < start + length => return Ok(None),
            Length::Known(length) => (start + length, start + length),
            Length::Chunked => match join_chunks(got, start)? {
                Some(ends) => ends,
                None if got.len() > MOST => return Err(Malformed::TooLong),
                None => return Ok(None),
            },
            Length::Open if got.len() > MOST => return Err(Malformed::TooLong),
            Length::Open if !ended => return Ok(None),
            Length::Open => (got.len(), got.len()),
        };
        let mut head = head.clone();
        // Bytes that nobody asked for: whatever follows on this connection could be taken for another's answer.
        head.keep_alive &= used == got.len() && !ended;
        Ok(Some(Whole { head, body: start..end }))
    }

    /// How many bytes are still to come, where the head tells it.
    pub(super) fn missing(&self, got: usize) -> Option<usize> {
        match self.head.as_ref()? {
            Head { start, length: Length::Known(length), .. } => (start + length).checked_sub(got),
            _ => None,
        }
    }
}

/// The head of the final response, past any interim ones (1xx); none as long as it is not whole.
fn parse_head(got: &[u8]) -> Result<Option<Head>, Malformed> {
    let mut start = 0;
    loop {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(size) = response.parse(&got[start..]).map_err(Malformed::Head)? else {
            return Ok(None);
        };
        start += size;
        let status = response.code.unwrap_or_default();
        if !(100..200).contains(&status) {
            return head(status, response.version == Some(1), response.headers, start).map(Some);
        }
    }
}

fn head(status: u16, newer: bool, headers: &[httparse::Header<'_>], start: usize) -> Result<Head, Malformed> {
    let (mut known, mut chunked, mut keep_alive, mut error_type, mut date) = (None, false, newer, None, None);
    for header in headers {
        let Ok(value) = std::str::from_utf8(header.value).map(str::trim) else { continue };
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        if is("content-length") {
            // `str::parse` would take a sign.
            let digits = value.bytes().all(|byte| byte.is_ascii_digit());
            let length = value.parse::<usize>().ok().filter(|_| digits).ok_or(Malformed::Length)?;
            if known.is_some_and(|known| known != length) {
                return Err(Malformed::Length);
            }
            known = Some(length);
        } else if is("transfer-encoding") {
            if !value.eq_ignore_ascii_case("chunked") {
                return Err(Malformed::Length);
            }
            chunked = true;
        } else if is("connection") {
            for token in value.split(',').map(str::trim) {
                if token.eq_ignore_ascii_case("close") {
                    keep_alive = false;
                } else if token.eq_ignore_ascii_case("keep-alive") && !newer {
                    keep_alive = true;
                }
            }
        } else if is("x-amzn-errortype") {
            error_type = Some(value.to_owned());
        } else if is("date") {
            date = Some(value.to_owned());
        }
    }
    let length = match (known, chunked) {
        _ if status == 204 || status == 304 => Length::Known(0),
        (_, true) => Length::Chunked,
        (Some(length), false) => Length::Known(length),
        (None, false) => Length::Open,
    };
    // Both told: whoever wrote this can't be trusted with the next request (RFC 9112, section 6.3).
    keep_alive &= length != Length::Open && !(chunked && known.is_some());
    Ok(Head { status, start, length, keep_alive, error_type, date })
}

/// Joins the chunks that begin at `start`, once they are whole; gives where the body and where the last chunk ends.
fn join_chunks(got: &mut [u8], start: usize) -> Result<Option<(usize, usize)>, Malformed> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    let mut at = start;
    let used = loop {
        match httparse::parse_chunk_size(&got[at..]) {
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(Malformed::Chunk),
            Ok(httparse::Status::Complete((line, 0))) => {
                // Trailers, which end with an empty line, say nothing that we need.
                let mut trailers = [httparse::EMPTY_HEADER; MOST_HEADERS];
                match httparse::parse_headers(&got[at + line..], &mut trailers) {
                    Ok(httparse::Status::Complete((size, _))) => break at + line + size,
                    Ok(httparse::Status::Partial) => return Ok(None),
                    Err(_) => return Err(Malformed::Chunk),
                }
            }
            Ok(httparse::Status::Complete((line, size))) => {
                let size =
                    usize::try_from(size).ok().filter(|&size| size <= MOST).ok_or(Malformed::TooLong)?;
                let begin = at + line;
                match got.get(begin + size..begin + size + 2) {
                    None => return Ok(None),
                    Some(b"\r\n") => {}
                    Some(_) => return Err(Malformed::Chunk),
                }
                parts.push(begin..begin + size);
                at = begin + size + 2;
            }
        }
    };
    // Moved only now: until the last chunk is there, the next look begins at the first one again.
    let mut end = start;
    for part in parts {
        let length = part.len();
        got.copy_within(part, end);
        end += length;
    }
    Ok(Some((end, used)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What is read when the bytes come in these pieces; the body and whether the connection may serve again.
    fn read(pieces: &[&[u8]], ended: bool) -> Result<Option<(u16, Vec<u8>, bool)>, Malformed> {
        let (mut reader, mut got) = (Reader::default(), Vec::new());
        for (index, piece) in pieces.iter().enumerate() {
            got.extend_from_slice(piece);
            let last = index + 1 == pieces.len();
            if let Some(whole) = reader.read(&mut got, ended && last)? {
                assert!(last, "whole before its last byte");
                return Ok(Some((whole.head.status, got[whole.body].to_vec(), whole.head.keep_alive)));
            }
        }
        Ok(None)
    }

    #[test]
    fn a_response_is_read_by_its_own_framing() {
        for (text, ended, body, keep_alive) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", false, "abc", true),
            ("HTTP/1.1 200 OK\r\ncontent-length: 3\r\nConnection: Close\r\n\r\nabc", false, "abc", false),
            ("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", false, "abc", false),
            ("HTTP/1.0 200 OK\r\nContent-Length: 3\r\nconnection: keep-alive\r\n\r\nabc", false, "abc", true),
            ("HTTP/1.1 200 OK\r\n\r\nabc", true, "abc", false),
            (
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
                false,
                "abc",
                true,
            ),
            (
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx: y\r\n\r\n",
                false,
                "abc",
                true,
            ),
            ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false, "", true),
            ("HTTP/1.1 204 No Content\r\n\r\n", false, "", true),
        ] {
            let whole = Ok(Some((
                if text.contains("204") { 204 } else { 200 },
                body.as_bytes().to_vec(),
                keep_alive,
            )));
            assert_eq!(read(&[text.as_bytes()], ended), whole, "{text}");
            // Byte by byte it is the same.
            let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
            assert_eq!(read(&bytes, ended), whole, "{text}");
        }
    }

    #[test]
    fn bytes_that_nobody_asked_for_end_the_connection() {
        for text in [
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nx",
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        ] {
            assert_eq!(read(&[text.as_bytes()], false), Ok(Some((200, b"abc".to_vec(), false))), "{text}");
        }
    }

    #[test]
    fn what_is_no_response_is_told() {
        for text in [
            "SSH-2.0-OpenSSH\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\nabc",
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffff\r\n",
        ] {
            assert!(read(&[text.as_bytes()], false).is_err(), "{text}");
        }
    }

    proptest! {
        // Whatever comes, in whatever pieces, reading ends without panic, and it takes no byte that is not there.
        #[test]
        fn any_bytes_are_read_or_refused(
            start in "(HTTP/1.1 200 OK\r\n)?(content-length: [0-9]{1,3}\r\n)?(transfer-encoding: chunked\r\n)?(\r\n)?",
            rest in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'0'), Just(b'\r'), Just(b'\n')], 0..60),
            ended: bool,
        ) {
            let (mut reader, mut got) = (Reader::default(), Vec::new());
            let bytes: Vec<u8> = start.bytes().chain(rest).collect();
            for (index, byte) in bytes.iter().enumerate() {
                got.push(*byte);
                match reader.read(&mut got, ended && index + 1 == bytes.len()) {
                    Ok(None) => {}
                    Ok(Some(whole)) => {
                        prop_assert!(whole.body.end <= got.len());
                        break;
                    }
                    Err(_) => break,
                }
            }
        }
    }
}
