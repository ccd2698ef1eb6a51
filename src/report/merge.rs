//! One report of many instances: counts and distributions add, timelines are laid over each other by the wall clock.
//!
//! Sums stay exact: a span that lies across two cells of the common grid is cut in proportion, in whole numbers that
//! add up; a distribution, which can't be cut, goes to the cell of its middle.

use std::collections::BTreeMap;

use super::document::{Document, Entries, HeatColumn, MarkRow, SpanRow, Times};

/// Most cells of a merged timeline.
const MOST_CELLS: f64 = 1_800.0;

/// Most columns of a merged heat map.
const MOST_COLUMNS: f64 = 240.0;

/// Why reports can't be merged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// There is none.
    #[error("there is no report to merge")]
    None,
    /// The same run is there twice.
    #[error(
        "the run of {producer} that began at {began_unix_ms} (milliseconds since 1970) is in two of the reports: its \
         records would count twice"
    )]
    Twice {
        /// The producer.
        producer: String,
        /// When it began.
        began_unix_ms: u64,
    },
}

/// One report of all.
///
/// # Errors
/// When there is none, or a run is in two of them.
pub fn merge(documents: Vec<Document>) -> Result<Document, MergeError> {
    let mut seen = std::collections::BTreeSet::new();
    for instance in documents.iter().flat_map(|document| &document.instances) {
        if !seen.insert((instance.producer.clone(), instance.began_unix_ms)) {
            return Err(MergeError::Twice {
                producer: instance.producer.clone(),
                began_unix_ms: instance.began_unix_ms,
            });
        }
    }
    let origin = documents.iter().map(|document| document.began_unix_ms).min().ok_or(MergeError::None)?;
    let shifted: Vec<Shifted> = documents.into_iter().map(|document| Shifted::to(origin, document)).collect();
    let Some(schema) = shifted.first().map(|one| (one.document.schema.clone(), one.document.version)) else {
        return Err(MergeError::None);
    };
    let several = shifted.len() > 1;
    let stream = |one: &Shifted| one.document.streams.join("+");
    let one_stream = shifted.windows(2).all(|two| stream(&two[0]) == stream(&two[1]));
    let mut all = Document {
        schema: schema.0,
        version: schema.1,
        streams: Vec::new(),
        began_unix_ms: origin,
        load_seconds: load(&shifted),
        instances: Vec::new(),
        counts: Default::default(),
        times: Times::default(),
        shards: Vec::new(),
        client: Default::default(),
        spans: spans(&shifted),
        heat: Vec::new(),
        marks: Vec::new(),
        more_marks: 0,
    };
    let mut columns = Vec::new();
    for Shifted { document, by } in shifted {
        let of_stream = document.streams.join("+");
        let Document { streams, instances, counts, times, shards, client, heat, marks, .. } = document;
        for stream in streams {
            if !all.streams.contains(&stream) {
                all.streams.push(stream);
            }
        }
        let who = if several { instances.first().map(|one| one.producer.clone()) } else { None };
        all.marks.extend(marks.into_iter().map(|mark| MarkRow {
            at: mark.at + by,
            what: who.as_ref().map_or(mark.what.clone(), |who| format!("{who}: {}", mark.what)),
        }));
        all.more_marks += document.more_marks;
        all.instances.extend(instances);
        add_counts(&mut all, counts);
        add_times(&mut all.times, &times);
        all.client.limited |= client.limited;
        all.client.judged_seconds += client.judged_seconds;
        all.client.window_wait_seconds += client.window_wait_seconds;
        for (cause, seconds) in client.limited_seconds {
            *all.client.limited_seconds.entry(cause).or_default() += seconds;
        }
        let mut places = Vec::new();
        for mut shard in shards {
            // Streams have shards of the same names.
            if !one_stream {
                shard.shard = shard.shard.map(|shard| format!("{of_stream}/{shard}"));
            }
            match all.shards.iter().position(|known| known.shard == shard.shard) {
                Some(place) => {
                    let known = &mut all.shards[place];
                    known.sent += shard.sent;
                    known.sent_bytes += shard.sent_bytes;
                    known.throttled += shard.throttled;
                    add_entries(&mut known.fates, shard.fates);
                    places.push(place);
                }
                None => {
                    places.push(all.shards.len());
                    all.shards.push(shard);
                }
            }
        }
        columns.extend(heat.into_iter().map(|mut column| {
            column.from += by;
            column.to += by;
            column.cells.iter_mut().for_each(|cell| cell.0 = places[cell.0]);
            column
        }));
    }
    all.instances.sort_by_key(|instance| instance.began_unix_ms);
    all.marks.sort_by(|one, other| one.at.total_cmp(&other.at));
    all.heat = heat(&columns);
    Ok(all)
}

