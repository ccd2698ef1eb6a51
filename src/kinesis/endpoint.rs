//! Where requests really go: the address that the SDK resolved, and whether it is this machine.
//!
//! Asked of the requests themselves, because variables, profiles and ignored settings all have a say in it.
//! Decides nothing about what may be sent there.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use aws_sdk_kinesis::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_kinesis::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_kinesis::error::BoxError;

/// Remembers the host of the first request. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Seen(Arc<OnceLock<String>>);

impl Seen {
    /// The host; none before the first request was made.
    pub(super) fn host(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Seen").field(&self.host()).finish()
    }
}

impl Intercept for Seen {
    fn name(&self) -> &'static str {
        "the host that requests go to"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.get_or_init(|| host(context.request().uri()).to_owned());
        Ok(())
    }
}

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

/// Whether a host can only be this machine: `localhost`, a name below it (RFC 6761), or a loopback address.
/// A name that happens to be resolved to one is not known to.
pub(super) fn is_loopback(host: &str) -> bool {
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
            assert!(is_loopback(host(uri)), "{uri}");
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
            assert!(!is_loopback(host(uri)), "{uri}");
        }
    }
}
