//! A comparison in words: as a table for people, as JSON for machines.

use super::super::Document;
use super::{ALPHA, Comparison, Kind, LEAST_BATCHES, Row, Says};

/// What a reader should know before believing a comparison.
pub(super) fn cautions(a: &Document, b: &Document, spans_a: usize, spans_b: usize) -> Vec<String> {
    let mut cautions = Vec::new();
    for (name, document, spans) in [("first", a, spans_a), ("second", b, spans_b)] {
        if document.client.limited {
            cautions.push(format!(
                "The {name} run was limited by its client: it tells of that machine, and not of the stream."
            ));
        }
        if spans < LEAST_BATCHES {
            cautions.push(format!(
                "The {name} run is too short: without its first and last second it has {spans}, and {LEAST_BATCHES} are needed."
            ));
        }
    }
    if a.streams != b.streams {
        cautions.push(format!(
            "The runs are of different streams: {} and {}.",
            a.streams.join(", "),
            b.streams.join(", ")
        ));
    }
    if a.instances.len() != b.instances.len() {
        cautions.push(format!(
            "The first is of {} instances, the second of {}.",
            a.instances.len(),
            b.instances.len()
        ));
    }
    cautions
}

impl Comparison {
    /// The comparison for people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!(
            "{:<17}{:>13}{:>13}{:>14}  {:<31}{}\n",
            "statistic",
            "first",
            "second",
            "difference",
            format!("interval ({:.0} %, all together)", (1.0 - ALPHA) * 100.0),
            "verdict"
        );
        for row in &self.rows {
            text.push_str(&line(row));
        }
        for (name, one, two) in &self.settings {
            let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "not set".to_owned());
            text.push_str(&format!("Setting {name}: {} and {}.\n", value(one), value(two)));
        }
        self.cautions.iter().for_each(|caution| text.push_str(&format!("Caution: {caution}\n")));
        text.push_str(&format!("{}\n", self.sentence()));
        text
    }

    /// What follows, in a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let named = |says: Says| {
            let names: Vec<&str> =
                self.rows.iter().filter(|row| row.says == says).map(|row| row.name).collect();
            (!names.is_empty()).then(|| names.join(", "))
        };
        if self.is_empty() {
            return "Nothing can be said: the runs have too little in common.".to_owned();
        }
        let mut told = Vec::new();
        told.extend(named(Says::Other).map(|names| format!("another load ({names})")));
        told.extend(named(Says::Worse).map(|names| format!("worse in {names}")));
        told.extend(named(Says::Better).map(|names| format!("better in {names}")));
        if told.is_empty() {
            "No difference is proven that is larger than the margins.".to_owned()
        } else {
            format!("The second run has a difference: {}.", told.join("; "))
        }
    }

    /// The comparison as JSON, with its end of line.
    #[must_use]
    pub fn json(&self) -> String {
        let mut value = serde_json::to_value(self).expect("strings, finite numbers and lists");
        value["worse"] = self.is_worse().into();
        value["differs"] = self.differs().into();
        value["verdict"] = self.sentence().into();
        value.to_string() + "\n"
    }
}

fn line(row: &Row) -> String {
    let value = |value: Option<f64>| value.map_or("–".to_owned(), |value| told(value, row.kind, false));
    let signed = |value: f64| told(value, row.kind, true);
    let interval =
        row.interval.map_or("–".to_owned(), |(low, high)| format!("{} … {}", signed(low), signed(high)));
    let says = match row.says {
        Says::Same => "no difference proven",
        Says::Better => "better",
        Says::Worse => "worse",
        Says::Other => "another load",
        Says::TooLittle => "too little to tell",
    };
    format!(
        "{:<17}{:>13}{:>13}{:>14}  {:<31}{says}\n",
        row.name,
        value(row.a),
        value(row.b),
        row.difference.map_or("–".to_owned(), signed),
        interval
    )
}

fn told(value: f64, kind: Kind, signed: bool) -> String {
    let text = match kind {
        Kind::Rate if value.abs() >= 1e6 => format!("{:.3}M/s", value / 1e6),
        Kind::Rate => format!("{value:.1}/s"),
        Kind::Ratio => format!("{:.3} %", value * 100.0),
        Kind::Duration if value.abs() >= 1.0 => format!("{value:.3} s"),
        Kind::Duration => format!("{:.2} ms", value * 1e3),
    };
    if signed && !text.starts_with('-') { format!("+{text}") } else { text }
}
