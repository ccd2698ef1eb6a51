//! A chart of lines over time as SVG, with a legend, a word for each span under the pointer, and its data as a table.

use std::fmt::Write as _;

use super::{clock, time};
use crate::expose::{escaped, grouped, human_bytes};

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 74.0;
const RIGHT: f64 = 950.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 228.0;

/// Most spans that have a word of their own, and a row in the table.
const MOST_WORDS: usize = 240;

/// Most marks that are drawn.
const MOST_MARKS: usize = 40;

/// A line: a value for each span, or none.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub name: &'static str,
    /// The class that colours it.
    pub class: &'static str,
    pub values: Vec<Option<f64>>,
}

impl Line {
    pub(super) fn most(&self) -> f64 {
        self.values.iter().flatten().copied().fold(0.0, f64::max)
    }
}

/// A chart.
#[derive(Debug, Clone)]
pub(super) struct Plot {
    pub title: String,
    pub unit: &'static str,
    /// By powers of ten.
    pub is_log: bool,
    /// When each span begins and ends, in seconds.
    pub spans: Vec<(f64, f64)>,
    pub lines: Vec<Line>,
    /// Moments that are marked, and why.
    pub marks: Vec<(f64, String)>,
}

/// Where values stand.
struct Axis {
    low: f64,
    high: f64,
    is_log: bool,
    ticks: Vec<f64>,
}

impl Axis {
    fn of(plot: &Plot) -> Self {
        let values = || plot.lines.iter().flat_map(|line| line.values.iter().flatten().copied());
        let most = values().fold(0.0, f64::max);
        if plot.is_log {
            let least = values().filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min);
            let least = if least.is_finite() { least } else { 0.001 };
            let low = least.log10().floor();
            let high = most.max(least).log10().ceil().max(low + 1.0);
            let ticks = (0..=(high - low) as i32).map(|power| 10_f64.powf(low + f64::from(power))).collect();
            return Self { low, high, is_log: true, ticks };
        }
        let most = if most > 0.0 { most } else { 1.0 };
        // Bytes are told in powers of 1,024: their round numbers are others.
        let unit =
            if plot.unit == "bytes/s" { 1_024_f64.powf(most.log(1_024.0).floor().max(0.0)) } else { 1.0 };
        let magnitude = 10_f64.powf((most / unit / 4.0).log10().floor()) * unit;
        let steps = [1.0, 2.0, 2.5, 5.0, 10.0].map(|step| step * magnitude);
        let step = steps.into_iter().find(|step| most / step <= 5.0).unwrap_or(10.0 * magnitude);
        let marks = (most / step).ceil() as u32;
        let ticks = (0..=marks).map(|mark| f64::from(mark) * step).collect();
        Self { low: 0.0, high: f64::from(marks) * step, is_log: false, ticks }
    }

    fn y(&self, value: f64) -> f64 {
        let value = if self.is_log { value.max(1e-9).log10() } else { value };
        let share = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        BOTTOM - share * (BOTTOM - TOP)
    }
}

impl Plot {
    fn length(&self) -> f64 {
        self.spans.last().map_or(1.0, |&(_, to)| to).max(1e-3)
    }

    fn x(&self, seconds: f64) -> f64 {
        LEFT + (seconds / self.length()).clamp(0.0, 1.0) * (RIGHT - LEFT)
    }

    fn value(&self, value: f64) -> String {
        match self.unit {
            "seconds" => time(value),
            "bytes/s" => format!("{}/s", human_bytes(value)),
            _ if value >= 100.0 || value.fract() == 0.0 => grouped(value.round() as u64),
            _ => format!("{value:.2}"),
        }
    }

    /// The chart as a figure.
    pub(super) fn html(&self) -> String {
        let title = escaped(&self.title);
        let mut html = format!("<figure>\n<h3>{title}</h3>\n<ul class=\"legend\">");
        for line in &self.lines {
            let _ = write!(html, "<li class=\"{}\"><span>{}</span></li>", line.class, line.name);
        }
        html.push_str("</ul>\n");
        self.svg(&mut html);
        let _ =
            writeln!(html, "<figcaption class=\"soft\">{} by time since the begin</figcaption>", self.unit);
        self.table(&mut html);
        html.push_str("</figure>\n");
        html
    }

