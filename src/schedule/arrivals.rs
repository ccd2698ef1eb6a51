//! When inside a second its records are due: a pure function of the quota, the pacing and a seed.
//!
//! The second's records stand in one row, job after job; each has an offset, and offsets ascend. Neighbours of
//! one job whose offsets fall into the same ten milliseconds make one slice, so that a request is not spent on
//! each record; a slice is due when its first record is, in steps of two milliseconds.

use std::ops::Range;
use std::time::Duration;

use super::{Pacing, Share};

const SECOND: u64 = 1_000_000_000;

/// Records closer together than this may share a request.
const CELL: u64 = 10_000_000;

/// Records are due at multiples of this after the second's start. A wake-up for each record of ten thousand a second
/// would cost more than the records; a fifth of the finest bin that is looked at (10 ms) is not seen there.
const STEP: u64 = 2_000_000;

/// The events due in one second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Number of jobs; at least 1.
    pub jobs: u32,
    /// Events of each job; at least 1.
    pub messages: u32,
}

impl Quota {
    /// Events of all jobs together.
    #[must_use]
    pub fn records(&self) -> u64 {
        u64::from(self.jobs) * u64::from(self.messages)
    }

    /// How many of them are those of `share`.
    #[must_use]
    pub fn records_of(&self, share: Share) -> u64 {
        let row = share.of(self.records());
        row.end - row.start
    }

    /// How many jobs those are of, jobs included that others have a part in.
    #[must_use]
    pub fn jobs_of(&self, share: Share) -> u32 {
        let row = share.of(self.records());
        let messages = u64::from(self.messages);
        if row.is_empty() { 0 } else { ((row.end - 1) / messages - row.start / messages + 1) as u32 }
    }
}

/// Records of one job that are released together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// The job, counted from 0.
    pub job: u32,
    /// How many records; at least 1, at most what a request may hold.
    pub records: u32,
    /// When they are due, from the start of the second; less than a second.
    pub offset: Duration,
}

/// The slices of one second, in the order of their offsets.
#[derive(Debug)]
pub struct Arrivals {
    quota: Quota,
    pacing: Pacing,
    /// Most records in a slice.
    most: u64,
    share: Share,
    /// The stretch of the row that is released.
    row: Range<u64>,
    /// Index of the next record in the row.
    next: u64,
    /// Its offset in nanoseconds; for `Poisson` only.
    drawn: f64,
    random: fastrand::Rng,
}

impl Arrivals {
    /// The arrivals of a second in slices of at most `most` records; `seed` matters to `Poisson` alone.
    #[must_use]
    pub fn new(quota: Quota, pacing: Pacing, most: usize, seed: u64) -> Self {
        Self::shared(quota, pacing, most, seed, Share::WHOLE)
    }

    /// The same for one of several instances, whose arrivals together are those of the second: in number exactly, and
    /// in time as far as their clocks agree. Each smooth instance has gaps of its own length, and they begin one after
    /// the other; random moments are other ones in each.
    #[must_use]
    pub fn shared(quota: Quota, pacing: Pacing, most: usize, seed: u64, share: Share) -> Self {
        let random = fastrand::Rng::with_seed(share.seed(seed));
        let (row, most) = (share.of(quota.records()), most.max(1) as u64);
        let next = row.start;
        let mut arrivals = Self { quota, pacing, most, share, row, next, drawn: 0.0, random };
        if pacing == Pacing::Poisson {
            arrivals.draw();
        }
        arrivals
    }

    /// The offset of record `next` in nanoseconds.
    fn offset(&self) -> u64 {
        let exact = match self.pacing {
            Pacing::Burst => 0,
            Pacing::Smooth => self.even_offset(self.next),
            Pacing::Poisson => ((self.drawn * SECOND as f64) as u64).min(SECOND - 1),
        };
        exact / STEP * STEP
    }

    /// Where record `index` of the row is due in an even spread. Of n instances, the k-th begins k n-ths of its gap
    /// late, so that the gaps of all of them together are as even as its own.
    fn even_offset(&self, index: u64) -> u64 {
        let own = u128::from(index - self.row.start) * u128::from(self.share.count());
        let turn = own + u128::from(self.share.index());
        (turn * u128::from(SECOND) / self.turns()) as u64
    }

