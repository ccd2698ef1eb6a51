//! The settings of payloads: how large events are, what is done to them, and what is put into them on purpose.

use super::super::setting::Absent::{Means, Value};
use super::super::setting::Form::{self, OneOf, Own};
use super::super::setting::{Group, Scope, Setting};
use super::MOST_BYTES;

/// How large events are.
pub const EVENT_SIZE: Setting = Setting::new(
    Group::Events,
    "STREAMER_EVENT_SIZE",
    "event-size",
    "SIZE",
    Own(
        "a size such as 1KiB, uniform:LEAST..MOST, or lognormal:MEDIAN,p99=SIZE[,most=SIZE] (most is 1023KiB unless given)",
    ),
    Means("as large as they are"),
    "How large the data of a record is before compression, to the byte: events are padded, JSON stays JSON",
)
.scope(Scope::Sample);

/// Which faults are put in on purpose.
pub const INJECT: Setting = Setting::new(
    Group::Events,
    "STREAMER_INJECT",
    "inject",
    "FAULTS",
    Own(
        "one or more of late:1%/30s, duplicate:0.5%/3, reordered:2%/10, malformed:0.1%, oversize:0.01%/256KiB with commas between them",
    ),
    Means("none"),
    "Faults that are put into the records on purpose, each at its share, so that a consumer can be examined (docs/events.md)",
)
.scope(Scope::Sample);

/// How data is compressed.
pub const COMPRESSION: Setting = Setting::new(
    Group::Events,
    "STREAMER_COMPRESSION",
    "compression",
    "METHOD",
    OneOf(&["none", "gzip", "zstd"]),
    Value("none"),
    "How the data of each record is compressed, by itself",
);

/// What stands behind each event.
pub const FRAMING: Setting = Setting::new(
    Group::Events,
    "STREAMER_FRAMING",
    "framing",
    "FRAMING",
    OneOf(&["none", "newline"]),
    Value("none"),
    "What stands behind each event in its record: with newline, records that are joined are lines",
);

/// How large aggregated records are.
pub const AGGREGATION: Setting = Setting::new(
    Group::Events,
    "STREAMER_AGGREGATION",
    "aggregation",
    "BYTES",
    Form::Bytes { min: 64, max: MOST_BYTES },
    Means("none: each event is a record of its own"),
    "Packs the events of a shard into aggregated records of at most so many bytes, as the Kinesis Producer Library does (its own default is 51200B; docs/aggregation.md)",
);

/// Where it is told which records have which fault.
pub const ANSWER_SHEET: Setting = Setting::new(
    Group::Watching,
    "STREAMER_ANSWER_SHEET",
    "answer-sheet",
    "FILE",
    Own("the path of a file that is not there yet"),
    Means("none"),
    "Writes which records have which fault of STREAMER_INJECT to this file, a JSON object a line",
);
