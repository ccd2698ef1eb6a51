//! Which shards may be read now: a child only after all its parents are read to their end, so that the records of a
//! key are met in the order in which they were stored.
//!
//! Knows nothing of calls and time.

use std::collections::{BTreeMap, BTreeSet};

use crate::kinesis::{HashRange, Place, ShardFamily, ShardId};

/// Where a shard stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Not begun; it begins here.
    Waiting(Place),
    Reading,
    Read,
}

#[derive(Debug)]
struct Node {
    parents: [Option<ShardId>; 2],
    range: Option<HashRange>,
    stage: Stage,
}

/// The shards of a stream and how they descend from one another.
#[derive(Debug, Default)]
pub struct Lineage {
    shards: BTreeMap<ShardId, Node>,
    /// Parents that a listing no longer knows: their records are older than the stream's retention.
    expired: BTreeSet<ShardId>,
    /// Whether a shard ended and nobody named what follows it.
    heirs_untold: bool,
}

impl Lineage {
    /// Takes in a listing of all shards. Those that were not known begin at `place`; parents that it does not name
    /// are gone for good.
    pub fn listed(&mut self, shards: &[ShardFamily], place: impl Fn(&ShardFamily) -> Option<Place>) {
        for shard in shards {
            self.meet(shard, place(shard));
        }
        for parent in self.shards.values().flat_map(|node| node.parents).flatten() {
            if !self.shards.contains_key(&parent) {
                self.expired.insert(parent);
            }
        }
        self.heirs_untold = false;
    }

    /// Takes in a shard, unless it is known. Without a place it counts as read.
    fn meet(&mut self, shard: &ShardFamily, place: Option<Place>) {
        let stage = place.map_or(Stage::Read, Stage::Waiting);
        self.shards.entry(shard.id).or_insert(Node { parents: shard.parents, range: shard.range, stage });
    }

    /// A shard was read to its end; these follow it, as far as the answer named them. A child is read from its oldest
    /// record on: it has none from before its parents' end.
    pub fn ended(&mut self, shard: ShardId, children: &[ShardFamily]) {
        if let Some(node) = self.shards.get_mut(&shard) {
            node.stage = Stage::Read;
        }
        for child in children {
            self.meet(child, Some(Place::Oldest));
        }
        self.heirs_untold |= children.is_empty();
    }

    /// Whether the stream's shards must be listed (again) to know what comes next: a shard ended and no child was
    /// named, or one waits for a parent that nobody has named yet.
    #[must_use]
    pub fn wants_listing(&self) -> bool {
        let untold = |parent: &ShardId| !self.shards.contains_key(parent) && !self.expired.contains(parent);
        let waiting = self.shards.values().filter(|node| matches!(node.stage, Stage::Waiting(_)));
        self.heirs_untold || waiting.flat_map(|node| node.parents).flatten().any(|parent| untold(&parent))
    }

    /// The next shard to begin with, and where; it counts as being read from now on.
    pub fn begin_next(&mut self) -> Option<(ShardId, Place)> {
        let may_begin = |node: &Node| {
            node.parents.iter().flatten().all(|parent| match self.shards.get(parent) {
                Some(parent) => parent.stage == Stage::Read,
                None => self.expired.contains(parent),
            })
        };
        let (&id, place) = self.shards.iter().find_map(|(id, node)| match node.stage {
            Stage::Waiting(place) if may_begin(node) => Some((id, place)),
            _ => None,
        })?;
        if let Some(node) = self.shards.get_mut(&id) {
            node.stage = Stage::Reading;
        }
        Some((id, place))
    }