    /// How many turns of all instances a second has.
    fn turns(&self) -> u128 {
        u128::from(self.row.end - self.row.start) * u128::from(self.share.count())
    }

    /// The first record of the row that is due at `offset` or later in an even spread.
    fn first_from(&self, offset: u64) -> u64 {
        let turns = (u128::from(offset) * self.turns()).div_ceil(u128::from(SECOND));
        let own = turns.saturating_sub(u128::from(self.share.index()));
        self.row.start + own.div_ceil(u128::from(self.share.count())) as u64
    }

    /// Draws the offset of record `next`: the next of n uniform numbers in ascending order, one by one.
    ///
    /// Given their number, the arrivals of a Poisson process are n independent uniform moments. Of the k that
    /// are still to come in the rest (1 − u) of the second, the first leaves a share V^(1/k) of it, with V
    /// uniform (the minimum of k uniform numbers).
    fn draw(&mut self) {
        let to_come = self.row.end - self.next;
        if to_come > 0 {
            let share = self.random.f64().powf(1.0 / to_come as f64);
            self.drawn = 1.0 - (1.0 - self.drawn) * share;
        }
    }
}

impl Iterator for Arrivals {
    type Item = Slice;

    fn next(&mut self) -> Option<Slice> {
        let first = self.next;
        if first >= self.row.end {
            return None;
        }
        let offset = self.offset();
        let messages = u64::from(self.quota.messages);
        let job = first / messages;
        let end = ((job + 1) * messages).min(first + self.most).min(self.row.end);
        let cell_end = (offset / CELL + 1) * CELL;
        self.next = match self.pacing {
            Pacing::Burst => end,
            Pacing::Smooth => self.first_from(cell_end).min(end),
            Pacing::Poisson => {
                while self.next < end && self.offset() < cell_end {
                    self.next += 1;
                    self.draw();
                }
                self.next
            }
        };
        let records = (self.next - first) as u32; // at most `messages`
        Some(Slice { job: job as u32, records, offset: Duration::from_nanos(offset) })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn pacing() -> impl Strategy<Value = Pacing> {
        prop_oneof![Just(Pacing::Burst), Just(Pacing::Smooth), Just(Pacing::Poisson)]
    }

    proptest! {
        // Whatever the quota, a second releases every job's records exactly, in legal slices, in time order.
        #[test]
        fn every_job_gets_its_messages_in_order(
            jobs in 1_u32..60, messages in 1_u32..700, pacing in pacing(), most in 1_usize..600, seed: u64,
        ) {
            let mut of_job = vec![0; jobs as usize];
            let mut before = Duration::ZERO;
            for slice in Arrivals::new(Quota { jobs, messages }, pacing, most, seed) {
                prop_assert!(slice.records >= 1 && slice.records as usize <= most);
                prop_assert!(slice.offset >= before && slice.offset < Duration::from_secs(1));
                before = slice.offset;
                of_job[slice.job as usize] += slice.records;
            }
            prop_assert!(of_job.iter().all(|&records| records == messages));
        }

        // Whatever the quota and the number of instances, all of them together release every job's records exactly:
        // no record of a job is nobody's, and none is two instances'. Each slice is legal, in time order.
        #[test]
        fn the_instances_together_release_the_second_of_one(
            jobs in 1_u32..60, messages in 1_u32..300, pacing in pacing(), most in 1_usize..600, seed: u64,
            count in 1_u32..80,
        ) {
            let quota = Quota { jobs, messages };
            let mut of_job = vec![0; jobs as usize];
            let (mut least, mut largest) = (u64::MAX, 0);
            for share in (0..count).filter_map(|index| Share::new(index, count)) {
                let (mut before, mut records, mut own_jobs) = (Duration::ZERO, 0, BTreeSet::new());
                for slice in Arrivals::shared(quota, pacing, most, seed, share) {
                    prop_assert!(slice.records >= 1 && slice.records as usize <= most);
                    prop_assert!(slice.offset >= before && slice.offset < Duration::from_secs(1));
                    before = slice.offset;
                    of_job[slice.job as usize] += slice.records;
                    records += u64::from(slice.records);
                    own_jobs.insert(slice.job);
                }
                prop_assert_eq!((records, own_jobs.len() as u32), (quota.records_of(share), quota.jobs_of(share)));
                (least, largest) = (least.min(records), largest.max(records));
            }
            prop_assert!(of_job.iter().all(|&records| records == messages));
            prop_assert!(largest - least <= 1, "{least} to {largest}");
        }

        // Smooth, by several instances whose shares are equal: at every moment that is a multiple of ten milliseconds,
        // what all of them released is what the even spread asks for, to the record.
        #[test]
        fn smooth_instances_together_follow_the_even_spread(own in 1_u32..2_000, count in 1_u32..20) {
            let quota = Quota { jobs: count, messages: own };
            let mut bins = [0_u64; 100];
            for share in (0..count).filter_map(|index| Share::new(index, count)) {
                for slice in Arrivals::shared(quota, Pacing::Smooth, 500, 0, share) {
                    bins[(slice.offset.as_nanos() / u128::from(CELL)) as usize] += u64::from(slice.records);
                }
            }
            let mut released = 0;
            for (bin, records) in bins.iter().enumerate() {
                released += records;
                prop_assert_eq!(released, (quota.records() * (bin as u64 + 1)).div_ceil(100), "by bin {}", bin);
            }
        }

        // Smooth: at every moment that is a multiple of ten milliseconds, what was released is what the even
        // spread asks for, to the record.
        #[test]
        fn smooth_follows_the_even_spread(jobs in 1_u32..400, messages in 1_u32..700) {
            let quota = Quota { jobs, messages };
            let mut bins = [0_u64; 100];
            for slice in Arrivals::new(quota, Pacing::Smooth, 500, 0) {
                bins[(slice.offset.as_nanos() / u128::from(CELL)) as usize] += u64::from(slice.records);
            }
            let mut released = 0;
            for (bin, records) in bins.iter().enumerate() {
                released += records;
                let wanted = (quota.records() * (bin as u64 + 1)).div_ceil(100);
                prop_assert_eq!(released, wanted, "by bin {}", bin);
            }
        }
    }

    #[test]
    fn burst_is_one_slice_per_job_while_it_fits() {
        let slices = |messages| -> Vec<_> {
            Arrivals::new(Quota { jobs: 2, messages }, Pacing::Burst, 500, 0)
                .map(|s| (s.job, s.records))
                .collect()
        };
        assert_eq!(slices(500), [(0, 500), (1, 500)]);
        assert_eq!(slices(600), [(0, 500), (0, 100), (1, 500), (1, 100)]);
    }

    #[test]
    fn instances_of_one_seed_are_due_at_other_random_moments() {
        let slices = |index| -> Vec<_> {
            let share = Share::new(index, 2).expect("one of two");
            let quota = Quota { jobs: 2, messages: 50 };
            Arrivals::shared(quota, Pacing::Poisson, 500, 1, share).map(|slice| slice.offset).collect()
        };
        assert_ne!(slices(0), slices(1));
    }

    #[test]
    fn a_seed_always_gives_the_same_moments() {
        let slices = |seed| -> Vec<_> {
            Arrivals::new(Quota { jobs: 3, messages: 50 }, Pacing::Poisson, 500, seed).collect()
        };
        assert_eq!(slices(1), slices(1));
        assert_ne!(slices(1), slices(2));
    }

    #[test]
    fn poisson_arrivals_have_the_variance_of_a_poisson_process() {
        // 10,000 records over 100 bins of 10 ms: a binomial count with mean 100 and variance 99 per bin.
        let mut bins = [0_f64; 100];
        for slice in Arrivals::new(Quota { jobs: 1, messages: 10_000 }, Pacing::Poisson, 500, 42) {
            bins[(slice.offset.as_nanos() / u128::from(CELL)) as usize] += f64::from(slice.records);
        }
        let variance = bins.iter().map(|count| (count - 100.0).powi(2)).sum::<f64>() / 100.0;
        assert!((60.0..150.0).contains(&variance), "{variance}");
    }
}
