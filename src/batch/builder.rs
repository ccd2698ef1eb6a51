//! Fills a request's body entry by entry and says when the next one does not fit.

use base64_simd::{Out, STANDARD};
use bytes::BytesMut;

use super::{Batch, Entry, Envelope, HEAD, Spent, json};
use crate::kinesis::{HashKey, Limits};

/// What stands before, between and behind an entry's values.
pub(super) const DATA: &[u8; 9] = b"{\"Data\":\"";
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
    limits: Limits,
    /// Initialised to its end; written to `at`.
    body: BytesMut,
    at: usize,
    entries: Vec<Entry>,
    size: usize,
    /// Records that were offered and are not for a later request: the offset of the next one.
    offered: u32,
}

impl BatchBuilder {
    /// An empty request within `limits`, written into the buffers of an earlier one.
    #[must_use]
    pub fn new(limits: Limits, spent: Spent) -> Self {
        let Spent { body, mut entries } = spent;
        entries.clear();
        let mut builder = Self { limits, body, at: 0, entries, size: 0, offered: 0 };
        builder.write(HEAD.len(), |body| body.copy_from_slice(HEAD));
        builder
    }

    /// Makes room for `entries` of about `data` bytes each, so that the body need not grow on the way: a buffer that
    /// grew keeps up to half of itself for nothing, in every slot of the window.
    pub fn expect(&mut self, entries: usize, data: usize) {
        // Field names, comma, and the 16 characters of a random key.
        const AROUND: usize = DATA.len() + KEY.len() + END.len() + 1 + 16;
        let entries = entries.min(self.limits.request_records);
        let whole = entries.saturating_mul(STANDARD.encoded_length(data) + AROUND) + SPARE;
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
        if size > self.limits.record_bytes.min(self.limits.request_bytes) {
            self.pass_over();
            return Pushed::TooLarge { size };
        }
        if self.entries.len() >= self.limits.request_records || self.size + size > self.limits.request_bytes {
            return Pushed::Full;
        }
        let (comma, encoded) = (usize::from(!self.entries.is_empty()), STANDARD.encoded_length(data.len()));
        let start = (self.at + comma) as u32; // a legal body has at most 10 MiB × 4/3 and 500 envelopes
        self.write(comma + DATA.len() + encoded, |out| {
            out[..comma].fill(b',');
            let (name, value) = out[comma..].split_at_mut(DATA.len());
            name.copy_from_slice(DATA);
            let _ = STANDARD.encode(data, Out::from_slice(value));
        });
        if let Some(HashKey(number)) = explicit {
            let mut digits = [0; 39];
            let digits = decimal(number, &mut digits);
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
        self.entries.push(Entry { start, end: self.at as u32, size: size as u32, offset: self.offered });
        self.offered += 1;
        self.size += size;
        Pushed::Added
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
            return Err(Spent { body: self.body, entries: self.entries });
        }
        self.write(envelope.tail.len(), |out| out.copy_from_slice(&envelope.tail));
        self.body.truncate(self.at);
        Ok(Batch { body: self.body.freeze(), entries: self.entries, size: self.size, job: 0, first: 0 })
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

/// `number` in decimal, at the end of `digits`.
fn decimal(mut number: u128, digits: &mut [u8; 39]) -> &[u8] {
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    &digits[at..]
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const SMALL: Limits = Limits { request_records: 5, request_bytes: 100, record_bytes: 60 };

    fn envelope() -> Envelope {
        Envelope::new("s", None)
    }

    fn decoded(batch: &Batch) -> Vec<(Vec<u8>, String, Option<String>)> {
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

    fn record() -> impl Strategy<Value = (Vec<u8>, String, Option<u128>)> {
        (vec(any::<u8>(), 0..70), "\\PC{1,8}|[\\x00-\\x22\\\\]{1,4}", any::<Option<u128>>())
    }

    proptest! {
        // Whatever records are offered, each batch is a legal request, and the batches together hold every
        // record that fits into a request at all, once, in order.
        #[test]
        fn every_batch_is_legal_and_no_record_is_lost(records in vec(record(), 0..40)) {
            let mut kept = Vec::new();
            let mut wanted = Vec::new();
            let mut builder = BatchBuilder::new(SMALL, Spent::default());
            let mut finish = |builder: BatchBuilder| {
                let Ok(batch) = builder.seal(&envelope()) else { return };
                let entries = decoded(&batch);
                let sizes: Vec<usize> = entries.iter().map(|(data, key, _)| data.len() + key.len()).collect();
                assert!(entries.len() <= SMALL.request_records && entries.len() == batch.len());
                assert!(sizes.iter().sum::<usize>() <= SMALL.request_bytes);
                assert_eq!(sizes.iter().sum::<usize>(), batch.size());
                for (index, (_, key, explicit)) in entries.iter().enumerate() {
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
                    finish(std::mem::replace(&mut builder, BatchBuilder::new(SMALL, Spent::default())));
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
        fn a_retry_equals_a_batch_of_the_kept_entries(keep in vec(any::<bool>(), 5)) {
            let push = |chosen: &dyn Fn(usize) -> bool| {
                let mut builder = BatchBuilder::new(Limits::AWS, Spent::default());
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
