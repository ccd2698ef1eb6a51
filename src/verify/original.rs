//! Makes an event again from its identity and compares it: what was sent is known without having been kept.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::expect::Made;
use super::identity::{self, Places};
use crate::generate::{EventKind, Generator, Timestamp};
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
    generator: Generator,
    kind: EventKind,
    keyer: Option<Keyer>,
    /// Whether several records of a job may share a key.
    pub(super) keys_repeat: bool,
    places: Places,
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
    /// When the key strategy can't work with the event.
    pub(super) fn new(made: &Made, producer: &str, escaped: &[u8]) -> Result<Self, KeyerError> {
        // Round-robin asks for shards; the key that it writes, unlike the explicit hash key, does not depend on them.
        let shards = ShardMap::new(vec![Shard { id: ShardId(0), range: HashRange::ALL }]);
        let keyer = |key: &KeyStrategy| Keyer::new(key, made.kind, made.seed, producer, &shards);
        // Keys that depend on the shards of the time are not compared.
        let keyer = made.key.as_ref().filter(|key| key.is_told_by_the_event()).map(keyer).transpose()?;
        let generator = Generator::new(made.kind, made.seed, producer);
        Ok(Self {
            kind: made.kind,
            keyer,
            keys_repeat: !made.key.as_ref().is_some_and(KeyStrategy::never_repeats),
            places: Places::new(made.kind, escaped),
            time: None,
            event: Vec::with_capacity(generator.largest_event()),
            key: String::with_capacity(1_024),
            generator,
        })
    }

    /// The kind of its events.
    pub(super) fn kind(&self) -> EventKind {
        self.kind
    }

    /// Compares an event and its key with those of a job and sequence, at the time that the event says. That is told
    /// in Unix milliseconds where it can be trusted.
    #[inline]
    pub(super) fn compare(
        &mut self,
        event: &[u8],
        job: u32,
        sequence: u64,
        key: &str,
    ) -> (Compared, Option<u64>) {
        let Some((time, millis)) = self.places.time(event).and_then(|time| self.time(time)) else {
            return (self.same_id(event, job, sequence), None);
        };
        self.event.clear();
        let written = self.generator.write(job, sequence, &time, &mut self.event);
        if self.event != event {
            return (self.same_id(event, job, sequence), None);
        }
        if let Some(keyer) = &self.keyer
            && !(keyer.write(job, sequence, &self.event, &written, &mut self.key).is_ok() && self.key == key)
        {
            return (Compared::Damaged(Corruption::PartitionKey), Some(millis));
        }
        (Compared::Same, Some(millis))
    }

    /// Whether an event of this job and sequence has the id that stands in `event`, or nearly.
    fn same_id(&mut self, event: &[u8], job: u32, sequence: u64) -> Compared {
        self.event.clear();
        self.generator.write(job, sequence, &Timestamp::from_unix_millis(0), &mut self.event);
        let (Some(here), Some(there)) = (self.places.id(event), self.places.id(&self.event)) else {
            return Compared::Another;
        };
        let alike = here.iter().zip(there).filter(|(one, other)| one == other).count();
        if alike >= ALIKE { Compared::Damaged(Corruption::Content) } else { Compared::Another }
    }

    /// Which of its events this is, by its id alone: its sequence in the first of `jobs` that has such an id.
    pub(super) fn by_id(&self, event: &[u8], jobs: impl IntoIterator<Item = u32>) -> Option<(u32, u64)> {
        let id = self.places.id(event)?;
        // Most of what is not ours is seen not to be at a glance.
        if [8, 13, 18, 23].iter().filter(|&&at| id[at] == b'-').count() < 3 {
            return None;
        }
        let time = self.places.time(event).and_then(identity::millis).map(Timestamp::from_unix_millis);
        jobs.into_iter().find_map(|job| Some((job, self.generator.sequence_of(job, id, time.as_ref())?)))
    }

    /// Which of its events this is, by the numbers that stand in it, if its id does not speak against it.
    pub(super) fn by_numbers(&mut self, event: &[u8]) -> Option<(u32, u64)> {
        let (job, sequence) = identity::salvage(event, self.places.head)?;
        (self.same_id(event, job, sequence) != Compared::Another).then_some((job, sequence))
    }

    /// Whether it has the looks of this producer's events: most of what all of them have in common.
    pub(super) fn resembles(&mut self, event: &[u8]) -> bool {
        self.event.clear();
        self.generator.write(0, 0, &Timestamp::from_unix_millis(0), &mut self.event);
        self.places.resemble(event, &self.event)
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
