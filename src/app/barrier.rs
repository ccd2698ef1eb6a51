//! The moment that instances agreed upon to begin at: what is said of it, and when a run counts as running.
//!
//! Decides nothing about what is due; the pacer keeps the moment by itself.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use tokio::time::sleep;

use crate::expose::{Phase, View};
use crate::kinesis::Lane;
use crate::schedule::wall;

/// How long the wall clock is left alone while it is waited for: it may be set meanwhile.
const GLANCE: Duration = Duration::from_millis(200);

/// How long before an awaited start connections are opened: longer than opening one may take, and less than an idle one is
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

/// Says where the run stands from now on: waiting for its start, then running. Shortly before the first record may be
/// due it opens `connections` of `lane`. Never ends.
///
/// The requests of a burst are made one after the other on each core, and a connection that is being opened is looked
/// after only when many of them have been: without one ahead, a run's first record was 8 to 10 ms late.
pub(super) async fn show(
    start_at: Option<Duration>,
    view: View,
    lane: Arc<Lane>,
    connections: usize,
) -> std::convert::Infallible {
    let mut is_warm = false;
    loop {
        let left = start_at.unwrap_or_default().saturating_sub(wall());
        if left <= WARM && !is_warm {
            warm(&lane, connections);
            is_warm = true;
        }
        if left.is_zero() {
            break;
        }
        view.set_phase(Phase::Waiting);
        sleep(left.min(GLANCE)).await;
    }
    view.set_phase(Phase::Running);
    std::future::pending().await
}

/// Opens connections ahead, in the background.
fn warm(lane: &Arc<Lane>, connections: usize) {
    for _ in 0..connections.min(MOST_WARM) {
        let lane = Arc::clone(lane);
        tokio::spawn(async move { lane.warm().await });
    }
}
