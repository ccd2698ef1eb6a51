//! `streamer`: what KDG does not have, so that a reader can tell which record it has before it.

use super::super::op::Op;
use super::{Function, function};

/// The module's name.
pub(super) const MODULE: &str = "streamer";

pub(super) const STREAMER: &[Function] = &[
    function(
        MODULE,
        "id",
        "",
        "not in KDG: a UUID that belongs to this record alone, and comes again with its seed",
        |_| Ok(vec![Op::Id]),
    ),
    function(MODULE, "producer", "", "not in KDG: this producer's name", |_| Ok(vec![Op::Producer])),
    function(MODULE, "job", "", "not in KDG: the job's number", |_| Ok(vec![Op::Job])),
    function(MODULE, "sequence", "", "not in KDG: the record's number within its job, from 0", |_| {
        Ok(vec![Op::Sequence])
    }),
];
