//! The open shards as they are known at this moment, shared by all who ask; and whether an answer says that they are
//! others by now.
//!
//! Decides when the map is out of date, not who lists the shards anew, or how often.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::{ShardId, ShardMap};

/// The map of the open shards, which may be replaced. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct OpenShards(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    known: Mutex<Known>,
    doubted: Notify,
}

#[derive(Debug, Default)]
struct Known {
    map: Arc<ShardMap>,
    /// A shard that an answer named and the map has not.
    stranger: Option<ShardId>,
}

impl From<ShardMap> for OpenShards {
    fn from(map: ShardMap) -> Self {
        let known = Mutex::new(Known { map: Arc::new(map), stranger: None });
        Self(Arc::new(Shared { known, doubted: Notify::new() }))
    }
}

impl OpenShards {
    /// The map as it is known now.
    #[must_use]
    pub fn now(&self) -> Arc<ShardMap> {
        Arc::clone(&self.known().map)
    }

    /// Takes notice of the shards that an answer named, of which `map` is what was known when it came: one that the map
    /// has not means that the stream was resharded. Costs a search in the map for each, and a lock when there is news.
    pub fn met(&self, map: &ShardMap, named: impl IntoIterator<Item = ShardId>) {
        let Some(stranger) = named.into_iter().find(|&shard| !map.knows(shard)) else { return };
        let mut known = self.known();
        // Learned in the meantime, or told before.
        if known.stranger.is_none() && !known.map.knows(stranger) {
            known.stranger = Some(stranger);
            self.0.doubted.notify_one();
        }
    }

    /// Waits until the map is out of date, and says which shard it lacks. For one task alone.
    pub async fn outdated(&self) -> ShardId {
        loop {
            if let Some(stranger) = self.known().stranger {
                return stranger;
            }
            self.0.doubted.notified().await;
        }
    }

    /// Takes a map that was asked for after the doubt, and says whether it is another.
    pub fn replace(&self, map: ShardMap) -> bool {
        let mut known = self.known();
        known.stranger = None;
        let is_new = *known.map != map;
        known.map = Arc::new(map);
        is_new
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;
    use crate::kinesis::{HashRange, Shard};

    fn map(ids: &[u64]) -> ShardMap {
        let ranges = HashRange::ALL.divided(ids.len() as u32);
        ShardMap::new(ids.iter().zip(ranges).map(|(&id, range)| Shard { id: ShardId(id), range }).collect())
    }

    #[tokio::test(start_paused = true)]
    async fn an_unknown_shard_makes_the_map_out_of_date_until_it_is_replaced() {
        let shards = OpenShards::from(map(&[0, 1]));
        let is_outdated = async || timeout(Duration::from_secs(1), shards.outdated()).await.ok();
        shards.met(&shards.now(), [ShardId(1), ShardId(0)]);
        assert_eq!(is_outdated().await, None);
        let before = shards.now();
        shards.met(&before, [ShardId(1), ShardId(2)]);
        assert_eq!(is_outdated().await, Some(ShardId(2)));
        assert!(shards.replace(map(&[1, 2, 3])));
        // An answer that came while the map was old names what is known by now.
        shards.met(&before, [ShardId(3)]);
        assert_eq!(is_outdated().await, None);
        // It was asked for, and was the same: the stranger is told of again when it is met again.
        shards.met(&shards.now(), [ShardId(9)]);
        assert!(!shards.replace(map(&[1, 2, 3])));
        assert_eq!(is_outdated().await, None);
        shards.met(&shards.now(), [ShardId(9)]);
        assert_eq!(is_outdated().await, Some(ShardId(9)));
    }
}
