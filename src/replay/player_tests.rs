//! Claims about when the records of a trace are released, with a clock that is moved by hand.

use proptest::prelude::*;

use super::*;

const START: Duration = Duration::from_millis(1_700_000_000_123);

fn rules() -> Rules {
    Rules { speed: 10_000, jobs: 3, slice_records: 500, duration: None, max_records: None }
}

fn counted(at_millis: u64, length_millis: u64, count: u64) -> Span {
    Span { at: at_millis * 1_000_000, length: length_millis * 1_000_000, load: Load::Count(count) }
}

fn recorded(at_millis: u64, data: &str, key: Option<&str>) -> Span {
    let record = Recorded { data: data.as_bytes().into(), key: key.map(Into::into) };
    Span { at: at_millis * 1_000_000, length: 1, load: Load::Record(record) }
}

/// Plays it all, fed in blocks of `block`: each release, and how long after the start it came, in milliseconds.
fn play(rules: Rules, spans: &[Span], block: usize) -> Vec<(u64, Due)> {
    let (mut player, start) = (Player::new(rules), Instant::now());
    let (mut mono, mut released, mut blocks) = (start, Vec::new(), spans.chunks(block));
    loop {
        match player.step(START + (mono - start), mono) {
            Step::Release(due) => {
                assert!(due.release.due <= mono, "not before it is due");
                assert!(mono - due.release.due < Duration::from_millis(1), "and not later");
                assert!(due.release.records > 0);
                released.push(((due.release.due - start).as_millis() as u64, due));
            }
            Step::Wait(until) => {
                assert!(until > mono, "a wait leads on");
                mono = until;
            }
            Step::Hungry => player.feed(blocks.next().map(<[Span]>::to_vec)),
            Step::Finished => return released,
        }
    }
}

#[test]
fn recorded_records_leave_at_their_times_and_neighbours_share_a_slice() {
    let spans = [
        recorded(0, "a", Some("k")),
        recorded(3, "b", None),
        recorded(9, "c", None),
        recorded(10, "d", None),
        recorded(1_501, "e", None),
    ];
    let played = play(rules(), &spans, 99);
    let told: Vec<(u64, String)> = played
        .iter()
        .map(|(at, due)| {
            let data = due.recorded.iter().flat_map(|record| record.data.iter().copied()).map(char::from);
            (*at, data.collect())
        })
        .collect();
    let expected = [(0, "abc"), (10, "d"), (1_500, "e")].map(|(at, data)| (at, data.to_owned()));
    assert_eq!(told, expected);
    assert_eq!(played[0].1.recorded[0].key.as_deref(), Some("k"));
    assert_eq!(played[2].1.release.due_millis, 1_700_000_000_123 + 1_500);
    // Ten times as fast.
    let fast = play(Rules { speed: 100_000, ..rules() }, &spans, 99);
    assert_eq!(fast.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [0, 150]);
    // And half as fast.
    let slow = play(Rules { speed: 5_000, ..rules() }, &spans, 99);
    assert_eq!(slow.last().map(|(at, _)| *at), Some(3_002));
}

#[test]
fn large_records_share_a_slice_only_up_to_its_bytes() {
    let large = "x".repeat(SLICE_BYTES / 2);
    let spans: Vec<Span> = (0..5).map(|_| recorded(0, &large, None)).collect();
    let played = play(rules(), &spans, 99);
    assert_eq!(played.iter().map(|(_, due)| due.release.records).collect::<Vec<_>>(), [2, 2, 1]);
}

#[test]
fn counts_are_spread_over_their_time_and_dealt_to_the_jobs_in_turn() {
    let played =
        play(rules(), &[counted(0, 1_000, 50), counted(1_000, 1_000, 0), counted(2_000, 100, 20)], 1);
    let times: Vec<u64> = played.iter().map(|(at, _)| *at).collect();
    let expected: Vec<u64> =
        (0..50).map(|record| record * 20).chain((0..10).map(|cell| 2_000 + cell * 10)).collect();
    assert_eq!(times, expected);
    assert!(played[50..].iter().all(|(_, due)| due.release.records == 2));
    assert!(played.iter().zip((0..3).cycle()).all(|((_, due), job)| due.release.job == job));
}

