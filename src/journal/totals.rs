//! The counts of a session at one moment: what its checkpoints say, and what its claims add up to.

use std::fmt::Write as _;

use crate::ledger::{Claim, Dropped, Failed, Fate, Snapshot, Tally, Unknown};

/// Most records that are counted in one place, far beyond any run: what is read may be hostile, and no sum of some
/// counts may be more than a number holds.
const MOST: u64 = 1 << 56;

/// Records by fate. Sums of claims leave `due`, `generated` and `dropped` at 0: claims know nothing of them.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Totals {
    /// Records that the schedule asked for.
    pub due: u64,
    /// Records made.
    pub generated: u64,
    /// Records due and never made, by cause.
    pub dropped: Tally<Dropped>,
    /// Records claimed as sent.
    pub sent: u64,
    /// How many of them an earlier attempt without answer may have stored as well.
    pub perhaps_twice: u64,
    /// Records claimed as failed, by cause.
    pub failed: Tally<Failed>,
    /// Records claimed as unknown, by cause.
    pub unknown: Tally<Unknown>,
    /// Records whose claims found no room while the disk could not follow: their fate was known and is not written.
    pub lost: u64,
}

impl Totals {
    /// Adds what a claim says.
    pub fn add(&mut self, claim: &Claim) {
        let records = claim.records();
        match claim.fate {
            Fate::Sent { perhaps_twice } => {
                self.sent += room(self.sent, records);
                if perhaps_twice {
                    self.perhaps_twice += room(self.perhaps_twice, records);
                }
            }
            Fate::Failed(why) => self.failed.add(why, room(self.failed.get(why), records)),
            Fate::Unknown(why) => self.unknown.add(why, room(self.unknown.get(why), records)),
        }
    }

    /// Takes over what only the ledger knows.
    pub(super) fn note(&mut self, counts: &Snapshot) {
        self.due = counts.due;
        self.generated = counts.generated;
        self.dropped.clone_from(&counts.dropped);
    }

    /// Records whose fate is claimed.
    #[must_use]
    pub fn claimed(&self) -> u64 {
        self.sent + self.failed.total() + self.unknown.total()
    }

    /// Whether both claim the same of every fate and cause.
    #[must_use]
    pub fn claims_equal(&self, other: &Self) -> bool {
        (self.sent, self.perhaps_twice) == (other.sent, other.perhaps_twice)
            && self.failed == other.failed
            && self.unknown == other.unknown
    }

    /// Appends the counts that are not 0, each as ` name=count`.
    pub(super) fn write(&self, out: &mut String) {
        let mut pair = |name: &str, label: &str, count: u64| {
            if count > 0 {
                // Writing into a String can't fail.
                let _ = write!(out, " {name}{label}={count}");
            }
        };
        pair("due", "", self.due);
        pair("generated", "", self.generated);
        self.dropped.iter().for_each(|(why, count)| pair("dropped.", why.label(), count));
        pair("sent", "", self.sent);
        pair("perhaps_twice", "", self.perhaps_twice);
        self.failed.iter().for_each(|(why, count)| pair("failed.", why.label(), count));
        self.unknown.iter().for_each(|(why, count)| pair("unknown.", why.label(), count));
        pair("lost", "", self.lost);
    }

    /// Reads what [`write`](Self::write) wrote; none for anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut totals = Self::default();
        for pair in text.split(' ').filter(|pair| !pair.is_empty()) {
            let (name, count) = pair.split_once('=')?;
            let count = super::line::number(count).filter(|&count| count <= MOST)?;
            let (name, label) = name.split_once('.').unwrap_or((name, ""));
            match (name, label) {
                ("due", "") => totals.due = count,
                ("generated", "") => totals.generated = count,
                ("sent", "") => totals.sent = count,
                ("perhaps_twice", "") => totals.perhaps_twice = count,
                ("lost", "") => totals.lost = count,
                ("dropped", label) => {
                    set(&mut totals.dropped, super::line::label(Dropped::ALL, label)?, count)?
                }
                ("failed", label) => set(&mut totals.failed, super::line::label(Failed::ALL, label)?, count)?,
                ("unknown", label) => {
                    set(&mut totals.unknown, super::line::label(Unknown::ALL, label)?, count)?
                }
                _ => return None,
            }
        }
        Some(totals)
    }
}

/// How many of `records` may still be added to a count.
fn room(count: u64, records: u64) -> u64 {
    records.min(MOST - count.min(MOST))
}

/// Sets a count that was not set before.
fn set<L: crate::ledger::Label>(tally: &mut Tally<L>, label: L, count: u64) -> Option<()> {
    (tally.get(label) == 0).then(|| tally.add(label, count))
}
