//! Fills a request's body entry by entry and says when the next one does not fit.

use base64_simd::{Out, STANDARD};
use bytes::BytesMut;

use super::members::Members;
use super::{Batch, Entry, Envelope, Spent, cbor, head, json};
use crate::kinesis::{HashKey, Limits, ShardId, Wire};

/// What stands before, between and behind an entry's values in JSON.
const DATA: &[u8; 9] = b"{\"Data\":\"";
const EXPLICIT: &[u8; 21] = b"\",\"ExplicitHashKey\":\"";
const KEY: &[u8; 18] = b"\",\"PartitionKey\":\"";
const END: &[u8; 2] = b"\"}";

/// The least room of a body, in bytes.
const LEAST: usize = 1024;

/// What is expected beyond the typical size of the entries, in bytes: a few that are longer, and the end.
const SPARE: usize = 4 * 1024;

/// What became of a record that was offered to a [`BatchBuilder`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// It is in.
    Added,
    /// It would fit into an empty request, but not into this one any more.
    Full,
    /// No request can hold it: `size` bytes of data and key are more than a record may have.
    TooLarge {
        /// Data plus partition key, in bytes.
        size: usize,
    },
}

/// A request's body in the making.
#[derive(Debug)]
pub struct BatchBuilder {
    wire: Wire,
    limits: Limits,
    /// Initialised to its end; written to `at`.
    body: BytesMut,
    at: usize,
    entries: Vec<Entry>,
    size: usize,
    /// Records that were offered and are not for a later request: the offset of the next one.
    offered: u32,
    /// Who is in which entry, where entries hold several.
    members: Members,
}

impl BatchBuilder {
    /// An empty request in JSON within `limits`, written into the buffers of an earlier one.
    #[must_use]
    pub fn new(limits: Limits, spent: Spent) -> Self {
        Self::of(Wire::Json, limits, spent)
    }

    /// The same for this wire.
    #[must_use]
    pub fn of(wire: Wire, limits: Limits, spent: Spent) -> Self {
        let Spent { body, mut entries, mut members } = spent;
        entries.clear();
        members.clear();
        let mut builder = Self { wire, limits, body, at: 0, entries, size: 0, offered: 0, members };
        let head = head(wire);
        builder.write(head.len(), |body| body.copy_from_slice(head));
        builder
    }

    /// Makes room for `entries` of about `data` bytes each, so that the body need not grow on the way: a buffer that
    /// grew keeps up to half of itself for nothing, in every slot of the window.
    pub fn expect(&mut self, entries: usize, data: usize) {
        // The characters of a random key.
        const KEY_LENGTH: usize = 16;
        let entry = KEY_LENGTH
            + match self.wire {
                Wire::Json => STANDARD.encoded_length(data) + DATA.len() + KEY.len() + END.len() + 1,
                Wire::Cbor => data + cbor::around(data, KEY_LENGTH),
            };
        let entries = entries.min(self.limits.request_records);
        let whole = entries.saturating_mul(entry) + SPARE;
        // No request has more: data as base64, and what stands around it.
        let whole = whole.min(self.limits.request_bytes.saturating_mul(2));
        if whole > self.body.len() {
            self.body.resize(whole, 0);
        }
    }

    /// Number of entries so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing was added yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Adds one record, if it fits.
    ///
    /// `partition_key` is legal by the caller's word (`key` makes no other).
    pub fn push(&mut self, data: &[u8], partition_key: &str, explicit: Option<HashKey>) -> Pushed {
        let size = data.len() + partition_key.len();
        if size > self.most_record() {
            self.pass_over();
            return Pushed::TooLarge { size };
        }
        if !self.has_room(1, size) {
            return Pushed::Full;
        }
        let offset = self.offered;
        self.offered += 1;
        self.write_entry(data, partition_key, explicit, offset);
        Pushed::Added
    }

    /// Most bytes of data and key of one record.
    #[inline]
    pub(super) fn most_record(&self) -> usize {
        self.limits.record_bytes.min(self.limits.request_bytes)
    }

    /// Whether so many more entries of so many bytes together are still within the limits.
    #[inline]
    pub(super) fn has_room(&self, entries: usize, size: usize) -> bool {
        self.entries.len() + entries <= self.limits.request_records
            && self.size + size <= self.limits.request_bytes
    }

    /// The offset of a record that is in, although its entry is not written yet.
    pub(super) fn take_in(&mut self) -> u32 {
        self.offered += 1;
        self.offered - 1
    }

