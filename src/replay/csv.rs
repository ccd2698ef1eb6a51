//! Lines of comma-separated values: which column is what, and what stands in it.

use std::borrow::Cow;

use super::error::shown;
use super::line::{Line, Load, MOST_RECORDS, Recorded, from_base64, key};
use super::moment::Moment;

/// What a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Time,
    Count,
    Payload,
    Base64,
    Key,
}

/// The columns in their order.
pub(super) type Columns = Vec<Column>;

/// The columns by the first line of a trace, and whether that is a heading.
///
/// # Errors
/// Why it is neither a heading nor a line.
pub(super) fn columns(first: &[u8]) -> Result<(Columns, bool), String> {
    let fields = fields(first)?;
    if Moment::read(&fields[0]).is_ok() {
        let is_count = |field: &[u8]| !field.is_empty() && field.iter().all(u8::is_ascii_digit);
        return match &fields[1..] {
            [second] if is_count(second.trim_ascii()) => Ok((vec![Column::Time, Column::Count], false)),
            [_] => Ok((vec![Column::Time, Column::Payload], false)),
            [_, _] => Ok((vec![Column::Time, Column::Payload, Column::Key], false)),
            others => Err(format!(
                "expected time,count or time,payload or time,payload,key, and found {} columns",
                others.len() + 1
            )),
        };
    }
    let columns: Columns = fields.iter().map(|name| column(name)).collect::<Result<_, _>>()?;
    let count = |column| columns.iter().filter(|&&one| one == column).count();
    let loads = count(Column::Count) + count(Column::Payload) + count(Column::Base64);
    let keys = count(Column::Key);
    if count(Column::Time) != 1 || loads != 1 || keys > 1 || (keys == 1 && count(Column::Count) == 1) {
        return Err(format!(
            "expected a heading such as time,count or time,payload,key or time,payload_base64, and found {}",
            shown(first)
        ));
    }
    Ok((columns, true))
}

fn column(name: &[u8]) -> Result<Column, String> {
    let plain = String::from_utf8_lossy(name.trim_ascii()).to_ascii_lowercase();
    match plain.trim_start_matches('\u{feff}') {
        "time" | "timestamp" | "ts" => Ok(Column::Time),
        "count" | "records" => Ok(Column::Count),
        "payload" | "data" => Ok(Column::Payload),
        "payload_base64" | "data_base64" => Ok(Column::Base64),
        "key" | "partition_key" => Ok(Column::Key),
        _ => Err(format!(
            "expected a time, or a heading with the columns time, count, payload, payload_base64 and key, and found {}",
            shown(name)
        )),
    }
}

/// Reads a line.
///
/// # Errors
/// What was expected, and what stands there.
pub(super) fn line(columns: &Columns, text: &[u8]) -> Result<Line, String> {
    let fields = fields(text)?;
    if fields.len() != columns.len() {
        return Err(format!("expected {} columns and found {}", columns.len(), fields.len()));
    }
    let (mut at, mut load, mut own_key) = (None, None, None);
    for (column, field) in columns.iter().zip(&fields) {
        match column {
            Column::Time => at = Some(Moment::read(field)?),
            Column::Count => load = Some(Load::Count(count(field.trim_ascii())?)),
            Column::Payload => load = Some(record(field.as_ref().into())),
            Column::Base64 => load = Some(record(from_base64(field.trim_ascii())?)),
            // An empty one is none: the strategy gives it.
            Column::Key if field.is_empty() => {}
            Column::Key => {
                let text =
                    std::str::from_utf8(field).map_err(|_| "the partition key is no UTF-8".to_owned())?;
                own_key = Some(key(text)?);
            }
        }
    }
    if let Some(Load::Record(record)) = &mut load {
        record.key = own_key;
    }
    match (at, load) {
        (Some(at), Some(load)) => Ok(Line { at, load }),
        _ => Err("a column is missing".to_owned()), // the heading has one of each
    }
}

fn record(data: Box<[u8]>) -> Load {
    Load::Record(Recorded { data, key: None })
}

fn count(text: &[u8]) -> Result<u64, String> {
    let number = std::str::from_utf8(text).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    number.and_then(|text| text.parse().ok()).filter(|&count| count <= MOST_RECORDS).ok_or_else(|| {
        format!(
            "expected a count, which is a whole number from 0 to {MOST_RECORDS}, and found {}",
            shown(text)
        )
    })
}

