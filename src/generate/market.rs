//! Prices that walk, without state: the price of any ticker at any sequence in constant time.
//!
//! The logarithm of a price is value noise: hashed values at the points of a lattice, joined smoothly, in
//! four octaves. Each octave is eight times as slow as the one before it and √8 times as far, the proportion
//! of a random walk. Only exactly defined operations are used, so that every machine gets the same cents.

use super::random::{hash, signed_unit};

/// Lattice spacing of the fastest octave, as a power of two of events: 64.
const FASTEST: u32 = 6;

/// Amplitude of the fastest octave, in the base-2 logarithm of the price.
const AMPLITUDE: f64 = 0.006;

/// √8: how much further each slower octave goes.
const FURTHER: f64 = 2.828_427;

const OCTAVES: u32 = 4;

/// No price is further from its base than this factor, up or down: 2 to the sum of all amplitudes.
#[cfg(test)]
const WIDEST: f64 = 1.155;

/// The most that a price moves from one sequence to the next, as a part of it: the slopes of all octaves.
#[cfg(test)]
const STEEPEST: f64 = 0.000_3;

/// The factor between a ticker's price at `sequence` and its base price.
#[inline]
pub(super) fn factor(ticker: u64, sequence: u64) -> f64 {
    let mut log2 = 0.0;
    let mut amplitude = AMPLITUDE;
    for octave in 0..OCTAVES {
        let key = ticker.rotate_left(octave * 8);
        let spacing = FASTEST + 3 * octave;
        let (point, rest) = (sequence >> spacing, sequence & ((1 << spacing) - 1));
        let before = signed_unit(hash(key, point));
        let after = signed_unit(hash(key, point + 1)); // a point is below 2^58
        let t = rest as f64 / (1_u64 << spacing) as f64;
        log2 += amplitude * (before + (after - before) * t * t * (3.0 - 2.0 * t));
        amplitude *= FURTHER;
    }
    exp2(log2)
}

/// 2 to the power of `x`, for |x| ≤ 0.21 exact to 10⁻⁸. The standard library's differs between platforms.
#[inline]
fn exp2(x: f64) -> f64 {
    let y = x * std::f64::consts::LN_2;
    1.0 + y * (1.0 + y / 2.0 * (1.0 + y / 3.0 * (1.0 + y / 4.0 * (1.0 + y / 5.0 * (1.0 + y / 6.0)))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        // Whatever the ticker and wherever in the sequence: the price stays near its base, and one step
        // changes it by 0.3 thousandths at most.
        #[test]
        fn a_price_is_bounded_and_continuous(ticker in any::<u64>(), sequence in 0..u64::MAX) {
            let (here, next) = (factor(ticker, sequence), factor(ticker, sequence + 1));
            prop_assert!((1.0 / WIDEST..=WIDEST).contains(&here));
            prop_assert!((next / here - 1.0).abs() <= STEEPEST, "{here} then {next}");
        }

        // Within its range the polynomial is the power.
        #[test]
        fn exp2_is_the_power_of_two(x in -0.21..0.21_f64) {
            prop_assert!((exp2(x) - x.exp2()).abs() < 1e-8);
        }
    }

    #[test]
    fn a_price_is_not_constant_and_no_two_tickers_walk_alike() {
        let path = |ticker| (0..100).map(|step| factor(ticker, step * 1_000)).collect::<Vec<_>>();
        let (one, other) = (path(1), path(2));
        let spread = |path: &[f64]| {
            path.iter().copied().fold(f64::MIN, f64::max) / path.iter().copied().fold(f64::MAX, f64::min)
        };
        assert!(spread(&one) > 1.05 && spread(&other) > 1.05, "{} {}", spread(&one), spread(&other));
        assert!(one.iter().zip(&other).all(|(a, b)| a != b));
    }
}
