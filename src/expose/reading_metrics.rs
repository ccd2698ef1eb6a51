//! The metrics of reading back: families of one look at the board. What is missing is not among them, because it is
//! not known before the end.

use std::sync::Arc;

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;

use super::catalogue::{self as table, READING_METRICS};
use super::metrics::{describe, labelled, plain};
use crate::verify::{Board, CallOutcome};

/// Renders a board; registered once.
#[derive(Debug)]
pub(super) struct ReadingCollector {
    board: Arc<Board>,
    descs: Vec<Desc>,
}

impl ReadingCollector {
    pub(super) fn new(board: Arc<Board>) -> Self {
        Self { board, descs: READING_METRICS.iter().map(describe).collect() }
    }
}

impl Collector for ReadingCollector {
    fn desc(&self) -> Vec<&Desc> {
        self.descs.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let counts = self.board.counts();
        let audit = &counts.audit;
        let calls = CallOutcome::ALL.map(CallOutcome::label).into_iter().zip(counts.calls);
        vec![
            plain(&table::VERIFY_RECORDS, counts.records as f64),
            plain(&table::VERIFY_BYTES, counts.bytes as f64),
            labelled(&table::VERIFY_CALLS, calls),
            plain(&table::VERIFY_BEHIND, counts.behind_millis as f64 / 1e3),
            plain(&table::VERIFY_SHARDS, counts.reading as f64),
            plain(&table::VERIFY_CLAIMED, audit.claimed as f64),
            plain(&table::VERIFY_COPIES, audit.extra_copies as f64),
            plain(&table::VERIFY_CORRUPT, audit.corrupt as f64),
            plain(&table::VERIFY_FOREIGN, audit.foreign as f64),
            plain(&table::VERIFY_DISORDERED, audit.disordered as f64),
            plain(&table::VERIFY_MISPLACED, audit.misplaced as f64),
        ]
    }
}

#[cfg(test)]
mod tests {
    use prometheus::Registry;
    use tokio::time::Instant;

    use super::*;

    #[test]
    fn every_metric_of_the_table_is_there_and_no_other() {
        let registry = Registry::new();
        let collector = ReadingCollector::new(Arc::new(Board::new(Instant::now())));
        registry.register(Box::new(collector)).expect("names are legal and different");
        let mut told: Vec<String> = registry.gather().iter().map(|family| family.name().to_owned()).collect();
        let mut names: Vec<&str> = READING_METRICS.iter().map(|metric| metric.name).collect();
        told.sort_unstable();
        names.sort_unstable();
        assert_eq!(told, names);
    }
}
