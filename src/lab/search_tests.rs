//! The search on simulated streams: whatever they take, it is found.

use proptest::prelude::*;

use super::*;

/// A stream of shards with token buckets, in continuous amounts, and a client with a highest rate.
struct Simulated {
    /// Records a second that each shard takes, and its share of the load.
    shards: Vec<(f64, f64)>,
    /// Records that each shard has in reserve.
    levels: Vec<f64>,
    client: f64,
    /// Blocks in which some are throttled for another reason come with this chance; the state of their randomness.
    noise: f64,
    state: u64,
}

const BLOCK: f64 = 0.25;

impl Simulated {
    fn new(shards: Vec<(f64, f64)>, client: f64, noise: f64) -> Self {
        let levels = shards.iter().map(|(rate, _)| *rate).collect();
        Self { shards, levels, client, noise, state: 1 }
    }

    /// The highest rate of which at most `throttled` is throttled, by bisection of the sum over shards.
    fn truth(&self, throttled: f64) -> f64 {
        let share = |rate: f64| -> f64 {
            self.shards.iter().map(|(takes, share)| (rate * share - takes).max(0.0)).sum::<f64>() / rate
        };
        let (mut low, mut high) = (0.0, 1e9);
        for _ in 0..100 {
            let middle = (low + high) / 2.0;
            if share(middle) <= throttled { low = middle } else { high = middle }
        }
        low.min(self.client)
    }

