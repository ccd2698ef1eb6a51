//! One shard's throttles and what explains them: the limiter's buckets, fed with what this run had stored.
//!
//! Decides to which cause each throttled entry is charged. When in its flight an entry was judged is not known, and
//! answers overtake one another; so answers are laid into bins of time, and a bin is judged when it is old enough for
//! most answers of its time to have come. What comes later counts in the oldest bin that is not judged yet.

use std::time::Duration;

use super::others::{Meter, Others};
use super::{Rates, ThrottleCause};

/// The length of a bin. In it a shard takes 25 records: that much of a model's level is never certain.
pub(super) const BIN: Duration = Duration::from_millis(25);

/// Bins that are kept: 1.6 s.
const BINS: u64 = 64;

/// How old a bin is when it is judged, in bins: 1.2 s.
const LAG: u64 = 48;

/// Furthest that is looked ahead for what was stored before a throttle although it is told as after it, in bins.
const MOST_AHEAD: u64 = LAG / 2;

/// What the answer to one request said of one shard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// Records stored.
    pub sent: u64,
    /// Their bytes, data and keys.
    pub sent_bytes: u64,
    /// Entries refused for a limit.
    pub throttled: u64,
    /// Their bytes.
    pub throttled_bytes: u64,
}

impl Seen {
    fn add(&mut self, other: Self) {
        self.sent += other.sent;
        self.sent_bytes += other.sent_bytes;
        self.throttled += other.throttled;
        self.throttled_bytes += other.throttled_bytes;
    }
}

/// What became of a shard's throttled entries, and what that says of others.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ShardThrottles {
    /// Entries charged to the records that this run had stored.
    pub by_records: u64,
    /// Entries charged to the bytes that this run had stored.
    pub by_bytes: u64,
    /// Entries charged to other writers.
    pub by_others: u64,
    /// What others wrote while the shard was at its limit.
    pub others: Others,
}

impl ShardThrottles {
    /// The entries by cause.
    #[must_use]
    pub fn causes(&self) -> [(ThrottleCause, u64); 3] {
        [
            (ThrottleCause::Records, self.by_records),
            (ThrottleCause::Bytes, self.by_bytes),
            (ThrottleCause::OtherWriters, self.by_others),
        ]
    }
}

/// The answers whose entries were judged in one bin of time, as far as that can be told.
#[derive(Debug, Clone, Copy, Default)]
struct Bin {
    seen: Seen,
    /// The longest half of a flight among them: how far off their time may be.
    doubt: Duration,
}

/// A shard as the model knows it.
#[derive(Debug, Clone)]
pub(super) struct ShardModel {
    rates: Rates,
    bins: Vec<Bin>,
    /// The oldest bin that is not judged yet, counted from the model's beginning.
    next: u64,
    /// Entries in bins that are not judged yet.
    waiting: u64,
    /// What would be in the buckets at the end of the bin before `next`, had nobody else written: records, bytes. Below
    /// zero where more was stored than the limit lets through.
    level: (f64, f64),
    /// By how much time's worth the level may be too high: see [`Self::doubt_when_full`].
    early: Duration,
    /// All that was seen, for the mean size of a record.
    seen: Seen,
    told: ShardThrottles,
    meter: Meter,
    /// What [`Self::news`] gave out last.
    published: ShardThrottles,
}

impl ShardModel {
    /// Of a shard that was idle before `now`: the bucket is taken for full.
    pub(super) fn new(rates: Rates, now: Duration) -> Self {
        Self {
            rates,
            bins: vec![Bin::default(); BINS as usize],
            next: bin_of(now),
            waiting: 0,
            level: (rates.records as f64, rates.bytes as f64),
            seen: Seen::default(),
            early: Duration::ZERO,
            told: ShardThrottles::default(),
            meter: Meter::default(),
            published: ShardThrottles::default(),
        }
    }

