//! AWS's own variables: which there are, and the few whose wrong values are found before the client meets them.
//!
//! They are no settings of ours: AWS's chain reads them. But an empty or malformed endpoint or region makes it
//! panic or fail in words that name no variable, so a run that needs AWS looks at these first. Secrets are
//! never looked at.

use std::ffi::{OsStr, OsString};
use std::net::Ipv6Addr;

use super::asked::Asked;
use super::problem::{Problem, Shown};
use super::settings as table;

/// What the value of one of AWS's variables must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AwsForm {
    /// Not looked at here.
    Free,
    /// The name of a region.
    Region,
    /// The address of an endpoint.
    Url,
}

impl AwsForm {
    /// The rule in words that fit after "must be".
    const fn rule(self) -> &'static str {
        match self {
            Self::Free => "anything",
            Self::Region => "a region such as eu-west-1 (letters, digits and hyphens)",
            Self::Url => "an http:// or https:// URL with a host, such as http://localhost:4566",
        }
    }

    /// What to set in place of an empty value.
    const fn noun(self) -> &'static str {
        match self {
            Self::Free => "a value",
            Self::Region => "a region",
            Self::Url => "a URL",
        }
    }

    fn holds(self, text: &str) -> bool {
        match self {
            Self::Free => true,
            Self::Region => text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'),
            Self::Url => is_url(text),
        }
    }
}

/// A variable that AWS's own configuration reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AwsVariable {
    /// The variable.
    pub name: &'static str,
    /// Whether its value must never be shown.
    pub secret: bool,
    /// What its value must be.
    pub form: AwsForm,
    /// What it does, in one line.
    pub help: &'static str,
}

const fn aws(name: &'static str, help: &'static str) -> AwsVariable {
    AwsVariable { name, secret: false, form: AwsForm::Free, help }
}

const fn checked(form: AwsForm, name: &'static str, help: &'static str) -> AwsVariable {
    AwsVariable { form, ..aws(name, help) }
}

const fn secret(name: &'static str, help: &'static str) -> AwsVariable {
    AwsVariable { secret: true, ..aws(name, help) }
}

