//! What to do next for one shard: ask for an iterator, get records, wait, or end.
//!
//! Keeps a reader inside the limits of a shard (GetRecords API reference): five calls a second, and 2 MB a second
//! (after an answer that overdraws them, nothing until they are made up for). Pure: time since any fixed moment and
//! randomness are arguments; what is read is not looked at.

use std::time::Duration;

use crate::kinesis::limits::{GET_RECORDS_MAX_RECORDS, SHARD_READ_BYTES_PER_SECOND};
use crate::kinesis::{Page, Place, ReadFault, SequenceNumber, Setback};

/// Shortest time between two calls: a little more than a fifth of a second, for calls don't travel evenly.
pub const SPACING: Duration = Duration::from_millis(220);

/// First and longest wait after a setback; the waits double, and are cut at random.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How long a shard may refuse or fail without one success in between.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// An answer of so many bytes was perhaps cut short, whatever it says of its distance to the tip.
const LARGE_BYTES: u64 = 1024 * 1024;

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Ask for an iterator at this place.
    Iterator(Place),
    /// Get records by this iterator.
    Records(String),
    /// Do nothing until then.
    Rest(Duration),
    /// Nothing more: the shard is closed and was read to its end.
    End,
    /// Nothing more: it can't be read.
    GiveUp(ReadFault),
}

#[derive(Debug)]
enum State {
    NoIterator,
    Iterator(String),
    Ended,
    Failed(ReadFault),
}

/// The reader of one shard.
#[derive(Debug)]
pub struct ShardReader {
    state: State,
    /// Where to begin when there is no record to go on from.
    place: Place,
    last: Option<SequenceNumber>,
    not_before: Duration,
    /// How often a reader that is at the tip asks.
    poll: Duration,
    bytes: Allowance,
    setbacks: u32,
    failing_since: Option<Duration>,
    /// Whether any records call succeeded.
    begun: bool,
}

impl ShardReader {
    /// A reader that begins at `place`, and asks every `poll` once it is at the tip.
    #[must_use]
    pub fn new(place: Place, poll: Duration, now: Duration) -> Self {
        Self {
            state: State::NoIterator,
            place,
            last: None,
            not_before: now,
            poll: poll.max(SPACING),
            bytes: Allowance { level: SHARD_READ_BYTES_PER_SECOND as f64, at: now },
            setbacks: 0,
            failing_since: None,
            begun: false,
        }
    }

    /// What to do at `now`.
    #[must_use]
    pub fn next(&self, now: Duration) -> Step {
        match &self.state {
            State::Ended => Step::End,
            State::Failed(fault) => Step::GiveUp(fault.clone()),
            _ if now < self.not_before => Step::Rest(self.not_before),
            State::NoIterator => Step::Iterator(self.last.map_or(self.place, Place::After)),
            State::Iterator(iterator) => Step::Records(iterator.clone()),
        }
    }

    /// From now on the tip is asked for as often as the limits allow.
    pub fn hurry(&mut self, now: Duration) {
        self.poll = SPACING;
        if self.setbacks == 0 && !self.bytes.is_overdrawn(now) {
            self.not_before = self.not_before.min(now + SPACING);
        }
    }

    /// An iterator came, or did not. `since` stands for `Place::Newest` should this iterator be lost before a record
    /// was met: what is newest then would be too new.
    pub fn got_iterator(&mut self, now: Duration, got: Result<String, ReadFault>, since: Place, jitter: f64) {
        match got {
            Ok(iterator) => {
                self.state = State::Iterator(iterator);
                if self.place == Place::Newest {
                    self.place = since;
                }
            }
            Err(fault) => self.set_back(now, fault, jitter),
        }
    }

    /// Records came, by a call of `called`.
    pub fn got_records(&mut self, called: Duration, now: Duration, page: &Page) {
        (self.setbacks, self.failing_since, self.begun) = (0, None, true);
        if let Some(last) = page.records.last() {
            self.last = Some(last.sequence_number);
        }
        self.state = match &page.next {
            Some(iterator) => State::Iterator(iterator.clone()),
            None => State::Ended,
        };
        self.bytes.spend(called, now, page.bytes);
        let spaced = called + if at_tip(page) { self.poll } else { SPACING };
        self.not_before = spaced.max(self.bytes.made_up_at(now));
    }