    fn svg(&self, html: &mut String) {
        let axis = Axis::of(self);
        let title = escaped(&self.title);
        let _ = writeln!(
            html,
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}: {}\">",
            escaped(&self.summary())
        );
        for &tick in &axis.ticks {
            let y = axis.y(tick);
            let _ = writeln!(
                html,
                "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{RIGHT}\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 8.0,
                y + 4.0,
                self.value(tick)
            );
        }
        for moment in moments(self.length()) {
            let x = self.x(moment);
            let _ = writeln!(
                html,
                "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                BOTTOM + 20.0,
                clock(moment)
            );
        }
        for (at, what) in self.marks.iter().take(MOST_MARKS) {
            let x = self.x(*at);
            let _ = writeln!(
                html,
                "<path class=\"mark\" d=\"M{x:.1} {TOP}V{BOTTOM}\"><title>{} {}</title></path>",
                clock(*at),
                escaped(what)
            );
        }
        for line in &self.lines {
            let path = self.path(line, &axis);
            let _ = writeln!(html, "<path class=\"line {}\" d=\"{path}\"/>", line.class);
        }
        for group in self.groups() {
            let (from, to) = (self.x(self.spans[group.start].0), self.x(self.spans[group.end - 1].1));
            let _ = writeln!(
                html,
                "<rect class=\"hit\" x=\"{from:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{}\"><title>{}</title></rect>",
                (to - from).max(0.5),
                BOTTOM - TOP,
                escaped(&self.word(group))
            );
        }
        html.push_str("</svg>\n");
    }

    /// Points in the middle of the spans; a gap where there is no value.
    fn path(&self, line: &Line, axis: &Axis) -> String {
        let mut path = String::new();
        let mut is_drawn = false;
        for (&(from, to), value) in self.spans.iter().zip(&line.values) {
            let Some(value) = value else {
                is_drawn = false;
                continue;
            };
            let (x, y) = (self.x((from + to) / 2.0), axis.y(*value));
            // A point without neighbours is seen as well.
            let _ = if is_drawn { write!(path, "L{x:.1} {y:.1}") } else { write!(path, "M{x:.1} {y:.1}h.1") };
            is_drawn = true;
        }
        path
    }

    /// Spans that have a word together.
    fn groups(&self) -> impl Iterator<Item = std::ops::Range<usize>> + use<> {
        let (count, each) = (self.spans.len(), self.spans.len().div_ceil(MOST_WORDS).max(1));
        (0..count).step_by(each).map(move |first| first..(first + each).min(count))
    }

    /// The highest value of a line among some spans.
    fn peak(&self, line: &Line, group: &std::ops::Range<usize>) -> Option<f64> {
        line.values[group.clone()].iter().flatten().copied().reduce(f64::max)
    }

    fn word(&self, group: std::ops::Range<usize>) -> String {
        let mut word = clock(self.spans[group.start].0);
        for line in &self.lines {
            if let Some(value) = self.peak(line, &group) {
                let _ = write!(word, " · {} {}", line.name, self.value(value));
            }
        }
        word
    }

    /// The chart in a sentence, for those who listen.
    fn summary(&self) -> String {
        let lines: Vec<String> = self
            .lines
            .iter()
            .map(|line| format!("{} at most {}", line.name, self.value(line.most())))
            .collect();
        format!("{} in {}", lines.join(", "), clock(self.length()))
    }

    fn table(&self, html: &mut String) {
        html.push_str("<details><summary>The data as a table</summary><div class=\"scroll\"><table><thead><tr><th>from</th>");
        for line in &self.lines {
            let _ = write!(html, "<th>{}</th>", line.name);
        }
        html.push_str("</tr></thead><tbody>\n");
        for group in self.groups() {
            let _ = write!(html, "<tr><td>{}</td>", clock(self.spans[group.start].0));
            for line in &self.lines {
                let value = self.peak(line, &group).map_or("–".to_owned(), |value| self.value(value));
                let _ = write!(html, "<td>{value}</td>");
            }
            html.push_str("</tr>\n");
        }
        html.push_str("</tbody></table></div></details>\n");
    }
}

/// Round moments of a time axis, at most about nine.
pub(super) fn moments(length: f64) -> Vec<f64> {
    const STEPS: [u32; 18] =
        [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400];
    let step =
        STEPS.into_iter().map(f64::from).find(|step| length / step <= 9.0).unwrap_or((length / 8.0).ceil());
    (0..=(length / step) as u32).map(|mark| f64::from(mark) * step).collect()
}
