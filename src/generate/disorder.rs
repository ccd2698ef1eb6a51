//! Faults put in on purpose: what each record of a job is, as a function of its place, and which records an event is.
//!
//! A *place* is a record's number in its job, which is what is counted, claimed and journalled. An *event* has a number
//! of its own, which it carries. Without duplicates and reordering they are the same; with them, blocks of places are
//! chosen whose events are sent twice or in another order, so that either is found from the other in constant time.

use std::time::Duration;

use super::inject::{Inject, Injected, MILLION};
use super::random::{JobStream, Stream, hash};
use super::shares::Shares;

/// Separate what is hashed with the key of a job: which blocks, which single records, how they are spoilt.
const SINGLE_KEY: u64 = 0x7369_6e67_6c65_0000;
const SPOIL_KEY: u64 = 0x7370_6f69_6c00_0000;

/// Longest beginning of an event that tells who it is: `{"message":"…","date":"…`.
const MESSAGE_HEAD: usize = 82;

/// What stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Act {
    /// The event.
    pub(super) event: u64,
    /// The fault, if this record has one.
    pub(super) fault: Option<Injected>,
    /// Whether a later place of the block has the time of this one.
    pub(super) opens: bool,
}

/// The places at which an event is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Places {
    /// The first, or only.
    pub first: u64,
    /// Where it is sent again on purpose.
    pub again: Option<u64>,
}

/// What a block of places is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    /// Its last event but so many is left out; the first is sent in its place.
    Duplicate(u64),
    /// Its first event is held back by so many.
    Reordered(u64),
    /// Nothing.
    Plain,
}

/// The faults of one producer's events.
#[derive(Debug, Clone)]
pub(super) struct Disorder {
    inject: Inject,
    stream: Stream,
    block: u64,
    /// Duplicate blocks, reordered ones, and the rest.
    blocks: Shares,
    /// Late, malformed and oversize records, and the rest, outside of such blocks.
    singles: Shares,
}

impl Disorder {
    pub(super) fn new(inject: &Inject, seed: u64, producer: &str) -> Self {
        let block = inject.block();
        let plain = MILLION.saturating_sub(inject.groups());
        let blocks = Shares::new(&[block * inject.duplicate, block * inject.reordered, plain]);
        let rest = plain.saturating_sub(inject.singles());
        let singles = Shares::new(&[inject.late, inject.malformed, inject.oversize, rest]);
        let stream = Stream::new("disorder", seed, producer);
        Self { inject: inject.clone(), stream, block, blocks, singles }
    }

    /// What stands at `place` of `job`.
    #[inline]
    pub(super) fn at(&self, job: u32, place: u64) -> Act {
        let job = self.stream.job(job);
        let within = place % self.block;
        let plain = Act { event: place, fault: None, opens: false };
        match self.block_of(&job, place) {
            Block::Plain => Act { fault: self.single(&job, place), ..plain },
            Block::Duplicate(by) if within == by => {
                Act { event: place - by, fault: Some(Injected::Duplicate), ..plain }
            }
            Block::Reordered(by) if within < by => {
                Act { event: place.wrapping_add(1), opens: within == 0, ..plain }
            }
            Block::Reordered(by) if within == by => {
                Act { event: place - by, fault: Some(Injected::Reordered), ..plain }
            }
            Block::Duplicate(_) | Block::Reordered(_) => Act { opens: within == 0, ..plain },
        }
    }

    /// Where `event` of `job` is sent. One that is not sent at all, because another is sent twice, is said to be at
    /// the place that would be its own.
    #[inline]
    pub(super) fn places(&self, job: u32, event: u64) -> Places {
        let within = event % self.block;
        let alone = |first| Places { first, again: None };
        match self.block_of(&self.stream.job(job), event) {
            Block::Duplicate(by) if within == 0 => Places { first: event, again: Some(event + by) },
            Block::Reordered(by) if within == 0 => alone(event + by),
            Block::Reordered(by) if within <= by => alone(event - 1),
            Block::Duplicate(_) | Block::Reordered(_) | Block::Plain => alone(event),
        }
    }

    /// The fault that shows in the bytes of `event`, wherever it is sent.
    #[inline]
    pub(super) fn fault_of(&self, job: u32, event: u64) -> Option<Injected> {
        let job = self.stream.job(job);
        match self.block_of(&job, event) {
            Block::Plain => self.single(&job, event),
            Block::Duplicate(_) | Block::Reordered(_) => None,
        }
    }

    /// How long an event that is late is late.
    pub(super) fn late_by(&self) -> Duration {
        self.inject.late_by()
    }

    /// The size of an oversize event, in bytes.
    pub(super) fn oversize_bytes(&self) -> u64 {
        self.inject.oversize_bytes
    }

    /// How many records an event is held back, or lies behind its first copy.
    pub(super) fn distance(&self, fault: Injected) -> Option<u64> {
        match fault {
            Injected::Duplicate => Some(self.inject.duplicate_after),
            Injected::Reordered => Some(self.inject.reordered_by),
            Injected::Late | Injected::Malformed | Injected::Oversize => None,
        }
    }

