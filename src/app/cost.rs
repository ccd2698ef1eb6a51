//! What a run has cost so far, by the user's prices, and the end that this can put to it.
//!
//! A model of a bill (`lab::cost`), on its cautious side: what may be stored counts as stored, and shards count from the
//! start of the run to its end.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval};

use super::start_error::StartError;
use crate::config::{Config, Costs};
use crate::kinesis::{Mode, OpenShards};
use crate::lab::{Bill, Tariff, Used};
use crate::ledger::{Ledger, Snapshot};

/// How often the cost is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// By which prices a stream of this mode is billed. One that tells no mode has shards.
pub(super) fn tariff(mode: Mode) -> Tariff {
    match mode {
        Mode::OnDemand => Tariff::OnDemand,
        Mode::Provisioned | Mode::Untold => Tariff::Provisioned,
    }
}

/// A bound that no price of the stream's mode would ever bring the cost to.
///
/// # Errors
/// When there is one.
pub(super) fn check(costs: &Costs, mode: Mode) -> Result<(), StartError> {
    let tariff = tariff(mode);
    if costs.most.is_none() || costs.prices.knows(tariff) {
        return Ok(());
    }
    Err(StartError::Prices(match tariff {
        Tariff::Provisioned => {
            "the stream is billed by its shards: set STREAMER_PRICE_SHARD_HOUR and STREAMER_PRICE_PUT_UNITS"
        }
        Tariff::OnDemand => {
            "the stream is on-demand: set STREAMER_PRICE_STREAM_HOUR and STREAMER_PRICE_GB_IN"
        }
    }))
}

/// Adds up what a run uses.
#[derive(Debug)]
pub(super) struct Meter {
    costs: Costs,
    tariff: Tariff,
    ledger: Arc<Ledger>,
    shards: OpenShards,
    /// Until when shards are counted, and their seconds until then.
    standing: Mutex<(Instant, f64, f64)>,
}

impl Meter {
    /// Counts from now on; none where no price of the mode is known.
    pub(super) fn begin(
        config: &Config,
        mode: Mode,
        ledger: Arc<Ledger>,
        shards: OpenShards,
    ) -> Option<Self> {
        let (costs, tariff) = (config.costs, tariff(mode));
        let standing = Mutex::new((Instant::now(), 0.0, 0.0));
        costs.prices.knows(tariff).then_some(Self { costs, tariff, ledger, shards, standing })
    }

    /// What it has cost until now, with what is under way where `with_flying`.
    pub(super) fn bill(&self, with_flying: bool) -> Option<Bill> {
        let shards = self.shards.now().shards().len() as f64;
        let (seconds, shard_seconds) = {
            let mut standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            let passed = (now - standing.0).as_secs_f64();
            *standing = (now, standing.1 + passed, standing.2 + passed * shards);
            (standing.1, standing.2)
        };
        let (units, rounded_bytes) = self.ledger.with(|counts| taken_in(counts, with_flying));
        let shards = shard_seconds / seconds.max(1e-9);
        self.costs.prices.bill(self.tariff, &Used { seconds, shards, units, rounded_bytes })
    }

    async fn reached(&self) -> &'static str {
        let Some(most) = self.costs.most else { return std::future::pending().await };
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            if self.bill(true).is_some_and(|bill| bill.total() >= most.units()) {
                return "its cost, which has reached STREAMER_MAX_COST";
            }
        }
    }
}

/// When the cost has reached its bound: by whose name the run ends then. Never, where there is none.
pub(super) async fn reached(meter: Option<&Meter>) -> &'static str {
    match meter {
        Some(meter) => meter.reached().await,
        None => std::future::pending().await,
    }
}

/// Payload units, and bytes rounded up, of what is stored or may be: sent, perhaps twice, unknown, under way.
fn taken_in(counts: &Snapshot, with_flying: bool) -> (f64, f64) {
    let flying = if with_flying { counts.in_flight } else { 0 };
    let perhaps = (counts.perhaps_twice + counts.unknown.total() + flying) as f64;
    let sent = counts.sent.max(1) as f64;
    // Of what is not known to be stored, only the mean size is.
    let (unit, rounded) =
        ((counts.units as f64 / sent).max(1.0), (counts.rounded_bytes as f64 / sent).max(1_024.0));
    (counts.units as f64 + perhaps * unit, counts.rounded_bytes as f64 + perhaps * rounded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::{Price, Prices};
    use crate::ledger::{Settled, Unknown};

    #[test]
    fn what_may_be_stored_counts_as_stored() {
        let ledger = Ledger::new();
        ledger.generated(10);
        let settled = Settled { sent: 4, units: 8, rounded_bytes: 4 * 26_624, ..Settled::default() };
        ledger.settled(&Settled { unknown: vec![(Unknown::Timeout, 3)], ..settled });
        assert_eq!(ledger.with(|counts| taken_in(counts, false)), (14.0, 7.0 * 26_624.0));
        assert_eq!(ledger.with(|counts| taken_in(counts, true)), (20.0, 10.0 * 26_624.0));
        // Before anything is known of sizes, a record counts as the least that one can.
        let fresh = Ledger::new();
        fresh.generated(5);
        assert_eq!(fresh.with(|counts| taken_in(counts, true)), (5.0, 5.0 * 1_024.0));
    }

    #[test]
    fn a_bound_that_no_price_of_the_mode_could_reach_is_refused() {
        let prices = Prices { gb_in: Some(Price(1)), ..Prices::default() };
        let costs = Costs { prices, most: Some(Price(1)) };
        assert!(check(&costs, Mode::OnDemand).is_ok());
        for mode in [Mode::Provisioned, Mode::Untold] {
            let told = check(&costs, mode).expect_err("no price of shards").to_string();
            assert!(told.contains("STREAMER_PRICE_SHARD_HOUR"), "{told}");
        }
        assert!(check(&Costs { most: None, ..costs }, Mode::Provisioned).is_ok());
    }
}
