//! Answers that nobody should give: whatever an endpoint says, no record is counted twice, not at all, or as more
//! certain than it is.

use crate::support::{Counts, Endpoint, Finished, Program, Reply};

/// What must become of three records.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Sent,
    Failed,
    Unknown,
    /// Two are sent, one is failed.
    OneFailed,
}

/// Three records against one answer, without a retry.
fn once(reply: Reply) -> (Finished, Counts, Endpoint) {
    let endpoint = Endpoint::open(vec![], vec![reply]);
    let flags = ["--jobs=1", "--messages=3", "--max-records=3", "--retry=none"];
    let finished = Program::against(&endpoint, &flags).finish();
    let counts = finished.counts();
    (finished, counts, endpoint)
}

/// Tries every case at the same time: each waits for its next full second.
fn at_once<T: Send>(cases: impl IntoIterator<Item = T>, try_one: impl Fn(T) + Sync) {
    std::thread::scope(|scope| {
        for case in cases {
            scope.spawn(|| try_one(case));
        }
    });
}

fn raw(stored: bool, status: u16, body: &str) -> Reply {
    Reply::Raw {
        stored,
        status,
        headers: "content-type: application/x-amz-json-1.1\r\n",
        body: body.to_owned(),
    }
}

/// An answer with these three entries and this number of failures.
fn answer(failed: &str, entries: [&str; 3]) -> String {
    format!("{{\"FailedRecordCount\":{failed},\"Records\":[{}]}}", entries.join(","))
}

const OK: &str = r#"{"SequenceNumber":"49","ShardId":"shardId-000000000000"}"#;
const NO: &str = r#"{"ErrorCode":"InternalFailure","ErrorMessage":"Internal service failure."}"#;

