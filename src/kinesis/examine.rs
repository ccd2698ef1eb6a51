//! What can be asked before the first record: who we are, whether we may put records, what the stream is, how far it is.
//!
//! Stores nothing. Whether an endpoint knows DryRun is found out by a call that stores nothing in any case; one that
//! does not know it would take a dry PutRecords for a wet one.

use std::time::Duration;

use aws_sdk_kinesis::config::http::HttpResponse;
use aws_sdk_kinesis::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::{PutRecordsRequestEntry, ShardIteratorType};
use aws_sdk_sts::config::retry::RetryConfig;
use aws_sdk_sts::config::timeout::TimeoutConfig;
use tokio::time::{Instant, timeout};

use super::bound::Bounded;
use super::client::CONNECT_TIMEOUT;
use super::control::names;
use super::fault::{Cause, Fault, Refusal};
use super::lane::{ask, behind_a_proxy};
use super::{Client, StreamRef};

/// Who the credentials are, as STS tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The account.
    pub account: String,
    /// The user, or the session of a role.
    pub arn: String,
}

/// What an on-demand stream is warmed up for, in MiB/s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WarmThroughput {
    /// What it takes now.
    pub current: Option<u32>,
    /// What it is growing towards.
    pub target: Option<u32>,
}

/// What came of asking whether records may be put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DryRun {
    /// They may.
    Allowed,
    /// They may not.
    Denied(Fault),
    /// The endpoint does not know DryRun, so that no PutRecords was sent.
    Unaware,
    /// It could not be found out, and why.
    Unproven(String),
    /// The request would fail for another reason.
    Failed(Fault),
    /// The endpoint stored the record, although it had said that it knows DryRun, or although the record was illegal.
    Stored,
}

/// How far the endpoint is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Distance {
    /// How long small calls took on a connection that was open, the shortest first.
    pub calls: Vec<Duration>,
    /// How long it took to open a TCP connection, the shortest first; empty behind a proxy.
    pub connects: Vec<Duration>,
}

impl Distance {
    /// The middle one of some durations in order.
    #[must_use]
    pub fn median(sorted: &[Duration]) -> Option<Duration> {
        sorted.get(sorted.len() / 2).copied()
    }
}

/// Small calls whose time is taken. ListShards is allowed 1,000 times a second.
const CALLS: usize = 7;

/// Connections whose time is taken.
const CONNECTS: usize = 3;

/// The partition key of a record that is not meant to be stored.
const KEY: &str = "kinesis-streamer-check";

/// One more than the largest hash key: of the right form, and illegal (PutRecords API reference).
const TOO_LARGE: &str = "340282366920938463463374607431768211456";

fn says_dry_run<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    error.code() == Some("DryRunOperationException")
}

