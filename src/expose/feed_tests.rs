//! The feed's claims: one rendering for all, none for nobody, and a bound for whoever does not keep up.

use std::sync::Arc;
use std::time::SystemTime;

use serde_json::Value;

use super::*;

fn view() -> View {
    let view = View::new(Arc::new(Ledger::new()), SystemTime::UNIX_EPOCH);
    view.begin_timeline();
    view
}

/// A sample of what the ledger counts now.
fn sample(view: &View) {
    let counts = view.ledger().expect("a run").snapshot();
    view.sample(|at, timeline| timeline.sample(at + Duration::from_micros(1), Duration::ZERO, &counts));
}

/// The event and its data.
fn parsed(message: &[u8]) -> (String, Value) {
    let text = std::str::from_utf8(message).expect("text");
    assert!(text.ends_with("\n\n") && !text.trim_end().contains("\n\n"), "one message");
    let line = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).expect("a line");
    (line("event: ").to_owned(), serde_json::from_str(line("data: ")).expect("JSON"))
}

#[tokio::test(start_paused = true)]
async fn nobody_looks_and_nothing_is_rendered() {
    let view = view();
    for _ in 0..10 {
        sample(&view);
        tokio::time::sleep(BEAT).await;
    }
    assert_eq!(view.feed().rendered(), 0);
    drop(view.feed().look(&view).expect("a place"));
    tokio::time::sleep(3 * BEAT).await;
    let rendered = view.feed().rendered();
    sample(&view);
    tokio::time::sleep(9 * BEAT).await;
    assert_eq!(view.feed().rendered(), rendered, "who looked is gone");
}

#[tokio::test(start_paused = true)]
async fn all_who_look_share_one_rendering() {
    let view = view();
    sample(&view);
    let mut lookers: Vec<_> = (0..MOST_LOOKERS).map(|_| view.feed().look(&view).expect("a place")).collect();
    assert_eq!(view.feed().rendered(), 1, "the history");
    for looker in &mut lookers {
        let (event, told) = parsed(&looker.recv().await.expect("the history"));
        assert_eq!((event.as_str(), told["bins"]["from"].as_u64()), ("whole", Some(0)));
    }
    let mut texts = Vec::new();
    for looker in &mut lookers {
        texts.push(looker.recv().await.expect("a message"));
    }
    assert_eq!(view.feed().rendered(), 2);
    assert!(texts.windows(2).all(|two| two[0] == two[1]));
    assert_eq!(parsed(&texts[0]).0, "more");
}

#[tokio::test(start_paused = true)]
async fn places_are_bounded_and_free_again() {
    let view = view();
    let mut lookers: Vec<_> = (0..MOST_LOOKERS).map(|_| view.feed().look(&view).expect("a place")).collect();
    assert_eq!(view.feed().look(&view).expect_err("full"), NoPlace::Full);
    lookers.pop();
    assert!(view.feed().look(&view).is_ok());
    view.feed().close();
    assert_eq!(view.feed().look(&view).expect_err("closed"), NoPlace::Closed);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_read_is_cut_off_and_delays_nobody() {
    let view = view();
    let mut deaf = view.feed().look(&view).expect("a place");
    let mut keen = view.feed().look(&view).expect("a place");
    for _ in 0..2 * BEHIND {
        keen.recv().await.expect("a message");
    }
    let mut held = 0;
    while held <= 2 * BEHIND && deaf.recv().await.is_some() {
        held += 1;
    }
    assert_eq!(held, BEHIND, "what waited for it, and then the end");
    assert!(keen.recv().await.is_some());
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_server_ends_every_look() {
    let view = view();
    let mut looker = view.feed().look(&view).expect("a place");
    looker.recv().await.expect("the history");
    view.feed().close();
    while looker.recv().await.is_some() {}
}

#[tokio::test(start_paused = true)]
async fn what_is_told_bit_by_bit_is_what_is_told_at_once() {
    let view = view();
    let ledger = view.ledger().expect("a run");
    let mut early = view.feed().look(&view).expect("a place");
    let mut bins: Vec<Value> = Vec::new();
    let mut counts = Value::Null;
    for records in 1..=20 {
        ledger.generated(records);
        sample(&view);
        while let Ok(message) = early.try_recv() {
            let told = parsed(&message).1;
            bins.truncate(told["bins"]["from"].as_u64().expect("a number") as usize);
            bins.extend(told["bins"]["rows"].as_array().expect("rows").iter().cloned());
            counts = told["counts"].clone();
        }
        tokio::time::sleep(BEAT).await;
    }
    drop(early);
    tokio::time::sleep(2 * BEAT).await;
    let mut late = view.feed().look(&view).expect("a place");
    let told = parsed(&late.recv().await.expect("the history")).1;
    let all = told["bins"]["rows"].as_array().expect("rows");
    assert!(bins.len() >= 18 && bins == all[..bins.len()], "{} of {}", bins.len(), all.len());
    let due: u64 = all.iter().map(|row| row[2].as_u64().expect("a number")).sum();
    assert_eq!((due, told["counts"]["due"].as_u64()), (210, Some(210)));
    assert!(counts["due"].as_u64() <= Some(210));
}

#[tokio::test]
async fn a_process_that_only_reads_has_nothing_to_look_at() {
    let board = Arc::new(crate::verify::Board::new(tokio::time::Instant::now()));
    let view = View::of_reading(board, SystemTime::UNIX_EPOCH);
    assert_eq!(view.feed().look(&view).expect_err("nothing"), NoPlace::Closed);
}
