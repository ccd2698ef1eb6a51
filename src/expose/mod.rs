//! What can be seen of a run: metrics, health, progress, and the texts at its start and end.
//!
//! Every view renders one [`Snapshot`](crate::ledger::Snapshot) of the ledger and counts nothing of its own,
//! so two views of the same moment never disagree. Nothing here reads a clock but the server's timeouts.

mod aggregated;
mod answer;
mod bar;
mod capacity;
mod catalogue;
mod chart;
mod check;
mod comparison;
mod console;
mod control;
mod course;
mod feed;
mod forecast;
mod held;
mod human;
mod journal;
mod limiting;
mod message;
mod metrics;
#[cfg(feature = "otlp")]
pub mod otlp;
mod page;
mod picture;
mod progress;
mod reading;
mod reading_metrics;
mod rows;
mod screen;
mod server;
mod slots;
mod start;
mod stream;
mod stream_plan;
mod summary;
mod throttles;
pub mod tui;
mod verdict;
mod view;

pub use aggregated::AggregationPlan;
pub use bar::Bar;
pub use capacity::{CapacityReport, Measured, capacity_line};
pub use catalogue::{Kind, LabelInfo, METRICS, MetricInfo, READING_METRICS, Values, markdown_table};
pub use chart::Chart;
pub use check::{CheckReport, Finding, Level, LoadPlan, Packed};
pub use comparison::{Compared, ComparedLoad, comparison_json, comparison_text};
pub use console::{Console, ConsoleWriter};
pub use control::{Command, Gate, MOST_FACTOR, QUEUE, Wish, factor_words};
pub use course::{Course, Follow, Goal};
pub use feed::MOST_LOOKERS;
pub use forecast::Forecast;
pub use held::Pane;
pub use human::{bytes as human_bytes, escaped, grouped, share as human_share, span as human_span};
pub use journal::{journal_json, journal_text};
pub use limiting::{Around, Limit, Recent, limiting, processors};
pub use metrics::{MOST_SHARD_LABELS, Metrics, MetricsError};
pub use progress::Progress;
pub use reading::reading_line;
pub use screen::Terminal;
pub use server::{Bounds, Server};
pub use start::{Capacity, PlanFacts, ShapeFacts, SharePlan, StreamPlan, log_start, start_text, warnings};
pub use stream::{StreamTable, stream_json, stream_text};
pub use summary::{RunFacts, summary_text, verdict, why};
pub use verdict::{verdict_line, verdict_text};
pub use view::{About, Phase, Steered, View};
