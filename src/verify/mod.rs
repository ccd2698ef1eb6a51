//! The way back: what was read from the stream, held against what the producers said of it.
//!
//! [`Audit`] is the pure half. It is given every record as it was read ([`Seen`]) and every word of a producer
//! ([`Claim`](crate::ledger::Claim)), in any order of the two, and ends in a [`Verdict`]. It asks nobody: no clock, no stream.
//!
//! What the words of a verdict mean:
//!
//! - **missing**: claimed as sent, and not in the stream.
//! - **duplicate**: a sequence of a job that is in the stream more than once. *Expected* where the producer said that
//!   it may be (sent "perhaps twice", or unknown), else *unexpected*.
//! - **contradicted**: claimed as failed, that is certainly not stored, and yet in the stream.
//! - **unknown** records are resolved: stored, or not stored.
//! - **corrupt**: ours, but not byte for byte what the producer made, or under another partition key.
//! - **misplaced**: in an aggregated record of which a part hashes into another shard than the one it was read from. It is
//!   there, but readers of the Kinesis Producer Library (KCL) drop the whole aggregate.
//! - **foreign**: not ours, or of a producer that was not expected.
//! - **disordered**: a record that stands in its shard behind a record of the same producer,
//!   job and partition key, although it had been acknowledged before that one was even due. Kinesis promises no more
//!   than this: entries of one PutRecords request, and requests that are under way at the same time, may be stored
//!   in any order. Such a lower sequence behind a higher one is told as *overtaken*, and is no fault.
//! - **gaps**: sequences inside a job that nobody claims and nobody found. A fault only where the producer has no
//!   claims at all; else they were lost with the claims, when the producer was killed.

mod audit;
mod blocks;
mod board;
mod expect;
mod finish;
mod identity;
mod inflate;
mod lineage;
mod mailbox;
mod order;
mod original;
mod outstanding;
mod pairs;
mod recent;
mod roster;
mod run;
mod shard_reader;
mod shard_task;
mod source;
mod times;
mod track;
mod unpack;
mod verdict;

pub use audit::Audit;
pub use board::{Board, CallOutcome, ReadCounts};
pub use expect::{Expect, Made, Others, Producer};
pub use mailbox::{Listener, MOST_WAITING, Mailbox, Testimony};
pub use original::{Corruption, UnmakeableError};
pub use run::{Order, Outcome, ReadEnd, ReadPlan, Readback};
pub use source::Source;
pub use unpack::{UnpackError, UserRecord, unpack};
pub use verdict::{
    Counts, Example, Finding, Latencies, Latency, ProducerVerdict, Progress, Read, ShardDigest, Verdict,
};

use crate::kinesis::{SequenceNumber, ShardId};

/// A record as GetRecords gave it.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The shard that it was read from.
    pub shard: ShardId,
    /// Its place in the shard. Records of a shard must be given in ascending order; one that is not above the last is
    /// taken as read again, and not judged.
    pub sequence_number: SequenceNumber,
    /// Its partition key.
    pub partition_key: &'a str,
    /// Its data, after base64.
    pub data: &'a [u8],
    /// ApproximateArrivalTimestamp, in milliseconds since the Unix epoch.
    pub arrived_millis: Option<u64>,
    /// When it was read, in milliseconds since the Unix epoch.
    pub read_millis: u64,
}