/// A report, and how much later than the first it began, in seconds.
struct Shifted {
    document: Document,
    by: f64,
}

impl Shifted {
    fn to(origin: u64, document: Document) -> Self {
        let by = (document.began_unix_ms - origin) as f64 / 1e3;
        Self { document, by }
    }
}

/// From the first begin to the last end of a load.
fn load(shifted: &[Shifted]) -> Option<f64> {
    let ends = shifted.iter().filter_map(|one| Some(one.by + one.document.load_seconds?));
    let end = ends.reduce(f64::max)?;
    let begins = shifted.iter().filter(|one| one.document.load_seconds.is_some()).map(|one| one.by);
    Some(end - begins.reduce(f64::min).unwrap_or(0.0))
}

fn add_map(all: &mut BTreeMap<String, u64>, more: BTreeMap<String, u64>) {
    for (label, count) in more {
        *all.entry(label).or_default() += count;
    }
}

fn add_counts(all: &mut Document, more: super::Counts) {
    let counts = &mut all.counts;
    counts.due += more.due;
    counts.generated += more.generated;
    counts.sent += more.sent;
    counts.sent_bytes += more.sent_bytes;
    counts.perhaps_twice += more.perhaps_twice;
    counts.in_flight += more.in_flight;
    counts.throttled += more.throttled;
    counts.entries += more.entries;
    counts.sent_elsewhere += more.sent_elsewhere;
    counts.payload_units += more.payload_units;
    counts.rounded_bytes += more.rounded_bytes;
    counts.raw_bytes += more.raw_bytes;
    counts.ticks_fired += more.ticks_fired;
    counts.ticks_missed += more.ticks_missed;
    counts.seconds_unannounced += more.seconds_unannounced;
    counts.clock_steps += more.clock_steps;
    counts.reshards += more.reshards;
    counts.journal_lost += more.journal_lost;
    add_map(&mut counts.dropped, more.dropped);
    add_map(&mut counts.failed, more.failed);
    add_map(&mut counts.unknown, more.unknown);
    add_map(&mut counts.requests, more.requests);
    add_map(&mut counts.injected, more.injected);
    add_entries(&mut counts.fates, more.fates);
}

fn add_entries(all: &mut Entries, more: Entries) {
    all.entries_sent += more.entries_sent;
    all.entries_throttled += more.entries_throttled;
    add_map(&mut all.throttled_by, more.throttled_by);
}

fn add_times(all: &mut Times, more: &Times) {
    all.delivery_delay.add(&more.delivery_delay);
    all.request_duration.add(&more.request_duration);
    all.lateness.add(&more.lateness);
}

/// Cells of equal length from 0 to `end`: as long as the longest of `lengths`, in whole seconds, and at most `most`.
fn grid(end: f64, lengths: impl Iterator<Item = f64>, most: f64) -> (f64, usize) {
    // A span of a second ends some hundredths late.
    let longest = lengths.fold(1.0, f64::max);
    let step = (longest - 0.5).max(end / most).ceil().max(1.0);
    (step, (end / step).ceil() as usize)
}

