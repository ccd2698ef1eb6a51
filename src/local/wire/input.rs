//! What clients send, as types.
//!
//! Decides JSON types only; rules are `checks`'. Unknown members are ignored, as AWS does.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};

use super::super::error::{ApiError, ErrorKind};

/// Reads a body; an empty one is an empty structure.
pub(super) fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, ApiError> {
    let wrong = |text: String| ApiError::new(ErrorKind::Serialization, text);
    // serde would take a list for a structure's members in order.
    match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') => serde_json::from_slice(body).map_err(|error| wrong(error.to_string())),
        Some(_) => Err(wrong("The body must be a JSON object.".to_owned())),
        None => serde_json::from_slice(b"{}").map_err(|error| wrong(error.to_string())),
    }
}

/// The members of every operation but the puts: a name means the same in each.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Input {
    pub(super) adjacent_shard_to_merge: Option<String>,
    pub(super) dry_run: Option<bool>,
    pub(super) exclusive_start_shard_id: Option<String>,
    pub(super) exclusive_start_stream_name: Option<String>,
    pub(super) exclusive_start_tag_key: Option<String>,
    pub(super) limit: Option<i64>,
    pub(super) max_results: Option<i64>,
    #[serde(rename = "MaxRecordSizeInKiB")]
    pub(super) max_record_size: Option<i64>,
    pub(super) new_starting_hash_key: Option<String>,
    pub(super) next_token: Option<String>,
    pub(super) record_distribution_strategy: Option<String>,
    pub(super) retention_period_hours: Option<i64>,
    pub(super) scaling_type: Option<String>,
    pub(super) shard_count: Option<i64>,
    pub(super) shard_filter: Option<ShardFilter>,
    pub(super) shard_id: Option<String>,
    pub(super) shard_iterator: Option<String>,
    pub(super) shard_iterator_type: Option<String>,
    pub(super) shard_to_merge: Option<String>,
    pub(super) shard_to_split: Option<String>,
    pub(super) starting_sequence_number: Option<String>,
    #[serde(rename = "StreamARN")]
    pub(super) stream_arn: Option<String>,
    pub(super) stream_creation_timestamp: Option<f64>,
    pub(super) stream_mode_details: Option<StreamModeDetails>,
    pub(super) stream_name: Option<String>,
    pub(super) tag_keys: Option<Vec<String>>,
    pub(super) tags: Option<BTreeMap<String, String>>,
    pub(super) target_shard_count: Option<i64>,
    pub(super) timestamp: Option<f64>,
}

/// The capacity mode.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct StreamModeDetails {
    pub(super) stream_mode: Option<String>,
}

/// Which shards ListShards shall list.
#[derive(Debug, Default, Clone, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ShardFilter {
    #[serde(rename = "Type")]
    pub(super) kind: Option<String>,
    pub(super) shard_id: Option<String>,
    pub(super) timestamp: Option<f64>,
}

/// The members of PutRecords.
#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PutRecords<'a> {
    #[serde(borrow)]
    pub(super) records: Option<AtMost<Record<'a>>>,
    pub(super) stream_name: Option<Text<'a>>,
    #[serde(rename = "StreamARN")]
    pub(super) stream_arn: Option<Text<'a>>,
    pub(super) dry_run: Option<bool>,
}

/// The members of PutRecord.
#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PutRecord<'a> {
    #[serde(borrow)]
    pub(super) data: Option<Text<'a>>,
    pub(super) partition_key: Option<Text<'a>>,
    pub(super) explicit_hash_key: Option<Text<'a>>,
    pub(super) sequence_number_for_ordering: Option<Text<'a>>,
    pub(super) stream_name: Option<Text<'a>>,
    #[serde(rename = "StreamARN")]
    pub(super) stream_arn: Option<Text<'a>>,
    pub(super) dry_run: Option<bool>,
}

/// One record that is offered.
#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Record<'a> {
    #[serde(borrow)]
    pub(super) data: Option<Text<'a>>,
    pub(super) partition_key: Option<Text<'a>>,
    pub(super) explicit_hash_key: Option<Text<'a>>,
}

/// A text that lies in the body where JSON allows it. A plain `Option<Cow<str>>` would always be copied.
#[derive(Debug)]
pub(super) struct Text<'a>(Cow<'a, str>);

impl Text<'_> {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Borrow<'a>(PhantomData<&'a str>);
        impl<'de: 'a, 'a> Visitor<'de> for Borrow<'a> {
            type Value = Text<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'a>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'a>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        from.deserialize_str(Borrow(PhantomData))
    }
}

/// A list of which only so many elements are kept, and the rest counted: a body may claim millions.
#[derive(Debug)]
pub(super) struct AtMost<T> {
    pub(super) kept: Vec<T>,
    pub(super) count: usize,
}

impl<T> AtMost<T> {
    /// Twice what a request may hold by default, so that `Options::limits` may go up as well.
    const MOST: usize = 1_000;
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for AtMost<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Keep<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Keep<T> {
            type Value = AtMost<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<AtMost<T>, A::Error> {
                let mut kept = Vec::with_capacity(list.size_hint().unwrap_or(500).min(AtMost::<T>::MOST));
                while kept.len() < AtMost::<T>::MOST {
                    match list.next_element()? {
                        Some(element) => kept.push(element),
                        None => return Ok(AtMost { count: kept.len(), kept }),
                    }
                }
                let mut count = kept.len();
                while list.next_element::<IgnoredAny>()?.is_some() {
                    count += 1;
                }
                Ok(AtMost { kept, count })
            }
        }
        from.deserialize_seq(Keep(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_text_is_not_copied_and_an_escaped_one_is_read() {
        let read: PutRecords<'_> =
            parse(br#"{"Records":[{"Data":"YWI=","PartitionKey":"\u00e9"}],"X":1}"#).expect("legal JSON");
        let record = &read.records.expect("a list").kept[0];
        assert!(matches!(record.data, Some(Text(Cow::Borrowed("YWI=")))));
        assert!(matches!(&record.partition_key, Some(Text(Cow::Owned(key))) if key == "é"));
    }

    #[test]
    fn a_list_of_millions_is_counted_not_kept() {
        let body = format!("{{\"Records\":[{}null]}}", "{},".repeat(2_000));
        assert!(parse::<PutRecords<'_>>(body.as_bytes()).is_ok_and(|read| {
            read.records.is_some_and(|list| list.count == 2_001 && list.kept.len() == 1_000)
        }));
    }

    #[test]
    fn a_wrong_type_is_a_serialization_error() {
        for body in [&b"[]"[..], b"{", b"{\"StreamName\":1}", b"{\"Limit\":\"x\"}"] {
            let error = parse::<Input>(body).expect_err("wrong");
            assert_eq!(error.kind, ErrorKind::Serialization);
        }
        assert!(parse::<Input>(b"").is_ok());
        assert!(parse::<Input>(b"{\"Limit\":null,\"Other\":[]}").is_ok());
    }
}
