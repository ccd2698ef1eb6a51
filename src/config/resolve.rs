//! From what was asked to a `Config`: reads every value, then checks what they mean together.
//!
//! Every function reads all of its settings before it gives up, so that all problems are found at once.
//! What needs facts of the stream is left to start-up.

use std::net::SocketAddr;
use std::path::PathBuf;

use tracing_subscriber::filter::Targets;

use super::asked::Asked;
use super::cron_detail::cron_detail;
use super::fleet;
use super::model::{Config, Guards, LimitsOverride, Load, Log, LogFormat, ProfileChoice, Seed, Target};
use super::payload;
use super::problem::Shown;
use super::setting::Setting;
use super::settings as table;
use crate::key::{KeyStrategy, KeyStrategyError};
use crate::kinesis::{AllowedStreams, AllowedStreamsError, HttpClientKind, StreamName, StreamRef, Wire};
use crate::schedule::Rate;
use crate::schedule::profile::inline;
use crate::send::{Retry, SendPolicy};

/// The name of the embedded stream when none is given.
pub(super) const LOCAL_NAME: &str = "local";

/// The config, unless something was wrong; the problems are in `asked`.
pub(super) fn config(asked: &mut Asked) -> Option<Config> {
    let target = target(asked);
    let guards = guards(asked);
    let active_timeout = asked.duration(&table::ACTIVE_TIMEOUT);
    let dry_run = asked.parsed(&table::DRY_RUN);
    let load = load(asked);
    let share = fleet::share(asked);
    if let (Some(Some(share)), Some(load)) = (share, &load) {
        fleet::check_load(asked, share, load);
    }
    let start_at = asked.optional(&table::START_AT, Asked::parsed);
    if let Some(load) = &load {
        let given = |share: Option<Option<_>>| share.flatten().is_some();
        super::replay::check_whole(asked, load, given(share), start_at.as_ref().is_some_and(Option::is_some));
    }
    let event = asked.parsed(&table::EVENT);
    let template_language = payload::template_language(asked, event.as_ref());
    let template_mode = payload::template_mode(asked, event.as_ref(), template_language);
    let key = key(asked);
    if let (Some(event), Some(key)) = (&event, &key) {
        payload::check_key(asked, event, key);
    }
    let seed = seed(asked);
    let producer = fleet::producer(asked, seed, share);
    let send = send(asked);
    let client = asked.parsed(&table::CLIENT);
    let wire = wire(asked, client);
    let limits = limits(asked);
    let verify = asked.parsed(&table::VERIFY);
    let payload = payload::payload(asked);
    let max_in_flight_bytes = asked.bytes(&table::MAX_IN_FLIGHT_BYTES);
    let reading = super::verify::reading(asked);
    let listen = listen(asked);
    let control = super::token::control(asked, listen);
    let journal = asked.optional(&table::JOURNAL, journal);
    let journal =
        journal.zip(producer.as_deref()).map(|(path, name)| path.map(|path| fleet::own_file(&path, name)));
    if dry_run == Some(true) && asked.is_given(&table::JOURNAL) {
        let (file, dry) = (asked.origin(&table::JOURNAL), asked.origin(&table::DRY_RUN));
        asked.notices.push(format!("{file} has no effect, because {dry} is true"));
    }
    let reports = super::judging::reports(asked, producer.as_deref());
    let fail_if = super::judging::fail_if(asked);
    if dry_run == Some(true) {
        super::judging::notice_dry_run(asked);
    }
    let log = log(asked);
    let costs = super::costs::costs(asked);
    let tui = tui(asked, log.as_ref(), dry_run);
    let payload::Payload { shaping, packing, aggregation, answer_sheet } = payload?;
    Some(Config {
        target: target?,
        guards: guards?,
        active_timeout: active_timeout?,
        dry_run: dry_run?,
        load: load?,
        share: share?,
        start_at: start_at?,
        event: event?,
        template_mode: template_mode?,
        template_language: template_language?,
        shaping,
        packing,
        aggregation,
        answer_sheet,
        max_in_flight_bytes: max_in_flight_bytes?,
        key: key?,
        seed: seed?,
        producer: producer?,
        client: client?,
        wire: wire?,
        send: send?,
        limits: limits?,
        verify: verify?,
        reading: reading?,
        listen: listen?,
        // Its variables are no settings: who reads the environment fills it in.
        otlp: None,
        control: control?,
        journal: journal?,
        reports: reports?,
        fail_if: fail_if?,
        tui: tui?,
        log: log?,
        costs: costs?,
        notices: std::mem::take(&mut asked.notices),
    })
}

