//! The one door to AWS: connects by aws-config's default chain and describes the stream; records go by a [`Lane`].

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_kinesis::config::Credentials;
use aws_sdk_kinesis::config::retry::RetryConfig;
use aws_sdk_kinesis::config::timeout::TimeoutConfig;
use aws_sdk_kinesis::types::{
    RecordDistributionStrategy, StreamDescriptionSummary, StreamMode, StreamStatus,
};

use super::bound::Bounded;
use super::fault::{Cause, Fault, Refusal};
use super::lane::{HttpClientKind, Lane};
use super::{HashKey, HashRange, NotReady, Shard, ShardMap, StreamRef, Wire};

/// The region when nothing names one, as in the Node.js original.
pub const FALLBACK_REGION: &str = "us-east-1";

/// Directives for the log's filter: the providers of credentials warn in long dumps of what the start error says in
/// a line.
pub const LOG_DIRECTIVES: &str = "aws_config=error";

/// Directives that come after the user's own: these would show what a credential process wrote, which may be a secret.
pub const LOG_NEVER: &str = "aws_config::profile=off,aws_config::meta::credentials=off";

/// How long a connection attempt may take.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// A stream as DescribeStreamSummary tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamFacts {
    /// Its ARN.
    pub arn: String,
    /// Whether it takes records.
    pub status: Status,
    /// Its capacity mode.
    pub mode: Mode,
    /// Whether a record's shard follows from its key; false where Kinesis spreads records as it likes (an on-demand
    /// stream's record distribution AUTO); none where the endpoint does not tell.
    pub by_key: Option<bool>,
    /// Shards that take writes.
    pub open_shards: u32,
    /// Most bytes of a record, where the endpoint tells it.
    pub record_bytes: Option<usize>,
}

/// A stream's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Takes records: ACTIVE, or UPDATING (resharding goes on while it serves).
    Ready,
    /// Will take records later: CREATING.
    Creating,
    /// Will never take records again: DELETING, or a state that we don't know.
    Closed(String),
}

/// A stream's capacity mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The user says how many shards.
    Provisioned,
    /// AWS says how many shards.
    OnDemand,
    /// The endpoint does not tell.
    Untold,
}

impl std::fmt::Display for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Provisioned => "provisioned",
            Self::OnDemand => "on-demand",
            Self::Untold => "mode not told",
        })
    }
}

/// How to reach Kinesis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// aws-config's default chain; `region` wins over it (an ARN names its own).
    Default {
        /// The region that the stream's ARN names.
        region: Option<String>,
    },
    /// The embedded stream at this URL, with made-up credentials.
    Local {
        /// Such as `http://127.0.0.1:4567`.
        endpoint: String,
    },
}

/// A client of one region and endpoint. Clones share connections.
#[derive(Debug, Clone)]
pub struct Client {
    /// For describing: the SDK's retries and timeouts.
    pub(super) control: aws_sdk_kinesis::Client,
    pub(super) shared: SdkConfig,
    /// How long a call of the control plane may take, each retry apart.
    pub(super) limit: Duration,
    /// Whether the chain of providers may be asked anew.
    renewable: bool,
    region: String,
    region_is_fallback: bool,
}

