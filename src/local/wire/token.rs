//! Shard iterators and page tokens: opaque texts that expire after five minutes.
//!
//! Decides whether a text is one that we gave out. They are checked against accident, not against forgery.

use std::time::Duration;

use md5::{Digest, Md5};

use super::super::error::{ApiError, ErrorKind};
use super::super::read::Position;
use super::input::ShardFilter;

/// How long an iterator or a token lives (GetShardIterator and ListShards pages of the API reference).
const LIFE: Duration = Duration::from_secs(300);

/// What a shard iterator says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ShardIterator {
    pub(super) stream: String,
    pub(super) generation: u64,
    pub(super) position: Position,
    pub(super) issued: Duration,
}

impl ShardIterator {
    const HEAD: usize = 1 + 1 + 8 + 8 + 4 + 8;
    const VERSION: u8 = 1;

    pub(super) fn encode(&self) -> String {
        let mut bytes = vec![Self::VERSION, u8::from(self.position.told)];
        bytes.extend_from_slice(&millis(self.issued).to_be_bytes());
        bytes.extend_from_slice(&self.generation.to_be_bytes());
        bytes.extend_from_slice(&self.position.shard.to_be_bytes());
        bytes.extend_from_slice(&self.position.index.to_be_bytes());
        bytes.extend_from_slice(self.stream.as_bytes());
        seal(bytes)
    }

    /// Reads an iterator back.
    pub(super) fn decode(text: &str, now: Duration) -> Result<Self, ApiError> {
        let read = || -> Option<Self> {
            let bytes = open(text)?;
            let (head, name) = bytes.split_at_checked(Self::HEAD)?;
            let [version, told, rest @ ..] = head else { return None };
            let number = |at: usize| Some(u64::from_be_bytes(rest.get(at..at + 8)?.try_into().ok()?));
            (*version == Self::VERSION).then_some(())?;
            Some(Self {
                issued: Duration::from_millis(number(0)?),
                generation: number(8)?,
                position: Position {
                    shard: u32::from_be_bytes(rest.get(16..20)?.try_into().ok()?),
                    index: number(20)?,
                    told: *told == 1,
                },
                stream: String::from_utf8(name.to_vec()).ok()?,
            })
        };
        let iterator = read().ok_or_else(|| ApiError::invalid("Invalid ShardIterator."))?;
        if iterator.issued + LIFE < now {
            return Err(ApiError::new(
                ErrorKind::ExpiredIterator,
                format!(
                    "Iterator expired. The iterator was created at time {} while right now it is {} which is \
                     further in the future than the tolerated delay of {} milliseconds.",
                    utc(iterator.issued),
                    utc(now),
                    LIFE.as_millis()
                ),
            ));
        }
        Ok(iterator)
    }
}

/// Where ListShards goes on.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct PageToken {
    pub(super) stream: String,
    pub(super) generation: u64,
    /// The last shard listed.
    pub(super) after: u64,
    pub(super) filter: Option<ShardFilter>,
    pub(super) issued_ms: u64,
}

impl PageToken {
    pub(super) fn encode(&self) -> String {
        seal(serde_json::to_vec(self).expect("texts and numbers are always JSON"))
    }

    pub(super) fn decode(text: &str, now: Duration) -> Result<Self, ApiError> {
        let token: Option<Self> = open(text).and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let token = token.ok_or_else(|| ApiError::invalid("NextToken is invalid."))?;
        if Duration::from_millis(token.issued_ms) + LIFE < now {
            let text = "The pagination token passed to the operation is expired.";
            return Err(ApiError::new(ErrorKind::ExpiredNextToken, text));
        }
        Ok(token)
    }
}

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Bytes and their check sum as text.
fn seal(mut bytes: Vec<u8>) -> String {
    let sum = Md5::digest(&bytes);
    bytes.extend_from_slice(&sum[..4]);
    base64_simd::STANDARD.encode_to_string(bytes)
}

fn open(text: &str) -> Option<Vec<u8>> {
    let mut bytes = base64_simd::STANDARD.decode_to_vec(text).ok()?;
    let sum = bytes.split_off(bytes.len().checked_sub(4)?);
    (Md5::digest(&bytes)[..4] == sum[..]).then_some(bytes)
}

/// A time as AWS writes it in messages: `Thu Jan 22 01:22:02 UTC 2015`.
fn utc(time: Duration) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (days, clock) = (time.as_secs() / 86_400, time.as_secs() % 86_400);
    // Days since 0000-03-01, in eras of 400 years of 146,097 days (the proleptic Gregorian calendar).
    let shifted = days + 719_468;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = (march_month + 2) % 12;
    let year = era * 400 + year + u64::from(month < 2);
    format!(
        "{} {} {day_of_month:02} {:02}:{:02}:{:02} UTC {year}",
        DAYS[(days % 7) as usize],
        MONTHS[month as usize],
        clock / 3_600,
        clock / 60 % 60,
        clock % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iterator() -> ShardIterator {
        ShardIterator {
            stream: "a.stream".to_owned(),
            generation: 9,
            position: Position { shard: 3, index: 1 << 40, told: true },
            issued: Duration::from_millis(1_421_889_722_000),
        }
    }

    #[test]
    fn an_iterator_is_read_as_it_was_written() {
        let now = iterator().issued + LIFE;
        assert_eq!(ShardIterator::decode(&iterator().encode(), now), Ok(iterator()));
        let longest = ShardIterator { stream: "x".repeat(128), ..iterator() };
        assert!(longest.encode().len() <= 512);
    }

    #[test]
    fn an_iterator_expires_after_five_minutes() {
        let late = iterator().issued + LIFE + Duration::from_millis(1);
        let error = ShardIterator::decode(&iterator().encode(), late).expect_err("expired");
        assert_eq!(error.kind, ErrorKind::ExpiredIterator);
        assert!(error.message.contains("created at time Thu Jan 22 01:22:02 UTC 2015"), "{error}");
    }

    #[test]
    fn a_text_that_we_did_not_give_out_is_invalid() {
        let good = iterator().encode();
        let swapped = good.replacen('A', "B", 1);
        for wrong in ["", "x", "AAAA", "AAAAAAAAAAA=", &good[4..], &swapped, &seal(vec![1; 9])] {
            let error = ShardIterator::decode(wrong, Duration::ZERO).expect_err("wrong");
            assert_eq!(error.kind, ErrorKind::InvalidArgument, "{wrong}");
        }
    }

    #[test]
    fn dates_are_right_around_leap_days() {
        let at = |seconds| utc(Duration::from_secs(seconds));
        assert_eq!(at(0), "Thu Jan 01 00:00:00 UTC 1970");
        assert_eq!(at(951_782_399), "Mon Feb 28 23:59:59 UTC 2000");
        assert_eq!(at(951_782_400), "Tue Feb 29 00:00:00 UTC 2000");
        assert_eq!(at(4_107_542_400), "Mon Mar 01 00:00:00 UTC 2100");
        assert_eq!(at(1_798_761_599), "Thu Dec 31 23:59:59 UTC 2026");
    }
}
