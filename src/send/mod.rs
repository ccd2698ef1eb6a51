//! Over the wire: attempts, what each answer means, backoff and drain.

pub mod backoff;
mod complaints;
mod policy;
mod sender;
mod settle;

pub use policy::{Retry, RetryError, SendPolicy};
pub use sender::{Sender, Transport};
pub use settle::{Circumstances, Next, Ruling, settle_answer, settle_fault};
