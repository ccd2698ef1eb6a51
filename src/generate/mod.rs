//! What is made: the kinds of events and the seeded generator that all jobs share.
//!
//! An event is a pure function of (seed, producer, job, sequence, time). There is no state between two
//! events, so a reader can make any single one again and compare its bytes. What continues from event to
//! event (a mouse path, a price) continues because both look up the same hashed structure, see `cuts`
//! and `market`.

mod access_log;
mod choice;
mod click;
mod cuts;
mod disorder;
#[cfg(test)]
mod fingerprint;
mod generator;
mod head;
mod inject;
mod iot;
mod kind;
mod maker;
mod market;
mod mouse;
mod order;
mod padding;
mod path;
mod pen;
mod pool;
mod random;
mod sample;
mod shaping;
mod shares;
mod size;
mod template;
mod text;
mod timestamp;
mod trade;

pub use choice::{Event, EventChoice, EventChoiceError, Mixture, TemplateOrigin, Weight};
pub use disorder::Places;
pub use generator::{Generator, Written};
pub use inject::{Inject, InjectError, Injected, InjectedError};
pub use kind::{EventKind, EventKindError};
pub use maker::{Composed, Due, Maker, Shaped};
pub(crate) use random::{Random, Stream};
pub use sample::Samples;
pub use shaping::{NoShaping, Shaping, ShapingError};
pub use size::{SizeRule, SizeRuleError, USUAL_MOST};
pub use template::{
    ImportError, Imported, Place, Remark, Template, TemplateError, TemplateLanguage, TemplateLanguageError,
    TemplateMode, TemplateModeError, Verdict, functions_table, import, jinja_table, lint, lint_jinja,
};
pub(crate) use text::{digits, hex};
pub use timestamp::Timestamp;
