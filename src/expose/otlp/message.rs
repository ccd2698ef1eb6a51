//! From Prometheus's families to an OTLP request: names, labels and numbers stay as they are.
//!
//! Counters are sums that only grow, since the start of the run (cumulative), histograms keep their bounds. Units go by
//! the names' ends, as Prometheus writes them.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics,
    ScopeMetrics, Sum,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prometheus::proto::{LabelPair, Metric as Sample, MetricFamily, MetricType};

use crate::expose::catalogue::START_TIME;

/// Since when something is counted and until when, in nanoseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub start: u64,
    pub now: u64,
}

/// When the run began, as its metrics say.
pub(super) fn started(families: &[MetricFamily]) -> u64 {
    let start = families.iter().find(|family| family.name() == START_TIME.name);
    let seconds =
        start.and_then(|family| family.get_metric().first()).map(|sample| sample.get_gauge().get_value());
    // To the microsecond, which is all that a float of such a size holds.
    (seconds.unwrap_or_default() * 1e6) as u64 * 1_000
}

/// The request that says what these families do, of a resource with these attributes.
pub(super) fn request(
    families: &[MetricFamily],
    resource: &[(String, String)],
    window: Window,
) -> ExportMetricsServiceRequest {
    let attributes = resource.iter().map(|(name, value)| attribute(name, value)).collect();
    let scope = InstrumentationScope {
        name: env!("CARGO_PKG_NAME").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    };
    let metrics = families.iter().filter_map(|family| metric(family, window)).collect();
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(Resource { attributes, ..Resource::default() }),
            scope_metrics: vec![ScopeMetrics { scope: Some(scope), metrics, ..ScopeMetrics::default() }],
            ..ResourceMetrics::default()
        }],
    }
}

fn metric(family: &MetricFamily, window: Window) -> Option<Metric> {
    let samples = family.get_metric();
    let cumulative = AggregationTemporality::Cumulative as i32;
    let data = match family.get_field_type() {
        MetricType::COUNTER => {
            let point = |sample: &Sample| {
                let count = sample.get_counter().get_value();
                // Counts are whole, and exact as far as the exposition's floats are.
                let value =
                    if count.fract() == 0.0 { Number::AsInt(count as i64) } else { Number::AsDouble(count) };
                number(sample, value, window)
            };
            Data::Sum(Sum {
                data_points: samples.iter().map(point).collect(),
                aggregation_temporality: cumulative,
                is_monotonic: true,
            })
        }
        MetricType::GAUGE => {
            let point =
                |sample: &Sample| number(sample, Number::AsDouble(sample.get_gauge().get_value()), window);
            Data::Gauge(Gauge { data_points: samples.iter().map(point).collect() })
        }
        MetricType::HISTOGRAM => Data::Histogram(Histogram {
            data_points: samples.iter().map(|sample| histogram(sample, window)).collect(),
            aggregation_temporality: cumulative,
        }),
        // The catalogue has no others.
        MetricType::SUMMARY | MetricType::UNTYPED => return None,
    };
    let name = family.name();
    Some(Metric {
        name: name.to_owned(),
        description: family.help().to_owned(),
        unit: unit(name).to_owned(),
        data: Some(data),
        ..Metric::default()
    })
}

/// The unit that a name's end tells (UCUM).
fn unit(name: &str) -> &'static str {
    match name.trim_end_matches("_total").rsplit('_').next() {
        Some("seconds") if !name.contains("_seconds_") => "s",
        Some("bytes") => "By",
        _ => "",
    }
}

fn number(sample: &Sample, value: Number, window: Window) -> NumberDataPoint {
    NumberDataPoint {
        attributes: attributes(sample.get_label()),
        start_time_unix_nano: window.start,
        time_unix_nano: window.now,
        value: Some(value),
        ..NumberDataPoint::default()
    }
}

fn histogram(sample: &Sample, window: Window) -> HistogramDataPoint {
    let histogram = sample.get_histogram();
    let buckets = histogram.get_bucket();
    let mut below = 0;
    let mut counts: Vec<u64> = Vec::with_capacity(buckets.len() + 1);
    for bucket in buckets {
        // Prometheus counts all below a bound, OTLP what lies between two.
        counts.push(bucket.cumulative_count() - below);
        below = bucket.cumulative_count();
    }
    counts.push(histogram.get_sample_count() - below);
    HistogramDataPoint {
        attributes: attributes(sample.get_label()),
        start_time_unix_nano: window.start,
        time_unix_nano: window.now,
        count: histogram.get_sample_count(),
        sum: Some(histogram.get_sample_sum()),
        bucket_counts: counts,
        explicit_bounds: buckets.iter().map(|bucket| bucket.upper_bound()).collect(),
        ..HistogramDataPoint::default()
    }
}

fn attributes(labels: &[LabelPair]) -> Vec<KeyValue> {
    labels.iter().map(|label| attribute(label.name(), label.value())).collect()
}

