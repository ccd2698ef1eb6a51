//! All streams of the embedded Kinesis, by name.
//!
//! Decides which streams there are. What a stream does is its own matter: this lock is never held while a
//! stream's is waited for.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::error::ApiError;
use super::options::Options;
use super::stream::{self, Creation, Distribution, Mode, OpenShards, Stream};

/// The streams, and what a test may ask about them.
#[derive(Debug)]
pub struct Store {
    options: Arc<Options>,
    streams: RwLock<BTreeMap<String, Arc<Stream>>>,
    open_shards: OpenShards,
    generations: AtomicU64,
}

impl Store {
    /// A store with the options' first stream, if they name one.
    ///
    /// # Errors
    /// [`ApiError`] when an option is out of its range, or that stream would have more shards than the account may.
    pub fn new(options: Options) -> Result<Self, ApiError> {
        options.check()?;
        let first = options.stream.clone();
        // Begins at the time, so that an iterator of an earlier process means nothing to this one.
        let generations = u64::try_from(options.clock.now().as_micros()).unwrap_or_default();
        let store = Self {
            options: Arc::new(options),
            streams: RwLock::default(),
            open_shards: OpenShards::default(),
            generations: AtomicU64::new(generations),
        };
        if let Some(name) = first {
            store.create(Creation {
                name,
                shards: store.options.shards,
                mode: Mode::Provisioned,
                distribution: Distribution::UserPartitionKey,
                record_bytes: store.options.limits.record_bytes,
                tags: BTreeMap::new(),
                // A caller of ours wants a stream that is there.
                busy: Duration::ZERO,
            })?;
        }
        Ok(store)
    }

    pub(super) fn options(&self) -> &Arc<Options> {
        &self.options
    }

    /// The stream of that name.
    #[must_use]
    pub fn stream(&self, name: &str) -> Option<Arc<Stream>> {
        self.streams.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    pub(super) fn find(&self, name: &str) -> Result<Arc<Stream>, ApiError> {
        self.stream(name).ok_or_else(|| stream::not_found(name, &self.options.account))
    }

    /// Open shards of all streams.
    pub(super) fn open_shards(&self) -> u32 {
        self.open_shards.count()
    }

    pub(super) fn create(&self, wanted: Creation) -> Result<Arc<Stream>, ApiError> {
        if wanted.shards == 0 {
            return Err(ApiError::validation("a stream has at least one shard"));
        }
        let mut streams = self.streams.write().unwrap_or_else(PoisonError::into_inner);
        let name = wanted.name.as_str().to_owned();
        if streams.contains_key(&name) {
            return Err(ApiError::in_use(format!(
                "Stream {name} under account {} already exists.",
                self.options.account
            )));
        }
        self.open_shards.reserve(wanted.shards, &self.options)?;
        let generation = self.generations.fetch_add(1, Ordering::AcqRel);
        let (options, open) = (Arc::clone(&self.options), self.open_shards.clone());
        let stream = Arc::new(Stream::new(wanted, generation, options, open));
        streams.insert(name, Arc::clone(&stream));
        Ok(stream)
    }

    /// Takes the stream away at once, with what it holds.
    pub(super) fn delete(&self, name: &str) -> Result<(), ApiError> {
        let stream = self.streams.write().unwrap_or_else(PoisonError::into_inner).remove(name);
        let stream = stream.ok_or_else(|| stream::not_found(name, &self.options.account))?;
        let mut state = stream.lock();
        state.deleted = true;
        self.open_shards.release(u32::try_from(state.open.shards().len()).unwrap_or(u32::MAX));
        Ok(())
    }

    /// Up to `limit` streams whose names come after `after`, in the order of names, and whether there are more.
    pub(super) fn list(&self, after: Option<&str>, limit: usize) -> (Vec<Arc<Stream>>, bool) {
        let streams = self.streams.read().unwrap_or_else(PoisonError::into_inner);
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut rest =
            streams.range::<str, _>((from, Bound::Unbounded)).map(|(_, stream)| Arc::clone(stream));
        let page = rest.by_ref().take(limit).collect();
        (page, rest.next().is_some())
    }
}
