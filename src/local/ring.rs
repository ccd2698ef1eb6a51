//! The records that one shard holds: whole chunks, oldest out first.
//!
//! A chunk is what one request put into one shard at one moment: a single block of bytes, not an
//! allocation per record. Chunks are immutable once they are in, so a reader takes them by reference and
//! encodes its answer without the stream's lock. When to trim is the stream's decision.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// What a chunk costs beside its bytes: its header, the two blocks' headers, its places in the queues.
const CHUNK_OVERHEAD: usize = 160;

/// Where a record lies in its chunk: it begins where the one before ends.
#[derive(Debug, Clone, Copy)]
struct Span {
    key_end: u32,
    data_end: u32,
}

/// What one request put into one shard.
#[derive(Debug)]
pub(super) struct Chunk {
    /// The index of the first record in the shard.
    first: u64,
    arrival: Duration,
    bytes: Box<[u8]>,
    spans: Box<[Span]>,
}

impl Chunk {
    pub(super) fn arrival(&self) -> Duration {
        self.arrival
    }

    pub(super) fn len(&self) -> usize {
        self.spans.len()
    }

    /// Index in the shard, partition key and data of the record at `at`.
    pub(super) fn record(&self, at: usize) -> (u64, &str, &[u8]) {
        let start = if at == 0 { 0 } else { self.spans[at - 1].data_end as usize };
        let Span { key_end, data_end } = self.spans[at];
        let key = &self.bytes[start..key_end as usize];
        let key = std::str::from_utf8(key).expect("the builder took the key as text");
        (self.first + at as u64, key, &self.bytes[key_end as usize..data_end as usize])
    }

    fn size_of(&self, at: usize) -> usize {
        let start = if at == 0 { 0 } else { self.spans[at - 1].data_end };
        (self.spans[at].data_end - start) as usize
    }

    /// The memory that it holds.
    pub(super) fn cost(&self) -> usize {
        self.bytes.len() + std::mem::size_of_val(&*self.spans) + CHUNK_OVERHEAD
    }
}

/// A chunk in the making.
#[derive(Debug)]
pub(super) struct Builder {
    bytes: Vec<u8>,
    spans: Vec<Span>,
}

impl Builder {
    /// Room for exactly what will come, so that sealing copies nothing.
    pub(super) fn with_capacity(records: usize, bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), spans: Vec::with_capacity(records) }
    }

    /// Adds a record. A request holds at most some MiB, so offsets fit 32 bits.
    pub(super) fn push(&mut self, key: &str, data: &[u8]) {
        let offset = |len: usize| u32::try_from(len).expect("a request is smaller than 4 GiB");
        self.bytes.extend_from_slice(key.as_bytes());
        let key_end = offset(self.bytes.len());
        self.bytes.extend_from_slice(data);
        self.spans.push(Span { key_end, data_end: offset(self.bytes.len()) });
    }
}

/// Some neighbouring records of one chunk.
#[derive(Debug, Clone)]
pub(super) struct Slice {
    pub(super) chunk: Arc<Chunk>,
    pub(super) from: usize,
    pub(super) to: usize,
}

/// What a read found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) slices: Vec<Slice>,
    /// The index to go on from.
    pub(super) next: u64,
    /// Data and keys.
    pub(super) bytes: u64,
    /// When the first record that was not taken arrived; none: the reader is at the tip.
    pub(super) waiting_since: Option<Duration>,
}

/// The chunks of one shard.
#[derive(Debug)]
pub(super) struct Ring {
    chunks: VecDeque<Arc<Chunk>>,
    /// The index of the next record to come. The first record's is 1.
    next: u64,
}

impl Ring {
    pub(super) fn new() -> Self {
        Self { chunks: VecDeque::new(), next: 1 }
    }

    /// The index of the next record to come.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// The index of the oldest record held; [`Ring::next`] when none is.
    pub(super) fn oldest(&self) -> u64 {
        self.chunks.front().map_or(self.next, |chunk| chunk.first)
    }

    pub(super) fn chunks(&self) -> impl Iterator<Item = &Arc<Chunk>> {
        self.chunks.iter()
    }

    pub(super) fn front(&self) -> Option<&Arc<Chunk>> {
        self.chunks.front()
    }

    /// Appends what was built and returns its cost.
    pub(super) fn append(&mut self, built: Builder, arrival: Duration) -> usize {
        let chunk = Chunk {
            first: self.next,
            arrival,
            bytes: built.bytes.into_boxed_slice(),
            spans: built.spans.into_boxed_slice(),
        };
        let cost = chunk.cost();
        self.next += chunk.len() as u64;
        self.chunks.push_back(Arc::new(chunk));
        cost
    }

    /// Drops the oldest chunk.
    pub(super) fn trim(&mut self) -> Option<Arc<Chunk>> {
        self.chunks.pop_front()
    }

    /// The index of the first record that arrived at `time` or later.
    pub(super) fn since(&self, time: Duration) -> u64 {
        let at = self.chunks.partition_point(|chunk| chunk.arrival < time);
        self.chunks.get(at).map_or(self.next, |chunk| chunk.first)
    }

