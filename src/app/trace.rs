//! A trace in place of the schedule: opened before anything else; what the run's settings make of it.

use super::StartError;
use crate::config::{Config, Load, Replay};
use crate::replay::{Kind, Rules, Trace};

/// How it is played; `together`: most records of one release.
pub(super) fn rules(replay: &Replay, load: &Load, together: usize) -> Rules {
    Rules {
        speed: replay.speed.ten_thousandths(),
        jobs: load.jobs,
        slice_records: together,
        duration: load.duration,
        max_records: load.max_records,
    }
}

/// Opens the trace, if one is to be replayed.
pub(super) fn open(config: &Config) -> Result<Option<Trace>, StartError> {
    let Some(Replay { path, again, .. }) = &config.load.replay else { return Ok(None) };
    Ok(Some(Trace::open(path, *again)?))
}

/// Whether the records are others', as they were recorded: nobody can make them again.
pub(super) fn is_recorded(trace: Option<&Trace>) -> bool {
    trace.is_some_and(|trace| trace.kind() == Kind::Payloads)
}

/// Most records in a second of a trace as it is played, as far as its head shows it; none without a trace.
pub(super) fn peak(config: &Config, trace: Option<&Trace>) -> Option<u64> {
    let speed = config.load.replay.as_ref()?.speed.value();
    Some((trace?.head().peak as f64 * speed).ceil() as u64)
}
