//! Laws of the format: what is read is what was written, whatever is cut off, flipped or made up.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::kinesis::ShardId;
use crate::ledger::{Claim, Digest, Dropped, Failed, Fate, StoredIn, Unknown};

const START: u64 = 1_700_000_000_000;

fn header(producer: &str) -> Header {
    Header {
        version: "0.1.0".to_owned(),
        producer: producer.to_owned(),
        seed: u64::MAX,
        event: "mouse".to_owned(),
        shaping: None,
        partition_key: "constant:a b\n\"c".to_owned(),
        stream: "s".to_owned(),
        arn: None,
        jobs: 3,
        started_millis: START,
    }
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        any::<bool>().prop_map(|perhaps_twice| Fate::Sent { perhaps_twice }),
        proptest::sample::select(Failed::ALL).prop_map(Fate::Failed),
        proptest::sample::select(Unknown::ALL).prop_map(Fate::Unknown),
    ]
}

fn claim() -> impl Strategy<Value = Claim> {
    (any::<u32>(), 0..=u64::MAX - 1_000_000, 1_u64..1_000_000, fate(), any::<u64>()).prop_map(
        |(job, first, records, fate, at_millis)| Claim {
            job,
            sequences: first..first + records,
            fate,
            at_millis,
        },
    )
}

/// A block of claims and the checkpoint of all so far.
fn write_block(claims: &[Claim], totals: &mut Totals, out: &mut Vec<u8>) {
    let mut lines = Vec::new();
    for claim in claims {
        let before = lines.len();
        line::write_claim(claim, START, &mut lines);
        assert!(lines.len() - before <= line::MOST_CLAIM_BYTES);
        totals.add(claim);
    }
    totals.due += 7;
    totals.generated = totals.claimed();
    totals.dropped.add(Dropped::Late, 7);
    line::write_checkpoint(totals, &mut lines);
    block::write(&lines, out);
}

/// A session of these blocks without an end.
fn session(producer: &str, blocks: &[Vec<Claim>]) -> Vec<u8> {
    let (mut lines, mut out, mut totals) = (Vec::new(), Vec::new(), Totals::default());
    header(producer).write(&mut lines);
    block::write(&lines, &mut out);
    blocks.iter().for_each(|claims| write_block(claims, &mut totals, &mut out));
    out
}

fn items(bytes: &[u8]) -> Result<Vec<Item>, ReadError> {
    Reader::new(bytes).collect()
}

fn claims(items: &[Item]) -> Vec<Claim> {
    let claim = |item: &Item| if let Item::Claim(claim) = item { Some(claim.clone()) } else { None };
    items.iter().filter_map(claim).collect()
}

fn is_damage(item: &Item) -> bool {
    matches!(item, Item::Damaged { .. })
}

