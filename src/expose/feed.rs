//! Who looks at the page: one rendering a tick for all of them, and none for nobody.
//!
//! Bounds how many look, and what waits for one who reads slowly: who falls behind is cut off, and begins anew.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;

use super::View;
use super::limiting::{LATELY, processors};
use super::message::{Counts, Seen, Told, message};
use crate::ledger::{Dropped, Ledger};

/// Most who look at once.
pub const MOST_LOOKERS: usize = 16;

/// Messages that may wait for one: six seconds of them.
const BEHIND: usize = 32;

/// Samples of the timeline in a message: five messages a second.
const PER_MESSAGE: usize = 2;

/// The longest time without a message, where nothing is sampled.
const BEAT: Duration = Duration::from_secs(1);

/// What is remembered of causes: as many messages as [`LATELY`] has, and one.
const REMEMBERED: usize = 26;

/// Why there is no place to look from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoPlace {
    /// As many look as may.
    Full,
    /// The server ends, or there is nothing to look at.
    Closed,
}

/// Those who look.
#[derive(Debug, Default)]
pub(super) struct Feed {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    lookers: Vec<Sender<Bytes>>,
    /// What the last message told to all of them.
    told: Told,
    /// Whether somebody renders for them.
    going: bool,
    closed: bool,
    /// Messages rendered so far.
    rendered: u64,
    /// Records dropped until then, because the window was full and because they were late; oldest first.
    dropped: VecDeque<(u64, u64)>,
    /// The whole history as it was told last, and the sample it was told at.
    history: Option<(u64, Bytes)>,
}

impl Feed {
    /// A place to look from: the whole history first, then what is added.
    pub(super) fn look(&self, view: &View) -> Result<Receiver<Bytes>, NoPlace> {
        let Some(ledger) = view.ledger() else { return Err(NoPlace::Closed) };
        let mut inner = self.lock();
        if inner.closed {
            return Err(NoPlace::Closed);
        }
        inner.lookers.retain(|looker| !looker.is_closed());
        if inner.lookers.len() >= MOST_LOOKERS {
            return Err(NoPlace::Full);
        }
        let samples = *view.samples().borrow();
        let history = match &inner.history {
            Some((at, text)) if *at == samples && samples > 0 => text.clone(),
            _ => {
                let (text, told) = inner.render(view, ledger, None);
                if inner.lookers.is_empty() {
                    inner.told = told;
                }
                inner.history = Some((samples, text.clone()));
                text
            }
        };
        let (looker, messages) = channel(BEHIND);
        // The channel is new and has room.
        let _ = looker.try_send(history);
        inner.lookers.push(looker);
        if !std::mem::replace(&mut inner.going, true) {
            tokio::spawn(tick(view.clone()));
        }
        Ok(messages)
    }

    /// Nobody looks any more, and nobody may.
    pub(super) fn close(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        inner.lookers.clear();
    }

    /// Renders what was added for all who look; false when nobody does.
    fn tell(&self, view: &View, ledger: &Ledger) -> bool {
        let mut inner = self.lock();
        inner.lookers.retain(|looker| !looker.is_closed());
        if inner.lookers.is_empty() {
            inner.going = false;
            inner.history = None;
            inner.dropped.clear();
            return false;
        }
        let told = inner.told;
        let (text, told) = inner.render(view, ledger, Some(&told));
        inner.told = told;
        // Who has no room is behind, and is cut off.
        inner.lookers.retain(|looker| looker.try_send(text.clone()).is_ok());
        true
    }

    /// How many messages were rendered.
    #[cfg(test)]
    pub(super) fn rendered(&self) -> u64 {
        self.lock().rendered
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn render(&mut self, view: &View, ledger: &Ledger, told: Option<&Told>) -> (Bytes, Told) {
        let (counts, dropped) = ledger.with(|counts| {
            let late = counts.dropped.get(Dropped::Late) + counts.dropped.get(Dropped::MissedTick);
            (Counts::of(counts), (counts.dropped.get(Dropped::WindowFull), late))
        });
        // Before anything is remembered, the whole run says why.
        let (full, late) = self.dropped.front().copied().unwrap_or_default();
        let dropped_lately = (dropped.0 - full, dropped.1 - late);
        if told.is_some() {
            self.dropped.push_back(dropped);
            while self.dropped.len() > REMEMBERED {
                self.dropped.pop_front();
            }
        }
        let seen = Seen {
            about: view.about(),
            phase: view.phase(),
            steered: view.steered(),
            counts: &counts,
            dropped_lately,
            processors: processors(),
        };
        let (json, now) = view.timeline(|timeline, began| message(timeline, began, &seen, told));
        self.rendered += 1;
        let head =
            if told.is_none() { &b"retry: 1000\nevent: whole\ndata: "[..] } else { b"event: more\ndata: " };
        (Bytes::from([head, &json, b"\n\n"].concat()), now)
    }
}

/// Renders for as long as somebody looks.
async fn tick(view: View) {
    let mut samples = view.samples();
    loop {
        let some = async {
            for _ in 0..PER_MESSAGE {
                // The sender is part of `view`.
                let _ = samples.changed().await;
            }
        };
        let _ = timeout(BEAT, some).await;
        let Some(ledger) = view.ledger() else { return };
        if !view.feed().tell(&view, ledger) {
            return;
        }
    }
}

/// Five seconds of messages, and the one before them.
const _: () = assert!(LATELY.as_millis() as usize / (100 * PER_MESSAGE) + 1 == REMEMBERED);

#[cfg(test)]
#[path = "feed_tests.rs"]
mod tests;
