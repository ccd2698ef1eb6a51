//! Export of the metrics by OpenTelemetry's protocol, for those who have no Prometheus; in programs built for it.
//!
//! The same families as `/metrics` shows, of the same one snapshot: nothing is counted or aggregated here.

mod export;
mod message;

pub use export::{Exporter, OtlpError, Target};
