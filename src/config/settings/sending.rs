//! The settings of sending: who makes the requests, how often and how long it is tried, how large a request may be.

use std::time::Duration;

use super::super::setting::Absent::{Means, Value};
use super::super::setting::Form::{self, Number, OneOf};
use super::super::setting::{Group, Setting};
use super::{HOUR, MILLISECOND, MOST_BYTES};

/// Who makes the requests.
pub const CLIENT: Setting = Setting::new(
    Group::Sending,
    "STREAMER_CLIENT",
    "client",
    "CLIENT",
    OneOf(&["direct", "sdk"]),
    Value("direct"),
    "Who makes the PutRecords requests: our own client, or aws-sdk-kinesis (slower; taken behind a proxy)",
);

/// How the requests are written.
pub const WIRE: Setting = Setting::new(
    Group::Sending,
    "STREAMER_WIRE",
    "wire",
    "WIRE",
    OneOf(&["json", "cbor"]),
    Value("json"),
    "How PutRecords requests are written: JSON, or CBOR as the SDK for Java does (a quarter fewer bytes)",
);

/// What happens to refused entries.
pub const RETRY: Setting = Setting::new(
    Group::Sending,
    "STREAMER_RETRY",
    "retry",
    "POLICY",
    OneOf(&["none", "immediate", "exponential", "full-jitter", "aimd", "limiter"]),
    Value("full-jitter"),
    "What happens to refused records: never sent again (just measure), at once, after a wait that doubles, after a random part of it; aimd: all is sent at a rate that gives way to throttles; limiter: each waits until its shard should take it",
);

/// Most attempts for one record.
pub const MAX_ATTEMPTS: Setting = Setting::new(
    Group::Sending,
    "STREAMER_MAX_ATTEMPTS",
    "max-attempts",
    "N",
    Number { min: 1, max: 1_000 },
    Value("10"),
    "Most attempts for one record, the first included",
);

/// Most batches at once.
pub const MAX_IN_FLIGHT: Setting = Setting::new(
    Group::Sending,
    "STREAMER_MAX_IN_FLIGHT",
    "max-in-flight",
    "N",
    Number { min: 1, max: 10_000 },
    Value("128"),
    "Most requests under way at once; what is due and finds no room within a second is dropped, and counted",
);

/// Most bytes at once.
pub const MAX_IN_FLIGHT_BYTES: Setting = Setting::new(
    Group::Sending,
    "STREAMER_MAX_IN_FLIGHT_BYTES",
    "max-in-flight-bytes",
    "BYTES",
    Form::Bytes { min: 16 * 1024 * 1024, max: 64 * 1024 * 1024 * 1024 },
    Value("256MiB"),
    "Most bytes of the bodies of the requests under way; what is due and finds no room within a second is dropped, and counted",
);

/// How long one attempt may take.
pub const REQUEST_TIMEOUT: Setting = Setting::new(
    Group::Sending,
    "STREAMER_REQUEST_TIMEOUT",
    "request-timeout",
    "DURATION",
    Form::Duration { min: MILLISECOND, max: HOUR },
    Value("10s"),
    "How long one request may take",
);

/// How long the end waits.
pub const DRAIN_TIMEOUT: Setting = Setting::new(
    Group::Sending,
    "STREAMER_DRAIN_TIMEOUT",
    "drain-timeout",
    "DURATION",
    Form::Duration { min: Duration::ZERO, max: HOUR },
    Value("30s"),
    "How long the end of the run waits for what is in flight",
);

/// Most entries in one request.
pub const MAX_REQUEST_RECORDS: Setting = Setting::new(
    Group::Limits,
    "STREAMER_MAX_REQUEST_RECORDS",
    "max-request-records",
    "N",
    Number { min: 1, max: 500 },
    Means("500"),
    "Most records in one request",
);

/// Most bytes in one request.
pub const MAX_REQUEST_BYTES: Setting = Setting::new(
    Group::Limits,
    "STREAMER_MAX_REQUEST_BYTES",
    "max-request-bytes",
    "BYTES",
    Form::Bytes { min: 1024, max: MOST_BYTES },
    Means("10MiB"),
    "Most bytes in one request: data and partition keys",
);

/// Most bytes of one record.
pub const MAX_RECORD_BYTES: Setting = Setting::new(
    Group::Limits,
    "STREAMER_MAX_RECORD_BYTES",
    "max-record-bytes",
    "BYTES",
    Form::Bytes { min: 1024, max: MOST_BYTES },
    Means("what the stream tells, else 1MiB"),
    "Most bytes of one record: data and partition key",
);
