//! The summary's claims, with the texts as a reader sees them.

use super::*;
use crate::ledger::{Ledger, Outcome, Settled, ShardCounts};

fn facts() -> RunFacts {
    RunFacts {
        stream: "my-stream".to_owned(),
        seed: 42,
        instance: "p-0000002a".to_owned(),
        ended: "its duration".to_owned(),
        held: None,
    }
}

/// A shard's counts where each record is an entry.
fn of_shard(sent: u64, sent_bytes: u64, throttled: u64) -> ShardCounts {
    ShardCounts { sent, sent_bytes, throttled, entries_sent: sent, entries_throttled: throttled }
}

fn sent(records: u64, shards: &[(Option<u64>, u64, u64)]) -> Settled {
    let shards = shards
        .iter()
        .map(|&(shard, sent, throttled)| (shard.map(ShardId), of_shard(sent, 200 * sent, throttled)));
    Settled { sent: records, sent_bytes: 200 * records, shards: shards.collect(), ..Settled::default() }
}

/// 10 jobs × 10 messages for a minute, all sent.
fn good() -> Snapshot {
    let ledger = Ledger::new();
    for _ in 0..600 {
        ledger.ticks_fired(1);
        ledger.generated(10);
        ledger.departed(Duration::from_micros(400));
        let settled = sent(10, &[(Some(0), 4, 0), (Some(1), 6, 0)]);
        ledger.attempted(Outcome::Ok, Duration::from_millis(10), Duration::from_millis(11), &settled);
    }
    ledger.snapshot()
}

fn bad() -> Snapshot {
    let ledger = Ledger::new();
    ledger.ticks_fired(50);
    ledger.ticks_missed(10, 1_000);
    ledger.second_unannounced();
    ledger.generated(50_000);
    ledger.dropped(Dropped::WindowFull, 3_000);
    ledger.departed(Duration::from_millis(2));
    let mut settled = sent(49_000, &[(Some(0), 20_000, 1_000), (Some(3), 28_000, 0), (None, 1_000, 250)]);
    settled.perhaps_twice = 10;
    settled.throttled = 1_250;
    settled.failed = vec![(Failed::Throttled, 450), (Failed::TooLarge, 50)];
    settled.unknown = vec![(Unknown::Timeout, 500)];
    ledger.attempted(Outcome::Partial, Duration::from_millis(20), Duration::from_secs(2), &settled);
    for _ in 0..99 {
        ledger.attempted(Outcome::Timeout, Duration::from_secs(10), Duration::ZERO, &Settled::default());
    }
    ledger.snapshot()
}

#[test]
fn a_run_that_sent_all_reads_like_this() {
    let text = summary_text(&good(), Duration::from_secs(60), &facts());
    assert_eq!(
        text,
        "
Run on my-stream: 60.0 s, ended by its duration. Seed 42, instance p-0000002a.

Records                           count      share  mean rate
  due                             6,000      100 %      100/s
    dropped                           0        0 %
    generated                     6,000      100 %      100/s
      sent                        6,000      100 %      100/s
      failed                          0        0 %
      unknown                         0        0 %
  bytes sent                   1.14 MiB  19.5 KiB/s, 200 B a record with its key

PutRecords requests               count      share  mean rate
  all                               600      100 %       10/s
    ok                              600      100 %
  records sent each                  10  on average

Times                               p50        p90        p99        max
  delivery delay                  11 ms      11 ms      11 ms      11 ms  per record, from due to acknowledged
  request duration                10 ms      10 ms      10 ms      10 ms  per request, from call to answer
  tick lateness                  400 µs     400 µs     400 µs     400 µs  per batch, from due to its first request

Ticks of jobs                     count
  started                           600  a tick is one job in one due second
  missed                              0

Shards                             sent      share  throttled      bytes
  shardId-000000000000            2,400    40.00 %          0    469 KiB
  shardId-000000000001            3,600    60.00 %          0    703 KiB

All 6,000 records were sent.
"
    );
}

