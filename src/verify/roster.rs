//! Whose a user record is, and whether it is as it was made: all producers, their originals and their tracks.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::expect::{Expect, Made, Others};
use super::identity::{self, Identity};
use super::original::{Compared, Corruption, Original, UnmakeableError, escaped};
use super::pairs;
use super::recent::JobKey;
use super::track::Track;
use super::verdict::Counts;
use crate::generate::{EventKind, Places};

/// Most producers that are discovered; events of any more are foreign.
const MOST_DISCOVERED: usize = 1024;

/// The longest name, in bytes of JSON, that a producer may have to be discovered.
const LONGEST_NAME: usize = 1024;

/// Most jobs of a producer that are tried for an event that does not tell its job.
const MOST_TRIED: usize = 1024;

/// A producer and what was found of it.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: Arc<str>,
    /// Whether it was expected by name.
    pub(super) listed: bool,
    /// Whether its events carry no identity.
    pub(super) anonymous: bool,
    /// When its run began; what was due before is not of this run.
    pub(super) begun: u64,
    pub(super) original: Option<Original>,
    /// How many jobs it is said to have.
    jobs: u32,
    pub(super) tracks: BTreeMap<u32, Track>,
    pub(super) claims: bool,
    pub(super) counts: Counts,
    /// The job of the last event that had to be found by its id: the next is likely to be of the same.
    last_job: u32,
}

impl Member {
    /// The jobs that an event may be of, the likeliest first.
    fn jobs(&self, told: Option<u32>) -> impl Iterator<Item = u32> + Clone + '_ {
        let claimed = self.tracks.keys().copied().filter(|&job| job >= self.jobs);
        told.into_iter().chain([self.last_job]).chain((0..self.jobs).chain(claimed).take(MOST_TRIED))
    }

    /// The place in its job at which an event was most likely sent, of those where it may have been.
    #[inline]
    pub(super) fn place_of(&self, job: u32, event: u64) -> u64 {
        let Some(original) = &self.original else { return event };
        match original.places(job, event) {
            Places { first, again: None } => first,
            Places { first, again: Some(again) } => {
                self.tracks.get(&job).map_or(first, |track| pairs::likelier(track, first, again))
            }
        }
    }

    fn identifies(&self) -> bool {
        self.jobs > 0 || !self.tracks.is_empty()
    }
}

/// Which jobs are tried for an event that is not what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tried {
    /// Only the one that it tells: it names another producer, and is most likely just that one's.
    ToldAlone,
    /// All: its producer is ours, so its job or sequence is wrong.
    All,
}

/// What a user record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// An event of ours.
    Ours {
        job: JobKey,
        sequence: u64,
        /// The time that it carries, where that can be trusted.
        due_millis: Option<u64>,
        /// What is wrong with it.
        fault: Option<Corruption>,
        /// Whether it was compared.
        compared: bool,
    },
    /// An event of this producer, damaged so that nobody can say which.
    Damaged(u32),
    /// Ours, but without an identity.
    Anonymous,
    /// Not ours.
    Foreign,
}

/// All producers.
#[derive(Debug)]
pub(super) struct Roster {
    pub(super) members: Vec<Member>,
    /// Their places, by name as it stands in an event.
    places: HashMap<Arc<[u8]>, u32>,
    /// The one met last.
    last: Option<(Arc<[u8]>, u32)>,
    others: Others,
    anonymous: bool,
}

impl Roster {
    pub(super) fn new(expect: &Expect) -> Result<Self, UnmakeableError> {
        let mut roster = Self {
            members: Vec::new(),
            places: HashMap::new(),
            last: None,
            others: expect.others.clone(),
            anonymous: expect.anonymous || expect.producers.iter().any(|one| one.anonymous),
        };
        for producer in &expect.producers {
            let place = roster.add(&producer.name, producer.made.as_ref())?;
            let member = &mut roster.members[place as usize];
            member.listed = true;
            member.anonymous = producer.anonymous;
            member.begun = expect.begun.get(&producer.name).copied().unwrap_or(0);
        }
        Ok(roster)
    }

    fn add(&mut self, name: &Arc<str>, made: Option<&Made>) -> Result<u32, UnmakeableError> {
        let escaped = escaped(name);
        let original = made.map(|made| Original::new(made, name, &escaped)).transpose()?;
        if let Some(&known) = self.places.get(&escaped) {
            return Ok(known);
        }
        let place = self.members.len() as u32; // bounded: what is expected, and MOST_DISCOVERED
        self.members.push(Member {
            name: Arc::clone(name),
            listed: false,
            anonymous: false,
            begun: 0,
            original,
            jobs: made.map_or(0, |made| made.jobs),
            tracks: BTreeMap::new(),
            claims: false,
            counts: Counts::default(),
            last_job: 0,
        });
        self.places.insert(escaped, place);
        Ok(place)
    }

    /// The place of a producer that claims something: it is expected, whoever it is.
    pub(super) fn claimant(&mut self, name: &Arc<str>) -> u32 {
        if let Some(place) = self.find(&escaped(name)) {
            return place;
        }
        self.discover(name)
    }

    /// Adds a producer that was not listed. Where its events can't be made as the others' are, they are not compared.
    fn discover(&mut self, name: &Arc<str>) -> u32 {
        let made = match &self.others {
            Others::Discovered(made) => made.clone(),
            Others::Foreign => None,
        };
        let added = self.add(name, made.as_ref()).or_else(|_| self.add(name, None));
        added.expect("without a key strategy there is nothing that could be wrong with it")
    }

