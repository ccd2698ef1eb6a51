//! Who may steer a run over HTTP, and what they ask for.
//!
//! Decides by a request's path, query and headers alone; what a command does is decided where the run is. Without a
//! token there is no control: its paths are no paths then.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, HOST, HeaderName, ORIGIN};
use tokio::sync::{mpsc, oneshot};

/// What every path of control begins with.
pub(super) const PREFIX: &str = "/control/";

/// Commands that may wait for the run to hear them.
pub const QUEUE: usize = 16;

/// Most thousandths by which a load is multiplied: a hundred times.
pub const MOST_FACTOR: u64 = 100_000;

/// What a request's `Sec-Fetch-Site` says: where the page is from that made it.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// A change of a run that goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Nothing is due until it is resumed.
    Pause,
    /// The schedule goes on where it was.
    Resume,
    /// The load is so many thousandths of what was planned; 1 to [`MOST_FACTOR`].
    Rate(u64),
    /// The next phase of the profile begins.
    NextPhase,
    /// No more is due: as a first signal does.
    Stop,
}

impl Command {
    /// The command of a path and its query; what is wrong with it otherwise.
    fn read(path: &str, query: Option<&str>) -> Result<Self, Refusal> {
        let command = match path.strip_prefix(PREFIX).unwrap_or_default() {
            "pause" => Self::Pause,
            "resume" => Self::Resume,
            "next-phase" => Self::NextPhase,
            "stop" => Self::Stop,
            "rate" => {
                let wanted = query.and_then(|query| query.strip_prefix("x=")).and_then(thousandths);
                return match wanted {
                    Some(factor @ 1..=MOST_FACTOR) => Ok(Self::Rate(factor)),
                    _ => Err(Refusal::Wrong),
                };
            }
            _ => return Err(Refusal::Unknown),
        };
        if query.is_some_and(|query| !query.is_empty()) { Err(Refusal::Wrong) } else { Ok(command) }
    }
}

/// A number with at most three decimals, in thousandths.
fn thousandths(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 3 || whole.len() > 6 {
        return None;
    }
    Some(whole.parse::<u64>().ok()? * 1_000 + format!("{part:0<3}").parse::<u64>().ok()?)
}

/// A factor in thousandths, as people write it.
pub fn factor_words(thousandths: u64) -> String {
    let text = format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Why a request is refused before the run hears of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No such command.
    Unknown,
    /// The command's own part is wrong.
    Wrong,
    /// Another method than POST.
    Method,
    /// It comes from a page of somebody else.
    Foreign,
    /// No token, or another one.
    Token,
}

/// A command on its way to the run, and where the answer goes: what was done, or why it can't be.
#[derive(Debug)]
pub struct Wish {
    /// What is wanted.
    pub command: Command,
    /// For the answer, in words.
    pub answer: oneshot::Sender<Result<String, String>>,
    /// How it came: `HTTP`, or `a key`.
    pub by: &'static str,
}

/// The door through which commands come: whose token it is, and where they go.
pub struct Gate {
    /// The token's SHA-256; the token itself is kept nowhere.
    token: [u8; 32],
    wishes: mpsc::Sender<Wish>,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gate")
    }
}

impl Gate {
    /// A gate for whoever has the token with this SHA-256, to where wishes are heard.
    #[must_use]
    pub fn new(token: [u8; 32], wishes: mpsc::Sender<Wish>) -> Self {
        Self { token, wishes }
    }

    /// The command that a request may give; none where it only asks whether its token is right.
    pub(super) fn admit(
        &self,
        is_post: bool,
        path: &str,
        query: Option<&str>,
        headers: &HeaderMap,
    ) -> Result<Option<Command>, Refusal> {
        if !is_post {
            return Err(Refusal::Method);
        }
        if !is_own(headers) {
            return Err(Refusal::Foreign);
        }
        // Before anything else is told: who has no token learns nothing of the commands.
        if !self.has_token(headers) {
            return Err(Refusal::Token);
        }
        if path.strip_prefix(PREFIX) == Some("check") {
            Ok(None)
        } else {
            Command::read(path, query).map(Some)
        }
    }

    fn has_token(&self, headers: &HeaderMap) -> bool {
        let mut given = headers.get_all(AUTHORIZATION).iter();
        let (Some(one), None) = (given.next(), given.next()) else { return false };
        let Some((scheme, token)) = one.as_bytes().split_at_checked(7) else { return false };
        // Digests are compared, so neither content nor length of the token is told by how long it takes.
        scheme.eq_ignore_ascii_case(b"bearer ")
            && verify_slices_are_equal(digest(&SHA256, token).as_ref(), &self.token).is_ok()
    }

    /// Gives a command to the run, and waits for its word; none when the run is over or does not listen.
    pub(super) async fn wish(&self, command: Command) -> Option<Result<String, String>> {
        let (answer, answered) = oneshot::channel();
        self.wishes.try_send(Wish { command, answer, by: "HTTP" }).ok()?;
        answered.await.ok()
    }
}

