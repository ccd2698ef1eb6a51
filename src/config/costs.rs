//! What the user says of prices, and of what a run may cost.
//!
//! Whether the prices fit the stream's mode is known when it is described.

use super::asked::Asked;
use super::setting::Setting;
use super::settings as table;
use crate::lab::{Price, PriceError, Prices};

/// Prices, and the bound that goes by them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Costs {
    /// The prices that were given.
    pub prices: Prices,
    /// What the run may cost; none: no bound.
    pub most: Option<Price>,
}

pub(super) fn costs(asked: &mut Asked) -> Option<Costs> {
    let price = |asked: &mut Asked, setting: &Setting| {
        asked.optional(setting, |asked, setting| {
            asked.read(setting, |text| text.parse::<Price>().map_err(|PriceError| None))
        })
    };
    let shard_hour = price(asked, &table::PRICE_SHARD_HOUR);
    let units_million = price(asked, &table::PRICE_PUT_UNITS);
    let stream_hour = price(asked, &table::PRICE_STREAM_HOUR);
    let gb_in = price(asked, &table::PRICE_GB_IN);
    let most = asked.optional(&table::MAX_COST, |asked, setting| {
        asked.read(setting, |text| text.parse::<Price>().ok().filter(|price| price.0 > 0).ok_or(None))
    });
    let prices = Prices {
        shard_hour: shard_hour?,
        units_million: units_million?,
        stream_hour: stream_hour?,
        gb_in: gb_in?,
    };
    let most = most?;
    // Nothing is called missing while the command line holds something that was not understood.
    if most.is_some() && prices == Prices::default() && !asked.puzzled {
        asked.together(
            &[table::MAX_COST, table::PRICE_PUT_UNITS],
            "a cost needs prices, and none is built in: set STREAMER_PRICE_SHARD_HOUR and STREAMER_PRICE_PUT_UNITS \
             (provisioned), or STREAMER_PRICE_STREAM_HOUR and STREAMER_PRICE_GB_IN (on-demand)"
                .to_owned(),
        );
        return None;
    }
    Some(Costs { prices, most })
}

impl Costs {
    /// The variables that say the same.
    pub(super) fn variables(&self) -> impl Iterator<Item = (&'static str, String)> {
        let Prices { shard_hour, units_million, stream_hour, gb_in } = self.prices;
        let all = [
            (table::PRICE_SHARD_HOUR.name, shard_hour),
            (table::PRICE_PUT_UNITS.name, units_million),
            (table::PRICE_STREAM_HOUR.name, stream_hour),
            (table::PRICE_GB_IN.name, gb_in),
            (table::MAX_COST.name, self.most),
        ];
        all.into_iter().filter_map(|(name, price)| Some((name, price?.to_string())))
    }
}
