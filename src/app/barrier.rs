//! The moment that instances agreed upon to begin at: what is said of it, and when a run counts as running.
//!
//! Decides nothing about what is due; the pacer keeps the moment by itself.

use std::time::{Duration, UNIX_EPOCH};

use tokio::time::sleep;

use crate::expose::{Phase, View};
use crate::schedule::wall;

/// How long the wall clock is left alone while it is waited for: it may be set meanwhile.
const GLANCE: Duration = Duration::from_millis(200);

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

/// Says where the run stands from now on: waiting for its start, then running. Never ends.
pub(super) async fn show(start_at: Option<Duration>, view: View) -> std::convert::Infallible {
    let left = || start_at.unwrap_or_default().saturating_sub(wall());
    if !left().is_zero() {
        view.set_phase(Phase::Waiting);
        while !left().is_zero() {
            sleep(left().min(GLANCE)).await;
        }
    }
    view.set_phase(Phase::Running);
    std::future::pending().await
}