    /// Writes the entry of records that were taken in, for which there is room by the caller's word; `shard` is the one
    /// that it is made for.
    pub(super) fn write_members(
        &mut self,
        data: &[u8],
        partition_key: &str,
        explicit: Option<HashKey>,
        offsets: &[u32],
        shard: Option<ShardId>,
    ) {
        self.write_entry(data, partition_key, explicit, offsets[0]);
        self.members.add(offsets, shard);
    }

    #[inline]
    fn write_entry(&mut self, data: &[u8], partition_key: &str, explicit: Option<HashKey>, offset: u32) {
        let size = data.len() + partition_key.len();
        // A legal body has at most 10 MiB × 4/3 and 500 envelopes, so it fits 32 bits.
        let start = match self.wire {
            Wire::Json => self.write_json(data, partition_key, explicit),
            Wire::Cbor => self.write_cbor(data, partition_key, explicit),
        } as u32;
        self.entries.push(Entry { start, end: self.at as u32, size: size as u32, offset });
        self.size += size;
    }

    /// Writes an entry in JSON, and gives where it starts.
    #[inline]
    fn write_json(&mut self, data: &[u8], partition_key: &str, explicit: Option<HashKey>) -> usize {
        let (comma, encoded) = (usize::from(!self.entries.is_empty()), STANDARD.encoded_length(data.len()));
        let start = self.at + comma;
        self.write(comma + DATA.len() + encoded, |out| {
            out[..comma].fill(b',');
            let (name, value) = out[comma..].split_at_mut(DATA.len());
            name.copy_from_slice(DATA);
            let _ = STANDARD.encode(data, Out::from_slice(value));
        });
        if let Some(hash_key) = explicit {
            let mut digits = [0; 39];
            let digits = hash_key.decimal(&mut digits);
            self.write(EXPLICIT.len() + digits.len(), |out| {
                let (name, value) = out.split_at_mut(EXPLICIT.len());
                name.copy_from_slice(EXPLICIT);
                value.copy_from_slice(digits);
            });
        }
        if json::is_plain(partition_key) {
            self.write(KEY.len() + partition_key.len() + END.len(), |out| {
                let (name, rest) = out.split_at_mut(KEY.len());
                let (value, end) = rest.split_at_mut(partition_key.len());
                name.copy_from_slice(KEY);
                value.copy_from_slice(partition_key.as_bytes());
                end.copy_from_slice(END);
            });
        } else {
            // Only keys from users' own fields and constants come here.
            let mut text = KEY.to_vec();
            json::escape_into(partition_key, &mut text);
            text.extend_from_slice(END);
            self.write(text.len(), |out| out.copy_from_slice(&text));
        }
        start
    }

    /// The same in CBOR: one piece, all of whose lengths are known beforehand.
    #[inline]
    fn write_cbor(&mut self, data: &[u8], partition_key: &str, explicit: Option<HashKey>) -> usize {
        let start = self.at;
        let mut digits = [0; 39];
        let explicit = explicit.map(|hash_key| hash_key.decimal(&mut digits));
        self.write(cbor::length(data, partition_key, explicit), |out| {
            cbor::write(out, data, partition_key, explicit);
        });
        start
    }

    /// A record is left out for good, so that the next one's sequence number is one further on. A record that is
    /// [too large](Pushed::TooLarge) is passed over by itself.
    pub fn pass_over(&mut self) {
        self.offered += 1;
    }

    /// The finished request, or its buffers when nothing was added.
    ///
    /// # Errors
    /// The buffers, when the request would be empty.
    pub fn seal(mut self, envelope: &Envelope) -> Result<Batch, Spent> {
        if self.entries.is_empty() {
            return Err(Spent { body: self.body, entries: self.entries, members: self.members });
        }
        let tail = envelope.tail(self.wire);
        self.write(tail.len(), |out| out.copy_from_slice(tail));
        self.body.truncate(self.at);
        let Self { wire, body, entries, size, members, .. } = self;
        Ok(Batch { wire, body: body.freeze(), entries, size, members, job: 0, first: 0 })
    }

    /// Writes the next `length` bytes of the body.
    #[inline]
    fn write(&mut self, length: usize, fill: impl FnOnce(&mut [u8])) {
        let end = self.at + length;
        if end > self.body.len() {
            self.grow(end);
        }
        fill(&mut self.body[self.at..end]);
        self.at = end;
    }

