//! Gives every record its partition key and, where the strategy says so, its explicit hash key.
//!
//! Like an event, a key is a pure function of (seed, producer, job, sequence) and the event; what depends on the open
//! shards besides (`hot`, and where `round-robin` goes) is asked of `following`.

use std::sync::Arc;

use super::following::{Following, Layout};
use super::json_string;
use super::lookup::{self, Found};
use super::popularity::Ranks;
use super::refusal::{KeyerError, NoKey, fields};
use super::spread::hexadecimal;
use super::strategy::{JsonPointer, KeyStrategy};
use crate::generate::{EventKind, Generator, Stream, Timestamp, Written, digits};
use crate::kinesis::limits::MAX_PARTITION_KEY_CHARS;
use crate::kinesis::{HashKey, ShardMap};

/// Events of a template that are tried before a run.
const TRIALS: u64 = 256;

/// 2^128 divided by the golden ratio, odd: however many such steps are made in a circle of 2^128, they lie evenly.
const GOLDEN: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;

/// Writes partition keys; shared by all jobs. Clones follow the shards together.
#[derive(Debug, Clone)]
pub struct Keyer {
    rule: Rule,
}

#[derive(Debug, Clone)]
enum Rule {
    Random(Stream),
    Constant(String),
    Job,
    Entity,
    Field(JsonPointer),
    Rank(Stream, Ranks),
    Explicit(Stream),
    Following(Arc<Following>),
}

/// What writes keys at one moment: the shards stay the same while it is held.
#[derive(Debug)]
pub struct Keys<'a> {
    rule: &'a Rule,
    layout: Option<Arc<Layout>>,
}

impl Keyer {
    /// A keyer for events of `kind`, tried on a sample event. Not for the hot path.
    ///
    /// # Errors
    /// When the strategy can give no key: the event has no entity, no such field, or there are no shards.
    pub fn new(
        strategy: &KeyStrategy,
        kind: EventKind,
        seed: u64,
        producer: &str,
        shards: &ShardMap,
    ) -> Result<Self, KeyerError> {
        let keyer = Self::untried(strategy, seed, producer, shards)?;
        keyer.tried(|keyer| keyer.try_out(&Generator::new(kind, seed, producer)))
    }

    /// A keyer for the events of `generator`, tried on some of them. Not for the hot path.
    ///
    /// # Errors
    /// As [`Self::new`]; for a template also when only some of its events have the field.
    pub fn of_events(
        strategy: &KeyStrategy,
        generator: &Generator,
        seed: u64,
        producer: &str,
        shards: &ShardMap,
    ) -> Result<Self, KeyerError> {
        Self::untried(strategy, seed, producer, shards)?.tried(|keyer| keyer.try_out(generator))
    }

