//! From the ledger and the timeline of a run to its report.

use std::collections::BTreeMap;
use std::time::Duration;

use super::document::{
    Client, Counts, Document, Entries, HeatColumn, Instance, MarkRow, NAME, ShardRow, SpanRow, Times, VERSION,
};
use crate::judge::client_findings;
use crate::kinesis::ShardId;
use crate::ledger::timeline::Span;
use crate::ledger::{Label, Snapshot, Tally, Timeline};

/// What a report is made of, besides the instance.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// The stream's name.
    pub stream: &'a str,
    /// The final counts.
    pub counts: &'a Snapshot,
    /// How they came about.
    pub timeline: &'a Timeline,
}

/// The report of a run.
#[must_use]
pub fn build(parts: Parts<'_>, mut instance: Instance) -> Document {
    let Parts { stream, counts, timeline } = parts;
    instance.other_writers = counts.other_writers();
    let shards = shards(counts);
    Document {
        schema: NAME.to_owned(),
        version: VERSION,
        streams: vec![stream.to_owned()],
        began_unix_ms: instance.began_unix_ms,
        load_seconds: instance.load_seconds,
        counts: of_counts(counts),
        times: Times {
            delivery_delay: (&counts.delivery_delay).into(),
            request_duration: (&counts.request_duration).into(),
            lateness: (&counts.lateness).into(),
        },
        client: client(counts),
        spans: timeline.spans().iter().map(span).collect(),
        heat: heat(timeline, &shards),
        marks: timeline
            .marks()
            .iter()
            .map(|mark| MarkRow { at: mark.at.as_secs_f64(), what: mark.what.clone() })
            .collect(),
        more_marks: timeline.more_marks(),
        shards,
        instances: vec![instance],
    }
}

fn tally<L: Label>(tally: &Tally<L>) -> BTreeMap<String, u64> {
    by_label(tally.iter())
}

/// What is not zero, by its label.
fn by_label<L: Label>(counts: impl IntoIterator<Item = (L, u64)>) -> BTreeMap<String, u64> {
    let some = counts.into_iter().filter(|(_, count)| *count > 0);
    some.map(|(label, count)| (label.label().to_owned(), count)).collect()
}

fn of_counts(counts: &Snapshot) -> Counts {
    Counts {
        due: counts.due,
        generated: counts.generated,
        dropped: tally(&counts.dropped),
        sent: counts.sent,
        sent_bytes: counts.sent_bytes,
        perhaps_twice: counts.perhaps_twice,
        failed: tally(&counts.failed),
        unknown: tally(&counts.unknown),
        in_flight: counts.in_flight,
        throttled: counts.throttled,
        entries: counts.entries,
        fates: Entries {
            entries_sent: counts.entries_sent,
            entries_throttled: counts.entries_throttled,
            throttled_by: tally(&counts.throttled_by),
        },
        sent_elsewhere: counts.sent_elsewhere,
        payload_units: counts.units,
        rounded_bytes: counts.rounded_bytes,
        requests: tally(&counts.requests),
        injected: tally(&counts.injected),
        raw_bytes: counts.raw_bytes,
        ticks_fired: counts.ticks_fired,
        ticks_missed: counts.ticks_missed,
        seconds_unannounced: counts.seconds_unannounced,
        clock_steps: counts.clock_steps,
        reshards: counts.reshards,
        journal_lost: counts.journal_lost,
    }
}

fn client(counts: &Snapshot) -> Client {
    let strained = &counts.strained;
    let seconds = |millis: u64| Duration::from_millis(millis).as_secs_f64();
    Client {
        limited: !client_findings(counts).is_empty(),
        judged_seconds: seconds(strained.judged_millis),
        limited_seconds: tally(&strained.millis)
            .into_iter()
            .map(|(cause, millis)| (cause, seconds(millis)))
            .collect(),
        window_wait_seconds: counts.window_wait.as_secs_f64(),
    }
}

/// What no shard could be told for stands last.
fn shards(counts: &Snapshot) -> Vec<ShardRow> {
    let throttles = &counts.shard_throttles;
    let charged = |shard: ShardId| throttles.get(&shard).map(|told| by_label(told.causes()));
    let mut rows: Vec<(Option<ShardId>, ShardRow)> = counts
        .shards
        .iter()
        .map(|(&shard, counts)| {
            let row = ShardRow {
                shard: shard.map(|shard| shard.to_string()),
                sent: counts.sent,
                sent_bytes: counts.sent_bytes,
                throttled: counts.throttled,
                fates: Entries {
                    entries_sent: counts.entries_sent,
                    entries_throttled: counts.entries_throttled,
                    throttled_by: shard.and_then(charged).unwrap_or_default(),
                },
            };
            (shard, row)
        })
        .collect();
    rows.sort_by_key(|(shard, _)| (shard.is_none(), *shard));
    rows.into_iter().map(|(_, row)| row).collect()
}

fn span(span: &Span) -> SpanRow {
    let Span { bin, pressure, .. } = span;
    let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
    SpanRow {
        from: bin.from.as_secs_f64(),
        to: bin.to.as_secs_f64(),
        due: bin.flow.due,
        generated: bin.flow.generated,
        dropped: bin.flow.dropped,
        sent: bin.flow.sent,
        sent_bytes: bin.flow.sent_bytes,
        failed: bin.flow.failed,
        unknown: bin.flow.unknown,
        throttled: bin.flow.throttled,
        requests: bin.flow.requests,
        in_flight: bin.in_flight,
        cpu_seconds: bin.cpu.as_secs_f64(),
        stalled_seconds: pressure.stalled.as_secs_f64(),
        window_wait_seconds: pressure.window_wait.as_secs_f64(),
        queued_seconds: seconds(pressure.queued),
        quota_held_seconds: seconds(pressure.quota_held),
        stolen_seconds: seconds(pressure.stolen),
        connections: pressure.connections,
        connecting_seconds: pressure.connecting.as_secs_f64(),
        times: Times {
            delivery_delay: span.delivery_delay.clone().into(),
            request_duration: span.request_duration.clone().into(),
            lateness: span.lateness.clone().into(),
        },
    }
}

fn heat(timeline: &Timeline, shards: &[ShardRow]) -> Vec<HeatColumn> {
    let heat = timeline.heat();
    // Every shard of the heat is in the ledger, which it was sampled from.
    let place = |shard: &Option<ShardId>| {
        let id = shard.map(|shard| shard.to_string());
        shards.iter().position(|row| row.shard == id).unwrap_or_default()
    };
    let places: Vec<usize> = heat.shards().iter().map(place).collect();
    let column = |column: &crate::ledger::timeline::Column| HeatColumn {
        from: column.from.as_secs_f64(),
        to: column.to.as_secs_f64(),
        cells: column
            .cells
            .iter()
            .map(|cell| (places[cell.shard as usize], u64::from(cell.sent), u64::from(cell.throttled)))
            .collect(),
    };
    heat.columns().iter().map(column).collect()
}
