//! What is made: the kinds of events and the one seeded generator.

mod kind;

pub use kind::{EventKind, EventKindError};
