//! What went wrong with a call as a whole, in a closed set of causes.
//!
//! The line that matters is drawn here: a *refusal* is certain to have stored nothing, after a *silence*
//! the records may be stored. Whoever counts must not mix them up.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_kinesis::config::http::HttpResponse;
use aws_sdk_kinesis::error::{ProvideErrorMetadata, SdkError};

use super::answer::is_throttling;

/// Why a whole request was refused; nothing of it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// A limit of the stream or of the account.
    Throttled,
    /// A limit of KMS, which the stream's key is asked of.
    KmsThrottled,
    /// The stream does not exist.
    NotFound,
    /// The request breaks a rule of the endpoint.
    Invalid,
    /// The identity may not do this.
    Denied,
    /// No credentials were found.
    CredentialsMissing,
    /// The credentials' time is over.
    CredentialsExpired,
    /// The endpoint does not accept the credentials or the signature.
    CredentialsRejected,
    /// The stream's KMS key can't be used.
    Kms,
    /// No connection came about: name not found, refused, TLS.
    Unreachable,
    /// Any other answer of the 4xx class, or a request that could not be built.
    Other,
}

/// Why nothing certain is known of a request; its records may be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Silence {
    /// No answer in time.
    Timeout,
    /// The connection broke.
    Connection,
    /// An answer of the 5xx class.
    ServerError,
    /// An answer that can't be read, or whose number of entries is wrong.
    BadAnswer,
}

/// The cause of a [`Fault`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// Certainly nothing stored.
    Refused(Refusal),
    /// Perhaps stored.
    Silent(Silence),
}

/// A call that failed as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// What it means.
    pub cause: Cause,
    /// The error's code and text as the endpoint or the client gave it: one line, cut, and without the headers that
    /// an endpoint may repeat.
    pub message: String,
}

impl Fault {
    /// A fault of this cause, told in our words.
    pub fn new(cause: Cause, message: impl Into<String>) -> Self {
        Self { cause, message: message.into() }
    }

    /// Whether the endpoint takes these credentials no more, and others may do.
    pub(super) fn asks_for_other_credentials(&self) -> bool {
        matches!(self.cause, Cause::Refused(Refusal::CredentialsExpired | Refusal::CredentialsRejected))
    }
}

impl<E: ProvideErrorMetadata + Error + 'static> From<SdkError<E, HttpResponse>> for Fault {
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        let cause = match &error {
            SdkError::ServiceError(answer) => {
                let status = answer.raw().status().as_u16();
                coded(status, answer.err().code().unwrap_or_default(), answer.err().message())
            }
            SdkError::TimeoutError(_) => Cause::Silent(Silence::Timeout),
            // The answer could not be read: by its status it may still say that nothing is stored.
            SdkError::ResponseError(answer) => coded(answer.raw().status().as_u16(), "", None),
            SdkError::ConstructionFailure(_) => {
                undispatched(&error).unwrap_or(Cause::Refused(Refusal::Other))
            }
            SdkError::DispatchFailure(_) => {
                undispatched(&error).unwrap_or(Cause::Silent(Silence::Connection))
            }
            _ => Cause::Silent(Silence::Connection),
        };
        Self { cause, message: presentable(&chain(&error)) }
    }
}

/// What it means that a provider gave no credentials.
pub(super) fn credentials_fault(error: &CredentialsError) -> Fault {
    let message = chain(error);
    let expired = message.to_lowercase().contains("expired");
    // Else they are not there, or their provider can't give them: nobody has refused them.
    let refusal = if expired { Refusal::CredentialsExpired } else { Refusal::CredentialsMissing };
    Fault::new(Cause::Refused(refusal), message)
}

/// The cause behind an error answer.
pub(super) fn coded(status: u16, code: &str, message: Option<&str>) -> Cause {
    // Throttling is told by its code whatever the status; it stores nothing.
    let refusal = match code {
        "KMSThrottlingException" => Refusal::KmsThrottled,
        code if is_throttling(code) => Refusal::Throttled,
        // Proxies say so without a code (RFC 6585).
        _ if status == 429 => Refusal::Throttled,
        // A failure inside may come after the deed, whatever status an endpoint gives it.
        _ if status >= 500 || is_inside(code) => return Cause::Silent(Silence::ServerError),
        // Kinesis redirects nobody. Who does may do it after the deed (303 See Other).
        _ if status < 400 => return Cause::Silent(Silence::BadAnswer),
        "ResourceNotFoundException" => Refusal::NotFound,
        "AccessDeniedException" | "AccessDenied" | "OptInRequired" => Refusal::Denied,
        "ExpiredTokenException" | "ExpiredToken" | "RequestExpired" => Refusal::CredentialsExpired,
        "MissingAuthenticationTokenException" | "MissingAuthenticationToken" => Refusal::CredentialsMissing,
        "UnrecognizedClientException"
        | "InvalidSignatureException"
        | "IncompleteSignatureException"
        | "IncompleteSignature"
        | "InvalidClientTokenId"
        | "SignatureDoesNotMatch" => match message {
            // A signature that is too old is told as an invalid one.
            Some(text) if text.contains("expired") => Refusal::CredentialsExpired,
            _ => Refusal::CredentialsRejected,
        },
        "InvalidArgumentException" | "ValidationException" | "SerializationException" => Refusal::Invalid,
        code if code.starts_with("KMS") => Refusal::Kms,
        _ => Refusal::Other,
    };
    Cause::Refused(refusal)
}

