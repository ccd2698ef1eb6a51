//! The settings of cost: the user's own prices, and where a run ends by them.

use super::super::setting::Absent::Means;
use super::super::setting::Form::Own;
use super::super::setting::{Group, Setting};

const PRICE: super::Form = Own("a price from 0 to 1000000 with at most 6 decimals, such as 0.015");

/// What a shard costs in an hour.
pub const PRICE_SHARD_HOUR: Setting = Setting::new(
    Group::Cost,
    "STREAMER_PRICE_SHARD_HOUR",
    "price-shard-hour",
    "PRICE",
    PRICE,
    Means("not told"),
    "What an open shard of a provisioned stream costs in an hour; no price is built in",
);

/// What a million PUT payload units cost.
pub const PRICE_PUT_UNITS: Setting = Setting::new(
    Group::Cost,
    "STREAMER_PRICE_PUT_UNITS",
    "price-put-units",
    "PRICE",
    PRICE,
    Means("not told"),
    "What a million PUT payload units (25 KB of a record, begun ones count) cost on a provisioned stream",
);

/// What a stream costs in an hour.
pub const PRICE_STREAM_HOUR: Setting = Setting::new(
    Group::Cost,
    "STREAMER_PRICE_STREAM_HOUR",
    "price-stream-hour",
    "PRICE",
    PRICE,
    Means("not told"),
    "What an on-demand stream costs in an hour",
);

/// What a GB costs that is taken in.
pub const PRICE_GB_IN: Setting = Setting::new(
    Group::Cost,
    "STREAMER_PRICE_GB_IN",
    "price-gb-in",
    "PRICE",
    PRICE,
    Means("not told"),
    "What a GB taken in by an on-demand stream costs, each record rounded up to 1 KB",
);

/// What a run may cost.
pub const MAX_COST: Setting = Setting::new(
    Group::Cost,
    "STREAMER_MAX_COST",
    "max-cost",
    "PRICE",
    Own("a price from 0.000001 to 1000000 with at most 6 decimals, such as 2.50"),
    Means("no bound"),
    "What this run may cost by the prices that are set: the schedule ends when it is reached (docs/check.md)",
);
