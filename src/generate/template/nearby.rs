//! A point at a distance from another on the globe, for `address.nearbyGPSCoordinate`.
//!
//! KDG's formula. The functions of angles are series of our own, because the standard library's differ from
//! platform to platform in their last bits, and an event's bytes must not.

use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI};

use super::number;
use super::op::unit;
use crate::generate::random::Random;

/// The radius of the earth that KDG takes, in km.
const EARTH: f64 = 6378.137;

/// The longest that [`Nearby::write`] appends: two numbers below 1,000 with four decimals, or `NaN`.
pub(super) const LONGEST: usize = 24;

/// Points at one distance from a centre.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Nearby {
    /// Latitude and longitude in degrees; none: a random one for each event.
    pub(super) centre: Option<(f64, f64)>,
    /// In the radius's unit, which KDG takes for km.
    pub(super) distance: f64,
}

impl Nearby {
    /// Appends a point as `latitude,longitude`.
    pub(super) fn write(&self, random: &mut Random, out: &mut Vec<u8>) {
        let centre = self.centre.unwrap_or_else(|| {
            let degrees = |half: u32, random: &mut Random| {
                f64::from(random.below(half * 20_000 + 1)) / 10_000.0 - f64::from(half)
            };
            (degrees(90, random), degrees(180, random))
        });
        let (latitude, longitude) = point(centre, unit(random) * 2.0 * PI, self.distance / EARTH);
        number::write_four_decimals(latitude, out);
        out.push(b',');
        number::write_four_decimals(longitude, out);
    }
}

/// The point, in degrees, that lies at `angle` (distance over radius) from `centre` in the direction of `bearing`.
fn point((latitude, longitude): (f64, f64), bearing: f64, angle: f64) -> (f64, f64) {
    let (latitude, longitude) = (latitude / 180.0 * PI, longitude / 180.0 * PI);
    let (sin_here, cos_here) = sin_cos(latitude);
    let (sin_angle, cos_angle) = sin_cos(angle);
    let (sin_bearing, cos_bearing) = sin_cos(bearing);
    let sin_there = (sin_here * cos_angle + cos_here * sin_angle * cos_bearing).clamp(-1.0, 1.0);
    let there = atan2(sin_there, (1.0 - sin_there * sin_there).sqrt());
    let further = atan2(sin_bearing * sin_angle * cos_here, cos_angle - sin_here * sin_there);
    let mut east = longitude + further;
    if east > PI {
        east -= 2.0 * PI;
    } else if east < -PI {
        east += 2.0 * PI;
    }
    (there / PI * 180.0, east / PI * 180.0)
}

/// Sine and cosine.
fn sin_cos(angle: f64) -> (f64, f64) {
    let quarters = (angle / FRAC_PI_2).round();
    let x = angle - quarters * FRAC_PI_2;
    let square = x * x;
    // Horner's scheme from the last term: within ±π/4 the terms left out are below 10⁻¹⁷.
    let series = |first: f64, x: f64| {
        (0..9).rev().fold(1.0, |sum, term| {
            let n = first + 2.0 * f64::from(term);
            1.0 - square / (n * (n + 1.0)) * sum
        }) * x
    };
    let (sin, cos) = (series(2.0, x), series(1.0, 1.0));
    match quarters.rem_euclid(4.0) {
        0.0 => (sin, cos),
        1.0 => (cos, -sin),
        2.0 => (-sin, -cos),
        3.0 => (-cos, sin),
        _ => (f64::NAN, f64::NAN),
    }
}

/// The angle of the point (x, y).
fn atan2(y: f64, x: f64) -> f64 {
    if y == 0.0 && x == 0.0 {
        return 0.0;
    }
    let steep = y.abs() > x.abs();
    let slope = if steep { x.abs() / y.abs() } else { y.abs() / x.abs() };
    // Halving the angle twice makes the series short: atan(s) = 2 atan(s / (1 + √(1 + s²))).
    let half = |s: f64| s / (1.0 + (1.0 + s * s).sqrt());
    let s = half(half(slope));
    let square = s * s;
    let sum = (0..14).rev().fold(0.0, |sum, term| 1.0 / f64::from(2 * term + 1) - square * sum);
    let mut angle = 4.0 * s * sum;
    debug_assert!(angle.is_nan() || angle <= FRAC_PI_4 + 1e-12);
    if steep {
        angle = FRAC_PI_2 - angle;
    }
    if x < 0.0 {
        angle = PI - angle;
    }
    if y < 0.0 { -angle } else { angle }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        // The series are the standard library's functions, to far more than four decimals of a degree.
        #[test]
        fn the_series_are_the_functions(angle in -1e4..1e4_f64, y in -2.0..2.0_f64, x in -2.0..2.0_f64) {
            let (sin, cos) = sin_cos(angle);
            prop_assert!((sin - angle.sin()).abs() < 1e-11 && (cos - angle.cos()).abs() < 1e-11);
            prop_assert!((atan2(y, x) - y.atan2(x)).abs() < 1e-14);
        }

        // Any point that is drawn lies at the distance asked for, and on the globe.
        #[test]
        fn a_point_lies_at_its_distance(
            latitude in -89.0..89.0_f64, longitude in -180.0..180.0_f64, bearing in 0.0..6.3_f64, km in 0.1..5_000.0_f64,
        ) {
            let (there, east) = point((latitude, longitude), bearing, km / EARTH);
            prop_assert!(there.abs() <= 90.0 && east.abs() <= 180.0 + 1e-9);
            let (a, b) = (latitude.to_radians(), there.to_radians());
            let cos = a.sin() * b.sin() + a.cos() * b.cos() * (east - longitude).to_radians().cos();
            prop_assert!((cos.clamp(-1.0, 1.0).acos() * EARTH - km).abs() < 0.01);
        }
    }

    #[test]
    fn a_distance_that_is_no_number_gives_no_point() {
        let mut out = Vec::new();
        Nearby { centre: Some((1.0, f64::NAN)), distance: 1.0 }.write(&mut Random::new(1), &mut out);
        assert!(out.ends_with(b",NaN") && out.len() <= LONGEST);
    }
}
