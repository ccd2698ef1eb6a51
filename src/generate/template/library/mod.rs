//! The functions of templates: which there are, what they take, and the pieces that each is made of.
//!
//! A function's parameter is known when the template is compiled, so all of JavaScript's coercions happen here,
//! once, and an event only draws. What a parameter means is KDG's meaning, odd cases included; where KDG would throw,
//! a [`Fault`] says so in KDG's words and in better ones.

mod data;
mod dates;
mod goods;
mod numbers;
mod own;
mod people;
mod places;
mod system;
mod texts;

pub(super) use dates::now;

use super::error::Fault;
use super::op::Op;
use super::value::Value;

/// Most pieces that a parameter can ask for, such as the words of `lorem.words`.
const MOST_TIMES: f64 = 1_000_000.0;

/// What a function is made of, or why not.
pub(super) type Made = Result<Vec<Op>, Fault>;

/// A function of templates.
pub(super) struct Function {
    pub(super) module: &'static str,
    pub(super) method: &'static str,
    /// What it takes, as the reference shows it; empty for nothing.
    pub(super) takes: &'static str,
    /// What it writes, for the reference.
    pub(super) what: &'static str,
    pub(super) make: fn(&mut Ask) -> Made,
}

/// A function, in one line of a table.
const fn function(
    module: &'static str,
    method: &'static str,
    takes: &'static str,
    what: &'static str,
    make: fn(&mut Ask) -> Made,
) -> Function {
    Function { module, method, takes, what, make }
}

/// Every module with its functions.
static MODULES: [(&str, &[Function]); 15] = [
    ("address", places::ADDRESS),
    ("commerce", goods::COMMERCE),
    ("company", goods::COMPANY),
    ("date", dates::DATE),
    ("finance", goods::FINANCE),
    ("hacker", texts::HACKER),
    ("helpers", texts::HELPERS),
    ("image", system::IMAGE),
    ("internet", people::INTERNET),
    ("lorem", texts::LOREM),
    ("name", people::NAME),
    ("phone", people::PHONE),
    ("random", numbers::RANDOM),
    ("system", system::SYSTEM),
    (own::MODULE, own::STREAMER),
];

/// Every function, module by module.
pub(super) fn all() -> impl Iterator<Item = &'static Function> {
    MODULES.iter().flat_map(|(_, functions)| *functions)
}

/// The modules, in the order of their functions.
pub(super) fn modules() -> impl Iterator<Item = &'static str> + Clone {
    MODULES.iter().map(|(name, _)| *name)
}

/// The module whose functions KDG does not know.
pub(super) const OWN_MODULE: &str = own::MODULE;

/// What a function is asked for.
pub(super) struct Ask {
    /// Its parameter; none when there is none.
    pub(super) value: Option<Value>,
    /// Whether it must do what KDG does where that is a fault of KDG's.
    pub(super) strict: bool,
    /// What the author of the template should know.
    pub(super) notes: Vec<String>,
}

impl Ask {
    /// The parameter where JavaScript's `||` takes it.
    fn truthy(&self) -> Option<&Value> {
        self.value.as_ref().filter(|value| value.is_truthy())
    }

    /// The parameter as a number, or else `default`, as `||` does.
    fn number_or(&self, default: f64) -> f64 {
        self.truthy().map_or(default, Value::number)
    }

    fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// How often `for (i = 0; i < n; i++)` runs.
    fn times(&self, n: f64) -> Result<u32, Fault> {
        if n > MOST_TIMES {
            let most = MOST_TIMES as u32;
            return Err(Fault::new(
                "out of memory",
                format!("{n} is more than {most}, the most that is made"),
            ));
        }
        Ok(if n > 0.0 { n.ceil() as u32 } else { 0 })
    }

    /// A text that KDG puts into the template by `String.replace`, which reads dollar signs.
    fn inserted(&mut self, text: &str) -> Result<String, Fault> {
        let reads_itself = ["$&", "$`", "$'"].into_iter().find(|sign| text.replace("$$", "").contains(sign));
        if let Some(sign) = reads_itself {
            let why =
                format!("KDG puts a part of the template in the place of {sign}; write $$ for a dollar sign");
            if self.strict {
                return Err(Fault::new("Maximum call stack size exceeded", why));
            }
            self.note(why);
            return Ok(text.to_owned());
        }
        if text.contains("$$") {
            self.note("two dollar signs become one, as in KDG");
        }
        Ok(text.replace("$$", "$"))
    }

    /// The texts of values, as they are put into an event.
    fn texts(&mut self, values: &[Value]) -> Result<Box<[Box<[u8]>]>, Fault> {
        values
            .iter()
            .map(|value| {
                if matches!(value, Value::Map(_)) {
                    self.note(
                        "an object is written as [object Object]; put quotes around it to write its JSON",
                    );
                }
                self.inserted(&value.text()).map(|text| text.into_bytes().into())
            })
            .collect()
    }
}

/// The same text in every event.
fn constant(text: impl AsRef<str>) -> Made {
    Ok(vec![Op::text(text.as_ref())])
}

/// One of these words.
fn one_of(words: &'static [&'static str]) -> Made {
    Ok(vec![Op::Pick(words)])
}

/// A whole number from `low` to `high`.
fn whole(low: i64, high: i64) -> Op {
    Op::Integer { low, span: low.abs_diff(high) + 1 }
}

/// A text in which `#` is a digit and, where `letters`, `?` a capital letter.
fn pattern(text: &str, letters: bool) -> Op {
    let places = |wanted: u8| {
        text.bytes()
            .zip(0..)
            .filter(|(byte, _)| *byte == wanted)
            .map(|(_, place)| place)
            .collect::<Box<[u32]>>()
    };
    let capitals = if letters { places(b'?') } else { Box::default() };
    Op::Pattern { text: text.as_bytes().into(), digits: places(b'#'), capitals }
}

/// The reference of all functions in Markdown, as `docs/templates.md` shows it.
pub(super) fn markdown_table() -> String {
    let mut table = String::from("| function | what it writes |\n|---|---|\n");
    for Function { module, method, takes, what, .. } in all() {
        let takes = if takes.is_empty() { String::new() } else { format!("({})", takes.replace('`', "")) };
        table.push_str(&format!("| `{module}.{method}{takes}` | {what} |\n"));
    }
    table
}
