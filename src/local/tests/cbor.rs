//! The embedded stream in CBOR: it says and does what it does in JSON, with bytes as bytes and times in milliseconds.

use ciborium::Value as Cbor;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::kinesis::Wire;
use crate::local::error::ErrorKind;

/// A request as the SDK for Java writes it, but for the lengths that it does not tell.
fn written(input: &Value) -> Vec<u8> {
    fn cbor(name: &str, value: &Value) -> Cbor {
        match value {
            Value::Object(all) => {
                Cbor::Map(all.iter().map(|(name, one)| (name.as_str().into(), cbor(name, one))).collect())
            }
            Value::Array(all) => Cbor::Array(all.iter().map(|one| cbor("", one)).collect()),
            // A tag of that name is no base64 here.
            Value::String(text) if name == "Data" => match base64_simd::STANDARD.decode_to_vec(text) {
                Ok(bytes) => Cbor::Bytes(bytes),
                Err(_) => text.as_str().into(),
            },
            Value::Number(seconds) if name.ends_with("Timestamp") => {
                let millis = (seconds.as_f64().expect("a number") * 1_000.0).round() as u64;
                Cbor::Tag(1, Box::new(millis.into()))
            }
            other => Cbor::serialized(other).expect("a plain value"),
        }
    }
    let mut bytes = Vec::new();
    ciborium::into_writer(&cbor("", input), &mut bytes).expect("written");
    bytes
}

/// An answer as the same answer in JSON.
fn read(answer: &[u8]) -> Value {
    fn json(value: Cbor) -> Value {
        match value {
            Cbor::Bytes(bytes) => base64_simd::STANDARD.encode_to_string(bytes).into(),
            Cbor::Tag(1, millis) => {
                let millis: u64 =
                    millis.into_integer().ok().and_then(|n| n.try_into().ok()).expect("a count");
                (millis as f64 / 1_000.0).into()
            }
            Cbor::Array(all) => all.into_iter().map(json).collect(),
            Cbor::Map(all) => {
                all.into_iter().map(|(name, one)| (name.into_text().expect("a name"), json(one))).collect()
            }
            other => other.deserialized().expect("a plain value"),
        }
    }
    match answer {
        [] => Value::Null,
        answer => json(ciborium::from_reader(answer).expect("CBOR")),
    }
}

/// Two streams in the same state, of which the one is spoken to in JSON and the other in CBOR.
struct Twins(Local, Local);

impl Twins {
    fn new() -> Self {
        Self(Local::new(options(2)), Local::new(options(2)))
    }

    fn call(&self, operation: &str, input: &Value) -> Result<Value, ApiError> {
        let by_json = self.0.call(operation, input);
        let by_cbor = self.1.api.call_by(Wire::Cbor, operation, &written(input)).map(|answer| read(&answer));
        assert_eq!(by_json, by_cbor, "{operation} {input}");
        by_json
    }
}

#[test]
fn every_operation_says_the_same_in_either_wire() {
    let twins = Twins::new();
    let later =
        |twins: &Twins| [&twins.0, &twins.1].map(|one| one.clock.advance(Duration::from_millis(1_234)));
    let good = |operation: &str, input: Value| twins.call(operation, &input).expect("a legal call");
    good("CreateStream", json!({ "StreamName": "new", "ShardCount": 1, "Tags": { "Data": "x", "a": "b" } }));
    later(&twins);
    good("ListStreams", json!({}));
    good("ListTagsForStream", json!({ "StreamName": "new" }));
    good("DescribeLimits", json!({}));
    for operation in ["DescribeStream", "DescribeStreamSummary", "ListShards"] {
        good(operation, json!({ "StreamName": "s" }));
    }
    let put = good("PutRecords", put_records(20));
    assert_eq!(put["FailedRecordCount"], 0);
    later(&twins);
    let record =
        json!({ "StreamName": "s", "Data": "AP8iCg==", "PartitionKey": "é\n\"", "ExplicitHashKey": "7" });
    good("PutRecord", record);
    let start = START.as_secs_f64() + 1.0;
    for kind in [
        json!({ "ShardIteratorType": "TRIM_HORIZON" }),
        json!({ "ShardIteratorType": "AT_TIMESTAMP", "Timestamp": start }),
    ] {
        let mut input = json!({ "StreamName": "s", "ShardId": "shardId-000000000000" });
        input.as_object_mut().expect("an object").extend(kind.as_object().expect("an object").clone());
        let iterator = good("GetShardIterator", input)["ShardIterator"].clone();
        let page = good("GetRecords", json!({ "ShardIterator": iterator }));
        assert!(list(&page["Records"]).iter().any(|record| record["PartitionKey"] == "é\n\""));
    }
    let filter = json!({ "Type": "AT_TIMESTAMP", "Timestamp": start });
    good("ListShards", json!({ "StreamName": "s", "ShardFilter": filter }));
    good(
        "UpdateShardCount",
        json!({ "StreamName": "s", "TargetShardCount": 4, "ScalingType": "UNIFORM_SCALING" }),
    );
    good("DeleteStream", json!({ "StreamName": "new" }));
    for (operation, input) in [
        ("DescribeStream", json!({ "StreamName": "nobody" })),
        ("GetRecords", json!({})),
        ("Nothing", json!({})),
        ("PutRecords", json!({ "StreamName": "s", "Records": [] })),
    ] {
        twins.call(operation, &input).expect_err("an illegal call");
    }
}

