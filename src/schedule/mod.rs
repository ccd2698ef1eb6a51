//! When: due seconds from the cron expression, and the moments inside a second.

mod pacing;

pub use pacing::{Pacing, PacingError};
