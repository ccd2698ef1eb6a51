//! Releases the records of each announced second exactly: what is due now, and until when to wait.
//!
//! A state machine without a clock of its own; [`super::drive`] gives it the time and a thread. Never waits for
//! a send, and does not know of any.

use std::time::{Duration, Instant};

use super::clock::Observed;
use super::profile::Start;
use super::quantity::MOST_RECORDS;
use super::steer::{Change, NoChange, Steering};
use super::{Agenda, Arrivals, Clock, Cron, Curve, Measure, Offer, Pacing, Quota, Share, Slice, Weighing};

/// A second that could not be begun before it was over is missed.
const SECOND: Duration = Duration::from_secs(1);

/// What a run offers, and until when.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Which seconds are due.
    pub cron: Cron,
    /// How many jobs; at least 1.
    pub jobs: u32,
    /// What they offer, all instances together.
    pub offer: Offer,
    /// Which part of it is released here.
    pub share: Share,
    /// What is known of a record's size before the first is made. Matters to loads in bytes alone.
    pub weighing: Weighing,
    /// When they are due inside it.
    pub pacing: Pacing,
    /// Nothing is due before this moment of the wall clock (since the Unix epoch); from now on if none. A schedule that
    /// begins later joins it: what was due before is not made up for.
    pub start_at: Option<Duration>,
    /// How long records are due, from the first due second, or from the first one after `start_at`; for ever if none.
    pub duration: Option<Duration>,
    /// How many records are due here in all; no end if none.
    pub max_records: Option<u64>,
    /// Most records in a slice: what a request may hold.
    pub slice_records: usize,
    /// Decides the moments of [`Pacing::Poisson`], and a profile's noise.
    pub seed: u64,
}

impl Plan {
    /// The last second before the first that may be due, at `wall`.
    fn not_before(&self, wall: Duration) -> u64 {
        wall.as_secs().max(self.start_at.map_or(0, before))
    }

    /// The second from which the load's time counts, where that is known before it begins: who joins others late finds
    /// their load where they have it.
    fn origin(&self) -> Option<Duration> {
        Some(Duration::from_secs(self.cron.next_after(before(self.start_at?))))
    }

    /// When the run ends, where that is known before it begins: for whoever joins late it is the same moment.
    fn end(&self) -> Option<Duration> {
        Some(self.origin()?.saturating_add(self.duration?))
    }
}

/// The last whole second before `moment`.
fn before(moment: Duration) -> u64 {
    let whole = moment.as_secs() + u64::from(moment.subsec_nanos() > 0);
    whole.saturating_sub(1)
}

/// Records of one job that are due now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Release {
    /// The job, counted from 0.
    pub job: u32,
    /// How many; at least 1.
    pub records: u32,
    /// The intended time.
    pub due: Instant,
    /// The same on the wall clock, in milliseconds since the Unix epoch.
    pub due_millis: u64,
    /// Whether these are the first of the job's tick.
    pub first: bool,
}

/// What there is to do at a given moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Send these.
    Release(Release),
    /// Nothing before this moment, unless a firing comes.
    Wait(Instant),
    /// The second is over and was never begun: the ticks of `jobs` jobs and their `records` are lost.
    Missed {
        /// How many jobs lost a tick.
        jobs: u32,
        /// How many records they would have had.
        records: u64,
    },
    /// The cron scheduler had not announced the second that is now next.
    Unannounced,
    /// A due second asked for nothing, because the schedule is paused.
    Paused,
    /// The wall clock was set by more than a second; the schedule begins anew from what it says now.
    ClockStepped,
    /// The run's duration or its records are used up.
    Finished,
}

/// The due second that is being released.
#[derive(Debug)]
struct Tick {
    second: u64,
    start: Instant,
    arrivals: Arrivals,
    /// The slice that is due next.
    next: Option<Slice>,
    job_before: Option<u32>,
}

/// The state of a run's schedule.
#[derive(Debug)]
pub struct Pacer {
    plan: Plan,
    agenda: Agenda,
    clock: Clock,
    tick: Option<Tick>,
    /// Taken from the agenda, not begun yet.
    upcoming: Option<u64>,
    to_come: u64,
    /// From this moment of the wall clock on nothing is due. On the wall clock, because two readings of both
    /// clocks differ by some microseconds, and a second more or less must not depend on them.
    end: Option<Duration>,
    /// Whether the first second was begun.
    begun: bool,
    /// The first due second, from which the load's time counts; it moves when the wall clock is set.
    origin: Option<Duration>,
    /// Records that were dealt out to jobs so far, by all instances together.
    dealt: u64,
    /// Records of the second that was begun last, those released here.
    intended: u64,
    /// The second that was begun last, or was paused.
    last: u64,
    steering: Steering,
}

