//! Changes of a run by hand: hears the wishes that come over HTTP and by keys, and has them done, marked and told.
//!
//! Decides what a wish may not do, whatever token it came with: offer more than a run may. When a change takes effect is
//! the schedule's.

use std::sync::{Arc, mpsc as std_mpsc};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::barrier::written;
use crate::config::ControlToken;
use crate::expose::tui::{Helm, Steer, Steering as Stands};
use crate::expose::{Command, Gate, QUEUE, Steered, View, Wish, factor_words, human_span};
use crate::schedule::{Change, Control, MOST_RECORDS, NoChange, WHOLE, wall};

/// Most changes that the summary lists.
const MOST_TOLD: usize = 20;

/// What the load may not be multiplied beyond.
#[derive(Debug, Clone, Copy)]
pub(super) struct Most {
    /// The most records of any second, as planned.
    pub(super) peak: u64,
    /// Most records in a second that were confirmed, where the stream is not on this machine.
    pub(super) confirmed: Option<u64>,
}

/// Who hears the wishes of a run.
pub(super) struct Steering {
    wishes: Option<mpsc::Receiver<Wish>>,
    schedule: std_mpsc::Sender<Control>,
    view: View,
    most: Most,
    steered: Steered,
    paused_at: Option<Duration>,
    /// What was changed, for the summary.
    changes: Vec<String>,
    more: usize,
    /// Whether a part of the profile was left out.
    skipped: bool,
}

/// What was changed by hand.
#[derive(Debug, Default)]
pub(super) struct Changed {
    /// Each change with its time, oldest first.
    pub(super) changes: Vec<String>,
    /// Whether a part of the profile was left out.
    pub(super) skipped: bool,
}

/// Both ends of the wishes of a run that may be steered.
pub(super) struct Ways {
    wishes: mpsc::Receiver<Wish>,
    /// For keys, which need no token: who sits at the terminal of a run may end it as well.
    keys: mpsc::Sender<Wish>,
}

/// Opens the gate of `view` for whoever has the token, and a way for `keys` of the terminal; none where there is neither.
pub(super) fn open(view: &View, token: Option<ControlToken>, keys: bool) -> Option<Ways> {
    if token.is_none() && !keys {
        return None;
    }
    let (give, wishes) = mpsc::channel(QUEUE);
    if let Some(token) = token {
        view.open_gate(Gate::new(token.sha256(), give.clone()));
    }
    Some(Ways { wishes, keys: give })
}

/// The keys of the terminal that steer a run.
struct Keys {
    wishes: mpsc::Sender<Wish>,
    view: View,
    phases: bool,
}

impl Helm for Keys {
    fn steer(&self, wish: Steer) {
        let command = match wish {
            Steer::Pause => Command::Pause,
            Steer::Resume => Command::Resume,
            Steer::Rate(factor) => Command::Rate(factor),
            Steer::NextPhase => Command::NextPhase,
        };
        // What comes of it is told in the log. A key too many, or at the end, is no wish.
        let (answer, _) = oneshot::channel();
        let _ = self.wishes.try_send(Wish { command, answer, by: "a key" });
    }

    fn stands(&self) -> Stands {
        let Steered { paused, factor } = self.view.steered();
        Stands { paused, factor, phases: self.phases }
    }
}

impl Ways {
    /// Who steers by keys; `phases`: whether there are some to go on to.
    pub(super) fn helm(&self, view: &View, phases: bool) -> Arc<dyn Helm> {
        Arc::new(Keys { wishes: self.keys.clone(), view: view.clone(), phases })
    }

    /// The end at which the wishes are heard.
    pub(super) fn hear(self) -> mpsc::Receiver<Wish> {
        self.wishes
    }
}

impl Steering {
    pub(super) fn new(
        wishes: Option<mpsc::Receiver<Wish>>,
        schedule: std_mpsc::Sender<Control>,
        view: View,
        most: Most,
    ) -> Self {
        let steered = Steered::default();
        let (changes, more, skipped) = (Vec::new(), 0, false);
        Self { wishes, schedule, view, most, steered, paused_at: None, changes, more, skipped }
    }

