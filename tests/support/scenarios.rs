//! The faults, one scenario each: what is made, how long, and what a run may not fail to show.
//!
//! The table of the matrix in its order. Loads are small on purpose: what is measured is the truth, not speed.

use std::time::Duration;

use kinesis_streamer::send::backoff;

use super::fault::{Fault, Weather};
use super::stage::PRODUCER;

/// What happens in the middle of a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Nothing.
    Nothing,
    /// The proxy makes faults, and stops making them.
    Faults(Fault, u64),
    /// Further connections are closed as soon as they are there.
    FewConnections(usize),
    /// Nobody listens at the endpoint.
    Down,
    /// The endpoint's name has no address.
    NoName,
    /// The stream is deleted, and made again after a while.
    Deleted,
    /// The shards are doubled, and halved again.
    Resharded,
    /// The credentials expire; new ones are there when the fault is over.
    Expired,
    /// The process is stopped (SIGSTOP) and goes on (SIGCONT).
    StandStill,
    /// The run is ended (SIGTERM) while this goes on.
    EndedUnder(Fault, u64),
    /// Every entry is refused from the first request on; the run is ended (SIGTERM) after a while.
    Refused,
}

/// One row of the matrix.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub name: &'static str,
    pub action: Action,
    pub from_the_start: Option<Weather>,
    /// More arguments of the program.
    pub more: Vec<&'static str>,
    pub shards: u32,
    /// Whether the shards' limits hold.
    pub limited: bool,
    /// How long the fault lasts in tests.
    pub short: Duration,
    /// How long it lasts in the matrix.
    pub whole: Duration,
    /// Records told as stored before the fault, and again after it.
    pub records_before: u64,
    /// The bound of the time from the end of the fault to a good answer; none where no recovery is looked for.
    pub recovers: Option<Duration>,
    /// Whether the proxy sees every attempt, so that each count must be equal, not only fit.
    pub exact: bool,
    /// Counts or outcomes of requests that must not be zero: else the fault was none.
    pub shows: &'static [&'static str],
    /// The drain timeout that the end must keep.
    pub drain: Duration,
    /// Records a second that are due.
    pub rate: u32,
    /// Whether a second's records are due at its start, not spread over it.
    pub burst: bool,
    /// Most requests in any second.
    pub most_requests: u64,
}

/// The bound of requests in any second while every one is refused: six for each of the window's 128 places, as
/// `send::backoff` proves. What is released meanwhile comes on top.
const STORM: u64 = 6 * 128;

/// Slices of a second of `rate` 500: five records each.
const SLICES: u64 = 100;

/// Jobs of every run.
const JOBS: u32 = 10;

/// After a refusal a batch rests for less than [`backoff::CAP`]; a second for a machine with other things to do.
const AFTER_REFUSALS: Duration = Duration::from_secs(backoff::CAP.as_secs() + 1);

/// Credentials are asked for anew five seconds after the last time at the earliest.
const AFTER_EXPIRY: Duration = Duration::from_secs(5 + AFTER_REFUSALS.as_secs());

/// In [`Scenario::shows`]: a record went out more than once.
pub const AGAIN: &str = "more than one attempt";

/// The request timeout where requests are met by silence.
const TIMEOUT: &str = "--request-timeout=3s";

/// A hung request comes to its end first.
const AFTER_SILENCE: Duration = Duration::from_secs(3 + AFTER_REFUSALS.as_secs());

impl Scenario {
    fn new(name: &'static str, action: Action) -> Self {
        Self {
            name,
            action,
            from_the_start: None,
            more: Vec::new(),
            shards: 2,
            limited: true,
            short: Duration::from_secs(2),
            whole: Duration::from_secs(10),
            records_before: 200,
            recovers: Some(AFTER_REFUSALS),
            exact: true,
            shows: &[],
            drain: Duration::from_secs(30),
            rate: 500,
            burst: false,
            most_requests: STORM + 500,
        }
    }

