//! Reads what is to be replayed in place of a schedule, and what has no effect then.

use std::path::PathBuf;

use super::asked::Asked;
use super::model::{Load, Replay};
use super::settings as table;
use crate::key::Decimal;

/// What a trace is named by in place of a profile.
pub(super) const PREFIX: &str = "replay:";

/// The trace in place of the schedule: of its own setting, or `replay:FILE` as the profile.
pub(super) fn replay(asked: &mut Asked) -> Option<Option<Replay>> {
    let as_profile =
        asked.value(&table::PROFILE).and_then(|(_, text)| Some(text.strip_prefix(PREFIX)?.to_owned()));
    let source = if as_profile.is_some() { table::PROFILE } else { table::REPLAY };
    let path = asked.optional(&source, |asked, setting| {
        asked.read(setting, |text| match text.strip_prefix(PREFIX).unwrap_or(text) {
            "" => Err(None),
            path => Ok(PathBuf::from(path)),
        })
    });
    let speed = asked.read(&table::SPEED, |text| {
        text.parse().ok().filter(|speed: &Decimal| (0.001..=1_000.0).contains(&speed.value())).ok_or(None)
    });
    let again = asked.parsed(&table::LOOP);
    let is_replay = asked.is_given(&source);
    for (setting, has_effect) in [
        (table::SPEED, is_replay),
        (table::LOOP, is_replay),
        (table::MESSAGES, !is_replay),
        (table::RATE, !is_replay),
        (table::CRON, !is_replay),
        (table::PACING, !is_replay),
    ] {
        if !has_effect && asked.is_given(&setting) {
            let (name, replay) = (asked.origin(&setting), asked.origin(&source));
            let why = if is_replay { "has a timing of its own" } else { "names no trace" };
            asked.notices.push(format!("{name} has no effect, because {replay} {why}"));
        }
    }
    let (path, speed, again) = (path?, speed?, again?);
    Some(path.map(|path| Replay { path, speed, again }))
}

/// A trace has no part that would be one instance's, and a beginning of its own.
pub(super) fn check_whole(asked: &mut Asked, load: &Load, shared: bool, starts: bool) {
    if load.replay.is_none() {
        return;
    }
    let source = if asked.is_given(&table::REPLAY) { table::REPLAY } else { table::PROFILE };
    for setting in [(table::INSTANCE_COUNT, shared), (table::START_AT, starts)] {
        if let (setting, true) = setting {
            let why = "a trace is played whole, and from its own beginning: leave one of them out";
            asked.together(&[source, setting], why.to_owned());
        }
    }
}
