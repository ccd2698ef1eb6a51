//! OpenTelemetry's own variables: where metrics are exported to, and how often.
//!
//! They are no settings of ours: their names and meanings are those of its specification (environment variables of the
//! SDK and of the OTLP exporter). Where nobody says where to, nothing is exported. Headers are secrets.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::time::Duration;

use super::asked::Asked;
use super::aws::is_url;
use super::problem::{Problem, Shown};

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const OWN_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT";
const HEADERS: [&str; 2] = ["OTEL_EXPORTER_OTLP_METRICS_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"];
const TIMEOUT: [&str; 2] = ["OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"];
const PROTOCOL: [&str; 2] = ["OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
const INTERVAL: &str = "OTEL_METRIC_EXPORT_INTERVAL";
const SERVICE: &str = "OTEL_SERVICE_NAME";
const ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";
const EXPORTER: &str = "OTEL_METRICS_EXPORTER";
const DISABLED: &str = "OTEL_SDK_DISABLED";

/// The variables that are looked at, and what each does in a line.
pub const OTEL_VARIABLES: &[(&str, &str)] = &[
    (ENDPOINT, "Where to: the collector's base URL, such as http://localhost:4318; /v1/metrics is added"),
    (OWN_ENDPOINT, "The same for metrics alone, as the whole URL; stronger"),
    (HEADERS[1], "Headers of the requests, such as api-key=SECRET,other=VALUE, percent-encoded"),
    (HEADERS[0], "The same for metrics alone; stronger"),
    (TIMEOUT[1], "Milliseconds that a request may take, 1 to 600000; 10000 where it is not set"),
    (TIMEOUT[0], "The same for metrics alone; stronger"),
    (PROTOCOL[1], "Must be http/protobuf, where it is set"),
    (PROTOCOL[0], "The same for metrics alone; stronger"),
    (INTERVAL, "Milliseconds between two exports, 100 to 3600000; 60000 where it is not set"),
    (SERVICE, "The service's name; kinesis-streamer where it is not set"),
    (ATTRIBUTES, "Attributes of the resource, such as team=data,env=test, percent-encoded"),
    (EXPORTER, "none: nothing is exported; otlp where it is set to something else"),
    (DISABLED, "true: nothing is exported"),
];

/// Where metrics are exported to by OTLP, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Otlp {
    /// The whole URL.
    pub url: String,
    /// Headers of each request.
    pub headers: OtlpHeaders,
    /// Between two exports.
    pub interval: Duration,
    /// Of one request.
    pub timeout: Duration,
    /// Attributes of the resource, the service's name among them.
    pub resource: Vec<(String, String)>,
}

/// Names and values of headers, which may be secrets.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct OtlpHeaders(Vec<(String, String)>);

impl fmt::Debug for OtlpHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} headers", self.0.len())
    }
}

impl OtlpHeaders {
    /// The headers, for the request alone.
    pub fn reveal(&self) -> &[(String, String)] {
        &self.0
    }
}

