//! The one generator of a run: makes any event of any job, shared by all threads, without state.

use std::ops::Range;
use std::sync::Arc;

use super::access_log::{AccessLog, Whose};
use super::choice::Event;
use super::click::Click;
use super::head::Head;
use super::iot::Iot;
use super::kind::EventKind;
use super::mouse::Mouse;
use super::order::Order;
use super::pen::{self, Pen};
use super::random::{Lanes, Stream};
use super::template::{Template, Wanted};
use super::text;
use super::timestamp::Timestamp;
use super::trade::Trade;

/// Events that are drawn at construction to learn the typical size.
const SAMPLE: u64 = 512;

/// The same of a template in Jinja, whose events can take milliseconds.
const SLOW_SAMPLE: u64 = 64;

/// Makes events, each a pure function of (kind or template, seed, producer, job, sequence, time).
#[derive(Debug)]
pub struct Generator {
    content: Content,
    head: Head,
    stream: Stream,
    largest: usize,
    typical: usize,
    /// What no event falls short of when its size is asked for.
    floor: usize,
}

/// What makes each kind's own fields.
#[derive(Debug)]
enum Content {
    Mouse(Mouse),
    Click(Click),
    Trade(Trade),
    Message,
    Iot(Iot),
    Order(Order),
    AccessLog(AccessLog),
    Template { template: Arc<Template>, producer: Box<str>, shared: u64 },
}

/// What is known of an event that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Bytes of the event.
    pub length: usize,
    /// Where the event's entity (its user, customer, device or ticker) stands, counted from the event's first byte: 1 to 256
    /// ASCII characters without JSON escapes. A `message` has none, nor has a template.
    pub entity: Option<Range<usize>>,
}

impl Generator {
    /// A generator for `producer`, which may be any text. Draws the pools: not for the hot path.
    #[must_use]
    pub fn new(kind: EventKind, seed: u64, producer: &str) -> Self {
        let content = match kind {
            EventKind::Mouse => Content::Mouse(Mouse::new()),
            EventKind::Click => Content::Click(Click::new()),
            EventKind::Trade => Content::Trade(Trade::new(seed)),
            EventKind::Message => Content::Message,
            EventKind::Iot => Content::Iot(Iot::new(seed)),
            EventKind::Order => Content::Order(Order::new()),
            EventKind::AccessLog => Content::AccessLog(AccessLog::new()),
        };
        Self::measured(content, Head::new(kind, producer), Stream::new(kind.name(), seed, producer))
    }

    /// A generator of any event for `producer`, which may be any text. Not for the hot path.
    #[must_use]
    pub fn of(event: &Event, seed: u64, producer: &str) -> Self {
        match event {
            Event::Kind(kind) => Self::new(*kind, seed, producer),
            Event::Template(template) => Self::of_template(Arc::clone(template), seed, producer),
            // A mixture has a generator for each of its parts; it is the maker's.
            Event::Mixture(parts) => match parts.first() {
                Some((first, _)) => Self::of(first, seed, producer),
                None => Self::new(EventKind::Message, seed, producer),
            },
        }
    }

    /// A generator of a template's events for `producer`, which may be any text.
    ///
    /// The template's text is no part of the seed: the numbers of an event stay the same while its template is edited.
    #[must_use]
    pub fn of_template(template: Arc<Template>, seed: u64, producer: &str) -> Self {
        // What lasts over the events of a template in Jinja is the same for all producers of a seed.
        let shared = Stream::new("lasting", seed, "").shared();
        let content = Content::Template { template, producer: producer.into(), shared };
        // A template has no head; that of a `message` is the one without identity.
        Self::measured(
            content,
            Head::new(EventKind::Message, producer),
            Stream::new("template", seed, producer),
        )
    }

    fn measured(content: Content, head: Head, stream: Stream) -> Self {
        let mut generator = Self { content, head, stream, largest: 0, typical: 0, floor: 0 };
        generator.largest = generator.measure_largest();
        let most;
        (generator.typical, most) = generator.measure_typical();
        generator.floor = if generator.can_fail() { most } else { generator.largest };
        generator
    }

