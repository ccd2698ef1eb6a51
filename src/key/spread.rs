//! Keys that lead to chosen shards, found ahead by hashing, and how the load is shared out among them.
//!
//! Decides which key a record gets by the shards that are open and by how far the hot spots have moved on. Nothing is
//! searched for while records are made: each shard has a pool of keys, and a draw costs some twenty steps.

use std::sync::Arc;

use super::hot::Hot;
use crate::generate::{Stream, hex};
use crate::kinesis::{HashKey, HashRange, Shard, ShardMap};

/// Keys that the pools of all shards have together, where each may still have [`FEWEST_KEYS`].
const KEYS: usize = 65_536;

/// Most keys of one shard.
const MOST_KEYS: usize = 256;

/// Keys that even one of very many shards has, if its range is not much smaller than theirs.
const FEWEST_KEYS: usize = 8;

/// Candidates that are hashed at most, some 0.2 s. A shard with less than a millionth of the space may stay without key.
const CANDIDATES: u64 = 1 << 20;

/// The open shards and the keys that lead to each.
#[derive(Debug)]
pub(super) struct Pools {
    shards: Vec<Shard>,
    /// In the order of `shards`: numbers whose hexadecimal texts are keys of that shard.
    keys: Vec<Vec<u64>>,
    stream: Stream,
}

impl Pools {
    /// Looks for keys: the same for the same shards and the same stream of randomness.
    pub(super) fn search(map: &ShardMap, stream: Stream) -> Self {
        let shards = map.shards().to_vec();
        let wanted = (KEYS / shards.len().max(1)).clamp(FEWEST_KEYS, MOST_KEYS);
        let mut keys = vec![Vec::new(); shards.len()];
        let (candidates, mut full) = (stream.job(u32::MAX), 0);
        for candidate in 0..CANDIDATES {
            if full == shards.len() {
                break;
            }
            let number = candidates.event(candidate).high;
            let mut text = String::with_capacity(16);
            hexadecimal(number, &mut text);
            let hash = HashKey::of(&text);
            let after = shards.partition_point(|shard| shard.range.start <= hash);
            let Some(at) = after.checked_sub(1).filter(|&at| shards[at].range.contains(hash)) else {
                continue;
            };
            if keys[at].len() < wanted {
                keys[at].push(number);
                full += usize::from(keys[at].len() == wanted);
            }
        }
        Self { shards, keys, stream }
    }

    /// The places of the open shards that stand for `range`, the hash keys of a shard that was open once: those that
    /// it was split into, or else the one that it was merged into. They follow one another.
    pub(super) fn heirs(&self, range: &HashRange) -> Vec<usize> {
        let inside: Vec<usize> =
            (0..self.shards.len()).filter(|&at| range.contains(self.shards[at].range.middle())).collect();
        if !inside.is_empty() {
            return inside;
        }
        (0..self.shards.len())
            .find(|&at| self.shards[at].range.contains(range.middle()))
            .into_iter()
            .collect()
    }

    /// Whether a key is known for any of these places.
    pub(super) fn reach(&self, places: &[usize]) -> bool {
        places.iter().any(|&at| !self.keys[at].is_empty())
    }
}

/// Shards that have a share of the load together, each in proportion to its range.
#[derive(Debug)]
struct Group {
    /// The group is met by bits below this, if the groups before it are not.
    until: u64,
    /// The same for each shard in the group, and its place in the pools.
    members: Vec<(u64, u32)>,
}

impl Group {
    fn new(until: u64, places: &[usize], pools: &Pools) -> Self {
        // A 2^72th of the space as unit keeps all sums in range, and nothing that has a key is smaller by much.
        let size = |at: usize| {
            let range = pools.shards[at].range;
            ((range.end.0 - range.start.0) >> 72) + 1
        };
        let places: Vec<usize> = places.iter().copied().filter(|&at| !pools.keys[at].is_empty()).collect();
        let total: u128 = places.iter().map(|&at| size(at)).sum();
        let mut sum = 0;
        let members = places.into_iter().map(|at| {
            sum += size(at);
            (part(sum, total), at as u32) // a stream has far less shards
        });
        Self { until, members: members.collect() }
    }
}

/// `some` of `all` as a bound for 64 random bits. `all` is not 0, and below 2^63.
fn part(some: u128, all: u128) -> u64 {
    u64::try_from((some << 64) / all).unwrap_or(u64::MAX)
}

/// The shares of the load while the hot spots stay where they are.
#[derive(Debug)]
pub(super) struct Shares {
    /// The hot spots, then the rest; the last has all that is left of the bits.
    groups: Vec<Group>,
    pools: Arc<Pools>,
}

impl Shares {
    /// The shares of `hot`, whose shards had these `ranges`, after the spots have moved on `turns` times.
    ///
    /// A shard can be hot by two spots, when a merge made one of two. Where all shards are hot, what is left of the
    /// load goes to all.
    pub(super) fn new(hot: &Hot, ranges: &[HashRange], turns: u64, pools: &Arc<Pools>) -> Self {
        let count = pools.shards.len();
        let step = (turns % count.max(1) as u64) as usize;
        let (mut groups, mut is_hot, mut sum) = (Vec::new(), vec![false; count], 0);
        for (spot, range) in hot.spots().iter().zip(ranges) {
            let places: Vec<usize> = pools.heirs(range).iter().map(|at| (at + step) % count).collect();
            places.iter().for_each(|&at| is_hot[at] = true);
            sum += u128::from(spot.percent.ten_thousandths());
            groups.push(Group::new(part(sum, 1_000_000), &places, pools));
        }
        let everywhere = is_hot.iter().all(|&hot| hot);
        let rest: Vec<usize> = (0..count).filter(|&at| everywhere || !is_hot[at]).collect();
        groups.push(Group::new(u64::MAX, &rest, pools));
        groups.retain(|group| !group.members.is_empty());
        Self { groups, pools: Arc::clone(pools) }
    }

    /// Writes the key of an event into `key`, which is empty. False when there is no key at all.
    #[inline]
    pub(super) fn write(&self, job: u32, sequence: u64, key: &mut String) -> bool {
        let bits = self.pools.stream.job(job).event(sequence);
        // The last of a list takes what the others leave, by rounding too.
        let Some(group) = self.groups.iter().find(|group| bits.high < group.until).or(self.groups.last())
        else {
            return false;
        };
        let mut random = bits.random();
        let shard = random.bits();
        let at = group.members.partition_point(|&(until, _)| until <= shard).min(group.members.len() - 1);
        let pool = &self.pools.keys[group.members[at].1 as usize];
        let index = (u128::from(random.bits()) * pool.len() as u128) >> 64;
        hexadecimal(pool[index as usize], key);
        true
    }
}

/// Appends 16 hexadecimal digits.
pub(super) fn hexadecimal(bits: u64, key: &mut String) {
    let mut text = [0; 16];
    text[..8].copy_from_slice(&hex((bits >> 32) as u32));
    text[8..].copy_from_slice(&hex(bits as u32));
    key.push_str(std::str::from_utf8(&text).expect("hexadecimal digits are ASCII"));
}

#[cfg(test)]
#[path = "spread_tests.rs"]
mod tests;
