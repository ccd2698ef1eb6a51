//! The whole terminal: charts, shards, the ledger as a flow, the log, and what the keys do.
//!
//! Decides what is drawn where, as a function of a [`Scene`] and the size of the terminal, into a buffer of `ratatui`.
//! Reads no key, no clock and no terminal, and counts nothing.

mod charts;
mod flow;
mod heat;
mod painter;
mod scene;
mod spark;
mod steer;
mod theme;

use ratatui::buffer::Buffer;
use ratatui::layout::{Alignment, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph, Widget};

pub use painter::{ENTER, LEAVE, Painter};
pub use scene::{Delay, Scene, ShardNow, columns};
pub use steer::{Helm, Press, Steer, Steering, meanings, press};
pub use theme::Theme;

use super::{Phase, human};

/// From this size on the panes stand in two columns.
const WIDE: u16 = 80;

/// Columns that the ledger needs.
const LEDGER: u16 = 38;

/// Below this size there are no panes, only lines.
const SMALL: (u16, u16) = (40, 12);

/// Lines that the log has at most.
const MOST_LOG: u16 = 10;

/// Draws a moment of a run.
pub fn draw(scene: &Scene, theme: Theme, area: Rect, buffer: &mut Buffer) {
    if area.width == 0 || area.height == 0 {
        return;
    }
    if area.width < SMALL.0 || area.height < SMALL.1 {
        return small(scene, theme, area, buffer);
    }
    let head = head(scene, theme, area, buffer);
    let body = Rect { y: area.y + head, height: area.height - head - 1, ..area };
    foot(scene, theme, Rect { y: area.bottom() - 1, height: 1, ..area }, buffer);
    if area.width >= WIDE {
        two_columns(scene, theme, body, buffer)
    } else {
        one_column(scene, theme, body, buffer)
    }
    if scene.help {
        help(scene, theme, body, buffer);
    }
}

/// What most matters, in lines, where there is no room for more.
fn small(scene: &Scene, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let (counts, progress) = (&scene.counts, &scene.progress);
    let lost = counts.dropped.total() + counts.failed.total() + counts.unknown.total();
    let rows = [
        (format!("{} {}", phase(scene), human::clock(progress.elapsed)), theme.strong()),
        (
            format!("sent {} {}", human::grouped(counts.sent), human::rate(progress.sent_per_second)),
            theme.good(),
        ),
        (format!("lost {}", human::grouped(lost)), if lost > 0 { theme.lost() } else { theme.quiet() }),
        (format!("due {}", human::grouped(counts.due)), theme.offered()),
        (format!("throttled {}", human::grouped(counts.throttled)), theme.limited()),
        (format!("in flight {}", human::grouped(counts.in_flight)), theme.quiet()),
        ("q stop".to_owned(), theme.quiet()),
    ];
    for (y, (words, style)) in (area.y..area.bottom()).zip(rows) {
        buffer.set_stringn(area.x, y, words, usize::from(area.width), style);
    }
}

/// Where the run stands, in a word.
fn phase(scene: &Scene) -> &'static str {
    match scene.steering {
        Some(Steering { paused: true, .. }) if scene.phase == Phase::Running => "PAUSED",
        _ => scene.phase.word(),
    }
}