/// The variables of AWS's default chain that people use most with a stream.
pub const AWS_VARIABLES: &[AwsVariable] = &[
    checked(AwsForm::Region, "AWS_REGION", "The region; us-east-1 where nothing names one"),
    checked(AwsForm::Region, "AWS_DEFAULT_REGION", "The region, where `AWS_REGION` is not set"),
    aws("AWS_ACCESS_KEY_ID", "Static credentials: the key's id"),
    secret("AWS_SECRET_ACCESS_KEY", "Static credentials: the key"),
    secret("AWS_SESSION_TOKEN", "Static credentials: the token of a session"),
    aws("AWS_PROFILE", "The profile in AWS's configuration files; SSO and credential processes included"),
    aws("AWS_CONFIG_FILE", "Where the configuration file is"),
    aws("AWS_SHARED_CREDENTIALS_FILE", "Where the credentials file is"),
    checked(AwsForm::Url, "AWS_ENDPOINT_URL", "Another endpoint for every service"),
    checked(
        AwsForm::Url,
        "AWS_ENDPOINT_URL_KINESIS",
        "Another endpoint for Kinesis; stronger than `AWS_ENDPOINT_URL`",
    ),
    aws("AWS_ROLE_ARN", "The role to take with a web identity"),
    aws("AWS_WEB_IDENTITY_TOKEN_FILE", "The token of a web identity, as Kubernetes mounts it"),
    aws("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "Credentials of a container, as ECS sets it"),
    aws("AWS_CONTAINER_CREDENTIALS_FULL_URI", "Credentials of a container, as EKS sets it"),
    aws("AWS_EC2_METADATA_DISABLED", "`true` keeps credentials of the EC2 instance out"),
];

/// The values that are looked at, as the environment has them.
#[derive(Debug, Default)]
pub(super) struct AwsValues(Vec<(&'static AwsVariable, OsString)>);

impl AwsValues {
    /// Keeps a value that is to be looked at, and no other. Where a name stands twice, the first counts.
    pub fn note(&mut self, name: &OsStr, value: &OsStr) {
        let variable = AWS_VARIABLES.iter().find(|variable| name == variable.name);
        let Some(variable) = variable.filter(|variable| variable.form != AwsForm::Free) else { return };
        if !self.0.iter().any(|(known, _)| known == &variable) {
            self.0.push((variable, value.to_owned()));
        }
    }

    /// Adds what is wrong with them to the problems of a run that needs AWS.
    pub fn check(mut self, asked: &mut Asked) {
        if !needs_aws(asked) {
            return;
        }
        // In the order of the table, whatever the environment's.
        self.0.sort_by_key(|(variable, _)| AWS_VARIABLES.iter().position(|other| other == *variable));
        asked.problems.extend(self.0.into_iter().filter_map(|(variable, value)| problem(variable, &value)));
    }
}

/// Whether what was asked is a run that calls AWS, or another endpoint in its place; told from the settings as
/// they were typed, so that it holds when other settings are wrong as well.
fn needs_aws(asked: &Asked) -> bool {
    let says = |setting, word| asked.value(setting).is_some_and(|(_, text)| text == word);
    says(&table::LOCAL, "false") && (asked.is_given(&table::STREAM) || !says(&table::DRY_RUN, "true"))
}

fn problem(variable: &AwsVariable, value: &OsStr) -> Option<Problem> {
    let (name, form) = (variable.name, variable.form);
    let Some(text) = value.to_str() else {
        let value = Shown::value(&value.to_string_lossy(), variable.secret);
        return Some(Problem::NotUnicode { setting: None, origin: name.to_owned(), value });
    };
    if text.is_empty() {
        return Some(Problem::Empty { name, noun: form.noun() });
    }
    (!form.holds(text)).then(|| Problem::Wrong {
        setting: None,
        origin: name.to_owned(),
        rule: form.rule().to_owned(),
        // A URL may have a password before its host.
        value: Shown::value(text, variable.secret || text.contains('@')),
        detail: None,
    })
}

/// Whether this is `http://` or `https://`, a host, perhaps a port, and perhaps a path of the characters that
/// a URL may have (RFC 3986).
pub(super) fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(&byte);
    let (user, address) = authority.rsplit_once('@').unwrap_or(("", authority));
    // The brackets of an IPv6 address hold colons, so the port is what follows them.
    let (is_host, port) = match address.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        Some((inner, port)) => (inner.parse::<Ipv6Addr>().is_ok(), port),
        None => {
            let (host, port) = address.split_at(address.find(':').unwrap_or(address.len()));
            let of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
            (!host.is_empty() && host.bytes().all(of_name), port)
        }
    };
    let is_port =
        |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok();
    (scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https"))
        && is_host
        && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
        && user.bytes().chain(path.bytes()).all(legal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_url_with_a_scheme_and_a_host() {
        for right in [
            "http://localhost:4566",
            "https://kinesis.eu-west-1.amazonaws.com",
            "HTTPS://vpce-1_a.kinesis.eu-west-1.vpce.amazonaws.com/",
            "http://[::1]:4567/path?a=b%20c",
            "http://user:word@10.0.0.1:80",
        ] {
            assert!(is_url(right), "{right}");
        }
        for wrong in [
            "foo",
            "localhost:4566",
            "ftp://localhost",
            "http://",
            "https:///path",
            "http://:4566",
            "http://host:",
            "http://host:port",
            "http://host:+1",
            "http://host:65536",
            "http://::1",
            "http://[::1",
            "http://[x]:1",
            "http://[::1]x",
            "http://ho st",
            " http://host",
            "http://host ",
            "http://host/ä",
            "http://host/\"",
            "http://a@",
        ] {
            assert!(!is_url(wrong), "{wrong}");
        }
    }

    #[test]
    fn no_secret_is_looked_at() {
        for variable in AWS_VARIABLES.iter().filter(|variable| variable.secret) {
            assert_eq!(variable.form, AwsForm::Free, "{}", variable.name);
        }
        let mut values = AwsValues::default();
        values.note(OsStr::new("AWS_SECRET_ACCESS_KEY"), OsStr::new("hunter2"));
        values.note(OsStr::new("PATH"), OsStr::new("/bin"));
        assert!(values.0.is_empty());
    }
}