    /// Makes room for `end` bytes and more; all that the buffer holds anyway is initialised at once.
    #[cold]
    fn grow(&mut self, end: usize) {
        let length = (end + end / 2).max(self.body.capacity()).max(LEAST);
        self.body.resize(length, 0);
    }
}

#[cfg(test)]
mod tests {
    use ciborium::Value as Cbor;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const SMALL: Limits = Limits { request_records: 5, request_bytes: 100, record_bytes: 60 };

    fn envelope() -> Envelope {
        Envelope::new("s", None)
    }

    /// The entries of a body, by readers of others.
    fn decoded(batch: &Batch) -> Vec<(Vec<u8>, String, Option<String>)> {
        match batch.wire {
            Wire::Json => decoded_json(batch),
            Wire::Cbor => decoded_cbor(batch),
        }
    }

    fn decoded_cbor(batch: &Batch) -> Vec<(Vec<u8>, String, Option<String>)> {
        let mut left = &batch.body()[..];
        let body: Cbor = ciborium::from_reader(&mut left).expect("valid CBOR");
        assert!(left.is_empty());
        let member = |of: &Cbor, name: &str| {
            let of = of.as_map().expect("a map");
            of.iter().find(|(key, _)| key.as_text() == Some(name)).map(|(_, value)| value.clone())
        };
        let text = |value: Cbor| value.into_text().expect("a text");
        assert_eq!(member(&body, "StreamName").map(text).as_deref(), Some("s"));
        let entries = member(&body, "Records").and_then(|records| records.into_array().ok()).expect("a list");
        let entry = |entry: &Cbor| {
            let data = member(entry, "Data").and_then(|data| data.into_bytes().ok()).expect("bytes");
            let keys = ["PartitionKey", "ExplicitHashKey"].map(|name| member(entry, name).map(text));
            let [key, explicit] = keys;
            assert_eq!(entry.as_map().map(Vec::len), Some(2 + usize::from(explicit.is_some())));
            (data, key.expect("a key"), explicit)
        };
        entries.iter().map(entry).collect()
    }

    fn decoded_json(batch: &Batch) -> Vec<(Vec<u8>, String, Option<String>)> {
        let body: Value = serde_json::from_slice(batch.body()).expect("valid JSON");
        assert_eq!(body["StreamName"], "s");
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let entries = body["Records"].as_array().expect("an array");
        entries
            .iter()
            .map(|entry| {
                let data = STANDARD.decode_to_vec(text(&entry["Data"]).expect("data")).expect("base64");
                (data, text(&entry["PartitionKey"]).expect("key"), text(&entry["ExplicitHashKey"]))
            })
            .collect()
    }

    fn wire() -> impl Strategy<Value = Wire> {
        prop_oneof![Just(Wire::Json), Just(Wire::Cbor)]
    }

    fn record() -> impl Strategy<Value = (Vec<u8>, String, Option<u128>)> {
        (vec(any::<u8>(), 0..70), "\\PC{1,8}|[\\x00-\\x22\\\\]{1,4}", any::<Option<u128>>())
    }

