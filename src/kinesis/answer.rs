//! What Kinesis says of each entry of a PutRecords request.
//!
//! A 200 means nothing by itself: the result of each entry decides (PutRecords API reference).

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, SeqAccess, Visitor};

use super::{SequenceNumber, ShardId, scan, scan_cbor};
use crate::cbor::{self, CborError, Decoder};

/// The result of one entry. A shard is told where the answer names one in the known form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryResult {
    /// Kinesis gave a sequence number.
    Stored(Option<ShardId>),
    /// `ProvisionedThroughputExceededException` and kin: not stored, because of a limit.
    Throttled(Option<ShardId>),
    /// `InternalFailure`: not stored.
    InternalFailure(Option<ShardId>),
    /// Any other error code: not stored.
    Rejected(Option<ShardId>),
}

/// An answer with status 200, its entries in the order of the request.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Answer {
    /// A result per entry of the answer.
    pub entries: Vec<EntryResult>,
    /// What the answer says of the number of failures; entries are believed, not this.
    pub failed_record_count: Option<u64>,
    /// The sequence number of each entry that was stored, where that is [wanted](Self::numbered); else empty.
    pub numbers: Vec<Option<SequenceNumber>>,
    /// Whether sequence numbers are read as well, which takes several times as long.
    pub numbered: bool,
}

/// An answer with status 200 that says nothing about the records.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// It is no JSON, or no answer.
    #[error("the answer to PutRecords can't be read: {0}")]
    Json(#[from] serde_json::Error),
    /// It is CBOR, but malformed or no answer.
    #[error("the answer to PutRecords, in CBOR, can't be read: {0}")]
    Cbor(#[from] CborError),
}

impl Answer {
    /// Reads an answer's body into `self`, whose buffer is used again. The body says by itself whether it is JSON or
    /// CBOR: what stands between an endpoint and us may answer in another wire than it was asked.
    ///
    /// # Errors
    /// When the body is neither JSON nor CBOR, holds its entries twice, or an entry has neither a sequence number nor an error
    /// code, or both.
    pub fn read(&mut self, body: &[u8]) -> Result<(), AnswerError> {
        let is_cbor = cbor::is_cbor(body);
        let quick = if is_cbor { scan_cbor::usual } else { scan::usual };
        if !self.numbered
            && let Some(failed) = quick(body, &mut self.entries)
        {
            self.failed_record_count = failed;
            return Ok(());
        }
        if is_cbor { Ok(self.read_in_full_cbor(body)?) } else { self.read_in_full(body) }
    }

    /// Reads any answer in CBOR, by the same rules as one in JSON.
    fn read_in_full_cbor(&mut self, body: &[u8]) -> Result<(), CborError> {
        self.entries.clear();
        self.numbers.clear();
        self.failed_record_count = None;
        let mut reader = Decoder::new(body);
        reader.deserialize_map(AnswerVisitor(self))?;
        reader.end()
    }

    /// Reads any answer.
    fn read_in_full(&mut self, body: &[u8]) -> Result<(), AnswerError> {
        self.entries.clear();
        self.numbers.clear();
        self.failed_record_count = None;
        let mut reader = serde_json::Deserializer::from_slice(body);
        reader.deserialize_map(AnswerVisitor(self))?;
        Ok(reader.end()?)
    }
}

/// Fills an [`Answer`] without building a value per entry.
struct AnswerVisitor<'a>(&'a mut Answer);

impl<'de> Visitor<'de> for AnswerVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an answer to PutRecords")
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        #[derive(serde::Deserialize)]
        enum Member {
            Records,
            FailedRecordCount,
            #[serde(other)]
            Other,
        }
        let mut seen = false;
        while let Some(member) = members.next_key()? {
            match member {
                Member::Records if std::mem::replace(&mut seen, true) => {
                    return Err(serde::de::Error::duplicate_field("Records"));
                }
                Member::Records => members.next_value_seed(Entries(self.0))?,
                Member::FailedRecordCount => self.0.failed_record_count = members.next_value()?,
                Member::Other => drop(members.next_value::<serde::de::IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

struct Entries<'a>(&'a mut Answer);

impl<'de> serde::de::DeserializeSeed<'de> for Entries<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of entry results")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        self.0.entries.clear();
        while let Some(entry) = entries.next_element::<RawEntry<'de>>()? {
            let result = entry.result().ok_or_else(|| {
                serde::de::Error::custom("an entry does not have one of SequenceNumber and ErrorCode")
            })?;
            self.0.entries.push(result);
            if self.0.numbered {
                let number = entry.sequence_number.as_deref().and_then(|number| number.parse().ok());
                self.0.numbers.push(number);
            }
        }
        Ok(())
    }
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawEntry<'a> {
    #[serde(borrow)]
    sequence_number: Option<Text<'a>>,
    #[serde(borrow)]
    shard_id: Option<Text<'a>>,
    #[serde(borrow)]
    error_code: Option<Text<'a>>,
    #[serde(borrow)]
    error_message: Option<Text<'a>>,
}