/// The values that are looked at, as the environment has them.
#[derive(Debug, Default)]
pub(super) struct OtelValues(BTreeMap<&'static str, OsString>);

impl OtelValues {
    /// Keeps a value that is to be looked at, and no other. Where a name stands twice, the first counts.
    pub fn note(&mut self, name: &OsStr, value: &OsStr) {
        if let Some((known, _)) = OTEL_VARIABLES.iter().find(|(known, _)| name == *known) {
            self.0.entry(known).or_insert_with(|| value.to_owned());
        }
    }

    /// The text of the first of these variables that is set; what is empty counts as not set, as the specification
    /// has it.
    fn text(&self, names: &[&'static str], asked: &mut Asked) -> Option<(&'static str, String)> {
        let (name, value) = names
            .iter()
            .find_map(|name| self.0.get_key_value(name).filter(|(_, value)| !value.is_empty()))?;
        match value.to_str() {
            Some(text) => Some((name, text.to_owned())),
            None => {
                let value = Shown::value(&value.to_string_lossy(), true);
                asked.problems.push(Problem::NotUnicode { setting: None, origin: (*name).to_owned(), value });
                None
            }
        }
    }

    /// What is exported and where to, if the program `can`; what is wrong goes to the problems.
    pub fn otlp(self, asked: &mut Asked, can: bool) -> Option<Otlp> {
        let is = |name, word: &str| {
            self.0
                .get(name)
                .and_then(|value| value.to_str())
                .is_some_and(|text| text.eq_ignore_ascii_case(word))
        };
        let wanted =
            [OWN_ENDPOINT, ENDPOINT].iter().any(|name| self.0.get(name).is_some_and(|url| !url.is_empty()));
        if !wanted || is(EXPORTER, "none") || is(DISABLED, "true") {
            return None;
        }
        if !can {
            asked.notices.push(format!(
                "{ENDPOINT} has no effect: this program was built without OpenTelemetry (cargo build --features otlp); \
                 its metrics are on /metrics"
            ));
            return None;
        }
        let url = match self.text(&[OWN_ENDPOINT], asked) {
            Some((name, url)) => Some((name, url)),
            None => self
                .text(&[ENDPOINT], asked)
                .map(|(name, url)| (name, format!("{}/v1/metrics", url.trim_end_matches('/')))),
        };
        let url = url.and_then(|(name, url)| {
            let rule =
                "an http:// or https:// URL with a host, such as http://localhost:4318, without a user";
            // A URL may have a password before its host.
            let right = is_url(&url) && !url.contains('@');
            right.then_some(url.clone()).or_else(|| wrong(asked, name, rule, &url, url.contains('@')))
        });
        if let Some((name, protocol)) = self.text(&PROTOCOL, asked)
            && protocol != "http/protobuf"
        {
            wrong::<()>(
                asked,
                name,
                "http/protobuf, the only protocol that is spoken here",
                &protocol,
                false,
            );
        }
        let headers = match self.text(&HEADERS, asked) {
            None => Some(Vec::new()),
            Some((name, text)) => {
                let rule = "headers such as api-key=VALUE,other=VALUE, percent-encoded";
                pairs(&text)
                    .filter(|all| all.iter().all(is_header))
                    .or_else(|| wrong(asked, name, rule, &text, true))
            }
        };
        let timeout = self.millis(&TIMEOUT, 1..=600_000, 10_000, asked);
        let interval = self.millis(&[INTERVAL], 100..=3_600_000, 60_000, asked);
        let mut resource = match self.text(&[ATTRIBUTES], asked) {
            None => Some(Vec::new()),
            Some((name, text)) => {
                let rule = "attributes such as team=data,env=test, percent-encoded";
                pairs(&text).or_else(|| wrong(asked, name, rule, &text, false))
            }
        }?;
        if let Some((_, service)) = self.text(&[SERVICE], asked) {
            resource.retain(|(name, _)| name != "service.name");
            resource.push(("service.name".to_owned(), service));
        }
        if !resource.iter().any(|(name, _)| name == "service.name") {
            resource.push(("service.name".to_owned(), "kinesis-streamer".to_owned()));
        }
        Some(Otlp {
            url: url?,
            headers: OtlpHeaders(headers?),
            interval: interval?,
            timeout: timeout?,
            resource,
        })
    }

    fn millis(
        &self,
        names: &[&'static str],
        range: std::ops::RangeInclusive<u64>,
        usual: u64,
        asked: &mut Asked,
    ) -> Option<Duration> {
        let Some((name, text)) = self.text(names, asked) else { return Some(Duration::from_millis(usual)) };
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse().ok().filter(|millis| digits && range.contains(millis)) {
            Some(millis) => Some(Duration::from_millis(millis)),
            None => {
                let rule = format!("a number of milliseconds from {} to {}", range.start(), range.end());
                wrong(asked, name, &rule, &text, false)
            }
        }
    }
}

/// Adds a problem; always none.
fn wrong<T>(asked: &mut Asked, name: &str, rule: &str, value: &str, secret: bool) -> Option<T> {
    asked.problems.push(Problem::Wrong {
        setting: None,
        origin: name.to_owned(),
        rule: rule.to_owned(),
        value: Shown::value(value, secret),
        detail: None,
    });
    None
}

/// Names and values as W3C baggage writes them: `name=value,name=value`, percent-encoded.
fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        let (name, value) = (decoded(name.trim())?, decoded(value.trim())?);
        (!name.is_empty()).then_some((name, value))
    };
    text.split(',').filter(|pair| !pair.trim().is_empty()).map(pair).collect()
}

/// A text whose `%41` stands for `A`.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        let digits = std::str::from_utf8(digits).ok().filter(|two| !two.starts_with('+'))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

/// Whether a request can carry it (RFC 9110: a token, and visible characters or spaces).
fn is_header((name, value): &(String, String)) -> bool {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    name.bytes().all(token) && value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(can: bool, values: &[(&str, &str)]) -> (Option<Otlp>, Asked) {
        let (mut otel, mut asked) = (OtelValues::default(), Asked::default());
        values.iter().for_each(|(name, value)| otel.note(OsStr::new(name), OsStr::new(value)));
        (otel.otlp(&mut asked, can), asked)
    }

    #[test]
    fn without_an_endpoint_or_with_another_exporter_nothing_is_exported() {
        let base = (ENDPOINT, "http://c:4318");
        for values in [
            &[][..],
            &[(ENDPOINT, "")],
            &[(INTERVAL, "wrong")],
            &[base, (DISABLED, "TRUE")],
            &[base, (EXPORTER, "none")],
        ] {
            let (otlp, asked) = read(true, values);
            assert!(otlp.is_none() && asked.problems.is_empty() && asked.notices.is_empty(), "{values:?}");
        }
    }

    #[test]
    fn a_program_that_can_not_export_says_so_once_and_judges_nothing() {
        let (otlp, asked) = read(false, &[(ENDPOINT, "nonsense"), (OWN_ENDPOINT, "x"), (INTERVAL, "wrong")]);
        assert!(otlp.is_none() && asked.problems.is_empty());
        assert_eq!(asked.notices.len(), 1);
        assert!(asked.notices[0].contains("--features otlp"), "{:?}", asked.notices);
    }

    #[test]
    fn the_variables_mean_what_the_specification_says() {
        let otlp = read(true, &[(ENDPOINT, "http://c:4318/")]).0.expect("an endpoint");
        assert_eq!(otlp.url, "http://c:4318/v1/metrics");
        assert_eq!((otlp.interval, otlp.timeout), (Duration::from_secs(60), Duration::from_secs(10)));
        assert_eq!(otlp.resource, [("service.name".to_owned(), "kinesis-streamer".to_owned())]);
        let (otlp, asked) = read(
            true,
            &[
                (ENDPOINT, "http://c:4318"),
                (OWN_ENDPOINT, "https://m/in"),
                (HEADERS[1], "weak=1"),
                (HEADERS[0], "api-key=a%20secret%3D, x=1,"),
                (TIMEOUT[1], "7"),
                (INTERVAL, "250"),
                (SERVICE, "load"),
                (ATTRIBUTES, "service.name=weak,env=test"),
                (PROTOCOL[1], "http/protobuf"),
            ],
        );
        let otlp = otlp.unwrap_or_else(|| panic!("{:?}", asked.problems));
        assert_eq!(otlp.url, "https://m/in");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(otlp.headers.reveal(), [pair("api-key", "a secret="), pair("x", "1")]);
        assert_eq!(otlp.resource, [pair("env", "test"), pair("service.name", "load")]);
        assert_eq!((otlp.timeout, otlp.interval), (Duration::from_millis(7), Duration::from_millis(250)));
        assert!(!format!("{otlp:?}").contains("secret"), "{otlp:?}");
    }

    #[test]
    fn all_that_is_wrong_is_told_and_no_secret_with_it() {
        let (otlp, asked) = read(
            true,
            &[
                (ENDPOINT, "ftp://c"),
                (HEADERS[0], "a hunter2 without an equals sign"),
                (TIMEOUT[0], "0"),
                (INTERVAL, "+250"),
                (ATTRIBUTES, "a=%zz"),
                (PROTOCOL[0], "grpc"),
            ],
        );
        assert!(otlp.is_none());
        let told: Vec<String> = asked.problems.iter().map(ToString::to_string).collect();
        for name in [ENDPOINT, HEADERS[0], TIMEOUT[0], INTERVAL, ATTRIBUTES, PROTOCOL[0]] {
            assert!(told.iter().any(|line| line.starts_with(name)), "{name} in {told:?}");
        }
        assert!(!told.concat().contains("hunter2"), "{told:?}");
        let (_, asked) = read(true, &[(ENDPOINT, "http://u:hunter2@c")]);
        assert!(!format!("{:?}{}", asked.problems, asked.problems[0]).contains("hunter2"));
    }
}
