//! What one setting is: its names, its flag, the form of its values, its default.
//!
//! The settings themselves are in `settings`; nothing here reads a value from anywhere.

use std::time::Duration;

use super::bytes::{Bytes, in_bytes};

/// The topic that a setting belongs to; `--help` and the documentation are grouped by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Where the records go.
    Target,
    /// How many records, and when.
    Load,
    /// What the records hold.
    Events,
    /// Many producers on one stream.
    Fleet,
    /// How sending is tried, and for how long.
    Sending,
    /// What a request may hold.
    Limits,
    /// How the stream is read back.
    Verifying,
    /// What can be seen of the run.
    Watching,
    /// What it costs.
    Cost,
}

impl Group {
    /// The heading of the topic.
    pub const fn heading(self) -> &'static str {
        match self {
            Self::Target => "Stream",
            Self::Load => "Load",
            Self::Events => "Events",
            Self::Fleet => "Many instances",
            Self::Sending => "Sending",
            Self::Limits => "Limits of requests",
            Self::Verifying => "Reading back",
            Self::Watching => "Watching",
            Self::Cost => "Cost",
        }
    }
}

/// Which subcommands take a setting's flag. A run takes every flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// A run only.
    Run,
    /// A run, and `sample`.
    Sample,
    /// A run, `sample` and `local`.
    Everywhere,
}

/// The form that a value must have. Bounds are part of the legal range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A whole number in decimal digits.
    Number {
        /// The least.
        min: u64,
        /// The most.
        max: u64,
    },
    /// A duration with units.
    Duration {
        /// The shortest.
        min: Duration,
        /// The longest.
        max: Duration,
    },
    /// A size in bytes, or with a unit.
    Bytes {
        /// The smallest, in bytes.
        min: u64,
        /// The largest, in bytes.
        max: u64,
    },
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A form of its own, in words that fit after "must be".
    Own(&'static str),
}

impl Form {
    /// The rule in words that fit after "must be".
    pub fn rule(self) -> String {
        match self {
            Self::Number { min, max } => format!("a whole number from {min} to {max}"),
            Self::Duration { min, max } => {
                format!("a duration such as {}, from {} to {}", examples(min, max), span(min), span(max))
            }
            Self::Bytes { min, max } => {
                format!("a size in bytes, or with KB, MB, KiB or MiB, from {} to {}", Bytes(min), Bytes(max))
            }
            Self::OneOf(words) => format!("one of {}", words.join(", ")),
            Self::Own(rule) => rule.to_owned(),
        }
    }

    /// The number that `text` writes; none when it breaks the rule.
    pub fn number(self, text: &str) -> Option<u64> {
        let Self::Number { min, max } = self else { return None };
        // `parse` alone would take a plus sign.
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|number| digits && (min..=max).contains(number))
    }

    /// The duration that `text` writes; none when it breaks the rule.
    pub fn duration(self, text: &str) -> Option<Duration> {
        let Self::Duration { min, max } = self else { return None };
        humantime::parse_duration(text).ok().filter(|duration| (min..=max).contains(duration))
    }

    /// The size in bytes that `text` writes; none when it breaks the rule.
    pub fn bytes(self, text: &str) -> Option<u64> {
        let Self::Bytes { min, max } = self else { return None };
        in_bytes(text).filter(|bytes| (min..=max).contains(bytes))
    }
}

/// Durations to learn the form from, each of which is legal: `500ms, 90s or 1h30m`.
fn examples(min: Duration, max: Duration) -> String {
    const EXAMPLES: [(Duration, &str); 3] = [
        (Duration::from_millis(500), "500ms"),
        (Duration::from_secs(90), "90s"),
        (Duration::from_secs(5_400), "1h30m"),
    ];
    let legal: Vec<&str> = EXAMPLES
        .into_iter()
        .filter(|(duration, _)| (min..=max).contains(duration))
        .map(|(_, text)| text)
        .collect();
    match legal.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => span(min),
    }
}

