//! The laboratory's judgement: what a load will meet, what it costs, how much a stream takes, and what was the limit.
//!
//! Pure: time, counts and measurements are arguments. Runs no load, asks no stream and prints nothing; `app` does the
//! one, `expose` the other.

mod binding;
mod cost;
mod feed;
mod interval;
mod predict;
mod ranges;
mod search;

pub use binding::{Binding, ClientLimit, Evidence, Resource, ShardRates, binding};
pub use cost::{Bill, Price, PriceError, Prices, Tariff, Used};
pub use feed::{Feed, Portion, SLOT};
pub use interval::{Block, Confidence, Interval, records_needed};
pub use predict::{Forecast, MOST_TAKES, Sampled, ShardForecast, predict};
pub use ranges::{RangeFinding, Unevenness, ranges, unevenness};
pub use search::{End, Kind, Observed, Point, Rules, Search, Side, Step};
