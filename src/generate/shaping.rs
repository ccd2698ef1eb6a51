//! What is asked for beyond the event itself: its size, its faults; and why that can't be had.

use std::fmt;
use std::str::FromStr;

use super::inject::Inject;
use super::padding;
use super::size::SizeRule;

/// What is asked for beyond the event itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shaping {
    /// How large events are; none: as large as they are.
    pub size: Option<SizeRule>,
    /// Which faults are put in.
    pub inject: Option<Inject>,
    /// Bytes that frame an event later, and count in its size: the line feed.
    pub frame: u64,
}

/// Why events can't be shaped so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShapingError {
    /// A size is too small.
    #[error(
        "STREAMER_EVENT_SIZE: {size} bytes are too few: an event {event} can have {largest}, and the field that pads it \
         takes {}; ask for {} at least",
        padding::LEAST, .largest + .frame + padding::LEAST as u64
    )]
    Small {
        /// The size.
        size: u64,
        /// What the event is called.
        event: &'static str,
        /// Its most bytes.
        largest: u64,
        /// What frames it, in bytes.
        frame: u64,
    },
    /// A size is too large.
    #[error("{setting}: {size} bytes are too many: beside its key a record of this stream has room for {most}{}", remedy(.setting))]
    Large {
        /// The setting.
        setting: &'static str,
        /// The size.
        size: u64,
        /// The room, in bytes.
        most: u64,
    },
    /// A template's events can't be padded.
    #[error(
        "STREAMER_EVENT_SIZE: an event of the template is no JSON object, so there is no place for the field that pads \
         it: leave the size out, or make it one"
    )]
    NoObject,
}

fn remedy(setting: &str) -> &'static str {
    if setting == "STREAMER_EVENT_SIZE" { "; a lognormal distribution is cut by most=…" } else { "" }
}

impl Shaping {
    /// Checks that every size that is asked for has room in a record, beside a key and what frames it: in `most`
    /// bytes.
    ///
    /// # Errors
    /// The size that has not.
    pub fn check(&self, most: u64) -> Result<(), ShapingError> {
        let sizes = [
            ("STREAMER_EVENT_SIZE", self.size.map(SizeRule::most)),
            ("STREAMER_INJECT", self.inject.as_ref().and_then(Inject::largest)),
        ];
        match sizes.into_iter().find_map(|(setting, size)| Some((setting, size.filter(|&size| size > most)?)))
        {
            Some((setting, size)) => Err(ShapingError::Large { setting, size, most }),
            None => Ok(()),
        }
    }
}

/// What the parts are called in a journal's text.
const SIZE: &str = "size=";
const INJECT: &str = "inject=";
const FRAME: &str = "frame=";

/// A text that is no shaping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no shaping of events that this program knows")]
pub struct NoShaping;

/// As a journal keeps it: `size=1KiB inject=late:1%/1m frame=1`, only what there is.
impl fmt::Display for Shaping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.size.map(|size| format!("{SIZE}{size}"));
        let inject = self.inject.as_ref().map(|inject| format!("{INJECT}{inject}"));
        let frame = (self.frame > 0).then(|| format!("{FRAME}{}", self.frame));
        f.write_str(&[size, inject, frame].into_iter().flatten().collect::<Vec<_>>().join(" "))
    }
}

impl FromStr for Shaping {
    type Err = NoShaping;

    fn from_str(text: &str) -> Result<Self, NoShaping> {
        let mut shaping = Self::default();
        for part in text.split(' ').filter(|part| !part.is_empty()) {
            if let Some(size) = part.strip_prefix(SIZE) {
                shaping.size = Some(size.parse().map_err(|_| NoShaping)?);
            } else if let Some(inject) = part.strip_prefix(INJECT) {
                shaping.inject = Some(inject.parse().map_err(|_| NoShaping)?);
            } else if let Some(frame) = part.strip_prefix(FRAME) {
                shaping.frame = frame.parse().map_err(|_| NoShaping)?;
            } else {
                return Err(NoShaping);
            }
        }
        Ok(shaping)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_says_how_events_were_shaped() {
        for text in ["", "size=1KiB", "size=lognormal:512B,p99=8KiB inject=late:1%/1m,malformed:0.1% frame=1"]
        {
            assert_eq!(text.parse::<Shaping>().map(|shaping| shaping.to_string()).as_deref(), Ok(text));
        }
        for wrong in ["size=", "colour=red", "frame=x", "inject=none"] {
            assert_eq!(wrong.parse::<Shaping>(), Err(NoShaping), "{wrong}");
        }
    }
}
