//! When: due seconds from the cron expression, how much each of them has, and the moments inside a second.
//!
//! The cron says which seconds are due; the pacer says when inside the second. tokio-cron-scheduler wakes every
//! 500 ms and, measured, fires up to 500 ms late, in herds, and loses ticks above its channel's size. So a firing
//! only announces due seconds ahead of time, and the pacer releases each second's records exactly.

mod agenda;
mod arrivals;
mod clock;
mod cron;
mod curve;
mod drive;
mod offer;
mod pacer;
mod pacing;
pub mod profile;
mod quantity;
mod quota;
mod share;
mod steer;

pub use agenda::Agenda;
pub use arrivals::{Arrivals, Slice};
pub use clock::{Clock, Observed};
pub use cron::{Cron, CronError};
pub use curve::Curve;
pub use drive::{Announcer, Control, drive, wall};
pub use offer::{Measure, Offer, Second, Shaped, Weighing};
pub use pacer::{Pacer, Plan, Release, Step};
pub use pacing::{Pacing, PacingError};
pub use quantity::{Decimal, MICRO, MOST_BYTES, MOST_RECORDS, Quantity, Rate, Unit};
pub use quota::Quota;
pub use share::Share;
pub use steer::{Change, NoChange, WHOLE};
