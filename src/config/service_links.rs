//! Variables that Kubernetes puts into every pod for each Service of its namespace: a Service called `streamer` makes
//! `STREAMER_PORT`, `STREAMER_SERVICE_HOST` and others, which look like settings and are none.
//!
//! Decides which variables are such; that they are ignored, and told, is decided by who asks.

use std::collections::BTreeMap;

/// The Services whose variables stand in an environment, by the prefix that their names make.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ServiceLinks(Vec<String>);

impl ServiceLinks {
    /// Finds them. A Service is known by two variables that only together mean one: its host, and its port as an
    /// address such as `tcp://10.0.0.1:9464`.
    pub fn find<'a>(variables: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let all: BTreeMap<&str, &str> = variables.collect();
        let names = all.keys().filter_map(|name| name.strip_suffix("_SERVICE_HOST"));
        let is_service =
            |name: &&str| all.get(format!("{name}_PORT").as_str()).is_some_and(|port| is_address(port));
        Self(names.filter(|name| !name.is_empty()).filter(is_service).map(str::to_owned).collect())
    }

    /// The Service that this variable is about, as the prefix of its variables.
    pub fn service_of(&self, variable: &str) -> Option<&str> {
        let of = |service: &&String| variable.strip_prefix(service.as_str()).is_some_and(is_link);
        self.0.iter().find(of).map(String::as_str)
    }
}

/// Whether a port's variable holds what Kubernetes puts there.
fn is_address(text: &str) -> bool {
    let Some((protocol, rest)) = text.split_once("://") else { return false };
    let port = rest.rsplit_once(':').map(|(_, port)| port);
    ["tcp", "udp", "sctp"].contains(&protocol) && port.is_some_and(|port| port.parse::<u16>().is_ok())
}

/// Whether this is what follows a Service's name (Kubernetes documentation, "Accessing the Service", and the variables
/// of Docker's links that it makes as well).
fn is_link(rest: &str) -> bool {
    if matches!(rest, "_SERVICE_HOST" | "_SERVICE_PORT" | "_PORT") || rest.starts_with("_SERVICE_PORT_") {
        return true;
    }
    let Some((port, protocol)) = rest.strip_prefix("_PORT_").and_then(|rest| rest.split_once('_')) else {
        return false;
    };
    let (protocol, part) = protocol.split_once('_').unwrap_or((protocol, "ADDR"));
    port.parse::<u16>().is_ok()
        && ["TCP", "UDP", "SCTP"].contains(&protocol)
        && ["PROTO", "PORT", "ADDR"].contains(&part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_service_makes_is_a_link() {
        let variables = [
            ("STREAMER_SERVICE_HOST", "10.0.0.1"),
            ("STREAMER_PORT", "tcp://10.0.0.1:9464"),
            ("STREAMER_LOCAL_SERVICE_HOST", "fd00::1"),
            ("STREAMER_LOCAL_PORT", "udp://[fd00::1]:4567"),
            ("STREAMER_X_SERVICE_HOST", "10.0.0.1"),
            ("STREAMER_Y_SERVICE_HOST", "10.0.0.1"),
            ("STREAMER_Y_PORT", "9464"),
        ];
        let links = ServiceLinks::find(variables.into_iter());
        for (variable, service) in [
            ("STREAMER_SERVICE_HOST", "STREAMER"),
            ("STREAMER_SERVICE_PORT", "STREAMER"),
            ("STREAMER_SERVICE_PORT_METRICS", "STREAMER"),
            ("STREAMER_PORT_9464_TCP", "STREAMER"),
            ("STREAMER_PORT_9464_TCP_PROTO", "STREAMER"),
            ("STREAMER_LOCAL_PORT_4567_UDP_ADDR", "STREAMER_LOCAL"),
        ] {
            assert_eq!(links.service_of(variable), Some(service), "{variable}");
        }
        for variable in [
            "STREAMER_LOCAL",
            "STREAMER_PORTS",
            "STREAMER_PORT_X_TCP",
            "STREAMER_PORT_1_TCP_X",
            "STREAMER_X_SERVICE_HOST",
            "STREAMER_Y_PORT",
            "STREAMER_SERVICE",
        ] {
            assert_eq!(links.service_of(variable), None, "{variable}");
        }
    }
}
