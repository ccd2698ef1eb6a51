//! What a run would do, told without sending anything.

use std::time::Duration;

use super::aggregation;
use super::offered::Offered;
use super::plan::{facts, first_second};
use super::stages::{Stages, reach, shards};
use super::start_error::StartError;
use super::trace;
use crate::config::Config;
use crate::expose::start_text;
use crate::generate::Event;
use crate::schedule::wall;

/// What a run by `config` with `event`, which `config.event` names, would do, as text: the plan, and the requests of
/// its first due second. Sends nothing.
///
/// # Errors
/// Why the run could not begin.
pub async fn dry_run(config: &Config, event: &Event) -> Result<String, StartError> {
    let trace = trace::open(config)?;
    let offered = Offered::read(config, event)?;
    let reached = reach(config, trace::peak(config, trace.as_ref()).unwrap_or(offered.peak)).await?;
    let Stages { limits, maker, keyer, envelope } =
        Stages::build(config, event, trace.as_ref(), reached.as_ref())?;
    let now = wall();
    let start_at = config.start_at.map(|start| start.moment(now));
    let planned = facts(config, &offered, reached.as_ref(), &maker, &keyer, trace.as_ref(), start_at);
    let planned = aggregation::told(config, limits, &maker, planned);
    if trace.is_some() {
        return Ok(start_text(&planned));
    }
    let begin = start_at.unwrap_or_default().saturating_sub(Duration::from_secs(1)).max(now);
    let map = shards(config, reached.as_ref());
    let second = first_second(config, &offered, &envelope, (limits, &map), &maker, &keyer, begin);
    let told: String = offered.notices.iter().map(|notice| format!("notice: {notice}\n")).collect();
    Ok(start_text(&planned) + &told + &second)
}
