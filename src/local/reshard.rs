//! Splitting and merging shards.
//!
//! A parent closes and its children open in one step, under the stream's lock: a record goes to the parent
//! or to a child, and no hash key is ever without a shard. The parent stays readable to its end. With
//! `Options::transition` above zero the stream then says UPDATING for that long; writes go on meanwhile.

use std::collections::BTreeMap;
use std::time::Duration;

use super::error::ApiError;
use super::shard::Shard;
use super::stream::{Mode, State, Status, Stream};
use crate::kinesis::{HashKey, HashRange, ShardId};

/// Most shards that a stream remembers, closed ones included: bounds what endless resharding costs.
const MAX_SHARDS: usize = 100_000;

/// Times that UpdateShardCount may be called within [`DAY`] (AWS, UpdateShardCount).
const MAX_SCALINGS: usize = 10;
const DAY: Duration = Duration::from_secs(24 * 3600);

impl State {
    /// Opens a child of one or two shards, which the caller closes.
    fn open_child(&mut self, range: HashRange, parents: &[u32], now: Duration) {
        let number = u32::try_from(self.shards.len()).expect("at most MAX_SHARDS");
        let newest = parents.iter().map(|&parent| self.shards[parent as usize].second).max().unwrap_or(0);
        // Strictly later than the parents', so that a child's sequence numbers are greater.
        let mut child = Shard::open(number, range, now.as_secs().max(newest + 1), now);
        child.parent = parents.first().copied();
        child.adjacent_parent = parents.get(1).copied();
        for &parent in parents {
            let parent = &mut self.shards[parent as usize];
            parent.closed = Some(now);
            parent.children.push(number);
        }
        self.shards.push(child);
    }

    fn split(&mut self, number: u32, at: HashKey, now: Duration) {
        let HashRange { start, end } = self.shards[number as usize].range;
        self.open_child(HashRange { start, end: HashKey(at.0 - 1) }, &[number], now);
        self.open_child(HashRange { start: at, end }, &[number], now);
    }

    fn merge(&mut self, lower: u32, upper: u32, now: Duration) {
        let range = HashRange {
            start: self.shards[lower as usize].range.start,
            end: self.shards[upper as usize].range.end,
        };
        self.open_child(range, &[lower, upper], now);
    }

    /// Splits and merges until the open shards are `target` equal ranges. As with AWS this may open shards
    /// that live for a moment only.
    fn scale(&mut self, target: u32, now: Duration) {
        let wanted = HashRange::ALL.divided(target);
        let open = self.shards.iter().filter(|shard| shard.closed.is_none());
        let mut open: BTreeMap<HashKey, u32> = open.map(|shard| (shard.range.start, shard.number)).collect();
        // First every border that is wanted and not there ...
        for border in wanted.iter().map(|range| range.start) {
            let (&start, &number) = open.range(..=border).next_back().expect("the open shards begin at 0");
            if start != border {
                self.split(number, border, now);
                open.insert(start, self.newest() - 1);
                open.insert(border, self.newest());
            }
        }
        // ... then every border that is there and not wanted.
        for HashRange { start, end } in wanted {
            let mut pieces = open.range(start..=end).map(|(_, &number)| number);
            let Some(mut lower) = pieces.next() else { continue };
            for upper in pieces {
                self.merge(lower, upper, now);
                lower = self.newest();
            }
        }
    }

    fn newest(&self) -> u32 {
        u32::try_from(self.shards.len() - 1).expect("at most MAX_SHARDS")
    }
}

impl Stream {
    /// Checks what every resharding needs: a stream that is there, ACTIVE, provisioned and not worn out.
    fn may_reshard(&self, state: &State, now: Duration) -> Result<(), ApiError> {
        let (name, account) = (&self.name, &self.options.account);
        if state.deleted {
            return Err(self.not_found());
        }
        if state.mode == Mode::OnDemand {
            return Err(ApiError::validation(format!(
                "Request is invalid. Stream {name} under account {account} is in On-Demand mode."
            )));
        }
        let status = match state.status(now) {
            Status::Active => return Ok(()),
            Status::Creating => "CREATING",
            Status::Updating => "UPDATING",
        };
        Err(ApiError::in_use(format!(
            "Stream {name} under account {account} not ACTIVE, instead in state {status}"
        )))
    }

    fn worn_out(&self) -> ApiError {
        ApiError::limit(format!("Stream {} already had {MAX_SHARDS} shards, open and closed.", self.name))
    }

