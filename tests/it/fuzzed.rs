//! The laws of the fuzz targets, on stable and for a while: over their seeds, what is near to them, and any bytes.

use std::path::PathBuf;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

#[path = "../../fuzz/laws.rs"]
mod laws;

/// The seeds of a law: inputs that go deep, and those that once broke it.
fn seeds(law: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(law);
    let mut paths: Vec<_> =
        std::fs::read_dir(&folder).expect("seeds").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("a seed")).collect()
}

/// What happens to a seed: a byte changed, a piece cut out, doubled, or put somewhere else.
fn changed(mut bytes: Vec<u8>, changes: &[(u8, Index, Index, u8)]) -> Vec<u8> {
    for (what, from, to, byte) in changes {
        if bytes.is_empty() {
            break;
        }
        let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
        let (from, to) = (from.min(to), from.max(to));
        match what % 4 {
            0 => bytes[from] = *byte,
            1 => drop(bytes.drain(from..to.min(from + 40))),
            2 => bytes.insert(from, *byte),
            _ => {
                let piece = bytes[from..to.min(from + 200)].to_vec();
                bytes.splice(to..to, piece);
            }
        }
    }
    bytes
}

#[test]
fn every_law_has_a_target_and_seeds_which_it_holds_for() {
    let manifest = include_str!("../../fuzz/Cargo.toml");
    for (name, law) in laws::ALL {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name}");
        let seeds = seeds(name);
        assert!(!seeds.is_empty(), "{name}");
        seeds.iter().for_each(|seed| law(seed));
    }
    assert_eq!(manifest.matches("[[bin]]").count(), laws::ALL.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    // Law: each law holds near its seeds, where inputs are nearly right, and for any bytes.
    #[test]
    fn the_laws_hold_near_their_seeds_and_for_any_bytes(
        seed in any::<Index>(),
        changes in vec((any::<u8>(), any::<Index>(), any::<Index>(), any::<u8>()), 0..6),
        bytes in vec(any::<u8>(), 0..200),
    ) {
        for (name, law) in laws::ALL {
            let seeds = seeds(name);
            law(&changed(seeds[seed.index(seeds.len())].clone(), &changes));
            law(&bytes);
        }
    }
}
