//! Whose records are expected, and what is needed to make them again.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::verdict::DEFAULT_EXAMPLES;
use crate::generate::{EventChoice, Shaping};
use crate::key::KeyStrategy;

/// What an audit takes for granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expect {
    /// The producers whose records are expected.
    pub producers: Vec<Producer>,
    /// What events of any other producer are.
    pub others: Others,
    /// Whether user records that have no identity of ours are ours nevertheless: counted and digested, not foreign.
    /// So they are, too, where a producer is [anonymous](Producer::anonymous).
    pub anonymous: bool,
    /// Whether records that are not ours are no fault, because others are known to write to the stream.
    pub foreign_allowed: bool,
    /// Whether the stream is read from before the first record on: then a job that does not begin at sequence 0 has a
    /// gap. Else reading began in mid-run.
    pub from_start: bool,
    /// When the runs of producers began, in milliseconds since the Unix epoch by their own clock, where it is known.
    /// Sound events of theirs that were due before are of an earlier run of that name, and not judged.
    pub begun: BTreeMap<Arc<str>, u64>,
    /// How many examples of each finding are kept.
    pub examples: usize,
}

impl Default for Expect {
    /// Nobody is known; producers are discovered, and their content is not compared.
    fn default() -> Self {
        Self {
            producers: Vec::new(),
            others: Others::Discovered(None),
            anonymous: false,
            foreign_allowed: false,
            from_start: true,
            begun: BTreeMap::new(),
            examples: DEFAULT_EXAMPLES,
        }
    }
}

/// What events are that name a producer which is not listed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::large_enum_variant)] // there is one of it in an audit
pub enum Others {
    /// Foreign.
    Foreign,
    /// Expected as well; compared where it is told how they were made.
    Discovered(Option<Made>),
}

/// A producer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Producer {
    /// Its name in its events.
    pub name: Arc<str>,
    /// How its events are made; where it is not known, content is not compared.
    pub made: Option<Made>,
    /// Whether its events carry no identity: then what it claims is counted, and its digests are compared.
    pub anonymous: bool,
}

impl Producer {
    /// A producer whose events tell who made them.
    #[must_use]
    pub fn new(name: &str, made: Option<Made>) -> Self {
        Self { name: name.into(), made, anonymous: false }
    }

    /// A producer whose events carry no identity.
    #[must_use]
    pub fn anonymous(name: &str) -> Self {
        Self { name: name.into(), made: None, anonymous: true }
    }
}

/// How a producer's events are made: with this they can be made again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The seed.
    pub seed: u64,
    /// The event: one that no template must be read for. A `message` does not tell its job and sequence, but its id does if the jobs are known, from here or
    /// from claims that came before it. Else it is *anonymous*: counted and digested.
    pub event: EventChoice,
    /// How it is shaped.
    pub shaping: Shaping,
    /// The number of jobs; 0 if it is not known. Also helps to name what is damaged where it tells its job.
    pub jobs: u32,
    /// How the partition key is chosen; where it is not known, keys are not compared.
    pub key: Option<KeyStrategy>,
}
