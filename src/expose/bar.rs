//! The progress bar of a run that has an end, as `indicatif` draws it, in a text of ours.
//!
//! indicatif would write to the terminal itself, whenever it likes; here the console alone does. So the bar draws on a
//! line that only remembers, and the live line takes the text along.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

use super::course::Course;
use super::human;

/// Columns of the bar without its brackets.
const WIDTH: u16 = 12;

/// The bar in steps that indicatif counts, so that its eighths of a column are all used.
const STEPS: u64 = 10_000;

/// A line that is drawn on and never shown.
#[derive(Debug, Clone, Default)]
struct Paper(Arc<Mutex<String>>);

impl Paper {
    fn with<T>(&self, look: impl FnOnce(&mut String) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl TermLike for Paper {
    fn width(&self) -> u16 {
        // Wide enough that indicatif never cuts.
        WIDTH * 4
    }
    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)
    }
    fn write_str(&self, text: &str) -> io::Result<()> {
        self.with(|line| line.push_str(text));
        Ok(())
    }
    fn clear_line(&self) -> io::Result<()> {
        self.with(String::clear);
        Ok(())
    }
    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

/// A bar of the live line.
#[derive(Debug)]
pub struct Bar {
    bar: ProgressBar,
    paper: Paper,
}

impl Default for Bar {
    fn default() -> Self {
        let paper = Paper::default();
        let bar = ProgressBar::with_draw_target(
            Some(STEPS),
            ProgressDrawTarget::term_like(Box::new(paper.clone())),
        );
        let style = ProgressStyle::with_template(&format!("[{{bar:{WIDTH}}}]"));
        let style = style.expect("the template is fixed, and a test draws it");
        bar.set_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
        Self { bar, paper }
    }
}

impl Bar {
    /// The bar, and apart from it percent and the time that is left: `[███▏        ]` and `25 %  0:03:45 left`.
    pub fn text(&self, course: &Course) -> (String, String) {
        let left = course.left.map_or_else(String::new, |left| format!("  {} left", human::clock(left)));
        self.bar.set_position((course.done.clamp(0.0, 1.0) * STEPS as f64) as u64);
        // Setting a position draws at a bounded rate; this draws for certain.
        self.paper.with(String::clear);
        self.bar.tick();
        (self.paper.with(|line| line.trim_end().to_owned()), format!("{:>3} %{left}", course.percent()))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_bar_reads_like_this() {
        let bar = Bar::default();
        let left = Some(Duration::from_secs(225));
        for (done, left, text) in [
            (0.0, None, "[            ]   0 %"),
            (0.25, left, "[███▏        ]  25 %  0:03:45 left"),
            (0.53, left, "[██████▍     ]  53 %  0:03:45 left"),
            (0.99999, Some(Duration::ZERO), "[███████████▉]  99 %  0:00:00 left"),
            (1.0, Some(Duration::ZERO), "[████████████] 100 %  0:00:00 left"),
            // A run never goes back, but a bar would show it if it did.
            (0.5, None, "[██████▏     ]  50 %"),
        ] {
            let (bar, words) = bar.text(&Course { done, left });
            assert_eq!(format!("{bar} {words}"), text);
        }
    }

    #[test]
    fn a_bar_that_is_asked_without_a_pause_is_never_behind() {
        let bar = Bar::default();
        for percent in 0..=100 {
            let text = bar.text(&Course { done: f64::from(percent) / 100.0 + 1e-9, left: None });
            assert_eq!(text.1.trim(), format!("{percent} %"));
            assert_eq!(text.0.matches('█').count(), percent as usize * usize::from(WIDTH) / 100);
        }
    }
}