fn target(asked: &mut Asked) -> Option<Target> {
    let stream = asked.optional(&table::STREAM, Asked::parsed::<StreamRef>);
    if let Some(Some(stream)) = &stream {
        compare_names(asked, stream);
    }
    let shards = asked.read(&table::LOCAL, |text| match text {
        "true" => Ok(Some(1)),
        "false" => Ok(None),
        _ => table::LOCAL_SHARDS.number(text).and_then(|n| u32::try_from(n).ok()).map(Some).ok_or(None),
    });
    Some(match (shards?, stream?) {
        (Some(shards), Some(stream)) => Target::Local { shards, name: stream.name().clone() },
        (Some(shards), None) => Target::Local { shards, name: local_name()? },
        (None, Some(stream)) => Target::Stream(stream),
        (None, None) => Target::Nowhere,
    })
}

fn guards(asked: &mut Asked) -> Option<Guards> {
    let allowed = asked.optional(&table::ALLOWED_STREAMS, allowed);
    let most_rate = asked.number(&table::CONFIRM_RATE);
    Some(Guards { allowed: allowed?, most_rate: most_rate? })
}

/// Which streams may be written to.
pub(super) fn allowed(asked: &mut Asked, setting: &Setting) -> Option<AllowedStreams> {
    asked.read(setting, |text| text.parse().map_err(|error: AllowedStreamsError| Some(error.to_string())))
}

/// The default name as a name.
fn local_name() -> Option<StreamName> {
    LOCAL_NAME.parse().ok()
}

/// A notice for each variable that names another stream than the one in force. A flag is meant to win
/// over the environment, so it makes no notice.
fn compare_names(asked: &mut Asked, stream: &StreamRef) {
    if asked.flags.contains_key(table::STREAM.flag) {
        return;
    }
    let mut set = table::STREAM.names().filter(|name| asked.vars.get(name).is_some());
    let Some(first) = set.next() else { return };
    let others: Vec<&str> = set
        .filter(|name| {
            let other = asked.vars.get(name).and_then(|text| text.parse::<StreamRef>().ok());
            !other.is_some_and(|other| same_stream(stream, &other))
        })
        .collect();
    for other in others {
        asked.notices.push(format!("{other} names another stream than {first}, which counts: {stream}"));
    }
}

/// Whether two ways to name a stream can mean one stream: a name fits the ARN that ends in it.
fn same_stream(one: &StreamRef, other: &StreamRef) -> bool {
    match (one, other) {
        (StreamRef::Arn(one), StreamRef::Arn(other)) => one == other,
        _ => one.name() == other.name(),
    }
}

