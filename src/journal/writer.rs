//! Writes claims to disk on a thread of its own, so that neither a tick nor a send ever waits for the disk.
//!
//! Decides when lines are handed over, and what happens when the disk can't follow: claims wait in bounded memory,
//! beyond that they are lost, counted and told. The file is at any time a prefix of what was to be written.

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::{Header, Totals, block, line};
use crate::ledger::{Claim, Ledger, StoredIn, Witness};

/// How often what was claimed is handed to the kernel. What `kill -9` takes is at most this and one write.
pub const FLUSH_EVERY: Duration = Duration::from_millis(100);

/// The bounds of a writer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Most bytes of lines that wait while others are being written: 8 MiB are about 300,000 claims.
    pub waiting_bytes: usize,
    /// How often lines are handed over.
    pub flush_every: Duration,
    /// How long the end of the run waits for a disk that takes nothing.
    pub patience: Duration,
}

impl Bounds {
    pub(super) const USUAL: Self =
        Self { waiting_bytes: 8 * 1024 * 1024, flush_every: FLUSH_EVERY, patience: Duration::from_secs(5) };
}

/// Where a journal goes: a file, or a test's own.
pub(super) trait Sink: Write + Send + 'static {
    /// Makes sure that what was written survives the machine too.
    fn settle(&mut self) -> io::Result<()>;
}

impl Sink for std::fs::File {
    fn settle(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// A session that is being written. Dropped without [`finish`](Self::finish), it ends without an end mark.
#[derive(Debug)]
pub struct Journal {
    shared: Arc<Shared>,
    path: PathBuf,
    patience: Duration,
    written: oneshot::Receiver<io::Result<()>>,
}

/// How the writing of a session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// The file.
    pub path: PathBuf,
    /// Why its end is missing; none when it is there.
    pub error: Option<String>,
    /// Records whose claims found no room while the disk could not follow.
    pub lost: u64,
}

impl Finished {
    /// Whether the file holds the fate of every record.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.error.is_none() && self.lost == 0
    }
}

/// What the sender's side and the thread share.
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
    ledger: Arc<Ledger>,
    started_millis: u64,
    bounds: Bounds,
}

/// What waits to be written.
#[derive(Default)]
struct State {
    lines: Vec<u8>,
    /// Digests that have no line yet; one per shard.
    stored: Vec<StoredIn>,
    /// What was claimed so far; `lost` with it.
    totals: Totals,
    end: Option<End>,
}

/// How the session is to end.
enum End {
    /// With an end mark that says what ended the run.
    Finish(String),
    /// As it is.
    Abandon,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("bounds", &self.bounds).finish_non_exhaustive()
    }
}

impl Journal {
    /// Writes the session's header, and from then on, on a thread, what the witness hears.
    pub(super) fn start(
        mut sink: impl Sink,
        path: &Path,
        header: &Header,
        ledger: Arc<Ledger>,
        bounds: Bounds,
    ) -> io::Result<Self> {
        let (mut lines, mut bytes) = (Vec::new(), Vec::new());
        header.write(&mut lines);
        block::write(&lines, &mut bytes);
        sink.write_all(&bytes)?;
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            wake: Condvar::new(),
            ledger,
            started_millis: header.started_millis,
            bounds,
        });
        let (tell, written) = oneshot::channel();
        let (theirs, name) = (Arc::clone(&shared), path.to_owned());
        std::thread::Builder::new().name("journal".to_owned()).spawn(move || {
            // Nobody may be there to hear it any more.
            let _ = tell.send(theirs.write(sink, &name));
        })?;
        Ok(Self { shared, path: path.to_owned(), patience: bounds.patience, written })
    }

    /// Who hears the claims.
    #[must_use]
    pub fn witness(&self) -> Arc<dyn Witness> {
        Arc::clone(&self.shared) as Arc<dyn Witness>
    }

    /// Writes all that was heard and the end mark, and hands it to the disk; waits for some seconds at most.
    /// `ended` is what ended the run. To be called when no claim can come any more.
    pub async fn finish(mut self, ended: &str) -> Finished {
        self.shared.end(End::Finish(ended.to_owned()));
        // The thread gives up by itself, unless a single write hangs.
        let limit = self.patience + self.patience;
        let error = match tokio::time::timeout(limit, &mut self.written).await {
            Ok(Ok(Ok(()))) => None,
            Ok(Ok(Err(error))) => Some(error.to_string()),
            Ok(Err(_)) => Some("the thread that writes it is gone".to_owned()),
            Err(_) => Some(format!("the disk did not take it within {limit:?}")),
        };
        let lost = self.shared.lock().totals.lost;
        Finished { path: self.path.clone(), error, lost }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.shared.end(End::Abandon);
    }
}

