//! Whatever takes a request's body and fills an answer. Decides nothing: a retry policy knows no network.

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;

use crate::kinesis::{Answer, Fault, Lane};

/// Whatever puts records: Kinesis, or a test's script.
pub trait Transport: Send + Sync + 'static {
    /// One PutRecords attempt; see [`Lane::put`].
    fn put(&self, body: Bytes, answer: &mut Answer) -> impl Future<Output = Result<(), Fault>> + Send;
}

impl Transport for Lane {
    fn put(&self, body: Bytes, answer: &mut Answer) -> impl Future<Output = Result<(), Fault>> + Send {
        Lane::put(self, body, answer)
    }
}

impl<T: Transport> Transport for Arc<T> {
    fn put(&self, body: Bytes, answer: &mut Answer) -> impl Future<Output = Result<(), Fault>> + Send {
        T::put(self, body, answer)
    }
}