    /// A keyer for records that others made, tried on some of them. Not for the hot path.
    ///
    /// # Errors
    /// As [`Self::new`]; nobody knows of such a record whose it is.
    pub fn of_records<'a>(
        strategy: &KeyStrategy,
        records: impl Iterator<Item = &'a [u8]>,
        seed: u64,
        producer: &str,
        shards: &ShardMap,
    ) -> Result<Self, KeyerError> {
        const NAME: &str = "of the trace";
        let keyer = Self::untried(strategy, seed, producer, shards)?;
        match &keyer.rule {
            Rule::Entity => return Err(KeyerError::Entity { event: NAME.to_owned() }),
            Rule::Field(pointer) => {
                let mut key = String::new();
                for event in records {
                    field(event, pointer, &mut key)
                        .map_err(|reason| not_there(NAME, pointer, reason, event))?;
                    key.clear();
                }
            }
            _ => {}
        }
        Ok(keyer)
    }

    /// The keyer, tried where its rule looks into the event.
    fn tried(self, try_out: impl FnOnce(&Self) -> Result<(), KeyerError>) -> Result<Self, KeyerError> {
        if matches!(self.rule, Rule::Entity | Rule::Field(_)) {
            try_out(&self)?;
        }
        Ok(self)
    }

    fn untried(
        strategy: &KeyStrategy,
        seed: u64,
        producer: &str,
        shards: &ShardMap,
    ) -> Result<Self, KeyerError> {
        let rule = match strategy {
            KeyStrategy::Random => Rule::Random(Stream::new("key", seed, producer)),
            KeyStrategy::Constant(key) => Rule::Constant(key.as_str().to_owned()),
            KeyStrategy::Job => Rule::Job,
            KeyStrategy::User => Rule::Entity,
            KeyStrategy::Field(pointer) => Rule::Field(pointer.clone()),
            KeyStrategy::Popular(popularity) => {
                Rule::Rank(Stream::new("key", seed, producer), Ranks::new(popularity))
            }
            KeyStrategy::Explicit => Rule::Explicit(Stream::new("key", seed, producer)),
            KeyStrategy::Hot(hot) => {
                let stream = Stream::new("key", seed, producer);
                Rule::Following(Arc::new(Following::hot(hot, shards, stream)?))
            }
            KeyStrategy::RoundRobin => Rule::Following(Arc::new(Following::round_robin(shards)?)),
        };
        Ok(Self { rule })
    }

    /// What writes the keys of events that are due at a time in milliseconds since the Unix epoch. To be asked for
    /// once a batch rather than once a record: where the strategy follows the shards, it takes a lock.
    #[inline]
    pub fn at(&self, unix_millis: u64) -> Keys<'_> {
        let layout = match &self.rule {
            Rule::Following(following) => Some(following.at(unix_millis)),
            _ => None,
        };
        Keys { rule: &self.rule, layout }
    }

    /// The load begins at this time in milliseconds since the Unix epoch: hot spots that rotate do so from here.
    pub fn begin(&self, unix_millis: u64) {
        if let Rule::Following(following) = &self.rule {
            following.begin(unix_millis);
        }
    }

    /// The stream's open shards are these from now on. May take some tenths of a second, for keys that lead to chosen
    /// shards; those who write keys are not held up.
    pub fn follow(&self, shards: &ShardMap) {
        if let Rule::Following(following) = &self.rule {
            following.follow(shards);
        }
    }

    /// Writes one key by what holds before the load begins; see [`Keys::write`].
    ///
    /// # Errors
    /// As [`Keys::write`].
    #[inline]
    pub fn write(
        &self,
        job: u32,
        sequence: u64,
        event: &[u8],
        written: &Written,
        key: &mut String,
    ) -> Result<Option<HashKey>, NoKey> {
        self.at(0).write(job, sequence, event, written, key)
    }

    /// Whether sample events of `generator` get keys. All events of a kind have the same fields; a template's need not.
    fn try_out(&self, generator: &Generator) -> Result<(), KeyerError> {
        let (mut event, mut key) = (Vec::new(), String::new());
        let samples = if generator.kind().is_some() { 1 } else { TRIALS };
        for sequence in 0..samples {
            event.clear();
            let written = generator.write(0, sequence, &Timestamp::from_unix_millis(0), &mut event);
            let Err(reason) = self.write(0, sequence, &event, &written, &mut key) else { continue };
            let name = generator.name().to_owned();
            return Err(match &self.rule {
                Rule::Field(pointer) => not_there(&name, pointer, reason, &event),
                _ => KeyerError::Entity { event: name },
            });
        }
        Ok(())
    }
}