impl Witness for Shared {
    fn hear(&self, claims: &[Claim]) {
        let mut state = self.lock();
        let (mut lost, first_loss) = (0, state.totals.lost == 0);
        for claim in claims {
            // A claim that is nearly too much is too much: so its line always fits.
            if state.lines.len() + line::MOST_CLAIM_BYTES > self.bounds.waiting_bytes {
                lost += claim.records();
            } else {
                line::write_claim(claim, self.started_millis, &mut state.lines);
                state.totals.add(claim);
            }
        }
        state.totals.lost += lost;
        let much = state.lines.len() >= block::USUAL_BYTES;
        drop(state);
        if much {
            self.wake.notify_one();
        }
        if lost > 0 {
            self.ledger.journal_lost(lost);
            if first_loss {
                tracing::error!(
                    "the journal's disk can't follow: from here on it lacks claims; the run goes on"
                );
            }
        }
    }
    fn hear_stored(&self, stored: &[StoredIn]) {
        let mut state = self.lock();
        stored.iter().for_each(|one| one.merge_into(&mut state.stored));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic ends the process; until then the state is whole after every line.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, end: End) {
        let mut state = self.lock();
        if state.end.is_none() {
            state.end = Some(end);
        }
        drop(state);
        self.wake.notify_one();
    }

    /// The thread: hands over what waits, again and again, until the end.
    fn write(&self, mut sink: impl Sink, path: &Path) -> io::Result<()> {
        let (mut lines, mut bytes, mut told) = (Vec::new(), Vec::new(), Totals::default());
        loop {
            let (mut totals, end) = self.take(&mut lines);
            // The ledger counts before anybody claims: what is taken from it now covers every claim above.
            self.ledger.with(|counts| totals.note(counts));
            match &end {
                Some(End::Finish(ended)) => line::write_end(&totals, ended, &mut lines),
                _ if totals != told => line::write_checkpoint(&totals, &mut lines),
                _ => {}
            }
            told = totals;
            bytes.clear();
            block::write(&lines, &mut bytes);
            lines.clear();
            self.write_all(&bytes, &mut sink, path)?;
            if let Some(end) = end {
                return match end {
                    End::Finish(_) => sink.settle(),
                    End::Abandon => Ok(()),
                };
            }
        }
    }

    /// Waits until it is time, and takes what waits. The lines' two buffers change places.
    fn take(&self, lines: &mut Vec<u8>) -> (Totals, Option<End>) {
        let state = self.lock();
        let idle = |state: &mut State| state.end.is_none() && state.lines.len() < block::USUAL_BYTES;
        let waited = self.wake.wait_timeout_while(state, self.bounds.flush_every, idle);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut state.lines, lines);
        // With the claims of the same answers, or before: never after.
        state.stored.drain(..).for_each(|stored| line::write_stored(&stored, lines));
        let end = match &state.end {
            None => None,
            Some(End::Finish(ended)) => Some(End::Finish(ended.clone())),
            Some(End::Abandon) => Some(End::Abandon),
        };
        (state.totals.clone(), end)
    }

    /// Writes all of `bytes`, however often it takes: after an error it goes on with the very byte that was not
    /// taken. Gives up only after the end of the run.
    fn write_all(&self, mut bytes: &[u8], sink: &mut impl Sink, path: &Path) -> io::Result<()> {
        let (mut failing, mut deadline) = (false, None);
        while !bytes.is_empty() {
            let error = match sink.write(bytes) {
                Ok(taken) if taken > 0 => {
                    bytes = &bytes[taken..];
                    continue;
                }
                Ok(_) => io::Error::from(io::ErrorKind::WriteZero),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => error,
            };
            if !failing {
                failing = true;
                tracing::error!("the journal {} can't be written: {error}; trying on", path.display());
            }
            let state = self.lock();
            let ending = state.end.is_some();
            // Before the end there is time; the wait ends when the end comes.
            let waited = self
                .wake
                .wait_timeout_while(state, self.bounds.flush_every, |state| ending || state.end.is_none());
            if waited.unwrap_or_else(PoisonError::into_inner).0.end.is_some() {
                let deadline = *deadline.get_or_insert_with(|| Instant::now() + self.bounds.patience);
                if Instant::now() >= deadline {
                    return Err(error);
                }
            }
        }
        if failing {
            tracing::warn!("the journal {} is written again", path.display());
        }
        Ok(())
    }
}
