//! Lines of a web server's log, in Apache's combined format. The one kind that is no JSON.
//!
//! The event's identity stands in the query of the request's path, where every reader of such logs expects whatever
//! a client sends: nothing of the format is bent for it.

use std::fmt::Write as _;
use std::ops::Range;

use super::head::Head;
use super::pen::{Block, Pen, measure};
use super::pool::{Fields, Pool};
use super::random::Lanes;
use super::timestamp::Timestamp;

/// What stands before the id, between the id and the time, and so on.
pub(super) const BEFORE_ID: &str = "?id=";
pub(super) const BEFORE_TIME: &str = "&time=";
const BEFORE_PRODUCER: &str = "&producer=";
const BEFORE_JOB: &str = "&job=";
const BEFORE_SEQUENCE: &[u8; 10] = b"&sequence=";

const MONTHS: [&[u8; 5]; 12] = [
    b"/Jan/", b"/Feb/", b"/Mar/", b"/Apr/", b"/May/", b"/Jun/", b"/Jul/", b"/Aug/", b"/Sep/", b"/Oct/",
    b"/Nov/", b"/Dec/",
];

/// Methods with what stands around them; the common one stands more than once.
static METHODS: [Block; 8] = [
    Block::new(r#" +0000] "GET "#),
    Block::new(r#" +0000] "GET "#),
    Block::new(r#" +0000] "GET "#),
    Block::new(r#" +0000] "GET "#),
    Block::new(r#" +0000] "GET "#),
    Block::new(r#" +0000] "GET "#),
    Block::new(r#" +0000] "POST "#),
    Block::new(r#" +0000] "HEAD "#),
];

/// Status codes with the protocol before them.
static STATUSES: [Block; 16] = {
    let ok = Block::new(r#" HTTP/1.1" 200 "#);
    let mut all = [ok; 16];
    all[11] = Block::new(r#" HTTP/2.0" 200 "#);
    all[12] = Block::new(r#" HTTP/1.1" 301 "#);
    all[13] = Block::new(r#" HTTP/1.1" 304 "#);
    all[14] = Block::new(r#" HTTP/1.1" 404 "#);
    all[15] = Block::new(r#" HTTP/1.1" 500 "#);
    all
};

/// Largest answer, in bytes.
const MOST_BYTES: u64 = 255 * 255;

/// Writes log lines.
#[derive(Debug)]
pub(super) struct AccessLog {
    users: Fields,
    pages: Fields,
    referers: Fields,
    agents: Fields,
}

/// What one line says.
#[derive(Debug, Clone, Copy)]
struct Facts<'a> {
    /// The client's address in 10.0.0.0/8.
    address: u32,
    user: &'a Block,
    method: &'a Block,
    page: &'a Block,
    status: &'a Block,
    bytes: u64,
    referer: &'a Block,
    agent: &'a Block,
}

/// What makes a line this one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whose<'a> {
    pub(super) head: &'a Head,
    pub(super) id: Lanes,
    pub(super) time: &'a Timestamp,
    pub(super) job: u32,
    pub(super) sequence: u64,
}

/// The head of a producer's lines, as [`Head`] takes it: what stands before, between and behind id and time.
pub(super) fn head(producer: &str) -> (&'static str, String, String) {
    let mut after = BEFORE_PRODUCER.to_owned();
    // RFC 3986, section 2.1: whatever is not unreserved is percent-encoded.
    for byte in producer.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            after.push(byte.into());
        } else {
            let _ = write!(after, "%{byte:02X}");
        }
    }
    (BEFORE_ID, BEFORE_TIME.to_owned(), after + BEFORE_JOB)
}

impl AccessLog {
    pub(super) fn new() -> Self {
        Self {
            users: Pool::users().between("", " ["),
            pages: Pool::pages().between("", ""),
            referers: Pool::pages().between(r#" "https://www.example.com"#, r#"" "Mozilla/5.0 "#),
            agents: Pool::agents().between("", "\""),
        }
    }

    /// Writes the whole line; returns where the user stands.
    #[inline]
    pub(super) fn write(&self, whose: Whose<'_>, bits: Lanes, pen: &mut Pen<'_>) -> Range<usize> {
        let mut random = bits.random();
        let facts = Facts {
            address: random.below(1 << 24),
            user: self.users.pick(&mut random),
            method: &METHODS[random.below(METHODS.len() as u32) as usize],
            page: self.pages.pick(&mut random),
            status: &STATUSES[random.below(STATUSES.len() as u32) as usize],
            // The product of two draws: most answers are small.
            bytes: u64::from(random.below(256) * random.below(256)),
            referer: self.referers.pick(&mut random),
            agent: self.agents.pick(&mut random),
        };
        render(facts, whose, pen)
    }

    /// The most bytes that [`Self::write`] writes with this head.
    pub(super) fn largest(&self, head: &Head) -> usize {
        let facts = Facts {
            address: (1 << 24) - 1,
            user: self.users.longest(),
            method: &METHODS[6],
            page: self.pages.longest(),
            status: &STATUSES[0],
            bytes: MOST_BYTES,
            referer: self.referers.longest(),
            agent: self.agents.longest(),
        };
        let time = Timestamp::from_unix_millis(0);
        let id = Lanes { high: 0, low: 0 };
        let whose = Whose { head, id, time: &time, job: u32::MAX, sequence: u64::MAX };
        measure(|pen| render(facts, whose, pen))
    }
}

#[inline]
fn render(facts: Facts<'_>, whose: Whose<'_>, pen: &mut Pen<'_>) -> Range<usize> {
    pen.text(b"10");
    for shift in [16, 8, 0] {
        pen.text(b".");
        pen.decimal(u64::from(facts.address >> shift & 255));
    }
    pen.text(b" - ");
    let start = pen.at();
    pen.block(facts.user);
    let user = start..pen.at() - 2; // the space and the bracket
    moment(whose.time, pen);
    pen.block(facts.method);
    pen.block(facts.page);
    whose.head.write(whose.id, whose.time, pen);
    pen.decimal(whose.job.into());
    pen.text(BEFORE_SEQUENCE);
    pen.decimal(whose.sequence);
    pen.block(facts.status);
    pen.decimal(facts.bytes);
    pen.block(facts.referer);
    pen.block(facts.agent);
    user
}

/// The time as `21/Nov/2026:02:14:34`.
#[inline]
fn moment(time: &Timestamp, pen: &mut Pen<'_>) {
    let text = time.as_bytes();
    let month = usize::from((text[5] - b'0') * 10 + (text[6] - b'0'));
    pen.any(&text[8..10]);
    pen.text(MONTHS[month - 1]);
    pen.any(&text[0..4]);
    pen.text(b":");
    pen.any(&text[11..19]);
}

#[cfg(test)]
mod tests {
    use regex_lite::Regex;

    use super::super::{EventKind, Generator};
    use super::*;

    // Every line is one that a parser of the combined format takes, with the time of the event to the second, and tells
    // who made it.
    #[test]
    fn every_line_is_in_the_combined_format() {
        let format = Regex::new(
            r#"^10\.\d+\.\d+\.\d+ - (\S+) \[21/Nov/2026:02:14:34 \+0000\] "(?:GET|POST|HEAD) (/\S+) HTTP/[12]\.[01]" (\d{3}) (\d+) "(https://www\.example\.com/[^"]*)" "([^"]+)"$"#,
        )
        .expect("a pattern");
        let generator = Generator::new(EventKind::AccessLog, 1, "a b");
        for sequence in (0..2_000).chain([u64::MAX]) {
            let mut line = Vec::new();
            let time = Timestamp::from_unix_millis(1_795_227_274_123);
            let written = generator.write(7, sequence, &time, &mut line);
            assert!(line.len() <= generator.largest_event());
            let text = String::from_utf8(line).expect("ASCII");
            let found = format.captures(&text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(written.entity.map(|place| &text[place]), Some(&found[1]));
            let told = format!("&time=2026-11-21T02:14:34.123Z&producer=a%20b&job=7&sequence={sequence}");
            assert!(found[2].contains("?id=") && found[2].ends_with(&told), "{text}");
        }
    }
}