fn load(asked: &mut Asked) -> Option<Load> {
    let jobs = asked.number(&table::JOBS);
    let messages = asked.number(&table::MESSAGES);
    let rate = asked.optional(&table::RATE, rate);
    // A trace is no function of time: it is read elsewhere.
    let is_trace =
        asked.value(&table::PROFILE).is_some_and(|(_, text)| text.starts_with(super::replay::PREFIX));
    let profile = if is_trace { Some(None) } else { asked.optional(&table::PROFILE, profile) };
    let both = asked.is_given(&table::RATE) && asked.is_given(&table::MESSAGES);
    if let (true, Some(Some(_)), Some(_)) = (both, &rate, &messages) {
        let why = "each says how much is offered, and only one can be right: leave one of them out";
        asked.together(&[table::MESSAGES, table::RATE], why.to_owned());
    }
    let cron = asked.read(&table::CRON, |text| text.parse().map_err(|error| Some(cron_detail(text, &error))));
    let pacing = asked.parsed(&table::PACING);
    let duration = asked.optional(&table::DURATION, Asked::duration);
    let max_records = asked.optional(&table::MAX_RECORDS, Asked::number);
    if let (Some(jobs), Some(messages)) = (jobs, messages) {
        let records = u64::from(jobs) * u64::from(messages);
        if records > table::MOST_RECORDS_PER_TICK {
            asked.together(
                &[table::JOBS, table::MESSAGES],
                format!(
                    "{jobs} × {messages} = {records} records in a second; the most is {}",
                    table::MOST_RECORDS_PER_TICK
                ),
            );
        }
    }
    let replay = super::replay::replay(asked);
    // Only where both are right: else one problem would be told twice.
    let is_profile = is_trace || matches!(profile, Some(Some(_)));
    if is_profile && matches!(replay, Some(Some(_))) && asked.is_given(&table::REPLAY) {
        let why = "each says when records are due, and only one can be right: leave one of them out";
        asked.together(&[table::REPLAY, table::PROFILE], why.to_owned());
    }
    Some(Load {
        replay: replay?,
        jobs: jobs?,
        messages: messages?,
        rate: rate?,
        profile: profile?,
        cron: cron?,
        pacing: pacing?,
        duration: duration?,
        max_records: max_records?,
    })
}

/// What all jobs together offer.
fn rate(asked: &mut Asked, setting: &Setting) -> Option<Rate> {
    asked.read(setting, |text| text.parse().map_err(|why: String| Some(Shown::message(&why).to_string())))
}

/// The load over time; a file that it names is for the run to read.
fn profile(asked: &mut Asked, setting: &Setting) -> Option<ProfileChoice> {
    asked.read(setting, |text| match inline(text) {
        Ok(what) => Ok(ProfileChoice { text: text.to_owned(), what }),
        Err(wrong) => Err(Some(Shown::message(&wrong.join("; ")).to_string())),
    })
}

/// How a record gets its partition key.
pub(super) fn key(asked: &mut Asked) -> Option<KeyStrategy> {
    asked.read(&table::PARTITION_KEY, |text| {
        text.parse().map_err(|error: KeyStrategyError| match error {
            // The rule names them all.
            KeyStrategyError::Name => None,
            other => Some(other.to_string()),
        })
    })
}

/// Where metrics and health are served; none: nowhere.
pub(super) fn listen(asked: &mut Asked) -> Option<Option<SocketAddr>> {
    asked.read(&table::LISTEN, |text| match text {
        "off" => Ok(None),
        _ => text.parse().map(Some).map_err(|_| None),
    })
}

fn seed(asked: &mut Asked) -> Option<Seed> {
    let fresh = asked.here.fresh_seed;
    let given = asked.optional(&table::SEED, Asked::number)?;
    Some(Seed { value: given.unwrap_or(fresh), given: given.is_some() })
}

/// Whether a producer may have this name.
pub(super) fn is_instance(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    (1..=table::MOST_INSTANCE_CHARS).contains(&text.len()) && text.bytes().all(legal)
}

/// The name of a producer that is given a seed and none.
pub(super) fn name_of(seed: u64) -> String {
    format!("p-{:08x}", mixed(seed) >> 32)
}

