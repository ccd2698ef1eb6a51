//! Where records are read from: a stream, or a test's script.

use std::future::Future;

use crate::kinesis::{Page, Place, ReadFault, Reader, ShardFamily, ShardId};

/// The three calls that reading takes.
pub trait Source: Send + Sync + 'static {
    /// See [`Reader::shards`].
    fn shards(&self) -> impl Future<Output = Result<Vec<ShardFamily>, ReadFault>> + Send;
    /// See [`Reader::iterator`].
    fn iterator(
        &self,
        shard: ShardId,
        place: Place,
    ) -> impl Future<Output = Result<String, ReadFault>> + Send;
    /// See [`Reader::records`].
    fn records(&self, iterator: &str) -> impl Future<Output = Result<Page, ReadFault>> + Send;
}

impl Source for Reader {
    fn shards(&self) -> impl Future<Output = Result<Vec<ShardFamily>, ReadFault>> + Send {
        Reader::shards(self)
    }

    fn iterator(
        &self,
        shard: ShardId,
        place: Place,
    ) -> impl Future<Output = Result<String, ReadFault>> + Send {
        Reader::iterator(self, shard, place)
    }

    fn records(&self, iterator: &str) -> impl Future<Output = Result<Page, ReadFault>> + Send {
        Reader::records(self, iterator)
    }
}
