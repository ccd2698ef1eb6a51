//! What the tests share: a scripted endpoint, and runs of the binary.

mod endpoint;
mod program;
pub mod readback;
mod tap;

pub use endpoint::{Describe, Endpoint, Reply};
pub use program::{Counts, Finished, Program, Running, counts, serve};
pub use tap::Tap;
