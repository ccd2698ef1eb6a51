//! PutRecords through aws-sdk-kinesis, with our body; its client is made anew when its credentials are no good.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use aws_config::SdkConfig;
use bytes::Bytes;

use super::Answer;
use super::bound::Bounded;
use super::client::by_default_chain;
use super::fault::Fault;
use super::lane::quiet;
use super::protocol::{EXCHANGE, Exchange, Prepared};

/// How long after a renewal of the credentials there is no other: it may start a process or ask a service.
const RENEWAL_REST: Duration = Duration::from_secs(5);

/// The SDK's client for records.
///
/// The SDK keeps credentials until the end that they came with (fifteen minutes when they came with none) and what it
/// read of a profile for ever, whatever the endpoint says of them.
#[derive(Debug)]
pub(super) struct ThroughSdk {
    current: Arc<RwLock<aws_sdk_kinesis::Client>>,
    /// The region to ask the chain of providers for anew; none for credentials that were made up.
    renewable: Option<String>,
    renewed: Mutex<Option<Instant>>,
}

impl ThroughSdk {
    pub(super) fn new(shared: &SdkConfig, renewable: Option<String>) -> Self {
        let current = Arc::new(RwLock::new(client(shared)));
        Self { current, renewable, renewed: Mutex::new(None) }
    }

    /// As [`super::Lane::put`].
    pub(super) async fn put(&self, body: Bytes, answer: &mut Answer) -> Result<(), Fault> {
        let exchange = Arc::new(Exchange::new(body, std::mem::take(answer)));
        let client = self.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        let result = EXCHANGE.scope(Arc::clone(&exchange), client.put_records().send()).await;
        *answer = exchange.take_answer();
        let result = result.map(drop).map_err(Fault::from);
        if result.as_ref().is_err_and(Fault::asks_for_other_credentials) {
            self.renew();
        }
        result
    }

    /// Asks the whole chain of providers anew, in the background; the attempts after that use what it gives.
    fn renew(&self) {
        let mut renewed = self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(region) = self.renewable.clone() else { return };
        if renewed.is_some_and(|last| last.elapsed() < RENEWAL_REST) {
            return;
        }
        *renewed = Some(Instant::now());
        let current = Arc::clone(&self.current);
        tokio::spawn(async move {
            let (shared, _) = by_default_chain(Some(region)).await;
            *current.write().unwrap_or_else(PoisonError::into_inner) = client(&shared);
        });
    }
}

/// A client that sends prepared bodies, each once.
fn client(shared: &SdkConfig) -> aws_sdk_kinesis::Client {
    aws_sdk_kinesis::Client::from_conf(quiet(shared).interceptor(Bounded).protocol(Prepared::new()).build())
}