#[test]
fn the_end_comes_by_time_by_records_or_by_a_stop() {
    let spans = [counted(0, 10_000, 1_000)];
    let records =
        |played: &[(u64, Due)]| played.iter().map(|(_, due)| u64::from(due.release.records)).sum::<u64>();
    let by_time = play(Rules { duration: Some(Duration::from_secs(3)), ..rules() }, &spans, 1);
    assert_eq!((records(&by_time), by_time.last().map(|(at, _)| *at)), (300, Some(2_990)));
    let by_records = play(Rules { max_records: Some(77), ..rules() }, &spans, 1);
    assert_eq!(records(&by_records), 77);
    let (mut player, start) = (Player::new(rules()), Instant::now());
    player.feed(Some(spans.to_vec()));
    assert!(matches!(player.step(START, start), Step::Release(_)));
    player.stop(start + Duration::from_millis(1));
    assert!(matches!(player.step(START, start + Duration::from_secs(1)), Step::Finished));
}

#[test]
fn what_was_slept_through_is_released_with_its_own_time_for_the_pipeline_to_drop() {
    let (mut player, start) = (Player::new(rules()), Instant::now());
    player.feed(Some(vec![recorded(0, "a", None), recorded(500, "b", None), recorded(20_000, "c", None)]));
    let mut dues = Vec::new();
    let _ = player.step(START, start);
    while let Step::Release(due) = player.step(START, start + Duration::from_secs(9)) {
        dues.push(due.release.due - start);
    }
    assert_eq!(dues, [Duration::from_millis(500)]);
}

#[test]
fn recorded_bytes_are_held_until_they_are_dropped_and_a_single_one_always_fits() {
    let all = Arc::default();
    let due = |data: &str| {
        let played = play(rules(), &[recorded(0, data, None)], 1);
        played.into_iter().next().map(|(_, due)| due).expect("one")
    };
    let (mut one, mut two) = (due("1234567890123"), due("1"));
    assert!(one.hold(&all, 10));
    assert!(!two.hold(&all, 10));
    drop((one, two));
    assert_eq!(all.load(Ordering::Relaxed), 0);
}

proptest! {
    // Whatever the counts, their spans, the speed and the feeding: every record is released once, in order, inside its
    // own span as it is played, to a step and a cell.
    #[test]
    fn every_record_is_released_once_and_in_its_time(
        spans in proptest::collection::vec((1_u64..3_000, 0_u64..4_000), 1..8),
        speed in 100_u32..200_000, most in 1_usize..600, block in 1_usize..4,
    ) {
        let (mut at, mut all) = (0, Vec::new());
        for &(length, count) in &spans {
            all.push(counted(at, length, count));
            at += length;
        }
        let played = play(Rules { speed, slice_records: most, ..rules() }, &all, block);
        let total: u64 = spans.iter().map(|span| span.1).sum();
        prop_assert_eq!(played.iter().map(|(_, due)| u64::from(due.release.records)).sum::<u64>(), total);
        prop_assert!(played.iter().all(|(_, due)| due.release.records as usize <= most));
        prop_assert!(played.windows(2).all(|pair| pair[0].0 <= pair[1].0));
        let scaled = |millis: u64| millis * 10_000 / u64::from(speed);
        let mut releases = played.iter();
        let mut begin = 0;
        for &(length, count) in &spans {
            let mut left = count;
            while left > 0 {
                let (at, due) = releases.next().expect("all are released");
                prop_assert!(*at + 3 >= scaled(begin) && *at <= scaled(begin + length), "{} in {}..", at, scaled(begin));
                left -= u64::from(due.release.records);
            }
            begin += length;
        }
    }
}
