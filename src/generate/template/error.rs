//! What is wrong or odd in a template, with its place in the text as it was given.

use std::fmt::{self, Write as _};

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// One thing to tell about a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Where.
    pub place: Place,
    /// What.
    pub text: String,
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        // KDG's words repeat the template's; what a terminal would act on is escaped.
        for letter in self.text.chars() {
            if letter.is_control() {
                write!(f, "{}", letter.escape_default())?;
            } else {
                f.write_char(letter)?;
            }
        }
        Ok(())
    }
}

/// A template that can't be used: everything that is wrong with it, by place; never empty.
///
/// In strict mode it is the one error that KDG would stop with, in KDG's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError(pub(super) Vec<Remark>);

impl TemplateError {
    /// Each thing that is wrong.
    pub fn remarks(&self) -> &[Remark] {
        &self.0
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, remark) in self.0.iter().enumerate() {
            write!(f, "{}{remark}", if number == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl std::error::Error for TemplateError {}

/// Why a function can't do what is asked of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// What KDG throws.
    pub(super) kdg: String,
    /// What is wrong, and what to write instead.
    pub(super) why: String,
}

impl Fault {
    pub(super) fn new(kdg: impl Into<String>, why: impl Into<String>) -> Self {
        Self { kdg: cut(kdg.into()), why: cut(why.into()) }
    }
}

/// A sentence without the rest of a text that has no end.
fn cut(mut text: String) -> String {
    const MOST: usize = 600;
    if let Some((end, _)) = text.char_indices().nth(MOST) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// A text cut to what fits a line, with what a terminal would act on as escapes.
pub(super) fn shown(text: &str) -> String {
    const MOST: usize = 60;
    let more = if text.chars().nth(MOST).is_some() { "…" } else { "" };
    let visible = |letter: char| {
        if matches!(letter, '"' | '\'' | '\\') {
            letter.to_string()
        } else {
            letter.escape_debug().to_string()
        }
    };
    text.chars().take(MOST).map(visible).collect::<String>() + more
}
