//! Lines that are JSON objects: `{"time":…,"count":…}` or `{"time":…,"payload":…,"key":…}`.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::line::{Line, Load, MOST_RECORDS, Recorded, from_base64, key};
use super::moment::Moment;

/// A line as it is written. Members that are not known are left alone: logs have more than is needed.
#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(borrow, alias = "timestamp", alias = "ts")]
    time: &'a RawValue,
    #[serde(alias = "records")]
    count: Option<u64>,
    #[serde(borrow, alias = "data")]
    payload: Option<&'a RawValue>,
    #[serde(alias = "data_base64")]
    payload_base64: Option<String>,
    #[serde(alias = "partition_key")]
    key: Option<String>,
}

/// Reads a line. A payload that is a string is its text; any other is its JSON as it stands there.
///
/// # Errors
/// What was expected, and what stands there.
pub(super) fn line(text: &[u8]) -> Result<Line, String> {
    let raw: Raw<'_> = serde_json::from_slice(text).map_err(|error| {
        format!("expected an object with time and count, or time and payload: {}", told(&error))
    })?;
    let at = Moment::read(raw.time.get().trim_matches('"').as_bytes())?;
    let data: Option<Box<[u8]>> = match (raw.payload, raw.payload_base64) {
        (Some(_), Some(_)) => return Err("payload and payload_base64 stand there both".to_owned()),
        (Some(json), None) if json.get().starts_with('"') => {
            let text: String = serde_json::from_str(json.get()).map_err(|error| told(&error))?;
            Some(text.into_bytes().into())
        }
        (Some(json), None) => Some(json.get().as_bytes().into()),
        (None, Some(text)) => Some(from_base64(text.as_bytes())?),
        (None, None) => None,
    };
    let load = match (raw.count, data) {
        (Some(count), None) if count <= MOST_RECORDS => Load::Count(count),
        (Some(count), None) => return Err(format!("the count {count} is more than {MOST_RECORDS}")),
        (None, Some(data)) => Load::Record(Recorded { data, key: raw.key.as_deref().map(key).transpose()? }),
        (None, None) => return Err("expected a count or a payload, and there is neither".to_owned()),
        (Some(_), Some(_)) => return Err("expected a count or a payload, and there are both".to_owned()),
    };
    Ok(Line { at, load })
}

/// serde_json's words without its line, which is always the first.
fn told(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line 1 column ") {
        Some((what, column)) => format!("{what} at column {column}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::SECOND;

    fn recorded(text: &str) -> Result<Recorded, String> {
        match line(text.as_bytes())?.load {
            Load::Record(recorded) => Ok(recorded),
            Load::Count(count) => panic!("{count}"),
        }
    }

    #[test]
    fn a_payload_is_a_text_or_json_as_it_stands() {
        for (text, data, key) in [
            (r#"{"time":0.5,"payload":"a\"b\n"}"#, &b"a\"b\n"[..], None),
            (
                r#"{"time":"2026-11-21T12:00:00Z","payload":{"b": 1.50,"a":[ ]},"key":"k"}"#,
                br#"{"b": 1.50,"a":[ ]}"#,
                Some("k"),
            ),
            (
                r#"{"ts":1700000000500,"data_base64":"/wA=","partition_key":"é","level":"info"}"#,
                &[255, 0],
                Some("é"),
            ),
            (r#"{"time":1,"payload":7}"#, b"7", None),
        ] {
            let expected = Recorded { data: data.into(), key: key.map(Into::into) };
            assert_eq!(recorded(text), Ok(expected), "{text}");
        }
        let counted = line(br#"{"count":3,"time":2.5}"#).expect("a line");
        assert_eq!((counted.load, counted.at.nanos), (Load::Count(3), 5 * SECOND / 2));
    }

    #[test]
    fn what_is_wrong_with_a_line_is_told() {
        for (text, part) in [
            ("{", "expected an object with time and count, or time and payload: EOF"),
            (r#"{"count":3}"#, "missing field `time`"),
            (r#"{"time":1,"count":-3}"#, "at column 20"),
            (r#"{"time":1}"#, "there is neither"),
            (r#"{"time":1,"count":1,"payload":2}"#, "there are both"),
            (r#"{"time":"soon","count":1}"#, "found \"soon\""),
            (r#"{"time":1,"payload":1,"key":""}"#, "the partition key is empty"),
            (r#"{"time":1,"payload_base64":"?"}"#, "expected base64"),
        ] {
            let error = line(text.as_bytes()).expect_err(text);
            assert!(error.contains(part), "{error}");
        }
    }
}
