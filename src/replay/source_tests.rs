//! Claims about reading traces: which spans lines make, what is refused and where, and how much memory it takes.

use std::fmt::Write as _;
use std::io::Write as _;

use proptest::prelude::*;

use super::*;

/// A trace in a file of its own, and the folder to keep.
fn file(text: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("trace");
    std::fs::write(&path, text).expect("written");
    (folder, path)
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).expect("memory");
    encoder.finish().expect("memory")
}

/// Up to `most` spans as (time, length, records) in milliseconds.
fn spans(text: &[u8], again: bool, most: usize) -> Result<Vec<(u64, u64, u64)>, String> {
    let (_folder, path) = file(text);
    let mut trace = Trace::open(&path, again).map_err(|error| error.to_string())?;
    let mut spans = Vec::new();
    while spans.len() < most
        && let Some(span) = trace.next_span().map_err(|error| error.to_string())?
    {
        let records = match span.load {
            Load::Count(count) => count,
            Load::Record(_) => 1,
        };
        spans.push((span.at / 1_000_000, span.length / 1_000_000, records));
    }
    Ok(spans)
}

#[test]
fn a_line_lasts_until_the_next_and_the_last_as_long_as_the_one_before() {
    let expected = vec![(0, 1_000, 5), (1_000, 500, 0), (1_500, 500, 7)];
    for text in [
        "1700000000,5\n1700000001,0\n1700000001.5,7\n",
        "time,count\r\n1700000000000,5\r\n1700000001000,0\r\n1700000001500,7",
        "# a remark\n\nrecords,ts\n5,2023-11-14T22:13:20Z\n0,2023-11-14T22:13:21Z\n7,2023-11-14T22:13:21.500Z\n",
        "{\"time\":1700000000,\"count\":5}\n{\"count\":0,\"time\":1700000001}\n{\"time\":1700000001.5,\"count\":7}\n",
    ] {
        assert_eq!(spans(text.as_bytes(), false, 99), Ok(expected.clone()), "{text}");
        assert_eq!(spans(&gzip(text.as_bytes()), false, 99), Ok(expected.clone()), "{text}");
    }
    assert_eq!(
        spans(b"7,3\n", false, 9),
        Ok(vec![(7_000, 1_000, 3)]),
        "seconds since the start keep their distance"
    );
}

#[test]
fn several_gzip_members_are_one_trace() {
    let two = [gzip(b"0,1\n"), gzip(b"1,2\n")].concat();
    assert_eq!(spans(&two, false, 9), Ok(vec![(0, 1_000, 1), (1_000, 1_000, 2)]));
}

#[test]
fn a_trace_that_is_looped_begins_anew_where_its_last_line_ends() {
    let round = |start: u64| [(start, 2_000, 1), (start + 2_000, 1_000, 2), (start + 3_000, 1_000, 3)];
    let expected = [round(0), round(4_000), round(8_000)].concat();
    assert_eq!(spans(b"1700000000,1\n1700000002,2\n1700000003,3\n", true, 9), Ok(expected));
    // Two records at one time and no other time: a second, so that it never spins.
    assert_eq!(
        spans(b"0,a\n0,b\n", true, 4),
        Ok(vec![(0, 0, 1), (0, 1_000, 1), (1_000, 0, 1), (1_000, 1_000, 1)])
    );
}

#[test]
fn a_line_a_little_out_of_order_is_due_with_the_latest_and_any_other_is_refused() {
    let text = b"10,1\n12,2\n11.5,3\n13,4\n";
    assert_eq!(
        spans(text, false, 9),
        Ok(vec![(10_000, 2_000, 1), (12_000, 0, 2), (12_000, 1_000, 3), (13_000, 1_000, 4)])
    );
    let error = spans(b"time,count\n10,1\n12,2\n10.9,3\n", false, 9).expect_err("out of order");
    assert!(
        error.contains("line 4: its time is 1.100 s before that of a line above it; times must ascend"),
        "{error}"
    );
    let before = spans(b"1700000010,1\n1700000000,2\n", false, 9).expect_err("before the first");
    assert!(before.contains("line 2: its time is 10.000 s before"), "{before}");
}

