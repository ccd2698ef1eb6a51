//! How the counts came about: tenths of a second of the last minutes, and the whole run in seconds.
//!
//! A timeline counts nothing of its own: it keeps differences between [`Snapshot`]s that it is given, with the moments
//! of both, so that its sums always equal the ledger's counts at the last sample. Pure: time is an argument. Its memory is bounded: old
//! tenths are forgotten, and when a run gets long, two neighbouring spans become one.

mod flow;
mod heat;
mod pressure;
mod sparse;

use std::collections::VecDeque;
use std::time::Duration;

pub use flow::Flow;
pub use heat::{Cell, Column, Heat};
pub use pressure::Pressure;
pub use sparse::Sparse;

use super::{Durations, Snapshot};

/// How long a bin is, when the sampling is not late.
pub const BIN: Duration = Duration::from_millis(100);

/// How many bins are kept: five minutes.
pub const MOST_BINS: usize = 3_000;

/// Above this many spans, each of a second at first, two neighbours become one, and later ones are as long: a quarter
/// of an hour in seconds, an hour in spans of four.
pub const MOST_SPANS: usize = 900;

/// Most marks that are kept; later ones are counted.
pub const MOST_MARKS: usize = 1_000;

/// What happened between two samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bin {
    /// When it begins, since the timeline began.
    pub from: Duration,
    /// When it ends; bins follow one another without a gap.
    pub to: Duration,
    /// What was counted in between.
    pub flow: Flow,
    /// Records in flight at its end.
    pub in_flight: u64,
    /// CPU time that the process used in between, all threads together.
    pub cpu: Duration,
}

impl Bin {
    /// How long it is, in seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.to.saturating_sub(self.from).as_secs_f64()
    }

    /// So many in this bin, as a rate per second; 0 in a bin without length.
    #[must_use]
    pub fn rate(&self, count: u64) -> f64 {
        let seconds = self.seconds();
        if seconds > 0.0 { count as f64 / seconds } else { 0.0 }
    }

    /// Makes one of this bin and the one that follows it.
    fn join(&mut self, next: &Self) {
        self.to = next.to;
        self.flow.add(&next.flow);
        self.in_flight = next.in_flight;
        self.cpu += next.cpu;
    }
}

/// A bin of the whole run, with the distributions of what ended in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Span {
    /// The counts.
    pub bin: Bin,
    /// From the call to the answer, per request.
    pub request_duration: Sparse,
    /// From the intended time to the acknowledgement, per record sent.
    pub delivery_delay: Sparse,
    /// From the intended time of a batch to its departure.
    pub lateness: Sparse,
    /// What held this process up.
    pub pressure: Pressure,
}

impl Span {
    fn join(&mut self, next: &Self) {
        self.bin.join(&next.bin);
        self.request_duration.add(&next.request_duration);
        self.delivery_delay.add(&next.delivery_delay);
        self.lateness.add(&next.lateness);
        self.pressure.add(&next.pressure);
    }
}

/// Something that happened at a moment and that explains what follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// When, since the timeline began.
    pub at: Duration,
    /// What, in a few words.
    pub what: String,
}

/// The distributions at the end of the last span.
#[derive(Debug, Default)]
struct Reached {
    at: Duration,
    cpu: Duration,
    flow: Flow,
    request_duration: Durations,
    delivery_delay: Durations,
    lateness: Durations,
    pressure: Pressure,
}

/// The run so far.
#[derive(Debug, Default)]
pub struct Timeline {
    bins: VecDeque<Bin>,
    /// Bins ever made: the number of the next one.
    made: u64,
    /// Where the last bin ends.
    at: Duration,
    cpu: Duration,
    flow: Flow,
    /// What held the process up, since the beginning.
    pressure: Option<Pressure>,
    spans: Vec<Span>,
    /// The second that ended last, as it was.
    latest: Option<Span>,
    /// Seconds that make a span by now, and those that the last span has.
    per_span: u32,
    in_last: u32,
    reached: Reached,
    heat: Heat,
    marks: Vec<Mark>,
    more_marks: u64,
}

impl Timeline {
    /// Ends a bin at `at`, with what the ledger counts then and the CPU time that the process has used.
    ///
    /// A sample that is not later than the last one is left out.
    pub fn sample(&mut self, at: Duration, cpu: Duration, counts: &Snapshot) {
        self.sample_flow(at, cpu, Flow::of(counts), counts.in_flight);
    }

