//! Numbers as people read them: grouped or shortened counts, bytes in powers of 1,024, durations, shares.
//!
//! Decides nothing but the form. No number is rounded to a claim that it does not support: a share is 0 %
//! or 100 % only when it is exactly that.

use std::time::Duration;

/// A count in full, its thousands set apart: `1,234,567`.
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count with its noun: `1 record`, `2,000 records`.
pub(super) fn counted(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// A quantity in at most five characters below 10^15: `0.5`, `900`, `9,999`, `12.3k`, `1.23M`.
pub(super) fn short(quantity: f64) -> String {
    if quantity < 9.95 && (quantity - quantity.round()).abs() >= 0.05 {
        return format!("{quantity:.1}");
    }
    if quantity < 9_999.5 {
        return grouped(quantity.round() as u64);
    }
    let (scaled, unit) = scale(quantity / 1_000.0, 1_000.0, &["k", "M", "G", "T"]);
    format!("{}{unit}", significant(scaled))
}

/// A quantity per second, such as `900/s`.
pub(super) fn rate(per_second: f64) -> String {
    format!("{}/s", short(per_second))
}

/// A number of bytes: `585 B`, `1.25 KiB`, `98.7 MiB`.
pub fn bytes(bytes: f64) -> String {
    let (scaled, unit) = scale(bytes, 1_024.0, &["B", "KiB", "MiB", "GiB", "TiB", "PiB"]);
    if unit == "B" { format!("{scaled:.0} B") } else { format!("{} {unit}", significant(scaled)) }
}

/// A duration: `850 µs`, `1.25 ms`, `480 ms`, `12.3 s`, `2m 05s`, `1h 00m 07s`.
pub(super) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds >= 99.95 {
        let whole = seconds.round() as u64;
        let (hours, minutes, seconds) = (whole / 3_600, whole / 60 % 60, whole % 60);
        return if hours > 0 {
            format!("{hours}h {minutes:02}m {seconds:02}s")
        } else {
            format!("{minutes}m {seconds:02}s")
        };
    }
    if duration.is_zero() {
        return "0 s".to_owned();
    }
    let (scaled, unit) = scale(seconds * 1e6, 1_000.0, &["µs", "ms", "s"]);
    if unit == "µs" { format!("{scaled:.0} µs") } else { format!("{} {unit}", significant(scaled)) }
}

/// A duration in two digits, as fine as the ledger's percentiles are: `12 ms`, `1.2 s`, `480 ms`.
pub(super) fn brief(precise: Duration) -> String {
    let micros = precise.as_micros() as f64;
    if !(1.0..99.5e6).contains(&micros) {
        return duration(precise);
    }
    let unit = 10_f64.powf(micros.log10().floor() - 1.0).max(1.0);
    let (scaled, name) = scale((micros / unit).round() * unit, 1_000.0, &["µs", "ms", "s"]);
    if name != "µs" && scaled < 9.95 { format!("{scaled:.1} {name}") } else { format!("{scaled:.0} {name}") }
}

/// A duration that a person set: `10 s`, `1.5 s`, without zeros that say nothing.
pub(super) fn setting(set: Duration) -> String {
    let text = duration(set);
    match text.split_once(' ') {
        Some((number, unit)) if number.contains('.') => {
            format!("{} {unit}", number.trim_end_matches('0').trim_end_matches('.'))
        }
        _ => text,
    }
}

/// A duration as settings write it, to the second: `5m`, `19m30s`, `7d`, `1d12h`.
pub fn span(duration: Duration) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let mut left = duration.as_secs();
    if left == 0 {
        return if duration.is_zero() { "0s".to_owned() } else { format!("{}ms", duration.as_millis()) };
    }
    let mut text = String::new();
    for (size, unit) in UNITS {
        if left >= size {
            text.push_str(&format!("{}{unit}", left / size));
            left %= size;
        }
    }
    text
}

/// A duration as on a clock: `0:01:05`.
pub(super) fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    format!("{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// `part` of `whole` in percent: `97.50 %`; `100 %` and `0 %` only when it is exactly that.
pub fn share(part: u64, whole: u64) -> String {
    if part == 0 {
        "0 %".to_owned()
    } else if part == whole {
        "100 %".to_owned()
    } else {
        format!("{:.2} %", (part as f64 / whole as f64 * 100.0).clamp(0.01, 99.99))
    }
}

/// Text as text in HTML and SVG: what would be markup there, or show other text than there is, is not.
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // What steers a terminal or the direction of writing would show other text than there is.
            control if control.is_control() => safe.push('\u{fffd}'),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => safe.push('\u{fffd}'),
            other => safe.push(other),
        }
    }
    safe
}

