//! Request bodies: read whole, but never more than is allowed, alone or together.
//!
//! Decides when a body is too large. What it says is `wire`'s.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes};

use super::super::error::{ApiError, ErrorKind};
use super::super::wire::most_json_bytes;

/// Room made at once when a request says how long it is; more comes as it arrives.
const FIRST_BYTES: usize = 512 * 1024;

/// What bodies may be: each, and all that are in memory together.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    taken: Arc<AtomicUsize>,
    most: usize,
    each: usize,
}

impl Budget {
    /// A budget of `most` bytes, for requests of up to `request_bytes` of records.
    pub(super) fn new(most: usize, request_bytes: usize) -> Self {
        Self { taken: Arc::default(), most, each: most_json_bytes(request_bytes) }
    }

    fn take(&self, bytes: usize) -> Option<()> {
        let fits = |taken: usize| taken.checked_add(bytes).filter(|sum| *sum <= self.most);
        self.taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, fits).ok().map(drop)
    }
}

/// A body in memory; gives its bytes back to the budget when dropped.
#[derive(Debug)]
pub(super) struct Held {
    bytes: Vec<u8>,
    budget: Budget,
}

impl Held {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn push(&mut self, data: &[u8]) -> Result<(), ApiError> {
        if self.bytes.len() + data.len() > self.budget.each {
            return Err(too_large(self.budget.each));
        }
        self.budget.take(data.len()).ok_or_else(|| {
            ApiError::new(ErrorKind::ServiceUnavailable, "Too many request bodies are in memory. Try again.")
        })?;
        self.bytes.extend_from_slice(data);
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.budget.taken.fetch_sub(self.bytes.len(), Ordering::AcqRel);
    }
}

fn too_large(most: usize) -> ApiError {
    let text = format!("Request body is longer than {most} bytes.");
    ApiError::new(ErrorKind::RequestTooLarge, text)
}

/// Reads a body. The error is none when the connection broke: there is nobody to answer.
pub(super) async fn read<B>(mut body: B, budget: &Budget) -> Result<Held, Option<ApiError>>
where
    B: Body<Data = Bytes> + Unpin,
{
    let told = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if told > budget.each {
        return Err(Some(too_large(budget.each)));
    }
    let mut held = Held { bytes: Vec::with_capacity(told.min(FIRST_BYTES)), budget: budget.clone() };
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| None)?;
        if let Some(data) = frame.data_ref() {
            held.push(data).map_err(Some)?;
        }
    }
    Ok(held)
}

#[cfg(test)]
mod tests {
    use http_body_util::Full;

    use super::*;

    async fn read_all(bytes: usize, budget: &Budget) -> Result<Held, ErrorKind> {
        let body = Full::new(Bytes::from(vec![0; bytes]));
        read(body, budget).await.map_err(|error| error.expect("memory does not break").kind)
    }

    #[tokio::test]
    async fn bodies_share_a_budget_and_give_it_back() {
        let budget = Budget::new(100, 1_000);
        let first = read_all(60, &budget).await.expect("fits");
        assert_eq!(read_all(60, &budget).await.err(), Some(ErrorKind::ServiceUnavailable));
        let second = read_all(40, &budget).await.expect("fits");
        drop((first, second));
        assert_eq!(budget.taken.load(Ordering::Acquire), 0);
        assert_eq!(read_all(100, &budget).await.map(|held| held.bytes().len()), Ok(100));
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_refused_before_it_is_read() {
        let budget = Budget::new(usize::MAX, 300);
        assert!(read_all(budget.each, &budget).await.is_ok());
        let error = read_all(budget.each + 1, &budget).await.err();
        assert_eq!(error, Some(ErrorKind::RequestTooLarge));
        assert_eq!(budget.taken.load(Ordering::Acquire), 0);
    }
}
