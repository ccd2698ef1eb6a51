//! Models of what a stream does, pure: the limiter of a shard, what explains its throttles, who else writes to it, and
//! when it will take the next record.
//!
//! Each gets time and answers as arguments. A number that is made here is a model's and not a measurement, and says so
//! where it is shown; `docs/metrics.md` has the definitions.

mod attribution;
mod cause;
mod limiter;
mod others;
mod reserve;
mod shard;
#[cfg(test)]
mod simulation_tests;

pub use attribution::Model;
pub use cause::ThrottleCause;
pub(crate) use limiter::Bucket;
pub use limiter::{Rates, Refusal, ShardLimiter};
pub use others::Others;
pub use reserve::Reserve;
pub use shard::{Seen, ShardThrottles};
