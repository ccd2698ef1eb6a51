//! The shapes that have names, each as a line: constant, ramp, steps, sine, spike, points.
//!
//! Rates are in millionths a second, times in milliseconds. Each says what is wrong with its numbers.

use super::line::{After, Line};
use crate::schedule::quantity::Decimal;

/// Straight pieces of a sine's period: they are off by less than 5 millionths of its amplitude.
const SINE_PIECES: u64 = 1_024;

/// The shortest period of a sine: pieces of less than a millisecond could not be told apart.
pub const SHORTEST_PERIOD: u64 = 2 * SINE_PIECES;

/// The names, as errors tell them.
pub const SHAPES: [&str; 7] = ["constant", "ramp", "steps", "sine", "spike", "points", "weekly"];

/// One burst of a spike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Burst {
    /// Times the base, in millionths.
    pub times: u64,
    /// When it begins.
    pub at: u64,
    /// How long it lasts.
    pub lasts: u64,
}

/// From one rate to another, straight.
pub fn ramp(from: u64, to: u64, length: u64) -> Line {
    Line::default().then(length, from, to)
}

/// One rate after the other, each as long.
pub fn steps(rates: &[u64], each: u64) -> Line {
    rates.iter().fold(Line::default(), |line, &rate| line.then(each, rate, rate))
}

/// A mean and a swing around it: mean + swing × sin(2π t / period), in 1,024 straight pieces a period.
pub fn sine(mean: u64, swing: u64, period: u64) -> Result<Line, String> {
    if swing > mean {
        return Err(format!(
            "it goes down to {} − {} < 0: a swing is at most the mean",
            Decimal(mean),
            Decimal(swing)
        ));
    }
    if period < SHORTEST_PERIOD {
        return Err(format!("its period is shorter than {SHORTEST_PERIOD} ms"));
    }
    let moment = |knot: u64| (u128::from(period) * u128::from(knot) / u128::from(SINE_PIECES)) as u64;
    let rate = |knot: u64| {
        // By quarters, so that both halves of the period are each other's mirror to the last digit.
        let twice = 2 * moment(knot % SINE_PIECES);
        let inside = twice % period;
        let turn = inside.min(period - inside) as f64 / period as f64;
        let up = (((std::f64::consts::PI * turn).sin() * swing as f64).round() as u64).min(swing);
        if twice < period { mean + up } else { mean - up }
    };
    let pieces = (0..SINE_PIECES).fold(Line::default(), |line, knot| {
        line.then(moment(knot + 1) - moment(knot), rate(knot), rate(knot + 1))
    });
    Ok(pieces.ending(After::Again))
}

/// A base with bursts of a multiple of it.
pub fn spike(base: u64, bursts: &[Burst], most: u64) -> Result<Line, String> {
    let mut bursts = bursts.to_vec();
    bursts.sort_by_key(|burst| burst.at);
    let (mut line, mut reached) = (Line::default(), 0);
    for Burst { times, at, lasts } in bursts {
        if at < reached {
            return Err("its bursts overlap: let each end before the next begins".to_owned());
        }
        let rate = (u128::from(base) * u128::from(times) / 1_000_000) as u64;
        if u128::from(base) * u128::from(times) / 1_000_000 > u128::from(most) {
            return Err(format!(
                "x{} is {} in a second: more than a load may be",
                Decimal(times),
                Decimal(rate)
            ));
        }
        line = line.then(at - reached, base, base).then(lasts, rate, rate);
        reached = at + lasts;
    }
    // So that the base is what goes on.
    Ok(line.then(1_000, base, base).ending(After::Hold))
}

/// Straight from point to point, (moment, rate); the first point's rate holds before it.
pub fn points(points: &[(u64, u64)]) -> Result<Line, String> {
    let Some(&(first, rate)) = points.first() else { return Err("it has no points".to_owned()) };
    let (mut line, mut before) = (Line::default().then(first, rate, rate), (first, rate));
    for &(at, rate) in &points[1..] {
        if at < before.0 {
            return Err("its points go back in time: put them in order".to_owned());
        }
        line = line.then(at - before.0, before.1, rate);
        before = (at, rate);
    }
    if line.length() == 0 { Err("it has no length: its last point is at 0".to_owned()) } else { Ok(line) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sine_is_off_by_less_than_five_millionths_of_its_swing_and_even_over_a_period() {
        let (mean, swing, period) = (1_000_000_000, 500_000_000, 600_000);
        let line = sine(mean, swing, period).expect("legal");
        for at in (0..period).step_by(97) {
            let exact =
                mean as f64 + swing as f64 * (std::f64::consts::TAU * at as f64 / period as f64).sin();
            let apart = (line.rate(at) as f64 - exact).abs();
            assert!(apart < 5e-6 * swing as f64 + 1.0, "{apart} at {at}");
        }
        let apart = line.doubled(3 * period).abs_diff(6 * u128::from(mean) * u128::from(period));
        assert!(apart <= 6 * u128::from(swing), "{apart}");
        assert_eq!(line.peak(), mean + swing);
    }

    #[test]
    fn what_goes_below_nothing_or_back_in_time_is_told() {
        assert!(sine(100, 101, 10_000).expect_err("below 0").contains("0.0001 − 0.000101 < 0"));
        assert!(sine(100, 1, 2_047).expect_err("short").contains("2048 ms"));
        let burst = |at, lasts| Burst { times: 2_000_000, at, lasts };
        assert!(spike(5, &[burst(9, 10), burst(0, 10)], 100).expect_err("overlap").contains("overlap"));
        assert!(spike(51, &[burst(9, 10)], 100).expect_err("high").contains("more than"));
        assert!(points(&[(10, 5), (9, 5)]).expect_err("back").contains("back in time"));
        assert!(points(&[(0, 5)]).expect_err("short").contains("length"));
        assert!(points(&[]).expect_err("none").contains("no points"));
    }

    #[test]
    fn a_spike_is_its_base_before_between_and_after() {
        let bursts = [
            Burst { times: 3_000_000, at: 5_000, lasts: 1_000 },
            Burst { times: 500_000, at: 0, lasts: 100 },
        ];
        let line = spike(100, &bursts, 1_000).expect("legal");
        assert_eq!([0, 100, 5_000, 6_000, 60_000].map(|at| line.rate(at)), [50, 100, 300, 100, 100]);
        assert_eq!(line.end(), None);
    }
}