fn spans(shifted: &[Shifted]) -> Vec<SpanRow> {
    let all = || shifted.iter().flat_map(|one| one.document.spans.iter().map(move |span| (one.by, span)));
    let end = all().map(|(by, span)| by + span.to).fold(0.0, f64::max);
    let (step, cells) = grid(end, all().map(|(_, span)| span.to - span.from), MOST_CELLS);
    let mut rows: Vec<SpanRow> = (0..cells)
        .map(|cell| SpanRow {
            from: cell as f64 * step,
            to: ((cell + 1) as f64 * step).min(end),
            ..SpanRow::default()
        })
        .collect();
    let of = |moment: f64| ((moment / step) as usize).min(cells.saturating_sub(1));
    for (by, span) in all() {
        let (from, to) = (by + span.from, by + span.to);
        let (first, last) = (of(from), of(to));
        // How much of the span is over at the end of each cell, from 0 to 1; the last one takes what is left.
        let mut before = 0.0;
        for (cell, row) in rows.iter_mut().enumerate().take(last + 1).skip(first) {
            let until = if cell == last { 1.0 } else { ((row.to - from) / (to - from)).clamp(before, 1.0) };
            add_part(row, span, before, until);
            before = until;
        }
        let middle = &mut rows[of((from + to) / 2.0)];
        add_times(&mut middle.times, &span.times);
    }
    // What was in flight at the end of a cell: of each report, by its span that ended last until then.
    for row in &mut rows {
        for one in shifted {
            let ended = |span: &&SpanRow| one.by + span.to <= row.to + 1e-9;
            row.in_flight += one.document.spans.iter().rfind(ended).map_or(0, |span| span.in_flight);
        }
    }
    rows
}

/// Adds what of `span` lies between two shares of it.
fn add_part(row: &mut SpanRow, span: &SpanRow, before: f64, until: f64) {
    let part = |count: u64| {
        let reached = |share: f64| if share >= 1.0 { count } else { (count as f64 * share) as u64 };
        reached(until) - reached(before)
    };
    let time = |seconds: f64| seconds * (until - before);
    let perhaps = |row: Option<f64>, seconds: Option<f64>| {
        seconds.map(|seconds| row.unwrap_or(0.0) + time(seconds)).or(row)
    };
    row.due += part(span.due);
    row.generated += part(span.generated);
    row.dropped += part(span.dropped);
    row.sent += part(span.sent);
    row.sent_bytes += part(span.sent_bytes);
    row.failed += part(span.failed);
    row.unknown += part(span.unknown);
    row.throttled += part(span.throttled);
    row.requests += part(span.requests);
    row.connections += part(span.connections);
    row.cpu_seconds += time(span.cpu_seconds);
    row.stalled_seconds += time(span.stalled_seconds);
    row.window_wait_seconds += time(span.window_wait_seconds);
    row.connecting_seconds += time(span.connecting_seconds);
    row.queued_seconds = perhaps(row.queued_seconds, span.queued_seconds);
    row.quota_held_seconds = perhaps(row.quota_held_seconds, span.quota_held_seconds);
    row.stolen_seconds = perhaps(row.stolen_seconds, span.stolen_seconds);
}

fn heat(columns: &[HeatColumn]) -> Vec<HeatColumn> {
    let end = columns.iter().map(|column| column.to).fold(0.0, f64::max);
    let (step, cells) = grid(end, columns.iter().map(|column| column.to - column.from), MOST_COLUMNS);
    let mut sums: Vec<BTreeMap<usize, (u64, u64)>> = vec![BTreeMap::new(); cells];
    for column in columns {
        let middle = ((column.from + column.to) / 2.0 / step) as usize;
        let Some(sum) = sums.get_mut(middle.min(cells.saturating_sub(1))) else { continue };
        for &(shard, sent, throttled) in &column.cells {
            let cell = sum.entry(shard).or_default();
            cell.0 += sent;
            cell.1 += throttled;
        }
    }
    sums.into_iter()
        .enumerate()
        .map(|(at, sum)| HeatColumn {
            from: at as f64 * step,
            to: ((at + 1) as f64 * step).min(end),
            cells: sum.into_iter().map(|(shard, (sent, throttled))| (shard, sent, throttled)).collect(),
        })
        .collect()
}
