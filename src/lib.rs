//! A load-generating producer for Amazon Kinesis Data Streams: a known load in, the truth about every record out.
//!
//! The modules stand in the order in which a record travels:
//!
//! ```text
//! config → schedule → generate → key → batch → send → ledger → expose
//!   what      when       what      to     how     over    what     what can
//!   was asked            is made   which  many    the     became   be seen
//!                                  shard  together wire   of it
//! ```
//!
//! [`pipeline`] tells that story in one file; [`app`] is the composition root, the only file that knows everyone.

#[macro_use]
mod named;

pub mod aggregate;
pub mod app;
pub mod batch;
pub mod cbor;
pub mod config;
pub mod crash;
pub mod exit;
pub mod expose;
pub mod generate;
pub mod journal;
pub mod key;
pub mod kinesis;
pub mod ledger;
pub mod local;
pub mod pipeline;
pub mod replay;
pub mod schedule;
pub mod send;
pub mod verify;
