//! The journals that a verification holds the stream against: read from their beginning, and followed while their
//! producers write on.
//!
//! Decides which sessions speak of the stream, and whether all that they will ever say was told.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::journal::{Header, Item, ReadError, Reader, is_being_written};
use crate::kinesis::StreamRef;
use crate::verify::Mailbox;

/// Claims that are read before the mailbox is looked at again.
const STRIDE: usize = 10_000;

/// Why a journal can't be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalsError {
    /// It can't be read.
    #[error("--journal: {path} can't be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: ReadError,
    },
    /// It says nothing of the stream.
    #[error("--journal: {path} holds no run on {stream}, but {others}; name its stream with --stream")]
    OtherStream {
        /// The file.
        path: PathBuf,
        /// The stream that is verified.
        stream: String,
        /// What it holds.
        others: String,
    },
    /// Two runs have one name.
    #[error(
        "--journal: {0} has a run in more than one of the journals, whose records can't be told from each other"
    )]
    SameProducer(String),
}

/// The sessions that speak of one stream, in all journals.
#[derive(Debug)]
pub(super) struct Journals {
    files: Vec<Followed>,
    stream: StreamRef,
}

/// One journal.
#[derive(Debug)]
struct Followed {
    path: PathBuf,
    reader: Reader<BufReader<File>>,
    /// For a look at its lock.
    file: File,
    session: Option<Session>,
    /// Records whose fate the sessions before this one did not find room for.
    lost_before: u64,
    damaged_bytes: u64,
}

#[derive(Debug)]
struct Session {
    producer: Arc<str>,
    /// Whether it is about the stream.
    counts: bool,
    ended: bool,
    /// Records whose fate it did not find room for.
    lost: u64,
}

/// What journals don't tell although they should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Silent {
    /// Bytes that can't be believed.
    pub damaged_bytes: u64,
    /// Records whose fate found no room on the producer's disk.
    pub lost_records: u64,
}

impl Silent {
    /// Whether anything is.
    #[must_use]
    pub fn any(self) -> bool {
        self.damaged_bytes + self.lost_records > 0
    }
}

/// The headers of a journal's sessions so far.
pub(super) fn headers(path: &Path) -> Result<Vec<Header>, JournalsError> {
    let unreadable = |source| JournalsError::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(|error| unreadable(error.into()))?;
    let mut headers = Vec::new();
    for item in Reader::new(BufReader::new(file)) {
        if let Item::Session(header) = item.map_err(unreadable)? {
            headers.push(header);
        }
    }
    Ok(headers)
}

fn is_about(header: &Header, stream: &StreamRef) -> bool {
    let same_arn = match (header.arn.as_deref(), stream.arn()) {
        (Some(one), Some(other)) => one == other.as_str(),
        _ => true,
    };
    same_arn && header.stream == stream.name().as_str()
}

impl Journals {
    /// Opens journals, and gives the headers of all sessions that speak of `stream`.
    ///
    /// # Errors
    /// When one can't be read, or speaks of other streams only.
    pub(super) fn open(paths: &[PathBuf], stream: &StreamRef) -> Result<(Self, Vec<Header>), JournalsError> {
        let (mut files, mut all, mut names) = (Vec::new(), Vec::new(), BTreeSet::new());
        for path in paths {
            let headers = headers(path)?;
            let ours: Vec<Header> =
                headers.iter().filter(|header| is_about(header, stream)).cloned().collect();
            if ours.is_empty() {
                let others: BTreeSet<&str> = headers.iter().map(|header| header.stream.as_str()).collect();
                let others = match others.len() {
                    0 => "no run at all".to_owned(),
                    _ => format!("runs on {}", others.into_iter().collect::<Vec<_>>().join(", ")),
                };
                let stream = stream.to_string();
                return Err(JournalsError::OtherStream { path: path.clone(), stream, others });
            }
            for header in &ours {
                if !names.insert(header.producer.clone()) {
                    return Err(JournalsError::SameProducer(header.producer.clone()));
                }
            }
            let opened = File::open(path).and_then(|file| Ok((file.try_clone()?, file)));
            let (file, read) = opened
                .map_err(|error| JournalsError::Unreadable { path: path.clone(), source: error.into() })?;
            files.push(Followed {
                path: path.clone(),
                reader: Reader::new(BufReader::new(read)),
                file,
                session: None,
                lost_before: 0,
                damaged_bytes: 0,
            });
            all.extend(ours);
        }
        Ok((Self { files, stream: stream.clone() }, all))
    }

