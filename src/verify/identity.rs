//! Who an event says that it is: read from its bytes at the places where our events have it, without a parser.
//!
//! Only the form that `generate` writes is ours. What is read is a claim of the event; whether it is true is for
//! `original` to say.

use crate::generate::{EventKind, Timestamp};

/// What stands before the id, the type and so on, and how long those are that have one length.
const ID: &[u8] = br#"{"id":""#;
const ID_LENGTH: usize = 36;
const TYPE: &[u8] = br#"","type":""#;
const TIME: &[u8] = br#"","time":""#;
const TIME_LENGTH: usize = 24;
const PRODUCER: &[u8] = br#"","producer":""#;
const JOB: &[u8] = br#","job":"#;
const SEQUENCE: &[u8] = br#","sequence":"#;

/// The same in a line of a log, behind what stands before it: client, user, time and page.
const LOG_ID: &[u8] = b"?id=";
const LOG_TIME: &[u8] = b"&time=";
const LOG_PRODUCER: &[u8] = b"&producer=";
const LOG_JOB: &[u8] = b"&job=";
const LOG_SEQUENCE: &[u8] = b"&sequence=";

/// Most bytes of a line of a log before its id.
const LOG_START: usize = 200;

/// The `message` event, which is nothing but an id and a time.
const MESSAGE: &[u8] = br#"{"message":""#;
const DATE: &[u8] = br#"","date":""#;
const MESSAGE_END: &[u8] = br#""}"#;

/// What an event says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity<'a> {
    /// The name of its kind.
    pub(super) kind: &'a [u8],
    /// Its time, 24 bytes.
    pub(super) time: &'a [u8],
    /// The producer's name, as JSON has it between the quotes.
    pub(super) producer: &'a [u8],
    pub(super) job: u32,
    pub(super) sequence: u64,
}

/// Reads an event's identity; none if it has another form than ours.
#[inline]
pub(super) fn read(event: &[u8]) -> Option<Identity<'_>> {
    let Some(rest) = event.strip_prefix(ID) else { return read_log(event) };
    let rest = rest.get(ID_LENGTH..)?.strip_prefix(TYPE)?;
    let (kind, rest) = rest.split_at(rest.iter().take(16).position(|&byte| byte == b'"')?);
    let (time, rest) = rest.strip_prefix(TIME)?.split_at_checked(TIME_LENGTH)?;
    let rest = rest.strip_prefix(PRODUCER)?;
    let (producer, rest) = rest.split_at(text_end(rest)?);
    let (job, sequence) = numbers(&rest[1..])?;
    Some(Identity { kind, time, producer, job, sequence })
}

/// The same for a line of a log.
fn read_log(event: &[u8]) -> Option<Identity<'_>> {
    let rest = event.get(log_base(event)? + ID_LENGTH..)?.strip_prefix(LOG_TIME)?;
    let (time, rest) = rest.split_at_checked(TIME_LENGTH)?;
    let rest = rest.strip_prefix(LOG_PRODUCER)?;
    let (producer, rest) = rest.split_at(rest.iter().position(|&byte| byte == b'&')?);
    let (job, rest) = number(rest.strip_prefix(LOG_JOB)?)?;
    let (sequence, rest) = number(rest.strip_prefix(LOG_SEQUENCE)?)?;
    let job = u32::try_from(job).ok().filter(|_| rest.starts_with(b" "))?;
    Some(Identity { kind: EventKind::AccessLog.name().as_bytes(), time, producer, job, sequence })
}

/// Where the id begins in a line of a log.
fn log_base(event: &[u8]) -> Option<usize> {
    // A line begins with an address; most of what is none is seen not to be at a glance.
    if !event.first()?.is_ascii_digit() {
        return None;
    }
    let mut places = event.windows(LOG_ID.len()).take(LOG_START);
    Some(places.position(|some| some == LOG_ID)? + LOG_ID.len())
}

/// Where the text ends that begins here: its closing quote.
#[inline]
fn text_end(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += text.get(at..)?.iter().position(|&byte| byte == b'"' || byte == b'\\')?;
        if text[at] == b'"' {
            return Some(at);
        }
        at += 2; // whatever is escaped closes nothing
    }
}

/// Reads job and sequence, from behind the producer's closing quote on.
#[inline]
fn numbers(rest: &[u8]) -> Option<(u32, u64)> {
    let (job, rest) = number(rest.strip_prefix(JOB)?)?;
    let (sequence, rest) = number(rest.strip_prefix(SEQUENCE)?)?;
    rest.starts_with(b",").then_some((u32::try_from(job).ok()?, sequence))
}

