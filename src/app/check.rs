//! `kinesis-streamer check`: everything that can be known before the first record, and what to do about it.
//!
//! Asks the endpoint what a run would ask, and a few small things more; puts no record. What the answers mean for a run is
//! decided here, finding by finding.

use super::check_plan::load_plan;
use super::offered::Offered;
use super::stages::{Reached, Stages, reach};
use super::trace;
use crate::config::{Config, Target};
use crate::exit::Exit;
use crate::expose::{CheckReport, Finding, Level, LoadPlan, grouped, human_bytes, human_span};
use crate::generate::Event;
use crate::key::KeyStrategy;
use crate::kinesis::limits::{SHARD_BYTES_PER_SECOND, SHARD_RECORDS_PER_SECOND};
use crate::kinesis::{Access, Client, Distance, DryRun, Mode, NotReady, StreamDetails};
use crate::lab::{RangeFinding, ranges, unevenness};

/// A share of refused records that is worth a warning.
const FELT: f64 = 0.000_5;

/// Looks at everything before the first record of a run by `config`: what was found, and how the process ends.
pub async fn check(config: &Config, event: &Event) -> (CheckReport, Exit) {
    let mut findings = Findings::default();
    for notice in &config.notices {
        findings.add(Level::Note, "settings", notice.clone(), None);
    }
    let mut report = CheckReport {
        stream: match &config.target {
            Target::Stream(stream) => stream.to_string(),
            Target::Local { name, .. } => name.to_string(),
            Target::Nowhere => "none".to_owned(),
        },
        ..CheckReport::default()
    };
    let exit = match examine(config, event, &mut findings, &mut report).await {
        Err((what, text, exit)) => {
            findings.add(Level::Error, what, text, None);
            exit
        }
        Ok(exit) => exit,
    };
    let worst = findings.0.iter().map(|finding| finding.level).max();
    report.findings = findings.0;
    match (exit, worst) {
        (Exit::Sent, Some(Level::Warning | Level::Error)) => (report, Exit::Warned),
        (exit, _) => (report, exit),
    }
}

#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, level: Level, what: &'static str, text: impl Into<String>, remedy: Option<&str>) {
        self.0.push(Finding { level, what, text: text.into(), remedy: remedy.map(str::to_owned) });
    }

    fn good(&mut self, what: &'static str, text: impl Into<String>) {
        self.add(Level::Good, what, text, None);
    }

    fn note(&mut self, what: &'static str, text: impl Into<String>) {
        self.add(Level::Note, what, text, None);
    }
}

