//! What keys mean, and what a run that goes on lets itself be told.
//!
//! Decides nothing about the run: a wish goes to its [`Helm`], and what stands is asked of it.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// A change of a run that goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Steer {
    /// Nothing becomes due until it is resumed.
    Pause,
    /// The schedule goes on.
    Resume,
    /// The load is so many thousandths of what was planned.
    Rate(u64),
    /// The next phase of the profile begins.
    NextPhase,
}

/// How a run stands that can be steered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steering {
    /// Whether it is paused.
    pub paused: bool,
    /// The load in thousandths of what was planned.
    pub factor: u64,
    /// Whether there is a phase to go on to.
    pub phases: bool,
}

/// Who steers a run. None of it waits.
pub trait Helm: Send + Sync {
    /// Asks for a change; what came of it is seen in [`Helm::stands`] and told in the log.
    fn steer(&self, wish: Steer);
    /// How the run stands.
    fn stands(&self) -> Steering;
}

/// What was asked for by a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Press {
    /// The run shall end, as by a signal; this was its name.
    Stop(&'static str),
    /// The run shall change.
    Steer(Steer),
    /// Columns of a tenth, or of a second.
    Tenths,
    /// The help, or away with it.
    Help,
    /// The whole screen anew.
    Redraw,
}

/// The loads that + and - step through, in thousandths of what was planned.
const STEPS: [u64; 15] =
    [100, 250, 500, 750, 900, 1_000, 1_100, 1_250, 1_500, 2_000, 3_000, 5_000, 10_000, 20_000, 50_000];

/// What a key asks of a run that stands as `steering` says; none when it means nothing.
#[must_use]
pub fn press(key: KeyEvent, steering: Option<Steering>) -> Option<Press> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        // In raw mode the terminal makes no signal of it.
        KeyCode::Char('c') if control => return Some(Press::Stop("Ctrl-C")),
        KeyCode::Char('l') if control => return Some(Press::Redraw),
        _ if control || key.modifiers.contains(KeyModifiers::ALT) => return None,
        KeyCode::Char('q' | 'Q') => return Some(Press::Stop("the key q")),
        KeyCode::Char('t') => return Some(Press::Tenths),
        KeyCode::Char('?' | 'h') => return Some(Press::Help),
        _ => {}
    }
    let Steering { paused, factor, phases } = steering?;
    let wish = match key.code {
        KeyCode::Char(' ') if paused => Steer::Resume,
        KeyCode::Char(' ') => Steer::Pause,
        KeyCode::Char('+' | '=') => Steer::Rate(*STEPS.iter().find(|step| **step > factor)?),
        KeyCode::Char('-') => Steer::Rate(*STEPS.iter().rev().find(|step| **step < factor)?),
        KeyCode::Char('n') if phases => Steer::NextPhase,
        _ => return None,
    };
    Some(Press::Steer(wish))
}

/// The keys that mean something now, and what: for the last line, and for the help.
#[must_use]
pub fn meanings(steering: Option<Steering>, draining: bool) -> Vec<(&'static str, &'static str)> {
    let stop = if draining { "stop at once" } else { "stop" };
    let mut keys = vec![("q", stop)];
    if let Some(Steering { paused, phases, .. }) = steering.filter(|_| !draining) {
        keys.push(("space", if paused { "resume" } else { "pause" }));
        keys.push(("+ -", "load"));
        if phases {
            keys.push(("n", "next phase"));
        }
    }
    keys.extend([("t", "tenths / seconds"), ("?", "help")]);
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    const STANDS: Steering = Steering { paused: false, factor: 1_000, phases: true };

    fn key(letter: char) -> KeyEvent {
        KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE)
    }

    fn wish(letter: char, stands: Steering) -> Option<Steer> {
        match press(key(letter), Some(stands)) {
            Some(Press::Steer(wish)) => Some(wish),
            _ => None,
        }
    }

    #[test]
    fn a_run_can_always_be_stopped() {
        let control_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        for steering in [None, Some(STANDS)] {
            assert_eq!(press(key('q'), steering), Some(Press::Stop("the key q")));
            assert_eq!(press(control_c, steering), Some(Press::Stop("Ctrl-C")));
        }
        let released = KeyEvent { kind: KeyEventKind::Release, ..key('q') };
        assert_eq!(press(released, None), None);
        assert_eq!(press(KeyEvent::new(KeyCode::Char('q'), KeyModifiers::ALT), None), None);
    }

    #[test]
    fn only_a_run_that_can_be_steered_is() {
        for letter in [' ', '+', '=', '-', 'n'] {
            assert_eq!(press(key(letter), None), None, "{letter:?}");
            assert!(wish(letter, STANDS).is_some(), "{letter:?}");
        }
        assert_eq!(wish(' ', STANDS), Some(Steer::Pause));
        assert_eq!(wish(' ', Steering { paused: true, ..STANDS }), Some(Steer::Resume));
        assert_eq!(wish('n', Steering { phases: false, ..STANDS }), None);
    }

    #[test]
    fn the_load_goes_up_and_down_the_same_steps_and_ends_at_both() {
        assert_eq!(wish('+', STANDS), Some(Steer::Rate(1_100)));
        assert_eq!(wish('-', STANDS), Some(Steer::Rate(900)));
        // A factor that somebody else set lies between two steps.
        assert_eq!(wish('+', Steering { factor: 1_234, ..STANDS }), Some(Steer::Rate(1_250)));
        assert_eq!(wish('-', Steering { factor: 1_234, ..STANDS }), Some(Steer::Rate(1_100)));
        assert_eq!(wish('+', Steering { factor: 50_000, ..STANDS }), None);
        assert_eq!(wish('-', Steering { factor: 100, ..STANDS }), None);
    }

    #[test]
    fn what_is_told_of_the_keys_is_what_they_do() {
        for (steering, told) in [
            (None, &["q", "t", "?"][..]),
            (Some(Steering { phases: false, ..STANDS }), &["q", "space", "+ -", "t", "?"]),
            (Some(STANDS), &["q", "space", "+ -", "n", "t", "?"]),
        ] {
            let keys: Vec<&str> = meanings(steering, false).into_iter().map(|(key, _)| key).collect();
            assert_eq!(keys, told);
        }
        assert_eq!(meanings(Some(STANDS), true)[0], ("q", "stop at once"));
    }
}
