//! The verification of a stream as a command of its own: against a finished run or one that goes on, of one producer
//! or several.
//!
//! Decides whose records are expected, from where on is read, and when the producers count as done.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::net::TcpListener;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::header::RECORDED;
use super::journals::{Journals, JournalsError, headers};
use super::start_error::StartError;
use super::verified::Verified;
use super::watch::Watch;
use crate::config::{LogFormat, Since, VerifyOptions};
use crate::expose::{Console, Phase, View, reading_line};
use crate::generate::{EventChoice, EventKind};
use crate::journal::Header;
use crate::kinesis::{Access, Client, Place, StreamArn, StreamRef};
use crate::schedule::wall;
use crate::verify::{
    Audit, Board, Expect, Made, Mailbox, Order, Others, Producer, ReadCounts, ReadPlan, Readback,
};

/// How far the clocks of producer and stream may be apart: reading begins so much before a run did.
const SKEW: Duration = Duration::from_secs(60);

/// How often the journals are read on.
const GLANCE: Duration = Duration::from_millis(200);

/// How often a live line is rewritten, and how often a plain one is written.
const LIVE: Duration = Duration::from_secs(1);
const CALM: Duration = Duration::from_secs(10);

/// Reads a stream back and holds it against what its producers say. The first `stop` ends it, or, where it follows,
/// lets it read to the end; the second ends it then.
///
/// # Errors
/// Why it could not begin.
pub async fn verify<S: Future<Output = &'static str>>(
    options: VerifyOptions,
    console: Console,
    mut stop: impl FnMut() -> S,
) -> Result<Verified, StartError> {
    let stream = stream(&options)?;
    let (journals, headers) = Journals::open(&options.journals, &stream)?;
    let audit = Audit::new(expected(&options, &headers))?;
    let board = Arc::new(Board::new(Instant::now()));
    let view = View::of_reading(Arc::clone(&board), SystemTime::now());
    let listener = match options.listen {
        None => None,
        Some(address) => {
            Some(TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, source })?)
        }
    };
    let address = listener.as_ref().and_then(|listener| listener.local_addr().ok());
    let _watch = Watch::serve(view.clone(), listener);
    let mailbox = Arc::new(Mailbox::default());
    let begin = async {
        let access = Access::Default { region: stream.arn().map(|arn| arn.region().to_owned()) };
        let client = Client::connect(&access, options.request_timeout).await;
        if client.region_is_fallback() {
            tracing::warn!("no region is set: using {} (set AWS_REGION to choose another)", client.region());
        }
        client.ready(&stream, options.active_timeout).await?;
        let plan = ReadPlan {
            place: place(options.since, &headers, wall()),
            begun_millis: wall().as_millis() as u64,
            poll: options.reading.poll,
            idle: options.reading.idle,
        };
        let (reader, heard, seen) = (client.reader(&stream), Arc::clone(&mailbox), Arc::clone(&board));
        let mut readback = Readback::start(reader, plan, audit, heard, seen);
        readback.begun().await.map_err(StartError::of_reading)?;
        Ok::<_, StartError>(readback)
    };
    // A stream that is being made may be waited for long.
    let readback = tokio::select! {
        begun = begin => begun?,
        _ = stop() => return Err(StartError::Interrupted),
    };
    tracing::info!(
        stream = stream.to_string(),
        journals = headers.len(),
        listen = address.map(|address| address.to_string()),
        "reading begins"
    );
    view.set_phase(Phase::Running);
    let orders = readback.orders();
    let outcome = readback.outcome();
    tokio::pin!(outcome);
    let mut producers = Some(Producers { journals, mailbox, all_told: false });
    let (mut following, begun) = (options.follow, Instant::now());
    let timeout = options.reading.timeout.map(|timeout| begun + timeout);
    let mut progress = Lines::new(&console, options.log.format, begun);
    let mut glances = interval(GLANCE);
    glances.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut stopping = Box::pin(stop());
    let outcome = loop {
        tokio::select! {
            outcome = &mut outcome => break outcome,
            _ = glances.tick() => {
                if timeout.is_some_and(|timeout| Instant::now() >= timeout) {
                    orders.send_replace(Order::Stop { timed_out: true });
                    break outcome.await;
                }
                let (order, back) = look(producers.take(), following).await?;
                producers = back;
                orders.send_if_modified(|now| std::mem::replace(now, order) != order);
                progress.tell(&board.counts());
            }
            by = &mut stopping => {
                if !std::mem::replace(&mut following, false) {
                    tracing::info!("{by}: stopping where we are");
                    orders.send_replace(Order::Stop { timed_out: false });
                    break outcome.await;
                }
                tracing::info!("{by}: reading to the end; a second signal stops at once");
                stopping.set(stop());
            }
        }
    };
    console.end_progress();
    let silent = producers.map(|producers| producers.journals.silent()).unwrap_or_default();
    Ok(Verified { outcome, silent })
}

/// What the producers say, while they say it.
struct Producers {
    journals: Journals,
    mailbox: Arc<Mailbox>,
    all_told: bool,
}

