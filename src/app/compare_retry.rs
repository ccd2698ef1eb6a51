//! Runs one load through each retry policy, one run after the other, and says what came of each.
//!
//! Decides how much the stream takes and so what an overload is, and when a run has recovered from one.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::stages::reach;
use super::{App, StartError};
use crate::config::{CompareOptions, Config, ProfileChoice, Target};
use crate::exit::Exit;
use crate::expose::{Compared, ComparedLoad, Console, Terminal, comparison_json, comparison_text};
use crate::generate::{Event, Maker};
use crate::kinesis::limits::{SHARD_BYTES_PER_SECOND, SHARD_RECORDS_PER_SECOND};
use crate::ledger::{Ledger, Snapshot};
use crate::schedule::profile::{Inline, profile_file};

/// How often a run is looked at for its recovery.
const GLANCE: Duration = Duration::from_millis(100);

/// How long a stream that is not fresh rests between two policies: its shards' buckets are full again after a second.
const REST: Duration = Duration::from_secs(2);

/// Bytes of a partition key that a record is reckoned with beside its data.
const KEY_BYTES: u64 = 20;

/// What came of a comparison: the text for standard output, and how the process ends.
pub type Told = (String, Exit);

/// Runs the comparison. The first `stop` ends the run that goes on and with it the comparison, the second what it waits
/// for.
///
/// # Errors
/// Why a run could not begin.
pub async fn compare_retry<S: Future<Output = &'static str>>(
    options: &CompareOptions,
    event: &Event,
    stop: impl Fn() -> S,
) -> Result<Told, StartError> {
    for notice in &options.config.notices {
        tracing::warn!("{notice}");
    }
    let load = load(options, event).await?;
    let stopped = AtomicBool::new(false);
    let stopping = || async {
        let by = stop().await;
        stopped.store(true, Ordering::Relaxed);
        by
    };
    let (mut all, mut exit) = (Vec::new(), Exit::Sent);
    for (number, &policy) in options.policies.iter().enumerate() {
        if number > 0 && !matches!(options.config.target, Target::Local { .. }) {
            tokio::select! {
                () = tokio::time::sleep(REST) => {}
                _ = stopping() => {}
            }
        }
        if stopped.load(Ordering::Relaxed) {
            break;
        }
        tracing::info!("policy {policy}, {} of {}", number + 1, options.policies.len());
        let mut config = of_run(options, &load);
        config.send.retry = policy;
        // What each run says of itself would be lost among the others: it is in the table.
        let silent =
            Console::start(io::sink(), Terminal::new(false, None, None, None)).map_err(StartError::Thread)?;
        let app = tokio::select! {
            app = App::start(config, event, silent) => app?,
            _ = stopping() => break,
        };
        let ledger = Arc::clone(app.ledger());
        let abort = async {
            let _ = stop().await;
        };
        let running = app.run(stopping(), abort);
        let (report, glances) = watched(running, &ledger).await;
        let report = report?;
        if report.exit() == Exit::Defect {
            tracing::error!("{}", report.text().lines().last().unwrap_or_default());
            exit = Exit::Defect;
        }
        all.push(Compared {
            policy: policy.to_string(),
            recovered: recovered(&glances, &load),
            drain: report.drain_time,
            cut_short: stopped.load(Ordering::Relaxed),
            counts: report.counts,
        });
    }
    if stopped.load(Ordering::Relaxed) && exit == Exit::Sent {
        exit = Exit::Interrupted;
    }
    let tell = if options.json { comparison_json } else { comparison_text };
    Ok((tell(&load, &all), exit))
}

/// What the stream takes, and from that the load.
async fn load(options: &CompareOptions, event: &Event) -> Result<ComparedLoad, StartError> {
    let config = &options.config;
    let (stream, shards) = match &config.target {
        Target::Local { shards, name } => (name.to_string(), u64::from(*shards)),
        _ => {
            let reached = reach(config, 0).await?.ok_or(StartError::Nowhere)?;
            (reached.stream.name().to_string(), reached.shards.shards().len() as u64)
        }
    };
    let maker = Maker::new(event, &config.shaping, config.seed.value, &config.producer)?;
    let event_bytes = maker.typical_event() as u64;
    let by_bytes = SHARD_BYTES_PER_SECOND / (event_bytes + KEY_BYTES);
    let takes = shards * SHARD_RECORDS_PER_SECOND.min(by_bytes).max(1);
    let part = |percent: u64| (takes * percent / 100).max(1);
    Ok(ComparedLoad {
        stream,
        shards,
        seed: config.seed.value,
        base: part(options.base_percent),
        overload: part(options.overload_percent),
        phases: [options.calm_for, options.overload_for, options.recover_for],
        event_bytes,
    })
}