/// Reads digits as they are written: no sign, no zero in front.
#[inline]
fn number(text: &[u8]) -> Option<(u64, &[u8])> {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count == 0 || count > 20 || (count > 1 && text[0] == b'0') {
        return None;
    }
    let mut number = 0_u64;
    for &digit in &text[..count] {
        number = number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
    }
    Some((number, &text[count..]))
}

/// Where the events of a kind and producer have what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Places {
    /// Whether they are lines of a log: then all places count from the id.
    log: bool,
    /// Where the id begins; it has 36 bytes.
    id: usize,
    /// Where the time begins; it has 24 bytes.
    time: usize,
    /// The number of bytes that do not depend on job and sequence, id and time included: of a `message` all.
    head: usize,
}

impl Places {
    /// The places for a producer whose name is `producer` as JSON has it between the quotes.
    pub(super) fn new(kind: EventKind, producer: &[u8]) -> Self {
        match kind {
            EventKind::Message => {
                let time = MESSAGE.len() + ID_LENGTH + DATE.len();
                let head = time + TIME_LENGTH + MESSAGE_END.len();
                Self { log: false, id: MESSAGE.len(), time, head }
            }
            EventKind::AccessLog => {
                let time = ID_LENGTH + LOG_TIME.len();
                let head = time + TIME_LENGTH + LOG_PRODUCER.len() + producer.len() + LOG_JOB.len();
                Self { log: true, id: 0, time, head }
            }
            _ => {
                let time = ID.len() + ID_LENGTH + TYPE.len() + kind.name().len() + TIME.len();
                let head = time + TIME_LENGTH + PRODUCER.len() + producer.len() + 1 + JOB.len();
                Self { log: false, id: ID.len(), time, head }
            }
        }
    }

    /// The event from where places count.
    fn based<'a>(&self, event: &'a [u8]) -> Option<&'a [u8]> {
        if self.log { event.get(log_base(event)?..) } else { Some(event) }
    }

    /// The id of an event, or what stands in its place.
    pub(super) fn id<'a>(&self, event: &'a [u8]) -> Option<&'a [u8]> {
        self.based(event)?.get(self.id..self.id + ID_LENGTH)
    }

    /// The time of an event, or what stands in its place.
    #[inline]
    pub(super) fn time<'a>(&self, event: &'a [u8]) -> Option<&'a [u8]> {
        self.based(event)?.get(self.time..self.time + TIME_LENGTH)
    }

    /// Job and sequence of an event that is damaged somewhere else: read where they stand. Bytes between the numbers
    /// may be damaged.
    pub(super) fn salvage(&self, event: &[u8]) -> Option<(u32, u64)> {
        let (job, rest) = number(self.based(event)?.get(self.head..)?)?;
        let between = if self.log { LOG_SEQUENCE.len() } else { SEQUENCE.len() };
        let (sequence, _) = number(rest.get(between..)?)?;
        Some((u32::try_from(job).ok()?, sequence))
    }

    /// Whether `event` has at least three quarters of what all events have in common, for which `other` stands.
    pub(super) fn resemble(&self, event: &[u8], other: &[u8]) -> bool {
        let (Some(event), Some(other)) = (self.based(event), self.based(other)) else { return false };
        let common =
            (0..self.id).chain(self.id + ID_LENGTH..self.time).chain(self.time + TIME_LENGTH..self.head);
        let (mut alike, mut all) = (0, 0);
        for at in common {
            all += 1;
            alike += usize::from(event.get(at).is_some_and(|byte| Some(byte) == other.get(at)));
        }
        alike * 4 >= all * 3
    }
}

