//! Trades: ticker, side, a price that walks, quantity.
//!
//! All jobs and producers of a seed trade in one market: at the same sequence they see the same prices.

use std::ops::Range;

use super::market;
use super::pen::{Block, Pen, measure};
use super::pool::{Pool, push_field};
use super::random::{Lanes, Random, Stream, hash};

/// A security.
#[derive(Debug)]
struct Ticker {
    /// Its symbol, in a field.
    symbol: Block,
    /// Decides how its price walks.
    key: u64,
    /// The price that it walks around, in cents.
    base: f64,
}

/// Writes trades.
#[derive(Debug)]
pub(super) struct Trade {
    tickers: Vec<Ticker>,
}

/// What one event says.
#[derive(Debug, Clone, Copy)]
struct Deal<'a> {
    symbol: &'a Block,
    buy: bool,
    cents: u64,
    quantity: u32,
}

/// Base prices go from 5 to 1,280 dollars.
const BASE_CENTS: u32 = 500;
const MOST_CENTS: u64 = 500 * 256 * 2;

/// Largest quantity: 99 lots of 100.
const MOST_LOTS: u32 = 99;

/// A buyer pays half of the spread more than the middle, a seller gets half less: parts of the price.
const HALF_SPREAD: f64 = 0.000_2;

impl Trade {
    pub(super) fn new(seed: u64) -> Self {
        let market = Stream::new("market", seed, "").shared();
        let pool = Pool::tickers().fields("ticker");
        let mut tickers = Vec::new();
        for (index, &symbol) in (0_u64..).zip(pool.all()) {
            // Doubled up to seven times and then up to once more: as many cheap as dear ones.
            let mut random = Random::new(hash(0, index));
            let doubled = BASE_CENTS << random.below(8);
            let base = f64::from(doubled + random.below(doubled));
            tickers.push(Ticker { symbol, key: hash(market, index), base });
        }
        Self { tickers }
    }

    /// Writes the event's own fields and the closing brace; returns where the ticker stands.
    #[inline]
    pub(super) fn write(&self, sequence: u64, bits: Lanes, pen: &mut Pen<'_>) -> Range<usize> {
        let mut random = bits.random();
        let ticker = &self.tickers[random.below(self.tickers.len() as u32) as usize];
        let buy = random.below(2) == 0;
        // The smaller of two draws: small trades are more common.
        let lots = 1 + random.below(MOST_LOTS).min(random.below(MOST_LOTS));
        let middle = ticker.base * market::factor(ticker.key, sequence);
        let price = middle * if buy { 1.0 + HALF_SPREAD } else { 1.0 - HALF_SPREAD };
        let cents = ((price + 0.5) as u64).clamp(1, MOST_CENTS);
        render(Deal { symbol: &ticker.symbol, buy, cents, quantity: lots * 100 }, pen)
    }

    /// The most bytes that [`Self::write`] writes.
    pub(super) fn largest(&self) -> usize {
        let symbols = self.tickers.iter().map(|ticker| &ticker.symbol);
        let symbol = symbols.max_by_key(|symbol| symbol.len()).unwrap_or(&self.tickers[0].symbol);
        let deal = Deal { symbol, buy: false, cents: MOST_CENTS, quantity: MOST_LOTS * 100 };
        measure(|pen| render(deal, pen))
    }
}

#[inline]
fn render(deal: Deal<'_>, pen: &mut Pen<'_>) -> Range<usize> {
    let symbol = push_field("ticker", deal.symbol, pen);
    if deal.buy {
        pen.text(br#""side":"buy","price":"#);
    } else {
        pen.text(br#""side":"sell","price":"#);
    }
    pen.hundredths(deal.cents);
    pen.text(br#","quantity":"#);
    pen.decimal(deal.quantity.into());
    pen.text(br#","currency":"USD"}"#);
    symbol
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde_json::Value;

    use super::super::pen::written;
    use super::*;

    fn trades(seed: u64, job: u32, count: u64) -> Vec<Value> {
        let trade = Trade::new(seed);
        let stream = Stream::new("trade", seed, "p").job(job);
        (0..count)
            .map(|sequence| {
                let out = written(|pen| {
                    pen.text(b"{");
                    trade.write(sequence, stream.event(sequence), pen);
                });
                serde_json::from_slice(&out).expect("valid JSON")
            })
            .collect()
    }

    // From one trade of a ticker to its next, the price moves by no more than the market's steepest slope
    // over the events between them, the spread and a cent of rounding.
    #[test]
    fn the_price_of_a_ticker_walks() {
        let mut last: HashMap<String, (f64, f64)> = HashMap::new();
        let mut range: HashMap<String, (f64, f64)> = HashMap::new();
        for (sequence, trade) in trades(7, 3, 50_000).iter().enumerate() {
            let sequence = sequence as f64;
            let ticker = trade["ticker"].as_str().expect("a ticker").to_owned();
            let price = trade["price"].as_f64().expect("a price");
            assert!(price > 0.0);
            if let Some((before, then)) = last.insert(ticker.clone(), (price, sequence)) {
                let most = before * (0.000_3 * (sequence - then) * 1.2 + 0.000_5) + 0.01;
                assert!((price - before).abs() <= most, "{ticker}: {before} then {price}");
            }
            let (low, high) = range.entry(ticker).or_insert((price, price));
            (*low, *high) = (low.min(price), high.max(price));
        }
        assert_eq!(range.len(), 64);
        for (ticker, (low, high)) in range {
            assert!(high / low > 1.02, "{ticker} stays between {low} and {high}");
        }
    }

    #[test]
    fn both_sides_trade_and_the_buyer_pays_more() {
        let trades = trades(1, 0, 10_000);
        let buys = trades.iter().filter(|trade| trade["side"] == "buy").count();
        assert!((4_500..5_500).contains(&buys), "{buys}");
        assert!(trades.iter().all(|trade| {
            let quantity = trade["quantity"].as_u64().unwrap_or_default();
            (100..=9_900).contains(&quantity) && quantity % 100 == 0
        }));
    }

    #[test]
    fn another_seed_is_another_market_with_the_same_tickers() {
        let (one, other) = (Trade::new(1), Trade::new(2));
        for (a, b) in one.tickers.iter().zip(&other.tickers) {
            assert_eq!((&a.symbol, a.base), (&b.symbol, b.base));
            assert_ne!(a.key, b.key);
        }
    }
}
