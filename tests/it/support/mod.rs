//! What the tests share: a scripted endpoint, runs of the binary, and a browser.

mod browser;
mod endpoint;
mod program;
pub mod readback;
mod tap;

pub use browser::Browser;
pub use endpoint::{Describe, Endpoint, Reply};
pub use program::{Counts, Finished, Program, Running, counts, serve};
pub use tap::Tap;
