//! What the text of a verdict says: every count that means something, and nothing that could be taken for another.

use super::*;
use crate::generate::{EventKind, Generator, Timestamp};
use crate::kinesis::ShardId;
use crate::ledger::{Claim, Fate};
use crate::verify::{Audit, Expect, Made, Others, Producer, Seen};

fn made() -> Made {
    Made { seed: 1, kind: EventKind::Click, jobs: 1, key: None }
}

fn event(sequence: u64) -> Vec<u8> {
    let mut event = Vec::new();
    let time = Timestamp::from_unix_millis(1_000_000);
    Generator::new(EventKind::Click, 1, "p").write(0, sequence, &time, &mut event);
    event
}

fn see(audit: &mut Audit, number: u64, partition_key: &str, data: &[u8]) {
    audit.see(&Seen {
        shard: ShardId(3),
        sequence_number: number.into(),
        partition_key,
        data,
        arrived_millis: Some(1_000_020),
        read_millis: 1_000_120,
    });
}

/// Claims of ten records, and what `write` stored of them.
fn verdict(write: impl FnOnce(&mut Audit)) -> Verdict {
    let producers = vec![Producer { name: "p".into(), made: Some(made()) }];
    let mut audit =
        Audit::new(Expect { producers, others: Others::Foreign, ..Expect::default() }).expect("no key");
    let fate = Fate::Sent { perhaps_twice: false };
    audit.claim(&"p".into(), &Claim { job: 0, sequences: 0..10, fate, at_millis: 1_000_040 }, None);
    write(&mut audit);
    audit.finish()
}

#[test]
fn a_run_that_went_well_is_told_in_full() {
    let verdict = verdict(|audit| (0..10).for_each(|at| see(audit, at + 1, "k", &event(at))));
    let text = verdict_text(&verdict);
    let bytes = human::bytes(verdict.read.bytes as f64);
    let expected = format!(
        "
Read back                         count
  records                            10  {bytes} from 1 shard

Records of producers              count      share
  claimed as sent                    10
    found                            10      100 %
    missing                           0        0 %

Findings                          count
  duplicate                           0
  disordered                          0
  corrupt                             0
  foreign                             0

Times                               p50        p90        p99        max
  due to arrived                  20 ms      20 ms      20 ms      20 ms  by the stream's own clock
  due to read                    120 ms     120 ms     120 ms     120 ms  from the time in the event to this reader
  acknowledged to read            80 ms      80 ms      80 ms      80 ms  where the acknowledgement is known

All records that were claimed as sent are in the stream.
"
    );
    assert_eq!(text, expected);
}

#[test]
fn every_fault_is_in_the_last_line_and_has_an_example() {
    let verdict = verdict(|audit| {
        let mut flipped = event(2);
        flipped[60] ^= 1;
        for (number, data) in (1..).zip([event(0), event(0), flipped, b"somebody's".to_vec()]) {
            see(audit, number, "a\u{1b}[2J", &data);
        }
    });
    let text = verdict_text(&verdict);
    let last = text.lines().last().expect("a line");
    assert_eq!(
        last,
        "The stream does not hold what was said of it: 8 missing, 1 duplicate, 1 corrupt, 1 foreign."
    );
    for line in [
        "  missing \"p\" job 0 sequence 1\n",
        "  missing \"p\" job 0 sequence 3 to 9\n",
        "  duplicate \"p\" job 0 sequence 0, shardId-000000000003 at 2, key \"a\\u{1b}[2J\"\n",
        "  corrupt \"p\" job 0 sequence 2: other bytes than were made, shardId-000000000003 at 3, key ",
        "  foreign, shardId-000000000003 at 4, key ",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    assert!(!text.contains('\u{1b}'), "what others wrote does not reach the terminal as it is");
}

#[test]
fn without_claims_the_text_does_not_promise_too_much() {
    let mut audit = Audit::new(Expect::default()).expect("nothing to go wrong");
    (0..3).for_each(|at| see(&mut audit, at + 1, "k", &event(at)));
    let verdict = audit.finish();
    assert_eq!(
        verdict_line(&verdict),
        "Nothing wrong was found. Without claims of a producer, nobody knows what is missing at the end of a job."
    );
    assert!(!verdict_text(&verdict).contains("missing  "), "nothing can be missing");
    let nothing = Audit::new(Expect::default()).expect("nothing to go wrong").finish();
    assert_eq!(verdict_line(&nothing), "Nothing was found in the stream, and nothing was claimed.");
}
