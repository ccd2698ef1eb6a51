//! A rate over time made of straight pieces, and the exact area below it.
//!
//! Every shape becomes such a line, so there is one way to count what is due, in whole numbers: areas of neighbouring
//! spans always add up to that of both. Says nothing about what the rate counts.

/// The longest line, and the latest moment that is told apart, in milliseconds: 366 days and about 300 years.
pub const LONGEST: u64 = 366 * 86_400_000;
const LATEST: u64 = 10_000_000_000_000;

/// A straight piece of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    /// When it begins, in milliseconds from the line's start.
    start: u64,
    /// How long it is, in milliseconds; at least 1.
    length: u64,
    /// The rate at its start and just before its end, in millionths a second.
    from: u64,
    to: u64,
    /// Twice the area before it.
    before: u128,
}

impl Piece {
    /// Twice the area of its first `x` milliseconds. Of a whole piece it is exact; inside it is rounded down.
    fn doubled(&self, x: u64) -> u128 {
        // Bounds: a rate is at most 1.05e16 (10,000 MiB/s in millionths), a piece at most 3.2e10 long: below 2^127.
        let (x, length) = (u128::from(x), u128::from(self.length));
        let level = 2 * u128::from(self.from) * x;
        let bend = u128::from(self.from.abs_diff(self.to)) * x * x;
        // A fall is rounded up, so that the area is rounded down and never shrinks.
        if self.to >= self.from { level + bend / length } else { level - bend.div_ceil(length) }
    }

    fn rate(&self, x: u64) -> u64 {
        let bend = u128::from(self.from.abs_diff(self.to)) * u128::from(x) / u128::from(self.length);
        if self.to >= self.from { self.from + bend as u64 } else { self.from - bend as u64 }
    }
}

/// What comes after the last piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// The line is over; who asks for more gets its last rate.
    Over,
    /// Its last rate goes on.
    Hold,
    /// It begins anew, for ever.
    Again,
}

/// A rate over time: straight pieces one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pieces: Vec<Piece>,
    length: u64,
    /// Twice the area of all pieces.
    whole: u128,
    after: After,
}

impl Default for Line {
    fn default() -> Self {
        Self { pieces: Vec::new(), length: 0, whole: 0, after: After::Over }
    }
}

impl Line {
    /// The line with one more piece of `length` milliseconds whose rate goes from `from` to `to`, in millionths a
    /// second. A piece without length is left out.
    #[must_use]
    pub fn then(mut self, length: u64, from: u64, to: u64) -> Self {
        if length > 0 {
            let piece = Piece { start: self.length, length, from, to, before: self.whole };
            self.whole += piece.doubled(length);
            self.length += length;
            self.pieces.push(piece);
        }
        self
    }

    /// One rate for ever.
    #[must_use]
    pub fn steady(rate: u64) -> Self {
        Self::default().then(1_000, rate, rate).ending(After::Hold)
    }

    /// The line, with what comes after its pieces.
    #[must_use]
    pub fn ending(self, after: After) -> Self {
        Self { after, ..self }
    }

    /// How long it goes on, in milliseconds; none if it has no end.
    #[must_use]
    pub fn end(&self) -> Option<u64> {
        (self.after == After::Over).then_some(self.length)
    }

    /// The length of its pieces together, in milliseconds.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Whether it goes through its pieces again and again.
    #[must_use]
    pub fn repeats(&self) -> bool {
        self.after == After::Again
    }

    fn last(&self) -> u64 {
        self.pieces.last().map_or(0, |piece| piece.to)
    }

    /// Where `at` is: full rounds before it, and the moment inside its round; else how far behind the line.
    fn place(&self, at: u64) -> Result<(u64, u64), u64> {
        match at.checked_div(self.length) {
            Some(round) if round == 0 || self.repeats() => Ok((round, at % self.length)),
            _ => Err(at - self.length),
        }
    }

