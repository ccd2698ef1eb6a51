//! The producer's own word on disk: what became of every record, so that it survives the process, even `kill -9`.
//!
//! A journal holds sessions (runs); a session is a header, claims, checkpoints and an end mark, in blocks that count
//! only when they are whole (`docs/journal.md` is the format). Decides what is written, when, and how it is read
//! back; what a claim says is the ledger's, and whether it is true is for whoever reads the stream.

mod account;
mod block;
mod header;
mod line;
mod open;
mod reader;
mod totals;
mod writer;

#[cfg(test)]
mod law_tests;
#[cfg(test)]
mod writer_tests;

pub use account::{Account, accounts};
pub use header::{FORMAT, Header};
pub use open::{JournalError, Opened, is_being_written, open};
pub use reader::{Item, ReadError, Reader};
pub use totals::Totals;
pub use writer::{FLUSH_EVERY, Finished, Journal};
