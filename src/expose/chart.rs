//! A load over time as a chart in text: one column for each span of time, as high as the highest rate in it.
//!
//! Plain values in, text out; which loads there are is not known here. The picture is in `picture`.

use std::time::Duration;

use super::human;

/// Rows of the chart.
const ROWS: usize = 12;

/// Eighths of a block.
const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// What is to be drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// Its heading.
    pub title: String,
    /// What its rates count, such as `records/s`.
    pub unit: String,
    /// The time that it covers.
    pub length: Duration,
    /// The highest rate in each of as many spans of equal length; at least one.
    pub rates: Vec<f64>,
    /// Phases with a name, and when they begin.
    pub phases: Vec<(Duration, String)>,
    /// What it adds up to: a name and a value each.
    pub totals: Vec<(String, String)>,
}

impl Chart {
    /// The top of the axis: a round number above every rate, and the step of its marks.
    pub(super) fn top(&self) -> (f64, f64) {
        let most = self.rates.iter().copied().fold(0.0, f64::max);
        let most = if most > 0.0 { most } else { 1.0 };
        let magnitude = 10_f64.powf((most / 4.0).log10().floor());
        let steps = [1.0, 2.0, 2.5, 5.0, 10.0].map(|step| step * magnitude);
        let step = steps.into_iter().find(|step| most / step <= 5.0).unwrap_or(10.0 * magnitude);
        ((most / step).ceil() * step, step)
    }

    /// Moments of the time axis: round ones, at most about nine.
    pub(super) fn moments(&self) -> Vec<Duration> {
        const STEPS: [u64; 22] = [
            1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400,
            172_800, 604_800, 2_592_000, 7_776_000,
        ];
        let seconds = self.length.as_secs();
        let step = STEPS.into_iter().find(|step| seconds / step <= 8).unwrap_or(seconds.max(1));
        (0..=seconds / step).map(|mark| Duration::from_secs(mark * step)).collect()
    }

    /// The chart for a terminal, or `plain` for a file.
    #[must_use]
    pub fn text(&self, plain: bool) -> String {
        let (top, _) = self.top();
        let label = |row: usize| match row {
            0 => number(top),
            row if row == ROWS / 2 => number(top / 2.0),
            _ => String::new(),
        };
        let (axis, corner, line) = if plain { ('|', '+', '-') } else { ('│', '└', '─') };
        let mut text = format!("{} ({})\n\n", self.title, self.unit);
        for row in 0..ROWS {
            let columns: String = self.rates.iter().map(|rate| block(rate / top, row, plain)).collect();
            text.push_str(format!("{:>12} {axis}{columns}", label(row)).trim_end());
            text.push('\n');
        }
        text.push_str(&format!("{:>12} {corner}{}\n", "0", line.to_string().repeat(self.rates.len())));
        text.push_str(format!("{:>12}  {}", "", self.times()).trim_end());
        text.push_str("\n\n");
        for (begin, name) in &self.phases {
            text.push_str(&format!("  {:>10}  {name}\n", human::span(*begin)));
        }
        if !self.phases.is_empty() {
            text.push('\n');
        }
        for (name, value) in &self.totals {
            text.push_str(&format!("  {name:<10}{value}\n"));
        }
        text
    }

    /// The time axis's words, each below its column.
    fn times(&self) -> String {
        let mut line = String::new();
        for moment in self.moments() {
            let share = moment.as_secs_f64() / self.length.as_secs_f64().max(1e-3);
            let at = (share * self.rates.len() as f64).round() as usize;
            let free = if line.is_empty() { 0 } else { line.chars().count() + 1 };
            if at >= free {
                line.push_str(&" ".repeat(at - line.chars().count()));
                line.push_str(&human::span(moment));
            }
        }
        line
    }
}

/// What a column that is `share` of the axis high has in a row, counted from the top.
fn block(share: f64, row: usize, plain: bool) -> char {
    let eighths = share * (ROWS * 8) as f64 - ((ROWS - 1 - row) * 8) as f64;
    match plain {
        true if eighths >= 4.0 => '#',
        // What is offered is seen, however little it is.
        true if row == ROWS - 1 && share > 0.0 => '.',
        true => ' ',
        false if row == ROWS - 1 && share > 0.0 => BLOCKS[(eighths.round() as usize).clamp(1, 8)],
        false => BLOCKS[eighths.round().clamp(0.0, 8.0) as usize],
    }
}

/// A number of an axis.
pub(super) fn number(value: f64) -> String {
    if value >= 100.0 || value.fract() == 0.0 {
        human::grouped(value.round() as u64)
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(rates: Vec<f64>) -> Chart {
        Chart {
            title: "ramp".to_owned(),
            unit: "records/s".to_owned(),
            length: Duration::from_secs(300),
            rates,
            phases: vec![(Duration::ZERO, "up".to_owned())],
            totals: vec![("records".to_owned(), "765,000".to_owned())],
        }
    }

    #[test]
    fn a_ramp_rises_from_left_to_right() {
        let text = chart((0..40).map(|column| f64::from(column) * 125.0).collect()).text(true);
        let widths: Vec<usize> =
            text.lines().filter(|line| line.contains('|')).map(|line| line.matches('#').count()).collect();
        assert_eq!(widths.len(), ROWS);
        assert!(widths.windows(2).all(|rows| rows[0] < rows[1]), "{text}");
        for part in ["       5,000 |", "       2,500 |", "0s", "5m", "up", "records   765,000"] {
            assert!(text.contains(part), "{part:?} in\n{text}");
        }
        assert!(text.is_ascii());
        assert!(chart(vec![1.0, 4_000.0]).text(false).contains('▁'), "however little, it is seen");
    }

    #[test]
    fn an_axis_ends_in_a_round_number_above_every_rate() {
        for (most, top) in
            [(0.0, 1.0), (3.0, 3.0), (100.0, 100.0), (5_000.0, 5_000.0), (5_001.0, 6_000.0), (0.3, 0.3)]
        {
            let (axis, step) = chart(vec![most]).top();
            assert!(
                (axis - top).abs() < 1e-9 && axis >= most && axis / step <= 10.0,
                "{most}: {axis} by {step}"
            );
        }
        let mut long = chart(vec![1.0]);
        for seconds in [0, 1, 59, 3_600, 86_400, 604_800, 31_536_000] {
            long.length = Duration::from_secs(seconds);
            assert!((1..=10).contains(&long.moments().len()), "{seconds}: {:?}", long.moments());
        }
    }
}