/// What ends a check before its end: where, why, and with which code.
type Broken = (&'static str, String, Exit);

async fn examine(
    config: &Config,
    event: &Event,
    findings: &mut Findings,
    report: &mut CheckReport,
) -> Result<Exit, Broken> {
    let offered = Offered::read(config, event).map_err(|error| ("load", error.to_string(), error.exit()))?;
    for notice in &offered.notices {
        findings.note("settings", notice.clone());
    }
    identity(config, findings).await;
    let trace = trace::open(config).map_err(|error| ("trace", error.to_string(), error.exit()))?;
    let peak = trace::peak(config, trace.as_ref()).unwrap_or(offered.peak);
    let broken = |error: super::StartError| ("stream", error.to_string(), error.exit());
    let reached =
        reach(config, peak).await.map_err(broken)?.ok_or(super::StartError::Nowhere).map_err(broken)?;
    report.region = reached.embedded.is_none().then(|| reached.client.region().to_owned());
    let details = reached.client.details(&reached.stream).await;
    let details = details
        .map_err(|fault| broken(NotReady::of(fault, &reached.stream, reached.client.region()).into()))?;
    describe(&reached, &details, findings).await;
    shards(config, &reached, findings);
    let exit = permission(&reached, findings).await;
    let distance = reached.client.distance(&reached.stream).await;
    far(&distance, findings);
    super::cost::check(&config.costs, reached.facts.mode)
        .map_err(|error| ("cost", error.to_string(), error.exit()))?;
    let stages = Stages::build(config, event, trace.as_ref(), Some(&reached))
        .map_err(|error| ("events", error.to_string(), error.exit()))?;
    if trace.is_some() {
        findings.note("load", "a trace is not planned for; --dry-run tells what its head holds");
        return Ok(exit);
    }
    let plan = load_plan(config, &offered, &reached, &stages);
    judge(config, &plan, &distance, findings);
    report.plan = Some(plan);
    Ok(exit)
}

async fn identity(config: &Config, findings: &mut Findings) {
    let Target::Stream(stream) = &config.target else {
        findings.note("identity", "not told here: the embedded stream takes any credentials");
        return;
    };
    let access = Access::Default { region: stream.arn().map(|arn| arn.region().to_owned()) };
    let client = Client::connect(&access, config.send.request_timeout).await;
    if client.region_is_fallback() {
        let text = format!("no region is set: {} is taken", client.region());
        findings.add(Level::Note, "region", text, Some("set AWS_REGION"));
    }
    match client.identity(stream).await {
        Ok(Some(who)) => findings.good("identity", format!("{} in account {}", who.arn, who.account)),
        Ok(None) => findings.note("identity", "not told here: the endpoint is for Kinesis alone"),
        // An emulator without STS is no fault, and what is wrong with real credentials is found below.
        Err(fault) => findings.note("identity", format!("not told here: {fault}")),
    }
}

async fn describe(reached: &Reached, details: &StreamDetails, findings: &mut Findings) {
    let facts = &details.facts;
    findings.good("stream", format!("{} is {}", facts.arn, details.status));
    let open = reached.shards.shards().len();
    let limits = format!(
        "{open} open shard{}: {} records/s and {}/s together",
        if open == 1 { "" } else { "s" },
        grouped(open as u64 * SHARD_RECORDS_PER_SECOND),
        human_bytes((open as u64 * SHARD_BYTES_PER_SECOND) as f64)
    );
    match facts.mode {
        Mode::Provisioned => findings.good("mode", format!("provisioned, {limits}")),
        Mode::OnDemand => findings.add(
            Level::Note,
            "mode",
            format!("on-demand, {limits} now; it grows with its load, up to twice the highest of the last 30 days at once"),
            Some("a load that more than doubles within 15 minutes may be throttled: ramp up"),
        ),
        Mode::Untold => findings.note("mode", format!("not told here, {limits}")),
    }
    if facts.mode == Mode::OnDemand {
        match reached.client.warm_throughput(&reached.stream).await {
            Ok(Some(warm)) => {
                let rate =
                    |rate: Option<u32>| rate.map_or("not told".to_owned(), |rate| format!("{rate} MiB/s"));
                findings
                    .good("warm", format!("warm for {}, going to {}", rate(warm.current), rate(warm.target)));
            }
            Ok(None) => findings.note("warm", "no warm throughput is told"),
            Err(fault) => findings.note("warm", format!("warm throughput is not told: {fault}")),
        }
    }
    let record =
        facts.record_bytes.map_or("not told, 1 MiB is assumed".to_owned(), |most| human_bytes(most as f64));
    findings.good("records", format!("largest record: {record}"));
    let encryption = details.encryption.as_deref().unwrap_or("not told");
    findings.good("storage", format!("kept for {} hours, encryption {encryption}", details.retention_hours));
    if encryption == "KMS" {
        findings.add(
            Level::Note,
            "kms",
            "the stream is encrypted with a KMS key: the identity needs kms:GenerateDataKey on it, and KMS has limits of its own",
            Some("watch failed records by cause kms"),
        );
    }
}

fn shards(config: &Config, reached: &Reached, findings: &mut Findings) {
    let shards = reached.shards.shards();
    let mut is_whole = true;
    for found in ranges(shards) {
        is_whole = false;
        let text = match found {
            RangeFinding::Hole(range) => {
                format!("no open shard holds the hash keys from {} to {}", range.start, range.end)
            }
            RangeFinding::Overlap(one, other) => format!("{one} and {other} hold the same hash keys"),
        };
        let remedy = "the stream is being resharded: wait, and check again";
        findings.add(Level::Warning, "ranges", text, Some(remedy));
    }
    match unevenness(shards).filter(|uneven| uneven.is_felt()) {
        Some(uneven) => findings.add(
            Level::Note,
            "ranges",
            format!(
                "uneven: {} holds {:.1} % of all hash keys, {} {:.1} %; random keys load them so",
                uneven.widest.0,
                100.0 * uneven.widest.1,
                uneven.narrowest.0,
                100.0 * uneven.narrowest.1
            ),
            Some("split the widest shard, or use round-robin keys"),
        ),
        None if is_whole => findings.good("ranges", "the shards hold all hash keys, in equal parts"),
        None => {}
    }
    if reached.facts.by_key == Some(false) {
        let level = if config.key == KeyStrategy::Random { Level::Note } else { Level::Warning };
        findings.add(
            level,
            "keys",
            format!(
                "Kinesis spreads records as it likes on this stream (distribution AUTO): the key {} means nothing, and an \
                 experiment with keys is void",
                config.key
            ),
            Some("set the stream's record distribution to USER_PARTITION_KEY for that"),
        );
    }
}

async fn permission(reached: &Reached, findings: &mut Findings) -> Exit {
    let Some(shard) = reached.shards.shards().first().map(|shard| shard.id.to_string()) else {
        findings.note("permission", "not tried: there is no open shard");
        return Exit::Sent;
    };
    match reached.client.may_put(&reached.stream, &shard).await {
        DryRun::Allowed => findings.good("permission", "PutRecords is allowed, by a DryRun"),
        DryRun::Denied(fault) => {
            findings.add(
                Level::Error,
                "permission",
                format!("PutRecords is denied: {fault}"),
                Some("allow kinesis:PutRecords on the stream (docs/permissions.md)"),
            );
            return Exit::Denied;
        }
        DryRun::Unaware => findings.note(
            "permission",
            "not told: the endpoint does not know DryRun and would store the record, so none was sent",
        ),
        DryRun::Unproven(why) => findings.note("permission", format!("not told: {why}")),
        DryRun::Failed(fault) => findings.add(
            Level::Warning,
            "permission",
            format!("a DryRun of PutRecords failed: {fault}"),
            Some("a run's requests may fail alike"),
        ),
        DryRun::Stored => findings.add(
            Level::Warning,
            "permission",
            "PutRecords is allowed; but the endpoint took a DryRun for a record and STORED it: empty, with the partition key \
             kinesis-streamer-check",
            Some("readers of this stream must pass over it"),
        ),
    }
    Exit::Sent
}

fn far(distance: &Distance, findings: &mut Findings) {
    let millis = |sorted: &[std::time::Duration]| {
        Distance::median(sorted).map(|time| format!("{:.1} ms", time.as_secs_f64() * 1e3))
    };
    match millis(&distance.calls) {
        Some(call) => {
            let connect = millis(&distance.connects);
            let connect = connect.map_or("the connect time is not told".to_owned(), |time| {
                format!("{time} to open a TCP connection")
            });
            findings.good(
                "distance",
                format!("{call} for a small call (median of {}), {connect}", distance.calls.len()),
            );
        }
        None => findings.note("distance", "not told: small calls failed"),
    }
}

/// What the plan means.
fn judge(config: &Config, plan: &LoadPlan, distance: &Distance, findings: &mut Findings) {
    if plan.too_large > 0 {
        let share = 100.0 * plan.too_large as f64 / plan.events as f64;
        let text = format!("{share:.2} % of the records are larger than the stream takes, and will fail");
        findings.add(
            Level::Warning,
            "records",
            text,
            Some("lower STREAMER_EVENT_SIZE, or raise the stream's record size"),
        );
    }
    if plan.without_key > 0 {
        let share = 100.0 * plan.without_key as f64 / plan.events as f64;
        let text =
            format!("{share:.2} % of the events have no value for the key {}, and will fail", config.key);
        findings.add(Level::Warning, "keys", text, Some("choose another STREAMER_PARTITION_KEY"));
    }
    let hottest = plan.shards.iter().max_by(|one, other| one.1.refused().total_cmp(&other.1.refused()));
    match hottest.filter(|(_, shard)| shard.refused() > 0.0) {
        Some((id, shard)) if plan.forecast.refused > FELT || plan.forecast.peak_refused > FELT => {
            let by = if shard.refused_by_records >= shard.refused_by_bytes { "records/s" } else { "bytes/s" };
            let even = plan.shards.iter().all(|(_, one)| one.refused() > 0.5 * shard.refused());
            let remedy = match (even, by) {
                (false, _) => "spread the keys, or split the hot shard",
                (true, "records/s") => "lower the rate, add shards, or put several events in a record",
                (true, _) => "lower the rate, add shards, or make the records smaller",
            };
            findings.add(
                Level::Warning,
                "throttles",
                format!(
                    "{:.2} % of all records will be throttled at their first attempt ({:.2} % in the highest second); most \
                     on {id}, {:.2} % of its own, because of {by}",
                    100.0 * plan.forecast.refused,
                    100.0 * plan.forecast.peak_refused,
                    100.0 * shard.refused()
                ),
                Some(remedy),
            );
        }
        _ => findings.good("throttles", "none are to be expected, if nobody else writes to the stream"),
    }
    if let Some(call) = Distance::median(&distance.calls) {
        let needed = plan.peak_requests * call.as_secs_f64();
        if needed > config.send.max_in_flight as f64 {
            findings.add(
                Level::Warning,
                "window",
                format!(
                    "the highest second needs some {needed:.0} requests under way, and {} may be",
                    config.send.max_in_flight
                ),
                Some("raise STREAMER_MAX_IN_FLIGHT, or make fewer and larger requests"),
            );
        }
    }
    money(plan, findings);
}

fn money(plan: &LoadPlan, findings: &mut Findings) {
    let Some(hour) = plan.cost_of_an_hour else {
        findings.note("cost", "no prices of this mode are set (STREAMER_PRICE_…), so nothing is told of it");
        return;
    };
    findings.good(
        "cost",
        format!("{:.4} an hour in the mean of the load, by the prices that are set", hour.total()),
    );
    let Some(most) = plan.most else { return };
    match (plan.cost_of_the_run, plan.duration) {
        (Some(run), Some(_)) if run.total() < most.units() => {
            findings.good("cost", format!("the run costs {:.4}, and may cost {most}", run.total()));
        }
        (run, _) if hour.total() > 0.0 => {
            let until = std::time::Duration::from_secs_f64((most.units() / hour.total() * 3_600.0).min(1e9));
            let text = format!(
                "the run will be ended by STREAMER_MAX_COST={most} after about {}",
                human_span(until)
            );
            let level = if run.is_some() { Level::Warning } else { Level::Note };
            findings.add(level, "cost", text, Some("raise it, or shorten the run"));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Invocation, read};
    use crate::generate::EventKind;

    async fn checked(arguments: &[&str]) -> (CheckReport, Exit) {
        let arguments = ["x", "check", "--local=2"].into_iter().chain(arguments.iter().copied());
        let config = match read(Vec::<(String, String)>::new(), arguments, 1) {
            Ok(Invocation::Check { config, .. }) => *config,
            other => panic!("{other:?}"),
        };
        // Boxed for its size.
        Box::pin(check(&config, &Event::Kind(EventKind::Message))).await
    }

    fn found<'a>(report: &'a CheckReport, what: &str) -> Vec<&'a Finding> {
        report.findings.iter().filter(|finding| finding.what == what).collect()
    }

    #[tokio::test]
    async fn a_load_that_fits_is_good_and_one_that_does_not_is_warned_of() {
        let (report, exit) = checked(&["--event=message", "--rate=500/s"]).await;
        assert_eq!(exit, Exit::Sent, "{report:?}");
        assert_eq!(found(&report, "throttles")[0].level, Level::Good);
        assert_eq!(found(&report, "permission")[0].level, Level::Good);
        let (report, exit) = checked(&[
            "--event=message",
            "--rate=3000/s",
            "--partition-key=constant:a",
            "--price-put-units=1",
        ])
        .await;
        assert_eq!(exit, Exit::Warned);
        let throttles = found(&report, "throttles")[0];
        assert!(throttles.text.contains("because of records/s"), "{throttles:?}");
        assert!(throttles.remedy.as_deref().is_some_and(|remedy| remedy.contains("spread the keys")));
        let plan = report.plan.expect("a plan");
        assert!((plan.forecast.refused - 2.0 / 3.0).abs() < 0.01, "{:?}", plan.forecast);
        // 3,000 records an hour's seconds, a unit each, at 1 for a million.
        assert!((plan.cost_of_an_hour.expect("a price").total() - 10.8).abs() < 0.01);
    }

    #[tokio::test]
    async fn a_bound_of_cost_without_prices_that_fit_is_an_error() {
        let (report, exit) = checked(&["--max-cost=1", "--price-gb-in=1"]).await;
        assert_eq!(exit, Exit::Usage);
        assert_eq!(found(&report, "cost")[0].level, Level::Error);
    }
}
