//! Over the wire: a bounded window, attempts, what each answer means, backoff and drain.

mod policy;

pub use policy::{Retry, RetryError, SendPolicy};
