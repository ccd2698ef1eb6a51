//! The idle connections to one endpoint. Bounded by the window: whoever sends takes one out and puts it back.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::connection::Connection;

/// An idle connection is not trusted longer than this: endpoints and the boxes between close theirs after a minute
/// or less, and a request on a connection that is just being closed is of unknown fate.
const TRUSTED: Duration = Duration::from_secs(20);

/// The last one used is the first one taken, so that those which are not needed grow old.
#[derive(Debug, Default)]
pub(super) struct Pool {
    idle: Mutex<Vec<Connection>>,
}

impl Pool {
    /// An idle connection that its peer has not closed.
    pub(super) fn take(&self) -> Option<Connection> {
        loop {
            let mut connection = self.idle().pop()?;
            if connection.idle() < TRUSTED && connection.is_quiet() {
                return Some(connection);
            }
        }
    }

    /// Puts a connection back whose exchange is over, and closes one that has waited too long.
    pub(super) fn give(&self, mut connection: Connection) {
        connection.rest();
        let mut idle = self.idle();
        if idle.first().is_some_and(|oldest| oldest.idle() >= TRUSTED) {
            idle.remove(0);
        }
        idle.push(connection);
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