    /// Puts into `mailbox` what was written since the last time, as far as there is room. True when that was all, and
    /// all that these journals will ever say: each ends with an end mark.
    ///
    /// # Errors
    /// When a file can't be read on.
    pub(super) fn read_on(&mut self, mailbox: &Mailbox) -> Result<bool, JournalsError> {
        let mut all_told = true;
        for file in &mut self.files {
            all_told &= file
                .read_on(&self.stream, mailbox)
                .map_err(|source| JournalsError::Unreadable { path: file.path.clone(), source })?;
        }
        Ok(all_told)
    }

    /// Whether there is any.
    pub(super) fn any(&self) -> bool {
        !self.files.is_empty()
    }

    /// Whether a producer writes to one of them just now, as far as that can be told.
    pub(super) fn is_any_written(&self) -> bool {
        self.files.iter().any(|file| is_being_written(&file.file))
    }

    /// What they don't tell although they should.
    pub(super) fn silent(&self) -> Silent {
        let lost = |file: &Followed| file.lost_before + file.session.as_ref().map_or(0, |one| one.lost);
        Silent {
            damaged_bytes: self.files.iter().map(|file| file.damaged_bytes).sum(),
            lost_records: self.files.iter().map(lost).sum(),
        }
    }
}

impl Followed {
    fn read_on(&mut self, stream: &StreamRef, mailbox: &Mailbox) -> Result<bool, ReadError> {
        while mailbox.has_room() {
            for _ in 0..STRIDE {
                match self.reader.read()? {
                    Some(item) => self.take(item, stream, mailbox),
                    None => return Ok(self.session.as_ref().is_some_and(|session| session.ended)),
                }
            }
        }
        Ok(false)
    }

