//! Records that were mixed, padded and spoilt on purpose are expected as they are; what else happens to them is found.

use std::sync::Arc;

use proptest::prelude::*;

use super::super::{Audit, Expect, Made, Others, Producer, Seen, Verdict};
use crate::generate::{Due, Event, EventChoice, Maker, Shaping};
use crate::key::Keyer;
use crate::kinesis::{HashRange, Shard, ShardId, ShardMap};
use crate::ledger::{Claim, Failed, Fate, Unknown};

const START: u64 = 1_795_227_274_000;
const RECORDS: u64 = 240;

fn made(event: &str, shaping: &str, key: &str) -> Made {
    Made {
        seed: 7,
        event: event.parse().expect("an event"),
        shaping: shaping.parse().expect("a shaping"),
        jobs: 1,
        key: Some(key.parse().expect("a strategy")),
    }
}

/// The records of a job in order, due ten in a second: data and key.
fn records(made: &Made) -> Vec<(Vec<u8>, String)> {
    let event = Event::built_in(&made.event).expect("no template");
    let maker = Maker::new(&event, &made.shaping, made.seed, "p").expect("a maker");
    let shards = ShardMap::new(vec![Shard { id: ShardId(0), range: HashRange::ALL }]);
    let strategy = made.key.as_ref().expect("a strategy");
    let keyer = Keyer::of_events(strategy, &maker.generators()[0], made.seed, "p", &shards).expect("a keyer");
    let mut opened = 0;
    let one = |place: u64| {
        let (mut due, mut data, mut key) =
            (Due::new(START + place / 10 * 1_000, opened), Vec::new(), String::new());
        let composed = maker.compose(0, place, &mut due, &mut data);
        keyer.write(0, composed.event, &data, &composed.written, &mut key).expect("a key");
        maker.finish(0, &composed, 0, &mut data);
        opened = due.opened_millis;
        (data, key)
    };
    (0..RECORDS).map(one).collect()
}

/// What happens to each record: its fate, and how often it is stored.
type Fates = Vec<(Fate, usize)>;

/// What can happen to a record of which nobody lies.
fn fate() -> impl Strategy<Value = (Fate, usize)> {
    let sent = |perhaps_twice| Fate::Sent { perhaps_twice };
    prop_oneof![
        12 => Just((sent(false), 1)),
        1 => Just((sent(true), 1)),
        1 => Just((sent(true), 2)),
        1 => Just((Fate::Failed(Failed::Throttled), 0)),
        1 => Just((Fate::Unknown(Unknown::Timeout), 0)),
        1 => Just((Fate::Unknown(Unknown::Timeout), 1)),
    ]
}

/// The verdict on these records; the claims of some come before they are read, of the others after.
fn verdict(made: Made, records: &[(Vec<u8>, String)], fates: &Fates, claims_first: &[bool]) -> Verdict {
    let name: Arc<str> = "p".into();
    let producers = vec![Producer::new(&name, Some(made))];
    let begun = [(Arc::clone(&name), START)].into();
    let mut audit = Audit::new(Expect { producers, begun, others: Others::Foreign, ..Expect::default() })
        .expect("an audit");
    let claim = |audit: &mut Audit, place: u64, fate| {
        let at_millis = START + place / 10 * 1_000 + 50;
        audit.claim(&name, &Claim { job: 0, sequences: place..place + 1, fate, at_millis });
    };
    let early = |place: u64| claims_first[place as usize % claims_first.len()];
    for (place, &(fate, _)) in (0..).zip(fates).filter(|(place, _)| early(*place)) {
        claim(&mut audit, place, fate);
    }
    let mut number = 0_u64;
    for ((data, key), &(_, copies)) in records.iter().zip(fates) {
        for _ in 0..copies {
            number += 1;
            audit.see(&Seen {
                shard: ShardId(0),
                sequence_number: number.into(),
                partition_key: key,
                data,
                arrived_millis: None,
                read_millis: START + 1_000_000,
            });
        }
    }
    for (place, &(fate, _)) in (0..).zip(fates).filter(|(place, _)| !early(*place)) {
        claim(&mut audit, place, fate);
    }
    audit.finish()
}