proptest! {
    // A digest's line is read as it was written, and no line that differs in one byte is read as the same.
    #[test]
    fn a_digest_is_read_as_it_was_written(shard: u64, records: u64, sum: u128, at: usize, other: u8) {
        let stored = StoredIn { shard: ShardId(shard), digest: Digest { records, sum } };
        let mut line = Vec::new();
        line::write_stored(&stored, &mut line);
        prop_assert_eq!(line.pop(), Some(b'\n'));
        prop_assert_eq!(line::parse(&line, START), Some(line::Line::Stored(stored)));
        let at = at % line.len();
        if line[at] != other {
            line[at] = other;
            prop_assert_ne!(line::parse(&line, START), Some(line::Line::Stored(stored)));
        }
    }

    // Whatever is claimed is read back, in order, and each checkpoint says what the claims before it add up to.
    #[test]
    fn what_is_written_is_read_back(blocks in vec(vec(claim(), 0..5), 0..5)) {
        let bytes = session("p", &blocks);
        let items = items(&bytes).expect("a journal");
        prop_assert_eq!(&items[0], &Item::Session(header("p")));
        prop_assert_eq!(claims(&items), blocks.concat());
        let accounts = accounts(&mut Reader::new(&bytes[..])).expect("a journal");
        prop_assert_eq!(accounts.len(), 1);
        prop_assert!(accounts[0].is_sound() && accounts[0].cut_off_bytes == 0);
        prop_assert_eq!(accounts[0].totals.due, 7 * blocks.len() as u64);
    }

    // Cut anywhere, a journal says a prefix of what was claimed, whole blocks only, and nothing else; a later session
    // behind it is read in full.
    #[test]
    fn a_cut_leaves_whole_blocks_and_the_next_session_is_read(
        blocks in vec(vec(claim(), 1..4), 1..4), cut: proptest::sample::Index, more in vec(claim(), 1..4),
    ) {
        let mut bytes = session("p", &blocks);
        bytes.truncate(cut.index(bytes.len() + 1));
        let whole: Vec<usize> = (0..=blocks.len()).map(|n| blocks[..n].concat().len()).collect();
        let mut told = Vec::new();
        // A line feed may complete the last check mark.
        for end in ["", "\n"] {
            bytes.extend_from_slice(end.as_bytes());
            let alone = items(&bytes).expect("a journal");
            prop_assert!(!alone.iter().any(is_damage));
            told = claims(&alone);
            prop_assert!(whole.contains(&told.len()));
            prop_assert_eq!(&told[..], &blocks.concat()[..told.len()]);
        }
        bytes.extend(session("q", std::slice::from_ref(&more)));
        let both = items(&bytes).expect("a journal");
        prop_assert!(!both.iter().any(is_damage), "{:?}", both);
        let at = both.iter().position(|item| *item == Item::Session(header("q"))).expect("the second session");
        prop_assert_eq!(claims(&both[at..]), more);
        prop_assert_eq!(claims(&both[..at]), told);
    }

    // One changed byte never makes another claim: claims that are told are among those that were made, and what is
    // missing is told as damaged, as cut off, or as no journal at all.
    #[test]
    fn a_changed_byte_invents_nothing(
        blocks in vec(vec(claim(), 1..4), 1..4), at: proptest::sample::Index, change in 1_u8..,
    ) {
        let mut bytes = session("p", &blocks);
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        let made = blocks.concat();
        let mut reader = Reader::new(&bytes[..]);
        let read: Result<Vec<Item>, ReadError> = reader.by_ref().collect();
        let Ok(items) = read else { return Ok(()) };
        let told = claims(&items);
        prop_assert!(told.iter().all(|claim| made.contains(claim)));
        let is_told = |item: &Item| matches!(item, Item::Damaged { .. } | Item::CutOff { .. });
        prop_assert!(items.iter().any(is_told) || reader.unfinished() > 0);
    }

    // No bytes make the reader panic, run on or keep more than a block, whatever pieces of a journal they hold.
    #[test]
    fn hostile_bytes_end_in_items_or_an_error(
        pieces in vec(
            prop_oneof![
                vec(any::<u8>(), 0..40),
                "[stfucek=] ?[-0-9a-z.= ]{0,40}\n".prop_map(String::into_bytes),
                Just(session("p", &[])),
                Just(b"kinesis-streamer journal 1 {}\n".to_vec()),
                Just(b"= 00000000\n".to_vec()),
            ],
            0..12,
        ),
    ) {
        let bytes = [session("p", &[]), pieces.concat()].concat();
        let told = items(&bytes).map_or(0, |items| items.len());
        prop_assert!(told <= bytes.len());
        let _ = items(&pieces.concat());
        let _ = accounts(&mut Reader::new(&bytes[..]));
        // The same lines in a block with a right mark.
        let mut marked = session("p", &[]);
        block::write(&pieces.concat(), &mut marked);
        let _ = accounts(&mut Reader::new(&marked[..]));
    }

    // A journal that grows is read to the same items as one that is there from the start.
    #[test]
    fn a_journal_can_be_followed_while_it_grows(
        blocks in vec(vec(claim(), 0..4), 0..4), steps in vec(1_usize..90, 1..20),
    ) {
        let bytes = session("p", &blocks);
        let growing = tempfile::NamedTempFile::new().expect("a file");
        let mut reader = Reader::new(std::io::BufReader::new(growing.reopen().expect("the file")));
        let (mut told, mut from) = (Vec::new(), 0);
        for step in steps.into_iter().chain([bytes.len()]) {
            let to = (from + step).min(bytes.len());
            std::io::Write::write_all(&mut growing.as_file(), &bytes[from..to]).expect("written");
            from = to;
            while let Some(item) = reader.read().expect("a journal") {
                told.push(item);
            }
        }
        prop_assert_eq!(told, items(&bytes).expect("a journal"));
    }
}

