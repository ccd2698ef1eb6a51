//! Reads a stream of `kinesis-streamer local` to its end, by plain HTTP and nothing of the program's own.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

/// One call of the API: the status, and the answer's JSON.
pub fn call(endpoint: &str, operation: &str, body: &Value) -> (u16, Value) {
    let address = endpoint.trim_start_matches("http://");
    let mut connection = TcpStream::connect(address).expect("connected");
    let body = body.to_string();
    write!(
        connection,
        "POST / HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/x-amz-json-1.1\r\n\
         x-amz-target: Kinesis_20131202.{operation}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("written");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

/// The data of every record that the stream `name` holds, shard after shard.
pub fn records(endpoint: &str, name: &str) -> Vec<Vec<u8>> {
    let (status, shards) = call(endpoint, "ListShards", &json!({ "StreamName": name }));
    assert_eq!(status, 200, "{shards}");
    let mut all = Vec::new();
    for shard in shards["Shards"].as_array().expect("shards") {
        let from =
            json!({ "StreamName": name, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON" });
        let mut iterator = call(endpoint, "GetShardIterator", &from).1["ShardIterator"].clone();
        while iterator.is_string() {
            let (status, answer) = call(endpoint, "GetRecords", &json!({ "ShardIterator": iterator }));
            if status != 200 {
                // Over the limits of reading, which a moment cures.
                assert_eq!(answer["__type"], "ProvisionedThroughputExceededException", "{answer}");
                continue;
            }
            let records = answer["Records"].as_array().expect("records");
            all.extend(records.iter().map(|record| {
                base64_simd::STANDARD.decode_to_vec(record["Data"].as_str().expect("data")).expect("base64")
            }));
            iterator = match answer["MillisBehindLatest"].as_u64() {
                Some(0) => Value::Null,
                _ => answer["NextShardIterator"].clone(),
            };
        }
    }
    all
}
