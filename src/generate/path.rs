//! The way of a hand with a mouse from one point to another. Geometry only.
//!
//! The path is a cubic Bézier curve; the hand runs along it with the velocity that makes the least jerk
//! (Flash and Hogan, 1985): slow, fast, slow. Only operations that IEEE 754 defines exactly are used, so
//! that every machine gets the same pixels.

/// A point in pixels, from the upper left corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// One movement of the hand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gesture {
    /// Where it starts.
    pub(super) from: Point,
    /// Where it ends.
    pub(super) to: Point,
    /// How far the curve leaves the straight line after a third of the way, as a part of its length.
    pub(super) bend_out: f64,
    /// The same after two thirds.
    pub(super) bend_in: f64,
}

/// The furthest that a curve is bent.
pub(super) const MAX_BEND: f64 = 0.25;

impl Gesture {
    /// Where the hand is after the part `t` of the gesture's time, 0 to 1.
    #[inline]
    pub(super) fn at(&self, t: f64) -> Point {
        let s = least_jerk(t);
        let (dx, dy) = (self.to.x - self.from.x, self.to.y - self.from.y);
        // The control points stand beside the thirds of the line, so the curve's part along the line is s
        // itself, and only its part across needs the cubic.
        let r = 1.0 - s;
        let across = 3.0 * r * s * (r * self.bend_out + s * self.bend_in);
        Point { x: self.from.x + dx * s - dy * across, y: self.from.y + dy * s + dx * across }
    }
}

/// The part of the way that is done after the part `t` of the time.
#[inline]
fn least_jerk(t: f64) -> f64 {
    t * t * t * (10.0 - 15.0 * t + 6.0 * t * t)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn point() -> impl Strategy<Value = Point> {
        (0.0..2_560.0, 0.0..1_440.0).prop_map(|(x, y)| Point { x, y })
    }

    fn gesture() -> impl Strategy<Value = Gesture> {
        let bend = -MAX_BEND..MAX_BEND;
        (point(), point(), bend.clone(), bend).prop_map(|(from, to, bend_out, bend_in)| Gesture {
            from,
            to,
            bend_out,
            bend_in,
        })
    }

    fn distance(a: Point, b: Point) -> f64 {
        (a.x - b.x).hypot(a.y - b.y)
    }

    proptest! {
        // A gesture starts and ends where it was told to.
        #[test]
        fn a_path_joins_its_ends(gesture in gesture()) {
            prop_assert!(distance(gesture.at(0.0), gesture.from) < 1e-9);
            prop_assert!(distance(gesture.at(1.0), gesture.to) < 1e-9);
        }

        // In a small part of its time the hand makes at most 2.2 times that part of the straight way
        // (1.875 at the middle, times what the bend adds).
        #[test]
        fn the_hand_never_jumps(gesture in gesture(), t in 0.0..0.9_f64, part in 0.001..0.1_f64) {
            let step = distance(gesture.at(t), gesture.at(t + part));
            prop_assert!(step <= 2.2 * part * distance(gesture.from, gesture.to) + 1e-9);
        }

        // The middle of the time is faster than the ends.
        #[test]
        fn the_hand_is_slow_at_the_ends(gesture in gesture()) {
            let step = |t: f64| distance(gesture.at(t), gesture.at(t + 0.1));
            prop_assert!(step(0.45) >= step(0.0) && step(0.45) >= step(0.9));
        }
    }
}
