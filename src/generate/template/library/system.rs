//! `system`, `image`: files and pictures.

use super::super::media::{COMMON_ENDINGS, MEDIA_TYPES, PICTURES};
use super::super::op::Op;
use super::super::value::Value;

use super::data::any;
use super::numbers::{few_words, version};
use super::people::avatar;
use super::{Ask, Function, Made, constant, function, one_of};

pub(super) const SYSTEM: &[Function] = &[
    function("system", "fileName", "", "such as `rustic_driver.pdf`", |_| {
        Ok(vec![Op::FileName([few_words(), Op::text("."), any_ending()].into())])
    }),
    function(
        "system",
        "commonFileName",
        "ending",
        "the same with a common ending, or with this one",
        |ask| {
            let ending = match ask.truthy().cloned() {
                None => common_ending(),
                Some(ending) => Op::text(&ask.inserted(&ending.text())?),
            };
            Ok(vec![Op::FileName([few_words(), Op::text("."), ending].into())])
        },
    ),
    function("system", "mimeType", "", "such as `image/png`", |_| {
        Ok(vec![any(MEDIA_TYPES.iter().map(|(name, _)| vec![Op::text(name)]))])
    }),
    function("system", "commonFileType", "", "`video`, `audio`, `image`, `text` or `application`", |_| {
        one_of(KINDS)
    }),
    function("system", "commonFileExt", "", "such as `png`", |_| Ok(vec![common_ending()])),
    function("system", "fileType", "", "such as `image`", |_| one_of(KINDS)),
    function("system", "fileExt", "media type", "an ending, of files of this type", |ask| {
        let given = ask.value.as_ref().map(Value::text);
        let known = MEDIA_TYPES.iter().find(|(name, _)| given.as_deref() == Some(name));
        match known {
            Some((_, endings)) => one_of(endings),
            None => Ok(vec![any_ending()]),
        }
    }),
    function("system", "directoryPath", "", "`undefined`, as KDG", undefined),
    function("system", "filePath", "", "`undefined`, as KDG", undefined),
    function("system", "semver", "", "such as `1.2.3`", |_| Ok(version())),
];

pub(super) const IMAGE: &[Function] = &[
    function("image", "image", "width", "the address of a picture on any subject", |ask| {
        image(ask.value.as_ref())
    }),
    function("image", "avatar", "", "as `internet.avatar`", |_| Ok(avatar())),
    function("image", "imageUrl", "width", "the address of a picture 640 or so many pixels wide", |ask| {
        constant(address(ask.value.as_ref(), ""))
    }),
    function("image", "abstract", "width", "the address of a picture on this subject", |ask| {
        picture(ask, "abstract")
    }),
    function("image", "animals", "width", "the same", |ask| picture(ask, "animals")),
    function("image", "business", "width", "the same", |ask| picture(ask, "business")),
    function("image", "cats", "width", "the same", |ask| picture(ask, "cats")),
    function("image", "city", "width", "the same", |ask| picture(ask, "city")),
    function("image", "food", "width", "the same", |ask| picture(ask, "food")),
    function("image", "nightlife", "width", "the same", |ask| picture(ask, "nightlife")),
    function("image", "fashion", "width", "the same", |ask| picture(ask, "fashion")),
    function("image", "people", "width", "the same", |ask| picture(ask, "people")),
    function("image", "nature", "width", "the same", |ask| picture(ask, "nature")),
    function("image", "sports", "width", "the same", |ask| picture(ask, "sports")),
    function("image", "technics", "width", "the same", |ask| picture(ask, "technics")),
    function("image", "transport", "width", "the same", |ask| picture(ask, "transport")),
];

const KINDS: &[&str] = &["video", "audio", "image", "text", "application"];

fn undefined(ask: &mut Ask) -> Made {
    ask.note("KDG has not made this function: undefined is written");
    constant("undefined")
}

fn any_ending() -> Op {
    any(MEDIA_TYPES.iter().flat_map(|(_, endings)| endings.iter()).map(|ending| vec![Op::text(ending)]))
}

fn common_ending() -> Op {
    any(COMMON_ENDINGS.map(|endings| vec![Op::Pick(endings)]))
}

fn address(width: Option<&Value>, subject: &str) -> String {
    let width = width.filter(|width| width.is_truthy()).map_or("640".to_owned(), Value::text);
    let slash = if subject.is_empty() { "" } else { "/" };
    format!("http://lorempixel.com/{width}/480{slash}{subject}")
}

fn picture(ask: &mut Ask, subject: &str) -> Made {
    constant(address(ask.value.as_ref(), subject))
}

/// `image.image`.
pub(super) fn image(width: Option<&Value>) -> Made {
    Ok(vec![any(PICTURES.map(|subject| vec![Op::text(&address(width, subject))]))])
}
