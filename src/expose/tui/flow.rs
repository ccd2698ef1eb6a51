//! The ledger as a flow that adds up, and what limits the run.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget, Wrap};

use super::scene::Scene;
use super::theme::Theme;
use crate::expose::human;
use crate::ledger::Snapshot;

/// Lines of the flow.
pub(super) const LINES: u16 = 9;

/// The flow: due is dropped or generated, generated is sent, failed, unknown or in flight.
pub(super) fn flow(scene: &Scene, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let counts = &scene.counts;
    let wide = human::grouped(counts.due.max(counts.throttled)).chars().count();
    let plain = ratatui::style::Style::new();
    let lost = |count: u64| if count > 0 { theme.lost() } else { plain };
    let (dropped, failed, unknown) = (counts.dropped.total(), counts.failed.total(), counts.unknown.total());
    let row = |name: &str, count: u64, style, whole: Option<u64>| {
        let share = whole.filter(|whole| *whole > 0).map_or(String::new(), |whole| {
            // More than all is no share; a law that is broken is told below.
            if count <= whole { format!("  {:>7}", human::share(count, whole)) } else { String::new() }
        });
        Line::from(vec![
            Span::raw(format!("{name:<14}")),
            Span::styled(format!("{:>wide$}", human::grouped(count)), style),
            Span::styled(share, theme.quiet()),
        ])
    };
    let (due, generated) = (Some(counts.due), Some(counts.generated));
    let lines = vec![
        row("due", counts.due, theme.offered(), None),
        row("├ dropped", dropped, lost(dropped), due),
        row("└ generated", counts.generated, plain, due),
        row("  ├ sent", counts.sent, theme.good(), generated),
        row("  ├ failed", failed, lost(failed), generated),
        row("  ├ unknown", unknown, lost(unknown), generated),
        row("  └ in flight", counts.in_flight, plain, generated),
        row("throttled", counts.throttled, if counts.throttled > 0 { theme.limited() } else { plain }, None),
        sum(counts, theme),
    ];
    Paragraph::new(lines).render(area, buffer);
}

/// Whether the numbers above add up: a defect is not to be overlooked.
fn sum(counts: &Snapshot, theme: Theme) -> Line<'static> {
    match counts.law() {
        Ok(()) => Line::styled("every record adds up", theme.quiet()),
        Err(_) => Line::styled("THE COUNTS DO NOT ADD UP: a defect", theme.lost()),
    }
}

/// What limits the run, wrapped.
pub(super) fn limit(scene: &Scene, area: Rect, buffer: &mut Buffer) {
    Paragraph::new(scene.limit.as_str()).wrap(Wrap { trim: true }).render(area, buffer);
}
