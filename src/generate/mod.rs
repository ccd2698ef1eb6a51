//! What is made: the kinds of events and the seeded generator that all jobs share.
//!
//! An event is a pure function of (seed, producer, job, sequence, time). There is no state between two
//! events, so a reader can make any single one again and compare its bytes. What continues from event to
//! event (a mouse path, a price) continues because both look up the same hashed structure, see `cuts`
//! and `market`.

mod choice;
mod click;
mod cuts;
#[cfg(test)]
mod fingerprint;
mod generator;
mod head;
mod kind;
mod market;
mod mouse;
mod path;
mod pen;
mod pool;
mod random;
mod sample;
mod template;
mod text;
mod timestamp;
mod trade;

pub use choice::{Event, EventChoice, EventChoiceError, TemplateOrigin};
pub use generator::{Generator, Written};
pub use kind::{EventKind, EventKindError};
pub(crate) use random::{Random, Stream};
pub use sample::Samples;
pub use template::{
    ImportError, Imported, Place, Remark, Template, TemplateError, TemplateMode, TemplateModeError, Verdict,
    functions_table, import, lint,
};
pub(crate) use text::{digits, hex};
pub use timestamp::Timestamp;