/// SplitMix64's finalizer: seeds that differ in one bit give names that differ in half of theirs.
fn mixed(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn send(asked: &mut Asked) -> Option<SendPolicy> {
    let retry = retry(asked);
    let max_attempts = asked.number(&table::MAX_ATTEMPTS);
    let max_in_flight = asked.number(&table::MAX_IN_FLIGHT);
    let request_timeout = asked.duration(&table::REQUEST_TIMEOUT);
    let drain_timeout = asked.duration(&table::DRAIN_TIMEOUT);
    if retry == Some(Retry::None) && asked.is_given(&table::MAX_ATTEMPTS) {
        let (attempts, retry) = (asked.origin(&table::MAX_ATTEMPTS), asked.origin(&table::RETRY));
        asked.notices.push(format!("{attempts} has no effect, because {retry} is none"));
    }
    Some(SendPolicy {
        retry: retry?,
        max_attempts: max_attempts?,
        max_in_flight: max_in_flight?,
        request_timeout: request_timeout?,
        drain_timeout: drain_timeout?,
    })
}

/// What happens to refused records; the policy's former name means what it did.
fn retry(asked: &mut Asked) -> Option<Retry> {
    let is_old = asked.value(&table::RETRY).is_some_and(|(_, text)| text == Retry::OLD_NAME);
    if is_old {
        let (origin, old, new) = (asked.origin(&table::RETRY), Retry::OLD_NAME, Retry::FullJitter);
        asked.notices.push(format!("{origin}: {old} is called {new} now; it is the same policy"));
        return Some(Retry::FullJitter);
    }
    asked.parsed(&table::RETRY)
}

/// How requests are written; the SDK for Rust writes JSON only.
fn wire(asked: &mut Asked, client: Option<HttpClientKind>) -> Option<Wire> {
    let wire = asked.parsed(&table::WIRE);
    if (wire, client) == (Some(Wire::Cbor), Some(HttpClientKind::Sdk)) {
        asked.together(
            &[table::WIRE, table::CLIENT],
            "aws-sdk-kinesis writes JSON only: take the client direct, or the wire json".to_owned(),
        );
    }
    wire
}

fn limits(asked: &mut Asked) -> Option<LimitsOverride> {
    let request_records = asked.optional(&table::MAX_REQUEST_RECORDS, Asked::number);
    let request_bytes = asked.optional(&table::MAX_REQUEST_BYTES, Asked::bytes::<usize>);
    let record_bytes = asked.optional(&table::MAX_RECORD_BYTES, Asked::bytes::<usize>);
    if let (Some(Some(request)), Some(Some(record))) = (request_bytes, record_bytes)
        && record > request
    {
        asked.together(
            &[table::MAX_RECORD_BYTES, table::MAX_REQUEST_BYTES],
            format!("a record of {record} bytes does not fit a request of {request}"),
        );
    }
    Some(LimitsOverride {
        request_records: request_records?,
        request_bytes: request_bytes?,
        record_bytes: record_bytes?,
    })
}

/// The path of a journal; whether the file may be used is for the run to find out.
pub(super) fn journal(asked: &mut Asked, setting: &Setting) -> Option<PathBuf> {
    asked.read(setting, |text| {
        let right = !text.is_empty() && !text.contains('\0');
        if right { Ok(text.into()) } else { Err(None) }
    })
}

/// What is logged: the only settings that every subcommand needs.
pub(super) fn log(asked: &mut Asked) -> Option<Log> {
    let filter = asked.read(&table::LOG, |text| check_filter(text).map(|()| text.to_owned()));
    let format = asked.parsed::<LogFormat>(&table::LOG_FORMAT);
    Some(Log { filter: filter?, format: format? })
}

/// Whether the run has the whole terminal; what is for machines is not meant for eyes.
fn tui(asked: &mut Asked, log: Option<&Log>, dry_run: Option<bool>) -> Option<bool> {
    let tui = asked.parsed(&table::TUI)?;
    if tui && log.is_some_and(|log| log.format == LogFormat::Json) {
        let why = "a log for machines and a screen for people can't have standard error both: leave one of them out";
        asked.together(&[table::TUI, table::LOG_FORMAT], why.to_owned());
    }
    if tui && dry_run == Some(true) {
        let (tui, dry) = (asked.origin(&table::TUI), asked.origin(&table::DRY_RUN));
        asked.notices.push(format!("{tui} has no effect, because {dry} is true"));
    }
    Some(tui)
}

/// `Targets` takes any lone word as a target, so that `inof` would log everything of a module that is not there, in
/// silence: a lone word must be a level here.
fn check_filter(text: &str) -> Result<(), Option<String>> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    if text.is_empty() {
        return Err(None);
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Some("it may hold visible ASCII characters only, and no spaces".to_owned()));
    }
    let lone = |part: &&str| {
        part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b':'))
    };
    let is_level = |word: &&str| LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word));
    if let Some(word) = text.split(',').filter(lone).find(|word| !is_level(word)) {
        return Err(Some(format!("\"{word}\" is no level")));
    }
    text.parse::<Targets>().map(|_| ()).map_err(|error| Some(error.to_string()))
}