    proptest! {
        // Whatever records are offered, each batch is a legal request, and the batches together hold every
        // record that fits into a request at all, once, in order.
        #[test]
        fn every_batch_is_legal_and_no_record_is_lost(wire in wire(), records in vec(record(), 0..40)) {
            let mut kept = Vec::new();
            let mut wanted = Vec::new();
            let mut builder = BatchBuilder::of(wire, SMALL, Spent::default());
            let mut finish = |builder: BatchBuilder| {
                let Ok(batch) = builder.seal(&envelope()) else { return };
                let entries = decoded(&batch);
                let sizes: Vec<usize> = entries.iter().map(|(data, key, _)| data.len() + key.len()).collect();
                assert!(entries.len() <= SMALL.request_records && entries.len() == batch.len());
                assert!(sizes.iter().sum::<usize>() <= SMALL.request_bytes);
                assert_eq!(sizes.iter().sum::<usize>(), batch.size());
                for (index, (data, key, explicit)) in entries.iter().enumerate() {
                    let mut again = b"before".to_vec();
                    batch.data(index, &mut again);
                    assert_eq!(again.strip_prefix(b"before"), Some(&data[..]), "it is read back as it was added");
                    assert!(sizes[index] <= SMALL.record_bytes && sizes[index] == batch.entry_size(index));
                    let expected = match explicit {
                        Some(number) => HashKey(number.parse().expect("decimal")),
                        None => HashKey::of(key),
                    };
                    assert_eq!(batch.hash_key(index), Some(expected));
                }
                kept.extend(entries);
            };
            for (data, key, explicit) in &records {
                let explicit = explicit.map(HashKey);
                let mut pushed = builder.push(data, key, explicit);
                if pushed == Pushed::Full {
                    finish(std::mem::replace(&mut builder, BatchBuilder::of(wire, SMALL, Spent::default())));
                    pushed = builder.push(data, key, explicit);
                }
                match pushed {
                    Pushed::Added => wanted.push((data.clone(), key.clone(), explicit.map(|k| k.to_string()))),
                    Pushed::TooLarge { size } => prop_assert!(size > SMALL.record_bytes),
                    Pushed::Full => prop_assert!(false, "an empty request has room"),
                }
            }
            finish(builder);
            prop_assert_eq!(kept, wanted);
        }

        // A retry holds exactly the kept entries, in order, as if they had been pushed alone.
        #[test]
        fn a_retry_equals_a_batch_of_the_kept_entries(wire in wire(), keep in vec(any::<bool>(), 5)) {
            let push = |chosen: &dyn Fn(usize) -> bool| {
                let mut builder = BatchBuilder::of(wire, Limits::AWS, Spent::default());
                for i in 0..5 {
                    if !chosen(i) {
                        builder.pass_over();
                        continue;
                    }
                    assert_eq!(builder.push(&[b'x'; 9][..i], &format!("key-{i}"), None), Pushed::Added);
                }
                builder.seal(&envelope())
            };
            let kept: Vec<u16> = (0..5_u16).filter(|&i| keep[usize::from(i)]).collect();
            prop_assume!(!kept.is_empty());
            let all = push(&|_| true).expect("five entries");
            let (retry, spent) = all.of(3, 70).only(&kept, &envelope());
            let numbers: Vec<u64> = kept.iter().map(|&i| 70 + u64::from(i)).collect();
            prop_assert_eq!((retry.job(), retry.sequences().collect::<Vec<_>>()), (3, numbers));
            let alone = push(&|i| keep[i]).expect("not empty");
            prop_assert_eq!(retry.body(), alone.body());
            prop_assert_eq!(&retry.entries, &alone.entries);
            prop_assert_eq!(retry.size(), alone.size());
            prop_assert!(spent.capacity() > 0, "the first body serves again");
        }
    }

    #[test]
    fn data_of_any_length_is_written_as_it_is_in_cbor() {
        // On both sides of each length at which a head grows.
        for length in [0, 1, 23, 24, 255, 256, 65_535, 65_536, 1_000_000] {
            let (data, key) = (vec![0xff; length], "k".repeat(length.clamp(1, 256)));
            let mut builder = BatchBuilder::of(Wire::Cbor, Limits::AWS, Spent::default());
            for explicit in [None, Some(HashKey(0)), Some(HashKey(u128::MAX))] {
                assert_eq!(builder.push(&data, &key, explicit), Pushed::Added);
            }
            let batch = builder.seal(&envelope()).expect("three entries");
            let all = [None, Some("0".to_owned()), Some(u128::MAX.to_string())];
            assert_eq!(decoded(&batch), all.map(|explicit| (data.clone(), key.clone(), explicit)));
            let overhead = batch.body().len() - batch.size();
            assert!(overhead < 250, "{overhead} bytes around three entries");
        }
    }

    #[test]
    fn an_empty_builder_gives_its_buffers_back() {
        let mut builder = BatchBuilder::new(SMALL, Spent::default());
        assert_eq!(builder.push(&[0; 60], "k", None), Pushed::TooLarge { size: 61 });
        assert!(builder.is_empty());
        assert!(builder.seal(&envelope()).is_err());
    }

    #[test]
    fn the_arn_stands_alone_where_it_is_known() {
        let mut builder = BatchBuilder::new(SMALL, Spent::default());
        assert_eq!(builder.push(b"{}", "k", Some(HashKey(u128::MAX))), Pushed::Added);
        let arn = "arn:aws:kinesis:us-east-1:123456789012:stream/s";
        let batch = builder.seal(&Envelope::new("s", Some(arn))).expect("one entry");
        let body: Value = serde_json::from_slice(batch.body()).expect("valid JSON");
        let entry = json!({"Data": "e30=", "ExplicitHashKey": u128::MAX.to_string(), "PartitionKey": "k"});
        assert_eq!(body, json!({"Records": [entry], "StreamARN": arn}));
    }
}
