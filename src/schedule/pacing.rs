//! How a second's records are spread inside the second, as the user says it.

use std::fmt;
use std::str::FromStr;

/// When inside its second a record is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pacing {
    /// All at the start of the second, as the Node.js original did.
    Burst,
    /// At equal distances.
    Smooth,
    /// At random: the arrivals of a Poisson process, given their number.
    Poisson,
}

impl Pacing {
    /// Every pacing, in the order of the documentation.
    pub const ALL: [Self; 3] = [Self::Burst, Self::Smooth, Self::Poisson];

    /// The name in settings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Burst => "burst",
            Self::Smooth => "smooth",
            Self::Poisson => "poisson",
        }
    }
}

impl fmt::Display for Pacing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no pacing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a pacing is one of burst, smooth, poisson")]
pub struct PacingError;

impl FromStr for Pacing {
    type Err = PacingError;

    fn from_str(text: &str) -> Result<Self, PacingError> {
        Self::ALL.into_iter().find(|pacing| pacing.name() == text).ok_or(PacingError)
    }
}
