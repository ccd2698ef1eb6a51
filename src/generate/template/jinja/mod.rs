//! Templates in the language of Jinja: loops, conditions, macros, and the functions of `library`.
//!
//! Decides what such a template may do and what an event of it is; minijinja reads and renders it. An event is a pure
//! function of its arguments here as well: whatever lasts from one event to the next is computed from the event's
//! number (`lasting`), nothing is remembered.

mod call;
mod draws;
mod functions;
mod lasting;
#[cfg(test)]
mod tests;
mod values;

use std::collections::HashSet;
use std::fmt;
use std::io;
use std::sync::{Arc, OnceLock};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Value, ValueKind};
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, escape_formatter,
};

use super::compile::{MOST_BYTES, MOST_EVENT_BYTES, nearest};
use super::error::{Place, Remark, TemplateError};
use super::library;
use crate::generate::Timestamp;
use crate::generate::random::{Lanes, Stream};
use draws::{Draws, Method, Module, Native, Told};

pub(super) use functions::markdown_table;

/// What the template is called in minijinja; nobody sees it.
const NAME: &str = "template";

/// Steps that one event may take, so that no template stops a run: some five milliseconds.
const MOST_STEPS: u64 = 250_000;

/// Macros in macros; each level needs a piece of the thread's stack.
const MOST_DEPTH: usize = 120;

/// Events that are made before the template is taken.
const TRIALS: u64 = 64;

/// What trials are made for: any producer, at any time.
const TRIAL_PRODUCER: &str = "p";
const TRIAL_MILLIS: u64 = 1_795_227_274_123;

/// Names that minijinja brings along.
const GLOBALS: [&str; 3] = ["dict", "namespace", "range"];

/// A template that is ready to make events.
#[derive(Clone)]
pub(super) struct Jinja {
    environment: Arc<Environment<'static>>,
    source: Arc<str>,
    /// The first event that could not be made.
    failure: Arc<OnceLock<String>>,
}

impl fmt::Debug for Jinja {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jinja").field("source", &self.source).finish_non_exhaustive()
    }
}

impl PartialEq for Jinja {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

/// Which event is to be made.
#[derive(Debug, Clone, Copy)]
pub(in crate::generate) struct Wanted<'a> {
    pub(in crate::generate) id: Lanes,
    pub(in crate::generate) job: u32,
    pub(in crate::generate) sequence: u64,
    pub(in crate::generate) time: &'a Timestamp,
    pub(in crate::generate) producer: &'a str,
    /// What lasts for all jobs and producers of a seed.
    pub(in crate::generate) shared: u64,
    /// What lasts for this job.
    pub(in crate::generate) own: u64,
}

impl Jinja {
    /// Reads a template, and makes some events of it. Not for the hot path.
    pub(super) fn compile(given: &str) -> Result<Self, TemplateError> {
        let alone = |text: String| TemplateError(vec![Remark { place: Place { line: 1, column: 1 }, text }]);
        if given.len() > MOST_BYTES {
            let text = format!("a template of {} bytes is larger than {MOST_BYTES}, the most", given.len());
            return Err(alone(text));
        }
        if given.trim().is_empty() {
            return Err(alone("the template is empty".to_owned()));
        }
        let mut environment = environment();
        environment
            .add_template_owned(NAME, given.to_owned())
            .map_err(|error| TemplateError(vec![remark(given, &error, "")]))?;
        let jinja =
            Self { environment: Arc::new(environment), source: given.into(), failure: Arc::default() };
        let unknown = jinja.unknown_names();
        if !unknown.is_empty() {
            return Err(TemplateError(unknown));
        }
        jinja.try_out()?;
        Ok(jinja)
    }

