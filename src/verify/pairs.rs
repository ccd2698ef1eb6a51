//! Events that were sent twice on purpose: which of their two places a copy is counted for.
//!
//! The copies are the same, byte for byte, so nobody can say which is which; but the claims of the two places say how
//! many there should be. A copy goes to the place where it is expected most; what claims that came later make of that
//! is settled at the end.

use std::collections::BTreeSet;

use super::audit::Audit;
use super::blocks::{Glance, Standing};
use super::track::Track;

/// Most missing records of a job that are looked at for a copy that stands for another.
const MOST: usize = 1 << 16;

/// The place of the two that a copy is counted for.
pub(super) fn likelier(track: &Track, first: u64, again: u64) -> u64 {
    let (one, other) = (rank(track.glance(first)), rank(track.glance(again)));
    if other < one { again } else { first }
}

/// The less, the more a copy is expected.
fn rank(glance: Glance) -> u8 {
    match glance {
        Glance { seen: false, sent: true, .. } => 0,
        Glance { seen: false, failed: false, unknown: false, .. } => 1,
        Glance { seen: false, unknown: true, .. } => 2,
        // A second copy that its producer said there may be.
        Glance { seen: true, again: false, twice: true, .. }
        | Glance { seen: true, again: false, unknown: true, .. } => 3,
        Glance { seen: false, .. } => 4,
        Glance { again: false, .. } => 5,
        Glance { .. } => 6,
    }
}

/// Counts the copies of pairs anew, by all that is claimed, where a place of one seems to be at fault.
pub(super) fn settle(audit: &mut Audit) {
    let (room, from_start) = (&mut audit.room, audit.expect.from_start);
    for member in &mut audit.roster.members {
        let Some(original) = &member.original else { continue };
        for (&job, track) in &mut member.tracks {
            let mut pairs = BTreeSet::new();
            track.standings(from_start, |standing, first, last| {
                if matches!(
                    standing,
                    Standing::Missing | Standing::Contradicted | Standing::UnexpectedDuplicate
                ) {
                    let some = (first..=last).take(MOST.saturating_sub(pairs.len()));
                    pairs.extend(some.filter_map(|place| original.pair(job, place)));
                }
            });
            for (first, again) in pairs {
                let copies = |track: &Track| {
                    let (one, other) = (track.glance(first), track.glance(again));
                    let count = |of: fn(&Glance) -> bool| u64::from(of(&one)) + u64::from(of(&other));
                    (count(|glance| glance.seen), count(|glance| glance.again))
                };
                let (found, extra) = copies(track);
                for place in [first, again] {
                    while track.glance(place).seen && track.forget(place, room).is_ok() {}
                }
                for _ in 0..found + extra {
                    // There was room for it a moment ago.
                    let _ = track.see(likelier(track, first, again), room);
                }
                let (now_found, now_extra) = copies(track);
                member.counts.found = member.counts.found + now_found - found;
                member.counts.extra_copies = member.counts.extra_copies + now_extra - extra;
            }
        }
    }
}

#[cfg(test)]
#[path = "shaped_tests.rs"]
mod tests;
