//! The writer against disks that fail, fill up and come back: nothing that it counts is missing without a word.

use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::writer::{Bounds, Sink};
use super::*;
use crate::ledger::{Claim, Fate, Ledger, Settled};

/// A disk that takes so many bytes at once, and so many in all until it has room again.
#[derive(Debug, Clone)]
struct Disk(Arc<Mutex<DiskState>>);

#[derive(Debug)]
struct DiskState {
    bytes: Vec<u8>,
    room: usize,
    at_once: usize,
    refusals: u32,
    /// A write does not come back as long as this holds.
    hangs: bool,
    settled: bool,
}

impl Disk {
    fn new(room: usize, at_once: usize) -> Self {
        Self(Arc::new(Mutex::new(DiskState {
            bytes: Vec::new(),
            room,
            at_once,
            refusals: 0,
            hangs: false,
            settled: false,
        })))
    }

    fn with<T>(&self, look: impl FnOnce(&mut DiskState) -> T) -> T {
        look(&mut self.0.lock().expect("no panic"))
    }

    fn wait_until(&self, is_so: impl Fn(&DiskState) -> bool) {
        while !self.with(|state| is_so(state)) {
            std::thread::yield_now();
        }
    }

    fn account(&self) -> Account {
        let bytes = self.with(|state| state.bytes.clone());
        let mut all = accounts(&mut Reader::new(&bytes[..])).expect("a journal");
        assert_eq!(all.len(), 1);
        all.remove(0)
    }
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.wait_until(|state| !state.hangs);
        self.with(|state| {
            let taken = bytes.len().min(state.at_once).min(state.room);
            if taken == 0 {
                state.refusals += 1;
                return Err(io::Error::from(io::ErrorKind::StorageFull));
            }
            state.room -= taken;
            state.bytes.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for Disk {
    fn settle(&mut self) -> io::Result<()> {
        self.with(|state| state.settled = true);
        Ok(())
    }
}

const BOUNDS: Bounds = Bounds {
    waiting_bytes: 4_096,
    flush_every: Duration::from_millis(1),
    patience: Duration::from_millis(20),
};

fn start(disk: &Disk, ledger: &Arc<Ledger>) -> Journal {
    let header = Header {
        version: "0.1.0".to_owned(),
        producer: "p".to_owned(),
        seed: 1,
        event: "mouse".to_owned(),
        shaping: None,
        partition_key: "random".to_owned(),
        stream: "s".to_owned(),
        arn: None,
        jobs: 1,
        started_millis: 1_000,
    };
    Journal::start(disk.clone(), Path::new("j"), &header, Arc::clone(ledger), BOUNDS).expect("a header")
}

/// Makes and claims ten records, as the pipeline and the sender do.
fn claim(journal: &Journal, ledger: &Ledger, round: u64) {
    ledger.generated(10);
    ledger.settled(&Settled { sent: 10, ..Settled::default() });
    let sequences = round * 10..round * 10 + 10;
    let fate = Fate::Sent { perhaps_twice: false };
    journal.witness().hear(&[Claim { job: 0, sequences, fate, at_millis: 1_000 + round }]);
}

fn finish(journal: Journal, ended: &str) -> Finished {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(journal.finish(ended))
}

#[test]
fn what_was_heard_is_handed_over_without_being_asked_and_the_end_says_the_ledgers_counts() {
    let (disk, ledger) = (Disk::new(usize::MAX, 7), Arc::new(Ledger::new()));
    let journal = start(&disk, &ledger);
    claim(&journal, &ledger, 0);
    disk.wait_until(|state| state.bytes.windows(11).any(|bytes| bytes == b"s 0 0 10 0\n"));
    claim(&journal, &ledger, 1);
    let finished = finish(journal, "its duration");
    assert!(finished.is_complete(), "{finished:?}");
    assert!(disk.with(|state| state.settled), "the end is safe from the machine's end too");
    let account = disk.account();
    assert!(account.is_sound());
    assert_eq!((account.totals.due, account.totals.generated, account.totals.sent), (20, 20, 20));
    assert_eq!((account.ended.as_deref(), account.last_millis), (Some("its duration"), 1_001));
}

#[test]
fn a_disk_that_is_full_for_a_while_loses_nothing_that_found_room_in_memory() {
    let (disk, ledger) = (Disk::new(usize::MAX, usize::MAX), Arc::new(Ledger::new()));
    let journal = start(&disk, &ledger);
    disk.with(|state| state.room = 5);
    claim(&journal, &ledger, 0);
    disk.wait_until(|state| state.refusals > 2);
    claim(&journal, &ledger, 1);
    disk.with(|state| state.room = usize::MAX);
    assert!(finish(journal, "it").is_complete());
    let account = disk.account();
    assert!(account.is_sound());
    assert_eq!(account.totals.sent, 20);
}

#[test]
fn what_finds_no_room_in_memory_is_lost_counted_and_told_in_the_journal() {
    let (disk, ledger) = (Disk::new(usize::MAX, usize::MAX), Arc::new(Ledger::new()));
    let journal = start(&disk, &ledger);
    disk.with(|state| state.room = 0);
    let rounds = 2 * BOUNDS.waiting_bytes as u64;
    (0..rounds).for_each(|round| claim(&journal, &ledger, round));
    disk.wait_until(|state| state.refusals > 0);
    disk.with(|state| state.room = usize::MAX);
    let finished = finish(journal, "it");
    let lost = ledger.with(|counts| counts.journal_lost);
    assert!(lost > 0 && finished.lost == lost && !finished.is_complete());
    let account = disk.account();
    assert!(account.adds_up && !account.is_sound());
    assert_eq!((account.totals.sent + account.totals.lost, account.totals.lost), (rounds * 10, lost));
}

#[test]
fn a_disk_that_stays_full_is_told_and_does_not_keep_the_run_from_ending() {
    let (disk, ledger) = (Disk::new(usize::MAX, usize::MAX), Arc::new(Ledger::new()));
    let journal = start(&disk, &ledger);
    disk.with(|state| state.room = 30);
    claim(&journal, &ledger, 0);
    let finished = finish(journal, "it");
    assert!(!finished.is_complete() && finished.error.is_some(), "{finished:?}");
    let account = disk.account();
    assert_eq!((account.ended, account.totals.sent), (None, 0), "the half of a block says nothing");
    assert_eq!(account.cut_off_bytes, 30);
}

#[test]
fn a_write_that_hangs_does_not_keep_the_run_from_ending_either() {
    let (disk, ledger) = (Disk::new(usize::MAX, usize::MAX), Arc::new(Ledger::new()));
    let journal = start(&disk, &ledger);
    disk.with(|state| state.hangs = true);
    claim(&journal, &ledger, 0);
    let finished = finish(journal, "it");
    assert!(finished.error.is_some_and(|error| error.contains("did not take it within 40ms")));
    disk.with(|state| state.hangs = false);
}

#[test]
fn a_journal_that_is_dropped_has_its_claims_and_no_end() {
    let (disk, ledger) = (Disk::new(usize::MAX, usize::MAX), Arc::new(Ledger::new()));
    let journal = start(&disk, &ledger);
    claim(&journal, &ledger, 0);
    drop(journal);
    // The thread lets go of the disk when it is done.
    while Arc::strong_count(&disk.0) > 1 {
        std::thread::yield_now();
    }
    let account = disk.account();
    assert!(account.is_sound());
    assert_eq!((account.totals.sent, account.ended), (10, None));
}

fn begin(path: &Path, producer: &str) -> Result<Journal, JournalError> {
    let header = Header {
        version: "0.1.0".to_owned(),
        producer: producer.to_owned(),
        seed: 1,
        event: "mouse".to_owned(),
        shaping: None,
        partition_key: "random".to_owned(),
        stream: "s".to_owned(),
        arn: None,
        jobs: 1,
        started_millis: 1_000,
    };
    open(path, producer)?.begin(&header, Arc::new(Ledger::new()))
}

#[test]
fn a_session_is_added_behind_what_is_there_and_changes_nothing_of_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("j");
    assert!(finish(begin(&path, "a").expect("a new file"), "one").is_complete());
    let mut first = std::fs::read(&path).expect("written");
    first.extend_from_slice(b"s 0 5 10 0\ns 0 1"); // as a kill leaves it
    std::fs::write(&path, &first).expect("written");
    assert!(finish(begin(&path, "b").expect("an old file"), "two").is_complete());
    let both = std::fs::read(&path).expect("written");
    assert!(both.starts_with(&first));
    let accounts = accounts(&mut Reader::new(&both[..])).expect("a journal");
    let told: Vec<_> = accounts.iter().map(|a| (a.header.producer.as_str(), a.ended.as_deref())).collect();
    assert_eq!(told, [("a", Some("one")), ("b", Some("two"))]);
    assert_eq!(accounts[0].cut_off_bytes, 16 + 1, "and the line feed that ends it");
}

#[test]
fn a_file_is_refused_that_is_no_journal_is_in_use_or_has_this_producer() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("j");
    let refusal = |path: &Path| begin(path, "a").expect_err("refused").to_string();
    std::fs::write(&path, "name,value\n").expect("written");
    assert!(refusal(&path).contains("is not a journal"));
    assert_eq!(std::fs::read(&path).expect("there"), b"name,value\n", "and is left as it was");
    std::fs::remove_file(&path).expect("removed");
    let journal = begin(&path, "a").expect("a new file");
    assert!(is_being_written(&std::fs::File::open(&path).expect("there")));
    assert!(refusal(&path).contains("another run"));
    assert!(finish(journal, "it").is_complete());
    while is_being_written(&std::fs::File::open(&path).expect("there")) {
        std::thread::yield_now();
    }
    assert!(refusal(&path).contains("the producer a"));
    assert!(refusal(folder.path()).contains("not a regular file"));
    assert!(refusal(Path::new("/dev/null")).contains("not a regular file"));
    assert!(refusal(&folder.path().join("none/j")).contains("can't be used"));
}
