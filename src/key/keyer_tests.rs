//! Claims about keys: which records share one, which shard gets them, and when there is none.

use std::collections::HashSet;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::generate::{Template, TemplateMode};
use crate::kinesis::{HashRange, Shard, ShardId};

const NO_ENTITY: Written = Written { length: 0, entity: None };

fn shards(count: u32) -> ShardMap {
    let shards = (0..).zip(HashRange::ALL.divided(count));
    ShardMap::new(shards.map(|(id, range)| Shard { id: ShardId(id), range }).collect())
}

fn keyer(strategy: &str, kind: EventKind) -> Result<Keyer, KeyerError> {
    Keyer::new(&strategy.parse().expect("a strategy"), kind, 1, "p", &shards(3))
}

fn keyed(keyer: &Keyer, job: u32, sequence: u64, event: &str) -> Result<(String, Option<HashKey>), NoKey> {
    let mut key = "from before".to_owned();
    let explicit = keyer.write(job, sequence, event.as_bytes(), &NO_ENTITY, &mut key)?;
    Ok((key, explicit))
}

/// The key by a pointer alone, without the trial on a built-in event.
fn by_field(pointer: &str, event: &str) -> Result<String, NoKey> {
    let keyer = Keyer { rule: Rule::Field(pointer.parse().expect("a pointer")) };
    keyed(&keyer, 0, 0, event).map(|(key, _)| key)
}

#[test]
fn random_keys_differ_by_job_and_sequence_and_repeat_by_seed() {
    let (one, same) = (keyer("random", EventKind::Message), keyer("random", EventKind::Click));
    let (one, same) = (one.expect("no trial"), same.expect("no trial"));
    let mut seen = HashSet::new();
    for job in 0..10 {
        for sequence in 0..1_000 {
            let key = keyed(&one, job, sequence, "").expect("a key");
            assert_eq!(key.0.len(), 16);
            assert_eq!(keyed(&same, job, sequence, ""), Ok(key.clone()));
            assert!(seen.insert(key.0));
        }
    }
}

#[test]
fn constant_and_job_are_what_they_say() {
    let constant = keyer("constant:shardId-000000000000", EventKind::Message).expect("no trial");
    assert_eq!(keyed(&constant, 3, 4, ""), Ok(("shardId-000000000000".to_owned(), None)));
    let job = keyer("job", EventKind::Message).expect("no trial");
    assert_eq!(keyed(&job, u32::MAX, 4, ""), Ok(("4294967295".to_owned(), None)));
}

#[test]
fn a_bounded_number_of_keys_is_a_bounded_number_of_keys() {
    for strategy in ["uniform:keys=5", "zipf:0.7,keys=5"] {
        let (one, same) = (keyer(strategy, EventKind::Message), keyer(strategy, EventKind::Click));
        let (one, same) = (one.expect("no trial"), same.expect("no trial"));
        let mut seen = std::collections::BTreeSet::new();
        for sequence in 0..200 {
            let key = keyed(&one, 1, sequence, "").expect("a key");
            assert_eq!(keyed(&same, 1, sequence, ""), Ok(key.clone()));
            seen.insert(key.0);
        }
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["1", "2", "3", "4", "5"]);
    }
}

// Each job goes round all shards, one a record, and neighbouring jobs start at neighbouring shards.
#[test]
fn round_robin_visits_every_shard_in_turn() {
    let (keyer, map) = (keyer("round-robin", EventKind::Message).expect("three shards"), shards(3));
    for job in [0, 1, 2, 3, u32::MAX] {
        for sequence in (0..10).chain(u64::MAX - 5..=u64::MAX) {
            let (key, explicit) = keyed(&keyer, job, sequence, "").expect("a key");
            assert_eq!(key, sequence.to_string());
            let turn = (u128::from(job) + u128::from(sequence)) % 3;
            assert_eq!(explicit.and_then(|key| map.locate(key)), Some(ShardId(turn as u64)));
        }
    }
}

#[test]
fn round_robin_without_shards_says_what_to_do() {
    let error = Keyer::new(&KeyStrategy::RoundRobin, EventKind::Mouse, 1, "p", &ShardMap::default()).err();
    assert_eq!(error, Some(KeyerError::Shards));
}

#[test]
fn the_user_is_the_events_entity() {
    for (kind, pointer) in
        [(EventKind::Mouse, "/user"), (EventKind::Click, "/user"), (EventKind::Trade, "/ticker")]
    {
        let generator = Generator::new(kind, 1, "p");
        let user = keyer("user", kind).expect("it has an entity");
        let mut out = b"what stood before".to_vec();
        let start = out.len();
        let written = generator.write(3, 4, &Timestamp::from_unix_millis(0), &mut out);
        let event = &out[start..];
        let mut key = String::new();
        assert_eq!(user.write(3, 4, event, &written, &mut key), Ok(None));
        let event: Value = serde_json::from_slice(event).expect("valid JSON");
        assert_eq!(event.pointer(pointer).and_then(Value::as_str), Some(&*key));
    }
    assert_eq!(
        keyer("user", EventKind::Message).err(),
        Some(KeyerError::Entity { event: "message".to_owned() })
    );
}