/// A text that lies in the body where it can. An `Option<Cow<str>>` would always be copied: serde borrows for a bare
/// `Cow` only.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl RawEntry<'_> {
    fn result(&self) -> Option<EntryResult> {
        let shard = self.shard_id.as_deref().and_then(|id| id.parse().ok());
        let is_stored = self.sequence_number.as_deref().is_some_and(|number| !number.is_empty());
        let Some(of) = refusal(self.error_code.as_deref().unwrap_or_default()) else {
            return is_stored.then_some(EntryResult::Stored(shard));
        };
        // With both it says two things, of which neither is certain.
        if is_stored {
            return None;
        }
        Some(of(shard.or_else(|| named_shard(self.error_message.as_deref()?))))
    }
}

/// What an entry with this error code is, given its shard; none where there is no code.
pub(super) fn refusal(code: &str) -> Option<fn(Option<ShardId>) -> EntryResult> {
    match code {
        "" => None,
        code if is_throttling(code) => Some(EntryResult::Throttled),
        "InternalFailure" | "InternalFailureException" => Some(EntryResult::InternalFailure),
        _ => Some(EntryResult::Rejected),
    }
}

/// Whether an error code says that a limit refused the records, in an entry or for a whole request.
pub(super) fn is_throttling(code: &str) -> bool {
    matches!(
        code,
        "ProvisionedThroughputExceededException"
            | "KMSThrottlingException"
            | "LimitExceededException"
            | "ThrottlingException"
            | "Throttling"
    )
}

