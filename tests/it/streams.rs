//! The subcommand `stream` from one end of a stream's life to the other, and which actions each subcommand calls.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::support::{Describe, Endpoint, Program, Tap, readback, serve};

fn on(endpoint: &str, arguments: &[&str]) -> Program {
    Program::run(arguments)
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "a-secret-that-must-not-be-seen")
}

#[test]
fn a_stream_is_made_found_as_asked_used_and_deleted() {
    let (server, endpoint) = serve(&[]);
    let stream = |arguments: &[&str]| on(&endpoint, &[&["stream"], arguments].concat()).finish();
    let create = ["create", "orders", "--shards=2", "--retention=2d", "--tag=team=a", "--json"];
    for _ in 0..2 {
        let made = stream(&create);
        assert_eq!(made.code, 0, "{}", made.stderr);
        let told: Value = serde_json::from_str(&made.stdout).expect("JSON");
        assert_eq!(told["tags"], json!({"created-by": "kinesis-streamer", "team": "a"}));
        assert_eq!((&told["retention_hours"], &told["open_shards"]), (&48.into(), &2.into()));
        assert_eq!((&told["status"], &told["mode"]), (&"ACTIVE".into(), &"provisioned".into()));
    }
    let other = stream(&["create", "orders"]);
    assert_eq!(other.code, 73, "{}", other.stderr);
    assert!(other.stderr.contains("it has 2 shards, not 1 shard"), "{}", other.stderr);
    let grown = stream(&["create", "orders", "--shards=2", "--retention=72h", "--tag=x=y"]);
    assert_eq!(grown.code, 0, "what is ours may become more: {}", grown.stderr);
    assert!(
        grown.stdout.contains("\nretention   72 hours\n") && grown.stdout.contains("x=y"),
        "{}",
        grown.stdout
    );
    let run = on(&endpoint, &["--stream=orders", "--max-records=10"]).finish();
    assert_eq!((run.code, run.counts()["sent"]), (0, 10));
    assert_eq!(stream(&["delete", "orders"]).code, 0);
    assert_eq!(stream(&["delete", "orders"]).code, 66);
    assert_eq!(stream(&["describe", "orders"]).code, 66);
    server.kill();
}

#[test]
fn what_others_made_and_what_is_not_allowed_is_left_as_it_is() {
    let (server, endpoint) = serve(&[]);
    let delete = |variables: &[(&str, &str)], arguments: &[&str]| {
        let arguments = [&["stream", "delete", "local"], arguments].concat();
        let program = on(&endpoint, &arguments);
        let finished =
            variables.iter().fold(program, |program, (name, value)| program.env(name, value)).finish();
        (finished.code, finished.stderr)
    };
    let (code, told) = delete(&[], &[]);
    assert!(code == 81 && told.contains("--force"), "{told}");
    let (code, told) = delete(&[("STREAMER_ALLOWED_STREAMS", "arn:*:123456789012:*")], &["--force"]);
    assert!(code == 81 && told.contains("STREAMER_ALLOWED_STREAMS"), "{told}");
    let there = readback::call(&endpoint, "DescribeStreamSummary", &json!({"StreamName": "local"}));
    assert_eq!(there.0, 200, "it is still there");
    for (allowed, name, code) in [("a-*", "b", 81), ("arn:*:stream/b", "b", 81), ("b,arn:*", "b", 0)] {
        let made =
            on(&endpoint, &["stream", "create", name]).env("STREAMER_ALLOWED_STREAMS", allowed).finish();
        assert_eq!(made.code, code, "{allowed}: {}", made.stderr);
    }
    assert_eq!(delete(&[("STREAMER_ALLOWED_STREAMS", "arn:*:000000000000:stream/local")], &["--force"]).0, 0);
    server.kill();
}

#[test]
fn a_signal_ends_every_wait_for_a_stream() {
    for arguments in [&["--max-records=1"][..], &["--dry-run"], &["verify"], &["stream", "create", "s"]] {
        for signal in ["TERM", "INT", "HUP"] {
            let endpoint = Endpoint::open(vec![Describe::Status("CREATING"); 1_000], vec![]);
            let run = Program::against(&endpoint, arguments).start_until("waiting until it is ACTIVE");
            run.signal(signal);
            assert_eq!(run.finish().0, 130, "{arguments:?} {signal}");
            assert_eq!(endpoint.requests(), 0);
        }
    }
}

