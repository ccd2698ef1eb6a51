//! Which event is asked for: a built-in kind, a template by its place, or a mixture of these. And what that became when
//! it was read.

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
    /// Several of these.
    Mixture(Mixture),
}

/// Events by weight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mixture(Vec<(EventChoice, Weight)>);

/// How often an event comes, compared with the others of its mixture: above 0, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weight(u64);

/// Most decimals of a weight, and most digits before them.
const DECIMALS: usize = 6;
const DIGITS: usize = 9;

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
#[error(
    "an event is one of {}, or template:FILE, or several of these by weight, such as mouse:0.8,click:0.2",
    EventKind::ALL.map(EventKind::name).join(", ")
)]
pub struct EventChoiceError;

impl FromStr for EventChoice {
    type Err = EventChoiceError;

    fn from_str(text: &str) -> Result<Self, EventChoiceError> {
        // A template's path may hold commas: only what has weights throughout is a mixture.
        let parts: Option<Vec<_>> = text.split(',').map(|part| part.rsplit_once(':')).collect();
        let weighted = parts.filter(|parts| {
            parts.len() > 1 && parts.iter().all(|(_, weight)| weight.parse::<Weight>().is_ok())
        });
        if let Some(parts) = weighted {
            let read = |(event, weight): &(&str, &str)| Ok((single(event)?, weight.parse()?));
            let parts: Vec<(Self, Weight)> = parts.iter().map(read).collect::<Result<_, _>>()?;
            let inputs =
                parts.iter().filter(|(event, _)| *event == Self::Template(TemplateOrigin::StandardInput));
            // Standard input can be read once.
            return if inputs.count() > 1 {
                Err(EventChoiceError)
            } else {
                Ok(Self::Mixture(Mixture(parts)))
            };
        }
        single(text)
    }
}

/// A kind or a template.
fn single(text: &str) -> Result<EventChoice, EventChoiceError> {
    match text.strip_prefix(TEMPLATE) {
        Some(place) => place.parse().map(EventChoice::Template),
        None => text.parse().map(EventChoice::Kind).map_err(|_| EventChoiceError),
    }
}

impl FromStr for Weight {
    type Err = EventChoiceError;

    fn from_str(text: &str) -> Result<Self, EventChoiceError> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let legal = |part: &str, most| {
            (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !legal(whole, DIGITS) || !legal(decimals, DECIMALS) {
            return Err(EventChoiceError);
        }
        match format!("{whole}{decimals:0<DECIMALS$}").parse() {
            Ok(0) | Err(_) => Err(EventChoiceError),
            Ok(millionths) => Ok(Self(millionths)),
        }
    }
}

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl Weight {
    /// The weight of an event that is alone.
    pub const ALONE: Self = Self(1_000_000);

    /// In millionths.
    #[must_use]
    pub fn millionths(self) -> u64 {
        self.0
    }
}

impl EventChoice {
    /// The events that it is made of, none of them a mixture, with their weights.
    pub fn parts(&self) -> impl Iterator<Item = (&EventChoice, Weight)> {
        let (alone, several) = match self {
            Self::Kind(_) | Self::Template(_) => (Some((self, Weight::ALONE)), &[][..]),
            Self::Mixture(Mixture(parts)) => (None, &parts[..]),
        };
        alone.into_iter().chain(several.iter().map(|(event, weight)| (event, *weight)))
    }

    /// Whether one of its events is a template's.
    #[must_use]
    pub fn has_template(&self) -> bool {
        self.parts().any(|(event, _)| matches!(event, Self::Template(_)))
    }

    /// The kinds that it is made of.
    pub fn kinds(&self) -> impl Iterator<Item = EventKind> {
        self.parts().filter_map(|(event, _)| match event {
            Self::Kind(kind) => Some(*kind),
            Self::Template(_) | Self::Mixture(_) => None,
        })
    }
}

impl From<EventKind> for EventChoice {
    fn from(kind: EventKind) -> Self {
        Self::Kind(kind)
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
            Self::Mixture(Mixture(parts)) => {
                let texts: Vec<String> =
                    parts.iter().map(|(event, weight)| format!("{event}:{weight}")).collect();
                f.write_str(&texts.join(","))
            }
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
    /// Several of these by weight, none of them a mixture.
    Mixture(Vec<(Event, Weight)>),
}

impl Event {
    /// The event of this choice, if no template of it must be read.
    #[must_use]
    pub fn built_in(choice: &EventChoice) -> Option<Self> {
        match choice {
            EventChoice::Kind(kind) => Some(Self::Kind(*kind)),
            EventChoice::Template(_) => None,
            EventChoice::Mixture(Mixture(parts)) => {
                let part = |(event, weight): &(EventChoice, Weight)| Some((Self::built_in(event)?, *weight));
                parts.iter().map(part).collect::<Option<_>>().map(Self::Mixture)
            }
        }
    }

    /// The events that it is made of, none of them a mixture, with their weights.
    pub(super) fn parts(&self) -> Vec<(&Event, Weight)> {
        match self {
            Self::Kind(_) | Self::Template(_) => vec![(self, Weight::ALONE)],
            Self::Mixture(parts) => parts.iter().map(|(event, weight)| (event, *weight)).collect(),
        }
    }
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
        for text in [
            "mouse",
            "message",
            "template:-",
            "template:a b/é.json",
            "template:template:x",
            "template:a,b:1",
            "mouse:0.8,click:0.15,template:orders.json:0.05",
            "iot:1,iot:999999999.000001",
        ] {
            let choice: Result<EventChoice, _> = text.parse();
            assert_eq!(choice.map(|choice| choice.to_string()).as_deref(), Ok(text));
        }
        for wrong in [
            "",
            "Mouse",
            "template",
            "template:",
            " template:x",
            "file:x",
            "mouse:1",
            "mouse:1,click",
            "mouse:1,none:1",
            "mouse:1,click:0",
            "mouse:1,click:-1",
            "mouse:1,click:1e3",
            "template:-:1,template:-:1",
        ] {
            assert_eq!(wrong.parse::<EventChoice>(), Err(EventChoiceError), "{wrong}");
        }
        assert_eq!(
            EventChoiceError.to_string(),
            "an event is one of mouse, click, trade, message, iot, order, access-log, or template:FILE, or several of these \
             by weight, such as mouse:0.8,click:0.2"
        );
    }
}
