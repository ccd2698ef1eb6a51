//! Follows the stream's resharding: lists the open shards anew when an answer names one that is not known.
//!
//! Decides how often that is done. The run goes on by the map of before in the meantime, and if the listing fails.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::expose::View;
use crate::key::Keyer;
use crate::kinesis::{Client, OpenShards, StreamRef};
use crate::ledger::Ledger;

/// Least time between two listings. ListShards takes 1,000 calls a second for the whole stream, and a reshard of many
/// shards goes on for minutes: each listing shows some of it.
const EVERY: Duration = Duration::from_secs(10);

/// Most time between two, when listings fail or do not know the shard that an answer named.
const SELDOM: Duration = Duration::from_secs(300);

/// Follows until it is dropped.
#[derive(Debug)]
pub(super) struct Following(JoinHandle<()>);

impl Drop for Following {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What follows the shards.
pub(super) struct Follower {
    pub(super) client: Client,
    pub(super) stream: StreamRef,
    pub(super) shards: OpenShards,
    pub(super) keyer: Keyer,
    pub(super) ledger: Arc<Ledger>,
    pub(super) view: View,
}

impl Follower {
    /// Begins to follow.
    pub(super) fn begin(self) -> Following {
        Following(tokio::spawn(self.follow()))
    }

    async fn follow(self) {
        let mut wait = EVERY;
        loop {
            let stranger = self.shards.outdated().await;
            let listed = self.client.open_shards(&self.stream).await;
            wait = match listed {
                Ok(map) => {
                    let (before, now) = (self.shards.now().shards().len(), map.shards().len());
                    if self.shards.replace(map) {
                        self.resharded().await;
                        self.view
                            .mark(format!("the stream was resharded: {before} shards before, {now} now"));
                        tracing::info!(
                            before,
                            now,
                            "the stream was resharded: {stranger} is new, and {now} shards are open now"
                        );
                        EVERY
                    } else {
                        tracing::debug!("an answer named {stranger}, which is not among the open shards");
                        (wait * 2).min(SELDOM)
                    }
                }
                Err(fault) => {
                    tracing::warn!(
                        "an answer named {stranger}, which is new, but the shards can't be listed; the run goes on by \
                         those known before: {fault}"
                    );
                    (wait * 2).min(SELDOM)
                }
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// The map is another.
    async fn resharded(&self) {
        self.ledger.resharded();
        let (keyer, map) = (self.keyer.clone(), self.shards.now());
        self.view.metrics().know_shards(map.shards().iter().map(|shard| shard.id));
        // Keys for chosen shards are looked for, which takes a thread some tenths of a second.
        let _ = tokio::task::spawn_blocking(move || keyer.follow(&map)).await;
    }
}