    fn random(&mut self) -> f64 {
        self.state =
            self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn block(&mut self, rate: f64) -> (Block, Vec<(f64, f64)>) {
        let mut all = Block::default();
        let mut by_shard = Vec::new();
        for (level, &(takes, share)) in self.levels.iter_mut().zip(&self.shards) {
            *level = (*level + takes * BLOCK).min(takes.max(takes * BLOCK));
            let offered = rate * share * BLOCK;
            let taken = offered.min(*level);
            *level -= taken;
            by_shard.push((taken, offered - taken));
        }
        let refused: f64 = by_shard.iter().map(|(_, refused)| refused).sum();
        let extra = if self.noise > 0.0 && self.random() < self.noise { 1.0 } else { 0.0 };
        let attempts = (rate * BLOCK).round().max(1.0) as u64;
        all.throttled = ((refused + extra).round() as u64).min(attempts);
        all.sent = attempts - all.throttled;
        (all, by_shard)
    }

    fn offer(&mut self, rate: f64, seconds: f64, kind: Kind, search: &Search) -> Observed {
        let real = rate.min(self.client);
        if kind == Kind::Trial {
            // What the real trial does as well: the shards' reserves are used up first.
            for _ in 0..12 {
                self.block((1.5 * real).min(self.client));
            }
            for _ in 0..4 {
                self.block(real);
            }
        }
        let (mut blocks, mut sums) = (Vec::new(), vec![(0.0, 0.0); self.shards.len()]);
        for _ in 0..(seconds / BLOCK) as usize {
            let (block, by_shard) = self.block(real);
            blocks.push(block);
            for (sum, (taken, refused)) in sums.iter_mut().zip(by_shard) {
                *sum = (sum.0 + taken, sum.1 + refused);
            }
            if kind == Kind::Trial && search.is_over(&blocks) {
                break;
            }
        }
        let offered: f64 = sums.iter().map(|(taken, refused)| taken + refused).sum();
        let per_second = 1.0 / (blocks.len() as f64 * BLOCK);
        let hint = sums
            .iter()
            .filter(|(_, refused)| *refused > 0.5)
            .map(|(taken, refused)| taken * per_second / ((taken + refused) / offered));
        Observed { blocks, hint: hint.reduce(f64::min), fell_short: real < 0.97 * rate }
    }

    /// Runs a whole search; its number of stretches is bounded.
    fn search(&mut self, rules: Rules, start: f64) -> (Search, End, usize) {
        let mut search = Search::new(rules, start);
        for stretch in 0..120 {
            match search.next() {
                Step::Done(end) => return (search, end, stretch),
                Step::Offer { rate, seconds, kind } => {
                    assert!(rate <= rules.most_rate && rate >= 1.0, "{rate}");
                    let observed = self.offer(rate, seconds, kind, &search);
                    search.learn(observed);
                }
            }
        }
        panic!("no end: {search:?}");
    }
}

fn rules(most_throttled: f64) -> Rules {
    let confidence = Confidence::of(0.95).expect("a share");
    Rules { most_throttled, confidence, resolution: 0.01, most_rate: 1e8, repeats: 6 }
}

proptest! {
    // Law: whatever an even stream takes and wherever the search begins, it ends within 120 stretches, and the rate that
    // it calls sustained is at most 2 % from the highest that is.
    #[test]
    fn what_an_even_stream_takes_is_found_within_two_percent(
        takes in 20.0_f64..200_000.0, shards in 1_usize..9, start in 1.0_f64..100_000.0, throttled in 0.001_f64..0.01,
    ) {
        let share = 1.0 / shards as f64;
        let mut stream = Simulated::new(vec![(takes * share, share); shards], f64::INFINITY, 0.0);
        let truth = stream.truth(throttled);
        let (search, end, _) = stream.search(rules(throttled), start);
        prop_assert_eq!(end, End::Converged);
        let low = search.low().expect("an answer");
        prop_assert!((low.rate / truth - 1.0).abs() < 0.02, "{} of {}", low.rate, truth);
        prop_assert!(search.high().expect("an end").rate > 0.995 * truth);
    }

    // Law: with uneven shares the shard that is full first decides.
    #[test]
    fn the_shard_that_is_full_first_decides(
        weights in prop::collection::vec(1.0_f64..5.0, 2..6), takes in 500.0_f64..2_000.0,
    ) {
        let sum: f64 = weights.iter().sum();
        let shards = weights.iter().map(|weight| (takes, weight / sum)).collect();
        let mut stream = Simulated::new(shards, f64::INFINITY, 0.0);
        let truth = stream.truth(0.001);
        let (search, ..) = stream.search(rules(0.001), 100.0);
        let low = search.low().expect("an answer");
        prop_assert!((low.rate / truth - 1.0).abs() < 0.02, "{} of {}", low.rate, truth);
    }

    // Law: a client that can't offer what the stream takes is found out, and never taken for the stream.
    #[test]
    fn a_client_that_falls_short_is_no_limit_of_the_stream(client in 100.0_f64..5_000.0, times in 1.2_f64..50.0) {
        let mut stream = Simulated::new(vec![(client * times, 1.0)], client, 0.0);
        let (search, end, _) = stream.search(rules(0.001), 50.0);
        prop_assert_eq!(end, End::Client);
        let low = search.low().expect("an answer").rate;
        prop_assert!(low < client * 1.04 && low > client * 0.95, "{} of {}", low, client);
    }

    // Law: noise that is well below what is allowed changes the answer by little.
    #[test]
    fn a_little_noise_does_not_lead_astray(takes in 500.0_f64..20_000.0, noise in 0.0_f64..0.05) {
        let mut stream = Simulated::new(vec![(takes, 1.0)], f64::INFINITY, noise);
        let truth = stream.truth(0.005);
        let (search, ..) = stream.search(rules(0.005), 300.0);
        let low = search.low().expect("an answer");
        prop_assert!((low.rate / truth - 1.0).abs() < 0.02, "{} of {}", low.rate, truth);
    }
}

#[test]
fn a_stream_that_takes_all_that_may_be_offered_is_said_to() {
    let mut stream = Simulated::new(vec![(10_000.0, 1.0)], f64::INFINITY, 0.0);
    let (search, end, stretches) = stream.search(Rules { most_rate: 3_000.0, ..rules(0.001) }, 500.0);
    assert_eq!((end, search.low().map(|low| low.rate)), (End::MostRate, Some(3_000.0)));
    assert!(search.high().is_none() && stretches < 8, "{stretches}");
}

#[test]
fn most_searches_need_a_handful_of_trials() {
    let mut stream = Simulated::new(vec![(1_000.0, 0.5); 2], f64::INFINITY, 0.0);
    let (_, _, stretches) = stream.search(rules(0.001), 500.0);
    assert!(stretches <= 9, "{stretches}");
}

#[test]
fn when_time_is_over_what_is_known_is_the_answer() {
    let mut search = Search::new(rules(0.001), 100.0);
    search.stop();
    assert_eq!(search.next(), Step::Done(End::Time));
    assert!(search.low().is_none());
    // What comes in late changes nothing.
    search.learn(Observed { blocks: vec![Block { sent: 9, throttled: 9 }], hint: None, fell_short: false });
    assert_eq!(search.next(), Step::Done(End::Time));
}

#[test]
fn a_rate_that_stays_in_doubt_is_decided_by_its_share_and_called_so() {
    let mut search = Search::new(rules(0.01), 100.0);
    search.learn(Observed {
        blocks: vec![Block { sent: 10, throttled: 90 }],
        hint: Some(50.0),
        fell_short: false,
    });
    let undecided =
        Observed { blocks: vec![Block { sent: 398, throttled: 4 }], hint: None, fell_short: false };
    // Four times it is moved a little, after two trials each.
    for trial in 0..4 * 2 + 6 {
        assert!(search.low().is_none() && search.high().is_none(), "{trial}");
        search.learn(undecided.clone());
    }
    let low = search.low().expect("decided");
    assert!(!low.is_firm && low.trials == 6 && low.share.high > 0.01);
}

#[test]
fn a_client_that_gets_no_further_between_two_decided_rates_leaves_them_as_they_are() {
    let observed = |throttled, fell_short| Observed {
        blocks: vec![Block { sent: 10_000 - throttled, throttled }; 10],
        hint: None,
        fell_short,
    };
    let mut search = Search::new(rules(0.01), 1_000.0);
    // The ramp, three rates that are sustained, each further than the one before, and one that is not: 4 % apart.
    search.learn(observed(5_000, false));
    (0..3).for_each(|_| search.learn(observed(0, false)));
    let low = search.low().expect("sustained").rate;
    search.learn(observed(9_000, false));
    let high = search.high().expect("too much").rate;
    assert!(low * 1.02 < high && high < low * 1.05, "{low} {high}");
    assert!(matches!(search.next(), Step::Offer { .. }));
    while let Step::Offer { .. } = search.next() {
        search.learn(observed(0, true));
    }
    assert_eq!(search.low().map(|low| low.rate), Some(low));
    assert_eq!(search.high().map(|high| (high.rate, high.side)), Some((high, Side::Throttled)));
    assert_eq!(search.next(), Step::Done(End::Converged));
}
