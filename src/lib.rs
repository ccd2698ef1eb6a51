//! A load-generating producer for Amazon Kinesis Data Streams: a known load in, the truth about every record out.
//!
//! The modules stand in the order in which a record travels.

pub mod batch;
pub mod generate;
pub mod key;
pub mod kinesis;
pub mod ledger;
pub mod schedule;
pub mod send;
