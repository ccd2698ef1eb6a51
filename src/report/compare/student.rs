//! Means of a short, autocorrelated series: how far they can be trusted, by Student's t.
//!
//! Plain numbers in and out.

use libm::lgamma;

/// What is known of the mean of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Mean {
    /// The mean itself.
    pub value: f64,
    /// Its standard error.
    pub error: f64,
    /// Degrees of freedom of that.
    pub freedom: f64,
}

/// Autocorrelation above this is taken for this: with more there is next to nothing to be learned from the series.
const MOST_CORRELATED: f64 = 0.9;

impl Mean {
    /// The mean of values that follow one another in time; none of fewer than three.
    ///
    /// Neighbours may be alike: with an autocorrelation ρ at lag 1 (estimated, and corrected for its bias in short
    /// series by (1 + 3ρ)/n, Kendall 1954), n values are worth n(1 − ρ)/(1 + ρ).
    pub(super) fn of(values: &[f64]) -> Option<Self> {
        let n = values.len() as f64;
        if values.len() < 3 {
            return None;
        }
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let variance = squares / (n - 1.0);
        let products: f64 = values.windows(2).map(|two| (two[0] - mean) * (two[1] - mean)).sum();
        let raw = if squares > 0.0 { products / squares } else { 0.0 };
        let correlation = (raw + (1.0 + 3.0 * raw) / n).clamp(0.0, MOST_CORRELATED);
        let worth = n * (1.0 - correlation) / (1.0 + correlation);
        Some(Self { value: mean, error: (variance / worth).sqrt(), freedom: (worth - 1.0).max(1.0) })
    }

    /// This mean less the other, of series that know nothing of each other (Welch 1947).
    pub(super) fn minus(&self, other: &Self) -> Self {
        let (one, two) = (self.error.powi(2), other.error.powi(2));
        let freedom = if one + two > 0.0 {
            (one + two).powi(2) / (one.powi(2) / self.freedom + two.powi(2) / other.freedom)
        } else {
            self.freedom + other.freedom
        };
        Self { value: self.value - other.value, error: (one + two).sqrt(), freedom }
    }

    /// Half of the interval that holds the true mean with a probability of 1 − `alpha`.
    pub(super) fn half_width(&self, alpha: f64) -> f64 {
        self.error * quantile(1.0 - alpha / 2.0, self.freedom)
    }
}

/// The quantile of Student's t with so many degrees of freedom, for `p` from ½ to 1.
pub(super) fn quantile(p: f64, freedom: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while cumulative(high, freedom) < p && high < 1e9 {
        high *= 2.0;
    }
    for _ in 0..80 {
        let middle = (low + high) / 2.0;
        if cumulative(middle, freedom) < p { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

/// The probability that Student's t is at most `t`, for t ≥ 0.
fn cumulative(t: f64, freedom: f64) -> f64 {
    1.0 - incomplete_beta(freedom / (freedom + t * t), freedom / 2.0, 0.5) / 2.0
}

/// The regularised incomplete beta function, by its continued fraction (Lentz's method; DLMF 8.17.22).
fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    // The fraction converges fast on this side only.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(1.0 - x, b, a);
    }
    let front = (lgamma(a + b) - lgamma(a) - lgamma(b) + a * x.ln() + b * (1.0 - x).ln()).exp() / a;
    let tiny = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let (mut c, mut d) = (1.0, 1.0 / tiny(1.0 - (a + b) * x / (a + 1.0)));
    let mut fraction = d;
    for m in 1..300 {
        let m = f64::from(m);
        for numerator in [
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0)),
        ] {
            d = 1.0 / tiny(1.0 + numerator * d);
            c = tiny(1.0 + numerator / c);
            fraction *= c * d;
        }
        if (c * d - 1.0).abs() < 1e-14 {
            break;
        }
    }
    front * fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    // Tables of Student's t (NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2).
    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (p, freedom, t) in [
            (0.975, 1.0, 12.706),
            (0.975, 2.0, 4.303),
            (0.975, 10.0, 2.228),
            (0.995, 5.0, 4.032),
            (0.999, 30.0, 3.385),
            (0.95, 100.0, 1.660),
            (0.975, 1e6, 1.960),
        ] {
            let found = quantile(p, freedom);
            assert!((found - t).abs() < 2e-3, "{p} {freedom}: {found}");
        }
    }

    #[test]
    fn what_is_alike_is_worth_less() {
        let apart = [1.0, 3.0, 2.0, 1.0, 3.0, 2.0, 1.0, 3.0, 2.0, 2.0];
        let alike = [1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 3.0, 3.0, 3.0];
        let (apart, alike) = (Mean::of(&apart).expect("ten"), Mean::of(&alike).expect("ten"));
        assert!((apart.value, apart.freedom) == (2.0, 9.0) && alike.value == 2.0);
        assert!(alike.error > 2.0 * apart.error && alike.freedom < 3.0, "{alike:?} {apart:?}");
        assert_eq!(Mean::of(&[1.0, 2.0]), None);
        let still = Mean::of(&[5.0; 8]).expect("eight");
        assert_eq!((still.error, still.minus(&still).half_width(0.05)), (0.0, 0.0));
    }
}
