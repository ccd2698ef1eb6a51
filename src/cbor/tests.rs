//! Held against a reader and writer of others (`ciborium`), and against the examples of the RFC.

use ciborium::Value;
use proptest::collection::vec;
use proptest::prelude::*;
use serde::de::IgnoredAny;

use super::*;

/// What our reader finds, as a value of the others'.
fn value(reader: &mut Reader<'_>) -> Result<Value, CborError> {
    let many = |left: Option<u64>, reader: &mut Reader<'_>| {
        let (mut left, mut all) = (Left(left), Vec::new());
        while left.more(reader)? {
            all.push(value(reader)?);
        }
        Ok::<_, CborError>(all)
    };
    Ok(match reader.item()? {
        Item::Unsigned(number) => Value::from(number),
        Item::Negative(number) => Value::Integer((-1 - i128::from(number)).try_into().expect("65 bits")),
        Item::Bytes(bytes) => Value::Bytes(bytes.into_owned()),
        Item::Text(text) => Value::Text(text.into_owned()),
        Item::Array(left) => Value::Array(many(left, reader)?),
        Item::Map(left) => {
            let (mut left, mut all) = (Left(left), Vec::new());
            while left.more(reader)? {
                all.push((value(reader)?, value(reader)?));
            }
            Value::Map(all)
        }
        Item::Tag(tag) => Value::Tag(tag, Box::new(value(reader)?)),
        Item::Float(number) => Value::Float(number),
        Item::Bool(value) => Value::Bool(value),
        Item::Null => Value::Null,
        Item::Break => return Err(CborError::Malformed("a break", 0)),
    })
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        vec(any::<u8>(), 0..300).prop_map(Value::Bytes),
        "\\PC{0,40}".prop_map(Value::Text),
        any::<f64>().prop_filter("equal to itself", |number| !number.is_nan()).prop_map(Value::Float),
        any::<bool>().prop_map(Value::Bool),
        Just(Value::Null),
    ];
    leaf.prop_recursive(5, 60, 8, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..8).prop_map(Value::Array),
            vec((inner.clone(), inner.clone()), 0..8).prop_map(Value::Map),
            // Tags 2 and 3 are numbers to the others.
            (4_u64.., inner).prop_map(|(tag, inner)| Value::Tag(tag, Box::new(inner))),
        ]
    })
}

proptest! {
    // Law: what others write, we read as they meant it, to the last byte.
    #[test]
    fn what_others_write_is_read(wanted in any_value()) {
        let mut bytes = Vec::new();
        ciborium::into_writer(&wanted, &mut bytes).expect("written");
        let mut reader = Reader::new(&bytes);
        prop_assert_eq!(value(&mut reader), Ok(wanted));
        prop_assert_eq!(reader.left(), 0);
        let mut skipping = Reader::new(&bytes);
        prop_assert_eq!(skipping.skip(), Ok(()));
        prop_assert_eq!(skipping.left(), 0);
        prop_assert!(from_slice::<IgnoredAny>(&bytes).is_ok());
        // And a piece of it is never taken for the whole.
        for end in 0..bytes.len() {
            prop_assert!(from_slice::<IgnoredAny>(&bytes[..end]).is_err());
        }
    }

    // Law: any bytes are read to an end without a panic; what both take, both read alike.
    #[test]
    fn any_bytes_are_read_or_refused(
        bytes in vec(prop_oneof![any::<u8>(), 0x40_u8..0xc0, Just(0xff_u8), Just(0x9f), Just(0x5f)], 0..80),
    ) {
        let mut reader = Reader::new(&bytes);
        let (ours, theirs) = (value(&mut reader), ciborium::from_reader::<Value, _>(&bytes[..]));
        if let (Ok(ours), Ok(theirs)) = (ours, theirs) && !format!("{theirs:?}").contains("NaN") {
            let big = |value: &Value| format!("{value:?}").contains("Tag(2,") || format!("{value:?}").contains("Tag(3,");
            prop_assert!(big(&ours) || ours == theirs, "{:?} {:?}", ours, theirs);
        }
        prop_assert_eq!(Reader::new(&bytes).skip().is_ok(), value(&mut Reader::new(&bytes)).is_ok());
        let _ = from_slice::<serde_json::Value>(&bytes);
    }

    // Law: a head is as short as the others write it, and read back as it was meant.
    #[test]
    fn a_head_is_written_in_its_shortest_form(number: u64, shift in 0_u32..64) {
        let number = number >> shift;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        push_head(&mut ours, Major::Unsigned, number);
        ciborium::into_writer(&number, &mut theirs).expect("written");
        prop_assert_eq!(&ours, &theirs);
        prop_assert_eq!(ours.len(), head_length(number));
        prop_assert_eq!(Reader::new(&ours).item(), Ok(Item::Unsigned(number)));
    }
}