    #[inline]
    fn find(&mut self, escaped: &[u8]) -> Option<u32> {
        if let Some((name, place)) = &self.last
            && **name == *escaped
        {
            return Some(*place);
        }
        let (name, &place) = self.places.get_key_value(escaped)?;
        self.last = Some((Arc::clone(name), place));
        Some(place)
    }

    /// Says whose a user record is.
    #[inline]
    pub(super) fn judge(&mut self, data: &[u8], key: &str) -> Whose {
        let event = unframed(data);
        let Some(identity) = identity::read(event) else {
            return if identity::is_message(event) {
                self.message(event, key)
            } else {
                self.damaged(event, None, key)
            };
        };
        let Some(producer) = self.find(identity.producer).or_else(|| self.newcomer(&identity)) else {
            return self.damaged(event, Some((identity.job, Tried::ToldAlone)), key);
        };
        // Of a mixture with a template: what its producer claims is known by digests alone.
        if self.members[producer as usize].anonymous {
            return Whose::Anonymous;
        }
        let Identity { job, sequence, time, .. } = identity;
        let Some(original) = &mut self.members[producer as usize].original else {
            let due_millis = identity::millis(time);
            let fault = due_millis.is_none().then_some(Corruption::Content);
            return Whose::Ours { job: (producer, job), sequence, due_millis, fault, compared: false };
        };
        let (compared, due_millis) = original.compare(event, job, sequence, key);
        let fault = match compared {
            Compared::Same => None,
            Compared::Damaged(corruption) => Some(corruption),
            Compared::Another => return self.damaged(event, Some((job, Tried::All)), key),
        };
        Whose::Ours { job: (producer, job), sequence, due_millis, fault, compared: true }
    }

    /// The place of a producer that is met for the first time, if it may be discovered.
    fn newcomer(&mut self, identity: &Identity<'_>) -> Option<u32> {
        let legal = self.others != Others::Foreign && identity.producer.len() <= LONGEST_NAME;
        if !legal || self.members.len() >= MOST_DISCOVERED {
            return None;
        }
        let json = [b"\"", identity.producer, b"\""].concat();
        let name: String = serde_json::from_slice(&json).ok()?;
        // Only as we write it: else the same name would be two producers.
        (*escaped(&name) == *identity.producer).then(|| self.discover(&name.into()))
    }

    /// An event of the kind `message`: its id tells which it is to whom knows the seed.
    fn message(&mut self, event: &[u8], key: &str) -> Whose {
        let mut known = false;
        for (place, member) in (0..).zip(&mut self.members) {
            let messages = member.original.as_ref().is_some_and(|one| one.has(EventKind::Message));
            if !messages {
                continue;
            }
            known |= member.identifies();
            let Some((job, sequence)) =
                member.original.as_ref().and_then(|original| original.by_id(event, member.jobs(None)))
            else {
                continue;
            };
            member.last_job = job;
            let Some(original) = &mut member.original else { continue };
            let (compared, due_millis) = original.compare(event, job, sequence, key);
            let fault = match compared {
                Compared::Same => None,
                Compared::Damaged(corruption) => Some(corruption),
                Compared::Another => continue,
            };
            return Whose::Ours { job: (place, job), sequence, due_millis, fault, compared: true };
        }
        // Discovered producers are expected, and a message does not tell its own.
        if !known && (self.anonymous || self.others != Others::Foreign || self.has_messages()) {
            return Whose::Anonymous;
        }
        if self.anonymous { Whose::Anonymous } else { Whose::Foreign }
    }

    fn has_messages(&self) -> bool {
        self.members.iter().any(|one| one.original.as_ref().is_some_and(|one| one.has(EventKind::Message)))
    }

    /// A user record that is no event as we make it: one that was, a payload without identity, or somebody else's.
    fn damaged(&mut self, event: &[u8], told: Option<(u32, Tried)>, key: &str) -> Whose {
        let most = if matches!(told, Some((_, Tried::ToldAlone))) { 1 } else { usize::MAX };
        for (place, member) in (0..).zip(&mut self.members) {
            let Some(original) = &member.original else { continue };
            let found = original.by_id(event, member.jobs(told.map(|(job, _)| job)).take(most));
            let found = found.or_else(|| member.original.as_mut()?.by_numbers(event));
            if let Some((job, sequence)) = found {
                member.last_job = job;
                // It may have been made like this: padded, or spoilt on purpose.
                let compared =
                    member.original.as_mut().map(|original| original.compare(event, job, sequence, key));
                let (fault, due_millis) = match compared {
                    Some((Compared::Same, due_millis)) => (None, due_millis),
                    Some((Compared::Damaged(Corruption::PartitionKey), due_millis)) => {
                        (Some(Corruption::PartitionKey), due_millis)
                    }
                    _ => (Some(Corruption::Content), None),
                };
                return Whose::Ours { job: (place, job), sequence, due_millis, fault, compared: true };
            }
        }
        if told.is_none() {
            for (place, member) in (0..).zip(&mut self.members) {
                if member.original.as_mut().is_some_and(|original| original.resembles(event)) {
                    return Whose::Damaged(place);
                }
            }
        }
        if self.anonymous { Whose::Anonymous } else { Whose::Foreign }
    }
}

/// The event without the line end that may frame it.
#[inline]
fn unframed(data: &[u8]) -> &[u8] {
    let line = data.strip_suffix(b"\n").unwrap_or(data);
    if line.len() < data.len() { line.strip_suffix(b"\r").unwrap_or(line) } else { data }
}
