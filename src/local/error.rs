//! Errors as Kinesis answers them: a name from a closed set and a text.
//!
//! Decides the HTTP status of each name. The texts are written where the error is found.

use std::fmt;

use crate::kinesis::ShardId;

/// The name of an error, as the API reference lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // Each is the AWS name below.
pub enum ErrorKind {
    DryRunOperation,
    ExpiredIterator,
    ExpiredNextToken,
    InternalFailure,
    InvalidArgument,
    LimitExceeded,
    ProvisionedThroughputExceeded,
    RequestTooLarge,
    ResourceInUse,
    ResourceNotFound,
    Serialization,
    ServiceUnavailable,
    UnknownOperation,
    Validation,
}

impl ErrorKind {
    /// AWS's name, the `__type` of the answer.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DryRunOperation => "DryRunOperationException",
            Self::ExpiredIterator => "ExpiredIteratorException",
            Self::ExpiredNextToken => "ExpiredNextTokenException",
            Self::InternalFailure => "InternalFailure",
            Self::InvalidArgument => "InvalidArgumentException",
            Self::LimitExceeded => "LimitExceededException",
            Self::ProvisionedThroughputExceeded => "ProvisionedThroughputExceededException",
            Self::RequestTooLarge => "RequestEntityTooLargeException",
            Self::ResourceInUse => "ResourceInUseException",
            Self::ResourceNotFound => "ResourceNotFoundException",
            Self::Serialization => "SerializationException",
            Self::ServiceUnavailable => "ServiceUnavailable",
            Self::UnknownOperation => "UnknownOperationException",
            Self::Validation => "ValidationException",
        }
    }

    /// The HTTP status that carries it.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::InternalFailure => 500,
            Self::ServiceUnavailable => 503,
            Self::RequestTooLarge => 413,
            _ => 400,
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One whole-request error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct ApiError {
    /// Its name.
    pub kind: ErrorKind,
    /// Its text, as AWS words it where that is known.
    pub message: String,
}

impl ApiError {
    pub(super) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidArgument, message)
    }

    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Validation, message)
    }

    pub(super) fn limit(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::LimitExceeded, message)
    }

    pub(super) fn in_use(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::ResourceInUse, message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::ResourceNotFound, message)
    }

    pub(super) fn dry_run() -> Self {
        Self::new(
            ErrorKind::DryRunOperation,
            "The request would have succeeded, but DryRun was specified in the request.",
        )
    }

    pub(super) fn rate(shard: ShardId, stream: &str, account: &str) -> Self {
        Self::new(ErrorKind::ProvisionedThroughputExceeded, rate_message(shard, stream, account))
    }
}

/// AWS's text for a record or a read that a shard's limit refused.
pub(super) fn rate_message(shard: ShardId, stream: &str, account: &str) -> String {
    format!("Rate exceeded for shard {shard} in stream {stream} under account {account}.")
}
