//! What is put on the stream: events as their kinds are, or mixed, made larger and spoilt as it was asked for.
//!
//! Decided once, at construction: a run that asks for nothing of this writes events as they are. All of it is a
//! function of (seed, producer, job, place, time), so a reader can make any record again. See `disorder` for the
//! difference between a place and an event's number.

use std::sync::OnceLock;

use super::choice::Event;
use super::disorder::{Act, Disorder, Places};
use super::generator::{Generator, Written};
use super::inject::{Inject, Injected};
use super::padding::{self, Padding};
use super::random::{Stream, hash};
use super::shaping::{Shaping, ShapingError};
use super::shares::Shares;
use super::size::{SizeRule, Sizes};
use super::timestamp::Timestamp;

/// Events of a template that are looked at before a run.
const TRIALS: u64 = 256;

/// Makes the records of one producer; shared by all threads, without state.
#[derive(Debug)]
pub enum Maker {
    /// Events as they are.
    Plain(Generator),
    /// Anything else.
    Shaped(Box<Shaped>),
}

/// Mixed, padded, spoilt.
#[derive(Debug)]
pub struct Shaped {
    parts: Vec<Generator>,
    shares: Shares,
    stream: Stream,
    sizes: Option<Sizes>,
    padding: Padding,
    disorder: Option<Disorder>,
    frame: u64,
    typical: usize,
    largest: usize,
    /// The first event that was larger than it should be. Only a template in Jinja makes such a one.
    outgrown: OnceLock<String>,
}

/// When a record is due.
#[derive(Debug, Clone, Copy)]
pub struct Due {
    /// As its event says it.
    pub time: Timestamp,
    /// The same, in milliseconds since the Unix epoch.
    pub millis: u64,
    /// When the first record of the block was due that has a duplicate or reordered one now; kept from one record of
    /// the job to the next, and of no meaning elsewhere.
    pub opened_millis: u64,
}

impl Due {
    /// At this moment, after a record whose block was opened at another.
    #[must_use]
    pub fn new(millis: u64, opened_millis: u64) -> Self {
        Self { time: Timestamp::from_unix_millis(millis), millis, opened_millis }
    }
}

/// A record that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    /// The number of its event, which the event carries and its key follows from.
    pub event: u64,
    /// What is known of the event.
    pub written: Written,
    /// The fault that was put in.
    pub fault: Option<Injected>,
    /// Whether there is an event: a template in Jinja may fail to make one, or to keep to the size that was asked for.
    /// [`Maker::failure`] says why.
    pub made: bool,
}

impl From<Generator> for Maker {
    fn from(generator: Generator) -> Self {
        Self::Plain(generator)
    }
}

impl Maker {
    /// What makes the records of `producer`. Not for the hot path.
    ///
    /// # Errors
    /// When sizes are asked for that the events can't have.
    pub fn new(event: &Event, shaping: &Shaping, seed: u64, producer: &str) -> Result<Self, ShapingError> {
        let parts = event.parts();
        let generators: Vec<_> = parts.iter().map(|(part, _)| Generator::of(part, seed, producer)).collect();
        if *shaping == (Shaping { frame: shaping.frame, ..Shaping::default() }) && generators.len() == 1 {
            return Ok(generators.into_iter().map(Self::Plain).next().expect("there is one"));
        }
        let weights: Vec<u64> = parts.iter().map(|(_, weight)| weight.millionths()).collect();
        let floor = floor(&generators, shaping)?;
        let sizes = shaping.size.map(|rule| Sizes::new(rule, floor, seed, producer));
        let disorder = shaping.inject.as_ref().map(|inject| Disorder::new(inject, seed, producer));
        let oversize = shaping.inject.as_ref().and_then(Inject::largest);
        let most_padded = shaping.size.map(SizeRule::most).max(oversize).unwrap_or(0);
        let total: u64 = weights.iter().sum();
        let typical =
            generators.iter().zip(&weights).map(|(one, weight)| one.typical_event() as u64 * weight);
        let typical = sizes.as_ref().map_or_else(|| typical.sum::<u64>() / total.max(1), Sizes::typical);
        let largest = generators.iter().map(Generator::largest_event).max().unwrap_or(0);
        Ok(Self::Shaped(Box::new(Shaped {
            shares: Shares::new(&weights),
            stream: Stream::new("mixture", seed, producer),
            padding: Padding::new(most_padded, seed, producer),
            typical: typical as usize,
            largest: largest.max(most_padded as usize),
            parts: generators,
            sizes,
            disorder,
            frame: shaping.frame,
            outgrown: OnceLock::new(),
        })))
    }