#[test]
fn a_field_of_an_event_is_its_key() {
    for (kind, pointer) in [
        (EventKind::Mouse, "field:/viewport/1"),
        (EventKind::Click, "field:/item/category"),
        (EventKind::Trade, "field:/price"),
        (EventKind::Message, "field:/message"),
    ] {
        assert!(keyer(pointer, kind).is_ok(), "{kind} {pointer}");
    }
}

#[test]
fn a_field_that_no_event_has_is_refused_with_those_that_it_has() {
    let error = keyer("field:/usr", EventKind::Message).expect_err("there is no such field");
    assert_eq!(
        error.to_string(),
        "field:/usr gives no partition key in the event message: the field is missing; it has /date, /message"
    );
    let error = keyer("field:/viewport", EventKind::Mouse).expect_err("it is an array");
    assert!(matches!(error, KeyerError::Field { reason: NoKey::Container, .. }));
}

#[test]
fn what_is_no_key_is_refused_with_the_reason() {
    let event = r#"{"n":null,"o":{},"a":[],"e":"","i":-1.5e3,"t":true,"s":"a\"\u00e9\ud83d\ude00"}"#;
    for (pointer, key) in [
        ("/x", Err(NoKey::Missing)),
        ("/i/0", Err(NoKey::Missing)),
        ("/n", Err(NoKey::Null)),
        ("/o", Err(NoKey::Container)),
        ("/a", Err(NoKey::Container)),
        ("/e", Err(NoKey::Empty)),
        ("/i", Ok("-1.5e3".to_owned())),
        ("/t", Ok("true".to_owned())),
        ("/s", Ok("a\"é😀".to_owned())),
    ] {
        assert_eq!(by_field(pointer, event), key, "{pointer}");
    }
    for event in [r#"{"s":"a"#, r#"{"s":"\x"}"#, r#"{"s":"\ud800"}"#, "{", ""] {
        assert_eq!(by_field("/s", event), Err(NoKey::Malformed), "{event}");
    }
}

#[test]
fn the_longest_key_is_counted_in_characters_after_unescaping() {
    for (letter, written) in [("é", "é"), ("\n", "\\n"), ("😀", "\\ud83d\\ude00")] {
        let event = |count| format!(r#"{{"s":"{}"}}"#, written.repeat(count));
        assert_eq!(by_field("/s", &event(256)), Ok(letter.repeat(256)));
        assert_eq!(by_field("/s", &event(257)), Err(NoKey::TooLong));
    }
    let digits = |count| format!("{{\"s\":{}}}", "1".repeat(count));
    assert_eq!(by_field("/s", &digits(256)), Ok("1".repeat(256)));
    assert_eq!(by_field("/s", &digits(257)), Err(NoKey::TooLong));
}

#[test]
fn a_templates_field_is_a_key_where_every_event_has_it() {
    let keyer = |template: &str, strategy: &str| {
        let template = Template::compile(template, TemplateMode::Lenient).expect("a template");
        let generator = Generator::of_template(template.into(), 1, "p");
        let strategy = strategy.parse().expect("a strategy");
        Keyer::of_events(&strategy, &generator, 1, "p", &shards(3)).map_err(|error| error.to_string())
    };
    let template = r#"{"id":{{random.number(9)}},"city":{{random.arrayElement(["\"a\"","null"])}}}"#;
    assert!(keyer(template, "field:/id").is_ok());
    assert!(keyer("no JSON", "random").is_ok());
    for (template, strategy, part) in [
        (
            template,
            "field:/city",
            "field:/city gives no partition key in the event template: the field is null",
        ),
        (template, "field:/town", "the field is missing; it has /city, /id"),
        ("no JSON", "field:/id", "the event is not valid JSON"),
        (template, "user", "the event template has no user or ticker"),
    ] {
        let error = keyer(template, strategy).expect_err(strategy);
        assert!(error.contains(part), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    // Any strategy that a kind accepts gives every one of its events a legal key, the same each time.
    #[test]
    fn every_event_gets_a_legal_key(job in any::<u32>(), sequence in any::<u64>(), seed in 0..3_u64) {
        for kind in EventKind::ALL {
            let generator = Generator::new(kind, seed, "p");
            for name in [
                    "random", "constant:k", "job", "user", "uniform", "zipf:3", "hot:9%@1", "explicit", "round-robin",
                    "field:/id", "field:/item/category",
                ] {
                let strategy = name.parse().expect("a strategy");
                let Ok(keyer) = Keyer::new(&strategy, kind, seed, "p", &shards(2)) else { continue };
                let (mut event, mut key, mut again) = (Vec::new(), String::new(), String::new());
                let written = generator.write(job, sequence, &Timestamp::from_unix_millis(0), &mut event);
                let explicit = keyer.write(job, sequence, &event, &written, &mut key);
                prop_assert!(explicit.is_ok());
                prop_assert!((1..=MAX_PARTITION_KEY_CHARS).contains(&key.chars().count()));
                prop_assert_eq!(keyer.write(job, sequence, &event, &written, &mut again), explicit);
                prop_assert_eq!(&key, &again);
            }
        }
    }
}