/// The first lines: whose run this is, how far it is. How many lines they are.
fn head(scene: &Scene, theme: Theme, area: Rect, buffer: &mut Buffer) -> u16 {
    let line = Rect { height: 1, ..area };
    let title = Line::from(vec![
        Span::styled("kinesis-streamer", theme.strong()),
        Span::raw(format!("  {}", scene.stream)),
    ]);
    title.render(line, buffer);
    let factor = scene.steering.filter(|steering| steering.factor != 1_000);
    let factor =
        factor.map_or(String::new(), |steering| format!("load × {}  ", steering.factor as f64 / 1_000.0));
    let stands = format!("{factor}{} {}", phase(scene), human::clock(scene.progress.elapsed));
    Line::styled(stands, theme.strong()).alignment(Alignment::Right).render(line, buffer);
    let Some(course) = scene.course else { return 1 };
    let left = course.left.map_or(String::new(), |left| format!("  {} left", human::clock(left)));
    let words = format!(" {:>3} %{left}", course.percent());
    let room = area.width.saturating_sub(words.chars().count() as u16); // at most some thirty
    let done = (f64::from(room) * course.done) as u16;
    for x in 0..room {
        let (symbol, style) = if x < done { ("━", theme.good()) } else { ("╌", theme.quiet()) };
        buffer[(area.x + x, area.y + 1)].set_symbol(symbol).set_style(style);
    }
    buffer.set_stringn(area.x + room, area.y + 1, words, usize::from(area.width - room), theme.strong());
    2
}

/// The last line: what the keys do.
fn foot(scene: &Scene, theme: Theme, area: Rect, buffer: &mut Buffer) {
    if !scene.keys {
        let words = "keys can't be read here: Ctrl-C or a signal stops";
        buffer.set_stringn(area.x, area.y, words, usize::from(area.width), theme.quiet());
        return;
    }
    let mut words = Vec::new();
    for (key, meaning) in meanings(scene.steering, scene.phase == Phase::Draining) {
        words.push(Span::styled(format!(" {key} "), theme.strong()));
        words.push(Span::styled(format!("{meaning}  "), theme.quiet()));
    }
    Line::from(words).render(area, buffer);
}

/// A frame with a title; what is inside of it.
fn pane(title: &str, theme: Theme, area: Rect, buffer: &mut Buffer) -> Rect {
    // Half a number would be another one: a title that finds no room is its first words alone.
    let fits = title.chars().count() <= usize::from(area.width.saturating_sub(2));
    let title =
        if fits { title.to_owned() } else { title.split(':').next().unwrap_or_default().to_owned() + " " };
    let block = Block::bordered().border_style(theme.quiet()).title(title);
    let inside = block.inner(area);
    block.render(area, buffer);
    inside
}

/// A frame whose title is known when its content is drawn.
fn drawn(theme: Theme, area: Rect, buffer: &mut Buffer, content: impl FnOnce(Rect, &mut Buffer) -> String) {
    if area.height < 3 || area.width < 3 {
        return;
    }
    let title = content(Block::bordered().inner(area), buffer);
    pane(&title, theme, area, buffer);
}

fn two_columns(scene: &Scene, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let flow = flow::LINES + 2;
    let log = (area.height.saturating_sub(flow) / 3).min(MOST_LOG);
    let log = if log < 3 { 0 } else { log };
    let upper = Rect { height: area.height - log, ..area };
    let left_width = (area.width * 58 / 100).min(area.width - LEDGER);
    let left = Rect { width: left_width, ..upper };
    let right = Rect { x: area.x + left_width, width: area.width - left_width, ..upper };
    let [rates, delays] = above(left, left.height * 4 / 7);
    drawn(theme, rates, buffer, |inside, buffer| charts::rates(scene, theme, inside, buffer));
    drawn(theme, delays, buffer, |inside, buffer| charts::delays(scene, theme, inside, buffer));
    let [ledger, rest] = above(right, flow);
    flow::flow(scene, theme, pane(" The ledger ", theme, ledger, buffer), buffer);
    let [limit, shards] = above(rest, limit_lines(scene, rest.width).min(rest.height));
    if limit.height >= 3 {
        flow::limit(scene, pane(" What limits now ", theme, limit, buffer), buffer);
    }
    drawn(theme, shards, buffer, |inside, buffer| heat::shards(scene, theme, inside, buffer));
    self::log(scene, theme, Rect { y: upper.bottom(), height: log, ..area }, buffer);
}

