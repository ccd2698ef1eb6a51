//! The embedded stream: a small Kinesis on loopback, with real shard limits.
//!
//! It is what `--local` sends to, the stream of the tests, and a server of its own for other tools. It keeps
//! records in memory, bounded by bytes and age, and refuses entries one by one as AWS does. It does not
//! verify signatures, encrypt, fan out (SubscribeToShard), or limit the control plane's calls.

mod clock;
mod error;
mod inspect;
mod options;
mod read;
mod read_limiter;
mod reshard;
mod ring;
mod sequence;
mod server;
mod shard;
mod store;
mod stream;
mod wire;

#[cfg(test)]
mod tests;

pub use clock::Clock;
pub use error::{ApiError, ErrorKind};
pub use inspect::{Held, HeldRecord};
pub use options::{Guards, Options};
pub use read_limiter::ReadLimiter;
pub use sequence::{SequenceError, SequenceNumber};
pub use server::Server;
pub use shard::{Counts, ShardView};
pub use store::Store;
pub use stream::{Distribution, Mode, Status, Stream};
pub use wire::Api;

pub use crate::model::{Rates, Refusal, ShardLimiter};
