//! The token of control: what may be one, and that it is never shown.
//!
//! Only its SHA-256 is kept, so nothing that prints a config can tell it.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};

use super::asked::Asked;
use super::settings as table;

/// Fewest characters: what a machine draws, not what a person makes up.
pub const LEAST_CHARS: usize = 16;

/// Most characters: with its header it must fit a request's head.
pub const MOST_CHARS: usize = 256;

/// A token, by its SHA-256.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ControlToken([u8; 32]);

/// The text can't be a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token has {LEAST_CHARS} to {MOST_CHARS} visible ASCII characters")]
pub struct ControlTokenError;

impl ControlToken {
    /// The SHA-256 of its characters.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        self.0
    }
}

impl FromStr for ControlToken {
    type Err = ControlTokenError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let legal = text.bytes().all(|byte| byte.is_ascii_graphic());
        if !legal || !(LEAST_CHARS..=MOST_CHARS).contains(&text.len()) {
            return Err(ControlTokenError);
        }
        let mut sum = [0; 32];
        sum.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
        Ok(Self(sum))
    }
}

impl fmt::Debug for ControlToken {
    /// Not even its digest: one of a weak token could be tried.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ControlToken")
    }
}

/// Who may steer the run; none: nobody.
pub(super) fn control(asked: &mut Asked, listen: Option<Option<SocketAddr>>) -> Option<Option<ControlToken>> {
    let token = asked.optional(&table::CONTROL_TOKEN, |asked, setting| {
        asked.read(setting, |text| text.parse().map_err(|_: ControlTokenError| None))
    })?;
    if token.is_some() {
        let origin = asked.origin(&table::CONTROL_TOKEN);
        if listen == Some(None) {
            asked.notices.push(format!("{origin} has no effect, because nothing is listened on"));
        }
        if asked.flags.contains_key(table::CONTROL_TOKEN.flag) {
            let name = table::CONTROL_TOKEN.name;
            asked
                .notices
                .push(format!("{origin} can be seen by everybody on this machine: set {name} instead"));
        }
    }
    Some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_digest_and_shown_by_nothing() {
        let token: ControlToken = "0123456789abcdef".parse().expect("legal");
        let other: ControlToken = "0123456789abcdeg".parse().expect("legal");
        assert_ne!(token, other);
        assert_eq!(&token.sha256()[..4], [0x9f, 0x9f, 0x51, 0x11]);
        assert_eq!(format!("{token:?}"), "ControlToken");
        for wrong in
            ["", "short", "0123456789abcde", "0123456789 abcdef", "0123456789abcdefé", &"a".repeat(257)]
        {
            assert_eq!(wrong.parse::<ControlToken>(), Err(ControlTokenError), "{wrong}");
        }
    }
}