/// Reads the journals on, and says what the readers of the stream are to do.
async fn look(
    producers: Option<Producers>,
    following: bool,
) -> Result<(Order, Option<Producers>), JournalsError> {
    let Some(mut producers) = producers else { return Ok((Order::Follow, None)) };
    let looked = tokio::task::spawn_blocking(move || {
        producers.all_told = producers.journals.read_on(&producers.mailbox)?;
        let goes_on = !producers.all_told && producers.journals.is_any_written();
        Ok::<_, JournalsError>((producers, goes_on))
    });
    // The task is not aborted, and a panic has ended the process by now.
    let Ok(looked) = looked.await else { return Ok((Order::Stop { timed_out: false }, None)) };
    let (producers, goes_on) = looked?;
    let order = match following || goes_on {
        true => Order::Follow,
        false => Order::Finish { all_told: producers.all_told && producers.journals.any() },
    };
    Ok((order, Some(producers)))
}

/// The stream that is meant: the one that is named, else the one of the first journal.
fn stream(options: &VerifyOptions) -> Result<StreamRef, StartError> {
    if let Some(stream) = &options.stream {
        return Ok(stream.clone());
    }
    let path = options.journals.first().ok_or(StartError::Nowhere)?;
    let named = headers(path)?.into_iter().find_map(|header| {
        let arn = header.arn.and_then(|arn| arn.parse::<StreamArn>().ok()).map(StreamRef::Arn);
        arn.or_else(|| header.stream.parse().ok())
    });
    named.ok_or(StartError::Nowhere)
}

/// Whose records are expected, and how they were made.
fn expected(options: &VerifyOptions, headers: &[Header]) -> Expect {
    let seeded = options.seed.map(|seed| Made {
        seed,
        // As a run that is told no more than the seed.
        event: options.event.clone().unwrap_or(EventKind::Mouse.into()),
        shaping: options.shaping.clone(),
        jobs: options.jobs.unwrap_or(0),
        key: options.key.clone(),
    });
    let told = headers.iter().map(producer);
    let named = match (headers.is_empty(), options.instances.as_slice()) {
        // The names that runs of that seed give themselves.
        (true, []) => options.seeded_names.as_slice(),
        (_, named) => named,
    };
    let known = |name: &str| headers.iter().any(|header| header.producer == name);
    let named = named.iter().filter(|name| !known(name));
    let named = named.map(|name| Producer::new(name, seeded.clone()));
    let producers: Vec<Producer> = told.chain(named).collect();
    let others = match headers.is_empty() && options.instances.is_empty() {
        true => Others::Discovered(seeded),
        false => Others::Foreign,
    };
    let begun =
        headers.iter().map(|header| (header.producer.as_str().into(), header.started_millis)).collect();
    Expect {
        producers,
        begun,
        others,
        // Without a seed, nothing tells a message of ours from anybody's.
        anonymous: options.seed.is_none()
            && options
                .event
                .as_ref()
                .is_some_and(|event| event.kinds().any(|kind| kind == EventKind::Message)),
        foreign_allowed: options.reading.foreign_allowed,
        from_start: matches!(options.since, Since::Start | Since::Oldest),
        ..Expect::default()
    }
}

/// Who wrote a session.
fn producer(header: &Header) -> Producer {
    if header.event.starts_with(RECORDED) {
        return Producer::anonymous(&header.producer);
    }
    match header.event.parse() {
        Ok(event) if EventChoice::has_template(&event) => Producer::anonymous(&header.producer),
        _ => Producer::new(&header.producer, made(header)),
    }
}

/// How a journal says that its events are made; none where this program does not know it.
fn made(header: &Header) -> Option<Made> {
    Some(Made {
        seed: header.seed,
        event: header.event.parse().ok().filter(|event: &EventChoice| !event.has_template())?,
        shaping: header.shaping.as_deref().unwrap_or_default().parse().ok()?,
        jobs: header.jobs,
        key: header.partition_key.parse().ok(),
    })
}

/// Where reading begins.
fn place(since: Since, headers: &[Header], now: Duration) -> Place {
    let first = headers.iter().map(|header| header.started_millis).min();
    match (since, first) {
        (Since::Start, Some(first)) => Place::Since(first.saturating_sub(SKEW.as_millis() as u64)),
        (Since::Start, None) | (Since::Oldest, _) => Place::Oldest,
        (Since::Time(millis), _) => Place::Since(millis),
        (Since::Ago(ago), _) => Place::Since(now.saturating_sub(ago).as_millis() as u64),
    }
}

/// The line that tells how reading goes on.
struct Lines<'a> {
    console: &'a Console,
    format: LogFormat,
    every: Duration,
    begun: Instant,
    last: (Instant, u64),
}

impl<'a> Lines<'a> {
    fn new(console: &'a Console, format: LogFormat, begun: Instant) -> Self {
        let every = if console.terminal().live && format == LogFormat::Text { LIVE } else { CALM };
        Self { console, format, every, begun, last: (begun, 0) }
    }

    fn tell(&mut self, counts: &ReadCounts) {
        let (at, records) = self.last;
        let elapsed = at.elapsed();
        if elapsed < self.every {
            return;
        }
        let per_second = (counts.records - records) as f64 / elapsed.as_secs_f64();
        match self.format {
            LogFormat::Text => {
                let terminal = self.console.terminal();
                self.console.progress(reading_line(counts, per_second, self.begun.elapsed(), terminal));
            }
            LogFormat::Json => tracing::info!(
                elapsed_seconds = self.begun.elapsed().as_secs_f64(),
                records_read = counts.records,
                records_read_per_second = per_second,
                behind_seconds = counts.behind_millis as f64 / 1e3,
                shards = counts.reading,
                extra_copies = counts.audit.extra_copies,
                corrupt = counts.audit.corrupt,
                foreign = counts.audit.foreign,
                disordered = counts.audit.disordered,
                "progress"
            ),
        }
        self.last = (Instant::now(), counts.records);
    }
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
