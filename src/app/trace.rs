//! A trace in place of the schedule: opened before anything else, and held against the guards.

use super::{Reached, StartError};
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

/// Whether the guards let the trace be played where it would go.
pub(super) fn guard(
    config: &Config,
    trace: Option<&Trace>,
    reached: Option<&Reached>,
) -> Result<(), StartError> {
    let (Some(replay), Some(trace), Some(reached)) = (&config.load.replay, trace, reached) else {
        return Ok(());
    };
    let rate = trace.head().peak as f64 * replay.speed.value();
    let here = reached.embedded.is_some() || reached.lane.is_on_this_machine();
    Ok(super::guard::trace(config, &reached.facts.arn, here, rate.ceil() as u64)?)
}
