//! What an audit ends in: counts, examples and whether all is well. Decides that; renders nothing.

use std::time::Duration;

use serde::Serialize;

use super::original::Corruption;
use crate::ledger::{Digest, Durations};

/// How many examples of each finding are kept, if nothing else is asked for.
pub const DEFAULT_EXAMPLES: usize = 10;

/// What can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// Claimed as sent, and not in the stream.
    Missing,
    /// In the stream more than once, and nobody said that it might be.
    Duplicate,
    /// Behind a record of its key that it had been acknowledged before.
    Disordered,
    /// Ours, and not as it was made.
    Corrupt,
    /// Not ours.
    Foreign,
    /// Claimed as failed, and in the stream.
    Contradicted,
    /// Neither claimed nor found, amid others of its job.
    Gap,
    /// In an aggregate that holds a record of another shard.
    Misplaced,
}

impl Finding {
    /// Every finding, the gravest first.
    pub const ALL: [Self; 8] = [
        Self::Missing,
        Self::Duplicate,
        Self::Disordered,
        Self::Corrupt,
        Self::Contradicted,
        Self::Misplaced,
        Self::Foreign,
        Self::Gap,
    ];

    /// Its name for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Duplicate => "duplicate",
            Self::Disordered => "disordered",
            Self::Corrupt => "corrupt",
            Self::Foreign => "foreign",
            Self::Contradicted => "contradicted",
            Self::Gap => "gap",
            Self::Misplaced => "misplaced",
        }
    }
}

/// One case of a finding. What is not known is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Example {
    /// What was found.
    pub finding: Finding,
    /// The producer's name.
    pub producer: Option<String>,
    /// The job.
    pub job: Option<u32>,
    /// The lowest sequence number of the job that it is about.
    pub first_sequence: Option<u64>,
    /// The highest.
    pub last_sequence: Option<u64>,
    /// The shard that the record was read from.
    pub shard: Option<String>,
    /// The record's sequence number in that shard.
    pub sequence_number: Option<String>,
    /// The record's partition key.
    pub partition_key: Option<String>,
    /// What is wrong with a corrupt record.
    pub corruption: Option<Corruption>,
}

/// Records of one producer, or of all. All but `extra_copies` and the claims are sequences of jobs, each counted once
/// however often it is in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Sequences claimed as sent.
    pub claimed_sent: u64,
    /// Sequences claimed as failed.
    pub claimed_failed: u64,
    /// Sequences claimed as unknown.
    pub claimed_unknown: u64,
    /// Sequences claimed more than once: two runs that can't be told apart.
    pub claimed_again: u64,
    /// Found in the stream.
    pub found: u64,
    /// Claimed as sent, and found.
    pub delivered: u64,
    /// Claimed as sent, and not found.
    pub missing: u64,
    /// Found more than once, although nobody said that it might be.
    pub duplicate: u64,
    /// Found more than once, as was said that it might be.
    pub duplicate_expected: u64,
    /// Copies beyond the first of all that was found more than once.
    pub extra_copies: u64,
    /// Claimed as failed, and found.
    pub contradicted: u64,
    /// Claimed as unknown, and found.
    pub unknown_stored: u64,
    /// Claimed as unknown, and not found.
    pub unknown_not_stored: u64,
    /// Found, and not claimed.
    pub unclaimed: u64,
    /// Neither found nor claimed, amid others of the job.
    pub gap: u64,
    /// Behind a record of its key that was due after this one had been acknowledged.
    pub disordered: u64,
    /// Behind a record of its key with a higher sequence, where nobody promised an order.
    pub overtaken: u64,
    /// The part of `overtaken` for which no acknowledgement was known, so that it can't be said whether it is
    /// disordered.
    pub order_unjudged: u64,
    /// Not as it was made, but known for which event it was.
    pub corrupt: u64,
    /// Found, and not compared, because the seed is not known.
    pub not_compared: u64,
    /// Found or claimed, but not followed: the audit had no room left.
    pub not_followed: u64,
}