impl Client {
    /// A client by `access`, whose calls of the control plane take `limit` at most, each retry apart. Talks to
    /// nobody but the providers of region and profile.
    pub async fn connect(access: &Access, limit: Duration) -> Self {
        let (shared, region_is_fallback) = match access {
            Access::Default { region } => by_default_chain(region.clone()).await,
            Access::Local { endpoint } => (by_hand(endpoint), false),
        };
        let region = shared.region().map_or(FALLBACK_REGION, |region| region.as_ref()).to_owned();
        let control = aws_sdk_kinesis::config::Builder::from(&shared)
            .interceptor(Bounded)
            .retry_config(RetryConfig::standard())
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(CONNECT_TIMEOUT)
                    .operation_attempt_timeout(limit)
                    .build(),
            )
            .build();
        let renewable = matches!(access, Access::Default { .. });
        Self {
            control: aws_sdk_kinesis::Client::from_conf(control),
            shared,
            limit,
            renewable,
            region,
            region_is_fallback,
        }
    }

    /// Whether the credentials came from the chain of providers.
    pub(super) fn is_renewable(&self) -> bool {
        self.renewable
    }

    /// The region in force.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Whether nothing named a region, so that [`FALLBACK_REGION`] is in force.
    #[must_use]
    pub fn region_is_fallback(&self) -> bool {
        self.region_is_fallback
    }

    /// What a run needs of DescribeStreamSummary.
    ///
    /// # Errors
    /// The call's fault.
    pub async fn describe(&self, stream: &StreamRef) -> Result<StreamFacts, Fault> {
        Ok(facts(&self.summary(stream).await?))
    }

    /// DescribeStreamSummary.
    pub(super) async fn summary(&self, stream: &StreamRef) -> Result<StreamDescriptionSummary, Fault> {
        let call = self.control.describe_stream_summary();
        let call = match stream {
            StreamRef::Name(name) => call.stream_name(name.as_str()),
            StreamRef::Arn(arn) => call.stream_arn(arn.as_str()),
        };
        let answer = call.send().await?;
        answer.stream_description_summary.ok_or_else(|| malformed("no summary"))
    }

    /// The open shards, by ListShards.
    ///
    /// # Errors
    /// The call's fault; also when the answer breaks the API's rules.
    pub async fn open_shards(&self, stream: &StreamRef) -> Result<ShardMap, Fault> {
        let mut shards = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let call = self.control.list_shards();
            // A page after the first is asked for by its token alone (ListShards API reference).
            let call = match (token.take(), stream) {
                (Some(token), _) => call.next_token(token),
                (None, StreamRef::Name(name)) => call.stream_name(name.as_str()),
                (None, StreamRef::Arn(arn)) => call.stream_arn(arn.as_str()),
            };
            let answer = call.send().await?;
            for shard in answer.shards() {
                let closed = shard
                    .sequence_number_range()
                    .is_some_and(|range| range.ending_sequence_number().is_some());
                if !closed {
                    shards.push(read_shard(shard).ok_or_else(|| malformed("a shard without id or range"))?);
                }
            }
            token = answer.next_token().map(str::to_owned);
            if token.is_none() {
                return Ok(ShardMap::new(shards));
            }
        }
    }

    /// The way of PutRecords requests to `stream`. For CBOR, the endpoint is asked whether it speaks that.
    ///
    /// # Errors
    /// When there are no credentials, the endpoint's URL can't be used, or the wire not be spoken.
    pub async fn lane(&self, stream: &StreamRef, kind: HttpClientKind, wire: Wire) -> Result<Lane, NotReady> {
        let renewable = self.renewable.then(|| self.region.clone());
        let lane = Lane::open(&self.shared, stream, (kind, wire), renewable)
            .await
            .map_err(|fault| NotReady::of(fault, stream, self.region()))?;
        if wire == Wire::Cbor {
            lane.greet(stream, self.region(), self.limit).await?;
        }
        Ok(lane)
    }
}

/// What a run needs of a summary.
pub(super) fn facts(summary: &StreamDescriptionSummary) -> StreamFacts {
    StreamFacts {
        arn: summary.stream_arn().to_owned(),
        status: match summary.stream_status() {
            StreamStatus::Active | StreamStatus::Updating => Status::Ready,
            StreamStatus::Creating => Status::Creating,
            other => Status::Closed(other.as_str().to_owned()),
        },
        mode: match summary.stream_mode_details().map(|details| details.stream_mode()) {
            Some(StreamMode::Provisioned) => Mode::Provisioned,
            Some(StreamMode::OnDemand) => Mode::OnDemand,
            _ => Mode::Untold,
        },
        by_key: match summary.record_distribution_strategy() {
            Some(RecordDistributionStrategy::Auto) => Some(false),
            Some(RecordDistributionStrategy::UserPartitionKey) => Some(true),
            _ => None,
        },
        open_shards: u32::try_from(summary.open_shard_count()).unwrap_or(0),
        record_bytes: summary
            .max_record_size_in_kib()
            .and_then(|kib| usize::try_from(kib).ok())
            .map(|kib| kib * 1024),
    }
}

pub(super) async fn by_default_chain(region: Option<String>) -> (SdkConfig, bool) {
    let loader = aws_config::defaults(BehaviorVersion::latest());
    let loader = match region {
        Some(region) => loader.region(Region::new(region)),
        None => loader,
    };
    let shared = loader.load().await;
    if shared.region().is_some() {
        return (shared, false);
    }
    let region = Region::from_static(FALLBACK_REGION);
    // Loaded anew rather than patched: providers such as STS take their region from the loader.
    (aws_config::defaults(BehaviorVersion::latest()).region(region).load().await, true)
}

/// The embedded stream checks no signature: credentials that nobody could mistake for real ones.
fn by_hand(endpoint: &str) -> SdkConfig {
    use aws_sdk_kinesis::config::SharedCredentialsProvider;
    let credentials = Credentials::new("embedded", "embedded", None, None, "embedded stream");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static(FALLBACK_REGION))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(endpoint)
        .build()
}

fn read_shard(shard: &aws_sdk_kinesis::types::Shard) -> Option<Shard> {
    let range = shard.hash_key_range()?;
    Some(Shard {
        id: shard.shard_id().parse().ok()?,
        range: HashRange {
            start: HashKey(range.starting_hash_key().parse().ok()?),
            end: HashKey(range.ending_hash_key().parse().ok()?),
        },
    })
}

pub(super) fn malformed(what: &str) -> Fault {
    Fault::new(Cause::Refused(Refusal::Other), format!("the endpoint's answer is malformed: {what}"))
}
