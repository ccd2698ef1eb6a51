//! Colours, and what stands in for them where there are none: every meaning has a word or a shape as well.

use ratatui::style::{Color, Modifier, Style};

/// How things look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    colour: bool,
}

impl Theme {
    /// With colours or without. They are those of the terminal's own palette, which its user chose.
    #[must_use]
    pub fn new(colour: bool) -> Self {
        Self { colour }
    }

    fn of(self, colour: Color) -> Style {
        if self.colour { Style::new().fg(colour) } else { Style::new() }
    }

    /// What was asked for.
    pub(super) fn offered(self) -> Style {
        self.of(Color::Blue)
    }

    /// What went well.
    pub(super) fn good(self) -> Style {
        self.of(Color::Green)
    }

    /// What a limit refused.
    pub(super) fn limited(self) -> Style {
        self.of(Color::Yellow)
    }

    /// What is lost.
    pub(super) fn lost(self) -> Style {
        self.of(Color::Red).add_modifier(Modifier::BOLD)
    }

    /// What matters less.
    pub(super) fn quiet(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// What matters more.
    pub(super) fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }
}
