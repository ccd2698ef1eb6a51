//! The shards of the last second: a bar for each while they are few, else a map in which a cell is one or several.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::scene::{Scene, ShardNow};
use super::theme::Theme;
use crate::expose::human;

/// From a little to as much as the busiest.
const SHADES: [&str; 4] = ["░", "▒", "▓", "█"];

/// Columns of the words of a bar.
const WORDS: u16 = 34;

/// Draws the shards; the title's words.
pub(super) fn shards(scene: &Scene, theme: Theme, area: Rect, buffer: &mut Buffer) -> String {
    let shards = &scene.shards;
    let throttling = shards.iter().filter(|shard| shard.throttled > 0).count();
    if shards.is_empty() {
        return " Shards: nothing was sent yet ".to_owned();
    }
    let few = shards.len() <= usize::from(area.height);
    let each = if few {
        list(shards, scene.lately.as_secs_f64(), theme, area, buffer);
        1
    } else {
        maps(shards, theme, area, buffer)
    };
    let cell = if each > 1 { format!(", a cell is {each}") } else { String::new() };
    let words = match throttling {
        0 => String::new(),
        _ => format!(", {} throttling", human::grouped(throttling as u64)),
    };
    format!(" {}{cell}{words} ", human::counted(shards.len() as u64, "shard"))
}

/// A line for each shard: how much it took, what share of all, what it refused.
fn list(shards: &[ShardNow], seconds: f64, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let all: u64 = shards.iter().map(|shard| shard.sent).sum();
    let most = shards.iter().map(|shard| shard.sent).max().unwrap_or_default();
    let rate = |count: u64| human::rate(if seconds > 0.0 { count as f64 / seconds } else { 0.0 });
    for (y, shard) in (area.y..area.bottom()).zip(shards) {
        let name = shard.shard.map_or_else(|| "?".to_owned(), |shard| shard.0.to_string());
        let share = if all == 0 { String::new() } else { human::share(shard.sent, all) };
        let sent = rate(shard.sent);
        let words = format!("{name:>4} {sent:>7} {share:>8} ");
        buffer.set_stringn(area.x, y, &words, usize::from(area.width), Style::new());
        if shard.throttled > 0 {
            let refused = format!("✗ {}", rate(shard.throttled));
            let x = area.x + words.chars().count() as u16; // some twenty
            let room = usize::from(area.right().saturating_sub(x));
            buffer.set_stringn(x.min(area.right()), y, refused, room, theme.limited());
        }
        let room = area.width.saturating_sub(WORDS);
        let full =
            if most == 0 { 0 } else { u64::from(room).saturating_mul(shard.sent).div_ceil(most) as u16 };
        for x in 0..full.min(room) {
            buffer[(area.x + WORDS + x, y)].set_symbol("█").set_style(theme.good());
        }
    }
}

/// Two maps, one above the other: what was sent, and, where anything was, what was throttled. How many shards a cell
/// is at most.
fn maps(shards: &[ShardNow], theme: Theme, area: Rect, buffer: &mut Buffer) -> usize {
    let refuses = shards.iter().any(|shard| shard.throttled > 0) && area.height >= 2;
    let above = if refuses { area.height.div_ceil(2) } else { area.height };
    let (sent, throttled) =
        (Rect { height: above, ..area }, Rect { y: area.y + above, height: area.height - above, ..area });
    let each = map("sent", shards.iter().map(|shard| shard.sent).collect(), theme.good(), sent, buffer);
    if refuses {
        let counts = shards.iter().map(|shard| shard.throttled).collect();
        return map("✗", counts, theme.limited(), throttled, buffer).max(each);
    }
    each
}

/// The shards in rows, as many to a cell as must be (the answer): a cell shows the one that did most.
fn map(name: &str, counts: Vec<u64>, style: Style, area: Rect, buffer: &mut Buffer) -> usize {
    let words = format!("{name:<5}");
    buffer.set_stringn(area.x, area.y, &words, usize::from(area.width), style);
    let left = words.chars().count() as u16; // five
    let (columns, rows) = (usize::from(area.width.saturating_sub(left)), usize::from(area.height));
    let cells = columns * rows;
    if cells == 0 {
        return 1;
    }
    let each = counts.len().div_ceil(cells);
    let most = counts.iter().copied().max().unwrap_or_default();
    for (at, some) in counts.chunks(each).enumerate() {
        let count = some.iter().copied().max().unwrap_or_default();
        let symbol = match count {
            0 => "·",
            // 1 to 4 quarters of the most, which is at least this.
            _ => SHADES[count.saturating_mul(4).div_ceil(most) as usize - 1],
        };
        let (x, y) = (at % columns, at / columns);
        buffer[(area.x + left + x as u16, area.y + y as u16)].set_symbol(symbol).set_style(style);
    }
    each
}
