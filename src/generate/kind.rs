//! Which events there are, and what each is called in settings.

use std::fmt;
use std::str::FromStr;

/// A kind of built-in event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// Mouse moves along believable paths, in sessions of users, then clicks.
    Mouse,
    /// A click: page, element, ad or product, dwell time.
    Click,
    /// A trade: ticker, side, a price that walks, quantity.
    Trade,
    /// Exactly the payload of the Node.js original: a message and a date.
    Message,
}

impl EventKind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [Self; 4] = [Self::Mouse, Self::Click, Self::Trade, Self::Message];

    /// The name in settings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mouse => "mouse",
            Self::Click => "click",
            Self::Trade => "trade",
            Self::Message => "message",
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an event is one of mouse, click, trade, message")]
pub struct EventKindError;

impl FromStr for EventKind {
    type Err = EventKindError;

    fn from_str(text: &str) -> Result<Self, EventKindError> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or(EventKindError)
    }
}