    /// The same by the totals alone, which can be had without a copy of the ledger.
    pub fn sample_flow(&mut self, at: Duration, cpu: Duration, flow: Flow, in_flight: u64) {
        if at <= self.at {
            return;
        }
        let bin = Bin {
            from: self.at,
            to: at,
            flow: flow.since(&self.flow),
            in_flight,
            cpu: cpu.saturating_sub(self.cpu),
        };
        if self.bins.len() == MOST_BINS {
            self.bins.pop_front();
        }
        self.bins.push_back(bin);
        self.made += 1;
        (self.at, self.cpu, self.flow) = (at, cpu, flow);
    }

    /// Notes what has held the process up since the run began; the next span has what is new of it.
    pub fn press(&mut self, total: Pressure) {
        // What was there before the first second is not of this run.
        if self.pressure.is_none() {
            self.reached.pressure = Pressure { connections: 0, connecting: Duration::ZERO, ..total };
        }
        self.pressure = Some(total);
    }

    /// Ends a bin and a second at `at`, with all that the ledger counts then.
    pub fn span(&mut self, at: Duration, cpu: Duration, counts: &Snapshot) {
        self.sample(at, cpu, counts);
        let flow = Flow::of(counts);
        if at <= self.reached.at && flow == self.reached.flow {
            return;
        }
        let before = &self.reached;
        let span = Span {
            bin: Bin {
                from: before.at,
                to: at.max(before.at),
                flow: flow.since(&before.flow),
                in_flight: counts.in_flight,
                cpu: cpu.saturating_sub(before.cpu),
            },
            request_duration: Sparse::between(&before.request_duration, &counts.request_duration),
            delivery_delay: Sparse::between(&before.delivery_delay, &counts.delivery_delay),
            lateness: Sparse::between(&before.lateness, &counts.lateness),
            pressure: self.pressure.map(|total| total.since(&before.pressure)).unwrap_or_default(),
        };
        self.heat.add(span.bin.from, span.bin.to, &counts.shards);
        self.reached = Reached {
            at: span.bin.to,
            cpu,
            flow,
            request_duration: counts.request_duration.clone(),
            delivery_delay: counts.delivery_delay.clone(),
            lateness: counts.lateness.clone(),
            pressure: self.pressure.unwrap_or_default(),
        };
        self.latest = Some(span.clone());
        self.keep(span);
    }

    fn keep(&mut self, span: Span) {
        self.per_span = self.per_span.max(1);
        match self.spans.last_mut() {
            Some(last) if self.in_last < self.per_span => {
                last.join(&span);
                self.in_last += 1;
                return;
            }
            _ => {}
        }
        if self.spans.len() == MOST_SPANS {
            let mut old = std::mem::take(&mut self.spans).into_iter();
            while let Some(mut first) = old.next() {
                if let Some(second) = old.next() {
                    first.join(&second);
                }
                self.spans.push(first);
            }
            self.per_span *= 2;
        }
        self.spans.push(span);
        self.in_last = 1;
    }

    /// Notes that something happened.
    pub fn mark(&mut self, at: Duration, what: impl Into<String>) {
        if self.marks.len() < MOST_MARKS {
            self.marks.push(Mark { at, what: what.into() });
        } else {
            self.more_marks += 1;
        }
    }

    /// The bins from number `from` on that are still kept, oldest first; the first bin ever has the number 0.
    pub fn bins(&self, from: u64) -> impl ExactSizeIterator<Item = &Bin> {
        let kept_from = self.made - self.bins.len() as u64;
        let skipped = from.saturating_sub(kept_from).min(self.bins.len() as u64);
        self.bins.range(skipped as usize..)
    }

    /// How many bins there ever were: the number that the next one will have.
    #[must_use]
    pub fn made(&self) -> u64 {
        self.made
    }

    /// The whole run; the last span may be shorter than the others.
    #[must_use]
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// The second that ended last, by itself, however long the spans are by now.
    #[must_use]
    pub fn latest(&self) -> Option<&Span> {
        self.latest.as_ref()
    }

    /// What each shard took and refused, over the whole run.
    #[must_use]
    pub fn heat(&self) -> &Heat {
        &self.heat
    }

    /// What happened, in order.
    #[must_use]
    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// How many marks found no room.
    #[must_use]
    pub fn more_marks(&self) -> u64 {
        self.more_marks
    }