    /// Makes no JSON, and no line of a log, of the event that begins at `start`; who it is can still be read.
    pub(super) fn spoil(&self, job: u32, event: u64, start: usize, out: &mut Vec<u8>) {
        let bits = hash(self.stream.job(job).structure() ^ SPOIL_KEY, event);
        let length = out.len() - start;
        let Some(last) = length.checked_sub(1) else { return };
        let head = head(&out[start..]).min(last);
        let at = start + head + (bits >> 8) as usize % (length - head);
        match bits % 4 {
            // No text is valid UTF-8 with it.
            0 => out[at] = 0xff,
            1 => out[start + last] = b']',
            _ => out.truncate(at),
        }
    }

    #[inline]
    fn block_of(&self, job: &JobStream, place: u64) -> Block {
        // The last block would not be whole.
        if self.block == 1 || place >= u64::MAX - self.block {
            return Block::Plain;
        }
        match self.blocks.of(job.structure(), place / self.block) {
            0 => Block::Duplicate(self.inject.duplicate_after),
            1 => Block::Reordered(self.inject.reordered_by),
            _ => Block::Plain,
        }
    }

    #[inline]
    fn single(&self, job: &JobStream, place: u64) -> Option<Injected> {
        match self.singles.of(job.structure() ^ SINGLE_KEY, place) {
            0 => Some(Injected::Late),
            1 => Some(Injected::Malformed),
            2 => Some(Injected::Oversize),
            _ => None,
        }
    }
}

/// Bytes of an event up to the end of what says who it is; 1 for what says nothing.
fn head(event: &[u8]) -> usize {
    if event.starts_with(br#"{"message":""#) {
        return MESSAGE_HEAD;
    }
    let behind =
        |mark: &[u8]| event.windows(mark.len()).position(|some| some == mark).map(|at| at + mark.len());
    // No text of JSON or of a query holds these unescaped.
    let number = behind(br#","sequence":"#).or_else(|| behind(b"&sequence="));
    let Some(number) = number else { return 1 };
    let digits = event[number..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    number + digits + 1
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn disorder(text: &str, seed: u64) -> Disorder {
        Disorder::new(&text.parse().expect("faults"), seed, "p")
    }

    fn faults() -> impl Strategy<Value = String> {
        (0_u64..20, 1_u64..5, 0_u64..20, 1_u64..9, 1_u64..10, 0_u64..10, 0_u64..10).prop_map(
            |(duplicate, after, reordered, by, late, malformed, oversize)| {
                let block = 1 + after.max(by);
                let mut text = format!("late:{late}%");
                let part = |share: u64| 60 * share / 40 / block;
                for (name, share, degree) in [
                    ("duplicate", part(duplicate), format!("/{after}")),
                    ("reordered", part(reordered), format!("/{by}")),
                    ("malformed", malformed, String::new()),
                    ("oversize", oversize, String::new()),
                ] {
                    if share > 0 {
                        text.push_str(&format!(",{name}:{share}%{degree}"));
                    }
                }
                text
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        // Places and events are each other's inverse: the places of an event are exactly those at which it stands, and
        // no event stands at a place that is not one of its own.
        #[test]
        fn events_are_found_from_places_and_back(text in faults(), seed: u64, job in 0_u32..4) {
            let disorder = disorder(&text, seed);
            let mut found: HashMap<u64, Vec<u64>> = HashMap::new();
            for place in 0..disorder.block * 1_024 {
                let act = disorder.at(job, place);
                found.entry(act.event).or_default().push(place);
                prop_assert!(act.event.abs_diff(place) < disorder.block);
                let shows = act.fault.filter(|fault| disorder.distance(*fault).is_none());
                prop_assert_eq!(disorder.fault_of(job, act.event), shows);
            }
            for (event, places) in found {
                let told = disorder.places(job, event);
                let told: Vec<u64> = [told.first].into_iter().chain(told.again).collect();
                prop_assert_eq!(told, places, "event {}", event);
            }
        }

        // Of a million records so many have each fault as was asked for, but for a hundredth and a few.
        #[test]
        fn the_shares_are_kept(text in faults(), seed: u64) {
            let disorder = disorder(&text, seed);
            let records = 1_024 * disorder.block * 24;
            let mut counts = [0_u64; Injected::ALL.len()];
            for place in 0..records {
                if let Some(fault) = disorder.at(0, place).fault {
                    counts[fault as usize] += 1;
                }
            }
            let inject = &disorder.inject;
            let wanted = [inject.late, inject.duplicate, inject.reordered, inject.malformed, inject.oversize];
            for (fault, (count, wanted)) in Injected::ALL.iter().zip(counts.iter().zip(wanted)) {
                let share = wanted as f64 / 1e6 * records as f64;
                // Blocks and single records are chosen apart, so a stretch of the one holds any part of the other.
                let most = share * 0.05 + 60.0;
                prop_assert!((*count as f64 - share).abs() <= most, "{} of {}: {} for {}", fault, text, count, share);
            }
        }
    }

    #[test]
    fn the_end_of_the_sequence_is_no_special_case() {
        let disorder = disorder("duplicate:20%/2,reordered:10%/1", 1);
        for place in u64::MAX - 20..=u64::MAX {
            let act = disorder.at(u32::MAX, place);
            assert!(act.event.abs_diff(place) <= 2);
            let _ = disorder.places(u32::MAX, place);
        }
    }
}
