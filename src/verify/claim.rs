//! What a producer says of its records. Decides nothing; a journal or a sender fills it.

use std::ops::Range;
use std::sync::Arc;

/// What became of a run of records, by their producer's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The producer's name in its events.
    pub producer: Arc<str>,
    /// The job.
    pub job: u32,
    /// The sequence numbers that it speaks of.
    pub sequences: Range<u64>,
    /// What became of them.
    pub fate: Fate,
    /// When the producer knew, in milliseconds since the Unix epoch by its own clock.
    pub at_millis: u64,
    /// The time that all of these events carry, in milliseconds since the Unix epoch, where it is told. An event's
    /// time can't be made again from its identity, so only with this is a changed digit in it found.
    pub due_millis: Option<u64>,
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// Kinesis answered with a sequence number.
    Sent {
        /// An earlier attempt had no answer, and may have stored it as well.
        perhaps_twice: bool,
    },
    /// Given up, certainly not stored.
    Failed,
    /// Given up, perhaps stored.
    Unknown,
}
