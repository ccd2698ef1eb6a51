//! What is written while a program has the whole terminal: it waits, and its last lines are shown in a pane meanwhile.
//!
//! Decides how much waits. Writes nothing.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Most pieces of text that wait; of more, the oldest are left out, and their number is told.
const MOST_HELD: usize = 10_000;

/// Lines of the pane.
const MOST_SHOWN: usize = 100;

/// The last lines, for whoever shows them. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Pane(Arc<Mutex<VecDeque<String>>>);

impl Pane {
    /// The last lines, oldest first, without colours.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn add(&self, text: &[u8]) {
        let text = plain(&String::from_utf8_lossy(text));
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for line in text.lines() {
            if lines.len() == MOST_SHOWN {
                lines.pop_front();
            }
            lines.push_back(line.to_owned());
        }
    }
}

/// Text that waits for the terminal to be given back.
#[derive(Debug, Default)]
pub(super) struct Held {
    pieces: VecDeque<Vec<u8>>,
    left_out: u64,
    pane: Pane,
}

impl Held {
    pub(super) fn new(pane: Pane) -> Self {
        Self { pane, ..Self::default() }
    }

    pub(super) fn keep(&mut self, text: &[u8]) {
        self.pane.add(text);
        if self.pieces.len() == MOST_HELD {
            self.pieces.pop_front();
            self.left_out += 1;
        }
        self.pieces.push_back(text.to_vec());
    }

    /// All that waited, in order.
    pub(super) fn all(self) -> Vec<u8> {
        let mut all = match self.left_out {
            0 => Vec::new(),
            some => {
                format!("(the first {some} pieces of the log found no room while the screen was shown)\n")
                    .into_bytes()
            }
        };
        all.extend(self.pieces.into_iter().flatten());
        all
    }
}

/// A text without colours (ECMA-48: CSI, parameters, a final byte from @ on) and without whatever else steers a
/// terminal.
fn plain(text: &str) -> String {
    let mut letters = text.chars().peekable();
    let mut out = String::with_capacity(text.len());
    while let Some(letter) = letters.next() {
        match letter {
            '\x1b' if letters.next_if_eq(&'[').is_some() => {
                letters.by_ref().find(|letter| ('@'..='~').contains(letter));
            }
            '\n' => out.push('\n'),
            '\t' => out.push(' '),
            letter if letter.is_control() => {}
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pane_has_the_last_lines_without_colours() {
        let pane = Pane::default();
        let mut held = Held::new(pane.clone());
        for line in 0..150 {
            held.keep(format!("\x1b[2mline\x1b[0m\t{line}\r\x07\n").as_bytes());
        }
        let lines = pane.lines();
        assert_eq!((lines.len(), lines[0].as_str(), lines[99].as_str()), (100, "line 50", "line 149"));
        let all = String::from_utf8(held.all()).expect("text");
        assert!(all.starts_with("\x1b[2mline\x1b[0m\t0\r\x07\n") && all.lines().count() == 150);
    }

    #[test]
    fn what_waits_is_bounded_and_what_is_left_out_is_told() {
        let mut held = Held::default();
        (0..MOST_HELD + 3).for_each(|line| held.keep(format!("{line}\n").as_bytes()));
        let all = String::from_utf8(held.all()).expect("text");
        assert!(all.starts_with("(the first 3 pieces "), "{}", &all[..80]);
        assert!(all.lines().nth(1) == Some("3") && all.ends_with(&format!("\n{}\n", MOST_HELD + 2)));
    }

    #[test]
    fn half_a_sequence_is_no_text() {
        assert_eq!(plain("a\x1b[31"), "a");
        assert_eq!(plain("a\x1bb"), "ab");
        assert_eq!(plain("\u{9b}31m µs"), "31m µs");
    }
}