/// The shard that an error message names, as AWS's does for throttled entries.
pub(super) fn named_shard(message: &str) -> Option<ShardId> {
    let at = message.find("shardId-")?;
    message.get(at..at + "shardId-".len() + 12)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn read(body: &str) -> Result<Answer, AnswerError> {
        let mut answer = Answer {
            entries: vec![EntryResult::Stored(None)],
            failed_record_count: Some(9),
            ..Answer::default()
        };
        answer.read(body.as_bytes()).map(|()| answer)
    }

    #[test]
    fn each_entry_is_read_by_its_own_result() {
        let answer = read(
            r#"{"EncryptionType":"NONE","FailedRecordCount":3,"Records":[
                {"SequenceNumber":"495","ShardId":"shardId-000000000001"},
                {"ErrorCode":"ProvisionedThroughputExceededException","ErrorMessage":"Rate exceeded for shard shardId-000000000002 in stream s under account 1."},
                {"ErrorCode":"InternalFailure","ErrorMessage":"Internal service failure."},
                {"ErrorCode":"Other\u0041","ErrorMessage":null,"SequenceNumber":null},
                {"SequenceNumber":"1","ShardId":"odd","Future":[{}]}]}"#,
        )
        .expect("an answer");
        assert_eq!(
            answer.entries,
            [
                EntryResult::Stored(Some(ShardId(1))),
                EntryResult::Throttled(Some(ShardId(2))),
                EntryResult::InternalFailure(None),
                EntryResult::Rejected(None),
                EntryResult::Stored(None),
            ]
        );
        assert_eq!(answer.failed_record_count, Some(3));
    }

    #[test]
    fn an_answer_that_says_nothing_of_a_record_is_an_error() {
        for body in [
            "",
            "null",
            "[]",
            "{\"Records\":[{}]}",
            "{\"Records\":[{\"SequenceNumber\":\"\"}]}",
            "{\"Records\":[{\"SequenceNumber\":\"1\"}",
            "{\"Records\":[{\"SequenceNumber\":\"1\",\"ErrorCode\":\"InternalFailure\"}]}",
            "{\"Records\":[],\"Records\":[]}",
            "{\"Records\":[]} x",
            "<html>",
        ] {
            assert!(read(body).is_err(), "{body}");
        }
    }

    /// An answer as AWS writes it, and near misses of it.
    fn answer_text() -> impl Strategy<Value = String> {
        let code = "ProvisionedThroughputExceededException|InternalFailure|Other|";
        let code = code.prop_map(String::from).boxed();
        let entry = prop_oneof![
            8 => ("[0-9]{1,57}|[0-9]{55}[0-9a]", 0_u64..30).prop_map(|(n, shard)| format!(r#"{{"SequenceNumber":"{n}","ShardId":"{}"}}"#, ShardId(shard))),
            2 => ("[0-9]{1,56}", 0_u64..30).prop_map(|(n, shard)| format!(r#"{{"ShardId":"{}","SequenceNumber":"{n}"}}"#, ShardId(shard))),
            1 => Just(r#"{"SequenceNumber":"","ShardId":"shardId-000000000001"}"#.to_owned()),
            1 => Just(r#"{"SequenceNumber":"1","ShardId":"shardId-00000000001x"}"#.to_owned()),
            1 => Just(r#"{"SequenceNumber":"1"}"#.to_owned()),
            1 => Just(r#"{"ErrorCode":"InternalFailure"}"#.to_owned()),
            4 => (code.clone(), "Rate exceeded for shard shardId-00000000000[0-9x]|[ -~é]{0,9}")
                .prop_map(|(code, text)| format!(r#"{{"ErrorCode":"{code}","ErrorMessage":"{text}"}}"#)),
            2 => (code, "[ -~]{0,9}").prop_map(|(code, text)| format!(r#"{{"ErrorMessage":"{text}","ErrorCode":"{code}"}}"#)),
        ];
        let entries = vec(entry, 0..6).prop_map(|entries| format!("\"Records\":[{}]", entries.join(",")));
        let member = prop_oneof![
            6 => entries,
            2 => "[0-9]{1,3}".prop_map(|n| format!("\"FailedRecordCount\":{n}")),
            1 => Just("\"FailedRecordCount\":-1".to_owned()),
            1 => Just("\"EncryptionType\":\"KMS\"".to_owned()),
            1 => Just("\"Future\":{}".to_owned()),
        ];
        (vec(member, 0..4), "|||[ ,}x]", any::<prop::sample::Index>(), any::<bool>()).prop_map(
            |(members, end, cut, cuts)| {
                let whole = format!("{{{}}}{end}", members.join(","));
                if cuts {
                    whole[..whole.floor_char_boundary(cut.index(whole.len()))].to_owned()
                } else {
                    whole
                }
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        // What the quick reading takes, the full one reads alike.
        #[test]
        fn the_quick_reading_never_differs_from_the_full_one(body in answer_text()) {
            let mut quick = Vec::new();
            if let Some(failed) = scan::usual(body.as_bytes(), &mut quick) {
                let mut full = Answer::default();
                full.read_in_full(body.as_bytes()).expect("the quick reading took it");
                prop_assert_eq!(full, Answer { entries: quick, failed_record_count: failed, ..Answer::default() });
            }
        }
    }

    /// The same value in CBOR, its containers ended by breaks and its texts in chunks.
    fn in_pieces(value: &serde_json::Value, out: &mut Vec<u8>) {
        let text = |text: &str, out: &mut Vec<u8>| {
            out.push(0x7f);
            text.chars().for_each(|c| cbor::push_text(out, c.encode_utf8(&mut [0; 4])));
            out.push(cbor::BREAK);
        };
        match value {
            serde_json::Value::Array(all) => {
                out.push(0x9f);
                all.iter().for_each(|one| in_pieces(one, out));
                out.push(cbor::BREAK);
            }
            serde_json::Value::Object(all) => {
                out.push(0xbf);
                for (name, one) in all {
                    text(name, out);
                    in_pieces(one, out);
                }
                out.push(cbor::BREAK);
            }
            serde_json::Value::String(one) => text(one, out),
            other => ciborium::into_writer(other, out).expect("written"),
        }
    }

    /// Containers ended by breaks, texts whole: as AWS's own library writes.
    fn with_breaks(value: &serde_json::Value, out: &mut Vec<u8>) {
        match value {
            serde_json::Value::Array(all) => {
                out.push(0x9f);
                all.iter().for_each(|one| with_breaks(one, out));
                out.push(cbor::BREAK);
            }
            serde_json::Value::Object(all) => {
                out.push(0xbf);
                for (name, one) in all {
                    cbor::push_text(out, name);
                    with_breaks(one, out);
                }
                out.push(cbor::BREAK);
            }
            other => ciborium::into_writer(other, out).expect("written"),
        }
    }

    /// A value in CBOR, in each way to write it.
    fn in_cbor(value: &serde_json::Value) -> [Vec<u8>; 3] {
        let [mut lengths, mut breaks, mut pieces] = [Vec::new(), Vec::new(), Vec::new()];
        ciborium::into_writer(value, &mut lengths).expect("written");
        with_breaks(value, &mut breaks);
        in_pieces(value, &mut pieces);
        [lengths, breaks, pieces]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        // An answer means the same in JSON and in CBOR, however that is written, read quickly or in full; what is
        // none in the one is none in the other.
        #[test]
        fn an_answer_in_cbor_is_read_as_the_same_in_json(body in answer_text()) {
            let Ok(value) = serde_json::from_str::<serde_json::Value>(&body) else { return Ok(()) };
            let by_json = read(&value.to_string()).ok();
            for bytes in in_cbor(&value) {
                let mut any = Answer {
                    entries: vec![EntryResult::Stored(None)],
                    failed_record_count: Some(9),
                    ..Answer::default()
                };
                let by_cbor = any.read(&bytes).is_ok().then_some(any);
                prop_assert_eq!(&by_cbor, &by_json);
                let mut full = Answer::default();
                prop_assert_eq!(full.read_in_full_cbor(&bytes).is_ok().then_some(full), by_cbor);
                // With the sequence numbers, where they are wanted.
                let numbered = |body: &[u8]| {
                    let mut answer = Answer { numbered: true, ..Answer::default() };
                    answer.read(body).is_ok().then_some(answer)
                };
                let (one, other) = (numbered(&bytes), numbered(value.to_string().as_bytes()));
                prop_assert_eq!(&one, &other);
                let Some(one) = one else { continue };
                prop_assert_eq!(one.numbers.len(), one.entries.len());
                for (number, entry) in one.numbers.iter().zip(value["Records"].as_array().into_iter().flatten()) {
                    let wanted = entry["SequenceNumber"].as_str().and_then(|text| text.parse().ok());
                    prop_assert_eq!(*number, wanted);
                }
            }
        }

        // No bytes make a panic, and what the quick reading takes, the full one reads alike.
        #[test]
        fn any_bytes_near_an_answer_in_cbor_are_read_or_refused(
            body in answer_text(),
            which in 0..3_usize,
            changes in vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        ) {
            let Ok(value) = serde_json::from_str::<serde_json::Value>(&body) else { return Ok(()) };
            let mut bytes = in_cbor(&value)[which].clone();
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let mut quick = Vec::new();
            let mut full = Answer::default();
            let read = full.read_in_full_cbor(&bytes);
            if let Some(failed) = scan_cbor::usual(&bytes, &mut quick) {
                prop_assert!(read.is_ok(), "{:?}", read);
                prop_assert_eq!(full, Answer { entries: quick, failed_record_count: failed, ..Answer::default() });
            }
        }
    }

    #[test]
    fn answers_in_cbor_are_read_quickly_where_all_is_stored() {
        let number = "49543463076548007577105092703039560359975228518395012686";
        let entry = serde_json::json!({"SequenceNumber": number, "ShardId": "shardId-000000000007"});
        for count in [0, 1, 23, 24, 255, 256, 500] {
            let value = serde_json::json!({"EncryptionType": "KMS", "FailedRecordCount": 0, "Records": vec![&entry; count]});
            let [lengths, breaks, pieces] = in_cbor(&value);
            for bytes in [lengths, breaks] {
                let mut entries = Vec::new();
                assert_eq!(scan_cbor::usual(&bytes, &mut entries), Some(Some(0)), "{count}");
                assert_eq!(entries, vec![EntryResult::Stored(Some(ShardId(7))); count]);
            }
            assert_eq!(scan_cbor::usual(&pieces, &mut Vec::new()), None);
        }
    }

    #[test]
    fn an_answer_in_cbor_costs_no_allocation_even_where_half_of_it_is_refused() {
        let stored = serde_json::json!({"SequenceNumber": "49", "ShardId": "shardId-000000000007"});
        let refused = serde_json::json!({
            "ErrorCode": "ProvisionedThroughputExceededException",
            "ErrorMessage": "Rate exceeded for shard shardId-000000000003 in stream s under account 1.",
        });
        for entry in [&stored, &refused] {
            let entries: Vec<_> = (0..500).map(|i| if i % 2 == 0 { &stored } else { entry }).collect();
            let [lengths, breaks, _] = in_cbor(&serde_json::json!({"Records": entries}));
            let mut answer = Answer::default();
            for bytes in [&lengths, &breaks] {
                answer.read(bytes).expect("an answer");
                let used = allocation_counter::measure(|| answer.read(bytes).expect("an answer"));
                assert_eq!((used.count_total, answer.entries.len()), (0, 500));
            }
        }
    }

    #[test]
    fn what_only_cbor_can_say_is_no_more_believed() {
        let all = |entry: &[u8]| [&b"\xa1\x67Records\x81"[..], entry].concat();
        let number = |value: &[u8]| all(&[&b"\xa1\x6eSequenceNumber"[..], value].concat());
        let read = |body: &[u8]| {
            let mut answer = Answer::default();
            answer.read(body).map(|()| answer.entries)
        };
        // A text, in pieces, under a tag, beside an undefined error: it says what it says in JSON.
        for right in [
            number(b"\x62\x34\x39"),
            number(b"\x7f\x614\x619\xff"),
            [&b"\xd9\xd9\xf7"[..], &number(b"\x6249")].concat(),
            all(b"\xa2\x6eSequenceNumber\x6249\x69ErrorCode\xf7"),
        ] {
            assert_eq!(read(&right).ok(), Some(vec![EntryResult::Stored(None)]), "{right:x?}");
        }
        for wrong in [
            // Numbers, bytes and halves where a text stands.
            number(b"\x18\x31"),
            number(b"\x4249"),
            number(b"\xf9\x3c\x00"),
            number(b"\xf6"),
            number(b"\x60"),
            all(b"\xf6"),
            all(b"\x01"),
            b"\xa1\x67Records\x82\xa1\x6eSequenceNumber\x6249".to_vec(),
            b"\xa1\x67Records\x9b\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(),
            b"\xa2\x67Records\x80\x67Records\x80".to_vec(),
            b"\xa2\x67Records\x80\x71FailedRecordCount\xf9\x3c\x00".to_vec(),
            b"\xa1\x67Records\x80\x00".to_vec(),
            b"\x80".to_vec(),
            b"\xff".to_vec(),
        ] {
            assert!(read(&wrong).is_err(), "{wrong:x?}");
        }
    }

    #[test]
    fn the_answers_that_aws_gives_are_read_quickly() {
        let entry = r#"{"SequenceNumber":"49543463076548007577105092703039560359975228518395012686","ShardId":"shardId-000000000007"}"#;
        for body in [
            format!(r#"{{"FailedRecordCount":0,"Records":[{entry},{entry}]}}"#),
            format!(r#"{{"EncryptionType":"KMS","FailedRecordCount":0,"Records":[{entry},{entry}]}}"#),
            format!(r#"{{"Records":[{entry},{entry}],"FailedRecordCount":0}}"#),
        ] {
            let mut entries = Vec::new();
            assert_eq!(scan::usual(body.as_bytes(), &mut entries), Some(Some(0)), "{body}");
            assert_eq!(entries, [EntryResult::Stored(Some(ShardId(7))); 2]);
        }
        let refused = r#"{"ErrorCode":"ProvisionedThroughputExceededException","ErrorMessage":"Rate exceeded for shard shardId-000000000003 in stream s under account 1."}"#;
        let body = format!(r#"{{"FailedRecordCount":1,"Records":[{entry},{refused}]}}"#);
        let mut entries = Vec::new();
        assert_eq!(scan::usual(body.as_bytes(), &mut entries), Some(Some(1)));
        assert_eq!(
            entries,
            [EntryResult::Stored(Some(ShardId(7))), EntryResult::Throttled(Some(ShardId(3)))]
        );
    }
}
