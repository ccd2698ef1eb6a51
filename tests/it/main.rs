//! Whole runs, each of the real binary: against the embedded stream, and against endpoints that misbehave by a script.
//!
//! One binary, because the SDK links slowly.

mod faults;
mod living;
mod runs;
mod settings;
mod starts;
mod support;
mod templates;
mod tidy;
