//! From a moment of a run to the bytes that a terminal is sent: only what changed since the last one.
//!
//! Writes nothing itself; the console does, behind its bounded queue.

use std::io;

use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::scene::Scene;
use super::theme::Theme;

/// Begins a screen of its own, without a cursor, and leaves what is there as it is (xterm's private modes 1049, 25).
pub const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[2J";

/// Back to what was there before, with a cursor and in plain letters.
pub const LEAVE: &[u8] = b"\x1b[0m\x1b[?25h\x1b[?1049l";

/// Clears the screen.
const CLEAR: &[u8] = b"\x1b[0m\x1b[2J";

/// What the terminal shows now.
#[derive(Debug)]
pub struct Painter {
    theme: Theme,
    shown: Option<Buffer>,
}

impl Painter {
    /// A screen of which nothing is known yet.
    #[must_use]
    pub fn new(theme: Theme) -> Self {
        Self { theme, shown: None }
    }

    /// What the terminal shows is not known any more: the next moment is drawn whole.
    pub fn forget(&mut self) {
        self.shown = None;
    }

    /// The bytes that make a terminal of `width` columns and `height` lines show `scene`.
    ///
    /// # Errors
    /// Never: a `Vec` takes all.
    pub fn paint(&mut self, scene: &Scene, (width, height): (u16, u16)) -> io::Result<Vec<u8>> {
        let area = Rect::new(0, 0, width, height);
        let mut next = Buffer::empty(area);
        super::draw(scene, self.theme, area, &mut next);
        let mut bytes = Vec::new();
        let before = match self.shown.take().filter(|shown| shown.area == area) {
            Some(shown) => shown,
            None => {
                bytes.extend_from_slice(CLEAR);
                Buffer::empty(area)
            }
        };
        let changes = before.diff(&next);
        CrosstermBackend::new(&mut bytes).draw(changes.into_iter())?;
        self.shown = Some(next);
        Ok(bytes)
    }
}