    fn take(&mut self, item: Item, stream: &StreamRef, mailbox: &Mailbox) {
        if let Item::Session(header) = item {
            self.lost_before += self.session.take().map_or(0, |session| session.lost);
            self.session = Some(Session {
                producer: header.producer.as_str().into(),
                counts: is_about(&header, stream),
                ended: false,
                lost: 0,
            });
            return;
        }
        let ours = self.session.as_mut().filter(|session| session.counts);
        match (item, ours) {
            (Item::Damaged { bytes, .. }, _) => self.damaged_bytes += bytes,
            (Item::Claim(claim), Some(session)) => mailbox.put(&session.producer, [claim]),
            (Item::Stored(stored), Some(_)) => mailbox.put_stored(&[stored]),
            (Item::Checkpoint(totals), Some(session)) => session.lost = totals.lost,
            (Item::End(totals, _), Some(session)) => (session.lost, session.ended) = (totals.lost, true),
            // The end of a session that is about another stream is an end too.
            (Item::End(..), None) => {
                if let Some(session) = &mut self.session {
                    session.ended = true;
                }
            }
            // What was cut off was in nobody's hands: its records are claimed by nobody.
            (_, None) | (Item::Session(_) | Item::CutOff { .. }, _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::journal;
    use crate::kinesis::ShardId;
    use crate::ledger::{Claim, Digest, Fate, Ledger, StoredIn, Witness};

    fn header(producer: &str, stream: &str) -> Header {
        Header {
            version: "0".to_owned(),
            producer: producer.to_owned(),
            seed: 1,
            event: "click".to_owned(),
            shaping: None,
            partition_key: "random".to_owned(),
            stream: stream.to_owned(),
            arn: None,
            jobs: 1,
            started_millis: 5,
        }
    }

    fn claim(sequences: std::ops::Range<u64>) -> Claim {
        Claim { job: 0, sequences, fate: Fate::Sent { perhaps_twice: false }, at_millis: 7 }
    }

    fn stream(name: &str) -> StreamRef {
        name.parse().expect("a name")
    }

    fn begin(path: &Path, producer: &str, stream: &str) -> journal::Journal {
        let opened = journal::open(path, producer).expect("it may be written");
        opened.begin(&header(producer, stream), Arc::new(Ledger::new())).expect("written")
    }

    #[tokio::test]
    async fn a_journal_is_followed_to_its_end_mark_and_sessions_on_other_streams_are_passed_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("j");
        for (producer, on, sequences) in [("a", "s", 0..3), ("b", "other", 0..9)] {
            let journal = begin(&path, producer, on);
            let witness: Arc<dyn Witness> = journal.witness();
            witness.hear(&[claim(sequences)]);
            assert!(journal.finish("its duration").await.is_complete());
        }
        let going_on = begin(&path, "c", "s");
        going_on.witness().hear(&[claim(0..5)]);
        let (mut journals, headers) =
            Journals::open(std::slice::from_ref(&path), &stream("s")).expect("ours");
        assert_eq!(headers.iter().map(|header| header.producer.as_str()).collect::<Vec<_>>(), ["a", "c"]);
        let mailbox = Mailbox::default();
        assert!(!journals.read_on(&mailbox).expect("readable"), "the last session goes on");
        assert!(journals.is_any_written());
        assert!(going_on.finish("its duration").await.is_complete());
        assert!(journals.read_on(&mailbox).expect("readable"));
        assert!(!journals.is_any_written() && !journals.silent().any());
        let told: Vec<_> =
            mailbox.take().into_iter().map(|one| (one.producer.to_string(), one.claim.sequences)).collect();
        assert_eq!(told, [("a".to_owned(), 0..3), ("c".to_owned(), 0..5)]);
    }

    #[tokio::test]
    async fn digests_of_what_a_templates_run_stored_come_from_its_journal() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("j");
        let stored =
            |shard, records, sum| StoredIn { shard: ShardId(shard), digest: Digest { records, sum } };
        for (producer, on, sum) in [("a", "other", 1), ("b", "s", u128::MAX)] {
            let header = Header { event: "template:a b.json".to_owned(), ..header(producer, on) };
            let opened = journal::open(&path, producer).expect("it may be written");
            let journal = opened.begin(&header, Arc::new(Ledger::new())).expect("written");
            journal.witness().hear_stored(&[stored(3, 1, sum), stored(7, 2, 0)]);
            journal.witness().hear_stored(&[stored(3, 1, 5)]);
            assert!(journal.finish("its duration").await.is_complete());
        }
        let (mut journals, headers) = Journals::open(&[path], &stream("s")).expect("readable");
        assert_eq!(headers.len(), 1);
        let mailbox = Mailbox::default();
        assert!(journals.read_on(&mailbox).expect("readable"));
        assert_eq!(
            mailbox.take_stored(),
            [stored(3, 2, 4), stored(7, 2, 0)],
            "those of its own stream, added up"
        );
    }

    #[tokio::test]
    async fn what_can_t_be_used_is_refused_and_what_is_damaged_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        for path in [&one, &other] {
            let journal = begin(path, "a", "s");
            journal.witness().hear(&[claim(0..3)]);
            assert!(journal.finish("its duration").await.is_complete());
        }
        let open = |paths: &[PathBuf], on| Journals::open(paths, &stream(on)).map(|_| ());
        let both = [one.clone(), other.clone()];
        assert!(matches!(open(&both, "s"), Err(JournalsError::SameProducer(name)) if name == "a"));
        let wrong = open(&both[..1], "t").expect_err("another stream").to_string();
        assert!(wrong.contains("holds no run on t, but runs on s"), "{wrong}");
        assert!(matches!(open(&[folder.path().join("none")], "s"), Err(JournalsError::Unreadable { .. })));
        let mut bytes = std::fs::read(&one).expect("readable");
        let at = bytes.windows(5).position(|five| five == b"\ns 0 ").expect("a claim") + 3;
        bytes[at] = b'7';
        std::fs::File::create(&one).and_then(|mut file| file.write_all(&bytes)).expect("written");
        let (mut journals, _) = Journals::open(&both[..1], &stream("s")).expect("its header is whole");
        journals.read_on(&Mailbox::default()).expect("readable");
        assert!(journals.silent().damaged_bytes > 0);
    }
}
