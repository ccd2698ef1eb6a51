//! The moment that instances agreed upon to begin at: what is said of it, and when a run counts as running.
//!
//! Decides nothing about what is due; the pacer keeps the moment by itself.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::expose::{Phase, View};
use crate::kinesis::Lane;
use crate::schedule::wall;

/// How long the wall clock is left alone while it is waited for: it may be set meanwhile.
const GLANCE: Duration = Duration::from_millis(200);

/// How long before the start connections are opened: longer than opening one may take, and less than an idle one is
/// trusted.
const WARM: Duration = Duration::from_secs(5);

/// Most connections that are opened ahead: what a burst needs beyond them is opened as it comes.
const MOST_WARM: usize = 64;

/// A moment by the wall clock (since the Unix epoch), as people write it.
pub(super) fn written(moment: Duration) -> String {
    humantime::format_rfc3339(UNIX_EPOCH + moment).to_string()
}

/// Says how long it is to the start, or how late this instance is; true when it is late.
pub(super) fn tell(start_at: Option<Duration>, now: Duration) -> bool {
    let Some(start_at) = start_at else { return false };
    let at = written(start_at);
    if let Some(late) = now.checked_sub(start_at).filter(|late| !late.is_zero()) {
        tracing::warn!(
            late_seconds = late.as_secs_f64(),
            "the start was at {at}: this instance joins late, and does not make up for what was due before"
        );
        return true;
    }
    let wait_seconds = (start_at - now).as_secs_f64();
    tracing::info!(wait_seconds, "everything is ready: waiting until {at}");
    false
}

/// Says where the run stands from now on: waiting for its start, then running. Shortly before the start it opens
/// `connections` of `lane`, so that no first request has to wait for one. Never ends.
pub(super) async fn show(
    start_at: Option<Duration>,
    view: View,
    lane: Arc<Lane>,
    connections: usize,
) -> std::convert::Infallible {
    let left = || start_at.unwrap_or_default().saturating_sub(wall());
    if !left().is_zero() {
        view.set_phase(Phase::Waiting);
        let mut opening = JoinSet::new();
        while !left().is_zero() {
            if left() <= WARM && opening.is_empty() {
                let warm = |lane: Arc<Lane>| async move { lane.warm().await };
                (0..connections.min(MOST_WARM)).for_each(|_| drop(opening.spawn(warm(Arc::clone(&lane)))));
            }
            sleep(left().min(GLANCE)).await;
        }
        opening.detach_all();
    }
    view.set_phase(Phase::Running);
    std::future::pending().await
}
