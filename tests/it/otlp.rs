//! Export by OpenTelemetry's protocol: what a collector is told is what the run counts.
//!
//! In programs built for it (`--features otlp`); in others, that who asks for it is told so.

use crate::support::Program;

#[cfg(not(feature = "otlp"))]
#[test]
fn a_program_that_can_not_export_says_so_once_and_runs() {
    let run = Program::run(&["--local", "--max-records=100"])
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
        .finish();
    assert_eq!((run.code, run.counts()["sent"]), (0, 100));
    assert_eq!(run.stderr.matches("--features otlp").count(), 1, "{}", run.stderr);
}

#[cfg(feature = "otlp")]
mod exported {
    use std::collections::BTreeMap;
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpListener;
    use std::sync::mpsc::{Receiver, channel};
    use std::thread;
    use std::time::Duration;

    use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
    use opentelemetry_proto::tonic::common::v1::any_value::Value as Text;
    use opentelemetry_proto::tonic::metrics::v1::metric::Data;
    use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
    use prost::Message;

    use super::Program;

    /// Longer than anything here takes; nothing waits for it in vain.
    const LIMIT: Duration = Duration::from_secs(60);

    /// A request as it came.
    struct Heard {
        head: String,
        message: ExportMetricsServiceRequest,
    }

    /// A collector that answers each request with `status`, and what it hears.
    fn collector(status: &'static str) -> (String, Receiver<Heard>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let (tell, heard) = channel();
        thread::spawn(move || {
            for connection in listener.incoming() {
                let mut reader = BufReader::new(connection.expect("a connection"));
                loop {
                    let mut head = String::new();
                    while !head.ends_with("\r\n\r\n") {
                        if reader.read_line(&mut head).expect("a head") == 0 {
                            break;
                        }
                    }
                    let length = head.lines().find_map(|line| {
                        line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned)
                    });
                    let Some(length) = length else { break };
                    let mut body = vec![0; length.trim().parse().expect("a length")];
                    reader.read_exact(&mut body).expect("a body");
                    let message = ExportMetricsServiceRequest::decode(&body[..]).expect("a message");
                    let gone = tell.send(Heard { head, message }).is_err();
                    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
                    if reader.get_mut().write_all(answer.as_bytes()).is_err() || gone {
                        break;
                    }
                }
            }
        });
        (url, heard)
    }

    /// The sums of the counters, over all their labels.
    fn counters(message: &ExportMetricsServiceRequest) -> BTreeMap<String, u64> {
        let metrics = &message.resource_metrics[0].scope_metrics[0].metrics;
        let sums = metrics.iter().filter_map(|metric| match metric.data.as_ref()? {
            Data::Sum(sum) => {
                assert!(sum.is_monotonic && sum.aggregation_temporality == 2, "{}", metric.name);
                let count = |value| match value {
                    Some(Value::AsInt(count)) => u64::try_from(count).expect("a count"),
                    other => panic!("{other:?}"),
                };
                Some((metric.name.clone(), sum.data_points.iter().map(|point| count(point.value)).sum()))
            }
            _ => None,
        });
        sums.collect()
    }

    #[test]
    fn what_a_collector_is_told_adds_up_and_at_the_end_is_what_the_run_counted() {
        let (url, heard) = collector("200 OK");
        let run = Program::run(&[
            "--local=2",
            "--rate=2500/s",
            "--retry=none",
            "--duration=4s",
            "--instance=load-1",
        ])
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &url)
        .env("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a-secret-that-must-not-be-seen")
        .env("OTEL_METRIC_EXPORT_INTERVAL", "250")
        .env("OTEL_RESOURCE_ATTRIBUTES", "env=test")
        .finish();
        // Records are throttled, and not tried again.
        assert_eq!(run.code, 1, "{}", run.stderr);
        let counts = run.counts();
        let all: Vec<Heard> = heard.try_iter().collect();
        assert!(all.len() >= 3, "{}", all.len());
        for Heard { head, message } in &all {
            assert!(head.starts_with("POST /v1/metrics HTTP/1.1\r\n"), "{head}");
            let head = head.to_ascii_lowercase();
            assert!(head.contains("content-type: application/x-protobuf\r\n"), "{head}");
            assert!(head.contains("api-key: a-secret-that-must-not-be-seen\r\n"), "{head}");
            // The law holds in every message: all of it is of one moment.
            let told = counters(message);
            let count = |name: &str| told[&format!("kinesis_streamer_records_{name}_total")];
            assert_eq!(count("due"), count("generated") + count("dropped"));
            assert!(count("generated") >= count("sent") + count("failed") + count("unknown"));
        }
        let last = &all.last().expect("messages").message;
        let told = counters(last);
        for name in ["due", "generated", "sent", "failed", "unknown", "dropped", "throttled"] {
            assert_eq!(told[&format!("kinesis_streamer_records_{name}_total")], counts[name], "{name}");
        }
        assert!(counts["failed"] > 0 && counts["sent"] > 0, "{counts:?}");
        let attributes = &last.resource_metrics[0].resource.as_ref().expect("a resource").attributes;
        let attributes: BTreeMap<&str, &str> = attributes
            .iter()
            .map(|pair| match pair.value.as_ref().and_then(|value| value.value.as_ref()) {
                Some(Text::StringValue(text)) => (pair.key.as_str(), text.as_str()),
                other => panic!("{other:?}"),
            })
            .collect();
        for (name, value) in
            [("service.name", "kinesis-streamer"), ("service.instance.id", "load-1"), ("env", "test")]
        {
            assert_eq!(attributes.get(name), Some(&value), "{attributes:?}");
        }
    }

    #[test]
    fn a_collector_that_refuses_or_is_not_there_changes_nothing_but_a_warning() {
        let (refusing, heard) = collector("503 Service Unavailable");
        let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound");
        for (url, word) in [(refusing, "503"), (format!("http://{free}"), "can't be exported")] {
            let run = Program::run(&["--local", "--rate=100/s", "--duration=2s"])
                .env("OTEL_EXPORTER_OTLP_ENDPOINT", &url)
                .env("OTEL_METRIC_EXPORT_INTERVAL", "200")
                .finish();
            assert_eq!((run.code, run.counts()["sent"]), (0, 200), "{}", run.stderr);
            assert_eq!(run.stderr.matches("metrics can't be exported to").count(), 1, "{}", run.stderr);
            assert!(run.stderr.contains(word), "{}", run.stderr);
            assert!(run.stderr.contains("came to nothing"), "{}", run.stderr);
        }
        heard.recv_timeout(LIMIT).expect("a request");
    }

    #[test]
    fn what_is_wrong_with_the_variables_is_told_before_anything_begins() {
        let run = Program::run(&["--local"])
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318")
            .env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
            .finish();
        assert_eq!(run.code, 64, "{}", run.stderr);
        for name in ["OTEL_EXPORTER_OTLP_ENDPOINT: must be", "OTEL_EXPORTER_OTLP_PROTOCOL: must be"] {
            assert!(run.stderr.contains(name), "{}", run.stderr);
        }
    }
}