    /// No records came. `jitter` is from 0 to 1.
    pub fn set_back(&mut self, now: Duration, fault: ReadFault, jitter: f64) {
        let since = *self.failing_since.get_or_insert(now);
        match fault.setback {
            Setback::Gone => self.state = State::Failed(fault),
            // Who never could read lacks the permission; later, credentials may be renewed.
            Setback::Denied if !self.begun => self.state = State::Failed(fault),
            _ if now.saturating_sub(since) >= PATIENCE => self.state = State::Failed(fault),
            // The iterator's five minutes are over; nothing is wrong with the shard.
            Setback::Expired => {
                self.state = State::NoIterator;
                self.not_before = now + SPACING;
            }
            Setback::Throttled | Setback::Denied | Setback::Other => {
                let wait = FIRST_WAIT.saturating_mul(1 << self.setbacks.min(16)).min(LONGEST_WAIT);
                self.setbacks += 1;
                self.not_before = now + wait / 2 + (wait / 2).mul_f64(jitter.clamp(0.0, 1.0));
            }
        }
    }
}

/// Whether nothing more was to be had when this was read.
#[must_use]
pub fn at_tip(page: &Page) -> bool {
    let whole = page.records.len() < GET_RECORDS_MAX_RECORDS && page.bytes < LARGE_BYTES;
    match page.behind_millis {
        Some(behind) => behind == 0 && whole,
        None => page.records.is_empty(),
    }
}

/// The bytes that may be read: those of a second at most, and debts that must be made up for in full.
#[derive(Debug)]
struct Allowance {
    level: f64,
    at: Duration,
}

impl Allowance {
    const RATE: f64 = SHARD_READ_BYTES_PER_SECOND as f64;

    /// The shard counted these bytes at some moment from `called` to `now`: what came back meanwhile is not relied on.
    fn spend(&mut self, called: Duration, now: Duration, bytes: u64) {
        self.level = self.level_at(called) - bytes as f64;
        self.at = now;
    }

    fn level_at(&self, now: Duration) -> f64 {
        (self.level + now.saturating_sub(self.at).as_secs_f64() * Self::RATE).min(Self::RATE)
    }

    fn is_overdrawn(&self, now: Duration) -> bool {
        now < self.made_up_at(now)
    }

