//! The records of one second, dealt out to its jobs: shares that differ by one at most, also over a run.

use super::Share;

/// The records due in one second, and who makes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    jobs: u32,
    records: u64,
    /// The job whose turn is first.
    first: u32,
}

impl Quota {
    /// As many for each job.
    #[must_use]
    pub fn each(jobs: u32, messages: u32) -> Self {
        Self { jobs, records: u64::from(jobs) * u64::from(messages), first: 0 }
    }

    /// So many for `jobs` jobs (at least 1) together, when `dealt` records were dealt out before: job after job in turn.
    #[must_use]
    pub fn dealt(jobs: u32, records: u64, dealt: u64) -> Self {
        Self { jobs, records, first: (dealt % u64::from(jobs.max(1))) as u32 }
    }

    /// The number of jobs, those without a record included.
    #[must_use]
    pub fn jobs(&self) -> u32 {
        self.jobs
    }

    /// Records of all jobs together.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Jobs that have a record.
    #[must_use]
    pub fn busy(&self) -> u32 {
        u32::try_from(self.records).unwrap_or(u32::MAX).min(self.jobs)
    }

    /// How many of them are those of `share`.
    #[must_use]
    pub fn records_of(&self, share: Share) -> u64 {
        let row = share.of(self.records);
        row.end - row.start
    }

    /// How many jobs those are of, jobs included that others have a part in.
    #[must_use]
    pub fn jobs_of(&self, share: Share) -> u32 {
        if share == Share::WHOLE {
            return self.busy();
        }
        let (row, mut end, mut jobs) = (share.of(self.records), 0, 0);
        for job in 0..self.jobs {
            let start = end;
            end += self.of(job);
            jobs += u32::from(start.max(row.start) < end.min(row.end));
        }
        jobs
    }

    /// The records of one job.
    #[must_use]
    #[inline]
    pub fn of(&self, job: u32) -> u64 {
        let jobs = u64::from(self.jobs);
        let turn = (u64::from(job) + jobs - u64::from(self.first)) % jobs;
        self.records / jobs + u64::from(turn < self.records % jobs)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        // Dealt out second after second, every record has one job, and no job ever has two more than another.
        #[test]
        fn shares_differ_by_one_at_most_over_a_run(jobs in 1_u32..40, seconds in proptest::collection::vec(0_u64..200, 1..30)) {
            let (mut dealt, mut of_job) = (0, vec![0_u64; jobs as usize]);
            for records in seconds {
                let quota = Quota::dealt(jobs, records, dealt);
                let shares: Vec<u64> = (0..jobs).map(|job| quota.of(job)).collect();
                prop_assert_eq!(shares.iter().sum::<u64>(), records);
                prop_assert_eq!(shares.iter().filter(|&&share| share > 0).count(), quota.busy() as usize);
                of_job.iter_mut().zip(shares).for_each(|(all, share)| *all += share);
                dealt += records;
                let (least, most) = (of_job.iter().min(), of_job.iter().max());
                prop_assert!(most <= least.map(|least| least + 1).as_ref());
            }
        }
    }

    #[test]
    fn each_job_has_its_messages() {
        let quota = Quota::each(3, 7);
        assert_eq!((quota.records(), [0, 1, 2].map(|job| quota.of(job))), (21, [7, 7, 7]));
    }
}
