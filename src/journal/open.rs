//! Opens a journal for a run: which file may be written to.
//!
//! Nothing that is there is ever changed or cut: a session is added behind it. A file that is no journal, that
//! somebody else is writing, or in which this producer has a session already, is refused.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::writer::Bounds;
use super::{Header, Item, Journal, ReadError, Reader};
use crate::ledger::Ledger;

/// Why a journal can't be written to.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file can't be opened or made, read or written.
    #[error(
        "STREAMER_JOURNAL: {path} can't be used: {source}; name a file in a folder that may be written to"
    )]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// It is a folder, a pipe or a device.
    #[error("STREAMER_JOURNAL: {0} is not a regular file, so it could not be read again; name another")]
    NotAFile(PathBuf),
    /// Another process writes to it.
    #[error("STREAMER_JOURNAL: {0} is being written by another run; give each run a file of its own")]
    InUse(PathBuf),
    /// It holds something else.
    #[error("STREAMER_JOURNAL: {path} is there and is not written to: {source}; name another file")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: ReadError,
    },
    /// It has a session of a producer of this name.
    #[error(
        "STREAMER_JOURNAL: {path} already holds a run of the producer {producer}, whose records could not be told \
         from this run's; name another file, or another --instance (without --seed, each run has a name of its own)"
    )]
    SameProducer {
        /// The file.
        path: PathBuf,
        /// The name of both.
        producer: String,
    },
}

/// A file that a session may be added to.
#[derive(Debug)]
pub struct Opened {
    file: File,
    path: PathBuf,
    /// What is there ends in the middle of a line.
    mid_line: bool,
}

/// Opens the file at `path`, or makes it, for a run of `producer`. Nothing is written yet.
///
/// # Errors
/// When the file must not or can't be written to.
pub fn open(path: &Path, producer: &str) -> Result<Opened, JournalError> {
    let failed = |source| JournalError::Io { path: path.to_owned(), source };
    // Before it is opened: to open a pipe would wait for its reader.
    match std::fs::metadata(path) {
        Ok(found) if !found.is_file() => return Err(JournalError::NotAFile(path.to_owned())),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(JournalError::InUse(path.to_owned())),
        // Not every file system has locks; then it is for the user to give each run its own file.
        Err(TryLockError::Error(error)) => tracing::debug!("{} can't be locked: {error}", path.display()),
    }
    let unreadable = |source| JournalError::Unreadable { path: path.to_owned(), source };
    let mut reader = Reader::new(BufReader::new(&file));
    while let Some(item) = reader.read().map_err(unreadable)? {
        if matches!(&item, Item::Session(header) if header.producer == producer) {
            return Err(JournalError::SameProducer { path: path.to_owned(), producer: producer.to_owned() });
        }
    }
    drop(reader);
    let mut mid_line = false;
    if file.seek(SeekFrom::End(0)).map_err(failed)? > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1)).and_then(|_| file.read_exact(&mut last)).map_err(failed)?;
        mid_line = last != *b"\n";
    }
    Ok(Opened { file, path: path.to_owned(), mid_line })
}

impl Opened {
    /// Writes the header of a session and begins to write what its witness hears.
    ///
    /// # Errors
    /// When the header can't be written.
    pub fn begin(mut self, header: &Header, ledger: Arc<Ledger>) -> Result<Journal, JournalError> {
        let path = self.path;
        let started = (|| {
            if self.mid_line {
                // What a kill cut off stays as it is; the session begins on a line of its own.
                self.file.write_all(b"\n")?;
            }
            Journal::start(self.file, &path, header, ledger, Bounds::USUAL)
        })();
        started.map_err(|source| JournalError::Io { path, source })
    }
}

/// Whether some process is writing to the journal just now; false where that can't be told.
#[must_use]
pub fn is_being_written(file: &File) -> bool {
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => true,
        Ok(()) => {
            // The lock goes with the file in any case.
            let _ = file.unlock();
            false
        }
        Err(TryLockError::Error(_)) => false,
    }
}