fn attribute(name: &str, value: &str) -> KeyValue {
    let value = AnyValue { value: Some(Value::StringValue(value.to_owned())) };
    KeyValue { key: name.to_owned(), value: Some(value), ..KeyValue::default() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::expose::Metrics;
    use crate::ledger::{Dropped, Failed, Ledger, Outcome, Settled, ShardCounts};

    const WINDOW: Window = Window { start: 5, now: 7 };

    /// The message as lines of the exposition, without those of help and type.
    fn lines(request: &ExportMetricsServiceRequest) -> BTreeMap<String, f64> {
        let text = |value: &Option<AnyValue>| match value.as_ref().and_then(|value| value.value.as_ref()) {
            Some(Value::StringValue(text)) => text.clone(),
            other => panic!("{other:?}"),
        };
        let key = |name: &str, attributes: &[KeyValue], more: Option<String>| {
            let pairs = attributes.iter().map(|pair| format!("{}=\"{}\"", pair.key, text(&pair.value)));
            let pairs: Vec<String> = pairs.chain(more).collect();
            if pairs.is_empty() { name.to_owned() } else { format!("{name}{{{}}}", pairs.join(",")) }
        };
        let mut lines = BTreeMap::new();
        for metric in &request.resource_metrics[0].scope_metrics[0].metrics {
            let name = &metric.name;
            let numbers = match metric.data.as_ref().expect("data") {
                Data::Sum(sum) => {
                    assert!(sum.is_monotonic && sum.aggregation_temporality == 2, "{name}");
                    &sum.data_points
                }
                Data::Gauge(gauge) => &gauge.data_points,
                Data::Histogram(histogram) => {
                    assert_eq!(histogram.aggregation_temporality, 2, "{name}");
                    for point in &histogram.data_points {
                        assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
                        let mut below = 0;
                        let bounds = point.explicit_bounds.iter().map(ToString::to_string);
                        for (bound, count) in bounds.chain(["+Inf".to_owned()]).zip(&point.bucket_counts) {
                            below += count;
                            let le = Some(format!("le=\"{bound}\""));
                            lines.insert(key(&format!("{name}_bucket"), &point.attributes, le), below as f64);
                        }
                        lines.insert(
                            key(&format!("{name}_sum"), &point.attributes, None),
                            point.sum.expect("a sum"),
                        );
                        lines.insert(
                            key(&format!("{name}_count"), &point.attributes, None),
                            point.count as f64,
                        );
                    }
                    continue;
                }
                other => panic!("{other:?}"),
            };
            for point in numbers {
                assert_eq!((point.start_time_unix_nano, point.time_unix_nano), (5, 7));
                let value = match point.value.expect("a value") {
                    Number::AsInt(count) => count as f64,
                    Number::AsDouble(value) => value,
                };
                lines.insert(key(name, &point.attributes, None), value);
            }
        }
        lines
    }

    #[test]
    fn a_message_says_what_metrics_say_line_by_line() {
        let ledger = Arc::new(Ledger::new());
        ledger.dropped(Dropped::WindowFull, 3);
        ledger.generated(20);
        let one = ShardCounts { sent: 15, sent_bytes: 900, throttled: 2, ..ShardCounts::default() };
        let settled = Settled {
            sent: 15,
            sent_bytes: 900,
            failed: vec![(Failed::Kms, 5)],
            throttled: 2,
            shards: vec![(Some(crate::kinesis::ShardId(3)), one)],
            ..Settled::default()
        };
        for millis in [1, 7, 300, 200_000] {
            ledger.departed(Duration::from_millis(millis));
        }
        ledger.attempted(Outcome::Partial, Duration::from_millis(30), Duration::from_millis(70), &settled);
        let metrics = Metrics::new(ledger, SystemTime::UNIX_EPOCH + Duration::from_millis(1_500));
        let resource = [("service.name".to_owned(), "load".to_owned())];
        let request = request(&metrics.families(), &resource, WINDOW);
        let text = metrics.text().expect("text");
        let shown: BTreeMap<String, f64> = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.rsplit_once(' ').expect("a value"))
            .map(|(name, value)| (name.to_owned(), value.parse().expect("a number")))
            .collect();
        assert!(shown.len() > 100, "{text}");
        assert_eq!(lines(&request), shown);
        assert_eq!(started(&metrics.families()), 1_500_000_000);
        let resource = request.resource_metrics[0].resource.as_ref().expect("a resource");
        assert_eq!(resource.attributes, [attribute("service.name", "load")]);
    }

    #[test]
    fn units_go_by_the_ends_of_names() {
        for (name, known) in [
            ("a_duration_seconds", "s"),
            ("a_sent_bytes_total", "By"),
            ("a_records_total", ""),
            ("a_seconds_unannounced_total", ""),
            ("a_in_flight", ""),
        ] {
            assert_eq!(unit(name), known, "{name}");
        }
    }
}
