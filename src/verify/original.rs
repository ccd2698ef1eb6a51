//! Makes an event again from its identity and compares it: what was sent is known without having been kept.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::expect::Made;
use super::identity::{self, Places};
use crate::generate::{Composed, Event, EventKind, Injected, Maker, ShapingError, Timestamp};
use crate::key::{KeyStrategy, Keyer, KeyerError};
use crate::kinesis::{HashRange, Shard, ShardId, ShardMap};

/// How many of an id's 36 characters must be right for it to be that id, damaged. Of two unrelated ids some 8 agree:
/// the dashes, the version, and one in sixteen of the rest.
const ALIKE: usize = 24;

/// What is wrong with an event of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Corruption {
    /// Its bytes are others than those that were made.
    Content,
    /// It is under another partition key.
    PartitionKey,
    /// It is damaged where it says who it is.
    Identity,
    /// It is compressed or aggregated, and can't be unpacked.
    Packing,
}

impl fmt::Display for Corruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Content => "other bytes than were made",
            Self::PartitionKey => "under another partition key",
            Self::Identity => "damaged where it says who it is",
            Self::Packing => "can't be unpacked",
        })
    }
}

/// Why events can't be made again.
#[derive(Debug, thiserror::Error)]
pub enum UnmakeableError {
    /// Their keys can't.
    #[error(transparent)]
    Key(#[from] KeyerError),
    /// They can't have such a size.
    #[error(transparent)]
    Shaping(#[from] ShapingError),
    /// A template makes them.
    #[error("a template's events carry no identity to find them again by")]
    Template,
}

/// What came of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compared {
    /// As it was made.
    Same,
    /// It is that event, and damaged.
    Damaged(Corruption),
    /// It is not that event.
    Another,
}

/// What makes the events of one producer again.
#[derive(Debug)]
pub(super) struct Original {
    maker: Maker,
    /// The kinds of its events and where they have what, in the maker's order.
    kinds: Vec<(EventKind, Places)>,
    keyer: Option<Keyer>,
    /// Whether several records of a job may share a key.
    pub(super) keys_repeat: bool,
    /// The time that was met last, and its moment: most events share it with the one before.
    time: Option<(Timestamp, u64)>,
    /// An event made again, and its key.
    event: Vec<u8>,
    key: String,
}

impl Original {
    /// What makes the events of `producer`, whose name in JSON is `escaped`.
    ///
    /// # Errors
    /// When the key strategy can't work with the event, or the event can't be made.
    pub(super) fn new(made: &Made, producer: &str, escaped: &[u8]) -> Result<Self, UnmakeableError> {
        // Round-robin asks for shards; the key that it writes, unlike the explicit hash key, does not depend on them.
        let shards = ShardMap::new(vec![Shard { id: ShardId(0), range: HashRange::ALL }]);
        let event = Event::built_in(&made.event).ok_or(UnmakeableError::Template)?;
        let maker = Maker::new(&event, &made.shaping, made.seed, producer)?;
        let kinds: Vec<_> = made.event.kinds().map(|kind| (kind, Places::new(kind, escaped))).collect();
        let mut keyer = None;
        // Keys that depend on the shards of the time are not compared.
        if let Some(key) = made.key.as_ref().filter(|key| key.is_told_by_the_event()) {
            for (kind, _) in &kinds {
                keyer = Some(Keyer::new(key, *kind, made.seed, producer, &shards)?);
            }
        }
        Ok(Self {
            kinds,
            keyer,
            keys_repeat: !made.key.as_ref().is_some_and(KeyStrategy::never_repeats),
            time: None,
            event: Vec::with_capacity(maker.room()),
            key: String::with_capacity(1_024),
            maker,
        })
    }

    /// Whether some of its events are of this kind.
    pub(super) fn has(&self, kind: EventKind) -> bool {
        self.kinds.iter().any(|(one, _)| *one == kind)
    }

    /// The places of a job at which an event is sent.
    #[inline]
    pub(super) fn places(&self, job: u32, event: u64) -> crate::generate::Places {
        self.maker.places(job, event)
    }

    /// The two places of a job at which the event of this place is sent on purpose, if there are two.
    pub(super) fn pair(&self, job: u32, place: u64) -> Option<(u64, u64)> {
        let event = match self.maker.fault_at(job, place) {
            Some((Injected::Duplicate, event, _)) => event,
            // The first of two places has the number of its event.
            _ => place,
        };
        let crate::generate::Places { first, again } = self.maker.places(job, event);
        again.map(|again| (first, again))
    }

    /// Where an event of this job has what.
    #[inline]
    fn layout(&self, job: u32, event: u64) -> &Places {
        let index = self.maker.index(job, event);
        &self.kinds[index].1
    }

