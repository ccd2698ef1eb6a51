//! Signature Version 4 of a PutRecords request, its head included. Pure: credentials, time and body come as arguments.
//!
//! All that does not change between two requests is made once: the key of the day, and the text around date and hash.
//! The SDK's signer makes each of them anew for every request, which costs more than a small request's own hash.
//! (AWS General Reference, "Create a signed AWS API request".)

use std::io::Write;

use aws_credential_types::Credentials;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use chrono::{DateTime, Datelike, Timelike, Utc};

use crate::kinesis::Wire;

/// What `x-amz-target` begins with: service and version.
const TARGET: &str = "Kinesis_20131202";
const USER_AGENT: &str = concat!("kinesis-streamer/", env!("CARGO_PKG_VERSION"));

/// What is signed for besides the request: where it goes, and as which service's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The `host` header: the name and, where it is not the scheme's own, the port.
    pub host: String,
    /// The path of the endpoint; `/` nearly everywhere.
    pub path: String,
    pub region: String,
    pub service: String,
    pub wire: Wire,
    /// Such as `PutRecords`.
    pub operation: &'static str,
}

/// Signs for one identity on one day.
pub(super) struct Signer {
    credentials: Credentials,
    place: Place,
    day: [u8; 8],
    key: hmac::Key,
    /// The canonical request up to the date, and from there to the hash of the body.
    canonical: [String; 2],
    /// The head of the request up to the date, from there to the signature, and what is behind it.
    head: [String; 3],
}

/// Buffers that a request is signed in.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    text: Vec<u8>,
}

impl Signer {
    /// A signer for the day (UTC) that `now` is in.
    pub(super) fn new(credentials: Credentials, place: Place, now: DateTime<Utc>) -> Self {
        let day = date(now).0;
        let day_text = std::str::from_utf8(&day).unwrap_or_default();
        let Place { host, path, region, service, wire, operation } = &place;
        let content_type = wire.content_type();
        let mut key =
            hmac::Key::new(hmac::HMAC_SHA256, format!("AWS4{}", credentials.secret_access_key()).as_bytes());
        for part in [day_text, region, service, "aws4_request"] {
            key = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, part.as_bytes()).as_ref());
        }
        let (token_line, token_name, token_header) = match credentials.session_token() {
            Some(token) => (
                format!("x-amz-security-token:{token}\n"),
                "x-amz-security-token;",
                format!("x-amz-security-token: {token}\r\n"),
            ),
            None => Default::default(),
        };
        let names = format!("content-type;host;x-amz-date;{token_name}x-amz-target");
        let canonical = [
            format!("POST\n{path}\n\ncontent-type:{content_type}\nhost:{host}\nx-amz-date:"),
            format!("\n{token_line}x-amz-target:{TARGET}.{operation}\n\n{names}\n"),
        ];
        let head = [
            format!(
                "POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: {content_type}\r\nuser-agent: {USER_AGENT}\r\n\
                 {token_header}x-amz-target: {TARGET}.{operation}\r\nx-amz-date: "
            ),
            format!(
                "\r\nauthorization: AWS4-HMAC-SHA256 Credential={}/{day_text}/{region}/{service}/aws4_request, \
                 SignedHeaders={names}, Signature=",
                credentials.access_key_id()
            ),
            "\r\ncontent-length: ".to_owned(),
        ];
        Self { credentials, place, day, key, canonical, head }
    }

    /// Whether `now` is in this signer's day.
    pub(super) fn is_of(&self, now: DateTime<Utc>) -> bool {
        date(now).0 == self.day
    }

    /// The same identity on the day of `now`.
    pub(super) fn on(&self, now: DateTime<Utc>) -> Self {
        Self::new(self.credentials.clone(), self.place.clone(), now)
    }

    /// The same identity for another operation.
    pub(super) fn for_operation(&self, operation: &'static str, now: DateTime<Utc>) -> Self {
        Self::new(self.credentials.clone(), Place { operation, ..self.place.clone() }, now)
    }

    pub(super) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Writes the signed head of a request with this body into `head`, which is cleared first.
    pub(super) fn write_head(
        &self,
        now: DateTime<Utc>,
        body: &[u8],
        Scratch { text }: &mut Scratch,
        head: &mut Vec<u8>,
    ) {
        let (day, time) = date(now);
        text.clear();
        text.extend_from_slice(self.canonical[0].as_bytes());
        text.extend_from_slice(&day);
        text.extend_from_slice(&time);
        text.extend_from_slice(self.canonical[1].as_bytes());
        push_hex(digest(&SHA256, body).as_ref(), text);
        let request = digest(&SHA256, text);

        text.clear();
        text.extend_from_slice(b"AWS4-HMAC-SHA256\n");
        text.extend_from_slice(&day);
        text.extend_from_slice(&time);
        text.push(b'\n');
        text.extend_from_slice(&day);
        for part in [&self.place.region, &self.place.service] {
            text.push(b'/');
            text.extend_from_slice(part.as_bytes());
        }
        text.extend_from_slice(b"/aws4_request\n");
        push_hex(request.as_ref(), text);

        head.clear();
        head.extend_from_slice(self.head[0].as_bytes());
        head.extend_from_slice(&day);
        head.extend_from_slice(&time);
        head.extend_from_slice(self.head[1].as_bytes());
        push_hex(hmac::sign(&self.key, text).as_ref(), head);
        head.extend_from_slice(self.head[2].as_bytes());
        // Into a `Vec`: it can't fail.
        let _ = write!(head, "{}\r\n\r\n", body.len());
    }
}

