//! Reads a journal block by block, also one that is still being written, was cut off, or is damaged.
//!
//! Decides what of a file may be believed: only blocks whose check mark is right. Bounded in memory by one block.

use std::io::{BufRead, ErrorKind, Read};

use super::header::{FORMAT, HeaderError, MAGIC};
use super::line::{self, Line};
use super::{Header, Totals, block};
use crate::ledger::{Claim, StoredIn};

/// What a journal says next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A session begins; all that follows is its own, until the next.
    Session(Header),
    /// The fate of some records.
    Claim(Claim),
    /// What was stored in a shard since the last such item of it, where events carry no identity.
    Stored(StoredIn),
    /// The counts so far; its sums are those of the session's claims before it.
    Checkpoint(Totals),
    /// The run's final counts, and what ended it. Nothing of the session follows.
    End(Totals, String),
    /// Another session begins after `bytes` that were cut off before their check mark: their writer was killed.
    CutOff {
        /// How many bytes say nothing.
        bytes: u64,
    },
    /// Bytes that the writer did not write like this: their claims are not known.
    Damaged {
        /// Where they begin in the file.
        at: u64,
        /// How many there are.
        bytes: u64,
    },
}

/// Why a file can't be read as a journal.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file can't be read.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// It begins as no journal does.
    #[error("it is not a journal of kinesis-streamer")]
    NotAJournal,
    /// A later program wrote it.
    #[error(
        "its format is version {0}, and this program reads version {FORMAT}: use the program that wrote it"
    )]
    Version(u32),
}

/// Gives the items of a journal one by one.
///
/// At the end of what is there, `read` gives none; when the file has grown since, it goes on. So a journal can be
/// followed while it is written.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    /// The lines of the block that is being read, the last perhaps not whole; they begin `at` bytes into the file.
    lines: Vec<u8>,
    at: u64,
    /// Where the last of them begins.
    line: usize,
    /// The beginning of this block was longer than a block can be, and is told as damaged.
    overlong: bool,
    /// A block that may be believed, and how far it is told; it begins `whole_at` bytes into the file.
    whole: Vec<u8>,
    whole_at: u64,
    told: usize,
    /// When the session began; none before the first.
    started_millis: Option<u64>,
}

/// What reading on led to.
enum Progress {
    /// `whole` holds a block.
    Block,
    /// This comes first.
    Item(Item),
    /// There is no more for now.
    Nothing,
}

impl<R: BufRead> Reader<R> {
    /// A reader from the journal's first byte on.
    pub fn new(input: R) -> Self {
        Self {
            input,
            lines: Vec::new(),
            at: 0,
            line: 0,
            overlong: false,
            whole: Vec::new(),
            whole_at: 0,
            told: 0,
            started_millis: None,
        }
    }

    /// Bytes at the end that have no check mark (yet): the block that is being written, or what a kill cut off.
    pub fn unfinished(&self) -> u64 {
        self.lines.len() as u64
    }

    /// The next item; none at the end of what is there.
    ///
    /// # Errors
    /// When the file can't be read, or is no journal of this format. The reader is of no use then.
    pub fn read(&mut self) -> Result<Option<Item>, ReadError> {
        loop {
            if let Some(item) = self.tell() {
                return Ok(Some(item));
            }
            match self.read_block()? {
                Progress::Block => {}
                Progress::Item(item) => return Ok(Some(item)),
                Progress::Nothing => return Ok(None),
            }
        }
    }

    /// The next line of the whole block, as an item; none when all of it is told.
    fn tell(&mut self) -> Option<Item> {
        let rest = &self.whole[self.told..];
        let end = rest.iter().position(|&byte| byte == b'\n')?;
        let (line, at) = (&rest[..end], self.whole_at + self.told as u64);
        self.told += end + 1;
        let item = if line.starts_with(MAGIC) {
            Header::parse(line).ok().map(|header| {
                self.started_millis = Some(header.started_millis);
                Item::Session(header)
            })
        } else {
            let parsed = self.started_millis.and_then(|started| line::parse(line, started));
            parsed.map(|line| match line {
                Line::Claim(claim) => Item::Claim(claim),
                Line::Stored(stored) => Item::Stored(stored),
                Line::Checkpoint(totals) => Item::Checkpoint(totals),
                Line::End(totals, ended) => Item::End(totals, ended),
            })
        };
        item.or(Some(Item::Damaged { at, bytes: end as u64 + 1 }))
    }

    /// Reads lines until a block is whole, or something stands in the way.
    fn read_block(&mut self) -> Result<Progress, ReadError> {
        loop {
            let is_whole = self.read_line()?;
            let line = &self.lines[self.line..self.lines.len() - usize::from(is_whole)];
            if self.at == 0 && self.line == 0 && !begins_as_magic(line) {
                return Err(ReadError::NotAJournal);
            }
            if !is_whole {
                let full = self.lines.len() >= block::MOST_BYTES;
                return Ok(if full { self.damaged(true) } else { Progress::Nothing });
            }
            if line.starts_with(MAGIC) {
                if let Err(HeaderError::Version(version)) = Header::parse(line) {
                    return Err(ReadError::Version(version));
                }
                self.overlong = false;
                let cut_off = self.line;
                self.lines.drain(..cut_off);
                self.at += cut_off as u64;
                self.line = self.lines.len();
                if cut_off > 0 {
                    return Ok(Progress::Item(Item::CutOff { bytes: cut_off as u64 }));
                }
            } else if let Some(mark) = block::mark(line) {
                let right = !self.overlong && crc32fast::hash(&self.lines[..self.line]) == mark;
                return Ok(if right { self.believe() } else { self.damaged(false) });
            } else {
                self.line = self.lines.len();
            }
        }
    }

    /// Reads on in the last line; true when it is whole now. False at the end of the file, or of the room.
    fn read_line(&mut self) -> Result<bool, ReadError> {
        loop {
            let room = block::MOST_BYTES.saturating_sub(self.lines.len());
            match self.input.by_ref().take(room as u64).read_until(b'\n', &mut self.lines) {
                Ok(0) => return Ok(false),
                Ok(_) if self.lines.last() == Some(&b'\n') => return Ok(true),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The lines are a block, and its mark is right.
    fn believe(&mut self) -> Progress {
        (self.told, self.whole_at) = (0, self.at);
        self.at += self.lines.len() as u64;
        self.lines.truncate(self.line);
        std::mem::swap(&mut self.lines, &mut self.whole);
        self.lines.clear();
        self.line = 0;
        Progress::Block
    }

    /// The lines are not to be believed; `overlong`: neither is what follows, up to the next mark.
    fn damaged(&mut self, overlong: bool) -> Progress {
        let (at, bytes) = (self.at, self.lines.len() as u64);
        self.at += bytes;
        self.lines.clear();
        (self.line, self.overlong) = (0, overlong);
        Progress::Item(Item::Damaged { at, bytes })
    }
}

/// Whether `line` begins as a session does, or is the beginning of that.
fn begins_as_magic(line: &[u8]) -> bool {
    let known = line.len().min(MAGIC.len());
    line[..known] == MAGIC[..known]
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Item, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}