/// A duration as settings write it: `1h30m`.
pub(super) fn span(duration: Duration) -> String {
    // Days are the longest unit: months and years, which humantime would write, have no fixed length.
    const UNITS: [(u128, &str); 7] = [
        (86_400_000_000_000, "d"),
        (3_600_000_000_000, "h"),
        (60_000_000_000, "m"),
        (1_000_000_000, "s"),
        (1_000_000, "ms"),
        (1_000, "us"),
        (1, "ns"),
    ];
    let mut left = duration.as_nanos();
    let mut text = String::new();
    for (size, unit) in UNITS {
        if left >= size {
            text.push_str(&format!("{}{unit}", left / size));
            left %= size;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// What holds when a setting is not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// This value, as it would be typed.
    Value(&'static str),
    /// No value; the words say what that means.
    Means(&'static str),
}

/// One setting: a variable of the environment and its twin flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// The variable.
    pub name: &'static str,
    /// Other variables for the same value, the stronger first; all are weaker than `name`.
    pub aliases: &'static [&'static str],
    /// The flag, without its two hyphens.
    pub flag: &'static str,
    /// What the flag's value is called in the help.
    pub value: &'static str,
    /// Whether the flag may stand without a value, which then means `true`.
    pub switch: bool,
    /// The form of the value.
    pub form: Form,
    /// What holds when the setting is not given.
    pub absent: Absent,
    /// What the setting does, in one line.
    pub help: &'static str,
    /// What stands between several values; the flag may then be repeated.
    pub many: Option<char>,
    /// Whether its value must never be shown.
    pub secret: bool,
    /// Its topic.
    pub group: Group,
    /// Which subcommands take its flag.
    pub scope: Scope,
}

impl Setting {
    /// A setting of a run; the methods below say what differs from that.
    pub(super) const fn new(
        group: Group,
        name: &'static str,
        flag: &'static str,
        value: &'static str,
        form: Form,
        absent: Absent,
        help: &'static str,
    ) -> Self {
        Self {
            name,
            aliases: &[],
            flag,
            value,
            switch: false,
            form,
            absent,
            help,
            many: None,
            secret: false,
            group,
            scope: Scope::Run,
        }
    }

    /// With other variables for the same value.
    pub(super) const fn aliases(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    /// With a flag that may stand alone.
    pub(super) const fn switch(self) -> Self {
        Self { switch: true, ..self }
    }

    /// With a list of values, with this between them.
    pub(super) const fn many(self, between: char) -> Self {
        Self { many: Some(between), ..self }
    }

    /// With a value that is never shown.
    pub(super) const fn secret(self) -> Self {
        Self { secret: true, ..self }
    }

    /// With a flag that subcommands take as well.
    pub(super) const fn scope(self, scope: Scope) -> Self {
        Self { scope, ..self }
    }

    /// Every variable that sets this, the strongest first.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_duration_is_shown_in_days_and_smaller_units() {
        let day = Duration::from_secs(86_400);
        for (duration, shown) in [
            (day * 365, "365d"),
            (day / 16, "1h30m"),
            (Duration::from_millis(1_500), "1s500ms"),
            (Duration::ZERO, "0s"),
        ] {
            assert_eq!(span(duration), shown);
        }
    }

    #[test]
    fn a_number_is_digits_within_its_bounds() {
        let form = Form::Number { min: 1, max: 100 };
        assert_eq!([form.number("1"), form.number("007"), form.number("100")], [Some(1), Some(7), Some(100)]);
        for wrong in
            ["", "0", "101", "-1", "+1", " 1", "1 ", "1.0", "1e1", "abc", "99999999999999999999", "١"]
        {
            assert_eq!(form.number(wrong), None, "{wrong:?}");
        }
        assert_eq!(form.rule(), "a whole number from 1 to 100");
    }

    #[test]
    fn a_duration_has_units_and_stays_within_its_bounds() {
        let form = Form::Duration { min: Duration::from_millis(1), max: Duration::from_secs(2 * 86_400) };
        for (text, milliseconds) in [
            ("1ms", 1),
            ("500ms", 500),
            ("90s", 90_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("2d", 172_800_000),
        ] {
            assert_eq!(form.duration(text), Some(Duration::from_millis(milliseconds)), "{text}");
        }
        for wrong in ["", "10", "0s", "-1s", "1us", "49h", "s", "1x", "99999999999999999999s", "1s2"] {
            assert_eq!(form.duration(wrong), None, "{wrong:?}");
        }
    }

    proptest! {
        // Law: a duration that is shown is read back as the same duration.
        #[test]
        fn a_duration_is_read_as_it_is_shown(nanos in any::<u64>(), shift in 0_u32..64) {
            let duration = Duration::from_nanos(nanos >> shift);
            let form = Form::Duration { min: Duration::ZERO, max: Duration::MAX };
            prop_assert_eq!(form.duration(&span(duration)), Some(duration));
        }
    }

    #[test]
    fn a_value_is_read_by_its_own_form_only() {
        assert_eq!(Form::Own("anything").number("1"), None);
        assert_eq!(Form::OneOf(&["1s"]).duration("1s"), None);
        assert_eq!(Form::Number { min: 0, max: 9 }.bytes("1"), None);
    }
}
