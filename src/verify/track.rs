//! All sequences of one job, from 0 on: which were seen and what is claimed of each.
//!
//! Where a whole block is in one state it needs no bits, and neighbours of the same state are one run. So a job that
//! goes well costs a few runs, and one that does not 1.5 to 2 bits a sequence more for each thing that is told of it.

use std::collections::BTreeMap;
use std::ops::Range;

use super::blocks::{BLOCK, Block, Glance, Sight, Standing, Uniform, runs};
use crate::ledger::Fate;

/// What lies at a place of the track.
#[derive(Debug)]
enum Piece {
    /// So many blocks, all in this state.
    Run { blocks: u64, state: Uniform },
    /// One block whose sequences differ.
    Mixed(Box<Block>),
}

/// The track is out of room: the sequence is counted, and not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoRoom;

/// How much room all tracks together have left, in pieces of at most 256 bytes.
#[derive(Debug)]
pub(super) struct Room(pub(super) usize);

impl Room {
    /// Takes room for a piece, and for the two ends of a run that it may fall into.
    fn check(&self) -> Result<(), NoRoom> {
        if self.0 < 3 { Err(NoRoom) } else { Ok(()) }
    }
}

/// The sequences of one job.
#[derive(Debug, Default)]
pub(super) struct Track {
    /// By their first block; they don't overlap, and what lies between them is neither seen nor claimed.
    pieces: BTreeMap<u64, Piece>,
    /// The lowest sequence that was seen.
    first_seen: Option<u64>,
    /// The highest sequence that was seen or claimed.
    last: Option<u64>,
}

impl Track {
    /// Notes that a sequence was seen.
    #[inline]
    pub(super) fn see(&mut self, sequence: u64, room: &mut Room) -> Result<Sight, NoRoom> {
        let sight = self.with(sequence / BLOCK, room, |block| block.see(sequence % BLOCK))?;
        if self.first_seen.is_none_or(|first| first > sequence) {
            self.first_seen = Some(sequence);
        }
        self.last = self.last.max(Some(sequence));
        Ok(sight)
    }

    /// What is known of a sequence.
    pub(super) fn glance(&self, sequence: u64) -> Glance {
        let block = match self.at(sequence / BLOCK) {
            None => return Glance::default(),
            Some((_, Piece::Run { state, .. })) => Block::of(*state),
            Some((_, Piece::Mixed(block))) => **block,
        };
        block.glance(sequence % BLOCK)
    }

    /// Takes back that a sequence was seen, the last time that it was.
    pub(super) fn forget(&mut self, sequence: u64, room: &mut Room) -> Result<(), NoRoom> {
        self.with(sequence / BLOCK, room, |block| block.forget(sequence % BLOCK))
    }

    /// Notes a fate; returns how many sequences had one before, and how many found no room.
    pub(super) fn claim(&mut self, sequences: &Range<u64>, fate: Fate, room: &mut Room) -> (u64, u64) {
        let Some(end) = sequences.end.checked_sub(1).filter(|_| !sequences.is_empty()) else { return (0, 0) };
        self.last = self.last.max(Some(end));
        let (mut again, mut at) = (0, sequences.start);
        loop {
            let block = at / BLOCK;
            let last = end.min(block * BLOCK + (BLOCK - 1));
            let whole = at.is_multiple_of(BLOCK) && last - at == BLOCK - 1;
            let stretch = if whole && fate == (Fate::Sent { perhaps_twice: false }) {
                self.claim_stretch(block, (end - at + 1) / BLOCK, room) // all but 2^64 - 1 fits, see above
            } else {
                Ok(0)
            };
            let done = match stretch {
                Ok(0) => match self.with(block, room, |one| one.claim(at % BLOCK, last % BLOCK, fate)) {
                    Ok(before) => {
                        again += before;
                        last
                    }
                    Err(NoRoom) => return (again, end - at + 1),
                },
                Ok(blocks) => at + blocks * BLOCK - 1,
                Err(NoRoom) => return (again, end - at + 1),
            };
            if done >= end {
                return (again, 0);
            }
            at = done + 1;
        }
    }

    /// Claims as many of `blocks` whole blocks as sent as lie in one stretch of nothing, or in one run of found ones.
    fn claim_stretch(&mut self, first: u64, blocks: u64, room: &mut Room) -> Result<u64, NoRoom> {
        let (state, free) = match self.at(first) {
            None => {
                let next = self.pieces.range(first..).next().map_or(u64::MAX, |(&start, _)| start);
                (Uniform::Awaited, next - first)
            }
            Some((start, &Piece::Run { blocks, state: Uniform::Found })) => {
                (Uniform::Delivered, start + blocks - first)
            }
            Some(_) => return Ok(0),
        };
        room.check()?;
        let blocks = blocks.min(free);
        let before = self.pieces.len();
        if state == Uniform::Delivered {
            self.cut_out(first, blocks);
        }
        self.lay(first, blocks, state);
        self.account(before, room);
        Ok(blocks)
    }

    /// Whether a sequence has this standing.
    #[cfg(test)]
    pub(super) fn is(&self, sequence: u64, standing: Standing) -> bool {
        let block = match self.at(sequence / BLOCK) {
            None => Block::default(),
            Some((_, Piece::Run { state, .. })) => Block::of(*state),
            Some((_, Piece::Mixed(block))) => **block,
        };
        block.is(sequence % BLOCK, standing)
    }

