//! What the page tells of a run that does not change.

use super::offered::Offered;
use crate::config::Config;
use crate::expose::{About, PlanFacts};
use crate::schedule::Offer;

/// Whether the load has a phase to go on to.
pub(super) fn has_phases(config: &Config, offered: &Offered) -> bool {
    let Offer::Shaped(shaped) = &offered.offer else { return false };
    config.load.replay.is_none() && shaped.profile().next_phase(0).is_some()
}

/// The facts of a run for its page; nothing of them is secret.
pub(super) fn of_run(config: &Config, offered: &Offered, plan: &PlanFacts) -> About {
    let stream = plan.stream.as_ref();
    let name = |(at, name): (usize, &str)| {
        if name.is_empty() { format!("phase {}", at + 1) } else { name.to_owned() }
    };
    let phases = match &offered.offer {
        Offer::Shaped(shaped) if has_phases(config, offered) => {
            let phases = shaped.profile().phases().iter();
            phases.map(|phase| phase.name.as_str()).enumerate().map(name).collect()
        }
        _ => Vec::new(),
    };
    let mut settings: Vec<(String, String)> =
        config.variables().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    settings.sort();
    About {
        version: plan.version.clone(),
        stream: stream.map_or(String::new(), |stream| stream.name.clone()),
        instance: plan.instance.clone(),
        shards: stream.map_or(0, |stream| stream.shards as usize),
        max_in_flight: plan.max_in_flight,
        load: plan.replay.clone().unwrap_or_else(|| plan.load()),
        phases,
        duration: plan.duration.map(|duration| duration.as_millis() as u64),
        control: config.control.is_some() && config.listen.is_some(),
        settings,
    }
}
