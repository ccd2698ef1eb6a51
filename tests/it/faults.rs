//! For each fault of an endpoint: what the run says is what the endpoint stored.

use crate::support::{Counts, Endpoint, Finished, Program, Reply};

/// Three records of one job against a script. Where it has a silence, that is the one thing waited for: the timeout
/// is short then, and as long as ever elsewhere, so that no slow machine makes a silence of an answer.
fn three_records(replies: Vec<Reply>, more: &[&str]) -> (Finished, Counts, Endpoint) {
    let silent = replies.iter().any(|reply| matches!(reply, Reply::Silence { .. }));
    let endpoint = Endpoint::open(vec![], replies);
    let mut arguments = vec!["--jobs=1", "--messages=3", "--max-records=3"];
    if silent && !more.iter().any(|flag| flag.starts_with("--request-timeout")) {
        arguments.push("--request-timeout=1s");
    }
    arguments.extend(more);
    let finished = Program::against(&endpoint, &arguments).finish();
    let counts = finished.counts();
    (finished, counts, endpoint)
}

/// Entries stored more than once.
fn duplicates(endpoint: &Endpoint) -> u64 {
    let mut seen = std::collections::HashSet::new();
    endpoint.stored().iter().filter(|entry| !seen.insert(entry["Data"].to_string())).count() as u64
}

#[test]
fn only_the_entries_that_failed_go_out_again() {
    let replies = vec![
        Reply::Refuse(2, "ProvisionedThroughputExceededException"),
        Reply::Refuse(1, "InternalFailure"),
        Reply::Store,
    ];
    let (finished, counts, endpoint) = three_records(replies, &[]);
    assert_eq!((counts["sent"], counts["throttled"], endpoint.stored().len()), (3, 2, 3));
    assert_eq!((endpoint.requests(), duplicates(&endpoint), finished.code), (3, 0, 0));
}

#[test]
fn a_throttled_request_is_tried_again_as_a_whole() {
    let replies = vec![Reply::Error(400, "ProvisionedThroughputExceededException"), Reply::Store];
    let (finished, counts, endpoint) = three_records(replies, &[]);
    assert_eq!((counts["sent"], counts["throttled"]), (3, 3));
    assert_eq!((endpoint.stored().len(), endpoint.requests(), finished.code), (3, 2, 0));
}

#[test]
fn without_retries_each_answer_is_final() {
    let replies = vec![Reply::Refuse(2, "ProvisionedThroughputExceededException")];
    let (finished, counts, endpoint) = three_records(replies, &["--retry=none"]);
    assert_eq!((counts["sent"], counts["failed"], counts["unknown"]), (1, 2, 0));
    assert_eq!((endpoint.stored().len(), endpoint.requests(), finished.code), (1, 1, 1));
}

#[test]
fn an_answer_with_a_wrong_number_of_entries_leaves_the_batch_unknown() {
    for off in [-1, 1] {
        let (finished, counts, endpoint) = three_records(vec![Reply::WrongCount(off)], &[]);
        assert_eq!((counts["sent"], counts["unknown"], endpoint.requests()), (0, 3, 1));
        assert_eq!(finished.code, 1);
        assert!(finished.stderr.contains("wrong number of entries"), "{}", finished.stderr);
    }
}

#[test]
fn a_lost_answer_is_resolved_by_a_retry_and_told_as_perhaps_twice() {
    let lost = [
        Reply::HangUp { stored: true },
        Reply::HalfAnAnswer,
        Reply::StoreThenError(500, "InternalFailureException"),
        Reply::StoreThenError(503, "ServiceUnavailable"),
        Reply::Garbage,
        Reply::Silence { stored: true },
    ];
    for reply in lost {
        let (finished, counts, endpoint) = three_records(vec![reply.clone()], &[]);
        assert_eq!((counts["sent"], counts["unknown"], counts["perhaps_twice"]), (3, 0, 3), "{reply:?}");
        assert_eq!((duplicates(&endpoint), finished.code), (3, 0), "{reply:?}");
    }
}

#[test]
fn a_lost_answer_without_a_retry_leaves_the_records_unknown_stored_or_not() {
    for stored in [true, false] {
        for reply in [Reply::HangUp { stored }, Reply::Silence { stored }] {
            let (finished, counts, endpoint) = three_records(vec![reply.clone()], &["--retry=none"]);
            assert_eq!((counts["sent"], counts["unknown"], counts["failed"]), (0, 3, 0), "{reply:?}");
            assert_eq!(
                (endpoint.stored().len(), finished.code),
                (if stored { 3 } else { 0 }, 1),
                "{reply:?}"
            );
        }
    }
}

#[test]
fn what_is_refused_for_good_fails_at_once_and_stores_nothing() {
    for code in [
        "AccessDeniedException",
        "ResourceNotFoundException",
        "InvalidArgumentException",
        "KMSDisabledException",
    ] {
        let (finished, counts, endpoint) = three_records(vec![Reply::Error(400, code)], &[]);
        assert_eq!((counts["failed"], endpoint.requests(), endpoint.stored().len()), (3, 1, 0), "{code}");
        assert_eq!(finished.code, 1);
    }
}

#[test]
fn expired_credentials_are_tried_again() {
    let (finished, counts, _) = three_records(vec![Reply::Error(400, "ExpiredTokenException")], &[]);
    assert_eq!((counts["sent"], finished.code), (3, 0));
}

#[test]
fn the_drain_ends_by_its_deadline_and_everything_is_settled() {
    let silence = vec![Reply::Silence { stored: true }; 9];
    let more = ["--request-timeout=60s", "--drain-timeout=2s"];
    let (finished, counts, endpoint) = three_records(silence, &more);
    assert_eq!((counts["unknown"], endpoint.stored().len(), finished.code), (3, 3, 1));
    let throttled = vec![Reply::Error(400, "ProvisionedThroughputExceededException"); 999];
    let (finished, counts, endpoint) =
        three_records(throttled, &["--drain-timeout=300ms", "--max-attempts=1000"]);
    // Failed while they waited for another attempt; unknown, if that was on the wire just then.
    let given_up = counts["failed"] + counts["unknown"] + counts["dropped"];
    assert_eq!((counts["sent"], given_up, endpoint.stored().len()), (0, 3, 0), "{counts:?}");
    assert!(finished.code == 1 || counts["generated"] == 0, "{counts:?}");
}

#[test]
fn an_endpoint_that_closes_in_mid_run_fails_nothing_for_certain_that_it_stored() {
    // Every other request is lost after it was stored; nothing that is stored may be counted as failed.
    let replies =
        (0..40).map(|i| if i % 2 == 0 { Reply::HangUp { stored: true } } else { Reply::Store }).collect();
    let endpoint = Endpoint::open(vec![], replies);
    let arguments = ["--jobs=5", "--messages=4", "--max-records=20", "--max-attempts=2"];
    let counts = Program::against(&endpoint, &arguments).finish().counts();
    assert_eq!(counts["failed"], 0);
    let unique = endpoint.stored().len() as u64 - duplicates(&endpoint);
    assert!(counts["sent"] <= unique && unique <= counts["sent"] + counts["unknown"], "{counts:?} {unique}");
}