    fn fault(name: &'static str, fault: Fault, every: u64, shows: &'static [&'static str]) -> Self {
        Self { shows, ..Self::new(name, Action::Faults(fault, every)) }
    }

    /// The program's arguments.
    pub fn arguments(&self) -> Vec<String> {
        let mut all = vec![
            format!("--jobs={JOBS}"),
            format!("--messages={}", self.rate / JOBS),
            format!("--instance={PRODUCER}"),
            format!("--drain-timeout={}s", self.drain.as_secs()),
        ];
        let usual =
            ["--event=click", "--seed=1", if self.burst { "--pacing=burst" } else { "--pacing=smooth" }];
        all.extend(usual.iter().chain(&self.more).map(|&argument| argument.to_owned()));
        all
    }
}

/// Every row of the matrix.
pub fn all() -> Vec<Scenario> {
    let error = |status, code, stored| Fault::Error { status, code, stored };
    const TWICE: &[&str] = &["perhaps_twice"];
    let silent = |name, stored| Scenario {
        more: vec![TIMEOUT],
        recovers: Some(AFTER_SILENCE),
        ..Scenario::fault(name, Fault::Silence { stored }, 3, TWICE)
    };
    let drain = Duration::from_secs(2);
    vec![
        Scenario { recovers: None, ..Scenario::new("no fault", Action::Nothing) },
        Scenario::fault("answer dropped after the write (FIN)", Fault::HangUp { stored: true }, 3, TWICE),
        Scenario::fault("request dropped before the write (FIN)", Fault::HangUp { stored: false }, 3, TWICE),
        Scenario::fault("reset after the write (RST)", Fault::Reset { stored: true }, 3, TWICE),
        Scenario::fault("reset before the write (RST)", Fault::Reset { stored: false }, 3, TWICE),
        Scenario::fault("half an answer", Fault::HalfAnAnswer, 3, TWICE),
        silent("no answer, stored", true),
        silent("no answer, not stored", false),
        Scenario {
            more: vec!["--retry=none", TIMEOUT],
            recovers: Some(AFTER_SILENCE),
            ..Scenario::fault(
                "no answer, stored, no retries",
                Fault::Silence { stored: true },
                3,
                &["unknown"],
            )
        },
        Scenario::fault("answers 300 ms late", Fault::Delay(Duration::from_millis(300)), 1, &[]),
        Scenario::fault("answers in pieces over 300 ms", Fault::Dribble(Duration::from_millis(300)), 1, &[]),
        Scenario::fault("answer for one entry less", Fault::WrongCount(-1), 3, &["unknown"]),
        Scenario::fault("answer for one entry more", Fault::WrongCount(1), 3, &["unknown"]),
        Scenario::fault("status 200, but no answer of Kinesis", Fault::Garbage, 3, TWICE),
        Scenario::fault("500 after the write", error(500, "InternalFailure", true), 3, TWICE),
        Scenario::fault("500 instead of the write", error(500, "InternalFailure", false), 3, TWICE),
        Scenario::fault("503 after the write", error(503, "ServiceUnavailable", true), 3, TWICE),
        Scenario::fault("503 instead of the write", error(503, "ServiceUnavailable", false), 3, TWICE),
        Scenario::fault(
            "whole requests throttled",
            error(400, "ProvisionedThroughputExceededException", false),
            1,
            &["throttled"],
        ),
        Scenario::fault("every second entry throttled", Fault::ThrottleHalf, 1, &["throttled"]),
        Scenario {
            shards: 1,
            rate: 2_000,
            // At once, so that even a slow machine is faster than the shard.
            burst: true,
            most_requests: STORM + 2_000,
            recovers: None,
            shows: &["throttled"],
            ..Scenario::new("twice what the shard takes", Action::Nothing)
        },
        Scenario {
            recovers: None,
            from_the_start: Some(Weather::of(Fault::ThrottleAll, 1)),
            drain,
            exact: false,
            shows: &["throttled", "failed"],
            ..Scenario::new("everything throttled, then SIGTERM", Action::Refused)
        },
        Scenario {
            recovers: None,
            exact: false,
            shows: &["sent"],
            ..Scenario::new(
                "SIGTERM under load",
                Action::EndedUnder(Fault::Delay(Duration::from_millis(50)), 2),
            )
        },
        Scenario {
            recovers: None,
            drain,
            exact: false,
            shows: &["unknown"],
            ..Scenario::new(
                "SIGTERM while nothing answers",
                Action::EndedUnder(Fault::Silence { stored: true }, 2),
            )
        },
        Scenario {
            shows: &["sent", AGAIN],
            recovers: Some(AFTER_EXPIRY),
            ..Scenario::new("credentials expire, then new ones", Action::Expired)
        },
        Scenario {
            exact: false,
            shows: &["sent", "unreachable"],
            ..Scenario::new("the endpoint's name has no address", Action::NoName)
        },
        Scenario {
            exact: false,
            whole: Duration::from_secs(60),
            shows: &["sent", "unreachable"],
            ..Scenario::new("nobody listens at the endpoint", Action::Down)
        },
        Scenario {
            exact: false,
            shows: &["sent", "connection"],
            ..Scenario::new("three connections, the others closed", Action::FewConnections(3))
        },
        Scenario {
            shows: &["failed"],
            ..Scenario::new("the stream is deleted and made again", Action::Deleted)
        },
        Scenario { recovers: None, ..Scenario::new("resharding in mid-run", Action::Resharded) },
        Scenario {
            short: Duration::from_secs(3),
            whole: Duration::from_secs(3),
            shows: &["dropped"],
            // The second in which it wakes, made up for, and the next; a few for the edges of the count.
            most_requests: 2 * SLICES + 20,
            ..Scenario::new("the process stands still (SIGSTOP)", Action::StandStill)
        },
    ]
}

/// The run of a soak, whose faults are made from outside.
pub fn soak(rate: u32) -> Scenario {
    Scenario {
        rate,
        most_requests: STORM + u64::from(rate),
        shards: 8,
        limited: false,
        more: vec![TIMEOUT],
        recovers: None,
        exact: false,
        ..Scenario::new("soak", Action::Nothing)
    }
}
