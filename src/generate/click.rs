//! Clicks: who clicked which element of which page, on which ad or product, and after how long.

use std::ops::Range;

use super::pool::{Pool, push_field};
use super::random::Lanes;
use super::text;

/// What can be clicked, as CSS selectors in a field.
const ELEMENTS: [&str; 8] = [
    r#""element":"a.title","#,
    r#""element":"a.more","#,
    r#""element":"img.hero","#,
    r#""element":"img.thumb","#,
    r#""element":"button.buy","#,
    r#""element":"button.like","#,
    r#""element":"button.share","#,
    r#""element":"div.banner","#,
];

/// Shortest dwell time, in milliseconds.
const LEAST_DWELL: u32 = 80;

/// Writes clicks.
#[derive(Debug)]
pub(super) struct Click {
    users: Pool,
    pages: Pool,
    items: Pool,
}

/// What one event says; the texts are fields.
#[derive(Debug, Clone, Copy)]
struct Facts<'a> {
    user: &'a str,
    page: &'a str,
    element: &'a str,
    item: &'a str,
    dwell_ms: u32,
}

impl Click {
    pub(super) fn new() -> Self {
        Self {
            users: Pool::users().fields("user"),
            pages: Pool::pages().fields("page"),
            items: Pool::items(),
        }
    }

    /// Appends the event's own fields and the closing brace; returns where the user stands in `out`.
    #[inline]
    pub(super) fn write(&self, bits: Lanes, out: &mut Vec<u8>) -> Range<usize> {
        let mut random = bits.random();
        let facts = Facts {
            user: self.users.pick(&mut random),
            page: self.pages.pick(&mut random),
            element: ELEMENTS[random.below(ELEMENTS.len() as u32) as usize],
            item: self.items.pick(&mut random),
            // The product of two draws: most visits are short, a few last half a minute.
            dwell_ms: LEAST_DWELL + random.below(180) * random.below(180),
        };
        render(facts, out)
    }

    /// The most bytes that [`Self::write`] appends.
    pub(super) fn largest(&self) -> usize {
        let facts = Facts {
            user: self.users.longest(),
            page: self.pages.longest(),
            element: ELEMENTS.into_iter().max_by_key(|element| element.len()).unwrap_or_default(),
            item: self.items.longest(),
            dwell_ms: LEAST_DWELL + 179 * 179,
        };
        let mut out = Vec::new();
        render(facts, &mut out);
        out.len()
    }
}

#[inline]
fn render(facts: Facts<'_>, out: &mut Vec<u8>) -> Range<usize> {
    let user = push_field("user", facts.user, out);
    out.extend_from_slice(facts.page.as_bytes());
    out.extend_from_slice(facts.element.as_bytes());
    out.extend_from_slice(facts.item.as_bytes());
    out.extend_from_slice(br#""dwell_ms":"#);
    text::decimal(facts.dwell_ms.into(), out);
    out.push(b'}');
    user
}