impl Pacer {
    /// A schedule whose first second is the first due one after `wall` (since the Unix epoch), or from
    /// [`Plan::start_at`] on.
    #[must_use]
    pub fn new(plan: Plan, wall: Duration, mono: Instant) -> Self {
        let mut agenda = Agenda::new(plan.cron.clone(), plan.not_before(wall));
        // The scheduler has not fired yet: the seconds until it does are announced here.
        agenda.announce(wall.as_secs());
        let to_come = plan.max_records.unwrap_or(u64::MAX);
        let (end, origin) = (plan.end(), plan.origin());
        let clock = Clock::new(wall, mono);
        Self {
            plan,
            agenda,
            clock,
            tick: None,
            upcoming: None,
            to_come,
            end,
            begun: false,
            origin,
            dealt: 0,
            intended: 0,
            last: 0,
            steering: Steering::default(),
        }
    }

    /// The cron scheduler fired, at `wall`.
    pub fn announce(&mut self, wall: Duration) {
        self.agenda.announce(wall.as_secs());
    }

    /// What there is to do now. Call again at once after anything but `Wait` and `Finished`.
    pub fn step(&mut self, wall: Duration, mono: Instant) -> Step {
        if let Observed::Stepped { expected } = self.clock.observe(wall, mono) {
            if self.begun || self.plan.start_at.is_none() {
                // What is left of the run stays as long as it was.
                self.end = self.end.map(|end| wall + end.saturating_sub(expected));
                self.origin = self.origin.map(|origin| (wall + origin).saturating_sub(expected));
                self.agenda.restart(wall.as_secs());
            } else {
                // A moment that was agreed upon is meant by the clock as it is now.
                self.agenda.restart(self.plan.not_before(wall));
            }
            self.steering.clock_stepped(expected, wall);
            self.tick = None;
            self.upcoming = None;
            self.last = 0;
            return Step::ClockStepped;
        }
        if self.to_come == 0 {
            return Step::Finished;
        }
        loop {
            if let Some(tick) = self.tick.as_mut() {
                if let Some(slice) = tick.next {
                    return self.release(slice, mono);
                }
                self.tick = None;
            }
            if let Some(step) = self.begin(mono) {
                return step;
            }
        }
    }

    /// Nothing is due any more from `mono` on: what was due before is still released or counted as missed.
    pub fn stop(&mut self, mono: Instant) {
        let now = self.clock.wall_at(mono);
        self.end = Some(self.end.map_or(now, |end| end.min(now)));
        self.steering.end();
    }

    /// Changes the schedule by hand, at `wall`; the first second that this holds for.
    ///
    /// # Errors
    /// Why nothing is changed.
    pub fn change(&mut self, change: Change, wall: Duration) -> Result<u64, NoChange> {
        let second = wall.as_secs().max(self.last) + 1;
        let begin = Duration::from_secs(second);
        if self.to_come == 0 || self.is_over(begin) {
            return Err(NoChange::Over);
        }
        if change == Change::NextPhase && self.next_phase(begin).is_none() {
            return Err(NoChange::NoPhase);
        }
        self.steering.take(change, second).map(|()| second)
    }

    /// Whether nothing is due at `moment` any more. While the schedule is paused, its end moves on.
    fn is_over(&self, moment: Duration) -> bool {
        self.steering.paused_since().is_none() && self.end.is_some_and(|end| moment >= end)
    }

    /// How far the profile's next phase is away at `moment`, in the load's own time.
    fn next_phase(&self, moment: Duration) -> Option<Duration> {
        let Offer::Shaped(shaped) = &self.plan.offer else { return None };
        let moment = self.steering.paused_since().unwrap_or(moment);
        let at = moment.saturating_sub(self.origin.unwrap_or(moment)).as_millis() as u64;
        shaped.profile().next_phase(at).map(|next| Duration::from_millis(next - at))
    }

    /// What was changed by hand takes effect with `second`.
    fn steer(&mut self, second: u64) {
        while let Some((from, change)) = self.steering.due(second) {
            let begin = Duration::from_secs(from);
            if self.is_over(begin) {
                continue;
            }
            match change {
                Change::Pause => self.steering.pause(from),
                Change::Resume => {
                    // The load goes on where it was, so that it is offered whole; but hours of the week are the clock's.
                    let stood = self.steering.resume(from);
                    self.end = self.end.map(|end| end + stood);
                    let by_the_week =
                        matches!(&self.plan.offer, Offer::Shaped(shaped) if shaped.profile().is_weekly());
                    self.origin = self.origin.map(|origin| if by_the_week { origin } else { origin + stood });
                }
                Change::Rate(factor) => self.steering.set_factor(factor),
                Change::NextPhase => {
                    let Some(left) = self.next_phase(begin) else { continue };
                    let now = self.steering.paused_since().unwrap_or(begin);
                    let origin = self.origin.unwrap_or(now).saturating_sub(left);
                    self.origin = Some(origin);
                    // The profile ends earlier by what is left out of it, and the run with it, unless it was told another end.
                    let own = self.plan.offer.end().map(Duration::from_millis);
                    if let (Some(end), Some(own)) = (self.end, own)
                        && self.plan.duration == Some(own)
                    {
                        self.end = Some(end.min(origin + own));
                    }
                }
            }
        }
    }

