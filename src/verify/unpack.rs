//! From a record of the stream to the user records in it: aggregation taken apart, compression undone.
//!
//! One layer of each, in this order: an aggregate's records may be compressed, but what a compressed payload holds
//! is taken as it is.

use super::inflate::{self, InflateError};
use crate::aggregate::{self, AggregateError};
use crate::kinesis::HashKey;

/// The largest buffer for inflated bytes that is kept for the next payload.
const KEPT_BYTES: usize = 1024 * 1024;

/// What a user put: most records of a stream are one, an aggregated one holds several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserRecord<'a> {
    /// Its own partition key.
    pub partition_key: &'a str,
    /// Its own explicit hash key; known of aggregated ones alone.
    pub explicit_hash_key: Option<HashKey>,
    /// Its data, inflated.
    pub data: &'a [u8],
    /// Its data as it was put.
    pub put: &'a [u8],
    /// Whether it was one of an aggregate.
    pub aggregated: bool,
    /// Whether it was compressed.
    pub compressed: bool,
}

impl UserRecord<'_> {
    /// What decides its shard, as far as it is known.
    #[must_use]
    pub fn hash_key(&self) -> HashKey {
        self.explicit_hash_key.unwrap_or_else(|| HashKey::of(self.partition_key))
    }
}

/// Why a record, or a user record in it, can't be unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct UnpackError(Reason);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Reason {
    #[error(transparent)]
    Aggregate(#[from] AggregateError),
    #[error(transparent)]
    Inflate(#[from] InflateError),
}

/// Calls `give` with every user record of a record, or with why there is none in its place. `room` is for what is
/// inflated, and serves again.
pub fn unpack(
    partition_key: &str,
    data: &[u8],
    room: &mut Vec<u8>,
    mut give: impl FnMut(Result<UserRecord<'_>, UnpackError>),
) {
    let mut inflated = |partition_key, explicit_hash_key, payload, aggregated| {
        let whole = |data, compressed| UserRecord {
            partition_key,
            explicit_hash_key,
            data,
            put: payload,
            aggregated,
            compressed,
        };
        match inflate::inflate(payload, room) {
            None => give(Ok(whole(payload, false))),
            Some(Ok(data)) => give(Ok(whole(data, true))),
            Some(Err(error)) => give(Err(UnpackError(error.into()))),
        }
        if room.capacity() > KEPT_BYTES {
            *room = Vec::new();
        }
    };
    let Some(message) = aggregate::message(data) else {
        return inflated(partition_key, None, data, false);
    };
    let result = message.and_then(|message| {
        aggregate::each(message, |inner| {
            inflated(inner.partition_key, inner.explicit_hash_key, inner.data, true);
        })
    });
    if let Err(error) = result {
        give(Err(UnpackError(error.into())));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::inflate::tests::{gzip, zstd};
    use super::*;
    use crate::aggregate::tests::{Record, pack, records};

    fn all(key: &str, data: &[u8]) -> Vec<Result<Record, UnpackError>> {
        let (mut room, mut all) = (Vec::new(), Vec::new());
        unpack(key, data, &mut room, |result| {
            all.push(result.map(|one| {
                (one.partition_key.to_owned(), one.explicit_hash_key.map(|key| key.0), one.data.to_owned())
            }));
        });
        all
    }

    proptest! {
        // Whatever is compressed in an aggregate comes out as it went in, each under its own keys.
        #[test]
        fn what_was_packed_comes_out(records in records(), ways in prop::collection::vec(0..3, 20)) {
            let packed: Vec<Record> = records.iter().zip(&ways).map(|((key, hash_key, data), way)| {
                let data = match way { 0 => data.clone(), 1 => gzip(data), _ => zstd(data) };
                (key.clone(), *hash_key, data)
            }).collect();
            // Random data that happens to begin like a compressed one is not what is asked here.
            prop_assume!(records.iter().all(|(_, _, data)| inflate::inflate(data, &mut Vec::new()).is_none()));
            let unpacked: Result<Vec<_>, _> = all("a", &pack(&packed, true)).into_iter().collect();
            prop_assert_eq!(unpacked, Ok(records));
        }
    }

    #[test]
    fn a_plain_record_is_its_own_user_record() {
        assert_eq!(all("k", b"{}"), [Ok(("k".to_owned(), None, b"{}".to_vec()))]);
        assert_eq!(all("k", b""), [Ok(("k".to_owned(), None, Vec::new()))]);
        assert_eq!(all("k", &gzip(b"{}")), [Ok(("k".to_owned(), None, b"{}".to_vec()))]);
    }

    #[test]
    fn one_damaged_payload_does_not_hide_the_others_of_its_aggregate() {
        let mut damaged = gzip(b"two");
        damaged.pop();
        let records = [("a".to_owned(), None, b"one".to_vec()), ("b".to_owned(), None, damaged)];
        let all = all("a", &pack(&records, false));
        assert_eq!((all.len(), all[0].is_ok(), all[1].is_err()), (2, true, true));
    }
}