    /// Writes the event of the record at `place` of `job` over `out`. Its key follows from what stands there then; what
    /// goes on the stream is made of it by [`Self::finish`].
    #[inline]
    pub fn compose(&self, job: u32, place: u64, due: &mut Due, out: &mut Vec<u8>) -> Composed {
        match self {
            Self::Plain(generator) => {
                let written = generator.overwrite(job, place, &due.time, out);
                out.truncate(written.length);
                let made = written.length > 0 || !generator.can_fail();
                Composed { event: place, written, fault: None, made }
            }
            Self::Shaped(shaped) => {
                out.clear();
                shaped.compose(job, place, due, out)
            }
        }
    }

    /// Spoils the event that begins at `start`, if it is to be.
    #[inline]
    pub fn finish(&self, job: u32, composed: &Composed, start: usize, out: &mut Vec<u8>) {
        if let (Self::Shaped(shaped), Some(Injected::Malformed)) = (self, composed.fault)
            && let Some(disorder) = &shaped.disorder
        {
            disorder.spoil(job, composed.event, start, out);
        }
    }

    /// Appends the event of `job` with this number once more, as [`Self::compose`] made it when it says the time `time`.
    #[inline]
    pub fn remake(&self, job: u32, event: u64, time: &Timestamp, out: &mut Vec<u8>) -> Composed {
        let fault = match self {
            Self::Plain(_) => None,
            Self::Shaped(shaped) => shaped.fault_of(job, event),
        };
        let (written, made) = match self {
            Self::Plain(generator) => {
                let written = generator.write(job, event, time, out);
                let made = written.length > 0 || !generator.can_fail();
                (written, made)
            }
            Self::Shaped(shaped) => shaped.write(job, event, fault, time, out),
        };
        Composed { event, written, fault, made }
    }

    /// The places of `job` at which the event with this number is sent.
    #[inline]
    #[must_use]
    pub fn places(&self, job: u32, event: u64) -> Places {
        match self {
            Self::Shaped(shaped) if shaped.disorder.is_some() => shaped.places(job, event),
            Self::Plain(_) | Self::Shaped(_) => Places { first: event, again: None },
        }
    }

    /// When an event was due that says that it is of this moment, in milliseconds since the Unix epoch.
    #[inline]
    #[must_use]
    pub fn due_millis(&self, job: u32, event: u64, told_millis: u64) -> u64 {
        match self {
            Self::Shaped(shaped) if shaped.fault_of(job, event) == Some(Injected::Late) => {
                told_millis.saturating_add(shaped.late_millis())
            }
            Self::Plain(_) | Self::Shaped(_) => told_millis,
        }
    }

    /// Which of [`Self::generators`] makes the event of `job` with this number.
    #[inline]
    #[must_use]
    pub fn index(&self, job: u32, event: u64) -> usize {
        match self {
            Self::Plain(_) => 0,
            Self::Shaped(shaped) => shaped.index(job, event),
        }
    }

    /// All that makes events, in the order of the settings.
    #[must_use]
    pub fn generators(&self) -> &[Generator] {
        match self {
            Self::Plain(generator) => std::slice::from_ref(generator),
            Self::Shaped(shaped) => &shaped.parts,
        }
    }

    /// The fault at `place` of `job`, with the number of the event that stands there and, of a duplicate or reordered
    /// one, how many records it lies behind its first copy or its own place.
    #[must_use]
    pub fn fault_at(&self, job: u32, place: u64) -> Option<(Injected, u64, Option<u64>)> {
        let Self::Shaped(shaped) = self else { return None };
        let disorder = shaped.disorder.as_ref()?;
        let Act { event, fault, .. } = disorder.at(job, place);
        fault.map(|fault| (fault, event, disorder.distance(fault)))
    }

    /// Whether a fault is put into some records.
    #[must_use]
    pub fn injects(&self) -> bool {
        matches!(self, Self::Shaped(shaped) if shaped.disorder.is_some())
    }

    /// Why the first event could not be made that could not.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        let outgrown = match self {
            Self::Plain(_) => None,
            Self::Shaped(shaped) => shaped.outgrown.get().map(String::as_str),
        };
        outgrown.or_else(|| self.generators().iter().find_map(Generator::failure))
    }

    /// What its user should know although nothing is wrong: where sizes are cut.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        match self {
            Self::Plain(_) => None,
            Self::Shaped(shaped) => shaped.sizes.as_ref().and_then(Sizes::note),
        }
    }

    /// The mean size of an event in bytes, about.
    #[must_use]
    pub fn typical_event(&self) -> usize {
        match self {
            Self::Plain(generator) => generator.typical_event(),
            Self::Shaped(shaped) => shaped.typical,
        }
    }

    /// An upper bound of an event's size in bytes.
    #[must_use]
    pub fn largest_event(&self) -> usize {
        match self {
            Self::Plain(generator) => generator.largest_event(),
            Self::Shaped(shaped) => shaped.largest,
        }
    }

    /// Bytes of room with which making an event asks for no memory.
    #[must_use]
    pub fn room(&self) -> usize {
        let rooms = self.generators().iter().map(Generator::room);
        rooms.max().unwrap_or(0).max(self.largest_event())
    }
}

