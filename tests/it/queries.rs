//! What is shipped for Prometheus and Grafana asks only for what this program exports: names, labels, label values.
//!
//! Whether the expressions are legal, and whether each alert is raised by what it is about and by nothing else, is asked
//! of `promtool`, in `.ci/run`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use kinesis_streamer::expose::{Kind, METRICS, READING_METRICS, Values};
use serde_json::Value;

/// What every metric of ours begins with.
const OURS: &str = "kinesis_streamer_";

/// The labels that Prometheus itself adds to whatever it scrapes.
const SCRAPED: [&str; 2] = ["job", "instance"];

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn is_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

/// Labels and, where they are a closed set, their values.
type Labels = BTreeMap<&'static str, Option<Vec<&'static str>>>;

/// Each name that can be asked for, with its labels.
fn exported() -> BTreeMap<String, Labels> {
    let mut names = BTreeMap::new();
    for metric in METRICS.iter().chain(READING_METRICS) {
        let mut labels: Labels = SCRAPED.into_iter().map(|name| (name, None)).collect();
        for label in metric.labels {
            let values = match label.values {
                Values::Closed(values) => Some(values()),
                Values::Bounded(_) => None,
            };
            labels.insert(label.name, values);
        }
        let parts: &[&str] = match metric.kind {
            Kind::Histogram => &["_bucket", "_sum", "_count"],
            Kind::Counter | Kind::Gauge => &[""],
        };
        for part in parts {
            let mut labels = labels.clone();
            if *part == "_bucket" {
                labels.insert("le", None);
            }
            names.insert(metric.name.to_owned() + part, labels);
        }
    }
    names
}

/// What an expression asks for that is not exported.
fn problems(expression: &str) -> Vec<String> {
    let exported = exported();
    let (mut found, mut labels) = (Vec::new(), BTreeSet::from(SCRAPED));
    let mut asks = false;
    for (at, _) in expression.match_indices(OURS) {
        asks = true;
        let rest = &expression[at..];
        let name: String = rest.chars().take_while(|&letter| is_name(letter)).collect();
        let Some(known) = exported.get(&name) else {
            found.push(format!("no metric {name}"));
            continue;
        };
        labels.extend(known.keys());
        let Some(matchers) = rest[name.len()..].strip_prefix('{') else { continue };
        let matchers = &matchers[..matchers.find('}').unwrap_or(matchers.len())];
        for matcher in matchers.split(',').filter(|matcher| !matcher.trim().is_empty()) {
            let label: String = matcher.trim().chars().take_while(|&letter| is_name(letter)).collect();
            let value = matcher.split('"').nth(1).unwrap_or_default();
            match known.get(label.as_str()) {
                None => found.push(format!("{name} has no label {label}")),
                Some(None) => {}
                Some(Some(values)) => {
                    let wrong =
                        value.split('|').filter(|one| !values.contains(one) && !one.contains(['$', '*']));
                    found.extend(wrong.map(|one| format!("{name} has no {label} {one}")));
                }
            }
        }
    }
    if !asks && !expression.starts_with("up{") {
        found.push("nothing of ours".to_owned());
    }
    for word in ["by (", "without (", "on (", "ignoring (", "group_left (", "group_right ("] {
        for listed in expression.split(word).skip(1) {
            let listed = listed.split(')').next().unwrap_or_default();
            let wrong = listed.split(',').map(str::trim).filter(|label| !labels.contains(label));
            found.extend(wrong.map(|label| format!("{word}{listed}): no label {label}")));
        }
    }
    found
}

#[test]
fn a_query_for_what_is_not_exported_is_found() {
    for right in [
        "kinesis_streamer_records_due_total",
        r#"rate(kinesis_streamer_records_dropped_total{reason!="drain",instance=~"$instance"}[1m])"#,
        r#"sum by (le, job) (kinesis_streamer_delivery_delay_seconds_bucket{le="0.1"})"#,
        r#"sum without (reason) (kinesis_streamer_records_failed_total{reason=~"kms|denied"})"#,
        r#"up{job=~"kinesis-streamer.*"} == 0"#,
    ] {
        assert_eq!(problems(right), [""; 0], "{right}");
    }
    for wrong in [
        "kinesis_streamer_records_due",
        "kinesis_streamer_delivery_delay_seconds",
        r#"kinesis_streamer_records_due_total{reason="late"}"#,
        r#"kinesis_streamer_records_dropped_total{reason="lost"}"#,
        r#"kinesis_streamer_records_failed_total{reason=~"kms|lost"}"#,
        "sum by (reason) (kinesis_streamer_records_due_total)",
        "sum without (le) (kinesis_streamer_delivery_delay_seconds_count)",
        "node_load1 > 1",
    ] {
        assert_ne!(problems(wrong), [""; 0], "{wrong}");
    }
}

