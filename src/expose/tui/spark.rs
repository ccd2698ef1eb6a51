//! Columns over time: a row of values as bars of eighths of a line, the newest at the right.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// One to eight eighths of a line.
const EIGHTHS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// Draws the last of `values` as bars up to `top`, the newest in the last column. What is more than nothing is always
/// seen: one record lost among a hundred thousand is an eighth high. None is a column of which nothing is known.
pub(super) fn bars(values: &[Option<f64>], top: f64, style: Style, area: Rect, buffer: &mut Buffer) {
    let (width, height) = (usize::from(area.width), u32::from(area.height));
    let shown = &values[values.len().saturating_sub(width)..];
    let from = area.right() - shown.len() as u16; // at most the width
    for (x, value) in (from..).zip(shown) {
        let Some(value) = value.filter(|value| *value > 0.0) else { continue };
        let share = if top > 0.0 { (value / top).min(1.0) } else { 1.0 };
        let mut eighths = ((share * f64::from(height) * 8.0).round() as u32).max(1);
        for y in (area.top()..area.bottom()).rev() {
            let here = eighths.min(8);
            if here == 0 {
                break;
            }
            buffer[(x, y)].set_symbol(EIGHTHS[here as usize - 1]).set_style(style);
            eighths -= here;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(values: &[Option<f64>], top: f64, width: u16, height: u16) -> Vec<String> {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        bars(values, top, Style::new(), area, &mut buffer);
        let row = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect();
        (0..height).map(row).collect()
    }

    #[test]
    fn the_newest_value_is_at_the_right_and_the_oldest_are_left_out() {
        let values = [8.0, 1.0, 4.0, 8.0].map(Some);
        assert_eq!(drawn(&values, 8.0, 3, 1), ["▁▄█"]);
        assert_eq!(drawn(&values, 8.0, 6, 1), ["  █▁▄█"]);
        assert_eq!(drawn(&values, 16.0, 4, 2), ["    ", "█▁▄█"]);
        assert_eq!(drawn(&values, 8.0, 4, 2), ["█  █", "█▂██"]);
    }

    #[test]
    fn the_smallest_value_is_seen_and_none_is_not() {
        assert_eq!(drawn(&[Some(1e-9), Some(0.0), None, Some(1e9)], 1e6, 4, 1), ["▁  █"]);
        assert_eq!(drawn(&[Some(1.0)], 0.0, 1, 1), ["█"]);
        assert_eq!(drawn(&[Some(1.0)], 1.0, 0, 0), [""; 0]);
    }
}
