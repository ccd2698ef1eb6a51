//! Rates and delays over time: a band for each, all bands of a chart to one scale.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::scene::Scene;
use super::spark;
use super::theme::Theme;
use crate::expose::human;
use crate::ledger::timeline::{Bin, Flow};

/// Columns of the words before a band.
const WORDS: u16 = 20;

/// A row of a chart.
struct Band {
    name: &'static str,
    now: String,
    style: Style,
    values: Vec<Option<f64>>,
}

/// What was offered, sent, throttled and lost, per second; the title's words.
pub(super) fn rates(scene: &Scene, theme: Theme, area: Rect, buffer: &mut Buffer) -> String {
    let room = usize::from(area.width.saturating_sub(WORDS));
    let shown = &scene.columns[scene.columns.len().saturating_sub(room)..];
    let values = |count: fn(&Flow) -> u64| shown.iter().map(|bin| rate(bin, count)).collect::<Vec<_>>();
    let progress = &scene.progress;
    let lost = |flow: &Flow| flow.dropped + flow.failed + flow.unknown;
    let all_lost = values(lost);
    let last = |values: &[Option<f64>]| values.last().copied().flatten().unwrap_or_default();
    let bands = [
        Band {
            name: "offered",
            now: human::rate(progress.due_per_second),
            style: theme.offered(),
            values: values(|flow| flow.due),
        },
        Band {
            name: "sent",
            now: human::rate(progress.sent_per_second),
            style: theme.good(),
            values: values(|flow| flow.sent),
        },
        Band {
            name: "throttled",
            now: human::rate(progress.throttled_per_second),
            style: theme.limited(),
            values: values(|flow| flow.throttled),
        },
        Band { name: "lost", now: human::rate(last(&all_lost)), style: theme.lost(), values: all_lost },
    ];
    let top = chart(&bands, area, buffer);
    let longest = shown.iter().map(|bin| bin.to.saturating_sub(bin.from)).max().unwrap_or_default();
    let column = if scene.tenths { "0.1 s".to_owned() } else { whole_seconds(longest) };
    format!(" Records: a column {column}, full {} ", human::rate(top))
}

/// So many per second; none for a bin without length.
fn rate(bin: &Bin, count: fn(&Flow) -> u64) -> Option<f64> {
    let seconds = bin.seconds();
    (seconds > 0.0).then(|| count(&bin.flow) as f64 / seconds)
}

/// A length to the second, one at least.
fn whole_seconds(length: Duration) -> String {
    human::setting(Duration::from_secs(length.as_secs_f64().round().max(1.0) as u64))
}

/// The delivery delay's percentiles; the title's words.
pub(super) fn delays(scene: &Scene, theme: Theme, area: Rect, buffer: &mut Buffer) -> String {
    let room = usize::from(area.width.saturating_sub(WORDS));
    let shown = &scene.delays[scene.delays.len().saturating_sub(room)..];
    let band = |at: usize, name, style| {
        let percentile = |delay: &super::scene::Delay| delay.percentiles.map(|all| all[at].as_secs_f64());
        let values: Vec<Option<f64>> = shown.iter().map(percentile).collect();
        let last = shown.iter().rev().find_map(|delay| delay.percentiles);
        let now = last.map_or_else(|| "–".to_owned(), |all| human::brief(all[at]));
        Band { name, now, style, values }
    };
    let bands =
        [band(0, "p50", theme.good()), band(1, "p90", theme.offered()), band(2, "p99", theme.limited())];
    let top = chart(&bands, area, buffer);
    let column = shown.iter().map(|delay| delay.length).max().unwrap_or_default();
    let column = whole_seconds(column);
    let full = human::brief(Duration::try_from_secs_f64(top).unwrap_or_default());
    format!(" Due to acknowledged: a column {column}, full {full} ")
}

/// Draws the bands one above the other, all to the scale of the highest value, which is the answer.
fn chart(bands: &[Band], area: Rect, buffer: &mut Buffer) -> f64 {
    let top = bands.iter().flat_map(|band| &band.values).flatten().copied().fold(0.0, f64::max);
    let (most, all) = (usize::from(area.height), bands.len());
    // The first bands get the lines that are over; without room for all, the first ones are drawn.
    let mut y = area.y;
    for (at, band) in bands.iter().take(most).enumerate() {
        let height = (most / all + usize::from(at < most % all)).max(1) as u16; // at most the area's
        let words = format!("{:<10}{:>8}", band.name, band.now);
        buffer.set_stringn(area.x, y, words, usize::from(area.width), band.style);
        let bars = Rect::new(area.x + WORDS, y, area.width.saturating_sub(WORDS), height);
        if bars.width > 0 {
            spark::bars(&band.values, top, band.style, bars, buffer);
        }
        y += height;
    }
    top
}
