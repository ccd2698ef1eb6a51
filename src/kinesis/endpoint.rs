//! Whether an address that requests go to is this machine.
//!
//! Decides nothing about what may be sent there. Which address it is says the SDK (see `lane`): variables, profiles
//! and ignored settings all have a say in it.

use std::net::IpAddr;

/// The host of a URI, without user, port and brackets.
fn host(uri: &str) -> &str {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let address = authority.rsplit_once('@').map_or(authority, |(_, address)| address);
    match address.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        Some((inner, _)) => inner,
        None => address.split(':').next().unwrap_or_default(),
    }
}

/// Whether the host of `uri` can only be this machine: `localhost`, a name below it (RFC 6761), or a loopback address.
/// A name that happens to be resolved to one is not known to.
pub(super) fn is_on_this_machine(uri: &str) -> bool {
    let host = host(uri);
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_told_from_every_other_host() {
        for uri in [
            "http://localhost:4566/",
            "http://LOCALHOST",
            "https://user:word@127.0.0.1:80/x?y",
            "http://127.8.9.1/",
            "http://[::1]:4567",
            "http://[::ffff:127.0.0.1]/",
            "http://kinesis.localhost:1",
        ] {
            assert!(is_on_this_machine(uri), "{uri}");
        }
        for uri in [
            "https://kinesis.eu-west-1.amazonaws.com/",
            "http://localhost.example.com/",
            "http://127.0.0.1.example.com/",
            "http://127.0.0.1@example.com/",
            "http://example.com/127.0.0.1",
            "http://example.com/?@localhost",
            "http://notlocalhost",
            "http://0.0.0.0:4567",
            "http://10.0.0.1",
            "http://[2001:db8::1]:80",
            "",
        ] {
            assert!(!is_on_this_machine(uri), "{uri}");
        }
    }
}