    /// Calls `give` with every longest range of sequences (first and last) of one standing, in ascending order for
    /// each standing. Gaps are told from sequence 0 on if reading began `from_start`, else from the first one seen.
    pub(super) fn standings(&self, from_start: bool, mut give: impl FnMut(Standing, u64, u64)) {
        let Some(end) = self.last else { return };
        let begin = if from_start { Some(0) } else { self.first_seen };
        let mut open: BTreeMap<Standing, (u64, u64)> = BTreeMap::new();
        let mut tell = |standing, first: u64, last: u64| {
            let (first, last) = match (standing, begin) {
                (Standing::Gap, None) => return,
                (Standing::Gap, Some(begin)) => (first.max(begin), last.min(end)),
                _ => (first, last),
            };
            if first > last {
                return;
            }
            match open.get_mut(&standing) {
                Some((_, before)) if before.checked_add(1) == Some(first) => *before = last,
                Some(range) => {
                    let (first, last) = std::mem::replace(range, (first, last));
                    give(standing, first, last);
                }
                None => drop(open.insert(standing, (first, last))),
            }
        };
        let mut next = Some(0);
        for (&start, piece) in &self.pieces {
            let at = start * BLOCK;
            if let Some(next) = next.filter(|&next| next < at) {
                tell(Standing::Gap, next, at - 1);
            }
            let last = match piece {
                Piece::Run { blocks, state } => {
                    let last = at + (blocks * BLOCK - 1);
                    let standing = match state {
                        Uniform::Awaited => Standing::Missing,
                        Uniform::Delivered => Standing::Delivered,
                        Uniform::Found => Standing::Unclaimed,
                    };
                    tell(standing, at, last);
                    last
                }
                Piece::Mixed(block) => {
                    for (standing, bits) in block.standings() {
                        runs(&bits, |first, last| tell(standing, at + first, at + last));
                    }
                    at + (BLOCK - 1)
                }
            };
            next = last.checked_add(1);
        }
        for (standing, (first, last)) in open {
            give(standing, first, last);
        }
    }

    /// The piece that a block is in, and the piece's first block.
    fn at(&self, block: u64) -> Option<(u64, &Piece)> {
        let (&start, piece) = self.pieces.range(..=block).next_back()?;
        let blocks = match piece {
            Piece::Run { blocks, .. } => *blocks,
            Piece::Mixed(_) => 1,
        };
        (block - start < blocks).then_some((start, piece))
    }

    /// Changes a block, and joins it with its neighbours if it has become like them.
    #[inline]
    fn with<T>(
        &mut self,
        block: u64,
        room: &mut Room,
        change: impl FnOnce(&mut Block) -> T,
    ) -> Result<T, NoRoom> {
        if let Some(Piece::Mixed(mixed)) = self.pieces.get_mut(&block) {
            let result = change(mixed);
            if let Some(state) = mixed.uniform() {
                let before = self.pieces.len();
                self.pieces.remove(&block);
                self.lay(block, 1, state);
                self.account(before, room);
            }
            return Ok(result);
        }
        room.check()?;
        let before = self.pieces.len();
        let mut mixed = match self.at(block) {
            Some((_, Piece::Run { state, .. })) => {
                let state = *state;
                self.cut_out(block, 1);
                Block::of(state)
            }
            _ => Block::default(),
        };
        let result = change(&mut mixed);
        match mixed.uniform() {
            Some(state) => self.lay(block, 1, state),
            None => drop(self.pieces.insert(block, Piece::Mixed(Box::new(mixed)))),
        }
        self.account(before, room);
        Ok(result)
    }

    /// Takes blocks out of the one run that they all are in.
    fn cut_out(&mut self, first: u64, count: u64) {
        let Some((start, &Piece::Run { blocks, state })) = self.at(first) else { return };
        self.pieces.remove(&start);
        if start < first {
            self.pieces.insert(start, Piece::Run { blocks: first - start, state });
        }
        let (after, end) = (first + count, start + blocks);
        if after < end {
            self.pieces.insert(after, Piece::Run { blocks: end - after, state });
        }
    }

    /// Puts a run where nothing is, joined with runs of the same state on both sides.
    fn lay(&mut self, mut first: u64, mut count: u64, state: Uniform) {
        if let Some((&next, &Piece::Run { blocks, state: other })) = self.pieces.range(first + 1..).next()
            && next == first + count
            && other == state
        {
            self.pieces.remove(&next);
            count += blocks;
        }
        if let Some((&before, &Piece::Run { blocks, state: other })) = self.pieces.range(..first).next_back()
            && before + blocks == first
            && other == state
        {
            first = before;
            count += blocks;
        }
        self.pieces.insert(first, Piece::Run { blocks: count, state });
    }

    /// Gives back or takes the room of the pieces that came or went.
    fn account(&self, before: usize, room: &mut Room) {
        room.0 = (room.0 + before).saturating_sub(self.pieces.len());
    }
}

#[cfg(test)]
#[path = "track_tests.rs"]
mod tests;
