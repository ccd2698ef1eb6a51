//! The way back on the wire: a stream's shards with their parents, places to read from, and GetRecords.
//!
//! Decides what an answer means, never when to ask or for which shard.

use aws_sdk_kinesis::config::http::HttpResponse;
use aws_sdk_kinesis::config::retry::RetryConfig;
use aws_sdk_kinesis::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kinesis::primitives::DateTime;
use aws_sdk_kinesis::types::{HashKeyRange, Record, ShardIteratorType};

use super::client::malformed;
use super::{Cause, Client, Fault, HashKey, HashRange, Refusal, SequenceNumber, ShardId, StreamRef};

/// A shard among its ancestors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardFamily {
    /// Its id.
    pub id: ShardId,
    /// The shard that was split into it, or the two that were merged; a stream's first shards have none.
    pub parents: [Option<ShardId>; 2],
    /// Whether it takes no records any more. A child that an answer names is told as open.
    pub closed: bool,
    /// The hash keys that it holds, where the endpoint tells.
    pub range: Option<HashRange>,
}

/// Where reading a shard begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// At the oldest record that the stream still holds.
    Oldest,
    /// Behind the newest record.
    Newest,
    /// At the first record that arrived at or after this time, in milliseconds since the Unix epoch by the stream's
    /// own clock.
    Since(u64),
    /// Behind this record.
    After(SequenceNumber),
}

/// A record as GetRecords gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadRecord {
    /// Its place in the shard.
    pub sequence_number: SequenceNumber,
    /// Its partition key; empty where the producer gave none (AUTO distribution).
    pub partition_key: String,
    /// Its data.
    pub data: Vec<u8>,
    /// ApproximateArrivalTimestamp in milliseconds since the Unix epoch, where the endpoint tells it.
    pub arrived_millis: Option<u64>,
}

/// What one GetRecords call gave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// The records, by ascending sequence numbers; none says nothing about the end.
    pub records: Vec<ReadRecord>,
    /// Data and keys of the records, in bytes: what counts against the shard's limit for readers.
    pub bytes: u64,
    /// Where to read on; none: the shard is closed and was read to its end.
    pub next: Option<String>,
    /// How far the answer is behind the newest record, in milliseconds; zero at the tip. None where the endpoint does
    /// not tell.
    pub behind_millis: Option<u64>,
    /// The shards that follow a closed one, where the endpoint names them.
    pub children: Vec<ShardFamily>,
}

/// What a read fault means for the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Setback {
    /// Over the shard's limits, or the account's: wait and ask again.
    Throttled,
    /// The iterator is older than five minutes: ask for another one.
    Expired,
    /// Stream or shard are not there (any more).
    Gone,
    /// The identity may not read, or its credentials are not good.
    Denied,
    /// Anything else; the next call may well succeed.
    Other,
}

/// A call for reading that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{fault}")]
pub struct ReadFault {
    /// What to do about it.
    pub setback: Setback,
    /// What the endpoint or the client said.
    pub fault: Fault,
}

impl From<Fault> for ReadFault {
    fn from(fault: Fault) -> Self {
        let setback = match fault.cause {
            Cause::Refused(Refusal::Throttled) => Setback::Throttled,
            Cause::Refused(Refusal::NotFound) => Setback::Gone,
            Cause::Refused(
                Refusal::Denied
                | Refusal::CredentialsMissing
                | Refusal::CredentialsExpired
                | Refusal::CredentialsRejected,
            ) => Setback::Denied,
            Cause::Refused(Refusal::Invalid | Refusal::Kms | Refusal::Unreachable | Refusal::Other)
            | Cause::Silent(_) => Setback::Other,
        };
        Self { setback, fault }
    }
}

/// The fault of a call, and whether its code says that the iterator has expired.
fn read_fault<E: ProvideErrorMetadata + std::error::Error + 'static>(
    error: SdkError<E, HttpResponse>,
) -> ReadFault {
    let expired = error.code() == Some("ExpiredIteratorException");
    let fault = ReadFault::from(Fault::from(error));
    ReadFault { setback: if expired { Setback::Expired } else { fault.setback }, ..fault }
}

/// Reads one stream.
///
/// The SDK's retries are off: each call is one call, because calls are what a shard limits.
#[derive(Debug, Clone)]
pub struct Reader {
    kinesis: aws_sdk_kinesis::Client,
    /// For ListShards, with the SDK's retries.
    listing: aws_sdk_kinesis::Client,
    stream: StreamRef,
}

impl Client {
    /// A reader of `stream`. Each of its calls is bounded by the time limit of the client's control plane.
    #[must_use]
    pub fn reader(&self, stream: &StreamRef) -> Reader {
        let config = self.control.config().to_builder().retry_config(RetryConfig::disabled()).build();
        Reader {
            kinesis: aws_sdk_kinesis::Client::from_conf(config),
            listing: self.control.clone(),
            stream: stream.clone(),
        }
    }
}

impl Reader {
    fn names(&self) -> (Option<String>, Option<String>) {
        match &self.stream {
            StreamRef::Name(name) => (Some(name.to_string()), None),
            StreamRef::Arn(arn) => (None, Some(arn.as_str().to_owned())),
        }
    }

