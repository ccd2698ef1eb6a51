//! CBOR (RFC 8949), as much of it as Kinesis's second wire needs: reading any, writing heads and texts.
//!
//! Decides what is well-formed, and what a reader may cost: no more than the bytes that are there, however long
//! their lengths claim to be, and no deeper than [`MOST_DEPTH`]. What a value means is for others to say.

mod decoder;
mod error;
mod reader;
mod write;

pub use decoder::{Decoder, from_slice};
pub use error::CborError;
pub use reader::{Item, Left, Reader};
pub use write::{BREAK, MANY, Major, head_length, push_head, push_text, put_head};

/// Containers that may stand in one another: as many as serde_json takes, so that both wires take the same.
pub const MOST_DEPTH: u8 = 127;

/// Whether `body` can be CBOR of the kind that a request or an answer is (a map, perhaps tagged), and can't be JSON:
/// every JSON text begins with ASCII, every map, array and tag with a byte above it.
#[must_use]
pub fn is_cbor(body: &[u8]) -> bool {
    body.first().is_some_and(|first| !first.is_ascii())
}

#[cfg(test)]
mod tests;
