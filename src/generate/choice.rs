//! Which event is asked for: a built-in kind, or a template by its place. And what that became when it was read.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::kind::EventKind;
use super::template::Template;

/// What a template's name in settings begins with.
const TEMPLATE: &str = "template:";

/// An event as settings name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventChoice {
    /// A built-in kind.
    Kind(EventKind),
    /// A template, which is yet to be read.
    Template(TemplateOrigin),
}

/// Where a template comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateOrigin {
    /// Standard input: `-`.
    StandardInput,
    /// A file, by its path; never empty.
    File(String),
}

/// A text that names no event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an event is one of {}, or template:FILE", EventKind::ALL.map(EventKind::name).join(", "))]
pub struct EventChoiceError;

impl FromStr for EventChoice {
    type Err = EventChoiceError;

    fn from_str(text: &str) -> Result<Self, EventChoiceError> {
        match text.strip_prefix(TEMPLATE) {
            Some(place) => place.parse().map(Self::Template),
            None => text.parse().map(Self::Kind).map_err(|_| EventChoiceError),
        }
    }
}

impl FromStr for TemplateOrigin {
    type Err = EventChoiceError;

    fn from_str(place: &str) -> Result<Self, EventChoiceError> {
        match place {
            "" => Err(EventChoiceError),
            "-" => Ok(Self::StandardInput),
            path => Ok(Self::File(path.to_owned())),
        }
    }
}

impl fmt::Display for EventChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(kind) => kind.fmt(f),
            Self::Template(TemplateOrigin::StandardInput) => write!(f, "{TEMPLATE}-"),
            Self::Template(TemplateOrigin::File(path)) => write!(f, "{TEMPLATE}{path}"),
        }
    }
}

impl fmt::Display for TemplateOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::StandardInput => "standard input",
            Self::File(path) => path,
        })
    }
}

/// An event that can be made.
#[derive(Debug, Clone)]
pub enum Event {
    /// A built-in kind.
    Kind(EventKind),
    /// A template, compiled.
    Template(Arc<Template>),
}

impl From<EventKind> for Event {
    fn from(kind: EventKind) -> Self {
        Self::Kind(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_as_it_is_written_and_nothing_else_is() {
        for text in ["mouse", "message", "template:-", "template:a b/é.json", "template:template:x"] {
            let choice: Result<EventChoice, _> = text.parse();
            assert_eq!(choice.map(|choice| choice.to_string()).as_deref(), Ok(text));
        }
        for wrong in ["", "Mouse", "template", "template:", " template:x", "file:x"] {
            assert_eq!(wrong.parse::<EventChoice>(), Err(EventChoiceError), "{wrong}");
        }
        assert_eq!(
            EventChoiceError.to_string(),
            "an event is one of mouse, click, trade, message, or template:FILE"
        );
    }
}