#[test]
fn what_is_wrong_in_the_head_is_told_before_the_run_with_file_and_line() {
    for (text, part) in [
        ("", "there is no line in it"),
        ("time,count\n", "there is no line in it"),
        ("0,1\n1,2\nx,3\n", "line 3: expected a time"),
        ("{\"time\":0,\"count\":1}\n{\"time\":0}\n", "line 2: expected a count or a payload"),
        (
            "{\"time\":0,\"count\":1}\n{\"time\":0,\"payload\":1}\n",
            "line 2: expected a count, as in the first line, and found a payload",
        ),
        (
            "0,1\n1700000000,1\n",
            "line 2: expected seconds since the start of the trace, as in the first line, and found a date",
        ),
        ("1700000000,1\n5,1\n", "line 2: expected a date, as in the first line"),
        ("1700000000,1\n9000000000,1\n", "line 2: its time is more than a hundred years after the first"),
        (
            "0,1\n1,10000001\n2,1\n",
            "line 2: it counts 10000001 records for 1 s; the most is 10000000 in a second",
        ),
    ] {
        let (_folder, path) = file(text.as_bytes());
        let error = Trace::open(&path, false).expect_err(text).to_string();
        assert!(
            error.starts_with(&format!("the trace {}", path.display())) && error.contains(part),
            "{error}"
        );
    }
    let missing = Trace::open(Path::new("/no/such/trace"), false).expect_err("missing").to_string();
    assert!(missing.contains("it can't be read: No such file"), "{missing}");
    let mut broken = gzip(b"0,1\n1,2\n");
    broken.truncate(broken.len() - 6);
    assert!(spans(&broken, false, 9).expect_err("cut off").contains("it can't be read"));
}

#[test]
fn a_broken_line_behind_the_head_ends_the_trace_after_the_last_sound_one() {
    let mut text = String::new();
    (0..5_000).for_each(|line| writeln!(text, "{line},1").expect("memory"));
    text.push_str("5000,one\n5001,1\n");
    let (_folder, path) = file(text.as_bytes());
    let mut trace = Trace::open(&path, false).expect("the head is sound");
    assert_eq!((trace.head().lines, trace.head().is_all), (1_000, false));
    let mut sound = 0;
    let error = loop {
        match trace.next_span() {
            Ok(Some(_)) => sound += 1,
            Ok(None) => panic!("it is broken"),
            Err(error) => break error,
        }
    };
    // The line before lasts until a time that is never told.
    assert_eq!((sound, error.line()), (4_999, Some(5_001)));
}

#[test]
fn the_head_tells_records_bytes_time_and_the_busiest_second() {
    let (_folder, path) = file(b"0,ab\n0.5,c\n0.7,de\n2,f\n");
    let head = Trace::open(&path, false).expect("sound").head();
    let expected = Head { lines: 4, records: 4, bytes: 6, length: 3_300_000_000, peak: 3, is_all: true };
    assert_eq!(head, expected);
    let (_folder, path) = file(b"0,600\n60,1200\n120,0\n");
    let head = Trace::open(&path, true).expect("sound").head();
    assert_eq!((head.records, head.peak, head.length), (1_800, 20, 180 * SECOND));
}

#[test]
fn a_trace_of_any_size_needs_little_memory() {
    let payload = "x".repeat(20_000);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let (folder, plain) = file(b"");
    let mut out = std::io::BufWriter::new(File::create(&plain).expect("created"));
    for line in 0..3_000 {
        let text = format!("{{\"time\":{line},\"payload\":\"{payload}\"}}\n");
        out.write_all(text.as_bytes()).expect("written");
        encoder.write_all(text.as_bytes()).expect("memory");
    }
    out.flush().expect("written");
    let packed = folder.path().join("trace.gz");
    std::fs::write(&packed, encoder.finish().expect("memory")).expect("written");
    for path in [plain, packed] {
        let mut lines = 0;
        let used = allocation_counter::measure(|| {
            let mut trace = Trace::open(&path, false).expect("sound");
            while trace.next_span().expect("sound").is_some() {
                lines += 1;
            }
        });
        assert_eq!(lines, 3_000);
        // 60 MB were read; the head holds one of them.
        assert!(used.bytes_max < 3 * 1024 * 1024, "{} bytes at once", used.bytes_max);
    }
}

proptest! {
    // However lines are written, their spans follow one another without a gap, hold every record, and looping only
    // repeats them.
    #[test]
    fn spans_follow_one_another_and_hold_every_record(lines in proptest::collection::vec((0_u64..5_000, 0_u64..1_000), 1..50)) {
        let (mut at, mut text) = (0, String::new());
        for (gap, count) in &lines {
            at += gap;
            let _ = writeln!(text, "{}.{:03},{count}", at / 1_000, at % 1_000);
        }
        let once = spans(text.as_bytes(), false, usize::MAX).expect("sound");
        prop_assert_eq!(once.iter().map(|span| span.2).sum::<u64>(), lines.iter().map(|line| line.1).sum::<u64>());
        prop_assert!(once.windows(2).all(|pair| pair[0].0 + pair[0].1 == pair[1].0));
        let twice = spans(text.as_bytes(), true, 2 * once.len()).expect("sound");
        prop_assert_eq!(&twice[..once.len()], &once[..]);
        let counts = |spans: &[(u64, u64, u64)]| spans.iter().map(|span| span.2).collect::<Vec<_>>();
        prop_assert_eq!(counts(&twice[once.len()..]), counts(&once));
    }
}
