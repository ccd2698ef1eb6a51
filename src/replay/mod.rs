//! A trace played again with its own timing: read from disk by one thread, released on time by another.
//!
//! Decides what a line of a trace means and when its records are due. Sends nothing, and never waits for a send.

mod csv;
mod error;
mod json;
mod line;
mod moment;
mod player;
mod source;
mod spool;

pub use error::TraceError;
pub use line::{Kind, Recorded};
pub use player::{Due, Player, Rules, Step};
pub use source::{Head, Span, Trace};
pub use spool::{Block, Spool};

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;
