//! Templates: an event as its user writes it, in the language of the Amazon Kinesis Data Generator, or in Jinja.
//!
//! A template of the generator's is compiled once into a list of pieces that append themselves; an event then parses nothing and
//! allocates nothing. Decides what a template means. Reads no file: the text is given.
//!
//! text → `source` (cleaned) → `scan` (calls) → `library` (pieces) → `op` (bytes)
//!
//! One in Jinja is for logic, and minijinja renders it for each event: `jinja`, with the same library.

mod compile;
mod date_format;
mod error;
mod import;
mod jinja;
mod json;
mod library;
mod lint;
mod media;
mod moment;
mod nearby;
mod number;
mod op;
mod scan;
mod source;
mod value;
mod words;

#[cfg(test)]
mod tests;

pub use error::{Place, Remark, TemplateError};
pub use import::{ImportError, Imported, import};
pub use lint::{Verdict, lint, lint_jinja};

use jinja::Jinja;
pub(super) use jinja::Wanted;
use op::{Op, Scene};

named! {
    /// How a template is read.
    TemplateMode,
    /// A text that names no mode.
    TemplateModeError = "a template's mode is one of lenient, strict";
    /// What works in KDG means the same; where KDG would choke, what was meant.
    Lenient = "lenient",
    /// As KDG, its errors included.
    Strict = "strict",
}

named! {
    /// The language that templates are said to be in.
    TemplateLanguage,
    /// A text that names no language.
    TemplateLanguageError = "a template's language is one of auto, kdg, jinja";
    /// Jinja where the file's name ends so, else KDG's.
    Auto = "auto",
    /// The Kinesis Data Generator's.
    Kdg = "kdg",
    /// Jinja.
    Jinja = "jinja",
}

/// How the names of files end that hold templates in Jinja.
const JINJA_ENDINGS: [&str; 3] = [".j2", ".jinja", ".jinja2"];

impl TemplateLanguage {
    /// Whether a template is in Jinja wanted file is called so; standard input has no name.
    #[must_use]
    pub fn is_jinja(self, file: Option<&str>) -> bool {
        match self {
            Self::Auto => file.is_some_and(|name| {
                let lower = name.to_ascii_lowercase();
                JINJA_ENDINGS.iter().any(|ending| lower.ends_with(ending))
            }),
            Self::Kdg => false,
            Self::Jinja => true,
        }
    }
}

/// What KDG writes in place of an empty record.
const EMPTY: &str = "string parameter is required!";

/// A compiled template.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    body: Body,
    notes: Vec<Remark>,
}

/// What makes its events.
#[derive(Debug, Clone, PartialEq)]
enum Body {
    Kdg { ops: Box<[Op]>, mode: TemplateMode },
    Jinja(Jinja),
}

impl Template {
    /// Compiles a template in KDG's language. Not for the hot path.
    ///
    /// # Errors
    /// Everything that is wrong with it; in strict mode the error that KDG would stop with, in KDG's words.
    pub fn compile(text: &str, mode: TemplateMode) -> Result<Self, TemplateError> {
        let compiled = compile::compile(text, mode)?;
        Ok(Self { body: Body::Kdg { ops: compiled.ops.into(), mode }, notes: compiled.notes })
    }

    /// Reads a template in Jinja, and tries it on some events. Not for the hot path.
    ///
    /// # Errors
    /// What is wrong with it, or with an event that it makes.
    pub fn compile_jinja(text: &str) -> Result<Self, TemplateError> {
        Ok(Self { body: Body::Jinja(Jinja::compile(text)?), notes: Vec::new() })
    }

    /// What the author should know although nothing is wrong.
    #[must_use]
    pub fn notes(&self) -> &[Remark] {
        &self.notes
    }

    /// Whether some events may turn out not to be possible: then nothing is written, and [`Self::failure`] says why.
    /// An empty event is none.
    #[must_use]
    pub(super) fn can_fail(&self) -> bool {
        matches!(self.body, Body::Jinja(_))
    }

    /// Why the first event could not be made that could not.
    pub(super) fn failure(&self) -> Option<&str> {
        match &self.body {
            Body::Kdg { .. } => None,
            Body::Jinja(jinja) => jinja.failure(),
        }
    }

    /// Appends one event. In KDG's language it allocates nothing when `out` has room for [`Self::largest`] more bytes.
    #[inline]
    pub(super) fn write(&self, wanted: Wanted<'_>, out: &mut Vec<u8>) {
        let (ops, mode) = match &self.body {
            Body::Kdg { ops, mode } => (ops, *mode),
            Body::Jinja(jinja) => {
                jinja.write(wanted, out);
                return;
            }
        };
        let start = out.len();
        let Wanted { id, job, sequence, time, producer, .. } = wanted;
        // The numbers that an event draws are unrelated to its id.
        let mut scene = Scene { id, random: id.random(), time, job, sequence, producer };
        op::write_all(ops, &mut scene, out);
        if out.len() == start && mode == TemplateMode::Strict {
            out.extend_from_slice(EMPTY.as_bytes());
        }
    }

    /// An upper bound of an event's size in bytes, for a producer's name of so many bytes. In Jinja it is the bound that
    /// events are held to.
    pub(super) fn largest(&self, producer: usize) -> usize {
        match &self.body {
            Body::Kdg { ops, .. } => op::largest(ops, producer).max(EMPTY.len()),
            Body::Jinja(_) => compile::MOST_EVENT_BYTES,
        }
    }
}

/// The reference of all functions, as `docs/templates.md` shows it.
#[must_use]
pub fn functions_table() -> String {
    library::markdown_table()
}

/// The reference of the functions that templates in Jinja have besides, as `docs/templates.md` shows it.
#[must_use]
pub fn jinja_table() -> String {
    jinja::markdown_table()
}
