//! What the tests share: a scripted endpoint, and runs of the binary.

mod endpoint;
mod program;

pub use endpoint::{Describe, Endpoint, Reply};
pub use program::{Counts, Finished, Program, Running, counts};