/// `20261121` and `T091500Z`.
fn date(now: DateTime<Utc>) -> ([u8; 8], [u8; 8]) {
    let two = |number: u32| [b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8];
    let year = now.year().clamp(0, 9_999) as u32;
    let [[a, b], [c, d], [e, f], [g, h]] =
        [two(year / 100), two(year % 100), two(now.month()), two(now.day())];
    let [[i, j], [k, l], [m, n]] = [two(now.hour()), two(now.minute()), two(now.second())];
    ([a, b, c, d, e, f, g, h], [b'T', i, j, k, l, m, n, b'Z'])
}

fn push_hex(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        out.extend_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
}

impl std::fmt::Debug for Signer {
    /// Without anything that is secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("place", &self.place).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
    use aws_sigv4::sign::v4;
    use proptest::prelude::*;

    use super::*;

    /// The `authorization` header by the SDK's own signer, over the headers that a head has, as they stand there.
    fn by_the_sdk(head: &str, body: &[u8], credentials: &Credentials, now: SystemTime) -> String {
        let mut lines = head.trim_end().split("\r\n");
        let path = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a request line");
        let headers: Vec<(&str, &str)> = lines
            .map(|line| line.split_once(": ").expect("a header"))
            .filter(|(name, _)| ["host", "content-type", "x-amz-target"].contains(name))
            .collect();
        let host = headers.iter().find(|(name, _)| *name == "host").expect("a host").1;
        let identity = credentials.clone().into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region("eu-north-1")
            .name("kinesis")
            .time(now)
            .settings(SigningSettings::default())
            .build()
            .expect("complete");
        let request = SignableRequest::new(
            "POST",
            format!("https://{host}{path}"),
            headers.into_iter(),
            SignableBody::Bytes(body),
        );
        let signed = sign(request.expect("signable"), &params.into()).expect("signed");
        let (headers, _) = signed.into_parts().0.into_parts();
        headers
            .iter()
            .find(|header| header.name().eq_ignore_ascii_case("authorization"))
            .map(|header| header.value().to_owned())
            .expect("a signature")
    }

    proptest! {
        // Whatever the credentials, moment and body: the signature is the one that the SDK's own signer makes.
        #[test]
        fn a_signature_verifies(
            body in proptest::collection::vec(any::<u8>(), 0..300),
            secret in "[A-Za-z0-9/+]{1,60}",
            token in proptest::option::of("[A-Za-z0-9/+=]{1,300}"),
            seconds in 0_i64..4_000_000_000,
            host in "[a-z]{1,9}(\\.[a-z]{1,9}){0,3}(:[1-9][0-9]{3})?",
            wire in prop_oneof![Just(Wire::Json), Just(Wire::Cbor)],
        ) {
            let credentials = Credentials::new("AKIDEXAMPLE", secret, token, None, "test");
            let place = Place {
                host, path: "/".to_owned(), region: "eu-north-1".to_owned(), service: "kinesis".to_owned(),
                wire, operation: "PutRecords",
            };
            let now = DateTime::from_timestamp(seconds, 0).expect("a moment");
            // Made on another day, it signs for this one all the same.
            let signer = Signer::new(credentials.clone(), place, DateTime::UNIX_EPOCH).on(now);
            prop_assert!(signer.is_of(now));
            let mut head = b"from before".to_vec();
            signer.write_head(now, &body, &mut Scratch::default(), &mut head);
            let head = String::from_utf8(head).expect("text");
            let theirs = by_the_sdk(&head, &body, &credentials, now.into());
            prop_assert!(head.contains(&format!("\r\nauthorization: {theirs}\r\n")), "{head}\n{theirs}");
            prop_assert!(head.ends_with(&format!("\r\ncontent-length: {}\r\n\r\n", body.len())), "{}", head);
        }
    }

    #[test]
    fn nothing_secret_is_shown() {
        let credentials = Credentials::new("AKID", "the-secret", Some("the-token".to_owned()), None, "test");
        let place = Place {
            host: "h".to_owned(),
            path: "/".to_owned(),
            region: "r".to_owned(),
            service: "s".to_owned(),
            wire: Wire::Json,
            operation: "PutRecords",
        };
        let shown = format!("{:?}", Signer::new(credentials, place, DateTime::UNIX_EPOCH));
        assert!(!shown.contains("the-secret") && !shown.contains("the-token"), "{shown}");
    }
}
