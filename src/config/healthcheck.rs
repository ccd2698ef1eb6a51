//! What `healthcheck` is asked: which listener, and for what.
//!
//! Decides the address from the daemon's own variable, so that a container's health check needs no argument; asks nobody.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::asked::Asked;
use super::flags::{OwnFlag, PORT, Verb, arg, own_arg};
use super::invocation::own;
use super::setting::Form;
use super::{resolve, settings as table};

const READY: &str = "ready";
const STREAM: &str = "local";
const URL: &str = "url";
const TIMEOUT: OwnFlag = ("timeout", "DURATION", "2s", "How long the answer may take");
const TIMEOUTS: Form = Form::Duration { min: Duration::from_millis(1), max: Duration::from_secs(60) };
const URL_RULE: &str = "http://HOST[:PORT][/PATH] in visible ASCII characters";

/// What `healthcheck` is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthOptions {
    /// Who is asked; none: the daemon's listener is off, so nobody can be.
    pub asked: Option<Listener>,
    /// How long the answer may take.
    pub timeout: Duration,
}

/// An address that answers to HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Host (a name or an IP address, which stands in brackets where it has colons) and port.
    pub authority: String,
    /// The path, from its slash on.
    pub path: String,
}

/// What was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HealthVerb {
    ready: bool,
    local: bool,
}

/// The subcommand, as clap knows it.
pub(super) fn command() -> Command {
    let switch = |name, help| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    let (port, value, default, _) = PORT;
    Command::new("healthcheck")
        .about("Asks the daemon of this machine whether it lives: exit code 0 if so, else 1")
        .long_about(
            "Asks the daemon of this machine whether it lives: exit code 0 if so, else 1. Made for the HEALTHCHECK of a \
             container without a shell: it asks where STREAMER_LISTEN says, on loopback where that is any address. Where \
             the listener is off there is nobody to ask, and the exit code is 64.",
        )
        .arg(switch(READY, "Asks whether records are released (/readyz), not whether the process serves (/healthz)"))
        .arg(switch(STREAM, "Asks the stream that `kinesis-streamer local` serves").conflicts_with(READY))
        .arg(own_arg((port, value, default, "The port of that stream")).requires(STREAM))
        .arg(
            Arg::new(URL)
                .long(URL)
                .value_name("URL")
                .value_parser(value_parser!(OsString))
                .conflicts_with_all([READY, STREAM])
                .help("Asks this URL; any answer of the class 2xx is a good one"),
        )
        .arg(own_arg(TIMEOUT))
        .arg(arg(&table::LISTEN))
}

/// The flags with values that are not in the table.
pub(super) const OWN: [&str; 2] = [URL, TIMEOUT.0];

pub(super) fn typed(matches: &ArgMatches) -> Verb {
    Verb::Healthcheck(HealthVerb { ready: matches.get_flag(READY), local: matches.get_flag(STREAM) })
}

/// What `healthcheck` is asked.
pub(super) fn options(asked: &mut Asked, verb: &HealthVerb) -> Option<HealthOptions> {
    let text = asked.flags.get(TIMEOUT.0).cloned().unwrap_or_else(|| TIMEOUT.2.to_owned());
    let timeout = own(asked, "--timeout", &text, &TIMEOUTS.rule(), TIMEOUTS.duration(&text));
    let listener = match (asked.flags.get(URL).cloned(), verb) {
        (Some(url), _) => own(asked, "--url", &url, URL_RULE, of_url(&url)).map(Some),
        (None, HealthVerb { local: true, .. }) => {
            let ports = Form::Number { min: 1, max: u64::from(u16::MAX) };
            let text = asked.flags.get(PORT.0).cloned().unwrap_or_else(|| PORT.2.to_owned());
            let port = ports.number(&text).and_then(|port| u16::try_from(port).ok());
            let port = own(asked, "--port", &text, &ports.rule(), port);
            port.map(|port| Some(of_address(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port), "/healthz")))
        }
        (None, HealthVerb { ready, .. }) => {
            let path = if *ready { "/readyz" } else { "/healthz" };
            resolve::listen(asked).map(|address| address.map(|address| of_address(from_here(address), path)))
        }
    };
    Some(HealthOptions { asked: listener?, timeout: timeout? })
}

/// The address by which this machine reaches a listener: "any address" is loopback from here.
fn from_here(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn of_address(address: SocketAddr, path: &str) -> Listener {
    Listener { authority: address.to_string(), path: path.to_owned() }
}

/// The parts of a URL. No user, no query: who asks for health needs none.
fn of_url(url: &str) -> Option<Listener> {
    let rest = url.strip_prefix("http://").filter(|rest| rest.bytes().all(|byte| byte.is_ascii_graphic()))?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let bracketed = authority.strip_prefix('[').and_then(|inner| inner.split_once(']'));
    let (host, port) = match bracketed {
        Some((ip, port)) => (ip.parse::<Ipv6Addr>().is_ok(), port),
        None => {
            let (host, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
            let of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
            (!host.is_empty() && host.bytes().all(of_name), port)
        }
    };
    let digits = port.strip_prefix(':');
    let is_port = |digits: &str| {
        digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok_and(|port| port > 0)
    };
    let legal = host && (port.is_empty() || digits.is_some_and(is_port));
    let authority = if digits.is_some() { authority.to_owned() } else { format!("{authority}:80") };
    let path = if path.is_empty() { "/" } else { path };
    legal.then(|| Listener { authority, path: path.to_owned() })
}

#[cfg(test)]
mod tests {
    use crate::config::{Invocation, Problems, read};

    fn asked(variables: &[(&str, &str)], arguments: &[&str]) -> Result<Option<String>, Problems> {
        let arguments = ["x", "healthcheck"].into_iter().chain(arguments.iter().copied());
        match read(variables.iter().copied(), arguments, 0)? {
            Invocation::Healthcheck(options) => Ok(options.asked.map(|one| one.authority + " " + &one.path)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_daemons_own_variable_says_who_is_asked() {
        for (listen, told) in [
            ("0.0.0.0:9464", Some("127.0.0.1:9464 /healthz")),
            ("[::]:1", Some("[::1]:1 /healthz")),
            ("10.0.0.7:80", Some("10.0.0.7:80 /healthz")),
            ("off", None),
        ] {
            assert_eq!(asked(&[("STREAMER_LISTEN", listen)], &[]), Ok(told.map(str::to_owned)));
        }
        for (arguments, told) in [
            (&[][..], "127.0.0.1:9464 /healthz"),
            (&["--ready", "--listen=127.0.0.1:1"], "127.0.0.1:1 /readyz"),
            (&["--local"], "127.0.0.1:4567 /healthz"),
            (&["--local", "--port=80"], "127.0.0.1:80 /healthz"),
            (&["--url=http://stream:4567"], "stream:4567 /"),
            (&["--url", "http://[::1]/a?b"], "[::1]:80 /a?b"),
        ] {
            assert_eq!(asked(&[], arguments), Ok(Some(told.to_owned())));
        }
    }

    #[test]
    fn what_can_t_be_asked_is_refused() {
        for arguments in [
            &["--url=https://x"][..],
            &["--url=http://"],
            &["--url=http://x:0"],
            &["--url=http://x y"],
            &["--url=http://x/\r\nhost: y"],
            &["--url=http://a@b"],
            &["--port=0", "--local"],
            &["--port=80"],
            &["--timeout=0s"],
            &["--timeout=2"],
            &["--local", "--ready"],
            &["--listen=x"],
        ] {
            assert!(asked(&[], arguments).is_err(), "{arguments:?}");
        }
    }
}