impl Client {
    /// GetCallerIdentity of STS, which needs no permission. None where nobody can be asked: made-up credentials, or
    /// an endpoint for Kinesis alone on this machine.
    ///
    /// # Errors
    /// The call's fault.
    pub async fn identity(&self, stream: &StreamRef) -> Result<Option<Identity>, Fault> {
        if !self.is_renewable() {
            return Ok(None);
        }
        // An endpoint for all services is asked as well, whatever it is: LocalStack and moto know STS.
        if self.shared.endpoint_url().is_none() {
            let (url, _) = ask(&self.shared, stream).await?;
            if super::endpoint::is_on_this_machine(&url) {
                return Ok(None);
            }
        }
        let config = aws_sdk_sts::config::Builder::from(&self.shared)
            .interceptor(Bounded)
            .retry_config(RetryConfig::disabled())
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(CONNECT_TIMEOUT)
                    .operation_timeout(self.limit)
                    .build(),
            )
            .build();
        let told = aws_sdk_sts::Client::from_conf(config).get_caller_identity().send().await?;
        let known = |text: Option<&str>| text.unwrap_or("not told").to_owned();
        Ok(Some(Identity { account: known(told.account()), arn: known(told.arn()) }))
    }

    /// The stream's warm throughput, where it has one and the endpoint tells it.
    ///
    /// # Errors
    /// The call's fault.
    pub async fn warm_throughput(&self, stream: &StreamRef) -> Result<Option<WarmThroughput>, Fault> {
        let summary = self.summary(stream).await?;
        let rate = |rate: Option<i32>| rate.and_then(|rate| u32::try_from(rate).ok());
        Ok(summary.warm_throughput().map(|warm| WarmThroughput {
            current: rate(warm.current_mibps()),
            target: rate(warm.target_mibps()),
        }))
    }

    /// Whether records may be put, found out without putting one. `shard` is an open one.
    pub async fn may_put(&self, stream: &StreamRef, shard: &str) -> DryRun {
        let (name, arn) = names(stream);
        let known = self
            .control
            .get_shard_iterator()
            .set_stream_name(name)
            .set_stream_arn(arn)
            .shard_id(shard)
            .shard_iterator_type(ShardIteratorType::Latest)
            .dry_run(true)
            .send()
            .await;
        match known {
            Ok(_) => DryRun::Unaware,
            Err(error) if says_dry_run(&error) => match self.put_dry(stream, None).await {
                Ok(()) => DryRun::Stored,
                Err(error) if says_dry_run(&error) => DryRun::Allowed,
                Err(error) => refused(error.into()),
            },
            // An identity that only writes may not ask for an iterator. Then a record is tried that cannot be stored.
            Err(_) => match self.put_dry(stream, Some(TOO_LARGE)).await {
                Ok(()) => DryRun::Stored,
                Err(error) if says_dry_run(&error) => DryRun::Allowed,
                Err(error) => match refused(error.into()) {
                    DryRun::Failed(Fault { cause: Cause::Refused(Refusal::Invalid), .. }) => DryRun::Unproven(
                        "whether the endpoint knows DryRun is not known without kinesis:GetShardIterator, and it looked \
                         at the request's rules, not only at the permission"
                            .to_owned(),
                    ),
                    other => other,
                },
            },
        }
    }

    /// PutRecords of an empty record with DryRun.
    async fn put_dry(
        &self,
        stream: &StreamRef,
        hash_key: Option<&str>,
    ) -> Result<(), SdkError<aws_sdk_kinesis::operation::put_records::PutRecordsError, HttpResponse>> {
        let (name, arn) = names(stream);
        let entry = PutRecordsRequestEntry::builder().data(Blob::new("")).partition_key(KEY);
        let entry = entry.set_explicit_hash_key(hash_key.map(str::to_owned)).build();
        let call = self.control.put_records().set_stream_name(name).set_stream_arn(arn).dry_run(true);
        call.set_records(entry.ok().map(|entry| vec![entry])).send().await.map(drop)
    }

    /// How far the endpoint is, by small calls to `stream` and by connections; fewer where some fail.
    pub async fn distance(&self, stream: &StreamRef) -> Distance {
        let mut distance = Distance::default();
        // The first opens a connection, and is not counted.
        for call in 0..=CALLS {
            let (name, arn) = names(stream);
            let start = Instant::now();
            let small = self.control.list_shards().set_stream_name(name).set_stream_arn(arn).max_results(1);
            match small.send().await {
                Ok(_) if call > 0 => distance.calls.push(start.elapsed()),
                Ok(_) => {}
                Err(_) => break,
            }
        }
        if let Ok((url, _)) = ask(&self.shared, stream).await
            && !behind_a_proxy(&url)
            && let Some(address) = address(&url)
        {
            for _ in 0..CONNECTS {
                let start = Instant::now();
                match timeout(CONNECT_TIMEOUT, tokio::net::TcpStream::connect(&address)).await {
                    Ok(Ok(_)) => distance.connects.push(start.elapsed()),
                    _ => break,
                }
            }
        }
        distance.calls.sort_unstable();
        distance.connects.sort_unstable();
        distance
    }
}

/// What a refusal of a dry PutRecords means.
fn refused(fault: Fault) -> DryRun {
    match fault.cause {
        Cause::Refused(Refusal::Denied) => DryRun::Denied(fault),
        _ => DryRun::Failed(fault),
    }
}

/// Host and port of a URL.
fn address(url: &str) -> Option<(String, u16)> {
    let uri: http::Uri = url.parse().ok()?;
    let usual = if uri.scheme_str() == Some("http") { 80 } else { 443 };
    let host = uri.host()?.trim_start_matches('[').trim_end_matches(']');
    Some((host.to_owned(), uri.port_u16().unwrap_or(usual)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_where_to_connect_to() {
        let told = |url| address(url).map(|(host, port)| format!("{host} {port}"));
        for (url, there) in [
            ("https://kinesis.eu-west-1.amazonaws.com/", "kinesis.eu-west-1.amazonaws.com 443"),
            ("http://127.0.0.1:4567", "127.0.0.1 4567"),
            ("http://[::1]/", "::1 80"),
        ] {
            assert_eq!(told(url).as_deref(), Some(there));
        }
        assert_eq!(address("/"), None);
    }

    #[test]
    fn the_middle_of_nothing_is_nothing() {
        let millis = |all: &[u64]| all.iter().map(|&one| Duration::from_millis(one)).collect::<Vec<_>>();
        assert_eq!(Distance::median(&millis(&[1, 2, 9])), Some(Duration::from_millis(2)));
        assert_eq!(Distance::median(&[]), None);
    }
}
