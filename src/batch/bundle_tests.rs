//! What must hold of any user records that are gathered by shard.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::aggregate;
use crate::batch::{Batch, Envelope, Spent};
use crate::kinesis::{HashRange, Limits, Shard, ShardId, Wire};

const SMALL: Limits = Limits { request_records: 7, request_bytes: 1_500, record_bytes: 400 };

fn map(shards: u32) -> ShardMap {
    let shards = (10..).zip(HashRange::ALL.divided(shards));
    ShardMap::new(shards.map(|(id, range)| Shard { id: ShardId(id), range }).collect())
}

/// The user records of an entry: key, explicit hash key, data.
fn inside(batch: &Batch, index: usize) -> Vec<(String, Option<HashKey>, Vec<u8>)> {
    let mut data = Vec::new();
    batch.data(index, &mut data);
    let message = aggregate::message(&data).expect("aggregated").expect("a right check sum");
    let mut all = Vec::new();
    aggregate::each(message, |inner| {
        all.push((inner.partition_key.to_owned(), inner.explicit_hash_key, inner.data.to_vec()));
    })
    .expect("well formed");
    all
}

proptest! {
    // Law: whatever user records are offered, in whatever wire, to however many shards: each request is legal; each is
    // in exactly one entry, in order within it, as it was offered; an aggregate holds two at least, is not larger than
    // asked for, and all of it hashes into the one shard that its own hash key leads to.
    #[test]
    fn every_record_is_once_in_an_aggregate_of_its_shard_or_alone(
        records in vec(("[a-e]{1,2}|\\PC{1,3}", any::<Option<u128>>(), vec(any::<u8>(), 0..450)), 0..80),
        cbor: bool, shards in 1_u32..12, bytes in 64_usize..600, gap: bool,
    ) {
        let aggregation = Aggregation { bytes };
        // A map with a gap: what falls into it has no shard.
        let map = if gap { ShardMap::new(map(shards + 1).shards()[1..].to_vec()) } else { map(shards) };
        let (wire, envelope) = (if cbor { Wire::Cbor } else { Wire::Json }, Envelope::new("s", None));
        let (mut bundler, mut spent, mut next, mut found) = (Bundler::default(), Spent::default(), 0, Vec::new());
        while next < records.len() {
            let first = next;
            let mut builder = BatchBuilder::of(wire, SMALL, spent);
            bundler.begin(&map);
            let mut kept = Vec::new();
            while let Some((key, explicit, data)) = records.get(next) {
                match bundler.push(aggregation, &mut builder, &map, data, key, explicit.map(HashKey)) {
                    Pushed::Added => kept.push(next as u64),
                    Pushed::TooLarge { size } => prop_assert!(size > SMALL.record_bytes),
                    Pushed::Full => {
                        prop_assert!(next > first, "an empty request has room");
                        break;
                    }
                }
                next += 1;
            }
            bundler.finish(&mut builder, &map);
            let Ok(batch) = builder.seal(&envelope) else {
                prop_assert!(kept.is_empty());
                spent = Spent::default();
                continue;
            };
            let batch = batch.of(3, first as u64);
            prop_assert!(batch.len() <= SMALL.request_records && batch.size() <= SMALL.request_bytes);
            prop_assert_eq!(batch.all_sequences(), kept.clone());
            prop_assert_eq!(batch.records(), kept.len());
            for index in 0..batch.len() {
                let sequences: Vec<u64> = batch.entry_sequences(index).collect();
                prop_assert!(sequences.is_sorted() && sequences.len() == batch.entry_records(index));
                let given = sequences.iter().map(|&at| records[at as usize].clone());
                let given: Vec<_> = given.map(|(key, explicit, data)| (key, explicit.map(HashKey), data)).collect();
                let mut data = Vec::new();
                batch.each_data(index, &mut Vec::new(), |one| data.push(one.to_vec()));
                prop_assert_eq!(&data, &given.iter().map(|(_, _, data)| data.clone()).collect::<Vec<_>>());
                let hash_key = batch.hash_key(index).expect("every entry has a key");
                if sequences.len() == 1 {
                    let (key, explicit, data) = &given[0];
                    prop_assert_eq!(batch.entry_size(index), key.len() + data.len());
                    prop_assert_eq!(hash_key, explicit.unwrap_or_else(|| HashKey::of(key)));
                    prop_assert_eq!(batch.made_for(index), None);
                    continue;
                }
                prop_assert!(batch.entry_size(index) <= bytes.min(SMALL.record_bytes));
                prop_assert_eq!(inside(&batch, index), given.clone());
                prop_assert!(batch.made_for(index).is_some());
                for (key, explicit, _) in &given {
                    let own = explicit.unwrap_or_else(|| HashKey::of(key));
                    prop_assert_eq!(map.locate(own), batch.made_for(index));
                }
                prop_assert_eq!(map.locate(hash_key), batch.made_for(index));
            }
            found.extend(kept);
            // A retry of every second entry holds their records and no other.
            let keep: Vec<u16> = (0..batch.len() as u16).step_by(2).collect();
            let of_keep: Vec<Vec<u64>> = keep.iter().map(|&at| batch.entry_sequences(at.into()).collect()).collect();
            let made_for: Vec<_> = keep.iter().map(|&at| batch.made_for(at.into())).collect();
            let (retry, _) = batch.only(&keep, &envelope);
            let kept: Vec<Vec<u64>> = (0..retry.len()).map(|at| retry.entry_sequences(at).collect()).collect();
            prop_assert_eq!(kept, of_keep);
            prop_assert_eq!((0..retry.len()).map(|at| retry.made_for(at)).collect::<Vec<_>>(), made_for);
            spent = retry.spent();
        }
        let fits = |(key, _, data): &&(String, Option<u128>, Vec<u8>)| key.len() + data.len() <= SMALL.record_bytes;
        prop_assert_eq!(found.len(), records.iter().filter(fits).count());
    }
}

