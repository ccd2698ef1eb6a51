//! A trace in place of the schedule: opened before anything else; what the run's settings make of it.

use super::StartError;
use crate::config::{Config, Load, Replay};
use crate::kinesis::Limits;
use crate::replay::{Kind, Rules, Trace};

/// How it is played.
pub(super) fn rules(replay: &Replay, load: &Load, limits: Limits) -> Rules {
    Rules {
        speed: replay.speed.ten_thousandths(),
        jobs: load.jobs,
        slice_records: limits.request_records,
        duration: load.duration,
        max_records: load.max_records,
    }
}

/// Opens the trace, if one is to be replayed.
pub(super) fn open(config: &Config) -> Result<Option<Trace>, StartError> {
    let Some(Replay { path, again, .. }) = &config.load.replay else { return Ok(None) };
    let trace = Trace::open(path, *again)?;
    if config.verify && trace.kind() == Kind::Payloads {
        return Err(StartError::UnverifiableTrace(path.display().to_string()));
    }
    Ok(Some(trace))
}

/// Most records in a second of a trace as it is played, as far as its head shows it; none without a trace.
pub(super) fn peak(config: &Config, trace: Option<&Trace>) -> Option<u64> {
    let speed = config.load.replay.as_ref()?.speed.value();
    Some((trace?.head().peak as f64 * speed).ceil() as u64)
}
