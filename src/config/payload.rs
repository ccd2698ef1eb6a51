//! What becomes of events before they are sent: sizes, faults, framing, compression.
//!
//! Reads the values and checks what they mean together; whether the events can have such sizes is known when they are
//! made, and whether the stream takes them when it is described.

use std::path::PathBuf;

use super::asked::Asked;
use super::resolve;
use super::settings as table;
use crate::batch::{Aggregation, Compression, Framing, Packing};
use crate::generate::{
    EventChoice, EventKind, Inject, InjectError, Shaping, SizeRule, SizeRuleError, TemplateLanguage,
    TemplateMode, TemplateOrigin,
};
use crate::key::KeyStrategy;

/// What was asked for.
#[derive(Debug)]
pub(super) struct Payload {
    pub(super) shaping: Shaping,
    pub(super) packing: Packing,
    pub(super) aggregation: Option<Aggregation>,
    pub(super) answer_sheet: Option<PathBuf>,
}

pub(super) fn payload(asked: &mut Asked) -> Option<Payload> {
    let packing = packing(asked);
    let shaping = shaping(asked, packing.map(|packing| packing.framing));
    let aggregation = aggregation(asked);
    let answer_sheet = asked.optional(&table::ANSWER_SHEET, resolve::journal);
    if asked.is_given(&table::ANSWER_SHEET) && !asked.is_given(&table::INJECT) {
        let (sheet, inject) = (asked.origin(&table::ANSWER_SHEET), table::INJECT.name);
        asked.notices.push(format!("{sheet} has no effect, because {inject} is not given"));
    }
    Some(Payload {
        shaping: shaping?,
        packing: packing?,
        aggregation: aggregation?,
        answer_sheet: answer_sheet?,
    })
}

/// How events are aggregated: by no more than a record may have, where that is asked for as well.
fn aggregation(asked: &mut Asked) -> Option<Option<Aggregation>> {
    let bytes = asked.optional(&table::AGGREGATION, Asked::bytes::<usize>)?;
    for setting in [table::MAX_RECORD_BYTES, table::MAX_REQUEST_BYTES] {
        // A value that is wrong by itself is told where it is read.
        let most = asked.value(&setting).and_then(|(_, text)| setting.form.bytes(&text));
        if let (Some(bytes), Some(most)) = (bytes, most)
            && bytes as u64 > most
        {
            let why = format!("an aggregated record of {bytes} bytes is more than {most}");
            asked.together(&[table::AGGREGATION, setting], why);
        }
    }
    Some(bytes.map(|bytes| Aggregation { bytes }))
}

/// The language of templates.
pub(super) fn template_language(asked: &mut Asked, event: Option<&EventChoice>) -> Option<TemplateLanguage> {
    let language = asked.parsed(&table::TEMPLATE_LANGUAGE);
    if event.is_some_and(|event| !event.has_template()) && asked.is_given(&table::TEMPLATE_LANGUAGE) {
        let (language, event) = (asked.origin(&table::TEMPLATE_LANGUAGE), asked.origin(&table::EVENT));
        asked.notices.push(format!("{language} has no effect, because {event} is no template"));
    }
    language
}

/// How templates in the language of the Kinesis Data Generator are read.
pub(super) fn template_mode(
    asked: &mut Asked,
    event: Option<&EventChoice>,
    language: Option<TemplateLanguage>,
) -> Option<TemplateMode> {
    let mode = asked.parsed(&table::TEMPLATE_MODE);
    let is_kdg = |part: &EventChoice| match (part, language) {
        (EventChoice::Template(TemplateOrigin::File(path)), Some(language)) => !language.is_jinja(Some(path)),
        (EventChoice::Template(TemplateOrigin::StandardInput), Some(language)) => !language.is_jinja(None),
        (EventChoice::Template(_), None) => true,
        (EventChoice::Kind(_) | EventChoice::Mixture(_), _) => false,
    };
    let has_template = event.is_some_and(EventChoice::has_template);
    if event.is_some_and(|event| !event.parts().any(|(part, _)| is_kdg(part)))
        && asked.is_given(&table::TEMPLATE_MODE)
    {
        let (mode, event) = (asked.origin(&table::TEMPLATE_MODE), asked.origin(&table::EVENT));
        let what = if has_template {
            "no template in the language of the Kinesis Data Generator"
        } else {
            "no template"
        };
        asked.notices.push(format!("{mode} has no effect, because {event} is {what}"));
    }
    mode
}

fn packing(asked: &mut Asked) -> Option<Packing> {
    let compression = asked.parsed::<Compression>(&table::COMPRESSION);
    let framing = asked.parsed::<Framing>(&table::FRAMING);
    Some(Packing { compression: compression?, framing: framing? })
}

/// How events are shaped that are framed so.
fn shaping(asked: &mut Asked, framing: Option<Framing>) -> Option<Shaping> {
    let size = asked.optional(&table::EVENT_SIZE, |asked, setting| {
        asked.read(setting, |text| {
            text.parse::<SizeRule>().map_err(|error| match error {
                // The rule says it.
                SizeRuleError::Form => None,
                other => Some(other.to_string()),
            })
        })
    });
    let inject = asked.optional(&table::INJECT, |asked, setting| {
        asked.read(setting, |text| {
            text.parse::<Inject>().map_err(|error: InjectError| Some(error.to_string()))
        })
    });
    Some(Shaping { size: size?, inject: inject?, frame: framing?.bytes() })
}

/// How the events of producers elsewhere are shaped, as far as somebody says so.
pub(super) fn shaping_elsewhere(asked: &mut Asked) -> Option<Shaping> {
    let framing = asked.parsed::<Framing>(&table::FRAMING);
    shaping(asked, framing)
}

/// A key that the event cannot give is wrong before any record is made.
pub(super) fn check_key(asked: &mut Asked, event: &EventChoice, key: &KeyStrategy) {
    let mut told: Vec<&str> = Vec::new();
    for why in event.parts().filter_map(|(part, _)| no_key(part, key)) {
        if !told.contains(&why) {
            told.push(why);
            asked.together(&[table::PARTITION_KEY, table::EVENT], why.to_owned());
        }
    }
}

/// Why an event can't give this key.
fn no_key(event: &EventChoice, key: &KeyStrategy) -> Option<&'static str> {
    match (event, key) {
        // A template's fields are known when it is read.
        (EventChoice::Template(_), KeyStrategy::User) => {
            Some("a template's event has no user: take one of its fields by field:/json/pointer")
        }
        (EventChoice::Kind(EventKind::Message), KeyStrategy::User) => {
            Some("the event message has no user, so user can't be the key")
        }
        (EventChoice::Kind(EventKind::Message), KeyStrategy::Field(pointer)) if !matches!(pointer.tokens(), [name] if matches!(name.as_str(), "message" | "date")) => {
            Some("the event message has only the fields /message and /date")
        }
        (EventChoice::Kind(EventKind::AccessLog), KeyStrategy::Field(_)) => {
            Some("the event access-log is no JSON and has no fields: user is the one that its line names")
        }
        _ => None,
    }
}
