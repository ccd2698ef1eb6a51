//! aws-sdk-kinesis as it comes: its own entries, protocol, retries and timeouts, with the program's events.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::PutRecordsRequestEntry;
use tokio::task::JoinSet;

use super::client::{CONNECTIONS, Order, Work};
use super::load::{Records, STREAM};

/// Sends until the order's time is over; with a `distance`, starts a request that often, where it can.
pub fn run(order: &Order, distance: Option<Duration>, work: &Arc<Work>) -> io::Result<()> {
    let config = aws_sdk_kinesis::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::new("none", "none", None, None, "floor"))
        .endpoint_url(format!("http://127.0.0.1:{}", order.port))
        .build();
    let client = Client::from_conf(config);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut connections = JoinSet::new();
        for place in 0..CONNECTIONS as u32 {
            let work = Arc::clone(work);
            // Each has every fourth request.
            let pace = distance.map(|distance| (distance * place, distance * CONNECTIONS as u32));
            connections.spawn(connection(client.clone(), *order, pace, work));
        }
        while let Some(ended) = connections.join_next().await {
            ended.map_err(io::Error::other)??;
        }
        Ok(())
    })
}

async fn connection(
    client: Client,
    order: Order,
    pace: Option<(Duration, Duration)>,
    work: Arc<Work>,
) -> io::Result<()> {
    let mut next = tokio::time::Instant::now() + pace.map_or(Duration::ZERO, |(first, _)| first);
    let mut source = Records::new().map_err(io::Error::other)?;
    let (mut event, mut key) = (Vec::new(), String::new());
    while Instant::now() < order.end {
        if let Some((_, distance)) = pace {
            tokio::time::sleep_until(next).await;
            next += distance;
        }
        let mut entries = Vec::with_capacity(order.records);
        for _ in 0..order.records {
            source.next(&mut event, &mut key).map_err(io::Error::other)?;
            let entry =
                PutRecordsRequestEntry::builder().data(Blob::new(event.as_slice())).partition_key(&key);
            entries.push(entry.build().map_err(io::Error::other)?);
        }
        let call = client.put_records().stream_name(STREAM).set_records(Some(entries));
        let answer = call.send().await.map_err(io::Error::other)?;
        if answer.failed_record_count() != Some(0) || answer.records().len() != order.records {
            return Err(io::Error::other("the sink's answer is wrong"));
        }
        work.records.fetch_add(order.records as u64, Ordering::Relaxed);
    }
    Ok(())
}
