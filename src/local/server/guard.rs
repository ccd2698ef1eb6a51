//! Deadlines below HTTP: a silent, a slow and a deaf client each end their own connection only.
//!
//! Decides when a connection has waited too long. A request's body has its own deadline in `http`.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

use super::super::options::Guards;

/// What a connection is doing: idle, in a request's head, or busy with a request; then idle again.
///
/// Counts up, three steps a request, so that a deadline of one request is never taken for the next one's.
#[derive(Debug, Default)]
pub(super) struct Phase(AtomicU64);

const IDLE: u64 = 0;
const HEAD: u64 = 1;
const BUSY: u64 = 2;

impl Phase {
    fn step(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn raise(&self, to: u64) {
        // Only the connection's own task steps, so load and store need not be one.
        let step = self.step();
        self.0.store(step + (to + 3 - step % 3) % 3, Ordering::Relaxed);
    }

    /// A request's head is complete.
    pub(super) fn busy(&self) {
        self.raise(BUSY);
    }

    /// The answer is made.
    pub(super) fn idle(&self) {
        self.raise(IDLE);
    }
}

/// A connection with deadlines.
pub(super) struct Guarded {
    stream: TcpStream,
    guards: Guards,
    phase: Arc<Phase>,
    reading: Deadline,
    writing: Deadline,
}

/// A timer that is set only when something has to wait.
struct Deadline {
    timer: Pin<Box<Sleep>>,
    /// The step that it was set for.
    step: Option<u64>,
}

impl Deadline {
    fn new() -> Self {
        Self { timer: Box::pin(sleep(Duration::ZERO)), step: None }
    }

    /// Waits for the deadline of this step.
    fn poll(&mut self, cx: &mut Context<'_>, step: u64, after: Duration) -> Poll<io::Error> {
        if self.step != Some(step) {
            self.step = Some(step);
            self.timer.as_mut().reset(Instant::now() + after);
        }
        self.timer.as_mut().poll(cx).map(|()| io::ErrorKind::TimedOut.into())
    }
}

impl Guarded {
    pub(super) fn new(stream: TcpStream, guards: Guards, phase: Arc<Phase>) -> Self {
        Self { stream, guards, phase, reading: Deadline::new(), writing: Deadline::new() }
    }

    /// A write that can't go on waits for the client to read, but not forever.
    fn written<T>(&mut self, cx: &mut Context<'_>, poll: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match poll {
            Poll::Ready(done) => {
                self.writing.step = None;
                Poll::Ready(done)
            }
            Poll::Pending => self.writing.poll(cx, 0, self.guards.write).map(Err),
        }
    }
}

impl AsyncRead for Guarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let step = this.phase.step();
        match Pin::new(&mut this.stream).poll_read(cx, buf) {
            Poll::Ready(done) => {
                if step % 3 == IDLE {
                    this.phase.raise(HEAD);
                }
                Poll::Ready(done)
            }
            Poll::Pending => match step % 3 {
                IDLE => this.reading.poll(cx, step, this.guards.idle).map(Err),
                HEAD => this.reading.poll(cx, step, this.guards.head).map(Err),
                _ => Poll::Pending,
            },
        }
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.written(cx, poll)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.written(cx, poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.stream).poll_flush(cx);
        self.written(cx, poll)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_only_count_up_and_repeat_every_three() {
        let phase = Phase::default();
        let mut steps = Vec::new();
        for _ in 0..2 {
            phase.raise(HEAD);
            steps.push(phase.step());
            phase.busy();
            phase.busy();
            steps.push(phase.step());
            phase.idle();
            steps.push(phase.step());
        }
        assert_eq!(steps, [1, 2, 3, 4, 5, 6]);
        // A pipelined request has no head phase of its own.
        phase.busy();
        assert_eq!(phase.step(), 8);
    }
}
