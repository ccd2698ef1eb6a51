//! What a template finds under the names of modules, functions and variables while one event is rendered.
//!
//! All draws of an event come from one generator, which these objects share; they live as long as the rendering. An
//! object that minijinja holds must be shareable between threads: the generator's state is a number that is loaded and
//! stored, on one thread in truth.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use minijinja::value::{Object, ObjectRepr, Value};
use minijinja::{Error, ErrorKind, State};

use super::super::compile::MOST_EVENT_BYTES;
use super::super::library;
use super::super::moment::Moment;
use super::super::op::{self, Op, Scene};
use super::Wanted;
use super::{call, functions};
use crate::generate::Timestamp;
use crate::generate::random::{Lanes, Random};

/// The variables that every event has.
pub(super) const VARIABLES: [&str; 4] = ["sequence", "job", "producer", "millis"];

/// An error of a function.
pub(super) fn wrong(text: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, text)
}

/// What is known of the event before it is made.
#[derive(Debug)]
pub(super) struct Told {
    id: Lanes,
    time: Timestamp,
    pub(super) millis: u64,
    pub(super) job: u32,
    pub(super) sequence: u64,
    producer: Arc<str>,
    pub(super) shared: u64,
    pub(super) own: u64,
}

impl Told {
    pub(super) fn new(wanted: Wanted<'_>) -> Self {
        let Wanted { id, job, sequence, time, producer, shared, own } = wanted;
        let millis = u64::try_from(Moment::of(time).unix_millis()).unwrap_or(0);
        Self { id, time: *time, millis, job, sequence, producer: producer.into(), shared, own }
    }
}

/// A source of draws with all that can be drawn: that of the event itself, which is the template's context, or one of
/// `keyed`.
#[derive(Debug)]
pub(super) struct Draws {
    pub(super) told: Arc<Told>,
    state: AtomicU64,
    is_root: bool,
}

impl Draws {
    /// The context of an event's template.
    pub(super) fn root(told: Told, random: Random) -> Value {
        Value::from_object(Self { told: Arc::new(told), state: random.state().into(), is_root: true })
    }

    /// Draws of the same event from elsewhere.
    pub(super) fn keyed(&self, random: &Random) -> Value {
        Value::from_object(Self {
            told: Arc::clone(&self.told),
            state: random.state().into(),
            is_root: false,
        })
    }

    /// Draws by `draw`.
    pub(super) fn with<T>(&self, draw: impl FnOnce(&mut Random) -> T) -> T {
        let mut random = Random::new(self.state.load(Ordering::Relaxed));
        let drawn = draw(&mut random);
        self.state.store(random.state(), Ordering::Relaxed);
        drawn
    }

    /// What the pieces write.
    pub(super) fn write(&self, ops: &[Op]) -> Result<String, Error> {
        let told = &*self.told;
        if op::largest(ops, told.producer.len()) > MOST_EVENT_BYTES {
            return Err(wrong(format!("this may have more than {MOST_EVENT_BYTES} bytes")));
        }
        let mut out = Vec::new();
        self.with(|random| {
            let mut scene = Scene {
                id: told.id,
                random: random.clone(),
                time: &told.time,
                job: told.job,
                sequence: told.sequence,
                producer: &told.producer,
            };
            op::write_all(ops, &mut scene, &mut out);
            *random = scene.random;
        });
        String::from_utf8(out).map_err(|_| wrong("this is no UTF-8".to_owned()))
    }
}

impl Object for Draws {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, name: &str) -> Option<Value> {
        if let Some(module) = library::modules().find(|known| *known == name) {
            return Some(Value::from_object(Module { draws: Arc::clone(self), module }));
        }
        if let Some(function) = functions::find(name, self.is_root) {
            return Some(Value::from_object(Native { draws: Arc::clone(self), function }));
        }
        if !self.is_root {
            return None;
        }
        match name {
            "sequence" => Some(self.told.sequence.into()),
            "job" => Some(self.told.job.into()),
            "producer" => Some(Value::from(&self.told.producer)),
            "millis" => Some(self.told.millis.into()),
            _ => None,
        }
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        match functions::find(method, self.is_root) {
            Some(function) => (function.call)(self, args),
            None => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }
}

/// A module of the library, such as `random`.
#[derive(Debug)]
pub(super) struct Module {
    draws: Arc<Draws>,
    module: &'static str,
}

impl Module {
    pub(super) fn name(&self) -> &'static str {
        self.module
    }
}

impl Object for Module {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let place = call::place(self.module, key.as_str()?)?;
        Some(Value::from_object(Method { draws: Arc::clone(&self.draws), place }))
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        match call::place(self.module, method) {
            Some(place) => call::call(place, &self.draws, args),
            None => Err(wrong(format!("there is no function \"{}.{method}\"", self.module))),
        }
    }
}

/// A function of the library that is not called yet.
#[derive(Debug)]
pub(super) struct Method {
    draws: Arc<Draws>,
    place: usize,
}

impl Method {
    pub(super) fn name(&self) -> String {
        call::name(self.place)
    }
}

impl Object for Method {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, _: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        call::call(self.place, &self.draws, args)
    }
}

/// A function that only templates of this language have.
#[derive(Debug)]
pub(super) struct Native {
    draws: Arc<Draws>,
    function: &'static functions::Function,
}

impl Native {
    pub(super) fn name(&self) -> &'static str {
        self.function.name
    }
}

impl Object for Native {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, _: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        (self.function.call)(&self.draws, args)
    }
}