impl Counts {
    /// Adds another's.
    pub fn add(&mut self, other: &Self) {
        self.claimed_sent += other.claimed_sent;
        self.claimed_failed += other.claimed_failed;
        self.claimed_unknown += other.claimed_unknown;
        self.claimed_again += other.claimed_again;
        self.found += other.found;
        self.delivered += other.delivered;
        self.missing += other.missing;
        self.duplicate += other.duplicate;
        self.duplicate_expected += other.duplicate_expected;
        self.extra_copies += other.extra_copies;
        self.contradicted += other.contradicted;
        self.unknown_stored += other.unknown_stored;
        self.unknown_not_stored += other.unknown_not_stored;
        self.unclaimed += other.unclaimed;
        self.gap = self.gap.saturating_add(other.gap);
        self.disordered += other.disordered;
        self.overtaken += other.overtaken;
        self.order_unjudged += other.order_unjudged;
        self.corrupt += other.corrupt;
        self.not_compared += other.not_compared;
        self.not_followed += other.not_followed;
    }
}

/// What became of one producer's records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProducerVerdict {
    /// Its name.
    pub name: String,
    /// Jobs of which a record was found or claimed.
    pub jobs: u64,
    /// Whether there are claims of it. Without them nothing can be missing, and a gap is a fault.
    pub claims: bool,
    /// Its records.
    #[serde(flatten)]
    pub counts: Counts,
}

/// What was read, as it stood in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Read {
    /// Shards that a record was read from.
    pub shards: u64,
    /// Records, those that were read again left out.
    pub records: u64,
    /// Their data, in bytes.
    pub bytes: u64,
    /// Records that were read again, and left out.
    pub again: u64,
    /// User records: of an aggregated record all that are in it.
    pub user_records: u64,
    /// User records that came out of aggregated ones.
    pub aggregated: u64,
    /// User records that were compressed.
    pub compressed: u64,
    /// User records of earlier runs of the same names, left out.
    pub earlier: u64,
}

/// A digest of the records without identity in one shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShardDigest {
    /// The shard.
    pub shard: String,
    /// What was read.
    pub read: Digest,
    /// What the producers say that they sent, where they say it.
    pub claimed: Option<Digest>,
}

impl ShardDigest {
    /// Records that are in the stream beyond those that the producers say they sent. What the others hold can't be
    /// compared then.
    #[must_use]
    pub fn more(&self) -> u64 {
        self.claimed.map_or(0, |claimed| self.read.records.saturating_sub(claimed.records))
    }

    /// Records that the producers say they sent, and that are not in the stream, at the least.
    #[must_use]
    pub fn fewer(&self) -> u64 {
        self.claimed.map_or(0, |claimed| claimed.records.saturating_sub(self.read.records))
    }

    /// Records that the producers say they sent, as many of them as are in the stream.
    #[must_use]
    pub fn found(&self) -> u64 {
        self.claimed.map_or(0, |claimed| self.read.records.min(claimed.records))
    }

    /// Whether not everything is there as it was sent.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        self.claimed.is_some_and(|claimed| self.more() == 0 && claimed != self.read)
    }
}

/// A distribution of durations, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Latency {
    /// Records that it was measured for.
    pub records: u64,
    /// Half of them took no longer.
    pub p50_seconds: f64,
    /// 90 % of them took no longer.
    pub p90_seconds: f64,
    /// 99 % of them took no longer.
    pub p99_seconds: f64,
    /// None took longer.
    pub max_seconds: f64,
}

impl From<&Durations> for Latency {
    fn from(durations: &Durations) -> Self {
        let seconds = |duration: Option<Duration>| duration.map_or(0.0, |one| one.as_secs_f64());
        Self {
            records: durations.count(),
            p50_seconds: seconds(durations.quantile(0.5)),
            p90_seconds: seconds(durations.quantile(0.9)),
            p99_seconds: seconds(durations.quantile(0.99)),
            max_seconds: seconds(durations.max()),
        }
    }
}

/// How long records took. Clocks of several machines are compared: a record that was somewhere before it was due
/// counts as 0.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Latencies {
    /// From the time that an event carries to ApproximateArrivalTimestamp.
    pub due_to_arrived: Latency,
    /// From the time that an event carries to when it was read.
    pub due_to_read: Latency,
    /// From the acknowledgement to when it was read; for records whose claim came first and is among the latest.
    pub acknowledged_to_read: Latency,
}

