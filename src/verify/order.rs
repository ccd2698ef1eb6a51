//! Whether records of one key stand in their shard in the order of their job, as far as anybody promised that.
//!
//! Kinesis keeps the order in which it stored records of a key, but promises none between the entries of a request,
//! and requests of a job overlap. What can be relied on is cause and effect: a record that was acknowledged before
//! another was due is stored before it, for that other was not even made. So a record behind one of a higher
//! sequence (same shard or a parent of it, same producer, job and key) was *overtaken*; it is *disordered* if its
//! acknowledgement came before the other was due, both by the producer's own clock.
//!
//! Only the keys met last are followed: at least [`MOST`] / 2 of them, at most [`MOST`].

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::recent::JobKey;
use crate::kinesis::ShardId;

/// Most keys that are followed at a time, about 40 bytes each. A key counts once per shard and job.
pub(super) const MOST: usize = 1 << 18;

/// How many generations of parents are asked for the records before a shard's first.
const GENERATIONS: usize = 8;

/// The last word on a key: the highest of all that was seen.
#[derive(Debug, Clone, Copy, Default)]
struct Last {
    sequence: u64,
    due_millis: u64,
}

/// Follows keys in their shards.
#[derive(Debug)]
pub(super) struct Order {
    /// Keys that were met since the last change of generations, by hash.
    young: HashMap<u64, Last>,
    /// Those of the generation before.
    old: HashMap<u64, Last>,
    parents: HashMap<ShardId, Vec<ShardId>>,
    most: usize,
}

impl Order {
    pub(super) fn new(most: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), parents: HashMap::new(), most }
    }

    /// Notes from which shards a shard came.
    pub(super) fn parents(&mut self, shard: ShardId, parents: &[ShardId]) {
        self.parents.insert(shard, parents.to_vec());
    }

    /// Notes a record; returns the latest time of those before it that have a higher sequence, if there is one.
    pub(super) fn see(
        &mut self,
        shard: ShardId,
        job: JobKey,
        key: &str,
        sequence: u64,
        due_millis: u64,
    ) -> Option<u64> {
        let mut hasher = DefaultHasher::new();
        (job, key).hash(&mut hasher);
        let identity = hasher.finish();
        let last = self.last(shard, identity, GENERATIONS);
        let behind = last.filter(|last| last.sequence > sequence).map(|last| last.due_millis);
        let now = last.map_or(Last { sequence, due_millis }, |last| Last {
            sequence: last.sequence.max(sequence),
            due_millis: if sequence > last.sequence { due_millis } else { last.due_millis },
        });
        if self.young.len() >= self.most / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(in_shard(shard, identity), now);
        behind
    }

    /// The last word on a key in a shard, or in the nearest of its parents where the shard has none.
    fn last(&self, shard: ShardId, identity: u64, generations: usize) -> Option<Last> {
        let key = in_shard(shard, identity);
        if let Some(last) = self.young.get(&key).or_else(|| self.old.get(&key)) {
            return Some(*last);
        }
        let parents = self.parents.get(&shard).filter(|_| generations > 0)?;
        // A key had one parent alone.
        parents.iter().find_map(|&parent| self.last(parent, identity, generations - 1))
    }
}

fn in_shard(shard: ShardId, identity: u64) -> u64 {
    identity.wrapping_add(shard.0.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOB: JobKey = (0, 1);

    #[test]
    fn a_lower_sequence_behind_a_higher_one_of_its_key_is_found_with_the_time_of_that() {
        let mut order = Order::new(100);
        let shard = ShardId(0);
        assert_eq!(order.see(shard, JOB, "a", 5, 1_000), None);
        assert_eq!(order.see(shard, JOB, "b", 3, 900), None, "another key");
        assert_eq!(order.see(shard, (0, 2), "a", 3, 900), None, "another job");
        assert_eq!(order.see(ShardId(1), JOB, "a", 3, 900), None, "another shard");
        assert_eq!(order.see(shard, JOB, "a", 4, 900), Some(1_000));
        assert_eq!(order.see(shard, JOB, "a", 6, 1_100), None);
        assert_eq!(order.see(shard, JOB, "a", 2, 800), Some(1_100));
    }

    #[test]
    fn a_child_goes_on_where_its_parents_ended() {
        let mut order = Order::new(100);
        order.parents(ShardId(2), &[ShardId(0), ShardId(1)]);
        order.parents(ShardId(3), &[ShardId(2)]);
        order.see(ShardId(1), JOB, "a", 9, 1_000);
        assert_eq!(order.see(ShardId(3), JOB, "a", 8, 900), Some(1_000));
        assert_eq!(order.see(ShardId(3), JOB, "a", 10, 1_100), None);
        assert_eq!(order.see(ShardId(3), JOB, "a", 9, 1_000), Some(1_100));
    }

    #[test]
    fn lineage_in_a_circle_ends() {
        let mut order = Order::new(100);
        order.parents(ShardId(0), &[ShardId(0), ShardId(0)]);
        assert_eq!(order.see(ShardId(0), JOB, "a", 1, 1), None);
    }

    #[test]
    fn the_keys_met_last_are_followed_and_no_more_than_the_bound() {
        let mut order = Order::new(100);
        for key in 0..1_000 {
            order.see(ShardId(0), JOB, &key.to_string(), 5, 1);
            assert!(order.young.len() + order.old.len() <= 100);
        }
        for key in 960..1_000 {
            assert_eq!(order.see(ShardId(0), JOB, &key.to_string(), 4, 1), Some(1), "{key}");
        }
    }
}
