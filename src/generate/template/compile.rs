//! From a template's text to its pieces: KDG's reading of it, or people's where KDG would choke.
//!
//! A template is read once. What KDG does again for each record (find the braces, parse the parameter, look the
//! function up) is done here, and so are all of its errors.

use super::error::{Fault, Place, Remark, TemplateError, shown};
use super::library::{self, Ask, Function, OWN_MODULE};
use super::op::{self, Op};
use super::scan::{Call, closing};
use super::source::{OLD, Source};
use super::{EMPTY, TemplateMode};

/// The largest template, in bytes: a tenth of the largest record.
pub(super) const MOST_BYTES: usize = 1024 * 1024;

/// The largest event that a template may make, in bytes: the largest record of any stream.
pub(super) const MOST_EVENT_BYTES: usize = 10 * 1024 * 1024;

/// Most problems that are told of one template.
const MOST_PROBLEMS: usize = 20;

/// Objects of KDG's that are no modules of functions.
const OBJECTS: [&str; 5] = ["fake", "definitions", "locales", "locale", "localeFallback"];

/// The pieces of a template, and what its author should know.
pub(super) struct Compiled {
    pub(super) ops: Vec<Op>,
    pub(super) notes: Vec<Remark>,
}

/// Reads a template.
pub(super) fn compile(given: &str, mode: TemplateMode) -> Result<Compiled, TemplateError> {
    if given.len() > MOST_BYTES {
        let text = format!("a template of {} bytes is larger than {MOST_BYTES}, the most", given.len());
        return Err(TemplateError(vec![Remark { place: Place { line: 1, column: 1 }, text }]));
    }
    let source = Source::new(given);
    let mut compiler =
        Compiler { source: &source, mode, ops: Vec::new(), notes: Vec::new(), problems: Vec::new() };
    match mode {
        TemplateMode::Strict => compiler.strict(),
        TemplateMode::Lenient => compiler.lenient(),
    }
    let Compiler { ops, notes, mut problems, .. } = compiler;
    let largest = op::largest(&ops, 0);
    if largest > MOST_EVENT_BYTES {
        let text = format!("its events may have {largest} bytes; the largest record has {MOST_EVENT_BYTES}");
        problems.push(Remark { place: source.place(0), text });
    }
    if problems.is_empty() { Ok(Compiled { ops: joined(ops), notes }) } else { Err(TemplateError(problems)) }
}

struct Compiler<'a> {
    source: &'a Source<'a>,
    mode: TemplateMode,
    ops: Vec<Op>,
    notes: Vec<Remark>,
    problems: Vec<Remark>,
}

impl<'a> Compiler<'a> {
    fn problem(&mut self, at: usize, text: String) {
        self.problems.push(Remark { place: self.source.place(at), text });
    }

    fn plain(&mut self, text: &str) {
        if !text.is_empty() {
            self.ops.push(Op::text(text));
        }
    }

    /// Reads as KDG does, up to the first error.
    fn strict(&mut self) {
        let text = self.source.text.as_str();
        if text.is_empty() {
            return self.plain(EMPTY);
        }
        let mut at = 0;
        while let Some(open) = text[at..].find("{{").map(|found| at + found) {
            // KDG takes the first }} wherever it stands. Before the braces it leaves nothing between them.
            if let Some(early) = text[at..open].find("}}") {
                return self.problem(at + early, "Invalid module: ".to_owned());
            }
            let Some(close) = text[open..].find("}}").map(|found| open + found) else { break };
            self.plain(&text[at..open]);
            match self.as_kdg(open, close) {
                Ok(ops) => self.ops.extend(ops),
                Err(fault) => return self.problem(open, fault.kdg),
            }
            at = close + 2;
        }
        self.plain(&text[at..]);
    }

    /// Reads as people mean it, and goes on behind errors.
    fn lenient(&mut self) {
        let text = self.source.text.as_str();
        if text.is_empty() {
            return self.problem(0, "the template is empty".to_owned());
        }
        let mut at = 0;
        while let Some(open) = text[at..].find("{{").map(|found| at + found) {
            // With no }} behind it, {{ is text, as in KDG.
            let Some(close) = text[open..].find("}}").map(|found| open + found) else { break };
            self.plain(&text[at..open]);
            let notes = self.notes.len();
            match self.as_kdg(open, close) {
                Ok(ops) => {
                    self.ops.extend(ops);
                    at = close + 2;
                }
                Err(fault) => {
                    self.notes.truncate(notes);
                    at = self.as_people(open, close, &fault);
                    if self.problems.len() >= MOST_PROBLEMS {
                        return;
                    }
                }
            }
        }
        self.plain(&text[at..]);
    }

    /// What stands between the braces at `open` and `close`, by KDG's reading.
    fn as_kdg(&mut self, open: usize, close: usize) -> Result<Vec<Op>, Fault> {
        let token = self.source.text[open + 2..close].replacen("{{", "", 1);
        let mut method = String::new();
        let call = Call::of_kdg(&token, &mut method);
        self.make(&call, open)
    }

