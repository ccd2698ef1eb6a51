//! What a load costs, by prices that the user gives: shard-hours, PUT payload units, or GB taken in.
//!
//! A model of a bill, on its cautious side where AWS's words leave room: a payload unit is 25,000 bytes, a partition key
//! counts as data, and a GB has 10^9 bytes, so that a real bill is not higher for the same records.

use std::fmt;
use std::str::FromStr;

use crate::kinesis::limits::billing;

/// An amount of money in millionths, of whatever currency the user thinks in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Price(pub u64);

impl Price {
    /// The amount in whole units of the currency.
    #[must_use]
    pub fn units(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

/// A text that is no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a price is a number from 0 to 1000000 with at most 6 decimals, such as 0.015")]
pub struct PriceError;

impl FromStr for Price {
    type Err = PriceError;

    fn from_str(text: &str) -> Result<Self, PriceError> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str, most| {
            (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !digits(whole, 7) || !digits(fraction, 6) {
            return Err(PriceError);
        }
        let number = |text: &str| text.parse::<u64>().map_err(|_| PriceError);
        let price = number(whole)? * 1_000_000 + number(&format!("{fraction:0<6}"))?;
        (price <= 1_000_000_000_000).then_some(Self(price)).ok_or(PriceError)
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// The prices that were given; none of them is known to this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Prices {
    /// Of a shard for an hour, in provisioned mode.
    pub shard_hour: Option<Price>,
    /// Of a million PUT payload units, in provisioned mode.
    pub units_million: Option<Price>,
    /// Of a stream for an hour, on-demand.
    pub stream_hour: Option<Price>,
    /// Of a GB that is taken in, on-demand.
    pub gb_in: Option<Price>,
}

/// Which prices count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tariff {
    /// By shards and payload units.
    Provisioned,
    /// By the stream and its bytes.
    OnDemand,
}

/// What was used.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Used {
    /// How long, in seconds.
    pub seconds: f64,
    /// Open shards in that time.
    pub shards: f64,
    /// PUT payload units: each record has at least one.
    pub units: f64,
    /// Bytes, each record rounded up to whole kilobytes.
    pub rounded_bytes: f64,
}

/// A cost, and what it is made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bill {
    /// For being there: shards, or the stream.
    pub standing: f64,
    /// For what was taken in.
    pub taken_in: f64,
}

impl Bill {
    /// Both.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.standing + self.taken_in
    }
}

impl Prices {
    /// The two prices of a tariff: for being there, and for what is taken in.
    fn of(&self, tariff: Tariff) -> (Option<Price>, Option<Price>) {
        match tariff {
            Tariff::Provisioned => (self.shard_hour, self.units_million),
            Tariff::OnDemand => (self.stream_hour, self.gb_in),
        }
    }

    /// Whether what a tariff needs is known in part at least.
    #[must_use]
    pub fn knows(&self, tariff: Tariff) -> bool {
        self.of(tariff) != (None, None)
    }

    /// What `used` costs; a price that was not given is 0. None when no price of the tariff was given.
    #[must_use]
    pub fn bill(&self, tariff: Tariff, used: &Used) -> Option<Bill> {
        let (standing, taken_in) = self.of(tariff);
        if !self.knows(tariff) {
            return None;
        }
        let units = |price: Option<Price>| price.map_or(0.0, Price::units);
        let hours = used.seconds / 3_600.0;
        Some(match tariff {
            Tariff::Provisioned => Bill {
                standing: units(standing) * used.shards * hours,
                taken_in: units(taken_in) * used.units / 1e6,
            },
            Tariff::OnDemand => Bill {
                standing: units(standing) * hours,
                taken_in: units(taken_in) * used.rounded_bytes / billing::GB as f64,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_price_is_a_plain_decimal_number() {
        for (text, millionths) in [("0", 0), ("0.015", 15_000), ("12.5", 12_500_000), ("0.000001", 1)] {
            assert_eq!(text.parse(), Ok(Price(millionths)), "{text}");
            assert_eq!(Price(millionths).to_string(), text);
        }
        for wrong in ["", ".5", "5.", "-1", "+1", "1e3", "1000001", "0.0000001", "$1", "1 ", "99999999"] {
            assert_eq!(wrong.parse::<Price>(), Err(PriceError), "{wrong}");
        }
    }

    #[test]
    fn each_mode_is_billed_by_its_own_prices() {
        let prices = Prices {
            shard_hour: Some(Price(15_000)),
            units_million: Some(Price(14_000)),
            ..Prices::default()
        };
        let used = Used { seconds: 7_200.0, shards: 4.0, units: 3e6, rounded_bytes: 5e9 };
        let bill = prices.bill(Tariff::Provisioned, &used).expect("prices");
        assert!((bill.standing - 0.12).abs() < 1e-12 && (bill.taken_in - 0.042).abs() < 1e-12, "{bill:?}");
        assert_eq!(prices.bill(Tariff::OnDemand, &used), None);
        let prices = Prices { gb_in: Some(Price(80_000)), ..Prices::default() };
        let bill = prices.bill(Tariff::OnDemand, &used).expect("a price");
        assert!((bill.total() - 0.4).abs() < 1e-12, "{bill:?}");
    }

    proptest! {
        // Law: a price that is shown is read back as the same price.
        #[test]
        fn a_price_is_read_as_it_is_shown(millionths in 0_u64..=1_000_000_000_000) {
            prop_assert_eq!(Price(millionths).to_string().parse(), Ok(Price(millionths)));
        }
    }
}
