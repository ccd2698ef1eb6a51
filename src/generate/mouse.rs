//! Mouse events: the moves of a hand and the click at the end of each, in sessions of users.
//!
//! A job's sequence is cut into sessions, a session into gestures. Each gesture starts at the target of the
//! one before and ends at its own, where its last event is the click.

use std::ops::Range;

use super::cuts::Cuts;
use super::path::{Gesture, MAX_BEND, Point};
use super::pen::{Block, Pen, measure};
use super::pool::{Fields, Pool, push_field};
use super::random::{JobStream, Lanes, Random, hash, signed_unit};
use super::text;

/// A session has 65 to 191 events.
const SESSIONS: Cuts = Cuts { step: 128, spread: 64 };

/// A gesture has 9 to 31 events.
const GESTURES: Cuts = Cuts { step: 16, spread: 8 };

/// Common viewports in pixels, each with its field.
static VIEWPORTS: [(u32, u32, Block); 6] = [
    (1280, 720, Block::new(r#""viewport":[1280,720],"#)),
    (1366, 768, Block::new(r#""viewport":[1366,768],"#)),
    (1440, 900, Block::new(r#""viewport":[1440,900],"#)),
    (1536, 864, Block::new(r#""viewport":[1536,864],"#)),
    (1920, 1080, Block::new(r#""viewport":[1920,1080],"#)),
    (2560, 1440, Block::new(r#""viewport":[2560,1440],"#)),
];

/// The hand trembles by up to this many pixels on its way.
const TREMOR: f64 = 1.5;

/// Separate what is hashed with the same key: sessions from their cuts, gestures, targets.
const SESSION_KEY: u64 = 0x7365_7373_696f_6e73;
const GESTURE_KEY: u64 = 0x6765_7374_7572_6573;
const TARGET_KEY: u64 = 0x7461_7267_6574_7300;

/// Writes mouse events.
#[derive(Debug)]
pub(super) struct Mouse {
    users: Fields,
    pages: Fields,
    agents: Fields,
}

/// What stays the same within a session; the texts are fields.
#[derive(Debug, Clone, Copy)]
struct Session<'a> {
    key: u64,
    user: &'a Block,
    page: &'a Block,
    agent: &'a Block,
    viewport: &'a (u32, u32, Block),
}

/// What one event of a session says.
#[derive(Debug, Clone, Copy)]
struct Moment {
    click: bool,
    x: u32,
    y: u32,
}

impl Mouse {
    pub(super) fn new() -> Self {
        Self {
            users: Pool::users().fields("user"),
            pages: Pool::pages().fields("page"),
            agents: Pool::agents().fields("agent"),
        }
    }

    /// Writes the event's own fields and the closing brace; returns where the user stands.
    #[inline]
    pub(super) fn write(
        &self,
        job: &JobStream,
        sequence: u64,
        bits: Lanes,
        pen: &mut Pen<'_>,
    ) -> Range<usize> {
        let key = job.structure();
        let block = SESSIONS.block(key, sequence);
        let session = self.session(hash(key ^ SESSION_KEY, block.index));
        let moment = moment(&session, block.offset, block.length, &mut bits.random());
        render(&session, moment, pen)
    }

    #[inline]
    fn session(&self, key: u64) -> Session<'_> {
        let mut random = Random::new(key);
        Session {
            key,
            user: self.users.pick(&mut random),
            page: self.pages.pick(&mut random),
            agent: self.agents.pick(&mut random),
            viewport: &VIEWPORTS[random.below(VIEWPORTS.len() as u32) as usize],
        }
    }

    /// The most bytes that [`Self::write`] writes.
    pub(super) fn largest(&self) -> usize {
        let session = Session {
            key: 0,
            user: self.users.longest(),
            page: self.pages.longest(),
            agent: self.agents.longest(),
            viewport: &VIEWPORTS[VIEWPORTS.len() - 1],
        };
        let write = |click| measure(|pen| render(&session, Moment { click, x: 2559, y: 1439 }, pen));
        write(false).max(write(true))
    }
}

/// What happens at `position` of a session of `total` events; `random` only makes the hand tremble.
#[inline]
fn moment(session: &Session<'_>, position: u64, total: u64, random: &mut Random) -> Moment {
    let block = GESTURES.block_of(session.key ^ GESTURE_KEY, position, total);
    let &(width, height, _) = session.viewport;
    // The last move arrives at the target, and the click after it stays there.
    let moves = block.length - 1;
    let click = block.offset >= moves;
    let to = target(session, block.index.wrapping_add(1));
    let point = if block.offset + 1 >= moves {
        to
    } else {
        let gesture = Gesture {
            from: target(session, block.index),
            to,
            bend_out: bend(session, block.index, 1),
            bend_in: bend(session, block.index, 2),
        };
        let point = gesture.at((block.offset + 1) as f64 / moves as f64);
        Point { x: point.x + random.signed_unit() * TREMOR, y: point.y + random.signed_unit() * TREMOR }
    };
    Moment { click, x: pixel(point.x, width), y: pixel(point.y, height) }
}

/// Where gesture `index` of a session starts, and the one before it ends: anywhere but near the edge.
#[inline]
fn target(session: &Session<'_>, index: u64) -> Point {
    let bits = hash(session.key ^ TARGET_KEY, index);
    let &(width, height, _) = session.viewport;
    let place = |bits: u32, size: u32| {
        let inner = size - size / 8;
        f64::from(size / 16 + ((u64::from(bits) * u64::from(inner)) >> 32) as u32)
    };
    Point { x: place((bits >> 32) as u32, width), y: place(bits as u32, height) }
}

#[inline]
fn bend(session: &Session<'_>, index: u64, which: u64) -> f64 {
    signed_unit(hash(session.key.wrapping_add(which), index)) * MAX_BEND
}

/// The nearest pixel within the viewport.
#[inline]
fn pixel(position: f64, size: u32) -> u32 {
    ((position + 0.5) as u32).min(size - 1) // a cast of a negative number gives 0
}

#[inline]
fn render(session: &Session<'_>, moment: Moment, pen: &mut Pen<'_>) -> Range<usize> {
    let user = push_field("user", session.user, pen);
    pen.text(br#""session":""#);
    pen.text(&text::hex(session.key as u32));
    pen.text(br#"","#);
    pen.block(session.page);
    pen.block(session.agent);
    pen.block(&session.viewport.2);
    if moment.click {
        pen.text(br#""action":"click","x":"#);
    } else {
        pen.text(br#""action":"move","x":"#);
    }
    pen.decimal(moment.x.into());
    pen.text(br#","y":"#);
    pen.decimal(moment.y.into());
    pen.text(b"}");
    user
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::super::pen::written;
    use super::super::random::Stream;
    use super::*;

    fn events(seed: u64, job: u32, from: u64, count: u64) -> Vec<Value> {
        let mouse = Mouse::new();
        let stream = Stream::new("mouse", seed, "p").job(job);
        (from..from + count)
            .map(|sequence| {
                let out = written(|pen| {
                    pen.text(b"{");
                    mouse.write(&stream, sequence, stream.event(sequence), pen);
                });
                serde_json::from_slice(&out).expect("valid JSON")
            })
            .collect()
    }

    fn position(event: &Value) -> (f64, f64) {
        (event["x"].as_f64().expect("x"), event["y"].as_f64().expect("y"))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        // Within a session no two consecutive positions are further apart than 0.3 of the viewport's
        // diagonal (2.2 × an eighth, and the tremor), and a click happens exactly where the move before it
        // ended. All positions are inside the viewport.
        #[test]
        fn consecutive_events_join_up(seed in any::<u64>(), job in any::<u32>(), from in 0..1_000_000_u64) {
            for pair in events(seed, job, from, 400).windows(2) {
                let (here, next) = (position(&pair[0]), position(&pair[1]));
                let size = |at: usize| pair[1]["viewport"][at].as_f64().expect("a size");
                prop_assert!(next.0 < size(0) && next.1 < size(1));
                if pair[0]["session"] != pair[1]["session"] {
                    prop_assert_eq!(&pair[0]["action"], "click", "a session ends with a click");
                    continue;
                }
                let step = (here.0 - next.0).hypot(here.1 - next.1);
                prop_assert!(step <= 0.3 * size(0).hypot(size(1)), "{} then {}", pair[0], pair[1]);
                if pair[1]["action"] == "click" {
                    prop_assert_eq!(here, next);
                }
                for name in ["user", "page", "agent", "viewport"] {
                    prop_assert_eq!(&pair[0][name], &pair[1][name]);
                }
            }
        }
    }

    #[test]
    fn gestures_and_sessions_have_believable_lengths() {
        let events = events(1, 0, 0, 20_000);
        let clicks = events.iter().filter(|event| event["action"] == "click").count();
        let changes = events.windows(2).filter(|pair| pair[0]["session"] != pair[1]["session"]).count();
        assert!((900..1_600).contains(&clicks), "{clicks}");
        assert!((140..170).contains(&changes), "{changes}");
        let users: std::collections::HashSet<_> = events.iter().map(|event| event["user"].as_str()).collect();
        assert!(users.len() > 100, "{}", users.len());
    }

    #[test]
    fn the_end_of_the_sequence_is_no_special_case() {
        let mouse = Mouse::new();
        let stream = Stream::new("mouse", 1, "p").job(u32::MAX);
        for sequence in [u64::MAX - 1, u64::MAX] {
            let mut user = 0..0;
            let out = written(|pen| {
                pen.text(b"{");
                user = mouse.write(&stream, sequence, stream.event(sequence), pen);
            });
            let event: Value = serde_json::from_slice(&out).expect("valid JSON");
            assert_eq!(event["user"].as_str().map(str::as_bytes), Some(&out[user]));
        }
    }
}
