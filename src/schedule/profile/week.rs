//! A load by the hours of a week, as the Kinesis Data Generator has it: means, deviations, straight lines between them.
//!
//! The week is that of the wall clock in a stated zone, Sunday first. Noise is drawn anew for each second, from the
//! run's seed and that second alone.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Start;
use super::line::{After, Line};

/// Hours of a week.
pub(super) const HOURS: usize = 7 * 24;

const HOUR: u64 = 3_600_000;
const WEEK: u64 = HOURS as u64 * HOUR;

/// The Unix epoch was a Thursday: milliseconds since the Sunday before it.
const EPOCH: u64 = 4 * 24 * HOUR;

/// Noise is cut off at so many deviations, so that the highest rate is known before the run: one draw in 16,000.
pub const MOST_DEVIATIONS: u64 = 4;

/// The days, in the order of the files.
pub const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// One number for each hour of a week, Sunday first, in millionths.
pub type Hours = [u64; HOURS];

/// Where the wall clock of a week hangs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Zone {
    /// Always as far from UTC, in seconds to the east.
    Fixed(i32),
    /// A place of the time zone database, with its summer time.
    Place(TimeZone),
}

impl Zone {
    /// UTC.
    pub const UTC: Self = Self::Fixed(0);

    /// How far the zone's wall clock is before UTC at a moment, in milliseconds.
    fn ahead(&self, unix_millis: u64) -> i64 {
        let seconds = match self {
            Self::Fixed(seconds) => *seconds,
            Self::Place(place) => i64::try_from(unix_millis / 1_000)
                .ok()
                .and_then(|second| Timestamp::from_second(second).ok())
                .map_or(0, |moment| place.to_offset(moment).seconds()),
        };
        i64::from(seconds) * 1_000
    }
}

impl FromStr for Zone {
    type Err = String;

    /// `UTC`, `+05:30`, or a place such as `Europe/Berlin`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?} is no time zone: write UTC, an offset such as +05:30, or a place such as Europe/Berlin"
            )
        };
        if text == "UTC" || text == "Z" {
            return Ok(Self::UTC);
        }
        let Some(sign) = ["+", "-"].into_iter().find(|sign| text.starts_with(sign)) else {
            return TimeZone::get(text).map(Self::Place).map_err(|_| wrong());
        };
        let (hours, minutes) = text[1..].split_once(':').ok_or_else(wrong)?;
        let number = |part: &str, most: i32| {
            let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse::<i32>().ok().filter(|number| digits && *number <= most)
        };
        let (hours, minutes) = number(hours, 14).zip(number(minutes, 59)).ok_or_else(wrong)?;
        let seconds = hours * 3_600 + minutes * 60;
        Ok(Self::Fixed(if sign == "-" { -seconds } else { seconds }))
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(0) => f.write_str("UTC"),
            Self::Fixed(seconds) => {
                let (sign, minutes) = (if *seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
                write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
            Self::Place(place) => f.write_str(place.iana_name().unwrap_or("a place")),
        }
    }
}

/// A week of means and deviations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Week {
    mean: Line,
    deviation: Line,
    zone: Zone,
}

impl Week {
    /// A week from each hour's mean and deviation. Where it is smooth, the numbers are those of each hour's start, and
    /// between them the load goes straight, across midnight and from Saturday to Sunday; else each hour is level.
    #[must_use]
    pub fn new(mean: &Hours, deviation: &Hours, zone: Zone, smooth: bool) -> Self {
        let line = |hours: &Hours| {
            let next = |hour: usize| hours[if smooth { (hour + 1) % HOURS } else { hour }];
            let line =
                (0..HOURS).fold(Line::default(), |line, hour| line.then(HOUR, hours[hour], next(hour)));
            line.ending(After::Again)
        };
        Self { mean: line(mean), deviation: line(deviation), zone }
    }

    /// The start on the zone's own wall clock, as that stands `at` milliseconds after it.
    pub(super) fn local(&self, start: &Start, at: u64) -> Start {
        let ahead = self.zone.ahead(start.wall_millis.saturating_add(at));
        Start { wall_millis: start.wall_millis.saturating_add_signed(ahead), ..*start }
    }

    /// Twice the area below the means until `at` milliseconds after `local`, a moment of the zone's wall clock.
    pub(super) fn doubled(&self, local: u64, at: u64) -> u128 {
        let begin = (local % WEEK + EPOCH) % WEEK;
        self.mean.doubled(begin.saturating_add(at)) - self.mean.doubled(begin)
    }

    /// What is added to the second that begins `at` milliseconds after `start`: a normal draw, cut off at four
    /// deviations. In millionths.
    pub(super) fn noise(&self, start: &Start, at: u64) -> i64 {
        let local = self.local(start, at).wall_millis;
        let middle = (local % WEEK + EPOCH + at + 500) % WEEK;
        let deviation = self.deviation.rate(middle);
        let second = start.wall_millis.saturating_add(at) / 1_000;
        (normal(start.seed, second) * deviation as f64) as i64
    }

    pub(super) fn is_noisy(&self) -> bool {
        self.deviation.peak() > 0
    }

    pub(super) fn peak(&self) -> u64 {
        let knots = self.mean.knots().zip(self.deviation.knots());
        let sides = |((_, mean_left, mean), (_, left, deviation)): ((u64, u64, u64), (u64, u64, u64))| {
            (mean_left + MOST_DEVIATIONS * left).max(mean + MOST_DEVIATIONS * deviation)
        };
        knots.map(sides).max().unwrap_or(0)
    }
}

/// A draw from the standard normal distribution (Box and Muller), cut off, for one second of one seed.
fn normal(seed: u64, second: u64) -> f64 {
    let mut random = fastrand::Rng::with_seed(seed ^ second.wrapping_mul(0xd6e8_feb8_6659_fd93));
    let radius = (-2.0 * (1.0 - random.f64()).ln()).sqrt();
    let most = MOST_DEVIATIONS as f64;
    (radius * (std::f64::consts::TAU * random.f64()).cos()).clamp(-most, most)
}
