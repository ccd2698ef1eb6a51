//! Clients that are slow, silent, many or wrong: each may hurt itself only.

use super::*;
use crate::local::Guards;

/// Deadlines that come soon; a test then waits for the hanging up itself.
fn impatient() -> Guards {
    let soon = Duration::from_millis(30);
    Guards { head: soon, body: soon, idle: soon, ..Guards::default() }
}

#[tokio::test]
async fn a_half_open_request_does_not_keep_others_waiting() {
    let server = Running::start(options(1)).await;
    let mut half = server.client().await;
    half.send("POST / HTTP/1.1\r\nhost: lo").await;
    let mut body = server.client().await;
    body.send("POST / HTTP/1.1\r\nhost: local\r\nx-amz-target: Kinesis_20131202.PutRecords\r\ncontent-length: 999\r\n\r\n{")
        .await;
    let mut good = server.client().await;
    assert_eq!(good.call("PutRecords", &put_records(1)).await.0, 200);
    assert_eq!(server.store.stream("s").expect("there").totals().accepted_records, 1);
}

#[tokio::test]
async fn silent_slow_and_stalled_clients_are_hung_up_on() {
    let server = Running::start(Options { guards: impatient(), ..options(1) }).await;
    let mut silent = server.client().await;
    assert!(silent.answer().await.is_none());
    let mut slow = server.client().await;
    slow.send("POST / HTTP/1.1\r\n").await;
    assert!(slow.answer().await.is_none());
    let mut stalled = server.client().await;
    stalled.send("POST / HTTP/1.1\r\nhost: local\r\nx-amz-target: Kinesis_20131202.PutRecords\r\ncontent-length: 9\r\n\r\n{")
        .await;
    let (status, head, _) = stalled.answer().await.expect("told why");
    assert!(status == 400 && head.contains("connection: close"), "{head}");
    assert!(stalled.answer().await.is_none());
    // One that was idle after a good request is hung up on as well.
    let mut idle = server.client().await;
    assert_eq!(idle.call("DescribeLimits", &json!({})).await.0, 200);
    assert!(idle.answer().await.is_none());
}

#[tokio::test]
async fn a_client_that_never_reads_is_hung_up_on() {
    let guards = Guards { write: Duration::from_millis(30), connections: 1, ..Guards::default() };
    let server = Running::start(Options { guards, limited: false, ..options(1) }).await;
    let mut deaf = server.client().await;
    let data = "A".repeat(1_000_000);
    let record = json!({ "StreamName": "s", "Data": data, "PartitionKey": "k" });
    for _ in 0..8 {
        assert_eq!(deaf.call("PutRecord", &record).await.0, 200);
    }
    let start =
        json!({ "StreamName": "s", "ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON" });
    let (_, iterator) = deaf.call("GetShardIterator", &start).await;
    // Answers of 8 MB each, more than the sockets' buffers take, and nobody reads them.
    for _ in 0..4 {
        deaf.send(&request("GetRecords", &iterator.to_string())).await;
    }
    // The only place is free again once the deaf client is gone.
    let mut next = server.client().await;
    assert_eq!(next.call("DescribeLimits", &json!({})).await.0, 200);
}

#[tokio::test]
async fn connections_over_the_limit_wait_their_turn() {
    let guards = Guards { connections: 2, ..Guards::default() };
    let server = Running::start(Options { guards, ..options(1) }).await;
    let (mut one, mut two, mut three) = (server.client().await, server.client().await, server.client().await);
    assert_eq!(one.call("DescribeLimits", &json!({})).await.0, 200);
    assert_eq!(two.call("DescribeLimits", &json!({})).await.0, 200);
    three.send(&request("DescribeLimits", "{}")).await;
    drop(one);
    assert_eq!(three.answer().await.expect("its turn").0, 200);
}

#[tokio::test]
async fn heads_and_bodies_have_a_most() {
    let server = Running::start(options(1)).await;
    let mut client = server.client().await;
    client.send(&format!("GET / HTTP/1.1\r\nhost: local\r\nx: {}\r\n\r\n", "x".repeat(1_000_000))).await;
    assert_eq!(client.answer().await.map_or(431, |answer| answer.0), 431);
    let mut client = server.client().await;
    client.send(&format!("GET / HTTP/1.1\r\nhost: local\r\n{}\r\n", "x: y\r\n".repeat(500))).await;
    assert_eq!(client.answer().await.map(|answer| answer.0), Some(431));
    let mut client = server.client().await;
    client
        .send("POST / HTTP/1.1\r\nhost: local\r\nx-amz-target: Kinesis_20131202.PutRecords\r\ncontent-length: 99999999\r\n\r\n")
        .await;
    assert_eq!(client.answer().await.map(|answer| answer.0), Some(413));
    // A body without a length is cut off where it becomes too long.
    let mut client = server.client().await;
    client
        .send("POST / HTTP/1.1\r\nhost: local\r\nx-amz-target: Kinesis_20131202.PutRecords\r\ntransfer-encoding: chunked\r\n\r\n")
        .await;
    let chunk = format!("100000\r\n{}\r\n", "x".repeat(0x0010_0000));
    for _ in 0..18 {
        // The server may already have hung up.
        let _ = client.stream.write_all(chunk.as_bytes()).await;
    }
    assert_eq!(client.answer().await.map_or(413, |answer| answer.0), 413);
    assert_eq!(server.store.stream("s").expect("there").totals().accepted_records, 0);
}

#[tokio::test]
async fn what_is_not_kinesis_is_answered_not_obeyed() {
    let server = Running::start(options(1)).await;
    let mut client = server.client().await;
    client.send("GET /healthz HTTP/1.1\r\nhost: local\r\n\r\n").await;
    assert_eq!(client.answer().await.map(|(status, _, body)| (status, body)), Some((200, b"ok\n".to_vec())));
    for head in [
        "GET /x HTTP/1.1",
        "POST / HTTP/1.1",
        "POST / HTTP/1.1\r\nx-amz-target: DynamoDB_20120810.ListTables",
    ] {
        let mut client = server.client().await;
        client.send(&format!("{head}\r\nhost: local\r\ncontent-length: 2\r\n\r\n{{}}")).await;
        let (status, _, body) = client.answer().await.expect("an answer");
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!((status, &body["__type"]), (400, &json!("UnknownOperationException")), "{head}");
    }
}

#[tokio::test]
async fn serving_ends_when_it_is_told_to_even_with_clients_connected() {
    let server = Running::start(options(1)).await;
    let addr = server.addr;
    let mut idle = server.client().await;
    assert_eq!(idle.call("DescribeLimits", &json!({})).await.0, 200);
    server.end().await;
    assert!(idle.answer().await.is_none());
    assert!(TcpStream::connect(addr).await.is_err());
}