    fn piece(&self, at: u64) -> Option<&Piece> {
        self.pieces.get(self.pieces.partition_point(|piece| piece.start <= at).checked_sub(1)?)
    }

    /// Twice the area below the line's first `at` milliseconds, in millionths × milliseconds / second. Never shrinks.
    #[must_use]
    pub fn doubled(&self, at: u64) -> u128 {
        let at = at.min(LATEST);
        match self.place(at) {
            Ok((round, at)) => {
                let inside = self.piece(at).map_or(0, |piece| piece.before + piece.doubled(at - piece.start));
                u128::from(round) * self.whole + inside
            }
            Err(beyond) => self.whole + 2 * u128::from(self.last()) * u128::from(beyond),
        }
    }

    /// The rate at a moment, in millionths a second.
    #[must_use]
    pub fn rate(&self, at: u64) -> u64 {
        match self.place(at.min(LATEST)) {
            Ok((_, at)) => self.piece(at).map_or(0, |piece| piece.rate(at - piece.start)),
            Err(_) => self.last(),
        }
    }

    /// The rate just before a moment, in millionths a second.
    #[must_use]
    pub fn rate_before(&self, at: u64) -> u64 {
        match self.place(at.min(LATEST).saturating_sub(1)) {
            Ok((_, inside)) => self.piece(inside).map_or(0, |piece| piece.rate(inside + 1 - piece.start)),
            Err(_) => self.last(),
        }
    }

    /// The highest rate of all, in millionths a second.
    #[must_use]
    pub fn peak(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.from.max(piece.to)).max().unwrap_or(0)
    }

    /// The moments at which a piece begins, with the rates on both sides, for who draws it.
    pub fn knots(&self) -> impl Iterator<Item = (u64, u64, u64)> {
        let before = std::iter::once(None).chain(self.pieces.iter().map(|piece| Some(piece.to)));
        self.pieces
            .iter()
            .zip(before)
            .map(|(piece, before)| (piece.start, before.unwrap_or(piece.from), piece.from))
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn lines() -> impl Strategy<Value = Line> {
        let after = prop_oneof![Just(After::Over), Just(After::Hold), Just(After::Again)];
        let rate = 0..=10_500_000_000_000_000_u64;
        (vec((1..=LONGEST / 8, rate.clone(), rate), 1..8), after).prop_map(|(pieces, after)| {
            let line =
                pieces.iter().fold(Line::default(), |line, &(length, from, to)| line.then(length, from, to));
            line.ending(after)
        })
    }

    proptest! {
        // The area never shrinks, whatever the line and however late: no span is due less than nothing.
        #[test]
        fn an_area_never_shrinks(line in lines(), at: u64, more in 0_u64..10_000) {
            prop_assert!(line.doubled(at) <= line.doubled(at.saturating_add(more)));
        }

        // The area of each piece is that of a trapezium, and a line's is that of its pieces, round after round.
        #[test]
        fn an_area_is_that_of_its_trapezia(line in lines(), rounds in 0_u64..4) {
            let whole: u128 = line.pieces.iter()
                .map(|piece| u128::from(piece.length) * (u128::from(piece.from) + u128::from(piece.to)))
                .sum();
            let rounds = if line.repeats() { rounds } else { rounds.min(1) };
            prop_assert_eq!(line.doubled(line.length * rounds), whole * u128::from(rounds));
        }
    }

    #[test]
    fn a_line_goes_on_as_it_was_told() {
        let line = Line::default().then(1_000, 0, 10).then(1_000, 20, 20);
        assert_eq!((line.end(), line.rate(500), line.rate(1_000), line.peak()), (Some(2_000), 5, 20, 20));
        assert_eq!((line.rate(9_000), line.doubled(3_000) - line.doubled(2_000)), (20, 40_000));
        let again = line.clone().ending(After::Again);
        assert_eq!((again.end(), again.rate(2_500), again.doubled(3_000)), (None, 5, 60_000));
    }
}