    /// Where the last bin ends.
    #[must_use]
    pub fn at(&self) -> Duration {
        self.at
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::kinesis::ShardId;
    use crate::ledger::{Ledger, Outcome, Settled, ShardCounts};

    const SPAN: Duration = Duration::from_secs(1);

    /// A run of seconds in each of which so many records are sent, by so many shards, and so many throttled.
    fn run(seconds: &[(u64, u64, u64)]) -> (Timeline, Snapshot) {
        let (ledger, mut timeline) = (Ledger::new(), Timeline::default());
        let mut at = Duration::ZERO;
        for &(records, shard, millis) in seconds {
            ledger.generated(records);
            let (sent, sent_bytes, throttled) = (records, 9 * records, records / 3);
            let one = ShardCounts { sent, sent_bytes, throttled, ..ShardCounts::default() };
            let settled = Settled {
                sent: records,
                sent_bytes: 9 * records,
                throttled: records / 3,
                shards: vec![(Some(ShardId(shard)), one)],
                ..Settled::default()
            };
            let took = Duration::from_micros(records + 1);
            ledger.attempted(Outcome::Ok, took, 2 * took, &settled);
            at += Duration::from_millis(millis);
            let counts = ledger.snapshot();
            match at >= timeline.reached.at + SPAN {
                true => timeline.span(at, at / 2, &counts),
                false => timeline.sample(at, at / 2, &counts),
            }
        }
        timeline.span(at, at / 2, &ledger.snapshot());
        (timeline, ledger.snapshot())
    }

    fn sum<'a>(bins: impl Iterator<Item = &'a Bin>) -> Flow {
        bins.fold(Flow::default(), |mut sum, bin| {
            sum.add(&bin.flow);
            sum
        })
    }

    proptest! {
        // A case copies the ledger's histograms some thousand times.
        #![proptest_config(ProptestConfig::with_cases(8))]

        // However long and uneven the run: its spans follow one another without a gap, their counts, their
        // distributions and their shards sum to the ledger's, and their number stays within its bound.
        #[test]
        fn the_spans_sum_to_the_ledger(
            seconds in vec((0_u64..2_000, 0_u64..40, 1_u64..2_500), 1..2_500),
        ) {
            let (timeline, counts) = run(&seconds);
            let spans = timeline.spans();
            prop_assert_eq!(sum(spans.iter().map(|span| &span.bin)), Flow::of(&counts));
            prop_assert!(spans.len() <= MOST_SPANS);
            prop_assert!(spans.windows(2).all(|two| two[0].bin.to == two[1].bin.from));
            prop_assert_eq!(spans.iter().map(|span| span.delivery_delay.count()).sum::<u64>(), counts.sent);
            let mut all = Sparse::default();
            spans.iter().for_each(|span| all.add(&span.request_duration));
            prop_assert_eq!(all.count(), counts.requests.total());
            prop_assert_eq!(all.quantile(0.99), counts.request_duration.quantile(0.99));
            let heat = timeline.heat();
            prop_assert!(heat.columns().len() <= heat::MOST_COLUMNS);
            let sent: u64 = heat.columns().iter().flat_map(|column| &column.cells).map(|cell| u64::from(cell.sent)).sum();
            prop_assert_eq!(sent, counts.sent);
        }
    }

    #[test]
    fn bins_follow_one_another_and_the_oldest_are_forgotten() {
        let (timeline, _) = run(&vec![(7, 0, 100); MOST_BINS + 5]);
        assert_eq!(timeline.made(), MOST_BINS as u64 + 5);
        assert_eq!(timeline.bins(0).len(), MOST_BINS);
        let bins: Vec<_> = timeline.bins(timeline.made() - 3).collect();
        assert_eq!(bins.len(), 3);
        assert!(bins.windows(2).all(|two| two[0].to == two[1].from));
        assert!(bins.iter().all(|bin| bin.flow.sent == 7 && bin.cpu == BIN / 2), "{bins:?}");
        assert!((bins[0].rate(bins[0].flow.sent) - 70.0).abs() < 1e-9);
        assert_eq!(timeline.bins(u64::MAX).len(), 0);
    }

    #[test]
    fn a_sample_of_the_past_is_left_out() {
        let (mut timeline, counts) = run(&[(5, 0, 100), (5, 0, 100)]);
        let made = timeline.made();
        timeline.sample(Duration::from_millis(150), Duration::ZERO, &counts);
        assert_eq!(timeline.made(), made);
    }

    #[test]
    fn marks_are_bounded_and_the_rest_is_counted() {
        let mut timeline = Timeline::default();
        (0..MOST_MARKS + 2).for_each(|n| timeline.mark(SPAN, format!("mark {n}")));
        assert_eq!((timeline.marks().len(), timeline.more_marks()), (MOST_MARKS, 2));
    }
}
