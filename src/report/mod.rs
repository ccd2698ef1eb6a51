//! What is kept of a run: the report, its reader, its page, and what can be told of two or many.
//!
//! Pure: values and texts in, values and texts out; files are opened by others. `docs/report.md` is the reference.

mod build;
pub mod compare;
mod distribution;
mod document;
mod html;
mod merge;

pub use build::{Parts, build};
pub use distribution::Distribution;
pub use document::{
    Client, Counts, Document, HeatColumn, Instance, MarkRow, NAME, ReadError, ShardRow, SpanRow, Times,
    VERSION,
};
pub use html::page;
pub use merge::{MergeError, merge};

#[cfg(test)]
mod tests;
