//! How the run goes: the numbers of the last interval, as a line for people or an event for machines.
//!
//! Counts since the start are totals (what is lost stays in sight); rates and percentiles are of the
//! interval. Reads no clock and writes nothing.

use std::time::Duration;

use super::human;
use super::screen::Terminal;
use crate::ledger::{Dropped, Snapshot};

/// The numbers of one interval of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Since the start of the run.
    pub elapsed: Duration,
    /// Records due, per second of the interval.
    pub due_per_second: f64,
    /// Records of the due second that was begun last.
    pub intended: u64,
    /// Records sent, per second of the interval.
    pub sent_per_second: f64,
    /// Bytes sent, per second of the interval.
    pub sent_bytes_per_second: f64,
    /// Entries throttled, per second of the interval.
    pub throttled_per_second: f64,
    /// Records sent since the start.
    pub sent: u64,
    /// Records failed since the start.
    pub failed: u64,
    /// Records of unknown fate since the start.
    pub unknown: u64,
    /// Records dropped since the start.
    pub dropped: u64,
    /// Records dropped in the interval because the window was full.
    pub window_full: u64,
    /// Records dropped in the interval because this process came to them too late.
    pub late: u64,
    /// Records made and not settled now.
    pub in_flight: u64,
    /// Median delivery delay of the interval; none when nothing was sent in it.
    pub delay_p50: Option<Duration>,
    /// 99th percentile of the delivery delay of the interval.
    pub delay_p99: Option<Duration>,
}

/// A part of the line.
struct Part {
    text: String,
    /// The lower, the later it is left out when the line is too long.
    rank: u8,
    paint: Option<&'static str>,
}

