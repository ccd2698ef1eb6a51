//! A load over time as a picture: SVG without anything from elsewhere, to be read on light and on dark ground.

use std::fmt::Write as _;

use super::chart::{Chart, number};
use super::human::{self, escaped};

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 320.0;
/// Where the plot begins and ends.
const LEFT: f64 = 84.0;
const RIGHT: f64 = 940.0;
const TOP: f64 = 48.0;
const BOTTOM: f64 = 280.0;

/// Colours with enough contrast on both grounds: the text's follow what the reader's system says.
const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#3d444d}.t{font-size:16px;font-weight:600}\
                     .g{stroke:#8c959f;stroke-opacity:.35}.a{fill:#2f7fd6;fill-opacity:.22}\
                     .l{fill:none;stroke:#2f7fd6;stroke-width:2;stroke-linejoin:round}.p{stroke:#8c959f;stroke-dasharray:4 4}\
                     @media(prefers-color-scheme:dark){text{fill:#c9d1d9}.l{stroke:#58a6ff}.a{fill:#58a6ff}}";

impl Chart {
    /// The chart as a picture.
    #[must_use]
    pub fn svg(&self) -> String {
        let (top, step) = self.top();
        let seconds = self.length.as_secs_f64().max(1e-3);
        let x = |share: f64| LEFT + share * (RIGHT - LEFT);
        let y = |rate: f64| BOTTOM - rate / top * (BOTTOM - TOP);
        let title = escaped(&self.title);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
             aria-label=\"{title}\">\n<style>{STYLE}</style>\n<text class=\"t\" x=\"{LEFT}\" y=\"22\">{title}</text>\n\
             <text x=\"{LEFT}\" y=\"39\">{}</text>\n",
            escaped(&self.unit)
        );
        for mark in 0..=(top / step).round() as u32 {
            let (rate, at) = (f64::from(mark) * step, y(f64::from(mark) * step));
            let _ = writeln!(
                svg,
                "<path class=\"g\" d=\"M{LEFT} {at:.1}H{RIGHT}\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 8.0,
                at + 4.0,
                number(rate)
            );
        }
        for moment in self.moments() {
            let at = x(moment.as_secs_f64() / seconds);
            let _ = writeln!(
                svg,
                "<text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                BOTTOM + 20.0,
                human::span(moment)
            );
        }
        for (index, (begin, name)) in self.phases.iter().enumerate() {
            let at = x(begin.as_secs_f64() / seconds);
            let _ = writeln!(
                svg,
                "<path class=\"p\" d=\"M{at:.1} {TOP}V{BOTTOM}\"/><text x=\"{:.1}\" y=\"{}\">{}</text>",
                at + 4.0,
                // Neighbours that begin close to each other stay legible.
                TOP + 10.0 + 15.0 * (index % 3) as f64,
                escaped(name)
            );
        }
        let line = self.path(x, y);
        let _ = writeln!(
            svg,
            "<path class=\"a\" d=\"M{LEFT} {BOTTOM}L{line}V{BOTTOM}Z\"/><path class=\"l\" d=\"M{line}\"/>"
        );
        let totals: Vec<String> = self.totals.iter().map(|(name, value)| format!("{name} {value}")).collect();
        let _ = writeln!(svg, "<text x=\"{LEFT}\" y=\"316\">{}</text>\n</svg>", escaped(&totals.join(" · ")));
        svg
    }

    /// The line through the middle of each span; what lies on a level is left out.
    fn path(&self, x: impl Fn(f64) -> f64, y: impl Fn(f64) -> f64) -> String {
        let count = self.rates.len();
        let at = |index: usize| {
            // From edge to edge.
            let share = if count > 1 { index as f64 / (count - 1) as f64 } else { 0.0 };
            format!("{:.1} {:.1}", x(share), y(self.rates[index]))
        };
        let level = |index: usize| format!("{:.1}", y(self.rates[index]));
        let kept = (0..count).filter(|&index| {
            let inner = index > 0 && index + 1 < count;
            !(inner && level(index - 1) == level(index) && level(index) == level(index + 1))
        });
        kept.map(at).collect::<Vec<_>>().join("L")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_picture_stands_alone_and_on_any_ground() {
        let chart = Chart {
            title: "a<b & \"c\"".to_owned(),
            unit: "records/s".to_owned(),
            length: Duration::from_secs(60),
            rates: vec![1.0, 1.0, 1.0, 5.0, 2.0],
            phases: vec![(Duration::from_secs(30), "peak".to_owned())],
            totals: vec![("records".to_owned(), "120".to_owned())],
        };
        let svg = chart.svg();
        assert!(svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>\n"));
        for part in
            ["a&lt;b &amp; &quot;c&quot;", "prefers-color-scheme:dark", ">peak<", ">1m<", "records 120"]
        {
            assert!(svg.contains(part), "{part} in {svg}");
        }
        assert!(!svg.contains("href") && !svg.contains("url("), "nothing from elsewhere");
        assert_eq!(svg.matches("NaN").count() + svg.matches("inf").count(), 0);
        assert!(svg.contains("M84.0 233.6L512.0 233.6L726.0 48.0L940.0 187.2"), "{svg}");
    }
}
