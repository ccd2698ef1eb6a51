//! What lasts from one event to the next, without being remembered: each is a function of a key and the event's number,
//! so that any single event can be made again.
//!
//! Only exactly defined operations are used (and libm's sine), so that every machine gets the same digits.

use crate::generate::cuts::{Block, Cuts};
use crate::generate::random::{hash, mix, signed_unit};

/// Events in which a value of `drift` can go from one end to the other, unless it is told.
pub(super) const OVER: u64 = 4_096;

/// A key that belongs to a text.
pub(super) fn key_of(key: u64, text: &str) -> u64 {
    text.as_bytes().chunks(8).fold(mix(key ^ text.len() as u64), |key, chunk| {
        let mut bytes = [0; 8];
        bytes[..chunk.len()].copy_from_slice(chunk);
        hash(key, u64::from_le_bytes(bytes))
    })
}

/// A value between `low` and `high` that wanders: hashed values at the points of a lattice, joined smoothly, in three
/// octaves, each eight times as fast as the one before and 1/√8 as far.
pub(super) fn drift(key: u64, sequence: u64, over: u64, low: f64, high: f64) -> f64 {
    const LESS: f64 = 0.353_553_390_593_273_8;
    let (mut sum, mut total, mut amplitude, mut spacing) = (0.0, 0.0, 1.0, over.max(1));
    for octave in 0..3 {
        let key = hash(key, octave);
        let (point, rest) = (sequence / spacing, sequence % spacing);
        let (before, after) = (signed_unit(hash(key, point)), signed_unit(hash(key, point.wrapping_add(1))));
        let t = rest as f64 / spacing as f64;
        sum += amplitude * (before + (after - before) * t * t * (3.0 - 2.0 * t));
        total += amplitude;
        amplitude *= LESS;
        spacing = (spacing / 8).max(1);
    }
    let middle = low / 2.0 + high / 2.0;
    (middle + (high / 2.0 - low / 2.0) * sum / total).clamp(low, high)
}

/// What a counter shows that grows by `step` with each event in the mean, and never shrinks.
pub(super) fn meter(key: u64, sequence: u64, step: f64) -> f64 {
    let part = signed_unit(hash(key, sequence)) / 2.0 + 0.5;
    step * (sequence as f64 + part)
}

/// The stretch of events that `sequence` lies in, when they are cut into stretches of about `length`.
pub(super) fn span(key: u64, sequence: u64, length: u64) -> Block {
    let step = length.max(1);
    // The largest power of two that is no longer than half of it.
    let spread = if step < 4 { 1 } else { 1 << (step / 2).ilog2() };
    Cuts { step, spread }.block(key, sequence)
}

/// A sine of the time between `low` and `high`.
pub(super) fn wave(millis: u64, period_millis: u64, low: f64, high: f64) -> f64 {
    let period = period_millis.max(1);
    let turn = (millis % period) as f64 / period as f64;
    let middle = low / 2.0 + high / 2.0;
    (middle + (high / 2.0 - low / 2.0) * libm::sin(turn * std::f64::consts::TAU)).clamp(low, high)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        // Whatever the key and wherever in the sequence: a drifting value stays between its ends, and goes no further in
        // one event than its fastest octave's slope, three halves of its swing over the spacing, and the others'.
        #[test]
        fn a_drifting_value_is_bounded_and_continuous(key in any::<u64>(), at in 0..u64::MAX, over in 64..100_000_u64) {
            let (here, next) = (drift(key, at, over, -5.0, 15.0), drift(key, at + 1, over, -5.0, 15.0));
            prop_assert!((-5.0..=15.0).contains(&here));
            let most: f64 = (0..3).map(|octave: i32| {
                let (amplitude, spacing) = (0.3536_f64.powi(octave), (over / 8_u64.pow(octave as u32)) as f64);
                10.0 * 2.0 * 1.5 * amplitude / 1.478 / spacing
            }).sum();
            prop_assert!((here - next).abs() <= most, "{here} then {next}: more than {most}");
        }

        // A meter never goes back, and shows its mean step times the number of events, within a step.
        #[test]
        fn a_meter_only_grows(key in any::<u64>(), at in 0..1_u64 << 40, step in 0.001..1_000.0_f64) {
            let (here, next) = (meter(key, at, step), meter(key, at + 1, step));
            prop_assert!(here <= next);
            prop_assert!((here / step - at as f64) < 1.001 && here / step >= at as f64 - 0.001);
        }

        // Stretches join up without gap or overlap, whatever their length.
        #[test]
        fn stretches_join_up(key in any::<u64>(), at in prop_oneof![0..500_u64, 0..1_u64 << 60], length in 1..300_u64) {
            let (here, next) = (span(key, at, length), span(key, at + 1, length));
            prop_assert!(here.offset < here.length && here.length <= length + length / 2);
            let wanted = if here.offset + 1 < here.length {
                Block { offset: here.offset + 1, ..here }
            } else {
                Block { index: here.index + 1, offset: 0, length: next.length }
            };
            prop_assert_eq!(next, wanted);
        }

        // Texts that differ have other keys.
        #[test]
        fn other_texts_have_other_keys(one in "\\PC{0,20}", other in "\\PC{0,20}") {
            prop_assert_eq!(key_of(1, &one) == key_of(1, &other), one == other);
        }
    }

    #[test]
    fn a_drifting_value_goes_from_one_part_of_its_range_to_another() {
        let path: Vec<f64> = (0..50).map(|step| drift(7, step * 1_000, OVER, 0.0, 1.0)).collect();
        assert!(path.iter().any(|value| *value < 0.35) && path.iter().any(|value| *value > 0.65), "{path:?}");
    }

    #[test]
    fn a_wave_has_its_period() {
        let at = |millis| wave(millis, 86_400_000, 10.0, 30.0);
        for (hours, degrees) in [(0, 20.0), (6, 30.0), (12, 20.0), (18, 10.0), (24, 20.0), (30, 30.0)] {
            assert!((at(hours * 3_600_000) - degrees).abs() < 1e-9, "{hours}");
        }
    }
}
