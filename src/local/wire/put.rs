//! PutRecord and PutRecords: the hot path.
//!
//! Decides what is a legal request; the stream decides what its shards take. Texts stay in the request's
//! body, all data is decoded into one block, and the answer is written by hand into one buffer.

use std::io::Write;

use super::super::error::{ApiError, ErrorKind, rate_message};
use super::super::sequence::SequenceNumber;
use super::super::stream::{Distribution, Entry, Outcome, Stream};
use super::checks::{Checks, is_hash_key};
use super::input::{PutRecord, PutRecords, Record, Text, parse};
use super::{Api, body};
use crate::kinesis::HashKey;
use crate::kinesis::limits::MAX_PARTITION_KEY_CHARS;

/// About what one entry of an answer takes.
const ENTRY_BYTES: usize = 112;

impl Api {
    pub(super) fn put_records(&self, request: &[u8]) -> Result<Vec<u8>, ApiError> {
        let input: PutRecords<'_> = parse(request)?;
        let most = self.store.options().limits.request_records;
        let Some(records) = input.records else {
            let mut checks = Checks::default();
            checks.fail("records", None, "Member must not be null");
            return checks.finish().map(|()| Vec::new());
        };
        let mut checks = Checks::default();
        if records.count == 0 {
            checks.fail("records", Some(&"[]"), "Member must have length greater than or equal to 1");
        } else if records.count > most {
            let value = format!("[{} entries]", records.count);
            let rule = format!("Member must have length less than or equal to {most}");
            checks.fail("records", Some(&value), &rule);
        }
        checks.finish()?;
        let stream = self.stream(text(&input.stream_name), text(&input.stream_arn))?;
        let data = Decoded::of(&records.kept)?;
        let entries =
            self.entries(&stream, &records.kept, &data, |at| format!("records.{}.member.", at + 1))?;
        if input.dry_run == Some(true) {
            return Err(ApiError::dry_run());
        }
        let outcomes = stream.put(&entries)?;
        Ok(answer(&outcomes, stream.name().as_str(), &self.store.options().account))
    }

    pub(super) fn put_record(&self, request: &[u8]) -> Result<Vec<u8>, ApiError> {
        let input: PutRecord<'_> = parse(request)?;
        let stream = self.stream(text(&input.stream_name), text(&input.stream_arn))?;
        let (data, partition_key) = (input.data, input.partition_key);
        let records = [Record { data, partition_key, explicit_hash_key: input.explicit_hash_key }];
        let data = Decoded::of(&records)?;
        let entries = self.entries(&stream, &records, &data, |_| String::new())?;
        if let Some(after) = text(&input.sequence_number_for_ordering) {
            let mut checks = Checks::default();
            checks.sequence("sequenceNumberForOrdering", Some(after));
            checks.finish()?;
            // Ours always increase within a shard, so a number that we gave out is already kept to.
            let now = self.store.options().clock.now().as_secs();
            if !after.parse::<SequenceNumber>().is_ok_and(|sequence| sequence.second <= now) {
                return Err(ApiError::invalid(format!(
                    "ExclusiveMinimumSequenceNumber {after} used in PutRecord on stream {} under account {} \
                     is invalid.",
                    stream.name(),
                    self.store.options().account
                )));
            }
        }
        if input.dry_run == Some(true) {
            return Err(ApiError::dry_run());
        }
        match stream.put(&entries)?.first() {
            Some(Outcome::Accepted(sequence)) => Ok(body(&serde_json::json!({
                "ShardId": sequence.shard().to_string(), "SequenceNumber": sequence.to_string(),
            }))),
            Some(Outcome::Refused(shard)) => {
                Err(ApiError::rate(*shard, stream.name().as_str(), &self.store.options().account))
            }
            None => Err(ApiError::new(ErrorKind::InternalFailure, "one record in, no outcome out")),
        }
    }