    fn open_shard<'a>(&self, state: &'a State, id: ShardId, now: Duration) -> Result<&'a Shard, ApiError> {
        let (name, account) = (&self.name, &self.options.account);
        let shard = u32::try_from(id.0).ok().and_then(|number| state.shard(number, now));
        let shard = shard.ok_or_else(|| {
            ApiError::not_found(format!(
                "Could not find shard {id} in stream {name} under account {account}."
            ))
        })?;
        if shard.closed.is_some() {
            return Err(ApiError::invalid(format!(
                "Shard {id} in stream {name} under account {account} has already been merged or split, and \
                 thus is not eligible for merging or splitting."
            )));
        }
        Ok(shard)
    }

    fn resharded(&self, state: &mut State, now: Duration) {
        state.remap();
        state.busy_until = now.saturating_add(self.options.transition);
    }

    /// Splits a shard in two; the second begins at `at`.
    pub(super) fn split(&self, id: ShardId, at: HashKey) -> Result<(), ApiError> {
        let mut state = self.lock();
        let now = self.options.clock.now();
        self.may_reshard(&state, now)?;
        let shard = self.open_shard(&state, id, now)?;
        let (number, HashRange { start, end }) = (shard.number, shard.range);
        if at.0 <= start.0.saturating_add(1) || at >= end {
            return Err(ApiError::invalid(format!(
                "NewStartingHashKey {at} used in SplitShard() on shard {id} in stream {} under account {} is \
                 not both greater than one plus the shard's StartingHashKey {start} and less than the \
                 shard's EndingHashKey {end}.",
                self.name, self.options.account
            )));
        }
        if state.shards.len() + 2 > MAX_SHARDS {
            return Err(self.worn_out());
        }
        self.open_shards.reserve(1, &self.options)?;
        state.split(number, at, now);
        self.resharded(&mut state, now);
        Ok(())
    }

    /// Merges two neighbours into one shard.
    pub(super) fn merge(&self, lower: ShardId, upper: ShardId) -> Result<(), ApiError> {
        let mut state = self.lock();
        let now = self.options.clock.now();
        self.may_reshard(&state, now)?;
        let (one, other) = (self.open_shard(&state, lower, now)?, self.open_shard(&state, upper, now)?);
        let numbers = (one.number, other.number);
        if one.range.end.0.checked_add(1) != Some(other.range.start.0) {
            return Err(ApiError::invalid(format!(
                "Shards {lower} and {upper} in stream {} under account {} are not an adjacent pair of shards \
                 eligible for merging",
                self.name, self.options.account
            )));
        }
        if state.shards.len() + 1 > MAX_SHARDS {
            return Err(self.worn_out());
        }
        state.merge(numbers.0, numbers.1, now);
        self.open_shards.release(1);
        self.resharded(&mut state, now);
        Ok(())
    }

    /// Brings the stream to `target` equal shards and returns how many it had.
    pub(super) fn update_shard_count(&self, target: u32) -> Result<u32, ApiError> {
        let mut state = self.lock();
        let now = self.options.clock.now();
        self.may_reshard(&state, now)?;
        let current = u32::try_from(state.open.shards().len()).expect("at most MAX_SHARDS");
        let (name, account) = (&self.name, &self.options.account);
        if target > current.saturating_mul(2) {
            return Err(ApiError::limit(format!(
                "UpdateShardCount cannot scale up over double your current open shard count. Current open \
                 shard count: {current} Target shard count: {target}"
            )));
        }
        if target < current.div_ceil(2) {
            return Err(ApiError::limit(format!(
                "UpdateShardCount cannot scale down below half your current open shard count. Current open \
                 shard count: {current} Target shard count: {target}"
            )));
        }
        state.scalings.retain(|at| *at + DAY > now);
        if self.options.limited && state.scalings.len() >= MAX_SCALINGS {
            return Err(ApiError::limit(format!(
                "Stream {name} under account {account} has already been scaled {MAX_SCALINGS} times in the \
                 last 24 hours."
            )));
        }
        // At most a cut for each wanted border and a merge for each one that was there.
        if state.shards.len() + 3 * (current as usize + target as usize) > MAX_SHARDS {
            return Err(self.worn_out());
        }
        if target > current {
            self.open_shards.reserve(target - current, &self.options)?;
        } else {
            self.open_shards.release(current - target);
        }
        state.scale(target, now);
        state.scalings.push_back(now);
        self.resharded(&mut state, now);
        Ok(current)
    }
}