    /// What its events are called: the kind's name, or `template`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.kind().map_or("template", EventKind::name)
    }

    /// The kind of event that it makes; none for a template's.
    #[must_use]
    pub fn kind(&self) -> Option<EventKind> {
        match self.content {
            Content::Mouse(_) => Some(EventKind::Mouse),
            Content::Click(_) => Some(EventKind::Click),
            Content::Trade(_) => Some(EventKind::Trade),
            Content::Message => Some(EventKind::Message),
            Content::Iot(_) => Some(EventKind::Iot),
            Content::Order(_) => Some(EventKind::Order),
            Content::AccessLog(_) => Some(EventKind::AccessLog),
            Content::Template { .. } => None,
        }
    }

    /// Appends exactly one event to `out`: compact JSON without a newline, a line of a log, or whatever the
    /// template says.
    ///
    /// Allocates nothing when `out` has room for [`Self::room`] more bytes, but for a template in Jinja. Such a one may
    /// fail to make an event: nothing is written then, see [`Self::failure`].
    pub fn write(&self, job: u32, sequence: u64, time: &Timestamp, out: &mut Vec<u8>) -> Written {
        if let Content::Template { template, producer, shared } = &self.content {
            let start = out.len();
            let stream = self.stream.job(job);
            let (id, own) = (stream.event(sequence), stream.structure());
            template.write(Wanted { id, job, sequence, time, producer, shared: *shared, own }, out);
            return Written { length: out.len() - start, entity: None };
        }
        let start = out.len();
        out.resize(start + self.room(), 0);
        let written = self.draw(job, sequence, time, &mut out[start..]);
        out.truncate(start + written.length);
        written
    }

    /// Writes exactly one event to the start of `room`, over what an earlier one left there, and grows it where it
    /// must; nothing is cleared for it. What stands behind the event's length is of no meaning.
    #[inline]
    pub fn overwrite(&self, job: u32, sequence: u64, time: &Timestamp, room: &mut Vec<u8>) -> Written {
        if matches!(self.content, Content::Template { .. }) {
            room.clear();
            return self.write(job, sequence, time, room);
        }
        if room.len() < self.room() {
            room.resize(self.room(), 0);
        }
        self.draw(job, sequence, time, room)
    }

    #[inline]
    fn draw(&self, job: u32, sequence: u64, time: &Timestamp, room: &mut [u8]) -> Written {
        let mut pen = Pen::new(room);
        let entity = self.put(job, sequence, time, &mut pen);
        Written { length: pen.at(), entity }
    }

    #[inline]
    fn put(&self, job: u32, sequence: u64, time: &Timestamp, pen: &mut Pen<'_>) -> Option<Range<usize>> {
        let stream = self.stream.job(job);
        let bits = stream.event(sequence);
        let id = Lanes { low: bits.low ^ time.mark(), ..bits };
        if let Content::AccessLog(log) = &self.content {
            return Some(log.write(Whose { head: &self.head, id, time, job, sequence }, bits, pen));
        }
        self.head.write(id, time, pen);
        if matches!(self.content, Content::Message) {
            return None;
        }
        identity(job, sequence, pen);
        match &self.content {
            Content::Mouse(mouse) => Some(mouse.write(&stream, sequence, bits, pen)),
            Content::Click(click) => Some(click.write(bits, pen)),
            Content::Trade(trade) => Some(trade.write(sequence, bits, pen)),
            Content::Iot(iot) => Some(iot.write(sequence, bits, pen)),
            Content::Order(order) => Some(order.write(bits, pen)),
            Content::Message | Content::AccessLog(_) | Content::Template { .. } => None,
        }
    }

    /// Bytes of room that writing an event needs: a little more than the largest has.
    #[must_use]
    pub fn room(&self) -> usize {
        self.largest + pen::SPARE
    }

    /// The sequence of the event of `job` that has this id, or nearly: up to two characters of the id's first or
    /// second half may be wrong. `time` is the event's; where that is damaged, the first half must be whole. None if
    /// the job has no such event. Not for the hot path.
    #[must_use]
    pub fn sequence_of(&self, job: u32, id: &[u8], time: Option<&Timestamp>) -> Option<u64> {
        let mut bits = text::uuid_bits(id)?;
        bits.low ^= time.map_or(0, Timestamp::mark);
        self.stream.job(job).sequence_of(bits, text::UUID_BITS, Timestamp::MARKED)
    }

    /// An upper bound of an event's size in bytes.
    #[must_use]
    pub fn largest_event(&self) -> usize {
        self.largest
    }

    /// What no event falls short of when its size is asked for, in bytes: the largest there can be, or, of a template in
    /// Jinja, the largest of a sample.
    pub(super) fn floor(&self) -> usize {
        self.floor
    }

    /// Whether some of its events may turn out not to be possible: what is written of them is empty.
    #[inline]
    pub(super) fn can_fail(&self) -> bool {
        matches!(&self.content, Content::Template { template, .. } if template.can_fail())
    }

    /// Why the first event could not be made that could not.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        match &self.content {
            Content::Template { template, .. } => template.failure(),
            _ => None,
        }
    }

    /// The mean size of a sample of events, in bytes.
    #[must_use]
    pub fn typical_event(&self) -> usize {
        self.typical
    }

    /// The common fields at their longest, then the kind's own at theirs.
    fn measure_largest(&self) -> usize {
        let head = self.head.len();
        let own = match &self.content {
            Content::Template { template, producer, .. } => return template.largest(producer.len()),
            Content::Message => return head,
            Content::Mouse(mouse) => mouse.largest(),
            Content::Click(click) => click.largest(),
            Content::Trade(trade) => trade.largest(),
            Content::Iot(iot) => iot.largest(),
            Content::Order(order) => order.largest(),
            Content::AccessLog(log) => return log.largest(&self.head),
        };
        head + pen::measure(|pen| identity(u32::MAX, u64::MAX, pen)) + own
    }

    /// The mean and the largest of a sample.
    fn measure_typical(&self) -> (usize, usize) {
        let events = if self.can_fail() { SLOW_SAMPLE } else { SAMPLE };
        let mut out = Vec::new();
        let (mut bytes, mut most) = (0, 0);
        for sequence in 0..events {
            out.clear();
            self.write((sequence % 8) as u32, sequence * 16, &Timestamp::from_unix_millis(0), &mut out);
            bytes += out.len();
            most = most.max(out.len());
        }
        (bytes / events as usize, most)
    }
}