/// The fields of a line, without their quotes; at least one.
fn fields(line: &[u8]) -> Result<Vec<Cow<'_, [u8]>>, String> {
    let (mut fields, mut rest) = (Vec::new(), line);
    loop {
        let after = match rest.strip_prefix(b"\"") {
            None => {
                let end = rest.iter().position(|&byte| byte == b',').unwrap_or(rest.len());
                fields.push(Cow::Borrowed(&rest[..end]));
                &rest[end..]
            }
            Some(inside) => {
                let (field, after) = quoted(inside)?;
                fields.push(field);
                after
            }
        };
        match after {
            [] => return Ok(fields),
            [b',', next @ ..] => rest = next,
            other => {
                return Err(format!("expected a comma behind a closing quote and found {}", shown(other)));
            }
        }
    }
}

/// A quoted field from behind its first quote, and what follows its last.
fn quoted(inside: &[u8]) -> Result<(Cow<'_, [u8]>, &[u8]), String> {
    let mut owned = Vec::new();
    let mut rest = inside;
    loop {
        let Some(end) = rest.iter().position(|&byte| byte == b'"') else {
            return Err("a quoted field does not end on its line: write one record a line".to_owned());
        };
        if rest.get(end + 1) != Some(&b'"') {
            let field = if owned.is_empty() {
                Cow::Borrowed(&rest[..end])
            } else {
                owned.extend_from_slice(&rest[..end]);
                Cow::Owned(owned)
            };
            return Ok((field, &rest[end + 1..]));
        }
        owned.extend_from_slice(&rest[..=end]);
        rest = &rest[end + 2..];
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        // Whatever stands in a payload and a key is read as it was, when it is quoted as RFC 4180 says.
        #[test]
        fn quoted_fields_are_read_as_they_were(payload in "[^\n]{0,20}", own in "[^\n]{1,20}") {
            let quote = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
            let text = format!("1.5,{},{}", quote(&payload), quote(&own));
            let line = line(&vec![Column::Time, Column::Payload, Column::Key], text.as_bytes()).expect("a line");
            let recorded = Recorded { data: payload.as_bytes().into(), key: Some(own.into()) };
            prop_assert_eq!(line.load, Load::Record(recorded));
        }

        // No bytes make it panic.
        #[test]
        fn any_bytes_are_a_line_or_an_error(text in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = columns(&text);
            let _ = line(&vec![Column::Time, Column::Count], &text);
        }
    }

    #[test]
    fn the_first_line_says_what_the_columns_are() {
        use Column::{Base64, Count, Key, Payload, Time};
        for (first, expected, heading) in [
            ("0,5", vec![Time, Count], false),
            ("0,five", vec![Time, Payload], false),
            ("2026-11-21T12:00:00Z,{},k", vec![Time, Payload, Key], false),
            ("count,time", vec![Count, Time], true),
            ("Timestamp , PAYLOAD_BASE64", vec![Time, Base64], true),
            ("key,ts,data", vec![Key, Time, Payload], true),
        ] {
            assert_eq!(columns(first.as_bytes()), Ok((expected, heading)), "{first}");
        }
        for first in [
            "",
            "0",
            "0,1,2,3",
            "time",
            "time,count,key",
            "time,count,payload",
            "when,count",
            "time,time,count",
        ] {
            assert!(columns(first.as_bytes()).is_err(), "{first}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_line_is_told() {
        let columns = vec![Column::Time, Column::Count];
        for (text, part) in [
            ("0", "expected 2 columns and found 1"),
            ("0,x", "expected a count, which is a whole number from 0 to 1000000000000, and found \"x\""),
            ("0,-1", "found \"-1\""),
            ("x,1", "expected a time"),
            ("0,\"1", "does not end on its line"),
            ("0,\"1\"2", "expected a comma behind a closing quote and found \"2\""),
        ] {
            let error = line(&columns, text.as_bytes()).expect_err(text);
            assert!(error.contains(part), "{error}");
        }
        let keyed = vec![Column::Time, Column::Payload, Column::Key];
        assert!(line(&keyed, format!("0,x,{}", "k".repeat(257)).as_bytes()).is_err());
        assert!(matches!(
            line(&keyed, b"0,x,"),
            Ok(Line { load: Load::Record(Recorded { key: None, .. }), .. })
        ));
    }
}