/// The dashboard's expressions, those that fill its variables included, and the labels that their legends name.
fn dashboard(value: &Value, expressions: &mut Vec<String>, legends: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            if let (Some(expression), Some(legend)) = (
                fields.get("expr").and_then(Value::as_str),
                fields.get("legendFormat").and_then(Value::as_str),
            ) {
                let names = legend.split("{{").skip(1).filter_map(|rest| rest.split("}}").next());
                legends.extend(names.map(|name| (expression.to_owned(), name.trim().to_owned())));
            }
            for (name, value) in fields {
                match value {
                    Value::String(text) if name == "expr" || name == "query" && text.contains('(') => {
                        expressions.push(text.clone());
                    }
                    _ => dashboard(value, expressions, legends),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| dashboard(value, expressions, legends)),
        _ => {}
    }
}

#[test]
fn the_dashboard_asks_only_for_metrics_and_labels_that_are_exported() {
    let shipped = read("config/grafana/provisioning/dashboards/kinesis-streamer.json");
    let (mut found, mut legends) = (Vec::new(), Vec::new());
    dashboard(&serde_json::from_str(&shipped).expect("JSON"), &mut found, &mut legends);
    assert!(found.len() > 40, "{found:?}");
    for expression in &found {
        assert_eq!(problems(expression), [""; 0], "{expression}");
    }
    assert!(!legends.is_empty());
    for (expression, label) in &legends {
        // What is summed away has no value in a legend.
        let kept = |listed: &str| {
            listed.split(')').next().is_some_and(|list| list.split(',').any(|name| name.trim() == label))
        };
        let sums = expression.contains("sum") || expression.contains("max");
        let is_kept = expression.split("by (").skip(1).any(kept);
        assert!(is_kept || !sums && SCRAPED.contains(&label.as_str()), "{expression} has no {label}");
    }
    // A law of the ledger that nobody looks at is no use.
    for name in ["records_due_total", "records_sent_total", "records_unknown_total", "records_dropped_total"]
    {
        assert!(found.iter().any(|expression| expression.contains(&format!("{OURS}{name}"))), "{name}");
    }
}

/// The alerts: their names, expressions and the text of their annotations. No reader of YAML: the file is ours, and
/// `promtool` reads it as YAML.
fn alerts(text: &str) -> Vec<(String, String, String)> {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let mut alerts: Vec<(String, String, String)> = Vec::new();
    // Of what key the lines that are further in belong to.
    let mut open: Option<(usize, bool)> = None;
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        let words = line.trim();
        if let Some(name) = words.strip_prefix("- alert: ") {
            alerts.push((name.to_owned(), String::new(), String::new()));
            open = None;
            continue;
        }
        let Some((_, expression, notes)) = alerts.last_mut() else { continue };
        if let Some(first) = words.strip_prefix("expr: ") {
            open = Some((depth(line), true));
            expression.push_str(first.trim_start_matches(">-"));
        } else if words.starts_with("summary: ") || words.starts_with("description: ") {
            open = Some((depth(line), false));
            notes.push_str(words);
        } else {
            match open.filter(|(key, _)| depth(line) > *key) {
                Some((_, true)) => *expression += &format!(" {words}"),
                Some((_, false)) => *notes += &format!(" {words}"),
                None => open = None,
            }
        }
    }
    alerts
}

#[test]
fn the_alerts_ask_only_for_metrics_and_labels_that_are_exported() {
    let shipped = read("config/prometheus/alerts.yml");
    let alerts = alerts(&shipped);
    assert_eq!(alerts.len(), shipped.matches("- alert: ").count());
    assert!(alerts.len() > 10, "{alerts:?}");
    let exported = exported();
    for (name, expression, notes) in &alerts {
        assert_eq!(problems(expression.trim()), [""; 0], "{name}: {expression}");
        // What a text names is there, and a label that it shows has not been summed away.
        for (at, _) in notes.match_indices(OURS) {
            let word: String = notes[at..].chars().take_while(|&letter| is_name(letter)).collect();
            assert!(exported.contains_key(&word), "{name} speaks of {word}");
        }
        for shown in notes.split("$labels.").skip(1) {
            let label: String = shown.chars().take_while(|&letter| is_name(letter)).collect();
            let there = SCRAPED.contains(&label.as_str()) || expression.contains(&format!("{{{label}"));
            assert!(there && !expression.contains(&format!("without ({label}")), "{name} shows {label}");
        }
        assert!(notes.contains("summary: ") && notes.contains("description: "), "{name} says nothing");
    }
}

#[test]
fn each_alert_is_tried_and_told_of() {
    let (tried, told) = (read("tests/prometheus/alerts.yml"), read("docs/observability.md"));
    for (name, ..) in alerts(&read("config/prometheus/alerts.yml")) {
        assert!(tried.contains(&name), "tests/prometheus/alerts.yml does not try {name}");
        assert!(told.contains(&format!("| `{name}` |")), "docs/observability.md has no row of {name}");
    }
    assert!(read("config/prometheus/prometheus.yml").contains("rule_files: [alerts.yml]"));
}