fn one_column(scene: &Scene, theme: Theme, area: Rect, buffer: &mut Buffer) {
    // In the order of what matters: what finds no room is left out.
    let [ledger, rest] = above(area, (flow::LINES + 2).min(area.height));
    flow::flow(scene, theme, pane(" The ledger ", theme, ledger, buffer), buffer);
    let [limit, rest] = above(rest, limit_lines(scene, rest.width).min(rest.height));
    if limit.height >= 3 {
        flow::limit(scene, pane(" What limits now ", theme, limit, buffer), buffer);
    }
    let [rates, rest] = above(rest, if rest.height >= 12 { rest.height / 3 } else { rest.height.min(6) });
    drawn(theme, rates, buffer, |inside, buffer| charts::rates(scene, theme, inside, buffer));
    let [delays, rest] = above(rest, rest.height.min(5));
    drawn(theme, delays, buffer, |inside, buffer| charts::delays(scene, theme, inside, buffer));
    let [shards, rest] = above(rest, rest.height / 2);
    drawn(theme, shards, buffer, |inside, buffer| heat::shards(scene, theme, inside, buffer));
    log(scene, theme, rest, buffer);
}

/// Lines that the words on the limit need, with their frame.
fn limit_lines(scene: &Scene, width: u16) -> u16 {
    let room = usize::from(width.saturating_sub(2)).max(1);
    // Words are not cut, so a line may be short of its end by a word; a line more is enough for some.
    let lines =
        scene.limit.chars().count().div_ceil(room) + usize::from(scene.limit.chars().count() > room / 2 * 3);
    lines.clamp(1, 4) as u16 + 2
}

/// The upper `height` lines of an area, and the rest.
fn above(area: Rect, height: u16) -> [Rect; 2] {
    let height = height.min(area.height);
    [Rect { height, ..area }, Rect { y: area.y + height, height: area.height - height, ..area }]
}

/// The last lines of the log.
fn log(scene: &Scene, theme: Theme, area: Rect, buffer: &mut Buffer) {
    if area.height < 3 {
        return;
    }
    let inside = pane(" Log ", theme, area, buffer);
    let from = scene.log.len().saturating_sub(usize::from(inside.height));
    for (y, line) in (inside.y..).zip(&scene.log[from..]) {
        buffer.set_stringn(inside.x, y, line, usize::from(inside.width), ratatui::style::Style::new());
    }
}

/// What the keys do and what the words mean, over everything else.
fn help(scene: &Scene, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let mut lines: Vec<Line<'_>> = meanings(scene.steering, scene.phase == Phase::Draining)
        .into_iter()
        .map(|(key, meaning)| {
            Line::from(vec![Span::styled(format!("{key:>7}  "), theme.strong()), Span::raw(meaning)])
        })
        .collect();
    lines.push(Line::raw(""));
    lines.extend(WORDS.iter().map(|(word, meaning)| {
        Line::from(vec![Span::styled(format!("{word:>9}  "), theme.strong()), Span::raw(*meaning)])
    }));
    if scene.steering.is_none() {
        lines.push(Line::raw(""));
        lines.push(Line::styled("This run can be stopped, and not be steered.", theme.quiet()));
    }
    let width = (lines.iter().map(Line::width).max().unwrap_or_default() as u16 + 4).min(area.width);
    let height = (lines.len() as u16 + 2).min(area.height); // some twenty
    let window =
        Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    Clear.render(window, buffer);
    Paragraph::new(lines).render(pane(" Help ", theme, window, buffer), buffer);
}

/// The words of the screen.
const WORDS: [(&str, &str); 8] = [
    ("due", "the schedule asked for it"),
    ("dropped", "due and never made: no room, or too late"),
    ("sent", "Kinesis answered with a sequence number"),
    ("failed", "given up, certainly not stored"),
    ("unknown", "given up, perhaps stored"),
    ("in flight", "made and not settled yet"),
    ("throttled", "refused for a limit, in every attempt"),
    ("lost", "dropped, failed and unknown together"),
];

#[cfg(test)]
mod tests;
