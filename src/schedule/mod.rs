//! When: due seconds from the cron expression, and the moments inside a second.
//!
//! The cron says which seconds are due; the pacer says when inside the second. tokio-cron-scheduler wakes every
//! 500 ms and, measured, fires up to 500 ms late, in herds, and loses ticks above its channel's size. So a firing
//! only announces due seconds ahead of time, and the pacer releases each second's records exactly.

mod agenda;
mod arrivals;
mod clock;
mod cron;
mod drive;
mod pacer;
mod pacing;
mod share;

pub use agenda::Agenda;
pub use arrivals::{Arrivals, Quota, Slice};
pub use clock::{Clock, Observed};
pub use cron::{Cron, CronError};
pub use drive::{Announcer, Control, drive, wall};
pub use pacer::{Pacer, Plan, Release, Step};
pub use pacing::{Pacing, PacingError};
pub use share::Share;
