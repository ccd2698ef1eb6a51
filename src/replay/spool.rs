//! The thread that reads a trace ahead of time, a bounded way.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread;

use super::error::TraceError;
use super::source::{Span, Trace};

/// Blocks that wait for the player. With [`BLOCK_BYTES`] this bounds what is read ahead to 2 MiB, or to as many lines
/// where a single one is larger than a block.
const BLOCKS: usize = 8;

/// Bytes of data after which a block is full.
const BLOCK_BYTES: usize = 256 * 1024;

/// Lines of a block.
const BLOCK_LINES: usize = 1_024;

/// Lines that follow one another; never none.
pub type Block = Vec<Span>;

/// What is read ahead.
#[derive(Debug)]
pub struct Spool {
    blocks: Receiver<Result<Block, TraceError>>,
}

impl Spool {
    /// Starts to read. The thread ends with the trace, with a line that is wrong, or when nobody takes blocks any more.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(trace: Trace) -> io::Result<Self> {
        let (give, blocks) = sync_channel(BLOCKS);
        thread::Builder::new().name("trace".to_owned()).spawn(move || read(trace, &give))?;
        Ok(Self { blocks })
    }

    /// The next block if there is one by now; `None` inside means the end of the trace.
    ///
    /// # Errors
    /// What ended the trace before its end.
    pub fn take(&self) -> Option<Result<Option<Block>, TraceError>> {
        match self.blocks.try_recv() {
            Ok(Ok(block)) => Some(Ok(Some(block))),
            Ok(Err(error)) => Some(Err(error)),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Ok(None)),
        }
    }
}

fn read(mut trace: Trace, give: &SyncSender<Result<Block, TraceError>>) {
    loop {
        let (mut block, mut bytes) = (Vec::new(), 0);
        let end = loop {
            if block.len() == BLOCK_LINES || bytes >= BLOCK_BYTES {
                break None;
            }
            match trace.next_span() {
                Ok(Some(span)) => {
                    bytes += span.bytes();
                    block.push(span);
                }
                Ok(None) => break Some(Ok(())),
                Err(error) => break Some(Err(error)),
            }
        };
        // What stands before a line that is wrong is sound, and played.
        if !block.is_empty() && give.send(Ok(block)).is_err() {
            return;
        }
        match end {
            None => {}
            Some(Ok(())) => return,
            Some(Err(error)) => {
                // Nobody listens any more when the run has ended by something else.
                let _ = give.send(Err(error));
                return;
            }
        }
    }
}
