//! The settings of many producers on one stream: who each one is, which part of the load is its own, when all begin.

use super::super::setting::Absent::Means;
use super::super::setting::Form::{Number, Own};
use super::super::setting::{Group, Scope, Setting};

/// Most instances of one load: as many as jobs, which is more than anybody has run.
pub const MOST_INSTANCES: u64 = 10_000;

/// How many instances share the load.
pub const INSTANCE_COUNT: Setting = Setting::new(
    Group::Fleet,
    "STREAMER_INSTANCE_COUNT",
    "instance-count",
    "N",
    Number { min: 1, max: MOST_INSTANCES },
    Means("none: the whole load is this instance's"),
    "How many instances share the load: jobs, messages and records are then those of all together, and each gives an equal part (docs/fleet.md)",
)
.scope(Scope::Sample);

/// Which of them this one is.
pub const INSTANCE_INDEX: Setting = Setting::new(
    Group::Fleet,
    "STREAMER_INSTANCE_INDEX",
    "instance-index",
    "N",
    Number { min: 0, max: MOST_INSTANCES - 1 },
    Means("STREAMER_INSTANCE_SLOT less 1, else the number at the end of the host's name"),
    "Which of them this one is, from 0 on; its name in events ends in this number",
)
.aliases(&["JOB_COMPLETION_INDEX"])
.scope(Scope::Sample);

/// The same, for those that count from 1.
pub const INSTANCE_SLOT: Setting = Setting::new(
    Group::Fleet,
    "STREAMER_INSTANCE_SLOT",
    "instance-slot",
    "N",
    Number { min: 1, max: MOST_INSTANCES },
    Means("none"),
    "The same counted from 1, as Docker Swarm's {{.Task.Slot}} is",
)
.scope(Scope::Sample);

/// When the schedule begins.
pub const START_AT: Setting = Setting::new(
    Group::Fleet,
    "STREAMER_START_AT",
    "start-at",
    "WHEN",
    Own(
        "a time such as 2026-11-21T12:00:00Z, seconds since 1970-01-01 UTC, or + and whole seconds such as +30s, from +1s to +24h",
    ),
    Means("with the next due second"),
    "The moment from which on seconds are due, the same for all instances; STREAMER_DURATION counts from it. +30s is the next multiple of 30 seconds that is 30 seconds or more away. Who comes late joins at once and makes up for nothing",
);
