//! A faulty world around one run of the program: an embedded stream, a proxy before it that makes faults, a witness.
//!
//! Shared by the tests (`tests/it`) and by the command that writes the matrix and soaks (`examples/faults`). Decides
//! nothing about what a run should count: that is compared in `verdict`, from what the witness saw and the stream holds.

#![allow(dead_code)] // Two programs share it, and each uses its part.

pub mod action;
pub mod fault;
pub mod http;
pub mod identity;
pub mod marks;
pub mod memory;
pub mod proxy;
pub mod scenarios;
pub mod stage;
pub mod stream;
pub mod subject;
pub mod verdict;
pub mod witness;