impl Keys<'_> {
    /// Writes the partition key of an event into `key`, which is cleared first, and returns the explicit
    /// hash key, if the strategy gives one. The key has 1 to 256 characters and is not JSON-escaped.
    ///
    /// `event` is the event alone, from its first byte. Allocates nothing when `key` has room for 1,024 bytes.
    ///
    /// # Errors
    /// Why the event gives no key. Then `key` holds nothing of use.
    #[inline]
    pub fn write(
        &self,
        job: u32,
        sequence: u64,
        event: &[u8],
        written: &Written,
        key: &mut String,
    ) -> Result<Option<HashKey>, NoKey> {
        key.clear();
        match self.rule {
            Rule::Random(stream) => hexadecimal(stream.job(job).event(sequence).high, key),
            Rule::Constant(text) => key.push_str(text),
            Rule::Job => decimal(job.into(), key),
            Rule::Entity => {
                let place = written.entity.clone().ok_or(NoKey::Missing)?;
                let entity = event.get(place).ok_or(NoKey::Missing)?;
                key.push_str(std::str::from_utf8(entity).map_err(|_| NoKey::Malformed)?);
            }
            Rule::Field(pointer) => field(event, pointer, key)?,
            Rule::Rank(stream, ranks) => {
                decimal(ranks.draw(&mut stream.job(job).event(sequence).random()).into(), key);
            }
            Rule::Explicit(stream) => {
                // Each job has a place of its own in the circle to begin at: 128 bits that no event of its has.
                let start = stream.job(job).event(u64::MAX);
                let start = u128::from(start.high) << 64 | u128::from(start.low);
                decimal(sequence, key);
                return Ok(Some(HashKey(start.wrapping_add(GOLDEN.wrapping_mul(sequence.into())))));
            }
            Rule::Following(_) => match self.layout.as_deref() {
                Some(Layout::Middles(middles)) => {
                    let count = middles.len() as u64;
                    let turn = (u64::from(job) % count + sequence % count) % count;
                    decimal(sequence, key);
                    return Ok(Some(middles[turn as usize]));
                }
                Some(Layout::Shares(shares)) if shares.write(job, sequence, key) => {}
                Some(Layout::Shares(_)) | None => return Err(NoKey::NoShard),
            },
        }
        Ok(None)
    }
}

/// Why a field of an event is no key, and which fields would be.
fn not_there(name: &str, pointer: &JsonPointer, reason: NoKey, event: &[u8]) -> KeyerError {
    // Fields are looked up without reading the whole event.
    let (reason, fields) = match serde_json::from_slice(event) {
        Ok(event) => (reason, fields(&event)),
        Err(_) => (NoKey::Malformed, String::new()),
    };
    KeyerError::Field { event: name.to_owned(), pointer: pointer.to_string(), reason, fields }
}

/// Writes the text of the field at `pointer` into `key`.
fn field(event: &[u8], pointer: &JsonPointer, key: &mut String) -> Result<(), NoKey> {
    let found = lookup::find(event, pointer.tokens()).map_err(|_| NoKey::Malformed)?;
    match found.ok_or(NoKey::Missing)? {
        Found::Null => Err(NoKey::Null),
        Found::Container => Err(NoKey::Container),
        Found::Plain(text) if text.len() > MAX_PARTITION_KEY_CHARS => Err(NoKey::TooLong),
        Found::Plain(text) => {
            key.push_str(text);
            Ok(())
        }
        Found::Text(raw) => {
            let mut left = Some(MAX_PARTITION_KEY_CHARS);
            let read = json_string::unescape(raw, |piece| {
                left = left.and_then(|left| left.checked_sub(piece.chars().count()));
                if left.is_some() {
                    key.push_str(piece);
                }
                left.is_some()
            });
            read.map_err(|_| NoKey::Malformed)?;
            match left {
                None => Err(NoKey::TooLong),
                Some(MAX_PARTITION_KEY_CHARS) => Err(NoKey::Empty),
                Some(_) => Ok(()),
            }
        }
    }
}

fn decimal(number: u64, key: &mut String) {
    key.push_str(std::str::from_utf8(digits(number, &mut [0; 20])).expect("digits are ASCII"));
}

#[cfg(test)]
#[path = "keyer_tests.rs"]
mod tests;