    /// Takes what the answer to a request said, that went out at `called` and was answered at `answered`.
    pub(super) fn feed(&mut self, called: Duration, answered: Duration, seen: Seen) {
        self.judge(bin_of(answered).saturating_sub(LAG));
        let half = answered.saturating_sub(called) / 2;
        let at = bin_of(called + half).clamp(self.next, self.next + BINS - 1);
        let bin = &mut self.bins[(at % BINS) as usize];
        bin.seen.add(seen);
        bin.doubt = bin.doubt.max(half);
        self.seen.add(seen);
        self.waiting += seen.sent + seen.throttled;
    }

    /// Judges what is old enough at `now`.
    pub(super) fn judge_until(&mut self, now: Duration) {
        self.judge(bin_of(now).saturating_sub(LAG));
    }

    /// Judges all that is left.
    pub(super) fn judge_all(&mut self) {
        self.judge(self.next + BINS);
    }

    /// What is told, if it is something else than the last time.
    pub(super) fn news(&mut self) -> Option<ShardThrottles> {
        let told = ShardThrottles { others: self.meter.told(), ..self.told };
        (told != self.published).then(|| {
            self.published = told;
            told
        })
    }

    /// Judges the bins before `until`.
    fn judge(&mut self, until: u64) {
        while self.next < until {
            if self.waiting == 0 {
                // Nothing was seen in all of them.
                let idle = BIN * u32::try_from(until - self.next).unwrap_or(u32::MAX);
                self.pass(idle, Seen::default());
                self.next = until;
                return;
            }
            let bin = std::mem::take(&mut self.bins[(self.next % BINS) as usize]);
            self.waiting -= bin.seen.sent + bin.seen.throttled;
            self.doubt_when_full(bin.doubt);
            self.pass(BIN, bin.seen);
            if bin.seen.throttled > 0 {
                self.charge(bin);
            }
            self.next += 1;
        }
    }

    /// A full bucket does not fill: what was stored when it was full, and is told as stored earlier, is filled up here
    /// and never was there. By so much the level may be too high from then on.
    fn doubt_when_full(&mut self, doubt: Duration) {
        let short = (doubt + BIN).as_secs_f64();
        let is_full = |level: f64, rate: u64| level >= rate as f64 * (1.0 - short);
        if is_full(self.level.0, self.rates.records) || is_full(self.level.1, self.rates.bytes) {
            self.early = self.early.max(doubt);
        }
    }

    /// So much time went by, in which so much was stored.
    fn pass(&mut self, time: Duration, seen: Seen) {
        let (records, bytes) = (seen.sent as f64, seen.sent_bytes as f64);
        let fill = |level: f64, rate: u64, took: f64| {
            let rate = rate as f64;
            // A shard that lets more through than it should is not in debt for ever.
            ((level + rate * time.as_secs_f64()).min(rate) - took).max(-rate)
        };
        self.level =
            (fill(self.level.0, self.rates.records, records), fill(self.level.1, self.rates.bytes, bytes));
        self.meter.pass(time, self.rates, records, bytes);
    }

    /// Charges the throttled entries of the bin `next`, with the level as it is at that bin's end.
    fn charge(&mut self, bin: Bin) {
        let throttled = bin.seen.throttled;
        let own_bytes = bin.seen.throttled_bytes as f64 / throttled as f64;
        // What is told as a little later may have been stored before, by both of their doubts: it counts as if it was.
        let (mut records, mut bytes) = self.level;
        for ahead in 1..=MOST_AHEAD {
            let Bin { seen: later, doubt } = self.bins[((self.next + ahead) % BINS) as usize];
            if BIN * (ahead as u32 - 1) <= bin.doubt + doubt {
                records -= later.sent as f64;
                bytes -= later.sent_bytes as f64;
            }
        }
        // The bins on both sides, and what lies too far ahead to be looked at.
        let unseen = bin.doubt.saturating_sub(BIN * MOST_AHEAD as u32);
        let uncertain = (2 * BIN + unseen + self.early).as_secs_f64();
        let room_records = records - uncertain * self.rates.records as f64;
        let room_bytes = bytes - uncertain * self.rates.bytes as f64 - own_bytes;
        // So many of them the shard would have taken, had it been this run's alone.
        let fit = room_records.min(room_bytes / own_bytes.max(1.0)).max(0.0) as u64;
        let by_others = fit.min(throttled);
        let own = throttled - by_others;
        self.told.by_others += by_others;
        if records / self.rates.records as f64 <= bytes / self.rates.bytes as f64 {
            self.told.by_records += own;
        } else {
            self.told.by_bytes += own;
        }
        let all = self.seen.sent + self.seen.throttled;
        let mean = (self.seen.sent_bytes + self.seen.throttled_bytes) as f64 / all.max(1) as f64;
        self.meter.empty(BIN * self.next as u32, self.rates, mean, bin.doubt + BIN);
    }
}

