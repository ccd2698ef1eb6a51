//! One output for lines that stay and one line that is rewritten in place.
//!
//! Decides the bytes: the live line is cleared before anything else is written and drawn again after it, so
//! the two never mix. Knows neither threads nor what the lines say.

use std::io::{self, Write};

use super::held::{Held, Pane};

/// Clears the line that the cursor is in, and goes to its start (ECMA-48: CR, EL 2).
const CLEAR: &[u8] = b"\r\x1b[2K";

/// What an output can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal {
    /// Whether a line can be rewritten in place.
    pub live: bool,
    /// Whether colours are wanted and shown.
    pub colour: bool,
    /// Characters in a line; none where no line is too long.
    pub width: Option<usize>,
}

impl Terminal {
    /// A terminal's width where nobody tells it.
    pub const WIDTH: usize = 100;

    /// A pipe or a file: plain lines of any length.
    pub const PLAIN: Self = Self { live: false, colour: false, width: None };

    /// What an output can show that `is_terminal` or not, with the values of `NO_COLOR` (any text but the
    /// empty one counts, <https://no-color.org>) and `TERM`, and the width where it is known.
    #[must_use]
    pub fn new(is_terminal: bool, no_color: Option<&str>, term: Option<&str>, width: Option<usize>) -> Self {
        if !is_terminal {
            return Self::PLAIN;
        }
        let width = Some(width.unwrap_or(Self::WIDTH));
        let able = term != Some("dumb");
        Self { live: able, colour: able && no_color.is_none_or(str::is_empty), width }
    }
}

/// An output with a live line at its end.
#[derive(Debug)]
pub(super) struct Screen<W> {
    out: W,
    live: String,
    /// Whether the live line is to be seen now.
    drawn: bool,
    /// Whether the last line written has its end.
    ended: bool,
    /// What waits while something else has the whole screen.
    held: Option<Held>,
}

impl<W: Write> Screen<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, live: String::new(), drawn: false, ended: true, held: None }
    }

    /// Writes text that stays. While its last line has no end, the live line is away.
    pub(super) fn write(&mut self, text: &[u8]) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        if let Some(held) = &mut self.held {
            held.keep(text);
            return Ok(());
        }
        self.clear()?;
        self.out.write_all(text)?;
        self.ended = text.ends_with(b"\n");
        self.draw()?;
        self.out.flush()
    }

    /// Shows `line` as the live line; an empty one takes it away.
    pub(super) fn live(&mut self, line: String) -> io::Result<()> {
        if self.held.is_some() {
            self.live = line;
            return Ok(());
        }
        self.clear()?;
        self.live = line;
        self.draw()?;
        self.out.flush()
    }

    /// The whole screen is given away by `bytes`: what is written waits from now on, and is seen in `pane`.
    pub(super) fn give(&mut self, bytes: &[u8], pane: Pane) -> io::Result<()> {
        self.clear()?;
        self.held.get_or_insert_with(|| Held::new(pane));
        self.out.write_all(bytes)?;
        self.out.flush()
    }

    /// Bytes for who has the whole screen; nobody's else.
    pub(super) fn paint(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.held.is_none() {
            return Ok(());
        }
        self.out.write_all(bytes)?;
        self.out.flush()
    }

    /// The screen is taken back by `bytes`, and what waited is written. Does nothing when it is not given away.
    pub(super) fn take_back(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(held) = self.held.take() else { return Ok(()) };
        self.out.write_all(bytes)?;
        let waited = held.all();
        if waited.is_empty() {
            self.draw()?;
            return self.out.flush();
        }
        self.write(&waited)
    }

    fn clear(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.drawn) { self.out.write_all(CLEAR) } else { Ok(()) }
    }

    fn draw(&mut self) -> io::Result<()> {
        if self.live.is_empty() || !self.ended {
            return Ok(());
        }
        self.drawn = true;
        self.out.write_all(self.live.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn written(steps: impl FnOnce(&mut Screen<&mut Vec<u8>>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        steps(&mut Screen::new(&mut out)).expect("a Vec takes all");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn a_log_line_clears_the_live_line_and_draws_it_again() {
        let bytes = written(|screen| {
            screen.live("one".to_owned())?;
            screen.live("two".to_owned())?;
            screen.write(b"log\n")?;
            screen.live(String::new())?;
            screen.write(b"end\n")
        });
        assert_eq!(bytes, "one\r\x1b[2Ktwo\r\x1b[2Klog\ntwo\r\x1b[2Kend\n");
    }

    #[test]
    fn the_live_line_waits_for_the_end_of_a_line_written_in_parts() {
        let bytes = written(|screen| {
            screen.live("live".to_owned())?;
            screen.write(b"half")?;
            screen.live("later".to_owned())?;
            screen.write(b" whole\n")
        });
        assert_eq!(bytes, "live\r\x1b[2Khalf whole\nlater");
    }

    #[test]
    fn what_is_written_waits_while_the_whole_screen_is_given_away() {
        let pane = Pane::default();
        let bytes = written(|screen| {
            screen.live("live".to_owned())?;
            screen.paint(b"nobody has it")?;
            screen.give(b"<", pane.clone())?;
            screen.write(b"one\n")?;
            screen.live("later".to_owned())?;
            screen.paint(b"frame")?;
            screen.write(b"two\n")?;
            screen.take_back(b">")?;
            screen.take_back(b">")?;
            screen.write(b"three\n")
        });
        assert_eq!(bytes, "live\r\x1b[2K<frame>one\ntwo\nlater\r\x1b[2Kthree\nlater");
        assert_eq!(pane.lines(), ["one", "two"]);
    }

    #[test]
    fn colours_and_the_live_line_need_a_terminal_that_can() {
        assert_eq!(Terminal::new(false, None, Some("xterm"), Some(80)), Terminal::PLAIN);
        let full = Terminal { live: true, colour: true, width: Some(100) };
        assert_eq!(Terminal::new(true, None, Some("xterm"), None), full);
        assert_eq!(Terminal::new(true, Some(""), None, None), full);
        assert_eq!(Terminal::new(true, Some("1"), None, None), Terminal { colour: false, ..full });
        let dumb = Terminal { live: false, colour: false, width: Some(80) };
        assert_eq!(Terminal::new(true, None, Some("dumb"), Some(80)), dumb);
    }

    proptest! {
        // Whatever is written in whatever order: a reader that obeys "clear this line" sees every written
        // line whole and in order, and behind them the live line alone.
        #[test]
        fn a_terminal_shows_the_lines_whole_and_the_live_line_last(steps in vec((any::<bool>(), "[a-z]{0,9}"), 0..40)) {
            let (mut lines, mut live) = (Vec::new(), String::new());
            let bytes = written(|screen| {
                for (log, text) in &steps {
                    if *log {
                        lines.push(text.clone());
                        screen.write(format!("{text}\n").as_bytes())?;
                    } else {
                        live.clone_from(text);
                        screen.live(text.clone())?;
                    }
                }
                Ok(())
            });
            lines.push(live);
            let shown: Vec<String> = bytes
                .split('\n')
                .map(|line| line.rsplit("\r\x1b[2K").next().unwrap_or(line).to_owned())
                .collect();
            prop_assert_eq!(shown, lines);
        }
    }
}