/// The size that no event can fall short of when its size is asked for: that of the largest, and the least padding.
fn floor(generators: &[Generator], shaping: &Shaping) -> Result<u64, ShapingError> {
    let floor = |generator: &&Generator| generator.floor();
    let Some(longest) = generators.iter().max_by_key(floor) else { return Ok(0) };
    let (largest, frame) = (longest.floor() as u64, shaping.frame);
    let floor = largest + padding::LEAST as u64 + frame;
    let Some(rule) = shaping.size else { return Ok(floor) };
    // A distribution is cut at the floor, and must not be all below it.
    let size = rule.most();
    if size < floor {
        return Err(ShapingError::Small { size, event: longest.name(), largest, frame });
    }
    let templates = generators.iter().filter(|generator| generator.kind().is_none());
    if templates.into_iter().any(|template| !makes_objects(template)) {
        return Err(ShapingError::NoObject);
    }
    Ok(floor)
}

/// Whether some events of a template are JSON objects.
fn makes_objects(template: &Generator) -> bool {
    let (mut event, time) = (Vec::new(), Timestamp::from_unix_millis(0));
    (0..TRIALS).all(|sequence| {
        event.clear();
        template.write(0, sequence, &time, &mut event);
        event.last() == Some(&b'}')
            && serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&event).is_ok()
    })
}

impl Shaped {
    fn compose(&self, job: u32, place: u64, due: &mut Due, out: &mut Vec<u8>) -> Composed {
        let Some(disorder) = &self.disorder else {
            let (written, made) = self.write(job, place, None, &due.time, out);
            return Composed { event: place, written, fault: None, made };
        };
        let Act { event, fault, opens } = disorder.at(job, place);
        if opens {
            due.opened_millis = due.millis;
        }
        let time = match fault {
            Some(Injected::Late) => {
                Timestamp::from_unix_millis(due.millis.saturating_sub(self.late_millis()))
            }
            Some(Injected::Duplicate | Injected::Reordered) => Timestamp::from_unix_millis(due.opened_millis),
            Some(Injected::Malformed | Injected::Oversize) | None => due.time,
        };
        let (written, made) = self.write(job, event, fault, &time, out);
        Composed { event, written, fault, made }
    }

    fn write(
        &self,
        job: u32,
        event: u64,
        fault: Option<Injected>,
        time: &Timestamp,
        out: &mut Vec<u8>,
    ) -> (Written, bool) {
        let start = out.len();
        let part = &self.parts[self.index(job, event)];
        let written = part.write(job, event, time, out);
        if written.length == 0 && part.can_fail() {
            return (written, false);
        }
        let size = match (fault, &self.disorder, &self.sizes) {
            (Some(Injected::Oversize), Some(disorder), _) => Some(disorder.oversize_bytes()),
            (_, _, Some(sizes)) => Some(sizes.of(job, event)),
            (_, _, None) => None,
        };
        if let Some(size) = size {
            let size = usize::try_from(size.saturating_sub(self.frame)).unwrap_or(0);
            if written.length > size {
                self.outgrown.get_or_init(|| {
                    format!(
                        "job {job}, event {event}: its {} bytes are more than the {size} that it should have",
                        written.length
                    )
                });
                out.truncate(start);
                return (written, false);
            }
            self.padding.pad(job, event, size, start, out);
        }
        (written, true)
    }

    #[inline]
    fn index(&self, job: u32, event: u64) -> usize {
        if self.parts.len() == 1 { 0 } else { self.shares.of(hash(self.stream.shared(), job.into()), event) }
    }

    fn fault_of(&self, job: u32, event: u64) -> Option<Injected> {
        self.disorder.as_ref().and_then(|disorder| disorder.fault_of(job, event))
    }

    fn places(&self, job: u32, event: u64) -> Places {
        match &self.disorder {
            Some(disorder) => disorder.places(job, event),
            None => Places { first: event, again: None },
        }
    }

    fn late_millis(&self) -> u64 {
        self.disorder.as_ref().map_or(0, |disorder| disorder.late_by().as_millis() as u64) // at most a year
    }
}

#[cfg(test)]
#[path = "maker_tests.rs"]
mod tests;
