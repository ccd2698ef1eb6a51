//! Whose records a verification expects, and from where on it reads.

use super::*;
use crate::config::{Invocation, read};

fn options(arguments: &[&str]) -> VerifyOptions {
    let line = ["kinesis-streamer", "verify", "--stream=s"].into_iter().chain(arguments.iter().copied());
    match read(std::iter::empty::<(String, String)>(), line, 7) {
        Ok(Invocation::Verify(options)) => *options,
        other => panic!("{other:?}"),
    }
}

fn header(producer: &str, started_millis: u64) -> Header {
    Header {
        version: "0".to_owned(),
        producer: producer.to_owned(),
        seed: 3,
        event: "click".to_owned(),
        shaping: None,
        partition_key: "job".to_owned(),
        stream: "s".to_owned(),
        arn: None,
        jobs: 4,
        started_millis,
    }
}

fn names(expect: &Expect) -> Vec<(&str, Option<u64>)> {
    let seed = |producer: &Producer| producer.made.as_ref().map(|made| made.seed);
    expect.producers.iter().map(|producer| (&*producer.name, seed(producer))).collect()
}

#[test]
fn without_a_word_every_producer_is_expected_and_none_compared() {
    let expect = expected(&options(&[]), &[]);
    assert_eq!(names(&expect), []);
    assert_eq!(expect.others, Others::Discovered(None));
    assert!(expect.from_start && !expect.foreign_allowed && !expect.anonymous);
}

#[test]
fn a_seed_alone_is_that_of_every_producer() {
    let expect = expected(&options(&["--seed=1", "--event=click", "--foreign=allow"]), &[]);
    assert_eq!(names(&expect), [("p-910a2dec", Some(1))]);
    assert!(matches!(
        &expect.others,
        Others::Discovered(Some(Made { seed: 1, event: EventChoice::Kind(EventKind::Click), key: None, .. }))
    ));
    assert!(expect.foreign_allowed);
}

#[test]
fn with_journals_or_names_all_others_are_foreign() {
    let expect = expected(&options(&["--seed=1", "--instance=a,b"]), &[]);
    assert_eq!(names(&expect), [("a", Some(1)), ("b", Some(1))]);
    assert_eq!(expect.others, Others::Foreign);
    // A journal's own word of a producer counts, and one without a journal is expected as well.
    let expect = expected(&options(&["--seed=1", "--instance=a,b"]), &[header("a", 5), header("c", 6)]);
    assert_eq!(names(&expect), [("a", Some(3)), ("c", Some(3)), ("b", Some(1))]);
    assert_eq!(expect.others, Others::Foreign);
    let expect = expected(&options(&["--seed=1"]), &[header("a", 5)]);
    assert_eq!(names(&expect), [("a", Some(3))]);
}

#[test]
fn messages_without_a_seed_are_ours_without_a_name() {
    assert!(expected(&options(&["--event=message"]), &[]).anonymous);
    assert!(!expected(&options(&["--event=message", "--seed=1"]), &[]).anonymous);
}

#[test]
fn reading_begins_before_the_first_run_and_without_a_journal_at_the_oldest_record() {
    let now = Duration::from_secs(1_000);
    let (first, second) = (header("a", 500_000), header("b", 400_000));
    assert_eq!(place(Since::Start, &[first.clone(), second], now), Place::Since(340_000));
    assert_eq!(place(Since::Start, &[], now), Place::Oldest);
    assert_eq!(place(Since::Oldest, std::slice::from_ref(&first), now), Place::Oldest);
    assert_eq!(place(Since::Time(9), &[first], now), Place::Since(9));
    assert_eq!(place(Since::Ago(Duration::from_secs(100)), &[], now), Place::Since(900_000));
}
