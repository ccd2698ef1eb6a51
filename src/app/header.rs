//! What a journal says of the run at its beginning.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::stages::Reached;
use super::trace::is_recorded;
use crate::config::Config;
use crate::generate::Shaping;
use crate::journal::Header;
use crate::replay::Trace;

/// What the event of a run is called that replayed others' records, before the trace's path.
pub(super) const RECORDED: &str = "replay:";

/// What a journal says of the run.
pub(super) fn of_run(config: &Config, trace: Option<&Trace>, reached: &Reached) -> Header {
    // Records of others can't be made again, so the event is none that a reader could take for one.
    let recorded = config.load.replay.as_ref().filter(|_| is_recorded(trace));
    let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Header {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        producer: config.producer.clone(),
        seed: config.seed.value,
        event: match recorded {
            Some(replay) => format!("{RECORDED}{}", replay.path.display()),
            None => config.event.to_string(),
        },
        shaping: (config.shaping != Shaping::default()).then(|| config.shaping.to_string()),
        partition_key: config.key.to_string(),
        stream: reached.stream.name().to_string(),
        arn: reached.embedded.is_none().then(|| reached.facts.arn.clone()),
        jobs: config.load.jobs,
        started_millis: started.as_millis() as u64,
    }
}