#[test]
fn what_is_stored_in_cbor_is_the_very_bytes() {
    let local = Local::new(options(1));
    let every: Vec<u8> = (0..=255).collect();
    // As the SDK for Java writes it: without lengths.
    let body = [
        &b"\xbf\x67Records\x9f\xbf\x64Data\x59\x01\x00"[..],
        &every,
        b"\x6cPartitionKey\x61k\xff\xff\x6aStreamName\x61s\xff",
    ];
    let answer = local.api.call_by(Wire::Cbor, "PutRecords", &body.concat()).expect("a legal call");
    assert_eq!(read(&answer)["FailedRecordCount"], 0);
    let iterator = json!({ "ShardIterator": local.iterator(0, "TRIM_HORIZON") });
    let answer = local.api.call_by(Wire::Cbor, "GetRecords", &written(&iterator)).expect("a legal call");
    let stored = [&b"\x64Data\x59\x01\x00"[..], &every].concat();
    assert!(answer.windows(stored.len()).any(|bytes| bytes == stored), "{answer:x?}");
    let time =
        [&b"ApproximateArrivalTimestamp\xc1\x1b"[..], &(START.as_millis() as u64).to_be_bytes()].concat();
    assert!(answer.windows(time.len()).any(|bytes| bytes == time), "{answer:x?}");
}

#[test]
fn what_is_no_request_in_cbor_is_a_serialization_error() {
    let local = Local::new(options(1));
    let control = [&b"\xa1\x6aStreamName\x7a\x00\xe0\x00\x00"[..], &vec![1; 0xe0_0000]].concat();
    for body in [
        &b"{\"StreamName\":\"s\"}"[..],
        b"\xa1\x6aStreamName",
        b"\xa1\x6aStreamName\x61s\x00",
        b"\xa1\x6aStreamName\x41s",
        b"\xa1\x01\x61s",
        b"\xa1\x65Limit\xf9\x7e\x00",
        b"\x80",
        b"\xff",
        &[0x81; 1_000],
        // Each of its 14 MB would be six in JSON.
        &control,
    ] {
        let told = local.api.call_by(Wire::Cbor, "DescribeStream", body).expect_err("no request");
        let kind = told.kind;
        // Bytes for a name are base64 of one, which no stream has.
        assert!(
            matches!(kind, ErrorKind::Serialization | ErrorKind::ResourceNotFound | ErrorKind::Validation),
            "{told}"
        );
        assert!(told.message.len() < 500, "{told}");
    }
    assert!(local.api.call_by(Wire::Cbor, "DescribeLimits", b"").is_ok());
}

proptest! {
    // Law: any bytes are answered in CBOR or refused, without a panic.
    #[test]
    fn any_bytes_are_answered_or_refused(
        body in vec(prop_oneof![any::<u8>(), 0x40_u8..0xc0, Just(0xff_u8), Just(0xc1)], 0..60),
        name in "PutRecords|PutRecord|ListShards|CreateStream",
    ) {
        let local = Local::new(options(1));
        if let Ok(answer) = local.api.call_by(Wire::Cbor, &name, &body) {
            read(&answer);
        }
    }
}

#[tokio::test]
async fn a_client_that_asks_in_cbor_is_answered_in_cbor_and_one_that_asks_in_json_in_json() {
    let server = Running::start(options(1)).await;
    let mut client = server.client().await;
    let mut ask = async |operation: &str, input: &Value| {
        let body = written(input);
        let head = request(operation, "").replace("x-amz-json", "x-amz-cbor");
        let head = head.replace("content-length: 0", &format!("content-length: {}", body.len()));
        client.stream.write_all(&[head.as_bytes(), &body].concat()).await.expect("an open connection");
        let (status, head, body) = client.answer().await.expect("an answer");
        assert!(head.contains("content-type: application/x-amz-cbor-1.1\r\n"), "{head}");
        (status, read(&body))
    };
    let (status, answer) = ask("PutRecords", &put_records(3)).await;
    assert_eq!((status, list(&answer["Records"]).len()), (200, 3));
    let (status, answer) = ask("DescribeStream", &json!({ "StreamName": "nobody" })).await;
    assert_eq!((status, text(&answer["__type"])), (400, "ResourceNotFoundException".to_owned()));
    let (status, answer) = client.call("DescribeStreamSummary", &json!({ "StreamName": "s" })).await;
    assert_eq!((status, &answer["StreamDescriptionSummary"]["StreamName"]), (200, &json!("s")));
    assert_eq!(server.store.stream("s").expect("there").totals().accepted_records, 3);
}
