//! What a journal says of each session, added up: for people who ask what a run had done before it was killed.
//!
//! Decides how far the sums may be trusted; whether the claims are true is for whoever reads the stream.

use std::io::BufRead;

use super::{Header, Item, ReadError, Reader, Totals};
use crate::ledger::Snapshot;

/// One session, added up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// What the run was.
    pub header: Header,
    /// The counts: claims as they add up, the rest as the last checkpoint says it.
    pub totals: Totals,
    /// What ended the run; none when the journal stops without an end mark.
    pub ended: Option<String>,
    /// When the last claim was known, in milliseconds since the Unix epoch; the run's start when there is none.
    pub last_millis: u64,
    /// Bytes at the session's end that a kill cut off, or that are being written just now.
    pub cut_off_bytes: u64,
    /// Bytes that can't be believed.
    pub damaged_bytes: u64,
    /// Whether every checkpoint said what the claims before it add up to.
    pub adds_up: bool,
}

impl Account {
    /// The counts as a run tells them. In flight is what the journal does not tell the fate of: records that were in
    /// flight when it stopped, that were settled in its last moments, or whose claims are lost or damaged.
    #[must_use]
    pub fn counts(&self) -> Snapshot {
        let told = &self.totals;
        // The last checkpoint may be older than the last claim.
        let generated = told.generated.max(told.claimed() + told.lost);
        Snapshot {
            due: generated + told.dropped.total(),
            generated,
            dropped: told.dropped.clone(),
            sent: told.sent,
            perhaps_twice: told.perhaps_twice,
            failed: told.failed.clone(),
            unknown: told.unknown.clone(),
            in_flight: generated - told.claimed(),
            ..Snapshot::default()
        }
    }

    /// Whether all that was written is here and adds up. A session that was cut off is sound too.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.adds_up && self.damaged_bytes == 0 && self.totals.lost == 0
    }

    fn take_totals(&mut self, told: Totals) {
        self.adds_up &= told.claims_equal(&self.totals);
        let Totals { due, generated, dropped, lost, .. } = told;
        self.totals = Totals { due, generated, dropped, lost, ..std::mem::take(&mut self.totals) };
    }
}

/// Adds up every session of a journal, up to what is there now.
///
/// # Errors
/// When the file can't be read, is no journal, or its first session's header can't be believed.
pub fn accounts<R: BufRead>(reader: &mut Reader<R>) -> Result<Vec<Account>, ReadError> {
    let mut all: Vec<Account> = Vec::new();
    let mut before = 0; // damaged bytes before any session
    while let Some(item) = reader.read()? {
        if let Item::Session(header) = item {
            all.push(Account {
                last_millis: header.started_millis,
                header,
                totals: Totals::default(),
                ended: None,
                cut_off_bytes: 0,
                damaged_bytes: std::mem::take(&mut before),
                adds_up: true,
            });
            continue;
        }
        let Some(last) = all.last_mut() else {
            if let Item::Damaged { bytes, .. } = item {
                before += bytes;
            }
            continue;
        };
        match item {
            Item::Session(_) | Item::Stored(_) => {}
            Item::Claim(claim) => {
                last.last_millis = last.last_millis.max(claim.at_millis);
                last.totals.add(&claim);
            }
            Item::Checkpoint(totals) => last.take_totals(totals),
            Item::End(totals, ended) => {
                last.take_totals(totals);
                last.ended = Some(ended);
            }
            Item::CutOff { bytes } => last.cut_off_bytes += bytes,
            Item::Damaged { bytes, .. } => last.damaged_bytes += bytes,
        }
    }
    match all.last_mut() {
        Some(last) => last.cut_off_bytes += reader.unfinished(),
        // A file of nothing but an unfinished or damaged header has no session to tell of.
        None if before > 0 => return Err(ReadError::NotAJournal),
        None => {}
    }
    Ok(all)
}
