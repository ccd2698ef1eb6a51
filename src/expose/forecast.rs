//! What a key strategy does to the shards, as a line of the start text and a warning. Plain values in, text out.

use super::human;

/// Shards that are named one by one.
const NAMED: usize = 4;

/// The shares of the load that the shards will get.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// Each shard and its share (1 is all), the busiest first; never empty.
    pub shares: Vec<(String, f64)>,
    /// From so many events.
    pub events: u64,
}

impl Forecast {
    /// The busiest shard and its share.
    pub(super) fn busiest(&self) -> Option<&(String, f64)> {
        self.shares.first()
    }

    /// The shares in words.
    pub(super) fn words(&self) -> String {
        let named = self.shares.iter().take(NAMED);
        let mut words: Vec<String> =
            named.map(|(shard, share)| format!("{shard} {}", percent(*share))).collect();
        if let Some(others) = self.shares.get(NAMED..).filter(|others| !others.is_empty()) {
            let sum = others.iter().map(|(_, share)| share).sum::<f64>();
            let shards = human::counted(others.len() as u64, "other");
            words.push(format!("{shards} {} together", percent(sum)));
        }
        format!("{} (by the first {} keys)", words.join(", "), human::grouped(self.events))
    }
}

fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 9.95 { format!("{percent:.1} %") } else { format!("{percent:.0} %") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_shards_are_named_and_the_others_summed_up() {
        let share = |id: &str, share| (format!("shardId-{id}"), share);
        let mut shares = vec![share("2", 0.6), share("0", 0.25), share("1", 0.05), share("3", 0.05)];
        let text = Forecast { shares: shares.clone(), events: 10_000 }.words();
        assert_eq!(
            text,
            "shardId-2 60 %, shardId-0 25 %, shardId-1 5.0 %, shardId-3 5.0 % (by the first 10,000 keys)"
        );
        shares.extend([share("4", 0.03), share("5", 0.02)]);
        let text = Forecast { shares, events: 10_000 }.words();
        assert!(text.contains("shardId-3 5.0 %, 2 others 5.0 % together (by"), "{text}");
    }
}