#[test]
fn a_run_that_lost_records_reads_like_this() {
    let text = summary_text(&bad(), Duration::from_millis(60_250), &facts());
    assert_eq!(
        text,
        "
Run on my-stream: 60.2 s, ended by its duration. Seed 42, instance p-0000002a.

Records                           count      share  mean rate
  due                            54,000      100 %      896/s
    dropped                       4,000     7.41 %
      window_full                 3,000  raise STREAMER_MAX_IN_FLIGHT, or the stream (or this machine) is the limit
      missed_tick                 1,000  the process or the machine stood still for a whole second
    generated                    50,000    92.59 %      830/s
      sent                       49,000    90.74 %      813/s
        perhaps twice                10  an earlier attempt had no answer, and may have stored them too
      failed                        500     0.93 %
        throttled                   450  over the shards' limits in every attempt: more shards, or less load
        too_large                    50  larger than a record of this stream may be
      unknown                       500     0.93 %
        timeout                     500  no answer within STREAMER_REQUEST_TIMEOUT
  bytes sent                   9.35 MiB  159 KiB/s, 200 B a record with its key

PutRecords requests               count      share  mean rate
  all                               100      100 %      1.7/s
    partial                           1     1.00 %
    timeout                          99    99.00 %
  records sent each                 490  on average
  records throttled               1,250  counted in every attempt: 0.03 for each record generated

Times                               p50        p90        p99        max
  delivery delay                  2.0 s      2.0 s      2.0 s      2.0 s  per record, from due to acknowledged
  request duration                 10 s       10 s       10 s       10 s  per request, from call to answer
  tick lateness                  2.0 ms     2.0 ms     2.0 ms     2.0 ms  per batch, from due to its first request

Ticks of jobs                     count
  started                            50  a tick is one job in one due second
  missed                             10
  scheduler too late                  1  due seconds that the scheduler told too late; taken from the expression instead

Shards                             sent      share  throttled      bytes
  shardId-000000000000           20,000    40.82 %      1,000   3.81 MiB
  shardId-000000000003           28,000    57.14 %          0   5.34 MiB
  not told                        1,000     2.04 %        250    195 KiB

5,000 of 54,000 records were not sent, or may not have been: 4,000 dropped, 500 failed, 500 unknown.
"
    );
}

#[test]
fn a_run_without_a_record_reads_like_this() {
    let text = summary_text(&Snapshot::default(), Duration::ZERO, &facts());
    assert_eq!(
        text,
        "
Run on my-stream: 0 s, ended by its duration. Seed 42, instance p-0000002a.

Records                           count      share  mean rate
  due                                 0        0 %          –
    dropped                           0        0 %
    generated                         0        0 %          –
      sent                            0        0 %          –
      failed                          0        0 %
      unknown                         0        0 %

Ticks of jobs                     count
  started                             0  a tick is one job in one due second
  missed                              0

No record was due, and none was sent.
"
    );
}

#[test]
fn no_line_is_longer_than_a_terminal_of_120_columns() {
    let mut counts = bad();
    for &why in Failed::ALL {
        counts.failed.add(why, 1_000_000_000_000);
    }
    for &why in Unknown::ALL {
        counts.unknown.add(why, 1_000_000_000_000);
    }
    for &why in Dropped::ALL {
        counts.dropped.add(why, 1_000_000_000_000);
    }
    for line in summary_text(&counts, Duration::from_secs(86_400), &facts()).lines() {
        let verdict = line.starts_with("Do not trust");
        assert!(verdict || line.chars().count() <= 120, "{} {line}", line.chars().count());
    }
}

#[test]
fn the_verdict_says_what_became_of_all() {
    let one = Snapshot { due: 1, generated: 1, sent: 1, entries_sent: 1, ..Snapshot::default() };
    assert_eq!(verdict(&one), "The one record was sent.");
    assert_eq!(verdict(&good()), "All 6,000 records were sent.");
    let twice = Snapshot { perhaps_twice: 7, ..good() };
    assert_eq!(verdict(&twice), "All 6,000 records were sent, 7 of them perhaps twice.");
    let cut = Snapshot { due: 5, generated: 5, sent: 3, in_flight: 2, ..Snapshot::default() };
    assert_eq!(verdict(&cut), "2 of 5 records were not sent, or may not have been: 2 still in flight.");
    let broken = Snapshot { due: 5, ..Snapshot::default() };
    assert!(verdict(&broken).starts_with("Do not trust this run: the counts do not add up: due 5"));
}

