//! What is wrong with bytes that should be CBOR.

/// Bytes that can't be read, or that are not what was expected there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CborError {
    /// It breaks off.
    #[error("it breaks off after {0} bytes")]
    End(usize),
    /// Something that CBOR does not know, or not there.
    #[error("{0} at byte {1}")]
    Malformed(&'static str, usize),
    /// Containers in containers, without end.
    #[error("it is nested deeper than {} levels", super::MOST_DEPTH)]
    Depth,
    /// It is CBOR, but not what was expected.
    #[error("{0}")]
    Unexpected(String),
}

impl serde::de::Error for CborError {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::Unexpected(message.to_string())
    }
}
