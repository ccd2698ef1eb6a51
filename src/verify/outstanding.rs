//! What an audit still waits for: whether reading on may change the verdict.

use super::Audit;
use super::blocks::Standing;

impl Audit {
    /// Records that producers claim as sent or as unknown, and that were not found yet. Takes as long as there are
    /// pieces in the tracks: next to nothing for a run that goes well.
    #[must_use]
    pub fn outstanding(&self) -> u64 {
        let mut count: u64 = 0;
        for track in self.roster.members.iter().flat_map(|member| member.tracks.values()) {
            track.standings(false, |standing, first, last| {
                if matches!(standing, Standing::Missing | Standing::UnknownLost) {
                    count = count.saturating_add(last - first + 1);
                }
            });
        }
        let digests = self.shards.values().filter_map(|shard| Some((shard.claimed?, shard.anonymous)));
        digests.fold(count, |count, (claimed, read)| {
            count.saturating_add(claimed.records.saturating_sub(read.records))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Expect, Seen};
    use super::*;
    use crate::generate::{EventKind, Generator, Timestamp};
    use crate::kinesis::ShardId;
    use crate::ledger::{Claim, Failed, Fate, Unknown};

    #[test]
    fn what_is_claimed_and_not_found_is_outstanding_until_it_is() {
        let mut audit = Audit::new(Expect::default()).expect("no key strategy");
        for (sequences, fate) in [
            (0..3, Fate::Sent { perhaps_twice: false }),
            (3..5, Fate::Unknown(Unknown::Timeout)),
            (5..9, Fate::Failed(Failed::Throttled)),
        ] {
            audit.claim(&"p".into(), &Claim { job: 0, sequences, fate, at_millis: 0 });
        }
        assert_eq!(audit.outstanding(), 5);
        let generator = Generator::new(EventKind::Click, 1, "p");
        for (sequence, left) in [(0, 4), (4, 3), (9, 3)] {
            let mut data = Vec::new();
            generator.write(0, sequence, &Timestamp::from_unix_millis(0), &mut data);
            audit.see(&Seen {
                shard: ShardId(0),
                sequence_number: (sequence + 1).into(),
                partition_key: "k",
                data: &data,
                arrived_millis: None,
                read_millis: 0,
            });
            assert_eq!(audit.outstanding(), left);
        }
    }
}
