//! Whether the open shards' hash ranges cover all keys, and how even they are.

use crate::kinesis::{HashKey, HashRange, Shard, ShardId};

/// Something about the ranges that a load will meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RangeFinding {
    /// Keys that no open shard holds.
    Hole(HashRange),
    /// Keys that two shards hold.
    Overlap(ShardId, ShardId),
}

/// How far the ranges are from equal ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unevenness {
    /// The shard with the widest range, and its share of all keys.
    pub widest: (ShardId, f64),
    /// The shard with the narrowest, and its share.
    pub narrowest: (ShardId, f64),
}

impl Unevenness {
    /// Whether a load of random keys meets it: CreateStream's own rounding, and a percent, are nothing.
    #[must_use]
    pub fn is_felt(&self) -> bool {
        self.widest.1 > self.narrowest.1 * 1.01
    }
}

/// What is wrong with the ranges of `shards`, which are in the order of their ranges.
#[must_use]
pub fn ranges(shards: &[Shard]) -> Vec<RangeFinding> {
    let mut found = Vec::new();
    // The first key that is not covered yet; none when all are.
    let mut next = Some(0_u128);
    let mut widest: Option<&Shard> = None;
    for shard in shards {
        let (start, end) = (shard.range.start.0, shard.range.end.0);
        match (next, widest) {
            (Some(next), _) if start > next => {
                found.push(RangeFinding::Hole(HashRange { start: HashKey(next), end: HashKey(start - 1) }));
            }
            (next, Some(before)) if next.is_none_or(|next| start < next) => {
                found.push(RangeFinding::Overlap(before.id, shard.id));
            }
            _ => {}
        }
        if widest.is_none_or(|before| before.range.end.0 <= end) {
            widest = Some(shard);
            next = end.checked_add(1);
        }
    }
    if let Some(next) = next {
        found.push(RangeFinding::Hole(HashRange { start: HashKey(next), end: HashKey(u128::MAX) }));
    }
    found
}

/// How uneven the ranges are; none for fewer than two shards.
#[must_use]
pub fn unevenness(shards: &[Shard]) -> Option<Unevenness> {
    let share = |shard: &Shard| {
        let span = shard.range.end.0.saturating_sub(shard.range.start.0) as f64 + 1.0;
        (shard.id, span / 2_f64.powi(128))
    };
    let mut shares = shards.iter().map(share);
    let first = shares.next().filter(|_| shards.len() > 1)?;
    let start = Unevenness { widest: first, narrowest: first };
    Some(shares.fold(start, |all, one| Unevenness {
        widest: if one.1 > all.widest.1 { one } else { all.widest },
        narrowest: if one.1 < all.narrowest.1 { one } else { all.narrowest },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard(id: u64, start: u128, end: u128) -> Shard {
        Shard { id: ShardId(id), range: HashRange { start: HashKey(start), end: HashKey(end) } }
    }

    #[test]
    fn ranges_as_create_stream_makes_them_have_no_finding() {
        for count in [1, 2, 3, 7, 100] {
            let divided = HashRange::ALL.divided(count);
            let shards: Vec<Shard> =
                (0..).zip(divided).map(|(id, range)| Shard { id: ShardId(id), range }).collect();
            assert_eq!(ranges(&shards), []);
            assert!(unevenness(&shards).is_none_or(|uneven| !uneven.is_felt()));
        }
    }

    #[test]
    fn holes_and_overlaps_are_found_wherever_they_are() {
        let hole = |start, end| RangeFinding::Hole(HashRange { start: HashKey(start), end: HashKey(end) });
        assert_eq!(ranges(&[]), [hole(0, u128::MAX)]);
        let shards = [shard(0, 5, 9), shard(1, 10, 20), shard(2, 15, 17), shard(3, 30, u128::MAX - 1)];
        assert_eq!(
            ranges(&shards),
            [
                hole(0, 4),
                RangeFinding::Overlap(ShardId(1), ShardId(2)),
                hole(21, 29),
                hole(u128::MAX, u128::MAX)
            ]
        );
        let doubled = [shard(0, 0, u128::MAX), shard(1, 7, u128::MAX)];
        assert_eq!(ranges(&doubled), [RangeFinding::Overlap(ShardId(0), ShardId(1))]);
    }

    #[test]
    fn a_shard_that_was_split_makes_the_ranges_uneven() {
        let half = 1_u128 << 127;
        let shards = [
            shard(0, 0, half - 1),
            shard(1, half, half + half / 2 - 1),
            shard(2, half + half / 2, u128::MAX),
        ];
        let uneven = unevenness(&shards).expect("three shards");
        assert!(uneven.is_felt());
        assert_eq!((uneven.widest, uneven.narrowest.1), ((ShardId(0), 0.5), 0.25));
    }
}
