//! Whole runs, each of the real binary: against the embedded stream, and against endpoints that misbehave by a script.
//!
//! One binary, because the SDK links slowly.

mod aggregation;
mod answers;
mod corners;
mod dashboard;
mod faults;
#[path = "../support/mod.rs"]
mod faulty;
mod fleet;
mod fuzzed;
mod guards;
mod journals;
mod judging;
mod keys;
mod lab;
mod listener;
mod living;
mod manifests;
mod matrix;
mod otlp;
mod payloads;
mod profiles;
mod queries;
mod replay;
mod reports;
mod runs;
mod secrets;
mod settings;
mod starts;
mod streams;
mod support;
mod templates;
mod terminal;
mod throttling;
mod tidy;
mod verify;
mod wires;
