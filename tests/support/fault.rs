//! What the proxy can do to one PutRecords request: a closed set.

use std::time::Duration;

/// A fault of one request. *Stored*: the stream got the request all the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault {
    /// The connection is closed, in order, without an answer.
    HangUp { stored: bool },
    /// The connection is reset (RST), without an answer.
    Reset { stored: bool },
    /// Stored, and the connection ends in the middle of the answer.
    HalfAnAnswer,
    /// No answer until the client gives up.
    Silence { stored: bool },
    /// Stored, and answered this much later.
    Delay(Duration),
    /// Stored, and the answer comes in small pieces over this time.
    Dribble(Duration),
    /// Stored, and answered for so many entries more or less.
    WrongCount(i64),
    /// An error answer.
    Error { status: u16, code: &'static str, stored: bool },
    /// Stored, and answered with a page of HTML and status 200.
    Garbage,
    /// Every second entry is refused for the shard's limit; the others are stored.
    ThrottleHalf,
    /// Every entry is refused in an answer with status 200.
    ThrottleAll,
}

impl Fault {
    /// Whether the request reaches the stream.
    pub fn stored(self) -> bool {
        match self {
            Self::HangUp { stored }
            | Self::Reset { stored }
            | Self::Silence { stored }
            | Self::Error { stored, .. } => stored,
            Self::ThrottleAll => false,
            Self::HalfAnAnswer
            | Self::Delay(_)
            | Self::Dribble(_)
            | Self::WrongCount(_)
            | Self::Garbage
            | Self::ThrottleHalf => true,
        }
    }
}

/// What the proxy does to the requests that come now.
#[derive(Debug, Clone, Default)]
pub struct Weather {
    /// One of these for each request that is hit, in turn; none: all is well.
    pub faults: Vec<Fault>,
    /// Every how many-th request is hit; the others pass.
    pub every: u64,
    /// Signatures with this key are answered with ExpiredTokenException.
    pub expired_key: Option<&'static str>,
    /// Connections above this number are closed as soon as they are there; none: no limit.
    pub connections: Option<usize>,
}

impl Weather {
    /// All requests go through.
    pub fn calm() -> Self {
        Self::default()
    }

    /// Every `every`-th request meets `fault`.
    pub fn of(fault: Fault, every: u64) -> Self {
        Self { faults: vec![fault], every, ..Self::default() }
    }

    /// The fault of request number `n`.
    pub fn hits(&self, n: u64) -> Option<Fault> {
        let hit = !self.faults.is_empty() && n.is_multiple_of(self.every.max(1));
        hit.then(|| self.faults[(n / self.every.max(1)) as usize % self.faults.len()])
    }
}