/// The run of one policy, but for the policy.
fn of_run(options: &CompareOptions, load: &ComparedLoad) -> Config {
    let mut text = String::from("name = \"overload\"\nunit = \"records\"\n");
    for (rate, phase) in [load.base, load.overload, load.base].into_iter().zip(load.phases) {
        let seconds = phase.as_secs();
        text.push_str(&format!("[[phase]]\nshape = \"constant\"\nrate = {rate}\nfor = \"{seconds}s\"\n"));
    }
    let profile = profile_file(&text).expect("numbers in a text that is a profile: a test says so");
    let mut config = (*options.config).clone();
    config.load.profile = Some(ProfileChoice { text: "overload".to_owned(), what: Inline::Profile(profile) });
    config.load.cron = "* * * * * *".parse().expect("every second is a cron expression");
    config.load.rate = None;
    config.load.replay = None;
    config.load.duration = None;
    config.load.max_records = None;
    config.share = None;
    config.start_at = None;
    config.verify = false;
    config.listen = None;
    config.journal = None;
    config.answer_sheet = None;
    // Told once, before the first.
    config.notices = Vec::new();
    config
}

/// A run at one moment, counted from the moment when its first record was due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Glance {
    at: Duration,
    throttled: u64,
    lost: u64,
    in_flight: u64,
}

impl Glance {
    fn of(counts: &Snapshot, at: Duration) -> Self {
        let lost = counts.dropped.total() + counts.failed.total() + counts.unknown.total();
        Self { at, throttled: counts.throttled, lost, in_flight: counts.in_flight }
    }
}

/// Lives a run to its end, and looks at it from time to time.
async fn watched<R>(running: impl Future<Output = R>, ledger: &Ledger) -> (R, Vec<Glance>) {
    let (mut ticks, mut begun, mut glances) = (interval(GLANCE), None, Vec::new());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tokio::pin!(running);
    loop {
        tokio::select! {
            ended = &mut running => return (ended, glances),
            now = ticks.tick() => ledger.with(|counts| {
                if counts.due > 0 {
                    glances.push(Glance::of(counts, now - *begun.get_or_insert(now)));
                }
            }),
        }
    }
}

/// From the end of the overload to the last look at which something was still amiss: an entry was throttled or a record
/// lost since the look before, or more records were in flight than are due in a second of the base load. None when that
/// was so in the last second of the schedule, or later.
fn recovered(glances: &[Glance], load: &ComparedLoad) -> Option<Duration> {
    let overload_ends = load.phases[0] + load.phases[1];
    let amiss = glances.windows(2).filter(|pair| {
        let (before, now) = (pair[0], pair[1]);
        now.throttled > before.throttled || now.lost > before.lost || now.in_flight > load.base
    });
    let last = amiss.map(|pair| pair[1].at).filter(|&at| at > overload_ends).max();
    let after = last.map_or(Duration::ZERO, |at| at - overload_ends);
    (after + Duration::from_secs(1) <= load.phases[2]).then_some(after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Invocation, read};

    fn load() -> ComparedLoad {
        ComparedLoad {
            stream: "s".to_owned(),
            shards: 1,
            seed: 1,
            base: 500,
            overload: 2_000,
            phases: [3, 5, 12].map(Duration::from_secs),
            event_bytes: 100,
        }
    }

    #[test]
    fn a_run_has_recovered_when_nothing_is_amiss_any_more() {
        let quiet: Vec<Glance> =
            (0..200).map(|at| Glance { at: GLANCE * at, throttled: 0, lost: 0, in_flight: 500 }).collect();
        assert_eq!(recovered(&quiet, &load()), Some(Duration::ZERO));
        let amiss = |from: usize, change: fn(&mut Glance)| {
            let mut glances = quiet.clone();
            glances[from..].iter_mut().for_each(change);
            recovered(&glances, &load())
        };
        // In the overload itself much is amiss.
        assert_eq!(amiss(50, |glance| glance.throttled = 9), Some(Duration::ZERO));
        assert_eq!(amiss(95, |glance| glance.throttled = 9), Some(Duration::from_millis(1_500)));
        assert_eq!(amiss(100, |glance| glance.lost = 9), Some(Duration::from_secs(2)));
        assert_eq!(amiss(100, |glance| glance.in_flight = 501), None);
        assert_eq!(amiss(195, |glance| glance.throttled = 9), None);
    }

    #[test]
    fn every_policy_is_given_the_load_in_its_phases_and_nothing_else_of_the_run() {
        let arguments = ["x", "compare-retry", "--local=2", "--max-in-flight=7"];
        let environment =
            [("STREAMER_RATE", "9/s"), ("STREAMER_JOURNAL", "j"), ("STREAMER_MAX_RECORDS", "5")];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let Ok(Invocation::CompareRetry(options)) = read(environment, arguments, 1) else { panic!("legal") };
        let config = of_run(&options, &load());
        assert_eq!((config.load.rate, config.load.max_records, config.journal), (None, None, None));
        assert_eq!(config.send.max_in_flight, 7);
        let Some(ProfileChoice { what: Inline::Profile(profile), .. }) = config.load.profile else {
            panic!("phases")
        };
        assert_eq!((profile.end(), profile.peak()), (Some(20_000), 2_000_000_000));
    }
}
