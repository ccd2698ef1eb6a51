//! Holds entries back until their shards will take them: the policy `limiter`. Pure.
//!
//! Decides at which moment which entries of a batch go, and which can't in time. Entries that go at nearly the same
//! moment go in one request, the latest moment of theirs: never too early, and late by less than what a [`Reserve`]
//! keeps for that.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use crate::kinesis::ShardId;
use crate::model::{Rates, Reserve};

/// How far apart the moments of one request's entries may be. Half of what a reserve lets requests overtake.
const WAVE: Duration = Duration::from_millis(50);

/// What goes when.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Waves {
    /// Moments, ascending, and the entries (ascending) that go then.
    pub waves: Vec<(Duration, Vec<u16>)>,
    /// Entries (ascending) that would have to wait too long.
    pub too_late: Vec<u16>,
}

/// The shards' reserves. One is made when its shard is first met; there are as many as the stream had shards.
#[derive(Debug, Default)]
pub struct Hold(HashMap<ShardId, Reserve>);

impl Hold {
    /// Gives each entry, of which the shard and the bytes are told in order, a moment from `now` to `latest`. What no
    /// shard can be told for goes at once.
    pub fn divide(
        &mut self,
        now: Duration,
        latest: Duration,
        entries: impl Iterator<Item = (Option<ShardId>, u64)>,
    ) -> Waves {
        let mut waves: BTreeMap<u128, (Duration, Vec<u16>)> = BTreeMap::new();
        let mut too_late = Vec::new();
        for (index, (shard, bytes)) in entries.enumerate() {
            let index = index as u16; // a request has at most 500 entries
            let at = match shard {
                Some(shard) => self.of(shard, now).ask(now, latest.max(now), bytes),
                None => Some(now),
            };
            let Some(at) = at else {
                too_late.push(index);
                continue;
            };
            let (latest, entries) = waves.entry((at - now).as_nanos().div_ceil(WAVE.as_nanos())).or_default();
            *latest = at.max(*latest);
            entries.push(index);
        }
        Waves { waves: waves.into_values().collect(), too_late }
    }

    /// A shard refused an entry at `now`.
    pub fn refused(&mut self, shard: ShardId, now: Duration) {
        self.of(shard, now).refused(now);
    }

    fn of(&mut self, shard: ShardId, now: Duration) -> &mut Reserve {
        self.0.entry(shard).or_insert_with(|| Reserve::new(Rates::AWS, now))
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::model::ShardLimiter;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn what_a_full_shard_will_take_later_waits_and_what_others_take_goes_at_once() {
        let mut hold = Hold::default();
        let full = |hold: &mut Hold| {
            hold.divide(Duration::ZERO, Duration::ZERO, (0..450).map(|_| (Some(ShardId(1)), 9)))
        };
        assert_eq!(full(&mut hold).waves.len() + full(&mut hold).waves.len(), 2);
        let shards = [1, 2, 1, 1].map(|id| (Some(ShardId(id)), 9));
        let waves = hold.divide(Duration::ZERO, MS * 2, shards.into_iter().chain([(None, 9)]));
        assert_eq!(waves.waves, [(Duration::ZERO, vec![1, 4]), (MS * 2, vec![0, 2])]);
        assert_eq!(waves.too_late, [3]);
    }

    proptest! {
        // Law: every entry goes once or is too late; none goes before now or after its latest moment; and shards at the
        // published limits take all that goes, when it goes.
        #[test]
        fn shards_take_all_that_goes(
            batches in vec((0_u64..300, 0_u64..1_500, vec((0_u64..3, 0_u64..40_000), 1..200)), 1..40),
        ) {
            let (mut hold, mut now, mut gone) = (Hold::default(), Duration::ZERO, Vec::new());
            for (gap, patience, entries) in batches {
                now += MS * gap as u32;
                let latest = now + MS * patience as u32;
                let told = |&(shard, bytes): &(u64, u64)| (Some(ShardId(shard)), if bytes % 7 == 0 { bytes } else { 90 });
                let waves = hold.divide(now, latest, entries.iter().map(told));
                let mut seen: Vec<u16> = waves.too_late.clone();
                for (at, which) in &waves.waves {
                    prop_assert!(now <= *at && *at <= latest);
                    seen.extend(which);
                    gone.extend(which.iter().map(|&index| (*at, told(&entries[usize::from(index)]))));
                }
                seen.sort_unstable();
                prop_assert_eq!(seen, (0..entries.len() as u16).collect::<Vec<_>>());
            }
            gone.sort();
            let mut shards: HashMap<_, _> = HashMap::new();
            for (at, (shard, bytes)) in gone {
                let shard = shards.entry(shard).or_insert_with(|| ShardLimiter::new(Duration::ZERO));
                prop_assert_eq!(shard.take(at, bytes), Ok(()));
            }
        }
    }
}
