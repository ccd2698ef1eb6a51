//! The connections that are open: how many there may be, and which one makes room.
//!
//! Decides by the time since a connection's last request alone; opens and closes nothing itself.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::{AbortHandle, Id};
use tokio::time::Instant;

/// When a connection last sent a whole request; at first, when it was accepted.
#[derive(Debug, Clone)]
pub(super) struct Heard(Arc<Mutex<Instant>>);

impl Heard {
    pub(super) fn at(now: Instant) -> Self {
        Self(Arc::new(Mutex::new(now)))
    }

    pub(super) fn set(&self, now: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    pub(super) fn last(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The open connections, at most `most`.
#[derive(Debug)]
pub(super) struct Slots {
    most: usize,
    taken: Vec<(Heard, AbortHandle)>,
}

impl Slots {
    pub(super) fn new(most: usize) -> Self {
        Self { most, taken: Vec::with_capacity(most) }
    }

    pub(super) fn full(&self) -> bool {
        self.taken.len() >= self.most
    }

    pub(super) fn take(&mut self, heard: Heard, task: AbortHandle) {
        self.taken.push((heard, task));
    }

    /// The connection whose task is `id` is over.
    pub(super) fn free(&mut self, id: Id) {
        self.taken.retain(|(_, task)| task.id() != id);
    }

    /// When the quietest connection was heard last; none without connections.
    pub(super) fn quietest(&self) -> Option<Instant> {
        self.taken.iter().map(|(heard, _)| heard.last()).min()
    }

    /// Closes the quietest connection. Its slot is free when its task is over.
    pub(super) fn close_quietest(&self) {
        if let Some((_, task)) = self.taken.iter().min_by_key(|(heard, _)| heard.last()) {
            task.abort();
        }
    }
}