/// The end of an audit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// Whether nothing is wrong.
    pub clean: bool,
    /// What was read.
    pub read: Read,
    /// All producers together.
    pub total: Counts,
    /// Each producer, by name.
    pub producers: Vec<ProducerVerdict>,
    /// User records that are ours and damaged so that nobody can say which they were. Each of them is one that is
    /// missing, if it was claimed.
    pub corrupt_unidentified: u64,
    /// User records in aggregates that hold one of another shard than the one they were read from: they are there, but
    /// readers of the Kinesis Producer Library (KCL) drop them.
    pub misplaced: u64,
    /// User records that are not ours.
    pub foreign: u64,
    /// Whether foreign records are no fault.
    pub foreign_allowed: bool,
    /// User records without identity.
    pub anonymous: u64,
    /// Their digests, by shard.
    pub digests: Vec<ShardDigest>,
    /// Records beyond those that producers without identity say they sent, and nobody's word explains them: neither
    /// was one perhaps stored twice, nor is one of unknown fate, nor may others write to the stream.
    pub unexplained: u64,
    /// How long records took.
    pub latency: Latencies,
    /// The first cases of each finding.
    pub examples: Vec<Example>,
}

impl Verdict {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.clean
    }

    /// How many cases of a finding there are.
    #[must_use]
    pub fn count(&self, finding: Finding) -> u64 {
        let total = &self.total;
        match finding {
            Finding::Missing => total.missing,
            Finding::Duplicate => total.duplicate,
            Finding::Disordered => total.disordered,
            Finding::Corrupt => total.corrupt + self.corrupt_unidentified,
            Finding::Foreign => self.foreign,
            Finding::Contradicted => total.contradicted,
            Finding::Gap => total.gap,
            Finding::Misplaced => self.misplaced,
        }
    }

    /// The shards in which something without identity is missing, or is not what was sent.
    pub fn wrong_digests(&self) -> impl Iterator<Item = &ShardDigest> {
        self.digests.iter().filter(|one| one.is_wrong())
    }

    /// Records without identity that are in the stream beyond those that the producers say they sent.
    #[must_use]
    pub fn more(&self) -> u64 {
        self.digests.iter().map(ShardDigest::more).sum()
    }

    /// Whether this finding is a fault of the run: a gap is none where the producer has claims, for then it is known
    /// that nothing of it was counted as sent; foreign records are none where they are allowed.
    #[must_use]
    pub fn is_fault(&self, finding: Finding) -> bool {
        match finding {
            Finding::Gap => self.producers.iter().any(|one| one.counts.gap > 0 && !one.claims),
            Finding::Foreign => self.foreign > 0 && !self.foreign_allowed,
            other => self.count(other) > 0,
        }
    }

    /// What [`Self::clean`] is, from the counts.
    pub(super) fn judge(&self) -> bool {
        let faults = Finding::ALL.into_iter().any(|finding| self.is_fault(finding));
        let blind = self.total.not_followed + self.total.claimed_again > 0;
        !faults && !blind && self.unexplained == 0 && self.wrong_digests().next().is_none()
    }
}

/// How far an audit has come: counts that only grow, for metrics and a live line. What is missing is not among them:
/// it is not known before the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Records read, those read again left out.
    pub records: u64,
    /// Their data, in bytes.
    pub bytes: u64,
    /// User records in them.
    pub user_records: u64,
    /// Copies beyond the first, expected or not.
    pub extra_copies: u64,
    /// Corrupt user records.
    pub corrupt: u64,
    /// Foreign user records.
    pub foreign: u64,
    /// User records in aggregates that hold one of another shard.
    pub misplaced: u64,
    /// User records without identity.
    pub anonymous: u64,
    /// Disordered ones, as far as it could be said when they were read.
    pub disordered: u64,
    /// Ones behind a higher sequence of their key.
    pub overtaken: u64,
    /// Records that producers have claimed, whatever their fate.
    pub claimed: u64,
}
