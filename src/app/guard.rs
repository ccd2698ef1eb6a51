//! Guards against aiming at the wrong stream, or at the right one with too much. The embedded stream needs none.
//!
//! Decides before anything is sent; describing a stream is all that may have happened before.

use crate::config::Config;
use crate::kinesis::{Permit, StreamRef};

/// What a guard refused, and what to do when it is meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Guarded {
    /// The stream matches no allowed pattern.
    #[error(
        "STREAMER_ALLOWED_STREAMS: {stream} is not allowed by {allowed:?}: nothing was sent; name another stream \
         (AWS_KINESIS_STREAM_NAME or --stream), or add a pattern for this one"
    )]
    Stream {
        /// The stream's name, or its ARN where it is known.
        stream: String,
        /// The patterns.
        allowed: String,
    },
    /// More records in a second than were confirmed.
    #[error(
        "STREAMER_CONFIRM_RATE: {rate} records in a second are more than the {most} that a stream which is not on \
         this machine gets unasked: nothing was sent; if this load is meant for {stream}, set \
         STREAMER_CONFIRM_RATE={rate} (or --confirm-rate {rate}), else lower CRON_JOBS_TO_GENERATE or \
         MESSAGES_PER_CRON_JOB (or STREAMER_RATE, STREAMER_PROFILE, whichever is set)"
    )]
    Rate {
        /// The stream's name or ARN.
        stream: String,
        /// Records of a due second.
        rate: u64,
        /// Most that may be.
        most: u64,
    },
}

/// Everything that guards refuse of one run; never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\nkinesis-streamer: "))]
pub struct AllGuarded(Vec<Guarded>);

/// Looks at what is known before the stream was asked for: its name, and its ARN if the user gave it.
pub(super) fn before(config: &Config, stream: &StreamRef) -> Result<(), AllGuarded> {
    let refused = config.guards.allowed.as_ref().filter(|all| all.permit_named(stream) == Permit::Refused);
    match refused {
        Some(allowed) => Err(AllGuarded(vec![Guarded::Stream {
            stream: stream.to_string(),
            allowed: allowed.to_string(),
        }])),
        None => Ok(()),
    }
}

/// Looks at the stream as its endpoint describes it, with `arn`; `on_this_machine` is where that endpoint is, `rate`
/// the most records of any second.
pub(super) fn after(
    config: &Config,
    stream: &StreamRef,
    arn: &str,
    on_this_machine: bool,
    rate: u64,
) -> Result<(), AllGuarded> {
    let mut all = Vec::new();
    if let Some(allowed) = &config.guards.allowed
        && allowed.permit(stream.name().as_str(), Some(arn)) != Permit::Allowed
    {
        all.push(Guarded::Stream { stream: arn.to_owned(), allowed: allowed.to_string() });
    }
    let most = config.guards.most_rate;
    if !on_this_machine && rate > most {
        all.push(Guarded::Rate { stream: arn.to_owned(), rate, most });
    }
    if all.is_empty() { Ok(()) } else { Err(AllGuarded(all)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Invocation, read};

    const ARN: &str = "arn:aws:kinesis:eu-west-1:123456789012:stream/orders";

    fn config(flags: &[&str]) -> Config {
        let arguments = ["x", "--stream=orders"].into_iter().chain(flags.iter().copied());
        match read(Vec::<(String, String)>::new(), arguments, 0) {
            Ok(Invocation::Run(config)) => *config,
            other => panic!("{other:?}"),
        }
    }

    fn refused(flags: &[&str], on_this_machine: bool) -> String {
        let config = config(flags);
        let stream: StreamRef = "orders".parse().expect("a name");
        let early = before(&config, &stream);
        let event = crate::generate::Event::Kind(crate::generate::EventKind::Mouse);
        let peak = crate::app::offered::Offered::read(&config, &event).expect("a load").peak;
        let told = early.and_then(|()| after(&config, &stream, ARN, on_this_machine, peak));
        told.err().map_or(String::new(), |all| all.to_string())
    }

    #[test]
    fn a_stream_that_no_pattern_matches_is_refused_before_or_after_it_was_described() {
        for flag in ["--allowed-streams=test-*", "--allowed-streams=arn:*:999999999999:*"] {
            let told = refused(&[flag], true);
            assert!(told.contains("orders is not allowed") && told.contains("add a pattern"), "{told}");
        }
        for flag in ["--allowed-streams=test-*,ord*", "--allowed-streams=arn:*:123456789012:*", "--jobs=1"] {
            assert_eq!(refused(&[flag], false), "");
        }
    }

    #[test]
    fn a_rate_above_the_confirmed_one_is_refused_unless_the_stream_is_on_this_machine() {
        let many = ["--jobs=11", "--messages=1000"];
        let told = refused(&many, false);
        assert!(told.contains("set STREAMER_CONFIRM_RATE=11000 (or"), "{told}");
        assert_eq!(refused(&many, true), "");
        assert_eq!(refused(&[&many[..], &["--confirm-rate=11000"]].concat(), false), "");
        assert!(refused(&[&many[..], &["--confirm-rate=10999"]].concat(), false).contains("10999"));
        // What the run's end keeps it from is not offered; a smaller figure is taken at its word.
        assert_eq!(refused(&[&many[..], &["--max-records=10000"]].concat(), false), "");
        assert_eq!(refused(&["--jobs=10", "--messages=1000"], false), "");
        assert!(!refused(&["--confirm-rate=99"], false).is_empty());
        // A profile counts by its peak, bytes by the records that they are.
        for profile in ["--profile=ramp:1..10001/1h", "--profile=spike:1001,x10@1h/1s", "--rate=10001/s"] {
            assert!(refused(&[profile], false).contains("STREAMER_CONFIRM_RATE=100"), "{profile}");
        }
        assert_eq!(refused(&["--profile=ramp:1..10000/1h"], false), "");
        assert_eq!(refused(&["--rate=1MB/s"], false), "");
        assert!(refused(&["--rate=10MB/s"], false).contains("STREAMER_CONFIRM_RATE="));
    }

    #[test]
    fn all_that_is_refused_is_told_at_once() {
        let flags = ["--allowed-streams=arn:x*", "--messages=10000"];
        assert_eq!(refused(&flags, false).lines().count(), 2);
    }
}