    /// Compares an event and its key with those of a job and sequence, at the time that the event says. When it was
    /// due is told in Unix milliseconds where that can be trusted.
    #[inline]
    pub(super) fn compare(
        &mut self,
        event: &[u8],
        job: u32,
        sequence: u64,
        key: &str,
    ) -> (Compared, Option<u64>) {
        let told = self.layout(job, sequence).time(event);
        let Some((time, millis)) = told.and_then(|time| self.time(time)) else {
            return (self.same_id(event, job, sequence), None);
        };
        self.event.clear();
        let composed = self.maker.remake(job, sequence, &time, &mut self.event);
        // The key is that of the event before it was spoilt.
        let spoilt = composed.fault == Some(Injected::Malformed);
        let mut right_key = spoilt && self.is_key(job, &composed, key);
        self.maker.finish(job, &composed, 0, &mut self.event);
        if self.event != event {
            return (self.same_id(event, job, sequence), None);
        }
        if !spoilt {
            right_key = self.is_key(job, &composed, key);
        }
        let due = self.maker.due_millis(job, sequence, millis);
        if right_key {
            (Compared::Same, Some(due))
        } else {
            (Compared::Damaged(Corruption::PartitionKey), Some(due))
        }
    }

    /// Whether the event that was made again has this key, where that is known.
    #[inline]
    fn is_key(&mut self, job: u32, composed: &Composed, key: &str) -> bool {
        self.keyer.as_ref().is_none_or(|keyer| {
            let written = keyer.write(job, composed.event, &self.event, &composed.written, &mut self.key);
            written.is_ok() && self.key == key
        })
    }

    /// Whether an event of this job and sequence has the id that stands in `event`, or nearly.
    fn same_id(&mut self, event: &[u8], job: u32, sequence: u64) -> Compared {
        self.event.clear();
        self.maker.remake(job, sequence, &Timestamp::from_unix_millis(0), &mut self.event);
        let places = self.layout(job, sequence);
        let (Some(here), Some(there)) = (places.id(event), places.id(&self.event)) else {
            return Compared::Another;
        };
        let alike = here.iter().zip(there).filter(|(one, other)| one == other).count();
        if alike >= ALIKE { Compared::Damaged(Corruption::Content) } else { Compared::Another }
    }

    /// Which of its events this is, by its id alone: its sequence in the first of `jobs` that has such an id.
    pub(super) fn by_id(
        &self,
        event: &[u8],
        jobs: impl IntoIterator<Item = u32> + Clone,
    ) -> Option<(u32, u64)> {
        self.kinds.iter().zip(self.maker.generators()).enumerate().find_map(
            |(index, ((_, places), generator))| {
                let id = places.id(event)?;
                // Most of what is not ours is seen not to be at a glance.
                if [8, 13, 18, 23].iter().filter(|&&at| id[at] == b'-').count() < 3 {
                    return None;
                }
                let time = places.time(event).and_then(identity::millis).map(Timestamp::from_unix_millis);
                let found = |job| Some((job, generator.sequence_of(job, id, time.as_ref())?));
                // Of a mixture, each event is of one kind alone.
                jobs.clone()
                    .into_iter()
                    .find_map(found)
                    .filter(|&(job, event)| self.maker.index(job, event) == index)
            },
        )
    }

    /// Which of its events this is, by the numbers that stand in it, if its id does not speak against it.
    pub(super) fn by_numbers(&mut self, event: &[u8]) -> Option<(u32, u64)> {
        for index in 0..self.kinds.len() {
            let Some((job, sequence)) = self.kinds[index].1.salvage(event) else { continue };
            if self.maker.index(job, sequence) == index
                && self.same_id(event, job, sequence) != Compared::Another
            {
                return Some((job, sequence));
            }
        }
        None
    }

    /// Whether it has the looks of this producer's events: most of what all of them have in common.
    pub(super) fn resembles(&mut self, event: &[u8]) -> bool {
        let (kinds, generators) = (&self.kinds, self.maker.generators());
        kinds.iter().zip(generators).any(|((_, places), generator)| {
            self.event.clear();
            generator.write(0, 0, &Timestamp::from_unix_millis(0), &mut self.event);
            places.resemble(event, &self.event)
        })
    }

    #[inline]
    fn time(&mut self, text: &[u8]) -> Option<(Timestamp, u64)> {
        if self.time.as_ref().is_none_or(|(known, _)| known.as_bytes() != text) {
            let millis = identity::millis(text)?;
            self.time = Some((Timestamp::from_unix_millis(millis), millis));
        }
        self.time
    }
}

/// A producer's name as it stands between the quotes in JSON.
pub(super) fn escaped(name: &str) -> Arc<[u8]> {
    let json = serde_json::Value::from(name).to_string();
    json.as_bytes()[1..json.len() - 1].into()
}
