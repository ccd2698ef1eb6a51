//! Clicks: who clicked which element of which page, on which ad or product, and after how long.

use std::ops::Range;

use super::pen::{Block, Pen, measure};
use super::pool::{Fields, Pool, push_field};
use super::random::Lanes;

/// What can be clicked, as CSS selectors in a field.
static ELEMENTS: [Block; 8] = [
    Block::new(r#""element":"a.title","#),
    Block::new(r#""element":"a.more","#),
    Block::new(r#""element":"img.hero","#),
    Block::new(r#""element":"img.thumb","#),
    Block::new(r#""element":"button.buy","#),
    Block::new(r#""element":"button.like","#),
    Block::new(r#""element":"button.share","#),
    Block::new(r#""element":"div.banner","#),
];

/// Shortest dwell time, in milliseconds.
const LEAST_DWELL: u32 = 80;

/// Writes clicks.
#[derive(Debug)]
pub(super) struct Click {
    users: Fields,
    pages: Fields,
    items: Fields,
}

/// What one event says; the texts are fields.
#[derive(Debug, Clone, Copy)]
struct Facts<'a> {
    user: &'a Block,
    page: &'a Block,
    element: &'a Block,
    item: &'a Block,
    dwell_ms: u32,
}

impl Click {
    pub(super) fn new() -> Self {
        Self {
            users: Pool::users().fields("user"),
            pages: Pool::pages().fields("page"),
            items: Pool::items().objects("item"),
        }
    }

    /// Writes the event's own fields and the closing brace; returns where the user stands.
    #[inline]
    pub(super) fn write(&self, bits: Lanes, pen: &mut Pen<'_>) -> Range<usize> {
        let mut random = bits.random();
        let facts = Facts {
            user: self.users.pick(&mut random),
            page: self.pages.pick(&mut random),
            element: &ELEMENTS[random.below(ELEMENTS.len() as u32) as usize],
            item: self.items.pick(&mut random),
            // The product of two draws: most visits are short, a few last half a minute.
            dwell_ms: LEAST_DWELL + random.below(180) * random.below(180),
        };
        render(facts, pen)
    }

    /// The most bytes that [`Self::write`] writes.
    pub(super) fn largest(&self) -> usize {
        let facts = Facts {
            user: self.users.longest(),
            page: self.pages.longest(),
            element: ELEMENTS.iter().max_by_key(|element| element.len()).unwrap_or(&ELEMENTS[0]),
            item: self.items.longest(),
            dwell_ms: LEAST_DWELL + 179 * 179,
        };
        measure(|pen| render(facts, pen))
    }
}

#[inline]
fn render(facts: Facts<'_>, pen: &mut Pen<'_>) -> Range<usize> {
    let user = push_field("user", facts.user, pen);
    pen.block(facts.page);
    pen.block(facts.element);
    pen.block(facts.item);
    pen.text(br#""dwell_ms":"#);
    pen.decimal(facts.dwell_ms.into());
    pen.text(b"}");
    user
}
