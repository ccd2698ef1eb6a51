//! `kinesis-streamer capacity`: lives a search for the highest sustained rate, and reports what it found.
//!
//! Which rate comes next and what is the limit is decided in `lab`; here rates are offered and read off.

use std::future::Future;
use std::time::{Duration, Instant};

use super::rig::{Rig, Stretch};
use super::stages::{Stages, reach};
use super::start_error::StartError;
use crate::config::{CapacityOptions, Config, LogFormat};
use crate::exit::Exit;
use crate::expose::{CapacityReport, Console, Measured, capacity_line};
use crate::generate::Event;
use crate::key::KeyStrategy;
use crate::kinesis::limits::{SHARD_BYTES_PER_SECOND, SHARD_RECORDS_PER_SECOND};
use crate::lab::{Binding, Block, End, Evidence, Kind, Observed, Point, Rules, Search, Side, Step, binding};

/// The answer's ends are at most this far apart.
const RESOLUTION: f64 = 0.01;

/// Trials at one rate before its share alone decides.
const REPEATS: u32 = 8;

/// How long a shard's reserve is used up at most: at half as much again as it takes, a full one lasts two seconds.
const DRAIN: Duration = Duration::from_secs(3);

/// The same where less can be offered than that.
const LONG_DRAIN: Duration = Duration::from_secs(12);

/// How long it may take at most until requests go evenly again.
const SETTLING: Duration = Duration::from_secs(4);

/// A search that has been lived to its end.
#[derive(Debug)]
pub struct Capacity {
    /// What was found.
    pub report: CapacityReport,
    /// Whether the counts add up, and an embedded stream holds what was counted as sent.
    is_sound: bool,
    /// Whether somebody stopped it.
    stopped: bool,
}

impl Capacity {
    /// How the process ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self.report.end {
            _ if !self.is_sound => Exit::Defect,
            _ if self.stopped => Exit::Interrupted,
            End::Converged => Exit::Sent,
            End::MostRate | End::Client | End::Time => Exit::NoLimit,
        }
    }
}

/// Looks for what the stream of `options` sustains, until it is found or `stop` comes.
///
/// # Errors
/// Why it could not begin.
pub async fn capacity(
    options: &CapacityOptions,
    event: &Event,
    console: &Console,
    stop: impl Future<Output = &'static str>,
) -> Result<Capacity, StartError> {
    let config = &options.config;
    for notice in &config.notices {
        tracing::warn!("{notice}");
    }
    // Without a rate of its own it stays within what is confirmed, so there is nothing to be guarded yet.
    let reached = reach(config, options.most_rate.unwrap_or(1)).await?.ok_or(StartError::Nowhere)?;
    let stages = Stages::build(config, event, None, Some(&reached))?;
    let shards = reached.shards.shards().len();
    let guarded = reached.embedded.is_none() && !reached.lane.is_on_this_machine();
    let usual = 2 * shards as u64 * SHARD_RECORDS_PER_SECOND;
    let most_rate = match options.most_rate {
        Some(rate) => rate,
        None if guarded => usual.min(config.guards.most_rate),
        None => usual,
    };
    let record = super::plan::weighing(&stages.maker, &stages.keyer).mean();
    let each = (SHARD_BYTES_PER_SECOND as f64 / record).min(SHARD_RECORDS_PER_SECOND as f64);
    let rules = Rules {
        most_throttled: options.most_throttled,
        confidence: options.confidence,
        resolution: RESOLUTION,
        most_rate: most_rate as f64,
        repeats: REPEATS,
    };
    let mut report = CapacityReport {
        stream: reached.stream.name().to_string(),
        embedded: reached.embedded.is_some(),
        mode: reached.facts.mode,
        by_key: reached.facts.by_key,
        open_shards: shards,
        event: config.event.to_string(),
        key: config.key.to_string(),
        key_is_random: !matches!(config.key, KeyStrategy::RoundRobin | KeyStrategy::Explicit),
        rules,
        capped_by_guard: guarded && options.most_rate.is_none() && most_rate < usual,
        end: End::Time,
        sustained: None,
        too_much: None,
        binding: Binding::None,
        offered: 0,
        sent: 0,
        seconds: 0.0,
    };
    let rig = Rig::begin(config, reached, stages);
    let begun = Instant::now();
    let mut bench = Bench { config, console, rules, rig, begun, is_drained: false, low: None, high: None };
    // Half of what AWS's limits promise: a step of the ramp below.
    let mut search = Search::new(rules, 0.5 * each * shards.max(1) as f64);
    let stopped = {
        let looking = bench.look(&mut search);
        tokio::pin!(looking, stop);
        tokio::select! {
            () = &mut looking => false,
            _ = stop => true,
            () = tokio::time::sleep(options.most_time) => false,
        }
    };
    search.stop();
    report.seconds = begun.elapsed().as_secs_f64();
    if let Step::Done(end) = search.next() {
        report.end = end;
    }
    let end = |point: Option<&Point>, stretch: &Option<Stretch>| {
        let (point, stretch) = (point?, stretch.as_ref()?);
        Some((point.clone(), stretch.measured(point)))
    };
    report.sustained = end(search.low(), &bench.low);
    report.too_much = end(search.high(), &bench.high);
    report.binding = match (&bench.high, report.end) {
        (Some(high), End::Converged | End::Client | End::Time) => binding(&high.evidence(shards)),
        _ => Binding::None,
    };
    report.open_shards = bench.rig.open_shards();
    let (counts, held) = bench.rig.end().await;
    (report.offered, report.sent) = (counts.generated, counts.sent);
    let is_sound =
        counts.law().is_ok() && counts.in_flight == 0 && held.is_none_or(|held| held >= counts.sent);
    Ok(Capacity { report, is_sound, stopped })
}