    /// Takes up to `records` records of together `bytes` from index `from` on, but at least one if there is
    /// one. What lies before the oldest record is passed over.
    pub(super) fn read(&self, from: u64, records: usize, bytes: usize) -> Found {
        let mut found = Found { next: from.max(self.oldest()).min(self.next), ..Found::default() };
        let first = self.chunks.partition_point(|chunk| chunk.first + chunk.len() as u64 <= found.next);
        let mut room = records;
        for chunk in self.chunks.range(first..) {
            let start = usize::try_from(found.next - chunk.first).expect("an index within the chunk");
            let mut end = start;
            while end < chunk.len() && room > 0 {
                let size = chunk.size_of(end) as u64;
                if found.bytes > 0 && found.bytes + size > bytes as u64 {
                    room = 0;
                    break;
                }
                found.bytes += size;
                end += 1;
                room -= 1;
            }
            if end > start {
                found.slices.push(Slice { chunk: Arc::clone(chunk), from: start, to: end });
            }
            found.next = chunk.first + end as u64;
            if end < chunk.len() {
                found.waiting_since = Some(chunk.arrival);
                break;
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn put(ring: &mut Ring, at: u64, records: &[(&str, &[u8])]) {
        let mut chunk = Builder::with_capacity(records.len(), 0);
        records.iter().for_each(|(key, data)| chunk.push(key, data));
        ring.append(chunk, Duration::from_secs(at));
    }

    fn indexes(found: &Found) -> Vec<u64> {
        found.slices.iter().flat_map(|s| (s.from..s.to).map(|at| s.chunk.record(at).0)).collect()
    }

    #[test]
    fn a_record_is_read_as_it_was_put() {
        let mut ring = Ring::new();
        put(&mut ring, 5, &[("k", b"one"), ("", b"two"), ("é", b"")]);
        let found = ring.read(1, 10, 1_000);
        let slice = &found.slices[0];
        assert_eq!((slice.from, slice.to, found.next, found.bytes), (0, 3, 4, 9));
        assert_eq!(slice.chunk.record(0), (1, "k", &b"one"[..]));
        assert_eq!(slice.chunk.record(1), (2, "", &b"two"[..]));
        assert_eq!(slice.chunk.record(2), (3, "é", &b""[..]));
        assert_eq!(found.waiting_since, None);
    }

    #[test]
    fn a_reader_that_was_trimmed_goes_on_at_the_oldest() {
        let mut ring = Ring::new();
        for at in 0..3 {
            put(&mut ring, at, &[("k", b"a"), ("k", b"b")]);
        }
        ring.trim();
        assert_eq!(ring.oldest(), 3);
        assert_eq!(indexes(&ring.read(1, 2, 1_000)), [3, 4]);
        ring.trim();
        ring.trim();
        assert_eq!((ring.oldest(), ring.next(), ring.read(1, 9, 9).next), (7, 7, 7));
    }

    #[test]
    fn a_time_is_found_at_its_first_record() {
        let mut ring = Ring::new();
        put(&mut ring, 10, &[("k", b"a")]);
        put(&mut ring, 20, &[("k", b"a"), ("k", b"b")]);
        let since = |at| ring.since(Duration::from_secs(at));
        assert_eq!((since(0), since(10), since(11), since(20), since(21)), (1, 1, 2, 2, 4));
    }

    #[test]
    fn one_record_is_given_even_when_it_is_larger_than_the_answer_may_be() {
        let mut ring = Ring::new();
        put(&mut ring, 1, &[("k", &[0; 100]), ("k", b"x")]);
        assert_eq!(indexes(&ring.read(1, 10, 50)), [1]);
    }

    proptest! {
        // Law: whatever the chunks and the limits of each read, a reader that follows `next` sees every record
        // once and in order, and no answer holds more than it may.
        #[test]
        fn reading_on_gives_every_record_once(
            chunks in prop::collection::vec(prop::collection::vec(0_usize..60, 1..8), 0..12),
            records in 1_usize..10, bytes in 1_usize..150
        ) {
            let mut ring = Ring::new();
            let mut total = 0;
            for sizes in &chunks {
                let mut chunk = Builder::with_capacity(sizes.len(), 0);
                sizes.iter().for_each(|size| chunk.push("k", &vec![0; *size]));
                ring.append(chunk, Duration::ZERO);
                total += sizes.len() as u64;
            }
            let (mut from, mut seen) = (1, Vec::new());
            while from < ring.next() {
                let found = ring.read(from, records, bytes);
                let got = indexes(&found);
                prop_assert!(!got.is_empty() && got.len() <= records);
                prop_assert!(found.bytes <= bytes as u64 || got.len() == 1);
                prop_assert_eq!(found.waiting_since.is_some(), found.next < ring.next());
                from = found.next;
                seen.extend(got);
            }
            prop_assert_eq!(seen, (1..=total).collect::<Vec<_>>());
        }
    }
}
