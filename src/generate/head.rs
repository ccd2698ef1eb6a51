//! The start of every event of a kind: one text made at the start, with blanks for id and time.

use super::access_log;
use super::kind::EventKind;
use super::pen::Pen;
use super::random::Lanes;
use super::text;
use super::timestamp::Timestamp;

/// `{"id":"…","type":"…","time":"…","producer":"…","job":`, or the whole of a `message`, or the same in a query.
#[derive(Debug)]
pub(super) struct Head {
    text: Box<[u8]>,
    id_at: usize,
    time_at: usize,
}

impl Head {
    pub(super) fn new(kind: EventKind, producer: &str) -> Self {
        let (before_id, between, after_time) = match kind {
            // Exactly the original's payload, which has no identity.
            EventKind::Message => (r#"{"message":""#, r#"","date":""#.to_owned(), r#""}"#.to_owned()),
            EventKind::AccessLog => access_log::head(producer),
            _ => (
                r#"{"id":""#,
                format!(r#"","type":"{kind}","time":""#),
                format!(r#"","producer":{},"job":"#, serde_json::Value::from(producer)), // escaped
            ),
        };
        let id_at = before_id.len();
        let time_at = id_at + 36 + between.len();
        let text = format!("{before_id}{:36}{between}{:24}{after_time}", "", "");
        Self { text: text.into_bytes().into(), id_at, time_at }
    }

    /// Writes the text with its blanks filled.
    #[inline]
    pub(super) fn write(&self, id: Lanes, time: &Timestamp, pen: &mut Pen<'_>) {
        let text = pen.any(&self.text);
        text[self.id_at..self.id_at + 36].copy_from_slice(&text::uuid(id));
        text[self.time_at..self.time_at + 24].copy_from_slice(time.as_bytes());
    }

    /// Bytes of the text.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }
}