/// Whether an error code tells of a failure inside the service, not of a request that it refused.
fn is_inside(code: &str) -> bool {
    ["InternalFailure", "InternalError", "InternalServer", "ServiceUnavailable", "RequestTimeout"]
        .iter()
        .any(|start| code.starts_with(start))
}

/// The cause behind a request that got no answer, where the error's sources tell it.
fn undispatched(error: &(dyn Error + 'static)) -> Option<Cause> {
    causes(error).find_map(|cause| {
        if let Some(credentials) = cause.downcast_ref::<CredentialsError>() {
            return Some(credentials_fault(credentials).cause);
        }
        let client = cause.downcast_ref::<hyper_util::client::legacy::Error>()?;
        // is_connect: the error came up before a connection was there, so nothing was written.
        Some(if client.is_connect() {
            Cause::Refused(Refusal::Unreachable)
        } else {
            Cause::Silent(Silence::Connection)
        })
    })
}

/// The error and its sources, outermost first.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}

/// The texts of the error and its sources in a line, without repetition.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    for cause in causes(error) {
        let part = without_output(cause.to_string());
        if !text.contains(&part) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&part);
        }
    }
    text
}

/// A text of others in a line of ours. Where a signature is wrong, AWS repeats the request as it came in, headers
/// and so a session's token included: from there on nothing is shown.
pub(super) fn presentable(text: &str) -> String {
    const MOST: usize = 600;
    const REPEATS: [&str; 5] =
        ["canonical string", "string-to-sign", "canonical request", "x-amz-security-token", "authorization:"];
    // ASCII only, so that places in the one are places in the other.
    let lower = text.to_ascii_lowercase();
    let end = REPEATS.iter().filter_map(|mark| lower.find(mark)).min().unwrap_or(text.len());
    let visible = text[..end].split(|c: char| c.is_whitespace() || c.is_control());
    let mut line = visible.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    if let Some((cut, _)) = line.char_indices().nth(MOST) {
        line.truncate(cut);
        line.push('…');
    } else if end < text.len() {
        line.push_str(" …");
    }
    line
}

/// Where the SDK's text of a failed credential process goes on with what that wrote to its standard error.
const OUTPUT: &str = "Stderr: ";

/// The text without the output of a credential process, which may hold the very secret that it deals with.
fn without_output(mut text: String) -> String {
    if let Some(at) = text.find(OUTPUT) {
        text.truncate(at);
        text.push_str("(what it wrote is not shown: run it by hand)");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_answers_that_store_nothing_are_refusals() {
        for (status, code, cause) in [
            (400, "ProvisionedThroughputExceededException", Cause::Refused(Refusal::Throttled)),
            (503, "ThrottlingException", Cause::Refused(Refusal::Throttled)),
            (400, "ResourceNotFoundException", Cause::Refused(Refusal::NotFound)),
            (400, "ExpiredTokenException", Cause::Refused(Refusal::CredentialsExpired)),
            (400, "KMSDisabledException", Cause::Refused(Refusal::Kms)),
            (400, "KMSThrottlingException", Cause::Refused(Refusal::KmsThrottled)),
            (418, "", Cause::Refused(Refusal::Other)),
            (413, "", Cause::Refused(Refusal::Other)),
            (429, "", Cause::Refused(Refusal::Throttled)),
            (303, "", Cause::Silent(Silence::BadAnswer)),
            (400, "InternalFailure", Cause::Silent(Silence::ServerError)),
            (400, "ServiceUnavailable", Cause::Silent(Silence::ServerError)),
            (500, "InternalFailureException", Cause::Silent(Silence::ServerError)),
            (503, "ServiceUnavailable", Cause::Silent(Silence::ServerError)),
        ] {
            assert_eq!(coded(status, code, None), cause, "{status} {code}");
        }
    }

    #[test]
    fn an_expired_signature_is_told_from_a_wrong_one() {
        let told = |message| coded(403, "InvalidSignatureException", Some(message));
        assert_eq!(told("Signature expired: …"), Cause::Refused(Refusal::CredentialsExpired));
        assert_eq!(
            told("The request signature we calculated …"),
            Cause::Refused(Refusal::CredentialsRejected)
        );
    }

    #[test]
    fn what_an_endpoint_says_is_one_line_without_the_request_that_it_repeats() {
        for (text, shown) in [
            ("a\nb\u{1b}[2J\tc", "a b [2J c"),
            ("no match. The Canonical String for this\nx-amz-security-token:hunter2", "no match. The …"),
            ("é X-Amz-Security-Token: hunter2", "é …"),
            (&"é".repeat(601), &("é".repeat(600) + "…")),
            ("", ""),
        ] {
            assert_eq!(presentable(text), shown);
        }
    }
}