/// The time that 24 bytes say in milliseconds since the Unix epoch; none if they are not exactly what
/// [`Timestamp`] writes for a moment.
pub(super) fn millis(time: &[u8]) -> Option<u64> {
    let field = |from: usize, to: usize| -> Option<u64> {
        time.get(from..to)?.iter().try_fold(0, |number, &digit| {
            digit.is_ascii_digit().then(|| number * 10 + u64::from(digit - b'0'))
        })
    };
    let (year, month, day) = (field(0, 4)?, field(5, 7)?, field(8, 10)?);
    let (hour, minute, second, milli) = (field(11, 13)?, field(14, 16)?, field(17, 19)?, field(20, 23)?);
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years that begin in March, as in Timestamp; the days of the months before are (153 m + 2) / 5.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    let days = year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468;
    let millis = (((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000 + milli;
    // What is written again as it was read was legal: no 31st of June, no 25th hour, no other punctuation.
    (Timestamp::from_unix_millis(millis).as_bytes() == time).then_some(millis)
}

/// Whether the bytes have the form of the `message` event: `{"message":"…","date":"…"}`.
pub(super) fn is_message(event: &[u8]) -> bool {
    let read = || -> Option<&[u8]> {
        let rest = event.strip_prefix(MESSAGE)?.get(ID_LENGTH..)?;
        let (time, rest) = rest.strip_prefix(DATE)?.split_at_checked(TIME_LENGTH)?;
        millis(time)?;
        Some(rest)
    };
    read() == Some(MESSAGE_END)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::generate::Generator;

    proptest! {
        // Every event tells who made it, whatever the producer is called; the head is as long as is said, and a
        // message is known for one and for nothing else.
        #[test]
        fn an_event_is_read_as_it_is_written(
            producer in "\\PC{0,12}|[\\x00-\\x22\\\\é😀]{0,6}", job: u32, sequence: u64, time in 0..=Timestamp::MAX_UNIX_MILLIS
        ) {
            for kind in EventKind::ALL {
                let mut event = Vec::new();
                Generator::new(kind, 1, &producer).write(job, sequence, &Timestamp::from_unix_millis(time), &mut event);
                prop_assert_eq!(is_message(&event), kind == EventKind::Message);
                if kind == EventKind::Message {
                    prop_assert_eq!(read(&event), None);
                    continue;
                }
                let identity = read(&event).expect("ours");
                prop_assert_eq!((identity.job, identity.sequence), (job, sequence));
                prop_assert_eq!(identity.kind, kind.name().as_bytes());
                prop_assert_eq!(millis(identity.time), Some(time));
                let escaped = serde_json::to_string(&producer).expect("a text");
                if kind == EventKind::AccessLog {
                    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
                    prop_assert!(!producer.bytes().all(legal) || identity.producer == producer.as_bytes());
                } else {
                    prop_assert_eq!(identity.producer, &escaped.as_bytes()[1..escaped.len() - 1]);
                }
                let places = Places::new(kind, identity.producer);
                prop_assert_eq!(places.salvage(&event), Some((job, sequence)));
                prop_assert_eq!(places.time(&event), Some(identity.time));
                let id = places.id(&event).map(|id| Generator::new(kind, 1, &producer).sequence_of(job, id, None));
                prop_assert_eq!(id, Some(Some(sequence)));
                prop_assert!(places.resemble(&event, &event));
            }
        }

        // No bytes make it panic, and no time is taken for one that is written in another way.
        #[test]
        fn any_bytes_are_read_or_refused(
            bytes in prop::collection::vec(any::<u8>(), 0..300), cut in 0..400_usize, at: prop::sample::Index, byte: u8
        ) {
            for kind in EventKind::ALL {
                let places = Places::new(kind, b"p");
                let _ = (places.salvage(&bytes), places.id(&bytes), places.time(&bytes), places.resemble(&bytes, &bytes));
            }
            let _ = (read(&bytes), is_message(&bytes), millis(&bytes));
            for kind in [EventKind::Click, EventKind::AccessLog] {
                let mut event = Vec::new();
                Generator::new(kind, 1, "p").write(7, 12, &Timestamp::from_unix_millis(0), &mut event);
                let at = at.index(event.len());
                event[at] = byte;
                event.truncate(cut);
                let _ = (read(&event), is_message(&event), Places::new(kind, b"p").salvage(&event));
            }
        }
    }

    #[test]
    fn only_the_canonical_form_of_a_time_is_one() {
        assert_eq!(millis(b"2026-11-21T02:14:34.123Z"), Some(1_795_227_274_123));
        for wrong in [
            "2026-11-31T02:14:34.123Z",
            "2026-02-29T02:14:34.123Z",
            "2026-13-21T02:14:34.123Z",
            "2026-11-21T24:14:34.123Z",
            "2026-11-21T02:60:34.123Z",
            "2026-11-21 02:14:34.123Z",
            "2026-11-21T02:14:34.123z",
            "1969-12-31T23:59:59.999Z",
            "0000-01-01T00:00:00.000Z",
            "2026-11-21T02:14:3x.123Z",
            "2026-11-21T02:14:34.123",
        ] {
            assert_eq!(millis(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
