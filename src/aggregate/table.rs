//! A table of keys in which each stands once: the fields of the message, and where each key has its place.
//!
//! Looked up for every record, so by a hash table of its own that serves again and allocates nothing.

use super::{bytes, put_varint, varint_length};

/// Keys, as the fields that they are in the message.
#[derive(Debug, Default)]
pub(super) struct Table {
    fields: Vec<u8>,
    /// Where each key stands in `fields`.
    keys: Vec<(u32, u32)>,
    /// Places in `keys`, plus one, by hash; 0 is free. As many as a power of two, more than twice as many as keys.
    slots: Vec<u32>,
}

/// Where a key is, or would be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot {
    /// Its index.
    pub(super) index: u32,
    is_new: bool,
    hash: u64,
}

/// The least slots of a table.
const LEAST: usize = 64;

impl Table {
    /// Looks for a key.
    #[inline]
    pub(super) fn look(&self, key: &[u8]) -> Spot {
        let hash = hash(key);
        if !self.slots.is_empty() {
            let mask = self.slots.len() - 1;
            let mut at = hash as usize & mask;
            while let Some(index) = self.slots[at].checked_sub(1) {
                if self.key(index as usize) == key {
                    return Spot { index, is_new: false, hash };
                }
                at = (at + 1) & mask;
            }
        }
        Spot { index: self.keys.len() as u32, is_new: true, hash }
    }

    /// The key at an index.
    pub(super) fn key(&self, index: usize) -> &[u8] {
        let (start, end) = self.keys[index];
        &self.fields[start as usize..end as usize]
    }

    /// Adds the key that was looked for, if it is new, as a field of this number.
    #[inline]
    pub(super) fn add(&mut self, spot: Spot, field: u64, key: &[u8]) {
        if !spot.is_new {
            return;
        }
        self.fields.push(bytes(field));
        put_varint(key.len() as u64, &mut self.fields);
        let start = self.fields.len() as u32; // a record has at most 10 MiB
        self.fields.extend_from_slice(key);
        self.keys.push((start, self.fields.len() as u32));
        if (self.keys.len() + 1) * 2 > self.slots.len() {
            self.grow();
        } else {
            self.occupy(spot.hash, spot.index + 1);
        }
    }

    fn occupy(&mut self, hash: u64, place: u32) {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        while self.slots[at] != 0 {
            at = (at + 1) & mask;
        }
        self.slots[at] = place;
    }

    #[cold]
    fn grow(&mut self) {
        let slots = (self.slots.len() * 2).max(LEAST);
        self.slots.clear();
        self.slots.resize(slots, 0);
        for index in 0..self.keys.len() {
            let hash = hash(self.key(index));
            self.occupy(hash, index as u32 + 1);
        }
    }

    /// The fields of all keys.
    pub(super) fn fields(&self) -> &[u8] {
        &self.fields
    }

    /// Forgets all keys.
    pub(super) fn clear(&mut self) {
        if !self.keys.is_empty() {
            self.slots.fill(0);
        }
        self.keys.clear();
        self.fields.clear();
    }

    /// Bytes of memory that it holds.
    pub(super) fn capacity(&self) -> usize {
        self.fields.capacity() + self.keys.capacity() * size_of::<(u32, u32)>() + self.slots.capacity() * 4
    }
}

impl Spot {
    /// Bytes that the key's field adds to the message.
    #[inline]
    pub(super) fn adds(self, key: &[u8]) -> usize {
        if self.is_new { 1 + varint_length(key.len() as u64) + key.len() } else { 0 }
    }
}

/// FNV-1a: keys are short. (Fowler, Noll, Vo; the constants of 64 bits.)
#[inline]
fn hash(key: &[u8]) -> u64 {
    let step = |hash: u64, &byte: &u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = key.iter().fold(0xcbf2_9ce4_8422_2325, step);
    hash ^ hash >> 32
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        // Law: whatever keys come, each has the index of its first coming, and stands once; cleared, a table is as new.
        #[test]
        fn each_key_stands_once_in_the_order_of_its_first_coming(keys in vec("[a-f]{1,3}", 0..400)) {
            let mut table = Table::default();
            for round in 0..2 {
                let mut model: Vec<&[u8]> = Vec::new();
                for key in keys.iter().skip(round * 7).map(String::as_bytes) {
                    let known = model.iter().position(|one| *one == key);
                    let spot = table.look(key);
                    prop_assert_eq!(spot.index as usize, known.unwrap_or(model.len()));
                    let before = table.fields().len();
                    table.add(spot, 1, key);
                    prop_assert_eq!(table.fields().len() - before, spot.adds(key));
                    if known.is_none() {
                        model.push(key);
                    }
                    prop_assert_eq!(table.key(spot.index as usize), key);
                }
                table.clear();
                prop_assert!(table.fields().is_empty());
            }
        }
    }
}