    /// Every shard that can still be read, closed ones included, by ListShards.
    ///
    /// # Errors
    /// The call's fault; also when the answer breaks the API's rules.
    pub async fn shards(&self) -> Result<Vec<ShardFamily>, ReadFault> {
        let (mut shards, mut token) = (Vec::new(), None);
        loop {
            let call = self.listing.list_shards();
            // A page after the first is asked for by its token alone (ListShards API reference).
            let (name, arn) = if token.is_some() { (None, None) } else { self.names() };
            let call = call.set_next_token(token).set_stream_name(name).set_stream_arn(arn);
            let answer = call.send().await.map_err(read_fault)?;
            for shard in answer.shards() {
                let parents = [shard.parent_shard_id(), shard.adjacent_parent_shard_id()];
                let closed = shard
                    .sequence_number_range()
                    .is_some_and(|range| range.ending_sequence_number().is_some());
                let family = family(shard.shard_id(), parents, closed)?;
                shards.push(ShardFamily { range: shard.hash_key_range().and_then(range), ..family });
            }
            token = answer.next_token().map(str::to_owned);
            if token.is_none() {
                return Ok(shards);
            }
        }
    }

    /// An iterator that reads `shard` from `place` on. It lives for five minutes.
    ///
    /// # Errors
    /// The call's fault.
    pub async fn iterator(&self, shard: ShardId, place: Place) -> Result<String, ReadFault> {
        let (name, arn) = self.names();
        let call = self.kinesis.get_shard_iterator().set_stream_name(name).set_stream_arn(arn);
        let call = call.shard_id(shard.to_string());
        let call = match place {
            Place::Oldest => call.shard_iterator_type(ShardIteratorType::TrimHorizon),
            Place::Newest => call.shard_iterator_type(ShardIteratorType::Latest),
            Place::Since(millis) => call
                .shard_iterator_type(ShardIteratorType::AtTimestamp)
                .timestamp(DateTime::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))),
            Place::After(number) => call
                .shard_iterator_type(ShardIteratorType::AfterSequenceNumber)
                .starting_sequence_number(number.to_string()),
        };
        let answer = call.send().await.map_err(read_fault)?;
        let iterator = answer.shard_iterator().map(str::to_owned);
        iterator.ok_or_else(|| malformed("no shard iterator").into())
    }

    /// One GetRecords call: at most 10,000 records or 10 MiB, as the endpoint sees fit.
    ///
    /// # Errors
    /// The call's fault; also when the answer breaks the API's rules.
    pub async fn records(&self, iterator: &str) -> Result<Page, ReadFault> {
        let (_, arn) = self.names();
        let call = self.kinesis.get_records().shard_iterator(iterator).set_stream_arn(arn);
        let answer = call.send().await.map_err(read_fault)?;
        let mut page = Page {
            behind_millis: answer.millis_behind_latest().and_then(|millis| u64::try_from(millis).ok()),
            next: answer.next_shard_iterator().map(str::to_owned),
            ..Page::default()
        };
        for child in answer.child_shards() {
            let mut parents = child.parent_shards().iter().map(String::as_str);
            let family = family(child.shard_id(), [parents.next(), parents.next()], false)?;
            page.children.push(ShardFamily { range: child.hash_key_range().and_then(range), ..family });
        }
        page.records.reserve(answer.records().len());
        for record in answer.records {
            let record = read(record)?;
            page.bytes += (record.data.len() + record.partition_key.len()) as u64;
            page.records.push(record);
        }
        Ok(page)
    }
}

fn read(record: Record) -> Result<ReadRecord, ReadFault> {
    let Ok(sequence_number) = record.sequence_number.parse() else {
        return Err(malformed("a record without a sequence number").into());
    };
    let arrived = record.approximate_arrival_timestamp;
    Ok(ReadRecord {
        sequence_number,
        partition_key: record.partition_key.unwrap_or_default(),
        data: record.data.into_inner(),
        arrived_millis: arrived.and_then(|time| time.to_millis().ok()).and_then(|ms| u64::try_from(ms).ok()),
    })
}

fn family(id: &str, parents: [Option<&str>; 2], closed: bool) -> Result<ShardFamily, Fault> {
    let read = |id: &str| id.parse::<ShardId>().map_err(|_| malformed("a shard id of an unknown form"));
    let [one, other] = parents.map(|id| id.filter(|id| !id.is_empty()).map(read).transpose());
    Ok(ShardFamily { id: read(id)?, parents: [one?, other?], closed, range: None })
}

/// The hash keys of a shard; none where they are told in no known form.
fn range(told: &HashKeyRange) -> Option<HashRange> {
    let key = |text: &str| text.parse().ok().map(HashKey);
    Some(HashRange { start: key(told.starting_hash_key())?, end: key(told.ending_hash_key())? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinesis::Silence;

    #[test]
    fn a_fault_is_a_setback_that_says_what_to_do() {
        for (cause, setback) in [
            (Cause::Refused(Refusal::Throttled), Setback::Throttled),
            (Cause::Refused(Refusal::NotFound), Setback::Gone),
            (Cause::Refused(Refusal::CredentialsExpired), Setback::Denied),
            (Cause::Refused(Refusal::Unreachable), Setback::Other),
            (Cause::Silent(Silence::BadAnswer), Setback::Other),
        ] {
            assert_eq!(ReadFault::from(Fault::new(cause, "x")).setback, setback, "{cause:?}");
        }
    }

    #[test]
    fn a_shard_may_have_two_parents_and_an_empty_name_is_none() {
        let (child, one, other) = ("shardId-000000000003", "shardId-000000000001", "shardId-000000000002");
        let merged = family(child, [Some(one), Some(other)], true).expect("ids");
        assert_eq!((merged.id, merged.parents), (ShardId(3), [Some(ShardId(1)), Some(ShardId(2))]));
        assert_eq!(family(child, [Some(""), None], true).expect("ids").parents, [None, None]);
        assert!(family("3", [None, None], true).is_err());
    }
}