/// The bin in which a moment lies.
fn bin_of(moment: Duration) -> u64 {
    (moment.as_nanos() / BIN.as_nanos()) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn sent(records: u64) -> Seen {
        Seen { sent: records, sent_bytes: 100 * records, ..Seen::default() }
    }

    fn throttled(entries: u64) -> Seen {
        Seen { throttled: entries, throttled_bytes: 100 * entries, ..Seen::default() }
    }

    /// What is told after answers that came (milliseconds after the start) so.
    fn told(answers: &[(u64, Seen)]) -> ShardThrottles {
        let mut shard = ShardModel::new(Rates::AWS, Duration::ZERO);
        for &(millis, seen) in answers {
            let at = Duration::from_millis(millis);
            shard.feed(at, at, seen);
        }
        shard.judge_all();
        assert_eq!(shard.waiting, 0);
        shard.told
    }

    #[test]
    fn what_follows_upon_a_full_second_of_ones_own_is_ones_own() {
        let told = told(&[(0, sent(1_000)), (1, throttled(500))]);
        assert_eq!((told.by_records, told.by_bytes, told.by_others), (500, 0, 0));
    }

    #[test]
    fn an_answer_that_overtakes_the_one_that_explains_it_is_explained_all_the_same() {
        let mut shard = ShardModel::new(Rates::AWS, Duration::ZERO);
        shard.feed(MS * 3, MS * 20, throttled(500));
        shard.feed(MS, MS * 60, sent(1_000));
        shard.judge_all();
        assert_eq!((shard.told.by_records, shard.told.by_others), (500, 0));
    }

    #[test]
    fn the_bytes_are_charged_when_they_are_what_is_used_up() {
        let large = Seen { sent: 100, sent_bytes: Rates::AWS.bytes, ..Seen::default() };
        let told =
            told(&[(0, large), (1, Seen { throttled: 7, throttled_bytes: 73_400, ..Seen::default() })]);
        assert_eq!((told.by_records, told.by_bytes, told.by_others), (0, 7, 0));
    }

    #[test]
    fn what_the_shard_would_have_taken_is_charged_to_others_and_the_rest_is_not() {
        // 600 of ones own are stored; alone there would be room for 400, less what is uncertain.
        let told = told(&[(0, sent(600)), (1, throttled(1_000))]);
        assert_eq!((told.by_others, told.by_records), (400 - 50, 650));
    }

    #[test]
    fn a_pause_fills_the_bucket_again() {
        let told =
            told(&[(0, sent(1_000)), (5_000, throttled(10)), (90_000, sent(1)), (90_001, throttled(10))]);
        assert_eq!((told.by_others, told.by_records), (20, 0));
    }

    #[test]
    fn a_bin_is_judged_when_it_is_old_enough_and_not_before() {
        let mut shard = ShardModel::new(Rates::AWS, Duration::ZERO);
        shard.feed(MS, MS, throttled(3));
        shard.judge_until(BIN * LAG as u32);
        assert_eq!(shard.told.by_others, 0);
        shard.judge_until(BIN * (LAG as u32 + 1));
        assert_eq!((shard.told.by_others, shard.waiting), (3, 0));
        // Whoever comes later than that is not lost.
        shard.feed(MS, MS * 1_300, throttled(4));
        shard.judge_all();
        assert_eq!(shard.told.by_others, 7);
    }
}