const SHAPINGS: [&str; 5] = [
    "",
    "size=1KiB frame=1",
    "size=lognormal:900B,p99=2KiB,most=4KiB inject=duplicate:10%/1",
    "inject=late:10%/1h,malformed:10%,oversize:3%/3KiB",
    "inject=late:5%/1h,duplicate:5%/2,reordered:10%/3,malformed:5%,oversize:1%/1KiB",
];

const EVENTS: [&str; 4] =
    ["click", "message", "access-log", "mouse:3,iot:2,order:1,access-log:1,message:1,trade:2"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    // Whatever was asked for, whatever became of the records as their producer says, and whichever claims come before
    // their records: nothing is called missing, corrupt, foreign, disordered, contradicted or twice there; and what is
    // unknown or perhaps twice is counted as it is.
    #[test]
    fn what_was_put_in_on_purpose_is_no_finding(
        event in prop::sample::select(&EVENTS[..]), shaping in prop::sample::select(&SHAPINGS[..]),
        key in prop::sample::select(&["random", "job", "constant:k"][..]),
        fates in prop::collection::vec(fate(), RECORDS as usize), claims_first in prop::collection::vec(any::<bool>(), 1..9)
    ) {
        let made = made(event, shaping, key);
        let verdict = verdict(made.clone(), &records(&made), &fates, &claims_first);
        let total = verdict.total;
        prop_assert!(verdict.clean, "{:?}", verdict);
        let count = |is: &dyn Fn(&(Fate, usize)) -> bool| fates.iter().filter(|fate| is(fate)).count() as u64;
        let stored: u64 = fates.iter().map(|(_, copies)| *copies as u64).sum();
        prop_assert_eq!(total.found + total.extra_copies, stored);
        prop_assert_eq!(total.duplicate_expected, total.extra_copies);
        // Of two records that are alike, whether the one is there twice or the other, unknown, once, nobody can tell.
        if !shaping.contains("duplicate") {
            prop_assert_eq!(total.found, count(&|(_, copies)| *copies > 0));
            prop_assert_eq!(total.unknown_stored, count(&|fate| *fate == (Fate::Unknown(Unknown::Timeout), 1)));
        }
    }

    // A record that is lost, that is there once more than it should be, or whose bytes were changed on the way is found,
    // although others are missing, twice and broken on purpose.
    #[test]
    fn what_was_not_put_in_on_purpose_is_found(
        event in prop::sample::select(&EVENTS[..]), shaping in prop::sample::select(&SHAPINGS[..]),
        place in 0..RECORDS as usize, what in 0..3, claims_first in prop::collection::vec(any::<bool>(), 1..9)
    ) {
        let made = made(event, shaping, "random");
        let (mut records, mut fates) = (records(&made), vec![(Fate::Sent { perhaps_twice: false }, 1); RECORDS as usize]);
        match what {
            0 => fates[place].1 = 0,
            1 => fates[place].1 = 2,
            _ => {
                let last = records[place].0.len() - 1;
                records[place].0[last] ^= 1;
            }
        }
        let verdict = verdict(made, &records, &fates, &claims_first);
        let total = verdict.total;
        let found = [total.missing, total.duplicate, total.corrupt + verdict.corrupt_unidentified];
        let mut wanted = [0; 3];
        wanted[what as usize] = 1;
        prop_assert!(!verdict.clean);
        prop_assert_eq!(found, wanted, "{:?}", total);
    }
}

#[test]
fn a_template_can_not_be_expected() {
    let made = Made {
        event: EventChoice::Template("x".parse().expect("a place")),
        shaping: Shaping::default(),
        ..made("click", "", "job")
    };
    let producers = vec![Producer::new("p", Some(made))];
    assert!(Audit::new(Expect { producers, ..Expect::default() }).is_err());
}