/// The rig, and what is kept of its stretches.
struct Bench<'a> {
    config: &'a Config,
    console: &'a Console,
    rules: Rules,
    rig: Rig,
    begun: Instant,
    /// Whether the shards were refusing just now, so that nothing is in reserve.
    is_drained: bool,
    /// The stretch behind the search's lower end, and behind its upper one.
    low: Option<Stretch>,
    high: Option<Stretch>,
}

impl Bench<'_> {
    async fn look(&mut self, search: &mut Search) {
        while let Step::Offer { rate, seconds, kind } = search.next() {
            let time = Duration::from_secs_f64(seconds);
            let stretch = match kind {
                Kind::Ramp => self.rig.stretch(rate, time, refuses_for_long).await,
                Kind::Trial => {
                    self.use_up(rate).await;
                    self.settle(rate).await;
                    self.rig.stretch(rate, time, |blocks| search.is_over(blocks)).await
                }
            };
            self.is_drained = stretch.blocks.iter().rev().take(2).all(|block| block.throttled > 0);
            let (low, high) = (search.low().map(|low| low.rate), search.high().map(|high| high.rate));
            search.learn(Observed {
                blocks: stretch.blocks.clone(),
                hint: stretch.hint(self.rules.most_throttled),
                fell_short: stretch.fell_short,
            });
            let side = if search.low().map(|low| low.rate) != low {
                self.low = Some(stretch.clone());
                Some(Side::Sustained)
            } else if search.high().map(|high| high.rate) != high {
                let side = search.high().map(|high| high.side);
                self.high = Some(stretch.clone());
                side
            } else {
                None
            };
            self.tell(kind, &stretch, side);
        }
    }

    /// Uses up what the shards have in reserve for `rate`.
    async fn use_up(&self, rate: f64) {
        if self.is_drained {
            return;
        }
        let more = (1.5 * rate).min(self.rules.most_rate);
        let limit = if more < 1.4 * rate { LONG_DRAIN } else { DRAIN };
        self.rig.offer(more);
        if self.rig.until_throttled(limit).await {
            // Not all shards are empty at the same moment.
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    /// Offers `rate` until nothing has been throttled for a second, or that is not to be expected any more: what came
    /// closer together than it was meant to, while nothing was in reserve, is no matter of the rate.
    async fn settle(&self, rate: f64) {
        let quiet = |blocks: &[Block]| {
            blocks.len() >= 4 && blocks.iter().rev().take(4).all(|block| block.throttled == 0)
        };
        self.rig.stretch(rate, SETTLING, quiet).await;
    }

    fn tell(&self, kind: Kind, stretch: &Stretch, side: Option<Side>) {
        let throttled: u64 = stretch.blocks.iter().map(|block| block.throttled).sum();
        let attempts: u64 = stretch.blocks.iter().map(Block::attempts).sum();
        let share = throttled as f64 / attempts.max(1) as f64;
        match self.config.log.format {
            LogFormat::Text => {
                let line = capacity_line(self.begun.elapsed(), kind, stretch.rate, stretch.sent, share, side);
                self.console.print(&line);
            }
            LogFormat::Json => tracing::info!(
                kind = ?kind,
                rate = stretch.rate,
                sent_per_second = stretch.sent,
                throttled_share = share,
                fell_short = stretch.fell_short,
                side = ?side,
                "stretch"
            ),
        }
    }
}

/// Whether shards have refused for as long as a hint needs.
fn refuses_for_long(blocks: &[Block]) -> bool {
    blocks.iter().position(|block| block.throttled > 0).is_some_and(|first| blocks.len() >= first + 6)
}

impl Stretch {
    fn evidence(&self, open_shards: usize) -> Evidence {
        Evidence {
            shards: self.shards.clone(),
            open_shards,
            throttled_requests: self.throttled_requests,
            failed_requests: self.failed_requests,
            fell_short: self.fell_short,
            window_full: self.window_full,
            cpu: self.cpu,
        }
    }

    /// What the point says, with what its last trial alone can tell. Which answers came in before its end is chance;
    /// the share of throttled records is of all trials.
    fn measured(&self, point: &Point) -> Measured {
        let records = match point.side {
            Side::Unoffered => self.sent,
            Side::Sustained | Side::Throttled => point.rate * (1.0 - point.share.share),
        };
        Measured {
            records,
            bytes: records * self.bytes / self.sent.max(1e-9),
            shards: self.shards.clone(),
            cpu: self.cpu,
            late: self.late,
        }
    }
}