const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[33m";
const RESET: &str = "\x1b[0m";
const GAP: usize = 2;

impl Progress {
    /// The numbers between two snapshots that are `interval` apart, the later one taken `elapsed` after the
    /// start of the run.
    #[must_use]
    pub fn between(earlier: &Snapshot, now: &Snapshot, interval: Duration, elapsed: Duration) -> Self {
        let seconds = interval.as_secs_f64();
        let rate = |count: fn(&Snapshot) -> u64| {
            let grown = count(now).saturating_sub(count(earlier)) as f64;
            if seconds > 0.0 { grown / seconds } else { 0.0 }
        };
        let delay = now.delivery_delay.since(&earlier.delivery_delay);
        let dropped = |why| now.dropped.get(why).saturating_sub(earlier.dropped.get(why));
        Self {
            elapsed,
            due_per_second: rate(|counts| counts.due),
            intended: now.intended,
            sent_per_second: rate(|counts| counts.sent),
            sent_bytes_per_second: rate(|counts| counts.sent_bytes),
            throttled_per_second: rate(|counts| counts.throttled),
            sent: now.sent,
            failed: now.failed.total(),
            unknown: now.unknown.total(),
            dropped: now.dropped.total(),
            window_full: dropped(Dropped::WindowFull),
            late: dropped(Dropped::Late),
            in_flight: now.in_flight,
            delay_p50: delay.quantile(0.5),
            delay_p99: delay.quantile(0.99),
        }
    }

    /// The numbers as one line, with a bar (and how far it is, in words) where the run has an end and the line is
    /// rewritten in place. What matters least is left out where the terminal is too narrow.
    #[must_use]
    pub fn line(&self, terminal: Terminal, bar: Option<(String, String)>) -> String {
        let mut parts = self.parts();
        if let Some((bar, words)) = bar.filter(|_| terminal.live) {
            let course = [(10, bar), (8, words)].map(|(rank, text)| Part { text, rank, paint: None });
            parts.splice(1..1, course);
        }
        // One column stays free: a terminal may wrap when the last one is written.
        let room = terminal.width.map_or(usize::MAX, |width| width.saturating_sub(1));
        while parts.len() > 1 && length(&parts) > room {
            let least = parts.iter().map(|part| part.rank).max();
            parts.retain(|part| Some(part.rank) != least);
        }
        let mut line = String::new();
        for part in &parts {
            if !line.is_empty() {
                line.push_str("  ");
            }
            match part.paint.filter(|_| terminal.colour) {
                Some(paint) => line.extend([paint, &part.text, RESET]),
                None => line.push_str(&part.text),
            }
        }
        line
    }

    fn parts(&self) -> Vec<Part> {
        let part = |rank, text| Part { text, rank, paint: None };
        let loss = |rank: u8, name: &str, count: u64| match count {
            0 => part(rank + 20, format!("{name} 0")),
            _ => Part { text: format!("{name} {}", human::grouped(count)), rank, paint: Some(RED) },
        };
        let delay = |delay: Option<Duration>| delay.map_or("–".to_owned(), human::brief);
        let throttled = human::rate(self.throttled_per_second);
        let mut parts = vec![
            part(0, human::clock(self.elapsed)),
            part(11, format!("due {:>6}", human::rate(self.due_per_second))),
            part(1, format!("sent {:>6}", human::rate(self.sent_per_second))),
            part(15, format!("{:>10}", format!("{}/s", human::bytes(self.sent_bytes_per_second)))),
            part(13, format!("p50 {:>6}", delay(self.delay_p50))),
            part(9, format!("p99 {:>6}", delay(self.delay_p99))),
            part(12, format!("in flight {}", human::grouped(self.in_flight))),
            Part {
                text: format!("throttled {throttled}"),
                rank: 5,
                paint: (self.throttled_per_second > 0.0).then_some(YELLOW),
            },
            loss(2, "failed", self.failed),
            loss(3, "unknown", self.unknown),
            loss(4, "dropped", self.dropped),
        ];
        if self.intended > 0 {
            // Left out first: it is a figure of one second, the others are of the whole interval.
            parts.insert(2, part(16, format!("of {:>6}", human::rate(self.intended as f64))));
        }
        if self.window_full > 0 {
            parts.push(Part { text: "window full".to_owned(), rank: 6, paint: Some(RED) });
            let hint = "(raise STREAMER_MAX_IN_FLIGHT, or the stream (or this machine) is the limit)";
            parts.push(part(40, hint.to_owned()));
        }
        if self.late > 0 {
            parts.push(Part { text: "late".to_owned(), rank: 7, paint: Some(RED) });
            parts.push(part(41, "(this machine is the limit)".to_owned()));
        }
        parts
    }

    /// The numbers as one event of the log, for machines.
    pub fn log(&self) {
        tracing::info!(
            elapsed_seconds = self.elapsed.as_secs_f64(),
            intended_per_second = self.intended,
            due_per_second = self.due_per_second,
            sent_per_second = self.sent_per_second,
            sent_bytes_per_second = self.sent_bytes_per_second,
            throttled_per_second = self.throttled_per_second,
            sent = self.sent,
            failed = self.failed,
            unknown = self.unknown,
            dropped = self.dropped,
            window_full = self.window_full,
            late = self.late,
            in_flight = self.in_flight,
            delivery_delay_p50_seconds = self.delay_p50.map(|delay| delay.as_secs_f64()),
            delivery_delay_p99_seconds = self.delay_p99.map(|delay| delay.as_secs_f64()),
            "progress"
        );
    }
}

/// The length of the parts with the gaps between them, in characters.
fn length(parts: &[Part]) -> usize {
    parts.iter().map(|part| part.text.chars().count() + GAP).sum::<usize>().saturating_sub(GAP)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ledger::{Failed, Unknown};

    const WIDE: Terminal = Terminal { live: true, colour: false, width: Some(100) };

    /// 10 s at 1,000 records/s, then 10 s at 900 records/s, all sent.
    fn two() -> (Snapshot, Snapshot) {
        let mut earlier = Snapshot {
            due: 10_000,
            generated: 10_000,
            sent: 10_000,
            sent_bytes: 5_000_000,
            ..Snapshot::default()
        };
        earlier.delivery_delay.record(Duration::from_secs(3), 10_000);
        let mut now = earlier.clone();
        (now.due, now.generated, now.sent, now.sent_bytes) = (19_020, 19_020, 19_000, 9_500_000);
        now.in_flight = 20;
        now.delivery_delay.record(Duration::from_millis(12), 8_800);
        now.delivery_delay.record(Duration::from_millis(48), 200);
        (earlier, now)
    }

    fn between((earlier, now): &(Snapshot, Snapshot)) -> Progress {
        Progress::between(earlier, now, Duration::from_secs(10), Duration::from_secs(65))
    }

    #[test]
    fn a_quiet_run_reads_like_this() {
        let progress = between(&two());
        assert_eq!(
            progress.line(WIDE, None),
            "0:01:05  due  902/s  sent  900/s   439 KiB/s  p50  12 ms  p99  48 ms  in flight 20  throttled 0/s"
        );
        assert_eq!(
            progress.line(Terminal::PLAIN, None),
            "0:01:05  due  902/s  sent  900/s   439 KiB/s  p50  12 ms  p99  48 ms  in flight 20  throttled 0/s  \
             failed 0  unknown 0  dropped 0"
        );
    }

    #[test]
    fn a_run_that_loses_records_reads_like_this() {
        let (earlier, mut now) = two();
        now.throttled += 1_230;
        now.failed.add(Failed::Throttled, 1_234);
        now.unknown.add(Unknown::Timeout, 5);
        now.dropped.add(Dropped::WindowFull, 400);
        let progress = between(&(earlier, now));
        assert_eq!(
            progress.line(WIDE, None),
            "0:01:05  sent  900/s  throttled 123/s  failed 1,234  unknown 5  dropped 400  window full"
        );
        assert_eq!(
            progress.line(Terminal::PLAIN, None),
            "0:01:05  due  902/s  sent  900/s   439 KiB/s  p50  12 ms  p99  48 ms  in flight 20  throttled 123/s  \
             failed 1,234  unknown 5  dropped 400  window full  \
             (raise STREAMER_MAX_IN_FLIGHT, or the stream (or this machine) is the limit)"
        );
        let red = progress.line(Terminal { colour: true, ..WIDE }, None);
        assert!(red.contains("  \x1b[1;31mfailed 1,234\x1b[0m  "), "{red:?}");
        assert!(red.contains("  \x1b[33mthrottled 123/s\x1b[0m  "), "{red:?}");
    }

    #[test]
    fn a_machine_that_is_too_slow_is_told_from_a_window_that_is_full() {
        let (earlier, mut now) = two();
        now.dropped.add(Dropped::Late, 400);
        let line = between(&(earlier, now)).line(Terminal::PLAIN, None);
        assert!(line.ends_with("  dropped 400  late  (this machine is the limit)"), "{line}");
    }

    #[test]
    fn an_interval_in_which_nothing_was_sent_has_no_percentiles() {
        let (_, now) = two();
        let progress = between(&(now.clone(), now));
        assert_eq!((progress.delay_p50, progress.sent_per_second), (None, 0.0));
        assert!(
            progress.line(WIDE, None).contains("  p50      –  p99      –  "),
            "{}",
            progress.line(WIDE, None)
        );
    }

    #[test]
    fn a_window_that_was_full_before_the_interval_is_not_full_in_it() {
        let (mut earlier, mut now) = two();
        earlier.dropped.add(Dropped::WindowFull, 7);
        now.dropped.add(Dropped::WindowFull, 7);
        let line = between(&(earlier, now)).line(Terminal::PLAIN, None);
        assert!(line.contains("dropped 7") && !line.contains("window full"), "{line}");
    }

    #[test]
    fn an_interval_of_no_length_has_no_rates() {
        let (earlier, now) = two();
        let progress = Progress::between(&earlier, &now, Duration::ZERO, Duration::ZERO);
        assert_eq!((progress.due_per_second, progress.sent_per_second), (0.0, 0.0));
    }

    proptest! {
        // Whatever the numbers: the line keeps one column free where the width allows more than the clock
        // alone, and losses are the last to be left out.
        #[test]
        fn the_line_fits_the_terminal(
            width in 20_usize..200, sent in 0_u64..1 << 40, lost in 0_u64..1 << 40, throttled in 0_u64..1 << 40,
        ) {
            let (earlier, mut now) = two();
            now.sent += sent;
            now.throttled += throttled;
            now.failed.add(Failed::Denied, lost);
            now.dropped.add(Dropped::WindowFull, lost);
            let line = between(&(earlier, now)).line(Terminal { live: true, colour: false, width: Some(width) }, None);
            prop_assert!(line.chars().count() < width, "{} {}", width, line);
            if line.contains("p99") && lost > 0 {
                prop_assert!(line.contains("failed") && line.contains("dropped"));
            }
        }
    }
}