    /// All the records that were made so far, and their bytes: what a load in bytes goes by.
    pub fn learn(&mut self, records: u64, bytes: u64) {
        self.plan.weighing.learn(records, bytes);
    }

    /// The records of the due second that was begun last.
    #[must_use]
    pub fn intended(&self) -> u64 {
        self.intended
    }

    /// The records of a due second, and how they are spread inside it.
    fn quota(&mut self, begin: Duration) -> (Quota, Curve) {
        let jobs = self.plan.jobs;
        let shaped = match &self.plan.offer {
            Offer::Tick { messages } if self.steering.is_whole() => {
                return (Quota::each(jobs, *messages), Curve::Even);
            }
            Offer::Tick { messages } => {
                let planned = u64::from(jobs) * u64::from(*messages);
                let records = self.steering.times(planned, MOST_RECORDS);
                let quota = Quota::dealt(jobs, records, self.dealt);
                self.dealt += records;
                return (quota, Curve::Even);
            }
            Offer::Shaped(shaped) => shaped,
        };
        let origin = *self.origin.get_or_insert(begin);
        let start = Start { wall_millis: origin.as_millis() as u64, seed: self.plan.seed };
        let second = shaped.second(&start, begin.saturating_sub(origin).as_millis() as u64);
        let records = match shaped.measure() {
            Measure::Records => self.steering.times(second.amount, MOST_RECORDS),
            Measure::Bytes => {
                let bytes = self.steering.times(second.amount, u64::MAX);
                self.plan.weighing.records(bytes)
            }
        };
        let quota = Quota::dealt(jobs, records, self.dealt);
        self.dealt += records;
        (quota, second.curve)
    }

    /// Everything that is due before the end is released: waits for it.
    fn rest(&self, end: Duration, mono: Instant) -> Step {
        let end = self.clock.instant_of(end);
        if mono >= end { Step::Finished } else { Step::Wait(end) }
    }

    /// Begins the next second; a step when that is not to be done yet.
    fn begin(&mut self, mono: Instant) -> Option<Step> {
        let second = match self.upcoming {
            Some(second) => second,
            None => match self.agenda.take() {
                None => return Some(Step::Finished),
                Some((second, announced)) => {
                    self.upcoming = Some(second);
                    if !announced {
                        return Some(Step::Unannounced);
                    }
                    second
                }
            },
        };
        let begin = Duration::from_secs(second);
        self.steer(second);
        if self.steering.paused_since().is_some() {
            let start = self.clock.instant_of(begin);
            if start > mono {
                return Some(Step::Wait(start.min(mono + SECOND)));
            }
            (self.upcoming, self.last, self.intended) = (None, second, 0);
            return Some(Step::Paused);
        }
        if let (None, Some(duration)) = (self.end, self.plan.duration) {
            self.end = Some(begin + duration);
        }
        if let Some(end) = self.end.filter(|&end| begin >= end) {
            return Some(self.rest(end, mono));
        }
        let start = self.clock.instant_of(begin);
        if start > mono {
            // Far off, it is looked at again after a second: until then the clock may drift or be set.
            return Some(Step::Wait(start.min(mono + SECOND)));
        }
        (self.upcoming, self.last) = (None, second);
        self.begun = true;
        let seed = self.plan.seed ^ second.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (quota, curve) = self.quota(begin);
        let Plan { pacing, slice_records, share, .. } = self.plan;
        self.intended = quota.records_of(share);
        let mut arrivals = Arrivals::shared(quota, curve, pacing, slice_records, seed, share);
        if mono >= start + SECOND {
            // A run's end may lie inside this second.
            let before_end = |slice: &Slice| self.end.is_none_or(|end| begin + slice.offset < end);
            let records = match self.end {
                Some(end) if end < begin + SECOND => {
                    arrivals.take_while(before_end).map(|slice| u64::from(slice.records)).sum()
                }
                _ => quota.records_of(share),
            };
            let records = records.min(self.to_come);
            self.to_come -= records;
            // A second in which nothing was due can't be missed.
            return (records > 0).then_some(Step::Missed { jobs: quota.jobs_of(share), records });
        }
        let next = arrivals.next();
        self.tick = Some(Tick { second, start, arrivals, next, job_before: None });
        None
    }

    /// Releases the next slice, if it is due.
    fn release(&mut self, slice: Slice, mono: Instant) -> Step {
        let Some(tick) = self.tick.as_mut() else { return Step::Wait(mono) };
        let due = tick.start + slice.offset;
        if let Some(end) = self.end.filter(|&end| Duration::from_secs(tick.second) + slice.offset >= end) {
            return self.rest(end, mono);
        }
        if due > mono {
            return Step::Wait(due);
        }
        let records = u64::from(slice.records).min(self.to_come);
        self.to_come -= records;
        let first = tick.job_before.replace(slice.job) != Some(slice.job);
        let due_millis = tick.second * 1_000 + slice.offset.as_millis() as u64;
        tick.next = tick.arrivals.next();
        Step::Release(Release { job: slice.job, records: records as u32, due, due_millis, first })
    }
}

#[cfg(test)]
#[path = "pacer_tests.rs"]
mod tests;
