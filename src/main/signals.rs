//! The signals, and the keys, that ask this process to end. What is done then is decided in `main`.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

/// The signals that ask a process to end.
pub struct Signals {
    hangup: Signal,
    interrupt: Signal,
    terminate: Signal,
    /// Keys that mean the same, by their names.
    keys: Option<mpsc::Receiver<&'static str>>,
}

impl Signals {
    /// Catches them from now on.
    ///
    /// # Errors
    /// The system's word.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            keys: None,
        })
    }

    /// Takes what comes of `keys` for a signal as well.
    pub fn hear(&mut self, keys: mpsc::Receiver<&'static str>) {
        self.keys = Some(keys);
    }

    /// Waits for one of them and tells its name.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.hangup.recv() => "SIGHUP",
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
            name = pressed(&mut self.keys) => name,
        }
    }
}

/// The next key; none ever comes when nobody can press one.
async fn pressed(keys: &mut Option<mpsc::Receiver<&'static str>>) -> &'static str {
    match keys {
        Some(open) => match open.recv().await {
            Some(name) => name,
            None => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}