    /// Makes some events, from the first ones of a few jobs to the last that there can be.
    fn try_out(&self) -> Result<(), TemplateError> {
        let stream = Stream::new("template", 0, TRIAL_PRODUCER);
        let (shared, time) = (stream.shared(), Timestamp::from_unix_millis(TRIAL_MILLIS));
        let mut out = Vec::new();
        for trial in 0..TRIALS {
            let (job, sequence) = if trial < TRIALS / 2 {
                ((trial % 2) as u32, trial / 2)
            } else {
                (trial as u32, 1 << (2 * (trial - TRIALS / 2)))
            };
            let of_job = stream.job(job);
            let (id, own) = (of_job.event(sequence), of_job.structure());
            out.clear();
            let wanted = Wanted { id, job, sequence, time: &time, producer: TRIAL_PRODUCER, shared, own };
            self.render(wanted, &mut out).map_err(|error| {
                let which = format!(" (in trial {} of {TRIALS})", trial + 1);
                TemplateError(vec![remark(&self.source, &error, if trial == 0 { "" } else { &which })])
            })?;
        }
        Ok(())
    }

    /// The names that the template uses and nothing has, each at its first place.
    fn unknown_names(&self) -> Vec<Remark> {
        let Ok(template) = self.environment.get_template(NAME) else { return Vec::new() };
        // minijinja takes what is set under a condition for unknown behind it; whether it is there, the trials show.
        let assigned = assigned(&self.source);
        let is_assigned = |name: &str| assigned.contains(name.split('.').next().unwrap_or_default());
        let names = template.undeclared_variables(true);
        let mut unknown: Vec<Remark> = names
            .iter()
            .filter(|name| !is_assigned(name.as_str()))
            .filter_map(|name| self.unknown(name))
            .collect();
        unknown.sort_by_key(|remark| remark.place);
        unknown
    }

    /// What is wrong with a name, if something is.
    fn unknown(&self, name: &str) -> Option<Remark> {
        let (first, second) = match name.split_once('.') {
            Some((first, rest)) => (first, Some(rest.split('.').next().unwrap_or_default())),
            None => (name, None),
        };
        let is_module = library::modules().any(|known| known == first);
        let text = match second {
            Some(method) if is_module => {
                let methods = || library::all().filter(|one| one.module == first).map(|one| one.method);
                if methods().any(|known| known == method) {
                    return None;
                }
                let near = nearest(method, methods(), |name| format!("{first}.{name}()"));
                let near = near
                    .unwrap_or_else(|| format!("; {first} has {}", methods().collect::<Vec<_>>().join(", ")));
                format!("there is no function \"{first}.{method}\"{near}")
            }
            _ => {
                let names =
                    || library::modules().chain(functions::names()).chain(draws::VARIABLES).chain(GLOBALS);
                if names().any(|known| known == first) {
                    return None;
                }
                let near = nearest(first, names(), str::to_owned)
                    .unwrap_or_else(|| "; docs/templates.md lists the names that there are".to_owned());
                format!("there is nothing called \"{first}\"{near}")
            }
        };
        let wanted =
            second.filter(|_| is_module).map_or(first.to_owned(), |method| format!("{first}.{method}"));
        Some(Remark { place: place(&self.source, first_word(&self.source, &wanted)), text })
    }

    /// Appends one event, and says whether that could be done; if not, nothing is appended.
    pub(super) fn write(&self, wanted: Wanted<'_>, out: &mut Vec<u8>) -> bool {
        let start = out.len();
        match self.render(wanted, out) {
            Ok(()) => true,
            Err(error) => {
                out.truncate(start);
                let which = format!(" (job {}, event {})", wanted.job, wanted.sequence);
                self.failure.get_or_init(|| remark(&self.source, &error, &which).to_string());
                false
            }
        }
    }

    /// Why an event could not be made, the first time.
    pub(super) fn failure(&self) -> Option<&str> {
        self.failure.get().map(String::as_str)
    }

    fn render(&self, wanted: Wanted<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        let template = self.environment.get_template(NAME)?;
        let root = Draws::root(Told::new(wanted), wanted.id.random());
        let start = out.len();
        let captured = template.render_captured_to(root, Line { start, out });
        captured.map_err(|error| match error.kind() {
            ErrorKind::WriteFailure => {
                draws::wrong(format!("the event has more than {MOST_EVENT_BYTES} bytes"))
            }
            ErrorKind::OutOfFuel => {
                draws::wrong(format!("the event takes more than {MOST_STEPS} steps: make its loops shorter"))
            }
            _ => error,
        })?;
        while out.len() > start && matches!(out.last(), Some(b' ' | b'\t')) {
            out.pop();
        }
        if out.len() == start { Err(draws::wrong("the event is empty".to_owned())) } else { Ok(()) }
    }
}