/// The actions that `docs/permissions.md` says each subcommand needs, by the first cell of its table.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/permissions.md")).expect("a page");
    let (_, rest) = text.split_once("<!-- actions -->\n").expect("a table");
    let (table, _) = rest.split_once("<!-- /actions -->").expect("an end");
    let rows = table.lines().skip(2).map(|line| {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let name = cells.next().expect("a name").replace('`', "");
        let words = cells.next().expect("actions").split(|c: char| !(c.is_alphanumeric() || c == ':'));
        (name, words.filter_map(|word| word.strip_prefix("kinesis:")).map(str::to_owned).collect())
    });
    rows.collect()
}

// CreateStream with tags asks for it without a call of its own (CreateStream API reference).
const WITHOUT_A_CALL: &str = "AddTagsToStream";

#[test]
fn each_subcommand_calls_the_actions_that_its_documentation_names_and_no_others() {
    let (server, endpoint) = serve(&[]);
    let documented = documented();
    let mut tried = BTreeSet::new();
    for (name, arguments) in [
        ("kinesis-streamer", &["--stream=local", "--max-records=1"][..]),
        ("kinesis-streamer --verify", &["--stream=local", "--max-records=1", "--verify"]),
        ("kinesis-streamer --dry-run", &["--stream=local", "--dry-run"]),
        ("verify", &["verify", "--stream=local", "--idle=0s"]),
        (
            "compare-retry",
            &[
                "compare-retry",
                "--stream=local",
                "--policies=none",
                "--calm-for=1s",
                "--overload-for=1s",
                "--recover-for=1s",
            ],
        ),
        ("stream create", &["stream", "create", "made", "--retention=48h"]),
        ("stream describe", &["stream", "describe", "made"]),
        ("stream delete", &["stream", "delete", "made"]),
    ] {
        let tap = Tap::before(&endpoint);
        let finished = on(&tap.url(), arguments).finish();
        assert!(finished.code < 4, "{name}: {}", finished.stderr);
        let mut needed = documented.get(name).unwrap_or_else(|| panic!("no row for {name}")).clone();
        needed.remove(WITHOUT_A_CALL);
        assert_eq!(tap.operations(), needed, "{name}");
        tried.insert(name.to_owned());
    }
    assert_eq!(tried, documented.into_keys().collect());
    server.kill();
}

#[test]
fn no_operation_of_the_sdk_is_called_that_no_subcommand_documents() {
    let mut called = BTreeSet::new();
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/kinesis"))];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("a file");
            called.extend(OPERATIONS.iter().filter(|operation| text.contains(&format!(".{operation}()"))));
        }
    }
    let words = |operation: &str| -> String {
        let capital = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
        operation.split('_').map(capital).collect()
    };
    let called: BTreeSet<String> = called.into_iter().map(words).collect();
    let all: BTreeSet<String> = documented().into_values().flatten().collect();
    assert_eq!(called, all);
}

/// The operations of aws-sdk-kinesis 1.130, as its client names them.
const OPERATIONS: [&str; 45] = [
    "add_tags_to_stream",
    "create_channel",
    "create_stream",
    "decrease_stream_retention_period",
    "delete_channel",
    "delete_resource_policy",
    "delete_stream",
    "deregister_stream_consumer",
    "describe_account_settings",
    "describe_channel",
    "describe_limits",
    "describe_stream",
    "describe_stream_consumer",
    "describe_stream_summary",
    "disable_enhanced_monitoring",
    "enable_enhanced_monitoring",
    "get_records",
    "get_resource_policy",
    "get_shard_iterator",
    "increase_stream_retention_period",
    "list_channels",
    "list_shards",
    "list_stream_consumers",
    "list_streams",
    "list_tags_for_resource",
    "list_tags_for_stream",
    "merge_shards",
    "put_record",
    "put_records",
    "put_resource_policy",
    "register_stream_consumer",
    "remove_tags_from_stream",
    "split_shard",
    "start_stream_encryption",
    "stop_stream_encryption",
    "subscribe_to_shard",
    "tag_resource",
    "untag_resource",
    "update_account_settings",
    "update_channel",
    "update_max_record_size",
    "update_shard_count",
    "update_stream_mode",
    "update_stream_record_distribution_strategy",
    "update_stream_warm_throughput",
];
