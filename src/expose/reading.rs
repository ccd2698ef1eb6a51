//! How reading back goes on, as a line. What is missing does not stand in it, because it is not known before the end.

use std::time::Duration;

use super::human;
use super::screen::Terminal;
use crate::verify::{CallOutcome, ReadCounts};

/// How reading goes on, as a line; what matters least is at its end, and cut off on a narrow terminal.
#[must_use]
pub fn reading_line(counts: &ReadCounts, per_second: f64, elapsed: Duration, terminal: Terminal) -> String {
    let audit = &counts.audit;
    let throttled = counts.calls[CallOutcome::Throttled as usize];
    let line = format!(
        "{}  read {} {:>6}  behind {}  copies {}  corrupt {}  foreign {}  disordered {}  shards {}  throttled {}",
        human::clock(elapsed),
        human::grouped(counts.records),
        human::rate(per_second),
        human::brief(Duration::from_millis(counts.behind_millis)),
        human::grouped(audit.extra_copies),
        human::grouped(audit.corrupt),
        human::grouped(audit.foreign),
        human::grouped(audit.disordered),
        human::grouped(counts.reading),
        human::grouped(throttled),
    );
    let room = terminal.width.map_or(usize::MAX, |width| width.saturating_sub(1));
    line.chars().take(room).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::Progress;

    #[test]
    fn a_line_tells_how_far_reading_is_and_fits_the_terminal() {
        let mut counts = ReadCounts {
            records: 12_345,
            behind_millis: 1_200,
            reading: 4,
            audit: Progress { corrupt: 1, ..Progress::default() },
            ..ReadCounts::default()
        };
        counts.calls[CallOutcome::Throttled as usize] = 2;
        let line = |terminal| reading_line(&counts, 900.0, Duration::from_secs(65), terminal);
        assert_eq!(
            line(Terminal::PLAIN),
            "0:01:05  read 12,345  900/s  behind 1.2 s  copies 0  corrupt 1  foreign 0  disordered 0  shards 4  throttled 2"
        );
        let narrow = Terminal { live: true, colour: false, width: Some(40) };
        assert_eq!(line(narrow).chars().count(), 39);
    }
}