#[test]
fn each_entry_of_a_200_is_believed_as_far_as_it_says_something() {
    let all = |entry: &str| answer("0", [entry; 3]);
    at_once(
        [
            // The entries decide, whatever the count of failures says.
            (Fate::Sent, answer("3", [OK; 3])),
            (Fate::OneFailed, answer("0", [OK, NO, OK])),
            (Fate::Sent, answer("null", [OK; 3])),
            (Fate::Unknown, answer("-1", [OK; 3])),
            (Fate::Unknown, answer("\"0\"", [OK; 3])),
            // No error is no error, in whatever words.
            (
                Fate::Sent,
                all(
                    r#"{"SequenceNumber":"49","ShardId":"shardId-000000000000","ErrorCode":null,"ErrorMessage":null}"#,
                ),
            ),
            (Fate::Sent, all(r#"{"SequenceNumber":"49","ShardId":"elsewhere","ErrorCode":""}"#)),
            (
                Fate::Failed,
                all(r#"{"SequenceNumber":null,"ErrorCode":"KMSThrottlingException","ErrorMessage":null}"#),
            ),
            (Fate::Failed, all(r#"{"SequenceNumber":"","ErrorCode":"NewFailure"}"#)),
            // An entry without a sequence number is not sent.
            (Fate::Unknown, all("{}")),
            (Fate::Unknown, all("null")),
            (Fate::Unknown, all(r#"{"ShardId":"shardId-000000000000"}"#)),
            (Fate::Unknown, all(r#"{"SequenceNumber":"","ShardId":"shardId-000000000000"}"#)),
            (Fate::Unknown, all(r#"{"SequenceNumber":null,"ErrorCode":""}"#)),
            (Fate::Unknown, all(r#"{"SequenceNumber":49,"ShardId":"shardId-000000000000"}"#)),
            // One that has both says two things: neither is certain.
            (Fate::Unknown, all(r#"{"SequenceNumber":"49","ErrorCode":"InternalFailure"}"#)),
            (Fate::Unknown, answer("1", [OK, OK, r#"{"SequenceNumber":"49","SequenceNumber":"50"}"#])),
            // Nor is a whole answer that does.
            (Fate::Unknown, format!("{{\"Records\":[{OK},{OK},{OK}],\"Records\":[{NO},{NO},{NO}]}}")),
            (Fate::Unknown, r#"{"__type":"InternalFailure","message":"a 200 with an error"}"#.to_owned()),
            (Fate::Unknown, answer("0", [OK; 3]) + "}"),
            (Fate::Unknown, "[".repeat(100_000)),
            (Fate::Unknown, "\u{0}".to_owned()),
            (Fate::Unknown, String::new()),
        ],
        |(fate, body)| {
            let (finished, counts, _) = once(raw(true, 200, &body));
            check(fate, &counts, &finished, &body);
        },
    );
}

#[test]
fn an_answer_that_is_no_200_is_certain_only_where_its_status_or_code_is() {
    let code = |code: &str| format!("{{\"__type\":\"{code}\",\"message\":\"m\"}}");
    at_once(
        [
            (Fate::Unknown, 204, String::new()),
            // A redirect may come before or after the deed.
            (Fate::Unknown, 302, String::new()),
            (Fate::Unknown, 303, "<html>".to_owned()),
            (Fate::Failed, 400, String::new()),
            (Fate::Failed, 404, "<html>not here</html>".to_owned()),
            (Fate::Failed, 413, "too large".to_owned()),
            (Fate::Failed, 429, String::new()),
            (
                Fate::Failed,
                400,
                code("com.amazonaws.kinesis.v20131202#ProvisionedThroughputExceededException"),
            ),
            (Fate::Failed, 400, code("KMSThrottlingException")),
            (Fate::Failed, 503, code("ThrottlingException")),
            (Fate::Failed, 400, code("")),
            // A failure inside is no refusal, whatever status it is given.
            (Fate::Unknown, 400, code("InternalFailure")),
            (Fate::Unknown, 400, code("InternalFailureException")),
            (Fate::Unknown, 400, code("ServiceUnavailable")),
            (Fate::Unknown, 400, code("RequestTimeout")),
            (Fate::Unknown, 500, String::new()),
            (Fate::Unknown, 502, "<html>".to_owned()),
            (Fate::Unknown, 504, "upstream timed out".to_owned()),
            (Fate::Unknown, 599, answer("0", [OK; 3])),
        ],
        |(fate, status, body)| {
            let (finished, counts, _) = once(raw(matches!(fate, Fate::Unknown), status, &body));
            check(fate, &counts, &finished, &format!("{status} {body}"));
            let throttled = status == 429 || body.contains("Throttling") || body.contains("Throughput");
            assert_eq!(counts["throttled"], if throttled { 3 } else { 0 }, "{status} {body}");
        },
    );
}

fn check(fate: Fate, counts: &Counts, finished: &Finished, what: &str) {
    let what = &what[..what.len().min(200)];
    let expected = match fate {
        Fate::Sent => (3, 0, 0, 0),
        Fate::Failed => (0, 3, 0, 1),
        Fate::Unknown => (0, 0, 3, 1),
        Fate::OneFailed => (2, 1, 0, 1),
    };
    let got = (counts["sent"], counts["failed"], counts["unknown"], finished.code);
    assert_eq!(got, expected, "{what}\n{}", finished.stderr);
}

#[test]
fn a_count_of_failures_that_the_entries_do_not_bear_out_is_told() {
    for (body, told) in
        [(answer("3", [OK; 3]), true), (answer("0", [OK, NO, OK]), true), (answer("1", [OK, NO, OK]), false)]
    {
        let (finished, ..) = once(raw(true, 200, &body));
        assert_eq!(finished.stderr.contains("FailedRecordCount"), told, "{body}: {}", finished.stderr);
    }
}

#[test]
fn an_answer_without_an_end_is_cut_off_long_before_memory_is_full() {
    let (finished, counts, endpoint) = once(Reply::Endless);
    check(Fate::Unknown, &counts, &finished, "endless");
    assert_eq!(endpoint.stored().len(), 3);
    // Not by the timeout of ten seconds, in which a network brings gigabytes.
    assert!(finished.stderr.contains("bad_answer"), "{}", finished.stderr);
}

#[test]
fn what_an_endpoint_says_is_shown_in_one_line_without_the_headers_that_it_repeats() {
    // As AWS does when a signature is wrong: the whole request as it came in, with the session's token.
    let message = "The request signature we calculated does not match the signature you provided.\\n\\nThe Canonical \
                   String for this request should have been\\n'POST\\n/\\n\\ncontent-type:application/x-amz-json-1.1\\n\
                   x-amz-security-token:a-secret-that-must-not-be-seen\\n'\\u001b[2J";
    let body = format!("{{\"__type\":\"InvalidSignatureException\",\"message\":\"{message}\"}}");
    let (finished, counts, _) = once(raw(false, 403, &body));
    assert_eq!(counts["failed"], 3);
    assert!(finished.stderr.contains("does not match the signature"), "{}", finished.stderr);
    assert!(
        !finished.stderr.contains("\\u001b") && !finished.stderr.contains('\u{1b}'),
        "{}",
        finished.stderr
    );

    let described = crate::support::Describe::Raw(403, body);
    let endpoint = Endpoint::open(vec![described], vec![]);
    let finished = Program::against(&endpoint, &[]).env("STREAMER_LOG_FORMAT", "text").finish();
    assert_eq!(finished.code, 80);
    assert_eq!(finished.stderr.lines().filter(|line| line.contains("does not match")).count(), 1);
    assert!(!finished.stderr.contains('\u{1b}'), "{}", finished.stderr);
}