    /// The parents of a shard.
    pub fn parents(&self, shard: ShardId) -> impl Iterator<Item = ShardId> + '_ {
        self.shards.get(&shard).into_iter().flat_map(|node| node.parents).flatten()
    }

    /// The hash keys that a shard holds, where they are known.
    pub fn range(&self, shard: ShardId) -> Option<HashRange> {
        self.shards.get(&shard)?.range
    }

    /// Whether a shard waits for its parents.
    #[must_use]
    pub fn any_waits(&self) -> bool {
        self.shards.values().any(|node| matches!(node.stage, Stage::Waiting(_)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// A stream that was resharded: each shard's parents, and which shards are closed.
    #[derive(Debug, Clone)]
    struct History(Vec<ShardFamily>);

    impl History {
        /// Splits the open shard at `at`, or merges it with the next one, for every choice.
        fn new(first: u64, choices: &[(bool, usize)]) -> Self {
            let open =
                |id| ShardFamily { id: ShardId(id), parents: [None, None], closed: false, range: None };
            let mut all: Vec<ShardFamily> = (0..first).map(open).collect();
            // Indices of the open shards, in the order of their ranges.
            let mut line: Vec<usize> = (0..all.len()).collect();
            for &(split, at) in choices {
                let at = at % line.len();
                let two = !split && at + 1 < line.len();
                let parents = [Some(all[line[at]].id), two.then(|| all[line[(at + 1) % line.len()]].id)];
                let taken = at..at + 1 + usize::from(two);
                line[taken.clone()].iter().for_each(|&i| all[i].closed = true);
                let born = if two { 1 } else { 2 };
                let heirs: Vec<usize> = (0..born).map(|i| all.len() + i).collect();
                all.extend(heirs.iter().map(|&id| ShardFamily { parents, ..open(id as u64) }));
                line.splice(taken, heirs);
            }
            Self(all)
        }

        fn children(&self, of: ShardId) -> Vec<ShardFamily> {
            self.0.iter().filter(|shard| shard.parents.contains(&Some(of))).copied().collect()
        }
    }

    proptest! {
        // Whatever the history of splits and merges, however much of it the first listing knew, whether answers name
        // children or not, and in whichever order shards come to their end: every shard is read exactly once, and
        // after all of its parents.
        #[test]
        fn every_shard_is_read_once_and_after_its_parents(
            first in 1_u64..5,
            choices in vec((any::<bool>(), 0_usize..8), 0..12),
            known in 0_usize..12,
            names_children: bool,
            order in vec(0_usize..16, 64),
        ) {
            // The first listing is of an earlier moment of the same history.
            let begun = History::new(first, &choices[..known.min(choices.len())]);
            let whole = History::new(first, &choices);
            let mut lineage = Lineage::default();
            lineage.listed(&begun.0, |_| Some(Place::Oldest));
            let (mut reading, mut read) = (Vec::new(), Vec::new());
            for pick in order.into_iter().cycle() {
                if lineage.wants_listing() {
                    lineage.listed(&whole.0, |_| Some(Place::Oldest));
                }
                while let Some((shard, _)) = lineage.begin_next() {
                    prop_assert!(!reading.contains(&shard) && !read.contains(&shard));
                    for parent in whole.0[shard.0 as usize].parents.iter().flatten() {
                        prop_assert!(read.contains(parent), "{} before {}", shard, parent);
                    }
                    reading.push(shard);
                }
                // Open shards never end.
                let closed: Vec<ShardId> =
                    reading.iter().copied().filter(|shard| whole.0[shard.0 as usize].closed).collect();
                let Some(&shard) = closed.get(pick % closed.len().max(1)) else { break };
                reading.retain(|other| *other != shard);
                read.push(shard);
                let children = if names_children { whole.children(shard) } else { Vec::new() };
                lineage.ended(shard, &children);
            }
            prop_assert_eq!(read.len() + reading.len(), whole.0.len());
            prop_assert!(!lineage.any_waits());
        }
    }

    #[test]
    fn a_parent_that_is_older_than_the_retention_is_not_waited_for() {
        let child =
            ShardFamily { id: ShardId(7), parents: [Some(ShardId(3)), None], closed: false, range: None };
        let mut lineage = Lineage::default();
        lineage.listed(&[child], |_| Some(Place::Since(5)));
        assert_eq!(lineage.begin_next(), Some((ShardId(7), Place::Since(5))));
        assert!(!lineage.wants_listing());
    }

    #[test]
    fn a_shard_without_a_place_counts_as_read() {
        let closed = ShardFamily { id: ShardId(0), parents: [None, None], closed: true, range: None };
        let child =
            ShardFamily { id: ShardId(1), parents: [Some(ShardId(0)), None], closed: false, range: None };
        let mut lineage = Lineage::default();
        lineage.listed(&[closed, child], |shard| (!shard.closed).then_some(Place::Newest));
        assert_eq!(lineage.begin_next(), Some((ShardId(1), Place::Newest)));
        assert_eq!(lineage.begin_next(), None);
    }
}