/// What all templates may use.
fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_auto_reload(false);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(MOST_STEPS));
    environment.set_recursion_limit(MOST_DEPTH);
    // It shows what the program holds, and is no part of an event.
    environment.remove_global("debug");
    // Lines of logic leave nothing behind; they are default settings, which can't be refused.
    if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
        environment.set_syntax(syntax);
    }
    environment.set_formatter(|out, state, value| {
        let text = if let Some(module) = value.downcast_object_ref::<Module>() {
            format!("{} is no value: call one of its functions", module.name())
        } else if let Some(method) = value.downcast_object_ref::<Method>() {
            format!("{0} is a function: write {0}()", method.name())
        } else if let Some(native) = value.downcast_object_ref::<Native>() {
            format!("{0} is a function: write {0}(…)", native.name())
        } else if value.downcast_object_ref::<Draws>().is_some() {
            "keyed(…) is no value: call a function of it, such as keyed(…).name.firstName()".to_owned()
        } else {
            return in_json(out, state, value);
        };
        Err(draws::wrong(text))
    });
    environment
}

/// A text as it is, and everything else as JSON writes it.
fn in_json(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    match value.kind() {
        ValueKind::Bool => Ok(out.write_str(if value.is_true() { "true" } else { "false" })?),
        ValueKind::None => Ok(out.write_str("null")?),
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map => {
            let json = state.apply_filter("tojson", std::slice::from_ref(value))?;
            escape_formatter(out, state, &json)
        }
        _ => escape_formatter(out, state, value),
    }
}

/// Takes what is rendered without its line feeds and without white space before it, as the Kinesis Data Generator
/// does; and no more than an event may have.
struct Line<'a> {
    start: usize,
    out: &'a mut Vec<u8>,
}

impl io::Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len();
        for piece in bytes.split(|byte| matches!(byte, b'\n' | b'\r')) {
            let piece = if self.out.len() == self.start { piece.trim_ascii_start() } else { piece };
            if self.out.len() - self.start + piece.len() > MOST_EVENT_BYTES {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            self.out.extend_from_slice(piece);
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An error of minijinja with its place.
fn remark(source: &str, error: &Error, which: &str) -> Remark {
    let place = match (error.range(), error.line()) {
        (Some(range), _) => place(source, range.start),
        (None, line) => Place { line: line.unwrap_or(1), column: 1 },
    };
    let text = match (error.kind(), error.detail()) {
        (ErrorKind::InvalidOperation, Some(detail)) => detail.to_owned(),
        (kind, Some(detail)) => format!("{kind}: {detail}"),
        (kind, None) => kind.to_string(),
    };
    Remark { place, text: text + which }
}

/// Where the byte `at` stands.
fn place(source: &str, at: usize) -> Place {
    let mut at = at.min(source.len());
    while !source.is_char_boundary(at) {
        at -= 1;
    }
    let before = &source[..at];
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Place { line: before.matches('\n').count() + 1, column }
}

/// The names that a template sets somewhere.
fn assigned(source: &str) -> HashSet<&str> {
    let tags = source.split("{%").skip(1).filter_map(|rest| {
        let tag = rest.trim_start_matches(['-', '+']).trim_start().strip_prefix("set")?;
        tag.starts_with(char::is_whitespace).then(|| tag.split(['=', '%']).next().unwrap_or_default())
    });
    tags.flat_map(|names| names.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'))).collect()
}

/// Where `word` stands for the first time in something that is no plain text, or else anywhere.
fn first_word(source: &str, word: &str) -> usize {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '.';
    let whole = |&(at, _): &(usize, &str)| {
        let (before, after) = (&source[..at], &source[at + word.len()..]);
        let opened = before.rfind("{{").max(before.rfind("{%"));
        let closed = before.rfind("}}").max(before.rfind("%}"));
        opened > closed
            && !before.chars().next_back().is_some_and(is_part)
            && !after.chars().next().is_some_and(|letter| letter.is_alphanumeric() || letter == '_')
    };
    let mut found = source.match_indices(word);
    found.clone().find(whole).or_else(|| found.next()).map_or(0, |(at, _)| at)
}