/// RFC 8949, appendix A: encoded, and what it is as JSON.
#[test]
fn the_examples_of_the_rfc_are_read() {
    for (bytes, json) in [
        (&b"\x1b\xff\xff\xff\xff\xff\xff\xff\xff"[..], "18446744073709551615"),
        (b"\x20", "-1"),
        (b"\x39\x03\xe7", "-1000"),
        (b"\xf9\x3c\x00", "1.0"),
        (b"\xf9\x3e\x00", "1.5"),
        (b"\xf9\x7b\xff", "65504.0"),
        (b"\xf9\x04\x00", "0.00006103515625"),
        (b"\xf9\xc4\x00", "-4.0"),
        (b"\xfa\x47\xc3\x50\x00", "100000.0"),
        (b"\xfb\x3f\xf1\x99\x99\x99\x99\x99\x9a", "1.1"),
        (b"\xf4", "false"),
        (b"\xf6", "null"),
        (b"\xf7", "null"),
        (b"\x62\x22\x5c", r#""\"\\""#),
        (b"\x7f\x65strea\x64ming\xff", r#""streaming""#),
        (b"\x9f\x01\x82\x02\x03\x9f\x04\x05\xff\xff", "[1,[2,3],[4,5]]"),
        (b"\xbf\x61a\x01\x61b\x9f\x02\x03\xff\xff", r#"{"a":1,"b":[2,3]}"#),
        (b"\xc1\x1a\x51\x4b\x67\xb0", "1363896240"),
    ] {
        let wanted: serde_json::Value = serde_json::from_str(json).expect("JSON");
        assert_eq!(from_slice::<serde_json::Value>(bytes), Ok(wanted), "{bytes:x?}");
    }
    let float = |bytes: &[u8]| match Reader::new(bytes).item() {
        Ok(Item::Float(number)) => number,
        other => panic!("{other:?}"),
    };
    assert_eq!(float(b"\xf9\x00\x01"), 2_f64.powi(-24));
    assert_eq!((float(b"\xf9\x7c\x00"), float(b"\xf9\xfc\x00")), (f64::INFINITY, f64::NEG_INFINITY));
    assert!(float(b"\xf9\x7e\x00").is_nan() && float(b"\xf9\x80\x00").is_sign_negative());
}

#[test]
fn what_is_hostile_costs_nothing_and_is_refused() {
    let deep = |levels: u8, inner: &[u8]| [&vec![0x81; usize::from(levels)][..], inner].concat();
    assert!(from_slice::<serde_json::Value>(&deep(MOST_DEPTH, b"\0")).is_ok());
    for bytes in [deep(MOST_DEPTH + 1, b"\0"), vec![0x9f; 1_000_000], vec![0xbf; 1_000_000]] {
        assert_eq!(
            from_slice::<serde_json::Value>(&bytes).is_err(),
            from_slice::<IgnoredAny>(&bytes).is_err()
        );
        assert_eq!(from_slice::<IgnoredAny>(&bytes).map(drop), Err(CborError::Depth));
    }
    // Tags in tags are gone past one by one.
    assert!(from_slice::<IgnoredAny>(&[&vec![0xc1; 1_000_000][..], b"\0"].concat()).is_ok());
    for bytes in [
        // Lengths of strings, arrays and maps that nobody could hold.
        &b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff\0"[..],
        b"\x7b\x7f\xff\xff\xff\xff\xff\xff\xffa",
        b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff\0",
        b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff\0\0",
        // Reserved heads, lone breaks, odd chunks, half a pair, texts that are none.
        b"\x1c",
        b"\x1f",
        b"\xdf\0",
        b"\xff",
        b"\xf8\x20",
        b"\xe0",
        b"\x82\xff\0",
        b"\xa1\0\xff",
        b"\xbf\0\xff",
        b"\x5f\x61a\xff",
        b"\x5f\x5f\xff\xff",
        b"\x61\xff",
        b"\x7f\x61\xc3\x61\xa9\xff",
        b"\0\0",
        b"",
    ] {
        assert!(from_slice::<serde_json::Value>(bytes).is_err(), "{bytes:x?}");
        assert!(from_slice::<IgnoredAny>(bytes).is_err(), "{bytes:x?}");
    }
}

#[test]
fn a_byte_string_is_no_text_and_a_number_none_either() {
    for bytes in [&b"\x41a"[..], b"\x01", b"\xf6", b"\x80", b"\xf5"] {
        assert!(from_slice::<String>(bytes).is_err(), "{bytes:x?}");
    }
    assert_eq!(from_slice::<Option<String>>(b"\xf7"), Ok(None));
    assert_eq!(from_slice::<Option<String>>(b"\x7f\x61a\xff"), Ok(Some("a".to_owned())));
    assert_eq!(from_slice::<Vec<u8>>(b"\x82\x01\x02"), Ok(vec![1, 2]));
}

#[test]
fn json_is_never_taken_for_cbor_and_no_map_of_cbor_for_json() {
    for text in ["", "{}", " {\"a\":1}", "\n[]", "null", "\"é\"", "<html>"] {
        assert!(!is_cbor(text.as_bytes()), "{text}");
    }
    for bytes in [&b"\xa0"[..], b"\xbf\xff", b"\xb9\x01\x00", b"\xd9\xd9\xf7\xa0"] {
        assert!(is_cbor(bytes) && serde_json::from_slice::<IgnoredAny>(bytes).is_err(), "{bytes:x?}");
    }
}