    /// When the next call is let in: at once, or when a debt and a whole second's bytes are back.
    fn made_up_at(&self, now: Duration) -> Duration {
        if self.level > 0.0 {
            return now;
        }
        // A moment more, for what rounding takes.
        self.at + Duration::from_secs_f64((Self::RATE - self.level) / Self::RATE) + Duration::from_millis(1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::kinesis::{Cause, Fault, ReadRecord, Refusal};
    use crate::local::ReadLimiter;

    const MIB: u64 = 1024 * 1024;

    fn fault(setback: Setback) -> ReadFault {
        ReadFault { setback, fault: Fault::new(Cause::Refused(Refusal::Other), "scripted") }
    }

    fn page(bytes: u64, behind: u64) -> Page {
        Page { bytes, behind_millis: Some(behind), next: Some("next".to_owned()), ..Page::default() }
    }

    fn with_iterator(place: Place, poll: Duration) -> ShardReader {
        let mut reader = ShardReader::new(place, poll, Duration::ZERO);
        assert_eq!(reader.next(Duration::ZERO), Step::Iterator(place));
        reader.got_iterator(Duration::ZERO, Ok("first".to_owned()), Place::Since(9), 0.0);
        reader
    }

    proptest! {
        // Whatever sizes the answers have and however far behind they are, a shard that nobody else reads never
        // refuses a call: the reader keeps to the limits as the embedded stream draws them.
        #[test]
        fn the_limits_of_a_shard_are_kept(
            answers in vec((0..10 * MIB, any::<bool>(), 0_u64..80), 1..60), poll in 0_u64..2_000,
        ) {
            let mut limiter = ReadLimiter::new(Duration::ZERO);
            let mut reader = with_iterator(Place::Oldest, Duration::from_millis(poll));
            let mut now = Duration::ZERO;
            for (bytes, tip, takes) in answers {
                if let Step::Rest(until) = reader.next(now) {
                    prop_assert!(until > now);
                    now = until;
                }
                prop_assert!(matches!(reader.next(now), Step::Records(_)));
                prop_assert!(limiter.admit(now), "refused at {:?}", now);
                limiter.answered(bytes);
                let called = now;
                now += Duration::from_millis(takes);
                reader.got_records(called, now, &page(bytes, u64::from(!tip)));
            }
        }
    }

    #[test]
    fn behind_the_tip_it_reads_on_and_at_the_tip_it_asks_now_and_then() {
        let second = Duration::from_secs(1);
        let mut reader = with_iterator(Place::Oldest, second);
        reader.got_records(Duration::ZERO, Duration::ZERO, &page(10, 5));
        assert_eq!(reader.next(Duration::ZERO), Step::Rest(SPACING));
        reader.got_records(SPACING, SPACING, &page(10, 0));
        assert_eq!(reader.next(SPACING), Step::Rest(SPACING + second));
        reader.hurry(SPACING);
        assert_eq!(reader.next(SPACING), Step::Rest(SPACING * 2));
    }

    #[test]
    fn a_full_answer_is_not_the_tip_whatever_it_says() {
        assert!(at_tip(&page(0, 0)) && at_tip(&page(500, 0)));
        assert!(!at_tip(&page(0, 1)) && !at_tip(&page(MIB, 0)));
        let untold = |bytes| Page { behind_millis: None, ..page(bytes, 0) };
        assert!(at_tip(&untold(0)));
        let record = ReadRecord {
            sequence_number: 1.into(),
            partition_key: String::new(),
            data: Vec::new(),
            arrived_millis: None,
        };
        assert!(!at_tip(&Page { records: vec![record.clone()], ..untold(0) }));
        assert!(!at_tip(&Page { records: vec![record; 10_000], ..page(0, 0) }));
    }

    #[test]
    fn an_expired_iterator_is_renewed_behind_the_last_record() {
        let mut reader = with_iterator(Place::Oldest, SPACING);
        reader.set_back(Duration::ZERO, fault(Setback::Expired), 0.0);
        assert_eq!(reader.next(Duration::ZERO), Step::Rest(SPACING), "even so, no storm of calls");
        assert_eq!(reader.next(SPACING), Step::Iterator(Place::Oldest));
        reader.got_iterator(SPACING, Ok("second".to_owned()), Place::Oldest, 0.0);
        let record = ReadRecord {
            sequence_number: 42.into(),
            partition_key: "k".to_owned(),
            data: Vec::new(),
            arrived_millis: None,
        };
        reader.got_records(Duration::ZERO, SPACING, &Page { records: vec![record], ..page(1, 1) });
        reader.set_back(SPACING, fault(Setback::Expired), 0.0);
        assert_eq!(reader.next(SPACING * 2), Step::Iterator(Place::After(42.into())));
    }

    #[test]
    fn an_iterator_at_the_newest_record_is_never_renewed_as_such() {
        let mut reader = with_iterator(Place::Newest, SPACING);
        reader.set_back(Duration::ZERO, fault(Setback::Expired), 0.0);
        assert_eq!(reader.next(SPACING), Step::Iterator(Place::Since(9)));
    }

    #[test]
    fn setbacks_are_waited_out_ever_longer_and_not_for_ever() {
        let mut reader = with_iterator(Place::Oldest, SPACING);
        let (mut now, mut waits) = (Duration::ZERO, Vec::new());
        let failed = loop {
            reader.set_back(now, fault(Setback::Throttled), 1.0);
            match reader.next(now) {
                Step::Rest(until) => {
                    waits.push(until - now);
                    now = until;
                }
                step => break step,
            }
        };
        assert_eq!(failed, Step::GiveUp(fault(Setback::Throttled)));
        assert!(now >= PATIENCE && now < PATIENCE + LONGEST_WAIT);
        assert_eq!(waits[..5], [0.5, 1.0, 2.0, 4.0, 5.0].map(Duration::from_secs_f64));
        // One success, and patience is new.
        let mut reader = with_iterator(Place::Oldest, SPACING);
        reader.set_back(Duration::ZERO, fault(Setback::Other), 0.0);
        reader.got_records(PATIENCE, PATIENCE, &page(0, 0));
        reader.set_back(PATIENCE * 2, fault(Setback::Other), 0.0);
        assert!(matches!(reader.next(PATIENCE * 2), Step::Rest(_)));
    }

    #[test]
    fn a_shard_that_is_gone_or_read_to_its_end_is_left_at_once() {
        let mut reader = with_iterator(Place::Oldest, SPACING);
        reader.got_records(Duration::ZERO, Duration::ZERO, &Page { next: None, ..page(0, 0) });
        assert_eq!(reader.next(Duration::ZERO), Step::End);
        let mut reader = with_iterator(Place::Oldest, SPACING);
        reader.set_back(Duration::ZERO, fault(Setback::Gone), 0.0);
        assert_eq!(reader.next(Duration::ZERO), Step::GiveUp(fault(Setback::Gone)));
    }

    #[test]
    fn who_may_not_read_is_told_so_at_once_and_credentials_that_expire_may_be_renewed() {
        let mut reader = with_iterator(Place::Oldest, SPACING);
        reader.set_back(Duration::ZERO, fault(Setback::Denied), 0.0);
        assert_eq!(reader.next(Duration::ZERO), Step::GiveUp(fault(Setback::Denied)));
        let mut reader = with_iterator(Place::Oldest, SPACING);
        reader.got_records(Duration::ZERO, Duration::ZERO, &page(0, 0));
        reader.set_back(SPACING, fault(Setback::Denied), 0.0);
        assert!(matches!(reader.next(SPACING), Step::Rest(_)));
    }
}
