//! Over the wire: attempts, what each answer means, backoff and drain.

mod aimd;
pub mod backoff;
mod complaints;
mod hold;
mod policy;
#[cfg(test)]
mod policy_tests;
mod regime;
mod sender;
mod settle;
mod transport;

pub use policy::{LATEST, Retry, RetryError, SendPolicy};
pub use sender::{Sender, Turn};
pub use settle::{Circumstances, Next, Ruling, settle_answer, settle_fault};
pub use transport::Transport;