    /// The same by people's reading; returns where to read on.
    fn as_people(&mut self, open: usize, close: usize, fault: &Fault) -> usize {
        let text = self.source.text.as_str();
        // Of more than two braces, the last two open a call.
        let braces = text[open..].bytes().take_while(|byte| *byte == b'{').count();
        if braces > 2 {
            self.plain(&text[open..open + braces - 2]);
            return open + braces - 2;
        }
        let end = closing(&text[open + 2..]).map(|found| open + 2 + found);
        let call = end.and_then(|end| Call::of_people(&text[open + 2..end]));
        let (call, end) = match (call, end) {
            (Some(call), Some(end)) => (call, end),
            _ => {
                let token = shown(&text[open + 2..close]);
                let hint = "it needs {{module.function}} or {{module.function(parameter)}}, parentheses and quotes closed";
                self.problem(open, format!("{{{{{token}}}}} can't be read: {hint} (KDG: {})", fault.kdg));
                return close + 2;
            }
        };
        if format!("{{{{{}}}}}", call.name()) == OLD {
            self.ops.extend(library::now());
            return end + 2;
        }
        match self.make(&call, open) {
            Ok(ops) => {
                self.ops.extend(ops);
                self.note(open, format!("KDG would stop here: {}", fault.kdg));
            }
            Err(own) => self.problem(open, format!("{} (KDG: {})", own.why, fault.kdg)),
        }
        end + 2
    }

    fn note(&mut self, at: usize, text: String) {
        if self.notes.len() < MOST_PROBLEMS {
            self.notes.push(Remark { place: self.source.place(at), text });
        }
    }

    fn make(&mut self, call: &Call<'_>, at: usize) -> Result<Vec<Op>, Fault> {
        let strict = self.mode == TemplateMode::Strict;
        let function = find(call, strict)?;
        let mut ask = Ask { value: call.value(), strict, notes: Vec::new() };
        if ask.value.is_some() && function.takes.is_empty() {
            ask.notes.push(format!(
                "{} takes no parameter: {} does nothing",
                call.name(),
                shown(call.parameter)
            ));
        }
        let made = (function.make)(&mut ask);
        for note in std::mem::take(&mut ask.notes) {
            self.note(at, note);
        }
        made.map_err(|fault| Fault { why: format!("{}: {}", call.name(), fault.why), ..fault })
    }
}

/// The function that a call names.
fn find(call: &Call<'_>, strict: bool) -> Result<&'static Function, Fault> {
    let modules = || {
        let mut names: Vec<&str> = library::all().map(|function| function.module).collect();
        names.dedup();
        names.into_iter().filter(move |name| !strict || *name != OWN_MODULE)
    };
    let module = call.module;
    if !modules().any(|known| known == module) {
        if OBJECTS.contains(&module) {
            let kdg = format!("Invalid method: {}", call.name());
            return Err(Fault::new(kdg, format!("{module} holds no functions")));
        }
        let near = nearest(module, modules(), |name| name.to_owned());
        let near =
            near.unwrap_or_else(|| format!("; there are {}", modules().collect::<Vec<_>>().join(", ")));
        return Err(Fault::new(
            format!("Invalid module: {module}"),
            format!("there is no module \"{}\"{near}", shown(module)),
        ));
    }
    let of_module = || library::all().filter(move |function| function.module == module);
    let method = call.method.unwrap_or_default();
    of_module().find(|function| function.method == method).ok_or_else(|| {
        let methods = || of_module().map(|function| function.method);
        let near = nearest(method, methods(), |name| format!("{module}.{name}"));
        let near =
            near.unwrap_or_else(|| format!("; {module} has {}", methods().collect::<Vec<_>>().join(", ")));
        let name = call.name();
        Fault::new(
            format!("Invalid method: {name}"),
            format!("there is no function \"{}\"{near}", shown(&name)),
        )
    })
}

/// A hint at the name that was probably meant.
pub(super) fn nearest<'n>(
    typed: &str,
    names: impl Iterator<Item = &'n str>,
    full: impl Fn(&str) -> String,
) -> Option<String> {
    let lower = typed.trim().to_lowercase();
    // Beyond the length of any name, distance is not worth counting.
    if lower.is_empty() || lower.len() > 40 {
        return None;
    }
    names
        .map(|name| (strsim::osa_distance(&lower, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= 1 + name.len() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| format!("; did you mean {}?", full(name)))
}

/// The pieces with neighbouring texts made one.
fn joined(ops: Vec<Op>) -> Vec<Op> {
    let mut joined: Vec<Op> = Vec::with_capacity(ops.len());
    let mut text: Vec<u8> = Vec::new();
    for op in ops {
        match op {
            Op::Text(more) => text.extend_from_slice(&more),
            other => {
                if !text.is_empty() {
                    joined.push(Op::Text(std::mem::take(&mut text).into()));
                }
                joined.push(other);
            }
        }
    }
    if !text.is_empty() {
        joined.push(Op::Text(text.into()));
    }
    joined
}