    /// The records of a legal request, or what is wrong with it. `path` names a record's members.
    fn entries<'a>(
        &self,
        stream: &Stream,
        records: &'a [Record<'a>],
        data: &'a Decoded,
        path: impl Fn(usize) -> String,
    ) -> Result<Vec<Entry<'a>>, ApiError> {
        let (record_bytes, distribution) = stream.rules();
        let mut entries = Vec::with_capacity(records.len());
        let mut checks = Checks::default();
        let (mut total, mut out_of_range) = (0, None);
        for (at, record) in records.iter().enumerate() {
            let (key, explicit) = (text(&record.partition_key), text(&record.explicit_hash_key));
            let data = data.get(at);
            let size = key.unwrap_or_default().len() + data.len();
            total += size;
            // The path is only written when it is needed.
            let wrong = !legal_key(key, distribution)
                || explicit.is_some_and(|text| !is_hash_key(text))
                || size > record_bytes
                || record.data.is_none();
            if wrong {
                let path = path(at);
                let key_path = format!("{path}partitionKey");
                if distribution == Distribution::UserPartitionKey {
                    checks.required(&key_path, key.as_ref());
                }
                checks.length(&key_path, key, 1..=MAX_PARTITION_KEY_CHARS);
                checks.hash_key(&format!("{path}explicitHashKey"), explicit);
                checks.required(&format!("{path}data"), record.data.as_ref());
                if size > record_bytes {
                    let value = format!("java.nio.HeapByteBuffer[pos=0 lim={size} cap={size}]");
                    let rule = format!("Member must have length less than or equal to {record_bytes}");
                    checks.fail(&format!("{path}data"), Some(&value), &rule);
                }
            }
            let hash = match (explicit, key) {
                (Some(explicit), _) => explicit.parse().map_or_else(
                    |_| {
                        out_of_range.get_or_insert(explicit);
                        HashKey(0)
                    },
                    HashKey,
                ),
                (None, Some(key)) if distribution == Distribution::UserPartitionKey => HashKey::of(key),
                _ => HashKey(0),
            };
            entries.push(Entry { key: key.unwrap_or_default(), data, hash });
        }
        checks.finish()?;
        if total > self.store.options().limits.request_bytes {
            let most = self.store.options().limits.request_bytes / (1024 * 1024);
            return Err(ApiError::invalid(format!("Records size exceeds {most} MB limit")));
        }
        match out_of_range {
            None => Ok(entries),
            Some(text) => Err(ApiError::invalid(format!(
                "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value \
                 was {text}"
            ))),
        }
    }
}

fn text<'a>(member: &'a Option<Text<'a>>) -> Option<&'a str> {
    member.as_ref().map(Text::as_str)
}

fn legal_key(key: Option<&str>, distribution: Distribution) -> bool {
    match key {
        None => distribution == Distribution::Auto,
        // No text has more characters than bytes.
        Some(key) if key.len() <= MAX_PARTITION_KEY_CHARS => !key.is_empty(),
        Some(key) => key.chars().count() <= MAX_PARTITION_KEY_CHARS,
    }
}

/// The data of a request's records, out of base64, in one block.
struct Decoded {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Decoded {
    fn of(records: &[Record<'_>]) -> Result<Self, ApiError> {
        let encoded: usize = records.iter().filter_map(|record| text(&record.data)).map(str::len).sum();
        let mut bytes = Vec::with_capacity(encoded / 4 * 3 + 3);
        let mut ends = Vec::with_capacity(records.len());
        for record in records {
            if let Some(data) = text(&record.data) {
                base64_simd::STANDARD.decode_append(data, &mut bytes).map_err(|_| {
                    ApiError::new(ErrorKind::Serialization, "Data can not be converted to a Blob: not base64")
                })?;
            }
            ends.push(bytes.len());
        }
        Ok(Self { bytes, ends })
    }

    fn get(&self, at: usize) -> &[u8] {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.bytes[start..self.ends[at]]
    }
}

/// The answer to PutRecords: entries in the order of the request.
fn answer(outcomes: &[Outcome], stream: &str, account: &str) -> Vec<u8> {
    let failed = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Refused(_))).count();
    let mut out = Vec::with_capacity(64 + outcomes.len() * ENTRY_BYTES + failed * (160 + stream.len()));
    let mut write = |arguments: std::fmt::Arguments<'_>| {
        out.write_fmt(arguments).expect("a Vec takes every write");
    };
    write(format_args!("{{\"FailedRecordCount\":{failed},\"Records\":["));
    for (at, outcome) in outcomes.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        match outcome {
            Outcome::Accepted(sequence) => write(format_args!(
                "{comma}{{\"SequenceNumber\":\"{sequence}\",\"ShardId\":\"{}\"}}",
                sequence.shard()
            )),
            // Neither a stream's name nor an account needs escaping.
            Outcome::Refused(shard) => write(format_args!(
                "{comma}{{\"ErrorCode\":\"{}\",\"ErrorMessage\":\"{}\"}}",
                ErrorKind::ProvisionedThroughputExceeded,
                rate_message(*shard, stream, account)
            )),
        }
    }
    out.extend_from_slice(b"]}");
    out
}
