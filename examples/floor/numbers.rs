//! Medians and quantiles, and numbers as people write them.

/// The least, the middle and the largest of some numbers.
#[derive(Debug, Clone, Copy)]
pub struct Spread {
    /// The least.
    pub least: f64,
    /// The middle.
    pub median: f64,
    /// The largest.
    pub most: f64,
}

impl Spread {
    /// Of these numbers; not a number where there are none.
    pub fn of(numbers: &[f64]) -> Self {
        Self { least: quantile(numbers, 0.0), median: median(numbers), most: quantile(numbers, 1.0) }
    }
}

/// The number in the middle, or the mean of the two there.
pub fn median(numbers: &[f64]) -> f64 {
    let sorted = sorted(numbers);
    match sorted.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => sorted[odd / 2],
        even => f64::midpoint(sorted[even / 2 - 1], sorted[even / 2]),
    }
}

/// The least number that at least this share of them does not exceed.
pub fn quantile(numbers: &[f64], share: f64) -> f64 {
    let sorted = sorted(numbers);
    let at = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(at.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

fn sorted(numbers: &[f64]) -> Vec<f64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// A whole number in groups of three digits.
pub fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Nanoseconds as microseconds.
pub fn micros(nanos: f64) -> String {
    format!("{:.2}", nanos / 1e3)
}

/// Bytes as megabytes.
pub fn megabytes(bytes: f64) -> String {
    format!("{:.1} MB", bytes / 1e6)
}
