//! Orders of a shop: who ordered which goods, at which price, and where they go.

use std::ops::Range;

use super::pen::{Block, Pen, measure};
use super::pool::{Fields, Pool, push_field};
use super::random::{Lanes, Random};
use super::text;

/// Most line items of an order.
const MOST_ITEMS: usize = 5;

/// Goods that the shop has; each has one price for ever.
const GOODS: u32 = 4_096;

/// What becomes of an order, as a field; the common ones stand more than once.
static STATUSES: [Block; 8] = [
    Block::new(r#""status":"placed","#),
    Block::new(r#""status":"placed","#),
    Block::new(r#""status":"placed","#),
    Block::new(r#""status":"paid","#),
    Block::new(r#""status":"paid","#),
    Block::new(r#""status":"shipped","#),
    Block::new(r#""status":"delivered","#),
    Block::new(r#""status":"cancelled","#),
];

/// How it is paid and sent, as fields.
static PAYMENTS: [Block; 4] = [
    Block::new(r#""payment":"card","#),
    Block::new(r#""payment":"paypal","#),
    Block::new(r#""payment":"invoice","#),
    Block::new(r#""payment":"voucher","#),
];
static METHODS: [Block; 3] = [
    Block::new(r#""method":"standard"}}"#),
    Block::new(r#""method":"express"}}"#),
    Block::new(r#""method":"pickup"}}"#),
];

/// Writes orders.
#[derive(Debug)]
pub(super) struct Order {
    customers: Fields,
    cities: Fields,
}

/// A line of an order.
#[derive(Debug, Clone, Copy, Default)]
struct Item {
    /// The number of the goods, from 0.
    goods: u32,
    quantity: u32,
    cents: u64,
}

/// What one event says; the texts are fields.
#[derive(Debug, Clone, Copy)]
struct Facts<'a> {
    number: u32,
    customer: &'a Block,
    status: &'a Block,
    payment: &'a Block,
    city: &'a Block,
    method: &'a Block,
    items: &'a [Item],
}

impl Order {
    pub(super) fn new() -> Self {
        Self { customers: Pool::users().fields("customer"), cities: Pool::sites().fields("city") }
    }

    /// Writes the event's own fields and the closing brace; returns where the customer stands.
    #[inline]
    pub(super) fn write(&self, bits: Lanes, pen: &mut Pen<'_>) -> Range<usize> {
        let mut random = bits.random();
        let mut items = [Item::default(); MOST_ITEMS];
        // The smaller of two draws: most orders are small.
        let count = 1 + random.below(MOST_ITEMS as u32).min(random.below(MOST_ITEMS as u32)) as usize;
        for item in &mut items[..count] {
            *item = Item::draw(&mut random);
        }
        let facts = Facts {
            number: random.bits() as u32,
            customer: self.customers.pick(&mut random),
            status: &STATUSES[random.below(STATUSES.len() as u32) as usize],
            payment: &PAYMENTS[random.below(PAYMENTS.len() as u32) as usize],
            city: self.cities.pick(&mut random),
            method: &METHODS[random.below(METHODS.len() as u32) as usize],
            items: &items[..count],
        };
        render(facts, pen)
    }

    /// The most bytes that [`Self::write`] writes.
    pub(super) fn largest(&self) -> usize {
        let longest =
            |blocks: &'static [Block]| blocks.iter().max_by_key(|block| block.len()).unwrap_or(&blocks[0]);
        let facts = Facts {
            number: 0,
            customer: self.customers.longest(),
            status: longest(&STATUSES),
            payment: longest(&PAYMENTS),
            city: self.cities.longest(),
            method: longest(&METHODS),
            items: &[Item { goods: GOODS - 1, quantity: MOST_QUANTITY, cents: MOST_CENTS }; MOST_ITEMS],
        };
        measure(|pen| render(facts, pen))
    }
}

/// Most pieces of a line.
const MOST_QUANTITY: u32 = 4;

/// Prices end in 99 cents; the dearest.
const MOST_CENTS: u64 = 100 * 199 + 99;

impl Item {
    #[inline]
    fn draw(random: &mut Random) -> Self {
        // The product of two draws: a few goods sell best.
        let goods = random.below(64) * random.below(64);
        let quantity = 1 + random.below(MOST_QUANTITY).min(random.below(MOST_QUANTITY));
        Self { goods, quantity, cents: price(goods) }
    }
}

/// What goods cost, in cents: most are cheap.
#[inline]
fn price(goods: u32) -> u64 {
    let mut random = Random::new(u64::from(goods));
    u64::from(100 * random.below(200).min(random.below(200)) + 99)
}

#[inline]
fn render(facts: Facts<'_>, pen: &mut Pen<'_>) -> Range<usize> {
    pen.text(br#""order":"o-"#);
    pen.text(&text::hex(facts.number));
    pen.text(br#"","#);
    let customer = push_field("customer", facts.customer, pen);
    pen.block(facts.status);
    pen.text(br#""items":["#);
    let mut total = 0;
    for (at, item) in facts.items.iter().enumerate() {
        if at > 0 {
            pen.text(b",");
        }
        // From 10000 on, so that all have five digits.
        pen.text(br#"{"sku":"SKU-"#);
        pen.decimal(u64::from(10_000 + item.goods));
        pen.text(br#"","quantity":"#);
        pen.decimal(item.quantity.into());
        pen.text(br#","price":"#);
        pen.hundredths(item.cents);
        pen.text(b"}");
        total += u64::from(item.quantity) * item.cents;
    }
    pen.text(br#"],"total":"#);
    pen.hundredths(total);
    pen.text(br#","currency":"USD","#);
    pen.block(facts.payment);
    pen.text(br#""shipping":{"#);
    pen.block(facts.city);
    pen.block(facts.method);
    customer
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use serde_json::Value;

    use super::super::pen::written;
    use super::super::random::Stream;
    use super::*;

    fn cents(amount: &Value) -> u64 {
        (amount.as_f64().expect("an amount") * 100.0).round() as u64
    }

    // The total is what its lines come to, and the same goods cost the same in every order.
    #[test]
    fn an_order_adds_up() {
        let (order, stream) = (Order::new(), Stream::new("order", 1, "p").job(0));
        let (mut prices, mut counts) = (HashMap::new(), HashSet::new());
        for sequence in 0..5_000 {
            let event = written(|pen| {
                pen.text(b"{");
                order.write(stream.event(sequence), pen);
            });
            let event: Value = serde_json::from_slice(&event).expect("valid JSON");
            let items = event["items"].as_array().expect("items");
            counts.insert(items.len());
            let total: u64 = items
                .iter()
                .map(|item| item["quantity"].as_u64().expect("a quantity") * cents(&item["price"]))
                .sum();
            assert_eq!(cents(&event["total"]), total, "{event}");
            for item in items {
                let price = prices.entry(item["sku"].clone()).or_insert_with(|| item["price"].clone());
                assert_eq!(*price, item["price"]);
            }
        }
        assert_eq!(counts, (1..=MOST_ITEMS).collect());
        assert!(prices.len() > 500, "{}", prices.len());
    }
}
