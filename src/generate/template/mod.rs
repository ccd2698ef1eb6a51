//! Templates: an event as its user writes it, in the language of the Amazon Kinesis Data Generator.
//!
//! A template is compiled once into a list of pieces that append themselves; an event then parses nothing and
//! allocates nothing. Decides what a template means. Reads no file: the text is given.
//!
//! text → `source` (cleaned) → `scan` (calls) → `library` (pieces) → `op` (bytes)

mod compile;
mod date_format;
mod error;
mod import;
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
pub use lint::{Verdict, lint};

use super::Timestamp;
use super::random::Lanes;
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

/// What KDG writes in place of an empty record.
const EMPTY: &str = "string parameter is required!";

/// A compiled template.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    ops: Box<[Op]>,
    mode: TemplateMode,
    notes: Vec<Remark>,
}

impl Template {
    /// Compiles a template. Not for the hot path.
    ///
    /// # Errors
    /// Everything that is wrong with it; in strict mode the error that KDG would stop with, in KDG's words.
    pub fn compile(text: &str, mode: TemplateMode) -> Result<Self, TemplateError> {
        let compiled = compile::compile(text, mode)?;
        Ok(Self { ops: compiled.ops.into(), mode, notes: compiled.notes })
    }

    /// What the author should know although nothing is wrong.
    #[must_use]
    pub fn notes(&self) -> &[Remark] {
        &self.notes
    }

    /// Appends one event. Allocates nothing when `out` has room for [`Self::largest`] more bytes.
    #[inline]
    pub(super) fn write(
        &self,
        id: Lanes,
        job: u32,
        sequence: u64,
        time: &Timestamp,
        producer: &str,
        out: &mut Vec<u8>,
    ) {
        let start = out.len();
        // The numbers that an event draws are unrelated to its id.
        let mut scene = Scene { id, random: id.random(), time, job, sequence, producer };
        op::write_all(&self.ops, &mut scene, out);
        if out.len() == start && self.mode == TemplateMode::Strict {
            out.extend_from_slice(EMPTY.as_bytes());
        }
    }

    /// An upper bound of an event's size in bytes, for a producer's name of so many bytes.
    pub(super) fn largest(&self, producer: usize) -> usize {
        op::largest(&self.ops, producer).max(EMPTY.len())
    }
}

/// The reference of all functions, as `docs/templates.md` shows it.
#[must_use]
pub fn functions_table() -> String {
    library::markdown_table()
}
