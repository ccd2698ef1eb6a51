//! Before the first record: is the stream there, does it take records, and which shards has it?
//!
//! Every way in which it is not is an error of its own that says what to do.

use std::time::Duration;

use tokio::time::Instant;

use super::{Cause, Client, Fault, Refusal, ShardMap, Silence, Status, StreamFacts, StreamRef};
use crate::exit::Exit;

/// How often a stream that is not ACTIVE yet is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// How often it is said that we wait.
const SAY_AGAIN: Duration = Duration::from_secs(10);

/// Why a stream can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    /// There is no such stream.
    #[error(
        "stream {stream} does not exist in {region}: check the name and the region, or create it with \
         `kinesis-streamer stream create {stream}`"
    )]
    NoStream {
        /// Its name or ARN.
        stream: String,
        /// Where it was looked for.
        region: String,
    },
    /// It was CREATING for too long.
    #[error(
        "stream {stream} is still not ACTIVE after {waited:?}: wait for it, or raise STREAMER_ACTIVE_TIMEOUT"
    )]
    NotActive {
        /// Its name or ARN.
        stream: String,
        /// How long we waited.
        waited: Duration,
    },
    /// It will not take records again.
    #[error("stream {stream} is {status} and takes no records: choose another one, or create it again")]
    Closed {
        /// Its name or ARN.
        stream: String,
        /// Its status as the endpoint tells it.
        status: String,
    },
    /// The identity lacks a permission.
    #[error(
        "permission denied for {stream}: the identity needs kinesis:DescribeStreamSummary, kinesis:ListShards and \
         kinesis:PutRecords on the stream ({fault})"
    )]
    Denied {
        /// The stream.
        stream: String,
        /// What the endpoint said.
        fault: Fault,
    },
    /// There are no credentials.
    #[error(
        "no AWS credentials were found, or they could not be loaded: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or run \
         where a role is attached; --local needs none ({0})"
    )]
    NoCredentials(Fault),
    /// They are expired.
    #[error("the AWS credentials are expired: refresh them (for SSO: `aws sso login`) ({0})")]
    ExpiredCredentials(Fault),
    /// The endpoint does not accept them.
    #[error(
        "the AWS credentials are not accepted: check key, secret and session token, that they belong together, \
         and this machine's clock ({0})"
    )]
    RejectedCredentials(Fault),
    /// No connection, or none in time.
    #[error("the endpoint can't be reached: check AWS_ENDPOINT_URL, the region and the network ({0})")]
    Unreachable(Fault),
    /// Anything else.
    #[error("the endpoint answered with an error: {0}")]
    Other(Fault),
}

impl NotReady {
    /// How the process ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::NoStream { .. } => Exit::NoStream,
            Self::NotActive { .. } | Self::Closed { .. } => Exit::NotActive,
            Self::Denied { .. } => Exit::Denied,
            Self::NoCredentials(_) => Exit::NoCredentials,
            Self::ExpiredCredentials(_) => Exit::ExpiredCredentials,
            Self::RejectedCredentials(_) => Exit::RejectedCredentials,
            Self::Unreachable(_) | Self::Other(_) => Exit::Unreachable,
        }
    }

    /// What a call's fault means to who needs the stream.
    #[must_use]
    pub fn of(fault: Fault, stream: &StreamRef, region: &str) -> Self {
        match fault.cause {
            Cause::Refused(Refusal::NotFound) => {
                Self::NoStream { stream: stream.name().to_string(), region: region.to_owned() }
            }
            Cause::Refused(Refusal::Denied) => Self::Denied { stream: stream.to_string(), fault },
            Cause::Refused(Refusal::CredentialsMissing) => Self::NoCredentials(fault),
            Cause::Refused(Refusal::CredentialsExpired) => Self::ExpiredCredentials(fault),
            Cause::Refused(Refusal::CredentialsRejected) => Self::RejectedCredentials(fault),
            Cause::Refused(Refusal::Unreachable) | Cause::Silent(Silence::Timeout | Silence::Connection) => {
                Self::Unreachable(fault)
            }
            _ => Self::Other(fault),
        }
    }
}

impl Client {
    /// Waits until `stream` takes records, for `limit` at most, and lists its open shards.
    ///
    /// # Errors
    /// Why it can't be used.
    pub async fn ready(
        &self,
        stream: &StreamRef,
        limit: Duration,
    ) -> Result<(StreamFacts, ShardMap), NotReady> {
        let not_ready = |fault| NotReady::of(fault, stream, self.region());
        let start = Instant::now();
        let mut said: Option<Instant> = None;
        let facts = loop {
            let facts = self.describe(stream).await.map_err(not_ready)?;
            match &facts.status {
                Status::Ready => break facts,
                Status::Closed(status) => {
                    return Err(NotReady::Closed { stream: stream.to_string(), status: status.clone() });
                }
                Status::Creating if start.elapsed() >= limit => {
                    return Err(NotReady::NotActive { stream: stream.to_string(), waited: limit });
                }
                Status::Creating => {
                    if said.is_none_or(|said| said.elapsed() >= SAY_AGAIN) {
                        tracing::info!(
                            "stream {stream} is CREATING: waiting until it is ACTIVE, {limit:?} at most"
                        );
                        said = Some(Instant::now());
                    }
                    tokio::time::sleep(ASK_AGAIN.min(limit.saturating_sub(start.elapsed()))).await;
                }
            }
        };
        let shards = self.open_shards(stream).await.map_err(not_ready)?;
        Ok((facts, shards))
    }
}