/// The first unit in which `quantity` has at most three digits before the point.
fn scale(mut quantity: f64, step: f64, units: &[&'static str]) -> (f64, &'static str) {
    let mut at = 0;
    while quantity >= 999.5 && at + 1 < units.len() {
        quantity /= step;
        at += 1;
    }
    (quantity, units[at])
}

/// Three significant digits.
fn significant(quantity: f64) -> String {
    if quantity < 9.995 {
        format!("{quantity:.2}")
    } else if quantity < 99.95 {
        format!("{quantity:.1}")
    } else {
        format!("{quantity:.0}")
    }
}

/// A share in percent: to a tenth below 10 %, and never 100 % when it is more.
pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 100.0 {
        format!("{} %", grouped(percent.ceil() as u64))
    } else if percent >= 9.95 {
        format!("{percent:.0} %")
    } else if percent > 0.0 {
        format!("{:.1} %", percent.max(0.1))
    } else {
        "0 %".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        let told: Vec<String> = [0, 7, 999, 1_000, 1_234_567, u64::MAX].map(grouped).into();
        assert_eq!(told, ["0", "7", "999", "1,000", "1,234,567", "18,446,744,073,709,551,615"]);
        assert_eq!((counted(1, "record"), counted(0, "record")), ("1 record".into(), "0 records".into()));
    }

    #[test]
    fn a_short_quantity_fits_five_characters() {
        let quantities = [0.0, 0.04, 0.5, 9.94, 9.96, 900.4, 9_999.4, 9_999.6, 12_345.0, 999_600.0, 1.234e6];
        let told: Vec<String> = quantities.map(short).into();
        assert_eq!(told, ["0", "0", "0.5", "9.9", "10", "900", "9,999", "10.0k", "12.3k", "1.00M", "1.23M"]);
        let mut quantity = 0.001;
        while quantity < 9e14 {
            assert!(short(quantity).len() <= 5, "{quantity} {}", short(quantity));
            quantity *= 1.01;
        }
    }

    #[test]
    fn bytes_are_told_in_three_digits() {
        let told: Vec<String> =
            [0.0, 585.4, 1_023.0, 1_280.0, 524_288.0, 1_048_576.0, 3.3e12].map(bytes).into();
        assert_eq!(told, ["0 B", "585 B", "1.00 KiB", "1.25 KiB", "512 KiB", "1.00 MiB", "3.00 TiB"]);
    }

    #[test]
    fn durations_are_told_in_the_unit_that_fits() {
        let micros = [0, 850, 1_250, 12_340, 999_700, 1_200_000, 12_345_000, 99_949_000, 99_950_000];
        let told: Vec<String> = micros.map(|micros| duration(Duration::from_micros(micros))).into();
        assert_eq!(
            told,
            ["0 s", "850 µs", "1.25 ms", "12.3 ms", "1.00 s", "1.20 s", "12.3 s", "99.9 s", "1m 40s"]
        );
        assert_eq!(duration(Duration::from_secs(3_607)), "1h 00m 07s");
        assert_eq!(clock(Duration::from_secs(93_784)), "26:03:04");
        let passing = [7, 401, 997, 1_250, 12_340, 480_000, 1_250_000, 99_400_000, 120_000_000];
        let told = passing.map(|micros| brief(Duration::from_micros(micros)));
        assert_eq!(
            told,
            ["7 µs", "400 µs", "1.0 ms", "1.3 ms", "12 ms", "480 ms", "1.3 s", "99 s", "2m 00s"]
        );
        let set = [10_000, 1_500, 100, 300_000].map(|millis| setting(Duration::from_millis(millis)));
        assert_eq!(set, ["10 s", "1.5 s", "100 ms", "5m 00s"]);
    }

    #[test]
    fn a_share_is_0_or_100_percent_only_when_it_is_exactly_that() {
        assert_eq!(share(0, 0), "0 %");
        assert_eq!(share(5, 5), "100 %");
        assert_eq!(share(999_999_999, 1_000_000_000), "99.99 %");
        assert_eq!(share(1, 1_000_000_000), "0.01 %");
        assert_eq!(share(1, 40), "2.50 %");
    }
}
