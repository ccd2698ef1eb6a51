//! Golden fingerprint of the keys: every strategy on every kind of event, as for the events themselves.
//!
//! `UPDATE_FINGERPRINTS=1 cargo test fingerprint` accepts a new one.

use std::fmt::Write as _;
use std::path::Path;

use md5::{Digest, Md5};

use super::{KeyStrategy, Keyer};
use crate::generate::{EventKind, Generator, Timestamp};
use crate::kinesis::{HashRange, Shard, ShardId, ShardMap};

const SEED: u64 = 42;
const PRODUCER: &str = "fingerprint";
const JOBS: [u32; 3] = [0, 1, u32::MAX];
const EVENTS: u64 = 2_000;
const STRATEGIES: [&str; 13] = [
    "random",
    "constant:shardId-000000000000",
    "job",
    "user",
    "field:/id",
    "field:/item/category",
    "field:/viewport/0",
    "round-robin",
    "explicit",
    "uniform:keys=100",
    "zipf:1.2,keys=10000",
    "zipf:1,keys=10000000",
    "hot:60%@2",
];

fn shards() -> ShardMap {
    let shards = (0..).zip(HashRange::ALL.divided(3));
    ShardMap::new(shards.map(|(id, range)| Shard { id: ShardId(id), range }).collect())
}

fn fingerprint() -> String {
    let time = Timestamp::from_unix_millis(1_795_227_274_123);
    let (mut event, mut key) = (Vec::new(), String::new());
    let mut text = format!(
        "seed {SEED}, producer {PRODUCER}, three shards: the first key, and the MD5 of {EVENTS} of each of the jobs {JOBS:?}\n"
    );
    for kind in EventKind::ALL {
        let generator = Generator::new(kind, SEED, PRODUCER);
        for name in STRATEGIES {
            let strategy: KeyStrategy = name.parse().expect("a strategy");
            let Ok(keyer) = Keyer::new(&strategy, kind, SEED, PRODUCER, &shards()) else {
                text.push_str(&format!("{kind} {name}: none\n"));
                continue;
            };
            let mut digest = Md5::new();
            let mut first = String::new();
            for job in JOBS {
                for sequence in 0..EVENTS {
                    event.clear();
                    let written = generator.write(job, sequence, &time, &mut event);
                    let explicit = keyer.write(job, sequence, &event, &written, &mut key).expect("a key");
                    if let Some(explicit) = explicit {
                        let _ = write!(key, " {explicit}");
                    }
                    if first.is_empty() {
                        first.clone_from(&key);
                    }
                    key.push('\n');
                    digest.update(&key);
                }
            }
            let md5 = u128::from_be_bytes(digest.finalize().into());
            text.push_str(&format!("{kind} {name}: {first} … {md5:032x}\n"));
        }
    }
    text
}

#[test]
fn the_fingerprint_of_the_keys_is_as_it_was() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fingerprints/keys.txt");
    let now = fingerprint();
    if std::env::var_os("UPDATE_FINGERPRINTS").is_some() {
        std::fs::write(&path, &now).expect("the fingerprints can be written");
    }
    let then = std::fs::read_to_string(&path).expect("the keys have a fingerprint");
    assert_eq!(now, then, "the keys changed: see the top of this file");
}