/// Writes the rest of the identity, after the head.
#[inline]
fn identity(job: u32, sequence: u64, pen: &mut Pen<'_>) {
    pen.decimal(job.into());
    pen.text(br#","sequence":"#);
    pen.decimal(sequence);
    pen.text(b",");
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashSet};

    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    const TIME: u64 = 1_795_227_274_123;

    fn generators(seed: u64, producer: &str) -> [Generator; EventKind::ALL.len()] {
        EventKind::ALL.map(|kind| Generator::new(kind, seed, producer))
    }

    fn event(generator: &Generator, job: u32, sequence: u64) -> String {
        let mut out = Vec::new();
        generator.write(job, sequence, &Timestamp::from_unix_millis(TIME), &mut out);
        String::from_utf8(out).expect("UTF-8")
    }

    /// Every path of a value with the type that it ends in.
    fn shape(value: &Value, path: &str, out: &mut BTreeSet<String>) {
        match value {
            Value::Object(map) => {
                map.iter().for_each(|(name, value)| shape(value, &format!("{path}/{name}"), out))
            }
            Value::Array(list) => {
                list.iter().for_each(|value| shape(value, &format!("{path}/*"), out));
            }
            Value::Null => drop(out.insert(format!("{path} null"))),
            Value::Bool(_) => drop(out.insert(format!("{path} bool"))),
            Value::Number(_) => drop(out.insert(format!("{path} number"))),
            Value::String(_) => drop(out.insert(format!("{path} string"))),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        // Whatever the identity: an event is one compact JSON object that tells its identity, it is no
        // larger than was promised, and the entity stands where the writer says.
        #[test]
        fn every_event_is_valid_and_tells_who_made_it(
            seed in any::<u64>(),
            producer in "\\PC{0,12}|[\\x00-\\x22\\\\é😀]{0,6}",
            jobs in proptest::collection::vec((any::<u32>(), any::<u64>()), 20),
            before in proptest::collection::vec(any::<u8>(), 0..9),
        ) {
            for generator in generators(seed, &producer) {
                for &(job, sequence) in jobs.iter().chain(&[(0, 0), (u32::MAX, u64::MAX)]) {
                    let mut out = before.clone();
                    let written = generator.write(job, sequence, &Timestamp::from_unix_millis(TIME), &mut out);
                    prop_assert_eq!(&out[..before.len()], &before[..], "what stood in the buffer stays");
                    let bytes = &out[before.len()..];
                    prop_assert!(bytes.len() <= generator.largest_event());
                    let mut room = before.clone();
                    let over =
                        generator.overwrite(job, sequence, &Timestamp::from_unix_millis(TIME), &mut room);
                    prop_assert_eq!(&over, &written);
                    prop_assert_eq!(&room[..over.length], bytes, "whatever stood in the room");
                    if generator.kind() == Some(EventKind::AccessLog) {
                        continue; // has a test of its own
                    }
                    let event: Value = serde_json::from_slice(bytes).expect("valid JSON");
                    if generator.kind() == Some(EventKind::Message) {
                        prop_assert_eq!(event.as_object().map(|fields| fields.len()), Some(2));
                        prop_assert_eq!(&event["date"], "2026-11-21T02:14:34.123Z");
                        prop_assert_eq!(written.entity, None);
                        continue;
                    }
                    prop_assert_eq!(&event["type"], generator.name());
                    prop_assert_eq!(&event["time"], "2026-11-21T02:14:34.123Z");
                    prop_assert_eq!(&event["producer"], producer.as_str());
                    prop_assert_eq!(&event["job"], job);
                    prop_assert_eq!(&event["sequence"], sequence);
                    let entity = written.entity.map(|place| &bytes[place]).expect("an entity");
                    let field = ["user", "ticker", "device", "customer"].into_iter().find_map(|name| event.get(name));
                    prop_assert_eq!(field.and_then(Value::as_str).map(str::as_bytes), Some(entity));
                    prop_assert!((1..=256).contains(&entity.len()));
                }
            }
        }

        // Making an event again gives the same bytes, in any order and by any generator of the same seed.
        #[test]
        fn an_event_can_be_made_again(seed in any::<u64>(), job in any::<u32>(), sequence in any::<u64>()) {
            for (one, other) in generators(seed, "p").iter().zip(&generators(seed, "p")) {
                let first = event(one, job, sequence);
                event(other, job, sequence.wrapping_add(1));
                prop_assert_eq!(first, event(other, job, sequence));
            }
        }
    }

    proptest! {
        // An id tells its job's sequence, even with two of its first or last 16 digits spoilt; the id of another job,
        // producer or seed tells nothing.
        #[test]
        fn an_event_is_known_by_its_id(
            seed: u64, job: u32, sequence: u64, half in 0..2_usize, spoilt in [0..16_usize, 0..16], with in "[0-9a-z]{2}"
        ) {
            let generator = Generator::new(EventKind::Click, seed, "p");
            let text = event(&generator, job, sequence);
            let mut id = text.as_bytes()[7..43].to_vec();
            let time = Timestamp::from_unix_millis(TIME);
            prop_assert_eq!(generator.sequence_of(job, &id, None), Some(sequence));
            prop_assert_eq!(generator.sequence_of(job, &id, Some(&time)), Some(sequence));
            prop_assert_eq!(generator.sequence_of(job.wrapping_add(1), &id, Some(&time)), None);
            prop_assert_eq!(Generator::new(EventKind::Click, seed, "q").sequence_of(job, &id, Some(&time)), None);
            let digits: Vec<usize> = (0..36).filter(|at| id[*at] != b'-').collect();
            for (at, with) in spoilt.into_iter().zip(with.bytes()) {
                id[digits[half * 16 + at]] = with;
            }
            prop_assert_eq!(generator.sequence_of(job, &id, Some(&time)), Some(sequence));
            prop_assert_eq!(generator.sequence_of(job, &id[1..], Some(&time)), None);
        }
    }

    // A field that some events of a kind lack could not be relied on as a partition key.
    #[test]
    fn all_events_of_a_kind_have_the_same_fields() {
        let is_json = |generator: &Generator| generator.kind() != Some(EventKind::AccessLog);
        for generator in generators(1, "p").into_iter().filter(is_json) {
            let shapes: HashSet<BTreeSet<String>> = (0..2_000)
                .map(|sequence| {
                    let mut out = BTreeSet::new();
                    let value = serde_json::from_str(&event(&generator, 0, sequence)).expect("valid JSON");
                    shape(&value, "", &mut out);
                    out
                })
                .collect();
            assert_eq!(shapes.len(), 1, "{}", generator.name());
        }
    }

    #[test]
    fn the_message_is_the_originals() {
        let message = event(&Generator::new(EventKind::Message, 1, "p"), 0, 0);
        let (head, rest) = message.split_at(12);
        let (id, tail) = rest.split_at(36);
        assert_eq!((head, tail), (r#"{"message":""#, r#"","date":"2026-11-21T02:14:34.123Z"}"#));
        assert_eq!((&id[14..15], "89ab".contains(&id[19..20])), ("4", true), "{id}");
    }

    #[test]
    fn no_two_events_share_an_id() {
        let mut seen = HashSet::new();
        for generator in generators(1, "p").iter().chain(&generators(2, "p")).chain(&generators(1, "q")) {
            for job in 0..4 {
                for sequence in 0..1_000 {
                    let event = event(generator, job, sequence);
                    let marks = [r#""id":""#, r#""message":""#, "?id="];
                    let at =
                        marks.iter().find_map(|mark| Some(event.find(mark)? + mark.len())).expect("an id");
                    assert!(seen.insert(event[at..at + 36].to_owned()));
                }
            }
        }
    }

    #[test]
    fn the_typical_size_is_about_that_of_any_events() {
        for generator in generators(3, "kinesis-streamer") {
            let bytes: usize = (0..2_000).map(|sequence| event(&generator, 9, sequence).len()).sum();
            let (typical, mean) = (generator.typical_event(), bytes / 2_000);
            assert!(typical.abs_diff(mean) <= 12, "{}: {typical}, not {mean}", generator.name());
            assert!((80..=450).contains(&mean), "{}: {mean}", generator.name());
        }
    }

    #[test]
    fn a_generator_is_shared_by_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<Generator>();
    }
}