    /// Does what is wished until that is to stop; by whose name. Never ends where nobody can wish.
    pub(super) async fn obey(&mut self) -> &'static str {
        loop {
            let wish = match &mut self.wishes {
                Some(wishes) => wishes.recv().await,
                None => None,
            };
            let Some(Wish { command, answer, by }) = wish else { return std::future::pending().await };
            let done = self.obey_one(command).await;
            let stop = command == Command::Stop;
            match &done {
                Ok(words) => tracing::info!("by {by}: {words}"),
                Err(why) => tracing::info!("by {by}: {command:?} was refused: {why}"),
            }
            // Who wished may be gone; what is done is done.
            let _ = answer.send(done);
            if stop {
                return "a command over HTTP";
            }
        }
    }

    /// What was changed; nobody is heard any more.
    pub(super) fn end(self) -> Changed {
        let Self { mut changes, more, skipped, .. } = self;
        if more > 0 {
            changes.push(format!("and {more} more"));
        }
        Changed { changes, skipped }
    }

    /// Does one wish; what was done, or why not.
    async fn obey_one(&mut self, command: Command) -> Result<String, String> {
        let change = match command {
            Command::Pause => Change::Pause,
            Command::Resume => Change::Resume,
            Command::Rate(factor) => {
                self.within_bounds(factor)?;
                Change::Rate(factor)
            }
            Command::NextPhase => Change::NextPhase,
            Command::Stop => {
                self.told("stopped by hand".to_owned());
                return Ok("stopped: nothing more is due, and what is in flight is waited for".to_owned());
            }
        };
        let second = self.ask(change).await?;
        let from = format!("from {} on", written(Duration::from_secs(second)));
        let second = Duration::from_secs(second);
        let what = match change {
            Change::Pause => {
                (self.steered.paused, self.paused_at) = (true, Some(second));
                "paused".to_owned()
            }
            Change::Resume => {
                self.steered.paused = false;
                let stood = second.saturating_sub(self.paused_at.take().unwrap_or(second));
                format!("resumed after {}", human_span(stood))
            }
            Change::Rate(factor) => {
                self.steered.factor = factor;
                match factor {
                    WHOLE => "rate as planned".to_owned(),
                    _ => format!("rate × {}", factor_words(factor)),
                }
            }
            Change::NextPhase => {
                self.skipped = true;
                "next phase".to_owned()
            }
        };
        self.view.set_steered(self.steered);
        self.told(format!("{what} by hand"));
        Ok(format!("{what} {from}"))
    }

    /// Gives a change to the schedule; the second that it holds from.
    async fn ask(&self, change: Change) -> Result<u64, String> {
        let (answer, answered) = oneshot::channel();
        let over = || NoChange::Over.to_string();
        self.schedule.send(Control::Change(change, answer)).map_err(|_| over())?;
        answered.await.map_err(|_| over())?.map_err(|why| why.to_string())
    }

    /// A mark on the timeline, and a line for the summary.
    fn told(&mut self, what: String) {
        self.view.mark(what.clone());
        if self.changes.len() < MOST_TOLD {
            self.changes.push(format!("{} {what}", written(Duration::from_secs(wall().as_secs()))));
        } else {
            self.more += 1;
        }
    }

    /// Whether a load multiplied by so many thousandths is one that a run may offer.
    fn within_bounds(&self, factor: u64) -> Result<(), String> {
        let Most { peak, confirmed } = self.most;
        let records = (u128::from(peak) * u128::from(factor)).div_ceil(u128::from(WHOLE));
        if factor > WHOLE && records > u128::from(MOST_RECORDS) {
            return Err(format!(
                "{records} records in a second are more than the {MOST_RECORDS} that a run may offer"
            ));
        }
        match confirmed {
            Some(most) if factor > WHOLE && records > u128::from(most) => Err(format!(
                "STREAMER_CONFIRM_RATE: {records} records in a second are more than the {most} that this stream gets \
                 unasked; start the run with a higher one if this is meant"
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn steering(most: Most) -> (Steering, std_mpsc::Receiver<Control>, View) {
        let (schedule, told) = std_mpsc::channel();
        let view = View::new(std::sync::Arc::default(), SystemTime::UNIX_EPOCH);
        (Steering::new(None, schedule, view.clone(), most), told, view)
    }

    const SMALL: Most = Most { peak: 1_000, confirmed: Some(10_000) };

    #[tokio::test]
    async fn every_change_is_a_mark_and_a_line_of_the_summary() {
        let (mut steering, told, view) = steering(SMALL);
        let schedule = std::thread::spawn(move || {
            let mut changes = Vec::new();
            while let Ok(Control::Change(change, answer)) = told.recv() {
                changes.push(change);
                let _ = answer.send(Ok(1_000 + 5 * changes.len() as u64));
            }
            changes
        });
        for command in
            [Command::Pause, Command::Resume, Command::Rate(2_500), Command::Rate(WHOLE), Command::NextPhase]
        {
            steering.obey_one(command).await.expect("done");
        }
        steering.obey_one(Command::Stop).await.expect("done");
        let marks: Vec<String> =
            view.timeline(|timeline, _| timeline.marks().iter().map(|mark| mark.what.clone()).collect());
        let expected = [
            "paused by hand",
            "resumed after 5s by hand",
            "rate × 2.5 by hand",
            "rate as planned by hand",
            "next phase by hand",
            "stopped by hand",
        ];
        assert_eq!(marks, expected);
        let changed = steering.end();
        assert!(changed.skipped && changed.changes.len() == expected.len(), "{changed:?}");
        let wished =
            [Change::Pause, Change::Resume, Change::Rate(2_500), Change::Rate(WHOLE), Change::NextPhase];
        assert_eq!(schedule.join().expect("no panic"), wished);
    }

    #[tokio::test]
    async fn no_token_offers_more_than_a_run_may() {
        let (mut steering, told, view) = steering(SMALL);
        let why = steering.obey_one(Command::Rate(10_001)).await.expect_err("too much");
        assert!(why.contains("STREAMER_CONFIRM_RATE"), "{why}");
        steering.most = Most { peak: 1_000_000, confirmed: None };
        let why = steering.obey_one(Command::Rate(10_001)).await.expect_err("too much");
        assert!(why.contains("10000000"), "{why}");
        // Less than was planned is never too much.
        steering.most = Most { peak: 1_000, confirmed: Some(1) };
        assert!(steering.within_bounds(999).is_ok());
        assert!(told.try_recv().is_err(), "the schedule heard of nothing");
        assert_eq!(view.timeline(|timeline, _| timeline.marks().len()), 0);
    }

    #[tokio::test]
    async fn a_schedule_that_is_over_refuses() {
        let (mut steering, told, _) = steering(SMALL);
        drop(told);
        assert_eq!(steering.obey_one(Command::Pause).await, Err(NoChange::Over.to_string()));
    }
}
