//! What is to be thought of a run: whether this client was its limit, and whether thresholds are kept.
//!
//! Decides on numbers alone; who measures them, and who is told, is not known here. Every statistic has its definition
//! in `docs/metrics.md`.

mod client;
mod metric;
mod threshold;

pub use client::{Finding, Second, client_findings, strains};
pub use metric::{Facts, METRICS, Metric, Unit, markdown_table};
pub use threshold::{Breach, Threshold, ThresholdError, Verdict};