#[test]
fn an_aggregate_is_filled_to_its_last_byte_and_no_further() {
    let map = map(1);
    // Magic and digest, the key's field (3 bytes), and for each record 2 + 2 + 2 bytes around ten of data; and `a`.
    let of = |records: usize| 20 + 3 + records * 16 + 1;
    for (bytes, entries) in [(of(5), 2), (of(5) - 1, 3), (of(10), 1)] {
        let (mut bundler, mut builder) =
            (Bundler::default(), BatchBuilder::new(Limits::AWS, Spent::default()));
        bundler.begin(&map);
        for _ in 0..10 {
            let aggregation = Aggregation { bytes };
            let pushed = bundler.push(aggregation, &mut builder, &map, &[b'x'; 10], "k", None);
            assert_eq!(pushed, Pushed::Added);
        }
        bundler.finish(&mut builder, &map);
        let batch = builder.seal(&Envelope::new("s", None)).expect("ten records");
        assert_eq!(batch.len(), entries, "of {bytes} bytes");
    }
}

#[test]
fn what_an_aggregate_is_said_to_hold_is_what_it_holds() {
    let (map, aggregation) = (map(1), Aggregation { bytes: 51_200 });
    let (mut bundler, mut builder) = (Bundler::default(), BatchBuilder::new(Limits::AWS, Spent::default()));
    bundler.begin(&map);
    for number in 0..2_000 {
        let key = format!("{number:016}");
        assert_eq!(bundler.push(aggregation, &mut builder, &map, &[b'x'; 200], &key, None), Pushed::Added);
    }
    bundler.finish(&mut builder, &map);
    let batch = builder.seal(&Envelope::new("s", None)).expect("records");
    let told = aggregation.holds(Limits::AWS.record_bytes, 200.0, 16.0);
    let held = batch.entry_records(0) as u64;
    assert!(held.abs_diff(told) * 50 < held, "{told} and {held}");
}
