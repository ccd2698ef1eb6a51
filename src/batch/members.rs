//! Which user records stand in which entry of a batch, where entries hold several. Two flat lists; none of it where
//! each entry is one record.

use crate::kinesis::ShardId;

/// The records of each entry, by their offsets.
#[derive(Debug, Default)]
pub(super) struct Members {
    entries: Vec<Member>,
    offsets: Vec<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Member {
    /// Where its offsets end; they begin where those of the entry before end.
    end: u32,
    /// The shard that it was made for, where one was found.
    shard: Option<ShardId>,
}

impl Members {
    /// Whether nothing is told of any entry.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Number of records.
    pub(super) fn records(&self) -> usize {
        self.offsets.len()
    }

    /// Adds an entry's records, by ascending offsets.
    pub(super) fn add(&mut self, offsets: &[u32], shard: Option<ShardId>) {
        self.offsets.extend_from_slice(offsets);
        self.entries.push(Member { end: self.offsets.len() as u32, shard }); // a request has at most 10 MiB
    }

    /// The offsets of an entry's records.
    #[inline]
    pub(super) fn of(&self, index: usize) -> &[u32] {
        let start = index.checked_sub(1).map_or(0, |before| self.entries[before].end);
        &self.offsets[start as usize..self.entries[index].end as usize]
    }

    /// The shard that an entry was made for.
    pub(super) fn shard(&self, index: usize) -> Option<ShardId> {
        self.entries[index].shard
    }

    /// Forgets all but the entries at `keep`, which ascends.
    pub(super) fn keep(&mut self, keep: &[u16]) {
        if self.is_empty() {
            return;
        }
        let mut end = 0;
        let mut start_of = 0; // where the entry after the last one that was looked at begins
        let mut at = 0;
        for (to, &from) in keep.iter().enumerate() {
            let from = usize::from(from);
            // Ends before `from` are those of before: place `to` is overwritten behind the reading.
            while at < from {
                start_of = self.entries[at].end as usize;
                at += 1;
            }
            let Member { end: stop, shard } = self.entries[from];
            self.offsets.copy_within(start_of..stop as usize, end);
            end += stop as usize - start_of;
            (start_of, at) = (stop as usize, from + 1);
            self.entries[to] = Member { end: end as u32, shard };
        }
        self.entries.truncate(keep.len());
        self.offsets.truncate(end);
    }

    /// Forgets all; the buffers stay.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.offsets.clear();
    }

    /// Bytes of memory that it holds.
    pub(super) fn capacity(&self) -> usize {
        self.entries.capacity() * size_of::<Member>() + self.offsets.capacity() * 4
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        // Law: what is kept of some entries are their records and shards, in order.
        #[test]
        fn the_records_of_the_kept_entries_stay(
            entries in vec((vec(any::<u32>(), 1..5), any::<Option<u64>>()), 1..20), kept in vec(any::<bool>(), 20),
        ) {
            let mut members = Members::default();
            entries.iter().for_each(|(offsets, shard)| members.add(offsets, shard.map(ShardId)));
            let keep: Vec<u16> = (0..entries.len() as u16).filter(|&at| kept[usize::from(at)]).collect();
            prop_assume!(!keep.is_empty());
            members.keep(&keep);
            let wanted: Vec<_> = keep.iter().map(|&at| entries[usize::from(at)].clone()).collect();
            let found: Vec<_> = (0..keep.len())
                .map(|at| (members.of(at).to_vec(), members.shard(at).map(|shard| shard.0)))
                .collect();
            prop_assert_eq!(members.records(), wanted.iter().map(|(offsets, _)| offsets.len()).sum::<usize>());
            prop_assert_eq!(found, wanted);
        }
    }
}
