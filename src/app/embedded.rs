//! The embedded stream of `--local`: opened before the run, served until the run is over.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::watch;

use crate::kinesis::StreamName;
use crate::local::{Options, Server, Store};

/// The embedded stream and its server.
pub(super) struct Embedded {
    pub(super) store: Arc<Store>,
    pub(super) endpoint: String,
    name: StreamName,
    /// Dropped to end the server.
    _serving: watch::Sender<()>,
}

impl Embedded {
    /// Opens a stream of `shards` shards on a free port of loopback.
    pub(super) async fn open(shards: u32, name: &StreamName) -> std::io::Result<Self> {
        let options = Options { stream: Some(name.clone()), shards, ..Options::default() };
        let server = Server::bind(SocketAddr::from(([127, 0, 0, 1], 0)), options).await?;
        let (store, endpoint) = (server.store(), server.endpoint());
        let (serving, mut ended) = watch::channel(());
        tokio::spawn(server.serve(async move {
            // An error is what we wait for: the sender is gone.
            while ended.changed().await.is_ok() {}
        }));
        Ok(Self { store, endpoint, name: name.clone(), _serving: serving })
    }

    /// How many records the stream took, by its own count.
    pub(super) fn held(&self) -> u64 {
        self.store.stream(self.name.as_str()).map_or(0, |stream| stream.totals().accepted_records)
    }
}
