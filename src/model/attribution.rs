//! All shards of a run: what is fed with each answer, and what is told of the throttled entries.
//!
//! Decides how often is judged, not what is found: that is each shard's own. A shard costs 4 KB from its first answer on,
//! and an answer a look-up for each shard that it names.

use std::collections::HashMap;
use std::time::Duration;

use super::Rates;
use super::shard::{Seen, ShardModel, ShardThrottles};
use crate::kinesis::ShardId;

/// How often all shards are gone through, so that nothing waits because its own shard has no more answers.
const EVERY: Duration = Duration::from_millis(250);

/// The limiters of a stream's shards, as far as this run's answers tell.
#[derive(Debug)]
pub struct Model {
    rates: Rates,
    shards: HashMap<ShardId, ShardModel>,
    gone_through: Duration,
}

impl Default for Model {
    fn default() -> Self {
        Self::new(Rates::AWS)
    }
}

impl Model {
    /// A stream whose shards take `rates`, of which nothing is known yet.
    #[must_use]
    pub fn new(rates: Rates) -> Self {
        Self { rates, shards: HashMap::new(), gone_through: Duration::ZERO }
    }

    /// Takes what an answer said of a shard. `called` and `answered` count from any fixed point.
    pub fn feed(&mut self, called: Duration, answered: Duration, shard: ShardId, seen: Seen) {
        let shard = self.shards.entry(shard).or_insert_with(|| ShardModel::new(self.rates, called));
        shard.feed(called, answered, seen);
    }

    /// What is told by `now`, of shards of which there may be news; empty most of the time. All numbers count from the
    /// beginning.
    pub fn judge(&mut self, now: Duration) -> Vec<(ShardId, ShardThrottles)> {
        if now.saturating_sub(self.gone_through) < EVERY {
            return Vec::new();
        }
        self.gone_through = now;
        self.tell(|shard| shard.judge_until(now))
    }

    /// The same at the end, when no answer is to come any more.
    pub fn conclude(&mut self) -> Vec<(ShardId, ShardThrottles)> {
        self.tell(ShardModel::judge_all)
    }

    fn tell(&mut self, judge: impl Fn(&mut ShardModel)) -> Vec<(ShardId, ShardThrottles)> {
        let news = self.shards.iter_mut().filter_map(|(&id, shard)| {
            judge(shard);
            shard.news().map(|told| (id, told))
        });
        news.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARDS: u64 = 1_000;

    /// One answer that names all shards, `millis` after the start, of which each throttles one entry.
    fn answer(model: &mut Model, millis: u64) -> usize {
        let at = Duration::from_millis(millis);
        let seen = Seen { sent: 1, sent_bytes: 100, throttled: 1, throttled_bytes: 100 };
        (0..SHARDS).for_each(|shard| model.feed(at, at, ShardId(shard), seen));
        model.judge(at).len()
    }

    #[test]
    fn a_thousand_shards_are_told_once_each_when_there_is_news_and_not_more_often_than_that() {
        let mut model = Model::default();
        let told: Vec<usize> = (0..40).map(|tenth| answer(&mut model, tenth * 100)).collect();
        // Nothing is old enough for more than a second; then there is news four times a second, as looked at in tenths.
        assert!(told[..12].iter().all(|&news| news == 0), "{told:?}");
        assert!(told.iter().all(|&news| news == 0 || news == SHARDS as usize), "{told:?}");
        assert_eq!(told[15..].iter().filter(|&&news| news > 0).count(), 9, "{told:?}");
        let last = model.conclude();
        assert!(last.iter().all(|(_, told)| told.by_others == 40), "{last:?}");
        assert_eq!((last.len(), model.conclude().len()), (SHARDS as usize, 0));
    }

    #[test]
    fn an_answer_costs_no_allocation_once_its_shards_are_known() {
        let mut model = Model::default();
        for tenth in 0..40 {
            answer(&mut model, tenth * 100);
        }
        // Between two judgements; these make a list of what is new.
        let cost = allocation_counter::measure(|| assert_eq!(answer(&mut model, 4_010), 0));
        assert_eq!(cost.count_total, 0);
    }
}