/// Whether no page of another origin made this request. Programs that are no browsers send neither header.
fn is_own(headers: &HeaderMap) -> bool {
    let site = headers.get(FETCH_SITE).map(|site| site.as_bytes());
    if site.is_some_and(|site| site != b"same-origin") {
        return false;
    }
    let Some(origin) = headers.get(ORIGIN) else { return true };
    // By host and port alone: in front of this listener may stand one that speaks TLS.
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    origin.zip(host).is_some_and(|((_, origin), host)| origin.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "a-token-of-at-least-16";

    fn gate() -> Gate {
        let mut token = [0; 32];
        token.copy_from_slice(digest(&SHA256, TOKEN.as_bytes()).as_ref());
        Gate::new(token, mpsc::channel(QUEUE).0)
    }

    fn headers(all: &[(&'static str, &str)]) -> HeaderMap {
        all.iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().expect("a value")))
            .collect()
    }

    fn asked(path: &str, query: Option<&str>) -> Result<Option<Command>, Refusal> {
        let bearer = format!("Bearer {TOKEN}");
        gate().admit(true, path, query, &headers(&[("authorization", &bearer)]))
    }

    #[test]
    fn each_path_is_its_command() {
        for (path, query, command) in [
            ("/control/pause", None, Command::Pause),
            ("/control/resume", Some(""), Command::Resume),
            ("/control/next-phase", None, Command::NextPhase),
            ("/control/stop", None, Command::Stop),
            ("/control/rate", Some("x=2"), Command::Rate(2_000)),
            ("/control/rate", Some("x=0.5"), Command::Rate(500)),
            ("/control/rate", Some("x=0.001"), Command::Rate(1)),
            ("/control/rate", Some("x=100.000"), Command::Rate(100_000)),
        ] {
            assert_eq!(asked(path, query), Ok(Some(command)), "{path}?{query:?}");
        }
    }

    #[test]
    fn what_is_no_command_is_refused() {
        for query in [
            "",
            "x=",
            "x=0",
            "x=0.0001",
            "x=100.001",
            "x=-1",
            "x=1e3",
            "x=1.",
            "x=.5",
            "y=2",
            "x=2&x=3",
            "x=+2",
            "x=٣",
            "x=99999999999999999999",
        ] {
            assert_eq!(asked("/control/rate", Some(query)), Err(Refusal::Wrong), "{query}");
        }
        assert_eq!(asked("/control/rate", None), Err(Refusal::Wrong));
        assert_eq!(asked("/control/check", None), Ok(None));
        assert_eq!(asked("/control/pause", Some("x=2")), Err(Refusal::Wrong));
        for path in ["/control/", "/control/Pause", "/control/pause/", "/control/pause/now"] {
            assert_eq!(asked(path, None), Err(Refusal::Unknown), "{path}");
        }
    }

    #[test]
    fn only_the_whole_token_opens_and_only_once_given() {
        let admit = |all: &[(&'static str, &str)]| gate().admit(true, "/control/stop", None, &headers(all));
        let bearer = format!("Bearer {TOKEN}");
        assert_eq!(admit(&[("authorization", &bearer)]), Ok(Some(Command::Stop)));
        assert_eq!(admit(&[("authorization", &format!("bEaReR {TOKEN}"))]), Ok(Some(Command::Stop)));
        let long = format!("Bearer {TOKEN}x");
        for wrong in ["", "Bearer", "Bearer ", &bearer[..bearer.len() - 1], &long, TOKEN, "Basic YTpi"] {
            assert_eq!(admit(&[("authorization", wrong)]), Err(Refusal::Token), "{wrong}");
        }
        assert_eq!(admit(&[]), Err(Refusal::Token));
        let mut twice = headers(&[("authorization", &bearer)]);
        twice.append(AUTHORIZATION, bearer.parse().expect("a value"));
        assert_eq!(gate().admit(true, "/control/stop", None, &twice), Err(Refusal::Token));
        let get = headers(&[("authorization", &bearer)]);
        assert_eq!(gate().admit(false, "/control/stop", None, &get), Err(Refusal::Method));
    }

    #[test]
    fn a_page_of_others_gets_nothing_even_with_the_token() {
        let bearer = format!("Bearer {TOKEN}");
        let from = |all: &[(&'static str, &str)]| {
            let all = [&[("authorization", bearer.as_str()), ("host", "here:9464")], all].concat();
            gate().admit(true, "/control/stop", None, &headers(&all))
        };
        for own in [&[("origin", "http://here:9464")][..], &[("origin", "https://HERE:9464")]] {
            assert_eq!(from(own), Ok(Some(Command::Stop)));
        }
        assert_eq!(
            from(&[("sec-fetch-site", "same-origin"), ("origin", "http://here:9464")]),
            Ok(Some(Command::Stop))
        );
        for foreign in [
            &[("origin", "http://there:9464")][..],
            &[("origin", "http://here")],
            &[("origin", "null")],
            &[("origin", "http://here:9464.evil.example")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "none")],
        ] {
            assert_eq!(from(foreign), Err(Refusal::Foreign), "{foreign:?}");
        }
    }

    #[test]
    fn a_factor_is_written_as_it_is_read() {
        for factor in [1, 10, 500, 999, 1_000, 1_500, 2_000, 12_340, MOST_FACTOR] {
            assert_eq!(thousandths(&factor_words(factor)), Some(factor));
        }
    }

    #[tokio::test]
    async fn a_run_that_is_over_answers_nothing() {
        let (give, out) = mpsc::channel(QUEUE);
        drop(out);
        let gate = Gate::new([0; 32], give);
        assert_eq!(gate.wish(Command::Stop).await, None);
    }
}