#[test]
fn a_block_without_end_is_told_and_its_memory_bounded() {
    let mut bytes = session("p", &[]);
    let from = bytes.len() as u64;
    bytes.resize(bytes.len() + 3 * block::MOST_BYTES, b'x');
    bytes.extend_from_slice(b"\n= 00000000\n");
    bytes.extend(session("q", &[]));
    let mut reader = Reader::new(&bytes[..]);
    let mut damaged = 0;
    let mut sessions = 0;
    while let Some(item) = reader.read().expect("a journal") {
        assert!(reader.unfinished() <= block::MOST_BYTES as u64);
        match item {
            Item::Damaged { at, bytes } => {
                assert_eq!(at, from + damaged, "damage is told in the order of the file");
                damaged += bytes;
            }
            Item::Session(_) => sessions += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((damaged, sessions), (3 * block::MOST_BYTES as u64 + 12, 2));
}

#[test]
fn a_large_heap_of_lines_becomes_blocks_that_can_be_read() {
    let claim = Claim {
        job: u32::MAX,
        sequences: u64::MAX - 1..u64::MAX,
        fate: Fate::Unknown(Unknown::EarlierAttempt),
        at_millis: 0,
    };
    let all = vec![claim; 20_000];
    let bytes = session("p", std::slice::from_ref(&all));
    assert!(bytes.len() > 3 * block::USUAL_BYTES);
    assert_eq!(claims(&items(&bytes).expect("a journal")), all);
}

#[test]
fn what_is_no_journal_or_of_another_version_is_refused() {
    assert!(matches!(items(b"{\"a\": 1}\n"), Err(ReadError::NotAJournal)));
    assert!(matches!(items(b"\0"), Err(ReadError::NotAJournal)));
    assert!(matches!(items(b"kinesis-streamer journal 2 {}\n= 00000000\n"), Err(ReadError::Version(2))));
    assert_eq!(items(b"").expect("an empty file is an empty journal"), []);
}

#[test]
fn lines_read_like_this() {
    let mut out = Vec::new();
    let claim = |fate| Claim { job: 3, sequences: 1_200..1_700, fate, at_millis: START + 17 };
    line::write_claim(&claim(Fate::Sent { perhaps_twice: false }), START, &mut out);
    line::write_claim(&claim(Fate::Sent { perhaps_twice: true }), START + 20, &mut out);
    line::write_claim(&claim(Fate::Failed(Failed::TooLarge)), START, &mut out);
    let mut totals = Totals::default();
    totals.add(&claim(Fate::Unknown(Unknown::Drain)));
    totals.due = 600;
    line::write_end(&totals, "its\nduration", &mut out);
    assert_eq!(
        String::from_utf8(out).expect("text"),
        "s 3 1200 500 17\nt 3 1200 500 -3\nf 3 1200 500 17 too_large\ne due=600 unknown.drain=500 ended=its duration\n"
    );
    for wrong in [
        "s 3 1200 500",
        "s 3 1200 0 1",
        "s 3 +1 5 1",
        "s 3 18446744073709551615 1 1",
        "s 4294967296 0 1 1",
        "f 3 1 5 1 cosmic_rays",
        "s 3 1 5 1 throttled",
        "c sent=1 sent=",
        "c sent",
        "x",
        "",
        "é",
    ] {
        assert_eq!(line::parse(wrong.as_bytes(), START), None, "{wrong}");
    }
}
