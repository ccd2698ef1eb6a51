//! What is shipped for engines names only what this program has; what is shipped for Prometheus and Grafana, `queries.rs`.
//!
//! Whether the manifests are good ones for their engines is asked of their own checkers, in `.ci/run`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use kinesis_streamer::config::SETTINGS;
use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file below `config/`, and those of the top that say what runs in containers.
fn manifests() -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let mut found = vec![root().join("Dockerfile"), root().join("docker-compose.yml")];
    walk(&root().join("config"), &mut found);
    assert!(found.iter().any(|path| path.ends_with("config/kubernetes/overlays/run/job.yaml")));
    found
}

/// The words of a text that `begins` says begin one, as long as they are made of letters that `holds`.
fn words(text: &str, begins: &[&str], holds: fn(char) -> bool) -> BTreeSet<String> {
    let words =
        text.split(|letter| !holds(letter)).filter(|word| begins.iter().any(|begin| word.starts_with(begin)));
    words.map(str::to_owned).collect()
}

#[test]
fn manifests_set_only_variables_that_there_are() {
    let known: BTreeSet<&str> = SETTINGS.iter().flat_map(|setting| setting.names()).collect();
    let (mut seen, mut unknown) = (BTreeSet::new(), Vec::new());
    for path in manifests() {
        let begins = ["STREAMER_", "CRON_JOBS_", "MESSAGES_PER_", "AWS_KINESIS_"];
        for word in words(&read(&path), &begins, |c| c.is_ascii_uppercase() || c == '_') {
            // The image's name is compose's own, and a prefix is a manner of speaking.
            if !known.contains(word.as_str()) && !word.ends_with('_') {
                unknown.push(format!("{}: {word}", path.display()));
            }
            seen.insert(word);
        }
    }
    assert_eq!(unknown, [""; 0]);
    assert!(seen.contains("STREAMER_DRAIN_TIMEOUT"), "{seen:?}");
}

/// The actions of a row of `docs/permissions.md`, which `tests/it/streams.rs` holds against the calls themselves.
fn actions_of(command: &str) -> BTreeSet<String> {
    let permissions = read(&root().join("docs/permissions.md"));
    let row = permissions.lines().find(|line| line.starts_with(&format!("| `{command}` |")));
    let row = row.unwrap_or_else(|| panic!("no row of {command}"));
    row.split('`').filter(|word| word.starts_with("kinesis:")).map(str::to_owned).collect()
}

#[test]
fn each_policy_gives_the_actions_that_are_called_on_one_stream_and_no_other() {
    for (file, commands) in [
        ("producer.json", &["kinesis-streamer"][..]),
        ("reader.json", &["verify"]),
        ("operator.json", &["stream create", "stream describe", "stream delete"]),
    ] {
        let policy: Value = serde_json::from_str(&read(&root().join("config/iam").join(file))).expect("JSON");
        let needed: BTreeSet<String> = commands.iter().flat_map(|command| actions_of(command)).collect();
        let mut given = BTreeSet::new();
        for statement in policy["Statement"].as_array().expect("statements") {
            assert_eq!(
                statement["Resource"], "arn:aws:kinesis:us-east-1:123456789012:stream/my-stream",
                "{file}"
            );
            let actions = statement["Action"].as_array().expect("a list of actions");
            given.extend(actions.iter().filter_map(Value::as_str).map(str::to_owned));
        }
        assert_eq!(given, needed, "{file}");
    }
}