#[test]
fn the_embedded_streams_own_count_is_told_and_a_difference_without_a_doubt_is_called_a_defect() {
    let told = |counts: &Snapshot, held: u64| {
        let text = summary_text(counts, Duration::from_secs(60), &RunFacts { held: Some(held), ..facts() });
        text.lines().last().expect("lines").to_owned()
    };
    assert_eq!(told(&good(), 6_000), "The embedded stream took 6,000 records by its own count.");
    let one = Snapshot { due: 1, generated: 1, sent: 1, entries_sent: 1, ..Snapshot::default() };
    assert_eq!(told(&one, 1), "The embedded stream took 1 record by its own count.");
    assert_eq!(
        told(&bad(), 49_400),
        "The embedded stream took 49,400 records by its own count, 400 more than sent: of the unknown ones, or \
         stored twice."
    );
    assert_eq!(
        told(&good(), 6_001),
        "Do not trust this run: the counts differ. The embedded stream took 6,001 records by its own count, but \
         6,000 were sent and none is in doubt. Unless another producer wrote to it, this is a defect of \
         kinesis-streamer."
    );
    // It counts Kinesis records, whatever is in them.
    let aggregated = Snapshot { entries_sent: 60, ..good() };
    assert_eq!(told(&aggregated, 60), "The embedded stream took 60 Kinesis records by its own count.");
    // A record with a sequence number is stored, whatever is in doubt besides.
    for counts in [good(), bad()] {
        let less = told(&counts, counts.sent - 1);
        assert!(less.starts_with("Do not trust this run: the counts differ. "), "{less}");
    }
    assert!(!summary_text(&good(), Duration::from_secs(60), &facts()).contains("by its own count"));
}

#[test]
fn aggregated_records_are_told_in_both_units() {
    let ledger = Ledger::new();
    ledger.generated(5_000);
    let counts = ShardCounts {
        sent: 4_000,
        sent_bytes: 800_000,
        throttled: 500,
        entries_sent: 16,
        entries_throttled: 2,
    };
    let settled = Settled {
        sent: 4_000,
        sent_bytes: 800_000,
        throttled: 500,
        sent_elsewhere: 250,
        shards: vec![(Some(ShardId(0)), counts)],
        ..Settled::default()
    };
    ledger.attempted(Outcome::Partial, Duration::from_millis(10), Duration::from_millis(11), &settled);
    let text = summary_text(&ledger.snapshot(), Duration::from_secs(1), &facts());
    let table = "\nKinesis records                   count             mean rate
  sent                               16                  16/s
  user records in each              250  on average; the counts above are of user records
  throttled                           2  counted in every attempt
  elsewhere                         250  user records in aggregates that another shard took than they were made for\n";
    assert!(text.contains(table), "{text}");
    assert!(text.contains("  records throttled                 500"), "{text}");
    assert!(!summary_text(&good(), Duration::from_secs(60), &facts()).contains("Kinesis records"));
}

#[test]
fn a_run_of_less_than_a_second_has_no_mean_rates() {
    let text = summary_text(&good(), Duration::from_micros(999_999), &facts());
    for line in [
        "  due                             6,000      100 %          –\n",
        "      sent                        6,000      100 %          –\n",
        "  bytes sent                   1.14 MiB  200 B a record with its key\n",
        "  all                               600      100 %          –\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
    assert!(!text.contains("/s"), "{text}");
    let text = summary_text(&good(), Duration::from_secs(1), &facts());
    assert!(text.contains("    100 %    6,000/s\n"), "{text}");
}

#[test]
fn many_shards_end_in_one_row_that_holds_the_rest() {
    let shards = |count: u64| {
        let mut counts = Snapshot::default();
        for shard in 0..count {
            counts.shards.insert(Some(ShardId(shard)), of_shard(10, 1_000, 1));
        }
        counts.sent = 10 * count;
        let mut text = String::new();
        super::shards(&mut text, &counts);
        text
    };
    assert_eq!(shards(17).matches("shardId-").count(), 17);
    let text = shards(116);
    assert_eq!(text.matches("shardId-").count(), 16);
    let last = text.lines().last().expect("rows");
    assert_eq!(last, "  and 100 more                    1,000    86.21 %        100   97.7 KiB");
}
