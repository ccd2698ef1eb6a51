//! What is shown while a run goes on: the listener for metrics and health, and the line a second.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::sampling::{SEAM, to_the_next};
use crate::config::LogFormat;
use crate::expose::{Bar, Console, Follow, Goal, Progress, Server, View};
use crate::ledger::{Ledger, Snapshot};
use crate::schedule::wall;

/// How often a live line is rewritten.
const LIVE: Duration = Duration::from_secs(1);

/// How often a plain line or an event is written.
const CALM: Duration = Duration::from_secs(10);

/// The tasks that show a run; they end when this is dropped.
pub(super) struct Watch {
    ended: watch::Sender<()>,
}

impl Watch {
    /// Serves `view` on `listener` from now on.
    pub(super) fn serve(view: View, listener: Option<TcpListener>) -> Self {
        let (ended, is_ended) = watch::channel(());
        if let Some(listener) = listener {
            tokio::spawn(Server::new(listener, view).serve(gone(is_ended)));
        }
        Self { ended }
    }

    /// Shows how the run goes on `console` from now on.
    pub(super) fn show(&self, ledger: Arc<Ledger>, console: Console, format: LogFormat, goal: Goal) {
        let is_ended = self.ended.subscribe();
        tokio::spawn(async move {
            tokio::select! {
                () = show(&ledger, &console, format, goal) => {}
                () = gone(is_ended) => {}
            }
        });
    }
}

/// Ends when the sender is dropped.
async fn gone(mut ended: watch::Receiver<()>) {
    while ended.changed().await.is_ok() {}
}

/// How long it is to the first line: intervals end where no second's burst is cut in two, or their rates would sway.
fn first(every: Duration, wall: Duration) -> Duration {
    const SECOND: Duration = Duration::from_secs(1);
    let first = every - SECOND + to_the_next(SECOND, SEAM, wall);
    if first < SECOND / 2 { first + SECOND } else { first }
}

async fn show(ledger: &Ledger, console: &Console, format: LogFormat, goal: Goal) {
    let every = if console.terminal().live && format == LogFormat::Text { LIVE } else { CALM };
    let start = Instant::now();
    let mut ticks = interval_at(start + first(every, wall()), every);
    // A line that comes late is of a longer interval; it is not made up for, and the next one comes at its time.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let (mut before, mut earlier) = (start, Snapshot::default());
    let (bar, mut follow) = (Bar::default(), Follow::new(goal));
    loop {
        ticks.tick().await;
        let (at, now) = (Instant::now(), ledger.snapshot());
        let progress = Progress::between(&earlier, &now, at - before, at - start);
        match format {
            LogFormat::Text => {
                let course = follow.at(at - start, now.due, progress.due_per_second);
                let bar = course.map(|course| bar.text(&course));
                console.progress(progress.line(console.terminal(), bar));
            }
            LogFormat::Json => progress.log(),
        }
        (before, earlier) = (at, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_of_whole_seconds_with_their_bursts() {
        for millis in (0_u64..5_000).step_by(10) {
            let wall = Duration::from_millis(millis);
            for every in [LIVE, CALM] {
                let first = first(every, wall);
                assert_eq!((wall + first).subsec_millis(), 550, "{millis}");
                assert!(first >= LIVE / 2 && first + LIVE > every && first <= every + LIVE / 2, "{first:?}");
            }
        }
    }
}
